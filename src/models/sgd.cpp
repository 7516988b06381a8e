#include "tern/models/sgd.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "base/number_text.h"
#include "base/retell.h"
#include "base/warnings.h"
#include "models/blocks.h"
#include "models/fields.h"
#include "models/files.h"
#include "models/links.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"

namespace tern::models {
namespace {

using tern::internal::class_name;

constexpr std::string_view kLosses[] = {"log_loss", "hinge", "squared", "huber", "squared_hinge", "poisson"};
constexpr std::string_view kSchedules[] = {"constant", "optimal", "inverse_scaling"};
constexpr int kPatience = 5;
constexpr double kSteepest = 1e12;
constexpr double kWorse = 10;  // so many times the loss without weights is said

struct Slope {
  double loss, derivative;
};

Slope slope(SgdLoss loss, double score, double y, double epsilon) {
  const double apart = score - y;
  switch (loss) {
    case SgdLoss::log_loss:
      return {internal::softplus(-y * score), -y * internal::sigmoid(-y * score)};
    case SgdLoss::hinge:
      return y * score < 1 ? Slope{1 - y * score, -y} : Slope{0, 0};
    case SgdLoss::squared_hinge: {
      const double short_of = std::max(0.0, 1 - y * score);
      return {short_of * short_of, -2 * y * short_of};
    }
    case SgdLoss::poisson:  // see poisson_step
      return {std::exp(score) - y * score, 0};
    case SgdLoss::squared:
      return {0.5 * apart * apart, apart};
    case SgdLoss::huber:
      break;
  }
  if (std::abs(apart) <= epsilon) return {0.5 * apart * apart, apart};
  return {epsilon * (std::abs(apart) - 0.5 * epsilon), std::copysign(epsilon, apart)};
}

// The step of the Poisson loss along a row whose elements' squares sum to `square`: that of the slope at the score
// after it, not before it (Toulis and Airoldi, Annals of Statistics 45, 2017), for exp grows too fast to step by the
// slope of a large count. It is the root of a function that is convex and grows: Newton's steps come down to it from
// above.
double poisson_step(double score, double y, double rate, double square) {
  double move = std::max(0.0, rate * (y - std::exp(std::min(score, 700.0))));
  if (move > 0 && square > 0) move = std::min(move, std::max(0.0, (std::log(y) - score) / square));  // where it is 0
  for (int i = 0; i < 50; ++i) {
    const double mean = std::exp(std::min(score + move * square, 700.0));
    const double better = (rate * (y - mean) + rate * mean * square * move) / (1 + rate * mean * square);
    if (std::abs(better - move) <= 1e-12 * (1 + std::abs(move))) return better;
    move = better;
  }
  return move;
}

// One output's weights while rows pass.
struct Learner {
  const SgdOptions& options;
  SgdLoss loss;
  SgdSchedule schedule;
  std::span<double> w;
  double& constant;
  std::vector<double> l1_applied{};  // to each weight
  double l1_due = 0;                 // to every weight

  double step(double t) const {
    switch (schedule) {
      case SgdSchedule::constant:
        return options.learning_rate;
      case SgdSchedule::inverse_scaling:
        return options.learning_rate / std::pow(t, options.power);
      case SgdSchedule::optimal:
        break;
    }
    const double typical = std::sqrt(1 / std::sqrt(options.alpha));
    return 1 / (options.alpha * (1 / (typical * options.alpha) + t - 1));
  }

  // What the objective has beside the mean loss.
  double penalty() const {
    double sizes = 0;
    if (options.l1_ratio > 0) {
      for (const double each : w) sizes += std::abs(each);
    }
    const auto d = static_cast<std::int64_t>(w.size());
    return options.alpha *
           ((1 - options.l1_ratio) * 0.5 * internal::dot(w.data(), w.data(), d) + options.l1_ratio * sizes);
  }

