#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "bundle/small_trees.h"

// Bundles of released formats, which must load as long as Tern lives. golden/formatN.tern is the bundle, formatN.csv
// raw rows, formatN.txt the machine and the predictions when it was made. Run with TERN_MAKE_GOLDEN=FOLDER to write
// those of the present format into a folder; the files of a released format are never made again.
namespace tern {
namespace {

constexpr const char* kinds[] = {"instruction_set", "processor"};

std::string machine(const std::string& environment) {
  const internal::Json json = internal::parse_json(environment, "environment");
  std::string text;
  for (const char* kind : kinds) text += json.at(kind).get<std::string>() + "; ";
  return text;
}

std::string here() { return machine(test::small_bundle().environment()); }

void make_golden(const std::string& stem, Bundle bundle, const data::Table& test_rows) {
  bundle.evaluate(test_rows);
  bundle.save(stem + ".tern");
  write_file(stem + ".csv", test::small_csv(50, 9));
  std::string text = machine(bundle.environment()) + "\n";
  for (const double value : bundle.predict(stem + ".csv").values) {
    char line[64];
    std::snprintf(line, sizeof line, "%a\n", value);
    text += line;
  }
  write_file(stem + ".txt", text);
}

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, LoadsAndPredictsAsItDid) {
  const std::string format = GetParam();
  if (const char* folder = std::getenv("TERN_MAKE_GOLDEN")) {
    const std::string stem = std::string(folder) + "/" + format;
    if (format == "format1") {
      make_golden(stem, test::small_bundle(), test::small_parts().test);
    } else {
      const test::Parts parts = test::parts(test::cleaning());
      make_golden(stem, test::trees_bundle(parts), parts.test);
    }
  }
  const std::string stem = std::string(TERN_TEST_DATA) + "/" + format;
  const Bundle bundle = Bundle::load(stem + ".tern");
  const Predictions predictions = bundle.predict(stem + ".csv");
  std::istringstream text(read_file(stem + ".txt"));
  std::string made_on, line;
  std::getline(text, made_on);
  EXPECT_EQ(machine(bundle.environment()), made_on);
  const bool same_machine = made_on == here();
  std::size_t rows = 0;
  for (; std::getline(text, line); ++rows) {
    const double expected = std::strtod(line.c_str(), nullptr);
    ASSERT_LT(rows, predictions.values.size());
    if (same_machine) {
      EXPECT_EQ(predictions.values[rows], expected) << "row " << rows;
    } else {
      EXPECT_NEAR(predictions.values[rows], expected, 1e-6) << "row " << rows;
    }
  }
  EXPECT_EQ(rows, predictions.values.size());
  EXPECT_EQ(bundle.ledger().size(), 1u);
  EXPECT_EQ(bundle.provenance().train_rows.size(), 120u);
  EXPECT_EQ(bundle.task().positive(), "Yes");
}

INSTANTIATE_TEST_SUITE_P(Formats, Golden, testing::Values("format1", "format2"));

}  // namespace
}  // namespace tern
