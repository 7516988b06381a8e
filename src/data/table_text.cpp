#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "base/quantile.h"
#include "tern/base/parallel.h"
#include "tern/data/table.h"

namespace tern::data {
namespace {

constexpr std::size_t cell_limit = 24;

// Number of characters shown: bytes that start a UTF-8 character.
std::size_t shown_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// One line, at most `cell_limit` characters.
std::string cell(std::string_view text) {
  std::string out;
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80 && ++count > cell_limit) return out + "~";
    out += byte < 0x20 || byte == 0x7F ? ' ' : text[i];
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "-";
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, 6);
  return std::string(buffer, result.ptr);
}

// Rows of cells as aligned text; `right[c]` sets a column flush right.
std::string aligned(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right) {
  std::vector<std::size_t> widths(right.size());
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], shown_width(row[c]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string space(widths[c] - shown_width(row[c]), ' ');
      if (c > 0) line += "  ";
      line += right[c] ? space + row[c] : row[c] + space;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

void summarize_numbers(const Column& column, ColumnSummary& summary) {
  std::vector<double> values = column.numeric();
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return;
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  summary.mean = sum / n;
  for (const double value : values) squares += (value - summary.mean) * (value - summary.mean);
  if (values.size() > 1) summary.sd = std::sqrt(squares / (n - 1));
  if (column.type() == ColumnType::boolean) return;
  summary.min = values.front();
  summary.q1 = tern::internal::quantile_of(values, 0.25);
  summary.median = tern::internal::quantile_of(values, 0.5);
  summary.q3 = tern::internal::quantile_of(values, 0.75);
  summary.max = values.back();
}

void summarize_text(const Column& column, ColumnSummary& summary) {
  std::unordered_map<std::string_view, std::int64_t> counts;
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (!column.is_null(i)) ++counts[column.string(i)];
  }
  std::vector<std::pair<std::string_view, std::int64_t>> order(counts.begin(), counts.end());
  const std::size_t most = std::min<std::size_t>(order.size(), 5);
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(most), order.end(),
      [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
  for (std::size_t k = 0; k < most; ++k) summary.top.emplace_back(order[k]);
}

ColumnSummary summarize(const std::string& name, const Column& column) {
  ColumnSummary summary;
  summary.name = name;
  summary.type = column.type();
  summary.missing = column.null_count();
  summary.distinct = column.distinct_count();
  if (column.is_numeric()) {
    summarize_numbers(column, summary);
  } else if (column.type() != ColumnType::timestamp) {
    summarize_text(column, summary);
  } else {
    std::int64_t first = -1, last = -1;
    for (std::int64_t i = 0; i < column.size(); ++i) {
      if (column.is_null(i)) continue;
      if (first < 0 || column.timestamp(i) < column.timestamp(first)) first = i;
      if (last < 0 || column.timestamp(i) > column.timestamp(last)) last = i;
    }
    if (first >= 0) {
      summary.first = column.text(first);
      summary.last = column.text(last);
    }
  }
  return summary;
}

}  // namespace

Description Table::describe() const {
  Description description;
  description.rows = rows_;
  description.columns.resize(columns_.size());
  parallel_for(width(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      const auto at = static_cast<std::size_t>(c);
      description.columns[at] = summarize(names_[at], columns_[at]);
    }
  });
  return description;
}

std::string to_string(const Description& description) {
  std::vector<std::vector<std::string>> rows = {
      {"column", "type", "missing", "distinct", "min", "q1", "median", "q3", "max", "mean", "sd", "values"}};
  for (const ColumnSummary& column : description.columns) {
    std::string values;
    for (std::size_t k = 0; k < column.top.size() && k < 3; ++k) {
      values += (k ? ", " : "") + cell(column.top[k].first) + " (" + std::to_string(column.top[k].second) + ")";
    }
    if (column.type == ColumnType::timestamp && !column.first.empty()) values = column.first + " to " + column.last;
    rows.push_back({cell(column.name), std::string(to_string(column.type)), std::to_string(column.missing),
                    std::to_string(column.distinct), number(column.min), number(column.q1), number(column.median),
                    number(column.q3), number(column.max), number(column.mean), number(column.sd), values});
  }
  std::vector<bool> right(12, true);
  right[0] = right[1] = right[11] = false;
  return aligned(rows, right) + std::to_string(description.rows) + " rows, " +
         std::to_string(description.columns.size()) + " columns\n";
}

std::string to_string(const Table& table) {
  constexpr std::int64_t most_rows = 10, most_columns = 12;
  std::vector<std::int64_t> columns;
  for (std::int64_t c = 0; c < table.width(); ++c) {
    if (table.width() <= most_columns || c < most_columns / 2 || c >= table.width() - most_columns / 2) {
      columns.push_back(c);
    }
  }
  const std::int64_t count = std::min(table.rows(), most_rows);
  std::vector<std::vector<std::string>> rows(static_cast<std::size_t>(count) + 2);
  std::vector<bool> right;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    if (k > 0 && columns[k] != columns[k - 1] + 1) {
      for (auto& row : rows) row.push_back("...");
      right.push_back(false);
    }
    const Column& column = table.column(columns[k]);
    rows[0].push_back(cell(table.names()[static_cast<std::size_t>(columns[k])]));
    rows[1].emplace_back(to_string(column.type()));
    for (std::int64_t i = 0; i < count; ++i) {
      rows[static_cast<std::size_t>(i) + 2].push_back(column.is_null(i) ? "-" : cell(column.text(i)));
    }
    right.push_back(column.type() == ColumnType::f64 || column.type() == ColumnType::i64);
  }
  std::string text = columns.empty() ? "" : aligned(rows, right);
  if (count < table.rows()) text += "... " + std::to_string(table.rows() - count) + " more rows\n";
  return text + std::to_string(table.rows()) + " rows, " + std::to_string(table.width()) + " columns\n";
}

}  // namespace tern::data
