#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <thread>

#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/nn/activations.h"
#include "tern/nn/linear.h"
#include "tern/nn/sequential.h"
#include "tern/ops/binary.h"
#include "tern/ops/dropout.h"
#include "tern/ops/embedding.h"
#include "tern/ops/index.h"
#include "tern/ops/loss.h"
#include "tern/ops/matmul.h"
#include "tern/ops/norm.h"
#include "tern/ops/reduce.h"
#include "tern/ops/softmax.h"
#include "tern/ops/unary.h"
#include "tern/optim/clip.h"
#include "tern/optim/optimizers.h"
#include "tern/tensor/capture.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/memory.h"

// On a GPU, beside the CPU; skipped where there is none. Ops one by one: tests/conformance, the cases "Cuda".
namespace {

using namespace tern;

class Cuda : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!cuda_available()) GTEST_SKIP() << "no GPU";
  }
};

void expect_near(const Tensor& got, const Tensor& expected, double tolerance) {
  ASSERT_EQ(to_string(got.shape()), to_string(expected.shape()));
  const auto a = got.to(f64).to_vector<double>(), b = expected.to(f64).to_vector<double>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_LE(std::abs(a[i] - b[i]), tolerance * std::max(1.0, std::abs(b[i]))) << "element " << i;
  }
}

TEST_F(Cuda, LargeCopiesPassThroughEveryStage) {
  const Tensor x = arange(9'000'000, f32);  // several rounds of the stages
  const Tensor there = x.to(cuda());
  EXPECT_EQ(there.to(cpu()).to_vector<float>(), x.to_vector<float>());
  const Tensor later = there.to(cpu(), true);
  synchronize(cuda());
  EXPECT_EQ(later.to_vector<float>(), x.to_vector<float>());
}

TEST_F(Cuda, SourcesMayBeWrittenAtOnce) {
  Tensor x = full({1'000'000}, 1);
  const Tensor there = x.to(cuda());
  x.fill_(2);
  EXPECT_EQ(there.sum().item<double>(), 1e6);
}

TEST_F(Cuda, StridedBroadcastAndUnalignedOperands) {
  manual_seed(1);
  const Tensor a = randn({37, 65}), b = randn({65}), c = randn({65, 37});
  const auto f = [](const Tensor& a, const Tensor& b, const Tensor& c) { return tanh(a + b) * c.t() - 0.5; };
  expect_near(f(a.to(cuda()), b.to(cuda()), c.to(cuda())), f(a, b, c), 0);  // by the CPU's functors: its bits
  const Tensor x = randn({1001});
  expect_near(exp(x.to(cuda()).slice(0, 1, 1001)), exp(x.slice(0, 1, 1001)), 0);
  expect_near(1 / x.to(cuda()).slice(0, 0, 1001, 3), 1 / x.slice(0, 0, 1001, 3), 0);
}

TEST_F(Cuda, DropoutHasTheCpusMask) {
  const Tensor x = ones({1003});
  manual_seed(7);
  const Tensor here = dropout(x, 0.3);
  manual_seed(7);
  EXPECT_EQ(dropout(x.to(cuda()), 0.3).to_vector<float>(), here.to_vector<float>());
  for (const DType dtype : {f64, f32, f16, bf16}) {
    default_generator() = {.seed = 3, .offset = 8};
    const auto uniforms = uniform({501}, -1, 2, dtype).to(f64).to_vector<double>();
    default_generator() = {.seed = 3, .offset = 8};
    EXPECT_EQ(uniform({501}, -1, 2, dtype, cuda()).to(f64).to_vector<double>(), uniforms);
  }
}

TEST_F(Cuda, NormalsHaveTheCpusBits) {
  const auto same = [](auto draw) {
    for (const std::uint64_t offset : {0, 5, 1023}) {
      const Generator start{.seed = 3, .stream = 1, .offset = offset};
      default_generator() = start;
      const auto here = draw(cpu()).to(f64).template to_vector<double>();
      const std::uint64_t after = default_generator().offset;
      default_generator() = start;
      EXPECT_EQ(draw(cuda()).to(f64).template to_vector<double>(), here);
      EXPECT_EQ(default_generator().offset, after);
    }
  };
  for (const DType dtype : {f64, f32, f16, bf16}) {
    same([&](Device device) { return randn({501}, dtype, device); });
    same([&](Device device) { return rand({501}, dtype, device); });
  }
}

