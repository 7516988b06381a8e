#include "tern/models/conformal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "message_of.h"
#include "tern/base/error.h"
#include "tern/base/random.h"

namespace tern::models {
namespace {

TEST(ConformalIntervals, RadiusIsTheQuantileOfErrors) {
  const std::vector<double> zero(9, 0.0), y = {1, -2, 3, -4, 5, -6, 7, -8, 9};
  EXPECT_EQ(ConformalIntervals(zero, y, 0.5).radius(), 5);  // the 5th of 9: ceil(10 * 0.5)
  EXPECT_EQ(ConformalIntervals(zero, y, 0.9).radius(), 9);  // the 9th
  EXPECT_TRUE(std::isinf(ConformalIntervals(zero, y, 0.95).radius()));
  const std::vector<double> scales(9, 2.0);
  const ConformalIntervals wide(zero, y, 0.5, scales);
  EXPECT_EQ(wide.interval(10, 4), (std::pair<double, double>{0, 20}));
  EXPECT_EQ(ConformalIntervals(zero, y, 1e-12).radius(), 1);  // the 1st at least
  for (const double scale : {0.0, -1.0, double{NAN}, double{INFINITY}}) {
    EXPECT_THROW(wide.interval(1, scale), ValueError) << scale;
  }
  EXPECT_THROW(ConformalIntervals(zero, y, 1), ValueError);
  EXPECT_THROW(ConformalIntervals(zero, std::vector<double>{1}, 0.5), ShapeError);
  EXPECT_THROW(ConformalIntervals({}, {}, 0.5), ValueError);
  EXPECT_THROW(ConformalIntervals(zero, y, 0.5, std::vector<double>(9, 0.0)), ValueError);
  EXPECT_THROW(ConformalIntervals(zero, y, 0.5, std::vector<double>(9, INFINITY)), ValueError);
  EXPECT_THROW(ConformalIntervals(zero, std::vector<double>(9, NAN), 0.5), ValueError);
}

// Over many draws of calibration rows a new row is inside in the stated share, also of a model that is wrong.
TEST(Conformal, CoversAsStated) {
  const Philox random(5);
  std::uint64_t draw = 0;
  int inside = 0, between = 0, in_set = 0, in_adaptive = 0;
  constexpr int trials = 2000, n = 40;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> wrong, low, high, y, p;
    std::vector<std::int64_t> label;
    for (int i = 0; i <= n; ++i) {
      const double u = random.uniform(draw++), x = random.uniform(draw++);
      y.push_back(u * u * (1 + x));
      wrong.push_back(0.1 * x);
      low.push_back(0.2);
      high.push_back(0.3 + x);
      const double share = 0.2 + 0.6 * x;
      p.insert(p.end(), {share, 0.7 * (1 - share), 0.3 * (1 - share)});
      label.push_back(u < 0.5 ? 0 : u < 0.8 ? 1 : 2);
    }
    const auto head = [&](const std::vector<double>& v, std::size_t width = 1) {
      return std::span(v).first(n * width);
    };
    const std::span last = std::span(p).last(3);
    const auto [a, b] = ConformalIntervals(head(wrong), head(y), 0.8).interval(wrong[n]);
    inside += a <= y[n] && y[n] <= b;
    const auto [c, d] = ConformalQuantiles(head(low), head(high), head(y), 0.8).interval(low[n], high[n]);
    between += c <= y[n] && y[n] <= d;
    const std::span<const std::int64_t> labels = std::span(label).first(n);
    const auto holds = [&](SetScore score) {
      const auto set = ConformalSets(head(p, 3), labels, 3, 0.8, score).set(last);
      return std::find(set.begin(), set.end(), label[n]) != set.end();
    };
    in_set += holds(SetScore::least_ambiguous);
    in_adaptive += holds(SetScore::adaptive);
  }
  // ceil(41 * 0.8) / 41 = 0.805; the adaptive score is not continuous here, which only adds coverage
  EXPECT_NEAR(inside / double{trials}, 0.805, 0.03);
  EXPECT_NEAR(between / double{trials}, 0.805, 0.03);
  EXPECT_NEAR(in_set / double{trials}, 0.805, 0.03);
  EXPECT_GE(in_adaptive / double{trials}, 0.775);
}

TEST(ConformalSets, HoldTheLikelyClasses) {
  const std::vector<double> p = {0.9, 0.1, 0.8, 0.2, 0.6, 0.4, 0.3, 0.7};
  const std::vector<std::int64_t> labels = {0, 0, 0, 1};
  const ConformalSets sets(p, labels, 2, 0.6);  // scores .1 .2 .4 .3: the 3rd
  EXPECT_NEAR(sets.limit(), 0.3, 1e-12);
  EXPECT_EQ(sets.set(std::vector<double>{0.75, 0.25}), (std::vector<std::int64_t>{0}));
  EXPECT_TRUE(sets.set(std::vector<double>{0.5, 0.5}).empty());
  EXPECT_EQ(ConformalSets(p, labels, 2, 0.6, SetScore::adaptive).set(std::vector<double>{0.5, 0.5}),
            (std::vector<std::int64_t>{0}));
  EXPECT_THROW(sets.set(std::vector<double>{1}), ShapeError);
  EXPECT_THROW(sets.set(std::vector<double>{2, -1}), ValueError);
  EXPECT_THROW(sets.set(std::vector<double>{std::nan(""), 0.5}), ValueError);
  EXPECT_THROW(ConformalSets(p, std::vector<std::int64_t>{0, 0, 0, 2}, 2, 0.6), ValueError);
  EXPECT_THROW(ConformalSets(p, labels, 1, 0.6), ValueError);
  EXPECT_THROW(sets.set(std::vector<double>{0.9, 0.9}), ValueError);
  EXPECT_EQ(sets.set(std::vector<double>{0.7505, 0.25}), (std::vector<std::int64_t>{0}));
  std::vector<double> logits = p;
  logits[5] = 1;
  EXPECT_EQ(message_of<ValueError>([&] { ConformalSets(logits, labels, 2, 0.6); }),
            "[ConformalSets] expected probabilities of all classes whose sum is 1, got 1.6 in row 2");
  EXPECT_THROW(ConformalSets(p, labels, 10'001, 0.6), ValueError);
}

TEST(ConformalQuantiles, MoveInwardsWhereTheyAreTooWide) {
  const std::vector<double> low(9, -10.0), high(9, 10.0), y(9, 0.0);
  const ConformalQuantiles narrow(low, high, y, 0.5);
  EXPECT_EQ(narrow.shift(), -10);
  EXPECT_EQ(narrow.interval(-12, 12), (std::pair<double, double>{-2, 2}));
  EXPECT_EQ(narrow.interval(-2, 6), (std::pair<double, double>{2, 2}));
  EXPECT_THROW(ConformalQuantiles(std::vector<double>(9, -INFINITY), high, y, 0.5), ValueError);
}

TEST(Conformal, ComesBackFromItsText) {
  const std::vector<double> zero(9), y = {1, 2, 3, 4, 5, 6, 7, 8, 0.1}, low(9, -1.0), high(9, 2.5);
  const std::vector<double> p = {0.9, 0.1, 0.8, 0.2, 0.6, 0.4, 0.3, 0.7};
  const std::vector<std::int64_t> labels = {0, 0, 0, 1};
  for (const double coverage : {0.3, 0.5, 0.99}) {  // the last of too few rows: infinite
    const ConformalIntervals intervals(zero, y, coverage);
    EXPECT_EQ(std::isinf(intervals.radius()), coverage > 0.9);
    EXPECT_EQ(ConformalIntervals::from_json(intervals.to_json()).radius(), intervals.radius());
    const ConformalQuantiles quantiles(low, high, y, coverage);
    EXPECT_EQ(ConformalQuantiles::from_json(quantiles.to_json()).shift(), quantiles.shift());
    for (const SetScore score : {SetScore::least_ambiguous, SetScore::adaptive}) {
      const ConformalSets sets(p, labels, 2, coverage, score), read = ConformalSets::from_json(sets.to_json());
      EXPECT_EQ(read.limit(), sets.limit());
      for (const double share : {0.0, 0.25, 0.5, 0.75, 0.95}) {
        const std::vector<double> row = {share, 1 - share};
        EXPECT_EQ(read.set(row), sets.set(row)) << share;
      }
      EXPECT_THROW(read.set(std::vector<double>{0.2, 0.3, 0.5}), ShapeError);
    }
  }
  const std::string inwards = R"({"format":"tern.conformal_quantiles","version":1,"shift":-10})";
  EXPECT_EQ(ConformalQuantiles::from_json(inwards).interval(-12, 12), (std::pair<double, double>{-2, 2}));
}

TEST(Conformal, AlteredTextsAreRefused) {
  const std::string good = ConformalSets(std::vector<double>{0.9, 0.1}, std::vector<std::int64_t>{0}, 2, 0.4).to_json();
  ConformalSets::from_json(good);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_THROW(ConformalSets::from_json(std::string_view(good).substr(0, size)), FormatError) << size;
  }
  const auto altered = [&](const char* from, const char* to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << text;
    return text.replace(at, std::string(from).size(), to);
  };
  for (const auto& [from, to] :
       std::initializer_list<std::pair<const char*, const char*>>{{"\"classes\":2", "\"classes\":1"},
                                                                  {"\"classes\":2", "\"classes\":-2"},
                                                                  {"\"classes\":2", "\"classes\":2.5"},
                                                                  {"\"classes\":2", "\"classes\":1e300"},
                                                                  {"\"classes\":2", "\"classes\":2,\"classes\":2"},
                                                                  {"least_ambiguous", "most_ambiguous"},
                                                                  {"\"least_ambiguous\"", "0"},
                                                                  {"\"limit\":", "\"limit\":-"},
                                                                  {"\"limit\":", "\"radius\":"},
                                                                  {"\"limit\":", "\"more\":1,\"limit\":"},
                                                                  {"\"classes\":2", "\"classes\":10001"},
                                                                  {"conformal_sets", "conformal_quantiles"},
                                                                  {"\"format\"", "\"type\""},
                                                                  {"\"version\":1", "\"version\":2"}}) {
    const std::string text = altered(from, to);
    EXPECT_THROW(ConformalSets::from_json(text), FormatError) << text;
  }
  for (const char* text : {"", "[]", "3", "{}", "{\"radius\":1}"}) {
    EXPECT_THROW(ConformalIntervals::from_json(text), FormatError) << text;
  }
  // Beside what every text begins with.
  const auto of = [](const std::string& format, const std::string& member) {
    return R"({"format":"tern.conformal_)" + format + R"(","version":1,)" + member + "}";
  };
  EXPECT_EQ(ConformalIntervals::from_json(of("intervals", "\"radius\":1")).radius(), 1);
  for (const char* member : {"\"radius\":null", "\"radius\":-1", "\"radius\":true", "\"radius\":1e999",
                             "\"radius\":\"NaN\"", "\"radius\":[1]", "\"shift\":1", "\"radius\":1,\"shift\":1"}) {
    EXPECT_THROW(ConformalIntervals::from_json(of("intervals", member)), FormatError) << member;
  }
  EXPECT_THROW(ConformalIntervals::from_json(of("quantiles", "\"radius\":1")), FormatError);
  for (const char* member :
       {"\"radius\":1", "\"shift\":\"-infinity\"", "\"shift\":false", "\"shift\":1}", "\"shift\":1,\"more\":1"}) {
    EXPECT_THROW(ConformalQuantiles::from_json(of("quantiles", member)), FormatError) << member;
  }
  // A limit is one of its kind of score.
  const auto sets = [](const std::string& members) {
    return R"({"format":"tern.conformal_sets","version":1,)" + members + "}";
  };
  const std::string adaptive = R"(,"classes":3,"score":"adaptive")",
                    least = R"(,"classes":3,"score":"least_ambiguous")";
  EXPECT_EQ(ConformalSets::from_json(sets("\"limit\":3" + adaptive)).limit(), 3);
  EXPECT_THROW(ConformalSets::from_json(sets("\"limit\":3.1" + adaptive)), FormatError);
  EXPECT_THROW(ConformalSets::from_json(sets("\"limit\":1e308" + adaptive)), FormatError);
  EXPECT_EQ(ConformalSets::from_json(sets("\"limit\":1" + least)).limit(), 1);
  EXPECT_THROW(ConformalSets::from_json(sets("\"limit\":1.1" + least)), FormatError);
}

}  // namespace
}  // namespace tern::models
