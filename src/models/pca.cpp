#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/number_text.h"
#include "data/rows.h"
#include "models/blocks.h"
#include "models/directions.h"
#include "models/fields.h"
#include "models/files.h"
#include "tern/base/error.h"
#include "tern/models/decomposition.h"
#include "tern/tensor/creation.h"

// Principal components and the truncated SVD: directions of rows about their mean, or about 0.
namespace tern::models {
namespace {

constexpr std::string_view kFactorisations[] = {"exact", "randomised", "incremental"};

void check_common(const char* where, std::int64_t components, std::int64_t least, int power_iterations,
                  double tolerance) {
  if (components < least) {
    throw ValueError("[" + std::string(where) + "] expected at least " + std::to_string(least) + " components, got " +
                     std::to_string(components));
  }
  if (power_iterations < 0) {
    throw ValueError("[" + std::string(where) + "] expected at least 0 power iterations, got " +
                     std::to_string(power_iterations));
  }
  internal::require(where, tolerance >= 0, "a tolerance of at least 0", tolerance);
}

void check_components(const char* where, std::int64_t components, std::int64_t n, std::int64_t d) {
  if (components > std::min(n, d)) {
    throw ValueError("[" + std::string(where) + "] expected at most as many components as rows and columns, got " +
                     std::to_string(components) + " of " + std::to_string(n) + " rows and " + std::to_string(d) +
                     " columns");
  }
}

std::vector<double> roots(const std::vector<double>& squares) {
  std::vector<double> out;
  for (const double square : squares) out.push_back(std::sqrt(square));
  return out;
}

void check_finite(const char* where, const std::vector<double>& squares) {
  for (const double square : squares) {
    if (!std::isfinite(square)) {
      throw ValueError("[" + std::string(where) +
                       "] expected numbers whose squares have a finite sum, got larger ones");
    }
  }
}

}  // namespace

Pca::Pca(PcaOptions options) : options_(options) { Pca::check(); }

void Pca::check() const {
  check_common("Pca", options_.components, 0, options_.power_iterations, options_.tolerance);
  if (options_.batch_rows < 0) {
    throw ValueError("[Pca] expected batches of at least 0 rows, got " + std::to_string(options_.batch_rows));
  }
  const std::size_t d = mean_.size(), k = variance_.size();
  if (components_.size() != k * d || singular_values_.size() != k || column_variance_.size() != d ||
      (d > 0) != (k > 0)) {
    throw ValueError("[Pca] expected components [k, d] with their variances, got others");
  }
  const bool counts = options_.factorisation == Factorisation::incremental;  // else they may be a sum of weights
  internal::require("Pca", rows_ >= (d > 0 ? 1 : 0) && rows_ <= 0x1p53 && (!counts || rows_ == std::floor(rows_)),
                    "rows that are finite, and whole of batches", rows_);
}

void Pca::learn(const data::Matrix& x, std::span<const double> weights) {
  const std::int64_t n = x.rows(), d = x.columns();
  check_components("Pca", options_.components, n, d);
  Pca now(options_);
  if (options_.factorisation == Factorisation::incremental) {
    const std::int64_t batch = options_.batch_rows > 0 ? options_.batch_rows : 5 * d;
    const std::int64_t least = std::max<std::int64_t>(1, options_.components);
    for (std::int64_t begin = 0; begin < n;) {
      std::int64_t end = std::min(n, begin + batch);
      if (n - end < least) end = n;  // too few for a batch of their own
      const auto first = static_cast<std::size_t>(begin * d), count = static_cast<std::size_t>((end - begin) * d);
      now.learn_batch(x.f32() ? data::Matrix(std::span(x.f32() + first, count), d)
                              : data::Matrix(std::span(x.f64() + first, count), d));
      begin = end;
    }
  } else {
    const double total = internal::total_weight(n, weights);
    if (!(total > 1)) {
      throw ValueError("[Pca] expected at least two rows, or weights whose sum is above 1, got " +
                       tern::internal::number_text(total));
    }
    const std::int64_t k = options_.components > 0 ? options_.components : std::min(n, d);
    internal::Directions found = options_.factorisation == Factorisation::exact
                                     ? internal::exact_directions(x, weights, true, k)
                                     : internal::random_directions(x, weights,
                                                                   {.components = k,
                                                                    .centred = true,
                                                                    .power_iterations = options_.power_iterations,
                                                                    .tolerance = options_.tolerance,
                                                                    .seed = options_.seed});
    now.mean_ = std::move(found.means);
    now.column_variance_ = std::move(found.column_squares);
    for (double& variance : now.column_variance_) variance /= total - 1;
    now.components_ = std::move(found.vectors);
    now.singular_values_ = roots(found.squares);
    for (const double square : found.squares) now.variance_.push_back(square / (total - 1));
    now.rows_ = total;
  }
  check_finite("Pca", now.variance_);
  std::swap(mean_, now.mean_);
  std::swap(components_, now.components_);
  std::swap(variance_, now.variance_);
  std::swap(singular_values_, now.singular_values_);
  std::swap(column_variance_, now.column_variance_);
  rows_ = now.rows_;
}

void Pca::partial_fit(const data::Matrix& batch) {
  if (options_.factorisation != Factorisation::incremental) {
    throw StateError("[Pca] expected the incremental factorisation, which alone learns in parts, got another");
  }
  if (batch.rows() == 0) throw ValueError("[Pca] expected rows to train on, got none");
  if (width() > 0) {
    check_input(batch);
  } else {
    data::internal::check_numbers(type(), batch, names(), false, "");
  }
  learn_batch(batch);
}

// The directions of what the components keep of the rows before, of the batch about its mean, and of how far its mean
// is from theirs.
void Pca::learn_batch(const data::Matrix& x) {
  const std::int64_t n = x.rows(), d = x.columns();
  const bool first = width() == 0;
  const std::int64_t k = first ? (options_.components > 0 ? options_.components : std::min(n, d)) : outputs();
  if (first) check_components("Pca", k, n, d);
  const std::vector<double> mean = internal::column_means(x, {}), variance = internal::column_variances(x, {}, mean);
  const auto rows = static_cast<double>(n), total = rows_ + rows;
  const std::int64_t kept = first ? 0 : k + 1;
  Tensor stacked = empty({kept + n, d}, DType::f64);
  double* to = stacked.mutable_span<double>().data();
  for (std::int64_t i = 0; i + 1 < kept; ++i, to += d) {
    for (std::int64_t j = 0; j < d; ++j) {
      to[j] = singular_values_[static_cast<std::size_t>(i)] * components_[static_cast<std::size_t>(i * d + j)];
    }
  }
  if (!first) {
    const double weight = std::sqrt(rows_ * rows / total);
    for (std::size_t j = 0; j < mean.size(); ++j) to[j] = weight * (mean_[j] - mean[j]);
    to += d;
  }
  for (std::int64_t row = 0; row < n; ++row, to += d) {
    for (std::int64_t j = 0; j < d; ++j) to[j] = x.at(row, j) - mean[static_cast<std::size_t>(j)];
  }
  const std::vector<double> none(mean.size());
  internal::Directions found = internal::exact_directions(stacked, {}, false, k);
  check_finite("Pca", found.squares);
  if (first) mean_ = column_variance_ = none;
  const double before = rows_ > 1 ? (rows_ - 1) / rows_ : 0;  // from variances of a sample to means of squares
  const double after = total > 1 ? total / (total - 1) : 0;
  for (std::size_t j = 0; j < mean.size(); ++j) {
    const double gap = mean_[j] - mean[j];
    const double square =
        (rows_ * column_variance_[j] * before + rows * variance[j] + rows_ * rows / total * gap * gap);
    column_variance_[j] = square / total * after;
    mean_[j] += rows / total * (mean[j] - mean_[j]);
  }
  components_ = std::move(found.vectors);
  singular_values_ = roots(found.squares);
  variance_.clear();
  for (const double square : found.squares) variance_.push_back(total > 1 ? square / (total - 1) : 0);
  rows_ = total;
}

std::vector<double> Pca::explained_variance_ratio() const {
  const double whole = std::accumulate(column_variance_.begin(), column_variance_.end(), 0.0);
  std::vector<double> shares;
  for (const double variance : variance_) shares.push_back(whole > 0 ? variance / whole : 0);
  return shares;
}

// A direction without variance gives 0 when it is whitened.
std::vector<double> Pca::scaled(bool inverse) const {
  if (!options_.whiten) return components_;
  std::vector<double> out = components_;
  const std::size_t d = mean_.size();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double deviation = std::sqrt(variance_[i / d]);
    const bool flat = !(variance_[i / d] > 1e-14 * variance_[0]);
    out[i] *= inverse ? deviation : flat ? 0 : 1 / deviation;
  }
  return out;
}

