#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/number_text.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/trees/formats.h"
#include "trees/flat.h"
#include "trees/foreign.h"
#include "trees/ubjson.h"

// XGBoost's models (its doc/model.schema). A number x goes left when float(x) < condition; a code goes right when it is
// among the node's categories, else left; a missing value goes the default way. Leaves are nodes without children, with
// their value as condition. Numbers of parameters are text.
namespace tern::trees {
namespace {

using tern::internal::Json;
using tern::internal::json_fits;
using tern::internal::json_get;
using tern::internal::json_get_or;
using tern::internal::OrderedJson;

const std::string kXgboost = "xgboost";
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr std::uint64_t kCodes = std::uint64_t{1} << 24;  // XGBoost holds codes as floats

// A code takes few bytes of a file and a bit of a set that may be long: kXgboost all sets of a model may take, in words
// of 64 bits. That lets 64 codes among a million levels stand in each node.
constexpr std::size_t kWordsAnyhow = std::size_t{1} << 23, kWordsPerByte = 64;

[[noreturn]] TERN_COLD void bad_xgboost(const std::string& expected) {
  throw FormatError("[xgboost] expected " + expected);
}

/// How the base score, which is on the scale of predictions, becomes a margin.
enum class Base { itself, logit, log };

struct Objective {
  std::string_view name, objective;
  Link link;
  Base base;
};

// Of those with one name here, the first is written.
constexpr std::array<Objective, 19> objectives{{
    {"reg:squarederror", "squared", Link::identity, Base::itself},
    {"reg:linear", "squared", Link::identity, Base::itself},
    {"reg:squaredlogerror", "squared_log", Link::identity, Base::itself},
    {"reg:absoluteerror", "absolute", Link::identity, Base::itself},
    {"reg:pseudohubererror", "huber", Link::identity, Base::itself},
    {"reg:quantileerror", "quantile", Link::identity, Base::itself},
    {"reg:logistic", "binary", Link::sigmoid, Base::logit},
    {"binary:logistic", "binary", Link::sigmoid, Base::logit},
    {"binary:logitraw", "binary", Link::identity, Base::itself},
    {"multi:softprob", "multiclass", Link::softmax, Base::itself},
    {"multi:softmax", "multiclass", Link::softmax, Base::itself},
    {"count:poisson", "poisson", Link::exp, Base::log},
    {"reg:gamma", "gamma", Link::exp, Base::log},
    {"reg:tweedie", "tweedie", Link::exp, Base::log},
    {"survival:cox", "cox", Link::exp, Base::log},
    {"survival:aft", "aft", Link::exp, Base::log},
    {"rank:ndcg", "lambdarank", Link::identity, Base::itself},
    {"rank:map", "lambdarank", Link::identity, Base::itself},
    {"rank:pairwise", "lambdarank", Link::identity, Base::itself},
}};

/// Where XGBoost keeps what an objective is told, and its default.
struct Told {
  std::string_view objective;
  const char *section, *key;
  double usual;
};

constexpr std::array<Told, 3> told_objectives{
    {{"huber", "pseudo_huber_param", "huber_slope", 1},
     {"quantile", "quantile_loss_param", "quantile_alpha", 0},  // which has to be told
     {"tweedie", "tweedie_regression_param", "tweedie_variance_power", 1.5}}};

const Told* told_of(std::string_view objective) {
  const auto* found = std::find_if(told_objectives.begin(), told_objectives.end(),
                                   [&](const Told& each) { return each.objective == objective; });
  return found == told_objectives.end() ? nullptr : found;
}

// ---- Reading.

const Json& member(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end()) bad_xgboost("a member \"" + std::string(key) + "\", got none");
  return *found;
}

double number_of(std::string_view text) {
  double value = 0;
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    bad_xgboost("a number, got \"" + std::string(text.substr(0, 40)) + "\"");
  }
  return value;
}

