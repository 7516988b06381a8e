// Matrix products: the share that they reach of the multiply-add peak, which is measured between any two of their runs,
// and, on one thread, Eigen and oneDNN beside them. A layer of `batch` rows, `in` inputs and `out` outputs multiplies
// X·W, and in backward dY·Wᵀ and Xᵀ·dY; every operand lies by rows.
//
//   bench_gemm [--threads 1|2] [--seconds S] [--no-peers] [--bf16] [--small] [SHAPE...]     SHAPE: batch x in x out, as
//   256x768x768
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <Eigen/Core>

#include "cpu/vector/gemm.h"
#include "slots/gemm.h"
#include "tern/base/parallel.h"
#include "tern/ops/matmul.h"
#include "tern/tensor/creation.h"
#ifdef TERN_BENCH_ONEDNN
#include <dnnl.hpp>
extern "C" void omp_set_num_threads(int);
#endif

namespace {

using tern::Tensor;
using tern::kernels::GemmArgs;
using tern::kernels::cpu::GemmBlock;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// --- the peak: independent chains of multiply-adds in registers, GF/s of one core

#define TERN_PEAK(what, isa, instruction, Register, operations)                                                 \
  __attribute__((target(isa), noinline)) double peak_##what(long rounds) {                                      \
    Register s0{}, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0, s9 = s0;             \
    const Register x = s0;                                                                                      \
    const double start = now();                                                                                 \
    for (long i = 0; i < rounds; ++i) {                                                                         \
      asm volatile(                                                                                             \
          instruction " %10, %10, %0\n" instruction " %10, %10, %1\n" instruction " %10, %10, %2\n" instruction \
                      " %10, %10, %3\n" instruction " %10, %10, %4\n" instruction " %10, %10, %5\n" instruction \
                      " %10, %10, %6\n" instruction " %10, %10, %7\n" instruction " %10, %10, %8\n" instruction \
                      " %10, %10, %9"                                                                           \
          : "+v"(s0), "+v"(s1), "+v"(s2), "+v"(s3), "+v"(s4), "+v"(s5), "+v"(s6), "+v"(s7), "+v"(s8), "+v"(s9)  \
          : "v"(x));                                                                                            \
    }                                                                                                           \
    return 10.0 * operations * static_cast<double>(rounds) / (now() - start) / 1e9;                             \
  }
typedef float Wide16 __attribute__((vector_size(64)));
typedef float Wide8 __attribute__((vector_size(32)));
TERN_PEAK(bf16, "avx512f", "vdpbf16ps", Wide16, 64)
TERN_PEAK(avx512, "avx512f", "vfmadd231ps", Wide16, 32)
TERN_PEAK(avx2, "avx2,fma", "vfmadd231ps", Wide8, 16)

bool bf16_products = false;

double peak_of_a_core(long rounds) {
  switch (tern::kernels::cpu::target()) {
    case tern::kernels::cpu::Target::baseline:
      return NAN;  // no such instruction
    case tern::kernels::cpu::Target::avx2:
      return peak_avx2(2 * rounds);
    default:
      return bf16_products ? peak_bf16(rounds) : peak_avx512(rounds);
  }
}

double peak(int threads) {
  constexpr long kRounds = 50000;
  if (threads == 1) return peak_of_a_core(kRounds);
  std::atomic<bool> started{false};
  double other = 0;
  std::thread second([&] {
    started = true;
    other = peak_of_a_core(8 * kRounds);
  });
  while (!started) {
  }
  const double own = peak_of_a_core(4 * kRounds);
  second.join();
  return own + other;
}

// --- what is measured

struct Contender {
  std::string name;
  std::function<void()> run;
  std::vector<double> speeds{}, peaks{};
};

// Other work on the machine only ever slows a run: what it does undisturbed is near its fastest.
double typical(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? NAN : values[values.size() * 3 / 4];
}

