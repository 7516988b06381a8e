#include "trees/forest_trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/number_text.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/trees/predictor.h"
#include "trees/forest_grower.h"
#include "trees/table_features.h"

namespace tern::trees::internal {
namespace {

constexpr std::int64_t kOutOfBagValues = 1 << 20;  // of a block of rows
constexpr std::int64_t kNearBytes = 1 << 21;       // of bins that stay in the second cache as they are
constexpr double kMostApart = 1e140;               // targets whose squares, summed, are numbers still

// Of the tree: two streams, that of its sample and that of its growth.
Philox stream_of(const ForestOptions& options, std::int64_t tree, int which) {
  return Philox(options.seed, static_cast<std::uint64_t>(2 * tree + which));
}

// How often a tree sees each of `rows`.
std::vector<std::uint32_t> sample_of(const ForestOptions& options, std::int64_t tree, std::size_t rows) {
  std::vector<std::uint32_t> times(rows, 0);
  stream_of(options, tree, 0).each_below(rows, rows, [&](std::uint64_t row) { ++times[row]; });
  return times;
}

ForestRows rows_of(const ForestOptions& options, const ForestTraining& training, const BinnedRows& data,
                   const std::vector<FeatureBins>& bins) {
  ForestRows rows{.data = data, .bins = bins, .classes = training.classes};
  if (training.classes > 2 || (training.classes == 2 && options.criterion == Criterion::entropy)) {
    rows.labels.assign(training.targets.begin(), training.targets.end());
    return rows;
  }
  rows.values.assign(training.targets.begin(), training.targets.end());
  if (training.classes == 2) {
    rows.gain_factor = 2;
    return rows;
  }
  double sum = 0, weight = 0;
  for (std::size_t row = 0; row < rows.values.size(); ++row) {
    const double w = training.weights.empty() ? 1 : training.weights[row];
    sum += w * rows.values[row];
    weight += w;
  }
  rows.middle = sum / weight;
  double most = 0;
  for (double& value : rows.values) {
    value -= rows.middle;
    most = std::max(most, std::isfinite(value) ? std::fabs(value) : kMostApart * 2);
  }
  if (most > kMostApart || (most > 0 && most < 1 / kMostApart)) {
    throw ValueError("[" + std::string(training.name) +
                     "] expected targets of which the furthest from the mean is 1e-140 to 1e140 from it, got " +
                     (most > kMostApart ? "one further" : tern::internal::number_text(most)));
  }
  return rows;
}

// Bins row by row, transposed in tiles.
std::vector<std::uint8_t> by_row(const BinnedRows& data, std::size_t features) {
  constexpr std::size_t kTile = 64;
  std::vector<std::uint8_t> out(static_cast<std::size_t>(data.rows()) * features);
  parallel_for(data.rows(), kTile, [&](std::int64_t begin, std::int64_t end) {
    for (std::size_t first = 0; first < features; first += kTile) {
      const std::size_t last = std::min(first + kTile, features);
      for (std::size_t f = first; f < last; ++f) {
        const std::uint8_t* column = data.column(static_cast<int>(f));
        for (std::int64_t row = begin; row < end; ++row)
          out[static_cast<std::size_t>(row) * features + f] = column[row];
      }
    }
  });
  return out;
}

int features_drawn(const ForestOptions& options, const ForestTraining& training) {
  const auto all = static_cast<int>(training.features.size());
  if (options.max_features > 0) return std::min(options.max_features, all);
  return training.classes > 0 ? std::max(1, static_cast<int>(std::sqrt(all))) : all;
}

// Rows begin … end - 1 as Predictor takes them.
std::vector<double> inputs_of(const ForestTraining& training, std::int64_t begin, std::int64_t end) {
  const std::size_t width = training.values.size();
  std::vector<double> rows(static_cast<std::size_t>(end - begin) * width);
  for (std::size_t f = 0; f < width; ++f) {
    const FeatureValues& values = training.values[f];
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t at = row * values.step;
      rows[static_cast<std::size_t>(row - begin) * width + f] = values.f32   ? values.f32[at]
                                                                : values.f64 ? values.f64[at]
                                                                             : values.codes[at];
    }
  }
  return rows;
}

}  // namespace

