#include "tern/data/column.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "data/bits.h"
#include "data/scalar.h"
#include "tern/base/error.h"
#include "tern/data/column_builder.h"

namespace tern::data {

const std::vector<bool>& all_valid() {
  static const std::vector<bool> none;
  return none;
}

namespace {

using internal::get_bit;
using internal::set_bit;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view type_names[] = {"f64", "i64", "boolean", "string", "categorical", "timestamp"};

std::size_t bitmap_bytes(std::int64_t size) { return static_cast<std::size_t>((size + 7) / 8); }

std::vector<std::uint8_t> pack(const std::vector<bool>& values) {
  std::vector<std::uint8_t> bits(bitmap_bytes(static_cast<std::int64_t>(values.size())));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i]) set_bit(bits, static_cast<std::int64_t>(i));
  }
  return bits;
}

void clear_tail(std::vector<std::uint8_t>& bits, std::int64_t size) {
  if (size % 8 != 0) bits.back() &= static_cast<std::uint8_t>((1u << (size % 8)) - 1);
}

// `size` bits from bit `begin`; those behind them in the last byte are clear.
std::vector<std::uint8_t> bit_range(const std::vector<std::uint8_t>& source, std::int64_t begin, std::int64_t size) {
  std::vector<std::uint8_t> bits(bitmap_bytes(size));
  const auto first = static_cast<std::size_t>(begin >> 3);
  const auto shift = static_cast<unsigned>(begin & 7);
  for (std::size_t k = 0; k < bits.size(); ++k) {
    unsigned byte = static_cast<unsigned>(source[first + k]) >> shift;
    if (shift > 0 && first + k + 1 < source.size()) byte |= static_cast<unsigned>(source[first + k + 1]) << (8 - shift);
    bits[k] = static_cast<std::uint8_t>(byte);
  }
  clear_tail(bits, size);
  return bits;
}

[[noreturn]] TERN_COLD void misfit(const std::string& expected, const std::string& got) {
  throw ValueError("[Column] expected " + expected + ", got " + got);
}

void need_length(std::size_t got, std::int64_t wanted, const char* what) {
  if (got != static_cast<std::size_t>(wanted)) {
    misfit(std::to_string(wanted) + " " + what, std::to_string(got));
  }
}

std::int64_t valid_rows(const ColumnBuffers& b) {
  if (b.validity.empty()) return b.size;
  std::int64_t valid = 0;
  for (const std::uint8_t byte : b.validity) valid += __builtin_popcount(byte);
  return valid;
}

void check_levels(const std::vector<std::string>& levels) {
  std::unordered_set<std::string_view> seen(levels.size());
  for (const std::string& level : levels) {
    if (!seen.insert(level).second) misfit("levels without repeats", internal::shown(level) + " twice");
  }
  if (levels.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    misfit("fewer than 2^31 levels", std::to_string(levels.size()));
  }
}

ColumnBuffers start(ColumnType type, std::size_t size, const std::vector<bool>& valid) {
  ColumnBuffers buffers;
  buffers.type = type;
  buffers.size = static_cast<std::int64_t>(size);
  if (!valid.empty()) {
    need_length(valid.size(), buffers.size, "validity flags");
    buffers.validity = pack(valid);
  }
  return buffers;
}

}  // namespace

std::string_view to_string(ColumnType type) { return type_names[static_cast<std::size_t>(type)]; }

ColumnType parse_column_type(std::string_view name) {
  for (std::size_t i = 0; i < std::size(type_names); ++i) {
    if (type_names[i] == name) return static_cast<ColumnType>(i);
  }
  throw ValueError("[parse_column_type] expected f64, i64, boolean, string, categorical or timestamp, got " +
                   internal::shown(name));
}

Column::Column() : buffers_(std::make_shared<const ColumnBuffers>()) {}

Column Column::from_f64(std::vector<double> values, const std::vector<bool>& valid) {
  ColumnBuffers buffers = start(ColumnType::f64, values.size(), valid);
  buffers.f64 = std::move(values);
  return from_buffers(std::move(buffers));
}

Column Column::from_i64(std::vector<std::int64_t> values, const std::vector<bool>& valid) {
  ColumnBuffers buffers = start(ColumnType::i64, values.size(), valid);
  buffers.i64 = std::move(values);
  return from_buffers(std::move(buffers));
}

Column Column::from_timestamps(std::vector<std::int64_t> microseconds, const std::vector<bool>& valid) {
  ColumnBuffers buffers = start(ColumnType::timestamp, microseconds.size(), valid);
  buffers.i64 = std::move(microseconds);
  return from_buffers(std::move(buffers));
}

