#include "bundle/archive.h"

#include <zip.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>

#include "bundle/manifest.h"
#include "tern/base/error.h"
#include "tern/base/file.h"

namespace tern::internal {
namespace {

constexpr std::uint64_t align = 64;
constexpr std::uint64_t local_header = 30, end_record = 22;
// "Android ZIP alignment extra field": two bytes of alignment, then zeros. Other tools skip it.
constexpr std::uint16_t alignment_field = 0xD935;
constexpr std::uint64_t alignment_field_bytes = 4 + 2;

[[noreturn]] void fail(const std::string& expected, const std::string& got) {
  throw FormatError("[bundle] expected " + expected + ", got " + got);
}

std::string shown(std::string_view name) {
  std::string text = "\"";
  for (const char c : name.substr(0, 80)) text += c >= ' ' && c <= '~' ? c : '?';
  return text + (name.size() > 80 ? "…\"" : "\"");
}

struct ErrorText {
  zip_error_t error;
  ErrorText() { zip_error_init(&error); }
  ~ErrorText() { zip_error_fini(&error); }
  ErrorText(const ErrorText&) = delete;
  ErrorText& operator=(const ErrorText&) = delete;
  std::string text() { return zip_error_strerror(&error); }
};

struct SourceRelease {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
struct ArchiveDiscard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct FileClose {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Source = std::unique_ptr<zip_source_t, SourceRelease>;
using Archive = std::unique_ptr<zip_t, ArchiveDiscard>;
using File = std::unique_ptr<zip_file_t, FileClose>;

bool is_aligned_kind(std::string_view name) { return name.ends_with(".safetensors"); }

// Bytes of the extra field that let the data of an entry begin at a multiple of 64.
std::uint64_t padding(std::uint64_t header_at, const std::string& name) {
  const std::uint64_t data_at = header_at + local_header + name.size();
  std::uint64_t pad = (align - data_at % align) % align;
  if (pad > 0 && pad < alignment_field_bytes) pad += align;
  return pad;
}

void check(bool done, zip_t* archive, const char* what) {
  if (!done) throw Error("[bundle] expected libzip to " + std::string(what) + ", got: " + zip_strerror(archive));
}

void add_entry(zip_t* archive, const ArchiveEntry& entry, std::uint64_t& offset) {
  Source source(zip_source_buffer(archive, entry.bytes.data(), entry.bytes.size(), 0));
  check(source != nullptr, archive, "take an entry");
  const zip_int64_t added = zip_file_add(archive, entry.name.c_str(), source.get(), ZIP_FL_ENC_UTF_8);
  check(added >= 0, archive, "add an entry");
  (void)source.release();  // the archive owns it now
  const auto index = static_cast<zip_uint64_t>(added);
  constexpr zip_uint16_t day = 0x0021;  // 1980-01-01, the first that a zip can say
  check(zip_set_file_compression(archive, index, ZIP_CM_STORE, 0) == 0 &&
            zip_file_set_dostime(archive, index, 0, day, 0) == 0 &&
            zip_file_set_external_attributes(archive, index, 0, ZIP_OPSYS_UNIX, 0100644u << 16) == 0,
        archive, "describe an entry");
  const std::uint64_t pad = is_aligned_kind(entry.name) ? padding(offset, entry.name) : 0;
  if (pad > 0) {
    std::string field(pad - 4, '\0');
    field[0] = static_cast<char>(align);
    check(zip_file_extra_field_set(archive, index, alignment_field, ZIP_EXTRA_FIELD_NEW,
                                   reinterpret_cast<const zip_uint8_t*>(field.data()),
                                   static_cast<zip_uint16_t>(field.size()), ZIP_FL_LOCAL) == 0,
          archive, "align an entry");
  }
  offset += local_header + entry.name.size() + pad + entry.bytes.size();
}

std::uint32_t little(std::string_view bytes, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int i = 0; i < count; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)])) << (8 * i);
  }
  return value;
}

// The end record, which says how many entries there are and where their directory lies; libzip allocates by it.
void check_end_record(std::string_view bytes) {
  if (bytes.size() < end_record || bytes.size() > max_archive_bytes) {
    fail("a zip of " + std::to_string(end_record) + " bytes to 4 GiB", std::to_string(bytes.size()) + " bytes");
  }
  if (!bytes.starts_with("PK")) fail("a bundle, which is a zip", "another kind of file");
  const std::string_view end = bytes.substr(bytes.size() - end_record);
  if (!end.starts_with(std::string_view("PK\5\6", 4)) || little(end, 20, 2) != 0) {
    fail("a zip that ends with its end record and no comment", "a truncated one, or one with more");
  }
  const std::uint32_t here = little(end, 8, 2), total = little(end, 10, 2);
  constexpr std::size_t most = std::size(entry_kinds) + 1;  // and the entry of the folder "provenance/"
  if (little(end, 4, 4) != 0 || here != total || total > most) {
    fail("one zip with at most " + std::to_string(most) + " entries", std::to_string(total) + " entries");
  }
  const std::uint64_t size = little(end, 12, 4), at = little(end, 16, 4);
  if (at + size + end_record != bytes.size()) fail("the zip's directory right before its end record", "it elsewhere");
}

