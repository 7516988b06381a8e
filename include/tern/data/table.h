#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/export.h"
#include "tern/data/column.h"

namespace tern::data {

/// What `Table::describe` says of one column. Figures that the type does not have stay NaN or empty.
struct ColumnSummary {
  std::string name{};
  ColumnType type = ColumnType::f64;
  std::int64_t missing = 0, distinct = 0;
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  double min = none, q1 = none, median = none, q3 = none, max = none;  ///< of f64 and i64; linear interpolation
  double mean = none, sd = none;                                       ///< of f64, i64, boolean; sd divides by n - 1
  std::string first{}, last{};                                         ///< timestamps
  std::vector<std::pair<std::string, std::int64_t>> top;  ///< text: the (at most 5) most frequent values, counted
};

/// A summary of each column.
struct Description {
  std::int64_t rows = 0;
  std::vector<ColumnSummary> columns;
};
TERN_API std::string to_string(const Description& description);

/// What a row comes from. Rows of one origin and one id (`Table::row_id`) are the same row, in whatever table they
/// stand.
struct RowOrigin {
  /// Of text, a hash of all of it; of a table made in memory, its number in this process; 0: none.
  std::uint64_t id = 0;
  bool text = false;  ///< read from text: the same text read again, from wherever, has the same id
  bool operator==(const RowOrigin& other) const { return id == other.id && text == other.text; }
  bool operator<(const RowOrigin& other) const { return id != other.id ? id < other.id : text < other.text; }
};

/// The file that rows were read from.
struct TableSource {
  std::string file{};                 ///< path, empty for text in memory
  std::int64_t first_line = 2;        ///< 1-based line on which record 0 starts
  std::vector<std::int64_t> lines{};  ///< line of each record where they are not consecutive, else empty
  RowOrigin origin{};                 ///< what the rows are told apart by; none: a table made in memory
};

/// Named columns of one length, in order. A value: columns are shared, so copies are cheap. Each row remembers which
/// record of the input it came from (`row_ids`) and which input that was (`origin`), through filter, take, sort, concat
/// and changes of columns.
class TERN_API Table {
 public:
  Table();
  Table(const Table& other);
  Table(Table&& other) noexcept;
  Table& operator=(const Table& other);
  Table& operator=(Table&& other) noexcept;
  ~Table();
  /// Throws DataError when a name repeats or is empty, or lengths differ.
  Table(std::initializer_list<std::pair<std::string, Column>> columns);

  std::int64_t rows() const { return rows_; }
  std::int64_t width() const;
  const std::vector<std::string>& names() const { return names_; }
  bool has(std::string_view name) const { return find(name) >= 0; }
  /// Position of a column, -1 when there is none.
  std::int64_t find(std::string_view name) const;

  /// The column of a name. Throws DataError that lists names like it.
  const Column& operator[](std::string_view name) const { return column(name); }
  const Column& column(std::string_view name) const;
  /// The column at a position. Throws IndexError.
  const Column& column(std::int64_t position) const;

  /// Appends a column, in place. The first column of an empty table sets its rows. Throws DataError when the name is
  /// empty or there already, or the length differs.
  Table& add(std::string name, Column column);
  /// Puts another column in the place of one. Throws DataError.
  Table& replace(std::string_view name, Column column);
  /// Casts a column in place. Throws DataError with file, row, line and column.
  Table& cast(std::string_view name, ColumnType type);

  /// These columns, in this order; rows stay even when there is none. Throws DataError.
  Table select(const std::vector<std::string>& names) const;
  /// All but these columns. Throws DataError when one is not there.
  Table drop(const std::vector<std::string>& names) const;
  Table rename(std::string_view from, std::string to) const;

  /// Rows where the mask is true, in order. A null of a mask column is false. Throws ValueError when the length
  /// differs.
  Table filter(const std::vector<bool>& mask) const;
  Table filter(const Column& mask) const;
  Table filter(const std::function<bool(std::int64_t row)>& keep) const;
  /// Rows `indices` (0-based positions in this table), in that order, repeats allowed. Throws IndexError.
  Table take(std::span<const std::int64_t> indices) const;
  Table slice(std::int64_t begin, std::int64_t count) const;
  Table head(std::int64_t count = 5) const;

  /// Row positions in sorted order: by the first column, ties by the next; stable; nulls (and NaN after the numbers)
  /// last in either direction. Text by bytes, ordered categoricals by level.
  std::vector<std::int64_t> sorted_indices(const std::vector<std::string>& by, bool ascending = true) const;
  Table sort(const std::vector<std::string>& by, bool ascending = true) const;

  /// For each row, the position of the first row with the same values in `columns` (all when empty); nulls are equal.
  std::vector<std::int64_t> first_equal_row(const std::vector<std::string>& columns = {}) const;

  Description describe() const;

  /// 0-based record of the input that each row came from; 0 … rows() - 1 for a table made in memory.
  std::vector<std::int64_t> row_ids() const;
  std::int64_t row_id(std::int64_t row) const;
  /// What a row comes from: text that was read, or the table made in memory that first held it. Throws IndexError.
  RowOrigin origin(std::int64_t row) const;
  /// File, record, line and column of a row, for a DataError. Throws IndexError.
  DataLocation location(std::int64_t row, std::string_view column = {}) const;
  /// The file of the first row's source, empty when there is none.
  const std::string& source_file() const;
  /// Says where the rows come from; `row_ids` is empty (0 … rows() - 1) or has an id for each row. They are new rows
  /// then, unless the source has an origin.
  void set_source(std::shared_ptr<const TableSource> source, std::vector<std::int64_t> row_ids = {});

  /// SHA-256 over names, types, levels and values (not over the source or row ids), the same for equal tables.
  std::string content_hash() const;
  /// Same names in order and equal columns.
  bool equals(const Table& other) const;

  /// Rows of tables one after the other; names and types as in the first, whatever their order in the others. Levels of
  /// categoricals are united. Throws DataError naming the column that is missing, extra or of another type.
  static Table concat(std::span<const Table> tables);

 private:
  std::int64_t need(std::string_view name) const;
  void check_new(const std::string& name) const;
  void check_length(const std::string& name, const Column& column) const;

  std::int64_t rows_ = 0;
  std::vector<std::string> names_;
  std::vector<Column> columns_;
  struct Inputs;
  const Inputs& inputs() const;
  std::shared_ptr<const Inputs> inputs_;  // which record of which input each row is; null before there is a column
};

/// The first rows as aligned text, with types and the size.
TERN_API std::string to_string(const Table& table);

}  // namespace tern::data
