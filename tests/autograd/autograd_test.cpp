#include "tern/autograd/autograd.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <limits>
#include <thread>

#include "autograd/flat.h"
#include "autograd/leaf.h"
#include "tern/autograd/gradcheck.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/nn/linear.h"
#include "tern/ops/binary.h"
#include "tern/ops/loss.h"
#include "tern/ops/matmul.h"
#include "tern/ops/optimizer_step.h"
#include "tern/ops/reduce.h"
#include "tern/ops/shape.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/memory.h"

namespace tern {
namespace {

using Doubles = std::vector<double>;
using internal::FlatParameters;

TEST(Autograd, AccumulatesIntoLeaves) {
  Tensor x = leaf({2, 3}), y = leaf({5, 7});
  (x * y + x).sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{6, 8}));
  EXPECT_EQ(y.grad().to_vector<double>(), (Doubles{2, 3}));
  (x * 2).sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{8, 10}));
  x.clear_grad();
  EXPECT_FALSE(x.grad().defined());
}

TEST(Autograd, OneValueUsedManyTimes) {
  Tensor x = leaf({3});
  Tensor y = x * x;
  (y * y + y + x).sum().backward();
  EXPECT_EQ(x.grad().item<double>(), 4 * 27 + 2 * 3 + 1);
  x.clear_grad();
  (x + x).backward();
  EXPECT_EQ(x.grad().item<double>(), 2);
}

TEST(Autograd, AGradientWhoseElementsShareMemoryIsAddedToApart) {
  Tensor x = leaf({1, 2, 3});
  const Tensor one = ones({1}, f64);
  x.set_grad(one.expand({3}));
  (x + 1).backward({.gradient = tensor({1, 2, 3}, f64)});
  EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{2, 3, 4}));
  EXPECT_EQ(one.item<double>(), 1);
  (x + 1).backward({.gradient = tensor({1, 2, 3}, f64)});
  EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{3, 5, 7}));
}

TEST(Autograd, GradientsDoNotAliasEachOther) {
  Tensor x = leaf({1}), y = leaf({2});
  (x + y).backward();
  x.grad().fill_(9);
  EXPECT_EQ(y.grad().item<double>(), 1);
}

TEST(Autograd, BackwardFromALeafAndWithAGradient) {
  Tensor x = leaf({3});
  x.backward();
  EXPECT_EQ(x.grad().item<double>(), 1);
  Tensor y = leaf({1, 2});
  (y * 3).backward({.gradient = tensor({1, 10}, f64)});
  EXPECT_EQ(y.grad().to_vector<double>(), (Doubles{3, 30}));
  EXPECT_THROW((y * 3).backward(), ShapeError);
  EXPECT_THROW((y * 3).backward({.gradient = tensor({1, 10})}), DTypeError);
  EXPECT_THROW(zeros({}).backward(), StateError);
}

TEST(Autograd, AReleasedGraphSaysSo) {
  Tensor x = leaf({2});
  const Tensor y = x * x;
  y.backward({.retain_graph = true});
  y.backward();
  EXPECT_EQ(x.grad().item<double>(), 8);
  try {
    y.backward();
    FAIL();
  } catch (const StateError& e) {
    EXPECT_NE(std::string(e.what()).find("mul"), std::string::npos);
  }
}

TEST(Autograd, AReleasedGraphAddsToNoLeaf) {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  const Tensor sum = (a + 1).sum() + exp(b).sum();
  sum.backward();
  EXPECT_THROW(sum.backward(), StateError);
  EXPECT_EQ(a.grad().to_vector<double>(), (Doubles{1, 1}));
  EXPECT_EQ(grad(sum, {a})[0].to_vector<double>(), (Doubles{1, 1}));  // none of it goes through what was released
  const Tensor linear = (a + 1).sum() + (b * 2).sum();
  linear.backward({.retain_graph = true});
  linear.backward();
  EXPECT_EQ(a.grad().to_vector<double>(), (Doubles{3, 3}));
}

TEST(Autograd, TwoPassesThroughWhatSavedNothing) {
  Tensor x = leaf({2, 5});
  const Tensor h = x + 1;
  (h * 2).sum().backward();
  (h * 3).sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{5, 5}));
  // What lies behind it still says that it was released.
  const Tensor square = x * x, shifted = square + 1;
  (shifted * 2).sum().backward();
  EXPECT_THROW((shifted * 2).sum().backward(), StateError);
}