std::int32_t whole_parameter(const Json& parameters, const char* key, const char* fallback) {
  const auto text = json_get_or(parameters, key, std::string(fallback), kXgboost);
  const double value = number_of(text);
  if (!(value >= 0 && value <= 1 << 20) || value != std::floor(value))
    bad_xgboost("a " + std::string(key) + " up to 2^20");
  return static_cast<std::int32_t>(value);
}

// "5E-1", "[5E-1]", "[1E0,2E0]" or a number.
std::vector<double> base_scores(const Json& parameters, std::size_t outputs) {
  const Json& score = member(parameters, "base_score");
  std::vector<double> values;
  if (score.is_number()) {
    values.push_back(score.get<double>());
  } else if (score.is_string()) {
    std::string_view text = score.get_ref<const std::string&>();
    if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
    while (true) {
      const std::size_t end = std::min(text.find(','), text.size());
      values.push_back(number_of(text.substr(0, end)));
      if (end == text.size()) break;
      text.remove_prefix(end + 1);
    }
  } else {
    bad_xgboost("a base_score that is a number or text");
  }
  if (values.size() == 1) values.assign(outputs, values[0]);
  if (values.size() != outputs) bad_xgboost("a base_score for each output");
  return values;
}

double margin_of(Base base, double score) {
  switch (base) {
    case Base::itself:
      return score;
    case Base::logit:
      return -std::log(1 / score - 1);
    case Base::log:
      return std::log(score);
  }
  return score;
}

