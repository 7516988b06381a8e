#include "tern/autograd/function.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/leaf.h"
#include "tern/autograd/autograd.h"
#include "tern/autograd/gradcheck.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using Doubles = std::vector<double>;
using Tensors = std::vector<Tensor>;

const Function cube(
    "cube",
    [](FunctionContext& context, const Tensors& in) {
      context.save(in[0]);
      return in[0] * in[0] * in[0];
    },
    [](const FunctionContext& context, const Tensor& g) -> Tensors {
      const Tensor x = context.saved(0);
      return {g * 3 * x * x};
    });

// exp by its result, beside a scale that is an input of its own.
const Function scaled_exp(
    "scaled_exp",
    [](FunctionContext& context, const Tensors& in) {
      const Tensor y = exp(in[0]) * in[1];
      context.save(y);
      context.save(exp(in[0]));
      context.save(in[1]);
      return y;
    },
    [](const FunctionContext& context, const Tensor& g) -> Tensors {
      Tensors gradients(2);
      if (context.wants(0)) gradients[0] = g * context.saved(0);
      if (context.wants(1)) gradients[1] = g * context.saved(0) / context.saved(2);
      return gradients;
    });

TEST(Function, ValueAndGradient) {
  Tensor x = leaf({1, -2});
  const Tensor y = cube({x});
  EXPECT_EQ(y.to_vector<double>(), (Doubles{1, -8}));
  y.sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{3, 12}));
  EXPECT_FALSE(cube({tensor({2}, f64)}).requires_grad());
  const NoGrad guard;
  EXPECT_FALSE(cube({x}).requires_grad());
}

TEST(Function, PassesBothGradientChecks) {
  Tensor x = leaf({0.5, -1.5, 2}), s = leaf({1.5, 0.7, -1});
  EXPECT_TRUE(gradcheck([](const Tensors& in) { return cube({in[0]}); }, {x}));
  EXPECT_TRUE(gradgradcheck([](const Tensors& in) { return cube({in[0]}); }, {x}));
  EXPECT_TRUE(gradcheck([](const Tensors& in) { return scaled_exp({in[0], in[1]}); }, {x, s}));
  const auto second = gradgradcheck([](const Tensors& in) { return scaled_exp({in[0], in[1]}); }, {x, s});
  EXPECT_TRUE(second) << second.message;
}

// Its first derivative is right, and the derivative of that by x; that by the result's gradient is missing.
TEST(Function, ASecondDerivativeWithoutTheGradientIsFound) {
  const Function detached(
      "detached",
      [](FunctionContext& context, const Tensors& in) {
        context.save(in[0]);
        return in[0] * in[0] * in[0];
      },
      [](const FunctionContext& context, const Tensor& g) -> Tensors {
        const Tensor x = context.saved(0);
        return {g.detach() * 3 * x * x};
      });
  Tensor x = leaf({0.5, -1.5, 2});
  EXPECT_TRUE(gradcheck([&](const Tensors& in) { return detached(in); }, {x}));
  const auto second = gradgradcheck([&](const Tensors& in) { return detached(in); }, {x});
  EXPECT_FALSE(second);
  EXPECT_NE(second.message.find("input 1 element []"), std::string::npos) << second.message;
}

TEST(Function, OnlyWantedGradients) {
  Tensor x = leaf({2});
  const Tensor s = tensor({3}, f64);
  scaled_exp({x, s}).backward();
  EXPECT_NEAR(x.grad().item<double>(), 3 * std::exp(2.0), 1e-12);
}

TEST(Function, KeptTensorsAreWatched) {
  Tensor x = leaf({2});
  const Tensor y = cube({x});
  {
    const NoGrad guard;
    x.add_(1);
  }
  try {
    y.backward();
    FAIL();
  } catch (const StateError& e) {
    EXPECT_NE(std::string(e.what()).find("[cube]"), std::string::npos) << e.what();
  }
  const Tensor z = scaled_exp({x, leaf({1})});
  z.detach().zero_();  // the result, through a view
  EXPECT_THROW(z.backward(), StateError);
  const Tensor once = cube({x});
  once.backward();
  try {
    once.backward();
    FAIL();
  } catch (const StateError& e) {
    EXPECT_NE(std::string(e.what()).find("cube"), std::string::npos) << e.what();
  }
}

