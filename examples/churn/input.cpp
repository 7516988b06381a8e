#include "input.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>

#include "hints.h"

using namespace tern;

namespace {

// Whether an option keeps a column from being a feature.
bool is_left_out(const std::string& name, const TrainOptions& options) {
  if (name == options.id || among(options.drop, name)) return true;
  const bool splits = name == split_column(options, "time") || name == split_column(options, "group");
  return splits && !among(options.keep, name);
}

void check(const TrainOptions& options, const data::Table& table) {
  const auto need_column = [&](const std::string& option, const std::string& name) {
    try {
      table.column(name);
    } catch (const DataError& error) {
      throw DataError("churn " + option, error.message(), error.location());
    }
  };
  for (const std::string& name : options.drop) need_column("--drop", name);
  for (const std::string& name : options.keep) need_column("--keep", name);
  need_column("--target", options.target);
  if (!options.id.empty()) need_column("--id", options.id);
  for (const auto* names : {&options.drop, &options.keep}) {
    if (among(*names, options.target))
      throw ValueError("[churn] expected features in --drop and --keep, got the target");
  }
  for (const std::string& name : options.keep) {
    if (among(options.drop, name)) throw ValueError("[churn] expected --drop or --keep, got both for \"" + name + "\"");
  }
  if (!options.id.empty() && among(options.keep, options.id)) {
    throw ValueError("[churn] expected --id or --keep, got both for \"" + options.id + "\"");
  }
  if (options.id == "probability" || options.id == "decision") {
    throw ValueError("[churn] expected an id of another name than the predictions' columns, got \"" + options.id +
                     "\"");
  }
  if (options.id == options.target)
    throw ValueError("[churn] expected --id to differ from --target, got the same column");
  if (options.split != "random" && options.equal_rows == "apart") {
    throw ValueError("[churn] expected --equal-rows apart with --split random, got it with \"" + options.split + "\"");
  }
  if (options.split != "random" && split_column(options, "time").empty() && split_column(options, "group").empty()) {
    throw ValueError("[churn] expected --split random, time:COLUMN or group:COLUMN, got \"" + options.split + "\"");
  }
  for (const char* kind : {"time", "group"}) {
    const std::string name = split_column(options, kind);
    if (!name.empty()) need_column("--split", name);
    if (name == options.target) throw ValueError("[churn --split] expected another column than the target");
  }
}

// Names the option where a file does not fit the types that it tells, or lacks the target.
data::Table read_csv(const TrainOptions& options, const data::CsvOptions& how, const Types& told,
                     data::CsvReport& csv) {
  try {
    return data::read_csv(options.data, how, &csv);
  } catch (const DataError& error) {
    if (tells(told, error.column())) throw DataError("churn --types", error.message(), error.location());
    const std::string& text = error.message();
    if (text.find("told types") == std::string::npos) throw;
    if (error.column() != options.target && error.column() != options.id) throw;
    throw DataError(error.column() == options.target ? "churn --target" : "churn --id",
                    "expected a column of the file, " + text.substr(text.find("got ")), {.file = error.file()});
  } catch (const ValueError& error) {  // a type or a written form that there is not
    const std::string text = error.what();
    for (const auto& [name, type] : told) {
      if (text.find("column \"" + name + "\"") != std::string::npos) throw ValueError("[churn --types] " + text);
    }
    throw;
  }
}

// The form in which numbers and dates are written is found over the whole file, as types are, so that it does not hang
// on which rows are trained on; the schema keeps it, and refuses what is written otherwise. Yes and no stay text until
// the pipeline, in which a word beside them is no error. Columns that are no features, or have a told type, stay as
// they are.
void read_written_forms(data::Table& table, const Types& told, const TrainOptions& options, data::CsvReport& csv,
                        Formats& booleans) {
  std::vector<std::optional<std::string>> formats;  // of every column before any is replaced: one may decide another's
  std::vector<DataError> unclear;                   // all are asked about at once
  for (const data::SchemaColumn& column : csv.schema.columns) {
    const std::string& name = column.name;
    const bool kept = name == options.target || tells(told, name) ||
                      (is_left_out(name, options) && name != split_column(options, "time"));
    formats.emplace_back();
    try {
      if (!kept) formats.back() = data::detect_format(table, name);
    } catch (const DataError& error) {
      unclear.push_back(error);
    }
  }
  if (unclear.size() == 1) throw DataError(unclear[0]);
  if (!unclear.empty()) {
    std::string all = "expected types of " + std::to_string(unclear.size()) + " columns that nothing decides, got none";
    for (const DataError& error : unclear) all += "; \"" + error.column() + "\": " + error.message();
    throw DataError("churn", all);
  }
  for (std::size_t i = 0; i < formats.size(); ++i) {
    if (!formats[i]) continue;
    data::SchemaColumn& column = csv.schema.columns[i];
    const std::string &name = column.name, &format = *formats[i];
    const data::ColumnType type = data::format_type(format);
    if (type == data::ColumnType::boolean) {
      booleans.emplace_back(name, format);
      continue;
    }
    const data::Column text = table.column(name);
    data::apply_format(table, name, format);  // not read again: a pipe gives its bytes once
    for (const data::Sentinel& found : data::find_sentinels(table.column(name))) {
      csv.notes.push_back("column \"" + name +
                          "\": " + data::describe(found, text.text(found.row), text.size() - text.null_count()));
    }
    column.type = type;
    column.format = format;
  }
}

// The target is read as text, so that decisions have the file's own words. Where one class is spelled in several ways
// ("1" and "1.0", "TRUE" and "true"), it is taken by value; of other words ("Yes" and "yes") the task asks for one
// spelling.
void unify_target(data::Table& table, const std::string& name, data::Schema& schema) {
  const std::int64_t words = table.has(name) ? table.column(name).distinct_count() : 0;
  if (words < 2) return;
  const bool truths = data::detect_booleans(table.column(name)) == data::BooleanFormat::true_false;
  for (const data::ColumnType type : {data::ColumnType::f64, data::ColumnType::boolean}) {
    if (type == data::ColumnType::boolean && (!truths || words == 2)) continue;
    try {
      data::Column values = table.column(name).cast(type);
      if (values.distinct_count() != (words == 2 ? 1 : 2)) continue;  // two words of one value are one class
      table.replace(name, std::move(values));
    } catch (const DataError&) {
      continue;  // there are other words
    }
    for (data::SchemaColumn& column : schema.columns) {
      if (column.name == name) column.type = type;
    }
    return;
  }
}

// Rows that the split has no place for: those without its time or group. Each is dropped, for a row of an unknown time
// may be later than the test rows, and one of an unknown customer may be of anybody (warn_of_unplaced).
data::Table drop_unplaced(const data::Table& table, const TrainOptions& options, Dropped& dropped, std::string& said) {
  for (const std::string kind : {"time", "group"}) {
    const std::string name = split_column(options, kind);
    if (name.empty() || name == options.target) continue;
    const data::Column& column = table.column(name);
    std::vector<bool> keep(static_cast<std::size_t>(table.rows()));
    for (std::int64_t i = 0; i < table.rows(); ++i) keep[static_cast<std::size_t>(i)] = !column.is_null(i);
    const std::int64_t blank = column.null_count();
    if (blank == 0) return table;
    if (blank == table.rows()) {
      throw DataError("churn --split", "expected a " + kind + " in some row, got a column that is blank throughout",
                      {.file = options.data, .row = -1, .line = -1, .column = name});
    }
    said = ", " + std::to_string(blank) + " rows without a " + kind + " (\"" + name + "\") dropped";
    return drop_rows(table, keep, "missing " + kind + " of the split (\"" + name + "\")", dropped);
  }
  return table;
}

}  // namespace

