#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/matrix.h"
#include "tern/data/table.h"
#include "tern/trees/ensemble.h"

namespace tern::trees {

namespace internal {
struct Flat;
}

/// A table's rows as the trees read them: row-major [rows x features], NaN for what is missing, codes for levels.
/// Columns are found by name; a level that the feature does not list becomes its number of levels (unseen). Throws
/// DataError when a column is missing or of a type that the feature cannot take.
TERN_API std::vector<double> inputs(const Ensemble& ensemble, const data::Table& table);

/// Turns margins [rows x outputs] into predictions, in place, by the ensemble's link.
TERN_API void apply_link(const Ensemble& ensemble, std::span<double> margins);

/// An ensemble made ready for predicting. Immutable, cheap to copy, safe from many threads at once. Sums go over the
/// trees in their order, so a row has the same bits alone and in any batch, at any thread count.
///
/// Rows are row-major matrices [rows x features] of doubles: NaN is missing, a categorical feature holds codes. Every
/// function throws ShapeError when a length does not fit, and uses the rounds up to the ensemble's best one.
class TERN_API Predictor {
 public:
  /// Copies what it needs. Throws ValueError when the ensemble is not sound (Ensemble::check).
  explicit Predictor(const Ensemble& ensemble);

  std::int64_t features() const;
  std::int64_t outputs() const;
  std::int64_t trees() const;  ///< that predictions use

  /// The sums over the trees [rows x outputs].
  std::vector<double> margins(std::span<const double> rows) const;
  std::vector<double> margins(const data::Matrix& rows) const;
  std::vector<double> margins(const data::Table& table) const;
  /// Margins after the link [rows x outputs]: values, the probability of the second class, or class probabilities.
  std::vector<double> predict(std::span<const double> rows) const;
  std::vector<double> predict(const data::Table& table) const;
  /// The leaf that each row reaches in each tree [rows x trees].
  std::vector<std::int32_t> leaves(std::span<const double> rows) const;
  std::vector<std::int32_t> leaves(const data::Table& table) const;

  /// One row of `features` values into `outputs` margins, or predictions; takes no memory.
  void margin(std::span<const double> row, std::span<double> out) const;
  void predict(std::span<const double> row, std::span<double> out) const;

 private:
  std::shared_ptr<const internal::Flat> flat_;
};

}  // namespace tern::trees
