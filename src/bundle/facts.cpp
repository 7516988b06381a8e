#include "bundle/facts.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/json.h"
#include "bundle/manifest.h"
#include "cpu/target.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/parallel.h"
#include "tern/nn/safetensors.h"
#include "tern/tensor/creation.h"

namespace tern::internal {
namespace {

constexpr int version = 1;

// Text that is not UTF-8 (a file's name may be any bytes) gets replacement characters.
std::string dump(const OrderedJson& json, int indent = -1) {
  return json_text(json, {.indent = indent, .replace = true});
}

std::string dump(const Json& json, int indent = -1) { return json_text(json, {.indent = indent, .replace = true}); }

void check_version(const Json& json, const std::string& what) {
  if (const auto got = json_get<std::int64_t>(json, "version", what); got != version) {
    throw FormatError("[" + what + "] expected version " + std::to_string(version) + ", got " + std::to_string(got));
  }
}

std::string object_member(const Json& json, const char* key, const std::string& what) {
  const Json& member = json_member(json, key, what);
  if (!member.is_object()) {
    throw FormatError("[" + what + "] expected \"" + key + "\" as an object, got " + member.type_name());
  }
  return dump(member);
}

const char* name_of(train::StopReason reason) {
  switch (reason) {
    case train::StopReason::max_epochs:
      return "max_epochs";
    case train::StopReason::early_stopping:
      return "early_stopping";
    case train::StopReason::max_time:
      return "max_time";
    case train::StopReason::requested:
      return "requested";
  }
  throw ValueError("[bundle] expected a stop reason, got another value");
}

// The code's own, and that of the inner loops, which are chosen when the process starts.
std::string instruction_set() {
  return std::string(kernels::cpu::compiled_for()) + ", inner loops " + kernels::cpu::name(kernels::cpu::target());
}

}  // namespace

std::string settings_json(const Provenance& provenance, const std::string& training) {
  OrderedJson json;
  json["version"] = version;
  json["input"] = {{"file", provenance.input_file}, {"sha256", provenance.input_sha256}};
  json["id"] = provenance.id;
  if (!provenance.group.empty()) json["group"] = provenance.group;
  json["seed"] = provenance.seed;
  json["settings"] = parse_json(provenance.settings, "settings");
  json["training"] = parse_json(training, "training");
  return dump(json, 2) + "\n";
}

void read_settings(std::string_view text, Provenance& provenance, std::string& training) {
  static const std::string what = "provenance/settings.json";
  const Json json = parse_json(text, what);
  check_version(json, what);
  const Json& input = json_member(json, "input", what);
  provenance.input_file = json_get<std::string>(input, "file", what);
  provenance.input_sha256 = json_get<std::string>(input, "sha256", what);
  provenance.id = json_get<std::string>(json, "id", what);
  provenance.group = json_get_or<std::string>(json, "group", "", what);
  provenance.seed = json_get<std::uint64_t>(json, "seed", what);
  provenance.settings = object_member(json, "settings", what);
  training = object_member(json, "training", what);
}

std::string splits_file(const Provenance& provenance) {
  TensorFile file;
  for (const auto& [name, rows] :
       {std::pair("train", &provenance.train_rows), std::pair("validation", &provenance.validation_rows),
        std::pair("test", &provenance.test_rows)}) {
    file.tensors.emplace_back(name, from_vector(*rows, {static_cast<std::int64_t>(rows->size())}));
  }
  return to_safetensors(file);
}

std::string splits_problem(const Provenance& provenance) {
  constexpr std::int64_t most = std::int64_t{1} << 53;  // more records than any file has
  std::unordered_map<std::int64_t, std::string_view> split_of;
  for (const auto& [name, rows] :
       {std::pair("train", &provenance.train_rows), std::pair("validation", &provenance.validation_rows),
        std::pair("test", &provenance.test_rows)}) {
    for (const std::int64_t id : *rows) {
      if (id < 0 || id >= most) {
        return std::string("expected row ids of at least 0 and below 2^53 in ") + name + ", got " + std::to_string(id);
      }
      if (provenance.input_sha256.empty()) continue;  // the rows may be those of several tables
      const std::string_view other = split_of.emplace(id, name).first->second;
      if (other != name) {
        return "expected each row of the file in one split, got row " + std::to_string(id) + " in " +
               std::string(other) + " and " + name;
      }
    }
  }
  return {};
}

void read_splits(std::string_view bytes, Provenance& provenance) {
  const TensorFile file = from_safetensors(bytes);
  if (file.tensors.size() != 3) {
    throw FormatError("[splits] expected train, validation and test, got " + std::to_string(file.tensors.size()) +
                      " tensors");
  }
  for (const auto& [name, tensor] : file.tensors) {
    std::vector<std::int64_t>* rows = name == "train"        ? &provenance.train_rows
                                      : name == "validation" ? &provenance.validation_rows
                                      : name == "test"       ? &provenance.test_rows
                                                             : nullptr;
    if (rows == nullptr || tensor.dtype() != i64 || tensor.dim() != 1) {
      throw FormatError("[splits] expected lists of row ids train, validation and test, got others");
    }
    *rows = tensor.to_vector<std::int64_t>();
  }
  if (const std::string problem = splits_problem(provenance); !problem.empty()) {
    throw FormatError("[splits] " + problem);
  }
}

std::string ledger_lines(const std::vector<LedgerEntry>& ledger) {
  std::string text;
  for (const LedgerEntry& entry : ledger) {
    text += dump(OrderedJson{{"time", entry.time},
                             {"data_hash", entry.data_hash},
                             {"split_hash", entry.split_hash},
                             {"rows", entry.rows},
                             {"test_rows", entry.test_rows}}) +
            "\n";
  }
  return text;
}

std::vector<LedgerEntry> read_ledger(std::string_view text) {
  std::vector<LedgerEntry> ledger;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string what = "ledger.jsonl, line " + std::to_string(ledger.size() + 1);
    if (end == std::string_view::npos) throw FormatError("[" + what + "] expected an end of line, got none");
    const Json json = parse_json(text.substr(0, end), what);
    text.remove_prefix(end + 1);
    LedgerEntry entry{.time = json_get<std::string>(json, "time", what),
                      .data_hash = json_get<std::string>(json, "data_hash", what),
                      .split_hash = json_get<std::string>(json, "split_hash", what),
                      .rows = json_get<std::int64_t>(json, "rows", what),
                      .test_rows = json_get<bool>(json, "test_rows", what)};
    if (!is_utc_time(entry.time) || entry.rows < 0) {
      throw FormatError("[" + what + "] expected a time as 2025-01-31T12:00:00Z and a count of rows, got others");
    }
    ledger.push_back(std::move(entry));
  }
  return ledger;
}

