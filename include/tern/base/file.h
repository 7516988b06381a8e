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

/// The first bytes of a regular file, fewer where it is shorter: to tell what it is before all of it is read. Empty for
/// a pipe, or what cannot be read.
TERN_API std::string read_start(const std::string& path, std::size_t bytes);

/// A file that appears whole or not at all: written beside its target under a temporary name, flushed to disk, renamed
/// over the target, and the folder flushed. Until `commit` the old file stays; a destroyed, uncommitted AtomicFile
/// leaves nothing behind, and what a killed process left (`….tern-tmp-0`) the next write of the same path removes; a
/// lock (flock) tells it from a file that another process is writing. A replaced file's mode stays, and its owner and
/// group where the system permits.
///
/// Several files that belong together: open and write them all, `prepare` them all, then `commit` one after another.
/// What may run out of room or fail on the medium has then happened before the first old file is touched, and the
/// commits only rename:
///
///     std::deque<AtomicFile> files;
///     for (const auto& [path, content] : outputs) files.emplace_back(path).write(content);
///     for (AtomicFile& file : files) file.prepare();  // throws here: every old file still stands
///     for (AtomicFile& file : files) file.commit();
class TERN_API AtomicFile {
 public:
  /// Opens the temporary file, beside what a symbolic link points to. Throws FileError when the folder does not allow
  /// it or the target is a folder, a device or a loop of links.
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends bytes. Throws FileError (a full disk, say), StateError after `prepare` or `commit`.
  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// The temporary file's path, for a library that writes by name.
  const std::string& temporary_path() const { return temporary_; }
  /// Brings all that was written to disk and closes the temporary file; a second call does nothing. Throws FileError,
  /// and then the temporary file is gone and the old one still there; StateError after `commit`.
  void prepare();
  /// Makes the file real; prepares it first where that was not done. Throws FileError: when preparing or the renaming
  /// failed the old file is still there; when only flushing the folder failed ("flush the folder of" in the message)
  /// the new file is there, but a power cut may bring the old one back. Throws StateError when called again.
  void commit();

 private:
  void discard();

  std::string path_, temporary_;
  int descriptor_ = -1;
  int lock_ = -1;       ///< the same file, open until it has its name
  bool ended_ = false;  ///< committed, or given up after a failure
  bool replaces_ = false;
  std::uint32_t mode_ = 0, owner_ = 0, group_ = 0;  ///< of the file that it replaces
};

/// Holds the advisory lock (flock) of a file's folder while it lives, so that reading, changing and replacing the file
/// is one step for all who take it.
class TERN_API FolderLock {
 public:
  /// Waits for the lock of the folder of `path`; of a symbolic link, the folder that an AtomicFile of the same path
  /// writes into. Throws FileError.
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
