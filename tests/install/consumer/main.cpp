// A program outside the project that finds an installed Tern.
#include <tern/base/error.h>
#include <tern/base/file.h>
#include <tern/base/parallel.h>
#include <tern/base/random.h>

#include <cstdio>
#include <vector>

int main() {
  std::vector<double> values(1000);
  tern::parallel_for(1000, 10, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) values[static_cast<std::size_t>(i)] = static_cast<double>(i);
  });
  double sum = 0;
  for (double value : values) sum += value;
  bool caught = false;
  try {
    tern::read_file("no such file");
  } catch (const tern::FileError&) {
    caught = true;  // the type crosses the library's border
  }
  std::printf("%.0f %s %d\n", sum, tern::sha256("tern").substr(0, 8).c_str(), caught);
  return sum == 499500 && caught ? 0 : 1;
}
