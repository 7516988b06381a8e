// The same network, data and order as PyTorch's in golden/make_golden.py, 20 steps of each optimizer.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "optim/golden.h"
#include "tern/base/file.h"
#include "tern/nn/activations.h"
#include "tern/nn/linear.h"
#include "tern/nn/safetensors.h"
#include "tern/nn/sequential.h"
#include "tern/ops/loss.h"
#include "tern/optim/clip.h"
#include "tern/optim/optimizers.h"

namespace {

using namespace tern;

TensorFile under(const std::map<std::string, Tensor>& tensors, const std::string& prefix) {
  TensorFile file;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) file.tensors.emplace_back(name.substr(prefix.size()), tensor);
  }
  return file;
}

struct Case {
  const char* name;
  optim::OptimizerOptions options;
};

const Case kCases[] = {
    {"sgd", optim::SgdOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-2}},
    {"sgd_plain", optim::SgdOptions{.lr = 0.5}},
    {"sgd_dampened", optim::SgdOptions{.lr = 0.2, .momentum = 0.8, .dampening = 0.3}},
    {"sgd_nesterov", optim::SgdOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-3, .nesterov = true}},
    {"adamw", optim::AdamWOptions{.lr = 1e-2, .weight_decay = 5e-2}},
    {"adamw_betas", optim::AdamWOptions{.lr = 3e-3, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-6, .weight_decay = 0}},
    {"adamw_amsgrad", optim::AdamWOptions{.lr = 2e-2, .beta1 = 0.7, .beta2 = 0.6, .amsgrad = true}},
    {"adam", optim::AdamOptions{.lr = 1e-2}},
    {"adam_decay", optim::AdamOptions{.lr = 1e-2, .beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-5, .weight_decay = 0.1}},
    {"adam_amsgrad", optim::AdamOptions{.lr = 2e-2, .beta1 = 0.7, .beta2 = 0.6, .amsgrad = true}},
    {"nadam", optim::NAdamOptions{.lr = 1e-2, .weight_decay = 0.05}},
    {"nadam_decoupled",
     optim::NAdamOptions{
         .lr = 2e-2, .beta1 = 0.8, .beta2 = 0.9, .weight_decay = 0.05, .decoupled = true, .momentum_decay = 0.3}},
    {"radam", optim::RAdamOptions{.lr = 2e-2, .weight_decay = 0.05}},
    {"radam_decoupled",
     optim::RAdamOptions{
         .lr = 2e-2, .beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-4, .weight_decay = 0.05, .decoupled = true}},
    {"rmsprop", optim::RmspropOptions{.lr = 1e-3}},
    {"rmsprop_momentum", optim::RmspropOptions{.lr = 1e-3, .alpha = 0.9, .weight_decay = 0.05, .momentum = 0.8}},
    {"rmsprop_centered", optim::RmspropOptions{.lr = 1e-3, .epsilon = 1e-3, .centered = true}},
    {"rmsprop_both",
     optim::RmspropOptions{.lr = 1e-3, .alpha = 0.8, .epsilon = 1e-2, .momentum = 0.5, .centered = true}},
    {"adagrad", optim::AdagradOptions{.lr = 0.05}},
    {"adagrad_set",
     optim::AdagradOptions{.lr = 0.1, .lr_decay = 0.1, .epsilon = 1e-6, .weight_decay = 0.05, .initial = 0.2}},
    {"adadelta", optim::AdadeltaOptions{}},
    {"adadelta_set", optim::AdadeltaOptions{.lr = 0.5, .rho = 0.8, .epsilon = 1e-4, .weight_decay = 0.05}},
    {"lion", optim::LionOptions{.lr = 1e-3}},
    {"lion_decay", optim::LionOptions{.lr = 3e-3, .beta1 = 0.8, .beta2 = 0.9, .weight_decay = 0.1}},
    {"climbing", optim::AdamWOptions{.lr = 1e-2, .maximize = true}},
    {"sgd_climbing", optim::SgdOptions{.lr = 0.1, .momentum = 0.5, .weight_decay = 1e-2, .maximize = true}},
};