bool tells(const Types& types, const std::string& name) {
  return std::any_of(types.begin(), types.end(), [&](const auto& told) { return told.first == name; });
}

Types told_types(const TrainOptions& options) {
  Types types;
  for (const std::string& entry : options.types) {
    const std::size_t at = entry.rfind('=');
    if (at == std::string::npos || at == 0) {
      throw ValueError("[churn --types] expected column=type, got \"" + entry + "\"");
    }
    const std::string name = entry.substr(0, at);
    if (tells(types, name)) throw ValueError("[churn --types] column \"" + name + "\": expected one type, got two");
    types.emplace_back(name, data::ColumnSpec(entry.substr(at + 1)));
  }
  return types;
}

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string split_column(const TrainOptions& options, const std::string& kind) {
  return options.split.starts_with(kind + ":") ? options.split.substr(kind.size() + 1) : std::string();
}

data::Table read(const TrainOptions& options, Journey& journey, data::CsvReport& csv, Formats& booleans) {
  const Types told = told_types(options);
  data::CsvOptions how{.types = told};
  if (!tells(told, options.target)) how.types.emplace_back(options.target, data::ColumnType::string);
  if (!options.id.empty()) {
    how.only_blank_missing = {options.id};
    // A name, whatever it looks like: two long numbers may be one double.
    if (!tells(told, options.id) && options.id != options.target)
      how.types.emplace_back(options.id, data::ColumnType::string);
  }
  how.more_missing = options.missing;
  data::Table table = read_csv(options, how, told, csv);
  for (const std::string& name : table.names()) {
    if (!is_left_out(name, options)) continue;
    std::erase_if(csv.notes, [&](const std::string& note) { return note.starts_with("column \"" + name + "\": "); });
  }
  check(options, table);
  if (!tells(told, options.target)) unify_target(table, options.target, csv.schema);
  read_written_forms(table, told, options, csv, booleans);
  std::int64_t missing = 0;
  for (std::int64_t c = 0; c < table.width(); ++c) missing += table.column(c).null_count();
  journey.done("read", std::to_string(table.rows()) + " rows, " + std::to_string(table.width()) + " columns, " +
                           std::to_string(missing) + " missing values");
  for (const std::string& note : csv.notes) journey.note(with_options(note));
  return table;
}

