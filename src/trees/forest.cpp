#include "tern/trees/forest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "base/json.h"
#include "base/number_text.h"
#include "base/retell.h"
#include "tern/base/error.h"
#include "tern/trees/formats.h"
#include "tern/trees/register.h"
#include "trees/forest_trainer.h"
#include "trees/inputs.h"
#include "trees/json_form.h"
#include "trees/table_features.h"

namespace tern::trees {
namespace {

using tern::internal::class_name;
using tern::internal::Json;
using tern::internal::json_get;

constexpr std::array<std::string_view, 3> criterion_names{"gini", "entropy", "squared"};

const char* forest_name(bool random_thresholds) { return random_thresholds ? "ExtraTrees" : "RandomForest"; }

[[noreturn]] void refuse_forest(const std::string& name, const std::string& expected, const std::string& got) {
  throw ValueError("[" + name + "] expected " + expected + ", got " + got);
}

template <class T>
void check_forest_option(const char* name, bool good, const char* expected, T got) {
  if (!good) refuse_forest(name, expected, std::to_string(got));
}

void check_options(const char* name, const ForestOptions& o) {
  check_forest_option(name, o.criterion <= Criterion::squared, "a known criterion", static_cast<int>(o.criterion));
  check_forest_option(name, o.trees >= 1 && o.trees <= 1'000'000, "trees from 1 to 1000000", o.trees);
  check_forest_option(name, o.max_features >= 0, "max_features of at least 0", o.max_features);
  check_forest_option(name, o.max_depth >= 0, "a max_depth of at least 0", o.max_depth);
  check_forest_option(name, o.max_leaves == 0 || o.max_leaves >= 2, "max_leaves of at least 2, or 0", o.max_leaves);
  check_forest_option(name, o.min_child_rows >= 1, "min_child_rows of at least 1", o.min_child_rows);
  check_forest_option(name, o.min_split_rows >= 2, "min_split_rows of at least 2", o.min_split_rows);
  check_forest_option(name, o.min_level_rows >= 0, "min_level_rows of at least 0", o.min_level_rows);
  check_forest_option(name, o.max_bins >= 2 && o.max_bins <= internal::kMostBins, "max_bins from 2 to 255", o.max_bins);
  if (!o.positive.empty() && o.criterion == Criterion::squared) {
    refuse_forest(name, "no positive class for a criterion of values", "\"" + o.positive + "\"");
  }
  check_forest_option(name, !o.oob_score || *o.bootstrap,
                      "a bootstrap beside oob_score, for rows that trees have not seen", 0);
}

double number_of_class(const double* shares, std::size_t outputs) {
  if (outputs == 1) return shares[0] >= 0.5 ? 1 : 0;
  return static_cast<double>(std::max_element(shares, shares + outputs) - shares);
}

// Accuracy or R², by weight, of the rows that have a prediction.
double score_of(const std::vector<double>& predictions, std::span<const double> y, std::span<const double> weights,
                bool classes) {
  const std::size_t outputs = predictions.size() / y.size();
  const auto weight_of = [&](std::size_t row) {
    return std::isnan(predictions[row * outputs]) ? 0 : weights.empty() ? 1 : weights[row];
  };
  double right = 0, total = 0, sum = 0, squares = 0, errors = 0;
  for (std::size_t row = 0; row < y.size(); ++row) {
    const double* at = predictions.data() + row * outputs;
    const double weight = weight_of(row);
    if (weight == 0) continue;
    total += weight;
    right += classes && number_of_class(at, outputs) == y[row] ? weight : 0;
    sum += weight * y[row];
    errors += weight * (at[0] - y[row]) * (at[0] - y[row]);
  }
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  if (classes) return right / total;
  for (std::size_t row = 0; row < y.size(); ++row) {
    squares += weight_of(row) * (y[row] - sum / total) * (y[row] - sum / total);
  }
  return squares > 0 ? 1 - errors / squares : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::string_view to_string(Criterion criterion) { return criterion_names.at(static_cast<std::size_t>(criterion)); }

Criterion parse_criterion(std::string_view name) {
  const auto* found = std::find(criterion_names.begin(), criterion_names.end(), name);
  if (found == criterion_names.end()) {
    throw ValueError("[parse_criterion] expected gini, entropy or squared, got \"" + std::string(name) + "\"");
  }
  return static_cast<Criterion>(found - criterion_names.begin());
}

Forest::Forest(ForestOptions options, bool random_thresholds)
    : options_(std::move(options)), random_thresholds_(random_thresholds) {
  if (!options_.bootstrap) options_.bootstrap = !random_thresholds;
  check_options(forest_name(random_thresholds), options_);
}

void Forest::learn(const Rows& train, const Rows& /*validation*/, std::int64_t classes) {
  const char* name = forest_name(random_thresholds_);
  const internal::FeatureColumns columns = internal::features_like(
      train.x, table_ ? table_->features : internal::features_of(train.x, {}, options_.categorical, name), name,
      options_.min_level_rows);
  if (train.x.rows() > std::int64_t{1} << 31) refuse_forest(name, "at most 2^31 rows", std::to_string(train.x.rows()));
  internal::TrainedForest trained = internal::train_forest(options_, random_thresholds_,
                                                           {.name = name,
                                                            .features = columns.features,
                                                            .values = columns.values,
                                                            .rows = train.x.rows(),
                                                            .targets = train.y,
                                                            .weights = train.weights,
                                                            .classes = static_cast<int>(classes)});
  if (table_) {
    trained.model.classes = table_->classes;
  } else {
    for (std::int64_t k = 0; k < classes; ++k) trained.model.classes.push_back(std::to_string(k));
  }
  keep(std::move(trained.model));
  oob_prediction_ = std::move(trained.out_of_bag);
  oob_score_ = options_.oob_score ? score_of(oob_prediction_, train.y, train.weights, classifies()) : 0;
}

void Forest::fit_table(const data::Table& table, const std::string& target, const data::TableFit& options) {
  const char* name = forest_name(random_thresholds_);
  if (table.rows() == 0) refuse_forest(name, "rows to train on", "none");
  std::vector<std::string> classes, left_out{target};
  if (classifies()) classes = data::target_classes(table[target], options_.positive);
  if (classifies() && classes.size() < 2) {
    refuse_forest(name, "a target of at least two classes", std::to_string(classes.size()));
  }
  if (!options.weights.empty()) left_out.push_back(options.weights);
  Ensemble reading;
  reading.classes = classes;
  reading.features =
      internal::features_of(name, table, left_out, options_.min_level_rows, static_cast<std::size_t>(options_.max_bins))
          .features;
  if (reading.features.empty()) refuse_forest(name, "features beside the target", "none");
  const std::vector<double> x = internal::inputs(name, reading, table), y = data::target_values(table, target, classes);
  std::vector<double> weights;
  if (!options.weights.empty()) {
    const data::Column& column = table[options.weights];
    if (!column.is_numeric()) {
      throw DataError(name, "expected numbers, got " + std::string(data::to_string(column.type())),
                      {.column = options.weights});
    }
    weights = column.numeric();
  }
  if (options.validation) refuse_forest(name, "no rows of validation, of which it makes no use", "some");
  struct Reset {
    const Ensemble*& pointer;
    ~Reset() { pointer = nullptr; }
  } const reset{table_};
  table_ = &reading;
  std::vector<std::string> names;
  for (const Feature& feature : reading.features) names.push_back(feature.name);
  std::vector<std::string> old_names = std::exchange(names_, names);  // for the messages
  try {
    fit_matrix(data::Matrix(x, static_cast<std::int64_t>(names.size())), y, {.weights = weights});
  } catch (...) {
    names_ = std::move(old_names);
    throw;
  }
  classes_ = classes;
  names_ = std::move(names);
}

void Forest::keep(Ensemble model) {
  predictor_ = std::make_shared<const Predictor>(model);
  ensemble_ = std::make_shared<const Ensemble>(std::move(model));
}

std::int64_t Forest::width() const { return ensemble_ ? static_cast<std::int64_t>(ensemble_->features.size()) : 0; }

const Ensemble& Forest::ensemble() const {
  if (!ensemble_) throw StateError("[" + class_name(type()) + "] expected a fitted model, got one before fit");
  return *ensemble_;
}

const std::vector<double>& Forest::oob_prediction() const {
  if (oob_prediction_.empty()) {
    throw StateError("[" + class_name(type()) + "] expected a model fitted with oob_score, got one without");
  }
  return oob_prediction_;
}

double Forest::oob_score() const {
  oob_prediction();
  return oob_score_;
}

std::vector<double> Forest::answer(std::vector<double> margins, bool probability) const {
  if (probability || !classifies()) return margins;
  const auto outputs = static_cast<std::size_t>(ensemble_->outputs);
  std::vector<double> classes(margins.size() / outputs);
  for (std::size_t row = 0; row < classes.size(); ++row) {
    classes[row] = number_of_class(margins.data() + row * outputs, outputs);
  }
  return classes;
}

std::vector<double> Forest::respond(const data::Matrix& x, bool probability) const {
  return answer(predictor_->margins(x), probability);
}

std::vector<double> Forest::respond_table(const data::Table& table, bool probability) const {
  return answer(
      tern::internal::speaking_as(forest_name(random_thresholds_), [&] { return predictor_->margins(table); }),
      probability);
}

std::vector<std::pair<std::string, std::int64_t>> Forest::unseen(const data::Table& table) const {
  return internal::unseen_levels(forest_name(random_thresholds_), ensemble(), table);
}

std::string Forest::to_json() const {
  tern::internal::OrderedJson json;
  json["options"] = {{"criterion", to_string(options_.criterion)},
                     {"trees", options_.trees},
                     {"max_features", options_.max_features},
                     {"max_depth", options_.max_depth},
                     {"max_leaves", options_.max_leaves},
                     {"min_child_rows", options_.min_child_rows},
                     {"min_split_rows", options_.min_split_rows},
                     {"bootstrap", *options_.bootstrap},
                     {"max_bins", options_.max_bins},
                     {"oob_score", options_.oob_score},
                     {"min_level_rows", options_.min_level_rows},
                     {"positive", options_.positive},
                     {"categorical", options_.categorical},
                     {"seed", options_.seed}};
  std::string text, model = trees::to_json(ensemble());
  try {
    text = tern::internal::json_text(json);
  } catch (const Json::exception& error) {  // a level that is no UTF-8
    throw ValueError("[" + class_name(type()) + "] expected names in UTF-8, got: " + std::string(error.what()));
  }
  text.pop_back();
  model.pop_back();  // the end of its line
  return text + ",\"ensemble\":" + model + "}";
}

ForestOptions Forest::options_of(const data::EstimatorState& state) {
  const std::string what = class_name(state.type);
  const Json kept = tern::internal::parse_json(state.json, what);
  const Json& json = tern::internal::json_member(kept, "options", what);
  return {.criterion = parse_criterion(json_get<std::string>(json, "criterion", what)),
          .trees = json_get<int>(json, "trees", what),
          .max_features = json_get<int>(json, "max_features", what),
          .max_depth = json_get<int>(json, "max_depth", what),
          .max_leaves = json_get<int>(json, "max_leaves", what),
          .min_child_rows = json_get<std::int64_t>(json, "min_child_rows", what),
          .min_split_rows = json_get<std::int64_t>(json, "min_split_rows", what),
          .bootstrap = json_get<bool>(json, "bootstrap", what),
          .max_bins = json_get<int>(json, "max_bins", what),
          .oob_score = json_get<bool>(json, "oob_score", what),
          .min_level_rows = json_get<std::int64_t>(json, "min_level_rows", what),
          .positive = json_get<std::string>(json, "positive", what),
          .categorical = json_get<std::vector<std::int64_t>>(json, "categorical", what),
          .seed = json_get<std::uint64_t>(json, "seed", what)};
}

void Forest::restore(const data::EstimatorState& state) {
  const std::string name = class_name(type());
  const Json json = tern::internal::parse_json(state.json, name);
  const auto kept = json.find("ensemble");
  if (kept == json.end() || !kept->is_object()) throw FormatError("[" + name + "] expected an ensemble, got none");
  Ensemble model = internal::ensemble_of(*kept);
  const bool same = state.names.empty() ||
                    std::equal(state.names.begin(), state.names.end(), model.features.begin(), model.features.end(),
                               [](const std::string& known, const Feature& feature) { return known == feature.name; });
  if (!same) throw FormatError("[" + name + "] expected the names of the ensemble's features, got others");
  if (model.classes != state.classes || model.classes.empty() == classifies()) {
    throw FormatError("[" + name + "] expected the classes of the ensemble and its criterion, got others");
  }
  // Leaves of classes are shares, of which only the last may be left out.
  for (const Tree& tree : model.trees) {
    for (const double value : tree.leaf_value) {
      if (classifies() && !(value >= 0 && value <= 1 + 1e-9)) {
        throw FormatError("[" + name + "] expected shares of classes from 0 to 1, got " +
                          tern::internal::number_text(value));
      }
    }
  }
  for (const double base : model.base) {
    if (classifies() && base != 0)
      throw FormatError("[" + name + "] expected a base of 0, got " + tern::internal::number_text(base));
  }
  keep(std::move(model));
}

RandomForest::RandomForest(ForestOptions options) : Forest(std::move(options), false) {}
std::unique_ptr<data::Estimator> RandomForest::clone() const { return std::make_unique<RandomForest>(*this); }
std::unique_ptr<data::Estimator> RandomForest::from_state(const data::EstimatorState& state) {
  auto made = std::make_unique<RandomForest>(options_of(state));
  made->restore(state);
  return made;
}
RandomForest RandomForest::load(const std::string& path) {
  register_estimators();
  return std::move(static_cast<RandomForest&>(*data::load_estimator(path, "random_forest")));
}

ExtraTrees::ExtraTrees(ForestOptions options) : Forest(std::move(options), true) {}
std::unique_ptr<data::Estimator> ExtraTrees::clone() const { return std::make_unique<ExtraTrees>(*this); }
std::unique_ptr<data::Estimator> ExtraTrees::from_state(const data::EstimatorState& state) {
  auto made = std::make_unique<ExtraTrees>(options_of(state));
  made->restore(state);
  return made;
}
ExtraTrees ExtraTrees::load(const std::string& path) {
  register_estimators();
  return std::move(static_cast<ExtraTrees&>(*data::load_estimator(path, "extra_trees")));
}

}  // namespace tern::trees
