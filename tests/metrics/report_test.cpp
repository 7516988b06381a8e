#include "tern/metrics/report.h"

#include <algorithm>
#include <cstring>

#include "metrics/golden.h"
#include "sanitized.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"

namespace tern::metrics {
namespace {

using Doubles = std::vector<double>;
using Bytes = std::vector<std::uint8_t>;
using json = tern::internal::Json;

struct Rows {
  Doubles p;
  Bytes y;
};

Rows make_rows(std::uint64_t n, std::uint64_t seed = 1, double levels = 200) {
  const Philox random(seed);
  Rows rows;
  for (std::uint64_t i = 0; i < n; ++i) {
    rows.p.push_back(std::round(random.uniform(2 * i) * levels) / levels);
    rows.y.push_back(random.uniform(2 * i + 1) < 0.15 + 0.7 * rows.p.back());
  }
  return rows;
}

json parsed(const BinaryReport& report) { return tern::internal::parse_json(to_json(report), "report"); }

constexpr std::uint64_t kSamples = repeats(100, 10);

class Report : public ::testing::Test {
 protected:
  void TearDown() override { set_num_threads(0); }
};

TEST_F(Report, ValuesAreThoseOfTheFunctions) {
  for (const auto& row : golden("binary")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const auto p = row.at("p").get<Doubles>(), w = row.at("w").get<Doubles>();
    const auto y = row.at("y").get<Bytes>();
    const auto report =
        binary_report(p, y, {.threshold = row.at("threshold").get<double>(), .weights = w, .resamples = 20});
    EXPECT_EQ(report.rows, static_cast<std::int64_t>(y.size()));
    EXPECT_EQ(report.positives, std::count(y.begin(), y.end(), 1));
    expect_close(report.at_threshold.accuracy.value, row.at("accuracy"));
    expect_close(report.at_threshold.precision.value, row.at("precision"));
    expect_close(report.at_threshold.recall.value, row.at("recall"));
    expect_close(report.at_threshold.f1.value, row.at("f1"));
    expect_close(report.at_half.f1.value, binary_confusion(p, y, {.weights = w}).f1());
    expect_close(report.auroc.value, row.at("auroc"));
    expect_close(report.average_precision.value, row.at("average_precision"));
    expect_close(report.log_loss.value, row.at("log_loss"));
    expect_close(report.brier.value, row.at("brier"));
    expect_close(report.calibration.slope.value, row.at("slope"), 1e-11);
    expect_close(report.calibration.intercept.value, row.at("intercept"), 1e-11);
    expect_close(report.calibration.ece.value, row.at("ece"));
  }
}

using Units = std::vector<std::vector<std::size_t>>;

/// The interval, computed the long way: units of rows drawn one by one, the public function on all their rows.
template <class F>
void expect_interval(const Interval& got, const Rows& rows, const Units& units, const BinaryReportOptions& options,
                     const F& figure) {
  const std::span<const double> w = options.weights;
  Doubles values;
  for (std::int64_t r = 0; r < options.resamples; ++r) {
    const Philox random(options.seed, static_cast<std::uint64_t>(r));
    Rows drawn;
    Doubles drawn_w;
    for (std::uint64_t i = 0; i < units.size(); ++i) {
      for (const std::size_t at : units[static_cast<std::size_t>(random.below(i, units.size()))]) {
        drawn.p.push_back(rows.p[at]);
        drawn.y.push_back(rows.y[at]);
        drawn_w.push_back(w.empty() ? 1.0 : w[at]);
      }
    }
    const double value = figure(drawn.p, drawn.y, drawn_w);
    if (!std::isnan(value)) values.push_back(value);
  }
  EXPECT_EQ(got.undefined_resamples, options.resamples - static_cast<std::int64_t>(values.size()));
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double share) {
    const double at = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(std::floor(at));
    const auto above = std::min(below + 1, values.size() - 1);
    return values[below] + (at - std::floor(at)) * (values[above] - values[below]);
  };
  const double tail = (1 - options.confidence) / 2;
  expect_close(got.low, quantile(tail), 1e-9);
  expect_close(got.high, quantile(1 - tail), 1e-9);
}

TEST_F(Report, IntervalsAreThoseOfPlainResampling) {
  for (const bool weighted : {false, true}) {
    SCOPED_TRACE(weighted);
    const Rows rows = make_rows(61, 4, 30);  // odd: the last draw takes half a block
    Doubles w;
    for (std::uint64_t i = 0; weighted && i < 61; ++i) w.push_back(Philox(9).uniform(i));
    const BinaryReportOptions options{.threshold = 0.35,
                                      .weights = w,
                                      .confidence = 0.9,
                                      .resamples = 77,
                                      .seed = 12,
                                      .false_negative_cost = 5,
                                      .false_positive_cost = 0.5};
    const auto report = binary_report(rows.p, rows.y, options);
    Units alone;
    for (std::size_t i = 0; i < 61; ++i) alone.push_back({i});
    const auto check = [&](const Interval& interval, const auto& figure) {
      expect_interval(interval, rows, alone, options, figure);
    };
    check(report.auroc, [](auto& p, auto& y, auto& v) { return auroc(p, y, v); });
    check(report.average_precision, [](auto& p, auto& y, auto& v) { return average_precision(p, y, v); });
    check(report.log_loss, [](auto& p, auto& y, auto& v) { return log_loss(p, y, v); });
    check(report.brier, [](auto& p, auto& y, auto& v) { return brier(p, y, v); });
    check(report.calibration.slope, [](auto& p, auto& y, auto& v) { return calibration_fit(p, y, v).slope; });
    check(report.calibration.intercept, [](auto& p, auto& y, auto& v) { return calibration_fit(p, y, v).intercept; });
    for (const auto* figures : {&report.at_threshold, &report.at_half}) {
      const auto at = [&](auto& p, auto& y, auto& v) {
        return binary_confusion(p, y, {.threshold = figures->threshold, .weights = v});
      };
      check(figures->accuracy, [&](auto& p, auto& y, auto& v) { return at(p, y, v).accuracy(); });
      check(figures->precision, [&](auto& p, auto& y, auto& v) { return at(p, y, v).precision(); });
      check(figures->recall, [&](auto& p, auto& y, auto& v) { return at(p, y, v).recall(); });
      check(figures->f1, [&](auto& p, auto& y, auto& v) { return at(p, y, v).f1(); });
    }
    // Decisions cost what the confusion at their threshold says; one decision for all is a threshold beyond every
    // score.
    for (const auto& [interval, threshold] :
         {std::pair(&report.cost.per_row, 0.35), std::pair(&report.cost.always_negative, 2.0),
          std::pair(&report.cost.always_positive, -1.0)}) {
      const auto cost = [at = threshold](auto& p, auto& y, auto& v) {
        const BinaryConfusion c = binary_confusion(p, y, {.threshold = at, .weights = v});
        return (5 * c.false_negative + 0.5 * c.false_positive) /
               (c.true_positive + c.false_positive + c.false_negative + c.true_negative);
      };
      check(*interval, cost);
      expect_close(interval->value, cost(rows.p, rows.y, w), 1e-12);
    }
  }
}

TEST_F(Report, CostsAreWrittenAndPrinted) {
  const Doubles p{0.9, 0.8, 0.7, 0.6, 0.2, 0.1};
  const Bytes y{1, 0, 1, 0, 1, 0};
  const BinaryReportOptions options{
      .threshold = 0.65, .resamples = 0, .false_negative_cost = 4, .false_positive_cost = 1.5};
  const BinaryReport report = binary_report(p, y, options);
  const auto cost = parsed(report).at("cost");
  EXPECT_EQ(cost.at("false_negative"), 4);
  EXPECT_EQ(cost.at("false_positive"), 1.5);
  EXPECT_EQ(cost.at("total"), 5.5);
  EXPECT_EQ(cost.at("per_row").at("value"), 5.5 / 6);
  EXPECT_EQ(cost.at("always_negative").at("total"), 12);
  EXPECT_EQ(cost.at("always_negative").at("per_row").at("value"), 2);
  EXPECT_EQ(cost.at("always_positive").at("total"), 4.5);
  EXPECT_EQ(cost.at("always_positive").at("per_row").at("value"), 0.75);
  EXPECT_NE(to_string(report).find("  cost per row               0.9167"), std::string::npos) << to_string(report);
  EXPECT_FALSE(parsed(binary_report(p, y, {.resamples = 0})).contains("cost"));
  EXPECT_EQ(message_of<ValueError>([&] { binary_report(p, y, {.false_negative_cost = -1}); }),
            "[binary_report] expected finite costs that are not negative, got -1");
}

TEST_F(Report, IntervalsAreWithheldWhereAClassIsTooRare) {
  Rows rows = make_rows(80);
  std::fill(rows.y.begin(), rows.y.end(), std::uint8_t{0});
  for (std::size_t i = 0; i < 9; ++i) rows.y[8 * i] = 1;
  BinaryReportOptions options{.resamples = 50, .min_per_class = 10};
  const BinaryReport few = binary_report(rows.p, rows.y, options);
  EXPECT_EQ(few.no_intervals, "9 positive rows, fewer than 10");
  EXPECT_EQ(few.resamples, 0);
  const auto written = parsed(few);
  EXPECT_EQ(written.at("no_intervals"), few.no_intervals);
  for (const json& figure : {written.at("auroc"), written.at("f1"), written.at("calibration").at("ece")}) {
    EXPECT_TRUE(figure.at("value").is_number());
    EXPECT_TRUE(figure.at("low").is_null() && figure.at("high").is_null());
    EXPECT_EQ(figure.at("reason"), few.no_intervals);
  }
  const std::string text = to_string(few);
  EXPECT_NE(text.find("no intervals: 9 positive rows, fewer than 10\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("(9 positive"), std::string::npos) << text;

  rows.y[79] = 1;  // the tenth
  EXPECT_FALSE(std::isnan(binary_report(rows.p, rows.y, options).auroc.low));
  std::vector<std::int64_t> groups(80);  // rows enough, of 9 groups only
  for (std::size_t i = 0; i < 80; ++i) groups[i] = i < 72 ? static_cast<std::int64_t>(i / 8) : 8;
  options.groups = groups;
  EXPECT_EQ(binary_report(rows.p, rows.y, options).no_intervals,
            "9 groups with a positive row and 9 groups with a negative row, fewer than 10");
  options.min_per_class = 0;
  EXPECT_FALSE(std::isnan(binary_report(rows.p, rows.y, options).auroc.low));
}

TEST_F(Report, APrecisionOfAHandfulHasNoInterval) {
  const Rows rows = make_rows(80);
  std::vector<double> sorted = rows.p;
  std::sort(sorted.rbegin(), sorted.rend());
  BinaryReportOptions options{.threshold = sorted[8], .resamples = 50, .min_per_class = 10};  // nine decided positive
  const auto few = parsed(binary_report(rows.p, rows.y, options)).at("precision");
  EXPECT_TRUE(few.at("value").is_number());
  EXPECT_TRUE(few.at("low").is_null() && few.at("high").is_null());
  EXPECT_EQ(few.at("reason"), "no interval of fewer than 10 rows decided positive");
  options.threshold = sorted[9];
  const BinaryReport enough = binary_report(rows.p, rows.y, options);
  EXPECT_FALSE(std::isnan(enough.at_threshold.precision.low));
  EXPECT_FALSE(std::isnan(enough.at_threshold.recall.low));
}

TEST_F(Report, IntervalsOfGroupsAreThoseOfDrawingAllRowsOfEach) {
  // Groups of 1 to 5 rows whose rows lie apart; group i is the i-th to appear.
  constexpr std::uint64_t n = 73, group_count = 25;
  const Rows rows = make_rows(n, 4, 30);
  std::vector<std::int64_t> groups;
  Units units;
  for (std::uint64_t i = 0; i < n; ++i) {
    const std::uint64_t group = i < group_count ? i : Philox(2).below(i, group_count / 2);
    groups.push_back(900 - 7 * static_cast<std::int64_t>(group));
    if (group == units.size()) units.emplace_back();
    units[group].push_back(i);
  }
  const auto [fewest, most] =
      std::minmax_element(units.begin(), units.end(), [](auto& a, auto& b) { return a.size() < b.size(); });
  ASSERT_EQ(fewest->size(), 1u);
  ASSERT_GT(most->size(), 3u);
  for (const bool weighted : {false, true}) {
    SCOPED_TRACE(weighted);
    Doubles w;
    for (std::uint64_t i = 0; weighted && i < n; ++i) w.push_back(Philox(9).uniform(i));
    const BinaryReportOptions options{
        .threshold = 0.35, .weights = w, .groups = groups, .confidence = 0.9, .resamples = 77, .seed = 12};
    const BinaryReport report = binary_report(rows.p, rows.y, options);
    EXPECT_EQ(report.groups, static_cast<std::int64_t>(group_count));
    const auto check = [&](const Interval& interval, const auto& figure) {
      expect_interval(interval, rows, units, options, figure);
    };
    check(report.auroc, [](auto& p, auto& y, auto& v) { return auroc(p, y, v); });
    check(report.log_loss, [](auto& p, auto& y, auto& v) { return log_loss(p, y, v); });
    check(report.brier, [](auto& p, auto& y, auto& v) { return brier(p, y, v); });
    check(report.at_threshold.recall,
          [](auto& p, auto& y, auto& v) { return binary_confusion(p, y, {.threshold = 0.35, .weights = v}).recall(); });
  }
}

TEST_F(Report, SameBitsAtAnyThreadCount) {
  const Rows rows = make_rows(400);
  std::vector<std::string> texts;
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    texts.push_back(to_json(binary_report(rows.p, rows.y, {.threshold = 0.4, .resamples = 150, .seed = 3})));
  }
  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_EQ(texts[0], texts[2]);
  EXPECT_NE(texts[0], to_json(binary_report(rows.p, rows.y, {.threshold = 0.4, .resamples = 150, .seed = 4})));
}

TEST_F(Report, IntervalsCoverAboutAsOftenAsPromised) {
  // The true AUROC of these rows, from a million of them, is found by 95 % intervals of 100 samples of 300 rows.
  const Rows many = make_rows(repeats(1000000, 100000), 99);
  const double truth = auroc(many.p, many.y);
  int covered = 0;
  for (std::uint64_t seed = 100; seed < 100 + kSamples; ++seed) {
    const Rows rows = make_rows(300, seed);
    const auto report = binary_report(rows.p, rows.y, {.resamples = 300, .seed = seed});
    covered += report.auroc.low <= truth && truth <= report.auroc.high;
  }
  EXPECT_GE(covered, 0.88 * double{kSamples});
  if (!kSanitized) {
    EXPECT_LE(covered, 99);
  }
}

// The interval of the ece, computed the long way as the header says.
TEST_F(Report, TheEceIntervalIsMadeOfTheBinsGaps) {
  const Rows rows = make_rows(61, 4, 30);
  const BinaryReportOptions options{.confidence = 0.9, .resamples = 77, .seed = 12};
  const auto gaps_of = [](const Doubles& p, const Bytes& y) {
    Doubles gaps;
    for (const CalibrationBin& bin : expected_calibration_error(p, y).bins) {
      gaps.push_back(
          bin.rows == 0 ? 0 : bin.weight * (bin.mean_probability - bin.observed_rate) / static_cast<double>(p.size()));
    }
    return gaps;
  };
  const Doubles gaps = gaps_of(rows.p, rows.y);
  Doubles below, above;
  for (std::uint64_t r = 0; r < 77; ++r) {
    Rows drawn;
    for (std::uint64_t i = 0; i < 61; ++i) {
      const auto at = static_cast<std::size_t>(Philox(12, r).below(i, 61));
      drawn.p.push_back(rows.p[at]);
      drawn.y.push_back(rows.y[at]);
    }
    const Doubles other = gaps_of(drawn.p, drawn.y);
    below.push_back(0);
    above.push_back(0);
    for (std::size_t b = 0; b < gaps.size(); ++b) {
      below.back() += std::fabs(other[b] - gaps[b]);
      above.back() += gaps[b] < 0 ? other[b] - gaps[b] : gaps[b] - other[b];
    }
  }
  const auto quantile = [](Doubles values, double share) {
    std::sort(values.begin(), values.end());
    const double at = share * static_cast<double>(values.size() - 1);
    const auto low = static_cast<std::size_t>(std::floor(at));
    return values[low] + (at - std::floor(at)) * (values[low + 1] - values[low]);
  };
  const Interval ece = binary_report(rows.p, rows.y, options).calibration.ece;
  expect_close(ece.low, std::max(0.0, ece.value - quantile(below, 0.95)), 1e-9);
  expect_close(ece.high, ece.value + quantile(above, 0.95), 1e-9);
}

TEST_F(Report, TheEceIntervalHoldsItsValueAndTheTruth) {
  // From calibrated (where percentiles never reach the truth, 0) to far off; the truth is that of a million rows.
  for (const double slope : {1.0, 0.8, 0.4}) {
    const auto make = [&](std::uint64_t n, std::uint64_t seed) {
      const Philox random(seed);
      Rows rows;
      for (std::uint64_t i = 0; i < n; ++i) {
        rows.p.push_back(random.uniform(2 * i));
        rows.y.push_back(random.uniform(2 * i + 1) < 0.5 + slope * (rows.p.back() - 0.5));
      }
      return rows;
    };
    const Rows many = make(repeats(1000000, 100000), 99);
    const double truth = slope == 1.0 ? 0.0 : expected_calibration_error(many.p, many.y).value;
    int covered = 0;
    for (std::uint64_t seed = 100; seed < 100 + kSamples; ++seed) {
      const Rows rows = make(300, seed);
      const Interval ece = binary_report(rows.p, rows.y, {.resamples = 200, .seed = seed}).calibration.ece;
      EXPECT_LE(ece.low, ece.value);
      EXPECT_LE(ece.value, ece.high);
      EXPECT_LT(ece.high - ece.low, 0.2);
      covered += ece.low <= truth && truth <= ece.high;
    }
    EXPECT_GE(covered, 0.9 * double{kSamples}) << slope;
  }
}

TEST_F(Report, WholeGroupsAreResampled) {
  // Groups of one row each are rows; groups of five rows that are one row five times over are as few as their groups.
  const Rows rows = make_rows(200, 3);
  std::vector<std::int64_t> single, five;
  Rows copied;
  for (std::int64_t i = 0; i < 200; ++i) {
    single.push_back(1000 - i);
    for (int k = 0; k < 5; ++k) {
      copied.p.push_back(rows.p[static_cast<std::size_t>(i)]);
      copied.y.push_back(rows.y[static_cast<std::size_t>(i)]);
      five.push_back(i % 2 == 0 ? i : -i);
    }
  }
  const auto alone = binary_report(rows.p, rows.y, {.resamples = 200, .seed = 5});
  const auto grouped = binary_report(rows.p, rows.y, {.groups = single, .resamples = 200, .seed = 5});
  EXPECT_EQ(grouped.groups, 200);
  EXPECT_EQ(alone.groups, 0);
  const auto whole = binary_report(copied.p, copied.y, {.groups = five, .resamples = 200, .seed = 5});
  const auto blind = binary_report(copied.p, copied.y, {.resamples = 200, .seed = 5});
  for (const auto figure : {&BinaryReport::auroc, &BinaryReport::log_loss, &BinaryReport::brier}) {
    EXPECT_EQ((grouped.*figure).low, (alone.*figure).low);
    EXPECT_EQ((grouped.*figure).high, (alone.*figure).high);
    EXPECT_NEAR((whole.*figure).low, (alone.*figure).low, 1e-12);
    EXPECT_NEAR((whole.*figure).high, (alone.*figure).high, 1e-12);
    EXPECT_LT((blind.*figure).high - (blind.*figure).low, 0.6 * ((whole.*figure).high - (whole.*figure).low));
  }
  EXPECT_NE(to_string(whole).find("200 whole groups"), std::string::npos);
  const auto written = parsed(whole);
  EXPECT_EQ(written.at("resampled"), "groups");
  EXPECT_EQ(written.at("groups"), 200);
  EXPECT_EQ(parsed(blind).at("resampled"), "rows");
  EXPECT_THROW(binary_report(rows.p, rows.y, {.groups = five}), ShapeError);
}

TEST_F(Report, IntervalsOfGroupsCover) {
  // Rows of a group share an effect on the outcome: intervals over rows miss the mean loss, those over groups find it.
  const auto make = [](std::uint64_t groups, std::uint64_t seed, std::vector<std::int64_t>& group) {
    const Philox random(seed);
    Rows rows;
    for (std::uint64_t g = 0; g < groups; ++g) {
      const double effect = random.uniform(100 * g) < 0.5 ? -0.3 : 0.3;
      for (std::uint64_t k = 0; k < 10; ++k) {
        rows.p.push_back(0.3 + 0.15 * random.uniform(100 * g + 2 * k + 1));
        rows.y.push_back(random.uniform(100 * g + 2 * k + 2) < rows.p.back() + effect);
        group.push_back(static_cast<std::int64_t>(g));
      }
    }
    return rows;
  };
  std::vector<std::int64_t> unused;
  const Rows many = make(100000, 99, unused);
  const double truth = log_loss(many.p, many.y);
  int by_rows = 0, by_groups = 0;
  for (std::uint64_t seed = 100; seed < 100 + kSamples; ++seed) {
    std::vector<std::int64_t> group;
    const Rows rows = make(60, seed, group);
    const auto covers = [&](const Interval& interval) { return interval.low <= truth && truth <= interval.high; };
    by_rows += covers(binary_report(rows.p, rows.y, {.resamples = 200, .seed = seed}).log_loss);
    by_groups += covers(binary_report(rows.p, rows.y, {.groups = group, .resamples = 200, .seed = seed}).log_loss);
  }
  EXPECT_GE(by_groups, 0.88 * double{kSamples});
  EXPECT_LE(by_rows, 0.82 * double{kSamples});
}

TEST_F(Report, ResamplesOfOneClassAreCountedAndLeftOut) {
  // One positive in 8 rows: a resample misses it with chance (7/8)^8 = 0.34.
  const Doubles p{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8};
  const Bytes y{0, 0, 0, 0, 0, 1, 0, 0};
  const auto report = binary_report(p, y, {.resamples = 1000});
  EXPECT_NEAR(static_cast<double>(report.one_class_resamples), 344, 60);
  EXPECT_EQ(report.auroc.undefined_resamples, report.one_class_resamples);
  EXPECT_EQ(report.log_loss.undefined_resamples, 0);
  EXPECT_GT(report.calibration.slope.undefined_resamples, report.one_class_resamples);  // separable ones as well
  EXPECT_FALSE(std::isnan(report.auroc.low));
  EXPECT_NE(to_string(report).find(std::to_string(report.one_class_resamples) + " of them with one class"),
            std::string::npos);
}

TEST_F(Report, OneClassGivesReasonsAndNull) {
  const auto report = binary_report(Doubles{0.1, 0.3, 0.2}, Bytes{0, 0, 0}, {.resamples = 50});
  const auto written = parsed(report);
  EXPECT_TRUE(written.at("auroc").at("value").is_null());
  EXPECT_TRUE(written.at("auroc").at("low").is_null());
  EXPECT_EQ(written.at("auroc").at("reason"), "one class is absent");
  EXPECT_EQ(written.at("precision").at("reason"), "no row is predicted positive");
  EXPECT_EQ(written.at("recall").at("reason"), "no row is positive");
  EXPECT_EQ(written.at("average_precision").at("reason"), "no row is positive");
  EXPECT_EQ(written.at("f1").at("reason"), "no row is positive or predicted positive");
  EXPECT_EQ(written.at("calibration").at("slope").at("reason"), "all labels are equal");
  EXPECT_EQ(written.at("accuracy").at("value"), 1);
  EXPECT_EQ(written.at("one_class_resamples"), 50);
  EXPECT_EQ(report.positives, 0);
}

TEST_F(Report, JsonHasItsShape) {
  const Rows rows = make_rows(120);
  const auto report =
      binary_report(rows.p, rows.y, {.threshold = 0.37, .resamples = 40, .seed = 6, .note = "used for selection"});
  const auto written = parsed(report);
  EXPECT_EQ(written.at("rows"), 120);
  EXPECT_EQ(written.at("positives"), report.positives);
  EXPECT_EQ(written.at("threshold"), 0.37);
  EXPECT_EQ(written.at("label"), "test sampling only, without refitting");
  EXPECT_EQ(written.at("note"), "used for selection");
  EXPECT_EQ(written.at("confidence"), 0.95);
  EXPECT_EQ(written.at("resamples"), 40);
  EXPECT_EQ(written.at("seed"), 6);
  const auto is_figure = [](const json& figure) {
    return figure.at("low").get<double>() <= figure.at("value").get<double>() &&
           figure.at("value").get<double>() <= figure.at("high").get<double>();
  };
  for (const char* name : {"accuracy", "precision", "recall", "f1"}) {
    EXPECT_TRUE(is_figure(written.at(name))) << name;
    EXPECT_EQ(written.at(name), written.at("at_threshold").at(name));
    EXPECT_TRUE(is_figure(written.at("at_0.5").at(name))) << name;
  }
  EXPECT_EQ(written.at("at_0.5").at("threshold"), 0.5);
  EXPECT_EQ(written.at("at_0.5").at("confusion").size(), 4u);
  for (const char* name : {"auroc", "average_precision", "log_loss", "brier"}) {
    EXPECT_TRUE(is_figure(written.at(name))) << name;
  }
  EXPECT_EQ(written.at("auroc").at("value").get<double>(), report.auroc.value);
  EXPECT_TRUE(is_figure(written.at("calibration").at("slope")));
  EXPECT_TRUE(is_figure(written.at("calibration").at("intercept")));
  const auto& error = written.at("calibration").at("ece");
  EXPECT_TRUE(is_figure(error));
  EXPECT_EQ(error.at("binning"), "equal-width");
  ASSERT_EQ(error.at("bins").size(), 10u);
  EXPECT_EQ(error.at("bins")[3].at("low"), 0.3);
  EXPECT_EQ(error.at("bins")[3].at("high"), 0.4);
  std::int64_t binned = 0;
  for (const auto& bin : error.at("bins")) binned += bin.at("rows").get<std::int64_t>();
  EXPECT_EQ(binned, 120);
}

TEST_F(Report, PrintsATable) {
  const Doubles p{0.9, 0.8, 0.7, 0.6, 0.2, 0.1};
  const Bytes y{1, 0, 1, 0, 1, 0};
  const std::string text = to_string(binary_report(p, y, {.threshold = 0.65, .resamples = 0, .note = "validation"}));
  EXPECT_EQ(text,
            "validation\n"
            "6 rows, 3 positive\n"
            "                              value        low       high\n"
            "  auroc                      0.6667          -          -\n"
            "  average precision          0.7556          -          -\n"
            "  log loss                   0.7838          -          -\n"
            "  brier                      0.2917          -          -\n"
            "  calibration slope          0.3013          -          -\n"
            "  calibration intercept     -0.0660          -          -\n"
            "  ece (10 equal-width)       0.4500          -          -\n"
            "at threshold 0.65: 2 true positive, 1 false positive, 1 false negative, 2 true negative\n"
            "  accuracy                   0.6667          -          -\n"
            "  precision                  0.6667          -          -\n"
            "  recall                     0.6667          -          -\n"
            "  f1                         0.6667          -          -\n"
            "at threshold 0.5: 2 true positive, 2 false positive, 1 false negative, 1 true negative\n"
            "  accuracy                   0.5000          -          -\n"
            "  precision                  0.5000          -          -\n"
            "  recall                     0.6667          -          -\n"
            "  f1                         0.5714          -          -\n");
}

TEST_F(Report, QuantileBinsAndRowsOfNoWeight) {
  const Rows rows = make_rows(100);
  Doubles w(100, 0.0);
  w[3] = w[40] = 1;  // most resamples of two weighing rows draw one of them, some neither
  const auto report = binary_report(rows.p, rows.y, {.weights = w, .resamples = 200, .binning = Binning::quantile});
  EXPECT_EQ(report.calibration.binning, Binning::quantile);
  EXPECT_GT(report.log_loss.undefined_resamples, 0);
  EXPECT_LT(report.log_loss.undefined_resamples, 100);
  EXPECT_FALSE(std::isnan(report.log_loss.low));
}

TEST_F(Report, BadInputNamesTheReport) {
  const Doubles p{0.2, 0.8};
  const Bytes y{0, 1};
  EXPECT_EQ(message_of<ValueError>([&] { binary_report(p, y, {.confidence = 1}); }),
            "[binary_report] expected a confidence between 0 and 1, got 1");
  EXPECT_EQ(message_of<ValueError>([&] { binary_report(p, y, {.resamples = -1}); }),
            "[binary_report] expected 0 to 1000000 resamples, got -1");
  EXPECT_EQ(message_of<ValueError>([&] { binary_report(p, y, {.threshold = NAN}); }),
            "[binary_report] expected a finite threshold, got nan");
  EXPECT_EQ(message_of<ValueError>([&] { binary_report(p, y, {.bins = 5000}); }),
            "[binary_report] expected 1 to 1000 bins, got 5000");
  EXPECT_EQ(message_of<ValueError>([&] {
              binary_report(Doubles{0.2, 1.2}, y);
            }),
            "[binary_report] expected probabilities from 0 to 1, got 1.2 at row 1");
  EXPECT_THROW(binary_report(Doubles{}, Bytes{}), ValueError);
}

}  // namespace
}  // namespace tern::metrics
