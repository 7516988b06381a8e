#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/table.h"

namespace tern::data {

/// Options of find_duplicates.
struct DuplicateOptions {
  std::string id{};                   ///< the column that names a row, if there is one
  std::string target{};               ///< the target, if there is one
  std::vector<std::string> ignore{};  ///< columns that are looked past, such as a row counter; not the id or target
};

/// What repeats in a table. Positions are of rows in the table, ascending.
struct Duplicates {
  bool has_id = false;                     ///< with an id, rows that repeat in everything are one row entered twice
  std::vector<std::int64_t> rows;          ///< equal to an earlier row in every column that is not ignored, its id too
  std::vector<std::int64_t> first_rows;    ///< for each of `rows`, the first row that it equals
  std::vector<std::int64_t> without_id;    ///< the same with a blank id, which does not say that they are one row
  std::vector<std::int64_t> repeated_ids;  ///< not equal to an earlier row, with the id of one
  std::vector<std::int64_t> repeated_features;  ///< equal to an earlier row in all but the id and the target
  std::vector<std::int64_t> conflicts;          ///< of `repeated_features`, those whose target differs from the first's
  /// Whether so many of `repeated_features` are `conflicts` that these are different rows which look alike, and no
  /// copies: at least a quarter of what two rows drawn at random would give.
  bool by_chance = false;
};

/// Finds rows that repeat. Throws DataError when a named column is not there, ValueError when the id or the target is
/// ignored.
TERN_API Duplicates find_duplicates(const Table& table, const DuplicateOptions& options = {});

/// For each row the first one that equals it in everything but the id, the target and what is ignored: such rows are
/// one to whoever asks how sure a figure is (a bootstrap, folds). Empty where fewer than one row in a hundred equals an
/// earlier one, and where they are alike by chance (`Duplicates::by_chance`). Throws as find_duplicates.
TERN_API std::vector<std::int64_t> groups_of_copies(const Table& table, const DuplicateOptions& options = {});

/// The table without `duplicates.rows`.
TERN_API Table drop_duplicates(const Table& table, const Duplicates& duplicates);

/// One line: how many rows repeat, and in what.
TERN_API std::string to_string(const Duplicates& duplicates);

}  // namespace tern::data
