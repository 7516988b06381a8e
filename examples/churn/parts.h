#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "journey.h"
#include "model.h"
#include "options.h"
#include "report.h"
#include "tern/tern.h"

// The parts of a table: rows to train on, to validate on and to test on; columns that are features and those that are
// not; rows that are one with others.

/// A column that is no feature.
struct LeftOut {
  std::string name{}, reason{};
  bool asked = false;    // for by an option, so that it need not be said
  std::string remedy{};  // options that use it all the same
};

std::vector<std::string> names_of(const std::vector<LeftOut>& left_out);

/// Rows that are alike in every feature stay together, and which columns are features is judged on training rows: where
/// these leave out more than all rows did, the split is made again without them, unless nothing would be left to be
/// equal by.
tern::data::Splits split(const tern::data::Table& table, const Formats& booleans, const TrainOptions& options,
                         const tern::train::Task& task, Journey& journey, std::vector<LeftOut>& left_out);

/// Says which columns are no features, and keeps it for the report. Throws DataError where none is a feature.
void tell_left_out(const tern::data::Table& training, std::int64_t together, const std::vector<LeftOut>& left_out,
                   const TrainOptions& options, const std::vector<std::string>& notes, Dropped& dropped);

/// What is learned from, in the table's order.
std::vector<std::string> features_of(const tern::data::Table& table, const std::vector<LeftOut>& left_out,
                                     const TrainOptions& options);

/// A number for each row, by which it is one with others where figures, and how sure they are, are asked for: the group
/// of the split, or the features of copies. Empty: every row is one.
std::vector<std::int64_t> groups_in(const tern::data::Table& part, const Formats& booleans,
                                    const std::vector<LeftOut>& left_out, const TrainOptions& options);

/// What names the person of each row, where it names several rows: the group of the split, or the id.
std::vector<std::int64_t> persons_in(const tern::data::Table& part, const TrainOptions& options);

/// Rows that will teach or say little are known before training; the report says it of validation rows.
void warn_of_few(const tern::data::Splits& splits, const std::vector<std::int64_t>& test_groups,
                 const TrainOptions& options, const tern::train::Task& task, Journey& journey);

/// "row,split" and a line for each row of the input.
std::string splits_text(const tern::data::Splits& splits);
