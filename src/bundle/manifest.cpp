#include "bundle/manifest.h"

#include <algorithm>
#include <ctime>

#include "base/json.h"
#include "tern/base/error.h"
#include "tern/base/file.h"

namespace tern::internal {
namespace {

// A bundle of an estimator is of version 2, which a Tern that knows none refuses by its number.
constexpr std::int64_t version_of(bool estimator) { return estimator ? 2 : 1; }
const std::string what = "bundle.json";

[[noreturn]] void refuse_manifest(const std::string& expected, const std::string& got) {
  throw FormatError("[bundle.json] expected " + expected + ", got " + got);
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string manifest_of(const std::vector<ArchiveEntry>& entries, const std::string& created) {
  OrderedJson json;
  json["format"] = "tern.bundle";
  json["version"] = version_of(std::any_of(entries.begin(), entries.end(),
                                           [](const ArchiveEntry& entry) { return entry.name == "estimator.json"; }));
  json["tern"] = TERN_VERSION;
  json["created"] = created;
  OrderedJson& list = json["entries"] = OrderedJson::object();
  for (const ArchiveEntry& entry : entries) {
    list[entry.name] = {{"size", entry.bytes.size()}, {"sha256", sha256(entry.bytes)}};
  }
  return json_text(json, {.indent = 2}) + "\n";
}

Manifest parse_manifest(std::string_view text) {
  const Json json = parse_json(text, what);
  if (json_get<std::string>(json, "format", what) != "tern.bundle")
    refuse_manifest("\"format\" to be \"tern.bundle\"", "another");
  const auto version = json_get<std::int64_t>(json, "version", what);
  if (version != version_of(false) && version != version_of(true)) {
    refuse_manifest("version 1 or 2", std::to_string(version) + "; another release of Tern wrote it");
  }
  Manifest manifest{.tern = json_get<std::string>(json, "tern", what),
                    .created = json_get<std::string>(json, "created", what)};
  if (!is_utc_time(manifest.created)) refuse_manifest("\"created\" as 2025-01-31T12:00:00Z", "another form");
  const Json& entries = json_member(json, "entries", what);
  if (!entries.is_object()) refuse_manifest("\"entries\" as an object", entries.type_name());
  for (const auto& [name, value] : entries.items()) {
    const EntryKind* kind = entry_kind(name);
    if (!kind || name == what) refuse_manifest("entries that a bundle has", json_text(Json(name), {.ascii = true}));
    const std::string place = std::string(what).append(": ").append(name);
    ManifestEntry entry{.name = name,
                        .size = json_get<std::uint64_t>(value, "size", place),
                        .sha256 = json_get<std::string>(value, "sha256", place)};
    if (entry.size > kind->max_bytes) {
      refuse_manifest(name + " of at most " + std::to_string(kind->max_bytes) + " bytes", std::to_string(entry.size));
    }
    if (!is_sha256(entry.sha256))
      refuse_manifest("the SHA-256 of " + name + " as 64 hexadecimal digits", "another text");
    manifest.entries.push_back(std::move(entry));
  }
  for (const EntryKind& kind : entry_kinds) {
    const bool listed = kind.name == what || entries.contains(std::string(kind.name));
    const bool module = kind.name == "model.json" || kind.name == "weights.safetensors";
    const bool estimator = kind.name == "estimator.json";
    const bool required = kind.required || (version == version_of(true) ? estimator : module);
    if (required && !listed) refuse_manifest("entry \"" + std::string(kind.name) + "\"", "none");
  }
  if (entries.contains("model.json") && entries.contains("estimator.json")) {
    refuse_manifest("a module or an estimator", "entries of both");
  }
  return manifest;
}

Manifest check_manifest(const Entries& entries) {
  const auto text = entries.find(what);
  if (text == entries.end()) throw FormatError("[bundle] expected entry \"bundle.json\", got none");
  Manifest manifest = parse_manifest(text->second);
  for (const ManifestEntry& entry : manifest.entries) {
    const auto found = entries.find(entry.name);
    if (found == entries.end()) refuse_manifest("entry \"" + entry.name + "\" as listed", "none");
    if (found->second.size() != entry.size) {
      refuse_manifest("entry \"" + entry.name + "\" of " + std::to_string(entry.size) + " bytes",
                      std::to_string(found->second.size()));
    }
    if (const std::string hash = sha256(found->second); hash != entry.sha256) {
      refuse_manifest("entry \"" + entry.name + "\" with SHA-256 " + entry.sha256, hash);
    }
  }
  if (entries.size() == manifest.entries.size() + 1) return manifest;
  for (const auto& [name, bytes] : entries) {
    const bool listed = std::any_of(manifest.entries.begin(), manifest.entries.end(),
                                    [&, &wanted = name](const ManifestEntry& entry) { return entry.name == wanted; });
    if (!listed && name != what) refuse_manifest("every entry to be listed", "\"" + name + "\" that is not");
  }
  return manifest;
}

bool is_utc_time(std::string_view text) {
  constexpr std::string_view form = "0000-00-00T00:00:00Z";
  if (text.size() != form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return false;
  }
  return true;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace tern::internal
