#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"

// The container of a bundle: a zip whose entries are stored, or a folder with the same entries.
namespace tern::internal {

struct ArchiveEntry {
  std::string name{};
  std::string bytes{};
};

/// Entries by name.
using Entries = std::map<std::string, std::string>;

/// An entry that a format knows. Entries stand in the file in the order of `entry_kinds`.
struct EntryKind {
  std::string_view name;
  std::uint64_t max_bytes;  ///< larger ones are refused before anything is allocated
  bool required;
};

inline constexpr std::uint64_t max_archive_bytes = 0xffff'ffff;  // so that no tool needs zip64

inline constexpr EntryKind entry_kinds[] = {
    {"bundle.json", std::uint64_t{1} << 20, true},
    {"weights.safetensors", max_archive_bytes, false},
    {"model.json", std::uint64_t{16} << 20, false},
    {"estimator.json", max_archive_bytes, false},
    {"task.json", std::uint64_t{16} << 20, true},
    {"schema.json", std::uint64_t{64} << 20, true},
    {"pipeline.json", std::uint64_t{256} << 20, true},
    {"baselines.json", std::uint64_t{64} << 20, true},
    {"validation.json", std::uint64_t{16} << 20, true},
    {"test.json", std::uint64_t{16} << 20, false},
    {"profile.json", std::uint64_t{64} << 20, false},
    {"splits.safetensors", max_archive_bytes, true},
    {"provenance/settings.json", std::uint64_t{16} << 20, true},
    {"environment.json", std::uint64_t{1} << 20, true},
    {"ledger.jsonl", std::uint64_t{16} << 20, true},
    {"README.md", std::uint64_t{1} << 20, true},
};

/// The kind of a name, null when no format has it.
TERN_API const EntryKind* entry_kind(std::string_view name);

/// Hands the zip's bytes to `sink`, piece by piece: entries in order, stored, with fixed times; those named
/// *.safetensors begin at a multiple of 64 bytes. Throws ValueError when it would be too large.
TERN_API void write_archive(const std::vector<ArchiveEntry>& entries,
                            const std::function<void(const char* data, std::size_t size)>& sink);

/// Reads all entries of a zip, strictly: only names of `entry_kinds`, each once, stored, not encrypted, within their
/// bounds. Throws FormatError.
TERN_API Entries read_archive(std::string_view bytes);

/// Reads the entries that the folder's bundle.json lists. Throws FileError, FormatError.
Entries read_folder(const std::string& path);

}  // namespace tern::internal