TEST_F(Cuda, RowsOfEveryLength) {
  manual_seed(2);
  for (const std::int64_t n :
       {1, 3, 10, 32, 33, 100, 512, 516, 1000, 1023, 1024, 1028, 2048, 4096, 4100, 5000, 13000}) {
    const Tensor x = randn({7, n}) * 3, g = randn({7, n}), w = randn({n}), b = randn({n});
    const auto both = [&](auto f, double tolerance) {
      Tensor here = x.clone().requires_grad_(), there = x.to(cuda()).requires_grad_();
      const Tensor y = f(here), z = f(there);
      expect_near(z.detach(), y.detach(), tolerance);
      y.backward({.gradient = g});
      z.backward({.gradient = g.to(cuda())});
      expect_near(there.grad(), here.grad(), 8 * tolerance);
    };
    SCOPED_TRACE(n);
    both([](const Tensor& x) { return softmax(x, -1); }, 2e-6);
    both([](const Tensor& x) { return log_softmax(x, -1); }, 2e-6);
    both([&](const Tensor& x) { return layer_norm(x, {n}, {.weight = w.to(x.device()), .bias = b.to(x.device())}); },
         1e-5);
    both([&](const Tensor& x) { return rms_norm(x, {n}, {.weight = w.to(x.device())}); }, 1e-5);
  }
}

TEST_F(Cuda, GradientsOfNormWeightsOverManyRows) {
  manual_seed(4);
  for (const std::int64_t n : {10, 64, 300, 301, 512, 516, 4096, 5000}) {
    for (const std::int64_t rows : {1, 50, 3000}) {
      const Tensor x = randn({rows, n}), g = randn({rows, n});
      const auto weights = [&](Device device) {
        Tensor w = ones({n}).to(device).requires_grad_(), b = zeros({n}).to(device).requires_grad_();
        layer_norm(x.to(device), {n}, {.weight = w, .bias = b}).backward({.gradient = g.to(device)});
        return std::pair(w.grad().to(cpu()), b.grad().to(cpu()));
      };
      const auto [w, b] = weights(cpu());
      const auto [wd, bd] = weights(cuda());
      const double tolerance = 1e-6 * std::sqrt(static_cast<double>(rows)) + 1e-5;
      expect_near(wd, w, tolerance);
      expect_near(bd, b, tolerance);
    }
  }
}

TEST_F(Cuda, SumsHaveOneOrderAndManyShapes) {
  manual_seed(5);
  const Tensor x = randn({300, 20000});
  const Tensor there = x.to(cuda());
  for (const Dims& dims : {Dims{}, Dims{0}, Dims{1}}) {
    expect_near(sum(there, dims), sum(x, dims), 1e-6);
    expect_near(max(there, dims), max(x, dims), 0);
  }
  EXPECT_EQ(there.argmax(1).to_vector<std::int64_t>(), x.argmax(1).to_vector<std::int64_t>());
  // A row alone has the bits that it has among others.
  EXPECT_EQ(there[5].sum().item<float>(), there.sum(1)[5].item<float>());
  EXPECT_EQ(sum(there.slice(0, 0, 70), {1})[5].item<float>(), there.sum(1)[5].item<float>());
  const Tensor shifted = there.reshape({-1}).slice(0, 1, 200001);
  EXPECT_EQ(shifted.sum().item<float>(), shifted.clone().sum().item<float>()) << "wherever it lies";
  const Tensor few = randn({2, 100000});
  EXPECT_EQ(few.to(cuda()).sum(1)[1].item<float>(), few[1].to(cuda()).sum().item<float>());
}

TEST_F(Cuda, ProductsOfEveryLayout) {
  manual_seed(6);
  for (const DType dtype : {f64, f32, f16, bf16}) {
    const double tolerance = dtype == f64 ? 1e-12 : dtype == f32 ? 1e-5 : dtype == f16 ? 4e-3 : 3e-2;
    const Tensor a = randn({33, 47}).to(dtype), b = randn({47, 29}).to(dtype), bias = randn({29}).to(dtype);
    const auto there = [](const Tensor& x) { return x.to(cuda()); };
    const auto turned = [](const Tensor& x) { return x.t().contiguous().t(); };
    const Tensor expected = matmul(a, b);
    expect_near(matmul(there(a), there(b)), expected, tolerance);
    expect_near(matmul(turned(there(a)), there(b)), expected, tolerance);
    expect_near(matmul(there(a), turned(there(b))), expected, tolerance);
    expect_near(matmul(turned(there(a)), turned(there(b))), expected, tolerance);
    const Tensor wide = there(randn({66, 94}).to(dtype));
    const Tensor strided = wide.slice(0, 0, 66, 2).slice(1, 0, 94, 2);
    expect_near(matmul(strided, there(b)), matmul(strided.to(cpu()), b), tolerance);
    for (const Activation activation : {Activation::none, Activation::relu, Activation::tanh, Activation::sigmoid}) {
      expect_near(linear(there(a), there(b.t().contiguous()), there(bias), activation),
                  linear(a, b.t().contiguous(), bias, activation), tolerance);
    }
    const Tensor c = randn({3, 4, 5, 6}).to(dtype), d = randn({4, 6, 7}).to(dtype);
    expect_near(matmul(there(c), there(d)), matmul(c, d), tolerance);
    const Tensor none = matmul(there(randn({3, 0}).to(dtype)), there(randn({0, 2}).to(dtype)));
    expect_near(none, zeros({3, 2}), 0);
  }
}

