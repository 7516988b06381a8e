#include "tern/autograd/hooks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "autograd/leaf.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/nn/activations.h"
#include "tern/nn/linear.h"
#include "tern/nn/sequential.h"
#include "tern/ops/binary.h"
#include "tern/ops/matmul.h"
#include "tern/ops/unary.h"
#include "tern/optim/optimizers.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using Doubles = std::vector<double>;

TEST(Hooks, SeeTheWholeGradientOnceAPass) {
  Tensor x = leaf({3});
  Tensor y = x * 2;
  std::vector<double> seen;
  x.register_hook([&](const Tensor& g) { seen.push_back(g.item<double>()); });
  y.register_hook([&](const Tensor& g) { seen.push_back(100 + g.item<double>()); });
  (y * y + y + x).backward({.retain_graph = true});
  EXPECT_EQ(seen, (Doubles{100 + 13, 27}));  // y first, x at the end, with 2 · 13 and 1 added up
  EXPECT_EQ(x.grad().item<double>(), 27);
  (y * 1).backward();
  EXPECT_EQ(seen, (Doubles{113, 27, 101, 2}));
  EXPECT_EQ(x.grad().item<double>(), 29);
}

TEST(Hooks, ReplaceTheGradientInOrderAndAreTakenOff) {
  Tensor x = leaf({1, 2});
  HookHandle twice = x.register_hook([](const Tensor& g) { return g * 2; });
  x.register_hook([](const Tensor& g) { return g + 1; });
  (x * 5).sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{11, 11}));
  twice.remove();
  twice.remove();
  x.clear_grad();
  (x * 5).sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{6, 6}));
  // What a hook gives an op's result goes on to the leaves.
  Tensor z = leaf({1});
  Tensor y = z * 3;
  y.register_hook([](const Tensor& g) { return g * 10; });
  (y * 1).backward();
  EXPECT_EQ(z.grad().item<double>(), 30);
  HookHandle late;
  {
    Tensor gone = leaf({1});
    late = gone.register_hook([](const Tensor& g) { return g; });
  }
  late.remove();
}

// A fused kernel writes the gradient of a weight in place; hooks come between.
TEST(Hooks, ReachParametersOfFusedKernels) {
  Tensor w = ones({2, 3}, f64).requires_grad_(), buffer = full({2, 3}, 100, f64);
  w.set_grad_buffer(buffer);
  int calls = 0;
  w.register_hook([&](const Tensor& g) {
    ++calls;
    return g * 0.5;
  });
  const Tensor x = ones({4, 3}, f64);
  (linear(x, w).sum() + linear(x, w).sum()).backward();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(buffer.to_vector<double>(), Doubles(6, 4));
}

TEST(Hooks, FunctionalGradSeesThemAndTheyAreTaped) {
  Tensor x = leaf({3});
  Tensor y = x * x;
  y.register_hook([&](const Tensor& g) { return g * x; });
  x.register_hook([](const Tensor& g) { return g * 2; });
  const auto [gy, gx] = [&] {
    auto both = grad((y * 1).sum(), {y, x}, {.create_graph = true});
    return std::pair(both[0], both[1]);
  }();
  EXPECT_EQ(gy.item<double>(), 3);          // x
  EXPECT_EQ(gx.item<double>(), 2 * 3 * 6);  // 2 · x · 2x
  EXPECT_EQ(grad(gx.sum(), {x}, {.retain_graph = true})[0].item<double>(), 2 * 4 * 2 * 3 * 1.0);
  EXPECT_FALSE(x.grad().defined());
}

TEST(Hooks, MayWriteToWhatTheySee) {
  const Tensor a = leaf({1, 2}), b = leaf({3, 4}), c = a * 1, d = b * 1;
  const HookHandle of_result = c.register_hook([](const Tensor& g) { Tensor(g).mul_(10); });
  const HookHandle of_leaf = b.register_hook([](const Tensor& g) { Tensor(g).mul_(100); });
  (c + d + b).sum().backward();
  EXPECT_EQ(a.grad().to_vector<double>(), (std::vector<double>{10, 10}));
  EXPECT_EQ(b.grad().to_vector<double>(), (std::vector<double>{200, 200}));
}

