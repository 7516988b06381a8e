#include <algorithm>
#include <cmath>

#include "base/number_text.h"
#include "data/seen_rows.h"
#include "data/step_base.h"
#include "tern/base/random.h"

// Categories to the mean of the target, and the refusal to do so for the rows that the mean was taken over.
namespace tern::data {
namespace internal {
namespace {

constexpr std::uint64_t kFoldStream = 0x7A26;  // of the folds, apart from other uses of a seed

struct Means {
  std::vector<std::string> levels{};
  std::vector<double> means{};  // of the levels, then of missing values
  double prior = 0;
  bool missing = true;  // whether missing values are a level; known while it is fitted
  LevelIndex index{};
};

// The target as numbers.
std::vector<double> target_values(const Table& table, const std::string& target) {
  const Column& column = table.column(target);
  std::vector<double> values;
  if (column.is_numeric()) {
    values = column.numeric();
  } else {
    const LevelCounts found = count_levels(column, target, "target_encoding");
    if (found.levels.size() != 2) {
      fail_column(
          table, target, "target_encoding",
          "expected a target of two values, or a number, got " + std::to_string(found.levels.size()) + " values");
    }
    for (const std::int32_t level : LevelIndex(found.levels).of(column)) {
      values.push_back(level < 0 ? std::nan("") : static_cast<double>(level));
    }
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      fail_row(table, static_cast<std::int64_t>(i), target, "target_encoding",
               "expected a target value, got a missing or infinite one; drop such rows first");
    }
  }
  return values;
}

class TargetEncoding final : public ColumnStep<Means> {
 public:
  TargetEncoding(Selector selector, TargetEncodingOptions options)
      : ColumnStep(std::move(selector), Output::in_place), options_(options) {
    if (!(options.smoothing >= 0) || !std::isfinite(options.smoothing)) {
      throw ValueError("[target_encoding] expected smoothing of at least 0, got " +
                       tern::internal::number_text(options.smoothing));
    }
    if (options.folds < 2) {
      throw ValueError("[target_encoding] expected at least 2 folds, got " + std::to_string(options.folds));
    }
    if (options.min_count < 1) {
      throw ValueError("[target_encoding] expected min_count of at least 1, got " + std::to_string(options.min_count));
    }
  }
  std::string_view type() const override { return "target_encoding"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<TargetEncoding>(*this); }

  void fit(const Table& table, const FitContext& context) override {
    if (context.target.empty()) throw StateError("[target_encoding] expected a target to fit on, got none");
    if (table.rows() < options_.folds) {
      throw DataError("target_encoding",
                      "expected at least " + std::to_string(options_.folds) + " rows (one a fold), got " +
                          std::to_string(table.rows()),
                      {.file = table.source_file()});
    }
    ColumnStep::fit(table, context);
    seen_ = SeenRows(table);
  }

  Table transform(const Table& table) const override {
    need_fitted();
    refuse_seen(table);
    return ColumnStep::transform(table);
  }
  Table transform_scored(const Table& table) const override { return ColumnStep::transform(table); }

  Table fit_transform(const Table& table, const FitContext& context) override {
    fit(table, context);
    const std::vector<double> target = target_values(table, context.target);
    const std::size_t rows = target.size();
    const auto folds = static_cast<std::size_t>(options_.folds);
    std::vector<std::size_t> fold_of(rows);
    const std::vector<std::int64_t> order = permutation(table.rows(), Philox(context.seed, kFoldStream));
    for (std::size_t k = 0; k < rows; ++k) fold_of[static_cast<std::size_t>(order[k])] = k % folds;
    return apply_all(table, [&](const Table& t, const Fitted& one, std::size_t) -> std::vector<Column> {
      const std::vector<std::int32_t> found = one.state.index.of(t.column(one.name));
      std::vector<double> values(rows);
      for (std::size_t fold = 0; fold < folds; ++fold) {
        const Means means = learn(one.state.levels, one.state.missing, found, target,
                                  [&](std::size_t i) { return fold_of[i] != fold; });
        for (std::size_t i = 0; i < rows; ++i) {
          if (fold_of[i] == fold) values[i] = value(found[i], means);
        }
      }
      return {Column::from_f64(std::move(values))};
    });
  }

  std::string to_json() const override {
    Json json = tern::internal::parse_json(ColumnStep::to_json(), "target_encoding");
    json["seen"] = seen_.to_json();
    return dump_json(json, "Step::to_json");
  }
  void load(const Json& json) {
    ColumnStep::load(json);
    // Absent in files of before rows were known one by one: then no row is known.
    seen_ = SeenRows::from_json(json_get_or<Json>(json, "seen", Json::array(), "target_encoding"), "target_encoding");
  }