// Contenders take turns, so that a change of the machine's speed meets them all.
void measure(std::vector<Contender>& contenders, double operations, int threads, double seconds) {
  for (Contender& each : contenders) each.run();
  // Several calls, as in a step: the first alone would count the waking of a thread that the peak left asleep.
  const int repeats = std::max(1, static_cast<int>(4e-3 * 1.5e11 * threads / operations));
  const double start = now();
  for (int round = 0; round < 5 || now() - start < seconds; ++round) {
    if (now() - start > 20 * seconds) break;
    for (Contender& each : contenders) {
      each.run();
      each.peaks.push_back(peak(threads));
      const double begin = now();
      for (int i = 0; i < repeats; ++i) each.run();
      each.speeds.push_back(operations * repeats / (now() - begin) / 1e9);
      each.peaks.push_back(peak(threads));
    }
  }
}

enum class Product { forward, input, weight };
constexpr Product kProducts[] = {Product::forward, Product::input, Product::weight};

struct Problem {
  Product product;
  std::int64_t m, n, k;
  Tensor a, b, c, packed, ours;
  bool a_turned, b_turned;

  Problem(Product which, std::int64_t batch, std::int64_t in, std::int64_t out) : product(which) {
    a_turned = which == Product::weight;
    b_turned = which == Product::input;
    m = which == Product::weight ? in : batch;
    n = which == Product::input ? in : out;
    k = which == Product::forward ? in : which == Product::input ? out : batch;
    a = tern::rand({m * k}) - 0.5;
    b = tern::rand({n * k}) - 0.5;
    c = tern::zeros({m * n});
  }
  const char* name() const {
    return product == Product::forward ? "X.W" : product == Product::input ? "dY.Wt" : "Xt.dY";
  }

  /// As a user has them.
  Tensor left() const { return a_turned ? a.reshape({k, m}).t() : a.reshape({m, k}); }
  Tensor right() const { return b_turned ? b.reshape({n, k}).t() : b.reshape({k, n}); }
  /// By the public op, of operands of this type.
  std::function<void()> multiply(tern::DType dtype) {
    return [this, x = left().to(dtype), y = right().to(dtype)] {
      ours = Tensor();  // its memory is free for the next
      ours = tern::matmul(x, y);
    };
  }

  GemmArgs args() {
    GemmArgs args;
    args.m = m;
    args.n = n;
    args.k = k;
    args.a = a.span<float>().data();
    args.a_row = a_turned ? 1 : k;
    args.a_column = a_turned ? m : 1;
    args.b = b.span<float>().data();
    args.b_row = b_turned ? 1 : n;
    args.b_column = b_turned ? k : 1;
    args.c = c.mutable_span<float>().data();
    args.c_row = n;
    return args;
  }
};

void check(const Problem& p, const std::string& name) {
  const float *a = p.a.span<float>().data(), *b = p.b.span<float>().data(), *c = p.c.span<float>().data();
  for (const std::int64_t i : {std::int64_t{0}, p.m / 2, p.m - 1}) {
    for (const std::int64_t j : {std::int64_t{0}, p.n / 2, p.n - 1}) {
      double sum = 0;
      for (std::int64_t l = 0; l < p.k; ++l) {
        sum += static_cast<double>(a[p.a_turned ? l * p.m + i : i * p.k + l]) *
               (p.b_turned ? b[j * p.k + l] : b[l * p.n + j]);
      }
      if (!(std::abs(c[i * p.n + j] - sum) < (bf16_products ? 1e-2 : 1e-4) * std::sqrt(static_cast<double>(p.k)))) {
        std::fprintf(stderr, "%s: element %ld, %ld is %g, not %g\n", name.c_str(), static_cast<long>(i),
                     static_cast<long>(j), static_cast<double>(c[i * p.n + j]), sum);
        std::exit(1);
      }
    }
  }
}

void add_eigen(Problem& p, std::vector<Contender>& contenders) {
  using ByRows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using ByColumns = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;
  const GemmArgs g = p.args();
  const auto *ga = static_cast<const float*>(g.a), *gb = static_cast<const float*>(g.b);
  auto* gc = static_cast<float*>(g.c);
  contenders.push_back({"Eigen", [=, m = p.m, n = p.n, k = p.k, at = p.a_turned, bt = p.b_turned] {
                          Eigen::Map<ByRows> c(gc, m, n);
                          const Eigen::Map<const ByRows> a(ga, m, k), b(gb, k, n);
                          const Eigen::Map<const ByColumns> a_turned(ga, m, k), b_turned(gb, k, n);
                          if (at) {
                            c.noalias() = a_turned * b;
                          } else if (bt) {
                            c.noalias() = a * b_turned;
                          } else {
                            c.noalias() = a * b;
                          }
                        }});
}

