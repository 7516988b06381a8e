#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "options.h"
#include "tern/tern.h"

/// Rows that were left out for one reason, as 0-based records of the input.
struct RowsDropped {
  std::string reason{};
  std::vector<std::int64_t> rows{};
};

/// Every row and column that the model never saw, with the reason.
struct Dropped {
  std::vector<RowsDropped> rows{};
  std::vector<std::pair<std::string, std::string>> columns{};
};

/// The rows to keep of a table; what the others are dropped for goes into `dropped`.
tern::data::Table drop_rows(const tern::data::Table& table, const std::vector<bool>& keep, const std::string& reason,
                            Dropped& dropped);

/// Rows that repeat others, as 0-based records of the input.
struct Repeats {
  std::vector<std::int64_t> rows{};        ///< equal to an earlier row in everything
  bool dropped = false;                    ///< whether these were dropped
  std::vector<std::int64_t> without_id{};  ///< the same, with a blank id: dropped with --drop-duplicates alone
  std::vector<std::int64_t> repeated_ids{};
  std::vector<std::int64_t> conflicts{};  ///< equal to an earlier row in all but the id and the target, which differs
};

/// A column that tells the target, for all rows or for those of one value, among those used or, by its gaps alone,
/// among those left out.
struct FoundLeak {
  tern::train::Leak leak{};
  bool left_out = false;
};

std::string describe(const FoundLeak& found, const tern::train::Task& task);

nlohmann::ordered_json to_json(const Dropped& dropped);
nlohmann::ordered_json to_json(const Repeats& repeats);
nlohmann::ordered_json to_json(const std::vector<FoundLeak>& leaks, const tern::train::Task& task);
nlohmann::ordered_json to_json(const std::vector<tern::LedgerEntry>& ledger);
nlohmann::ordered_json settings_of(const TrainOptions& options);

/// Loads a bundle of a two-valued target. Throws ValueError for one of another.
tern::Bundle load_bundle(const std::string& path);

/// What every report begins with: the command, the classes, and versions, compiler, instruction set and threads of this
/// process.
nlohmann::ordered_json report_head(const tern::Bundle& bundle, const std::string& command);

/// Puts a judged set of rows under its name and its baselines under "baselines", by baseline and rows.
void add_figures(nlohmann::ordered_json& report, const std::string& rows, nlohmann::ordered_json judged);
