#include "tern/models/series.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "base/json.h"
#include "base/number_text.h"
#include "cpu/decompositions.h"
#include "tern/base/error.h"
#include "tern/base/file.h"

namespace tern::models {
namespace {

using tern::internal::Json;
using tern::internal::json_get;
using tern::internal::json_member;
using tern::internal::json_text;

[[noreturn]] void refuse(const char* where, const std::string& expected, const std::string& got) {
  throw ValueError("[" + std::string(where) + "] expected " + expected + ", got " + got);
}

void check_series(const char* where, std::span<const double> series) {
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (!std::isfinite(series[i])) {
      refuse(where, "finite numbers", tern::internal::number_text(series[i]) + " in step " + std::to_string(i));
    }
  }
}

void check_steps(const char* where, int steps) {
  if (steps < 1) refuse(where, "at least one step", std::to_string(steps));
}

// The line through the first ten values, at times 1 … 10: its value at 0 and its slope.
std::pair<double, double> line(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  double mean = 0, up = 0;
  for (const double value : values) mean += value / n;
  const double middle = (n + 1) / 2;
  for (std::size_t i = 0; i < values.size(); ++i) up += (static_cast<double>(i + 1) - middle) * (values[i] - mean);
  const double slope = up / (n * (n * n - 1) / 12);
  return {mean - slope * middle, slope};
}

// Nelder & Mead (1965) from a simplex about `x`, in the unit cube.
std::vector<double> minimise(const std::function<double(const std::vector<double>&)>& f, std::vector<double> x) {
  const std::size_t n = x.size();
  const auto inside = [](std::vector<double> at) {
    for (double& each : at) each = std::clamp(each, 0.0, 1.0);
    return at;
  };
  std::vector<std::pair<double, std::vector<double>>> points{{f(x), x}};
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<double> other = x;
    other[i] += other[i] < 0.5 ? 0.2 : -0.2;
    points.emplace_back(f(other), other);
  }
  const auto by_value = [](const auto& a, const auto& b) { return a.first < b.first; };
  for (int step = 0; step < 400; ++step) {
    std::stable_sort(points.begin(), points.end(), by_value);
    if (points.back().first - points.front().first <= 1e-12 * std::abs(points.front().first)) break;
    std::vector<double> centre(n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) centre[j] += points[i].second[j] / static_cast<double>(n);
    }
    const auto towards = [&](double factor) {
      std::vector<double> at(n);
      for (std::size_t j = 0; j < n; ++j) at[j] = centre[j] + factor * (points.back().second[j] - centre[j]);
      at = inside(std::move(at));
      const double value = f(at);
      return std::pair(value, std::move(at));
    };
    auto reflected = towards(-1);
    if (reflected.first < points.front().first) {
      auto further = towards(-2);
      points.back() = further.first < reflected.first ? std::move(further) : std::move(reflected);
    } else if (reflected.first < points[n - 1].first) {
      points.back() = std::move(reflected);
    } else if (auto nearer = towards(0.5); nearer.first < points.back().first) {
      points.back() = std::move(nearer);
    } else {
      for (std::size_t i = 1; i <= n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          points[i].second[j] = (points[i].second[j] + points[0].second[j]) / 2;
        }
        points[i].first = f(points[i].second);
      }
    }
  }
  return std::min_element(points.begin(), points.end(), by_value)->second;
}

constexpr double kLeastDamping = 0.8, kMostDamping = 0.995;

void check(const HoltWintersOptions& options) {
  const char* where = "HoltWinters";
  if (options.period < 2) refuse(where, "a period of at least 2", std::to_string(options.period));
  const auto check_part = [&](const char* expected, bool on, const std::optional<double>& told) {
    if (told && !on) refuse(where, expected, tern::internal::number_text(*told));
  };
  check_part("no slope without a trend", options.trend != Trend::none, options.slope);
  check_part("no season without seasonality", options.seasonality != Seasonality::none, options.season);
  check_part("no damping but of a damped trend", options.trend == Trend::damped, options.damping);
  for (const auto& each : {options.level, options.slope, options.season}) {
    if (each && !(*each >= 0 && *each <= 1)) refuse(where, "smoothings in [0, 1]", tern::internal::number_text(*each));
  }
  if (options.damping && !(*options.damping > 0 && *options.damping <= 1)) {
    refuse(where, "a damping in (0, 1]", tern::internal::number_text(*options.damping));
  }
}

}  // namespace

