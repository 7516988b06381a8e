#include "journey.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "tern/base/error.h"

void Journey::done(const std::string& stage, const std::string& found) { done(stage, found, seconds()); }

void Journey::done(const std::string& stage, const std::string& found, double spent) {
  count(stage, spent);
  print(stage, found);
}

void Journey::count(const std::string& stage, double spent) {
  seconds_.emplace_back(stage, spent);
  last_ += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(spent));
}

void Journey::print(const std::string& stage, const std::string& found) const {
  const auto counted = [&](const auto& entry) { return entry.first == stage; };
  const double spent = std::find_if(seconds_.rbegin(), seconds_.rend(), counted)->second;
  std::fprintf(out_, "%-9s %6.2f s  %s\n", stage.c_str(), spent, found.c_str());
  std::fflush(out_);
}

std::string on_one_line(const std::string& text) {
  std::string out;
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code >= 0x20 && code != 0x7f) {
      out += byte;
    } else if (byte == '\n' || byte == '\r' || byte == '\t') {
      out += byte == '\n' ? "\\n" : byte == '\r' ? "\\r" : "\\t";
    } else {
      constexpr const char* digits = "0123456789abcdef";
      out += {'\\', 'x', digits[code / 16], digits[code % 16]};
    }
  }
  return out;
}

void Journey::warn(const std::string& text) {
  warnings_.push_back(on_one_line(text));
  std::fprintf(out_, "  warning: %s\n", warnings_.back().c_str());
  std::fflush(out_);
}

void Journey::note(const std::string& text) {
  notes_.push_back(on_one_line(text));
  std::fprintf(out_, "  note: %s\n", notes_.back().c_str());
  std::fflush(out_);
}

double Journey::total() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

double Journey::seconds() const { return std::chrono::duration<double>(Clock::now() - last_).count(); }

void Outputs::add(const std::string& path, std::string_view content) {
  if (path.empty()) return;
  files_.emplace_back(path).write(content);
  paths_.push_back(path);
}

void Outputs::prepare() {
  for (tern::AtomicFile& file : files_) file.prepare();
}

void Outputs::commit() {
  prepare();
  for (std::size_t i = 0; i < files_.size(); ++i) {
    try {
      files_[i].commit();
    } catch (const tern::FileError& error) {
      if (i == 0) throw;
      paths_.resize(i);
      throw tern::FileError(std::string(error.what()) + "; written before that: " + join(paths_), error.path(),
                            error.code());
    }
  }
}

nlohmann::ordered_json Journey::stages() const {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [stage, spent] : seconds_) json[stage]["seconds"] = spent;
  return json;
}

namespace {

// Where a path leads: absolute, links followed, of a file that need not be there yet.
std::filesystem::path destination(const std::string& path) {
  std::error_code error;
  std::filesystem::path at = std::filesystem::absolute(path, error);
  if (error) return path;
  for (int links = 0; links < 40 && std::filesystem::is_symlink(at, error); ++links) {  // a link to no file as well
    const std::filesystem::path next = std::filesystem::read_symlink(at, error);
    if (error) break;
    at = at.parent_path() / next;
  }
  const std::filesystem::path whole = std::filesystem::weakly_canonical(at, error);
  return error ? at.lexically_normal() : whole;
}

}  // namespace

bool is_stdout(const std::string& path) {
  constexpr const char* names[] = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"};
  return std::find(std::begin(names), std::end(names), path) != std::end(names);
}

void write_stdout(std::string_view content) {
  const bool written = std::fwrite(content.data(), 1, content.size(), stdout) == content.size();
  if (!written || std::fflush(stdout) != 0) {
    throw tern::FileError("[churn] cannot write to standard output: " + std::string(std::strerror(errno)), "-", errno);
  }
}

