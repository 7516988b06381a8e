#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/trees/formats.h"
#include "trees/foreign.h"
#include "trees/json_form.h"

// Tern's own form of a model: the fields of Ensemble and Tree under their names.
namespace tern::trees {
namespace {

using tern::internal::Json;
using tern::internal::json_get;
using tern::internal::json_get_or;
using tern::internal::json_member;
using tern::internal::json_text;
using tern::internal::OrderedJson;

// Version 2 has models whose rounds are averaged or whose leaves hold several values.
constexpr int kVersion = 1, kForests = 2;
const std::string what = "Ensemble";

// JSON has no infinity.
OrderedJson thresholds(const std::vector<double>& values) {
  OrderedJson list = OrderedJson::array();
  for (const double value : values) {
    if (std::isfinite(value)) {
      list.push_back(value);
    } else {
      list.push_back(value > 0 ? "infinity" : "-infinity");
    }
  }
  return list;
}

std::vector<double> thresholds(const Json& tree) {
  const Json& list = json_member(tree, "threshold", what);
  if (!list.is_array()) throw FormatError("[Ensemble] member \"threshold\": expected a list");
  std::vector<double> values;
  values.reserve(list.size());
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const Json& value : list) {
    if (value.is_number()) {
      values.push_back(value.get<double>());
    } else if (value == "infinity" || value == "-infinity") {
      values.push_back(value == "infinity" ? infinity : -infinity);
    } else {
      throw FormatError("[Ensemble] member \"threshold\": expected numbers, \"infinity\" or \"-infinity\"");
    }
  }
  return values;
}

// Names of level types; models of older versions have none.
constexpr std::array<std::string_view, 3> level_types{"text", "number", "code"};

LevelType level_type_of(const Json& feature) {
  const auto name = json_get_or(feature, "level_type", std::string(level_types[0]), what);
  const auto* found = std::find(level_types.begin(), level_types.end(), name);
  if (found == level_types.end()) {
    throw FormatError("[Ensemble] member \"level_type\": expected text, number or code, got \"" + name + "\"");
  }
  return static_cast<LevelType>(found - level_types.begin());
}

OrderedJson of_feature(const Feature& feature) {
  OrderedJson json{{"name", feature.name}};
  if (feature.categorical) {
    json["categorical"] = true;
    json["levels"] = feature.levels;
    if (feature.level_type != LevelType::text) {
      json["level_type"] = level_types.at(static_cast<std::size_t>(feature.level_type));
    }
  }
  if (feature.zero_is_missing) json["zero_is_missing"] = true;
  if (feature.type) json["type"] = data::to_string(*feature.type);
  return json;
}

OrderedJson of_tree(const Tree& tree) {
  OrderedJson json{{"feature", tree.feature},
                   {"threshold", thresholds(tree.threshold)},
                   {"left_default", tree.left_default},
                   {"left", tree.left},
                   {"right", tree.right},
                   {"gain", tree.gain},
                   {"cover", tree.cover},
                   {"leaf_value", tree.leaf_value},
                   {"leaf_cover", tree.leaf_cover}};
  if (!tree.sets.empty()) {
    json["set"] = tree.set;
    json["sets"] = tree.sets;
  }
  return json;
}

// A member that is a list, uncopied: trees are large.
const Json& list(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) {
    throw FormatError("[Ensemble] member \"" + std::string(key) + "\": expected a list");
  }
  return *found;
}

Tree tree_of(const Json& json) {
  Tree tree;
  tree.feature = json_get<std::vector<std::int32_t>>(json, "feature", what);
  tree.threshold = thresholds(json);
  tree.left_default = json_get<std::vector<std::uint8_t>>(json, "left_default", what);
  tree.left = json_get<std::vector<std::int32_t>>(json, "left", what);
  tree.right = json_get<std::vector<std::int32_t>>(json, "right", what);
  tree.gain = json_get<std::vector<double>>(json, "gain", what);
  tree.cover = json_get<std::vector<double>>(json, "cover", what);
  tree.leaf_value = json_get<std::vector<double>>(json, "leaf_value", what);
  tree.leaf_cover = json_get<std::vector<double>>(json, "leaf_cover", what);
  tree.set.assign(tree.feature.size(), -1);
  if (json.contains("sets")) {
    tree.set = json_get<std::vector<std::int32_t>>(json, "set", what);
    const Json& sets = json_member(json, "sets", what);
    if (!sets.is_array()) throw FormatError("[Ensemble] member \"sets\": expected a list");
    for (const Json& set : sets) {
      tree.sets.push_back(json_get<std::vector<std::uint64_t>>(Json{{"set", set}}, "set", what));
    }
  }
  return tree;
}

}  // namespace

