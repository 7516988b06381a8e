#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/table.h"

namespace tern::data {

/// Options of split. Of `group` and `time`, and of `stratify` and `time`, at most one is given.
struct SplitOptions {
  double train = 0.70, validation = 0.15, test = 0.15;  ///< shares of the rows, sum 1; 0 leaves a part empty
  std::string stratify{};                               ///< column whose values each part holds in the same shares
  std::string group{};                                  ///< column whose equal values never stand in two parts
  std::string time{};  ///< timestamp or number: train before validation before test, equal times together
  std::uint64_t seed = 0;
  bool together = true;               ///< rows equal in all features stay in one part, as far as group and time allow
  std::string target{};               ///< no feature; empty: `stratify`
  std::string id{};                   ///< no feature
  std::vector<std::string> ignore{};  ///< further columns that are no features
};

/// Three parts of a table, each in the order of the table.
struct Splits {
  Table train, validation, test;
  /// Positions of their rows in the table.
  std::vector<std::int64_t> train_rows, validation_rows, test_rows;
  std::int64_t together =
      0;  ///< rows equal to others in all features, which a split without group or time kept with them
  std::int64_t repeated = 0;  ///< rows equal to one of an earlier part, which group or time kept from standing there
  std::vector<std::string> notes;     ///< what is worth knowing; also logged
  std::vector<std::string> warnings;  ///< what makes figures doubtful; also logged as warnings
};

/// Splits a table at random (Philox, the same for the same seed everywhere), stratified, by group, or by time. Shares
/// are met to the row where no rows must stay together; a class that has rows enough is in every part, but for rows
/// that equal others. Groups that share equal rows go to one part, the rarest rows first, as long as that binds no more
/// rows than the largest part is to have and leaves as many bundles as parts; what then stands apart is counted, and so
/// it is by time, where rows cannot move. (The column of the group or time is no feature there.) They are a warning,
/// unless so many of them differ in the target from the row that they equal that they are alike by chance, which is a
/// note. Blocks of at least 30 equal rows and more than 1 % of all, which make parts differ, are a warning, and so is
/// a class (as below) whose share in a part is more than four standard deviations, and its odds a fifth, from what
/// chance gives. Throws ValueError for options that do not fit together, DataError when
/// there are fewer groups than parts, when a part stays empty, when a value of a named column is missing, or when a
/// class (a value of `stratify`, or of a target of two values or of categories) is absent from a part.
TERN_API Splits split(const Table& table, const SplitOptions& options = {});

/// Options of k_fold; columns as in SplitOptions.
struct KFoldOptions {
  int folds = 5;
  std::string stratify{}, group{}, time{};
  std::uint64_t seed = 0;
  bool together = true;
  std::string target{}, id{};
  std::vector<std::string> ignore{};
};

/// Positions of the rows of one fold, ascending.
struct Fold {
  std::vector<std::int64_t> train, validation;
};

/// Folds of a table: each row is in the validation part of exactly one, with the rules of `split`. By time, the rows
/// are cut into folds + 1 stretches, and fold i trains on the first i + 1 of them and validates on the next. Throws as
/// `split` does.
TERN_API std::vector<Fold> k_fold(const Table& table, const KFoldOptions& options = {});

}  // namespace tern::data
