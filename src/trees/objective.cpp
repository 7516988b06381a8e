#include "trees/objective.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/number_text.h"
#include "cpu/trees.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/metrics/ranking.h"

namespace tern::trees::internal {
namespace {

constexpr std::int64_t kRowsAtOnce = 1 << 13;
// Of log odds, before the learning rate. A step of Newton's has no bound where a class is rare, and what lies beyond
// has a second derivative of nothing: margins would go on growing.
constexpr double kMostStep = 30;

// Sum of value(row) over all rows, of blocks in order.
template <class F>
double sum_rows(std::int64_t rows, const F& value) {
  std::vector<double> parts(static_cast<std::size_t>((rows + kRowsAtOnce - 1) / kRowsAtOnce));
  parallel_for(rows, kRowsAtOnce, [&](std::int64_t begin, std::int64_t end) {
    double sum = 0;
    for (std::int64_t row = begin; row < end; ++row) sum += value(row);
    parts[static_cast<std::size_t>(begin / kRowsAtOnce)] = sum;
  });
  double sum = 0;
  for (const double part : parts) sum += part;
  return sum;
}

template <class F>
double mean_rows(const Targets& targets, const F& value) {
  const double top = sum_rows(targets.rows(), [&](std::int64_t row) { return targets.weight(row) * value(row); });
  return top / sum_rows(targets.rows(), [&](std::int64_t row) { return targets.weight(row); });
}

double target_mean(const Targets& targets) {
  return mean_rows(targets, [&](std::int64_t row) { return targets.values[static_cast<std::size_t>(row)]; });
}

[[noreturn]] void refuse(const std::string& expected, double got) {
  throw ValueError("[GradientBoosting] expected " + expected + ", got " + tern::internal::number_text(got));
}

// Throws for the first target that is not good.
template <class Good>
void check_values(const Targets& targets, const std::string& expected, const Good& good) {
  for (std::size_t row = 0; row < targets.values.size(); ++row) {
    if (good(targets.values[row])) continue;
    throw ValueError("[GradientBoosting] expected " + expected + ", got " +
                     tern::internal::number_text(targets.values[row]) + " in row " + std::to_string(row));
  }
}

double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
// log(1 + exp(x))
double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

// A loss of one output whose derivatives and value are functions of margin and target.
class Pointwise : public Loss {
 public:
  void derivatives(const Targets& targets, std::span<const double> margins, std::int64_t begin, std::int64_t end,
                   float* pairs) const override {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto i = static_cast<std::size_t>(row);
      const auto [g, h] = pair(margins[i], targets.values[i]);
      const double w = targets.weight(row);
      pairs[2 * row] = static_cast<float>(w * g);
      pairs[2 * row + 1] = static_cast<float>(w * h);
    }
  }
  double metric(const Targets& targets, std::span<const double> margins) const override {
    return mean_rows(targets, [&](std::int64_t row) {
      const auto i = static_cast<std::size_t>(row);
      return loss(margins[i], targets.values[i]);
    });
  }
  void check(const Targets&, bool) const override {}

 protected:
  virtual std::pair<double, double> pair(double f, double y) const = 0;
  virtual double loss(double f, double y) const = 0;
};

class Squared : public Pointwise {
 public:
  std::string name() const override { return "squared"; }
  std::vector<double> base(const Targets& targets) const override { return {target_mean(targets)}; }
  bool constant_hessian() const override { return true; }
  std::string metric_name() const override { return "rmse"; }
  double metric(const Targets& targets, std::span<const double> margins) const override {
    return std::sqrt(Pointwise::metric(targets, margins));
  }

