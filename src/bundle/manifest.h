#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/archive.h"
#include "tern/base/export.h"

// bundle.json: what the other entries are, by size and SHA-256.
namespace tern::internal {

struct ManifestEntry {
  std::string name{};
  std::uint64_t size = 0;
  std::string sha256{};
};

struct Manifest {
  std::string tern{};     ///< version that wrote the file
  std::string created{};  ///< UTC
  std::vector<ManifestEntry> entries{};
};

/// The manifest of some entries.
TERN_API std::string manifest_of(const std::vector<ArchiveEntry>& entries, const std::string& created);

/// Reads a manifest: names of format 1, each once, sizes within their bounds. Throws FormatError.
TERN_API Manifest parse_manifest(std::string_view text);

/// Throws FormatError naming the first entry that is missing, not listed, or of another size or SHA-256.
Manifest check_manifest(const Entries& entries);

/// Whether `text` is a time as 2025-01-31T12:00:00Z.
bool is_utc_time(std::string_view text);
/// Now in that form.
std::string utc_now();

}  // namespace tern::internal