Column Column::from_booleans(const std::vector<bool>& values, const std::vector<bool>& valid) {
  ColumnBuffers buffers = start(ColumnType::boolean, values.size(), valid);
  buffers.bits = pack(values);
  return from_buffers(std::move(buffers));
}

Column Column::from_strings(const std::vector<std::string>& values, const std::vector<bool>& valid) {
  ColumnBuffers buffers = start(ColumnType::string, values.size(), valid);
  buffers.offsets.reserve(values.size() + 1);
  buffers.offsets.push_back(0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (valid.empty() || valid[i]) buffers.characters += values[i];
    buffers.offsets.push_back(static_cast<std::int64_t>(buffers.characters.size()));
  }
  return from_buffers(std::move(buffers));
}

Column Column::from_codes(std::vector<std::int32_t> codes, std::vector<std::string> levels, bool ordered) {
  ColumnBuffers buffers = start(ColumnType::categorical, codes.size(), {});
  if (std::find(codes.begin(), codes.end(), -1) != codes.end()) {
    buffers.validity.resize(bitmap_bytes(buffers.size));
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (codes[i] != -1) set_bit(buffers.validity, static_cast<std::int64_t>(i));
    }
  }
  buffers.codes = std::move(codes);
  buffers.levels = std::move(levels);
  buffers.ordered = ordered;
  return from_buffers(std::move(buffers));
}

Column Column::from_buffers(ColumnBuffers b) {
  if (b.size < 0) misfit("a size of at least 0", std::to_string(b.size));
  if (!b.validity.empty()) {
    need_length(b.validity.size(), static_cast<std::int64_t>(bitmap_bytes(b.size)), "bytes of validity");
    clear_tail(b.validity, b.size);
  }
  const bool nulls = valid_rows(b) < b.size;
  switch (b.type) {
    case ColumnType::f64:
      need_length(b.f64.size(), b.size, "values");
      for (double& value : b.f64) {  // one NaN, so that equal columns have equal bytes
        if (std::isnan(value)) value = nan;
      }
      for (std::int64_t i = 0; nulls && i < b.size; ++i) {
        if (!get_bit(b.validity, i)) b.f64[static_cast<std::size_t>(i)] = nan;
      }
      break;
    case ColumnType::i64:
    case ColumnType::timestamp:
      need_length(b.i64.size(), b.size, "values");
      for (std::int64_t i = 0; nulls && i < b.size; ++i) {
        if (!get_bit(b.validity, i)) b.i64[static_cast<std::size_t>(i)] = 0;
      }
      break;
    case ColumnType::boolean:
      need_length(b.bits.size(), static_cast<std::int64_t>(bitmap_bytes(b.size)), "bytes of booleans");
      if (b.size > 0) clear_tail(b.bits, b.size);
      for (std::size_t i = 0; nulls && i < b.bits.size(); ++i) b.bits[i] &= b.validity[i];
      break;
    case ColumnType::string: {
      need_length(b.offsets.size(), b.size + 1, "offsets");
      if (b.offsets.front() != 0 || b.offsets.back() != static_cast<std::int64_t>(b.characters.size())) {
        misfit("offsets from 0 to the number of characters", "others");
      }
      for (std::int64_t i = 0; i < b.size; ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (b.offsets[at + 1] < b.offsets[at]) misfit("offsets that do not fall", "a fall at " + std::to_string(i));
        if (nulls && b.offsets[at + 1] != b.offsets[at] && !get_bit(b.validity, i)) {
          misfit("no characters under a null", "some at " + std::to_string(i));
        }
      }
      break;
    }
    case ColumnType::categorical:
      need_length(b.codes.size(), b.size, "codes");
      check_levels(b.levels);
      for (std::int64_t i = 0; i < b.size; ++i) {
        std::int32_t& code = b.codes[static_cast<std::size_t>(i)];
        if (nulls && !get_bit(b.validity, i)) {
          code = -1;
        } else if (code < 0 || static_cast<std::size_t>(code) >= b.levels.size()) {
          misfit("codes below " + std::to_string(b.levels.size()), std::to_string(code));
        }
      }
      break;
  }
  return from_checked(std::move(b));
}