/// The names of a feature's levels, where the model has them: their characters one after the other, or whole numbers.
std::vector<std::string> level_names(const Json& encoded) {
  std::vector<std::string> levels;
  if (!encoded.is_object()) return levels;
  if (!encoded.contains("offsets")) {
    for (const std::int64_t level : json_get_or(encoded, "values", std::vector<std::int64_t>{}, kXgboost)) {
      levels.push_back(std::to_string(level));
    }
    return levels;
  }
  const auto offsets = json_get<std::vector<std::int64_t>>(encoded, "offsets", kXgboost);
  const auto characters = json_get<std::vector<std::int8_t>>(encoded, "values", kXgboost);
  const std::string text(characters.begin(), characters.end());
  for (std::size_t i = 1; i < offsets.size(); ++i) {
    const std::int64_t begin = offsets[i - 1], end = offsets[i];
    if (begin < 0 || begin > end || static_cast<std::size_t>(end) > text.size())
      bad_xgboost("offsets of levels that ascend");
    levels.push_back(text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
  }
  return levels;
}

std::vector<Feature> read_features(const Json& learner, const Json& model) {
  const auto count =
      static_cast<std::size_t>(whole_parameter(member(learner, "learner_model_param"), "num_feature", "0"));
  const auto names = json_get_or(learner, "feature_names", std::vector<std::string>{}, kXgboost);
  const auto types = json_get_or(learner, "feature_types", std::vector<std::string>{}, kXgboost);
  if (!names.empty() && names.size() != count) bad_xgboost("a name for each feature");
  if (!types.empty() && types.size() != count) bad_xgboost("a type for each feature");
  std::vector<Feature> features(count);
  for (std::size_t i = 0; i < count; ++i) {
    features[i].name = names.empty() ? "f" + std::to_string(i) : names[i];
    features[i].categorical = !types.empty() && types[i] == "c";
  }
  if (model.contains("cats") && model["cats"].is_object()) {
    const Json encoded = json_get_or(model["cats"], "enc", Json::array(), kXgboost);
    for (std::size_t i = 0; encoded.is_array() && i < std::min(count, encoded.size()); ++i) {
      if (!features[i].categorical) continue;
      features[i].levels = level_names(encoded[i]);
      if (!features[i].levels.empty() && !encoded[i].contains("offsets")) features[i].level_type = LevelType::number;
    }
  }
  return features;
}

class TreeReader {
 public:
  /// `words` are left for the sets of this tree and of those that follow.
  TreeReader(const Json& json, std::vector<Feature>& features, std::size_t& words)
      : features_(features),
        words_(words),
        left_(json_get<std::vector<std::int32_t>>(json, "left_children", kXgboost)),
        right_(json_get<std::vector<std::int32_t>>(json, "right_children", kXgboost)),
        indices_(json_get<std::vector<std::int32_t>>(json, "split_indices", kXgboost)),
        conditions_(json_get<std::vector<double>>(json, "split_conditions", kXgboost)),
        gains_(json_get<std::vector<double>>(json, "loss_changes", kXgboost)),
        covers_(json_get<std::vector<double>>(json, "sum_hessian", kXgboost)),
        types_(json_get_or(json, "split_type", std::vector<std::int32_t>(left_.size(), 0), kXgboost)),
        sets_(left_.size()) {
    // Older models say true and false.
    for (const Json& side : member(json, "default_left")) {
      default_left_.push_back(side.is_boolean() ? side.get<bool>() : json_fits<int>(side) && side.get<int>() != 0);
    }
    const std::size_t nodes = left_.size();
    for (const std::size_t size : {right_.size(), indices_.size(), conditions_.size(), gains_.size(), covers_.size(),
                                   types_.size(), default_left_.size()}) {
      if (size != nodes || nodes == 0) bad_xgboost("a tree's lists of one length");
    }
    if (whole_parameter(member(json, "tree_param"), "size_leaf_vector", "1") > 1) bad_xgboost("one value a leaf");
    read_sets(json);
  }

  Tree read() {
    seen_.assign(left_.size(), false);
    struct Open {
      std::int32_t from;  // number there
      std::int32_t parent;
      bool left;
    };
    std::vector<Open> open{{0, -1, false}};
    for (std::size_t i = 0; i < open.size(); ++i) {
      const Open at = open[i];
      if (at.from < 0 || static_cast<std::size_t>(at.from) >= left_.size()) bad_xgboost("children that the tree has");
      const auto from = static_cast<std::size_t>(at.from);
      if (seen_[from]) bad_xgboost("each node below one other");
      seen_[from] = true;
      const bool leaf = left_[from] == -1;
      const std::int32_t number = leaf ? ~tree_.add_leaf(conditions_[from], covers_[from]) : add_node(from);
      if (at.parent >= 0) (at.left ? tree_.left : tree_.right)[static_cast<std::size_t>(at.parent)] = number;
      if (leaf) continue;
      const bool swapped = types_[from] == 1;
      open.push_back({swapped ? right_[from] : left_[from], number, true});
      open.push_back({swapped ? left_[from] : right_[from], number, false});
    }
    return std::move(tree_);
  }

 private:
  void read_sets(const Json& json) {
    const auto nodes = json_get_or(json, "categories_nodes", std::vector<std::int32_t>{}, kXgboost);
    const auto begins = json_get_or(json, "categories_segments", std::vector<std::uint32_t>{}, kXgboost);
    const auto sizes = json_get_or(json, "categories_sizes", std::vector<std::uint32_t>{}, kXgboost);
    const auto codes = json_get_or(json, "categories", std::vector<std::int32_t>{}, kXgboost);
    if (begins.size() != nodes.size() || sizes.size() != nodes.size())
      bad_xgboost("as many segments of categories as nodes");
    std::size_t listed = 0;
    for (const std::uint32_t size : sizes) listed += size;
    if (listed > codes.size()) bad_xgboost("segments that share no categories");
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i] < 0 || static_cast<std::size_t>(nodes[i]) >= sets_.size())
        bad_xgboost("categories of nodes that are there");
      if (begins[i] > codes.size() || sizes[i] > codes.size() - begins[i]) bad_xgboost("segments among the categories");
      auto& set = sets_[static_cast<std::size_t>(nodes[i])];
      for (std::uint32_t j = begins[i]; j < begins[i] + sizes[i]; ++j) {
        if (codes[j] < 0 || static_cast<std::uint64_t>(codes[j]) >= kCodes) bad_xgboost("codes below 2^24");
        const auto code = static_cast<std::size_t>(codes[j]);
        if (set.size() <= code / 64) {
          const std::size_t more = code / 64 + 1 - set.size();
          if (more > words_)
            bad_xgboost("sets of categories in proportion to the file, got codes that take too much memory");
          words_ -= more;
          set.reserve(code / 64 + 1);
          set.resize(code / 64 + 1, 0);
        }
        set[code / 64] |= std::uint64_t{1} << (code % 64);
      }
    }
  }

  std::int32_t add_node(std::size_t from) {
    const std::int32_t feature = indices_[from];
    if (feature < 0 || static_cast<std::size_t>(feature) >= features_.size())
      bad_xgboost("split_indices among the features");
    if (types_[from] == 1) {  // the right child becomes the left one
      features_[static_cast<std::size_t>(feature)].categorical = true;
      return tree_.add_node(feature, std::move(sets_[from]), !default_left_[from], gains_[from], covers_[from]);
    }
    const auto condition = static_cast<float>(conditions_[from]);
    const double threshold = std::nextafter(condition, -infinity);
    return tree_.add_node(feature, threshold, default_left_[from], gains_[from], covers_[from]);
  }

  std::vector<Feature>& features_;
  std::size_t& words_;
  std::vector<std::int32_t> left_, right_, indices_;
  std::vector<double> conditions_, gains_, covers_;
  std::vector<std::int32_t> types_;
  std::vector<bool> default_left_{};
  std::vector<std::vector<std::uint64_t>> sets_;
  std::vector<bool> seen_{};
  Tree tree_{};
};

