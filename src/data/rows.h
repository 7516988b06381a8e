#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/matrix.h"
#include "tern/data/table.h"

// What everything that learns from rows checks of them. `type` begins the messages.
namespace tern::data::internal {

/// What is said of a target of a type that is no number; of written numbers ("12%", "$1,234.50") also how they are
/// read.
TERN_API std::string no_numbers(const Column& target, const std::string& name);

/// How a column of text writes numbers, as apply_format takes it; empty for another, and for plain numbers.
TERN_API std::string written_numbers(const Column& column, const std::string& name);

/// Columns of a table as doubles, row by row; missing values are NaN where they may be there. Throws DataError for a
/// column of another type, a missing value where it may not, and an infinite one.
TERN_API std::vector<double> numbers_of(const Table& table, const std::vector<std::string>& names,
                                        std::string_view type, bool missing);
/// A column of weights. Throws DataError for one that holds no numbers, and for a row without a finite one of at least
/// 0.
TERN_API std::vector<double> weights_of(const Table& table, const std::string& name, std::string_view type);
/// Throws DataError where a column does not hold what it held in training, of type `learned`: a time for a number, a
/// number for a time, or for a boolean a number other than 0 and 1.
TERN_API void check_type(std::string_view type, const Table& table, const std::string& name, ColumnType learned);
/// Throws ShapeError or ValueError unless there are none, or one a row: finite, at least 0, not all 0.
TERN_API void check_weights(std::string_view type, const Vector& weights, std::int64_t rows);
/// Throws ValueError that names the first number that is infinite, or missing where `missing` is false, and the class
/// of `type`. `what` ends the message.
TERN_API void check_numbers(std::string_view type, const Matrix& x, const std::vector<std::string>& names, bool missing,
                            const char* what);

/// Probabilities of the classes `from`, in the form of Estimator::predict_probability, as those of `to`, found by name:
/// classes that `from` lacks have 0. Throws ValueError where `from` has others or the number of probabilities does not
/// fit.
TERN_API std::vector<double> in_classes(std::vector<double> given, const std::vector<std::string>& from,
                                        const std::vector<std::string>& to);

}  // namespace tern::data::internal
