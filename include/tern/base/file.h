#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tern/base/export.h"

namespace tern {

/// Reads a whole file. Throws FileError when it cannot, or when it is larger than `max_bytes`.
TERN_API std::string read_file(const std::string& path, std::uint64_t max_bytes = std::uint64_t{1} << 40);

/// A file that appears whole or not at all: written beside its target under a temporary name, flushed to disk, renamed
/// over the target, and the folder flushed. Until `commit` returns the old file stays; a destroyed, uncommitted
/// AtomicFile leaves nothing behind.
class TERN_API AtomicFile {
 public:
  /// Opens the temporary file, beside what a symbolic link points to. Throws FileError when the folder does not allow
  /// it or the target is a folder or a device.
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends bytes. Throws FileError (a full disk, say).
  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// The temporary file's path, for a library that writes by name.
  const std::string& temporary_path() const { return temporary_; }
  /// Makes the file real. Throws FileError, and then the old file is still there.
  void commit();

 private:
  std::string path_, temporary_;
  int descriptor_ = -1;
};

/// Holds the advisory lock (flock) of a file's folder while it lives, so that reading, changing and replacing the file
/// is one step for all who take it.
class TERN_API FolderLock {
 public:
  /// Waits for the lock of the folder of `path`. Throws FileError.
  explicit FolderLock(const std::string& path);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// Writes a whole file atomically. Throws FileError.
TERN_API void write_file(const std::string& path, std::string_view content);

/// SHA-256 (FIPS 180-4) of some bytes as 64 lower-case hexadecimal digits.
TERN_API std::string sha256(std::string_view bytes);

/// SHA-256 of a file's bytes as they lie on disk. Throws FileError.
TERN_API std::string sha256_file(const std::string& path);

}  // namespace tern