TrainedForest train_forest(const ForestOptions& options, bool random_thresholds, const ForestTraining& training) {
  const std::vector<FeatureBins> bins = find_bins(training.values, training.rows, options.max_bins);
  warn_of_levels(training.name, training.features, bins);
  const BinnedRows data(training.values, bins, training.rows, false);
  ForestRows forest = rows_of(options, training, data, bins);
  std::vector<std::uint8_t> rows_of_bins;
  if (training.rows * static_cast<std::int64_t>(bins.size()) > kNearBytes) {
    rows_of_bins = by_row(data, bins.size());
    forest.by_row = rows_of_bins.data();
  }
  const ForestGrowOptions grow{.entropy = options.criterion == Criterion::entropy,
                               .random_thresholds = random_thresholds,
                               .max_features = features_drawn(options, training),
                               .max_depth = options.max_depth,
                               .max_leaves = options.max_leaves,
                               .min_child_rows = options.min_child_rows,
                               .min_split_rows = options.min_split_rows};
  std::vector<std::uint32_t> weighted;  // rows that count at all
  for (std::int64_t row = 0; row < training.rows; ++row) {
    if (training.weights.empty() || training.weights[static_cast<std::size_t>(row)] > 0) {
      weighted.push_back(static_cast<std::uint32_t>(row));
    }
  }
  TrainedForest out;
  Ensemble& model = out.model;
  model.features = training.features;
  model.outputs = training.classes > 2 ? training.classes : 1;
  model.vector_leaves = model.outputs > 1;
  model.average = true;
  model.base.assign(static_cast<std::size_t>(model.outputs), 0.0);
  model.objective = to_string(options.criterion);
  model.trees.resize(static_cast<std::size_t>(options.trees));
  const bool bootstrap = *options.bootstrap;
  std::vector<std::vector<bool>> seen(options.oob_score ? model.trees.size() : 0);
  parallel_for(options.trees, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t tree = begin; tree < end; ++tree) {
      std::vector<std::uint32_t> rows, times;
      std::vector<double> weights;
      if (bootstrap) times = sample_of(options, tree, weighted.size());
      for (std::size_t i = 0; i < weighted.size(); ++i) {
        const double weight =
            (bootstrap ? times[i] : 1.0) * (training.weights.empty() ? 1 : training.weights[weighted[i]]);
        if (!(weight > 0)) continue;
        rows.push_back(weighted[i]);
        weights.push_back(weight);
      }
      if (options.oob_score) {
        auto& own = seen[static_cast<std::size_t>(tree)];
        own.resize(static_cast<std::size_t>(training.rows));
        for (const std::uint32_t row : rows) own[row] = true;
      }
      model.trees[static_cast<std::size_t>(tree)] =
          grow_forest_tree(forest, grow, rows, weights, stream_of(options, tree, 1));
    }
  });
  if (!options.oob_score) return out;

  const Predictor predictor(model);
  const auto outputs = static_cast<std::size_t>(model.outputs);
  const std::size_t trees = model.trees.size();
  out.out_of_bag.resize(static_cast<std::size_t>(training.rows) * outputs);
  const std::int64_t grain =
      std::max<std::int64_t>(1, kOutOfBagValues / static_cast<std::int64_t>(bins.size() + trees));
  parallel_for(training.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::vector<std::int32_t> leaves = predictor.leaves(inputs_of(training, begin, end));
    for (std::int64_t row = begin; row < end; ++row) {
      double* sums = out.out_of_bag.data() + static_cast<std::size_t>(row) * outputs;
      double count = 0;
      for (std::size_t t = 0; t < trees; ++t) {
        if (seen[t][static_cast<std::size_t>(row)]) continue;
        const auto leaf = static_cast<std::size_t>(leaves[static_cast<std::size_t>(row - begin) * trees + t]);
        for (std::size_t k = 0; k < outputs; ++k) sums[k] += model.trees[t].leaf_value[leaf * outputs + k];
        ++count;
      }
      for (std::size_t k = 0; k < outputs; ++k) {
        sums[k] = count > 0 ? sums[k] / count : std::numeric_limits<double>::quiet_NaN();
      }
    }
  });
  return out;
}

}  // namespace tern::trees::internal