Ensemble read_model(const Json& json, std::size_t bytes) {
  const Json& learner = member(json, "learner");
  const Json& parameters = member(learner, "learner_model_param");
  const Json* booster = &member(learner, "gradient_booster");
  const auto kind = json_get<std::string>(*booster, "name", kXgboost);
  std::vector<double> weights;
  if (kind == "dart") {
    weights = json_get<std::vector<double>>(*booster, "weight_drop", kXgboost);
    booster = &member(*booster, "gbtree");
  } else if (kind != "gbtree") {
    bad_xgboost("a booster of trees, got \"" + kind + "\"");
  }
  const Json& model = member(*booster, "model");

  Ensemble ensemble;
  ensemble.float32_inputs = true;
  ensemble.outputs =
      std::max({1, whole_parameter(parameters, "num_class", "0"), whole_parameter(parameters, "num_target", "1")});
  ensemble.features = read_features(learner, model);
  const auto name = json_get<std::string>(member(learner, "objective"), "name", kXgboost);
  const auto* found =
      std::find_if(objectives.begin(), objectives.end(), [&](const Objective& each) { return each.name == name; });
  if (found == objectives.end()) bad_xgboost("an objective that Tern knows, got \"" + name + "\"");
  ensemble.objective = found->objective;
  ensemble.link = found->link;
  if (const Told* told = told_of(ensemble.objective)) {
    const Json parameter = json_get_or(member(learner, "objective"), told->section, Json::object(), kXgboost);
    auto text = json_get_or(parameter, told->key, std::string("0"), kXgboost);
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
    if (text.find(',') == std::string::npos)
      ensemble.objective_parameter = number_of(text);  // not of several quantiles
  }
  const auto outputs = static_cast<std::size_t>(ensemble.outputs);
  ensemble.base = base_scores(parameters, outputs);
  for (double& score : ensemble.base) score = margin_of(found->base, static_cast<float>(score));

  const Json& trees = member(model, "trees");
  const auto output_of = json_get<std::vector<std::int32_t>>(model, "tree_info", kXgboost);
  if (!trees.is_array() || output_of.size() != trees.size()) bad_xgboost("an output for each tree");
  if (kind == "dart" && weights.size() != trees.size()) bad_xgboost("a weight for each tree");
  std::vector<std::vector<Tree>> by_output(outputs);
  std::size_t words = kWordsAnyhow + bytes * kWordsPerByte;
  for (std::size_t i = 0; i < output_of.size(); ++i) {
    if (output_of[i] < 0 || static_cast<std::size_t>(output_of[i]) >= outputs)
      bad_xgboost("tree_info among the outputs");
    Tree tree = TreeReader(trees[i], ensemble.features, words).read();
    for (double& value : tree.leaf_value) value *= weights.empty() ? 1 : weights[i];
    by_output[static_cast<std::size_t>(output_of[i])].push_back(std::move(tree));
  }
  const std::size_t rounds = by_output[0].size();
  for (const auto& of_output : by_output) {
    if (of_output.size() != rounds) bad_xgboost("as many trees for each output");
  }
  for (std::size_t round = 0; round < rounds; ++round) {
    for (auto& of_output : by_output) ensemble.trees.push_back(std::move(of_output[round]));
  }
  return ensemble;
}