std::string json_text(const nlohmann::ordered_json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void need_different_files(const std::vector<std::string>& read, const std::vector<std::string>& written) {
  std::vector<std::string> seen = read;
  for (const std::string& path : written) {
    if (path.empty()) continue;
    if (is_stdout(path)) {
      throw tern::ValueError("[churn] expected a file to write, got " + path +
                             "; to standard output go messages, and of files only the predictions (predict --out -)");
    }
    for (const std::string& other : seen) {
      std::error_code error;
      if (destination(path) == destination(other) || std::filesystem::equivalent(path, other, error)) {
        throw tern::ValueError("[churn] expected different files to read and to write, got " + path + " twice" +
                               (path == other ? "" : ", also as " + other));
      }
    }
    seen.push_back(path);
  }
}

std::string counted(std::int64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string join(const std::vector<std::string>& parts, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < parts.size() && i < most; ++i) text += (i ? ", " : "") + parts[i];
  return parts.size() > most ? text + ", … (" + std::to_string(parts.size()) + ")" : text;
}

std::vector<std::string> split_list(const std::string& option, const std::vector<std::string>& values) {
  std::vector<std::string> parts;
  for (const std::string& value : values) {
    const auto refuse = [&](const char* expected) {
      std::string message = "[churn " + option + "] expected ";
      message.append(expected).append(", got '").append(value).append(1, '\'');
      throw tern::ValueError(message);
    };
    std::size_t at = 0;
    do {
      std::string part;
      if (at < value.size() && value[at] == '"') {
        for (++at;; ++at) {
          if (at >= value.size()) refuse("a closing quote");
          if (value[at] == '"' && (++at >= value.size() || value[at] != '"')) break;
          part += value[at];
        }
      }
      for (; at < value.size() && value[at] != ','; ++at) part += value[at];
      if (part.empty()) refuse("a name between commas");
      parts.push_back(std::move(part));
    } while (at++ < value.size());
  }
  return parts;
}

std::string list_item(const std::string& name) {
  if (name.find(',') == std::string::npos && !name.starts_with('"')) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string with_options(const std::string& message) {
  constexpr std::pair<const char*, const char*> options[] = {{"missing word", "--missing WORD"},
                                                             {"the type ", "--types COLUMN=TYPE"},
                                                             {"leave the column out", "--drop COLUMN"},
                                                             {"the positive class to be named", "--positive CLASS"},
                                                             {"equal rows may stand apart", "--equal-rows apart"}};
  std::string advice;
  for (const auto& [words, option] : options) {
    if (message.find(words) != std::string::npos) advice += (advice.empty() ? "" : ", ") + std::string(option);
  }
  return advice.empty() ? message : message + " (" + advice + ")";
}

namespace {

// Without the tags that say which function of the library speaks: "[read_csv] expected", "m.tern: [bundle] expected".
// Of this program's own, an option stays: "[churn --drop] expected" is "--drop: expected".
std::string untagged(const std::string& message) {
  constexpr std::string_view of_names = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:.- ";
  std::string text;
  for (std::size_t at = 0; at < message.size(); ++at) {
    const std::size_t end = message[at] == '[' ? message.find("] ", at) : std::string::npos;
    const bool begins = text.empty() || text.ends_with(": ") || text.ends_with("; ");
    if (!begins || end == std::string::npos || message.find_first_not_of(of_names, at + 1) != end) {
      text += message[at];
      continue;
    }
    const std::string tag = message.substr(at + 1, end - at - 1);
    if (const std::size_t option = tag.find(" --"); option != std::string::npos) text += tag.substr(option + 1) + ": ";
    at = end + 1;
  }
  return text;
}

}  // namespace

std::string in_words(const tern::Error& error) {
  const auto* data = dynamic_cast<const tern::DataError*>(&error);
  if (data == nullptr) return with_options(untagged(error.what()));
  std::string text;
  if (const std::size_t option = data->where().find(" --"); option != std::string::npos) {
    text = data->where().substr(option + 1) + ": ";
  }
  if (!data->file().empty()) text += data->file() + ": ";
  std::string place;
  if (data->line() >= 0) {
    place = "line " + std::to_string(data->line());
  } else if (data->row() >= 0) {
    place = "record " + std::to_string(data->row() + 1);
  }
  if (!data->column().empty()) place += (place.empty() ? "" : ", ") + ("column \"" + data->column() + "\"");
  if (!place.empty()) text += place + ": ";
  return with_options(text + untagged(data->message()));
}

std::string shell_quoted(const std::string& argument) {
  constexpr const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,+@%-";
  if (!argument.empty() && argument.find_first_not_of(plain) == std::string::npos) return argument;
  std::string quoted = "'";
  for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

namespace {

std::atomic<bool> noting{false}, noted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_interrupt(int) {
  if (!noting.load()) {
    constexpr char text[] = "churn: interrupted; nothing was written\n";
    const ssize_t ignored = ::write(STDERR_FILENO, text, sizeof text - 1);  // there is nobody left to tell
    static_cast<void>(ignored);
    std::_Exit(130);
  }
  noted.store(true);
  std::signal(SIGINT, SIG_DFL);
}

}  // namespace

void end_on_interrupts() {
  noting.store(false);
  std::signal(SIGINT, on_interrupt);
}

void note_interrupts() {
  noting.store(true);
  if (!noted.load()) std::signal(SIGINT, on_interrupt);
}

bool interrupted() { return noted.load(); }

void probe_outputs(const std::vector<std::string>& paths) {
  note_interrupts();  // a probe is a file, for a moment
  for (const std::string& path : paths) {
    if (!path.empty()) const tern::AtomicFile probe(path);
  }
  end_on_interrupts();
  if (interrupted()) throw Interrupted();
}
