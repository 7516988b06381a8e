#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tern/data/table.h"

namespace tern::data::internal {

/// The rows' values in these columns as small numbers, in order of appearance; `count` gets how many there are.
std::vector<std::int64_t> numbered_values(const Table& table, const std::vector<std::string>& columns,
                                          std::int64_t& count);

/// Rows by their equality in some columns.
struct EqualRows {
  std::vector<std::int64_t> kind{};  ///< of each row; equal rows are of one kind
  std::vector<std::int64_t> size{};  ///< of each kind, its rows
};

EqualRows find_equal_rows(const Table& table, const std::vector<std::string>& columns);

/// How often two rows drawn at random differ in a column.
double chance_of_difference(const Table& table, const std::string& column);

/// Whether rows that repeat others may be copies of them, by the number of those whose target differs: copies have one
/// target, strangers that look alike differ in it nearly as often as any two rows. With a target that is the same
/// throughout (`chance` 0) they may.
inline bool may_be_copies(std::int64_t repeats, std::int64_t differing, double chance) {
  return static_cast<double>(differing) < 0.25 * chance * static_cast<double>(repeats) || chance == 0;
}

}  // namespace tern::data::internal
