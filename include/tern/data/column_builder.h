#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/column.h"

namespace tern::data {

/// Buffers of a column in the layout of the Arrow Columnar Format (arrow.apache.org/docs/format/Columnar.html), from
/// which `Column::from_buffers` makes one. Which are filled depends on `type`; the others stay empty.
struct ColumnBuffers {
  ColumnType type = ColumnType::f64;
  std::int64_t size = 0;
  std::vector<std::uint8_t> validity{};  ///< bit i (least significant first) set where row i has a value; empty: all
  std::vector<double> f64{};             ///< f64
  std::vector<std::int64_t> i64{};       ///< i64, timestamp
  std::vector<std::uint8_t> bits{};      ///< boolean, bit-packed, least significant bit first
  std::vector<std::int64_t> offsets{};   ///< string: size + 1 positions in `characters`, starting at 0
  std::string characters{};              ///< string: UTF-8 bytes
  std::vector<std::int32_t> codes{};     ///< categorical: position in `levels`
  std::vector<std::string> levels{};     ///< categorical: distinct, in order
  bool ordered = false;                  ///< categorical: the order of the levels means something
};

/// Builds a column value by value.
class TERN_API ColumnBuilder {
 public:
  explicit ColumnBuilder(ColumnType type);

  void reserve(std::int64_t rows);
  /// Appends one value. Throws DTypeError when the column is of another type. `add_string` of a categorical finds or
  /// adds its level, in order of appearance.
  void add_f64(double value);
  void add_i64(std::int64_t value);
  void add_boolean(bool value);
  void add_timestamp(std::int64_t microseconds);
  void add_string(std::string_view value);
  void add_null();
  std::int64_t size() const { return buffers_.size; }
  /// The column; the builder starts anew, empty.
  Column finish();

 private:
  void need(ColumnType type) const;
  void valid();

  ColumnBuffers buffers_;
  bool any_null_ = false;
  std::shared_ptr<void> level_index_;
};

}  // namespace tern::data
