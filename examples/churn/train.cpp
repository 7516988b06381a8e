#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "hints.h"
#include "input.h"
#include "journey.h"
#include "model.h"
#include "options.h"
#include "parts.h"
#include "report.h"
#include "tern/tern.h"

namespace {

using namespace tern;

// The bundle that is replaced, whose ledger goes on. None where it is no bundle, or one that is damaged or of a module
// that this program cannot make, which is said.
std::optional<Bundle> old_bundle(const std::string& path, Journey* journey = nullptr) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return {};
  try {
    return Bundle::load(path);
  } catch (const FormatError& error) {
    std::string start(2, '\0');
    std::ifstream(path, std::ios::binary).read(start.data(), 2);
    if (journey && start == "PK") {  // a zip, as bundles are
      journey->warn("what " + path + " held is replaced and its ledger ends: it could not be read (" + error.what() +
                    "); rows that were opened by it may be test rows again");
    }
    return {};
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
  const std::optional<Bundle> replaced = old_bundle(options.out, &journey);
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
