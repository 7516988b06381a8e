#include <benchmark/benchmark.h>

#include "tern/autograd/autograd.h"
#include "tern/ops/binary.h"
#include "tern/ops/loss.h"
#include "tern/ops/matmul.h"
#include "tern/tensor/creation.h"

// What the tape costs: small tensors, one thread.
namespace {

using namespace tern;

void taped_add(benchmark::State& state) {
  const Tensor a = ones({8, 8}).requires_grad_(), b = ones({8, 8});
  for (auto _ : state) benchmark::DoNotOptimize(a + b);
}
BENCHMARK(taped_add);

void untaped_add(benchmark::State& state) {
  const Tensor a = ones({8, 8}), b = ones({8, 8});
  const NoGrad guard;
  for (auto _ : state) benchmark::DoNotOptimize(a + b);
}
BENCHMARK(untaped_add);

// Items are ops: each one is a multiplication forward and two backward.
void forward_and_backward(benchmark::State& state) {
  const Tensor x = ones({8, 8}).requires_grad_(), w = ones({8, 8}).requires_grad_(), g = ones({8, 8});
  for (auto _ : state) {
    Tensor y = x;
    for (int i = 0; i < 100; ++i) y = y * w;
    y.backward({.gradient = g});
  }
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(forward_and_backward);

void small_network(benchmark::State& state) {
  const Tensor x = randn({32, 16}), target = zeros({32}, i64);
  std::vector<Tensor> p{randn({32, 16}), zeros({32}), randn({32, 32}), zeros({32}), randn({4, 32}), zeros({4})};
  for (Tensor& t : p) t.requires_grad_();
  for (auto _ : state) {
    const Tensor hidden = linear(linear(x, p[0], p[1], Activation::relu), p[2], p[3], Activation::relu);
    cross_entropy(linear(hidden, p[4], p[5]), target).backward();
    for (Tensor& t : p) t.clear_grad();
  }
}
BENCHMARK(small_network);

void square_gemm(benchmark::State& state) {
  const auto n = state.range(0);
  const Tensor a = randn({n, n}), b = randn({n, n});
  for (auto _ : state) benchmark::DoNotOptimize(matmul(a, b));
  state.counters["flops"] =
      benchmark::Counter(2.0 * static_cast<double>(n * n * n * state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(square_gemm)->Arg(16)->Arg(64)->Arg(256)->Arg(1024);

}  // namespace

BENCHMARK_MAIN();
