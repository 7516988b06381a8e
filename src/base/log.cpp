#include "tern/base/log.h"

#include <cstdio>
#include <mutex>
#include <utility>

#include "base/warnings.h"

namespace tern {
namespace {
std::recursive_mutex sink_mutex;  // a sink may log itself, or set another
LogSink log_sink;
ProgressSink progress_sink;
constinit thread_local internal::FewWarnings* few_warnings = nullptr;
}  // namespace

namespace internal {

FewWarnings::FewWarnings(std::string_view muted) : outer_(few_warnings), muted_(muted) { few_warnings = this; }
FewWarnings::~FewWarnings() { few_warnings = outer_; }

void warn(std::string_view subject, std::string_view message) {
  for (FewWarnings* at = few_warnings; at; at = at->outer_) {
    if (at->muted_ == subject) return;
    if (at->outer_) continue;
    std::string line = "\n";
    line.append(subject) += '\n';
    if (at->said_.find(line) != std::string::npos) return;
    at->said_ += line;
  }
  log(LogLevel::warning, message);
}

}  // namespace internal

LogSink set_log_sink(LogSink sink) {
  const std::lock_guard lock(sink_mutex);
  return std::exchange(log_sink, std::move(sink));
}

void log(LogLevel level, std::string_view message) {
  const std::lock_guard lock(sink_mutex);
  const LogSink sink = log_sink;  // which lives on when it is replaced meanwhile
  if (sink) sink(level, message);
}

ProgressSink set_progress_sink(ProgressSink sink) {
  const std::lock_guard lock(sink_mutex);
  return std::exchange(progress_sink, std::move(sink));
}

void report_progress(const Progress& progress) {
  const std::lock_guard lock(sink_mutex);
  const ProgressSink sink = progress_sink;
  if (sink) sink(progress);
}

void write_line(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

}  // namespace tern
