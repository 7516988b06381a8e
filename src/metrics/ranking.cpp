#include "tern/metrics/ranking.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "metrics/check.h"
#include "tern/base/error.h"

namespace tern::metrics {
namespace {

double gain_of(double grade) { return std::exp2(grade) - 1; }

double discount_of(std::size_t place) { return 1 / std::log2(static_cast<double>(place) + 2); }

double ndcg_of_query(std::span<const double> scores, std::span<const double> grades, std::size_t at) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  double got = 0;
  for (std::size_t begin = 0, end = 0; begin < order.size() && begin < at; begin = end) {
    double gain = 0, discount = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end) {
      gain += gain_of(grades[order[end]]);
      if (end < at) discount += discount_of(end);
    }
    got += gain / static_cast<double>(end - begin) * discount;
  }
  std::vector<double> best(grades.begin(), grades.end());
  std::sort(best.begin(), best.end(), std::greater<>());
  double most = 0;
  for (std::size_t i = 0; i < best.size() && i < at; ++i) most += gain_of(best[i]) * discount_of(i);
  return most > 0 ? got / most : 1;
}

}  // namespace

double ndcg(std::span<const double> scores, std::span<const double> grades, std::span<const std::int64_t> queries,
            int at) {
  internal::check_lengths("ndcg", scores.size(), grades.size(), 0);
  internal::check_numbers("ndcg", "score", scores, internal::Domain::finite);
  internal::check_numbers("ndcg", "grade", grades, internal::Domain::finite);
  if (at < 1) internal::refuse_value("ndcg", "at least the first row", std::to_string(at));
  for (const double grade : grades) {
    if (!(grade >= 0 && grade <= 31)) internal::refuse_value("ndcg", "grades 0 to 31", internal::number_text(grade));
  }
  std::size_t begin = 0;
  double sum = 0;
  const auto check_rows = [&](bool good, const char* got) {
    if (good) return;
    throw ShapeError("[ndcg] expected queries of " + std::to_string(scores.size()) + " rows in all, got " + got);
  };
  for (const std::int64_t rows : queries) {
    if (rows < 1) internal::refuse_value("ndcg", "queries of at least one row", std::to_string(rows));
    const auto count = static_cast<std::size_t>(rows);
    check_rows(count <= scores.size() - begin, "more");
    sum += ndcg_of_query(scores.subspan(begin, count), grades.subspan(begin, count), static_cast<std::size_t>(at));
    begin += count;
  }
  check_rows(begin == scores.size(), "fewer");
  return sum / static_cast<double>(queries.size());
}

}  // namespace tern::metrics
