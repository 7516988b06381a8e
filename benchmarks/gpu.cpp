// Steps and bandwidths on a GPU: one row a measurement, "name | value | unit | of a copy beside it". scripts/gpu makes
// docs/benchmarks-gpu.md of them. Exit status 77 without a GPU.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "tern/ops/dropout.h"
#include "tern/tensor/capture.h"
#include "tern/tern.h"

namespace {

using namespace tern;
using Clock = std::chrono::steady_clock;

constexpr Device kGpu = cuda();

// Seconds of one call: the median of nine rounds of as many calls as take 20 ms.
double seconds(const std::function<void()>& f) {
  const auto round = [&](int calls) {
    synchronize(kGpu);
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) f();
    synchronize(kGpu);
    return std::chrono::duration<double>(Clock::now() - start).count() / calls;
  };
  round(3);
  const int calls = std::clamp(static_cast<int>(0.02 / round(10)), 1, 10000);
  std::vector<double> rounds;
  for (int i = 0; i < 9; ++i) rounds.push_back(round(calls));
  std::nth_element(rounds.begin(), rounds.begin() + 4, rounds.end());
  return rounds[4];
}

// Beside the copy of as many bytes, measured in the same minute.
void bandwidth(const char* name, double bytes, const std::function<void()>& f) {
  const auto count = static_cast<std::int64_t>(bytes / 8);
  const Tensor from = zeros({count}, f32, kGpu);
  Tensor to = zeros({count}, f32, kGpu);
  const double copied = 2 * 4.0 * static_cast<double>(count) / seconds([&] { to.copy_(from); });
  const double got = bytes / seconds(f);
  std::printf("%s | %.0f | GB/s | %.2f\n", name, got * 1e-9, got / copied);
  std::fflush(stdout);
}

void step(const char* name, std::int64_t in, std::int64_t hidden, std::int64_t batch) {
  manual_seed(1);
  nn::Sequential model{nn::Linear(in, hidden), nn::Relu(), nn::Linear(hidden, hidden), nn::Relu(),
                       nn::Linear(hidden, 10)};
  model.to(kGpu);
  optim::AdamW optimizer(model.parameters(), {.lr = 1e-3});
  optimizer.keep_on_device();
  const Tensor x = randn({batch, in}, f32, kGpu), y = randint(0, 10, {batch}).to(kGpu);
  const auto once = [&] {
    optimizer.zero_grad();
    cross_entropy(model(x), y).backward();
    optimizer.step();
  };
  std::printf("%s, op by op | %.1f | us a step | -\n", name, seconds(once) * 1e6);
  CapturedStep captured(kGpu, once);
  std::printf("%s, captured | %.1f | us a step | -\n", name, seconds([&] { captured.replay(); }) * 1e6);
  std::fflush(stdout);
}

void product(const char* name, DType dtype, std::int64_t n) {
  const Tensor a = randn({n, n}, f32, kGpu).to(dtype), b = randn({n, n}, f32, kGpu).to(dtype);
  const double flops = 2.0 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
  std::printf("%s | %.1f | TF/s | -\n", name, flops / seconds([&] { matmul(a, b); }) * 1e-12);
  std::fflush(stdout);
}

