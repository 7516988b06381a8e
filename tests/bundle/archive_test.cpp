#include "bundle/archive.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "bundle/manifest.h"
#include "tern/base/error.h"

namespace tern::internal {
namespace {

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffu;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) ? 0xEDB88320u : 0);
  }
  return ~crc;
}

// An entry as a hostile writer might put it.
struct Raw {
  std::string name;
  std::string bytes = "{}";
  std::uint16_t method = 0, flags = 0;
  std::uint32_t declared = 0xffffffffu;  // size; 0xffffffff: the true one
  std::int64_t at = -1;                  // where it stands already; -1: it is written
};

void put(std::string& out, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i) out += static_cast<char>(value >> (8 * i) & 255);
}

// What the local header and the directory say alike of an entry.
std::string common_of(const Raw& entry) {
  const std::uint32_t size =
      entry.declared == 0xffffffffu ? static_cast<std::uint32_t>(entry.bytes.size()) : entry.declared;
  std::string common;
  put(common, 20, 2);
  put(common, entry.flags, 2);
  put(common, entry.method, 2);
  put(common, 0x00210000, 4);
  put(common, crc32(entry.bytes), 4);
  put(common, size, 4);
  put(common, size, 4);
  put(common, entry.name.size(), 2);
  put(common, 0, 2);
  return common;
}

// An entry as it stands before the directory: its header and its data.
std::string local_entry(const Raw& entry) {
  return std::string("PK\3\4", 4) + common_of(entry) + entry.name + entry.bytes;
}

// A zip written by hand, so that it can break rules which libzip keeps.
std::string raw_zip(const std::vector<Raw>& entries, std::uint32_t declared_entries = 0xffffffffu) {
  std::string out, directory;
  for (const Raw& entry : entries) {
    const auto offset = entry.at < 0 ? out.size() : static_cast<std::size_t>(entry.at);
    if (entry.at < 0) out += local_entry(entry);
    directory += std::string("PK\1\2", 4);
    put(directory, 20, 2);
    directory += common_of(entry);
    put(directory, 0, 8);
    put(directory, 0, 2);
    put(directory, offset, 4);
    directory += entry.name;
  }
  const std::uint32_t at = static_cast<std::uint32_t>(out.size());
  const std::uint32_t count =
      declared_entries == 0xffffffffu ? static_cast<std::uint32_t>(entries.size()) : declared_entries;
  out += directory + std::string("PK\5\6", 4);
  put(out, 0, 4);
  put(out, count, 2);
  put(out, count, 2);
  put(out, directory.size(), 4);
  put(out, at, 4);
  put(out, 0, 2);
  return out;
}

std::string packed(const std::vector<ArchiveEntry>& entries) {
  std::string bytes;
  write_archive(entries, [&](const char* data, std::size_t size) { bytes.append(data, size); });
  return bytes;
}

const std::vector<ArchiveEntry>& sample() {
  static const std::vector<ArchiveEntry> entries{{"bundle.json", "{\"format\": 1}"},
                                                 {"weights.safetensors", std::string(200, 'w')},
                                                 {"model.json", "{}"},
                                                 {"provenance/settings.json", "{\"seed\": 7}"},
                                                 {"splits.safetensors", std::string(64, 's')},
                                                 {"ledger.jsonl", ""}};
  return entries;
}

// Where an entry's data begins, by the local headers.
std::size_t data_offset(const std::string& zip, const std::string& name) {
  const std::size_t at = zip.find(name);  // the local header comes before the directory
  const auto extra = static_cast<unsigned char>(zip[at - 2]) + 256 * static_cast<unsigned char>(zip[at - 1]);
  return at + name.size() + static_cast<std::size_t>(extra);
}

