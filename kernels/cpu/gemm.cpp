#include <algorithm>
#include <cmath>
#include <type_traits>

#include "cpu/families.h"
#include "cpu/scratch.h"
#include "cpu/vector/elementwise.h"
#include "cpu/vector/gemm.h"
#include "cpu/vector/half.h"
#include "slots/copy.h"
#include "slots/elementwise.h"
#include "slots/gemm.h"
#include "tensor/allocator.h"
#include "tern/base/parallel.h"
#include "tern/tensor/half.h"

// What cpu/vector/gemm.cpp multiplies, cut into tasks for the threads. No cut changes a bit: each element is one chain.
namespace tern::kernels::cpu {

void* take_scratch(std::size_t bytes, std::uint32_t& size_class) { return internal::allocate(bytes, size_class); }
void give_scratch(void* memory, std::uint32_t size_class) { internal::deallocate(memory, size_class); }

namespace {

// Multiply-adds: up to here not worth a second thread, and of a task at best.
constexpr double kLeastWork = 1 << 21, kTaskWork = 1 << 25;
// Elements of an A that is packed once for all tasks.
constexpr std::int64_t kSharedA = std::int64_t{1} << 22;

template <class T>
const GemmCode<T>& code() {
  static const GemmTable& table = chosen(gemm_tables);
  if constexpr (sizeof(T) == sizeof(float)) {
    return table.f32;
  } else {
    return table.f64;
  }
}

// Where the matrices of one product of a batch begin, in elements.
struct Offsets {
  std::int64_t a = 0, b = 0, c = 0;
};
Offsets offsets(const GemmArgs& args, std::int64_t product) {
  Offsets at{.c = product * args.c_batch};
  for (int d = args.batch_dims - 1; d >= 0; --d) {
    const std::int64_t index = product % args.batch_sizes[d];
    product /= args.batch_sizes[d];
    at.a += index * args.a_batch[d];
    at.b += index * args.b_batch[d];
  }
  return at;
}

template <class In, class Sum>
using BlockFn = void (*)(const GemmBlock<In, Sum>&);

template <class T>
void activate(const GemmArgs& args, std::int64_t m, std::int64_t n, T* c, std::int64_t c_row) {
  if (args.activation == Activation::none || args.activation == Activation::relu) return;
  const UnaryOp op = args.activation == Activation::tanh ? UnaryOp::tanh : UnaryOp::sigmoid;
  const StripFn fn = chosen(unary_tables).forward[static_cast<int>(op)][kReal<T>];
  for (std::int64_t i = 0; i < m; ++i) {
    char* row = reinterpret_cast<char*>(c + i * c_row);
    fn({.out = row, .in = {row}, .step = {1}, .n = n, .parameter = 0, .stream = false});
  }
}

template <class T>
const HalfCode& half_code() {
  const HalfTable& table = chosen(half_tables);
  return std::is_same_v<T, Half> ? table.f16 : table.bf16;
}

struct Part {
  std::int64_t i0, i1, j0, j1;
};

// Rows [i0, i1) and columns [j0, j1) of C, summed in `Sum`. A C of another type is rounded once, when all is done.
template <class In, class Sum, class Out>
void multiply(BlockFn<In, Sum> fn, const GemmArgs& args, const Offsets& at, const Part& of,
              const In* a_packed = nullptr) {
  const auto [i0, i1, j0, j1] = of;
  GemmBlock<In, Sum> block{.m = i1 - i0,
                           .n = j1 - j0,
                           .k = args.k,
                           .a = static_cast<const In*>(args.a) + at.a + i0 * args.a_row,
                           .a_row = args.a_row,
                           .a_column = args.a_column,
                           .b = static_cast<const In*>(args.b) + at.b + j0 * args.b_column,
                           .b_row = args.b_row,
                           .b_column = args.b_column,
                           .c = nullptr,
                           .c_row = args.c_row,
                           .bias = nullptr,
                           .accumulate = args.accumulate,
                           .relu = args.activation == Activation::relu,
                           .packed = false,
                           .a_packed = a_packed};
  Out* c = static_cast<Out*>(args.c) + at.c + i0 * args.c_row + j0;
  const Out* bias = args.bias ? static_cast<const Out*>(args.bias) + j0 : nullptr;
  if constexpr (std::is_same_v<Sum, Out>) {
    block.c = c;
    block.bias = bias;
    fn(block);
    activate(args, block.m, block.n, block.c, block.c_row);
  } else {
    Scratch<Sum> sums((block.m + 1) * block.n);
    block.c = sums.elements;
    block.c_row = block.n;
    const HalfCode& half = half_code<Out>();
    const auto words = [](const Out* x) { return reinterpret_cast<const std::uint16_t*>(x); };
    if (args.accumulate) {
      for (std::int64_t i = 0; i < block.m; ++i) half.widen(words(c + i * args.c_row), block.c + i * block.n, block.n);
    }
    if (bias) {
      Sum* row = block.c + block.m * block.n;
      half.widen(words(bias), row, block.n);
      block.bias = row;
    }
    fn(block);
    activate(args, block.m, block.n, block.c, block.c_row);
    for (std::int64_t i = 0; i < block.m; ++i) {
      half.narrow(block.c + i * block.n, reinterpret_cast<std::uint16_t*>(c + i * args.c_row), block.n);
    }
  }
}

// A block of elements that the processor does not multiply itself, of which `To` is the type whose values count.
template <class In, class To>
void converted(const GemmBlock<In, float>& g) {
  Scratch<float> room((g.m + g.n) * g.k);
  float *a = room.elements, *b = a + g.m * g.k;
  const auto convert = [k = g.k](const In* from, std::int64_t rows, std::int64_t row, std::int64_t column, float* to) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t p = 0; p < k; ++p)
        to[i * k + p] = static_cast<float>(static_cast<To>(from[i * row + p * column]));
    }
  };
  convert(g.a, g.m, g.a_row, g.a_column, a);
  convert(g.b, g.n, g.b_column, g.b_row, b);
  code<float>().block({.m = g.m,
                       .n = g.n,
                       .k = g.k,
                       .a = a,
                       .a_row = g.k,
                       .a_column = 1,
                       .b = b,
                       .b_row = 1,
                       .b_column = g.k,
                       .c = g.c,
                       .c_row = g.c_row,
                       .bias = g.bias,
                       .accumulate = g.accumulate,
                       .relu = g.relu,
                       .packed = false});
}