TEST(Autograd, AFailedPassLeavesNoGarbage) {
  // The second factor was written to, which is noticed when the first one's gradient is there.
  Tensor x = leaf({2, 3}), y = leaf({5, 7});
  const Tensor product = (x * y).sum();
  {
    const NoGrad guard;
    x.fill_(1);
  }
  EXPECT_THROW(product.backward(), StateError);
  EXPECT_FALSE(x.grad().defined());
  EXPECT_FALSE(y.grad().defined());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Lets the process have no more memory than it has now.
class NoMoreMemory {
 public:
  NoMoreMemory() {
    empty_cache();
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    getrlimit(RLIMIT_AS, &before_);
    const rlimit tight{static_cast<rlim_t>(pages) * static_cast<rlim_t>(getpagesize()) + (rlim_t{1} << 20),
                       before_.rlim_max};
    setrlimit(RLIMIT_AS, &tight);
  }
  ~NoMoreMemory() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_;
};

TEST(Autograd, OutOfMemoryLeavesNoGarbage) {
  if (std::getenv("TERN_EMULATED")) GTEST_SKIP() << "an emulator's memory is not the process's";
  const int threads = num_threads();
  set_num_threads(1);
  const std::int64_t n = std::int64_t{1} << 22;
  Tensor x = ones({n}).requires_grad_();
  const Tensor twice = full({n}, 2), sum = (x * twice).sum();
  {
    const NoMoreMemory tight;
    EXPECT_THROW(sum.backward(), MemoryError);
  }
  EXPECT_FALSE(x.grad().defined());
  (x * twice).sum().backward();
  EXPECT_EQ(x.grad().min().item<float>(), 2);
  EXPECT_EQ(x.grad().max().item<float>(), 2);
  // A product takes memory of its own once it has the place where it is to write.
  Tensor w = ones({2048, 2048}).requires_grad_();
  w.set_grad_buffer(full({2048, 2048}, 7));
  const Tensor loss = linear(ones({1024, 2048}), w).sum();
  bool failed = false;
  {
    const NoMoreMemory tight;
    try {
      loss.backward();
    } catch (const MemoryError&) {
      failed = true;
    }
  }
  EXPECT_EQ(w.grad().defined(), !failed);
  w.clear_grad();
  linear(ones({1024, 2048}), w).sum().backward();
  EXPECT_EQ(w.grad().max().item<float>(), 1024);
  set_num_threads(threads);
}
#endif

TEST(Autograd, AGradientOfTheLeafsOldTypeIsRefused) {
  nn::Linear layer({.in = 2, .out = 2, .bias = false});
  const Tensor loss = layer(ones({3, 2})).sum();
  layer.to(f64);
  try {
    loss.backward();
    FAIL();
  } catch (const StateError& error) {
    EXPECT_EQ(std::string(error.what()).rfind("[linear] expected a gradient of type f64", 0), 0u) << error.what();
  }
  EXPECT_FALSE(layer.weight.grad().defined());
}

TEST(Autograd, WritesInPlaceAreRefusedOrNoticed) {
  Tensor x = leaf({2, 3});
  EXPECT_THROW(x.add_(1), StateError);
  EXPECT_THROW((x * 2).zero_(), StateError);
  EXPECT_THROW(x.mutable_span<double>(), StateError);
  const Tensor y = x * x;
  {
    const NoGrad guard;
    x.add_(1);
  }
  try {
    y.sum().backward();
    FAIL();
  } catch (const StateError& e) {
    EXPECT_NE(std::string(e.what()).find("[mul]"), std::string::npos) << e.what();
  }
  // A saved result, written through a detached view.
  const Tensor z = exp(x);
  z.detach().fill_(0);
  EXPECT_THROW(z.sum().backward(), StateError);
  // What backward does not read may be written.
  const Tensor w = x + x;
  w.detach().fill_(0);
  x.clear_grad();
  w.sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{2, 2}));
}

TEST(Autograd, NoGradTapesNothing) {
  Tensor x = leaf({1});
  const NoGrad guard;
  EXPECT_FALSE(is_grad_enabled());
  EXPECT_FALSE((x * x).requires_grad());
  {
    const EnableGrad enable;
    EXPECT_TRUE((x * x).requires_grad());
  }
  EXPECT_FALSE((x * x).requires_grad());
}