// ---- Writing.

[[noreturn]] TERN_COLD void xgboost_cannot_hold(const Feature& feature, const std::string& reason) {
  throw ValueError("[export_xgboost] feature \"" + feature.name + "\": " + reason);
}

/// The smallest float above all floats up to the threshold. From 2^24 on floats do not tell whole numbers apart: there
/// a threshold that is no float stands between rows that become one float, and would send some the other way.
float condition_of(const Feature& feature, double threshold, bool of_floats) {
  constexpr float largest = std::numeric_limits<float>::max();
  constexpr double infinite = 1e300;  // LightGBM writes so
  const double magnitude = std::fabs(threshold);
  if (magnitude >= infinite) return threshold > 0 ? largest : -largest;
  if (threshold >= largest || threshold < -largest) {
    xgboost_cannot_hold(feature,
                        "expected thresholds below the largest float, got " + tern::internal::number_text(threshold));
  }
  if (!of_floats && magnitude >= 0x1p24 && !internal::means_float(threshold)) {
    xgboost_cannot_hold(feature, "expected thresholds of 2^24 and above to be floats, or float32_inputs, got " +
                                     tern::internal::number_text(threshold));
  }
  auto floor = static_cast<float>(threshold);
  if (floor > threshold) floor = std::nextafter(floor, -infinity);
  return std::nextafter(floor, infinity);
}

/// A categorical split as XGBoost takes it: codes that are not listed go left, so missing and unseen ones do.
struct XgboostSplit {
  std::vector<std::int32_t> right{};
  bool swapped = false;  ///< our left child is its right one
  bool default_left = true;
};

XgboostSplit xgboost_split(const Feature& feature, const Tree& tree, std::size_t node) {
  const auto& set = tree.sets[static_cast<std::size_t>(tree.set[node])];
  const bool bounded = !feature.levels.empty(), missing_left = tree.left_default[node] != 0;
  XgboostSplit split{.swapped = !bounded || !missing_left, .default_left = bounded || !missing_left};
  const std::uint64_t codes = bounded ? feature.levels.size() : set.size() * 64;
  for (std::uint64_t code = 0; code < codes; ++code) {
    if (in_set(set, code) != split.swapped) continue;
    if (code >= kCodes) xgboost_cannot_hold(feature, "expected codes below 2^24, got " + std::to_string(code));
    split.right.push_back(static_cast<std::int32_t>(code));
  }
  if (split.right.empty()) xgboost_cannot_hold(feature, "expected levels on both sides of a split, got none on one");
  return split;
}