 protected:
  std::pair<double, double> pair(double f, double y) const override { return {f - y, 1}; }
  double loss(double f, double y) const override { return (f - y) * (f - y); }
};

class Binary : public Pointwise {
 public:
  std::string name() const override { return "binary"; }
  Link link() const override { return Link::sigmoid; }
  void check(const Targets& targets, bool training) const override {
    bool seen[2] = {};
    check_values(targets, "a target of two classes, 0 and 1", [](double y) { return y == 0 || y == 1; });
    for (const double y : targets.values) seen[y == 1] = true;
    if (training && (!seen[0] || !seen[1])) refuse("both classes among the rows", seen[1]);
  }
  std::vector<double> base(const Targets& targets) const override {
    const double p = target_mean(targets);
    if (!(p > 0 && p < 1)) refuse("weight in both classes, and a mean between 0 and 1", p);
    return {std::log(p / (1 - p))};
  }
  std::pair<double, double> bounds(const Targets&) const override { return {1, 0.25}; }
  double most_step() const override { return kMostStep; }
  void derivatives(const Targets& targets, std::span<const double> margins, std::int64_t begin, std::int64_t end,
                   float* pairs) const override {
    constexpr std::int64_t kStep = 256;
    float labels[kStep];
    for (std::int64_t first = begin; first < end; first += kStep) {
      const std::int64_t n = std::min(kStep, end - first);
      for (std::int64_t i = 0; i < n; ++i) {
        labels[i] = static_cast<float>(targets.values[static_cast<std::size_t>(first + i)]);
      }
      kernels::cpu::trees_table().logistic(margins.data() + first, labels, n, pairs + 2 * first);
    }
    if (targets.weights.empty()) return;
    for (std::int64_t row = begin; row < end; ++row) {
      const auto w = static_cast<float>(targets.weight(row));
      pairs[2 * row] *= w;
      pairs[2 * row + 1] *= w;
    }
  }
  std::string metric_name() const override { return "log_loss"; }

 protected:
  std::pair<double, double> pair(double f, double y) const override {
    const double p = sigmoid(f);
    return {p - y, p * (1 - p)};
  }
  double loss(double f, double y) const override { return softplus(y == 1 ? -f : f); }
};

class Absolute : public Pointwise {
 public:
  explicit Absolute(double quantile) : quantile_(quantile) {}
  std::string name() const override { return quantile_ < 0 ? "absolute" : "quantile"; }
  std::vector<double> base(const Targets& targets) const override {
    std::vector<std::pair<double, double>> values;
    for (std::int64_t row = 0; row < targets.rows(); ++row) {
      values.emplace_back(targets.values[static_cast<std::size_t>(row)], targets.weight(row));
    }
    return {weighted_quantile(values, share())};
  }
  bool constant_hessian() const override { return true; }
  std::pair<double, double> bounds(const Targets&) const override {
    return {quantile_ < 0 ? 1 : std::max(share(), 1 - share()), 1};
  }
  double leaf_quantile() const override { return share(); }
  std::string metric_name() const override { return quantile_ < 0 ? "mae" : "pinball"; }

 protected:
  double share() const { return quantile_ < 0 ? 0.5 : quantile_; }
  std::pair<double, double> pair(double f, double y) const override {
    if (quantile_ < 0) return {f > y ? 1 : f < y ? -1 : 0, 1};
    return {f >= y ? 1 - quantile_ : -quantile_, 1};
  }
  double loss(double f, double y) const override {
    if (quantile_ < 0) return std::fabs(f - y);
    return f >= y ? (1 - quantile_) * (f - y) : quantile_ * (y - f);
  }

 private:
  double quantile_;  // negative: the absolute error
};

class Huber : public Absolute {
 public:
  explicit Huber(double delta) : Absolute(-1), delta_(delta) {}
  std::string name() const override { return "huber"; }
  // Within a delta beyond all targets this is the squared error: levels up to it would be far apart.
  std::pair<double, double> bounds(const Targets& targets) const override {
    const auto [least, most] = std::minmax_element(targets.values.begin(), targets.values.end());
    return {delta_ <= *most - *least ? delta_ : 0, 1};
  }
  double leaf_quantile() const override { return std::numeric_limits<double>::quiet_NaN(); }  // means
  std::string metric_name() const override { return "huber"; }

