#include "tern/models/naive_bayes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/number_text.h"
#include "base/retell.h"
#include "models/blocks.h"
#include "models/fields.h"
#include "models/files.h"
#include "models/links.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"

namespace tern::models {
namespace {

using data::Matrix;
using internal::Fields;
using internal::require;
using tern::internal::class_name;

// Σ weight, [classes], and behind it Σ weight · f(value, class, column), [classes, d], in blocks.
template <class Rows, class F>
std::vector<double> sum_by_class(const Rows& rows, std::int64_t classes, F f) {
  const std::int64_t d = rows.x.columns();
  return internal::sum_blocks(rows.x.rows(), classes * (d + 1),
                              [&](std::int64_t begin, std::int64_t end, double* sums) {
                                for (std::int64_t row = begin; row < end; ++row) {
                                  const auto i = static_cast<std::size_t>(row);
                                  const double weight = rows.weights.empty() ? 1 : rows.weights[i];
                                  const auto k = static_cast<std::int64_t>(rows.y[i]);
                                  sums[k] += weight;
                                  double* to = sums + classes + k * d;
                                  for (std::int64_t j = 0; j < d; ++j) to[j] += weight * f(rows.x.at(row, j), k, j);
                                }
                              });
}

}  // namespace

std::int64_t NaiveBayes::width() const {
  return class_weights_.empty() ? 0 : static_cast<std::int64_t>(sums_.size() / class_weights_.size());
}

void NaiveBayes::fields(Fields& fields) {
  fields("class_weights", class_weights_);
  fields("sums", sums_);
}

void NaiveBayes::check() const {
  const std::size_t classes = class_weights_.size();
  bool fits = classes == 0 ? sums_.empty() : classes >= 2 && !sums_.empty() && sums_.size() % classes == 0;
  for (const double weight : class_weights_) fits = fits && weight >= 0;
  if (!fits) throw ValueError("[" + class_name(type()) + "] expected statistics [classes, d] of two classes or more");
}

void NaiveBayes::check_values(const Matrix& /*x*/) const {}

void NaiveBayes::learn(const Rows& train, const Rows& /*validation*/, std::int64_t classes) {
  check_values(train.x);
  class_weights_.clear();
  sums_.clear();
  add(train, classes);
}

void NaiveBayes::learn_more(const Rows& rows, std::int64_t classes) {
  check_values(rows.x);
  add(rows, classes);
}

std::vector<double> NaiveBayes::priors() const {
  std::vector<double> priors(class_weights_.size(), -std::log(static_cast<double>(class_weights_.size())));
  if (uniform()) return priors;
  double total = 0;
  for (const double weight : class_weights_) total += weight;
  for (std::size_t k = 0; k < priors.size(); ++k) priors[k] = std::log(class_weights_[k] / total);
  return priors;
}

std::vector<double> NaiveBayes::respond(const Matrix& x, bool probability) const {
  check_values(x);
  std::vector<double> joint = this->joint(x);
  const auto classes = static_cast<std::int64_t>(class_weights_.size());
  std::vector<double> out;
  for (std::int64_t row = 0; row < x.rows(); ++row) {
    double* of = joint.data() + row * classes;
    if (!std::isfinite(*std::max_element(of, of + classes)) ||
        std::any_of(of, of + classes, [](double each) { return std::isnan(each); })) {
      throw ValueError("[" + class_name(type()) + "] expected rows of finite likelihood, got another, row " +
                       std::to_string(row));
    }
    if (!probability) {
      out.push_back(static_cast<double>(std::max_element(of, of + classes) - of));
      continue;
    }
    internal::softmax(of, classes);
    if (classes == 2) {
      out.push_back(of[1]);
    } else {
      out.insert(out.end(), of, of + classes);
    }
  }
  return out;
}

GaussianNaiveBayes::GaussianNaiveBayes(GaussianOptions options) : options_(options) { GaussianNaiveBayes::check(); }

void GaussianNaiveBayes::check() const {
  NaiveBayes::check();
  require("GaussianNaiveBayes", options_.smoothing >= 0 && std::isfinite(options_.smoothing),
          "a finite smoothing of at least 0", options_.smoothing);
  bool fits = squares_.size() == sums_.size();
  for (const double square : squares_) fits = fits && square >= 0;
  if (!fits) throw ValueError("[GaussianNaiveBayes] expected squares of at least 0 beside the means");
}

void GaussianNaiveBayes::fields(Fields& fields) {
  fields("smoothing", options_.smoothing);
  fields("squares", squares_);
  NaiveBayes::fields(fields);
}

std::unique_ptr<data::Estimator> GaussianNaiveBayes::clone() const {
  return std::make_unique<GaussianNaiveBayes>(*this);
}
GaussianNaiveBayes GaussianNaiveBayes::load(const std::string& path) {
  return internal::load_as<GaussianNaiveBayes>("gaussian_naive_bayes", path);
}

// Statistics of these rows by themselves, then both together (Chan, Golub and LeVeque 1983).
void GaussianNaiveBayes::add(const Rows& rows, std::int64_t classes) {
  const auto k = static_cast<std::size_t>(classes), d = static_cast<std::size_t>(rows.x.columns());
  std::vector<double> means = sum_by_class(rows, classes, [](double x, std::int64_t, std::int64_t) { return x; });
  const std::vector<double> weights(means.begin(), means.begin() + classes);
  means.erase(means.begin(), means.begin() + classes);
  for (std::size_t i = 0; i < means.size(); ++i) means[i] = weights[i / d] > 0 ? means[i] / weights[i / d] : 0;
  std::vector<double> squares =
      sum_by_class(rows, classes, [&, width = rows.x.columns()](double x, std::int64_t of, std::int64_t j) {
        const double apart = x - means[static_cast<std::size_t>(of * width + j)];
        return apart * apart;
      });
  squares.erase(squares.begin(), squares.begin() + classes);
  if (sums_.empty()) {
    class_weights_ = weights;
    sums_ = std::move(means);
    squares_ = std::move(squares);
    return;
  }
  for (std::size_t i = 0; i < k * d; ++i) {
    const double before = class_weights_[i / d], now = weights[i / d], both = before + now;
    if (!(now > 0)) continue;
    const double apart = means[i] - sums_[i];
    sums_[i] += apart * now / both;
    squares_[i] += squares[i] + apart * apart * before * now / both;
  }
  for (std::size_t i = 0; i < k; ++i) class_weights_[i] += weights[i];
}

std::vector<double> GaussianNaiveBayes::variances() const {
  const std::size_t classes = class_weights_.size();
  if (classes == 0) return {};
  const std::size_t d = sums_.size() / classes;
  double total = 0, most = 0;
  for (const double weight : class_weights_) total += weight;
  for (std::size_t j = 0; j < d; ++j) {  // of the column, classes aside
    double mean = 0, square = 0;
    for (std::size_t k = 0; k < classes; ++k) mean += class_weights_[k] / total * sums_[k * d + j];
    for (std::size_t k = 0; k < classes; ++k) {
      const double apart = sums_[k * d + j] - mean;
      square += squares_[k * d + j] + class_weights_[k] * apart * apart;
    }
    most = std::max(most, square / total);
  }
  const double added = options_.smoothing * (most > 0 ? most : 1);
  std::vector<double> variances(sums_.size());
  for (std::size_t i = 0; i < variances.size(); ++i) {
    const double weight = class_weights_[i / d];
    variances[i] = std::max((weight > 0 ? squares_[i] / weight : 0) + added, 1e-300);
  }
  return variances;
}

std::vector<double> GaussianNaiveBayes::joint(const Matrix& x) const {
  const std::int64_t d = x.columns(), classes = static_cast<std::int64_t>(class_weights_.size());
  std::vector<double> constants = priors(), inverse = variances();
  for (std::size_t i = 0; i < inverse.size(); ++i) {
    constants[i / static_cast<std::size_t>(d)] -= 0.5 * std::log(2 * 3.14159265358979323846 * inverse[i]);
    inverse[i] = 0.5 / inverse[i];
  }
  std::vector<double> out(static_cast<std::size_t>(x.rows() * classes));
  parallel_for(x.rows(), 64, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> squares(static_cast<std::size_t>(d));
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t k = 0; k < classes; ++k) {
        const double* mean = sums_.data() + k * d;
        for (std::int64_t j = 0; j < d; ++j) {
          const double apart = x.at(row, j) - mean[j];
          squares[static_cast<std::size_t>(j)] = apart * apart;
        }
        out[static_cast<std::size_t>(row * classes + k)] =
            constants[static_cast<std::size_t>(k)] - internal::dot(squares.data(), inverse.data() + k * d, d);
      }
    }
  });
  return out;
}

