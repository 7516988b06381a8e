#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

/// The stages of a run: one printed line and one entry of seconds each.
class Journey {
 public:
  /// Prints what a stage found; its time counts from the line before.
  void done(const std::string& stage, const std::string& found);
  /// The same for a stage that knows its own seconds; what else went by counts for the next.
  void done(const std::string& stage, const std::string& found, double seconds);
  /// Prints a warning and keeps it for the report.
  void warn(const std::string& text);
  /// Seconds since the last `done`.
  double seconds() const;

  /// Seconds since the run began.
  double total() const;
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// {"read": {"seconds": 0.1}, …} in order.
  nlohmann::ordered_json stages() const;

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now(), last_ = start_;
  std::vector<std::pair<std::string, double>> seconds_;
  std::vector<std::string> warnings_;
};

/// Throws when a file to write is another of them or one that is read; empty paths are passed over.
void need_different_files(const std::vector<std::string>& read, const std::vector<std::string>& written);

/// "a, b, c", at most `most` of them.
std::string join(const std::vector<std::string>& parts, std::size_t most = 8);

/// The names or words in a value of an option: separated by commas; one in double quotes may hold commas, and a quote
/// when it is doubled. Throws ValueError naming the option.
std::vector<std::string> split_list(const std::string& option, const std::vector<std::string>& values);

/// An argument as a POSIX shell reads it back.
std::string shell_quoted(const std::string& argument);

/// Ctrl-C from here on ends the process at once, with status 130: nothing has been written.
void end_on_interrupts();
/// Ctrl-C from here on is only noted, so that what is begun can be finished; a second one kills.
void note_interrupts();
/// Whether one was noted.
bool interrupted();

/// Thrown where a noted interrupt ends a run that has written nothing.
struct Interrupted {};

/// Makes sure that files can be written before any work is done, leaving none. Throws FileError, Interrupted.
void probe_outputs(const std::vector<std::string>& paths);