HoltWinters::HoltWinters(HoltWintersOptions options) : told_(options), options_(options) { check(options); }

HoltWinters::State HoltWinters::first_state(std::span<const double> series) const {
  State state;
  std::vector<double> smooth(series.begin(), series.end());
  if (options_.seasonality != Seasonality::none) {
    const auto period = static_cast<std::size_t>(options_.period), half = period / 2;
    const std::size_t needed = 10 + 2 * half;
    std::size_t cycles = std::min<std::size_t>(5, series.size() / period);
    cycles = std::max(cycles, (needed + period - 1) / period);
    const std::size_t n = std::min(series.size(), cycles * period);
    smooth.clear();
    std::vector<double> sums(period);
    std::vector<int> counts(period);
    for (std::size_t t = half; t + half < n; ++t) {
      // Of an even period the two ends count half.
      double mean = 0;
      for (std::size_t i = t - half; i <= t + half; ++i) {
        const bool end = period % 2 == 0 && (i == t - half || i == t + half);
        mean += (end ? 0.5 : 1.0) * series[i] / static_cast<double>(period);
      }
      smooth.push_back(mean);
      sums[t % period] += options_.seasonality == Seasonality::additive ? series[t] - mean : series[t] / mean;
      ++counts[t % period];
    }
    double all = 0;
    for (std::size_t s = 0; s < period; ++s) {
      state.seasons.push_back(sums[s] / std::max(1, counts[s]));
      all += state.seasons.back() / static_cast<double>(period);
    }
    for (double& season : state.seasons) {
      season = options_.seasonality == Seasonality::additive ? season - all : season / all;
    }
  }
  const auto [level, slope] = line(std::span(smooth).first(std::min<std::size_t>(10, smooth.size())));
  state.level = level;
  state.slope = options_.trend == Trend::none ? 0 : slope;
  return state;
}

// Goes through the series from `state` to the state after it; the sum of squared errors one step ahead.
double HoltWinters::run(std::span<const double> series, const HoltWintersOptions& how, State& state,
                        std::vector<double>* fitted) const {
  const double alpha = *how.level, beta = how.slope.value_or(0), gamma = how.season.value_or(0);
  const double phi = how.trend == Trend::none ? 0 : how.trend == Trend::damped ? *how.damping : 1;
  const bool additive = how.seasonality == Seasonality::additive;
  const bool seasonal = how.seasonality != Seasonality::none;
  double sum = 0;
  for (std::size_t t = 0; t < series.size(); ++t) {
    const double before = state.level + phi * state.slope, y = series[t];
    double season = 0;
    double* const at = seasonal ? &state.seasons[t % state.seasons.size()] : &season;
    const double forecast = !seasonal || additive ? before + *at : before * *at;
    if (fitted) fitted->push_back(forecast);
    sum += (y - forecast) * (y - forecast);
    const double level = alpha * (!seasonal || additive ? y - *at : y / *at) + (1 - alpha) * before;
    state.slope = beta * (level - state.level) + (1 - beta) * phi * state.slope;
    if (seasonal) *at = gamma * (additive ? y - before : y / before) + (1 - gamma) * *at;
    state.level = level;
  }
  // The next step's season first.
  if (seasonal) {
    const auto next = static_cast<std::ptrdiff_t>(series.size() % state.seasons.size());
    std::rotate(state.seasons.begin(), state.seasons.begin() + next, state.seasons.end());
  }
  return std::isfinite(sum) ? sum : std::numeric_limits<double>::max();
}

