#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/trees/explain.h"

namespace tern::trees {
namespace {

template <class Amount>
std::vector<double> sum_over_splits(const Ensemble& ensemble, const char* where, Amount amount) {
  ensemble.check(where);
  std::vector<double> sums(ensemble.features.size(), 0.0);
  for (std::int64_t t = 0; t < ensemble.used_trees(); ++t) {
    const Tree& tree = ensemble.trees[static_cast<std::size_t>(t)];
    for (std::size_t node = 0; node < tree.feature.size(); ++node) {
      sums[static_cast<std::size_t>(tree.feature[node])] += amount(tree, node);
    }
  }
  return sums;
}

std::size_t whole_rows(const char* where, std::span<const double> rows, std::int64_t features) {
  if (features < 1 || rows.size() % static_cast<std::size_t>(features) != 0) {
    throw ShapeError("[" + std::string(where) + "] expected rows of " + std::to_string(features) + " features, got " +
                     std::to_string(rows.size()) + " values");
  }
  if (rows.empty()) throw ValueError("[" + std::string(where) + "] expected rows, got none");
  return rows.size() / static_cast<std::size_t>(features);
}

}  // namespace

std::vector<double> gain_importance(const Ensemble& ensemble) {
  return sum_over_splits(ensemble, "gain_importance",
                         [](const Tree& tree, std::size_t node) { return tree.gain[node]; });
}

std::vector<double> split_importance(const Ensemble& ensemble) {
  return sum_over_splits(ensemble, "split_importance", [](const Tree&, std::size_t) { return 1.0; });
}

PermutationImportance permutation_importance(std::span<const double> rows, std::int64_t features,
                                             const std::function<double(std::span<const double> rows)>& figure,
                                             const PermutationOptions& options) {
  const std::size_t count = whole_rows("permutation_importance", rows, features);
  if (options.repeats < 1) {
    throw ValueError("[permutation_importance] expected repeats of 1 and more, got " + std::to_string(options.repeats));
  }
  const auto width = static_cast<std::size_t>(features);
  PermutationImportance result{.figure = figure(rows)};
  std::vector<double> changed(rows.begin(), rows.end());
  std::vector<std::size_t> order(count);
  for (std::size_t feature = 0; feature < width; ++feature) {
    std::vector<double> losses;
    for (int repeat = 0; repeat < options.repeats; ++repeat) {
      const Philox random(options.seed, static_cast<std::uint64_t>(repeat) * width + feature);
      std::iota(order.begin(), order.end(), 0);
      for (std::size_t i = count; i-- > 1;) std::swap(order[i], order[random.below(i, i + 1)]);  // Fisher and Yates
      for (std::size_t row = 0; row < count; ++row) changed[row * width + feature] = rows[order[row] * width + feature];
      const double now = figure(changed);
      losses.push_back(options.larger_is_better ? result.figure - now : now - result.figure);
    }
    for (std::size_t row = 0; row < count; ++row) changed[row * width + feature] = rows[row * width + feature];
    const auto repeats = static_cast<double>(losses.size());
    const double mean = std::accumulate(losses.begin(), losses.end(), 0.0) / repeats;
    double squares = 0;
    for (const double loss : losses) squares += (loss - mean) * (loss - mean);
    result.mean.push_back(mean);
    result.deviation.push_back(losses.size() > 1 ? std::sqrt(squares / (repeats - 1)) : 0);
  }
  return result;
}

std::vector<double> partial_dependence(
    std::span<const double> rows, std::int64_t features, std::int64_t feature, std::span<const double> grid,
    const std::function<std::vector<double>(std::span<const double> rows)>& predict) {
  const std::size_t count = whole_rows("partial_dependence", rows, features);
  if (feature < 0 || feature >= features) {
    throw IndexError("[partial_dependence] expected a feature from 0 to " + std::to_string(features - 1) + ", got " +
                     std::to_string(feature));
  }
  const auto width = static_cast<std::size_t>(features);
  std::vector<double> changed(rows.begin(), rows.end()), means;
  for (const double value : grid) {
    for (std::size_t row = 0; row < count; ++row) changed[row * width + static_cast<std::size_t>(feature)] = value;
    const std::vector<double> predicted = predict(changed);
    if (predicted.empty() || predicted.size() % count != 0) {
      throw ShapeError("[partial_dependence] expected predictions for " + std::to_string(count) + " rows, got " +
                       std::to_string(predicted.size()));
    }
    const std::size_t outputs = predicted.size() / count;
    for (std::size_t output = 0; output < outputs; ++output) {
      double sum = 0;
      for (std::size_t row = 0; row < count; ++row) sum += predicted[row * outputs + output];
      means.push_back(sum / static_cast<double>(count));
    }
  }
  return means;
}

}  // namespace tern::trees