 protected:
  Means fit_column(const Table& table, const std::string& name, const FitContext& context) const override {
    const LevelCounts counted = count_levels(table.column(name), name, "target_encoding");
    std::vector<std::string> levels = common_levels(counted, options_.min_count);
    const std::vector<std::int32_t> found = LevelIndex(levels).of(table.column(name));
    Means means = learn(levels, counted.missing >= options_.min_count, found, target_values(table, context.target),
                        [](std::size_t) { return true; });
    for (const double mean : means.means) {
      if (!std::isfinite(mean)) {
        fail_column(table, context.target, "target_encoding", "expected numbers with finite means, got larger ones");
      }
    }
    means.index = LevelIndex(levels);
    means.levels = std::move(levels);
    return means;
  }

  std::vector<Column> apply(const Table&, const std::string&, const Column& column, const Means& state) const override {
    const std::vector<std::int32_t> found = state.index.of(column);
    std::vector<double> values(found.size());
    for (std::size_t i = 0; i < found.size(); ++i) values[i] = value(found[i], state);
    return {Column::from_f64(std::move(values))};
  }
  std::int64_t count_unseen(const Column& column, const Means& state) const override {
    return state.index.count_unseen(column);
  }
  std::vector<std::string> output_names(const std::string& name, const Means&) const override { return {name}; }
  Json save_options() const override {
    return {{"smoothing", options_.smoothing}, {"folds", options_.folds}, {"min_count", options_.min_count}};
  }
  Json save_state(const Means& state) const override {
    return {{"levels", state.levels}, {"means", state.means}, {"prior", state.prior}};
  }
  Means load_state(const Json& json) const override {
    Means state;
    state.levels = json_get<std::vector<std::string>>(json, "levels", "target_encoding");
    state.means = json_get<std::vector<double>>(json, "means", "target_encoding");
    state.prior = get_finite(json, "prior", "target_encoding");
    if (state.means.size() != state.levels.size() + 1) {
      throw FormatError("[target_encoding] expected a mean for each level and one for missing values, got " +
                        std::to_string(state.means.size()));
    }
    state.index = LevelIndex(state.levels);
    return state;
  }

 private:
  static double value(std::int32_t level, const Means& means) {
    if (level == LevelIndex::unseen) return means.prior;
    return level == LevelIndex::missing ? means.means.back() : means.means[static_cast<std::size_t>(level)];
  }

  // Smoothed means over the rows that `used` tells, in row order; a level without rows gets their overall mean, as do
  // missing values that are no level.
  template <class Used>
  Means learn(const std::vector<std::string>& levels, bool missing, const std::vector<std::int32_t>& found,
              const std::vector<double>& target, Used&& used) const {
    Means means;
    means.missing = missing;
    std::vector<double> used_values;
    for (std::size_t i = 0; i < target.size(); ++i) {
      if (used(i)) used_values.push_back(target[i]);
    }
    means.prior = mean_of(used_values);
    std::vector<double> sums(levels.size() + 1), counts(levels.size() + 1);
    for (std::size_t i = 0; i < target.size(); ++i) {
      if (!used(i) || found[i] == LevelIndex::unseen || (found[i] == LevelIndex::missing && !missing)) continue;
      const std::size_t at = found[i] < 0 ? levels.size() : static_cast<std::size_t>(found[i]);
      sums[at] += target[i];
      counts[at] += 1;
    }
    for (std::size_t k = 0; k < sums.size(); ++k) {
      const double weight = counts[k] + options_.smoothing;
      means.means.push_back(counts[k] == 0 ? means.prior : (sums[k] + options_.smoothing * means.prior) / weight);
    }
    return means;
  }

  void refuse_seen(const Table& table) const {
    const std::int64_t row = fitted().empty() ? -1 : seen_.first_in(table);
    if (row < 0) return;
    const DataLocation location = table.location(row);
    throw StateError("[target_encoding] expected rows that it was not fitted on, got record " +
                     std::to_string(location.row) + " of " +
                     (location.file.empty() ? std::string("the table it was fitted on") : location.file) +
                     "; train on what fit_transform gave, and say so of rows that are only scored "
                     "(TransformOptions::scoring)");
  }

  TargetEncodingOptions options_;
  SeenRows seen_;
};

}  // namespace

StepPtr load_target_encoding(const Json& json) {
  TargetEncodingOptions options;
  options.smoothing = get_finite(json, "smoothing", "target_encoding");
  options.folds = json_get<int>(json, "folds", "target_encoding");
  options.min_count = json_get_or<std::int64_t>(json, "min_count", 1, "target_encoding");  // before it was written: all
  return loaded(std::make_shared<TargetEncoding>(selector_of(json, "target_encoding"), options), json);
}

}  // namespace internal

StepPtr target_encoding(Selector columns, TargetEncodingOptions options) {
  return std::make_shared<internal::TargetEncoding>(std::move(columns), options);
}

}  // namespace tern::data
