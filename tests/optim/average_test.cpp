#include "tern/optim/average.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/random.h"
#include "tern/nn/activations.h"
#include "tern/nn/linear.h"
#include "tern/nn/safetensors.h"
#include "tern/nn/sequential.h"
#include "tern/ops/loss.h"
#include "tern/optim/optimizers.h"
#include "tern/tensor/creation.h"

namespace {

using namespace tern;
using optim::AverageOptions;
using optim::WeightAverage;
using Doubles = std::vector<double>;

const AverageOptions kSwa{.kind = AverageOptions::Kind::swa};

void set(nn::Linear& layer, double weight) {
  NoGrad no_grad;
  layer.weight.fill_(weight);
}

nn::Linear layer() {
  nn::Linear one({.in = 1, .out = 1, .bias = false, .dtype = f64});
  set(one, 8);
  return one;
}

TEST(WeightAverage, IsSwappedInAndOut) {
  for (const bool ema : {true, false}) {
    nn::Linear one = layer();
    WeightAverage average(one, ema ? AverageOptions{.decay = 0.75} : kSwa);
    EXPECT_THROW(average.swap(), StateError);
    const Tensor weight = one.weight;
    average.update();
    set(one, 4);
    average.update();
    set(one, 2);
    average.update();
    EXPECT_EQ(average.updates(), 3);
    {
      optim::Averaged scope(average);
      EXPECT_TRUE(average.is_swapped());
      EXPECT_NEAR(weight.item<double>(), ema ? 0.75 * (0.75 * 8 + 0.25 * 4) + 0.25 * 2 : 14.0 / 3, 1e-15);
      EXPECT_TRUE(one.weight.is_same(weight));
      EXPECT_THROW(average.update(), StateError);
      EXPECT_THROW(average.state_dict(), StateError);
      EXPECT_THROW(average.load_state_dict({}), StateError);
    }
    EXPECT_FALSE(average.is_swapped());
    EXPECT_EQ(weight.item<double>(), 2);
    set(one, 1);  // goes on
    average.update();
  }
  nn::Linear one = layer();
  EXPECT_THROW(WeightAverage(one, {.decay = 1}), ValueError);
  EXPECT_THROW(WeightAverage(one, {.decay = -0.1}), ValueError);
}

TEST(WeightAverage, IsPyTorchs) {
  const auto file = from_safetensors(read_file(std::string(TERN_TEST_DATA) + "/average.safetensors"));
  const std::map<std::string, Tensor> data(file.tensors.begin(), file.tensors.end());
  for (const std::string kind : {"ema", "swa"}) {
    nn::Sequential model{nn::Linear(8, 4), nn::Tanh(), nn::Linear(4, 1)};
    TensorFile initial;
    for (const auto& [key, tensor] : data) {
      if (key.starts_with("initial.")) initial.tensors.emplace_back(key.substr(8), tensor);
    }
    model.to(f64);
    nn::load_weights(model, initial);
    optim::Sgd sgd(model.parameters(), {.lr = 0.5, .momentum = 0.9});
    WeightAverage average(model, kind == "ema" ? AverageOptions{.decay = 0.9} : kSwa);
    for (int step = 0; step < 20; ++step) {
      sgd.zero_grad();
      bce_with_logits(model(data.at("x")), data.at("y")).backward();
      sgd.step();
      average.update();
    }
    for (const auto& [key, tensor] : average.state_dict()) {
      if (key == "n_averaged") continue;
      const Doubles actual = tensor.to_vector<double>(), expected = data.at(kind + "." + key).to_vector<double>();
      ASSERT_EQ(actual.size(), expected.size());
      for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-10) << kind << " " << key;
    }
  }
}

