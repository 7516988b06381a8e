#include "base/retell.h"

#include <string>

#include <gtest/gtest.h>

#include "tern/base/error.h"

namespace tern {
namespace {

using internal::saying;
using internal::speaking_as;

struct OfTheUser : DataError {
  using DataError::DataError;
};

TEST(Retell, KeepsTheClassTheLocationAndWhatIsTheUsers) {
  const auto wrong = [] { throw ValueError("[Inner] expected one, got two"); };
  const auto at_row = [] { throw DataError("Inner", "expected one, got two", {.row = 3, .column = "x"}); };
  const auto own = [] { throw OfTheUser("own", "as it is", {}); };
  try {
    saying("in fold 1: ", wrong);
    ADD_FAILURE();
  } catch (const ValueError& error) {
    EXPECT_STREQ(error.what(), "in fold 1: [Inner] expected one, got two");
  }
  try {
    speaking_as("Outer", wrong);
    ADD_FAILURE();
  } catch (const ValueError& error) {
    EXPECT_STREQ(error.what(), "[Outer] expected one, got two");
  }
  try {
    speaking_as("Outer", [&] { saying("in fold 1: ", at_row); });
    ADD_FAILURE();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where(), "Outer");
    EXPECT_EQ(error.message(), "in fold 1: expected one, got two");
    EXPECT_EQ(error.location().column, "x");
  }
  EXPECT_THROW(saying("in fold 1: ", own), OfTheUser);
  EXPECT_THROW(speaking_as("Outer", own), OfTheUser);
  EXPECT_EQ(saying("in fold 1: ", [] { return 7; }), 7);
}

TEST(Retell, NamesTheClassOfAType) {
  EXPECT_EQ(internal::class_name("k_means"), "KMeans");
  EXPECT_EQ(internal::class_name("Ridge"), "Ridge");
}

}  // namespace
}  // namespace tern
