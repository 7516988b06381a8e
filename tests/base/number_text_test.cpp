#include "base/number_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace tern {
namespace {

TEST(NumberText, IsTheShortestThatReadsBack) {
  EXPECT_EQ(internal::number_text(0.1), "0.1");
  EXPECT_EQ(internal::number_text(0.1f), "0.1");
  EXPECT_EQ(internal::number_text(2.0), "2");
  EXPECT_EQ(internal::number_text(-1e-9), "-1e-09");
  EXPECT_EQ(internal::number_text(1e300), "1e+300");
  EXPECT_EQ(internal::number_text(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(internal::number_text(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(internal::number_text(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(internal::number_text(7), "7");
}

}  // namespace
}  // namespace tern
