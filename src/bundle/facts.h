#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tern/bundle/bundle.h"

// The entries that tell of the run: settings, splits, ledger, environment.
namespace tern::internal {

/// provenance/settings.json. `settings` and `training` are JSON objects.
std::string settings_json(const Provenance& provenance, const std::string& training);
/// Fills the provenance's part of it and `training`. Throws FormatError.
TERN_API void read_settings(std::string_view text, Provenance& provenance, std::string& training);

/// splits.safetensors: i64 tensors "train", "validation" and "test" of row ids. Reading needs the settings to be read,
/// and throws FormatError.
TERN_API std::string splits_file(const Provenance& provenance);
void read_splits(std::string_view bytes, Provenance& provenance);
/// What is wrong with the row ids of the splits, empty when nothing is: an id that no file's record has, or, where the
/// file is known, a row in two of them. A row may stand in one split more than once.
std::string splits_problem(const Provenance& provenance);

/// ledger.jsonl: a JSON object a line.
TERN_API std::string ledger_lines(const std::vector<LedgerEntry>& ledger);
TERN_API std::vector<LedgerEntry> read_ledger(std::string_view text);

/// What training left behind besides the model, as JSON.
std::string training_json(const train::Fitted& fitted);
/// Versions, compiler, instruction set, processor and threads of this process, as JSON.
TERN_API std::string environment_json();

/// SHA-256 over row ids, in order, a line each.
std::string row_hash(const std::vector<std::int64_t>& rows);

/// The text if it is a JSON object within bounds, written in one manner. Throws FormatError naming `what`.
TERN_API std::string checked_object(std::string_view text, const std::string& what);

}  // namespace tern::internal
