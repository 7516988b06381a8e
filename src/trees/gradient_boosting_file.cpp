#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/json.h"
#include "tern/base/error.h"
#include "tern/trees/formats.h"
#include "tern/trees/gradient_boosting.h"
#include "tern/trees/register.h"
#include "trees/json_form.h"
#include "trees/objective.h"
#include "trees/options.h"

// A GradientBoosting as files keep it: its options, kBoosting early stopping saw, and the ensemble in Tern's own form.
namespace tern::trees {
namespace {

using tern::internal::Json;
using tern::internal::json_get;
using tern::internal::OrderedJson;

const std::string kBoosting = "GradientBoosting";

OrderedJson json_of(const GradientBoostingOptions& options) {
  OrderedJson json{{"objective", to_string(options.objective)},
                   {"growth", options.growth == Growth::leaf_wise ? "leaf_wise" : "depth_wise"}};
  internal::each_option(options, [&](const char* name, const auto& value) { json[name] = value; });
  if (options.coarse_gradients) json["coarse_gradients"] = *options.coarse_gradients;
  if (options.objective == Objective::custom) {
    json["custom_objective"] = {{"name", options.custom_objective.name},
                                {"base", options.custom_objective.base},
                                {"link", to_string(options.custom_objective.link)}};
  }
  return json;
}

GradientBoostingOptions options_of(const Json& json) {
  GradientBoostingOptions options{.objective = parse_objective(json_get<std::string>(json, "objective", kBoosting))};
  const auto growth = json_get<std::string>(json, "growth", kBoosting);
  if (growth != "leaf_wise" && growth != "depth_wise") {
    throw FormatError("[GradientBoosting] expected growth leaf_wise or depth_wise, got \"" + growth + "\"");
  }
  options.growth = growth == "leaf_wise" ? Growth::leaf_wise : Growth::depth_wise;
  internal::each_option(options, [&](const char* name, auto& value) {
    value = tern::internal::json_get_or(json, name, std::move(value), kBoosting);  // older files lack newer options
  });
  if (json.contains("coarse_gradients")) options.coarse_gradients = json_get<bool>(json, "coarse_gradients", kBoosting);
  if (options.objective == Objective::custom) {
    const Json& custom = tern::internal::json_member(json, "custom_objective", kBoosting);
    options.custom_objective.name = json_get<std::string>(custom, "name", kBoosting);
    options.custom_objective.base = json_get<double>(custom, "base", kBoosting);
    options.custom_objective.link = parse_link(json_get<std::string>(custom, "link", kBoosting));
  }
  return options;
}

}  // namespace

std::string GradientBoosting::to_json() const {
  OrderedJson json{{"options", json_of(options_)}, {"metric", metric_name_}};
  // JSON has no infinity, and kBoosting a metric of one's own gave says little without it.
  const bool told = std::all_of(history_.begin(), history_.end(), [](double value) { return std::isfinite(value); });
  if (told) json["history"] = history_;
  std::string text;
  try {
    text = tern::internal::json_text(json);
  } catch (const Json::exception& error) {  // a name that is no UTF-8
    throw ValueError("[GradientBoosting] expected names in UTF-8, got: " + std::string(error.what()));
  }
  text.pop_back();
  std::string trees = trees::to_json(ensemble());
  trees.pop_back();  // the end of its line
  return text + ",\"ensemble\":" + trees + "}";
}

std::unique_ptr<data::Estimator> GradientBoosting::from_state(const data::EstimatorState& state) {
  const Json json = tern::internal::parse_json(state.json, kBoosting);
  GradientBoostingOptions options = options_of(tern::internal::json_member(json, "options", kBoosting));
  const Objective objective = options.objective;
  if (objective != Objective::binary && objective != Objective::multiclass) options.positive.clear();  // of older files
  if (objective == Objective::custom) options.objective = Objective::squared;  // its function is not here
  auto made = std::make_unique<GradientBoosting>(std::move(options));
  made->options_.objective = objective;
  const auto kept = json.find("ensemble");
  if (kept == json.end() || !kept->is_object()) throw FormatError("[GradientBoosting] expected an ensemble, got none");
  Ensemble ensemble = internal::ensemble_of(*kept);
  if (!state.names.empty()) {
    const bool same =
        std::equal(state.names.begin(), state.names.end(), ensemble.features.begin(), ensemble.features.end(),
                   [](const std::string& name, const Feature& feature) { return name == feature.name; });
    if (!same) throw FormatError("[GradientBoosting] expected the names of the ensemble's features, got others");
  }
  if (ensemble.classes != state.classes || made->classifies() == ensemble.classes.empty()) {
    throw FormatError("[GradientBoosting] expected the classes of the ensemble and its objective, got others");
  }
  for (std::size_t i = 0; i < std::min(state.types.size(), ensemble.features.size()); ++i) {
    ensemble.features[i].type = state.types[i];  // which older files do not have there
  }
  made->keep(std::move(ensemble), tern::internal::json_get_or(json, "history", std::vector<double>(), kBoosting),
             json_get<std::string>(json, "metric", kBoosting));
  const auto loss = internal::make_loss(made->options_, made->ensemble_->outputs);
  if (made->metric_name_ != loss->metric_name()) made->options_.metric.name = made->metric_name_;  // one's own
  return made;
}

GradientBoosting GradientBoosting::load(const std::string& path) {
  register_estimators();
  return std::move(static_cast<GradientBoosting&>(*data::load_estimator(path, "gradient_boosting")));
}

}  // namespace tern::trees