// One row, one column, one term, and rows that are no multiple of 16 bytes, with bias and activation.
TEST_F(Cuda, ProductsOfSmallAndOddShapes) {
  manual_seed(11);
  for (const DType dtype : {f64, f32, f16, bf16}) {
    const double tolerance = dtype == f64 ? 1e-12 : dtype == f32 ? 1e-5 : dtype == f16 ? 4e-3 : 3e-2;
    for (const auto& [m, k, n] : std::initializer_list<std::array<std::int64_t, 3>>{
             {1, 17, 9}, {9, 17, 1}, {9, 1, 17}, {1, 1, 1}, {1, 64, 1}, {7, 33, 13}, {64, 128, 1}, {1, 128, 64}}) {
      SCOPED_TRACE(std::string(name(dtype)) + " " + to_string(Shape{m, k, n}));
      const Tensor x = randn({m, k}).to(dtype), w = randn({n, k}).to(dtype), bias = randn({n}).to(dtype);
      for (const Activation activation : {Activation::none, Activation::relu}) {
        Tensor here[] = {x.clone().requires_grad_(), w.clone().requires_grad_(), bias.clone().requires_grad_()};
        Tensor there[] = {x.to(cuda()).requires_grad_(), w.to(cuda()).requires_grad_(),
                          bias.to(cuda()).requires_grad_()};
        const Tensor expected = linear(here[0], here[1], here[2], activation);
        const Tensor got = linear(there[0], there[1], there[2], activation);
        expect_near(got.detach(), expected.detach(), tolerance);
        if (activation != Activation::none) continue;
        expected.to(f64).sum().backward();
        got.to(f64).sum().backward();
        for (int i = 0; i < 3; ++i) expect_near(there[i].grad(), here[i].grad(), 16 * tolerance);
      }
    }
  }
}

// A net that has diverged says so.
TEST_F(Cuda, ReluKeepsNan) {
  const Tensor x = full({3, 4}, NAN, f32, cuda()), w = ones({5, 4}, f32, cuda()), bias = ones({5}, f32, cuda());
  for (const DType dtype : {f64, f32, f16, bf16}) {
    for (const float y :
         linear(x.to(dtype), w.to(dtype), bias.to(dtype), Activation::relu).to(f32).to_vector<float>()) {
      EXPECT_TRUE(std::isnan(y));
    }
    for (const float y : linear(x.to(dtype), w.to(dtype), {}, Activation::relu).to(f32).to_vector<float>()) {
      EXPECT_TRUE(std::isnan(y));
    }
  }
}

TEST_F(Cuda, IndicesOutOfBoundsAreFoundAtTheNextWait) {
  const Tensor table = arange(10, f32, cuda()).reshape({5, 2});
  const Tensor good = index_select(table, 0, tensor({4, 0, 4}, i64).to(cuda()));
  EXPECT_EQ(good.to_vector<float>(), (std::vector<float>{8, 9, 0, 1, 8, 9}));
  const Tensor bad = embedding(table, tensor({1, 7}, i64).to(cuda()));
  try {
    synchronize(cuda());
    FAIL() << "expected an error";
  } catch (const IndexError& error) {
    EXPECT_EQ(std::string(error.what()).rfind("[index_select] expected indices in [0, 5), got 7", 0), 0u)
        << error.what();
  }
  EXPECT_NO_THROW(synchronize(cuda()));
  EXPECT_THROW(cross_entropy(ones({1, 3}, f32, cuda()), tensor({3}, i64).to(cuda())).item<float>(), IndexError);
}