 protected:
  std::pair<double, double> pair(double f, double y) const override { return {std::clamp(f - y, -delta_, delta_), 1}; }
  double loss(double f, double y) const override {
    const double size = std::fabs(f - y);
    return size <= delta_ ? size * size / 2 : delta_ * (size - delta_ / 2);
  }

 private:
  double delta_;
};

// Poisson, gamma and Tweedie: means are exp(margin).
class Positive : public Pointwise {
 public:
  Link link() const override { return Link::exp; }
  std::vector<double> base(const Targets& targets) const override {
    const double mean = target_mean(targets);
    if (!(mean > 0)) refuse("a target whose mean is above 0", mean);
    return {std::log(mean)};
  }
  void check(const Targets& targets, bool) const override {
    check_values(targets, zero() ? "a target of at least 0" : "a target above 0",
                 [&](double y) { return y > 0 || (y == 0 && zero()); });
  }

 protected:
  virtual bool zero() const { return true; }
};

class Poisson : public Positive {
 public:
  std::string name() const override { return "poisson"; }
  std::string metric_name() const override { return "poisson_deviance"; }

 protected:
  // The hessian is larger than it is, by what keeps steps from overshooting.
  std::pair<double, double> pair(double f, double y) const override {
    const double mean = std::exp(f);
    return {mean - y, mean * std::exp(0.7)};
  }
  double loss(double f, double y) const override {
    return 2 * (std::exp(f) - y * f - (y > 0 ? y - y * std::log(y) : 0));
  }
};

class Gamma : public Positive {
 public:
  std::string name() const override { return "gamma"; }
  std::string metric_name() const override { return "gamma_deviance"; }

 protected:
  bool zero() const override { return false; }
  std::pair<double, double> pair(double f, double y) const override {
    // Of n rows of which shares add up to s, a leaf is best at log(s / n). The second derivative, s, would give it 1 -
    // n / s, without bound where targets lie far below the mean; the mean of s and of what is expected of it, n, gives
    // 2 (s - n) / (s + n), which is log(s / n) up to third order and lies between -2 and 2.
    const double share = y * std::exp(-f);
    return {1 - share, (1 + share) / 2};
  }
  double loss(double f, double y) const override { return 2 * (y * std::exp(-f) + f - std::log(y) - 1); }
};

class Tweedie : public Positive {
 public:
  explicit Tweedie(double power) : power_(power) {}
  std::string name() const override { return "tweedie"; }
  std::string metric_name() const override { return "tweedie_deviance"; }

 protected:
  std::pair<double, double> pair(double f, double y) const override {
    const double a = y * std::exp((1 - power_) * f), b = std::exp((2 - power_) * f);
    return {b - a, (power_ - 1) * a + (2 - power_) * b};
  }
  double loss(double f, double y) const override {
    const double own = y > 0 ? std::pow(y, 2 - power_) / ((1 - power_) * (2 - power_)) : 0;
    return 2 * (own - y * std::exp((1 - power_) * f) / (1 - power_) + std::exp((2 - power_) * f) / (2 - power_));
  }

