#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "journey.h"
#include "options.h"
#include "tern/tern.h"

/// A model with what its training left behind.
struct Trained {
  std::unique_ptr<tern::nn::Module> model;
  tern::train::Fitted fitted;
  std::string summary;             ///< one line for the terminal
  nlohmann::ordered_json details;  ///< for the report
};

/// Levels of fewer training rows are one level, <other>.
inline constexpr std::int64_t min_level_rows = 10;

/// Columns with their written form.
using Formats = std::vector<std::pair<std::string, std::string>>;

/// From raw columns, without `left_out`, to features; of text, `booleans` alone have a written form.
tern::data::Pipeline make_pipeline(const std::vector<std::string>& left_out, const Formats& booleans);

/// What a model is trained and selected on.
struct TrainingRows {
  const tern::data::Dataset& training;
  const tern::data::Dataset& validation;
  std::vector<std::int64_t> validation_groups;  ///< of a split by groups, or none
};

/// Trains the model that the options name.
Trained train_model(const TrainOptions& options, const tern::train::Task& task, const TrainingRows& rows,
                    Journey& journey);
