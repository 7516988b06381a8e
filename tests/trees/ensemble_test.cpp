#include "tern/trees/ensemble.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

#include "message_of.h"
#include "tern/base/error.h"
#include "trees/models.h"
#include "trees/naive.h"

namespace tern::trees {
namespace {

std::string fault(const std::function<void(Ensemble&)>& change) {
  Ensemble model = random_ensemble({});
  change(model);
  return message_of<ValueError>([&] { model.check("read"); });
}

std::size_t numeric_node(const Tree& tree) {
  std::size_t node = 0;
  while (tree.set[node] >= 0) ++node;
  return node;
}

std::size_t categorical_node(const Tree& tree) {
  std::size_t node = 0;
  while (tree.set[node] < 0) ++node;
  return node;
}

TEST(Ensemble, SoundModelsPass) {
  random_ensemble({}).check();
  random_ensemble({.outputs = 3}).check();
  random_ensemble({.leaves = 1}).check();
  Ensemble empty;
  empty.check();
  EXPECT_EQ(empty.rounds(), 0);
  EXPECT_EQ(empty.used_trees(), 0);
}

TEST(Ensemble, CountsRoundsAndDepth) {
  Ensemble model = random_ensemble({.rounds = 4, .outputs = 3});
  EXPECT_EQ(model.rounds(), 4);
  EXPECT_EQ(model.used_trees(), 12);
  model.best_round = 1;
  EXPECT_EQ(model.used_trees(), 6);
  EXPECT_EQ(model.find("f2"), 2);
  EXPECT_EQ(model.find("g"), -1);
  Tree chain;
  chain.add_node(0, 1.0, false, 0, 0);
  chain.add_node(0, 0.0, false, 0, 0);
  for (int leaf = 0; leaf < 3; ++leaf) chain.add_leaf(leaf, 1);
  chain.left = {1, ~0};
  chain.right = {~2, ~1};
  EXPECT_EQ(chain.depth(), 2);
  EXPECT_EQ(random_ensemble({.leaves = 1}).trees[0].depth(), 0);
}

TEST(Ensemble, EveryBoundIsChecked) {
  const std::pair<const char*, std::function<void(Ensemble&)>> faults[] = {
      {"a feature that the ensemble has", [](Ensemble& m) { m.trees[2].feature[1] = 6; }},
      {"a feature that the ensemble has", [](Ensemble& m) { m.trees[2].feature[1] = -1; }},
      {"children that the tree has", [](Ensemble& m) { m.trees[2].left[1] = 1000; }},
      {"children that the tree has", [](Ensemble& m) { m.trees[2].left[1] = ~1000; }},
      {"children that the tree has",
       [](Ensemble& m) { m.trees[2].left[1] = std::numeric_limits<std::int32_t>::min(); }},
      {"children behind it", [](Ensemble& m) { m.trees[2].left[1] = 1; }},
      {"children behind it", [](Ensemble& m) { m.trees[2].right[1] = 0; }},
      {"children of its own", [](Ensemble& m) { m.trees[2].right[0] = m.trees[2].left[0]; }},
      {"one leaf more", [](Ensemble& m) { m.trees[2].add_leaf(0, 0); }},
      {"arrays of one length", [](Ensemble& m) { m.trees[2].threshold.pop_back(); }},
      {"arrays of one length", [](Ensemble& m) { m.trees[2].left_default.pop_back(); }},
      {"arrays of one length", [](Ensemble& m) { m.trees[2].gain.pop_back(); }},
      {"a cover for each leaf", [](Ensemble& m) { m.trees[2].leaf_cover.pop_back(); }},
      {"a default side", [](Ensemble& m) { m.trees[2].left_default[0] = 2; }},
      {"a threshold that is a number", [](Ensemble& m) { m.trees[2].threshold[numeric_node(m.trees[2])] = kMissing; }},
      {"a set for its categorical", [](Ensemble& m) { m.trees[2].set[categorical_node(m.trees[2])] = -1; }},
      {"a set for its categorical", [](Ensemble& m) { m.trees[2].set[numeric_node(m.trees[2])] = -2; }},
      {"a set that the tree has", [](Ensemble& m) { m.trees[2].set[categorical_node(m.trees[2])] = 1000; }},
      {"a threshold for its numeric", [](Ensemble& m) { m.trees[2].set[numeric_node(m.trees[2])] = 0; }},
      {"finite leaf values", [](Ensemble& m) { m.trees[2].leaf_value[3] = kMissing; }},
      {"finite gains", [](Ensemble& m) { m.trees[2].gain[0] = kMissing; }},
      {"covers of 0 and more", [](Ensemble& m) { m.trees[2].cover[0] = -1; }},
      {"covers of 0 and more", [](Ensemble& m) { m.trees[2].leaf_cover[0] = kMissing; }},
      {"as many trees for each output", [](Ensemble& m) { m.outputs = 2; }},
      {"at least one output", [](Ensemble& m) { m.outputs = 0; }},
      {"a finite base margin", [](Ensemble& m) { m.base[0] = kMissing; }},
      {"a finite base margin", [](Ensemble& m) { m.base.clear(); }},
      {"a known link", [](Ensemble& m) { m.link = static_cast<Link>(9); }},
      {"a positive scale", [](Ensemble& m) { m.link_scale = 0; }},
      {"names of classes", [](Ensemble& m) { m.classes = {"a"}; }},
      {"names of classes",
       [](Ensemble& m) {
         m.classes = {"a", "a"};
       }},
      {"a best round", [](Ensemble& m) { m.best_round = 5; }},
      {"a best round", [](Ensemble& m) { m.best_round = -2; }},
      {"distinct names of features", [](Ensemble& m) { m.features[1].name = "f0"; }},
      {"a name for each feature", [](Ensemble& m) { m.features[1].name.clear(); }},
      {"distinct levels of \"f5\"", [](Ensemble& m) { m.features[5].levels[1] = m.features[5].levels[0]; }},
      {"no levels for the numeric", [](Ensemble& m) { m.features[0].levels = {"a"}; }},
      {"zero to be a level", [](Ensemble& m) { m.features[5].zero_is_missing = true; }},
  };
  for (const auto& [expected, change] : faults) {
    const std::string message = fault(change);
    EXPECT_EQ(message.rfind("[read] expected ", 0), 0u) << message;
    EXPECT_NE(message.find(expected), std::string::npos) << message;
  }
  EXPECT_NE(fault([](Ensemble& m) { m.trees[2].left[1] = 1000; }).find("node 1 of tree 2"), std::string::npos);
}

TEST(Ensemble, LinksHaveNames) {
  for (const Link link : {Link::identity, Link::sigmoid, Link::softmax, Link::exp}) {
    EXPECT_EQ(parse_link(to_string(link)), link);
  }
  EXPECT_THROW(parse_link("probit"), ValueError);
}

}  // namespace
}  // namespace tern::trees
