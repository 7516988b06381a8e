#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tern/base/export.h"
#include "tern/trees/ensemble.h"
#include "tern/trees/predictor.h"

namespace tern::trees {

/// Gain of all splits of each feature [features], over the trees that predictions use. Throws ValueError when the
/// ensemble is not sound, as everything here does.
TERN_API std::vector<double> gain_importance(const Ensemble& ensemble);
/// Number of splits of each feature [features].
TERN_API std::vector<double> split_importance(const Ensemble& ensemble);

/// Exact Shapley values of the trees, with the training rows' way through them (their covers) as what is expected where
/// a feature is not known: path-dependent TreeSHAP, Lundberg et al., Nature Machine Intelligence 2 (2020). Safe from
/// many threads at once, and the same bits at any number of them.
class TERN_API TreeShap {
 public:
  /// Copies what it needs. Throws ValueError when the ensemble is not sound, or a tree that splits has an inner node
  /// without cover.
  explicit TreeShap(const Ensemble& ensemble);

  /// What each feature adds to the margin [rows x outputs x (features + 1)]; the last is the expected margin, and all
  /// of an output sum to its margin. Rows are those of Predictor. Throws ShapeError.
  std::vector<double> values(std::span<const double> rows) const;
  /// Of a table's rows, as `inputs` reads them, which throws DataError.
  std::vector<double> values(const data::Table& table) const;
  /// Interaction values (Fujimoto et al. 2006) [rows x outputs x (features + 1) x (features + 1)]: symmetric, each line
  /// sums to the feature's value, the last line and column hold the expected margin alone.
  std::vector<double> interactions(std::span<const double> rows) const;
  std::vector<double> interactions(const data::Table& table) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// How much worse a figure is when the values of one feature are exchanged among the rows.
struct PermutationImportance {
  std::vector<double> mean{};       ///< [features] of figure(rows as they are) - figure(permuted), or its negative
  std::vector<double> deviation{};  ///< [features], over the repeats
  double figure = 0;                ///< of the rows as they are
};

struct PermutationOptions {
  int repeats = 5;                ///< >= 1
  std::uint64_t seed = 0;         ///< repeat r of feature f draws from Philox(seed, r x features + f)
  bool larger_is_better = false;  ///< of the figure
};

/// Permutation importance (Breiman 2001) of any model: `figure` judges a matrix [rows x features] of the same rows with
/// one column permuted. Throws ShapeError when `rows` has no whole rows, ValueError for no rows or repeats.
TERN_API PermutationImportance permutation_importance(std::span<const double> rows, std::int64_t features,
                                                      const std::function<double(std::span<const double> rows)>& figure,
                                                      const PermutationOptions& options = {});

/// Mean prediction of all rows with one feature set to each of `grid`, for any model: partial dependence (Friedman
/// 2001) [grid x outputs]. `predict` gives [rows x outputs]. Throws ShapeError, IndexError for the feature, ValueError
/// for no rows.
TERN_API std::vector<double> partial_dependence(
    std::span<const double> rows, std::int64_t features, std::int64_t feature, std::span<const double> grid,
    const std::function<std::vector<double>(std::span<const double> rows)>& predict);

/// A tree as indented text, a line a node. Throws IndexError.
TERN_API std::string to_text(const Ensemble& ensemble, std::int64_t tree);
/// A tree as an SVG picture of its own (fonts of the viewer, no scripts). Throws IndexError.
TERN_API std::string to_svg(const Ensemble& ensemble, std::int64_t tree);

}  // namespace tern::trees