std::int64_t parts(std::int64_t size, std::int64_t part) { return (size + part - 1) / part; }

// Rows and columns of a task, in whole tiles of rows and lines of the cache. Each packs for itself what it must of B,
// and of an A that is not shared. Wide strips of columns are best: they repeat nothing of B and read A seldom; each
// thread gets the same number of them. Where there are too few columns, or many products, the longer side is halved
// until the threads are occupied.
struct Cut {
  std::int64_t rows, columns;
};
constexpr std::int64_t kTileRows = 8, kStripColumns = 384, kLeastColumns = 128;

std::int64_t columns_of_strip(std::int64_t n, std::int64_t line, std::int64_t widest) {
  const std::int64_t threads = num_threads(), strips = threads * std::max<std::int64_t>(1, n / (widest * threads));
  return parts(parts(n, strips), line) * line;
}

Cut cut(const GemmArgs& args, double work, std::int64_t products, std::int64_t line) {
  const std::int64_t threads = num_threads();
  work *= static_cast<double>(products);
  if (products == 1 && work >= 4 * kLeastWork && args.n >= threads * kLeastColumns) {
    return {args.m, columns_of_strip(args.n, line, args.a_column == 1 ? kStripColumns : args.n)};
  }
  const double least = work >= 4 * kLeastWork ? 4 : work > kLeastWork ? 2 : 1;
  const double wanted = std::clamp(work / kTaskWork, least, 16.0);
  Cut cut{args.m, args.n};
  while (static_cast<double>(products * parts(args.m, cut.rows) * parts(args.n, cut.columns)) < wanted) {
    const bool wide = cut.columns >= 24 * line, tall = cut.rows >= 64 * kTileRows;
    const bool columns_can = cut.columns >= 6 * line, rows_can = cut.rows >= 8 * kTileRows;
    const bool columns_first = args.a_column == 1 ? wide || !tall : cut.columns >= cut.rows;
    if (columns_can && (columns_first || !rows_can)) {
      cut.columns = parts(parts(cut.columns, 2), line) * line;
    } else if (rows_can) {
      cut.rows = parts(parts(cut.rows, 2), kTileRows) * kTileRows;
    } else {
      break;
    }
  }
  return cut;
}

