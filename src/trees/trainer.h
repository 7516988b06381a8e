#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "trees/grower.h"
#include "trees/objective.h"

namespace tern::trees::internal {

/// Rows with their target.
struct Rows {
  std::vector<FeatureValues> features;
  std::int64_t rows = 0;
  Targets targets;
  std::vector<double> margins;  ///< of the model that training goes on from, [outputs][rows]; empty: none
};

/// What a model is trained with and on, checked.
struct Training {
  std::vector<Feature> features;  ///< names and levels
  Rows train, validation;         ///< the latter may be empty
  const Ensemble* start = nullptr;
};

struct Trained {
  Ensemble model;
  std::vector<double> history;  ///< the metric on the validation rows after each round
  double binning_seconds = 0, training_seconds = 0;
};

Trained train(const GradientBoostingOptions& options, const Training& training, const Loss& loss);

}  // namespace tern::trees::internal
