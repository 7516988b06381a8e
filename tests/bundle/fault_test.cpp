#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "bundle/small.h"
#include "tern/base/error.h"

// Saving over an older bundle, with each write, flush, close and rename failing or being the last that happens.
namespace tern {
namespace {

// Above 64 KiB, so that several writes make the file.
constexpr int old_hidden = 2000, new_hidden = 2100;

struct Outcome {
  int status = 0;  // exit status, or minus the signal
};

Outcome save_with_fault(const std::string& path, const std::string& folder, std::int64_t at, const std::string& kind,
                        const std::string& count_file) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("LD_PRELOAD", TERN_FAULT_SHIM, 1);
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
    setenv("TERN_FAULT_PATH", folder.c_str(), 1);
    setenv("TERN_FAULT_AT", std::to_string(at).c_str(), 1);
    setenv("TERN_FAULT_KIND", kind.c_str(), 1);
    if (!count_file.empty()) setenv("TERN_FAULT_COUNT", count_file.c_str(), 1);
    if (freopen("/dev/null", "w", stderr) == nullptr) _exit(98);
    execl(TERN_FAULT_SAVE, TERN_FAULT_SAVE, path.c_str(), std::to_string(new_hidden).c_str(), nullptr);
    _exit(99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status)};
}

std::size_t files_in(const test::Folder& folder) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) files += entry.is_regular_file() ? 1 : 0;
  return files;
}

class Fault : public testing::TestWithParam<const char*> {};

TEST_P(Fault, LeavesTheOldBundleOrTheNew) {
  const std::string kind = GetParam();
  const test::Folder folder("fault-" + kind), beside("count-" + kind);
  const std::string path = folder / "a.tern";
  const std::string old_bytes = test::small_bundle(old_hidden).to_bytes();
  const std::string new_bytes = test::small_bundle(new_hidden).to_bytes();
  write_file(path, old_bytes);
  ASSERT_EQ(save_with_fault(path, folder.path().string(), 0, kind, beside / "count").status, 0);
  ASSERT_EQ(read_file(path), new_bytes);
  const auto operations = static_cast<std::int64_t>(read_file(beside / "count").size());
  ASSERT_GE(operations, 9);  // open, several writes, fsync, close, rename, open, fsync and close of the folder

  int kept = 0, replaced = 0;
  for (std::int64_t at = 1; at <= operations; ++at) {
    write_file(path, old_bytes);
    const Outcome outcome = save_with_fault(path, folder.path().string(), at, kind, "");
    const std::string bytes = read_file(path);
    ASSERT_TRUE(bytes == old_bytes || bytes == new_bytes) << "operation " << at;
    EXPECT_NO_THROW(Bundle::load(path)) << "operation " << at;
    ++(bytes == old_bytes ? kept : replaced);
    if (kind == "kill") {
      EXPECT_EQ(outcome.status, -SIGKILL) << "operation " << at;
      // What the killed process was writing stays beside the bundle, under another name, and stops nobody.
      EXPECT_LE(files_in(folder), 2u) << "operation " << at;
      for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        if (entry.path().string() != path) std::filesystem::remove(entry.path());
      }
    } else {
      const bool last = at == operations;  // closing the folder that was flushed tells nothing
      EXPECT_EQ(outcome.status, last ? 0 : 3) << "operation " << at;
      EXPECT_EQ(files_in(folder), 1u) << "operation " << at;
    }
  }
  EXPECT_GE(kept, 6);
  EXPECT_GE(replaced, 1);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Fault, testing::Values("ENOSPC", "EIO", "kill"));

TEST(Save, FailsWhereNoFileMayBeMade) { EXPECT_THROW(test::small_bundle().save("/proc/a.tern"), FileError); }

}  // namespace
}  // namespace tern
