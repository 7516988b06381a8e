#include "tern/nn/module.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <thread>
#include <type_traits>
#include <vector>

#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/nn/activations.h"
#include "tern/nn/linear.h"
#include "tern/nn/sequential.h"
#include "tern/ops/binary.h"
#include "tern/ops/compare.h"
#include "tern/ops/loss.h"
#include "tern/ops/matmul.h"
#include "tern/ops/reduce.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace {

using namespace tern;

// As a user writes it: no override, parts after what uses them.
struct Net : nn::Module {
  nn::Linear body{3, 4};
  Tensor scale = ones({4}).requires_grad_();
  nn::Linear head{4, 2};
  TERN_MODULE(Net, body, scale, head)

  Tensor forward(const Tensor& x) { return head(relu(body(x)) * scale); }
};

// The other way of writing it, with private parts.
class Wrapped : public nn::Module {
 public:
  TERN_MODULE(Wrapped, net_)
  Tensor forward(const Tensor& x) override { return net_(x); }

 private:
  Net net_;
};

std::vector<std::string> parameter_names(const nn::Module& module) {
  std::vector<std::string> names;
  for (const auto& [name, p] : module.named_parameters()) names.push_back(name);
  return names;
}

static_assert(!std::is_copy_constructible_v<Net> && !std::is_copy_assignable_v<Net>);
static_assert(std::is_move_constructible_v<Net> && std::is_move_assignable_v<Net>);

TEST(Module, NamesItsPartsAsPyTorchDoes) {
  Net net;
  EXPECT_EQ(net.type_name(), "Net");
  EXPECT_EQ(parameter_names(net),
            (std::vector<std::string>{"body.weight", "body.bias", "scale", "head.weight", "head.bias"}));
  EXPECT_EQ(net.num_parameters(), 12 + 4 + 4 + 8 + 2);
  EXPECT_EQ(parameter_names(Wrapped()).front(), "net_.body.weight");

  nn::Sequential model{nn::Linear(3, 4), nn::Relu(),
                       nn::Sequential{nn::Linear({.in = 4, .out = 4, .bias = false}), nn::Tanh()}, Net()};
  EXPECT_EQ(parameter_names(model).size(), 2u + 1 + 5);
  EXPECT_EQ(parameter_names(model)[2], "2.0.weight");
  EXPECT_EQ(parameter_names(model)[5], "3.scale");
  EXPECT_EQ(model.modules().size(), 1u + 2 + 3 + 3);
}

TEST(Module, CallsForwardThroughItsParts) {
  Net net;
  const Tensor x = randn({5, 3});
  const Tensor y = net(x);
  EXPECT_EQ(y.shape(), (Shape{5, 2}));
  y.sum().backward();
  for (const Tensor& p : net.parameters()) EXPECT_TRUE(p.grad().defined());
  net.zero_grad();
  for (const Tensor& p : net.parameters()) EXPECT_FALSE(p.grad().defined());
}

TEST(Module, MovesWithItsParameters) {
  Net net;
  const std::vector<Tensor> before = net.parameters();
  Net moved(std::move(net));
  const std::vector<Tensor> after = moved.parameters();
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(before[i].is_same(after[i]));
}

TEST(Module, ListsTiedParametersOnce) {
  nn::Linear a(4, 4), b(4, 4);
  b.weight = a.weight;
  nn::Sequential model{std::move(a), std::move(b)};
  EXPECT_EQ(parameter_names(model), (std::vector<std::string>{"0.weight", "0.bias", "1.bias"}));
  EXPECT_EQ(model.parameters().size(), 3u);
  EXPECT_EQ(model.num_parameters(), 16 + 4 + 4);
  EXPECT_EQ(nn::all_named_parameters(model).size(), 4u);
}

TEST(Module, SwitchesModeEverywhere) {
  nn::Sequential model{nn::Linear(2, 2), nn::Sequential{nn::Dropout(0.5)}};
  EXPECT_TRUE(model.is_training());
  model.eval();
  for (nn::Module* module : model.modules()) EXPECT_FALSE(module->is_training());
  model.train();
  for (nn::Module* module : model.modules()) EXPECT_TRUE(module->is_training());
}

