#pragma once

#include <chrono>
#include <cstdio>
#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/file.h"

/// A text with control characters written out: a value that a note quotes may hold a line break, which becomes \n.
std::string on_one_line(const std::string& text);

/// The stages of a run: one printed line and one entry of seconds each.
class Journey {
 public:
  /// Where its lines go.
  explicit Journey(std::FILE* out = stdout) : out_(out) {}
  /// Prints what a stage found; its time counts from the line before.
  void done(const std::string& stage, const std::string& found);
  /// The same for a stage that knows its own seconds; what else went by counts for the next.
  void done(const std::string& stage, const std::string& found, double seconds);
  /// The two halves of `done`: seconds of a stage that count already, and its line, to be printed once it is true.
  void count(const std::string& stage, double seconds);
  void print(const std::string& stage, const std::string& found) const;
  /// Prints a warning and keeps it for the report.
  void warn(const std::string& text);
  /// The same for what is worth a line and no warning.
  void note(const std::string& text);
  /// Seconds since the last `done`.
  double seconds() const;

  /// Seconds since the run began.
  double total() const;
  const std::vector<std::string>& warnings() const { return warnings_; }
  const std::vector<std::string>& notes() const { return notes_; }
  /// {"read": {"seconds": 0.1}, …} in order.
  nlohmann::ordered_json stages() const;

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now(), last_ = start_;
  std::vector<std::pair<std::string, double>> seconds_;
  std::vector<std::string> warnings_, notes_;
  std::FILE* out_;
};

/// Files that belong together: whatever may fail for want of room has happened before the first is put in its place.
/// Where a later one cannot be put there all the same, the error names those that have been.
class Outputs {
 public:
  /// Writes the content beside the path; an empty path is passed over. Throws FileError.
  void add(const std::string& path, std::string_view content);
  /// Brings all that was added to disk. Throws FileError, and then every older file still stands.
  void prepare();
  /// Puts all in their places, in the order in which they were added. Throws FileError.
  void commit();

 private:
  std::deque<tern::AtomicFile> files_;
  std::vector<std::string> paths_;
};

/// Runs a function; an error in data that names no file is given the name of this one.
template <class Run>
auto in_file(const std::string& file, Run run) {
  try {
    return run();
  } catch (const tern::DataError& error) {
    if (!error.file().empty()) throw;
    tern::DataLocation location = error.location();
    location.file = file;
    throw tern::DataError(error.where(), error.message(), std::move(location));
  }
}

/// Whether a path stands for standard output: "-", /dev/stdout and its other names.
bool is_stdout(const std::string& path);

/// Writes to standard output. Throws FileError.
void write_stdout(std::string_view content);

/// The text of a report; bytes that are no UTF-8, of a file's name say, become U+FFFD.
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

/// Throws when a file to write is another of them or one that is read, under whatever name, or is standard output;
/// empty paths are passed over.
void need_different_files(const std::vector<std::string>& read, const std::vector<std::string>& written);

/// "1 row", "2 rows".
std::string counted(std::int64_t count, const std::string& what);

/// "a, b, c", at most `most` of them.
std::string join(const std::vector<std::string>& parts, std::size_t most = 8);

/// The names or words in a value of an option: separated by commas; one in double quotes may hold commas, and a quote
/// when it is doubled. Throws ValueError naming the option.
std::vector<std::string> split_list(const std::string& option, const std::vector<std::string>& values);

/// A name as split_list reads it back.
std::string list_item(const std::string& name);

/// A message of the library with the options of this program that do what it advises.
std::string with_options(const std::string& message);

/// An error as this program says it: file, 1-based line, column, what was expected and what came, without the names of
/// the library's functions.
std::string in_words(const tern::Error& error);

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
