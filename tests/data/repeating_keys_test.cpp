#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tern/base/random.h"
#include "tern/data/roles.h"

namespace tern::data {
namespace {

using Numbers = std::vector<std::int64_t>;

// Why a column is a key, or "" where it is none.
std::string reason(const std::string& name, Column column) {
  const Table table = {{name, std::move(column)}};
  const std::vector<RepeatingKey> keys = find_repeating_keys(table);
  return keys.empty() ? "" : keys[0].reason;
}

Column numbers(std::int64_t rows, const std::function<std::int64_t(std::int64_t)>& value) {
  Numbers values;
  for (std::int64_t i = 0; i < rows; ++i) values.push_back(value(i));
  return Column::from_i64(values);
}

Column words(std::int64_t rows, const std::function<std::string(std::int64_t)>& value) {
  std::vector<std::string> values;
  for (std::int64_t i = 0; i < rows; ++i) values.push_back(value(i));
  return Column::from_strings(values);
}

// A number in (0, 1) for each index.
double draw(std::uint64_t seed, std::int64_t i) {
  return (static_cast<double>(Philox(seed, 1).bits64(static_cast<std::uint64_t>(i)) >> 11) + 0.5) * 0x1p-53;
}

double gauss(std::uint64_t seed, std::int64_t i) {
  return std::sqrt(-2 * std::log(draw(seed, 2 * i))) * std::cos(6.283185307179586 * draw(seed, 2 * i + 1));
}

TEST(RepeatingKeys, AreToldByTheirName) {
  const auto twice = [](std::int64_t i) { return 17 * (i * i % 150) * 1000; };
  EXPECT_EQ(reason("customer_id", numbers(300, twice)), "named like an id");
  for (const char* name : {"patient", "Patient", "Customer No", "customerNr", "card_number", "client", "user_email"}) {
    EXPECT_EQ(reason(name, numbers(300, twice)), "named like a key") << name;
    EXPECT_EQ(reason(name, words(300, [](std::int64_t i) { return "K" + std::to_string(i * 7 % 120); })),
              "named like a key");
  }
  for (const char* name : {"patients", "customer_age", "card", "phone_service", "number", "spend", "Unnamed: 0"}) {
    EXPECT_EQ(reason(name, numbers(300, twice)), "") << name;
  }
}

TEST(RepeatingKeys, AreToldByHowOftenTheyCome) {
  const auto visit = [](std::int64_t i) { return 1000 + i * 37 % 150; };  // 1000 to 1149, each twice
  EXPECT_EQ(reason("nummer", numbers(300, visit)), "each value has as many rows, or nearly");
  EXPECT_EQ(reason("nummer", numbers(300, [&](std::int64_t i) { return visit(i) * visit(i); })),
            "each value has as many rows, or nearly");
  const auto text = [&](std::int64_t i) { return "P" + std::to_string(visit(i)); };
  EXPECT_NE(reason("nummer", words(300, text)), "");
  EXPECT_NE(reason("nummer", words(300, [&](std::int64_t i) { return "0" + std::to_string(visit(i)); })), "");
  std::vector<double> reals;  // as a tool writes whole numbers beside gaps
  for (std::int64_t i = 0; i < 300; ++i) reals.push_back(static_cast<double>(visit(i)));
  EXPECT_NE(reason("nummer", Column::from_f64(reals)), "");
  // One row or more of each of 600, as many as happen to be.
  Numbers some;
  for (std::int64_t k = 0; k < 600; ++k) {
    for (double u = draw(3, k); u < 0.6; u /= 0.6) some.push_back(5000 + k);
    some.push_back(5000 + k);
  }
  EXPECT_EQ(reason("nummer", Column::from_i64(some)), "hardly a number of the range is left out");
  // The same shape under the name of a time or a rank is one by design.
  for (const char* name : {"week", "year", "dayOfYear", "t", "rank"}) {
    EXPECT_EQ(reason(name, numbers(300, visit)), "") << name;
  }
}

TEST(RepeatingKeys, AreToldByBeingCodes) {
  const auto any = [](std::int64_t i) { return std::to_string(10000 + static_cast<std::int64_t>(200 * draw(5, i))); };
  EXPECT_EQ(reason("Kunde", words(600, [&](std::int64_t i) { return "K-" + any(i); })),
            "numbered codes of few rows each");
  EXPECT_EQ(reason("Kunde", words(600, [&](std::int64_t i) { return "Elm " + any(i); })), "") << "a name";
  EXPECT_EQ(reason("Kunde", words(600, any)), "") << "a postcode is as good";
  EXPECT_EQ(reason("Kunde", words(600, [&](std::int64_t i) { return (i % 2 ? "K" : "L") + any(i); })), "");
}

TEST(RepeatingKeys, QuantitiesAreNone) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    for (const std::int64_t rows : {120, 1000, 4000}) {
      const auto none = [&](const char* what, const std::function<double(std::int64_t)>& value) {
        EXPECT_EQ(reason("v", numbers(rows, [&](std::int64_t i) { return std::llround(value(i)); })), "")
            << what << ", seed " << seed << ", " << rows << " rows";
      };
      const double some = static_cast<double>(20 + 7 * seed);
      none("uniform", [&](std::int64_t i) { return std::floor(some * draw(seed, i)); });
      none("age", [&](std::int64_t i) { return std::clamp(45 + 15 * gauss(seed, i), 18.0, 95.0); });
      none("tenure", [&](std::int64_t i) { return std::fmod(72 * draw(seed, i) * draw(seed + 50, i), 72.0); });
      none("year", [&](std::int64_t i) { return 1950 + 70 * std::sqrt(draw(seed, i)); });
      none("count", [&](std::int64_t i) { return -some * std::log(draw(seed, i)); });
      none("amount", [&](std::int64_t i) { return std::floor(std::exp(8 + gauss(seed, i)) / 10) * 10; });
      none("postcode", [&](std::int64_t i) {  // of a few hundred places of unequal size
        return 10000 + std::floor(1e4 * draw(99, static_cast<std::int64_t>(300 * std::pow(draw(seed, i), 1.5))));
      });
    }
  }
}