TEST(Hooks, WrongOnesAreRefused) {
  Tensor x = leaf({1, 2}), none;
  EXPECT_THROW(zeros({2}).register_hook([](const Tensor& g) { return g; }), StateError);
  EXPECT_THROW(none.register_hook([](const Tensor& g) { return g; }), StateError);
  HookHandle wrong = x.register_hook([](const Tensor& g) { return g.sum(); });
  EXPECT_THROW((x * 2).sum().backward(), ShapeError);
  wrong.remove();
  wrong = x.register_hook([](const Tensor& g) { return g.to(f32); });
  EXPECT_THROW((x * 2).sum().backward(), DTypeError);
  wrong.remove();
  wrong = x.register_hook([](const Tensor&) -> Tensor { throw ValueError("mine"); });
  EXPECT_THROW((x * 2).sum().backward(), ValueError);
  wrong.remove();
  (x * 2).sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{2, 2}));
}

TEST(RetainGrad, KeepsTheGradientOfAResult) {
  Tensor x = leaf({3});
  Tensor y = x * x;
  y.retain_grad();
  Tensor z = y * 2;
  z.backward({.retain_graph = true});
  EXPECT_EQ(y.grad().item<double>(), 2);
  z.backward({.retain_graph = true});
  EXPECT_EQ(y.grad().item<double>(), 4);
  EXPECT_EQ(x.grad().item<double>(), 24);
  y = Tensor();
  z.backward();  // the tensor is gone, its node is not
  EXPECT_EQ(x.grad().item<double>(), 36);
  EXPECT_THROW(zeros({1}).retain_grad(), StateError);
}

// A function of this program, whose name is to be found.
[[gnu::noinline]] Tensor suspicious_function(const Tensor& x) { return sqrt(x) * 1.0; }

TEST(Anomaly, SaysWhereTheForwardOpWasCalled) {
  const AnomalyMode anomaly;
  Tensor x = leaf({0});
  const CallScope outer("my encoder");
  const Tensor none = x * 0.0;
  Tensor y;
  {
    const CallScope inner("block 3");
    y = suspicious_function(none);
  }
  try {
    y.backward();
    FAIL();
  } catch (const NumericError& e) {
    const std::string text = e.what();
    EXPECT_NE(text.find("[mul]"), std::string::npos) << text;
    EXPECT_NE(text.find("my encoder"), std::string::npos) << text;
    EXPECT_EQ(text.find("block 3"), std::string::npos) << text;  // x * 0 was called outside it
    EXPECT_NE(text.find("Anomaly_SaysWhereTheForwardOpWasCalled"), std::string::npos) << text;
  }
  try {
    const CallScope inner("block 4");
    suspicious_function(leaf({-1}));
    FAIL();
  } catch (const NumericError& e) {
    const std::string text = e.what();
    EXPECT_NE(text.find("[sqrt]"), std::string::npos) << text;
    EXPECT_NE(text.find("my encoder > block 4"), std::string::npos) << text;
    EXPECT_NE(text.find("suspicious_function"), std::string::npos) << text;
  }
}

TEST(Anomaly, NamesTheModulesAround) {
  nn::Sequential net{nn::Linear(2, 2), nn::Sequential{nn::Relu(), nn::Linear(2, 1)}};
  const AnomalyMode anomaly;
  try {
    const NoGrad guard;
    Tensor(net.parameters()[2]).fill_(NAN);
    net(ones({1, 2}));
    FAIL();
  } catch (const NumericError& e) {
    EXPECT_NE(std::string(e.what()).find("Sequential > Sequential > Linear"), std::string::npos) << e.what();
  }
}

