#include "tern/base/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tern {
namespace {

TEST(Log, ASinkMayLogAndSetAnother) {
  std::vector<std::string> said;
  const LogSink before = set_log_sink([&](LogLevel level, std::string_view text) {
    said.emplace_back(text);
    if (level == LogLevel::warning) log(LogLevel::info, "from the sink");
    if (level == LogLevel::error) set_log_sink({});
  });
  log(LogLevel::warning, "once");
  log(LogLevel::error, "twice");
  log(LogLevel::info, "to nobody");
  set_log_sink(before);
  EXPECT_EQ(said, (std::vector<std::string>{"once", "from the sink", "twice"}));

  int steps = 0;
  const ProgressSink progress = set_progress_sink([&](const Progress& p) {
    ++steps;
    if (p.done == 1) report_progress({.stage = p.stage, .done = 2});
  });
  report_progress({.stage = "work", .done = 1});
  set_progress_sink(progress);
  EXPECT_EQ(steps, 2);
}

}  // namespace
}  // namespace tern