Tensor Pca::map(const data::Matrix& x) const { return internal::project(x, mean_, scaled(false)); }

Tensor Pca::inverse_transform(const data::Matrix& coordinates) const {
  check_fitted();
  return internal::expand("Pca", coordinates, scaled(true), mean_);
}

void Pca::fields(internal::Fields& fields) {
  fields("components", options_.components);
  fields("factorisation", options_.factorisation, kFactorisations);
  fields("whiten", options_.whiten);
  fields("power_iterations", options_.power_iterations);
  fields("tolerance", options_.tolerance);
  fields("batch_rows", options_.batch_rows);
  fields("seed", options_.seed);
  fields("rows", rows_);
  fields("mean", mean_);
  fields("directions", components_);
  fields("variance", variance_);
  fields("singular_values", singular_values_);
  fields("column_variance", column_variance_);
}

std::unique_ptr<Unsupervised> Pca::clone() const { return std::make_unique<Pca>(*this); }
Pca Pca::load(const std::string& path) { return internal::load_rows_model<Pca>(path); }

TruncatedSvd::TruncatedSvd(TruncatedSvdOptions options) : options_(options) { TruncatedSvd::check(); }

void TruncatedSvd::check() const {
  check_common("TruncatedSvd", options_.components, 1, options_.power_iterations, options_.tolerance);
  if (options_.factorisation == Factorisation::incremental) {
    throw ValueError("[TruncatedSvd] expected an exact or a randomised factorisation, got an incremental one");
  }
  const auto k = static_cast<std::size_t>(options_.components);
  if (singular_values_.empty() ? !components_.empty()
                               : singular_values_.size() != k || components_.empty() || components_.size() % k != 0) {
    throw ValueError("[TruncatedSvd] expected components [k, d] with their singular values, got others");
  }
}

