#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "sanitized.h"
#include "tern/base/random.h"
#include "tern/trees/gradient_boosting.h"

namespace tern::trees {
namespace {

// Rows whose target rises with f0, falls with f1 and waves with f2.
struct Slopes {
  std::vector<double> x, y;
  std::vector<std::int64_t> queries;
  Matrix matrix() const { return Matrix(x, 3); }
};

Slopes slopes(Objective objective, double scale, std::uint64_t seed) {
  Slopes data;
  const Philox random(seed);
  for (std::uint64_t row = 0; row < 2000; ++row) {
    double x[3];
    for (std::uint64_t k = 0; k < 3; ++k) data.x.push_back(x[k] = random.uniform(5 * row + k));
    const double clean = 1.2 + x[0] - 0.3 * x[1] + 0.2 * std::sin(9 * x[2]), noise = random.uniform(5 * row + 3) - 0.5;
    double y = 0;
    switch (objective) {
      case Objective::binary:
        y = clean + noise > 1.5;
        break;
      case Objective::multiclass:
      case Objective::lambdarank:
        y = std::clamp(std::floor(3 * (clean + 0.3 * noise - 1)), 0.0, 2.0);
        break;
      case Objective::poisson:
        y = std::floor(scale * 4 * clean * (1 + noise));
        break;
      case Objective::gamma:
        y = scale * clean * (1 + noise);
        break;
      case Objective::tweedie:
        y = scale * std::max(0.0, clean * (1 + 3 * noise));
        break;
      default:
        y = scale * (clean + 0.3 * noise);
    }
    data.y.push_back(y);
  }
  data.queries.assign(100, 20);
  return data;
}

GradientBoostingOptions options_for(Objective objective, double scale, bool constrained) {
  GradientBoostingOptions options{
      .objective = objective, .rounds = repeats(100, 30), .huber_delta = scale, .quantile = 0.3};
  if (constrained) options.monotone = {{"f0", 1}, {"f1", -1}};
  if (objective == Objective::custom) {
    options.custom_objective.derivatives = [](auto margins, auto targets, auto g, auto h) {
      for (std::size_t i = 0; i < margins.size(); ++i) g[i] = margins[i] - targets[i], h[i] = 1;
    };
    options.metric = {.name = "mse", .value = [](auto p, auto y, auto) {
                        double sum = 0;
                        for (std::size_t i = 0; i < p.size(); ++i) sum += (p[i] - y[i]) * (p[i] - y[i]);
                        return sum / static_cast<double>(p.size());
                      }};
  }
  return options;
}

GradientBoosting fitted(const GradientBoostingOptions& options, const Slopes& data, const Slopes& fresh) {
  const bool ranks = options.objective == Objective::lambdarank;
  GradientBoosting model(options);
  model.fit(
      data.matrix(), data.y,
      {.queries = ranks ? std::span<const std::int64_t>(data.queries) : std::span<const std::int64_t>(),
       .validation = fresh.matrix(),
       .validation_target = fresh.y,
       .validation_queries = ranks ? std::span<const std::int64_t>(fresh.queries) : std::span<const std::int64_t>()});
  return model;
}

void expect_monotone(const GradientBoosting& model, const std::string& where) {
  const Philox random(1);
  const auto outputs = static_cast<std::size_t>(model.ensemble().outputs);
  constexpr std::uint64_t kLines = repeats(150, 15);
  for (std::uint64_t i = 0; i < kLines; ++i) {
    for (const std::size_t f : {0, 1}) {
      std::vector<double> line;
      for (int step = 0; step <= 50; ++step) {
        for (std::size_t k = 0; k < 3; ++k) line.push_back(k == f ? step / 50.0 : random.uniform(3 * i + k));
      }
      const std::vector<double> p = model.predict_margin(Matrix(line, 3));
      for (std::size_t at = outputs; at < p.size(); ++at) {
        const double rise = p[at] - p[at - outputs];
        ASSERT_GE(f == 0 ? rise : -rise, 0) << where << " f" << f;
      }
    }
  }
}

TEST(Monotone, OfEachObjectiveHoldsAndFitsAtAnyScale) {
  for (const Objective objective : {Objective::squared, Objective::binary, Objective::multiclass, Objective::absolute,
                                    Objective::huber, Objective::quantile, Objective::poisson, Objective::gamma,
                                    Objective::tweedie, Objective::lambdarank, Objective::custom}) {
    for (const double scale : {1e-3, 1.0, 1e3}) {
      if (scale != 1 && (objective == Objective::binary || objective == Objective::multiclass ||
                         objective == Objective::lambdarank)) {
        continue;
      }
      if (scale < 1 && objective == Objective::poisson) continue;  // all 0
      const std::string where = std::string(to_string(objective)) + " at " + std::to_string(scale);
      const Slopes data = slopes(objective, scale, 1), fresh = slopes(objective, scale, 2);
      const GradientBoosting with = fitted(options_for(objective, scale, true), data, fresh);
      const GradientBoosting without = fitted(options_for(objective, scale, false), data, fresh);
      expect_monotone(with, where);
      const double got = with.validation_history().back(), free = without.validation_history().back();
      if (objective == Objective::lambdarank) {
        EXPECT_GT(got, 0.98 * free) << where;
      } else {
        EXPECT_LT(got, (kSanitized ? 1.5 : 1.02) * free) << where;
      }
    }
  }
}

// Leaves that are quantiles, of noise and against the slope of the target, with all that changes trees afterwards.
TEST(Monotone, HoldsWhateverTheTarget) {
  for (const Objective objective : {Objective::absolute, Objective::quantile}) {
    for (const double slope : {0.0, -3.0, 1.0}) {
      Slopes data = slopes(objective, 1, 3);
      const Philox random(4);
      std::vector<double> weights;
      for (std::size_t row = 0; row < data.y.size(); ++row) {
        data.y[row] = 1e-4 * (slope * data.x[3 * row] + std::pow(random.uniform(2 * row) - 0.5, 3));
        weights.push_back(static_cast<double>(random.below(2 * row + 1, 4)));
        if (row % 7 == 0) data.x[3 * row + row % 3] = std::nan("");
      }
      const GradientBoostingOptions kinds[] = {{.growth = Growth::depth_wise, .min_child_rows = 1},
                                               {.max_leaves = 0, .max_depth = 6, .min_child_rows = 1, .subsample = 0.5},
                                               {.min_child_rows = 2, .dart_rate = 0.2, .dart_skip = 0}};
      for (GradientBoostingOptions options : kinds) {
        options.objective = objective;
        options.rounds = 40;
        options.learning_rate = 0.3;
        options.quantile = 0.8;
        options.monotone = {{"f0", 1}, {"f1", -1}};
        GradientBoosting model(options);
        model.fit(data.matrix(), data.y, {.weights = weights});
        expect_monotone(model, std::string(to_string(objective)) + " of slope " + std::to_string(slope));
        for (const double each : model.predict(data.matrix())) ASSERT_LT(std::fabs(each), 4e-4);
      }
    }
  }
}

}  // namespace
}  // namespace tern::trees