std::string training_json(const train::Fitted& fitted) {
  Json json;
  json["settings"] = fitted.settings.empty() ? Json::object() : parse_json(fitted.settings, "fitted.settings");
  json["epochs"] = fitted.history.size();
  json["best_epoch"] = fitted.best_epoch;
  json["stopped"] = name_of(fitted.stopped);
  json["seconds"] = fitted.seconds;
  return dump(json);
}

std::string environment_json() {
  OrderedJson json;
  json["version"] = version;
  json["tern"] = TERN_VERSION;
#ifdef __clang__
  json["compiler"] = std::string("clang ") + __clang_version__;
#else
  json["compiler"] = std::string("g++ ") + __VERSION__;
#endif
  json["build_type"] = TERN_BUILD_TYPE;
  json["instruction_set"] = instruction_set();
  json["processor"] = kernels::cpu::library_variant();
  json["threads"] = num_threads();
  return dump(json, 2) + "\n";
}

std::string row_hash(const std::vector<std::int64_t>& rows) {
  std::string text;
  for (const std::int64_t row : rows) text += std::to_string(row) + "\n";
  return sha256(text);
}

std::string checked_object(std::string_view text, const std::string& what) {
  const Json json = parse_json(text, what);
  if (!json.is_object()) throw FormatError("[" + what + "] expected an object, got " + json.type_name());
  return dump(json);
}

}  // namespace tern::internal
