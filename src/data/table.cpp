#include "tern/data/table.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "data/near_names.h"
#include "data/scalar.h"
#include "tern/base/file.h"
#include "tern/base/parallel.h"

namespace tern::data {
namespace {

// 64-bit mix (the finaliser of splitmix64, Steele et al. 2014).
std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xBF58476D1CE4E5B9u;
  x ^= x >> 27;
  x *= 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

std::uint64_t hash_value(const Column& column, std::int64_t i) {
  if (column.is_null(i)) return 0x9E3779B97F4A7C15u;
  switch (column.type()) {
    case ColumnType::f64: {
      const double value = column.f64(i) == 0 ? 0.0 : column.f64(i);
      std::uint64_t bits = 0;
      std::memcpy(&bits, &value, sizeof bits);
      return bits;
    }
    case ColumnType::i64:
    case ColumnType::timestamp:
      return static_cast<std::uint64_t>(column.i64_values()[static_cast<std::size_t>(i)]);
    case ColumnType::boolean:
      return column.boolean(i) ? 1 : 0;
    case ColumnType::categorical:
      return static_cast<std::uint64_t>(column.code(i));
    case ColumnType::string:
      break;
  }
  return std::hash<std::string_view>()(column.string(i));
}

bool same_value(const Column& column, std::int64_t a, std::int64_t b) {
  if (column.is_null(a) || column.is_null(b)) return column.is_null(a) && column.is_null(b);
  switch (column.type()) {
    case ColumnType::f64: {
      const double x = column.f64(a), y = column.f64(b);
      return x == y || (std::isnan(x) && std::isnan(y));
    }
    case ColumnType::i64:
    case ColumnType::timestamp:
      return column.i64_values()[static_cast<std::size_t>(a)] == column.i64_values()[static_cast<std::size_t>(b)];
    case ColumnType::boolean:
      return column.boolean(a) == column.boolean(b);
    case ColumnType::categorical:
      return column.code(a) == column.code(b);
    case ColumnType::string:
      break;
  }
  return column.string(a) == column.string(b);
}

// One stable pass; `less` sees rows that have a value. Nulls go last, and NaN just before them.
template <class Less>
void sort_by(std::vector<std::int64_t>& rows, const Column& column, bool ascending, Less less) {
  const bool floating = column.type() == ColumnType::f64;
  const auto rank = [&](std::int64_t i) {
    return column.is_null(i) ? 2 : floating && std::isnan(column.f64(i)) ? 1 : 0;
  };
  std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
    const int x = rank(a), y = rank(b);
    if (x != 0 || y != 0) return x < y;
    return ascending ? less(a, b) : less(b, a);
  });
}

// Whole numbers in the order of a column's values; those of text are not told.
std::vector<std::int64_t> order_keys(const Column& column) {
  std::vector<std::int64_t> keys;
  keys.reserve(static_cast<std::size_t>(column.size()));
  switch (column.type()) {
    case ColumnType::f64:
      for (const double value : column.f64_values()) {
        const auto bits = std::bit_cast<std::int64_t>(value == 0 ? 0.0 : value);  // -0 is 0
        keys.push_back(bits < 0 ? bits ^ std::numeric_limits<std::int64_t>::max() : bits);
      }
      break;
    case ColumnType::i64:
    case ColumnType::timestamp: {
      const auto values = column.i64_values();
      keys.assign(values.begin(), values.end());
      break;
    }
    case ColumnType::boolean:
      for (std::int64_t row = 0; row < column.size(); ++row) keys.push_back(column.boolean(row) ? 1 : 0);
      break;
    case ColumnType::categorical:
    case ColumnType::string:
      keys.assign(column.codes().begin(), column.codes().end());
      break;
  }
  return keys;
}

std::string_view bytes_of(const void* data, std::size_t size) {
  return std::string_view(static_cast<const char*>(data), size);
}

template <class T>
std::string hash_of(std::span<const T> values) {
  return sha256(bytes_of(values.data(), values.size_bytes()));
}