TEST(Autograd, LeavesAndTypesAreChecked) {
  EXPECT_THROW(zeros({2}, i64).requires_grad_(), DTypeError);
  Tensor x = leaf({1});
  Tensor y = x * 2;
  EXPECT_FALSE(y.is_leaf());
  EXPECT_THROW(y.requires_grad_(false), StateError);
  EXPECT_TRUE(y.detach().is_leaf());
  EXPECT_THROW(x.set_grad(zeros({2}, f64)), ShapeError);
  EXPECT_THROW(x.set_grad(zeros({1})), DTypeError);
}

TEST(Autograd, FunctionalGradTouchesNoLeaf) {
  Tensor x = leaf({3}), y = leaf({4}), unused = leaf({1});
  const Tensor h = x * y;
  const auto gradients = grad((h * h).sum(), {h, x}, {.retain_graph = true});
  EXPECT_EQ(gradients[0].item<double>(), 24);
  EXPECT_EQ(gradients[1].item<double>(), 96);
  EXPECT_FALSE(x.grad().defined());
  EXPECT_FALSE(y.grad().defined());
  EXPECT_THROW(grad(h.sum(), {unused}, {.retain_graph = true}), StateError);
  EXPECT_FALSE(grad(h.sum(), {unused}, {.allow_unused = true})[0].defined());
  EXPECT_EQ(grad(h, {x}, {.grad_outputs = {tensor({10}, f64)}})[0].item<double>(), 40);
}

TEST(Autograd, FunctionalGradientsAreTheCallersOwn) {
  const Tensor a = leaf({1, 2}), b = leaf({3, 4}), given = ones({2}, f64);
  auto gradients = grad({a + b}, {a, b, a}, {.grad_outputs = {given}});
  gradients[0].fill_(7);
  for (const Tensor& other : {gradients[1], gradients[2], given}) {
    EXPECT_EQ(other.to_vector<double>(), (Doubles{1, 1}));
  }
}

TEST(Autograd, GradientsOfInputsInBracesAreNamedAtOnce) {
  const Tensor w = leaf({2}), b = leaf({3});
  const auto [gw, gb] = grad((w * b).sum(), {w, b});
  EXPECT_EQ(gw.item<double>(), 3);
  EXPECT_EQ(gb.item<double>(), 2);
}

TEST(Autograd, HigherDerivatives) {
  Tensor x = leaf({1.5});
  Tensor y = x * x * x * x;
  for (double expected : {4 * 1.5 * 1.5 * 1.5, 12 * 1.5 * 1.5, 24 * 1.5, 24.0}) {
    y = grad(y.sum(), {x}, {.create_graph = true})[0];
    EXPECT_NEAR(y.item<double>(), expected, 1e-12);
  }
  Tensor w = leaf({0.5});
  Tensor first = tanh(w * 2);
  first.backward({.create_graph = true});
  const Tensor g = w.grad();
  EXPECT_TRUE(g.requires_grad());
  w.clear_grad();
  g.sum().backward();
  const double t = std::tanh(1.0);
  EXPECT_NEAR(w.grad().item<double>(), -8 * t * (1 - t * t), 1e-12);
}

TEST(Autograd, GradientsOfOtherElementsStayOutOfTheBuffer) {
  nn::Linear linear(2, 2);
  FlatParameters flat(linear.parameters());
  linear.to(f64);
  flat.clear_gradients();
  linear.forward(ones({1, 2}, f64)).sum().backward();
  EXPECT_EQ(linear.parameters()[0].grad().dtype(), f64);
}

TEST(Autograd, GradientsGoBackToTheirBuffer) {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  FlatParameters flat({a, b});
  (a * b).sum().backward({.create_graph = true});
  flat.clear_gradients();
  (a * b).sum().backward();
  int segments = 0;
  flat.for_each_segment([&](const FlatParameters::Segment& s) {
    ++segments;
    EXPECT_EQ(s.last, 2u);
  });
  EXPECT_EQ(segments, 1);
  EXPECT_EQ(a.grad().to_vector<double>(), (Doubles{3, 4}));
}

// An op may hand one gradient to several inputs, or the caller's on: each leaf has one of its own.
TEST(Autograd, GradientsWithAGraphShareNoMemory) {
  Tensor a = leaf({1, 2}), b = leaf({3, 4}), w = tensor({10, 20}, f64);
  ((a + b) * w).sum().backward({.create_graph = true});
  (a * 5).sum().backward();
  EXPECT_EQ(a.grad().to_vector<double>(), (Doubles{15, 25}));
  EXPECT_EQ(b.grad().to_vector<double>(), (Doubles{10, 20}));

  Tensor x = leaf({1, 2}), given = ones({2}, f64);
  Tensor h = x + 0;
  h.retain_grad();
  h.backward({.create_graph = true, .gradient = given});
  EXPECT_FALSE(h.grad().is_same(x.grad()));
  (x * 5).sum().backward();
  EXPECT_EQ(given.to_vector<double>(), (Doubles{1, 1}));
  EXPECT_EQ(h.grad().to_vector<double>(), (Doubles{1, 1}));
  EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{6, 6}));
}

