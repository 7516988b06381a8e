#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

#include "data/scalar.h"
#include "tern/base/error.h"
#include "tern/data/column.h"
#include "tern/data/column_builder.h"
#include "tern/data/formats.h"

namespace tern::data {
namespace {

using Levels = std::unordered_map<std::string, std::int32_t>;

[[noreturn]] TERN_COLD void misfit(ColumnType type, const Column& column, std::int64_t row, bool too_large) {
  const std::string value = internal::shown(column.text(row));
  DataLocation location;
  location.row = row;
  throw DataError("cast",
                  "expected " + value_in_words(type) + ", got " + (too_large ? "a number too large: " + value : value),
                  std::move(location));
}

std::vector<std::string> sorted_text(const Column& column) {
  std::vector<std::string_view> values;
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (!column.is_null(i)) values.push_back(column.string(i));
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return {values.begin(), values.end()};
}

// Texts of the distinct values, in the order of the values.
std::vector<std::string> sorted_values(const Column& column) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (!column.is_null(i)) rows.push_back(i);
  }
  const bool whole = column.type() == ColumnType::i64 || column.type() == ColumnType::timestamp;
  std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
    if (whole)
      return column.i64_values()[static_cast<std::size_t>(a)] < column.i64_values()[static_cast<std::size_t>(b)];
    const double x = column.numeric(a), y = column.numeric(b);
    return std::isnan(y) ? !std::isnan(x) : x < y;
  });
  std::vector<std::string> levels;
  std::unordered_map<std::string, bool> seen;
  for (const std::int64_t row : rows) {
    std::string text = column.text(row);
    if (seen.emplace(text, true).second) levels.push_back(std::move(text));
  }
  return levels;
}

bool from_text(const Column& column) {
  return column.type() == ColumnType::string || column.type() == ColumnType::categorical;
}

void add_as(ColumnBuilder& builder, ColumnType type, const Column& column, std::int64_t i) {
  const std::string_view text = from_text(column) ? internal::trim(column.string(i)) : std::string_view();
  switch (type) {
    case ColumnType::f64: {
      double value = 0;
      if (from_text(column)) {
        const auto parsed = internal::parse_f64(text, value);
        if (parsed != internal::Parsed::ok) misfit(type, column, i, parsed == internal::Parsed::too_large);
      } else {
        value = column.numeric(i);
      }
      return builder.add_f64(value);
    }
    case ColumnType::i64: {
      std::int64_t value = 0;
      if (from_text(column)) {
        const auto parsed = internal::parse_i64(text, value);
        if (parsed != internal::Parsed::ok) misfit(type, column, i, parsed == internal::Parsed::too_large);
      } else if (column.type() == ColumnType::f64) {
        const double number = column.f64(i);
        const bool large = std::fabs(number) >= 0x1p63;
        if (large || number != std::floor(number)) misfit(type, column, i, large);
        value = static_cast<std::int64_t>(number);
      } else if (column.type() == ColumnType::boolean) {
        value = column.boolean(i) ? 1 : 0;
      } else {
        value = column.i64_values()[static_cast<std::size_t>(i)];
      }
      return builder.add_i64(value);
    }
    case ColumnType::boolean: {
      if (from_text(column)) {
        const auto value = internal::parse_boolean(text);
        if (!value) misfit(type, column, i, false);
        return builder.add_boolean(*value);
      }
      const double number = column.numeric(i);
      if (number != 0 && number != 1) misfit(type, column, i, false);
      return builder.add_boolean(number == 1);
    }
    case ColumnType::timestamp: {
      if (!from_text(column)) return builder.add_timestamp(column.i64(i));
      const auto value = internal::parse_iso(text);
      if (!value) misfit(type, column, i, false);
      return builder.add_timestamp(*value);
    }
    case ColumnType::string:
    case ColumnType::categorical:
      return builder.add_string(column.text(i));
  }
}

}  // namespace

Column Column::cast(ColumnType type) const {
  if (type == type_) return *this;
  const bool text = from_text(*this);
  if (type == ColumnType::categorical) {
    if (text) return encode(sorted_text(*this));
    return cast(ColumnType::string).encode(sorted_values(*this));
  }
  const bool from_time = type_ == ColumnType::timestamp && (type == ColumnType::f64 || type == ColumnType::boolean);
  const bool to_time = type == ColumnType::timestamp && !text && type_ != ColumnType::i64;
  if (from_time || to_time) {
    throw DTypeError("[cast] expected a type that " + std::string(to_string(type_)) + " can become, got " +
                     std::string(to_string(type)));
  }
  ColumnBuilder builder(type);
  builder.reserve(size_);
  for (std::int64_t i = 0; i < size_; ++i) {
    if (is_null(i)) {
      builder.add_null();
    } else {
      add_as(builder, type, *this, i);
    }
  }
  return builder.finish();
}

