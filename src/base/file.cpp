#include "tern/base/file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <system_error>
#include <utility>

#include "tern/base/error.h"

namespace tern {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path, int code) {
  throw FileError("[file] cannot " + what + " " + path + ": " + std::strerror(code), path, code);
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

// Calls `take(data, size)` for each piece of the file.
template <class Take>
void read_pieces(const std::string& path, std::uint64_t max_bytes, Take take) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail("open", path, errno);
  struct stat info {};
  const bool known = ::fstat(file.get(), &info) == 0;
  if (known && S_ISDIR(info.st_mode)) fail("read", path, EISDIR);
  const auto check = [&](std::uint64_t bytes) {
    if (bytes > max_bytes) {
      throw FileError("[file] expected at most " + std::to_string(max_bytes) + " bytes, got more in " + path, path);
    }
  };
  if (known && S_ISREG(info.st_mode)) check(static_cast<std::uint64_t>(info.st_size));
  std::size_t room = std::size_t{1} << 20;
  if (known && S_ISREG(info.st_mode) && info.st_size < static_cast<off_t>(room)) {
    room = static_cast<std::size_t>(info.st_size) + 4096;  // a little more: a file of /proc says that it has no bytes
  }
  const auto buffer = std::make_unique_for_overwrite<char[]>(room);
  for (std::uint64_t bytes = 0;;) {
    const ssize_t got = ::read(file.get(), buffer.get(), room);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", path, errno);
    if (got == 0) return;
    check(bytes += static_cast<std::uint64_t>(got));
    take(buffer.get(), static_cast<std::size_t>(got));
  }
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
      throw Error("[sha256] not available");
  }
  void update(const void* data, std::size_t size) {
    if (EVP_DigestUpdate(context_.get(), data, size) != 1) throw Error("[sha256] failed");
  }
  std::string hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(context_.get(), digest, &size) != 1) throw Error("[sha256] failed");
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
      text += digits[digest[i] >> 4];
      text += digits[digest[i] & 15];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

// What the last component leads to: where the links end, even when there is no file yet.
std::string behind_links(const std::string& path) {
  constexpr int most_links = 40;  // as Linux allows
  std::filesystem::path at(path);
  std::error_code error;
  for (int links = 0; std::filesystem::is_symlink(at, error); ++links) {
    if (links == most_links) fail("follow the links of", path, ELOOP);
    const std::filesystem::path next = std::filesystem::read_symlink(at, error);
    if (error) fail("follow the links of", path, error.value());
    at = at.parent_path() / next;
  }
  return at.string();
}

int open_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// Whether a descriptor and a path are of one file.
bool is_at(int descriptor, const std::string& path) {
  struct stat opened {
  }, named{};
  return ::fstat(descriptor, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

// Removes a temporary file that nobody has locked, so whose process was killed.
bool remove_left(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  return file.get() >= 0 && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 && is_at(file.get(), path) &&
         ::unlink(path.c_str()) == 0;
}

// True unless it failed for another reason than a lack of rights.
bool permitted_or_left(int result) { return result == 0 || errno == EPERM; }

}  // namespace

std::string read_start(const std::string& path, std::size_t bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  std::string start(bytes, '\0');
  const ssize_t got = ::pread(file.get(), start.data(), bytes, 0);
  start.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return start;
}

std::string read_file(const std::string& path, std::uint64_t max_bytes) {
  std::string content;
  read_pieces(path, max_bytes, [&](const char* data, std::size_t size) { content.append(data, size); });
  return content;
}

AtomicFile::AtomicFile(const std::string& path) : path_(behind_links(path)) {
  struct stat old {};
  replaces_ = ::stat(path.c_str(), &old) == 0;  // of /dev/stdout and the like, whose links name no file, too
  if (replaces_ && !S_ISREG(old.st_mode)) {
    throw FileError("[file] expected a regular file to write, got " + path + ", a folder, device or pipe", path,
                    EINVAL);
  }
  mode_ = old.st_mode & 0777;
  owner_ = old.st_uid;
  group_ = old.st_gid;
  // Locked until it is renamed, so that what a killed process left is told from what another one writes.
  int code = EEXIST;
  for (unsigned n = 0; descriptor_ < 0 && code == EEXIST; ++n) {
    temporary_ = path_ + ".tern-tmp-" + std::to_string(n);
    do {  // nobody else's to read until it has the rights of the file that it replaces
      descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, replaces_ ? 0600 : 0666);
      code = descriptor_ < 0 ? errno : EEXIST;
    } while (descriptor_ < 0 && code == EEXIST && remove_left(temporary_));
    if (descriptor_ < 0) continue;
    const bool seized = ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (seized || !is_at(descriptor_, temporary_)) {  // another process took it for left over before it was locked
      ::close(std::exchange(descriptor_, -1));
    }
  }
  if (descriptor_ < 0) fail("create a file beside", path_, code);
  lock_ = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  if (lock_ < 0) {
    code = errno;
    discard();
    fail("create a file beside", path_, code);
  }
}

