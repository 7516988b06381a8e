// A program outside the project: finds an installed Tern, loads a model, and predicts one row without any file.
#include <tern/tern.h>

#include <cmath>
#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto churn = tern::Bundle::load(argv[1]);  // tests/bundle/golden/format1.tern; the row is format1.csv's first
  const tern::Predictions scored =
      churn.predict({{"age", std::int64_t{50}}, {"plan", "premium"}, {"active", false}, {"spend", "$5,054.50"}});
  std::printf("%.6f %s\n", scored.values.at(0), scored.decisions.at(0).c_str());
  if (std::abs(scored.values[0] - 0.427050) > 2e-6) return 1;
  try {
    tern::Bundle::load("no such file");
  } catch (const tern::FileError&) {
    return 0;  // the type crosses the library's border
  }
  return 1;
}
