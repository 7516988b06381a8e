#include "report.h"

#include <cstdio>

#include "journey.h"

using nlohmann::ordered_json;

namespace {

// "is filled in 307 rows, all of them "Yes"".
std::string describe(const tern::train::PureValue& pure, const std::string& one_class) {
  using Kind = tern::train::PureValue::Kind;
  return (pure.kind == Kind::filled    ? "is filled in "
          : pure.kind == Kind::missing ? "is blank in "
                                       : "is \"" + pure.text + "\" in ") +
         counted(pure.rows, "training row") + ", " +
         (pure.others == 0 ? "all" : std::to_string(pure.rows - pure.others)) + " of them \"" + one_class + "\"";
}

}  // namespace

std::string describe(const FoundLeak& found, const tern::train::Task& task) {
  const tern::train::Leak& leak = found.leak;
  if (leak.pure.rows > 0) {
    const std::string text = "\"" + leak.column + "\"" + (found.left_out ? ", which is left out, " : " ") +
                             describe(leak.pure, task.classes().at(leak.pure.positive ? 1 : 0));
    if (found.left_out) return text + ": do other columns, too, hold what is known only after the outcome?";
    return text + ": is it known before the outcome? --drop " + shell_quoted(list_item(leak.column)) + " leaves it out";
  }
  char auroc[16];
  std::snprintf(auroc, sizeof auroc, "%.3f", leak.auroc);
  if (found.left_out) {
    return "\"" + leak.column + "\", which is left out, tells the target almost alone by being missing or not (AUROC " +
           auroc + " out of fold): do other columns, too, hold what is known only after the outcome?";
  }
  return "\"" + leak.column + "\" tells the target almost alone" +
         (leak.missingness_alone ? ", by being missing or not" : "") + " (AUROC " + auroc +
         " out of fold): is it known before the outcome? --drop " + shell_quoted(list_item(leak.column)) +
         " leaves it out";
}

tern::data::Table drop_rows(const tern::data::Table& table, const std::vector<bool>& keep, const std::string& reason,
                            Dropped& dropped) {
  RowsDropped rows{.reason = reason};
  for (std::int64_t i = 0; i < table.rows(); ++i) {
    if (!keep[static_cast<std::size_t>(i)]) rows.rows.push_back(table.row_id(i));
  }
  if (rows.rows.empty()) return table;
  dropped.rows.push_back(std::move(rows));
  return table.filter(keep);
}

ordered_json to_json(const Dropped& dropped) {
  ordered_json rows = ordered_json::array(), columns = ordered_json::array();
  for (const RowsDropped& entry : dropped.rows) {
    rows.push_back({{"reason", entry.reason}, {"count", entry.rows.size()}, {"rows", entry.rows}});
  }
  for (const auto& [name, reason] : dropped.columns) columns.push_back({{"name", name}, {"reason", reason}});
  return {{"rows", rows}, {"columns", columns}};
}

ordered_json to_json(const Repeats& repeats) {
  return {{"count", repeats.rows.size()},     {"dropped", repeats.dropped},           {"rows", repeats.rows},
          {"without_id", repeats.without_id}, {"repeated_ids", repeats.repeated_ids}, {"conflicts", repeats.conflicts}};
}

ordered_json to_json(const std::vector<FoundLeak>& leaks, const tern::train::Task& task) {
  ordered_json list = ordered_json::array();
  for (const auto& [leak, left_out] : leaks) {
    list.push_back({{"column", leak.column},
                    {"auroc", leak.auroc},
                    {"missingness_alone", leak.missingness_alone},
                    {"left_out", left_out}});
    if (leak.pure.rows == 0) continue;
    constexpr const char* kinds[] = {"level", "filled", "missing"};
    list.back()["value"] = {{"kind", kinds[static_cast<std::size_t>(leak.pure.kind)]},
                            {"text", leak.pure.text},
                            {"rows", leak.pure.rows},
                            {"of_other_class", leak.pure.others},
                            {"class", task.classes().at(leak.pure.positive ? 1 : 0)}};
  }
  return list;
}

ordered_json to_json(const std::vector<tern::LedgerEntry>& ledger) {
  ordered_json list = ordered_json::array();
  for (const tern::LedgerEntry& entry : ledger) {
    list.push_back({{"time", entry.time},
                    {"data_hash", entry.data_hash},
                    {"split_hash", entry.split_hash},
                    {"rows", entry.rows},
                    {"test_rows", entry.test_rows}});
  }
  return list;
}

ordered_json settings_of(const TrainOptions& options) {
  return {{"target", options.target},
          {"positive", options.positive},
          {"id", options.id},
          {"drop", options.drop},
          {"keep", options.keep},
          {"types", options.types},
          {"missing", options.missing},
          {"model", options.model},
          {"split", options.split},
          {"split_fractions", options.split_fractions},
          {"threshold", options.threshold},
          {"seed", options.seed},
          {"threads", options.threads},
          {"device", options.device},
          {"max_epochs", options.max_epochs},
          {"max_time", options.max_time},
          {"equal_rows", options.equal_rows},
          {"drop_duplicates", options.drop_duplicates},
          {"balanced", options.balanced}};
}

tern::Bundle load_bundle(const std::string& path) {
  tern::Bundle bundle = tern::Bundle::load(path);
  if (bundle.task().kind() != tern::train::TaskKind::binary) {
    throw tern::ValueError("[churn --bundle] expected a bundle of a two-valued target, got " + path + " of another");
  }
  return bundle;
}

ordered_json report_head(const tern::Bundle& bundle, const std::string& command) {
  return {{"format", 1},
          {"command", command},
          {"task",
           {{"target", bundle.task().target()},
            {"positive_class", bundle.task().positive()},
            {"negative_class", bundle.task().classes().at(0)}}},
          {"seed", bundle.provenance().seed},
          {"environment", ordered_json::parse(tern::environment())}};
}

void add_figures(ordered_json& report, const std::string& rows, ordered_json judged) {
  const ordered_json baselines = judged.value("baselines", ordered_json::object());
  judged.erase("baselines");
  report[rows] = std::move(judged);
  for (const auto& [name, figures] : baselines.items()) {
    report["baselines"][name == "logistic regression" ? "logistic_regression" : name][rows] = figures;
  }
}