TEST(WeightAverage, OfHalvesMoves) {
  nn::Linear one = layer();
  one.to(bf16);
  WeightAverage average(one, {.decay = 0.999});
  average.update();
  set(one, 9);
  for (int i = 0; i < 1000; ++i) average.update();
  const auto state = average.state_dict();
  const double expected = 9 - std::pow(0.999, 1000);
  EXPECT_EQ(state[1].second.dtype(), f32);
  EXPECT_NEAR(state[1].second.item<float>(), expected, 1e-3);
  average.swap();
  EXPECT_NEAR(static_cast<double>(one.weight.item<BFloat16>()), expected, 0.04);
  average.swap();
  EXPECT_EQ(static_cast<double>(one.weight.item<BFloat16>()), 9);
  WeightAverage other(one, {.decay = 0.999});
  other.load_state_dict(state);
  EXPECT_EQ(other.state_dict()[1].second.item<float>(), state[1].second.item<float>());
}

TEST(WeightAverage, SavesAndLoads) {
  nn::Linear one = layer(), two = layer();
  WeightAverage average(one), resumed(two);
  resumed.load_state_dict(average.state_dict());
  average.update();
  set(one, 4);
  average.update();
  const std::string state = to_safetensors({.tensors = average.state_dict()});
  resumed.load_state_dict(from_safetensors(state).tensors);
  set(two, 4);
  set(one, 3);
  set(two, 3);
  average.update();
  resumed.update();
  EXPECT_EQ(to_safetensors({.tensors = resumed.state_dict()}), to_safetensors({.tensors = average.state_dict()}));

  auto sorted = average.state_dict();  // by whoever wrote it
  std::reverse(sorted.begin(), sorted.end());
  resumed.load_state_dict(sorted);
  EXPECT_EQ(to_safetensors({.tensors = resumed.state_dict()}), to_safetensors({.tensors = average.state_dict()}));

  const auto good = average.state_dict();
  resumed.load_state_dict(good);
  Tensor(good[1].second).fill_(7);  // of which it has a copy
  EXPECT_NE(resumed.state_dict()[1].second.item<double>(), 7);
  const auto broken = [&](auto change) {
    nn::NamedTensors other = good;
    change(other);
    EXPECT_THROW(average.load_state_dict(other), FormatError);
    EXPECT_EQ(average.updates(), 3);
  };
  broken([](auto& s) { s.clear(); });
  broken([](auto& s) { s.pop_back(); });
  broken([](auto& s) { s.push_back(s[1]); });
  broken([](auto& s) { s[0].second = Tensor(); });
  broken([](auto& s) { s[1].second = Tensor(); });
  broken([](auto& s) { s[0].second = scalar(-1, i64); });
  broken([](auto& s) { s[1].first = "module.other"; });
  broken([](auto& s) { s[1].second = ones({2, 1}, f64); });
  broken([](auto& s) { s[1].second = ones({1, 1}); });
}

// The mean over a large batch, batch by batch: gradients add up until the step.
TEST(Accumulation, EqualsTheStepOfTheWholeBatch) {
  const auto run = [](int parts) {
    manual_seed(4);
    nn::Sequential model{nn::Linear(3, 5), nn::Tanh(), nn::Linear(5, 1)};
    model.to(f64);
    const Tensor x = randn({24, 3}, f64), y = randn({24, 1}, f64);
    optim::AdamW optimizer(model.parameters(), {.lr = 0.01});
    for (int step = 0; step < 5; ++step) {
      optimizer.zero_grad();
      for (int part = 0; part < parts; ++part) {
        const int rows = 24 / parts, from = part * rows;
        (mse_loss(model(x.slice(0, from, from + rows)), y.slice(0, from, from + rows)) * (1.0 / parts)).backward();
      }
      optimizer.step();
    }
    Doubles all;
    for (const Tensor& p : model.parameters()) {
      for (const double v : p.to_vector<double>()) all.push_back(v);
    }
    return all;
  };
  const Doubles whole = run(1), parts = run(4);
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(parts[i], whole[i], 1e-12);
}

}  // namespace