void HoltWinters::fit(std::span<const double> series) {
  const char* where = "HoltWinters";
  check_series(where, series);
  const bool seasonal = told_.seasonality != Seasonality::none;
  const auto period = static_cast<std::size_t>(told_.period);
  const std::size_t needed = seasonal ? std::max(2 * period, 10 + 2 * (period / 2)) : 10;
  if (series.size() < needed) {
    refuse(where, "a series of at least " + std::to_string(needed) + " steps", std::to_string(series.size()));
  }
  if (told_.seasonality == Seasonality::multiplicative) {
    for (const double value : series) {
      if (!(value > 0))
        refuse(where, "numbers above 0 with multiplicative seasons", tern::internal::number_text(value));
    }
  }
  const State first = first_state(series);
  // What is free, each from 0 to 1; a trend is smoothed no less than its level, a season no more than leaves the level.
  const bool trend = told_.trend != Trend::none;
  const auto with = [&](const std::vector<double>& free) {
    HoltWintersOptions how = told_;
    std::size_t next = 0;
    if (!how.level) how.level = free[next++];
    if (trend && !how.slope) how.slope = free[next++] * *how.level;
    if (seasonal && !how.season) how.season = free[next++] * (1 - *how.level);
    if (how.trend == Trend::damped && !how.damping) {
      how.damping = kLeastDamping + free[next++] * (kMostDamping - kLeastDamping);
    }
    return how;
  };
  const std::size_t free = static_cast<std::size_t>(!told_.level) + static_cast<std::size_t>(trend && !told_.slope) +
                           static_cast<std::size_t>(seasonal && !told_.season) +
                           static_cast<std::size_t>(told_.trend == Trend::damped && !told_.damping);
  std::vector<double> best;
  if (free > 0) {
    const auto loss = [&](const std::vector<double>& at) {
      State state = first;
      return run(series, with(at), state, nullptr);
    };
    double least = std::numeric_limits<double>::infinity();
    for (const double start : {0.1, 0.5, 0.9}) {
      std::vector<double> found = minimise(loss, std::vector<double>(free, start));
      found = minimise(loss, std::move(found));  // a simplex may shrink before it has arrived
      const double value = loss(found);
      if (value < least) best = std::move(found);
      least = std::min(least, value);
    }
  }
  const HoltWintersOptions options = with(best);
  State state = first;
  std::vector<double> fitted;
  const double sum = run(series, options, state, &fitted);
  if (sum == std::numeric_limits<double>::max()) {
    refuse(where, "numbers whose squared errors have a finite sum", "others");
  }
  options_ = options;
  state_ = std::move(state);
  fitted_ = std::move(fitted);
  rmse_ = std::sqrt(sum / static_cast<double>(series.size()));
}

std::vector<double> HoltWinters::forecast(int steps) const {
  if (fitted_.empty()) throw StateError("[HoltWinters] expected a fitted model, got one before fit");
  check_steps("HoltWinters", steps);
  const double phi = options_.trend == Trend::damped ? *options_.damping : 1;
  std::vector<double> out;
  double ahead = 0, power = 1;
  for (int h = 0; h < steps; ++h) {
    power *= phi;
    ahead += power;
    double value = state_.level + (options_.trend == Trend::none ? 0 : ahead * state_.slope);
    if (options_.seasonality != Seasonality::none) {
      const double season = state_.seasons[static_cast<std::size_t>(h) % state_.seasons.size()];
      value = options_.seasonality == Seasonality::additive ? value + season : value * season;
    }
    out.push_back(value);
  }
  return out;
}

void HoltWinters::save(const std::string& path) const {
  if (fitted_.empty()) throw StateError("[HoltWinters] expected a fitted model, got one before fit");
  const auto smoothings = [](const HoltWintersOptions& of) {
    const auto number = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
    return Json{{"level", number(of.level)},
                {"slope", number(of.slope)},
                {"season", number(of.season)},
                {"damping", number(of.damping)}};
  };
  const Json json{{"format", "tern.holt_winters"},
                  {"version", 1},
                  {"trend", static_cast<int>(options_.trend)},
                  {"seasonality", static_cast<int>(options_.seasonality)},
                  {"period", options_.period},
                  {"told", smoothings(told_)},
                  {"smoothing", smoothings(options_)},
                  {"state", {{"level", state_.level}, {"slope", state_.slope}, {"seasons", state_.seasons}}},
                  {"fitted", fitted_},
                  {"rmse", rmse_}};
  write_file(path, tern::internal::sealed_json(json_text(json)));
}