 private:
  double power_;
};

class Multiclass : public Loss {
 public:
  explicit Multiclass(int classes) : classes_(classes) {}
  int outputs() const override { return classes_; }
  Link link() const override { return Link::softmax; }
  std::string name() const override { return "multiclass"; }
  void check(const Targets& targets, bool training) const override {
    std::vector<char> seen(static_cast<std::size_t>(classes_));
    check_values(targets, "a target of classes 0 to " + std::to_string(classes_ - 1),
                 [&](double y) { return y >= 0 && y < classes_ && y == std::floor(y); });
    for (const double y : targets.values) seen[static_cast<std::size_t>(y)] = 1;
    if (training && std::count(seen.begin(), seen.end(), 1) < 2) refuse("at least two classes among the rows", 1);
  }
  std::vector<double> base(const Targets& targets) const override {
    std::vector<double> weight(static_cast<std::size_t>(classes_)), margins(weight.size());
    double all = 0;
    for (std::int64_t row = 0; row < targets.rows(); ++row) {
      weight[static_cast<std::size_t>(targets.values[static_cast<std::size_t>(row)])] += targets.weight(row);
      all += targets.weight(row);
    }
    for (std::size_t k = 0; k < weight.size(); ++k) margins[k] = std::log(std::max(weight[k] / all, 1e-15));
    return margins;
  }
  std::pair<double, double> bounds(const Targets&) const override { return {1, factor() / 4}; }
  double most_step() const override { return kMostStep; }
  void derivatives(const Targets& targets, std::span<const double> margins, std::int64_t begin, std::int64_t end,
                   float* pairs) const override {
    const std::int64_t rows = targets.rows();
    std::vector<double> p(static_cast<std::size_t>(classes_));
    for (std::int64_t row = begin; row < end; ++row) {
      probabilities(margins, rows, row, p);
      const auto y = static_cast<int>(targets.values[static_cast<std::size_t>(row)]);
      const double w = targets.weight(row);
      for (int k = 0; k < classes_; ++k) {
        const double pk = p[static_cast<std::size_t>(k)];
        float* pair = pairs + 2 * (k * rows + row);
        pair[0] = static_cast<float>(w * (pk - (k == y)));
        pair[1] = static_cast<float>(w * factor() * pk * (1 - pk));
      }
    }
  }
  std::string metric_name() const override { return "log_loss"; }
  double metric(const Targets& targets, std::span<const double> margins) const override {
    return mean_rows(targets, [&](std::int64_t row) {
      double most = -std::numeric_limits<double>::infinity(), sum = 0;
      const auto at = [&](int k) { return margins[static_cast<std::size_t>(k * targets.rows() + row)]; };
      for (int k = 0; k < classes_; ++k) most = std::max(most, at(k));
      for (int k = 0; k < classes_; ++k) sum += std::exp(at(k) - most);
      return std::log(sum) + most - at(static_cast<int>(targets.values[static_cast<std::size_t>(row)]));
    });
  }

 private:
  // Classes share one degree of freedom (Friedman 2001), so their hessians are larger than those of the diagonal.
  double factor() const { return static_cast<double>(classes_) / (classes_ - 1); }
  void probabilities(std::span<const double> margins, std::int64_t rows, std::int64_t row,
                     std::vector<double>& p) const {
    double most = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int k = 0; k < classes_; ++k) most = std::max(most, margins[static_cast<std::size_t>(k * rows + row)]);
    for (int k = 0; k < classes_; ++k) {
      sum += p[static_cast<std::size_t>(k)] = std::exp(margins[static_cast<std::size_t>(k * rows + row)] - most);
    }
    for (double& each : p) each /= sum;
  }

  int classes_;
};

