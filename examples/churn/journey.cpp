#include "journey.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "tern/base/error.h"
#include "tern/base/file.h"

void Journey::done(const std::string& stage, const std::string& found) { done(stage, found, seconds()); }

void Journey::done(const std::string& stage, const std::string& found, double spent) {
  seconds_.emplace_back(stage, spent);
  last_ += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(spent));
  std::printf("%-9s %6.2f s  %s\n", stage.c_str(), spent, found.c_str());
  std::fflush(stdout);
}

void Journey::warn(const std::string& text) {
  warnings_.push_back(text);
  std::printf("  warning: %s\n", text.c_str());
  std::fflush(stdout);
}

double Journey::total() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

double Journey::seconds() const { return std::chrono::duration<double>(Clock::now() - last_).count(); }

nlohmann::ordered_json Journey::stages() const {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [stage, spent] : seconds_) json[stage]["seconds"] = spent;
  return json;
}

void need_different_files(const std::vector<std::string>& read, const std::vector<std::string>& written) {
  std::vector<std::string> seen = read;
  for (const std::string& path : written) {
    if (path.empty()) continue;
    for (const std::string& other : seen) {
      std::error_code error;
      if (path == other || std::filesystem::equivalent(path, other, error)) {
        throw tern::ValueError("[churn] expected different files to read and to write, got " + path + " twice");
      }
    }
    seen.push_back(path);
  }
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