#ifdef TERN_BENCH_ONEDNN
void add_onednn(Problem& p, std::vector<Contender>& contenders) {
  using dnnl::memory;
  const auto f32 = memory::data_type::f32;
  const GemmArgs g = p.args();
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  const dnnl::stream stream(engine);
  const memory::desc a({p.m, p.k}, f32, memory::dims{g.a_row, g.a_column}), c({p.m, p.n}, f32, memory::format_tag::ab);
  const memory::desc b({p.k, p.n}, f32, memory::dims{g.b_row, g.b_column}),
      any({p.k, p.n}, f32, memory::format_tag::any);
  for (const bool packed : {false, true}) {
    const dnnl::matmul::primitive_desc description({a, packed ? any : b, c}, engine);
    const dnnl::matmul product(description);
    const memory ma(a, engine, const_cast<void*>(g.a)), mc(c, engine, g.c);
    memory mb(b, engine, const_cast<void*>(g.b));
    if (packed) {
      memory ordered(description.weights_desc(), engine);
      dnnl::reorder(mb, ordered).execute(const_cast<dnnl::stream&>(stream), mb, ordered);
      mb = ordered;
    }
    contenders.push_back({packed ? "oneDNN packed" : "oneDNN", [=]() mutable {
                            product.execute(stream, {{DNNL_ARG_SRC, ma}, {DNNL_ARG_WEIGHTS, mb}, {DNNL_ARG_DST, mc}});
                            const_cast<dnnl::stream&>(stream).wait();
                          }});
  }
}
#endif

struct Options {
  int threads = 1;
  double seconds = 0.3;
  bool peers = true;
};

struct Sums {
  double log = 0;
  int count = 0;
};

void run(Problem& p, std::int64_t batch, std::int64_t in, std::int64_t out, const Options& options,
         std::vector<Sums>& sums) {
  const GemmArgs args = p.args();
  std::vector<Contender> contenders;
  if (bf16_products) {
    contenders.push_back({"from f32", p.multiply(tern::f32)});
    contenders.push_back({"from bf16", p.multiply(tern::bf16)});
  } else {
    contenders.push_back({"tern", p.multiply(tern::f32)});
  }
  if (options.threads == 1 && !bf16_products) {
    const auto& code = chosen(tern::kernels::cpu::gemm_tables).f32;
    GemmBlock<float> block{p.m,
                           p.n,
                           p.k,
                           p.a.span<float>().data(),
                           args.a_row,
                           args.a_column,
                           p.b.span<float>().data(),
                           args.b_row,
                           args.b_column,
                           static_cast<float*>(args.c),
                           p.n,
                           nullptr,
                           false,
                           false,
                           false};
    p.packed = tern::zeros({p.k * ((p.n + code.columns - 1) / code.columns * code.columns)});
    auto* packed = p.packed.mutable_span<float>().data();
    code.pack(block, packed);
    block.b = packed;
    block.packed = true;
    contenders.push_back({"packed", [block, &code] { code.block(block); }});
    if (options.peers) {
      add_eigen(p, contenders);
#ifdef TERN_BENCH_ONEDNN
      add_onednn(p, contenders);
#endif
    }
  }
  for (const Contender& each : contenders) {
    std::memset(args.c, 0, static_cast<std::size_t>(p.m * p.n) * sizeof(float));
    each.run();
    if (p.ours.defined()) p.c.copy_(std::exchange(p.ours, {}).to(tern::f32).reshape({p.m * p.n}));
    check(p, each.name);
  }
  const double operations = 2.0 * static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
  measure(contenders, operations, options.threads, options.seconds);
  std::printf("%5ldx%-4ldx%-5ld %-6s", static_cast<long>(batch), static_cast<long>(in), static_cast<long>(out),
              p.name());
  sums.resize(contenders.size());
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    const double speed = typical(contenders[i].speeds);
    std::printf("  %s %.1f %.3f", contenders[i].name.c_str(), speed, speed / typical(contenders[i].peaks));
    sums[i].log += std::log(typical(contenders[0].speeds) / speed);
    ++sums[i].count;
  }
  std::printf("\n");
  std::fflush(stdout);
}

