#include <benchmark/benchmark.h>

#include <vector>

#include "tern/autograd/autograd.h"
#include "tern/nn/activations.h"
#include "tern/nn/linear.h"
#include "tern/nn/sequential.h"
#include "tern/ops/binary.h"
#include "tern/ops/loss.h"
#include "tern/ops/matmul.h"
#include "tern/ops/unary.h"
#include "tern/optim/optimizers.h"
#include "tern/tensor/creation.h"

// What the tape costs: small tensors, and whole steps of small and middling networks.
namespace {

using namespace tern;

void empty_tensor(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(empty({8, 8}));
}
BENCHMARK(empty_tensor);

void untaped_add(benchmark::State& state) {
  const Tensor a = ones({8, 8}), b = ones({8, 8});
  const NoGrad guard;
  for (auto _ : state) benchmark::DoNotOptimize(a + b);
}
BENCHMARK(untaped_add);

void untaped_relu(benchmark::State& state) {
  const Tensor a = ones({8, 8});
  for (auto _ : state) benchmark::DoNotOptimize(relu(a));
}
BENCHMARK(untaped_relu);

void untaped_matmul(benchmark::State& state) {
  const Tensor a = ones({8, 8}), b = ones({8, 8});
  for (auto _ : state) benchmark::DoNotOptimize(matmul(a, b));
}
BENCHMARK(untaped_matmul);

void taped_add(benchmark::State& state) {
  const Tensor a = ones({8, 8}).requires_grad_(), b = ones({8, 8}).requires_grad_();
  for (auto _ : state) benchmark::DoNotOptimize(a + b);
}
BENCHMARK(taped_add);

void taped_mul_by_number(benchmark::State& state) {
  const Tensor a = ones({8, 8}).requires_grad_();
  for (auto _ : state) benchmark::DoNotOptimize(a * 2);
}
BENCHMARK(taped_mul_by_number);

// Items are ops: each one is a multiplication forward and two backward.
void forward_and_backward(benchmark::State& state) {
  const auto length = state.range(0);
  const Tensor x = ones({8, 8}).requires_grad_(), w = ones({8, 8}).requires_grad_(), g = ones({8, 8});
  for (auto _ : state) {
    Tensor y = x;
    for (std::int64_t i = 0; i < length; ++i) y = y * w;
    y.backward({.gradient = g});
  }
  state.SetItemsProcessed(state.iterations() * length);
}
BENCHMARK(forward_and_backward)->Arg(100)->Arg(1000000);

void forward_alone(benchmark::State& state) {
  const Tensor x = ones({8, 8}).requires_grad_(), w = ones({8, 8}).requires_grad_();
  for (auto _ : state) {
    Tensor y = x;
    for (int i = 0; i < 100; ++i) y = y * w;
    benchmark::DoNotOptimize(y);
  }
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(forward_alone);

// Activations within the layers, as a module of one's own would have them.
struct Mlp : nn::Module {
  nn::Linear first, second, last;
  Mlp(std::int64_t in, std::int64_t hidden, std::int64_t out)
      : first(in, hidden), second(hidden, hidden), last(hidden, out) {}
  TERN_MODULE(Mlp, first, second, last)
  Tensor forward(const Tensor& x) override {
    const Tensor h = linear(x, first.weight, first.bias, Activation::relu);
    return last(linear(h, second.weight, second.bias, Activation::relu));
  }
};

nn::Sequential sequential(std::int64_t in, std::int64_t hidden, std::int64_t out) {
  return nn::Sequential{nn::Linear(in, hidden), nn::Relu(), nn::Linear(hidden, hidden), nn::Relu(),
                        nn::Linear(hidden, out)};
}

template <class Optimizer>
void train(benchmark::State& state, nn::Module& net, std::int64_t in, std::int64_t out, std::int64_t rows) {
  const Tensor x = randn({rows, in});
  std::vector<std::int64_t> classes;
  for (std::int64_t i = 0; i < rows; ++i) classes.push_back(i % out);
  const Tensor y = from_vector(classes);
  Optimizer optimizer(net.parameters(), {.lr = 1e-3});
  for (auto _ : state) {
    optimizer.zero_grad();
    cross_entropy(net(x), y).backward();
    optimizer.step();
  }
}

template <class Optimizer>
void step(benchmark::State& state) {
  Mlp net(state.range(0), state.range(1), state.range(2));
  train<Optimizer>(state, net, state.range(0), state.range(2), state.range(3));
}

template <class Optimizer>
void step_of_sequential(benchmark::State& state) {
  nn::Sequential net = sequential(state.range(0), state.range(1), state.range(2));
  train<Optimizer>(state, net, state.range(0), state.range(2), state.range(3));
}

void forward_of_small(benchmark::State& state) {
  Mlp net(16, 32, 4);
  const Tensor x = randn({32, 16});
  const NoGrad guard;
  for (auto _ : state) benchmark::DoNotOptimize(net(x));
}
BENCHMARK(forward_of_small);

BENCHMARK(step<optim::Sgd>)->ArgNames({"in", "hidden", "out", "rows"})->Args({16, 32, 4, 32})->Args({64, 64, 10, 64});
BENCHMARK(step<optim::AdamW>)->ArgNames({"in", "hidden", "out", "rows"})->Args({16, 32, 4, 32})->Args({64, 64, 10, 64});
BENCHMARK(step_of_sequential<optim::Sgd>)->ArgNames({"in", "hidden", "out", "rows"})->Args({16, 32, 4, 32});
BENCHMARK(step<optim::Sgd>)
    ->ArgNames({"in", "hidden", "out", "rows"})
    ->Args({784, 256, 10, 128})
    ->Args({784, 1024, 10, 128})
    ->UseRealTime();
BENCHMARK(step<optim::AdamW>)
    ->ArgNames({"in", "hidden", "out", "rows"})
    ->Args({784, 256, 10, 128})
    ->Args({784, 1024, 10, 128})
    ->UseRealTime();

void one_row(benchmark::State& state) {
  nn::Sequential net{nn::Linear(30, 64), nn::Relu(), nn::Linear(64, 32), nn::Relu(), nn::Linear(32, 1)};
  net.eval();
  const Tensor x = randn({1, 30});
  const NoGrad guard;
  for (auto _ : state) benchmark::DoNotOptimize(net(x));
}
BENCHMARK(one_row);

}  // namespace

BENCHMARK_MAIN();
