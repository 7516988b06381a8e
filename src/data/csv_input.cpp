#include "data/csv_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/parallel.h"

namespace tern::data::internal {
namespace {

constexpr std::size_t piece_bytes = std::size_t{1} << 20;

// What is read, by whom, and how much of it at most.
struct Source {
  const char* where;
  const std::string& path;
  std::int64_t max_bytes;
};

[[noreturn]] void fail(const Source& source, const char* what, int code) {
  throw FileError("[" + std::string(source.where) + "] cannot " + std::string(what) + " " + source.path + ": " +
                      std::strerror(code),
                  source.path, code);
}

[[noreturn]] void fail_data(const Source& source, const std::string& message) {
  DataLocation location;
  location.file = source.path;
  throw DataError(source.where, message, std::move(location));
}

void check_size(const Source& source, std::size_t size) {
  if (size > static_cast<std::uint64_t>(source.max_bytes)) {
    fail_data(source, "expected at most " + std::to_string(source.max_bytes) + " bytes of content, got more");
  }
}

class File {
 public:
  explicit File(const Source& source)
      : source_(source), descriptor_(::open(source.path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) fail(source_, "open", errno);
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // 0 when it is not known, as of a pipe.
  std::size_t size() const {
    struct stat info {};
    if (::fstat(descriptor_, &info) != 0) fail(source_, "read", errno);
    if (S_ISDIR(info.st_mode)) fail(source_, "read", EISDIR);
    return S_ISREG(info.st_mode) ? static_cast<std::size_t>(info.st_size) : 0;
  }
  std::size_t read(char* buffer, std::size_t size) const {
    for (;;) {
      const ssize_t got = ::read(descriptor_, buffer, size);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) fail(source_, "read", errno);
    }
  }

 private:
  const Source& source_;
  int descriptor_;
};

class Inflater {
 public:
  explicit Inflater(const Source& source) : source_(source) {
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) out_of_memory();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void add(char* data, std::size_t size, std::string& text) {
    stream_.next_in = reinterpret_cast<Bytef*>(data);
    stream_.avail_in = static_cast<uInt>(size);
    while (stream_.avail_in > 0) {
      if (ended_) {  // another member, or the zeros that some tools pad with
        if (*stream_.next_in == 0) {
          padding_ = true;
          ++stream_.next_in;
          --stream_.avail_in;
          continue;
        }
        if (padding_ || inflateReset(&stream_) != Z_OK) damaged();
        ended_ = false;
      }
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.get());
      stream_.avail_out = static_cast<uInt>(piece_bytes);
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_MEM_ERROR) out_of_memory();
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) damaged();
      const std::size_t made = piece_bytes - stream_.avail_out;
      check_size(source_, text.size() + made);
      text.append(buffer_.get(), made);
      ended_ = status == Z_STREAM_END;
    }
  }
  // zlib may hold back output that did not fit the last piece.
  void finish(std::string& text) {
    while (!ended_) {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.get());
      stream_.avail_out = static_cast<uInt>(piece_bytes);
      const int status = inflate(&stream_, Z_NO_FLUSH);
      const std::size_t made = piece_bytes - stream_.avail_out;
      if (status != Z_STREAM_END && made == 0) fail_data(source_, "expected a whole gzip file, got a truncated one");
      check_size(source_, text.size() + made);
      text.append(buffer_.get(), made);
      ended_ = status == Z_STREAM_END;
    }
  }

 private:
  [[noreturn]] void out_of_memory() const {
    throw MemoryError("[" + std::string(source_.where) + "] expected memory to unpack " + source_.path + ", got none");
  }
  [[noreturn]] void damaged() const { fail_data(source_, "expected a whole gzip file, got a damaged one"); }

  const Source& source_;
  z_stream stream_{};
  bool ended_ = false, padding_ = false;
  std::unique_ptr<char[]> buffer_ = std::make_unique<char[]>(piece_bytes);
};

}  // namespace

