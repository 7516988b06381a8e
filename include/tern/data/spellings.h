#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/column.h"

namespace tern::data {

/// Values that differ in nothing but upper and lower case (ASCII and Latin-1 letters) and blanks, each with its rows,
/// the most frequent first.
using Spellings = std::vector<std::pair<std::string, std::int64_t>>;

/// Those of a text or categorical column: one entry for each value with more than one spelling, by bytes of its first;
/// none for a column of another type.
TERN_API std::vector<Spellings> find_spellings(const Column& column);

}  // namespace tern::data