HoltWinters HoltWinters::load(const std::string& path) {
  const std::string what = "HoltWinters";
  std::string text = read_file(path);
  return tern::internal::from_file(path, [&] {
    const Json json = tern::internal::parse_json(tern::internal::unsealed_json(std::move(text), what), what);
    if (json_get<std::string>(json, "format", what) != "tern.holt_winters" ||
        json_get<int>(json, "version", what) != 1) {
      throw FormatError("[HoltWinters] expected tern.holt_winters of version 1, got another format");
    }
    const int trend = json_get<int>(json, "trend", what), seasonality = json_get<int>(json, "seasonality", what);
    if (trend < 0 || trend > 2 || seasonality < 0 || seasonality > 2) {
      throw FormatError("[HoltWinters] expected a trend and seasons from 0 to 2, got others");
    }
    HoltWintersOptions options{.trend = static_cast<Trend>(trend),
                               .seasonality = static_cast<Seasonality>(seasonality),
                               .period = json_get<int>(json, "period", what)};
    const Json& state = json_member(json, "state", what);
    HoltWintersOptions told = options;
    const auto read = [&](const char* key, HoltWintersOptions& of) {
      const Json& smoothing = json_member(json, key, what);
      const auto number = [&](const char* name, std::optional<double>& to) {
        if (!json_member(smoothing, name, what).is_null()) to = json_get<double>(smoothing, name, what);
      };
      number("level", of.level);  // of parts that are off older files may tell more
      if (of.trend != Trend::none) number("slope", of.slope);
      if (of.seasonality != Seasonality::none) number("season", of.season);
      if (of.trend == Trend::damped) number("damping", of.damping);
    };
    read("told", told);
    read("smoothing", options);
    HoltWinters made(options);
    made.told_ = HoltWinters(told).told_;
    made.state_ = {.level = json_get<double>(state, "level", what),
                   .slope = json_get<double>(state, "slope", what),
                   .seasons = json_get<std::vector<double>>(state, "seasons", what)};
    made.fitted_ = json_get<std::vector<double>>(json, "fitted", what);
    made.rmse_ = json_get<double>(json, "rmse", what);
    const std::size_t seasons = options.seasonality == Seasonality::none ? 0 : static_cast<std::size_t>(options.period);
    if (!(made.rmse_ >= 0) || made.state_.seasons.size() != seasons || made.fitted_.empty() || !options.level ||
        (options.trend == Trend::damped && !options.damping)) {
      throw FormatError("[HoltWinters] expected a state that fits the options, got another");
    }
    return made;
  });
}

AutoRegression::AutoRegression(AutoRegressionOptions options) : options_(std::move(options)) {
  if (options_.lags < 1 || options_.lags > 10'000) {
    refuse("AutoRegression", "lags from 1 to 10,000", std::to_string(options_.lags));
  }
  int before = options_.lags;
  for (const int lag : options_.further) {
    if (lag <= before) refuse("AutoRegression", "further lags that rise beyond the others", std::to_string(lag));
    before = lag;
  }
}

std::vector<int> AutoRegression::all_lags() const {
  std::vector<int> lags;
  for (int lag = 1; lag <= options_.lags; ++lag) lags.push_back(lag);
  lags.insert(lags.end(), options_.further.begin(), options_.further.end());
  return lags;
}

void AutoRegression::need_fitted() const {
  if (coefficients_.empty()) throw StateError("[AutoRegression] expected a fitted model, got one before fit");
}

void AutoRegression::fit(std::span<const double> series) {
  const char* where = "AutoRegression";
  check_series(where, series);
  const std::vector<int> lags = all_lags();
  const std::size_t first = static_cast<std::size_t>(lags.back());
  const std::size_t width = lags.size() + (options_.trend ? 1 : 0);  // beside the constant
  if (series.size() < first + width + 2) {
    refuse(where, "a series of at least " + std::to_string(first + width + 2) + " steps",
           std::to_string(series.size()));
  }
  if (std::equal(series.begin() + 1, series.end(), series.begin()))
    refuse(where, "a series that varies", "a constant one");
  const std::size_t n = series.size() - first;
  std::vector<double> x(n * width), mean(width), right(width), gram(width * width), scale(width);
  double mean_y = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double* row = x.data() + i * width;
    if (options_.trend) *row++ = static_cast<double>(first + i + 1);
    for (std::size_t k = 0; k < lags.size(); ++k) row[k] = series[first + i - static_cast<std::size_t>(lags[k])];
    for (std::size_t j = 0; j < width; ++j) mean[j] += x[i * width + j] / static_cast<double>(n);
    mean_y += series[first + i] / static_cast<double>(n);
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < width; ++j) scale[j] += std::pow(x[i * width + j] - mean[j], 2);
  }
  for (double& each : scale) {
    if (!(each > 0)) refuse(where, "a series that varies", "a constant one");
    each = std::sqrt(each);
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < width; ++j) {
      const double at = (x[i * width + j] - mean[j]) / scale[j];
      right[j] += at * (series[first + i] - mean_y);
      for (std::size_t k = 0; k <= j; ++k) gram[j * width + k] += at * (x[i * width + k] - mean[k]) / scale[k];
    }
  }
  if (!kernels::cholesky_solve(gram.data(), static_cast<std::int64_t>(width), right.data(), 1)) {
    refuse(where, "lags that do not repeat each other", "a series that fewer of them foretell");
  }
  double constant = mean_y;
  for (std::size_t j = 0; j < width; ++j) {
    right[j] /= scale[j];
    constant -= right[j] * mean[j];
  }
  double squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double value = constant;
    for (std::size_t j = 0; j < width; ++j) value += right[j] * x[i * width + j];
    squares += std::pow(series[first + i] - value, 2);
  }
  coefficients_ = std::move(right);
  coefficients_.insert(coefficients_.begin(), constant);
  sigma_ = std::sqrt(squares / static_cast<double>(n - width - 1));
  last_.assign(series.end() - static_cast<std::ptrdiff_t>(first), series.end());
  steps_ = static_cast<std::int64_t>(series.size());
}