std::string hash_column(const Column& column) {
  std::string text = hash_of(column.validity());
  switch (column.type()) {
    case ColumnType::f64:
      text += hash_of(column.f64_values());
      break;
    case ColumnType::i64:
    case ColumnType::timestamp:
      text += hash_of(column.i64_values());
      break;
    case ColumnType::boolean:
      text += hash_of(column.boolean_bits());
      break;
    case ColumnType::string:
      text += hash_of(column.offsets()) + sha256(column.characters());
      break;
    case ColumnType::categorical: {
      std::string levels = column.ordered() ? "ordered" : "levels";
      for (const std::string& level : column.levels()) levels += " " + std::to_string(level.size()) + ":" + level;
      text += hash_of(column.codes()) + sha256(levels);
      break;
    }
  }
  return sha256(text);
}

RowOrigin new_origin() {
  static std::atomic<std::uint64_t> made{0};
  return {.id = made.fetch_add(1, std::memory_order_relaxed) + 1};
}

}  // namespace

struct Table::Inputs {
  // An input that rows come from; `source` is null for a table made in memory.
  struct Input {
    std::shared_ptr<const TableSource> source{};
    RowOrigin origin{};
    bool operator==(const Input& other) const { return source == other.source && origin == other.origin; }
  };
  std::shared_ptr<const std::vector<std::int64_t>> ids{};  // of each row; null: 0, 1, …
  std::vector<Input> list{};
  std::shared_ptr<const std::vector<std::int32_t>> of_row{};  // position in `list`; null: the first

  const Input& of(std::int64_t row) const {
    return list[of_row ? static_cast<std::size_t>((*of_row)[static_cast<std::size_t>(row)]) : 0];
  }
};

const Table::Inputs& Table::inputs() const {
  static const Inputs none;
  return inputs_ ? *inputs_ : none;
}

Table::Table() = default;
Table::Table(const Table& other) = default;
Table::Table(Table&& other) noexcept = default;
Table& Table::operator=(const Table& other) = default;
Table& Table::operator=(Table&& other) noexcept = default;
Table::~Table() = default;

Table::Table(std::initializer_list<std::pair<std::string, Column>> columns) {
  for (const auto& [name, column] : columns) add(name, column);
}

std::int64_t Table::find(std::string_view name) const {
  const auto at = std::find(names_.begin(), names_.end(), name);
  return at == names_.end() ? -1 : at - names_.begin();
}

std::int64_t Table::need(std::string_view name) const {
  const std::int64_t at = find(name);
  if (at < 0) {
    DataLocation location;
    location.file = source_file();
    throw DataError(
        "Table",
        "expected a column " + internal::shown(name) + ", got none" + internal::near_names(std::string(name), names_),
        std::move(location));
  }
  return at;
}

void Table::check_new(const std::string& name) const {
  if (name.empty()) throw DataError("Table", "expected a column name, got an empty one");
  if (has(name)) throw DataError("Table", "expected a new column name, got " + internal::shown(name) + " again");
}

void Table::check_length(const std::string& name, const Column& column) const {
  if (column.size() == rows_) return;
  DataLocation location;
  location.column = name;
  throw DataError("Table", "expected " + std::to_string(rows_) + " rows, got " + std::to_string(column.size()),
                  std::move(location));
}

const Column& Table::column(std::string_view name) const { return columns_[static_cast<std::size_t>(need(name))]; }

const Column& Table::column(std::int64_t position) const {
  if (position < 0 || position >= width()) {
    throw IndexError("[Table] expected a column in [0, " + std::to_string(width()) + "), got " +
                     std::to_string(position));
  }
  return columns_[static_cast<std::size_t>(position)];
}

Table& Table::add(std::string name, Column column) {
  check_new(name);
  if (columns_.empty() && rows_ == 0 && !inputs().ids) {
    rows_ = column.size();
    if (!inputs_) inputs_ = std::make_shared<const Inputs>(Inputs{.list = {{.origin = new_origin()}}});
  } else {
    check_length(name, column);
  }
  names_.push_back(std::move(name));
  columns_.push_back(std::move(column));
  return *this;
}

Table& Table::replace(std::string_view name, Column column) {
  const auto at = static_cast<std::size_t>(need(name));
  check_length(names_[at], column);
  columns_[at] = std::move(column);
  return *this;
}

