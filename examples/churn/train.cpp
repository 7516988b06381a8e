#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "journey.h"
#include "model.h"
#include "options.h"
#include "report.h"
#include "tern/tern.h"

namespace {

using namespace tern;

std::vector<std::pair<std::string, data::ColumnSpec>> told_types(const TrainOptions& options) {
  std::vector<std::pair<std::string, data::ColumnSpec>> types;
  for (const std::string& entry : options.types) {
    const std::size_t at = entry.rfind('=');
    if (at == std::string::npos || at == 0) {
      throw ValueError("[churn] expected --types column=type, got \"" + entry + "\"");
    }
    types.emplace_back(entry.substr(0, at), data::ColumnSpec(entry.substr(at + 1)));
  }
  return types;
}

// The column behind "time:" or "group:", empty when the split is of another kind.
std::string split_column(const TrainOptions& options, const std::string& kind) {
  return options.split.starts_with(kind + ":") ? options.split.substr(kind.size() + 1) : std::string();
}

std::vector<double> fractions(const TrainOptions& options) {
  std::vector<double> parts;
  const char* at = options.split_fractions.c_str();
  for (;;) {
    char* end = nullptr;
    parts.push_back(std::strtod(at, &end));
    if (end == at) parts.clear();
    if (end == at || *end != ',') {
      if (parts.size() == 3 && *end == '\0') return parts;
      throw ValueError("[churn] expected --split-fractions train,validation,test, got \"" + options.split_fractions +
                       "\"");
    }
    at = end + 1;
  }
}

// Before any work: every file that will be written can be, and none of them is another of them or the input.
void check_outputs(const TrainOptions& options) {
  need_different_files({options.data}, {options.out, options.report, options.write_splits});
  for (const std::string& path : {options.out, options.report, options.write_splits}) {
    if (path.empty()) continue;
    const AtomicFile probe(path);  // throws where it could not be written, and leaves nothing
  }
}

void check(const TrainOptions& options, const data::Table& table) {
  for (const std::string& name : options.drop) table.column(name);
  for (const std::string& name : options.keep) table.column(name);
  table.column(options.target);
  if (!options.id.empty()) table.column(options.id);
  const auto among = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const auto* names : {&options.drop, &options.keep}) {
    if (among(*names, options.target))
      throw ValueError("[churn] expected features in --drop and --keep, got the target");
  }
  for (const std::string& name : options.keep) {
    if (among(options.drop, name)) throw ValueError("[churn] expected --drop or --keep, got both for \"" + name + "\"");
  }
  if (options.id == "probability" || options.id == "decision") {
    throw ValueError("[churn] expected an id of another name than the predictions' columns, got \"" + options.id +
                     "\"");
  }
  if (options.id == options.target)
    throw ValueError("[churn] expected --id to differ from --target, got the same column");
  if (options.split != "random" && split_column(options, "time").empty() && split_column(options, "group").empty()) {
    throw ValueError("[churn] expected --split random, time:COLUMN or group:COLUMN, got \"" + options.split + "\"");
  }
  for (const char* kind : {"time", "group"}) {
    if (const std::string name = split_column(options, kind); !name.empty()) table.column(name);
  }
}

data::Table drop_rows(const data::Table& table, const std::vector<bool>& keep, const std::string& reason,
                      Dropped& dropped) {
  RowsDropped rows{.reason = reason};
  for (std::int64_t i = 0; i < table.rows(); ++i) {
    if (!keep[static_cast<std::size_t>(i)]) rows.rows.push_back(table.row_id(i));
  }
  if (rows.rows.empty()) return table;
  dropped.rows.push_back(std::move(rows));
  return table.filter(keep);
}

data::Table read(const TrainOptions& options, Journey& journey, data::Schema& schema) {
  data::CsvOptions how{.types = told_types(options)};
  data::CsvReport csv;
  data::Table table = data::read_csv(options.data, how, &csv);
  check(options, table);
  const std::string time = split_column(options, "time");
  if (!time.empty() && table.column(time).type() == data::ColumnType::string) {
    if (const auto format = data::detect_format(table.column(time), time)) {  // "31/12/2024" becomes a time
      how.types.emplace_back(time, *format);
      table = data::read_csv(options.data, how, &csv);
    }
  }
  schema = csv.schema;
  std::int64_t missing = 0;
  for (std::int64_t c = 0; c < table.width(); ++c) missing += table.column(c).null_count();
  journey.done("read", std::to_string(table.rows()) + " rows, " + std::to_string(table.width()) + " columns, " +
                           std::to_string(missing) + " missing values");
  for (const std::string& note : csv.notes) std::printf("  note: %s\n", note.c_str());
  return table;
}