// LambdaMART (Burges 2010): pairs of a query's rows, weighted by what their exchange would change in NDCG.
class LambdaRank : public Loss {
 public:
  explicit LambdaRank(int at) : at_(at) {}
  std::string name() const override { return "lambdarank"; }
  void check(const Targets& targets, bool) const override {
    if (targets.queries.empty())
      throw ValueError(
          "[GradientBoosting] expected queries for lambdarank (.query of a table, .queries of a matrix), got none");
    check_values(targets, "grades 0 to 31 as target", [](double y) { return y >= 0 && y <= 31 && y == std::floor(y); });
  }
  std::vector<double> base(const Targets&) const override { return {0}; }
  bool by_rows() const override { return false; }
  void derivatives(const Targets& targets, std::span<const double> margins, std::int64_t, std::int64_t,
                   float* pairs) const override {
    const std::vector<std::int64_t> starts = starts_of(targets);
    parallel_for(static_cast<std::int64_t>(targets.queries.size()), 8, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t q = begin; q < end; ++q) {
        const auto first = starts[static_cast<std::size_t>(q)];
        query(targets, margins, first, targets.queries[static_cast<std::size_t>(q)], pairs + 2 * first);
      }
    });
  }
  std::string metric_name() const override { return "ndcg"; }
  bool larger_is_better() const override { return true; }
  double metric(const Targets& targets, std::span<const double> margins) const override {
    return metrics::ndcg(margins, targets.values, targets.queries, at_);
  }

 private:
  static constexpr int kTruncation = 30;

  static std::vector<std::int64_t> starts_of(const Targets& targets) {
    std::vector<std::int64_t> starts;
    std::int64_t at = 0;
    for (const std::int64_t rows : targets.queries) {
      starts.push_back(at);
      at += rows;
    }
    return starts;
  }
  static double gain(const Targets& targets, std::int64_t row) {
    return std::exp2(targets.values[static_cast<std::size_t>(row)]) - 1;
  }
  static double discount(std::int64_t rank) { return 1 / std::log2(static_cast<double>(rank + 2)); }
  static std::vector<std::int64_t> ranked(std::span<const double> margins, std::int64_t n) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) order[static_cast<std::size_t>(i)] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return margins[static_cast<std::size_t>(a)] > margins[static_cast<std::size_t>(b)];
    });
    return order;
  }
  static double ideal(const Targets& targets, std::int64_t first, std::int64_t n, std::int64_t at) {
    std::vector<double> gains;
    for (std::int64_t i = 0; i < n; ++i) gains.push_back(gain(targets, first + i));
    std::sort(gains.begin(), gains.end(), std::greater<>());
    double sum = 0;
    for (std::int64_t i = 0; i < std::min(n, at); ++i) sum += gains[static_cast<std::size_t>(i)] * discount(i);
    return sum;
  }
  void query(const Targets& targets, std::span<const double> margins, std::int64_t first, std::int64_t n,
             float* pairs) const {
    std::vector<double> g(static_cast<std::size_t>(n)), h(g.size());
    const double best = ideal(targets, first, n, kTruncation);
    const auto local = margins.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(n));
    const std::vector<std::int64_t> order = ranked(local, n);
    double lambdas = 0;
    const bool flat = local[static_cast<std::size_t>(order.front())] == local[static_cast<std::size_t>(order.back())];
    for (std::int64_t i = 0; best > 0 && i < std::min<std::int64_t>(n, kTruncation); ++i) {
      for (std::int64_t j = i + 1; j < n; ++j) {
        std::int64_t high = order[static_cast<std::size_t>(i)], low = order[static_cast<std::size_t>(j)];
        const double high_gain = gain(targets, first + high), low_gain = gain(targets, first + low);
        if (high_gain == low_gain) continue;
        if (high_gain < low_gain) std::swap(high, low);
        const auto a = static_cast<std::size_t>(high), b = static_cast<std::size_t>(low);
        const double ahead = local[a] - local[b];
        double change = std::fabs(high_gain - low_gain) * (discount(i) - discount(j)) / best;
        if (!flat) change /= 0.01 + std::fabs(ahead);
        const double p = sigmoid(-ahead), lambda = p * change, curve = p * (1 - p) * change;
        g[a] -= lambda;
        g[b] += lambda;
        h[a] += curve;
        h[b] += curve;
        lambdas += 2 * lambda;
      }
    }
    const double norm = lambdas > 0 ? std::log2(1 + lambdas) / lambdas : 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double w = targets.weight(first + i) * norm;
      pairs[2 * i] = static_cast<float>(w * g[static_cast<std::size_t>(i)]);
      pairs[2 * i + 1] = static_cast<float>(w * h[static_cast<std::size_t>(i)]);
    }
  }

  int at_;
};

