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

  const std::vector<std::string>& warnings() const { return warnings_; }
  /// {"read": {"seconds": 0.1}, …} in order.
  nlohmann::ordered_json stages() const;

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
  std::vector<std::pair<std::string, double>> seconds_;
  std::vector<std::string> warnings_;
};

/// Throws when a file to write is another of them or one that is read; empty paths are passed over.
void need_different_files(const std::vector<std::string>& read, const std::vector<std::string>& written);

/// "a, b, c", at most `most` of them.
std::string join(const std::vector<std::string>& parts, std::size_t most = 8);

/// Ctrl-C asks for an end instead of killing the process: true once it came.
bool interrupted();
void watch_interrupts();
