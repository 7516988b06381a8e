#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "journey.h"
#include "options.h"
#include "tern/data/estimator.h"
#include "tern/tern.h"

/// A model with what its training left behind.
struct Trained {
  std::unique_ptr<tern::nn::Module> model;
  std::unique_ptr<tern::data::Estimator> trees;  ///< of the two one
  tern::train::Fitted fitted;
  std::string summary;             ///< one line for the terminal
  nlohmann::ordered_json details;  ///< for the report
};

/// Levels of fewer training rows are one level, <other>.
inline constexpr std::int64_t min_level_rows = 10;

/// What a model gains has to be more than chance: nats of log loss, summed over all validation rows (a likelihood ratio
/// of 7.4). A later epoch or round takes the place of the best so far only when it gains more than that.
inline constexpr double least_gain = 2;

/// Behind the heading of what training prints.
inline constexpr char balanced_losses[] =
    "  Losses here weigh both classes equally (--balanced); those of the report count each row once.\n";

/// Columns with their written form.
using Formats = std::vector<std::pair<std::string, std::string>>;

/// From raw columns, without `left_out`, to features; of text, `booleans` alone have a written form.
tern::data::Pipeline make_pipeline(const std::vector<std::string>& left_out, const Formats& booleans);

/// The same for boosted trees, which take categories and gaps as they are: it only cleans.
tern::data::Pipeline make_cleaning(const std::vector<std::string>& left_out, const Formats& booleans);

/// What a model is trained and selected on.
struct TrainingRows {
  tern::data::Dataset training, validation;
  tern::data::Table training_table, validation_table;  ///< instead, for boosted trees
  std::vector<std::int64_t> validation_groups;         ///< of a split by groups, or none
};

/// Why training ended.
std::string reason(tern::train::StopReason stopped, const std::string& last);
/// What the figures of a report come with.
std::string figures_text(const tern::train::Fitted& fitted);

/// Trains the model that the options name.
Trained train_model(const TrainOptions& options, const tern::train::Task& task, const TrainingRows& rows,
                    Journey& journey);
/// Trains boosted trees.
Trained train_trees(const TrainOptions& options, const tern::train::Task& task, const TrainingRows& rows,
                    Journey& journey);