Column Column::encode(std::vector<std::string> levels, bool ordered) const {
  if (!from_text(*this)) fail_type(ColumnType::string);
  Levels index;
  for (std::size_t k = 0; k < levels.size(); ++k) index.try_emplace(levels[k], static_cast<std::int32_t>(k));
  std::vector<std::string> others;
  for (std::int64_t i = 0; i < size_; ++i) {
    if (is_null(i)) continue;
    std::string value(string(i));
    if (index.try_emplace(value, -1).second) others.push_back(std::move(value));
  }
  std::sort(others.begin(), others.end());
  for (std::string& value : others) {
    index[value] = static_cast<std::int32_t>(levels.size());
    levels.push_back(std::move(value));
  }
  std::vector<std::int32_t> codes(static_cast<std::size_t>(size_), -1);
  for (std::int64_t i = 0; i < size_; ++i) {
    if (!is_null(i)) codes[static_cast<std::size_t>(i)] = index.find(std::string(string(i)))->second;
  }
  return from_codes(std::move(codes), std::move(levels), ordered);
}

ColumnBuilder::ColumnBuilder(ColumnType type) {
  buffers_.type = type;
  if (type == ColumnType::string) buffers_.offsets.push_back(0);
}

void ColumnBuilder::reserve(std::int64_t rows) {
  if (rows < 0) throw ValueError("[ColumnBuilder] expected a count of at least 0, got " + std::to_string(rows));
  const auto n = static_cast<std::size_t>(rows);
  switch (buffers_.type) {
    case ColumnType::f64:
      return buffers_.f64.reserve(n);
    case ColumnType::i64:
    case ColumnType::timestamp:
      return buffers_.i64.reserve(n);
    case ColumnType::boolean:
      return buffers_.bits.reserve(n / 8 + 1);
    case ColumnType::string:
      return buffers_.offsets.reserve(n + 1);
    case ColumnType::categorical:
      return buffers_.codes.reserve(n);
  }
}

void ColumnBuilder::need(ColumnType type) const {
  if (buffers_.type != type) {
    throw DTypeError("[ColumnBuilder] expected a value of " + std::string(to_string(buffers_.type)) + ", got " +
                     std::string(to_string(type)));
  }
}

// Counts the row; the bitmap is made when the first null comes.
void ColumnBuilder::valid() {
  if (any_null_) {
    const auto byte = static_cast<std::size_t>(buffers_.size / 8);
    if (byte >= buffers_.validity.size()) buffers_.validity.push_back(0);
    buffers_.validity[byte] |= static_cast<std::uint8_t>(1u << (buffers_.size % 8));
  }
  ++buffers_.size;
}

void ColumnBuilder::add_f64(double value) {
  need(ColumnType::f64);
  buffers_.f64.push_back(value);
  valid();
}

void ColumnBuilder::add_i64(std::int64_t value) {
  need(ColumnType::i64);
  buffers_.i64.push_back(value);
  valid();
}

void ColumnBuilder::add_timestamp(std::int64_t microseconds) {
  need(ColumnType::timestamp);
  buffers_.i64.push_back(microseconds);
  valid();
}

void ColumnBuilder::add_boolean(bool value) {
  need(ColumnType::boolean);
  if (buffers_.size % 8 == 0) buffers_.bits.push_back(0);
  if (value) buffers_.bits.back() |= static_cast<std::uint8_t>(1u << (buffers_.size % 8));
  valid();
}

void ColumnBuilder::add_string(std::string_view value) {
  if (buffers_.type == ColumnType::categorical) {
    if (!level_index_) level_index_ = std::make_shared<Levels>();
    Levels& index = *static_cast<Levels*>(level_index_.get());
    const auto [at, fresh] = index.try_emplace(std::string(value), static_cast<std::int32_t>(buffers_.levels.size()));
    if (fresh) buffers_.levels.emplace_back(value);
    buffers_.codes.push_back(at->second);
  } else {
    need(ColumnType::string);
    buffers_.characters += value;
    buffers_.offsets.push_back(static_cast<std::int64_t>(buffers_.characters.size()));
  }
  valid();
}

void ColumnBuilder::add_null() {
  if (!any_null_) {
    any_null_ = true;
    buffers_.validity.assign(static_cast<std::size_t>((buffers_.size + 7) / 8), 0xFF);
    if (buffers_.size % 8 != 0) buffers_.validity.back() = static_cast<std::uint8_t>((1u << (buffers_.size % 8)) - 1);
  }
  switch (buffers_.type) {
    case ColumnType::f64:
      buffers_.f64.push_back(0);
      break;
    case ColumnType::i64:
    case ColumnType::timestamp:
      buffers_.i64.push_back(0);
      break;
    case ColumnType::boolean:
      if (buffers_.size % 8 == 0) buffers_.bits.push_back(0);
      break;
    case ColumnType::string:
      buffers_.offsets.push_back(static_cast<std::int64_t>(buffers_.characters.size()));
      break;
    case ColumnType::categorical:
      buffers_.codes.push_back(-1);
      break;
  }
  if (static_cast<std::size_t>(buffers_.size / 8) >= buffers_.validity.size()) buffers_.validity.push_back(0);
  ++buffers_.size;
}

Column ColumnBuilder::finish() {
  const ColumnType type = buffers_.type;
  Column column = Column::from_buffers(std::move(buffers_));
  *this = ColumnBuilder(type);
  return column;
}

}  // namespace tern::data