// Each part adds to its elements of one gradient, in whatever order parts come and overlap.
TEST(Autograd, PartsAddToOneGradient) {
  Tensor x = uniform({6, 4}, -1, 1, f64).requires_grad_();
  const auto f = [](const std::vector<Tensor>& in) {
    const Tensor y = in[0] * 2;
    return sum(square(y[1])) + sum(y.slice(0, 0, 6, 2) * y.slice(0, 1, 6, 2)) +
           sum(y.slice(1, 1, 3) * y.select(1, 0).unsqueeze(1));
  };
  EXPECT_TRUE(gradcheck(f, {x}));
  EXPECT_TRUE(gradgradcheck(f, {x}));
  (x[2] * 3).sum().backward();
  x.slice(0, 2, 4).sum().backward();  // beside a gradient that is there
  EXPECT_EQ(x.grad().sum(1).to_vector<double>(), (Doubles{0, 0, 16, 4, 0, 0}));
}

TEST(Autograd, PresetGradientsAreAccumulatedInPlace) {
  Tensor flat = full({3}, 5, f64), x = leaf({1, 2});
  x.set_grad(flat.slice(0, 1, 3));
  (x * x).sum().backward();
  EXPECT_EQ(flat.to_vector<double>(), (Doubles{5, 7, 9}));
  // A buffer without a gradient is overwritten first.
  EXPECT_THROW(x.set_grad_buffer(full({2, 2}, 5, f64).select(1, 0)), ValueError);
  x.set_grad_buffer(flat.slice(0, 0, 2));
  EXPECT_FALSE(x.grad().defined());
  (x * x).sum().backward();
  (x * x).sum().backward();
  EXPECT_EQ(flat.to_vector<double>(), (Doubles{4, 8, 9}));
  x.clear_grad();
  EXPECT_FALSE(x.grad().defined());
  (x * 3).sum().backward();
  EXPECT_EQ(flat.to_vector<double>(), (Doubles{3, 3, 9}));
}

TEST(Autograd, LinearWritesStraightIntoTheBuffer) {
  Tensor w = ones({2, 3}, f64).requires_grad_(), buffer = full({2, 3}, 100, f64);
  w.set_grad_buffer(buffer);
  linear(ones({4, 3}, f64), w).sum().backward();
  EXPECT_EQ(buffer.to_vector<double>(), Doubles(6, 4));
  linear(ones({4, 3}, f64), w).sum().backward();
  EXPECT_EQ(buffer.to_vector<double>(), Doubles(6, 8));
  EXPECT_TRUE(w.grad().is_same(buffer));
}

TEST(Autograd, AnomalyModeNamesTheFirstNan) {
  Tensor x = leaf({-1, 4});
  const AnomalyMode anomaly;
  EXPECT_TRUE(std::isnan(tensor({std::nan("")}).item<float>())) << "data are not looked at";
  EXPECT_TRUE(std::isnan(zeros({1}).copy_(full({1}, std::nan(""), f64)).item<float>()));
  try {
    exp(sqrt(x) * 2);
    FAIL();
  } catch (const NumericError& e) {
    EXPECT_NE(std::string(e.what()).find("[sqrt]"), std::string::npos) << e.what();
  }
  // A result without NaN whose gradient holds one: d|0|^0.5 = 0 * inf.
  Tensor zero = leaf({0});
  const Tensor y = sqrt(zero * 0.0);
  try {
    y.backward();
    FAIL();
  } catch (const NumericError& e) {
    EXPECT_NE(std::string(e.what()).find("[mul]"), std::string::npos) << e.what();
  }
}

