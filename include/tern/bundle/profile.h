#pragma once

#include <string>

#include "tern/base/export.h"
#include "tern/data/table.h"

namespace tern {

/// Fewer rows than this are never told apart by a profile.
inline constexpr int profile_min_rows = 10;

/// Statistics of raw rows per column as JSON, for `Provenance::profile`: missing values, mean and standard deviation,
/// quantiles and a histogram of numbers and times, frequencies of levels. No level, bin or extreme carried by fewer
/// than `profile_min_rows` rows is in it: the ends are the 10th smallest and the 10th largest value, and mean and
/// deviation are of the values held between them; rare levels are summed, small bins joined with their neighbours, and
/// a column with too few values has none of them. Hand over the training rows alone, with the target and without an id.
TERN_API std::string profile_of(const data::Table& training);

}  // namespace tern
