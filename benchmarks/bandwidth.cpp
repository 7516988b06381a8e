#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "tern/autograd/autograd.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/ops/binary.h"
#include "tern/ops/dropout.h"
#include "tern/ops/norm.h"
#include "tern/ops/optimizer_step.h"
#include "tern/ops/reduce.h"
#include "tern/ops/softmax.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/tensor.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

// What streams through memory, beside the machine's own limits: each work on tensors of 256 MB, by bytes read and
// written. `copy_limit` moves one array into another, `add_limit` two into a third, both past the caches; `read_limit`
// adds one up. Compare a work with the limit of its form (`reads` or `reads`, `writes`).
namespace {

using namespace tern;

constexpr std::int64_t kBytes = 256ll << 20, kFloats = kBytes / 4, kBlock = 1 << 16;

Tensor operand(std::uint64_t seed) {
  manual_seed(seed);
  return randn({kFloats / 1024, 1024});
}

void moved(benchmark::State& state, int arrays) { state.SetBytesProcessed(state.iterations() * arrays * kBytes); }

#ifdef __SSE2__
template <int Inputs>
void stream(const float* a, const float* b, float* out) {
  parallel_for(kFloats, kBlock, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; i += 4) {
      __m128 x = _mm_load_ps(a + i);
      if (Inputs == 2) x = _mm_add_ps(x, _mm_load_ps(b + i));
      _mm_stream_ps(out + i, x);
    }
    _mm_sfence();
  });
}
template <int Inputs>
void stream_limit(benchmark::State& state) {
  const Tensor a = operand(1), b = operand(2);
  Tensor out = zeros(a.shape());
  float* to = out.mutable_span<float>().data();
  for (auto _ : state) {
    stream<Inputs>(a.span<float>().data(), b.span<float>().data(), to);
    benchmark::ClobberMemory();
  }
  moved(state, Inputs + 1);
}
void copy_limit(benchmark::State& state) { stream_limit<1>(state); }
void add_limit(benchmark::State& state) { stream_limit<2>(state); }
BENCHMARK(copy_limit)->UseRealTime();
BENCHMARK(add_limit)->UseRealTime();

void read_limit(benchmark::State& state) {
  const Tensor a = operand(1);
  const float* x = a.span<float>().data();
  for (auto _ : state) {
    parallel_for(kFloats, kBlock, [=](std::int64_t begin, std::int64_t end) {
      __m128 sum[8] = {};
      for (std::int64_t i = begin; i < end; i += 32) {
        for (int k = 0; k < 8; ++k) sum[k] = _mm_add_ps(sum[k], _mm_load_ps(x + i + 4 * k));
      }
      for (const __m128 s : sum) benchmark::DoNotOptimize(s);
    });
  }
  moved(state, 1);
}
BENCHMARK(read_limit)->UseRealTime();
#endif

template <class F>
void map(benchmark::State& state, F f) {
  const Tensor a = operand(1);
  const NoGrad guard;
  for (auto _ : state) benchmark::DoNotOptimize(f(a));
  moved(state, 2);
}
BENCHMARK_CAPTURE(map, relu, [](const Tensor& x) { return relu(x); })->UseRealTime();
BENCHMARK_CAPTURE(map, exp, [](const Tensor& x) { return exp(x); })->UseRealTime();
BENCHMARK_CAPTURE(map, tanh, [](const Tensor& x) { return tanh(x); })->UseRealTime();
BENCHMARK_CAPTURE(map, gelu, [](const Tensor& x) { return gelu(x); })->UseRealTime();
BENCHMARK_CAPTURE(map, softmax, [](const Tensor& x) { return softmax(x, -1); })->UseRealTime();
BENCHMARK_CAPTURE(map, layer_norm, [](const Tensor& x) { return layer_norm(x, {1024}); })->UseRealTime();
BENCHMARK_CAPTURE(map, dropout, [](const Tensor& x) { return dropout(x, 0.3); })->UseRealTime();
BENCHMARK_CAPTURE(map, contiguous_of_transposed, [](const Tensor& x) { return x.t().contiguous(); })->UseRealTime();

void add_two(benchmark::State& state) {
  const Tensor a = operand(1), b = operand(2);
  const NoGrad guard;
  for (auto _ : state) benchmark::DoNotOptimize(a + b);
  moved(state, 3);
}
BENCHMARK(add_two)->UseRealTime();

void add_bias(benchmark::State& state) {
  const Tensor a = operand(1), b = randn({1024});
  const NoGrad guard;
  for (auto _ : state) benchmark::DoNotOptimize(a + b);
  moved(state, 2);
}
BENCHMARK(add_bias)->UseRealTime();

template <class F>
void reduce(benchmark::State& state, F f) {
  const Tensor a = operand(1);
  const NoGrad guard;
  for (auto _ : state) benchmark::DoNotOptimize(f(a));
  moved(state, 1);
}
BENCHMARK_CAPTURE(reduce, sum, [](const Tensor& x) { return x.sum(); })->UseRealTime();
BENCHMARK_CAPTURE(reduce, sum_of_rows, [](const Tensor& x) { return x.sum(1); })->UseRealTime();
BENCHMARK_CAPTURE(reduce, sum_of_columns, [](const Tensor& x) { return x.sum(0); })->UseRealTime();
BENCHMARK_CAPTURE(reduce, max, [](const Tensor& x) { return x.max(); })->UseRealTime();

void adamw(benchmark::State& state) {
  Tensor value = operand(1), mean = zeros(value.shape()), square = zeros(value.shape());
  const Tensor gradient = operand(2);
  AdamStep step;
  for (auto _ : state) {
    ++step.step;
    adam_step(value, gradient, mean, square, Tensor(), step);
  }
  moved(state, 7);
}
BENCHMARK(adamw)->UseRealTime();

void sgd(benchmark::State& state) {
  Tensor value = operand(1);
  const Tensor gradient = operand(2);
  for (auto _ : state) sgd_step(value, gradient, Tensor(), {.lr = 0.1});
  moved(state, 3);
}
BENCHMARK(sgd)->UseRealTime();

// From a cache: what a functor itself costs.
template <class F>
void cached(benchmark::State& state, F f) {
  const Tensor a = randn({64, 128});
  const NoGrad guard;
  for (auto _ : state) benchmark::DoNotOptimize(f(a));
  state.SetItemsProcessed(state.iterations() * a.numel());
}
BENCHMARK_CAPTURE(cached, exp, [](const Tensor& x) { return exp(x); });
BENCHMARK_CAPTURE(cached, tanh, [](const Tensor& x) { return tanh(x); });
BENCHMARK_CAPTURE(cached, gelu, [](const Tensor& x) { return gelu(x); });
BENCHMARK_CAPTURE(cached, softmax, [](const Tensor& x) { return softmax(x, -1); });
BENCHMARK_CAPTURE(cached, layer_norm, [](const Tensor& x) { return layer_norm(x, {128}); });
BENCHMARK_CAPTURE(cached, sum, [](const Tensor& x) { return x.sum(); });

}  // namespace

BENCHMARK_MAIN();
