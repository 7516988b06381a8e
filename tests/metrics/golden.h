#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "message_of.h"
#include "tern/base/file.h"

namespace tern::metrics {

/// A part of the committed figures of scikit-learn: "binary", "multiclass" or "regression".
inline tern::internal::Json golden(const std::string& part) {
  return tern::internal::parse_json(read_file(std::string(TERN_TEST_DATA) + "/metrics.json"), "golden").at(part);
}

inline void expect_close(double got, double expected, double tolerance = 1e-12) {
  EXPECT_NEAR(got, expected, tolerance * std::max(1.0, std::fabs(expected)));
}

inline void expect_close(const std::vector<double>& got, const tern::internal::Json& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) expect_close(got[i], expected[i].get<double>());
}

}  // namespace tern::metrics
