#include "tern/base/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/warnings.h"

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

TEST(Log, AWarningIsLoggedOnceWhereManyModelsAreFitted) {
  std::vector<std::string> said;
  const LogSink before = set_log_sink([&](LogLevel, std::string_view text) { said.emplace_back(text); });
  using internal::FewWarnings;
  using internal::warn;
  for (const char* text : {"a 1", "a 2"}) warn("a", text);
  {
    const FewWarnings outer;
    warn("a", "a 3");
    {
      const FewWarnings inner("b");
      for (const char* text : {"a 4", "b 1"}) warn({text, 1}, text);
      warn("c", "c 1");
    }
    for (const char* text : {"b 2", "b 3", "c 2"}) warn({text, 1}, text);
    log(LogLevel::warning, "a 5");  // whoever logs for himself is heard
  }
  warn("a", "a 6");
  set_log_sink(before);
  EXPECT_EQ(said, (std::vector<std::string>{"a 1", "a 2", "a 3", "c 1", "b 2", "a 5", "a 6"}));
}

}  // namespace
}  // namespace tern