Column Column::from_checked(ColumnBuffers b) {
  Column column;
  column.type_ = b.type;
  column.size_ = b.size;
  column.null_count_ = b.size - valid_rows(b);
  if (column.null_count_ == 0) b.validity.clear();
  auto shared = std::make_shared<const ColumnBuffers>(std::move(b));
  column.validity_ = shared->validity.empty() ? nullptr : shared->validity.data();
  switch (shared->type) {
    case ColumnType::f64:
      column.values_ = shared->f64.data();
      break;
    case ColumnType::i64:
    case ColumnType::timestamp:
      column.values_ = shared->i64.data();
      break;
    case ColumnType::boolean:
      column.values_ = shared->bits.data();
      break;
    case ColumnType::string:
      column.values_ = shared->offsets.data();
      break;
    case ColumnType::categorical:
      column.values_ = shared->codes.data();
      break;
  }
  column.buffers_ = std::move(shared);
  return column;
}

Column Column::nulls(ColumnType type, std::int64_t size) {
  if (size < 0) misfit("a size of at least 0", std::to_string(size));
  ColumnBuffers b;
  b.type = type;
  b.size = size;
  b.validity.resize(bitmap_bytes(size));
  const auto n = static_cast<std::size_t>(size);
  switch (type) {
    case ColumnType::f64:
      b.f64.resize(n);
      break;
    case ColumnType::i64:
    case ColumnType::timestamp:
      b.i64.resize(n);
      break;
    case ColumnType::boolean:
      b.bits.resize(bitmap_bytes(size));
      break;
    case ColumnType::string:
      b.offsets.resize(n + 1);
      break;
    case ColumnType::categorical:
      b.codes.resize(n, -1);
      break;
  }
  return from_buffers(std::move(b));
}

void Column::fail_row(std::int64_t i) const {
  throw IndexError("[Column] expected a row in [0, " + std::to_string(size_) + "), got " + std::to_string(i));
}

void Column::fail_type(ColumnType wanted) const {
  throw DTypeError("[Column] expected a column of " + std::string(to_string(wanted)) + ", got " +
                   std::string(to_string(type_)));
}

std::string_view Column::string(std::int64_t i) const {
  if (type_ == ColumnType::categorical) {
    const std::int32_t c = code(i);
    return c < 0 ? std::string_view() : std::string_view(buffers_->levels[static_cast<std::size_t>(c)]);
  }
  check(ColumnType::string, i);
  const auto* offsets = static_cast<const std::int64_t*>(values_);
  return std::string_view(buffers_->characters.data() + offsets[i],
                          static_cast<std::size_t>(offsets[i + 1] - offsets[i]));
}

double Column::numeric(std::int64_t i) const {
  if (is_null(i)) return nan;
  switch (type_) {
    case ColumnType::f64:
      return f64(i);
    case ColumnType::i64:
    case ColumnType::timestamp:
      return static_cast<double>(static_cast<const std::int64_t*>(values_)[i]);
    case ColumnType::boolean:
      return boolean(i) ? 1.0 : 0.0;
    default:
      break;
  }
  throw DTypeError("[Column::numeric] expected a column of numbers, got " + std::string(to_string(type_)));
}

std::vector<double> Column::numeric() const {
  if (type_ == ColumnType::f64) return buffers_->f64;
  if (type_ == ColumnType::string || type_ == ColumnType::categorical) {
    throw DTypeError("[Column::numeric] expected a column of numbers, got " + std::string(to_string(type_)));
  }
  std::vector<double> values(static_cast<std::size_t>(size_));
  for (std::int64_t i = 0; i < size_; ++i) values[static_cast<std::size_t>(i)] = numeric(i);
  return values;
}

std::string Column::text(std::int64_t i) const {
  if (is_null(i)) return {};
  std::string out;
  switch (type_) {
    case ColumnType::f64:
      internal::append_f64(out, f64(i));
      break;
    case ColumnType::i64:
      internal::append_i64(out, i64(i));
      break;
    case ColumnType::boolean:
      out = boolean(i) ? "true" : "false";
      break;
    case ColumnType::timestamp:
      internal::append_timestamp(out, timestamp(i), false);
      break;
    case ColumnType::string:
    case ColumnType::categorical:
      out = string(i);
      break;
  }
  return out;
}

std::span<const double> Column::f64_values() const {
  if (type_ != ColumnType::f64) fail_type(ColumnType::f64);
  return buffers_->f64;
}

std::span<const std::int64_t> Column::i64_values() const {
  if (type_ != ColumnType::i64 && type_ != ColumnType::timestamp) fail_type(ColumnType::i64);
  return buffers_->i64;
}