void TruncatedSvd::learn(const data::Matrix& x, std::span<const double> weights) {
  const std::int64_t k = options_.components;
  check_components("TruncatedSvd", k, x.rows(), x.columns());
  internal::Directions found = options_.factorisation == Factorisation::exact
                                   ? internal::exact_directions(x, weights, false, k)
                                   : internal::random_directions(x, weights,
                                                                 {.components = k,
                                                                  .power_iterations = options_.power_iterations,
                                                                  .tolerance = options_.tolerance,
                                                                  .seed = options_.seed});
  check_finite("TruncatedSvd", found.squares);
  components_ = std::move(found.vectors);
  singular_values_ = roots(found.squares);
}

std::int64_t TruncatedSvd::width() const { return static_cast<std::int64_t>(components_.size()) / options_.components; }

Tensor TruncatedSvd::map(const data::Matrix& x) const {
  const std::vector<double> origin(static_cast<std::size_t>(width()));
  return internal::project(x, origin, components_);
}

Tensor TruncatedSvd::inverse_transform(const data::Matrix& coordinates) const {
  check_fitted();
  const std::vector<double> origin(static_cast<std::size_t>(width()));
  return internal::expand("TruncatedSvd", coordinates, components_, origin);
}

void TruncatedSvd::fields(internal::Fields& fields) {
  fields("components", options_.components);
  fields("factorisation", options_.factorisation, kFactorisations);
  fields("power_iterations", options_.power_iterations);
  fields("tolerance", options_.tolerance);
  fields("seed", options_.seed);
  fields("directions", components_);
  fields("singular_values", singular_values_);
}

std::unique_ptr<Unsupervised> TruncatedSvd::clone() const { return std::make_unique<TruncatedSvd>(*this); }
TruncatedSvd TruncatedSvd::load(const std::string& path) { return internal::load_rows_model<TruncatedSvd>(path); }

}  // namespace tern::models