OrderedJson write_tree(const Ensemble& ensemble, std::size_t index, double base) {
  const Tree& tree = ensemble.trees[index];
  std::vector<std::int32_t> order{tree.nodes() > 0 ? 0 : ~0}, parents{std::numeric_limits<std::int32_t>::max()};
  std::vector<std::int32_t> left, right, indices, categories, category_nodes, defaults, types;
  std::vector<std::int64_t> segments, sizes;
  std::vector<float> conditions, gains, covers;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto number = static_cast<std::int32_t>(i);
    if (order[i] < 0) {
      const auto leaf = static_cast<std::size_t>(~order[i]);
      left.push_back(-1);
      right.push_back(-1);
      indices.push_back(0);
      conditions.push_back(static_cast<float>(tree.leaf_value[leaf] + base));
      gains.push_back(0);
      covers.push_back(static_cast<float>(tree.leaf_cover[leaf]));
      defaults.push_back(0);
      types.push_back(0);
      continue;
    }
    const auto node = static_cast<std::size_t>(order[i]);
    const Feature& feature = ensemble.features[static_cast<std::size_t>(tree.feature[node])];
    if (feature.zero_is_missing)
      xgboost_cannot_hold(feature, "expected zero to be a number, got it as a missing value");
    bool swapped = false, default_left = tree.left_default[node] != 0;
    float condition = 0;
    if (tree.set[node] >= 0) {
      const XgboostSplit split = xgboost_split(feature, tree, node);
      swapped = split.swapped;
      default_left = split.default_left;
      category_nodes.push_back(number);
      segments.push_back(static_cast<std::int64_t>(categories.size()));
      sizes.push_back(static_cast<std::int64_t>(split.right.size()));
      categories.insert(categories.end(), split.right.begin(), split.right.end());
    } else {
      condition = condition_of(feature, tree.threshold[node], ensemble.float32_inputs);
    }
    const auto child = static_cast<std::int32_t>(order.size());
    order.push_back(swapped ? tree.right[node] : tree.left[node]);
    order.push_back(swapped ? tree.left[node] : tree.right[node]);
    parents.insert(parents.end(), {number, number});
    left.push_back(child);
    right.push_back(child + 1);
    indices.push_back(tree.feature[node]);
    conditions.push_back(condition);
    gains.push_back(static_cast<float>(tree.gain[node]));
    covers.push_back(static_cast<float>(tree.cover[node]));
    defaults.push_back(default_left ? 1 : 0);
    types.push_back(tree.set[node] >= 0 ? 1 : 0);
  }
  for (const auto* values : {&conditions, &gains, &covers}) {
    for (const float value : *values) {
      if (!std::isfinite(value)) throw ValueError("[export_xgboost] expected numbers that a float holds");
    }
  }
  return {{"base_weights", std::vector<float>(order.size(), 0)},
          {"categories", categories},
          {"categories_nodes", category_nodes},
          {"categories_segments", segments},
          {"categories_sizes", sizes},
          {"default_left", defaults},
          {"id", index},
          {"left_children", left},
          {"loss_changes", gains},
          {"parents", parents},
          {"right_children", right},
          {"split_conditions", conditions},
          {"split_indices", indices},
          {"split_type", types},
          {"sum_hessian", covers},
          {"tree_param",
           {{"num_deleted", "0"},
            {"num_feature", std::to_string(ensemble.features.size())},
            {"num_nodes", std::to_string(order.size())},
            {"size_leaf_vector", "1"}}}};
}

OrderedJson told_objective(const Ensemble& ensemble, const char* name) {
  const Told& told = *told_of(ensemble.objective);
  std::string value =
      tern::internal::number_text(ensemble.objective_parameter != 0 ? ensemble.objective_parameter : told.usual);
  if (told.objective == "quantile") value = "[" + value + "]";
  return {{"name", name}, {told.section, {{told.key, value}}}};
}