  // Gives the loss before the step.
  template <class T>
  double learn(const T* x, double y, double weight, double t) {
    const auto d = static_cast<std::int64_t>(w.size());
    const double rate = step(t), score = internal::dot(w.data(), x, d) + constant;
    const Slope at = slope(loss, score, y, options.huber_epsilon);
    double move = -rate * weight * std::clamp(at.derivative, -kSteepest, kSteepest);
    if (loss == SgdLoss::poisson) {
      move = poisson_step(score, y, rate * weight, internal::dot(x, x, d) + (options.fit_intercept ? 1 : 0));
    }
    const double kept = std::max(0.0, 1 - (1 - options.l1_ratio) * rate * options.alpha);
    for (std::int64_t j = 0; j < d; ++j) {
      double& to = w[static_cast<std::size_t>(j)];
      to = kept * to + move * static_cast<double>(x[j]);
    }
    if (options.fit_intercept) constant += move;
    if (options.l1_ratio > 0) {
      l1_applied.resize(w.size());
      l1_due += options.l1_ratio * rate * options.alpha;
      for (std::size_t j = 0; j < w.size(); ++j) {
        const double before = w[j];
        if (before > 0) {
          w[j] = std::max(0.0, before - (l1_due + l1_applied[j]));
        } else if (before < 0) {
          w[j] = std::min(0.0, before + (l1_due - l1_applied[j]));
        }
        l1_applied[j] += w[j] - before;
      }
    }
    return at.loss;
  }
};

}  // namespace

SgdModel::SgdModel(SgdOptions options, SgdLoss loss, SgdSchedule schedule)
    : options_(options), loss_(options.loss.value_or(loss)), schedule_(options.schedule.value_or(schedule)) {}

void SgdModel::check() const {
  LinearModel::check();
  const auto must = [this](bool holds, const char* expected, double got) {
    internal::require(class_name(type()), holds, expected, got);
  };
  const bool needed = schedule_ == SgdSchedule::optimal;
  must((needed ? options_.alpha > 0 : options_.alpha >= 0) && std::isfinite(options_.alpha),
       "a finite alpha, above 0 for the optimal schedule", options_.alpha);
  must(options_.l1_ratio >= 0 && options_.l1_ratio <= 1, "l1_ratio of 0 to 1", options_.l1_ratio);
  must(options_.learning_rate > 0 && std::isfinite(options_.learning_rate), "a learning_rate above 0",
       options_.learning_rate);
  must(std::isfinite(options_.power), "a finite power", options_.power);
  must(options_.huber_epsilon > 0, "huber_epsilon above 0", options_.huber_epsilon);
  must(options_.max_iterations >= 1, "max_iterations of at least 1", options_.max_iterations);
  must(std::isfinite(options_.tolerance), "a finite tolerance", options_.tolerance);
  must(steps_ >= 0 && steps_ <= std::int64_t{1} << 53, "steps from 0 to 2^53", static_cast<double>(steps_));
}

void SgdModel::fields(internal::Fields& fields) {
  fields("loss", loss_, kLosses);
  fields("alpha", options_.alpha);
  fields("l1_ratio", options_.l1_ratio);
  fields("schedule", schedule_, kSchedules);
  fields("learning_rate", options_.learning_rate);
  fields("power", options_.power);
  fields("huber_epsilon", options_.huber_epsilon);
  fields("fit_intercept", options_.fit_intercept);
  fields("max_iterations", options_.max_iterations);
  fields("tolerance", options_.tolerance);
  fields("shuffle", options_.shuffle);
  fields("seed", options_.seed);
  fields("steps", steps_);
  fields("iterations", iterations_);
  LinearModel::fields(fields);
  if (!fields.reading()) return;
  options_.loss = loss_;
  options_.schedule = schedule_;
}

void SgdModel::learn(const Rows& train, const Rows& /*validation*/, std::int64_t classes) { run(train, classes, true); }

void SgdModel::learn_more(const Rows& rows, std::int64_t classes) { run(rows, classes, false); }

void SgdModel::run(const Rows& rows, std::int64_t classes, bool whole) {
  const std::int64_t n = rows.x.rows(), d = rows.x.columns(), outputs = classes > 2 ? classes : 1;
  const bool anew = whole || intercepts_.empty();
  std::vector<double> w = anew ? std::vector<double>(static_cast<std::size_t>(outputs * d)) : coefficients_;
  std::vector<double> constants = anew ? std::vector<double>(static_cast<std::size_t>(outputs)) : intercepts_;
  const std::int64_t steps = anew ? 0 : steps_;
  std::vector<int> passes(static_cast<std::size_t>(outputs)), waits(passes);
  std::vector<double> losses(passes.size()), objectives(losses);  // of the last pass
  const auto target = [&](std::int64_t row, std::int64_t k) {
    const double y = rows.y[static_cast<std::size_t>(row)];
    return classes == 0 ? y : y == (outputs == 1 ? 1.0 : static_cast<double>(k)) ? 1 : -1;
  };
  parallel_for(outputs, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const auto at = static_cast<std::size_t>(k);
      Learner learner{options_, loss_, schedule_,
                      std::span(w).subspan(at * static_cast<std::size_t>(d), static_cast<std::size_t>(d)),
                      constants[at]};
      double best = std::numeric_limits<double>::infinity();
      int& none_better = waits[at];
      while (passes[at] < (whole ? options_.max_iterations : 1) && none_better < kPatience) {
        const std::int64_t before = steps + passes[at]++ * n;
        std::vector<std::int64_t> order;
        if (options_.shuffle) order = permutation(n, Philox(options_.seed, static_cast<std::uint64_t>(before)));
        double sum = 0, penalties = 0;
        for (std::int64_t i = 0; i < n; ++i) {
          const std::int64_t row = order.empty() ? i : order[static_cast<std::size_t>(i)];
          const double y = target(row, k);
          const double weight = rows.weights.empty() ? 1 : rows.weights[static_cast<std::size_t>(row)];
          const auto t = static_cast<double>(before + i + 1);
          if (whole && options_.tolerance >= 0) penalties += learner.penalty();
          sum += rows.x.f32() ? learner.learn(rows.x.f32() + row * d, y, weight, t)
                              : learner.learn(rows.x.f64() + row * d, y, weight, t);
        }
        if (!std::isfinite(sum) || !std::isfinite(internal::dot(learner.w.data(), learner.w.data(), d))) {
          throw NumericError("[" + class_name(type()) +
                             "] expected finite weights, got others; scale the columns or lower learning_rate");
        }
        const double objective = objectives[at] = sum + penalties;
        const bool better = options_.tolerance < 0 || objective <= best - options_.tolerance * static_cast<double>(n);
        none_better = better ? 0 : none_better + 1;
        best = std::min(best, objective);
        losses[at] = sum;
      }
    }
  });
  double unsettled = -1;  // the mean loss of an output that still became better
  bool worse = false;
  for (std::int64_t k = 0; whole && !worse && k < outputs; ++k) {
    double none = 0;  // the loss without weights
    for (std::int64_t row = 0; row < n; ++row) none += slope(loss_, 0, target(row, k), options_.huber_epsilon).loss;
    const auto at = static_cast<std::size_t>(k);
    worse = losses[at] > kWorse * none;
    if (waits[at] < kPatience) unsettled = std::max(unsettled, objectives[at] / static_cast<double>(n));
  }
  if (worse) {
    const std::string text = "[" + class_name(type()) +
                             "] expected losses below those without weights, got far greater ones in the last pass: "
                             "standardise the columns, or lower learning_rate";
    tern::internal::warn(text, text);
  } else if (unsettled >= 0 && options_.tolerance >= 0) {
    internal::warn_unconverged(class_name(type()), options_.max_iterations, "a falling objective", unsettled, -1);
  }
  iterations_ = *std::max_element(passes.begin(), passes.end());
  steps_ = steps + iterations_ * n;
  coefficients_ = std::move(w);
  intercepts_ = std::move(constants);
}