data::Table clean(data::Table table, const TrainOptions& options, Journey& journey, Dropped& dropped) {
  const data::Column& target = table.column(options.target);
  std::vector<bool> keep(static_cast<std::size_t>(table.rows()));
  for (std::int64_t i = 0; i < table.rows(); ++i) keep[static_cast<std::size_t>(i)] = !target.is_null(i);
  const std::int64_t before = table.rows();
  table = drop_rows(table, keep, "missing target", dropped);
  const std::int64_t unlabelled = before - table.rows();

  const data::Duplicates found = data::find_duplicates(table, {.id = options.id, .target = options.target});
  const bool drop = !options.id.empty() || options.drop_duplicates;
  std::vector<bool> first(static_cast<std::size_t>(table.rows()), true);
  for (const std::int64_t row : found.rows) first[static_cast<std::size_t>(row)] = false;
  if (drop) table = drop_rows(table, first, "duplicate of an earlier row", dropped);
  journey.done("clean", std::to_string(unlabelled) + " rows without a target dropped, " +
                            std::to_string(found.rows.size()) + " duplicate rows " +
                            (found.rows.empty() ? "found"
                             : drop             ? "dropped"
                                                : "kept (--drop-duplicates drops them)"));
  if (!found.repeated_ids.empty() && options.split == "random") {
    journey.warn(std::to_string(found.repeated_ids.size()) + " rows repeat the id \"" + options.id +
                 "\" of another: a random split puts one customer into training and test, and the figures may be "
                 "optimistic; --split group:" +
                 options.id + " keeps them together");
  }
  return table;
}

// Columns that name rows or were dropped: two customers may be alike in all the others.
std::vector<std::string> no_features(const data::Table& table, const TrainOptions& options) {
  std::vector<std::string> names = options.drop;
  for (const data::ColumnRole& column : data::infer_roles(table, {.target = options.target, .id = options.id})) {
    if (column.role == data::Role::identifier) names.push_back(column.name);
  }
  return names;
}

data::Splits split(const data::Table& table, const TrainOptions& options, Journey& journey) {
  const std::string time = split_column(options, "time"), group = split_column(options, "group");
  const std::vector<double> part = fractions(options);
  data::Splits splits = data::split(table, {.train = part[0],
                                            .validation = part[1],
                                            .test = part[2],
                                            .stratify = time.empty() && group.empty() ? options.target : "",
                                            .group = group,
                                            .time = time,
                                            .seed = options.seed,
                                            .target = options.target,
                                            .id = options.id,
                                            .ignore = no_features(table, options)});
  journey.done("split", std::to_string(splits.train.rows()) + " train, " + std::to_string(splits.validation.rows()) +
                            " validation, " + std::to_string(splits.test.rows()) + " test (" +
                            (options.split == "random" ? "random, stratified" : options.split) + ")");
  return splits;
}

// Columns that are no features, each with its reason; judged on training rows.
std::vector<std::string> choose_columns(const data::Table& training, const TrainOptions& options, Journey& journey,
                                        Dropped& dropped) {
  std::vector<std::string> left_out;
  const auto leave = [&](const std::string& name, const std::string& reason, bool said) {
    left_out.push_back(name);
    dropped.columns.emplace_back(name, reason);
    if (said) std::printf("  left out: \"%s\": %s\n", name.c_str(), reason.c_str());
  };
  const auto roles = data::infer_roles(training, {.target = options.target, .id = options.id});
  for (const data::ColumnRole& column : roles) {
    const auto among = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), column.name) != names.end();
    };
    if (column.name == options.target) continue;
    if (column.name == options.id) {
      leave(column.name, "the id", false);
    } else if (column.name == split_column(options, "time") && !among(options.keep)) {
      leave(column.name, "the time of the split: test rows lie beyond the values learned from", true);
    } else if (column.name == split_column(options, "group") && !among(options.keep)) {
      leave(column.name, "the group of the split: other rows belong to other groups", true);
    } else if (among(options.drop)) {
      leave(column.name, "asked by --drop", false);
    } else if (!column.usable() && !among(options.keep)) {
      leave(column.name, column.reason, true);
    }
    if (column.role == data::Role::timestamp && options.split == "random") {
      journey.warn("\"" + column.name +
                   "\" is a time: a random split trains on rows that are later than test rows, and the "
                   "figures may be optimistic; --split time:" +
                   column.name + " tests on the latest rows");
    }
  }
  if (left_out.size() + 1 >= static_cast<std::size_t>(training.width())) {
    throw DataError("churn", "expected at least one column to learn from, but all are left out: " + join(left_out),
                    {.file = options.data});
  }
  return left_out;
}