OrderedJson write_objective(const Ensemble& ensemble) {
  const OrderedJson plain{{"scale_pos_weight", "1"}};
  switch (ensemble.link) {
    case Link::sigmoid:
      return {{"name", "binary:logistic"}, {"reg_loss_param", plain}};
    case Link::softmax:
      return {{"name", "multi:softprob"},
              {"softmax_multiclass_param", {{"num_class", std::to_string(ensemble.outputs)}}}};
    case Link::exp:
      if (ensemble.objective == "gamma") return {{"name", "reg:gamma"}, {"reg_loss_param", plain}};
      if (ensemble.objective == "cox") return {{"name", "survival:cox"}};
      if (ensemble.objective == "tweedie") return told_objective(ensemble, "reg:tweedie");
      if (ensemble.objective == "aft") {  // the distribution is of use to training alone
        return {{"name", "survival:aft"},
                {"aft_loss_param", {{"aft_loss_distribution", "normal"}, {"aft_loss_distribution_scale", "1"}}}};
      }
      return {{"name", "count:poisson"}, {"poisson_regression_param", {{"max_delta_step", "0.7"}}}};
    case Link::identity:
      break;
  }
  const std::string& objective = ensemble.objective;
  if (objective == "absolute") return {{"name", "reg:absoluteerror"}};
  if (objective == "squared_log") return {{"name", "reg:squaredlogerror"}};
  if (objective == "binary") return {{"name", "binary:logitraw"}, {"reg_loss_param", plain}};
  if (objective == "huber") return told_objective(ensemble, "reg:pseudohubererror");
  if (objective == "quantile" && ensemble.objective_parameter > 0) return told_objective(ensemble, "reg:quantileerror");
  if (objective == "lambdarank") return {{"name", "rank:ndcg"}, {"lambdarank_param", OrderedJson::object()}};
  return {{"name", "reg:squarederror"}, {"reg_loss_param", plain}};
}

/// The base of one output on the scale of predictions, as text; empty where a float would not hold it well, and the
/// base must go into the leaves.
std::string base_score(const Ensemble& ensemble) {
  if (ensemble.outputs != 1) return {};
  double score = ensemble.base[0];
  if (ensemble.link == Link::sigmoid) score = 1 / (1 + std::exp(-score));
  if (ensemble.link == Link::exp) score = std::exp(score);
  if (ensemble.link == Link::sigmoid && (score < 0.05 || score > 0.95)) return {};
  if (ensemble.link == Link::exp && (score < 1e-30 || score > 1e30)) return {};
  std::array<char, 32> text;
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), static_cast<float>(score), std::chars_format::scientific);
  return error == std::errc() ? std::string(text.data(), end) : std::string();
}

}  // namespace

Ensemble from_xgboost(std::string_view bytes) {
  if (bytes.empty()) throw FormatError("[" + kXgboost + "] expected JSON or UBJSON, got an empty file");
  // In UBJSON an object's first key begins with the type of its length.
  const bool text = bytes.size() < 2 || bytes[1] == '"' || bytes[1] == '}' || bytes[1] == ' ' || bytes[1] == '\n' ||
                    bytes[1] == '\r' || bytes[1] == '\t';
  return internal::checked(kXgboost, [&] {
    return read_model(text ? tern::internal::parse_json(bytes, kXgboost) : internal::parse_ubjson(bytes, kXgboost),
                      bytes.size());
  });
}

namespace {

// The names of levels, where every categorical feature has texts: XGBoost then looks levels up by name, whatever their
// order in a table. Null otherwise: levels are codes there.
OrderedJson write_levels(const std::vector<Feature>& features) {
  OrderedJson encoded = OrderedJson::array(), segments = OrderedJson::array({0}), order = OrderedJson::array();
  std::size_t count = 0;
  for (const Feature& feature : features) {
    if (feature.categorical && (feature.levels.empty() || feature.level_type != LevelType::text)) return nullptr;
    OrderedJson offsets = OrderedJson::array(), characters = OrderedJson::array();
    std::vector<std::size_t> sorted(feature.categorical ? feature.levels.size() : 0);
    std::int64_t end = 0;
    if (!sorted.empty()) offsets.push_back(end);
    for (std::size_t level = 0; level < sorted.size(); ++level) {
      const std::string& text = feature.levels[level];
      internal::check_utf8(feature, text, "export_xgboost");
      for (const char byte : text) characters.push_back(static_cast<int>(static_cast<signed char>(byte)));
      offsets.push_back(end += std::ssize(text));
      sorted[level] = level;
    }
    std::sort(sorted.begin(), sorted.end(),
              [&](std::size_t a, std::size_t b) { return feature.levels[a] < feature.levels[b]; });
    for (const std::size_t level : sorted) order.push_back(level);
    segments.push_back(count += sorted.size());
    encoded.push_back({{"offsets", offsets}, {"values", characters}});
  }
  if (count == 0) return nullptr;
  return {{"enc", encoded}, {"feature_segments", segments}, {"sorted_idx", order}};
}

}  // namespace

