#include "data/equal_rows.h"

#include <cstddef>

namespace tern::data::internal {
std::vector<std::int64_t> numbered_values(const Table& table, const std::vector<std::string>& columns,
                                          std::int64_t& count) {
  std::vector<std::int64_t> number = table.first_equal_row(columns);
  count = 0;
  for (std::size_t i = 0; i < number.size(); ++i) {  // the first of equal rows comes first, and has its number by then
    const auto first = static_cast<std::size_t>(number[i]);
    number[i] = first == i ? count++ : number[first];
  }
  return number;
}

EqualRows find_equal_rows(const Table& table, const std::vector<std::string>& columns) {
  EqualRows equal;
  std::int64_t kinds = 0;
  equal.kind = numbered_values(table, columns, kinds);
  equal.size.resize(static_cast<std::size_t>(kinds));
  for (const std::int64_t kind : equal.kind) ++equal.size[static_cast<std::size_t>(kind)];
  return equal;
}

double chance_of_difference(const Table& table, const std::string& column) {
  std::int64_t values = 0;
  const std::vector<std::int64_t> value = numbered_values(table, {column}, values);
  std::vector<double> count(static_cast<std::size_t>(values));
  for (const std::int64_t v : value) count[static_cast<std::size_t>(v)] += 1;
  double same = 0;
  for (const double n : count) same += n * n;
  const auto rows = static_cast<double>(value.size());
  return value.empty() ? 0 : 1 - same / (rows * rows);
}

}  // namespace tern::data::internal