AtomicFile::~AtomicFile() {
  if (!ended_) discard();
  if (lock_ >= 0) ::close(lock_);
}

void AtomicFile::discard() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  ::unlink(temporary_.c_str());
  ended_ = true;
}

void AtomicFile::write(const void* data, std::size_t size) {
  if (descriptor_ < 0) throw StateError("[file] write after prepare or commit of " + path_);
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t put = ::write(descriptor_, at, size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("write", path_, errno);
    at += put;
    size -= static_cast<std::size_t>(put);
  }
}

void AtomicFile::prepare() {
  if (ended_) throw StateError("[file] prepare after the end of " + path_);
  if (descriptor_ < 0) return;
  const auto give_up = [&](const char* what) {
    const int code = errno;
    discard();
    fail(what, path_, code);
  };
  if (replaces_) {
    // Both, or the group alone as anyone may set one of their own groups; a file system without owners says EPERM.
    if (::fchown(descriptor_, owner_, group_) != 0 &&
        !permitted_or_left(::fchown(descriptor_, static_cast<uid_t>(-1), group_))) {
      give_up("set the owner of");
    }
    if (!permitted_or_left(::fchmod(descriptor_, mode_))) give_up("set the mode of");
  }
  if (::fsync(descriptor_) != 0) give_up("flush");
  if (::close(std::exchange(descriptor_, -1)) != 0) give_up("close");
}

void AtomicFile::commit() {
  if (ended_) throw StateError("[file] second commit of " + path_);
  prepare();
  if (!is_at(lock_, temporary_)) {  // where locks do not reach another machine, it may have been taken for left over
    ended_ = true;
    throw FileError("[file] cannot replace " + path_ + ": another process removed " + temporary_, path_);
  }
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int code = errno;
    discard();
    fail("replace", path_, code);
  }
  ended_ = true;
  const Descriptor folder(open_folder_of(path_));
  if (folder.get() < 0 || ::fsync(folder.get()) != 0) fail("flush the folder of", path_, errno);
}

FolderLock::FolderLock(const std::string& path) {
  // A folder named with a slash at its end is the same as without.
  const std::filesystem::path given(path);
  descriptor_ = open_folder_of(behind_links((given.has_filename() ? given : given.parent_path()).string()));
  if (descriptor_ < 0) fail("open the folder of", path, errno);
  while (::flock(descriptor_, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const int code = errno;
    ::close(descriptor_);
    fail("lock the folder of", path, code);
  }
}

FolderLock::~FolderLock() { ::close(descriptor_); }

void write_file(const std::string& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes.data(), bytes.size());
  return hash.hex();
}

std::string sha256_file(const std::string& path) {
  Sha256 hash;
  constexpr auto any = std::numeric_limits<std::uint64_t>::max();
  read_pieces(path, any, [&](const char* data, std::size_t size) { hash.update(data, size); });
  return hash.hex();
}

}  // namespace tern
