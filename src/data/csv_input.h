#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tern::data::internal {

/// A file's text, decompressed when it starts with gzip's magic bytes (RFC 1952; several members are one text). Throws
/// FileError when the file cannot be read, DataError when a gzip file is truncated or damaged, or when the text is
/// longer than `max_bytes`.
std::string read_text(const std::string& path, std::int64_t max_bytes);

/// A text as one gzip member, the same bytes for the same text. Throws MemoryError.
std::string gzip(std::string_view text);

}  // namespace tern::data::internal
