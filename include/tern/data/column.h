#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"

namespace tern::data {

/// What a column holds. A timestamp is a count of microseconds since 1970-01-01T00:00:00 UTC.
enum class ColumnType : std::uint8_t { f64, i64, boolean, string, categorical, timestamp };

/// The type's name: "f64", "i64", "boolean", "string", "categorical", "timestamp".
TERN_API std::string_view to_string(ColumnType type);

/// The type of a name, as `to_string` gives it. Throws ValueError, listing the names.
TERN_API ColumnType parse_column_type(std::string_view name);

struct ColumnBuffers;

/// The mask of a column in which every row has a value: empty.
TERN_API const std::vector<bool>& all_valid();

/// One column of a table: typed values with a null mask. Immutable, and cheap to copy (buffers are shared).
/// Under a null, f64 holds NaN, a code is -1, and the other buffers hold zero.
class TERN_API Column {
 public:
  /// An empty f64 column.
  Column();

  /// Columns of values; `valid` is empty (every row has a value) or as long as the values. Throws ValueError when
  /// lengths differ, when codes lie outside the levels, when levels repeat.
  static Column from_f64(std::vector<double> values, const std::vector<bool>& valid = all_valid());
  static Column from_i64(std::vector<std::int64_t> values, const std::vector<bool>& valid = all_valid());
  static Column from_booleans(const std::vector<bool>& values, const std::vector<bool>& valid = all_valid());
  static Column from_strings(const std::vector<std::string>& values, const std::vector<bool>& valid = all_valid());
  static Column from_timestamps(std::vector<std::int64_t> microseconds, const std::vector<bool>& valid = all_valid());
  /// A code of -1 is a null.
  static Column from_codes(std::vector<std::int32_t> codes, std::vector<std::string> levels, bool ordered = false);
  /// Takes whole buffers over. Throws ValueError when they do not fit together.
  static Column from_buffers(ColumnBuffers buffers);
  /// `size` nulls of a type (a categorical one without levels).
  static Column nulls(ColumnType type, std::int64_t size);

  ColumnType type() const { return type_; }
  std::int64_t size() const { return size_; }
  std::int64_t null_count() const { return null_count_; }
  /// True for f64, i64 and boolean.
  bool is_numeric() const { return type_ <= ColumnType::boolean; }

  bool is_null(std::int64_t i) const {
    check_row(i);
    return validity_ != nullptr && !bit(validity_, i);
  }

  /// Values by row. Throw DTypeError when the column is of another type and IndexError outside [0, size()).
  double f64(std::int64_t i) const {
    check(ColumnType::f64, i);
    return static_cast<const double*>(values_)[i];
  }
  std::int64_t i64(std::int64_t i) const {
    check(ColumnType::i64, i);
    return static_cast<const std::int64_t*>(values_)[i];
  }
  bool boolean(std::int64_t i) const {
    check(ColumnType::boolean, i);
    return bit(static_cast<const std::uint8_t*>(values_), i);
  }
  std::int64_t timestamp(std::int64_t i) const {
    check(ColumnType::timestamp, i);
    return static_cast<const std::int64_t*>(values_)[i];
  }
  std::int32_t code(std::int64_t i) const {
    check(ColumnType::categorical, i);
    return static_cast<const std::int32_t*>(values_)[i];
  }
  /// The text of a string, or the level of a categorical; empty for a null. Valid as long as the column or a copy
  /// lives.
  std::string_view string(std::int64_t i) const;
  /// f64, i64, boolean (0 or 1) and timestamp (microseconds) as a double, NaN for a null. Throws DTypeError for text.
  double numeric(std::int64_t i) const;
  /// All of `numeric` at once.
  std::vector<double> numeric() const;
  /// Any value as `write_csv` prints it: shortest round-trip numbers, true/false, ISO 8601; empty for a null.
  std::string text(std::int64_t i) const;

  /// Whole buffers, as Arrow lays them out. Throw DTypeError when the column is of another type.
  std::span<const double> f64_values() const;
  std::span<const std::int64_t> i64_values() const;  ///< i64 and timestamp
  std::span<const std::uint8_t> boolean_bits() const;
  std::span<const std::int64_t> offsets() const;  ///< string: size() + 1
  std::string_view characters() const;            ///< string
  std::span<const std::int32_t> codes() const;    ///< categorical; -1 for a null
  /// The validity bitmap, empty when there is no null.
  std::span<const std::uint8_t> validity() const;

  /// Levels of a categorical, in order. Throws DTypeError otherwise.
  const std::vector<std::string>& levels() const;
  bool ordered() const;

  /// Number of different values, nulls not counted.
  std::int64_t distinct_count() const;

  /// Rows `indices`, in that order, repeats allowed. Throws IndexError.
  Column take(std::span<const std::int64_t> indices) const;
  /// `count` rows from `begin`. Throws IndexError.
  Column slice(std::int64_t begin, std::int64_t count) const;
  /// Columns of one type one after the other; the levels of categoricals are united in order of appearance. Throws
  /// DTypeError when types differ.
  static Column concat(std::span<const Column> parts);
  /// The values as another type, nulls kept. Text is parsed (numbers, true/false, ISO 8601); a string becomes a
  /// categorical with its values sorted as levels; f64 becomes i64 where it is whole; numbers become boolean where
  /// they are 0 or 1. Throws DataError naming the row (`row()`) and the value that does not fit, and DTypeError for a
  /// cast that means nothing (boolean to timestamp).
  Column cast(ColumnType type) const;
  /// A string or categorical column recoded to these levels, in this order; values that are no level are added behind
  /// them, sorted. Throws DTypeError for other types, ValueError when levels repeat.
  Column encode(std::vector<std::string> levels, bool ordered = false) const;

  /// The same type, nulls, values (NaN equals NaN) and levels.
  bool equals(const Column& other) const;

 private:
  static bool bit(const std::uint8_t* bits, std::int64_t i) { return (bits[i >> 3] >> (i & 7)) & 1; }
  void check_row(std::int64_t i) const {
    if (static_cast<std::uint64_t>(i) >= static_cast<std::uint64_t>(size_)) fail_row(i);
  }
  void check(ColumnType type, std::int64_t i) const {
    if (type_ != type) fail_type(type);
    check_row(i);
  }
  // Of buffers that are known to fit together, as those of some rows of a column are.
  static Column from_checked(ColumnBuffers buffers);
  [[noreturn]] TERN_COLD void fail_row(std::int64_t i) const;
  [[noreturn]] TERN_COLD void fail_type(ColumnType wanted) const;

  ColumnType type_ = ColumnType::f64;
  std::int64_t size_ = 0, null_count_ = 0;
  const std::uint8_t* validity_ = nullptr;
  const void* values_ = nullptr;
  std::shared_ptr<const ColumnBuffers> buffers_;
};

}  // namespace tern::data