Table& Table::cast(std::string_view name, ColumnType type) {
  const auto at = static_cast<std::size_t>(need(name));
  try {
    columns_[at] = columns_[at].cast(type);
  } catch (const DataError& error) {
    throw DataError("cast", error.message(), location(error.row(), name));
  }
  return *this;
}

Table Table::select(const std::vector<std::string>& names) const {
  Table result = *this;
  result.names_.clear();
  result.columns_.clear();
  for (const std::string& name : names) {
    const Column& chosen = column(name);
    result.check_new(name);
    result.names_.push_back(name);
    result.columns_.push_back(chosen);
  }
  return result;
}

Table Table::drop(const std::vector<std::string>& names) const {
  std::vector<bool> dropped(columns_.size());
  for (const std::string& name : names) dropped[static_cast<std::size_t>(need(name))] = true;
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!dropped[i]) kept.push_back(names_[i]);
  }
  return select(kept);
}

Table Table::rename(std::string_view from, std::string to) const {
  const auto at = static_cast<std::size_t>(need(from));
  Table result = *this;
  if (to == from) return result;
  check_new(to);
  result.names_[at] = std::move(to);
  return result;
}

Table Table::filter(const std::vector<bool>& mask) const {
  if (static_cast<std::int64_t>(mask.size()) != rows_) {
    throw ValueError("[Table::filter] expected a mask of " + std::to_string(rows_) + " rows, got " +
                     std::to_string(mask.size()));
  }
  return filter([&mask](std::int64_t row) -> bool { return mask[static_cast<std::size_t>(row)]; });
}

std::int64_t Table::width() const { return static_cast<std::int64_t>(columns_.size()); }

Table Table::head(std::int64_t count) const { return slice(0, std::clamp(count, std::int64_t{0}, rows_)); }

Table Table::filter(const Column& mask) const {
  if (mask.size() != rows_) {
    throw ValueError("[Table::filter] expected a mask of " + std::to_string(rows_) + " rows, got " +
                     std::to_string(mask.size()));
  }
  return filter([&mask](std::int64_t row) { return mask.boolean(row) && !mask.is_null(row); });
}

Table Table::filter(const std::function<bool(std::int64_t row)>& keep) const {
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < rows_; ++row) {
    if (keep(row)) rows.push_back(row);
  }
  return take(rows);
}

Table Table::take(std::span<const std::int64_t> indices) const {
  for (const std::int64_t i : indices) {
    if (i < 0 || i >= rows_) {
      throw IndexError("[Table::take] expected rows in [0, " + std::to_string(rows_) + "), got " + std::to_string(i));
    }
  }
  Table result = *this;
  result.rows_ = static_cast<std::int64_t>(indices.size());
  parallel_for(width(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      result.columns_[static_cast<std::size_t>(c)] = columns_[static_cast<std::size_t>(c)].take(indices);
    }
  });
  std::vector<std::int64_t> ids(indices.size());
  for (std::size_t k = 0; k < indices.size(); ++k) ids[k] = row_id(indices[k]);
  Inputs taken = inputs();
  taken.ids = std::make_shared<const std::vector<std::int64_t>>(std::move(ids));
  if (taken.of_row) {
    std::vector<std::int32_t> sources(indices.size());
    for (std::size_t k = 0; k < indices.size(); ++k) sources[k] = (*taken.of_row)[static_cast<std::size_t>(indices[k])];
    taken.of_row = std::make_shared<const std::vector<std::int32_t>>(std::move(sources));
  }
  result.inputs_ = std::make_shared<const Inputs>(std::move(taken));
  return result;
}

Table Table::slice(std::int64_t begin, std::int64_t count) const {
  if (begin < 0 || count < 0 || begin > rows_ || count > rows_ - begin) {
    throw IndexError("[Table::slice] expected rows within [0, " + std::to_string(rows_) + "), got " +
                     std::to_string(count) + " from " + std::to_string(begin));
  }
  Table result = *this;
  result.rows_ = count;
  for (Column& column : result.columns_) column = column.slice(begin, count);
  Inputs part = inputs();
  std::vector<std::int64_t> ids(static_cast<std::size_t>(count));
  if (part.ids) {
    std::copy_n(part.ids->begin() + begin, count, ids.begin());
  } else {
    std::iota(ids.begin(), ids.end(), begin);
  }
  part.ids = std::make_shared<const std::vector<std::int64_t>>(std::move(ids));
  if (part.of_row) {
    const auto first = part.of_row->begin() + begin;
    part.of_row = std::make_shared<const std::vector<std::int32_t>>(first, first + count);
  }
  result.inputs_ = std::make_shared<const Inputs>(std::move(part));
  return result;
}

