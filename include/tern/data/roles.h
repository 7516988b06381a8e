#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/table.h"

namespace tern::data {

/// What a column is good for.
enum class Role : std::uint8_t {
  numeric,
  categorical,
  boolean,
  timestamp,
  identifier,  ///< names the row, says nothing of it
  free_text,   ///< text with too many different values to be categories
  constant,
  all_missing
};

/// The role's name: "numeric", …, "free_text".
TERN_API std::string_view to_string(Role role);
/// The role of a name. Throws ValueError, listing the names.
TERN_API Role parse_role(std::string_view name);

/// A column's role, and why in plain words.
struct ColumnRole {
  std::string name{};
  Role role = Role::numeric;
  std::string reason{};
  /// Whether a model can learn from the column as it is: not an identifier, free text, constant or all missing.
  bool usable() const { return role <= Role::timestamp; }
};

/// Options of infer_roles.
struct RoleOptions {
  std::string target{};            ///< has no role
  std::string id{};                ///< an identifier, whatever it looks like
  std::int64_t max_levels = 1000;  ///< text with more different values is free text
  double max_level_share = 0.5;    ///< so is text with more than this share of the rows (above 20) as values
  std::vector<std::pair<std::string, Role>> roles{};  ///< told roles by column name
  bool formats = true;  ///< text in a written form (formats.h) has the role of its values; else it is text
};

/// The role of each column but the target, in the table's order. Throws DataError when an option names a column that
/// is not there, or, where forms are looked for, a date column is ambiguous.
TERN_API std::vector<ColumnRole> infer_roles(const Table& table, const RoleOptions& options = {});

/// A column whose values seem to name what several rows are of: a customer, a patient.
struct RepeatingKey {
  std::string name{};
  std::int64_t values = 0;  ///< different ones
  std::string reason{};
};

/// Columns of text or whole numbers that may be such keys, in the table's order; under a random split what they name
/// stands in training and in test. More than 20 values are one (of more than 10 rows each: more than 50) where the name
/// says so (an id; somebody, as in "patient" or "customer_no"), or where they are numbered codes (K-00017) of few rows
/// each, or come more evenly, or leave fewer of the
/// whole numbers between them out, than draws from any distribution would (at four standard deviations) and the name is
/// none of a time, an age or a rank. Ages, years, counts, amounts and postcodes are none. Looks past `target` and `id`.
TERN_API std::vector<RepeatingKey> find_repeating_keys(const Table& table, const RoleOptions& options = {});

/// Names of the columns that are not usable.
TERN_API std::vector<std::string> unusable(const std::vector<ColumnRole>& roles);

}  // namespace tern::data