std::string read_text(const char* where, const std::string& path, std::int64_t max_bytes, std::string* hash) {
  const Source source{where, path, max_bytes};
  const File file(source);
  const std::size_t size = file.size();
  const auto buffer = std::make_unique<char[]>(piece_bytes);
  std::size_t got = 0;
  while (got < 2) {  // the magic bytes, even when a pipe gives one byte at a time
    const std::size_t more = file.read(buffer.get() + got, piece_bytes - got);
    if (more == 0) break;
    got += more;
  }
  std::string text;
  if (got >= 2 && buffer[0] == '\x1f' && buffer[1] == '\x8b') {
    Inflater inflater(source);
    std::string packed;  // kept for the hash alone
    for (; got > 0; got = file.read(buffer.get(), piece_bytes)) {
      if (hash) packed.append(buffer.get(), got);
      inflater.add(buffer.get(), got, text);
    }
    inflater.finish(text);
    if (hash) *hash = sha256(packed);
    return text;
  }
  check_size(source, size);
  text.reserve(size);
  for (; got > 0; got = file.read(buffer.get(), piece_bytes)) {
    check_size(source, text.size() + got);
    text.append(buffer.get(), got);
  }
  if (hash) *hash = sha256(text);
  return text;
}

namespace {

constexpr std::uint64_t kOdd = 0x9FB21C651E98DF25u;

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 32)) * kOdd;
  return x ^ (x >> 29);
}

// Eight lanes, so that the multiplier never waits: a few bytes a cycle, well above the speed of reading.
std::uint64_t hash_block(const char* p, std::size_t size) {
  constexpr std::size_t lanes = 8, stride = 8 * lanes;
  std::uint64_t lane[lanes];
  for (std::size_t j = 0; j < lanes; ++j) lane[j] = kOdd * (j + 1);
  const auto add = [&lane](const char* from) {
    for (std::size_t j = 0; j < lanes; ++j) {
      std::uint64_t word = 0;
      std::memcpy(&word, from + 8 * j, 8);
      lane[j] = std::rotl(lane[j] ^ word, 29) * kOdd;
    }
  };
  std::uint64_t hash = size;
  for (; size >= stride; p += stride, size -= stride) add(p);
  if (size > 0) {
    char rest[stride] = {};
    std::memcpy(rest, p, size);
    add(rest);
  }
  for (const std::uint64_t one : lane) hash = mixed(hash ^ one);
  return hash;
}

}  // namespace

TextIdentity identify(std::string_view text) {
  constexpr std::size_t block = std::size_t{1} << 18;
  const std::size_t blocks = (text.size() + block - 1) / block;
  std::vector<TextIdentity> parts(blocks);
  parallel_for(static_cast<std::int64_t>(blocks), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      const std::size_t at = static_cast<std::size_t>(b) * block;
      const std::string_view part = text.substr(at, block);
      TextIdentity& found = parts[static_cast<std::size_t>(b)];
      const std::size_t zero = part.find('\0');
      if (zero != std::string_view::npos) found.zero_at = at + zero;
      found.hash = hash_block(part.data(), part.size());
    }
  });
  TextIdentity whole{.hash = text.size()};
  for (const TextIdentity& part : parts) {
    whole.hash = mixed(whole.hash ^ part.hash);
    whole.zero_at = std::min(whole.zero_at, part.zero_at);
  }
  if (whole.hash == 0) whole.hash = 1;
  return whole;
}

struct Gzip::State {
  z_stream stream{};
  std::unique_ptr<char[]> buffer = std::make_unique<char[]>(piece_bytes);
};

Gzip::Gzip() : state_(std::make_unique<State>()) {
  if (deflateInit2(&state_->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw MemoryError("[write_csv] cannot start zlib");
  }
}

Gzip::~Gzip() { deflateEnd(&state_->stream); }

std::string_view Gzip::run(std::string_view text, bool last) {
  z_stream& stream = state_->stream;
  packed_.clear();
  do {
    const std::size_t part = std::min(text.size(), piece_bytes);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(part);
    text.remove_prefix(part);
    do {
      stream.next_out = reinterpret_cast<Bytef*>(state_->buffer.get());
      stream.avail_out = static_cast<uInt>(piece_bytes);
      deflate(&stream, last && text.empty() ? Z_FINISH : Z_NO_FLUSH);
      packed_.append(state_->buffer.get(), piece_bytes - stream.avail_out);
    } while (stream.avail_out == 0);
  } while (!text.empty());
  return packed_;
}

}  // namespace tern::data::internal
