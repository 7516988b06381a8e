#include <cstdio>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "journey.h"
#include "notes.h"
#include "options.h"
#include "report.h"
#include "tern/tern.h"

namespace {

using namespace tern;

// The bundle's own test rows of the file that it was trained from.
data::Table test_rows(const data::Table& table, const Provenance& provenance, const std::string& hash,
                      const std::string& file) {
  if (provenance.input_sha256.empty()) {  // made by another program
    throw DataError(
        "churn evaluate",
        "expected a bundle that records the file it was trained from, got one that records none, so its own "
        "test rows cannot be told; --all scores all rows of a labelled file",
        {.file = file});
  }
  if (hash != provenance.input_sha256) {
    throw DataError("churn evaluate",
                    "expected the file that trained the bundle, " + provenance.input_file + " (SHA-256 " +
                        provenance.input_sha256.substr(0, 12) + "…), got SHA-256 " + hash.substr(0, 12) +
                        "…; --all scores any labelled file",
                    {.file = file});
  }
  if (provenance.test_rows.empty()) {
    throw DataError("churn evaluate",
                    "expected test rows in the bundle, but it was trained without any; --all scores all "
                    "rows of a labelled file",
                    {.file = file});
  }
  std::unordered_map<std::int64_t, std::int64_t> position;
  for (std::int64_t i = 0; i < table.rows(); ++i) position.emplace(table.row_id(i), i);
  std::vector<std::int64_t> rows;
  for (const std::int64_t id : provenance.test_rows) {
    const auto found = position.find(id);
    if (found == position.end())
      throw DataError("churn evaluate", "expected a test row, got none", {.file = file, .row = id});
    rows.push_back(found->second);
  }
  return table.take(rows);
}

// No rows are opened unless the bundle can count it.
void need_ledger(const std::string& bundle) {
  try {
    probe_outputs({bundle});
  } catch (const FileError& error) {
    throw FileError(std::string("[churn evaluate] expected a bundle that can be written, because each evaluation is a "
                                "line of its ledger and there are no figures without it (copy the bundle to where it "
                                "can be written), got: ") +
                        error.what(),
                    error.path(), error.code());
  }
}

}  // namespace

void evaluate(const EvaluateOptions& options) {
  Journey journey;
  set_num_threads(options.threads);
  const FolderLock lock(options.bundle);  // no other evaluation may write its line of the ledger in between
  need_different_files({options.bundle, options.data}, {options.report});
  need_ledger(options.bundle);
  probe_outputs({options.report});
  Bundle bundle = load_bundle(options.bundle);
  journey.done("load", options.bundle);
  nlohmann::ordered_json settings = nlohmann::ordered_json::parse(bundle.provenance().settings);
  std::vector<std::string> warned;  // but of how many test rows there are, which is said now
  for (const auto& warning : settings.value("warnings", nlohmann::ordered_json::array())) {
    if (warning.is_string() && !warning.get<std::string>().starts_with("test rows: ")) warned.push_back(warning);
  }
  settings.erase("warnings");
  const auto told = settings.find("dropped");  // of the file that trained it; an older bundle tells nothing
  nlohmann::ordered_json left_out = told != settings.end() && told->is_object() ? *told : to_json(Dropped());
  settings.erase("dropped");
  data::CsvReport csv;
  data::Table table = bundle.read(options.data, true, &csv);
  const std::string& hash = csv.sha256;  // of the very bytes that are judged
  std::vector<std::string> notes;
  if (options.all) {
    const data::Column& target = table.column(bundle.task().target());
    const std::int64_t before = table.rows();
    Dropped dropped;
    std::vector<bool> labelled;
    for (std::int64_t row = 0; row < before; ++row) labelled.push_back(!target.is_null(row));
    table = drop_rows(table, labelled, "missing target", dropped);
    left_out["rows"] = to_json(dropped)["rows"];  // of this file; the columns are those that the model does not use
    journey.done("read", std::to_string(table.rows()) + " labelled rows, " + std::to_string(before - table.rows()) +
                             " without a target left out");
    notes = in_file(options.data, [&] { return notes_on(bundle, table); });
    tell(notes, journey);
  } else {
    table = test_rows(table, bundle.provenance(), hash, options.data);
    journey.done("read", std::to_string(table.rows()) + " test rows");
  }
  const train::Report judged = in_file(options.data, [&] { return bundle.evaluate(table, !options.all, hash); });
  journey.done("evaluate", judged.note);
  note_interrupts();  // files that are begun are finished
  Outputs outputs;
  outputs.add(options.bundle, bundle.to_bytes());  // with the new line of the ledger
  outputs.prepare();
  journey.count("save", journey.seconds());
  if (!options.report.empty()) {
    nlohmann::ordered_json report = report_head(bundle, "evaluate");
    report["training_environment"] = nlohmann::ordered_json::parse(bundle.environment());
    report["input"] = {{"file", options.data}, {"sha256", hash}, {"rows", csv.records}, {"rows_used", table.rows()}};
    report["dropped"] = left_out;
    report["settings"] = settings;
    add_figures(report, "validation", nlohmann::ordered_json::parse(bundle.validation_report()));
    add_figures(report, options.all ? "all" : "test", nlohmann::ordered_json::parse(train::to_json(judged)));
    report["ledger"] = to_json(bundle.ledger());
    report["warnings"] = nlohmann::ordered_json::array();
    if (!judged.warning.empty()) report["warnings"].push_back(judged.warning);
    report["training_warnings"] = warned;
    report["notes"] = notes;
    report["stages"] = journey.stages();
    report["seconds"] = journey.total();
    outputs.add(options.report, json_text(report, 2) + "\n");
  }
  outputs.commit();  // the ledger first: no figures on rows that it has not counted
  journey.print("save", options.bundle);
  std::printf("\n%s", to_string(judged).c_str());
  for (const std::string& warning : warned) {
    const std::size_t time = warning.find("\" is a time: ");  // is said whole once, when it was trained
    const std::string told =
        time == std::string::npos ? warning : warning.substr(0, time) + "\" is a time, split at random";
    std::printf("  warning when it was trained: %s\n", told.c_str());
  }
}