TEST_F(Cuda, RepeatedIndicesAddInOrder) {
  manual_seed(8);
  const Tensor index = randint(0, 50, {3000}), rows = randn({3000, 33});
  const Tensor here = index_add(zeros({50, 33}), 0, index, rows);
  expect_near(index_add(zeros({50, 33}, f32, cuda()), 0, index.to(cuda()), rows.to(cuda())), here, 0);
}

TEST_F(Cuda, MoreElementsThanAKernelCounts) {
  const std::int64_t n = (std::int64_t{1} << 31) + 77;
  Tensor x = ones({n}, u8, cuda());
  x.slice(0, n - 3, n).fill_(5);
  const Tensor sum = x + x;  // its halves meet in the middle
  EXPECT_EQ((sum == 2).sum().item<std::int64_t>(), n - 3);
  for (const std::int64_t at : {n - 3, n - 1}) EXPECT_EQ(sum.select(0, at).item<std::uint8_t>(), 10);
}

TEST_F(Cuda, LongDimensionsAreSharedOut) {
  manual_seed(10);
  const std::int64_t n = 200'000;
  const auto both = [](auto f, double tolerance) { expect_near(f(cuda()), f(cpu()), tolerance); };
  const Tensor x = randn({n}), index = randint(0, n / 3, {n}), rows = randn({300, 2}), places = randint(0, 7, {300, 2});
  both([&](Device d) { return cumsum(x.to(d), 0); }, 1e-5);
  both([&](Device d) { return scatter_add(zeros({n}, f32, d), 0, index.to(d), x.to(d)); }, 0);
  both([&](Device d) { return scatter(zeros({n}, f32, d), 0, index.to(d), x.to(d)); }, 0);
  both([&](Device d) { return index_copy(zeros({n}, f32, d), 0, index.to(d), x.to(d)); }, 0);
  for (const int dim : {0, 1}) {
    both([&](Device d) { return scatter_add(zeros({301, 9}, f32, d), dim, places.to(d), rows.to(d)); }, 0);
    both([&](Device d) { return scatter(zeros({301, 9}, f32, d), dim, places.to(d), rows.to(d)); }, 0);
  }
  const Tensor wide = randn({5, 3000, 2});
  both([&](Device d) { return cumsum(wide.to(d), 1); }, 1e-5);
  both([&](Device d) { return cumsum(ones({3000}, i64, d), 0); }, 0);
  // Out of bounds among many: reported, and left out.
  Tensor wrong = index.clone();
  wrong.mutable_span<std::int64_t>()[n / 2] = -1;
  const Tensor sum = scatter_add(zeros({n}, f32, cuda()), 0, wrong.to(cuda()), ones({n}, f32, cuda())).sum();
  EXPECT_THROW(synchronize(cuda()), IndexError);
  EXPECT_EQ(sum.item<float>(), static_cast<float>(n - 1));
}

TEST_F(Cuda, TwoThreadsTrainTwoModels) {
  const auto train = [](std::uint64_t seed) {
    manual_seed(seed);
    nn::Sequential model{nn::Linear(8, 16), nn::Relu(), nn::Linear(16, 2)};
    model.to(cuda());
    optim::AdamW optimizer(model.parameters(), {.lr = 1e-2});
    const Tensor x = randn({64, 8}, f32, cuda()), y = (x.slice(1, 0, 1).reshape({64}) > 0).to(i64);
    double last = 0;
    for (int i = 0; i < 50; ++i) {
      optimizer.zero_grad();
      const Tensor loss = cross_entropy(model(x), y);
      loss.backward();
      optimizer.step();
      last = loss.item<double>();
    }
    return last;
  };
  const double alone[] = {train(1), train(2)};
  double together[2];
  std::thread a([&] { together[0] = train(1); }), b([&] { together[1] = train(2); });
  a.join();
  b.join();
  EXPECT_EQ(together[0], alone[0]);
  EXPECT_EQ(together[1], alone[1]);
}

TEST_F(Cuda, SteadyStepsAskNoMemoryOfTheDriver) {
  nn::Linear layer(100, 100);
  layer.to(cuda());
  const auto step = [&] { square(layer(ones({50, 100}, f32, cuda()))).mean().backward(); };
  for (int i = 0; i < 3; ++i) step();
  const auto before = memory_statistics(cuda());
  for (int i = 0; i < 10; ++i) step();
  EXPECT_EQ(memory_statistics(cuda()).system_allocations, before.system_allocations);
  EXPECT_EQ(memory_statistics(cuda()).in_use, before.in_use);
}