std::span<const std::uint8_t> Column::boolean_bits() const {
  if (type_ != ColumnType::boolean) fail_type(ColumnType::boolean);
  return buffers_->bits;
}

std::span<const std::int64_t> Column::offsets() const {
  if (type_ != ColumnType::string) fail_type(ColumnType::string);
  return buffers_->offsets;
}

std::string_view Column::characters() const {
  if (type_ != ColumnType::string) fail_type(ColumnType::string);
  return buffers_->characters;
}

std::span<const std::int32_t> Column::codes() const {
  if (type_ != ColumnType::categorical) fail_type(ColumnType::categorical);
  return buffers_->codes;
}

std::span<const std::uint8_t> Column::validity() const { return buffers_->validity; }

const std::vector<std::string>& Column::levels() const {
  if (type_ != ColumnType::categorical) fail_type(ColumnType::categorical);
  return buffers_->levels;
}

bool Column::ordered() const {
  if (type_ != ColumnType::categorical) fail_type(ColumnType::categorical);
  return buffers_->ordered;
}

std::int64_t Column::distinct_count() const {
  const auto count = [this](auto&& value) {
    std::unordered_set<std::decay_t<decltype(value(std::int64_t{0}))>> seen;
    for (std::int64_t i = 0; i < size_; ++i) {
      if (!is_null(i)) seen.insert(value(i));
    }
    return static_cast<std::int64_t>(seen.size());
  };
  switch (type_) {
    case ColumnType::f64:
      return count([this](std::int64_t i) {  // as bits, so that NaN counts once; 0 and -0 are one value
        const double value = f64(i) == 0 ? 0.0 : f64(i);
        std::uint64_t bits = 0;
        std::memcpy(&bits, &value, sizeof bits);
        return bits;
      });
    case ColumnType::i64:
    case ColumnType::timestamp:
      return count([this](std::int64_t i) { return buffers_->i64[static_cast<std::size_t>(i)]; });
    case ColumnType::boolean:
      return count([this](std::int64_t i) { return boolean(i); });
    case ColumnType::categorical:
      return count([this](std::int64_t i) { return code(i); });
    case ColumnType::string:
      break;
  }
  return count([this](std::int64_t i) { return string(i); });
}

Column Column::take(std::span<const std::int64_t> indices) const {
  for (const std::int64_t i : indices) check_row(i);
  const ColumnBuffers& from = *buffers_;
  ColumnBuffers b;
  b.type = type_;
  b.size = static_cast<std::int64_t>(indices.size());
  b.ordered = from.ordered;
  b.levels = from.levels;
  const auto gather = [&](const auto& source, auto& target) {
    target.resize(indices.size());
    for (std::size_t k = 0; k < indices.size(); ++k) target[k] = source[static_cast<std::size_t>(indices[k])];
  };
  const auto gather_bits = [&](const std::vector<std::uint8_t>& source, std::vector<std::uint8_t>& target) {
    target.resize(bitmap_bytes(b.size));
    for (std::size_t k = 0; k < indices.size(); ++k) {
      if (get_bit(source, indices[k])) set_bit(target, static_cast<std::int64_t>(k));
    }
  };
  if (validity_) gather_bits(from.validity, b.validity);
  switch (type_) {
    case ColumnType::f64:
      gather(from.f64, b.f64);
      break;
    case ColumnType::i64:
    case ColumnType::timestamp:
      gather(from.i64, b.i64);
      break;
    case ColumnType::boolean:
      gather_bits(from.bits, b.bits);
      break;
    case ColumnType::categorical:
      gather(from.codes, b.codes);
      break;
    case ColumnType::string: {
      b.offsets.resize(indices.size() + 1);
      for (std::size_t k = 0; k < indices.size(); ++k) {
        const auto i = static_cast<std::size_t>(indices[k]);
        b.offsets[k + 1] = b.offsets[k] + (from.offsets[i + 1] - from.offsets[i]);
      }
      b.characters.reserve(static_cast<std::size_t>(b.offsets.back()));
      for (const std::int64_t i : indices) b.characters += string(i);
      break;
    }
  }
  return from_checked(std::move(b));
}