void write_splits(const std::string& path, const data::Splits& splits) {
  std::vector<std::pair<std::int64_t, const char*>> rows;
  for (const std::int64_t id : splits.train.row_ids()) rows.emplace_back(id, "train");
  for (const std::int64_t id : splits.validation.row_ids()) rows.emplace_back(id, "validation");
  for (const std::int64_t id : splits.test.row_ids()) rows.emplace_back(id, "test");
  std::sort(rows.begin(), rows.end());
  std::string text = "row,split\n";
  for (const auto& [row, part] : rows) text += std::to_string(row) + "," + part + "\n";
  write_file(path, text);
}

}  // namespace

void train(const TrainOptions& options) {
  Journey journey;
  set_num_threads(options.threads);
  check_outputs(options);
  const metrics::ThresholdRule rule = metrics::parse_threshold_rule(options.threshold);
  Dropped dropped;

  data::Schema schema;
  data::Table table = read(options, journey, schema);
  table = clean(std::move(table), options, journey, dropped);
  train::Task task = train::binary({.target = options.target,
                                    .positive = options.positive,
                                    .threshold = rule,
                                    .balanced_weights = options.balanced});
  task.fit(table.column(options.target));  // asks for the positive class before anything else is done
  data::Splits splits = split(table, options, journey);

  const std::vector<std::string> left_out = choose_columns(splits.train, options, journey, dropped);
  std::vector<std::string> except = left_out;
  except.push_back(options.target);
  const auto leaks =
      train::find_leaks(splits.train, task.labels(splits.train.column(options.target)), except, {.seed = options.seed});
  for (const train::Leak& leak : leaks) journey.warn(describe(leak));
  journey.done("leakage", leaks.empty() ? "no single column tells the target" : "see the warnings");

  data::Pipeline pipeline = make_pipeline(left_out);
  const data::Dataset training = pipeline.fit_transform(splits.train, options.target, {.seed = options.seed});
  const data::Dataset validation = pipeline.transform(splits.validation);
  journey.done("features", std::to_string(pipeline.width()) + " features from " +
                               std::to_string(table.width() - 1 - static_cast<std::int64_t>(left_out.size())) +
                               " columns");

  const Trained trained = train_model(options, task, training, validation, journey);

  const std::string sha256 = sha256_file(options.data);
  const nlohmann::ordered_json settings = settings_of(options);
  Bundle bundle(*trained.model, pipeline, trained.fitted,
                {.input_file = std::filesystem::path(options.data).filename().string(),
                 .input_sha256 = sha256,
                 .settings = settings.dump(),
                 .seed = options.seed,
                 .train_rows = splits.train.row_ids(),
                 .validation_rows = splits.validation.row_ids(),
                 .test_rows = splits.test.row_ids(),
                 .id = options.id,
                 .schema = schema,
                 .profile = profile_of(splits.train)});
  bundle.save(options.out);
  if (!options.write_splits.empty()) write_splits(options.write_splits, splits);
  journey.done("save", options.out);

  if (!options.report.empty()) {
    nlohmann::ordered_json report = report_head(bundle, "train");
    report["input"] = {{"file", options.data}, {"sha256", sha256}, {"rows", table.rows()}, {"columns", table.width()}};
    report["settings"] = settings;
    report["splits"] = {
        {"train", splits.train.rows()}, {"validation", splits.validation.rows()}, {"test", splits.test.rows()}};
    report["dropped"] = to_json(dropped);
    report["warnings"] = journey.warnings();
    report["leakage"] = to_json(leaks);
    report["training"] = trained.details;
    add_figures(report, "validation", nlohmann::ordered_json::parse(train::to_json(trained.fitted.report)));
    report["stages"] = journey.stages();
    write_file(options.report, report.dump(2) + "\n");
  }
  std::error_code ignored;  // a checkpoint that stays is only taken up by --resume
  std::filesystem::remove(options.out + ".checkpoint", ignored);

  std::printf("\n%s\n", to_string(trained.fitted.report).c_str());
  std::printf("The test rows are unopened. Next:\n");
  std::printf("  churn evaluate --bundle %s --data %s\n", options.out.c_str(), options.data.c_str());
  std::printf("  churn predict  --bundle %s --data %s --out predictions.csv\n", options.out.c_str(),
              options.data.c_str());
}
