#include "tern/metrics/ranking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tern/base/error.h"

namespace tern::metrics {
namespace {

using Scores = std::vector<double>;
using Queries = std::vector<std::int64_t>;

// scikit-learn 1.9.1: ndcg_score([2**g - 1], [s], k=k) of each query; three rows of the second tie.
TEST(Ndcg, IsThatOfScikitLearn) {
  const Scores scores{0.3, 0.9, 0.9, -1, 0.5, 2, 2, 2}, grades{2, 0, 3, 1, 0, 0, 1, 4};
  EXPECT_NEAR(ndcg(scores, grades, Queries{5, 3}, 3), (0.6077272659970182 + 0.7270814254102638) / 2, 1e-14);
  EXPECT_NEAR(ndcg(scores, grades, Queries{5, 3}), (0.7864688979930322 + 0.7270814254102638) / 2, 1e-14);
  EXPECT_NEAR(ndcg(scores, grades, Queries{8}, 3), 0.5433487528746874, 1e-14);
  EXPECT_NEAR(ndcg(scores, grades, Queries{8}), 0.7150892346047115, 1e-14);
}

TEST(Ndcg, OfNothingToFindIsOne) {
  EXPECT_EQ(ndcg(Scores{1, 2, 3}, Scores{0, 0, 0}, Queries{3}), 1);
  EXPECT_EQ(ndcg(Scores{3, 2, 1, 5}, Scores{2, 1, 0, 1}, Queries{3, 1}), 1);
}

TEST(Ndcg, RefusesWhatIsNoRanking) {
  const Scores two{1, 2};
  EXPECT_THROW(ndcg({}, {}, {}), ValueError);
  EXPECT_THROW(ndcg(two, Scores{1}, Queries{2}), ShapeError);
  EXPECT_THROW(ndcg(two, two, {}), ShapeError);
  EXPECT_THROW(ndcg(two, two, Queries{1}), ShapeError);
  EXPECT_THROW(ndcg(two, two, Queries{3}), ShapeError);
  EXPECT_THROW(ndcg(two, two, Queries{2, 1}), ShapeError);
  EXPECT_THROW(ndcg(two, two, Queries{2, 0}), ValueError);
  EXPECT_THROW(ndcg(two, two, Queries{2}, 0), ValueError);
  EXPECT_THROW(ndcg(two, Scores{-1, 0}, Queries{2}), ValueError);
  EXPECT_THROW(ndcg(two, Scores{32, 0}, Queries{2}), ValueError);
  EXPECT_THROW(ndcg(Scores{std::nan(""), 0}, two, Queries{2}), NumericError);
  EXPECT_THROW(ndcg(two, Scores{std::numeric_limits<double>::infinity(), 0}, Queries{2}), NumericError);
}

}  // namespace
}  // namespace tern::metrics
