#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "base/number_text.h"
#include "base/retell.h"
#include "base/warnings.h"
#include "models/blocks.h"
#include "models/fields.h"
#include "models/files.h"
#include "models/points.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/models/clusters.h"
#include "tern/tensor/creation.h"

namespace tern::models {
namespace {

using Covariance = GaussianMixtureOptions::Covariance;

constexpr std::string_view kCovariances[] = {"full", "diagonal", "spherical"};

[[noreturn]] void refuse_mixture(const std::string& expected, const std::string& got) {
  throw ValueError("[GaussianMixture] expected " + expected + ", got " + got);
}

// Inverts the lower Cholesky factor of a [d, d], in place and transposed: |row of differences · result|² is their
// squared Mahalanobis distance. Gives ln |det| of it; not finite where `a` is not positive definite.
double invert_factor(double* a, std::int64_t d) {
  double log_determinant = 0;
  for (std::int64_t j = 0; j < d; ++j) {
    for (std::int64_t i = j; i < d; ++i) {
      double sum = a[i * d + j];
      for (std::int64_t k = 0; k < j; ++k) sum -= a[i * d + k] * a[j * d + k];
      if (i == j) {
        a[j * d + j] = std::sqrt(sum);  // NaN of a negative number
        log_determinant -= std::log(a[j * d + j]);
      } else {
        a[i * d + j] = sum / a[j * d + j];
      }
    }
  }
  std::vector<double> column(static_cast<std::size_t>(d));
  std::vector<double> inverse(static_cast<std::size_t>(d * d));
  for (std::int64_t j = 0; j < d; ++j) {  // column j of the inverse is row j of the result
    for (std::int64_t i = j; i < d; ++i) {
      double sum = i == j ? 1 : 0;
      for (std::int64_t k = j; k < i; ++k) sum -= a[i * d + k] * column[static_cast<std::size_t>(k)];
      column[static_cast<std::size_t>(i)] = sum / a[i * d + i];
      inverse[static_cast<std::size_t>(j * d + i)] = column[static_cast<std::size_t>(i)];
    }
  }
  std::copy(inverse.begin(), inverse.end(), a);
  return log_determinant;
}

// Components as rows are judged by them.
struct Normals {
  Covariance covariance = Covariance::full;
  std::int64_t k = 0, d = 0;
  const std::vector<double>* means = nullptr;
  std::vector<double> scales{};     // inverse factors, or inverse standard deviations
  std::vector<double> constants{};  // of the logarithms

  Normals(Covariance kind, const std::vector<double>& weights, const std::vector<double>& mean,
          const std::vector<double>& covariances)
      : covariance(kind),
        k(static_cast<std::int64_t>(weights.size())),
        d(static_cast<std::int64_t>(mean.size() / weights.size())),
        means(&mean),
        scales(covariances) {
    const auto size = static_cast<std::int64_t>(covariances.size()) / k;
    for (std::int64_t c = 0; c < k; ++c) {
      double* of = scales.data() + c * size;
      double log_determinant = 0;
      if (kind == Covariance::full) {
        log_determinant = invert_factor(of, d);
      } else {
        const std::int64_t columns = d / size;  // that share a scale
        for (std::int64_t j = 0; j < size; ++j) {
          of[j] = 1 / std::sqrt(of[j]);
          log_determinant += std::log(of[j]) * static_cast<double>(columns);
        }
      }
      if (!std::isfinite(log_determinant)) {
        refuse_mixture("covariances that are positive definite (a greater regularization makes them so)",
                       "others of component " + std::to_string(c));
      }
      constants.push_back(std::log(weights[static_cast<std::size_t>(c)]) + log_determinant -
                          static_cast<double>(d) / 2 * std::log(2 * std::numbers::pi));
    }
  }

