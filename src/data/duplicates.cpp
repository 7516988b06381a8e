#include "tern/data/duplicates.h"

#include <algorithm>

#include "data/equal_rows.h"
#include "tern/base/error.h"

namespace tern::data {
namespace {

std::vector<std::string> columns_compared(const Table& table, const DuplicateOptions& options) {
  std::vector<std::string> names = table.names();
  std::erase_if(names, [&](const std::string& name) {
    return std::find(options.ignore.begin(), options.ignore.end(), name) != options.ignore.end();
  });
  return names;
}

std::vector<std::string> features_compared(const Table& table, const DuplicateOptions& options) {
  std::vector<std::string> names = columns_compared(table, options);
  std::erase_if(names, [&](const std::string& name) { return name == options.id || name == options.target; });
  return names;
}

}  // namespace

Duplicates find_duplicates(const Table& table, const DuplicateOptions& options) {
  for (const std::string& name : {options.id, options.target}) {
    if (!name.empty()) table.column(name);  // throws with names like it
  }
  for (const std::string& name : options.ignore) {
    table.column(name);
    if (name == options.id || name == options.target) {
      throw ValueError("[find_duplicates] expected other columns to ignore than the id and the target, got \"" + name +
                       "\"");
    }
  }
  Duplicates result;
  result.has_id = !options.id.empty();
  const std::vector<std::string> compared = columns_compared(table, options);
  if (compared.empty()) return result;
  const std::vector<std::int64_t> whole = table.first_equal_row(compared);
  std::vector<std::int64_t> by_id, by_features, by_labelled;
  if (result.has_id) by_id = table.first_equal_row({options.id});
  const std::vector<std::string> features = features_compared(table, options);
  if (!features.empty()) {
    by_features = table.first_equal_row(features);
    std::vector<std::string> labelled = features;
    if (!options.target.empty()) labelled.push_back(options.target);
    by_labelled = table.first_equal_row(labelled);
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    const bool blank_id = result.has_id && table.column(options.id).is_null(row);
    if (whole[i] != row && blank_id) {
      result.without_id.push_back(row);
    } else if (whole[i] != row) {
      result.rows.push_back(row);
      result.first_rows.push_back(whole[i]);
    } else if (result.has_id && !blank_id && by_id[i] != row) {
      result.repeated_ids.push_back(row);
    }
    if (features.empty() || by_features[i] == row) continue;
    result.repeated_features.push_back(row);
    // Equal features and target as the first row of these features, or another target.
    if (by_labelled[i] != by_features[i]) result.conflicts.push_back(row);
  }
  if (!options.target.empty() && !result.conflicts.empty()) {
    result.by_chance = !internal::may_be_copies(static_cast<std::int64_t>(result.repeated_features.size()),
                                                static_cast<std::int64_t>(result.conflicts.size()),
                                                internal::chance_of_difference(table, options.target));
  }
  return result;
}

std::vector<std::int64_t> groups_of_copies(const Table& table, const DuplicateOptions& options) {
  const Duplicates found = find_duplicates(table, options);
  if (found.by_chance || 100 * std::ssize(found.repeated_features) < table.rows()) return {};
  const std::vector<std::string> names = features_compared(table, options);
  return names.empty() ? std::vector<std::int64_t>() : table.first_equal_row(names);
}

Table drop_duplicates(const Table& table, const Duplicates& duplicates) {
  std::vector<bool> keep(static_cast<std::size_t>(table.rows()), true);
  for (const std::int64_t row : duplicates.rows) {
    if (row < 0 || row >= table.rows()) {
      throw IndexError("[drop_duplicates] expected rows in [0, " + std::to_string(table.rows()) + "), got " +
                       std::to_string(row));
    }
    keep[static_cast<std::size_t>(row)] = false;
  }
  return table.filter(keep);
}

std::string to_string(const Duplicates& duplicates) {
  std::string text = std::to_string(duplicates.rows.size()) +
                     (duplicates.rows.size() == 1 ? " row repeats an earlier one" : " rows repeat an earlier one");
  if (duplicates.has_id) {
    text += " in everything and its id; " + std::to_string(duplicates.without_id.size()) +
            " more in everything, without an id; " + std::to_string(duplicates.repeated_ids.size()) +
            " more repeat an id";
  }
  text += "; " + std::to_string(duplicates.repeated_features.size()) + " repeat its features";
  return text + ", " + std::to_string(duplicates.conflicts.size()) + " of them with another target";
}

}  // namespace tern::data
