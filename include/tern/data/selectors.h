#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"

namespace tern::data {

class Table;

/// A choice of columns, made when a step is fitted, from the table as it stands before that step. The target is never
/// among them. Selectors combine: `numeric() | boolean()`, `all() - columns({"id"})`.
class TERN_API Selector {
 public:
  struct Node;

  /// Columns by name, as `columns` gives them: `"age"`, `{"age", "fare"}`.
  Selector(std::string name);
  Selector(std::initializer_list<std::string> names);
  Selector(const char* name) : Selector(std::string(name)) {}
  explicit Selector(std::shared_ptr<const Node> node);

  /// Names of the chosen columns in the table's order, `target` left out. Throws DataError when a column chosen by name
  /// is not there, ValueError when it is the target.
  std::vector<std::string> select(const Table& table, std::string_view target = {}) const;
  /// As it would be written: `numeric() - columns({"age"})`.
  std::string to_string() const;
  std::string to_json() const;
  /// Reads what `to_json` gave. Throws FormatError.
  static Selector from_json(std::string_view text);

  /// Columns in either.
  friend TERN_API Selector operator|(const Selector& a, const Selector& b);
  /// Columns in the first and not in the second.
  friend TERN_API Selector operator-(const Selector& a, const Selector& b);

 private:
  std::shared_ptr<const Node> node_;
};

/// f64, i64 and boolean columns (`numeric() - boolean()` is the numbers alone).
TERN_API Selector numeric();
/// Categorical columns; the text of a file becomes such by normalize_formats, where it has few values.
TERN_API Selector categorical();
TERN_API Selector boolean();
TERN_API Selector timestamp();
/// String columns.
TERN_API Selector text();
TERN_API Selector all();
/// Columns of these names.
TERN_API Selector columns(std::vector<std::string> names);
/// All columns but those.
TERN_API Selector except(const Selector& selector);

}  // namespace tern::data