TEST(Module, ConvertsInPlaceKeepingIdentity) {
  nn::Linear a(3, 3), b(3, 3);
  b.weight = a.weight;
  nn::Sequential model{std::move(a), std::move(b)};
  const std::vector<Tensor> before = model.parameters();
  const std::vector<float> values = before[0].to_vector<float>();
  model(randn({2, 3})).sum().backward();
  const std::vector<float> gradient = before[0].grad().to_vector<float>();

  model.to(f64);
  const std::vector<Tensor> after = model.parameters();
  ASSERT_EQ(after.size(), 3u);
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_TRUE(after[i].is_same(before[i]));
    EXPECT_EQ(after[i].dtype(), f64);
    EXPECT_TRUE(after[i].requires_grad());
    EXPECT_EQ(after[i].grad().dtype(), f64);
  }
  EXPECT_EQ(before[0].to_vector<double>(), std::vector<double>(values.begin(), values.end()));
  EXPECT_EQ(before[0].grad().to_vector<double>(), std::vector<double>(gradient.begin(), gradient.end()));
  model.zero_grad();
  model(randn({2, 3}, f64)).sum().backward();
  EXPECT_EQ(after[0].grad().dtype(), f64);
  EXPECT_THROW(model.to(i64), DTypeError);
}

TEST(Module, ConversionIsSeenByAGraphThatSavedTheOldValues) {
  nn::Linear layer(3, 1);
  const Tensor x = randn({2, 3}).requires_grad_();
  const Tensor loss = layer(x).sum();
  layer.to(f64);
  EXPECT_THROW(loss.backward(), Error);
}

TEST(Linear, StartsAsPyTorchDoes) {
  manual_seed(5);
  nn::Linear layer(400, 300);
  const double bound = 1 / std::sqrt(400.0);
  double square = 0, largest = 0;
  for (const float w : layer.weight.to_vector<float>()) {
    square += double{w} * w;
    largest = std::max(largest, std::fabs(double{w}));
  }
  EXPECT_LE(largest, bound * (1 + 1e-6));
  EXPECT_GT(largest, bound * 0.999);
  EXPECT_NEAR(square / 120000, bound * bound / 3, 0.01 * bound * bound);
  for (const float b : layer.bias.to_vector<float>()) EXPECT_LE(std::fabs(b), bound * (1 + 1e-6));
  EXPECT_TRUE(layer.weight.requires_grad() && layer.bias.requires_grad());

  manual_seed(5);
  EXPECT_EQ(nn::Linear(400, 300).weight.to_vector<float>(), layer.weight.to_vector<float>());
}

TEST(Linear, ChecksItsOptions) {
  EXPECT_THROW(nn::Linear(0, 3), ValueError);
  EXPECT_THROW(nn::Linear(3, -1), ValueError);
  EXPECT_THROW(nn::Linear(std::int64_t{1} << 40, std::int64_t{1} << 40), ValueError);
  EXPECT_THROW(nn::Linear({.in = 2, .out = 2, .dtype = i64}), DTypeError);
  EXPECT_FALSE(nn::Linear({.in = 2, .out = 2, .bias = false}).bias.defined());
  EXPECT_EQ(nn::Linear({.in = 2, .out = 2, .dtype = f64}).weight.dtype(), f64);
  nn::Linear layer(3, 2);
  EXPECT_THROW(layer(ones({4, 2})), ShapeError);
}