std::vector<std::int64_t> Table::sorted_indices(const std::vector<std::string>& by, bool ascending) const {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(rows_));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  for (auto name = by.rbegin(); name != by.rend(); ++name) {
    const Column& c = column(*name);
    if (c.type() == ColumnType::string || (c.type() == ColumnType::categorical && !c.ordered())) {
      sort_by(rows, c, ascending, [&c](std::int64_t a, std::int64_t b) { return c.string(a) < c.string(b); });
    } else {
      const std::vector<std::int64_t> keys = order_keys(c);
      sort_by(rows, c, ascending, [&keys](std::int64_t a, std::int64_t b) {
        return keys[static_cast<std::size_t>(a)] < keys[static_cast<std::size_t>(b)];
      });
    }
  }
  return rows;
}

Table Table::sort(const std::vector<std::string>& by, bool ascending) const {
  return take(sorted_indices(by, ascending));
}

std::vector<std::int64_t> Table::first_equal_row(const std::vector<std::string>& columns) const {
  const Table chosen = columns.empty() ? *this : select(columns);
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(rows_));
  for (const Column& c : chosen.columns_) {
    parallel_for(rows_, 16384, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        std::uint64_t& hash = hashes[static_cast<std::size_t>(i)];
        hash = mix(hash * 31 + hash_value(c, i) + 1);
      }
    });
  }
  std::unordered_multimap<std::uint64_t, std::int64_t> firsts;
  firsts.reserve(hashes.size());
  std::vector<std::int64_t> result(hashes.size());
  for (std::int64_t i = 0; i < rows_; ++i) {
    const std::uint64_t hash = hashes[static_cast<std::size_t>(i)];
    const auto [begin, end] = firsts.equal_range(hash);
    const auto same = std::find_if(begin, end, [&](const auto& first) {
      return std::all_of(chosen.columns_.begin(), chosen.columns_.end(),
                         [&](const Column& c) { return same_value(c, first.second, i); });
    });
    result[static_cast<std::size_t>(i)] = same == end ? i : same->second;
    if (same == end) firsts.emplace(hash, i);
  }
  return result;
}

std::int64_t Table::row_id(std::int64_t row) const {
  if (row < 0 || row >= rows_) {
    throw IndexError("[Table] expected a row in [0, " + std::to_string(rows_) + "), got " + std::to_string(row));
  }
  const auto& ids = inputs().ids;
  return ids ? (*ids)[static_cast<std::size_t>(row)] : row;
}

std::vector<std::int64_t> Table::row_ids() const {
  if (inputs().ids) return *inputs().ids;
  std::vector<std::int64_t> ids(static_cast<std::size_t>(rows_));
  std::iota(ids.begin(), ids.end(), std::int64_t{0});
  return ids;
}

RowOrigin Table::origin(std::int64_t row) const {
  if (row < 0 || row >= rows_) {
    throw IndexError("[Table] expected a row in [0, " + std::to_string(rows_) + "), got " + std::to_string(row));
  }
  return inputs().of(row).origin;
}

DataLocation Table::location(std::int64_t row, std::string_view column) const {
  DataLocation location;
  location.row = row_id(row);
  location.column = column;
  if (inputs().list.empty()) return location;
  const TableSource* source = inputs().of(row).source.get();
  if (!source) return location;
  location.file = source->file;
  if (source->lines.empty()) {
    location.line = source->first_line + location.row;
  } else if (location.row < static_cast<std::int64_t>(source->lines.size())) {
    location.line = source->lines[static_cast<std::size_t>(location.row)];
  }
  return location;
}

const std::string& Table::source_file() const {
  static const std::string none;
  if (inputs().list.empty()) return none;
  const auto& source = (rows_ > 0 ? inputs().of(0) : inputs().list.front()).source;
  return source ? source->file : none;
}

