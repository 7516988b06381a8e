#include "data/equal_rows.h"

#include <algorithm>
#include <cstddef>

namespace tern::data::internal {
namespace {

constexpr std::int64_t kLeastLarge = 30;  // rows of a block that may be too large to be held together
constexpr std::int64_t kLeastFew = 10;    // rows of a block that says that values are few

}  // namespace

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

EqualRows find_equal_rows(const Table& table, const std::vector<std::string>& columns, const std::string& target,
                          double most_together) {
  EqualRows equal;
  std::int64_t kinds = 0;
  equal.kind = numbered_values(table, columns, kinds);
  equal.size.resize(static_cast<std::size_t>(kinds));
  for (const std::int64_t kind : equal.kind) ++equal.size[static_cast<std::size_t>(kind)];

  if (!target.empty()) {
    std::int64_t values = 0;
    const std::vector<std::int64_t> value = numbered_values(table, {target}, values);
    std::vector<std::int64_t> first(equal.size.size(), -1);
    std::vector<bool> differs(equal.size.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
      const auto kind = static_cast<std::size_t>(equal.kind[i]);
      if (first[kind] < 0) first[kind] = value[i];
      if (value[i] != first[kind]) differs[kind] = true;
    }
    std::int64_t rows = 0;
    for (std::size_t kind = 0; kind < differs.size(); ++kind) {
      if (differs[kind] && equal.size[kind] >= kLeastFew) rows += equal.size[kind];
    }
    equal.few_valued = 2 * rows > table.rows();
  }

  const double most = most_together * static_cast<double>(table.rows());
  for (const std::int64_t size : equal.size) {
    const bool large = size >= kLeastLarge && static_cast<double>(size) > most;
    equal.bound.push_back(!large && !equal.few_valued);
    if (size == 1) continue;
    (equal.bound.back() ? equal.bound_rows : equal.loose_rows) += size;
    if (!equal.bound.back()) ++equal.loose_kinds;
  }
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