class Parity : public ::testing::TestWithParam<Case> {
 protected:
  // Trains in `dtype`; gives the Euclidean distance of the weights from PyTorch's in float64, and the largest one of a
  // single weight or loss.
  struct Distance {
    double euclidean = 0, largest = 0, largest_loss = 0;
  };
  Distance train(DType dtype) {
    nn::Sequential model{nn::Linear(8, 16), nn::Relu(), nn::Linear(16, 8), nn::Tanh(), nn::Linear(8, 1)};
    nn::load_weights(model, under(data_, "initial."));
    model.to(dtype);
    const auto optimizer = optim::make_optimizer(GetParam().options, model.parameters());
    const Tensor x = data_.at("x").to(dtype), y = data_.at("y").to(dtype);
    const std::string prefix = std::string(GetParam().name) + ".";
    const auto losses = data_.at(prefix + "losses").to_vector<double>();
    Distance distance;
    for (int step = 0; step < 20; ++step) {
      const int row = 16 * (step % 4);
      optimizer->zero_grad();
      const Tensor loss = bce_with_logits(model(x.slice(0, row, row + 16)), y.slice(0, row, row + 16));
      loss.backward();
      optimizer->step();
      distance.largest_loss = std::max(distance.largest_loss, std::fabs(loss.item<double>() - losses[step]));
    }
    for (const auto& [name, p] : model.named_parameters()) {
      const auto expected = data_.at(prefix + "f64." + name).to_vector<double>();
      const auto actual = p.detach().to(f64).to_vector<double>();
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const double difference = std::fabs(actual[i] - expected[i]);
        distance.euclidean += difference * difference;
        distance.largest = std::max(distance.largest, difference);
      }
    }
    distance.euclidean = std::sqrt(distance.euclidean);
    return distance;
  }

  std::map<std::string, Tensor> data_ = golden("parity.safetensors");
};

TEST_P(Parity, Float64) {
  const Distance distance = train(f64);
  EXPECT_LT(distance.largest, 1e-10);
  EXPECT_LT(distance.largest_loss, 1e-10);
  RecordProperty("largest", std::to_string(distance.largest * 1e10) + "e-10");
}

TEST_P(Parity, Float32IsAtMostTwiceAsFarAsPyTorchs) {
  const double torch = data_.at(std::string(GetParam().name) + ".f32_error").item<double>();
  const double tern = train(f32).euclidean;
  EXPECT_GT(tern, 0);
  EXPECT_LE(tern, 2 * torch) << "PyTorch " << torch;
  RecordProperty("over_pytorch", std::to_string(tern / torch));
}

INSTANTIATE_TEST_SUITE_P(PyTorch, Parity, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

TEST(Clip, GradientsAreThoseOfPyTorch) {
  const auto data = golden("clip.safetensors");
  const auto before = [&] {
    std::vector<Tensor> parameters;
    for (const char* name : {"a", "b"}) {
      parameters.push_back(data.at(name).clone().requires_grad_());
      parameters.back().set_grad(data.at(name).clone());
    }
    return parameters;
  };
  const auto expect_after = [&](const std::vector<Tensor>& parameters, const std::string& how) {
    for (std::size_t i = 0; i < 2; ++i) {
      const auto expected = data.at((i == 0 ? "a_" : "b_") + how).to_vector<double>();
      const auto actual = parameters[i].grad().to_vector<double>();
      ASSERT_EQ(actual.size(), expected.size());
      for (std::size_t k = 0; k < expected.size(); ++k) EXPECT_NEAR(actual[k], expected[k], 1e-14) << how;
    }
  };
  const auto by_norm = before(), by_value = before();
  EXPECT_NEAR(optim::clip_grad_norm(by_norm, 0.7), data.at("norm").item<double>(), 1e-14);
  expect_after(by_norm, "clipped");
  optim::clip_grad_value(by_value, 0.4);
  expect_after(by_value, "by_value");
}

}  // namespace
