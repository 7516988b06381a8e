#include "tern/metrics/threshold.h"

#include "metrics/golden.h"
#include "tern/base/error.h"
#include "tern/metrics/binary.h"

namespace tern::metrics {
namespace {

using Doubles = std::vector<double>;
using Bytes = std::vector<std::uint8_t>;
using Kind = ThresholdRule::Kind;

TEST(Threshold, ReadsAndWritesRules) {
  for (const char* text : {"f1", "0.5", "0", "1", "recall>=0.8", "recall>=1", "cost:5,1", "cost:0,2.5"}) {
    EXPECT_EQ(to_string(parse_threshold_rule(text)), text);
  }
  EXPECT_EQ(parse_threshold_rule("recall>=0.8").kind, Kind::recall);
  const auto cost = parse_threshold_rule("cost:5,1");
  EXPECT_EQ(cost.false_negative_cost, 5);
  EXPECT_EQ(cost.false_positive_cost, 1);
}

TEST(Threshold, RefusesOtherTexts) {
  for (const char* text :
       {"",       "F1",      "f2",        "1.5",       "-0.1",        "nan",         "inf",
        "0.5x",   "recall",  "recall>=",  "recall>=0", "recall>=1.1", "recall>=nan", "cost:",
        "cost:5", "cost:5,", "cost:-1,1", "cost:0,0",  "cost:inf,1",  "cost:1,2,3",  "cost:1e308,1e308",
        " f1"}) {
    EXPECT_THROW(parse_threshold_rule(text), ValueError) << text;
  }
  EXPECT_EQ(message_of<ValueError>([] { parse_threshold_rule("best"); }),
            "[threshold] expected f1, a number from 0 to 1, recall>=R with R above 0 and up to 1, or cost:FN,FP with "
            "costs that are finite, not negative and not both 0, got \"best\"");
}

TEST(Threshold, ByHand) {
  const Doubles p{0.9, 0.8, 0.7, 0.6, 0.5, 0.4};
  const Bytes y{1, 0, 1, 1, 0, 0};
  EXPECT_EQ(choose_threshold(parse_threshold_rule("f1"), p, y), 0.6);  // 3 hits, 1 alarm: 6/7
  EXPECT_EQ(choose_threshold(parse_threshold_rule("0.25"), p, y), 0.25);
  EXPECT_EQ(choose_threshold(parse_threshold_rule("recall>=0.3"), p, y), 0.9);  // precision 1
  EXPECT_EQ(choose_threshold(parse_threshold_rule("recall>=0.5"), p, y), 0.6);  // 3/4 beats 2/3
  EXPECT_EQ(choose_threshold(parse_threshold_rule("cost:5,1"), p, y), 0.6);
  EXPECT_EQ(choose_threshold(parse_threshold_rule("cost:1,4"), p, y), 0.9);
  EXPECT_EQ(choose_threshold(parse_threshold_rule("cost:1,0"), p, y), 0.6);  // 0.5 and 0.4 cost the same
}

TEST(Threshold, NobodyMayBeCheapest) {
  const Doubles p{0.9, 0.1};
  const Bytes y{0, 1};
  const double none = choose_threshold(parse_threshold_rule("cost:1,10"), p, y);
  EXPECT_EQ(none, std::nextafter(0.9, 1.0));
  EXPECT_EQ(choose_threshold(parse_threshold_rule("cost:1,1"), p, Bytes{0, 0}), none);
}

TEST(Threshold, EqualsAreSettled) {
  // F1 is 2/3 at 0.9 (1 hit of 2) and at 0.6 (2 hits, 2 alarms): the highest threshold.
  EXPECT_EQ(choose_threshold({.kind = Kind::f1}, Doubles{0.9, 0.8, 0.7, 0.6}, Bytes{1, 0, 0, 1}), 0.9);
  // Precision is 1/2 at 0.8 and at 0.6 with recall 1/2 and 1: the higher recall.
  EXPECT_EQ(choose_threshold({.kind = Kind::recall, .value = 0.5}, Doubles{0.9, 0.8, 0.7, 0.6}, Bytes{0, 1, 0, 1}),
            0.6);
}

TEST(Threshold, BestOfAllCandidatesOnGoldenData) {
  for (const auto& row : golden("binary")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const auto p = row.at("p").get<Doubles>(), w = row.at("w").get<Doubles>();
    const auto y = row.at("y").get<Bytes>();
    const auto at = [&](double threshold) { return binary_confusion(p, y, {.threshold = threshold, .weights = w}); };
    const auto f1 = at(choose_threshold({.kind = Kind::f1}, p, y, w));
    const auto recall = at(choose_threshold({.kind = Kind::recall, .value = 0.8}, p, y, w));
    const auto cost = at(choose_threshold(parse_threshold_rule("cost:3,2"), p, y, w));
    EXPECT_GE(recall.recall(), 0.8);
    for (const double threshold : p) {
      const auto other = at(threshold);
      EXPECT_GE(f1.f1(), other.f1() - 1e-12);
      if (other.recall() >= 0.8 + 1e-12) {
        EXPECT_GE(recall.precision(), other.precision() - 1e-12);
      }
      EXPECT_LE(3 * cost.false_negative + 2 * cost.false_positive,
                3 * other.false_negative + 2 * other.false_positive + 1e-9);
    }
  }
}

TEST(Threshold, BadInput) {
  const Doubles p{0.2, 0.8};
  EXPECT_EQ(message_of<ValueError>([&] {
              choose_threshold({.kind = Kind::f1}, p, Bytes{0, 0});
            }),
            "[choose_threshold] expected a positive row, got none");
  EXPECT_EQ(message_of<ValueError>([&] {
              choose_threshold({.kind = Kind::recall, .value = 2}, p, Bytes{0, 1});
            }),
            "[choose_threshold] expected a recall above 0, up to 1, got 2");
  EXPECT_THROW(choose_threshold({.kind = Kind::cost, .false_negative_cost = -1}, p, Bytes{0, 1}), ValueError);
  EXPECT_THROW(choose_threshold({.value = NAN}, p, Bytes{0, 1}), ValueError);
  EXPECT_THROW(choose_threshold({}, Doubles{NAN, 1}, Bytes{0, 1}), NumericError);
}

}  // namespace
}  // namespace tern::metrics