  // ln of weight · density of rows [begin, end), [rows, k]; gives ln of their sums [rows].
  void judge(const data::Matrix& x, std::int64_t begin, std::int64_t end, double* joint, double* sums) const {
    const std::int64_t count = end - begin, size = static_cast<std::int64_t>(scales.size()) / k;
    const auto rows = internal::room_for<double>(count * d), scaled = internal::room_for<double>(count * d);
    for (std::int64_t c = 0; c < k; ++c) {
      const double* scale = scales.data() + c * size;
      for (std::int64_t i = 0; i < count; ++i) {
        internal::shifted_row(x, begin + i, means->data() + c * d, rows.get() + i * d);
      }
      if (covariance == Covariance::full) {
        internal::products<double>().block({.m = count,
                                            .n = d,
                                            .k = d,
                                            .a = rows.get(),
                                            .a_row = d,
                                            .a_column = 1,
                                            .b = scale,
                                            .b_row = d,
                                            .b_column = 1,
                                            .c = scaled.get(),
                                            .c_row = d});
      } else {
        for (std::int64_t i = 0; i < count; ++i) {
          for (std::int64_t j = 0; j < d; ++j)
            scaled[static_cast<std::size_t>(i * d + j)] =
                rows[static_cast<std::size_t>(i * d + j)] * scale[size == 1 ? 0 : j];
        }
      }
      for (std::int64_t i = 0; i < count; ++i) {
        joint[i * k + c] = constants[static_cast<std::size_t>(c)] - internal::squared_norm(scaled.get() + i * d, d) / 2;
      }
    }
    for (std::int64_t i = 0; i < count; ++i) {
      const double* of = joint + i * k;
      const double most = *std::max_element(of, of + k);  // of a component that has rows
      double sum = 0;
      for (std::int64_t c = 0; c < k; ++c) sum += std::exp(of[c] - most);
      sums[i] = most + std::log(sum);
    }
  }
};

}  // namespace

GaussianMixture::GaussianMixture(GaussianMixtureOptions options) : options_(options) { GaussianMixture::check(); }

void GaussianMixture::check() const {
  const auto k = options_.components;
  if (k < 1) refuse_mixture("at least one component", std::to_string(k));
  if (!(options_.regularization >= 0) || !std::isfinite(options_.regularization)) {
    refuse_mixture("a finite regularization of at least 0", tern::internal::number_text(options_.regularization));
  }
  if (!(options_.tolerance >= 0))
    refuse_mixture("a tolerance of at least 0", tern::internal::number_text(options_.tolerance));
  if (options_.max_iterations < 1) refuse_mixture("at least one iteration", std::to_string(options_.max_iterations));
  if (options_.starts < 1) refuse_mixture("at least one start", std::to_string(options_.starts));
  if (weights_.empty() && means_.empty() && covariances_.empty()) return;
  const auto count = static_cast<std::size_t>(k);
  const std::size_t d = means_.size() / count;
  const std::size_t each = options_.covariance == Covariance::full       ? d * d
                           : options_.covariance == Covariance::diagonal ? d
                                                                         : 1;
  if (d == 0 || weights_.size() != count || means_.size() != count * d || covariances_.size() != count * each) {
    refuse_mixture("weights, means and covariances of its components", "others");
  }
  for (const double weight : weights_) {
    if (!(weight >= 0)) refuse_mixture("weights of at least 0", tern::internal::number_text(weight));
  }
  Normals(options_.covariance, weights_, means_, covariances_);
}

void GaussianMixture::learn(const data::Matrix& x, std::span<const double> weights) {
  const std::int64_t n = x.rows(), d = x.columns(), k = options_.components;
  if (k > n) refuse_mixture("at most as many components as rows", std::to_string(k) + " of " + std::to_string(n));
  const double total = internal::total_weight(n, weights);
  GaussianMixture best(options_);
  // Of each component, how much of each row it takes.
  std::vector<std::vector<double>> parts(static_cast<std::size_t>(k), std::vector<double>(static_cast<std::size_t>(n)));
  double rise = 0;  // of the best start's last step
  const tern::internal::FewWarnings none("KMeans");
  for (int start = 0; start < options_.starts; ++start) {
    GaussianMixture now(options_);
    KMeans clusters({.clusters = k, .seed = options_.seed + static_cast<std::uint64_t>(start)});
    tern::internal::speaking_as("GaussianMixture", [&] { clusters.fit(x, {.weights = weights}); });
    const std::vector<std::int64_t> labels = clusters.predict(x);
    for (std::int64_t c = 0; c < k; ++c) {
      for (std::size_t i = 0; i < labels.size(); ++i) {
        parts[static_cast<std::size_t>(c)][i] = labels[i] == c ? weights.empty() ? 1 : weights[i] : 0;
      }
    }
    now.maximise(x, parts, total);
    double before = -std::numeric_limits<double>::infinity(), more = 0;
    for (now.iterations_ = 1;; ++now.iterations_) {
      const Normals normals(options_.covariance, now.weights_, now.means_, now.covariances_);
      const double sum = internal::sum_blocks(n, 1, [&](std::int64_t begin, std::int64_t end, double* to) {
        const std::int64_t step = internal::block_rows(d);
        std::vector<double> joint(static_cast<std::size_t>(step * k)), sums(static_cast<std::size_t>(step));
        for (std::int64_t first = begin; first < end; first += step) {
          const std::int64_t last = std::min(end, first + step);
          normals.judge(x, first, last, joint.data(), sums.data());
          for (std::int64_t row = first; row < last; ++row) {
            const auto at = static_cast<std::size_t>(row);
            const double w = weights.empty() ? 1 : weights[at], log_sum = sums[static_cast<std::size_t>(row - first)];
            *to += w > 0 ? w * log_sum : 0;
            for (std::int64_t c = 0; c < k; ++c) {
              const double share = std::exp(joint[static_cast<std::size_t>((row - first) * k + c)] - log_sum);
              parts[static_cast<std::size_t>(c)][at] = w > 0 ? w * share : 0;
            }
          }
        }
      })[0];
      now.mean_log_likelihood_ = sum / total;
      if (!std::isfinite(now.mean_log_likelihood_)) refuse_mixture("rows of finite likelihood", "others");
      now.maximise(x, parts, total);
      more = std::abs(now.mean_log_likelihood_ - before);
      now.converged_ = more < options_.tolerance;
      before = now.mean_log_likelihood_;
      if (now.converged_ || now.iterations_ == options_.max_iterations) break;
    }
    if (start == 0 || now.mean_log_likelihood_ > best.mean_log_likelihood_) best = now, rise = more;
  }
  best.check();
  std::swap(weights_, best.weights_);
  std::swap(means_, best.means_);
  std::swap(covariances_, best.covariances_);
  mean_log_likelihood_ = best.mean_log_likelihood_;
  iterations_ = best.iterations_;
  converged_ = best.converged_;
  if (!converged_) {
    internal::warn_unconverged(tern::internal::class_name(type()), options_.max_iterations,
                               "a change of the mean log-likelihood", rise, options_.tolerance);
  }
}

void GaussianMixture::maximise(const data::Matrix& x, const std::vector<std::vector<double>>& parts, double total) {
  const auto k = parts.size(), d = static_cast<std::size_t>(x.columns());
  const std::size_t each = options_.covariance == Covariance::full       ? d * d
                           : options_.covariance == Covariance::diagonal ? d
                                                                         : 1;
  weights_.resize(k);
  means_.resize(k * d);
  covariances_.resize(k * each);
  for (std::size_t c = 0; c < k; ++c) {
    const double mass = internal::total_weight(x.rows(), parts[c]);
    double* to = covariances_.data() + c * each;
    weights_[c] = mass > 1e-12 * total ? mass / total : 0;
    if (weights_[c] == 0) {  // it has no rows, and will have none
      std::fill_n(to, each, 0);
      for (std::size_t j = 0; j < each; j += options_.covariance == Covariance::full ? d + 1 : 1) to[j] = 1;
      continue;
    }
    const std::vector<double> mean = internal::column_means(x, parts[c]);
    std::copy(mean.begin(), mean.end(), means_.begin() + static_cast<std::ptrdiff_t>(c * d));
    if (options_.covariance == Covariance::full) {
      const std::vector<double> gram = internal::gram(x, parts[c], mean, internal::Sums::wide);
      for (std::size_t i = 0; i < gram.size(); ++i) to[i] = gram[i] / mass;
      for (std::size_t j = 0; j < d; ++j) to[j * d + j] += options_.regularization;
      continue;
    }
    const std::vector<double> variances = internal::column_variances(x, parts[c], mean);
    std::fill_n(to, each, options_.regularization);
    for (std::size_t j = 0; j < d; ++j)
      to[each == 1 ? 0 : j] += each == 1 ? variances[j] / static_cast<double>(d) : variances[j];
  }
}

std::int64_t GaussianMixture::width() const { return static_cast<std::int64_t>(means_.size()) / options_.components; }

// ln of weight · density [n, k], and ln of their sums [n].
std::pair<std::vector<double>, std::vector<double>> GaussianMixture::judge(const data::Matrix& x) const {
  const std::int64_t k = options_.components;
  const Normals normals(options_.covariance, weights_, means_, covariances_);
  std::vector<double> joint(static_cast<std::size_t>(x.rows() * k)), sums(static_cast<std::size_t>(x.rows()));
  parallel_for(x.rows(), internal::block_rows(x.columns()), [&](std::int64_t begin, std::int64_t end) {
    normals.judge(x, begin, end, joint.data() + begin * k, sums.data() + begin);
  });
  for (std::size_t row = 0; row < sums.size(); ++row) {
    if (!std::isfinite(sums[row])) {
      refuse_mixture("rows whose distances have finite squares", "another, row " + std::to_string(row));
    }
  }
  return {std::move(joint), std::move(sums)};
}

Tensor GaussianMixture::map(const data::Matrix& x) const {
  return from_vector(shares(x), {x.rows(), options_.components});
}

std::vector<double> GaussianMixture::shares(const data::Matrix& x) const {
  auto [joint, sums] = judge(x);
  const auto k = static_cast<std::size_t>(options_.components);
  for (std::size_t i = 0; i < joint.size(); ++i) joint[i] = std::exp(joint[i] - sums[i / k]);
  return joint;
}

std::vector<std::int64_t> GaussianMixture::assign(const data::Matrix& x) const {
  const std::vector<double> joint = judge(x).first;
  const std::int64_t k = options_.components;
  std::vector<std::int64_t> labels(static_cast<std::size_t>(x.rows()));
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const double* of = joint.data() + static_cast<std::int64_t>(row) * k;
    labels[row] = std::max_element(of, of + k) - of;
  }
  return labels;
}

void GaussianMixture::fields(internal::Fields& fields) {
  fields("components", options_.components);
  fields("covariance", options_.covariance, kCovariances);
  fields("regularization", options_.regularization);
  fields("tolerance", options_.tolerance);
  fields("max_iterations", options_.max_iterations);
  fields("starts", options_.starts);
  fields("seed", options_.seed);
  fields("weights", weights_);
  fields("means", means_);
  fields("covariances", covariances_);
  fields("mean_log_likelihood", mean_log_likelihood_);
  fields("iterations", iterations_);
  fields("converged", converged_);
}

std::unique_ptr<Unsupervised> GaussianMixture::clone() const { return std::make_unique<GaussianMixture>(*this); }
GaussianMixture GaussianMixture::load(const std::string& path) {
  return internal::load_rows_model<GaussianMixture>(path);
}

}  // namespace tern::models
