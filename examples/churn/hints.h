#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "journey.h"
#include "options.h"
#include "report.h"
#include "tern/tern.h"

// What a user should know of the data before trusting figures; everything is said and kept by the journey.

/// Warns where the order of time, or what names several rows, speaks against a random split. `training` is part of
/// `rows`, of which whole columns tell more. A time that tells the target is nothing to split by, and has its warning.
void warn_of_random_split(const tern::data::Table& rows, const tern::data::Table& training, const TrainOptions& options,
                          const std::vector<FoundLeak>& leaks, Journey& journey);

/// Notes values of these columns that differ only in case or blanks.
void note_spellings(const tern::data::Table& rows, const std::vector<std::string>& columns, Journey& journey);

bool is_text(const tern::data::Column& column);

/// How the levels of a text column are learned from: those of few rows have no feature of their own.
struct Levels {
  std::int64_t own = 0, rare = 0;  ///< levels of min_level_rows or more, and of fewer
  std::int64_t rare_rows = 0;      ///< rows of the latter
};
Levels count_levels(const tern::data::Column& column);

/// Notes those of these columns of which half of the training rows, or more, are taken as <other>, or by gbdt as
/// missing.
void note_rare_levels(const tern::data::Table& training, const std::vector<std::string>& columns,
                      const std::string& model, Journey& journey);
