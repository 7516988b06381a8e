#pragma once

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

/// Notes those of these columns of which half of the training rows, or more, are taken as <other>, or by gbdt as
/// missing.
void note_rare_levels(const tern::data::Table& training, const std::vector<std::string>& columns,
                      const std::string& model, Journey& journey);
