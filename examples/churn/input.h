#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "journey.h"
#include "model.h"
#include "options.h"
#include "report.h"
#include "tern/tern.h"

// From the file to the rows that are split: reading, written forms, cleaning, the target.

/// What --types tells.
using Types = std::vector<std::pair<std::string, tern::data::ColumnSpec>>;

/// Throws ValueError for an entry that is no column=type, and for two of one column.
Types told_types(const TrainOptions& options);
bool tells(const Types& types, const std::string& name);

bool among(const std::vector<std::string>& names, const std::string& name);

/// The column behind "time:" or "group:", empty when the split is of another kind.
std::string split_column(const TrainOptions& options, const std::string& kind);

/// Reads the file and checks that it has what the options name. Throws DataError, ValueError.
tern::data::Table read(const TrainOptions& options, Journey& journey, tern::data::CsvReport& csv, Formats& booleans);

/// Drops rows without a target or a place in the split, and duplicates.
tern::data::Table clean(tern::data::Table table, const Formats& booleans, const TrainOptions& options, Journey& journey,
                        Dropped& dropped, Repeats& repeats);

/// Asks for the positive class before anything else is done; where there are more than two, says where the third is.
void fit_target(tern::train::Task& task, const tern::data::Table& table, const TrainOptions& options);

/// Rows without a time or a group may well be others than those with one: of customers who left, a last contact is
/// known.
void warn_of_unplaced(const tern::data::Table& given, const tern::data::Table& left, const TrainOptions& options,
                      const tern::train::Task& task, Journey& journey);

std::int64_t positives_of(const tern::data::Table& rows, const tern::train::Task& task);

/// The rows as the model gets to see them, yes and no in one spelling: by this they are equal or not.
tern::data::Table as_read(tern::data::Table table, const Formats& booleans);