TEST(RepeatingKeys, TextThatIsOfNumbersOrOfPlacesIsNone) {
  const auto age = [](std::int64_t i) { return i % 9 == 4 ? "n.k." : std::to_string(20 + i * 7 % 66); };
  EXPECT_EQ(reason("Age", words(700, age)), "");
  EXPECT_EQ(reason("fee", words(300, [](std::int64_t i) { return std::to_string(i % 150) + " EUR"; })), "");
  EXPECT_EQ(reason("day", words(300,
                                [](std::int64_t i) {
                                  return std::to_string(1 + i % 25) + "." + std::to_string(1 + i % 6) + ".2024";
                                })),
            "");
  const auto town = [](std::int64_t i) {
    return std::string("town ") + static_cast<char>('a' + static_cast<int>(10 * draw(1, i) * draw(2, i))) +
           static_cast<char>('a' + static_cast<int>(10 * draw(3, i)));
  };
  EXPECT_EQ(reason("city", words(900, town)), "");
}

TEST(RepeatingKeys, FewValuesAndThoseOfManyRowsAreNone) {
  EXPECT_EQ(reason("patient", numbers(40, [](std::int64_t i) { return i % 20; })), "");
  EXPECT_EQ(reason("store_id", numbers(2000, [](std::int64_t i) { return i % 45; })), "");
  EXPECT_EQ(reason("customer_id", numbers(300, [](std::int64_t i) { return i; })), "") << "each once";
  EXPECT_EQ(reason("customer_id", Column::nulls(ColumnType::i64, 300)), "");
  EXPECT_EQ(reason("g", numbers(6000, [](std::int64_t i) { return i % 100; })), "") << "a grid";
}

TEST(RepeatingKeys, LookPastTargetAndId) {
  const Table table = {{"patient", numbers(300, [](std::int64_t i) { return i % 150; })},
                       {"doctor_id", numbers(300, [](std::int64_t i) { return i % 100; })}};
  const std::vector<RepeatingKey> keys = find_repeating_keys(table);
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].values, 150);
  EXPECT_EQ(keys[1].name, "doctor_id");
  EXPECT_EQ(find_repeating_keys(table, {.id = "patient"}).size(), 1u);
  EXPECT_TRUE(find_repeating_keys(table, {.target = "doctor_id", .id = "patient"}).empty());
}

}  // namespace
}  // namespace tern::data
