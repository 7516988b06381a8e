#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "tern/autograd/autograd.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/ops/binary.h"
#include "tern/ops/dropout.h"
#include "tern/ops/loss.h"
#include "tern/ops/matmul.h"
#include "tern/ops/reduce.h"
#include "tern/ops/shape.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/tensor.h"

// What kernels cost on one thread, a million elements from the second-level cache: `copy_limit` is a copy of the same
// memory. By elements of the input.
namespace {

using namespace tern;

constexpr std::int64_t kRows = 1024, kColumns = 1024;

Tensor operand(DType dtype = f32) {
  manual_seed(1);
  return randn({kRows, kColumns}).to(dtype);
}

template <class F>
void measure(benchmark::State& state, F f) {
  set_num_threads(1);
  const NoGrad guard;
  for (auto _ : state) benchmark::DoNotOptimize(f());
  state.SetItemsProcessed(state.iterations() * kRows * kColumns);
}

void copy_limit(benchmark::State& state) {
  const std::vector<float> from(kRows * kColumns, 1.0f);
  std::vector<float> to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size() * sizeof(float));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kRows * kColumns);
}
BENCHMARK(copy_limit);

void of(benchmark::State& state, Tensor (*f)(const Tensor&)) {
  const Tensor x = operand();
  measure(state, [&] { return f(x); });
}
BENCHMARK_CAPTURE(of, floor, [](const Tensor& x) { return floor(x); });
BENCHMARK_CAPTURE(of, round, [](const Tensor& x) { return round(x); });
BENCHMARK_CAPTURE(of, dropout, [](const Tensor& x) { return dropout(x, 0.3); });
BENCHMARK_CAPTURE(of, uniform, [](const Tensor& x) { return rand(x.shape()); });
BENCHMARK_CAPTURE(of, uniform_f64, [](const Tensor& x) { return rand(x.shape(), f64); });
BENCHMARK_CAPTURE(of, normal, [](const Tensor& x) { return randn(x.shape()); });
BENCHMARK_CAPTURE(of, fill, [](const Tensor& x) { return full(x.shape(), 3.0); });
BENCHMARK_CAPTURE(of, transposed, [](const Tensor& x) { return x.t().contiguous(); });
BENCHMARK_CAPTURE(of, added_to_transposed, [](const Tensor& x) { return x + x.t(); });
BENCHMARK_CAPTURE(of, every_second, [](const Tensor& x) { return x.reshape({-1, 2}).select(1, 0) * 2; });
BENCHMARK_CAPTURE(of, short_rows, [](const Tensor& x) {
  const Tensor many = x.reshape({-1, 4});
  return many - many[0];
});
BENCHMARK_CAPTURE(of, permuted, [](const Tensor& x) {
  return x.reshape({16, 64, 16, 64}).permute({0, 2, 1, 3}).contiguous();
});
BENCHMARK_CAPTURE(of, channels_last, [](const Tensor& x) {
  return x.reshape({16, 16, 64, 64}).permute({0, 2, 3, 1}).contiguous();
});
BENCHMARK_CAPTURE(of, argmax_of_rows, [](const Tensor& x) { return argmax(x, 1); });
BENCHMARK_CAPTURE(of, argmax_of_columns, [](const Tensor& x) { return argmax(x, 0); });
BENCHMARK_CAPTURE(of, argmax_of_all, [](const Tensor& x) { return argmax(x.reshape({-1}), 0); });
BENCHMARK_CAPTURE(of, cumsum_of_rows, [](const Tensor& x) { return cumsum(x, 1); });
BENCHMARK_CAPTURE(of, cumsum_of_columns, [](const Tensor& x) { return cumsum(x, 0); });

void bce(benchmark::State& state, bool weighted) {
  const Tensor x = operand(), t = rand(x.shape());
  const BceOptions options{.pos_weight = weighted ? rand(x.shape()) : Tensor(), .reduction = Reduction::none};
  measure(state, [&] { return bce_with_logits(x, t, options); });
}
BENCHMARK_CAPTURE(bce, plain, false);
BENCHMARK_CAPTURE(bce, weighted, true);

void bce_training(benchmark::State& state) {
  set_num_threads(1);
  Tensor x = operand().requires_grad_();
  const Tensor t = rand(x.shape());
  for (auto _ : state) {
    bce_with_logits(x, t).backward();
    x.clear_grad();
  }
  state.SetItemsProcessed(state.iterations() * kRows * kColumns);
}
BENCHMARK(bce_training);

void convert(benchmark::State& state, DType from, DType to) {
  const Tensor x = operand(from);
  measure(state, [&] { return x.to(to); });
}
BENCHMARK_CAPTURE(convert, f32_to_f64, f32, f64);
BENCHMARK_CAPTURE(convert, f64_to_f32, f64, f32);
BENCHMARK_CAPTURE(convert, f32_to_f16, f32, f16);
BENCHMARK_CAPTURE(convert, bf16_to_f32, bf16, f32);
BENCHMARK_CAPTURE(convert, f32_to_i64, f32, i64);
BENCHMARK_CAPTURE(convert, i64_to_f32, i64, f32);
BENCHMARK_CAPTURE(convert, f32_to_i32, f32, i32);
BENCHMARK_CAPTURE(convert, u8_to_f32, u8, f32);
BENCHMARK_CAPTURE(convert, bool_to_f32, boolean, f32);
BENCHMARK_CAPTURE(convert, f16_to_bf16, f16, bf16);

void linear_of(benchmark::State& state, Activation activation) {
  const Tensor x = randn({1024, 16}), w = randn({1024, 16}), b = randn({1024});
  measure(state, [&] { return linear(x, w, b, activation); });
}
BENCHMARK_CAPTURE(linear_of, none, Activation::none);
BENCHMARK_CAPTURE(linear_of, relu, Activation::relu);
BENCHMARK_CAPTURE(linear_of, tanh, Activation::tanh);
BENCHMARK_CAPTURE(linear_of, sigmoid, Activation::sigmoid);

}  // namespace

BENCHMARK_MAIN();