std::string to_xgboost(const Ensemble& ensemble, XgboostForm form) {
  Ensemble model = internal::added_up(ensemble, "export_xgboost");
  if (ensemble.link == Link::sigmoid && ensemble.link_scale != 1) {
    throw ValueError("[export_xgboost] expected a sigmoid of scale 1, got " +
                     tern::internal::number_text(ensemble.link_scale));
  }
  const auto outputs = static_cast<std::size_t>(ensemble.outputs);
  std::string score = base_score(ensemble);
  const bool in_leaves = score.empty();
  if (in_leaves) score = ensemble.link == Link::sigmoid ? "5E-1" : ensemble.link == Link::exp ? "1E0" : "0E0";
  if (model.trees.empty()) {
    Tree constant;
    constant.add_leaf(0, 0);
    model.trees.assign(outputs, constant);
  }
  OrderedJson trees = OrderedJson::array(), tree_info = OrderedJson::array(), rounds = OrderedJson::array({0});
  for (std::size_t tree = 0; tree < model.trees.size(); ++tree) {
    trees.push_back(write_tree(model, tree, in_leaves && tree < outputs ? model.base[tree] : 0.0));
    tree_info.push_back(tree % outputs);
    if (tree % outputs + 1 == outputs) rounds.push_back(tree + 1);
  }
  OrderedJson names = OrderedJson::array(), types = OrderedJson::array();
  for (const Feature& feature : model.features) {
    internal::check_utf8(feature, feature.name, "export_xgboost");
    names.push_back(feature.name);
    types.push_back(feature.categorical ? "c" : "float");
  }
  const bool classes = model.link == Link::softmax;
  OrderedJson json;
  json["learner"] = {
      {"attributes", OrderedJson::object()},
      {"feature_names", names},
      {"feature_types", types},
      {"gradient_booster",
       {{"model",
         {{"gbtree_model_param", {{"num_parallel_tree", "1"}, {"num_trees", std::to_string(model.trees.size())}}},
          {"iteration_indptr", rounds},
          {"tree_info", tree_info},
          {"trees", trees}}},
        {"name", "gbtree"}}},
      {"learner_model_param",
       {{"base_score", score},
        {"boost_from_average", "1"},
        {"num_class", std::to_string(classes ? outputs : 0)},
        {"num_feature", std::to_string(model.features.size())},
        {"num_target", std::to_string(classes ? 1 : outputs)}}},
      {"objective", write_objective(model)}};
  if (OrderedJson levels = write_levels(model.features); !levels.is_null()) {
    json["learner"]["gradient_booster"]["model"]["cats"] = std::move(levels);
  }
  json["version"] = {2, 1, 0};
  return form == XgboostForm::json ? tern::internal::json_text(json) : internal::write_ubjson(json);
}

Ensemble import_xgboost(const std::string& path) {
  const std::string text = read_file(path, internal::kLargestModel);
  return tern::internal::from_file(path, [&] { return from_xgboost(text); });
}

void export_xgboost(const Ensemble& ensemble, const std::string& path) {
  write_file(path, to_xgboost(ensemble, path.ends_with(".ubj") ? XgboostForm::ubjson : XgboostForm::json));
}

}  // namespace tern::trees