// Runs on a thread with a stack of 256 KiB.
void on_small_stack(std::function<void()> body) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 256 * 1024), 0);
  pthread_t thread;
  const auto start = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, start, &body), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TEST(Autograd, AMillionOpsOnASmallStack) {
  on_small_stack([] {
    Tensor x = leaf({1});
    {
      Tensor y = x;
      for (int i = 0; i < 1000000; ++i) y = y + x;
      y.backward();
    }
    EXPECT_EQ(x.grad().item<double>(), 1000001);
    x.clear_grad();
    Tensor y = x;
    for (int i = 0; i < 200000; ++i) y = y * x;  // freed without a backward, saved values and all
    const auto g = grad(y, {x}, {.retain_graph = true});
    EXPECT_EQ(g[0].item<double>(), 200001);
  });
}

TEST(Autograd, TwoThreadsTrainAtOnce) {
  const auto train = [](std::vector<double>& result) {
    manual_seed(11);
    Tensor w1 = randn({8, 4}, f64).requires_grad_(), w2 = randn({1, 8}, f64).requires_grad_();
    const Tensor x = randn({16, 4}, f64), y = randn({16, 1}, f64);
    for (int step = 0; step < 200; ++step) {
      mse_loss(linear(linear(x, w1, {}, Activation::tanh), w2), y).backward();
      const NoGrad guard;
      for (Tensor* w : {&w1, &w2}) {
        w->add_(w->grad(), -0.01);
        w->clear_grad();
      }
    }
    result = w1.detach().to_vector<double>();
  };
  std::vector<double> alone, first, second;
  train(alone);
  std::thread other([&] { train(second); });
  train(first);
  other.join();
  EXPECT_EQ(first, alone);
  EXPECT_EQ(second, alone);
}

TEST(Autograd, ManyThreadsReadOneModel) {
  manual_seed(1);
  const Tensor w = randn({5, 5}).requires_grad_(), x = randn({3, 5});
  const auto expected = linear(x, w).detach().to_vector<float>();
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      const NoGrad guard;
      for (int i = 0; i < 200; ++i) {
        if (linear(x, w).to_vector<float>() != expected) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Flat, ParametersKeepTheirIdentityAndTheirVersions) {
  Tensor a = leaf({1, 2}), b = leaf({3});
  const Tensor same = a;
  const Tensor before = a * a;
  FlatParameters flat({a, b});
  EXPECT_EQ(flat.numel(), 32);
  EXPECT_TRUE(same.is_same(flat.parameters()[0]));
  EXPECT_EQ(same.detach().to_vector<double>(), (Doubles{1, 2}));
  before.sum().backward();  // what it saved has moved, and is the same
  EXPECT_EQ(flat.gradients()[0].item<double>(), 2);
  const Tensor y = (a * a).sum();
  {
    const NoGrad guard;
    b.fill_(7);
  }
  y.backward();  // b's write does not concern a
  EXPECT_EQ(flat.gradients()[0].item<double>(), 4);
  EXPECT_EQ(flat.values()[16].item<double>(), 7);
  const Tensor z = (a * a).sum();
  Tensor(flat.values()).zero_();  // a write to the buffer as a whole does
  EXPECT_THROW(z.backward(), StateError);
  EXPECT_THROW(FlatParameters({a, a}), ValueError);
  EXPECT_THROW(FlatParameters({a, zeros({2})}), DTypeError);
}

TEST(Flat, SegmentsSkipMissingGradients) {
  Tensor a = leaf({1}), b = leaf({2}), c = leaf({3}), d = leaf({4});
  FlatParameters flat({a, b, c, d});
  (a + b + d).backward();
  std::vector<std::pair<std::size_t, std::size_t>> runs;
  flat.for_each_segment([&](const FlatParameters::Segment& s) {
    runs.push_back({s.first, s.last});
    sgd_step(s.value, s.gradient, {}, {.lr = 0.5, .weight_decay = 0.1});
  });
  EXPECT_EQ(runs, (std::vector<std::pair<std::size_t, std::size_t>>{{0, 2}, {3, 4}}));
  EXPECT_DOUBLE_EQ(a.item<double>(), 1 - 0.5 * 1.1);
  EXPECT_EQ(c.item<double>(), 3);
  // A gradient that lies elsewhere is a run of its own.
  flat.clear_gradients();
  EXPECT_FALSE(a.grad().defined());
  (a + b).backward();
  b.set_grad(tensor({10}, f64));
  runs.clear();
  flat.for_each_segment([&](const FlatParameters::Segment& s) {
    runs.push_back({s.first, s.last});
    sgd_step(s.value, s.gradient, {}, {.lr = 1});
  });
  EXPECT_EQ(runs, (std::vector<std::pair<std::size_t, std::size_t>>{{0, 1}, {1, 2}}));
}

// What a pass did not run through stays whole.
TEST(Grad, OfAResultLeavesWhatLiesBehindIt) {
  Tensor x = tensor({2., 3.}, f64).requires_grad_();
  const Tensor h = x * x;
  const std::vector<Tensor> g = grad((h * h).sum(), {h});
  EXPECT_EQ(g[0].to_vector<double>(), (std::vector<double>{8, 18}));
  h.backward({.gradient = g[0]});
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{32, 108}));
  EXPECT_THROW(h.backward({.gradient = g[0]}), StateError);
}