TEST(Activations, ComputeTheirFunctions) {
  const Tensor x = tensor({-2, -0.5, 0, 0.5, 2}, f64);
  const auto check = [&](nn::Module&& module, auto f) {
    const std::vector<double> y = module(x).to_vector<double>(), in = x.to_vector<double>();
    for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], f(in[i]), 1e-12) << module.type_name() << " " << in[i];
  };
  check(nn::Relu(), [](double v) { return v > 0 ? v : 0; });
  check(nn::Tanh(), [](double v) { return std::tanh(v); });
  check(nn::Sigmoid(), [](double v) { return 1 / (1 + std::exp(-v)); });
  check(nn::Gelu(), [](double v) { return v * 0.5 * std::erfc(-v / std::sqrt(2.0)); });
  check(nn::Silu(), [](double v) { return v / (1 + std::exp(-v)); });
  check(nn::Softplus(), [](double v) { return std::log1p(std::exp(v)); });
  check(nn::LeakyRelu({.slope = 0.1}), [](double v) { return v > 0 ? v : 0.1 * v; });
  check(nn::Identity(), [](double v) { return v; });
  EXPECT_EQ(nn::Flatten()(ones({2, 3, 4})).shape(), (Shape{2, 12}));
  EXPECT_EQ(nn::Flatten({.first = 0, .last = 1})(ones({2, 3, 4})).shape(), (Shape{6, 4}));
  EXPECT_THROW(nn::Flatten({.first = 8}), ValueError);
  EXPECT_THROW(nn::LeakyRelu({.slope = NAN}), ValueError);
}

TEST(Dropout, SaysTheProbabilityThatCame) {
  try {
    nn::Dropout dropout(-1e-9);
    FAIL() << "expected a ValueError";
  } catch (const ValueError& error) {
    EXPECT_STREQ(error.what(), "[dropout] expected p in [0, 1], got -1e-09");
  }
}

TEST(Dropout, ActsInTrainingAlone) {
  nn::Dropout dropout(0.25);
  const Tensor x = ones({10000});
  manual_seed(1);
  std::int64_t zeros = 0;
  for (const float y : dropout(x).to_vector<float>()) {
    EXPECT_TRUE(y == 0 || std::fabs(y - 4.0f / 3) < 1e-6f);
    zeros += y == 0;
  }
  EXPECT_NEAR(zeros, 2500, 200);
  const std::uint64_t offset = default_generator().offset;
  dropout.eval();
  EXPECT_TRUE(dropout(x).is_same(x));
  EXPECT_EQ(default_generator().offset, offset);
  EXPECT_THROW(nn::Dropout(1.5), ValueError);
  EXPECT_THROW(nn::Dropout(-0.1), ValueError);
}

TEST(Sequential, AppliesItsPartsInOrder) {
  nn::Sequential model{nn::Linear(3, 4), nn::Tanh()};
  model.append(std::make_unique<nn::Linear>(4, 1));
  model.append(nn::Sigmoid());
  ASSERT_EQ(model.size(), 4u);
  const Tensor x = randn({2, 3});
  EXPECT_EQ(model(x).to_vector<float>(), sigmoid(model[2](tanh(model[0](x)))).to_vector<float>());
  EXPECT_THROW(model[4], IndexError);
  EXPECT_THROW(model.append(std::unique_ptr<nn::Module>()), ValueError);
  EXPECT_TRUE(nn::Sequential()(x).is_same(x));
  nn::Sequential moved{std::move(model)};
  EXPECT_EQ(moved.size(), 4u);
}

// A Relu of another type than nn::Relu, and a Linear of another than nn::Linear.
struct Leaky : nn::Relu {
  Tensor forward(const Tensor& x) override { return where(x > 0, x, 0.5 * x); }
};
struct Doubled : nn::Linear {
  using nn::Linear::Linear;
  Tensor forward(const Tensor& x) override { return 2 * nn::Linear::forward(x); }
};

