#include "tern/metrics/multiclass.h"

#include "metrics/golden.h"
#include "tern/base/error.h"

namespace tern::metrics {
namespace {

using Doubles = std::vector<double>;
using Classes = std::vector<std::int64_t>;

TEST(Multiclass, FiguresOfScikitLearn) {
  const auto cases = golden("multiclass");
  ASSERT_EQ(cases.size(), 3u);
  for (const auto& row : cases) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const auto p = row.at("p").get<Doubles>(), w = row.at("w").get<Doubles>();
    const auto y = row.at("y").get<Classes>();
    const auto classes = row.at("classes").get<std::int64_t>();
    const auto matrix = confusion_matrix(most_probable(p, classes), y, classes, w);
    Doubles counts;
    for (std::int64_t label = 0; label < classes; ++label) {
      for (std::int64_t prediction = 0; prediction < classes; ++prediction) {
        counts.push_back(matrix.count(label, prediction));
      }
    }
    expect_close(counts, row.at("confusion"));
    expect_close(matrix.accuracy(), row.at("accuracy"));
    expect_close(matrix.balanced_accuracy(), row.at("balanced_accuracy"));
    expect_close(log_loss(p, y, w), row.at("log_loss"));
    for (const auto& [name, kind] : {std::pair{"macro", Average::macro}, std::pair{"micro", Average::micro},
                                     std::pair{"weighted", Average::weighted}}) {
      SCOPED_TRACE(name);
      const auto& expected = row.at(name);
      expect_close(matrix.precision(kind), expected.at("precision"));
      expect_close(matrix.recall(kind), expected.at("recall"));
      expect_close(matrix.f1(kind), expected.at("f1"));
      expect_close(matrix.f_beta(2, kind), expected.at("f2"));
    }
  }
}

TEST(Multiclass, WorkedByHand) {
  // Class 2 occurs once and is never predicted; class 3 neither occurs nor is predicted.
  const auto matrix = confusion_matrix(Classes{0, 0, 1, 1, 0}, Classes{0, 0, 0, 1, 2}, 4);
  EXPECT_EQ(matrix.count(0, 1), 1);
  EXPECT_EQ(matrix.count(2, 0), 1);
  EXPECT_EQ(matrix.total(), 5);
  EXPECT_EQ(matrix.accuracy(), 0.6);
  EXPECT_DOUBLE_EQ(matrix.precision(0), 2.0 / 3);
  EXPECT_EQ(matrix.precision(1), 0.5);
  EXPECT_TRUE(std::isnan(matrix.precision(2)));
  EXPECT_EQ(matrix.recall(2), 0);
  EXPECT_EQ(matrix.f_beta(1, std::int64_t{2}), 0);
  EXPECT_TRUE(std::isnan(matrix.recall(3)));
  EXPECT_DOUBLE_EQ(matrix.precision(Average::macro), (2.0 / 3 + 0.5) / 2);
  EXPECT_DOUBLE_EQ(matrix.recall(Average::macro), (2.0 / 3 + 1 + 0) / 3);
  EXPECT_EQ(matrix.precision(Average::micro), 0.6);
  EXPECT_DOUBLE_EQ(matrix.recall(Average::weighted), 0.6);
  EXPECT_TRUE(std::isnan(ConfusionMatrix(2).accuracy()));
}

TEST(Multiclass, EqualProbabilitiesGoToTheLowestClass) {
  EXPECT_EQ(most_probable(Doubles{0.25, 0.5, 0.25, 0.4, 0.2, 0.4}, 3), (Classes{1, 0}));
}

TEST(Multiclass, MergedMatricesAreTheSum) {
  auto first = confusion_matrix(Classes{0, 1, 2}, Classes{0, 1, 1}, 3);
  first.merge(confusion_matrix(Classes{2, 2}, Classes{2, 0}, 3));
  const auto whole = confusion_matrix(Classes{0, 1, 2, 2, 2}, Classes{0, 1, 1, 2, 0}, 3);
  for (std::int64_t i = 0; i < 9; ++i) EXPECT_EQ(first.count(i / 3, i % 3), whole.count(i / 3, i % 3));
  EXPECT_THROW(first.merge(ConfusionMatrix(4)), ShapeError);
}

TEST(Multiclass, BadInputNamesTheFigure) {
  EXPECT_EQ(message_of<ValueError>([] {
              confusion_matrix(Classes{0, 3}, Classes{0, 1}, 3);
            }),
            "[confusion_matrix] expected predictions from 0 to 2, got 3 at row 1");
  EXPECT_EQ(message_of<ValueError>([] { confusion_matrix(Classes{0}, Classes{-1}, 3); }),
            "[confusion_matrix] expected labels from 0 to 2, got -1 at row 0");
  EXPECT_EQ(message_of<ValueError>([] { ConfusionMatrix{1}; }), "[ConfusionMatrix] expected 2 to 4096 classes, got 1");
  EXPECT_EQ(message_of<ShapeError>([] {
              confusion_matrix(Classes{0, 1}, Classes{0}, 2);
            }),
            "[confusion_matrix] expected one label for each of 2 predictions, got 1");
  EXPECT_EQ(message_of<ValueError>([] { confusion_matrix(Classes{0}, Classes{0}, 2, Doubles{0}); }),
            "[confusion_matrix] expected a row of positive weight, got weights that are all 0");
  EXPECT_EQ(message_of<ValueError>([] {
              log_loss(Doubles{0.5, 0.6}, Classes{0});
            }),
            "[log_loss] expected probabilities that sum to 1 within 1e-4, got a sum of 1.1 at row 0");
  EXPECT_EQ(message_of<ShapeError>([] {
              log_loss(Doubles{0.5, 0.5, 1}, Classes{0, 1});
            }),
            "[log_loss] expected two or more probabilities for each of 2 labels, got 3");
  EXPECT_EQ(message_of<ValueError>([] {
              log_loss(Doubles{0.5, 0.5}, Classes{2});
            }),
            "[log_loss] expected labels from 0 to 1, got 2 at row 0");
  EXPECT_EQ(message_of<NumericError>([] {
              log_loss(Doubles{NAN, 0.5}, Classes{1});
            }),
            "[log_loss] expected finite probabilities, got nan at row 0");
  EXPECT_THROW(ConfusionMatrix(2).count(0, 2), IndexError);
  EXPECT_THROW(ConfusionMatrix(2).recall(2), IndexError);
  EXPECT_THROW(ConfusionMatrix(2).f_beta(-1, Average::macro), ValueError);
  EXPECT_THROW(most_probable(Doubles{1, 0, 1}, 2), ShapeError);
}

}  // namespace
}  // namespace tern::metrics