namespace {

void check_counting(const char* type, const CountingOptions& options) {
  require(type, options.alpha > 0 && std::isfinite(options.alpha), "a finite alpha above 0", options.alpha);
  require(type, std::isfinite(options.threshold), "a finite threshold", options.threshold);
}

void counting_fields(Fields& fields, CountingOptions& options) {
  fields("alpha", options.alpha);
  fields("fit_prior", options.fit_prior);
  fields("threshold", options.threshold);
}

// Adds sums by class, the classes' weights before them, to those there were.
void add_sums(const std::vector<double>& more, std::vector<double>& weights, std::vector<double>& sums,
              std::int64_t classes) {
  const auto k = static_cast<std::size_t>(classes);
  weights.resize(k);
  sums.resize(more.size() - k);
  for (std::size_t i = 0; i < k; ++i) weights[i] += more[i];
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += more[k + i];
}

void check_sums(const char* type, const std::vector<double>& sums) {
  for (const double sum : sums) require(type, sum >= 0, "counts of at least 0", sum);
}

}  // namespace

MultinomialNaiveBayes::MultinomialNaiveBayes(CountingOptions options) : options_(options) {
  MultinomialNaiveBayes::check();
}

void MultinomialNaiveBayes::check() const {
  NaiveBayes::check();
  check_counting("MultinomialNaiveBayes", options_);
  check_sums("MultinomialNaiveBayes", sums_);
}

