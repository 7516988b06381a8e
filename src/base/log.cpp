#include "tern/base/log.h"

#include <cstdio>
#include <mutex>
#include <utility>

namespace tern {
namespace {
std::mutex sink_mutex;
LogSink log_sink;
ProgressSink progress_sink;
}  // namespace

LogSink set_log_sink(LogSink sink) {
  const std::lock_guard lock(sink_mutex);
  return std::exchange(log_sink, std::move(sink));
}

void log(LogLevel level, std::string_view message) {
  const std::lock_guard lock(sink_mutex);
  if (log_sink) log_sink(level, message);
}

ProgressSink set_progress_sink(ProgressSink sink) {
  const std::lock_guard lock(sink_mutex);
  return std::exchange(progress_sink, std::move(sink));
}

void report_progress(const Progress& progress) {
  const std::lock_guard lock(sink_mutex);
  if (progress_sink) progress_sink(progress);
}

void write_line(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

}  // namespace tern
