// Each module against PyTorch's in float64 (golden/make_modules.py): output and gradients.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>

#include "tern/base/file.h"
#include "tern/nn/activations.h"
#include "tern/nn/containers.h"
#include "tern/nn/embedding.h"
#include "tern/nn/linear.h"
#include "tern/nn/norm.h"
#include "tern/nn/safetensors.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace {

using namespace tern;

struct Residual : nn::Module {
  nn::ModuleList layers{nn::Linear(6, 6), nn::Linear(6, 6)};
  nn::ModuleDict heads;
  Residual() { heads.insert("left", nn::Linear(6, 2)).insert("right", nn::Linear({.in = 6, .out = 2, .bias = false})); }
  TERN_MODULE(Residual, layers, heads)
  Tensor forward(const Tensor& x) override {
    Tensor y = x;
    for (std::size_t i = 0; i < layers.size(); ++i) y = y + tanh(layers[i](y));
    return heads["left"](y) * heads["right"](y);
  }
};

template <class M, class... Options>
std::unique_ptr<nn::Module> make(const Options&... options) {
  return std::make_unique<M>(options...);
}

std::map<std::string, std::unique_ptr<nn::Module>> modules() {
  std::map<std::string, std::unique_ptr<nn::Module>> all;
  all["Linear"] = make<nn::Linear>(6, 4);
  all["ReLU"] = make<nn::Relu>();
  all["Tanh"] = make<nn::Tanh>();
  all["Sigmoid"] = make<nn::Sigmoid>();
  all["GELU"] = make<nn::Gelu>();
  all["GELUTanh"] = make<nn::Gelu>(nn::GeluOptions{.tanh = true});
  all["SiLU"] = make<nn::Silu>();
  all["Softplus"] = make<nn::Softplus>();
  all["LeakyReLU"] = make<nn::LeakyRelu>(nn::LeakyReluOptions{.slope = 0.2});
  all["ReLU6"] = make<nn::Relu6>();
  all["SELU"] = make<nn::Selu>();
  all["Hardsigmoid"] = make<nn::Hardsigmoid>();
  all["Hardswish"] = make<nn::Hardswish>();
  all["Mish"] = make<nn::Mish>();
  all["Softsign"] = make<nn::Softsign>();
  all["LogSigmoid"] = make<nn::LogSigmoid>();
  all["ELU"] = make<nn::Elu>(nn::EluOptions{.alpha = 0.7});
  all["CELU"] = make<nn::Celu>(nn::CeluOptions{.alpha = 1.3});
  all["Hardtanh"] = make<nn::Hardtanh>(nn::HardtanhOptions{.low = -0.5, .high = 0.8});
  all["Threshold"] = make<nn::Threshold>(nn::ThresholdOptions{.bound = 0.1, .value = 20});
  all["PReLU"] = make<nn::Prelu>(nn::PreluOptions{.count = 6, .initial = 0.3});
  all["Softmax"] = make<nn::Softmax>(nn::SoftmaxOptions{.dim = 0});
  all["LogSoftmax"] = make<nn::LogSoftmax>();
  all["GLU"] = make<nn::Glu>();
  all["Flatten"] = make<nn::Flatten>();
  all["Embedding"] = make<nn::Embedding>(7, 4);
  all["EmbeddingPadding"] = make<nn::Embedding>(nn::EmbeddingOptions{.count = 7, .width = 4, .padding = 3});
  all["LayerNorm"] = make<nn::LayerNorm>(nn::LayerNormOptions{.shape = {6}, .eps = 1e-3});
  all["LayerNormNoBias"] = make<nn::LayerNorm>(nn::LayerNormOptions{.shape = {6}, .bias = false});
  all["LayerNormPlain"] = make<nn::LayerNorm>(nn::LayerNormOptions{.shape = {6}, .affine = false});
  all["RMSNorm"] = make<nn::RmsNorm>(6);
  all["RMSNormPlain"] = make<nn::RmsNorm>(nn::RmsNormOptions{.shape = {6}, .eps = 0.1, .affine = false});
  all["Residual"] = make<Residual>();
  all["LayerNormOfTwo"] = make<nn::LayerNorm>(Shape{3, 4});
  all["RMSNormOfTwo"] = make<nn::RmsNorm>(Shape{3, 4});
  return all;
}

void expect_near(const Tensor& actual, const Tensor& expected, const std::string& what) {
  ASSERT_EQ(actual.shape(), expected.shape()) << what;
  const auto a = actual.to_vector<double>(), e = expected.to_vector<double>();
  for (std::size_t i = 0; i < e.size(); ++i) EXPECT_NEAR(a[i], e[i], 1e-10) << what << " at " << i;
}

TEST(Golden, ModulesArePyTorchs) {
  const auto file = from_safetensors(read_file(std::string(TERN_TEST_DATA) + "/modules.safetensors"));
  const std::map<std::string, Tensor> data(file.tensors.begin(), file.tensors.end());
  auto all = modules();
  for (const auto& [key, tensor] : data) EXPECT_TRUE(all.contains(key.substr(0, key.find('.')))) << key;
  for (auto& [name, module] : all) {
    module->to(f64);
    TensorFile weights;
    for (const auto& [key, tensor] : data) {
      const std::string prefix = name + ".weights.";
      if (key.starts_with(prefix)) weights.tensors.emplace_back(key.substr(prefix.size()), tensor);
    }
    nn::load_weights(*module, weights);
    Tensor x = data.at(name + ".x");
    if (is_floating(x.dtype())) x.requires_grad_();
    const Tensor y = (*module)(x);
    expect_near(y, data.at(name + ".y"), name);
    (y * data.at(name + ".g")).sum().backward();
    if (is_floating(x.dtype())) expect_near(x.grad(), data.at(name + ".grad.x"), name + ".grad.x");
    for (const auto& [key, p] : module->named_parameters()) {
      expect_near(p.grad(), data.at(name + ".grad." + key), name + ".grad." + key);
    }
  }
}

}  // namespace