Column Column::slice(std::int64_t begin, std::int64_t count) const {
  if (begin < 0 || count < 0 || begin > size_ || count > size_ - begin) {
    throw IndexError("[Column::slice] expected rows within [0, " + std::to_string(size_) + "), got " +
                     std::to_string(count) + " from " + std::to_string(begin));
  }
  if (begin == 0 && count == size_) return *this;
  const ColumnBuffers& from = *buffers_;
  ColumnBuffers b;
  b.type = type_;
  b.size = count;
  b.ordered = from.ordered;
  b.levels = from.levels;
  const auto copy = [&](const auto& source, auto& target) {
    target.assign(source.begin() + begin, source.begin() + begin + count);
  };
  if (validity_) b.validity = bit_range(from.validity, begin, count);
  switch (type_) {
    case ColumnType::f64:
      copy(from.f64, b.f64);
      break;
    case ColumnType::i64:
    case ColumnType::timestamp:
      copy(from.i64, b.i64);
      break;
    case ColumnType::boolean:
      b.bits = bit_range(from.bits, begin, count);
      break;
    case ColumnType::categorical:
      copy(from.codes, b.codes);
      break;
    case ColumnType::string: {
      const auto first = from.offsets.begin() + begin;
      b.offsets.assign(first, first + count + 1);
      const std::int64_t base = b.offsets.front();
      b.characters.assign(from.characters, static_cast<std::size_t>(base),
                          static_cast<std::size_t>(b.offsets.back() - base));
      for (std::int64_t& offset : b.offsets) offset -= base;
      break;
    }
  }
  return from_checked(std::move(b));
}

Column Column::concat(std::span<const Column> parts) {
  if (parts.empty()) misfit("at least one column to concatenate", "none");
  ColumnBuffers b;
  b.type = parts[0].type_;
  b.ordered = parts[0].buffers_->ordered;
  bool nulls = false;
  for (const Column& part : parts) {
    if (part.type_ != b.type) part.fail_type(b.type);
    b.size += part.size_;
    nulls = nulls || part.null_count_ > 0;
  }
  if (nulls) b.validity.resize(bitmap_bytes(b.size));
  if (b.type == ColumnType::boolean) b.bits.resize(bitmap_bytes(b.size));
  if (b.type == ColumnType::string) b.offsets.push_back(0);
  std::unordered_map<std::string, std::int32_t> index;
  std::int64_t row = 0;
  for (const Column& part : parts) {
    const ColumnBuffers& from = *part.buffers_;
    for (std::int64_t i = 0; nulls && i < part.size_; ++i) {
      if (!part.is_null(i)) set_bit(b.validity, row + i);
    }
    switch (b.type) {
      case ColumnType::f64:
        b.f64.insert(b.f64.end(), from.f64.begin(), from.f64.end());
        break;
      case ColumnType::i64:
      case ColumnType::timestamp:
        b.i64.insert(b.i64.end(), from.i64.begin(), from.i64.end());
        break;
      case ColumnType::boolean:
        for (std::int64_t i = 0; i < part.size_; ++i) {
          if (get_bit(from.bits, i)) set_bit(b.bits, row + i);
        }
        break;
      case ColumnType::string: {
        const auto base = static_cast<std::int64_t>(b.characters.size());
        b.characters += from.characters;
        for (std::int64_t i = 0; i < part.size_; ++i)
          b.offsets.push_back(base + from.offsets[static_cast<std::size_t>(i) + 1]);
        break;
      }
      case ColumnType::categorical: {
        b.ordered = b.ordered && from.ordered;
        std::vector<std::int32_t> map(from.levels.size());
        for (std::size_t k = 0; k < from.levels.size(); ++k) {
          const auto [at, fresh] = index.try_emplace(from.levels[k], static_cast<std::int32_t>(b.levels.size()));
          if (fresh) b.levels.push_back(from.levels[k]);
          map[k] = at->second;
        }
        for (const std::int32_t c : from.codes) b.codes.push_back(c < 0 ? -1 : map[static_cast<std::size_t>(c)]);
        break;
      }
    }
    row += part.size_;
  }
  return from_buffers(std::move(b));
}

bool Column::equals(const Column& other) const {
  if (type_ != other.type_ || size_ != other.size_ || null_count_ != other.null_count_) return false;
  const ColumnBuffers &a = *buffers_, &b = *other.buffers_;
  if (a.validity != b.validity) return false;
  if (type_ == ColumnType::f64) {  // bytes: NaN is one pattern
    return size_ == 0 || std::memcmp(a.f64.data(), b.f64.data(), a.f64.size() * sizeof(double)) == 0;
  }
  return a.i64 == b.i64 && a.bits == b.bits && a.characters == b.characters && a.codes == b.codes &&
         a.levels == b.levels && a.ordered == b.ordered &&
         (type_ != ColumnType::string || size_ == 0 || a.offsets == b.offsets);
}

}  // namespace tern::data
