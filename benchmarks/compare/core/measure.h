#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

// What both programs of the comparison `core` share: a table of named works, and how one is timed. The standard library
// only, so that neither side brings anything into the other.
namespace compare {

struct Work {
  const char* name;
  void (*run)(const Work& work, int threads);
};

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Prints the median seconds of one `unit` of `step`, which does `units` of them: fifteen batches of at least 20 ms
/// each, after a tenth of a second to warm up.
template <class Step>
void measure(const Work& work, double units, Step step) {
  long count = 0;
  for (const double start = now(); now() - start < 0.1; ++count) step();
  const long batch = std::max(1L, count / 5);
  std::vector<double> seconds;
  for (int i = 0; i < 15; ++i) {
    const double start = now();
    for (long j = 0; j < batch; ++j) step();
    seconds.push_back((now() - start) / static_cast<double>(batch) / units);
  }
  std::nth_element(seconds.begin(), seconds.begin() + 7, seconds.end());
  std::printf("%s %.9g\n", work.name, seconds[7]);
}

/// `PROGRAM --threads N NAME`; `PROGRAM --list` names the works.
inline int main_of(int argc, char** argv, const std::vector<Work>& works) {
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    for (const Work& work : works) std::printf("%s\n", work.name);
    return 0;
  }
  if (argc == 4 && std::strcmp(argv[1], "--threads") == 0) {
    for (const Work& work : works) {
      if (std::strcmp(work.name, argv[3]) == 0) {
        work.run(work, std::atoi(argv[2]));
        return 0;
      }
    }
  }
  std::fprintf(stderr, "expected --list, or --threads N and a name that --list prints\n");
  return 2;
}

/// The layers of a work's network, from its name: "sgd-784-256-256-10-128" is 784-256-256-10 with batches of 128.
inline std::vector<long> numbers_of(const char* name) {
  std::vector<long> numbers;
  for (const char* at = std::strchr(name, '-'); at; at = std::strchr(at, '-')) numbers.push_back(std::atol(++at));
  return numbers;
}

/// The sizes at the end of a name: "argmax-1024-512" is of 1024 and 512.
inline std::vector<long> last_two(const char* name) {
  const std::vector<long> numbers = numbers_of(name);
  return {numbers.end() - 2, numbers.end()};
}

}  // namespace compare
