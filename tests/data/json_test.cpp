#include "base/json.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace tern::internal {
namespace {

TEST(Json, WholeNumbersAreNotConverted) {
  using List = std::vector<std::int64_t>;
  EXPECT_EQ(json_get<List>(parse_json(R"({"at": [1, -2]})", "test"), "at", "test"), (List{1, -2}));
  for (const char* text : {R"({"at": [1, 4.2e122]})", R"({"at": [1.5]})", R"({"at": [18446744073709551615]})",
                           R"({"at": ["1"]})", R"({"at": {"a": 1e300}})", R"({"at": 1e300})"}) {
    EXPECT_THROW(json_get<List>(parse_json(text, "test"), "at", "test"), FormatError) << text;
  }
  EXPECT_THROW(json_get<int>(parse_json(R"({"n": 4294967296})", "test"), "n", "test"), FormatError);
}

}  // namespace
}  // namespace tern::internal
