#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/nn/activations.h"
#include "tern/nn/architecture.h"
#include "tern/nn/containers.h"
#include "tern/nn/linear.h"
#include "tern/ops/reduce.h"
#include "tern/tensor/creation.h"

namespace {

using namespace tern;
using Doubles = std::vector<double>;

// x times two, then plus one.
struct Affine : nn::Module {
  TERN_MODULE(Affine)
  Tensor forward(const Tensor& x) override { return x * 2.0 + 1.0; }
};

TEST(Hooks, SeeAndReplaceInputAndOutput) {
  nn::Sequential model{Affine(), nn::Identity()};
  std::string seen;
  auto before = model[0].register_forward_pre_hook([&](nn::Module& module, const Tensor& x) {
    seen += std::string(module.type_name()) + " in " + std::to_string(x.item<int>()) + "; ";
    return x + 1.0;
  });
  auto after = model[0].register_forward_hook([&](nn::Module&, const Tensor& x, const Tensor& y) {
    seen += "from " + std::to_string(x.item<int>()) + " to " + std::to_string(y.item<int>()) + "; ";
    return Tensor();
  });
  auto outer = model.register_forward_hook([&](nn::Module&, const Tensor&, const Tensor& y) { return y * 10.0; });
  const Tensor x = tensor({3}, f64);
  EXPECT_EQ(model(x).item<double>(), 90);
  EXPECT_EQ(seen, "Affine in 3; from 4 to 9; ");
  before.remove();
  outer.remove();
  outer.remove();
  EXPECT_EQ(model(x).item<double>(), 7);
  after.remove();
  seen.clear();
  EXPECT_EQ(model(x).item<double>(), 7);
  EXPECT_EQ(seen, "");
  EXPECT_THROW(model.register_forward_hook({}), ValueError);
}

TEST(Hooks, AreCalledInOrderAndMayTakeThemselvesOff) {
  Affine module;
  std::string order;
  nn::ModuleHook first;
  first = module.register_forward_hook([&](nn::Module&, const Tensor&, const Tensor&) {
    order += "1";
    first.remove();
    return Tensor();
  });
  module.register_forward_hook([&](nn::Module&, const Tensor&, const Tensor&) {
    order += "2";
    return Tensor();
  });
  module(ones({1}));
  module(ones({1}));
  EXPECT_EQ(order, "122");
}

TEST(Hooks, MoveWithTheModuleAndEndWithIt) {
  nn::ModuleHook hook;
  {
    auto module = std::make_unique<Affine>();
    int calls = 0;
    hook = module->register_forward_hook([&](nn::Module&, const Tensor&, const Tensor&) {
      ++calls;
      return Tensor();
    });
    Affine moved(std::move(*module));
    moved(ones({1}));
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(nn::architecture(moved), R"({"format":1,"type":"Affine"})");
  }
  hook.remove();
  nn::ModuleHook().remove();
}

TEST(Hooks, BackwardSeesGradientsAndReplacesThatOfTheInput) {
  nn::Sequential model{Affine(), Affine()};
  std::vector<Doubles> seen;
  auto hook = model[0].register_backward_hook([&](const Tensor& grad_input, const Tensor& grad_output) {
    seen.push_back({grad_input.item<double>(), grad_output.item<double>()});
    return grad_input * 100.0;
  });
  Tensor x = tensor({1}, f64).requires_grad_();
  // x is used beside the module too: the hook sees the module's share alone.
  (model(x) + x * 7.0).sum().backward();
  EXPECT_EQ(seen, (std::vector<Doubles>{{4, 2}}));
  EXPECT_EQ(x.grad().item<double>(), 407);
  {
    NoGrad no_grad;
    model(x);
  }
  hook.remove();
  x.clear_grad();
  model(x).sum().backward();
  EXPECT_EQ(x.grad().item<double>(), 4);
  EXPECT_EQ(seen.size(), 1u);
}

TEST(Hooks, BackwardIsCalledWithoutAGradientOfTheInputToo) {
  nn::Linear layer({.in = 2, .out = 1, .dtype = f64});
  int calls = 0;
  layer.register_backward_hook([&](const Tensor& grad_input, const Tensor& grad_output) {
    EXPECT_FALSE(grad_input.defined());
    EXPECT_EQ(grad_output.to_vector<double>(), (Doubles{3, 3}));
    ++calls;
    return Tensor();
  });
  (layer(ones({2, 2}, f64)) * 3.0).sum().backward();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(layer.weight.grad().to_vector<double>(), (Doubles{6, 6}));
}

TEST(Hooks, BackwardMayBeTaped) {
  nn::Sequential model{nn::Tanh()};
  model.register_backward_hook([](const Tensor& grad_input, const Tensor&) { return grad_input * 2.0; });
  Tensor x = tensor({0.5}, f64).requires_grad_();
  const Tensor first = grad(model(x).sum(), {x}, {.create_graph = true})[0];
  const double t = std::tanh(0.5);
  EXPECT_NEAR(first.item<double>(), 2 * (1 - t * t), 1e-15);
  // The second pass goes by the hook too.
  EXPECT_NEAR(grad(first.sum(), {x})[0].item<double>(), 2 * 2 * -2 * t * (1 - t * t), 1e-15);
}

TEST(Hooks, BackwardRefusesAGradientOfAnotherShape) {
  Affine module;
  module.register_backward_hook([](const Tensor&, const Tensor&) { return ones({5}, f64); });
  Tensor x = tensor({1, 2}, f64).requires_grad_();
  const Tensor loss = module(x).sum();
  EXPECT_THROW(loss.backward(), ShapeError);
}

}  // namespace