void expect_refused(const std::string& zip, const std::string& words) {
  try {
    read_archive(zip);
    ADD_FAILURE() << "read a zip that should be refused for: " << words;
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(Archive, GivesBackItsEntries) {
  const Entries entries = read_archive(packed(sample()));
  ASSERT_EQ(entries.size(), sample().size());
  for (const ArchiveEntry& entry : sample()) EXPECT_EQ(entries.at(entry.name), entry.bytes);
}

TEST(Archive, IsTheSameBytesEachTime) { EXPECT_EQ(packed(sample()), packed(sample())); }

TEST(Archive, AlignsTensorsFor64Bytes) {
  for (std::size_t before = 0; before < 130; ++before) {
    const std::string zip = packed(
        {{"bundle.json", std::string(before, 'x')}, {"weights.safetensors", "WEIGHTS"}, {"splits.safetensors", "S"}});
    const std::size_t at = data_offset(zip, "weights.safetensors");
    ASSERT_EQ(zip.substr(at, 7), "WEIGHTS");
    ASSERT_EQ(at % 64, 0u) << before;
    ASSERT_EQ(data_offset(zip, "splits.safetensors") % 64, 0u) << before;
  }
}

TEST(Archive, RefusesEveryTruncation) {
  const std::string zip = packed(sample());
  for (std::size_t size = 0; size < zip.size(); ++size) {
    EXPECT_THROW(read_archive(std::string_view(zip).substr(0, size)), FormatError) << size;
  }
  expect_refused("id,age,left\n" + std::string(100, '1'), "expected a bundle");
}

TEST(Archive, EveryFlippedByteIsRefusedOrChangesNothing) {
  const std::string zip = packed(sample());
  const Entries entries = read_archive(zip);
  int refused = 0;
  for (std::size_t at = 0; at < zip.size(); ++at) {
    for (const int bits : {0x01, 0x80, 0xff}) {
      std::string flipped = zip;
      flipped[at] = static_cast<char>(flipped[at] ^ bits);
      try {
        EXPECT_EQ(read_archive(flipped), entries) << "byte " << at;
      } catch (const FormatError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, static_cast<int>(zip.size()));
}

TEST(Archive, ReadsPlainStoredZips) {
  const Entries entries = read_archive(raw_zip({{"bundle.json"}, {"provenance/", ""}, {"provenance/settings.json"}}));
  EXPECT_EQ(entries, (Entries{{"bundle.json", "{}"}, {"provenance/settings.json", "{}"}}));
}

TEST(Archive, RefusesNamesThatNoBundleHas) {
  for (const char* name : {"../bundle.json", "/bundle.json", "a/../bundle.json", "provenance\\settings.json",
                           "extra.txt", "", "BUNDLE.JSON", "bundle.json/"}) {
    expect_refused(raw_zip({{"bundle.json"}, {name}}), std::string("\"") + name + "\"");
  }
  expect_refused(raw_zip({{"provenance/", "x"}}), "\"provenance/\"");
}

TEST(Archive, RefusesRepeatsCompressionAndEncryption) {
  expect_refused(raw_zip({{"task.json"}, {"task.json"}}), "got");
  expect_refused(raw_zip({{.name = "task.json", .method = 8}}), "task.json");
  expect_refused(raw_zip({{.name = "task.json", .method = 99}}), "got");
  expect_refused(raw_zip({{.name = "task.json", .flags = 1}}), "got");  // by libzip itself since 1.11
}

TEST(Archive, RefusesSizesThatDoNotFit) {
  expect_refused(raw_zip({{.name = "task.json", .declared = 0xfffffff0u}}), "got");
  expect_refused(raw_zip({{.name = "task.json", .declared = 1}}), "got");
  expect_refused(raw_zip({{"task.json"}}, 2), "got");
  expect_refused(raw_zip({{"task.json"}}, 0xffff), "at most");
  expect_refused(raw_zip({{.name = "bundle.json", .bytes = std::string((1u << 20) + 1, ' ')}}), "bundle.json");
  expect_refused(std::string(21, 'x'), "22 bytes");
}

TEST(Archive, RefusesEntriesWithinEntries) {
  // One entry's data holds another entry whole, so that the sizes together exceed the file's.
  const Raw inner{.name = "task.json", .bytes = std::string(1000, ' ')};
  const Raw outer{.name = "weights.safetensors", .bytes = local_entry(inner)};
  Raw nested = inner;
  nested.at = 30 + static_cast<std::int64_t>(outer.name.size());
  EXPECT_EQ(read_archive(raw_zip({outer})).size(), 1u);
  const std::string zip = raw_zip({outer, nested});
  ASSERT_LT(zip.size(), inner.bytes.size() + outer.bytes.size());
  expect_refused(zip, "entries together within the file");
}

std::string manifest_with(const std::string& from, const std::string& to) {
  std::vector<ArchiveEntry> entries;
  for (const EntryKind& kind : entry_kinds) {
    const bool of_a_module = kind.name != "bundle.json" && kind.name != "estimator.json";
    if (of_a_module) entries.push_back({std::string(kind.name), "{}"});
  }
  std::string text = manifest_of(entries, "2025-01-31T12:00:00Z");
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Manifest, SaysWhatItRefuses) {
  EXPECT_NO_THROW(parse_manifest(manifest_with("2025", "2026")));
  for (const auto& [from, to, words] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"\"version\": 1", "\"version\": 3", "version 1 or 2, got 3"},
           {"\"version\": 1", "\"version\": 2", "entry \"estimator.json\""},
           {"\"version\": 1", "\"version\": 1e300", "version"},
           {"tern.bundle", "else", "tern.bundle"},
           {"12:00:00Z", "noon", "created"},
           {"model.json", "../model.json", "../model.json"},
           {"model.json", "other.json", "other.json"},
           {"model.json", "bundle.json", "bundle.json"},
           {"model.json", "task.json", "task.json"},
           {"\"size\": 2", "\"size\": 999999999999", "at most"},
           {"\"size\": 2", "\"size\": -2", "size"},
           {"\"sha256\": \"", "\"sha256\": \"A", "SHA-256"}}) {
    try {
      parse_manifest(manifest_with(from, to));
      ADD_FAILURE() << to;
    } catch (const FormatError& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace tern::internal