std::int64_t positives_of(const data::Table& rows, const train::Task& task) {
  const std::vector<std::uint8_t> labels = task.labels(rows.column(task.target()));
  return std::count(labels.begin(), labels.end(), std::uint8_t{1});
}

data::Table as_read(data::Table table, const Formats& booleans) {
  for (const auto& [name, format] : booleans) data::apply_format(table, name, format);
  return table;
}

data::Table clean(data::Table table, const Formats& booleans, const TrainOptions& options, Journey& journey,
                  Dropped& dropped, Repeats& repeats) {
  const data::Column& target = table.column(options.target);
  std::vector<bool> keep(static_cast<std::size_t>(table.rows()));
  for (std::int64_t i = 0; i < table.rows(); ++i) keep[static_cast<std::size_t>(i)] = !target.is_null(i);
  const std::int64_t before = table.rows();
  table = drop_rows(table, keep, "missing target", dropped);
  const std::int64_t unlabelled = before - table.rows();
  std::string unplaced;
  table = drop_unplaced(table, options, dropped, unplaced);

  const data::Duplicates found =
      data::find_duplicates(as_read(table, booleans), {.id = options.id, .target = options.target});
  // Rows that no id tells to be copies are dropped when that is asked for.
  const std::vector<std::int64_t>& untold = options.id.empty() ? found.rows : found.without_id;
  std::vector<std::int64_t> copies, kept;
  if (!options.id.empty()) copies = found.rows;
  std::vector<std::int64_t>& fate = options.drop_duplicates ? copies : kept;
  fate.insert(fate.end(), untold.begin(), untold.end());
  const auto ids = [&](std::vector<std::int64_t> rows) {
    for (std::int64_t& row : rows) row = table.row_id(row);
    return rows;
  };
  repeats = {.rows = ids(found.rows),
             .dropped = !options.id.empty() || options.drop_duplicates,
             .without_id = ids(found.without_id),
             .repeated_ids = ids(found.repeated_ids),
             .conflicts = ids(found.conflicts)};
  std::vector<bool> first(static_cast<std::size_t>(table.rows()), true);
  for (const std::int64_t row : copies) first[static_cast<std::size_t>(row)] = false;
  table = drop_rows(table, first, "duplicate of an earlier row", dropped);
  const auto count = [](const std::vector<std::int64_t>& rows, const char* what) {
    return counted(static_cast<std::int64_t>(rows.size()), what);
  };
  std::string text = counted(unlabelled, "row") + " without a target dropped" + unplaced + ", ";
  if (kept.empty() || !copies.empty()) {
    text += count(copies, "duplicate row") + (copies.empty() ? " found" : " dropped");
  }
  if (!kept.empty()) {
    text += (copies.empty() ? "" : ", ") + count(kept, "row") + (options.id.empty() ? "" : " without an id") +
            " equal to an earlier one kept";
    if (!found.by_chance) text += " (--drop-duplicates drops what is a copy)";
  }
  if (!found.conflicts.empty()) {
    text += ", " + count(found.conflicts, "row") + " equal to an earlier one in all but " +
            (options.id.empty() ? "the target" : "the id and the target");
  }
  if (found.by_chance && !kept.empty()) {
    text += ": rows that look alike by chance, among which no id tells copies";
  }
  journey.done("clean", text);
  if (found.by_chance && !untold.empty() && options.drop_duplicates) {
    journey.warn("--drop-duplicates dropped " + count(untold, "row") + " equal to an earlier one, though " +
                 count(found.conflicts, "row") +
                 " equal to an earlier one but for the target show that rows are alike by chance: they need not have "
                 "been copies");
  }
  if (!found.repeated_ids.empty() && options.split == "random") {
    const auto repeats = static_cast<std::int64_t>(found.repeated_ids.size());
    journey.warn(counted(repeats, "row") + (repeats == 1 ? " repeats" : " repeat") + " the id \"" + options.id +
                 "\" of another: a random split puts one customer into training and test, and the figures may be "
                 "optimistic; --split " +
                 shell_quoted("group:" + options.id) + " keeps them together");
  }
  return table;
}