void MultinomialNaiveBayes::fields(Fields& fields) {
  counting_fields(fields, options_);
  NaiveBayes::fields(fields);
}

std::unique_ptr<data::Estimator> MultinomialNaiveBayes::clone() const {
  return std::make_unique<MultinomialNaiveBayes>(*this);
}
MultinomialNaiveBayes MultinomialNaiveBayes::load(const std::string& path) {
  return internal::load_as<MultinomialNaiveBayes>("multinomial_naive_bayes", path);
}

void MultinomialNaiveBayes::check_values(const Matrix& x) const {
  for (std::int64_t row = 0; row < x.rows(); ++row) {
    for (std::int64_t j = 0; j < x.columns(); ++j) {
      if (!(x.at(row, j) < 0)) continue;
      throw ValueError("[MultinomialNaiveBayes] expected counts of at least 0, got " +
                       tern::internal::number_text(x.at(row, j)) + " in row " + std::to_string(row) + ", column " +
                       std::to_string(j));
    }
  }
}

void MultinomialNaiveBayes::add(const Rows& rows, std::int64_t classes) {
  add_sums(sum_by_class(rows, classes, [](double x, std::int64_t, std::int64_t) { return x; }), class_weights_, sums_,
           classes);
}

std::vector<double> MultinomialNaiveBayes::joint(const Matrix& x) const {
  const std::size_t d = static_cast<std::size_t>(x.columns());
  std::vector<double> logs = sums_;
  for (std::size_t begin = 0; begin < logs.size(); begin += d) {
    double total = 0;
    for (std::size_t j = begin; j < begin + d; ++j) total += logs[j] += options_.alpha;
    for (std::size_t j = begin; j < begin + d; ++j) logs[j] = std::log(logs[j] / total);
  }
  return internal::scores(x, logs, priors());
}

BernoulliNaiveBayes::BernoulliNaiveBayes(CountingOptions options) : options_(options) { BernoulliNaiveBayes::check(); }

void BernoulliNaiveBayes::check() const {
  NaiveBayes::check();
  check_counting("BernoulliNaiveBayes", options_);
  check_sums("BernoulliNaiveBayes", sums_);
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const double most = class_weights_[i / (sums_.size() / class_weights_.size())];
    require("BernoulliNaiveBayes", sums_[i] <= most * (1 + 1e-9), "no more true rows than rows", sums_[i]);
  }
}

void BernoulliNaiveBayes::fields(Fields& fields) {
  counting_fields(fields, options_);
  NaiveBayes::fields(fields);
}

std::unique_ptr<data::Estimator> BernoulliNaiveBayes::clone() const {
  return std::make_unique<BernoulliNaiveBayes>(*this);
}
BernoulliNaiveBayes BernoulliNaiveBayes::load(const std::string& path) {
  return internal::load_as<BernoulliNaiveBayes>("bernoulli_naive_bayes", path);
}

void BernoulliNaiveBayes::add(const Rows& rows, std::int64_t classes) {
  add_sums(sum_by_class(rows, classes,
                        [&](double x, std::int64_t, std::int64_t) { return x > options_.threshold ? 1.0 : 0.0; }),
           class_weights_, sums_, classes);
}

std::vector<double> BernoulliNaiveBayes::joint(const Matrix& x) const {
  const std::int64_t d = x.columns(), classes = static_cast<std::int64_t>(class_weights_.size());
  std::vector<double> logs(sums_.size()), constants = priors();
  for (std::size_t i = 0; i < logs.size(); ++i) {
    const std::size_t k = i / static_cast<std::size_t>(d);
    const double all = class_weights_[k] + 2 * options_.alpha, yes = sums_[i] + options_.alpha;
    logs[i] = std::log(yes / (all - yes));
    constants[k] += std::log((all - yes) / all);
  }
  constexpr std::int64_t kRows = 4096;  // as zeros and ones at a time
  std::vector<double> out, truths;
  out.reserve(static_cast<std::size_t>(x.rows() * classes));
  for (std::int64_t begin = 0; begin < x.rows(); begin += kRows) {
    const std::int64_t rows = std::min(kRows, x.rows() - begin);
    truths.resize(static_cast<std::size_t>(rows * d));
    for (std::int64_t i = 0; i < rows * d; ++i) {
      truths[static_cast<std::size_t>(i)] = x.at(begin + i / d, i % d) > options_.threshold ? 1 : 0;
    }
    const std::vector<double> part = internal::scores(Matrix(truths, d), logs, constants);
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

}  // namespace tern::models
