#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>

#include "hints.h"
#include "journey.h"
#include "model.h"
#include "options.h"
#include "report.h"
#include "tern/tern.h"

namespace {

using namespace tern;

using Types = std::vector<std::pair<std::string, data::ColumnSpec>>;

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

// The column behind "time:" or "group:", empty when the split is of another kind.
std::string split_column(const TrainOptions& options, const std::string& kind) {
  return options.split.starts_with(kind + ":") ? options.split.substr(kind.size() + 1) : std::string();
}

// Whether an option keeps a column from being a feature.
bool is_left_out(const std::string& name, const TrainOptions& options) {
  if (name == options.id || among(options.drop, name)) return true;
  const bool splits = name == split_column(options, "time") || name == split_column(options, "group");
  return splits && !among(options.keep, name);
}

std::vector<double> fractions(const TrainOptions& options) {
  std::vector<double> parts;
  const char *at = options.split_fractions.data(), *const last = at + options.split_fractions.size();
  for (;;) {
    double part = 0;
    const auto [end, error] = std::from_chars(at, last, part);
    parts.push_back(part);
    const bool good = error == std::errc{} && part >= 0 && part <= 1;
    if (good && end == last && parts.size() == 3) {
      if (std::abs(parts[0] + parts[1] + parts[2] - 1) > 1e-6) {
        throw ValueError("[churn] expected --split-fractions that sum to 1, got \"" + options.split_fractions + "\"");
      }
      if (parts[0] > 0 && parts[1] > 0) return parts;
      throw ValueError("[churn] expected --split-fractions with rows to train on and to validate on, got \"" +
                       options.split_fractions + "\"");
    }
    if (!good || end == last || *end != ',') {
      throw ValueError("[churn] expected --split-fractions train,validation,test, three shares from 0 to 1, got \"" +
                       options.split_fractions + "\"");
    }
    at = end + 1;
  }
}

// The bundle that is replaced, whose ledger goes on. None where it is no bundle, or one of a module that this program
// cannot make.
std::optional<Bundle> old_bundle(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return {};
  try {
    return Bundle::load(path);
  } catch (const FormatError&) {
    return {};
  }
}

// Asks for the positive class before anything else is done; where there are more than two, says where the third is.
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

// Before any work: every file that will be written can be, what it replaces can be read, and none of them is another of
// them or the input.
void check_outputs(const TrainOptions& options) {
  need_different_files({options.data}, {options.out, options.checkpoint(), options.report, options.write_splits});
  probe_outputs({options.out, options.report, options.write_splits});
  if (options.model == "mlp") probe_outputs({options.checkpoint()});
  const FolderLock lock(options.out);  // which writing takes in the end
  old_bundle(options.out);
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
  for (const data::SchemaColumn& column : csv.schema.columns) {
    const std::string& name = column.name;
    const bool kept = name == options.target || tells(told, name) ||
                      (is_left_out(name, options) && name != split_column(options, "time"));
    formats.push_back(kept ? std::nullopt : data::detect_format(table, name));
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
  if (!table.has(name) || table.column(name).distinct_count() <= 2) return;
  const bool truths = data::detect_booleans(table.column(name)) == data::BooleanFormat::true_false;
  for (const data::ColumnType type : {data::ColumnType::f64, data::ColumnType::boolean}) {
    if (type == data::ColumnType::boolean && !truths) continue;
    try {
      data::Column values = table.column(name).cast(type);
      if (values.distinct_count() != 2) continue;
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

// The rows as the model gets to see them, yes and no in one spelling: by this they are equal or not.
data::Table as_read(data::Table table, const Formats& booleans) {
  for (const auto& [name, format] : booleans) data::apply_format(table, name, format);
  return table;
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

// Rows without a time or a group may well be others than those with one: of customers who left, a last contact is
// known.
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

struct LeftOut {
  std::string name{}, reason{};
  bool asked = false;    // for by an option, so that it need not be said
  std::string remedy{};  // options that use it all the same
};

std::vector<data::ColumnRole> roles_of(const data::Table& rows, const TrainOptions& options) {
  return data::infer_roles(rows, {.target = options.target, .id = options.id, .formats = false});
}

std::string remedy_for(const data::ColumnRole& column, const data::Table& rows, const TrainOptions& options) {
  if (column.role != data::Role::identifier && column.role != data::Role::free_text) return {};
  const std::string item = shell_quoted(list_item(column.name));
  const data::Column& values = rows.column(column.name);
  const bool unique = values.distinct_count() == rows.rows();
  const std::string copied = options.id.empty() && column.role == data::Role::identifier && unique
                                 ? "--id " + shell_quoted(column.name) + " copies it to the predictions"
                                 : "";
  if (is_text(values) && count_levels(values).own == 0) return copied;  // nothing could be learned from it
  return copied + (copied.empty() ? "" : ", ") + "--keep " + item + " learns from it";
}

// Columns that are no features, each with its reason, judged on the rows given.
std::vector<LeftOut> left_out_of(const data::Table& rows, const TrainOptions& options) {
  std::vector<LeftOut> left_out;
  for (const data::ColumnRole& column : roles_of(rows, options)) {
    const std::string& name = column.name;
    if (name == options.id) {
      left_out.push_back({name, "the id", true});
    } else if (name == split_column(options, "time") && !among(options.keep, name)) {
      left_out.push_back({name, "the time of the split: test rows lie beyond the values learned from"});
    } else if (name == split_column(options, "group") && !among(options.keep, name)) {
      left_out.push_back({name, "the group of the split: other rows belong to other groups"});
    } else if (among(options.drop, name)) {
      left_out.push_back({name, "asked by --drop", true});
    } else if (!column.usable() && !among(options.keep, name)) {
      left_out.push_back({name, column.reason, false, remedy_for(column, rows, options)});
    }
  }
  return left_out;
}

std::vector<std::string> names_of(const std::vector<LeftOut>& left_out) {
  std::vector<std::string> names;
  for (const LeftOut& column : left_out) names.push_back(column.name);
  return names;
}

// Rows that are alike in every feature stay together, and which columns are features is judged on training rows: where
// these leave out more than all rows did, the split is made again without them, unless nothing would be left to be
// equal by.
data::Splits split(const data::Table& table, const Formats& booleans, const TrainOptions& options,
                   const train::Task& task, Journey& journey, std::vector<LeftOut>& left_out) {
  const std::string time = split_column(options, "time"), group = split_column(options, "group");
  const std::vector<double> part = fractions(options);
  const data::Table alike = as_read(table, booleans);
  std::vector<LeftOut> ever = left_out_of(table, options);
  std::vector<std::string> ignore = names_of(ever);
  data::Splits splits;
  for (bool again = true; again;) {
    splits = data::split(alike, {.train = part[0],
                                 .validation = part[1],
                                 .test = part[2],
                                 .stratify = time.empty() && group.empty() ? options.target : "",
                                 .group = group,
                                 .time = time,
                                 .seed = options.seed,
                                 .together = options.equal_rows == "together",
                                 .target = options.target,
                                 .id = options.id,
                                 .ignore = ignore});
    splits.train = table.take(splits.train_rows);
    splits.validation = table.take(splits.validation_rows);
    splits.test = table.take(splits.test_rows);
    left_out = left_out_of(splits.train, options);
    again = false;
    for (const LeftOut& column : left_out) {
      if (std::find(ignore.begin(), ignore.end(), column.name) != ignore.end()) continue;
      ignore.push_back(column.name);
      ever.push_back(column);
      again = true;
    }
    if (ignore.size() + 1 >= static_cast<std::size_t>(table.width())) {
      if (splits.together > 0) left_out = ever;  // whose rows of one value stand in one part
      again = false;
    }
  }
  std::string shares;  // of the positive class, which a split by time or group does not keep alike
  for (const data::Table* part : {&splits.train, &splits.validation, &splits.test}) {
    if (part->rows() == 0) continue;
    char share[16];
    std::snprintf(share, sizeof share, "%.1f %%",
                  100 * static_cast<double>(positives_of(*part, task)) / static_cast<double>(part->rows()));
    shares += (shares.empty() ? "" : ", ") + std::string(share);
  }
  std::string how = options.split;
  if (how == "random") {  // whole bundles may not come out in the shares that are wanted: that is a warning
    how += splits.warnings.empty() ? ", stratified" : ", stratified as far as equal rows that stay together let it";
    if (splits.together > 0) how += ", " + counted(splits.together, "row") + " equal to others kept with them";
  }
  journey.done("split", std::to_string(splits.train.rows()) + " train, " + std::to_string(splits.validation.rows()) +
                            " validation, " + std::to_string(splits.test.rows()) + " test (" + how + "; \"" +
                            task.positive() + "\" " + shares + ")");
  for (const std::string& note : splits.notes) journey.note(note);
  for (const std::string& warning : splits.warnings) journey.warn(with_options(warning));
  return splits;
}

// Says which columns are no features, and keeps it for the report.
void tell_left_out(const data::Table& training, std::int64_t together, const std::vector<LeftOut>& left_out,
                   const TrainOptions& options, const std::vector<std::string>& notes, Dropped& dropped) {
  std::vector<std::string> reasons;  // with what the reader noted of values and their lines
  for (const LeftOut& column : left_out) {
    dropped.columns.emplace_back(column.name, column.reason);
    if (!column.asked) {
      std::printf("  left out: \"%s\": %s%s\n", column.name.c_str(), with_options(column.reason).c_str(),
                  column.remedy.empty() ? "" : ("; " + column.remedy).c_str());
    }
    reasons.push_back("\"" + column.name + "\" (" + column.reason);
    const std::string about = "column \"" + column.name + "\": ";
    for (const std::string& note : notes) {
      if (note.starts_with(about)) reasons.back() += "; " + note.substr(about.size());
    }
    reasons.back() += ")";
  }
  if (left_out.size() + 1 >= static_cast<std::size_t>(training.width())) {
    throw DataError(
        "churn",
        "expected at least one column to learn from, " +
            (left_out.empty() ? "got a file with the target alone" : "but all are left out: " + join(reasons, 3)) +
            (together > 0
                 ? "; rows of equal features stay together, so that few values are trained on: where they are no "
                   "copies, equal rows may stand apart"
                 : ""),
        {.file = options.data});
  }
}

// A number for each row, by which it is one with others where figures, and how sure they are, are asked for: the group
// of the split, or the features of copies. Empty: every row is one.
std::vector<std::int64_t> groups_in(const data::Table& part, const Formats& booleans,
                                    const std::vector<LeftOut>& left_out, const TrainOptions& options) {
  if (const std::string group = split_column(options, "group"); !group.empty()) return part.first_equal_row({group});
  std::vector<std::string> ignore = names_of(left_out);
  std::erase(ignore, options.id);
  return data::groups_of_copies(as_read(part, booleans),
                                {.id = options.id, .target = options.target, .ignore = std::move(ignore)});
}

// What names the person of each row, where it names several rows: the group of the split, or the id.
std::vector<std::int64_t> persons_in(const data::Table& part, const TrainOptions& options) {
  const std::string group = split_column(options, "group"), &name = group.empty() ? options.id : group;
  return name.empty() ? std::vector<std::int64_t>() : part.first_equal_row({name});
}

// Columns that tell the target alone: of the features by their values or their gaps; of what is left out, though not by
// an option, by its gaps, which are there for a reason even where the values are too many to learn from.
std::vector<FoundLeak> find_leaks(const data::Table& training, const train::Task& task,
                                  const std::vector<LeftOut>& left_out, const Formats& booleans,
                                  const TrainOptions& options, Journey& journey) {
  const std::vector<std::uint8_t> labels = task.labels(training.column(options.target));
  std::vector<std::string> except = names_of(left_out);
  except.push_back(options.target);
  std::vector<FoundLeak> found;
  const train::LeakageOptions how{.seed = options.seed, .groups = groups_in(training, booleans, left_out, options)};
  for (train::Leak& leak : train::find_leaks(training, labels, except, how)) {
    found.push_back({std::move(leak)});
  }
  data::Table gaps;
  std::size_t asked = 0;
  for (const LeftOut& column : left_out) {
    if (column.asked) {
      ++asked;
      continue;
    }
    std::vector<bool> missing;
    for (std::int64_t i = 0; i < training.rows(); ++i) missing.push_back(training.column(column.name).is_null(i));
    gaps.add(column.name, data::Column::from_booleans(missing));
  }
  if (gaps.width() > 0) {
    for (train::Leak& leak : train::find_leaks(gaps, labels, {}, how)) {
      if (leak.pure.rows > 0) {
        leak.pure.kind = leak.pure.text == "true" ? train::PureValue::Kind::missing : train::PureValue::Kind::filled;
        leak.pure.text.clear();
      } else {
        leak.missingness_alone = true;
      }
      found.push_back({std::move(leak), true});
    }
  }
  for (const FoundLeak& leak : found) journey.warn(describe(leak, task));
  std::string text = found.empty() ? "no single feature tells the target" : "see the warnings";
  if (gaps.width() > 0) text += "; of " + std::to_string(gaps.width()) + " left out only the gaps were checked";
  if (asked > 0) text += "; " + std::to_string(asked) + " unchecked (--drop, --id)";
  journey.done("leakage", text);
  return found;
}

// Whole numbers are learned from as numbers, and are read so from now on: what has come as 7 may come as 7.5.
void take_as_numbers(data::Splits& splits, const std::vector<std::string>& features, const Types& told,
                     data::Schema& schema) {
  for (data::SchemaColumn& column : schema.columns) {
    if (column.type != data::ColumnType::i64 || !among(features, column.name) || tells(told, column.name)) continue;
    column.type = data::ColumnType::f64;
    for (data::Table* part : {&splits.train, &splits.validation, &splits.test}) {
      part->replace(column.name, part->column(column.name).cast(data::ColumnType::f64));
    }
  }
}

// What is learned from, in the table's order.
std::vector<std::string> features_of(const data::Table& table, const std::vector<LeftOut>& left_out,
                                     const TrainOptions& options) {
  std::vector<std::string> features;
  for (const std::string& name : table.names()) {
    if (name != options.target && !among(names_of(left_out), name)) features.push_back(name);
  }
  return features;
}

std::string splits_text(const data::Splits& splits) {
  std::vector<std::pair<std::int64_t, const char*>> rows;
  for (const std::int64_t id : splits.train.row_ids()) rows.emplace_back(id, "train");
  for (const std::int64_t id : splits.validation.row_ids()) rows.emplace_back(id, "validation");
  for (const std::int64_t id : splits.test.row_ids()) rows.emplace_back(id, "test");
  std::sort(rows.begin(), rows.end());
  std::string text = "row,split\n";
  for (const auto& [row, part] : rows) text += std::to_string(row) + "," + part + "\n";
  return text;
}

// Rows that will teach or say little are known before training; the report says it of validation rows.
void warn_of_few(const data::Splits& splits, const std::vector<std::int64_t>& test_groups, const TrainOptions& options,
                 const train::Task& task, Journey& journey) {
  constexpr std::int64_t least = 30;
  const std::int64_t positives = positives_of(splits.train, task), negatives = splits.train.rows() - positives;
  if (std::min(positives, negatives) < least) {
    journey.warn("training rows: only " + counted(std::min(positives, negatives), "row") + " of class \"" +
                 task.classes().at(positives <= negatives ? 1 : 0) +
                 "\": too few to learn from; what the model makes of them is mostly chance");
  }
  if (splits.test.rows() == 0) return;
  const std::vector<std::uint8_t> labels = task.labels(splits.test.column(options.target));
  const std::string few = train::few_rows(train::count_rows(labels, test_groups));
  if (!few.empty()) journey.warn("test rows: " + few);
}

// What a user may do with the bundle, as commands that can be pasted.
void print_next(const TrainOptions& options, bool has_test_rows, std::int64_t opened) {
  const std::string program = shell_quoted(options.command.at(0)), out = shell_quoted(options.out),
                    data = shell_quoted(options.data);
  const char* scores =
      std::filesystem::path(options.data).filename() == "predictions.csv" ? "scores.csv" : "predictions.csv";
  if (opened > 0) {
    std::printf("Test rows of this model were opened %s already, by the bundle that it replaces. Next:\n",
                opened == 1 ? "once" : (std::to_string(opened) + " times").c_str());
  } else {
    std::printf(has_test_rows ? "The test rows are unopened by this bundle. Next:\n"
                              : "There are no test rows. Next:\n");
  }
  if (has_test_rows) std::printf("  %s evaluate --bundle %s --data %s\n", program.c_str(), out.c_str(), data.c_str());
  std::printf("  %s predict --bundle %s --data %s --out %s\n", program.c_str(), out.c_str(), data.c_str(), scores);
}

void print_how_to_go_on(const TrainOptions& options, bool interrupted, bool resumable) {
  std::string command;
  for (const std::string& argument : options.command) command += (command.empty() ? "" : " ") + shell_quoted(argument);
  if (resumable) {
    std::printf("%s: the best model so far is saved. To train on from there:\n  %s%s\n",
                interrupted ? "Interrupted" : "Out of time", command.c_str(), options.resume ? "" : " --resume");
  } else if (!interrupted) {
    std::printf("Out of time before the first epoch ended: the model as it began is saved; --max-time may be longer\n");
  } else if (options.model == "gbdt") {
    std::printf("Interrupted: the best model so far is saved. To train again:\n  %s\n", command.c_str());
  } else {
    std::printf("Interrupted before the first epoch ended: the model as it began is saved. To train again:\n  %s\n",
                command.c_str());
  }
}

metrics::ThresholdRule threshold_rule(const TrainOptions& options) {
  try {
    return metrics::parse_threshold_rule(options.threshold);
  } catch (const ValueError& error) {
    throw ValueError(std::string("[churn --threshold] ") + error.what());
  }
}

void run(const TrainOptions& options, const metrics::ThresholdRule& rule, Journey& journey);

}  // namespace

void train(const TrainOptions& given) {
  Journey journey;
  TrainOptions options = given;
  options.drop = split_list("--drop", given.drop);
  options.keep = split_list("--keep", given.keep);
  options.types = split_list("--types", given.types);
  options.missing = split_list("--missing", given.missing);
  set_num_threads(options.threads);
  const auto only_with = [&](const char* option, bool given, const char* models) {
    if (given && std::string_view(models).find(options.model) == std::string_view::npos) {
      throw ValueError(std::string("[churn] expected ") + option + " with --model " + models + ", got it with " +
                       options.model);
    }
  };
  only_with("--resume", options.resume, "mlp");
  only_with("--max-epochs", options.max_epochs > 0, "mlp or gbdt");
  only_with("--max-time", options.max_time > 0, "mlp or gbdt");
  require_device(device_from(options.device));
  check_outputs(options);
  const metrics::ThresholdRule rule = threshold_rule(options);
  in_file(options.data, [&] { run(options, rule, journey); });
}

namespace {

void run(const TrainOptions& options, const metrics::ThresholdRule& rule, Journey& journey) {
  Dropped dropped;
  data::CsvReport csv;
  Formats booleans;
  data::Table table = read(options, journey, csv, booleans);
  Repeats repeats;
  const data::Table given = table;
  table = clean(std::move(table), booleans, options, journey, dropped, repeats);
  train::Task task = train::binary({.target = options.target,
                                    .positive = options.positive,
                                    .threshold = rule,
                                    .balanced_weights = options.balanced});
  if (options.balanced) {
    journey.warn(
        "--balanced weighs the classes equally: probabilities are those of a table with as many positives as "
        "negatives, so log loss, Brier score and calibration are off on this one; so are those of the logistic "
        "regression, which is weighed alike");
  }
  fit_target(task, table, options);
  warn_of_unplaced(given, table, options, task, journey);
  std::vector<LeftOut> left_out;
  data::Splits splits = split(table, booleans, options, task, journey, left_out);
  warn_of_few(splits, groups_in(splits.test, booleans, left_out, options), options, task, journey);
  tell_left_out(splits.train, splits.together, left_out, options, csv.notes, dropped);
  const std::vector<std::string> features = features_of(table, left_out, options);
  std::vector<std::string> categories;
  for (const std::string& name : features) {
    const auto is_boolean = [&](const auto& format) { return format.first == name; };
    if (std::none_of(booleans.begin(), booleans.end(), is_boolean)) categories.push_back(name);
  }
  note_rare_levels(splits.train, categories, options.model, journey);
  note_spellings(table, categories, journey);
  const std::vector<FoundLeak> leaks = find_leaks(splits.train, task, left_out, booleans, options, journey);
  if (options.split == "random") warn_of_random_split(table, splits.train, options, leaks, journey);

  TrainingRows rows;
  rows.validation_groups = groups_in(splits.validation, booleans, left_out, options);
  if (split_column(options, "group").empty() && !rows.validation_groups.empty()) {
    journey.note("rows equal in every feature are one in the bootstrap of intervals");
  }
  take_as_numbers(splits, features, told_types(options), csv.schema);
  const bool trees = options.model == "gbdt";
  data::Pipeline pipeline =
      trees ? make_cleaning(names_of(left_out), booleans) : make_pipeline(names_of(left_out), booleans);
  if (trees) {
    rows.training_table = pipeline.fit_transform_table(splits.train, options.target, {.seed = options.seed});
    rows.validation_table = pipeline.transform_table(splits.validation);
  } else {
    rows.training = pipeline.fit_transform(splits.train, options.target, {.seed = options.seed});
    rows.validation = pipeline.transform(splits.validation);
  }
  journey.done("features", counted(pipeline.width(), "feature") + " from " + counted(std::ssize(features), "column"));

  const std::string group = split_column(options, "group");
  const Trained trained = train_model(options, task, rows, journey);
  note_interrupts();  // files that are begun are finished

  const nlohmann::ordered_json settings = settings_of(options);
  nlohmann::ordered_json kept = settings;  // with what whoever judges the model later has to know
  kept["warnings"] = journey.warnings();
  kept["dropped"] = to_json(dropped);
  std::vector<std::string> unprofiled = names_of(left_out);  // nothing is told of what the model does not use, or names
  if (!group.empty() && !among(unprofiled, group)) unprofiled.push_back(group);
  Provenance provenance{.input_file = std::filesystem::path(options.data).filename().string(),
                        .input_sha256 = csv.sha256,
                        .settings = json_text(kept),
                        .seed = options.seed,
                        .train_rows = splits.train.row_ids(),
                        .validation_rows = splits.validation.row_ids(),
                        .test_rows = splits.test.row_ids(),
                        .id = options.id,
                        .group = group,
                        .schema = csv.schema,
                        .profile = profile_of(splits.train.drop(unprofiled), persons_in(splits.train, options))};
  Bundle bundle = trees ? Bundle(*trained.trees, pipeline, trained.fitted, std::move(provenance))
                        : Bundle(*trained.model, pipeline, trained.fitted, std::move(provenance));
  const FolderLock lock(options.out);  // no evaluation of a bundle that is replaced may write in between
  const std::optional<Bundle> replaced = old_bundle(options.out);
  const std::int64_t opened = replaced ? bundle.continue_ledger(*replaced) : 0;  // how often test rows have been
  Outputs outputs;
  outputs.add(options.out, bundle.to_bytes());
  outputs.add(options.write_splits, splits_text(splits));
  outputs.prepare();
  journey.count("save", journey.seconds());

  if (!options.report.empty()) {
    nlohmann::ordered_json report = report_head(bundle, "train");
    report["input"] = {{"file", options.data},
                       {"sha256", csv.sha256},
                       {"rows", csv.records},
                       {"rows_used", table.rows()},
                       {"columns", table.width()}};
    report["settings"] = settings;
    report["splits"] = {{"train", splits.train.rows()},
                        {"validation", splits.validation.rows()},
                        {"test", splits.test.rows()},
                        {"positives",
                         {{"train", positives_of(splits.train, task)},
                          {"validation", positives_of(splits.validation, task)},
                          {"test", positives_of(splits.test, task)}}},
                        {"together", splits.together},
                        {"repeated", splits.repeated},
                        {"notes", splits.notes},
                        {"warnings", splits.warnings}};
    report["dropped"] = to_json(dropped);
    report["duplicates"] = to_json(repeats);
    report["notes"] = journey.notes();
    report["warnings"] = journey.warnings();
    if (!trained.fitted.report.warning.empty()) {
      report["warnings"].push_back("validation rows: " + trained.fitted.report.warning);
    }
    report["leakage"] = to_json(leaks, task);
    report["training"] = trained.details;
    add_figures(report, "validation", nlohmann::ordered_json::parse(train::to_json(trained.fitted.report)));
    report["stages"] = journey.stages();
    report["seconds"] = journey.total();
    outputs.add(options.report, json_text(report, 2) + "\n");
  }
  outputs.commit();
  journey.print("save", options.out);
  const bool stopped = trained.fitted.stopped == train::StopReason::requested,
             out_of_time = trained.fitted.stopped == train::StopReason::max_time;
  std::error_code ignored;  // a checkpoint that stays is only taken up by --resume
  const bool resumable = trained.fitted.resumable;
  if (!stopped && !out_of_time && resumable) std::filesystem::remove(options.checkpoint(), ignored);

  std::printf("\n%s\n", to_string(trained.fitted.report).c_str());
  if (stopped || (out_of_time && options.model == "mlp")) print_how_to_go_on(options, stopped, resumable);
  print_next(options, splits.test.rows() > 0, opened);
}

}  // namespace
