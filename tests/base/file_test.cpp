#include "tern/base/file.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "tern/base/error.h"

namespace tern {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("tern-files-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string at(const char* name) const { return (folder_ / name).string(); }
  fs::path folder_;
};

TEST_F(Files, WriteThenRead) {
  write_file(at("a"), "hello");
  EXPECT_EQ(read_file(at("a")), "hello");
  write_file(at("a"), "");
  EXPECT_EQ(read_file(at("a")), "");
}

TEST_F(Files, UncommittedLeavesNothingAndKeepsTheOld) {
  write_file(at("a"), "old");
  {
    AtomicFile file(at("a"));
    file.write("half");
  }
  EXPECT_EQ(read_file(at("a")), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator{}), 1);
}

TEST_F(Files, LeftoversOfAKilledProcessDoNotStandInTheWay) {
  write_file(at("a"), "old");  // so that the counter in the names is known to have moved
  for (int n = 0; n < 50; ++n)
    write_file(at("a") + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(n), "x");
  for (int n = 0; n < 60; ++n) write_file(at("a"), "new");
  EXPECT_EQ(read_file(at("a")), "new");
}

TEST_F(Files, LinksAreWrittenThroughAndDevicesRefused) {
  write_file(at("target"), "old");
  fs::create_symlink(at("target"), at("link"));
  write_file(at("link"), "new");
  EXPECT_TRUE(fs::is_symlink(at("link")));
  EXPECT_EQ(read_file(at("target")), "new");
  EXPECT_THROW(write_file("/dev/null", "x"), FileError);
  EXPECT_THROW(write_file(folder_.string(), "x"), FileError);
}

TEST_F(Files, ErrorsNameThePath) {
  try {
    read_file(at("absent"));
    FAIL() << "nothing was thrown";
  } catch (const FileError& error) {
    EXPECT_EQ(error.code(), ENOENT);
    EXPECT_EQ(error.path(), at("absent"));
    EXPECT_NE(std::string(error.what()).find(at("absent")), std::string::npos);
  }
  EXPECT_THROW(read_file(folder_.string()), FileError);
  EXPECT_THROW(AtomicFile(at("no/such/folder")), FileError);
  write_file(at("big"), std::string(100, 'x'));
  EXPECT_THROW(read_file(at("big"), 99), FileError);
  EXPECT_EQ(read_file(at("big"), 100).size(), 100u);
}

TEST_F(Files, Sha256KnownAnswers) {  // FIPS 180-4 examples
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  write_file(at("abc"), "abc");
  EXPECT_EQ(sha256_file(at("abc")), sha256("abc"));
}

TEST(DataErrorText, NamesWhatIsKnown) {
  EXPECT_STREQ(DataError("read_csv", "bad number", {"f.csv", 3, 5, "age"}).what(),
               "[read_csv] f.csv: row 3 (line 5), column \"age\": bad number");
  EXPECT_STREQ(DataError("read_csv", "empty", {.file = "f.csv"}).what(), "[read_csv] f.csv: empty");
}

}  // namespace
}  // namespace tern