std::vector<double> AutoRegression::forecast(int steps) const {
  need_fitted();
  check_steps("AutoRegression", steps);
  const std::vector<int> lags = all_lags();
  std::vector<double> past = last_;
  for (int h = 1; h <= steps; ++h) {
    std::size_t next = 0;
    double value = coefficients_[next++];
    if (options_.trend) value += coefficients_[next++] * static_cast<double>(steps_ + h);
    for (const int lag : lags) value += coefficients_[next++] * past[past.size() - static_cast<std::size_t>(lag)];
    past.push_back(value);
  }
  return {past.end() - steps, past.end()};
}

std::vector<double> AutoRegression::deviations(int steps) const {
  need_fitted();
  check_steps("AutoRegression", steps);
  const std::vector<int> lags = all_lags();
  const std::size_t first = options_.trend ? 2 : 1;
  std::vector<double> psi{1}, out{sigma_};  // what an error of one step adds to those after it
  double sum = 1;
  for (int h = 1; h < steps; ++h) {
    double next = 0;
    for (std::size_t k = 0; k < lags.size() && lags[k] <= h; ++k) {
      next += coefficients_[first + k] * psi[static_cast<std::size_t>(h - lags[k])];
    }
    psi.push_back(next);
    sum += next * next;
    out.push_back(sigma_ * std::sqrt(sum));
  }
  return out;
}

void AutoRegression::save(const std::string& path) const {
  need_fitted();
  const Json json{{"format", "tern.auto_regression"},
                  {"version", 1},
                  {"lags", options_.lags},
                  {"further", options_.further},
                  {"trend", options_.trend},
                  {"coefficients", coefficients_},
                  {"last", last_},
                  {"steps", steps_},
                  {"sigma", sigma_}};
  write_file(path, tern::internal::sealed_json(json_text(json)));
}

AutoRegression AutoRegression::load(const std::string& path) {
  const std::string what = "AutoRegression";
  std::string text = read_file(path);
  return tern::internal::from_file(path, [&] {
    const Json json = tern::internal::parse_json(tern::internal::unsealed_json(std::move(text), what), what);
    if (json_get<std::string>(json, "format", what) != "tern.auto_regression" ||
        json_get<int>(json, "version", what) != 1) {
      throw FormatError("[AutoRegression] expected tern.auto_regression of version 1, got another format");
    }
    AutoRegression made({.lags = json_get<int>(json, "lags", what),
                         .further = json_get<std::vector<int>>(json, "further", what),
                         .trend = json_get<bool>(json, "trend", what)});
    made.coefficients_ = json_get<std::vector<double>>(json, "coefficients", what);
    made.last_ = json_get<std::vector<double>>(json, "last", what);
    made.steps_ = json_get<std::int64_t>(json, "steps", what);
    made.sigma_ = json_get<double>(json, "sigma", what);
    const std::size_t lags = static_cast<std::size_t>(made.options_.lags) + made.options_.further.size();
    const int longest = made.options_.further.empty() ? made.options_.lags : made.options_.further.back();
    if (made.coefficients_.size() != lags + (made.options_.trend ? 2 : 1) ||
        made.last_.size() != static_cast<std::size_t>(longest) || !(made.sigma_ >= 0) || made.steps_ < longest ||
        made.steps_ > std::int64_t{1} << 53) {
      throw FormatError("[AutoRegression] expected numbers that fit the lags, got others");
    }
    return made;
  });
}

}  // namespace tern::models
