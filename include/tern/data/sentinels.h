#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/column.h"

namespace tern::data {

/// A value that may stand for a missing one: -1, -999, 9999, 9999-12-31, 1900-01-01.
struct Sentinel {
  std::int64_t row = 0;       ///< the first that has it
  std::int64_t count = 0;     ///< rows that have it
  std::string low{}, high{};  ///< between which the other values lie, as text
};

/// Those of a column of numbers or timestamps (of another, none): values that people write where they have none (all
/// nines, -1, -9, the ends of calendars), which one in a hundred values and five rows or more are, outside of at least
/// ten different others by more than half of their span, or alone below zero; outside of fewer by ten times their span.
/// Nothing is changed: whether such a value is a missing one only its maker knows.
TERN_API std::vector<Sentinel> find_sentinels(const Column& column);

/// The line that says so: `word` is the value as its file has it, `values` how many there are in the column.
TERN_API std::string describe(const Sentinel& sentinel, const std::string& word, std::int64_t values);

}  // namespace tern::data
