#include "journey.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "tern/base/error.h"

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
}

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

namespace {
std::atomic<bool> interrupt{false};
static_assert(std::atomic<bool>::is_always_lock_free);
}  // namespace

bool interrupted() { return interrupt.load(); }

void watch_interrupts() {
  std::signal(SIGINT, [](int) {
    interrupt.store(true);
    std::signal(SIGINT, SIG_DFL);  // a second one kills
  });
}