std::string to_json(const Ensemble& ensemble) {
  ensemble.check("to_json");
  OrderedJson json{{"format", "tern-trees"},
                   {"version", ensemble.vector_leaves || ensemble.average ? kForests : kVersion}};
  json["objective"] = ensemble.objective;
  if (ensemble.objective_parameter != 0) json["objective_parameter"] = ensemble.objective_parameter;
  json["link"] = to_string(ensemble.link);
  json["link_scale"] = ensemble.link_scale;
  json["outputs"] = ensemble.outputs;
  if (ensemble.vector_leaves) json["vector_leaves"] = true;
  if (ensemble.average) json["average"] = true;
  json["base"] = ensemble.base;
  json["classes"] = ensemble.classes;
  json["float32_inputs"] = ensemble.float32_inputs;
  json["best_round"] = ensemble.best_round;
  json["features"] = OrderedJson::array();
  for (const Feature& feature : ensemble.features) json["features"].push_back(of_feature(feature));
  json["trees"] = OrderedJson::array();
  for (const Tree& tree : ensemble.trees) json["trees"].push_back(of_tree(tree));
  try {
    return json_text(json) + "\n";
  } catch (const Json::exception& error) {  // a name that is no UTF-8
    throw ValueError(std::string("[to_json] expected names in UTF-8, got: ") + error.what());
  }
}

Ensemble internal::ensemble_of(const Json& json) {
  if (json_get<std::string>(json, "format", what) != "tern-trees") {
    throw FormatError("[Ensemble] expected the format tern-trees, got another one");
  }
  if (const int version = json_get<int>(json, "version", what); version != kVersion && version != kForests) {
    throw FormatError("[Ensemble] expected version 1 or 2, got " + std::to_string(version));
  }
  return internal::checked(what, [&] {
    Ensemble ensemble;
    ensemble.objective = json_get<std::string>(json, "objective", what);
    ensemble.objective_parameter = json_get_or(json, "objective_parameter", 0.0, what);
    ensemble.link = parse_link(json_get<std::string>(json, "link", what));
    ensemble.link_scale = json_get<double>(json, "link_scale", what);
    ensemble.outputs = json_get<std::int32_t>(json, "outputs", what);
    ensemble.vector_leaves = json_get_or(json, "vector_leaves", false, what);
    ensemble.average = json_get_or(json, "average", false, what);
    ensemble.base = json_get<std::vector<double>>(json, "base", what);
    ensemble.classes = json_get<std::vector<std::string>>(json, "classes", what);
    ensemble.float32_inputs = json_get<bool>(json, "float32_inputs", what);
    ensemble.best_round = json_get<std::int32_t>(json, "best_round", what);
    for (const Json& feature : list(json, "features")) {
      ensemble.features.push_back({.name = json_get<std::string>(feature, "name", what),
                                   .categorical = json_get_or(feature, "categorical", false, what),
                                   .levels = json_get_or(feature, "levels", std::vector<std::string>{}, what),
                                   .level_type = level_type_of(feature),
                                   .zero_is_missing = json_get_or(feature, "zero_is_missing", false, what)});
      if (feature.contains("type")) {
        ensemble.features.back().type = data::parse_column_type(json_get<std::string>(feature, "type", what));
      }
    }
    for (const Json& tree : list(json, "trees")) ensemble.trees.push_back(tree_of(tree));
    return ensemble;
  });
}

Ensemble from_json(std::string_view text) { return internal::ensemble_of(tern::internal::parse_json(text, what)); }

void save(const Ensemble& ensemble, const std::string& path) {
  write_file(path, tern::internal::sealed_json(to_json(ensemble)));
}

Ensemble load(const std::string& path) {
  std::string text = read_file(path, internal::kLargestModel);
  return tern::internal::from_file(path,
                                   [&] { return from_json(tern::internal::unsealed_json(std::move(text), what)); });
}

}  // namespace tern::trees
