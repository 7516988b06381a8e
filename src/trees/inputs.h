#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tern/data/table.h"
#include "tern/trees/ensemble.h"

namespace tern::trees::internal {

/// Whether a column of at least one row holds no value at all.
bool all_missing(const data::Column& column);

/// A table's columns bound to the features of an ensemble, to be read row by row.
class Inputs {
 public:
  /// Throws DataError as trees::inputs does; `name` begins the message.
  Inputs(const char* name, const std::vector<Feature>& features, const data::Table& table);
  std::int64_t rows() const { return rows_; }
  /// Rows begin … begin + count - 1 as [count x features].
  void fill(std::int64_t begin, std::int64_t count, double* out) const;

 private:
  struct Bound {
    data::Column column;
    std::vector<double> codes{};   ///< of a categorical column: the feature's code of each of its levels
    std::vector<double> values{};  ///< of other columns whose values are not doubles already
  };
  std::int64_t rows_ = 0;
  std::vector<Bound> bound_{};
};

/// What trees::inputs gives; `name` begins the messages.
std::vector<double> inputs(const char* name, const Ensemble& ensemble, const data::Table& table);

/// Of each categorical feature that has any, how many values in these rows are no levels of its own. Throws DataError
/// as trees::inputs does.
std::vector<std::pair<std::string, std::int64_t>> unseen_levels(const char* name, const Ensemble& ensemble,
                                                                const data::Table& table);

}  // namespace tern::trees::internal
