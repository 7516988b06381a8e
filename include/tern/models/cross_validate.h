#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/estimator.h"
#include "tern/data/pipeline.h"
#include "tern/data/table.h"
#include "tern/metrics/custom_metric.h"
#include "tern/models/unsupervised.h"

/// How good a pipeline with an estimator behind it is on rows that it has not seen, and the choice between several.
namespace tern::models {

/// Options of cross_validate.
struct CrossValidateOptions {
  int folds = 5;
  int repeats = 1;          ///< of all folds, each time cut anew
  double validation = 0.2;  ///< share of a fold's training rows for early stopping, where the estimator stops early
  std::string weights{};    ///< column of weights of rows; no feature
  /// Column whose equal values never stand on both sides; no feature. An estimator that cuts its rows again (Stacking,
  /// Calibrated) is not told of it, nor of `time`. Of an estimator that ranks they are the queries, and must be told.
  std::string group{};
  std::string time{};  ///< folds train on what was before: data::k_fold; no feature
  /// Of an estimator with a target, of predictions as CrossValidation has them: the first of its metrics, by which a
  /// search goes [scoring].
  metrics::CustomMetric metric{};
  int ndcg_at = 10;        ///< rows of a query that the ndcg of an estimator that ranks looks at; >= 1
  std::uint64_t seed = 0;  ///< of the folds, of the inner split and of the pipeline
};

/// What cross_validate found.
struct CrossValidation {
  /// Of two classes log_loss, brier, auroc, average_precision, accuracy; of several log_loss, accuracy, f1_macro;
  /// without probabilities accuracy and f1_macro; of values rmse, mae, r2; of an order within queries ndcg (each query
  /// counts once, whatever its rows weigh); of a model without a target its own. Before them one's own.
  std::vector<std::string> metrics;
  std::vector<std::vector<double>> scores;  ///< [repeats * folds][metrics]; NaN where a fold leaves one undefined
  /// Of the first repeat, for each row by a model that has not seen it: values [n], probabilities of the second class
  /// [n] or of all [n * classes], or numbers of classes, or scores of a model without a target [n]; NaN for rows that
  /// no fold scores.
  std::vector<double> predictions;
  std::vector<std::string> classes;

  /// Mean over the folds where it is defined. Throw ValueError for a metric that is not there.
  TERN_API double mean(std::string_view metric) const;
  /// Standard deviation over them, with n - 1. (Folds share rows of training: it is no standard error.)
  TERN_API double standard_deviation(std::string_view metric) const;
};

/// Fits copies of `steps` and `estimator` on the training rows of each fold and scores them on the others. Folds are
/// stratified by class unless by group or time. Nothing of a scored row reaches its model: the pipeline is fitted anew,
/// and early stopping looks at an inner split of the training rows. Throws as data::k_fold (a class of words, or of
/// two, that a fold lacks), data::split (where it stops early) and `fit` (one class alone to train on) do, ValueError
/// for an option out of its range, weights that `fit` does not take, a fold whose weights are all 0, and queries that
/// are not told. What a fold throws says which it is.
TERN_API CrossValidation cross_validate(const data::Estimator& estimator, const data::Pipeline& steps,
                                        const data::Table& table, const std::string& target,
                                        const CrossValidateOptions& options = {});

/// The same of a model without a target, by the mean of its scores of rows that it has not seen: log_likelihood of
/// GaussianMixture, squared_distance of KMeans. Folds are cut at random, by group or by time. Throws ValueError for a
/// model without a score of rows.
TERN_API CrossValidation cross_validate(const Unsupervised& model, const data::Pipeline& steps,
                                        const data::Table& table, const CrossValidateOptions& options = {});

/// Scores of models that were trained on so many rows a fold.
struct LearningPoint {
  double share = 1;       ///< of the folds' training rows
  std::int64_t rows = 0;  ///< in the mean over the folds; an estimator that ranks is trained on whole queries
  CrossValidation held_out;
  CrossValidation train;  ///< the same models on the rows that they were trained on; no predictions
};
/// A point for each share in (0, 1]; smaller ones train, and stop early, on a part of the rows of larger ones, drawn by
/// class where the folds are, at least one row of each. Throws as cross_validate.
TERN_API std::vector<LearningPoint> learning_curve(const data::Estimator& estimator, const data::Pipeline& steps,
                                                   const data::Table& table, const std::string& target,
                                                   const std::vector<double>& shares = {0.1, 0.25, 0.5, 0.75, 1},
                                                   const CrossValidateOptions& options = {});

/// Settings of a candidate by name.
using Settings = std::vector<std::pair<std::string, double>>;
/// Makes an unfitted estimator of settings.
using MakeEstimator = std::function<std::unique_ptr<data::Estimator>(const Settings&)>;

/// The values of a setting for grid_search.
struct GridAxis {
  std::string name{};
  std::vector<double> values{};
};
/// A setting's range for random_search.
struct RandomAxis {
  std::string name{};
  double low = 0, high = 1;  ///< both included
  bool log = false;          ///< evenly in its logarithm; low > 0
  bool whole = false;        ///< whole numbers, from the first to the last that lie between
};

struct SearchOptions {
  std::string metric{};  ///< of CrossValidation; empty: the first
  CrossValidateOptions validation{};
};

/// What a search tried, and the best of it.
struct Search {
  std::vector<Settings> settings;
  std::vector<CrossValidation> results;  ///< of each
  std::size_t best = 0;                  ///< index; the first of those that tie
  std::string metric;
};

/// Cross-validates every combination, the last axis fastest, on the same folds. The best score of many is too good by
/// chance: rows that were not searched on judge the model that is refitted. Throws ValueError for an axis without
/// values, a metric that is not there (before it trains), or one that no setting has defined. What a candidate throws
/// names its settings.
TERN_API Search grid_search(const MakeEstimator& make, const std::vector<GridAxis>& axes, const data::Pipeline& steps,
                            const data::Table& table, const std::string& target, const SearchOptions& options = {});
/// The same for `trials` drawn at random, by validation.seed.
TERN_API Search random_search(const MakeEstimator& make, const std::vector<RandomAxis>& axes, int trials,
                              const data::Pipeline& steps, const data::Table& table, const std::string& target,
                              const SearchOptions& options = {});

}  // namespace tern::models
