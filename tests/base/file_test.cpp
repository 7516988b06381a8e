#include "tern/base/file.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

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
  std::ptrdiff_t count() const { return std::distance(fs::directory_iterator(folder_), fs::directory_iterator{}); }
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
  EXPECT_EQ(count(), 1);
}

TEST_F(Files, WhatAKilledProcessLeftIsRemovedByTheNext) {
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(at("a"));
    file.write("half");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(count(), 1) << "the child left its temporary file";
  write_file(at("a"), "whole");
  EXPECT_EQ(read_file(at("a")), "whole");
  EXPECT_EQ(count(), 1);
}

TEST_F(Files, ATemporaryFileThatAnotherTookIsNotPutInPlace) {
  write_file(at("a"), "old");
  AtomicFile file(at("a"));
  file.write("new");
  file.prepare();
  fs::remove(file.temporary_path());  // as where a lock does not reach another machine
  std::ofstream(file.temporary_path()) << "half";
  EXPECT_THROW(file.commit(), FileError);
  EXPECT_EQ(read_file(at("a")), "old");
}

TEST_F(Files, SizesAreCheckedBeforeAnythingIsRead) {
  write_file(at("a"), "hello");
  fs::resize_file(at("a"), std::uintmax_t{1} << 40);  // with a hole
  EXPECT_THROW(read_file(at("a"), 1 << 20), FileError);
  EXPECT_EQ(read_start(at("a"), 3), "hel");
  EXPECT_EQ(read_start(at("none"), 3), "");
}

TEST_F(Files, WritersOfOneNameDoNotTakeEachOthersFiles) {
  AtomicFile first(at("a")), second(at("a"));
  first.write("first");
  second.write("second");
  first.prepare();  // closed, but not yet renamed
  AtomicFile third(at("a"));
  third.write("third");
  EXPECT_EQ(count(), 3);
  second.commit();
  EXPECT_EQ(read_file(at("a")), "second");
  first.commit();
  EXPECT_EQ(read_file(at("a")), "first");
  third.commit();
  EXPECT_EQ(read_file(at("a")), "third");
  EXPECT_EQ(count(), 1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) write_file(at("a"), std::string(1000, 'x'));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(read_file(at("a")).size(), 1000u);
  EXPECT_EQ(count(), 1);
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

TEST_F(Files, SeveralArePreparedBeforeTheFirstIsReplaced) {
  write_file(at("a"), "old a");
  write_file(at("b"), "old b");
  {
    std::deque<AtomicFile> files;
    for (const char* name : {"a", "b"}) files.emplace_back(at(name)).write("new");
    for (AtomicFile& file : files) file.prepare();
    files[0].prepare();
    EXPECT_THROW(files[0].write("more"), StateError);
    EXPECT_EQ(read_file(at("a")), "old a");
    EXPECT_EQ(read_file(files[0].temporary_path()), "new");
  }
  EXPECT_EQ(read_file(at("a")), "old a");
  EXPECT_EQ(count(), 2);
  AtomicFile a(at("a")), b(at("b"));
  a.write("new a");
  a.prepare();
  b.write("new b");
  b.prepare();
  a.commit();
  EXPECT_EQ(read_file(at("a")), "new a");
  EXPECT_EQ(read_file(at("b")), "old b");
  b.commit();
  EXPECT_EQ(read_file(at("b")), "new b");
  EXPECT_EQ(count(), 2);
  EXPECT_THROW(b.commit(), StateError);
  EXPECT_THROW(b.prepare(), StateError);
}

TEST_F(Files, AFailedRenameLeavesNothingBehind) {
  AtomicFile file(at("a"));
  file.write("new");
  file.prepare();
  fs::create_directories(at("a") + "/inside");
  EXPECT_THROW(file.commit(), FileError);
  EXPECT_EQ(count(), 1);
  EXPECT_THROW(file.commit(), StateError);
}

TEST_F(Files, TheReplacedFilesModeStays) {
  for (const mode_t mode : {0600, 0640, 0444, 0666}) {
    write_file(at("a"), "old");
    ASSERT_EQ(::chmod(at("a").c_str(), mode), 0);
    write_file(at("a"), "new");
    struct stat info {};
    ASSERT_EQ(::stat(at("a").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, mode);
    EXPECT_EQ(read_file(at("a")), "new");
  }
  const mode_t mask = ::umask(027);
  write_file(at("fresh"), "x");
  ::umask(mask);
  struct stat info {};
  ASSERT_EQ(::stat(at("fresh").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST_F(Files, TheReplacedFilesGroupAndOwnerStay) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  write_file(at("a"), "old");
  if (::chown(at("a").c_str(), 12, 34) != 0) GTEST_SKIP() << "this root may not either";
  write_file(at("a"), "new");
  struct stat info {};
  ASSERT_EQ(::stat(at("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 12u);
  EXPECT_EQ(info.st_gid, 34u);
}

TEST_F(Files, TheLockOfALinkIsThatOfTheFolderWrittenInto) {
  fs::create_directories(at("real"));
  fs::create_symlink("real/ledger", at("link"));  // before the file is there, too
  const auto busy = [&](const std::string& folder) {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
    const bool result = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0;
    ::close(descriptor);
    return result;
  };
  for (const char* content : {"first", "second"}) {
    const FolderLock lock(at("link"));
    EXPECT_TRUE(busy(at("real")));
    EXPECT_FALSE(busy(folder_.string()));
    write_file(at("link"), content);
    EXPECT_EQ(read_file(at("real/ledger")), content);
    EXPECT_TRUE(fs::is_symlink(at("link")));
  }
  EXPECT_FALSE(busy(at("real")));
  fs::create_directory_symlink(at("real/bundle"), at("folder-link"));
  fs::create_directories(at("real/bundle"));
  for (const char* path : {"real/bundle", "real/bundle/", "folder-link", "folder-link/"}) {
    const FolderLock lock(at(path));
    EXPECT_TRUE(busy(at("real"))) << path;
    EXPECT_FALSE(busy(at("real/bundle"))) << path;
  }
}

TEST_F(Files, ALoopOfLinksIsAFileError) {
  fs::create_symlink(at("two"), at("one"));
  fs::create_symlink(at("one"), at("two"));
  EXPECT_THROW(write_file(at("one"), "x"), FileError);
  EXPECT_THROW(FolderLock(at("one")), FileError);
  EXPECT_THROW(read_file(at("one")), FileError);
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
  const DataError error("read_csv", "bad number", {"f.csv", 3, 5, "age"});
  EXPECT_EQ(error.where() + " " + error.message(), "read_csv bad number");
  EXPECT_EQ(error.location().file + std::to_string(error.location().line), "f.csv5");
}

}  // namespace
}  // namespace tern
