#pragma once

#include "tern/trees/gradient_boosting.h"

namespace tern::trees::internal {

/// Visits the options that a file keeps under their names: all but the objective, growth and functions.
template <class Options, class Visit>
void each_option(Options& o, Visit visit) {
  visit("rounds", o.rounds);
  visit("learning_rate", o.learning_rate);
  visit("max_leaves", o.max_leaves);
  visit("max_depth", o.max_depth);
  visit("min_child_rows", o.min_child_rows);
  visit("min_child_weight", o.min_child_weight);
  visit("lambda_l1", o.lambda_l1);
  visit("lambda_l2", o.lambda_l2);
  visit("min_split_gain", o.min_split_gain);
  visit("max_delta_step", o.max_delta_step);
  visit("max_bins", o.max_bins);
  visit("subsample", o.subsample);
  visit("colsample_bytree", o.colsample_bytree);
  visit("colsample_bynode", o.colsample_bynode);
  visit("extra_trees", o.extra_trees);
  visit("goss_top", o.goss_top);
  visit("goss_other", o.goss_other);
  visit("dart_rate", o.dart_rate);
  visit("dart_skip", o.dart_skip);
  visit("dart_most", o.dart_most);
  visit("min_level_rows", o.min_level_rows);
  visit("one_against_rest_levels", o.one_against_rest_levels);
  visit("max_categories_in_set", o.max_categories_in_set);
  visit("categorical_smoothing", o.categorical_smoothing);
  visit("categorical_l2", o.categorical_l2);
  visit("monotone", o.monotone);
  visit("interactions", o.interactions);
  visit("huber_delta", o.huber_delta);
  visit("quantile", o.quantile);
  visit("tweedie_power", o.tweedie_power);
  visit("ndcg_at", o.ndcg_at);
  visit("positive", o.positive);
  visit("early_stopping_rounds", o.early_stopping_rounds);
  visit("early_stopping_min_delta", o.early_stopping_min_delta);
  visit("seed", o.seed);
}

}  // namespace tern::trees::internal