TEST(Flat, LendsItsBuffersForAVisit) {
  Tensor a = leaf({1, 2}), b = leaf({3});
  FlatParameters flat({a, b});
  (a.sum() + b).backward();
  Tensor kept;
  const Tensor w = ones({17}, f64).requires_grad_();
  EXPECT_THROW(flat.for_each_segment([&](const FlatParameters::Segment& s) { kept = s.value; }), StateError);
  EXPECT_THROW(flat.for_each_segment([&](const FlatParameters::Segment& s) { kept = s.gradient.slice(0, 0, 1); }),
               StateError);
  EXPECT_THROW(flat.for_each_segment([&](const FlatParameters::Segment& s) { kept = s.value.slice(0, 0, 1) * w[0]; }),
               StateError);
  kept = {};
  flat.for_each_segment([&](const FlatParameters::Segment& s) { kept = s.value.clone(); });
}

TEST(Flat, StepsMatchTheFormulas) {
  Tensor p = tensor({1, -2}, f64), g = tensor({0.5, 0.25}, f64), m = zeros({2}, f64), v = zeros({2}, f64);
  adam_step(p, g, m, v, {}, {.lr = 0.1, .weight_decay = 0.01, .decoupled = true, .step = 1});
  // After one step both corrected moments are g and g²: the step is lr · g / (|g| + ε).
  EXPECT_NEAR(p[0].item<double>(), 1 - 0.1 * 0.01 - 0.1 * 0.5 / (0.5 + 1e-8), 1e-12);
  Tensor q = tensor({1}, f64), buffer = zeros({1}, f64);
  sgd_step(q, tensor({2}, f64), buffer, {.lr = 0.1, .momentum = 0.9, .first = true});
  sgd_step(q, tensor({2}, f64), buffer, {.lr = 0.1, .momentum = 0.9});
  EXPECT_NEAR(q.item<double>(), 1 - 0.1 * 2 - 0.1 * (0.9 * 2 + 2), 1e-12);
}

TEST(Gradcheck, RefusesElementsThatShareMemory) {
  const Tensor x = tensor({2}, f64).expand({3}).detach().requires_grad_();
  const auto f = [](const std::vector<Tensor>& in) { return exp(in[0]); };
  EXPECT_THROW(gradcheck(f, {x}), ValueError);
  EXPECT_TRUE(gradcheck(f, {x.detach().clone().requires_grad_()}));
}

TEST(Gradcheck, LeavesEverythingAsItWas) {
  const Tensor x = leaf({1, 2});
  const Generator before = default_generator();
  int calls = 0;
  const auto throwing = [&](const std::vector<Tensor>& in) {
    if (++calls == 3) throw StateError("enough");
    return in[0] * rand({2}, f64);
  };
  EXPECT_THROW(gradcheck(throwing, {x}), StateError);
  EXPECT_EQ(x.to_vector<double>(), (Doubles{1, 2}));
  EXPECT_EQ(default_generator().offset, before.offset);
  const NoGrad guard;
  const auto result = gradcheck([](const std::vector<Tensor>& in) { return in[0] * in[0]; }, {x});
  EXPECT_TRUE(result) << result.message;
}

TEST(Gradcheck, FindsAWrongDerivative) {
  Tensor x = leaf({0.3, -0.7});
  EXPECT_TRUE(gradcheck([](const auto& in) { return in[0] * in[0]; }, {x}));
  // Detaching hides part of the derivative.
  const auto wrong = gradcheck([](const auto& in) { return in[0] * in[0].detach(); }, {x});
  EXPECT_FALSE(wrong);
  EXPECT_NE(wrong.message.find("input 0 element [0]"), std::string::npos) << wrong.message;
  EXPECT_FALSE(gradgradcheck([](const auto& in) { return in[0] * in[0] * in[0].detach(); }, {x}));
  EXPECT_EQ(x.detach().to_vector<double>(), (Doubles{0.3, -0.7}));
}

}  // namespace
}  // namespace tern