template <class F>
std::string nan_of(F&& f) {
  const AnomalyMode anomaly;
  try {
    f();
  } catch (const NumericError& e) {
    return e.what();
  }
  return "no error";
}

// Gradients of +inf and -inf, each without NaN.
TEST(Anomaly, LooksAtWhatGradientsAddUpTo) {
  const std::string met =
      "[sqrt] expected gradients without NaN in anomaly mode, got one in the sum of those that "
      "met, of shape [1]: of ";
  const auto difference = [](const Tensor& h) { return (sqrt(h) - sqrt(h)).sum(); };
  const auto starts = [](const std::string& text, const std::string& with) {
    EXPECT_EQ(text.rfind(with, 0), 0u) << text;
  };
  starts(nan_of([&] { difference(leaf({0})).backward(); }), met + "sqrt, and this op");
  starts(nan_of([&] { difference(leaf({0}) * 1.0).backward(); }), met + "sqrt, and this op");
  starts(nan_of([&] { difference(leaf({0}) * 1.0).backward({.create_graph = true}); }), met + "sqrt, and this op");
  starts(nan_of([&] {
           const Tensor x = leaf({0});
           grad(difference(x), std::vector<Tensor>{x});
         }),
         met + "sqrt, and this op");
  starts(nan_of([] {
           const Tensor x = leaf({0});
           sqrt(x).backward();
           (sqrt(x) * -1.0).backward();
         }),
         met + "an earlier pass, and this op");
  EXPECT_NE(nan_of([&] { difference(leaf({0})).backward(); }).find("; the op was called\n  at "), std::string::npos);
  for (const bool of_leaf : {false, true}) {
    const std::string text = nan_of([&] {
      const Tensor x = leaf({1}), y = x * 2.0;
      (of_leaf ? x : y).register_hook([](const Tensor& g) { return full_like(g, NAN); });
      y.backward();
    });
    starts(text, std::string("[hook] expected gradients without NaN in anomaly mode, got one in what the hooks of ") +
                     (of_leaf ? "a leaf" : "mul"));
  }
  starts(nan_of([] {
           const Tensor x = leaf({0});
           sqrt(x).backward();
           x.register_hook([](const Tensor& g) { return g * -1.0; });
           sqrt(x).backward();
         }),
         "[hook] expected gradients without NaN");
}

TEST(Anomaly, LooksAtWritesInPlaceAndSteps) {
  const auto writes = [](const std::string& op, const std::function<void(Tensor)>& write) {
    for (const DType dtype : {f64, f16}) {
      const std::string text = nan_of([&] { write(full({2}, INFINITY, dtype)); });
      EXPECT_EQ(text.rfind("[" + op + "] expected results without NaN in anomaly mode, got one in what it wrote", 0),
                0u)
          << text;
    }
  };
  writes("sub_", [](Tensor x) { x.sub_(x); });
  writes("add_", [](Tensor x) { x.add_(x, -1); });
  writes("mul_", [](Tensor x) { x.mul_(0); });
  writes("div_", [](Tensor x) { x.div_(x); });
  writes("index_put_", [](Tensor x) { x.index_put_({tensor({0}, i64)}, full({1}, -INFINITY, x.dtype()), true); });
  EXPECT_EQ(nan_of([] { zeros({2}).fill_(NAN); }), "no error");
  Tensor x = leaf({1, 2});
  optim::AdamW optimizer({x}, {.lr = 0.1});
  x.set_grad(full({2}, INFINITY, f64));
  const std::string text = nan_of([&] { optimizer.step(); });
  EXPECT_EQ(text.rfind("[adam_step] expected results without NaN in anomaly mode", 0), 0u) << text;
}

TEST(Anomaly, SaysWhenTheForwardWasOutside) {
  Tensor x = leaf({0});
  const Tensor y = sqrt(x * 0.0);
  const AnomalyMode anomaly;
  try {
    y.backward();
    FAIL();
  } catch (const NumericError& e) {
    EXPECT_NE(std::string(e.what()).find("outside anomaly mode"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace tern
