// A library to preload that makes one file operation fail, or kills the process there. Counted are open for writing,
// write, fsync, close and rename of files whose path holds TERN_FAULT_PATH (its folder too, when it is flushed).
// TERN_FAULT_AT: number of the operation, from 1; 0: none. TERN_FAULT_KIND: "ENOSPC", "EIO", or "kill".
// TERN_FAULT_COUNT: a file that gets a byte for each operation. TERN_FAULT_ONLY: "write": only these are counted.

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

template <class F>
F next(F, const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

bool watched[1024];
long counted = 0;

bool is_watched(const char* path) {
  const char* part = std::getenv("TERN_FAULT_PATH");
  return part != nullptr && path != nullptr && std::strstr(path, part) != nullptr;
}

bool is_watched(int descriptor) { return descriptor >= 0 && descriptor < 1024 && watched[descriptor]; }

bool kills() {
  const char* kind = std::getenv("TERN_FAULT_KIND");
  return kind != nullptr && std::strcmp(kind, "kill") == 0;
}

// Whether the operation that is about to happen is the one to fail.
bool fails_here(const char* operation) {
  if (const char* only = std::getenv("TERN_FAULT_ONLY"); only != nullptr && std::strcmp(only, operation) != 0) {
    return false;
  }
  ++counted;
  if (const char* file = std::getenv("TERN_FAULT_COUNT")) {
    const int out = next(&::open, "open")(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (out >= 0) {
      if (next(&::write, "write")(out, ".", 1) != 1) std::abort();
      next(&::close, "close")(out);
    }
  }
  const char* at = std::getenv("TERN_FAULT_AT");
  return at != nullptr && std::atol(at) == counted;
}

int fail() {
  if (kills()) {
    raise(SIGKILL);
  }
  errno = std::strcmp(std::getenv("TERN_FAULT_KIND"), "EIO") == 0 ? EIO : ENOSPC;
  return -1;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int mode = (flags & O_CREAT) != 0 ? va_arg(rest, int) : 0;
  va_end(rest);
  const bool watch = is_watched(path) && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_DIRECTORY) != 0);
  if (watch && fails_here("open")) return fail();
  const int descriptor = next(&::open, "open")(path, flags, mode);
  if (descriptor >= 0 && descriptor < 1024) watched[descriptor] = watch;
  return descriptor;
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int mode = (flags & O_CREAT) != 0 ? va_arg(rest, int) : 0;
  va_end(rest);
  return open(path, flags, mode);
}

ssize_t write(int descriptor, const void* data, size_t size) {
  const auto real = next(&::write, "write");
  if (is_watched(descriptor) && fails_here("write")) {
    if (real(descriptor, data, size / 2) < 0) std::abort();  // half of it reaches the file
    return fail();
  }
  return real(descriptor, data, size);
}

int fsync(int descriptor) {
  if (is_watched(descriptor) && fails_here("fsync")) return fail();
  return next(&::fsync, "fsync")(descriptor);
}

int close(int descriptor) {
  const bool fails = is_watched(descriptor) && fails_here("close");
  if (fails && kills()) return fail();
  if (descriptor >= 0 && descriptor < 1024) watched[descriptor] = false;
  const int result = next(&::close, "close")(descriptor);
  return fails ? fail() : result;
}

int rename(const char* from, const char* to) {
  if (is_watched(to) && fails_here("rename")) return fail();
  return next(&::rename, "rename")(from, to);
}

}  // extern "C"