std::string read_entry(zip_t* archive, zip_uint64_t index, const zip_stat_t& stat) {
  const File file(zip_fopen_index(archive, index, 0));
  if (!file) fail("entry " + shown(stat.name) + " to be readable", zip_strerror(archive));
  std::string bytes(stat.size, '\0');
  std::size_t at = 0;
  for (;;) {
    char extra = 0;  // the read that finds the end also compares the CRC-32
    const bool full = at == bytes.size();
    const zip_int64_t got = zip_fread(file.get(), full ? &extra : bytes.data() + at, full ? 1 : bytes.size() - at);
    if (got < 0) fail("entry " + shown(stat.name) + " undamaged", zip_file_strerror(file.get()));
    if (got == 0) break;
    if (full) fail("entry " + shown(stat.name) + " of " + std::to_string(stat.size) + " bytes", "more");
    at += static_cast<std::size_t>(got);
  }
  if (at != bytes.size()) {
    fail("entry " + shown(stat.name) + " of " + std::to_string(stat.size) + " bytes", std::to_string(at));
  }
  return bytes;
}

}  // namespace

const EntryKind* entry_kind(std::string_view name) {
  const auto* found = std::find_if(std::begin(entry_kinds), std::end(entry_kinds),
                                   [&](const EntryKind& kind) { return kind.name == name; });
  return found == std::end(entry_kinds) ? nullptr : found;
}

void write_archive(const std::vector<ArchiveEntry>& entries,
                   const std::function<void(const char*, std::size_t)>& sink) {
  constexpr std::uint64_t header_bytes = 512;  // more than any entry's headers and padding take
  std::uint64_t total = end_record;
  for (const ArchiveEntry& entry : entries) total += entry.bytes.size() + header_bytes;
  if (total > max_archive_bytes) {
    throw ValueError("[bundle] expected a bundle below 4 GiB, got " + std::to_string(total) + " bytes");
  }
  ErrorText error;
  const Source memory(zip_source_buffer_create(nullptr, 0, 0, &error.error));
  if (!memory) throw Error("[bundle] expected libzip to make a buffer, got: " + error.text());
  zip_source_keep(memory.get());  // opening takes one reference, reading back needs another
  Archive archive(zip_open_from_source(memory.get(), ZIP_TRUNCATE, &error.error));
  if (!archive) {
    zip_source_free(memory.get());
    throw Error("[bundle] expected libzip to make an archive, got: " + error.text());
  }
  std::uint64_t offset = 0;
  for (const ArchiveEntry& entry : entries) add_entry(archive.get(), entry, offset);
  check(zip_close(archive.get()) == 0, archive.get(), "write the archive");
  (void)archive.release();  // closed

  if (zip_source_open(memory.get()) != 0) throw Error("[bundle] expected libzip to give its buffer, got an error");
  struct Closer {
    zip_source_t* source;
    ~Closer() { zip_source_close(source); }
  } const closer{memory.get()};
  std::string piece(std::size_t{1} << 16, '\0');
  for (;;) {
    const zip_int64_t got = zip_source_read(memory.get(), piece.data(), piece.size());
    if (got < 0) throw Error("[bundle] expected libzip to give its buffer, got an error");
    if (got == 0) return;
    sink(piece.data(), static_cast<std::size_t>(got));
  }
}

Entries read_archive(std::string_view bytes) {
  check_end_record(bytes);
  ErrorText error;
  Source source(zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error.error));
  if (!source) throw MemoryError("[bundle] expected memory for reading, got: " + error.text());
  const Archive archive(zip_open_from_source(source.get(), ZIP_RDONLY | ZIP_CHECKCONS, &error.error));
  if (!archive) fail("a consistent zip", error.text());
  (void)source.release();  // the archive owns it now

  Entries entries;
  std::uint64_t total = 0;
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(archive.get(), index, ZIP_FL_ENC_RAW, &stat) != 0) fail("entries", zip_strerror(archive.get()));
    constexpr zip_uint64_t needed =
        ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if ((stat.valid & needed) != needed) fail("entries with name, size and method", "one without");
    const std::string_view name = stat.name;
    if (name == "provenance/" && stat.size == 0) continue;  // as tools add when they zip the folder again
    const EntryKind* kind = entry_kind(name);
    if (!kind) fail("an entry that a bundle has", shown(name));
    if (entries.contains(std::string(name))) fail("each entry once", shown(name) + " again");
    if (stat.encryption_method != ZIP_EM_NONE) fail("entry " + shown(name) + " without encryption", "an encrypted one");
    if (stat.comp_method != ZIP_CM_STORE || stat.comp_size != stat.size) {
      fail("entry " + shown(name) + " to be stored (zip -0)", "compression method " + std::to_string(stat.comp_method));
    }
    total += stat.size;
    if (stat.size > kind->max_bytes) {
      fail("entry " + shown(name) + " of at most " + std::to_string(kind->max_bytes) + " bytes",
           std::to_string(stat.size));
    }
    if (total > bytes.size()) {  // each fits, but one lies within another
      fail("entries together within the file's " + std::to_string(bytes.size()) + " bytes", std::to_string(total));
    }
    entries.emplace(name, read_entry(archive.get(), index, stat));
  }
  return entries;
}

Entries read_folder(const std::string& path) {
  const std::filesystem::path folder(path);
  Entries entries;
  const auto read = [&](const std::string& name, std::uint64_t size) {
    entries.emplace(name, read_file((folder / name).string(), size));
  };
  read("bundle.json", entry_kind("bundle.json")->max_bytes);
  for (const ManifestEntry& entry : parse_manifest(entries.at("bundle.json")).entries) {
    std::error_code error;
    if (std::filesystem::exists(folder / entry.name, error) &&
        !std::filesystem::is_regular_file(folder / entry.name, error)) {
      fail("entry " + shown(entry.name) + " as a file", "a folder, device or pipe");
    }
    const std::uint64_t size = std::filesystem::file_size(folder / entry.name, error);
    if (!error && size != entry.size) {
      fail("entry " + shown(entry.name) + " of " + std::to_string(entry.size) + " bytes", std::to_string(size));
    }
    read(entry.name, entry.size);
  }
  return entries;
}

}  // namespace tern::internal
