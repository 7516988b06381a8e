#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "tern/base/export.h"

namespace tern {

enum class LogLevel { debug, info, warning, error };

/// Receives the library's messages; called under a lock, one at a time, but for what it logs itself.
using LogSink = std::function<void(LogLevel, std::string_view)>;

/// Installs the sink of all messages and returns the one before; an empty sink (the default) drops them.
TERN_API LogSink set_log_sink(LogSink sink);

/// Hands a message to the sink, if there is one.
TERN_API void log(LogLevel level, std::string_view message);

/// One step of a long piece of work.
struct Progress {
  std::string_view stage;   ///< what runs: "train", "read_csv"
  std::int64_t done = 0;    ///< units finished
  std::int64_t total = 0;   ///< units in all; 0 when it is not known
  std::string_view unit{};  ///< what is counted: "rows", "steps"
  double seconds = 0;       ///< since the work began
};

using ProgressSink = std::function<void(const Progress&)>;

/// Installs the sink of progress and returns the one before; empty by default.
TERN_API ProgressSink set_progress_sink(ProgressSink sink);

/// Hands progress to the sink, if there is one.
TERN_API void report_progress(const Progress& progress);

/// Writes text and a line feed to standard output; the library itself never calls it.
TERN_API void write_line(std::string_view text);

/// Prints what `to_string(value)` gives: tensors, tables, reports.
template <class T>
void print(const T& value) {
  write_line(to_string(value));
}

}  // namespace tern
