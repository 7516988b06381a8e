#pragma once

#include <cstdint>
#include <span>

#include "tern/base/export.h"

/// Figures of rows that are put in order within queries.
namespace tern::metrics {

/// Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002) of scores [N] against grades [N], 0 or more;
/// `queries` are the numbers of rows of each query, which stand together. A query's gains 2^grade - 1 of the first `at`
/// rows by score, over log2(rank + 1), are divided by the most that they could be; rows of equal scores share their
/// mean gain (McSherry and Najork 2008). The mean over queries, of which those of grades 0 alone count 1. Throws
/// ValueError for no rows, a query of none, `at` below 1 or a grade below 0 or above 31, ShapeError where lengths
/// differ, NumericError for a NaN or infinity.
TERN_API double ndcg(std::span<const double> scores, std::span<const double> grades,
                     std::span<const std::int64_t> queries, int at = 10);

}  // namespace tern::metrics