void Table::set_source(std::shared_ptr<const TableSource> source, std::vector<std::int64_t> row_ids) {
  if (!row_ids.empty()) {
    if (static_cast<std::int64_t>(row_ids.size()) != rows_) {
      throw ValueError("[Table::set_source] expected " + std::to_string(rows_) + " row ids, got " +
                       std::to_string(row_ids.size()));
    }
  }
  const RowOrigin origin = source && source->origin.id != 0 ? source->origin : new_origin();
  Inputs one{.list = {{.source = std::move(source), .origin = origin}}};
  if (!row_ids.empty()) one.ids = std::make_shared<const std::vector<std::int64_t>>(std::move(row_ids));
  inputs_ = std::make_shared<const Inputs>(std::move(one));
}

std::string Table::content_hash() const {
  std::vector<std::string> hashes(columns_.size());
  parallel_for(width(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      hashes[static_cast<std::size_t>(c)] = hash_column(columns_[static_cast<std::size_t>(c)]);
    }
  });
  std::string text = "table " + std::to_string(rows_);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    text += "\n" + std::to_string(names_[c].size()) + ":" + names_[c] + " ";
    text += to_string(columns_[c].type());
    text += " " + hashes[c];
  }
  return sha256(text);
}

bool Table::equals(const Table& other) const {
  return rows_ == other.rows_ && names_ == other.names_ &&
         std::equal(columns_.begin(), columns_.end(), other.columns_.begin(), other.columns_.end(),
                    [](const Column& a, const Column& b) { return a.equals(b); });
}

Table Table::concat(std::span<const Table> tables) {
  if (tables.empty()) throw ValueError("[Table::concat] expected at least one table, got none");
  const Table& first = tables[0];
  for (std::size_t t = 1; t < tables.size(); ++t) {
    const auto fail = [&](const std::string& name, const std::string& message) {
      DataLocation location;
      location.file = tables[t].source_file();
      location.column = name;
      throw DataError("Table::concat", message + " in table " + std::to_string(t), std::move(location));
    };
    for (std::size_t c = 0; c < first.columns_.size(); ++c) {
      const std::string& name = first.names_[c];
      if (!tables[t].has(name)) fail(name, "expected the column of the first table, got none");
      const ColumnType wanted = first.columns_[c].type(), got = tables[t].column(name).type();
      if (wanted != got)
        fail(name, "expected " + std::string(to_string(wanted)) + ", got " + std::string(to_string(got)));
    }
    for (const std::string& name : tables[t].names_) {
      if (!first.has(name)) fail(name, "expected the columns of the first table, got another");
    }
  }
  Table result;
  result.names_ = first.names_;
  for (const std::string& name : first.names_) {
    std::vector<Column> parts;
    for (const Table& table : tables) parts.push_back(table.column(name));
    result.columns_.push_back(Column::concat(parts));
  }
  std::vector<std::int64_t> ids;
  std::vector<std::int32_t> row_sources;
  Inputs joined;
  for (const Table& table : tables) {
    result.rows_ += table.rows_;
    const auto more = table.row_ids();
    ids.insert(ids.end(), more.begin(), more.end());
    std::vector<std::int32_t> places;
    for (const Inputs::Input& input : table.inputs().list) {
      const auto at = std::find(joined.list.begin(), joined.list.end(), input);
      places.push_back(static_cast<std::int32_t>(at - joined.list.begin()));
      if (at == joined.list.end()) joined.list.push_back(input);
    }
    const auto& of_row = table.inputs().of_row;
    for (std::int64_t i = 0; i < table.rows_; ++i) {
      row_sources.push_back(
          places[of_row ? static_cast<std::size_t>((*of_row)[static_cast<std::size_t>(i)]) : std::size_t{0}]);
    }
  }
  joined.ids = std::make_shared<const std::vector<std::int64_t>>(std::move(ids));
  if (joined.list.size() > 1) joined.of_row = std::make_shared<const std::vector<std::int32_t>>(std::move(row_sources));
  result.inputs_ = std::make_shared<const Inputs>(std::move(joined));
  return result;
}

}  // namespace tern::data
