#include "tern/nn/architecture.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/nn/activations.h"
#include "tern/nn/containers.h"
#include "tern/nn/embedding.h"
#include "tern/nn/linear.h"
#include "tern/nn/norm.h"
#include "tern/ops/compare.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace {

using namespace tern;

struct WideNet : nn::Module {
  explicit WideNet(std::int64_t width) : body(3, width), head(width, 1) {}
  nn::Linear body, head;
  TERN_MODULE(WideNet, body, head)
  Tensor forward(const Tensor& x) override { return head(relu(body(x))); }
  nn::Attributes attributes() const override { return nn::Attributes().set("width", body.weight.size(0)); }
};

nn::ModuleRegistry with_net() {
  return nn::ModuleRegistry().add(
      "WideNet", [](const nn::Attributes& a) { return std::make_unique<WideNet>(a.get_int("width")); });
}

nn::Sequential example() {
  return nn::Sequential{
      nn::Linear(3, 4), nn::LeakyRelu({.slope = 0.1}), nn::Dropout(0.25),
      nn::Sum{nn::Linear({.in = 4, .out = 2, .bias = false}), nn::Sequential{nn::Tanh(), nn::Linear(4, 2)}}};
}

std::string error_of(const std::string& json, const nn::ModuleRegistry& extra = {},
                     const nn::ArchitectureLimits& limits = {}) {
  try {
    nn::make_module(json, extra, limits);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

TEST(Architecture, RecordsTypesOptionsAndParts) {
  EXPECT_EQ(nn::architecture(example()),
            R"({"format":1,"dtype":"f32","type":"Sequential","parts":[)"
            R"({"name":"0","type":"Linear","in":3,"out":4,"bias":true},)"
            R"({"name":"1","type":"LeakyRelu","slope":0.1},{"name":"2","type":"Dropout","p":0.25},)"
            R"({"name":"3","type":"Sum","parts":[{"name":"0","type":"Linear","in":4,"out":2,"bias":false},)"
            R"({"name":"1","type":"Sequential","parts":[{"name":"0","type":"Tanh"},)"
            R"({"name":"1","type":"Linear","in":4,"out":2,"bias":true}]}]}]})");
}

TEST(Architecture, MakesWhatItRecorded) {
  nn::Sequential everything{nn::Linear(2, 2), nn::Relu(),          nn::Tanh(),      nn::Sigmoid(),   nn::Gelu(),
                            nn::Silu(),       nn::Softplus(),      nn::Identity(),  nn::LeakyRelu(), nn::Dropout(),
                            nn::Flatten(),    nn::Sum{nn::Relu()}, nn::Sequential()};
  everything.append(nn::ModuleList{nn::Gelu({.tanh = true}),
                                   nn::Relu6(),
                                   nn::Selu(),
                                   nn::Hardsigmoid(),
                                   nn::Hardswish(),
                                   nn::Mish(),
                                   nn::Softsign(),
                                   nn::LogSigmoid(),
                                   nn::Elu({.alpha = 2}),
                                   nn::Celu({.alpha = 2}),
                                   nn::Hardtanh({.low = -2}),
                                   nn::Threshold({.bound = 1}),
                                   nn::Prelu({.count = 3}),
                                   nn::Softmax({.dim = 1}),
                                   nn::LogSoftmax(),
                                   nn::Glu(),
                                   nn::Embedding(4, 2),
                                   nn::ModuleDict(),
                                   nn::LayerNorm({.shape = {3}, .eps = 0.1}),
                                   nn::LayerNorm({.shape = {3}, .affine = false}),
                                   nn::LayerNorm({2, 3}),
                                   nn::RmsNorm({4, 1, 2}),
                                   nn::RmsNorm(3)});
  everything.to(f64);
  for (const nn::Module* module :
       {static_cast<const nn::Module*>(&everything), static_cast<const nn::Module*>(&everything[0])}) {
    const std::string json = nn::architecture(*module);
    const auto made = nn::make_module(json);
    EXPECT_EQ(nn::architecture(*made), json);
  }
  EXPECT_EQ(nn::make_module(nn::architecture(everything))->parameters()[0].dtype(), f64);
}

TEST(Architecture, LeavesTheGeneratorAlone) {
  const std::string json = nn::architecture(example());
  manual_seed(4);
  default_generator().offset = 12;
  nn::make_module(json);
  EXPECT_EQ(default_generator().offset, 12u);
}

TEST(Architecture, MakesOnesOwnTypesThroughAFactory) {
  nn::Sequential model{WideNet(5), nn::Sigmoid()};
  const std::string json = nn::architecture(model);
  const std::string error = error_of(json);
  EXPECT_NE(error.find("\"WideNet\""), std::string::npos) << error;
  EXPECT_NE(error.find("add("), std::string::npos) << error;
  const auto made = nn::make_module(json, with_net());
  EXPECT_EQ(nn::architecture(*made), json);
  model.to(f64);
  EXPECT_EQ(nn::make_module(nn::architecture(model), with_net())->parameters()[0].dtype(), f64);

  const auto wrong =
      nn::ModuleRegistry().add("WideNet", [](const nn::Attributes&) { return std::make_unique<WideNet>(6); });
  EXPECT_NE(error_of(json, wrong).find("factory of \"WideNet\""), std::string::npos);
  const auto none =
      nn::ModuleRegistry().add("WideNet", [](const nn::Attributes&) { return std::unique_ptr<nn::Module>(); });
  EXPECT_NE(error_of(json, none).find("none"), std::string::npos);
  EXPECT_THROW(with_net().add("WideNet", [](const nn::Attributes&) { return std::make_unique<WideNet>(1); }),
               ValueError);
  EXPECT_THROW(nn::ModuleRegistry().add("Linear", [](const nn::Attributes&) { return std::make_unique<WideNet>(1); }),
               ValueError);
}

namespace own {
struct Relu : nn::Module {
  TERN_MODULE(Relu)
  Tensor forward(const Tensor& x) override { return x; }
};
struct Deeper : nn::Linear {
  Deeper() : nn::Linear(2, 2) {}
  Tensor forward(const Tensor& x) override { return -x; }
};
struct Odd : nn::Module {
  TERN_MODULE(Odd)
  Tensor forward(const Tensor& x) override { return x; }
  nn::Attributes attributes() const override { return nn::Attributes().set("type", true); }
};
}  // namespace own

TEST(Architecture, RefusesToRecordWhatItCouldNotMake) {
  EXPECT_THROW(nn::architecture(own::Relu()), ValueError);
  EXPECT_THROW(nn::architecture(own::Deeper()), ValueError);
  EXPECT_THROW(nn::architecture(own::Odd()), ValueError);
  nn::Sequential mixed{nn::Linear(2, 2), nn::Linear({.in = 2, .out = 2, .dtype = f64})};
  EXPECT_THROW(nn::architecture(mixed), ValueError);
}

TEST(Architecture, RefusesBrokenFiles) {
  const auto root = [](const std::string& rest) { return R"({"format":1,)" + rest + "}"; };
  for (
      const std::string& json : {
          std::string(),
          std::string("[]"),
          std::string("{"),
          std::string(R"({"type":"Relu"})"),
          std::string(R"({"format":2,"type":"Relu"})"),
          std::string(R"({"format":1,"format":1,"type":"Relu"})"),
          root(R"("type":7)"),
          root(R"("type":"relu")"),
          root(R"("type":"Relu","slope":1)"),
          root(R"("type":"Linear")"),
          root(R"("type":"Linear","in":0,"out":4,"bias":true)"),
          root(R"("type":"Linear","in":-3,"out":4,"bias":true)"),
          root(R"("type":"Linear","in":2.5,"out":4,"bias":true)"),
          root(R"("type":"Linear","in":2,"out":4,"bias":1)"),
          root(R"("type":"Linear","in":2,"out":4,"bias":true,"more":1)"),
          root(R"("type":"Linear","in":4000000000,"out":4000000000,"bias":true)"),
          root(R"("type":"Linear","in":18446744073709551615,"out":1,"bias":true)"),
          root(R"("type":"Linear","in":100000,"out":100000,"bias":true)"),
          root(R"("type":"LayerNorm","size":0,"eps":0.1,"affine":true,"bias":true)"),
          root(R"("type":"LayerNorm","size":3,"eps":-1,"affine":true,"bias":true)"),
          root(R"("type":"LayerNorm","size":3,"eps":0.1,"affine":true)"),
          root(R"("type":"LayerNorm","size":[],"eps":0.1,"affine":true,"bias":true)"),
          root(R"("type":"LayerNorm","size":[3,-1],"eps":0.1,"affine":true,"bias":true)"),
          root(R"("type":"LayerNorm","size":[3,1.5],"eps":0.1,"affine":true,"bias":true)"),
          root(R"("type":"LayerNorm","size":[3,[1]],"eps":0.1,"affine":true,"bias":true)"),
          root(R"("type":"LayerNorm","size":[1,1,1,1,1,1,1,1,1],"eps":0.1,"affine":true,"bias":true)"),
          root(R"("type":"LayerNorm","size":[65536,65536],"eps":0.1,"affine":true,"bias":true)"),
          root(R"("type":"Linear","in":[2],"out":1,"bias":true)"),
          root(R"("type":"RmsNorm","size":1000000000,"eps":0.1,"affine":true)"),
          root(R"("type":"RmsNorm","size":9223372036854775807,"eps":0.1,"affine":true)"),
          root(R"("type":"Dropout","p":1.5)"),
          root(R"("type":"Dropout","p":null)"),
          root(R"("type":"Relu","parts":[])"),
          root(R"("type":"Sequential","parts":{})"),
          root(R"("type":"Sequential","parts":[3])"),
          root(R"("type":"Sequential","parts":[{"type":"Relu"}])"),
          root(R"("type":"Sequential","parts":[{"name":"1","type":"Relu"}])"),
          root(R"("type":"Sequential","parts":[{"name":"0","type":"Relu","dtype":"f32"}])"),
          root(R"("type":"Relu","dtype":"i64")"),
          root(R"("type":"Relu","tied":3)"),
          root(R"("type":"Relu","tied":[["0.weight"]])"),
          root(
              R"("type":"Sequential","tied":[["0.weight","1.weight"]],"parts":[{"name":"0","type":"Linear","in":2,"out":4,)"
              R"("bias":true},{"name":"1","type":"Linear","in":4,"out":2,"bias":true}])"),
      }) {
    EXPECT_NE(error_of(json), "") << json;
  }
  EXPECT_EQ(error_of(root(R"("type":"Relu")")), "");
}

TEST(Architecture, KeepsItsLimits) {
  std::string deep = R"({"name":"0","type":"Relu"})";
  for (int i = 0; i < 20; ++i) deep = R"({"name":"0","type":"Sequential","parts":[)" + deep + "]}";
  deep.replace(1, 10, R"("format":1)");
  EXPECT_EQ(error_of(deep), "");
  EXPECT_NE(error_of(deep, {}, {.max_depth = 19}).find("deep"), std::string::npos);
  EXPECT_NE(error_of(deep, {}, {.max_modules = 20}).find("modules"), std::string::npos);
  const std::string json = nn::architecture(nn::Sequential{nn::Linear(10, 10), nn::Linear(10, 10)});
  EXPECT_EQ(error_of(json, {}, {.max_parameters = 220}), "");
  EXPECT_NE(error_of(json, {}, {.max_parameters = 219}).find("parameters"), std::string::npos);
}

TEST(Clone, IsDeepAndTheSame) {
  nn::Sequential model = example();
  model[1].eval();
  model.parameters()[1].requires_grad_(false);
  model.to(f64);
  const auto copy = nn::clone(model);
  EXPECT_EQ(nn::architecture(*copy), nn::architecture(model));
  EXPECT_TRUE(copy->is_training());
  EXPECT_FALSE(copy->modules()[2]->is_training());
  const auto from = model.parameters(), to = copy->parameters();
  for (std::size_t i = 0; i < from.size(); ++i) {
    EXPECT_FALSE(from[i].is_same(to[i]));
    EXPECT_EQ(from[i].to_vector<double>(), to[i].to_vector<double>());
    EXPECT_EQ(to[i].requires_grad(), i != 1);
  }
  NoGrad no_grad;
  to[0].detach().fill_(0);
  EXPECT_NE(from[0].to_vector<double>()[0], 0);
}

TEST(Clone, KeepsTheTypeOfEachParameter) {
  for (const DType dtype : {f16, bf16}) {
    nn::Sequential model = example();
    model.to(dtype);
    EXPECT_EQ(nn::make_module(nn::architecture(model))->parameters()[0].dtype(), dtype);
    model[0].to(f64);
    const auto copy = nn::clone(model);
    const auto from = model.parameters(), to = copy->parameters();
    EXPECT_EQ(to.front().dtype(), f64);
    EXPECT_EQ(to.back().dtype(), dtype);
    for (std::size_t i = 0; i < from.size(); ++i) EXPECT_TRUE(equal(from[i], to[i]));
  }
}

TEST(Clone, KeepsTies) {
  nn::Linear a(3, 3), b(3, 3), c(3, 3);
  b.weight = c.weight = a.weight;
  nn::Sequential model{std::move(a), std::move(b), std::move(c)};
  const std::string json = nn::architecture(model);
  EXPECT_NE(json.find(R"("tied":[["0.weight","1.weight","2.weight"]])"), std::string::npos) << json;
  EXPECT_EQ(nn::make_module(json)->parameters().size(), 4u);
  EXPECT_EQ(nn::clone(model)->parameters().size(), 4u);
}

TEST(Clone, WantsAFactoryForOnesOwnTypes) {
  WideNet net(4);
  EXPECT_THROW(nn::clone(net), FormatError);
  const auto copy = nn::clone(net, with_net());
  const Tensor x = randn({2, 3});
  EXPECT_EQ((*copy)(x).to_vector<float>(), net(x).to_vector<float>());
}

}  // namespace
