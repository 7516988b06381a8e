#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tern::data::internal {

/// A file's content, decompressed when it starts with gzip's magic bytes (RFC 1952; several members are one text).
/// Errors name `where`. Throws FileError when the file cannot be read, DataError when a gzip file is truncated or
/// damaged, or when the content is longer than `max_bytes`. The file is read once, from front to end, so that it may be
/// a pipe. `hash`, when given, becomes the SHA-256 of the bytes that were read, before decompression.
std::string read_text(const char* where, const std::string& path, std::int64_t max_bytes, std::string* hash = nullptr);

/// What tells texts apart: a hash of all bytes, and where the first zero byte is (npos: nowhere). The same at any
/// thread count. Made against accidents, not against intent.
struct TextIdentity {
  std::uint64_t hash = 0;  ///< never 0
  std::size_t zero_at = std::string_view::npos;
};
TextIdentity identify(std::string_view text);

/// Packs text as one gzip member, piece by piece; the same bytes for the same pieces. Throws MemoryError.
class Gzip {
 public:
  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  /// Bytes that are ready once `text` is taken in; `finish` gives the rest. Valid until the next call.
  std::string_view add(std::string_view text) { return run(text, false); }
  std::string_view finish() { return run({}, true); }

 private:
  struct State;
  std::string_view run(std::string_view text, bool last);

  std::unique_ptr<State> state_;
  std::string packed_;
};

}  // namespace tern::data::internal