class Custom : public Loss {
 public:
  explicit Custom(CustomObjective custom) : custom_(std::move(custom)) {}
  Link link() const override { return custom_.link; }
  std::string name() const override { return custom_.name.empty() ? "custom" : custom_.name; }
  void check(const Targets&, bool) const override {}
  std::vector<double> base(const Targets&) const override { return {custom_.base}; }
  bool by_rows() const override { return false; }
  void derivatives(const Targets& targets, std::span<const double> margins, std::int64_t, std::int64_t,
                   float* pairs) const override {
    std::vector<double> g(targets.values.size()), h(g.size());
    custom_.derivatives(margins, targets.values, g, h);
    for (std::size_t i = 0; i < g.size(); ++i) {
      if (!std::isfinite(g[i]) || !std::isfinite(h[i]) || h[i] < 0) {
        throw ValueError(
            "[GradientBoosting] expected finite gradients and hessians of at least 0 from the custom "
            "objective, got " +
            tern::internal::number_text(g[i]) + " and " + tern::internal::number_text(h[i]) + " in row " +
            std::to_string(i));
      }
      const double w = targets.weight(static_cast<std::int64_t>(i));
      pairs[2 * i] = static_cast<float>(w * g[i]);
      pairs[2 * i + 1] = static_cast<float>(w * h[i]);
    }
  }
  std::string metric_name() const override { return ""; }
  double metric(const Targets&, std::span<const double>) const override {
    return std::numeric_limits<double>::quiet_NaN();
  }

 private:
  CustomObjective custom_;
};

struct Named {
  Objective objective;
  std::string_view name;
};
constexpr Named kNames[] = {
    {Objective::squared, "squared"},       {Objective::binary, "binary"}, {Objective::multiclass, "multiclass"},
    {Objective::absolute, "absolute"},     {Objective::huber, "huber"},   {Objective::quantile, "quantile"},
    {Objective::poisson, "poisson"},       {Objective::gamma, "gamma"},   {Objective::tweedie, "tweedie"},
    {Objective::lambdarank, "lambdarank"}, {Objective::custom, "custom"}};

}  // namespace

double Loss::most_step() const { return std::numeric_limits<double>::infinity(); }
double Loss::leaf_quantile() const { return std::numeric_limits<double>::quiet_NaN(); }

std::unique_ptr<Loss> make_loss(const GradientBoostingOptions& options, int classes) {
  switch (options.objective) {
    case Objective::squared:
      return std::make_unique<Squared>();
    case Objective::binary:
      return std::make_unique<Binary>();
    case Objective::multiclass:
      return std::make_unique<Multiclass>(classes);
    case Objective::absolute:
      return std::make_unique<Absolute>(-1);
    case Objective::huber:
      return std::make_unique<Huber>(options.huber_delta);
    case Objective::quantile:
      return std::make_unique<Absolute>(options.quantile);
    case Objective::poisson:
      return std::make_unique<Poisson>();
    case Objective::gamma:
      return std::make_unique<Gamma>();
    case Objective::tweedie:
      return std::make_unique<Tweedie>(options.tweedie_power);
    case Objective::lambdarank:
      return std::make_unique<LambdaRank>(options.ndcg_at);
    case Objective::custom:
      break;
  }
  return std::make_unique<Custom>(options.custom_objective);
}

double weighted_quantile(std::vector<std::pair<double, double>>& values, double q) {
  std::erase_if(values, [](const auto& each) { return each.second == 0; });
  std::sort(values.begin(), values.end());  // by weight as well, so that the sum has one order
  double all = 0, below = 0;
  for (const auto& [value, weight] : values) all += weight;
  const double wanted = q * all;
  for (std::size_t i = 0; i < values.size(); ++i) {
    below += values[i].second;
    if (below > wanted) return values[i].first;
    if (below == wanted && i + 1 < values.size()) return (values[i].first + values[i + 1].first) / 2;
  }
  return values.empty() ? 0 : values.back().first;
}

}  // namespace tern::trees::internal

namespace tern::trees {

std::string_view to_string(Objective objective) {
  for (const auto& each : internal::kNames) {
    if (each.objective == objective) return each.name;
  }
  return "";
}

Objective parse_objective(std::string_view name) {
  std::string names;
  for (const auto& each : internal::kNames) {
    if (each.name == name) return each.objective;
    names.append(names.empty() ? "" : ", ").append(each.name);
  }
  throw ValueError("[parse_objective] expected one of " + names + ", got \"" + std::string(name) + "\"");
}

}  // namespace tern::trees
