#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/schema.h"
#include "tern/data/table.h"

namespace tern {

/// Fewer rows than this are never told apart by a profile.
inline constexpr int profile_min_rows = 10;

/// Statistics of raw rows per column as JSON, for `Provenance::profile`: missing values, mean and standard deviation,
/// quantiles and a histogram of numbers and times, frequencies of levels. No level, bin or extreme carried by fewer
/// than `profile_min_rows` rows is in it: the ends are the 10th smallest and the 10th largest value, and mean and
/// deviation are of the values held between them; rare levels are summed, small bins joined with their neighbours, and
/// a column with too few values has none of them. Hand over the training rows alone, with the target and without an id.
/// Where one person has several rows, `groups` numbers the person of each row: levels and ends are then those of at
/// least ten persons. Throws ShapeError for another number of groups than rows.
TERN_API std::string profile_of(const data::Table& training, std::span<const std::int64_t> groups = {});

/// What a column holds that the training rows of a profile hardly did.
struct Unfamiliar {
  std::string column{};
  std::int64_t far = 0;       ///< rows whose number or time lies further outside low and high than these are apart
  std::string low{}, high{};  ///< of the profile, as a file would have them; set where `far` is above 0, like the next
  std::string smallest{}, largest{};  ///< of those rows
  std::vector<std::pair<std::string, std::int64_t>>
      levels{};               ///< levels not in the profile with their rows, most first
  bool beside_truth = false;  ///< the levels are words beside yes and no, which the pipeline takes as missing
};

/// Compares raw rows with a profile, column by column: those that hold such values, in the table's order. A column that
/// either side lacks, or of which the profile tells too little (a levels list cut at its most, say), is passed over.
/// Under a schema numbers of columns that files have in percent are told in percent. Throws FormatError for text that
/// is not JSON.
TERN_API std::vector<Unfamiliar> unfamiliar_values(const std::string& profile, const data::Table& rows,
                                                   const data::Schema& schema = {});

}  // namespace tern