TEST(Function, OutlivesItsName) {
  Tensor x = leaf({2}), y;
  {
    const Function temporary(
        "temporary", [](FunctionContext&, const Tensors& in) { return in[0] * 2; },
        [](const FunctionContext&, const Tensor& g) -> Tensors { return {g * 2}; });
    y = temporary({x});
  }
  y.backward();
  EXPECT_EQ(x.grad().item<double>(), 2);
  y.backward();  // it saved nothing that the first pass let go of
  EXPECT_EQ(x.grad().item<double>(), 4);
}

TEST(Function, AnInputOrAViewOfItMayBeTheResult) {
  const auto pass = [](const FunctionContext&, const Tensor& g) -> Tensors { return {g * -1}; };
  const Function reverse(
      "reverse", [](FunctionContext&, const Tensors& in) { return in[0]; }, pass);
  Tensor x = leaf({2, 5});
  const Tensor y = reverse({x});
  EXPECT_FALSE(y.is_same(x));
  y.sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{-1, -1}));
  EXPECT_TRUE(x.is_leaf());
  const Function view(
      "view",
      [](FunctionContext& context, const Tensors& in) {
        Tensor y = in[0].slice(0, 0, 2);
        context.save(y);
        return y;
      },
      [](const FunctionContext& context, const Tensor& g) -> Tensors { return {g * context.saved(0)}; });
  x.clear_grad();
  view({x}).sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{2, 5}));
}

TEST(Function, MemoryOfTheCallersIsNeverWritten) {
  double lent[2] = {1, 1};
  static constexpr double kConstant[2] = {1, 1};
  for (const bool read_only : {false, true}) {
    const Function f(
        "lent", [](FunctionContext&, const Tensors& in) { return in[0] * 1; },
        [&](const FunctionContext&, const Tensor&) -> Tensors {
          return {read_only ? from_blob(const_cast<double*>(kConstant), {2}, f64, {.read_only = true})
                            : from_blob(lent, {2}, f64)};
        });
    Tensor x = leaf({3, 4});
    const Tensor h = x * 1;
    (f({h}) + h * 5).sum().backward();
    EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{6, 6}));
    x.clear_grad();
    f({x}).sum().backward();
    f({x}).sum().backward();
    EXPECT_EQ(x.grad().to_vector<double>(), (Doubles{2, 2}));
  }
  EXPECT_EQ(lent[0], 1);
}

TEST(Function, IntegersNeedNoGradient) {
  const Function rounding(
      "rounding", [](FunctionContext&, const Tensors& in) { return in[0].detach().to(i64); },
      [](const FunctionContext&, const Tensor& g) -> Tensors { return {g}; });
  EXPECT_FALSE(rounding({leaf({1.5})}).requires_grad());
}

TEST(Function, WrongGradientsAreRefused) {
  Tensor x = leaf({2, 3});
  const auto forward = [](FunctionContext&, const Tensors& in) { return in[0] * 2; };
  const auto call = [&](const Function::Backward& backward) {
    Function("mine", forward, backward)({x}).sum().backward();
  };
  EXPECT_THROW(call([](const FunctionContext&, const Tensor&) -> Tensors { return {}; }), StateError);
  EXPECT_THROW(call([](const FunctionContext&, const Tensor& g) -> Tensors { return {g.sum()}; }), ShapeError);
  EXPECT_THROW(call([](const FunctionContext&, const Tensor& g) -> Tensors { return {g.to(f32)}; }), DTypeError);
  EXPECT_THROW(call([](const FunctionContext& c, const Tensor&) -> Tensors { return {c.saved(0)}; }), IndexError);
  EXPECT_THROW(call([](const FunctionContext&, const Tensor&) -> Tensors { throw ValueError("mine"); }), ValueError);
  call([](const FunctionContext&, const Tensor&) -> Tensors { return {Tensor()}; });  // zero
  EXPECT_FALSE(x.grad().defined());
  EXPECT_THROW(cube({Tensor()}), StateError);
  EXPECT_THROW(Function(
                   "none", [](FunctionContext&, const Tensors&) { return Tensor(); }, nullptr)({x}),
               StateError);
}

}  // namespace
}  // namespace tern