SgdClassifier::SgdClassifier(SgdOptions options) : SgdModel(options, SgdLoss::log_loss, SgdSchedule::optimal) {
  SgdClassifier::check();
}
std::unique_ptr<data::Estimator> SgdClassifier::clone() const { return std::make_unique<SgdClassifier>(*this); }
SgdClassifier SgdClassifier::load(const std::string& path) {
  return internal::load_as<SgdClassifier>("sgd_classifier", path);
}

void SgdClassifier::check() const {
  SgdModel::check();
  if (loss_ == SgdLoss::poisson) throw ValueError("[SgdClassifier] expected a loss of classes, got poisson");
}

std::vector<double> SgdClassifier::respond(const data::Matrix& x, bool probability) const {
  if (!probability) return greatest(x);
  if (loss_ != SgdLoss::log_loss) {
    throw StateError("[SgdClassifier] expected the log loss, which gives probabilities, got " +
                     std::string(kLosses[static_cast<int>(loss_)]));
  }
  std::vector<double> p = LinearModel::respond(x, false);
  for (double& z : p) z = internal::sigmoid(z);
  const std::size_t outputs = intercepts_.size();
  if (outputs == 1) return p;
  for (auto row = p.begin(); row != p.end(); row += static_cast<std::ptrdiff_t>(outputs)) {
    const auto end = row + static_cast<std::ptrdiff_t>(outputs);
    const double sum = std::accumulate(row, end, 0.0);
    for (auto at = row; at != end; ++at) *at = sum > 0 ? *at / sum : 1 / static_cast<double>(outputs);
  }
  return p;
}

SgdRegressor::SgdRegressor(SgdOptions options) : SgdModel(options, SgdLoss::squared, SgdSchedule::inverse_scaling) {
  SgdRegressor::check();
}
std::unique_ptr<data::Estimator> SgdRegressor::clone() const { return std::make_unique<SgdRegressor>(*this); }
SgdRegressor SgdRegressor::load(const std::string& path) {
  return internal::load_as<SgdRegressor>("sgd_regressor", path);
}

void SgdRegressor::check() const {
  SgdModel::check();
  if (loss_ != SgdLoss::squared && loss_ != SgdLoss::huber && loss_ != SgdLoss::poisson) {
    throw ValueError("[SgdRegressor] expected the squared, the Huber or the Poisson loss, got " +
                     std::string(kLosses[static_cast<int>(loss_)]));
  }
}

void SgdRegressor::check_targets(const Rows& rows) const {
  if (loss_ != SgdLoss::poisson) return;
  for (std::size_t row = 0; row < rows.y.size(); ++row) {
    if (rows.y[row] >= 0) continue;
    throw ValueError("[SgdRegressor] expected targets of at least 0 for the Poisson loss, got " +
                     tern::internal::number_text(rows.y[row]) + " in row " + std::to_string(row));
  }
}

void SgdRegressor::learn(const Rows& train, const Rows& validation, std::int64_t classes) {
  check_targets(train);
  SgdModel::learn(train, validation, classes);
}

void SgdRegressor::learn_more(const Rows& rows, std::int64_t classes) {
  check_targets(rows);
  SgdModel::learn_more(rows, classes);
}

std::vector<double> SgdRegressor::respond(const data::Matrix& x, bool probability) const {
  std::vector<double> values = LinearModel::respond(x, probability);
  if (loss_ == SgdLoss::poisson) {
    for (double& z : values) z = std::exp(z);
  }
  return values;
}

}  // namespace tern::models