void fit_target(train::Task& task, const data::Table& table, const TrainOptions& options) {
  const data::Column& target = table.column(options.target);
  try {
    task.fit(target);
  } catch (const DataError& error) {
    std::set<std::string> classes;
    for (std::int64_t row = 0; row < target.size(); ++row) {
      if (!target.is_null(row)) classes.insert(target.text(row));
      if (classes.size() == 3) throw DataError(error.where(), error.message(), table.location(row, options.target));
    }
    throw;
  }
}

void warn_of_unplaced(const data::Table& given, const data::Table& left, const TrainOptions& options,
                      const train::Task& task, Journey& journey) {
  const std::string time = split_column(options, "time"), name = time.empty() ? split_column(options, "group") : time;
  if (name.empty() || name == options.target) return;
  const data::Column& target = given.column(options.target);
  const data::Table labelled = given.filter([&](std::int64_t row) { return !target.is_null(row); });
  const std::int64_t blank = labelled.column(name).null_count();
  if (blank == 0) return;
  const auto share = [&](const data::Table& rows) {
    return static_cast<double>(positives_of(rows, task)) / static_cast<double>(rows.rows());
  };
  const double all = share(labelled), rest = share(left);
  const auto rows = static_cast<double>(labelled.rows()), dropped = static_cast<double>(blank);
  const double chance = std::sqrt(all * (1 - all) * dropped / rows / std::max(1.0, rows - dropped));
  const bool other = std::abs(rest - all) > 4 * chance;
  if (dropped < 0.05 * rows && !other) return;
  char text[160];
  std::snprintf(text, sizeof text, "%.1f %% of the rows that are left and %.1f %% of all", 100 * rest, 100 * all);
  journey.warn(
      counted(blank, "row") + " of " + std::to_string(labelled.rows()) + " without a value of \"" + name +
      "\" dropped: \"" + task.positive() + "\" is " + text + ", so figures tell of the rows that are left alone" +
      (other ? "; a value that is there for one class more often than for the other may be known only with the "
               "outcome, and is then nothing to split by"
             : ""));
}