TEST(Sequential, TakesAReluAlongWithoutAnyoneNoticing) {
  manual_seed(4);
  nn::Sequential model{nn::Linear(5, 33), nn::Relu(), nn::Linear(33, 2), nn::Relu(), nn::Relu()};
  const auto alone = [&](const Tensor& x) {
    return relu(relu(linear(relu(linear(x, model.parameters()[0], model.parameters()[1])), model.parameters()[2],
                            model.parameters()[3])));
  };
  const auto gradients = [&](const Tensor& y, const Tensor& x) {
    std::vector<std::vector<float>> values{y.to_vector<float>()};
    std::vector<Tensor> inputs = model.parameters();
    inputs.push_back(x);
    for (const Tensor& g : grad((y * y).sum(), inputs)) values.push_back(g.to_vector<float>());
    return values;
  };
  Tensor x = randn({7, 5});
  x.mutable_span<float>()[3] = std::numeric_limits<float>::infinity();
  x.requires_grad_();
  const auto bits = [](const std::vector<std::vector<float>>& values) {
    std::vector<std::uint32_t> all;
    for (const auto& part : values) {
      for (const float v : part) all.push_back(std::isnan(v) ? 1 : std::bit_cast<std::uint32_t>(v));
    }
    return all;
  };
  EXPECT_EQ(bits(gradients(model(x), x)), bits(gradients(alone(x), x)));

  int seen = 0;
  nn::ModuleHook hook = model[1].register_forward_hook([&](nn::Module&, const Tensor& in, const Tensor& out) {
    EXPECT_LT(in.min().item<float>(), 0);
    EXPECT_EQ(out.min().item<float>(), 0);
    ++seen;
    return Tensor();
  });
  model(randn({7, 5}));
  EXPECT_EQ(seen, 1);
  hook.remove();
  hook = model[2].register_forward_hook([&](nn::Module&, const Tensor&, const Tensor& out) {
    EXPECT_LT(out.min().item<float>(), 0);
    ++seen;
    return Tensor();
  });
  model(randn({70, 5}));
  EXPECT_EQ(seen, 2);
  hook.remove();
  model(randn({7, 5}));
  EXPECT_EQ(seen, 2);

  nn::Sequential other{nn::Linear(5, 9), Leaky(), Doubled(9, 9), nn::Relu()};
  const Tensor y = randn({7, 5}), hidden = other[1](other[0](y));
  EXPECT_LT(hidden.min().item<float>(), 0);
  EXPECT_EQ(other(y).to_vector<float>(), relu(other[2](hidden)).to_vector<float>());
}

TEST(Sum, AddsWhatItsPartsGive) {
  nn::Sum model{nn::Linear(3, 2), nn::Sequential{nn::Linear(3, 4), nn::Relu(), nn::Linear(4, 2)}};
  const Tensor x = randn({5, 3});
  EXPECT_EQ(model(x).to_vector<float>(), (model[0](x) + model[1](x)).to_vector<float>());
  EXPECT_EQ(parameter_names(model),
            (std::vector<std::string>{"0.weight", "0.bias", "1.0.weight", "1.0.bias", "1.2.weight", "1.2.bias"}));
  EXPECT_THROW(nn::Sum()(x), StateError);
}

nn::Sequential mlp() {
  manual_seed(9);
  return nn::Sequential{nn::Linear(37, 64), nn::Relu(),        nn::Dropout(0.3), nn::Linear(64, 33),
                        nn::Tanh(),         nn::Linear(33, 3), nn::Sigmoid()};
}

TEST(Inference, ARowAloneEqualsThatRowInABatch) {
  nn::Sequential model = mlp();
  model.eval();
  NoGrad no_grad;
  const Tensor x = randn({10000, 37});
  const std::vector<float> together = model(x).to_vector<float>();
  for (const std::int64_t row : {0, 1, 4097, 9998, 9999}) {
    const std::vector<float> alone = model(x.slice(0, row, row + 1)).to_vector<float>();
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + row * 3)) << row;
  }
}

TEST(Inference, OneModuleServesManyThreads) {
  nn::Sequential model = mlp();
  model.eval();
  const Tensor x = randn({64, 37});
  std::vector<float> expected;
  {
    NoGrad no_grad;
    expected = model(x).to_vector<float>();
  }
  std::vector<int> agreed(8);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      NoGrad no_grad;
      for (int i = 0; i < 50; ++i) agreed[t] += model(x).to_vector<float>() == expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : agreed) EXPECT_EQ(count, 50);
}

TEST(Module, AConstOneIsCalledInEvaluation) {
  nn::Sequential model{nn::Linear(3, 4), nn::Dropout(0.5)};
  const nn::Module& constant = model;
  const Tensor x = ones({2, 3});
  EXPECT_THROW(constant(x), StateError);
  model.eval();
  EXPECT_EQ(constant(x).to_vector<float>(), model(x).to_vector<float>());
}

}  // namespace