void run() {
  constexpr std::int64_t rows = 1 << 15, columns = 2048;
  constexpr double bytes = 4.0 * rows * columns;
  {
    const NoGrad guard;
    const Tensor x = randn({rows, columns}, f32, kGpu), y = randn({rows, columns}, f32, kGpu);
    const Tensor weight = ones({columns}, f32, kGpu), bias = zeros({columns}, f32, kGpu);
    bandwidth("add", 3 * bytes, [&] { x + y; });
    bandwidth("gelu", 2 * bytes, [&] { gelu(x); });
    bandwidth("sum of all", bytes, [&] { x.sum(); });
    bandwidth("sum of rows", bytes, [&] { x.sum(1); });
    bandwidth("sum of columns", bytes, [&] { x.sum(0); });
    bandwidth("softmax", 2 * bytes, [&] { softmax(x, 1); });
    bandwidth("layer_norm", 2 * bytes, [&] { layer_norm(x, {columns}, {.weight = weight, .bias = bias}); });
    bandwidth("rms_norm", 2 * bytes, [&] { rms_norm(x, {columns}, {.weight = weight}); });
    const Tensor narrow = x.reshape({-1, 256}), short_weight = ones({256}, f32, kGpu),
                 short_bias = zeros({256}, f32, kGpu);
    bandwidth("softmax, rows of 256", 2 * bytes, [&] { softmax(narrow, 1); });
    const Tensor thousands = x.reshape({-1}).slice(0, 0, 67'108'000).reshape({-1, 1000});
    bandwidth("softmax, rows of 1000", 2 * bytes, [&] { softmax(thousands, 1); });
    bandwidth("layer_norm, rows of 256", 2 * bytes,
              [&] { layer_norm(narrow, {256}, {.weight = short_weight, .bias = short_bias}); });
    bandwidth("dropout", 2 * bytes, [&] { dropout(x, 0.1); });
    const Tensor ids = randint(0, rows, {rows}).to(kGpu);
    bandwidth("rand", bytes, [&] { rand({rows, columns}, f32, kGpu); });
    bandwidth("embedding", 2 * bytes, [&] { embedding(x, ids); });
    const Tensor classes = randint(0, columns, {rows}).to(kGpu);
    bandwidth("cross_entropy", bytes, [&] { cross_entropy(x, classes); });
  }
  {
    Tensor x = randn({rows, columns}, f32, kGpu).requires_grad_();
    Tensor weight = ones({columns}, f32, kGpu).requires_grad_(), bias = zeros({columns}, f32, kGpu).requires_grad_();
    const Tensor g = randn({rows, columns}, f32, kGpu);
    const Tensor y = layer_norm(x, {columns}, {.weight = weight, .bias = bias});
    bandwidth("layer_norm, gradients", 3 * bytes, [&] {
      grad({y}, {x, weight, bias}, {.retain_graph = true, .grad_outputs = {g}});
    });
    Tensor short_weight = ones({256}, f32, kGpu).requires_grad_(),
           short_bias = zeros({256}, f32, kGpu).requires_grad_();
    const Tensor narrow = layer_norm(x.reshape({-1, 256}), {256}, {.weight = short_weight, .bias = short_bias});
    const Tensor narrow_g = g.reshape({-1, 256});
    bandwidth("layer_norm, gradients, rows of 256", 3 * bytes, [&] {
      grad({narrow}, {x, short_weight, short_bias}, {.retain_graph = true, .grad_outputs = {narrow_g}});
    });
    const Tensor gate = rms_norm(x, {columns}, {.weight = weight});
    bandwidth("rms_norm, gradients", 3 * bytes, [&] {
      grad({gate}, {x, weight}, {.retain_graph = true, .grad_outputs = {g}});
    });
    const Tensor shares = softmax(x, 1);
    bandwidth("softmax, gradient", 3 * bytes,
              [&] { grad({shares}, {x}, {.retain_graph = true, .grad_outputs = {g}}); });
    const Tensor loss = cross_entropy(x, randint(0, columns, {rows}).to(kGpu));
    bandwidth("cross_entropy, gradient", 2 * bytes, [&] { grad(loss, {x}, {.retain_graph = true}); });
  }
  {
    Tensor p = randn({rows * columns}, f32, kGpu).requires_grad_();
    optim::AdamW optimizer({p}, {.lr = 1e-3});
    p.set_grad(randn({rows * columns}, f32, kGpu));
    bandwidth("AdamW", 7 * bytes, [&] { optimizer.step(); });
    optim::Sgd sgd({p}, {.lr = 1e-3, .momentum = 0.9});
    bandwidth("SGD with momentum", 5 * bytes, [&] { sgd.step(); });
    bandwidth("the norm that clips", bytes, [&] { optim::clip_factor({p}, 1.0); });
  }
  product("matmul f32, 4096", f32, 4096);
  product("matmul bf16, 4096", bf16, 4096);
  product("matmul bf16, 8192", bf16, 8192);
  step("MLP 784-256-256-10, B = 128", 784, 256, 128);
  step("MLP 784-1024-1024-10, B = 128", 784, 1024, 128);
}

}  // namespace

int main() {
  if (!cuda_available()) {
    std::fprintf(stderr, "SKIPPED: no GPU\n");
    return 77;
  }
  try {
    run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