// A whole step as a graph: inputs written before, dropout drawn afresh, learning rate and step on the device.
TEST_F(Cuda, ACapturedStepTrainsAsTheStepItself) {
  const auto train = [](bool captured) {
    manual_seed(9);
    nn::Sequential model{nn::Linear(12, 32), nn::Relu(), nn::Linear(32, 3)};
    model.to(cuda());
    optim::AdamW optimizer(model.parameters(), {.lr = 1e-2});
    optimizer.keep_on_device();
    Tensor x = zeros({40, 12}, f32, cuda()), y = zeros({40}, i64, cuda()), loss = zeros({}, f32, cuda());
    const Tensor xs = randn({10, 40, 12}).to(cuda()), ys = randint(0, 3, {10, 40}).to(cuda());
    const auto step = [&] {
      optimizer.zero_grad();
      const Tensor now = cross_entropy(dropout(model(x), 0.1), y);
      now.backward();
      optimizer.gradient_factor().copy_(optim::clip_factor(optimizer.parameters(), 1));
      optimizer.step();
      loss.copy_(now.detach());
    };
    std::optional<CapturedStep> graph;
    std::vector<double> losses;
    const auto feed = [&](int i) {
      x.copy_(xs[i]);
      y.copy_(ys[i]);
      default_generator() = {.seed = 9, .offset = static_cast<std::uint64_t>(i) * 1000};
      optimizer.set_lr(1e-2 / (1 + i));
    };
    feed(0);
    for (int i = 0; i < 2; ++i) step();  // what the capture's warm-up does
    if (captured) graph.emplace(cuda(), step, CaptureOptions{.warm_up = 0});
    for (int i = 0; i < 10; ++i) {
      feed(i);
      captured ? graph->replay() : step();
      losses.push_back(loss.item<double>());
    }
    return losses;
  };
  const auto eager = train(false), replayed = train(true);
  for (std::size_t i = 0; i < eager.size(); ++i) EXPECT_EQ(replayed[i], eager[i]) << "step " << i;
}

TEST_F(Cuda, WhatACaptureCannotHoldIsAnError) {
  const Tensor x = ones({4}, f32, cuda());
  EXPECT_THROW(CapturedStep(cuda(), [&] { x.sum().item<float>(); }, {.warm_up = 0}), StateError);
  EXPECT_THROW(CapturedStep(cuda(), [&] { (x + ones({4}).to(cuda())).sum(); }, {.warm_up = 0}), StateError);
  EXPECT_THROW(CapturedStep(cuda(), [&] { throw ValueError("mine"); }, {.warm_up = 0}), ValueError);
  EXPECT_EQ(x.sum().item<float>(), 4) << "the device works on";
  Tensor y = zeros({4}, f32, cuda());
  const auto elsewhere = [&](const auto& f) {
    std::thread([&] {
      EXPECT_THROW(f(), StateError) << "what another thread asks for would be the recording's";
    }).join();
  };
  const CapturedStep step(cuda(),
                          [&] {
                            elsewhere([] { return zeros({4}, f32, cuda()); });
                            elsewhere([&] { return x.sum(); });
                            elsewhere([] { synchronize(cuda()); });
                            elsewhere([&] { y.add_(1); });
                            elsewhere([&] { y.copy_(x); });
                            elsewhere([&] { y.zero_(); });
                            x.sum();
                          },
                          {.warm_up = 0});
  EXPECT_EQ(y.to_vector<float>(), std::vector<float>(4, 0.0f));
  std::optional<CapturedStep> old(std::in_place, cuda(), [&] { y.add_(x); });
  CapturedStep next(cuda(),
                    [&] {
                      old.reset();
                      y.add_(x);
                    },
                    {.warm_up = 0});
  next.replay();
  EXPECT_EQ(y.to_vector<float>(), std::vector<float>(4, 3.0f)) << "two warm-ups, and a replay";
  EXPECT_EQ(x.sum().item<float>(), 4);
}

TEST_F(Cuda, MoreMemoryThanThereIs) {
  EXPECT_THROW(zeros({std::int64_t{1} << 44}, f32, cuda()), MemoryError);
  EXPECT_EQ(ones({10}, f32, cuda()).sum().item<float>(), 10);
  EXPECT_THROW(zeros({1}, f32, cuda(device_count(DeviceKind::cuda))), DeviceError);
}

TEST_F(Cuda, NoKernelSaysWhich) {
  const Tensor x = ones({4}, f32, cuda());
  try {
    nonzero(x > 0);
    FAIL() << "expected an error";
  } catch (const DTypeError& error) {
    EXPECT_EQ(std::string(error.what()), "[nonzero] expected a type with a CUDA kernel, got bool");
  }
}

}  // namespace
