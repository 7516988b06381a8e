#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tern/trees/ensemble.h"
#include "tern/trees/forest.h"
#include "trees/bins.h"

namespace tern::trees::internal {

/// What a forest is trained on. All checked.
struct ForestTraining {
  const char* name = "";  ///< begins the messages
  std::vector<Feature> features{};
  std::span<const FeatureValues> values{};
  std::int64_t rows = 0;
  std::span<const double> targets{};  ///< values, or numbers of classes
  std::span<const double> weights{};  ///< or none
  int classes = 0;                    ///< 0: of values
};

struct TrainedForest {
  Ensemble model{};  ///< without names of classes
  /// For each row the prediction of the trees that have not seen it [rows x outputs], NaN where all have; empty where
  /// it was not asked for.
  std::vector<double> out_of_bag{};
};

/// `options.bootstrap` is told here.
TrainedForest train_forest(const ForestOptions& options, bool random_thresholds, const ForestTraining& training);

}  // namespace tern::trees::internal
