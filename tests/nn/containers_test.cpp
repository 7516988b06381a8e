#include "tern/nn/containers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/nn/activations.h"
#include "tern/nn/architecture.h"
#include "tern/nn/embedding.h"
#include "tern/nn/linear.h"
#include "tern/nn/norm.h"
#include "tern/tensor/creation.h"

namespace {

using namespace tern;
using Names = std::vector<std::string>;

Names names_of(const nn::Module& module) {
  Names names;
  for (const auto& [name, p] : module.named_parameters()) names.push_back(name);
  return names;
}

nn::ModuleDict dictionary() {
  nn::ModuleDict dict;
  dict.insert("right", nn::Linear({.in = 3, .out = 2, .bias = false})).insert("left", nn::Relu());
  return dict;
}

TEST(ModuleList, HoldsModulesThatOthersCall) {
  nn::ModuleList list{nn::Linear(3, 4), nn::Relu()};
  list.append(nn::Linear(4, 1));
  EXPECT_EQ(list.size(), 3u);
  EXPECT_EQ(names_of(list), (Names{"0.weight", "0.bias", "2.weight", "2.bias"}));
  EXPECT_EQ(list[1].type_name(), "Relu");
  EXPECT_THROW(list[3], IndexError);
  EXPECT_THROW(list(ones({1, 3})), StateError);
  nn::ModuleList moved{std::move(list)};
  EXPECT_EQ(moved.size(), 3u);
}

TEST(ModuleDict, HoldsModulesByName) {
  nn::ModuleDict dict = dictionary();
  EXPECT_EQ(dict.size(), 2u);
  EXPECT_EQ(dict.names(), (Names{"right", "left"}));
  EXPECT_EQ(names_of(dict), (Names{"right.weight"}));
  EXPECT_TRUE(dict.contains("left"));
  EXPECT_FALSE(dict.contains("up"));
  EXPECT_EQ(dict["left"].type_name(), "Relu");
  EXPECT_THROW(dict["up"], ValueError);
  EXPECT_THROW(dict.insert("left", nn::Relu()), ValueError);
  EXPECT_THROW(dict.insert("", nn::Relu()), ValueError);
  EXPECT_THROW(dict.insert("a.b", nn::Relu()), ValueError);
  EXPECT_THROW(dict.insert("none", std::unique_ptr<nn::Module>()), ValueError);
  EXPECT_THROW(dict(ones({1, 3})), StateError);
  EXPECT_EQ(dict.size(), 2u);
}

TEST(Containers, AreRecordedMadeAndCloned) {
  manual_seed(3);
  nn::ModuleDict dict = dictionary();
  dict.insert("list", nn::ModuleList{nn::Linear(2, 2), nn::Prelu({.count = 2})});
  const std::string json = nn::architecture(dict);
  EXPECT_NE(json.find(R"({"name":"left","type":"Relu"})"), std::string::npos) << json;
  const auto made = nn::make_module(json);
  EXPECT_EQ(nn::architecture(*made), json);
  const auto copy = nn::clone(dict);
  const auto from = dict.named_parameters(), to = copy->named_parameters();
  ASSERT_EQ(from.size(), to.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    EXPECT_EQ(from[i].first, to[i].first);
    EXPECT_FALSE(from[i].second.is_same(to[i].second));
    EXPECT_EQ(from[i].second.to_vector<float>(), to[i].second.to_vector<float>());
  }
  const auto broken = [](const std::string& parts) {
    EXPECT_THROW(nn::make_module(R"({"format":1,"type":"ModuleDict","parts":[)" + parts + "]}"), FormatError) << parts;
  };
  broken(R"({"type":"Relu"})");
  broken(R"({"name":"a.b","type":"Relu"})");
  broken(R"({"name":"a","type":"Relu"},{"name":"a","type":"Relu"})");
}

TEST(Containers, KeepTiesOfAnEmbedding) {
  nn::Embedding table(10, 4);
  nn::Linear head({.in = 4, .out = 10, .bias = false});
  head.weight = table.weight;
  nn::Sequential model{std::move(table), std::move(head)};
  EXPECT_EQ(names_of(model), (Names{"0.weight"}));
  const auto copy = nn::clone(model);
  EXPECT_EQ(copy->parameters().size(), 1u);
  const Tensor ids = tensor({1, 9}, i64);
  EXPECT_EQ((*copy)(ids).to_vector<float>(), model(ids).to_vector<float>());
  model(ids).sum().backward();
  EXPECT_TRUE(model.parameters()[0].grad().defined());
}

TEST(Embedding, StartsNormalAndChecks) {
  manual_seed(3);
  nn::Embedding table({.count = 500, .width = 100, .padding = 7});
  double sum = 0, square = 0;
  for (const float v : table.weight.to_vector<float>()) {
    sum += v;
    square += double{v} * v;
  }
  EXPECT_NEAR(sum / 50000, 0, 0.02);
  EXPECT_NEAR(square / 50000, 499.0 / 500, 0.02);
  EXPECT_EQ(table(tensor({7}, i64)).to_vector<float>(), std::vector<float>(100));
  EXPECT_EQ(table(tensor({{1, 2, 3}, {4, 5, 6}}, i64)).shape(), (Shape{2, 3, 100}));
  EXPECT_EQ(table(zeros({0}, i64)).shape(), (Shape{0, 100}));
  EXPECT_THROW(table(tensor({500}, i64)), IndexError);
  EXPECT_THROW(table(tensor({-1}, i64)), IndexError);
  EXPECT_THROW(table(ones({2})), DTypeError);
  EXPECT_THROW(nn::Embedding(0, 3), ValueError);
  EXPECT_THROW(nn::Embedding(3, 0), ValueError);
  EXPECT_THROW(nn::Embedding(std::int64_t{1} << 40, std::int64_t{1} << 40), ValueError);
  EXPECT_THROW(nn::Embedding({.count = 3, .width = 3, .padding = 3}), ValueError);
  EXPECT_THROW(nn::Embedding({.count = 3, .width = 3, .dtype = i64}), DTypeError);
  const std::string json = nn::architecture(table);
  EXPECT_EQ(json,
            R"({"format":1,"dtype":"f32","type":"Embedding","count":500,"width":100,"padding":7,"sparse":false})");
  EXPECT_EQ(nn::architecture(*nn::make_module(json)), json);
  for (const char* bad : {R"("count":0,"width":3,"padding":-1,"sparse":false)",
                          R"("count":9000000000,"width":9000000000,"padding":-1,"sparse":false)",
                          R"("count":3,"width":3,"padding":3,"sparse":false)",
                          R"("count":100000,"width":100000,"padding":-1,"sparse":false)"}) {
    EXPECT_THROW(nn::make_module(std::string(R"({"format":1,"type":"Embedding",)") + bad + "}"), FormatError) << bad;
  }
}

TEST(Norms, CheckTheirOptions) {
  EXPECT_THROW(nn::LayerNorm(0), ValueError);
  EXPECT_THROW(nn::LayerNorm({.shape = {3}, .eps = -1}), ValueError);
  EXPECT_THROW(nn::LayerNorm({.shape = {3}, .dtype = i64}), DTypeError);
  EXPECT_THROW(nn::RmsNorm(-2), ValueError);
  EXPECT_THROW(nn::RmsNorm({.shape = {3}, .eps = NAN}), ValueError);
  EXPECT_EQ(nn::LayerNorm(3).num_parameters(), 6);
  EXPECT_EQ(nn::LayerNorm({.shape = {3}, .bias = false}).num_parameters(), 3);
  EXPECT_EQ(nn::RmsNorm({.shape = {3}, .affine = false}).num_parameters(), 0);
  EXPECT_THROW(nn::LayerNorm(3)(ones({2, 4})), ShapeError);
  EXPECT_THROW(nn::LayerNorm(Shape{}), ValueError);
  EXPECT_THROW(nn::RmsNorm(Shape{3, 0}), ValueError);
  EXPECT_THROW(nn::LayerNorm(Shape{1 << 30, 1 << 30}), ValueError);
  EXPECT_EQ(nn::LayerNorm({3, 4}).num_parameters(), 24);
  EXPECT_THROW(nn::LayerNorm({3, 4})(ones({4, 3})), ShapeError);
}

TEST(Activations, CheckTheirOptions) {
  EXPECT_THROW(nn::Elu({.alpha = INFINITY}), ValueError);
  EXPECT_THROW(nn::Celu({.alpha = 0}), ValueError);
  EXPECT_THROW(nn::Hardtanh({.low = 1, .high = 0}), ValueError);
  EXPECT_THROW(nn::Threshold({.bound = NAN}), ValueError);
  EXPECT_THROW(nn::Prelu({.count = 0}), ValueError);
  EXPECT_THROW(nn::Prelu({.dtype = i64}), DTypeError);
  EXPECT_THROW(nn::Softmax({.dim = 100}), ValueError);
  EXPECT_THROW(nn::LogSoftmax({.dim = -100}), ValueError);
  EXPECT_THROW(nn::Glu({.dim = 100}), ValueError);
}

}  // namespace