template <class In, class Sum, class Out>
void run(BlockFn<In, Sum> fn, const GemmArgs& args) {
  const double work = static_cast<double>(args.m) * static_cast<double>(args.n) * static_cast<double>(args.k);
  if (args.batch_dims == 0 && (work <= kLeastWork || num_threads() == 1)) {
    return multiply<In, Sum, Out>(fn, args, {}, {0, args.m, 0, args.n});
  }
  std::int64_t products = 1;
  for (int d = 0; d < args.batch_dims; ++d) products *= args.batch_sizes[d];
  if (args.m == 0 || args.n == 0) return;
  // One thread needs no cut, and what is packed is then packed once: the bits are the same.
  constexpr std::int64_t kLine = 64 / sizeof(Sum);
  const Cut task = num_threads() == 1 ? Cut{args.m, args.n} : cut(args, work, products, kLine);
  const std::int64_t across = parts(args.n, task.columns), each = parts(args.m, task.rows) * across;
  const auto grain = static_cast<std::int64_t>(std::clamp(kLeastWork / std::max(work, 1.0), 1.0, 1e6));
  parallel_for(products * each, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t i = t % each / across * task.rows, j = t % across * task.columns;
      multiply<In, Sum, Out>(fn, args, offsets(args, t / each),
                             {i, std::min(args.m, i + task.rows), j, std::min(args.n, j + task.columns)});
    }
  });
}

// The product of a transposed A, which the threads pack together, once.
template <class T>
void run_shared(const GemmArgs& args) {
  const GemmCode<T>& of = code<T>();
  constexpr std::int64_t kLine = 64 / sizeof(T);
  Scratch<T> a(args.m * args.k);
  const GemmBlock<T> block{.m = args.m,
                           .n = args.n,
                           .k = args.k,
                           .a = static_cast<const T*>(args.a),
                           .a_row = args.a_row,
                           .a_column = args.a_column};
  const std::int64_t packers = std::min<std::int64_t>(4 * num_threads(), parts(args.m, kTileRows));
  parallel_for(packers, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) of.pack_a(block, p, packers, a.elements);
  });
  parallel_for(args.n, columns_of_strip(args.n, kLine, kStripColumns), [&](std::int64_t begin, std::int64_t end) {
    multiply<T, T, T>(of.block, args, {}, {0, args.m, begin, end}, a.elements);
  });
}

template <class T>
void real_kernel(const GemmArgs& args) {
  const double work = static_cast<double>(args.m) * static_cast<double>(args.n) * static_cast<double>(args.k);
  const bool transposed = args.batch_dims == 0 && args.m > 1 &&
                          (args.a_column != 1 || rows_pay_for_packing<T>(args.a_row, args.m, args.n, args.k));
  if (transposed && num_threads() > 1 && work >= 4 * kLeastWork && args.n >= num_threads() * kLeastColumns &&
      args.m * args.k <= kSharedA) {
    return run_shared<T>(args);
  }
  run<T, T, T>(code<T>().block, args);
}

void half_kernel(const GemmArgs& args) { run<Half, float, Half>(&converted<Half, Half>, args); }

void bf16_kernel(const GemmArgs& args) { run<BFloat16, float, BFloat16>(&converted<BFloat16, BFloat16>, args); }
#ifdef __x86_64__
void bf16_by_processor(const GemmArgs& args) { run<BFloat16, float, BFloat16>(avx512_bf16::gemm_bf16.bf16, args); }
void bf16_from_f32(const GemmArgs& args) { run<float, float, float>(avx512_bf16::gemm_bf16.f32, args); }
#endif

}  // namespace

void register_gemm() {
  kernels::gemm.set(DeviceKind::cpu, f32, &real_kernel<float>);
  kernels::gemm.set(DeviceKind::cpu, f64, &real_kernel<double>);
  kernels::gemm.set(DeviceKind::cpu, f16, &half_kernel);
  kernels::gemm.set(DeviceKind::cpu, bf16, &bf16_kernel);
#ifdef __x86_64__
  if (target() != Target::avx512_bf16) return;
  kernels::gemm.set(DeviceKind::cpu, bf16, &bf16_by_processor);
  kernels::gemm_bf16.set(DeviceKind::cpu, f32, &bf16_from_f32);
#endif
}

}  // namespace tern::kernels::cpu