// What calls cost: products too small for anything but their overhead.
void small(const Options& options) {
  constexpr std::int64_t kSizes[][3] = {{1, 8, 8},     {4, 4, 4},     {8, 8, 8},     {32, 16, 32}, {32, 32, 4},
                                        {1, 64, 64},   {1, 30, 64},   {1, 64, 32},   {1, 32, 1},   {64, 64, 64},
                                        {2, 768, 768}, {8, 768, 768}, {64, 768, 768}};
  for (const auto& [batch, in, out] : kSizes) {
    std::printf("%3ldx%-3ldx%-3ld", static_cast<long>(batch), static_cast<long>(in), static_cast<long>(out));
    for (const Product product : kProducts) {
      Problem p(product, batch, in, out);
      std::vector<Contender> contenders;
      contenders.push_back({"", p.multiply(tern::f32)});
      if (options.peers) add_eigen(p, contenders);
      std::printf("  %s", p.name());
      for (const Contender& each : contenders) {
        std::vector<double> times;
        for (int round = 0; round < 30; ++round) {
          const int repeats = static_cast<int>(std::min(1000.0, 1 + 1e8 / static_cast<double>(p.m * p.n * p.k)));
          const double begin = now();
          for (int i = 0; i < repeats; ++i) each.run();
          times.push_back(repeats / (now() - begin));
        }
        std::printf(" %s%.0f ns", each.name.empty() ? "" : "Eigen ", 1e9 / typical(times));
      }
    }
    std::printf("\n");
  }
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  bool tiny = false;
  std::vector<std::array<std::int64_t, 3>> shapes;
  for (int i = 1; i < count; ++i) {
    const std::string word = arguments[i];
    long batch = 0, in = 0, out = 0;
    if (word == "--threads" && i + 1 < count) {
      options.threads = std::atoi(arguments[++i]);
    } else if (word == "--seconds" && i + 1 < count) {
      options.seconds = std::atof(arguments[++i]);
    } else if (word == "--no-peers") {
      options.peers = false;
    } else if (word == "--bf16") {
      bf16_products = true;
    } else if (word == "--small") {
      tiny = true;
    } else if (std::sscanf(word.c_str(), "%ldx%ldx%ld", &batch, &in, &out) == 3) {
      shapes.push_back({batch, in, out});
    } else {
      std::fprintf(stderr, "unknown option %s\n", word.c_str());
      return 2;
    }
  }
  if (options.threads < 1 || options.threads > 2) {
    std::fprintf(stderr, "--threads: expected 1 or 2\n");
    return 2;
  }
  if (bf16_products && tern::kernels::cpu::target() != tern::kernels::cpu::Target::avx512_bf16) {
    std::fprintf(stderr, "--bf16: expected a processor that multiplies bf16\n");
    return 77;  // skipped
  }
  tern::set_num_threads(options.threads);
  if (bf16_products) tern::set_float32_matmul_precision(tern::MatmulPrecision::medium);
#ifdef TERN_BENCH_ONEDNN
  omp_set_num_threads(1);
#endif
  std::printf("%s, %d thread(s), peak %.1f GF/s; each: GF/s, share of the peak beside it\n",
              tern::kernels::cpu::name(tern::kernels::cpu::target()), options.threads, peak(options.threads));
  if (tiny) {
    small(options);
    return 0;
  }
  if (shapes.empty()) {
    shapes = {{128, 256, 256}, {128, 784, 256},    {256, 768, 768},    {256, 768, 3072}, {256, 3072, 768},
              {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}, {256, 768, 50304}};
  }
  std::vector<Sums> sums;
  for (const auto& [batch, in, out] : shapes) {
    for (const Product product : kProducts) {
      Problem problem(product, batch, in, out);
      run(problem, batch, in, out, options, sums);
    }
  }
  std::printf("geometric mean of tern over each:");
  for (const Sums& each : sums) std::printf(" %.3f", std::exp(each.log / each.count));
  std::printf("\n");
  return 0;
}
