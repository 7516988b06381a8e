#include "tern/models/neighbors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/number_text.h"
#include "base/retell.h"
#include "models/fields.h"
#include "models/files.h"
#include "models/neighbor_index.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/tensor/creation.h"

namespace tern::models {
namespace {

using tern::internal::class_name;

constexpr std::string_view kSearches[] = {"automatic", "brute", "kd_tree"};
constexpr std::string_view kVotes[] = {"uniform", "distance"};
constexpr std::int64_t kMostOutcomes = 10'000;

[[noreturn]] void refuse_neighbors(std::string_view type, const std::string& expected, const std::string& got) {
  throw ValueError("[" + class_name(type) + "] expected " + expected + ", got " + got);
}

}  // namespace

KNeighbors::KNeighbors(KNeighborsOptions options) : options_(options) {}

void KNeighbors::check_options() const {
  if (options_.neighbors < 1) refuse_neighbors(type(), "at least one neighbour", std::to_string(options_.neighbors));
}

void KNeighbors::check() const {
  check_options();
  const auto rows = static_cast<std::int64_t>(y_.size());
  if (rows == 0 || !x_.defined() || x_.dim() != 2 || x_.size(0) != rows || x_.size(1) < 1 ||
      options_.neighbors > rows) {
    refuse_neighbors(type(), "rows [n, d] with a target each, of which there are as many as neighbours", "others");
  }
  if (classifies() ? outcomes_ < 2 || outcomes_ > kMostOutcomes : outcomes_ != 0) {
    refuse_neighbors(type(), "a number of classes of its kind", std::to_string(outcomes_));
  }
  for (const double y : y_) {
    const bool good =
        classifies() ? y >= 0 && y < static_cast<double>(outcomes_) && y == std::floor(y) : std::isfinite(y);
    if (!good) refuse_neighbors(type(), "targets of its kind", tern::internal::number_text(y));
  }
}

void KNeighbors::learn(const Rows& train, const Rows& /*validation*/, std::int64_t classes) {
  const std::int64_t n = train.x.rows(), d = train.x.columns();
  if (!train.weights.empty()) refuse_neighbors(type(), "no weights, of which it makes no use", "some");
  if (options_.neighbors > n) {
    refuse_neighbors(type(), "at least as many rows as neighbours",
                     std::to_string(n) + " and " + std::to_string(options_.neighbors));
  }
  const auto count = static_cast<std::size_t>(n * d);
  Tensor x = train.x.f32() ? from_span(std::span(train.x.f32(), count), {n, d})
                           : from_span(std::span(train.x.f64(), count), {n, d});
  index_ = std::make_shared<const internal::NeighborIndex>(class_name(type()), x, options_.search);
  x_ = std::move(x);
  y_.assign(train.y.begin(), train.y.end());
  outcomes_ = classes;
}

std::int64_t KNeighbors::width() const { return x_.defined() ? x_.size(1) : 0; }

Neighbors KNeighbors::neighbors(const data::Matrix& x, std::int64_t k) const {
  check_input(x);
  if (k < 1 || k > x_.size(0)) {
    refuse_neighbors(type(), "between 1 and " + std::to_string(x_.size(0)) + " neighbours", std::to_string(k));
  }
  Neighbors found;
  const auto count = static_cast<std::size_t>(x.rows() * k);
  found.rows.resize(count);
  found.distances.resize(count);
  index_->nearest(x, k, found.rows.data(), found.distances.data());
  for (double& distance : found.distances) distance = std::sqrt(distance);
  return found;
}

std::vector<double> KNeighbors::respond(const data::Matrix& x, bool probability) const {
  const std::int64_t k = options_.neighbors, classes = outcomes_;
  const Neighbors found = neighbors(x, k);
  const std::int64_t width = probability && classes > 2 ? classes : 1;
  std::vector<double> out(static_cast<std::size_t>(x.rows() * width));
  std::vector<double> votes(static_cast<std::size_t>(classes)), shares(static_cast<std::size_t>(k), 1);
  for (std::int64_t row = 0; row < x.rows(); ++row) {
    const std::int64_t* rows = found.rows.data() + row * k;
    const double* distances = found.distances.data() + row * k;
    if (options_.votes == KNeighborsOptions::Votes::distance) {
      for (std::int64_t i = 0; i < k; ++i) {  // of the nearest, so that no share overflows
        shares[static_cast<std::size_t>(i)] = distances[0] == 0 ? distances[i] == 0 : distances[0] / distances[i];
      }
    }
    double total = 0, sum = 0;
    std::fill(votes.begin(), votes.end(), 0);
    for (std::int64_t i = 0; i < k; ++i) {
      const double share = shares[static_cast<std::size_t>(i)], y = y_[static_cast<std::size_t>(rows[i])];
      total += share;
      sum += share * y;
      if (classes > 0) votes[static_cast<std::size_t>(y)] += share;
    }
    double* to = out.data() + row * width;
    if (classes == 0) {
      *to = sum / total;
    } else if (!probability) {
      *to = static_cast<double>(std::max_element(votes.begin(), votes.end()) - votes.begin());
    } else if (classes == 2) {
      *to = votes[1] / total;
    } else {
      for (std::int64_t c = 0; c < classes; ++c) to[c] = votes[static_cast<std::size_t>(c)] / total;
    }
  }
  return out;
}

void KNeighbors::fields(internal::Fields& fields) {
  fields("neighbors", options_.neighbors);
  fields("votes", options_.votes, kVotes);
  fields("search", options_.search, kSearches);
  fields("outcomes", outcomes_);
  fields("x", x_);
  fields("y", y_);
  if (fields.reading()) {
    check();
    index_ = std::make_shared<const internal::NeighborIndex>(class_name(type()), x_, options_.search);
  }
}

std::unique_ptr<data::Estimator> KNeighborsClassifier::clone() const {
  return std::make_unique<KNeighborsClassifier>(*this);
}
KNeighborsClassifier KNeighborsClassifier::load(const std::string& path) {
  return internal::load_as<KNeighborsClassifier>("k_neighbors_classifier", path);
}
std::unique_ptr<data::Estimator> KNeighborsRegressor::clone() const {
  return std::make_unique<KNeighborsRegressor>(*this);
}
KNeighborsRegressor KNeighborsRegressor::load(const std::string& path) {
  return internal::load_as<KNeighborsRegressor>("k_neighbors_regressor", path);
}

}  // namespace tern::models
