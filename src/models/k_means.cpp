#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/number_text.h"
#include "base/retell.h"
#include "models/blocks.h"
#include "models/fields.h"
#include "models/files.h"
#include "models/points.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/models/clusters.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern::models {
namespace {

using internal::room_for;
using internal::shifted_row;
using internal::squared_distance;
using internal::Targets;

constexpr std::string_view kStarts[] = {"k_means_plus_plus", "random"};

std::int64_t block_rows(std::int64_t d) { return internal::block_rows(d, 1 << 17); }

double distance_square(const data::Matrix& x, std::int64_t row, const double* to) {
  const std::int64_t d = x.columns();
  return x.f32() ? squared_distance(x.f32() + row * d, to, d) : squared_distance(x.f64() + row * d, to, d);
}

// Centers less the shift, as what rows are measured against.
template <class T>
Targets<T> targets_of(std::span<const double> centers, std::span<const double> shift) {
  const auto d = static_cast<std::int64_t>(shift.size()), k = static_cast<std::int64_t>(centers.size()) / d;
  std::vector<T> points(centers.size());
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = static_cast<T>(centers[i] - shift[i % shift.size()]);
  Targets<T> targets(k, d);
  targets.resize(k);
  targets.set(0, k, points.data());
  return targets;
}

// The nearest center of each row [begin, end).
template <class T>
void nearest_of(const data::Matrix& x, std::span<const double> centers, std::span<const double> shift,
                const Targets<T>& targets, std::int64_t begin, std::int64_t end, std::int64_t* to) {
  const std::int64_t d = x.columns(), k = targets.count();
  const auto rows = room_for<T>((end - begin) * d), squares = room_for<T>((end - begin) * k);
  for (std::int64_t row = begin; row < end; ++row) shifted_row(x, row, shift.data(), rows.get() + (row - begin) * d);
  targets.measure(rows.get(), end - begin, squares.get());
  for (std::int64_t row = begin; row < end; ++row) {
    const T* of = squares.get() + (row - begin) * k;
    to[row] = std::min_element(of, of + k) - of;
    if (std::all_of(of, of + k, [](T square) { return std::isfinite(square); })) continue;
    double least = std::numeric_limits<double>::infinity();  // numbers too large for T
    to[row] = 0;
    for (std::int64_t c = 0; c < k; ++c) {
      const double square = distance_square(x, row, centers.data() + c * d);
      if (square < least) {
        least = square;
        to[row] = c;
      }
    }
  }
}

// What is learned: rows and their weights, and where a start stands.
template <class T>
class Lloyd {
 public:
  Lloyd(const data::Matrix& x, std::span<const double> weights, const KMeansOptions& options)
      : x_(x),
        weights_(weights),
        options_(options),
        n_(x.rows()),
        d_(x.columns()),
        k_(options.clusters),
        shift_(internal::column_means(x, weights)) {
    for (const double variance : internal::column_variances(x, weights, shift_)) variance_ += variance;
    tolerance_ = variance_ * options.tolerance / static_cast<double>(d_);
  }

  double limit() const { return tolerance_; }

  // Whether squares of T neither overflow nor lose what is small.
  bool fits() const { return sizeof(T) == sizeof(double) || variance_ == 0 || (variance_ > 1e-20 && variance_ < 1e30); }

  std::vector<double> centers{};
  double inertia = 0;
  int iterations = 0;
  double left = 0;  // above 0: how far the centers still went, squared, or how far the rows of batches lay from them

  void run(int start) {
    const Philox random(options_.seed, static_cast<std::uint64_t>(start));
    if (options_.centers.defined()) {
      centers = options_.centers.to(DType::f64).template to_vector<double>();
    } else if (options_.start == KMeansOptions::Start::random) {
      draw_rows(random);
    } else {
      plus_plus(random);
    }
    if (options_.batch_rows > 0) {
      mini_batches(Philox(options_.seed, (std::uint64_t{1} << 32) + static_cast<std::uint64_t>(start)));
    } else {
      iterate();
    }
    measure();
  }

 private:
  double weight(std::int64_t row) const { return weights_.empty() ? 1 : weights_[static_cast<std::size_t>(row)]; }
  double* center(std::int64_t k) { return centers.data() + k * d_; }

  void copy_row(std::int64_t row, double* to) const {
    for (std::int64_t j = 0; j < d_; ++j) to[j] = x_.at(row, j);
  }

  // The row of a cumulative weight `at` of Σ weight_of(row).
  template <class WeightOf>
  std::int64_t row_at(double at, const WeightOf& weight_of) const {
    std::int64_t last = 0;
    for (std::int64_t row = 0; row < n_; ++row) {
      const double w = weight_of(row);
      if (!(w > 0)) continue;
      last = row;
      at -= w;
      if (at < 0) break;
    }
    return last;
  }

  // Different rows, by weight (Efraimidis & Spirakis 2006).
  void draw_rows(const Philox& random) {
    std::vector<std::pair<double, std::int64_t>> keys;
    for (std::int64_t row = 0; row < n_; ++row) {
      const double w = weight(row);
      const double draw = random.uniform(static_cast<std::uint64_t>(row));
      keys.emplace_back(w > 0 ? -std::log1p(-draw) / w : std::numeric_limits<double>::infinity(), row);
    }
    std::partial_sort(keys.begin(), keys.begin() + k_, keys.end());
    centers.resize(static_cast<std::size_t>(k_ * d_));
    for (std::int64_t k = 0; k < k_; ++k) copy_row(keys[static_cast<std::size_t>(k)].second, center(k));
  }

  void plus_plus(const Philox& random) {
    const auto tries = 2 + static_cast<std::int64_t>(std::log(static_cast<double>(k_)));
    std::uint64_t drawn = 0;
    const auto total = internal::total_weight(n_, weights_);
    centers.assign(static_cast<std::size_t>(k_ * d_), 0);
    std::vector<double> closest(static_cast<std::size_t>(n_), std::numeric_limits<double>::infinity());
    std::vector<double> points(static_cast<std::size_t>(tries * d_));
    std::vector<T> squares;
    double potential = total;
    for (std::int64_t k = 0; k < k_; ++k) {
      const std::int64_t draws = k == 0 ? 1 : tries;
      for (std::int64_t t = 0; t < draws; ++t) {
        const double at = random.uniform(drawn++) * potential;
        const std::int64_t row = row_at(at, [&](std::int64_t i) {
          return k == 0 || potential == 0 ? weight(i) : weight(i) * closest[static_cast<std::size_t>(i)];
        });
        copy_row(row, points.data() + t * d_);
      }
      const Targets<T> targets = targets_of<T>(std::span(points).first(static_cast<std::size_t>(draws * d_)), shift_);
      squares.resize(static_cast<std::size_t>(n_ * draws));
      const std::vector<double> potentials =
          internal::sum_blocks(n_, draws, [&](std::int64_t begin, std::int64_t end, double* sums) {
            const std::int64_t step = block_rows(d_);
            const auto rows = room_for<T>(step * d_);
            for (std::int64_t first = begin; first < end; first += step) {
              const std::int64_t count = std::min(step, end - first);
              for (std::int64_t i = 0; i < count; ++i) shifted_row(x_, first + i, shift_.data(), rows.get() + i * d_);
              T* to = squares.data() + first * draws;
              targets.measure(rows.get(), count, to);
              for (std::int64_t i = 0; i < count; ++i) {
                const T norm = static_cast<T>(internal::squared_norm(rows.get() + i * d_, d_));
                for (std::int64_t t = 0; t < draws; ++t) {
                  T& square = to[i * draws + t];
                  square = std::max(square + norm, T(0));
                  sums[t] += weight(first + i) *
                             std::min(static_cast<double>(square), closest[static_cast<std::size_t>(first + i)]);
                }
              }
            }
          });
      const std::int64_t best = std::min_element(potentials.begin(), potentials.end()) - potentials.begin();
      std::copy_n(points.data() + best * d_, d_, center(k));
      for (std::int64_t row = 0; row < n_; ++row) {
        double& nearest = closest[static_cast<std::size_t>(row)];
        nearest = std::min(nearest, static_cast<double>(squares[static_cast<std::size_t>(row * draws + best)]));
      }
      potential = potentials[static_cast<std::size_t>(best)];
    }
  }

  // Rows whose bounds do not tell that their center stays the nearest are measured to all centers.
  void iterate() {
    const auto rows = static_cast<std::size_t>(n_);
    label_.assign(rows, -1);
    upper_.assign(rows, std::numeric_limits<double>::infinity());
    lower_.assign(rows, 0);
    norms_.resize(rows);
    std::vector<double> sums(static_cast<std::size_t>(k_ * d_)), masses(static_cast<std::size_t>(k_)), counts(masses),
        moved(masses), apart(masses);
    for (iterations = 1;; ++iterations) {
      for (std::int64_t k = 0; k < k_; ++k) {
        double nearest = std::numeric_limits<double>::infinity();
        for (std::int64_t other = 0; other < k_; ++other) {
          if (other != k) nearest = std::min(nearest, squared_distance(center(k), center(other), d_));
        }
        apart[static_cast<std::size_t>(k)] = std::sqrt(nearest) / 2;
      }
      const Targets<T> targets = targets_of<T>(centers, shift_);
      // Sums, masses and counts of the rows that go, negative, and come; and how many those are.
      const std::int64_t width = k_ * d_ + 2 * k_ + 1;
      const std::vector<double> change = internal::sum_blocks(
          n_, width,
          [&](std::int64_t begin, std::int64_t end, double* to) { assign(targets, moved, apart, begin, end, to); });
      const bool stays = change.back() == 0;
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += change[i];
      for (std::int64_t k = 0; k < k_; ++k) {
        masses[static_cast<std::size_t>(k)] += change[static_cast<std::size_t>(k_ * d_ + k)];
        counts[static_cast<std::size_t>(k)] += change[static_cast<std::size_t>(k_ * d_ + k_ + k)];
      }
      const bool filled = fill_empty(sums, masses, counts);
      double shift = 0;
      std::vector<double> next(static_cast<std::size_t>(d_));
      for (std::int64_t k = 0; k < k_; ++k) {
        const auto at = static_cast<std::size_t>(k);
        if (counts[at] == 0) {  // it stays, and what roundings left of its rows goes
          moved[at] = masses[at] = 0;
          std::fill_n(sums.begin() + k * d_, d_, 0);
          continue;
        }
        for (std::int64_t j = 0; j < d_; ++j) {
          next[static_cast<std::size_t>(j)] =
              shift_[static_cast<std::size_t>(j)] + sums[static_cast<std::size_t>(k * d_ + j)] / masses[at];
        }
        const double square = squared_distance(next.data(), center(k), d_);
        shift += square;
        moved[at] = std::sqrt(square);
        std::copy(next.begin(), next.end(), center(k));
      }
      left = (stays && !filled) || shift <= tolerance_ ? 0 : shift;
      if (left == 0 || iterations == options_.max_iterations) break;
    }
  }

  void assign(const Targets<T>& targets, std::span<const double> moved, std::span<const double> apart,
              std::int64_t begin, std::int64_t end, double* to) {
    const std::int64_t step = block_rows(d_);
    const auto rows = room_for<T>(step * d_), squares = room_for<T>(step * k_);
    std::vector<std::int64_t> measured;
    double most = 0, second = 0;  // of the centers' movements
    std::int64_t mover = 0;
    for (std::int64_t k = 0; k < k_; ++k) {
      const double by = moved[static_cast<std::size_t>(k)];
      if (by > most) {
        second = std::exchange(most, by);
        mover = k;
      } else {
        second = std::max(second, by);
      }
    }
    const auto add = [&](std::int64_t k, const T* row, double w) {
      double* sum = to + k * d_;
      for (std::int64_t j = 0; j < d_; ++j) sum[j] += w * static_cast<double>(row[j]);
      to[k_ * d_ + k] += w;
      to[k_ * d_ + k_ + k] += w > 0 ? 1 : w < 0 ? -1 : 0;
    };
    const auto measure_rows = [&] {
      const auto count = static_cast<std::int64_t>(measured.size());
      targets.measure(rows.get(), count, squares.get());
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t row = measured[static_cast<std::size_t>(i)];
        const auto at = static_cast<std::size_t>(row);
        const T* of = squares.get() + i * k_;
        std::int64_t nearest = 0;
        T least = of[0], next = std::numeric_limits<T>::infinity();
        for (std::int64_t k = 1; k < k_; ++k) {
          if (of[k] < least) {
            next = std::exchange(least, of[k]);
            nearest = k;
          } else if (of[k] < next) {
            next = of[k];
          }
        }
        if (label_[at] < 0) norms_[at] = internal::squared_norm(rows.get() + i * d_, d_);
        upper_[at] = std::sqrt(std::max(0.0, static_cast<double>(least) + norms_[at]));
        lower_[at] = std::sqrt(std::max(0.0, static_cast<double>(next) + norms_[at]));
        if (nearest == label_[at]) continue;
        const double w = weight(row);
        if (label_[at] >= 0) add(label_[at], rows.get() + i * d_, -w);
        add(nearest, rows.get() + i * d_, w);
        label_[at] = static_cast<std::int32_t>(nearest);
        to[k_ * d_ + 2 * k_] += 1;
      }
      measured.clear();
    };
    for (std::int64_t row = begin; row < end; ++row) {
      const auto at = static_cast<std::size_t>(row);
      if (label_[at] >= 0) {
        const auto own = static_cast<std::size_t>(label_[at]);
        upper_[at] += moved[own];
        lower_[at] -= label_[at] == mover ? second : most;
        if (upper_[at] <= std::max(lower_[at], apart[own])) continue;
      }
      shifted_row(x_, row, shift_.data(), rows.get() + static_cast<std::int64_t>(measured.size()) * d_);
      measured.push_back(row);
      if (static_cast<std::int64_t>(measured.size()) == step) measure_rows();
    }
    if (!measured.empty()) measure_rows();
  }

  // A cluster without rows takes the row farthest from its center.
  bool fill_empty(std::vector<double>& sums, std::vector<double>& masses, std::vector<double>& counts) {
    std::vector<std::int64_t> empty;
    for (std::int64_t k = 0; k < k_; ++k) {
      if (counts[static_cast<std::size_t>(k)] == 0) empty.push_back(k);
    }
    if (empty.empty()) return false;
    std::vector<std::pair<double, std::int64_t>> far(static_cast<std::size_t>(n_));
    parallel_for(n_, 512, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const auto at = static_cast<std::size_t>(row);
        far[at] = {weight(row) > 0 ? -distance_square(x_, row, center(label_[at])) : 1, row};
      }
    });
    std::partial_sort(far.begin(), far.begin() + static_cast<std::int64_t>(std::min(far.size(), empty.size())),
                      far.end());
    std::vector<double> row(static_cast<std::size_t>(d_));
    bool filled = false;
    for (std::size_t e = 0; e < std::min(far.size(), empty.size()); ++e) {
      if (!(far[e].first < 0)) break;  // all rows lie on centers
      const auto at = static_cast<std::size_t>(far[e].second);
      const auto from = label_[at];
      const std::int64_t to = empty[e];
      const double w = weight(far[e].second);
      shifted_row(x_, far[e].second, shift_.data(), row.data());
      for (std::int64_t j = 0; j < d_; ++j) {
        sums[static_cast<std::size_t>(from * d_ + j)] -= w * row[static_cast<std::size_t>(j)];
        sums[static_cast<std::size_t>(to * d_ + j)] = w * row[static_cast<std::size_t>(j)];
      }
      masses[static_cast<std::size_t>(from)] -= w;
      masses[static_cast<std::size_t>(to)] = w;
      counts[static_cast<std::size_t>(from)] -= 1;
      counts[static_cast<std::size_t>(to)] = 1;
      label_[at] = static_cast<std::int32_t>(to);
      upper_[at] = std::numeric_limits<double>::infinity();
      filled = true;
    }
    return filled;
  }

  // Each batch moves the centers of its rows towards them, the less the more rows a center has seen. Ends when the mean
  // distance of batches falls no more.
  void mini_batches(const Philox& random) {
    constexpr int kPatience = 10;
    const std::int64_t size = std::min(options_.batch_rows, n_), each = (n_ + size - 1) / size;
    std::vector<double> masses(static_cast<std::size_t>(k_));
    std::vector<std::int64_t> batch(static_cast<std::size_t>(size)), labels(batch);
    double smooth = 0, best = std::numeric_limits<double>::infinity();
    const double share = std::min(1.0, 2.0 * static_cast<double>(size) / static_cast<double>(n_ + 1));
    int waited = 0;
    std::uint64_t drawn = 0;
    const double total = internal::total_weight(n_, weights_);
    std::vector<double> cumulative;
    for (const double w : weights_) cumulative.push_back((cumulative.empty() ? 0 : cumulative.back()) + w);
    for (std::int64_t step = 0; step < options_.max_iterations * each; ++step) {
      for (std::int64_t& row : batch) {
        if (weights_.empty()) {
          row = static_cast<std::int64_t>(random.below(drawn++, static_cast<std::uint64_t>(n_)));
        } else {  // by weight, so that each counts as one
          const double at = random.uniform(drawn++) * total;
          row = std::min<std::int64_t>(n_ - 1,
                                       std::upper_bound(cumulative.begin(), cumulative.end(), at) - cumulative.begin());
        }
      }
      const Targets<T> targets = targets_of<T>(centers, shift_);
      std::vector<double> squares(static_cast<std::size_t>(size));
      parallel_for(size, block_rows(d_), [&](std::int64_t begin, std::int64_t end) {
        const auto rows = room_for<T>((end - begin) * d_), found = room_for<T>((end - begin) * k_);
        for (std::int64_t i = begin; i < end; ++i) {
          shifted_row(x_, batch[static_cast<std::size_t>(i)], shift_.data(), rows.get() + (i - begin) * d_);
        }
        targets.measure(rows.get(), end - begin, found.get());
        for (std::int64_t i = begin; i < end; ++i) {
          const T* of = found.get() + (i - begin) * k_;
          labels[static_cast<std::size_t>(i)] = std::min_element(of, of + k_) - of;
          squares[static_cast<std::size_t>(i)] =
              distance_square(x_, batch[static_cast<std::size_t>(i)], center(labels[static_cast<std::size_t>(i)]));
        }
      });
      double mean = 0;
      for (const double square : squares) mean += square / static_cast<double>(size);
      for (std::int64_t i = 0; i < size; ++i) {
        const std::int64_t k = labels[static_cast<std::size_t>(i)];
        double& mass = masses[static_cast<std::size_t>(k)];
        mass += 1;
        double* to = center(k);
        for (std::int64_t j = 0; j < d_; ++j) to[j] += (x_.at(batch[static_cast<std::size_t>(i)], j) - to[j]) / mass;
      }
      iterations = static_cast<int>(step / each) + 1;
      smooth = step == 0 ? mean : smooth + share * (mean - smooth);
      waited = smooth < best ? 0 : waited + 1;
      best = std::min(best, smooth);
      left = waited == kPatience ? 0 : smooth;
      if (waited == kPatience) break;
    }
  }

  void measure() {
    const Targets<T> targets = targets_of<T>(centers, shift_);
    inertia = internal::sum_blocks(n_, 1, [&](std::int64_t begin, std::int64_t end, double* sum) {
      std::vector<std::int64_t> labels(static_cast<std::size_t>(block_rows(d_)));
      for (std::int64_t first = begin; first < end; first += block_rows(d_)) {
        const std::int64_t last = std::min(end, first + block_rows(d_));
        nearest_of(x_, centers, shift_, targets, first, last, labels.data() - first);
        for (std::int64_t row = first; row < last; ++row) {
          *sum += weight(row) * distance_square(x_, row, center(labels[static_cast<std::size_t>(row - first)]));
        }
      }
    })[0];
  }

  const data::Matrix& x_;
  std::span<const double> weights_;
  const KMeansOptions& options_;
  std::int64_t n_, d_, k_;
  std::vector<double> shift_;
  double variance_ = 0, tolerance_ = 0;
  std::vector<std::int32_t> label_;
  std::vector<double> upper_, lower_, norms_;  // bounds of the distances to the own center and to all others
};

[[noreturn]] void refuse_k_means(const std::string& expected, const std::string& got) {
  throw ValueError("[KMeans] expected " + expected + ", got " + got);
}

// The centers' mean, which the products of `predict` are taken about.
std::vector<double> mean_center(std::span<const double> centers, std::int64_t k) {
  const std::size_t d = centers.size() / static_cast<std::size_t>(k);
  std::vector<double> mean(d);
  for (std::size_t i = 0; i < centers.size(); ++i) mean[i % d] += centers[i] / static_cast<double>(k);
  return mean;
}

}  // namespace

KMeans::KMeans(KMeansOptions options) : options_(std::move(options)) { KMeans::check(); }

void KMeans::check() const {
  const auto k = options_.clusters;
  if (k < 1) refuse_k_means("at least one cluster", std::to_string(k));
  if (options_.starts < 1) refuse_k_means("at least one start", std::to_string(options_.starts));
  if (options_.max_iterations < 1) refuse_k_means("at least one iteration", std::to_string(options_.max_iterations));
  if (!(options_.tolerance >= 0))
    refuse_k_means("a tolerance of at least 0", tern::internal::number_text(options_.tolerance));
  if (options_.batch_rows < 0) refuse_k_means("batches of at least 0 rows", std::to_string(options_.batch_rows));
  if (options_.centers.defined() && (options_.centers.dim() != 2 || options_.centers.size(0) != k)) {
    throw ShapeError("[KMeans] expected centers [" + std::to_string(k) + ", d], got " +
                     to_string(options_.centers.shape()));
  }
  if (options_.centers.defined() && !isfinite(options_.centers.to(DType::f64)).all().item<bool>()) {
    refuse_k_means("finite centers", "others");
  }
  if (centers_.size() % static_cast<std::size_t>(k) != 0) {
    refuse_k_means("centers [" + std::to_string(k) + ", d]", std::to_string(centers_.size()) + " values");
  }
}

void KMeans::learn(const data::Matrix& x, std::span<const double> weights) {
  const std::int64_t k = options_.clusters;
  std::int64_t rows = x.rows();
  if (!weights.empty()) rows = std::count_if(weights.begin(), weights.end(), [](double w) { return w > 0; });
  if (k > rows) refuse_k_means("at most as many clusters as rows", std::to_string(k) + " of " + std::to_string(rows));
  if (options_.centers.defined() && options_.centers.size(1) != x.columns()) {
    throw ShapeError("[KMeans] expected centers of " + std::to_string(x.columns()) + " columns, got " +
                     std::to_string(options_.centers.size(1)));
  }
  const auto run = [&](auto&& lloyd) {
    bool first = true;
    std::vector<double> best;
    double inertia = 0, left = 0;
    int iterations = 0;
    for (int start = 0; start < (options_.centers.defined() ? 1 : options_.starts); ++start) {
      lloyd.run(start);
      if (!first && !(lloyd.inertia < inertia)) continue;
      first = false;
      best = lloyd.centers;
      inertia = lloyd.inertia;
      iterations = lloyd.iterations;
      left = lloyd.left;
    }
    if (!std::isfinite(inertia)) refuse_k_means("numbers whose squared distances are finite", "larger ones");
    centers_ = std::move(best);
    inertia_ = inertia;
    iterations_ = iterations;
    if (left == 0) return;
    const bool batches = options_.batch_rows > 0;
    internal::warn_unconverged(tern::internal::class_name(type()), options_.max_iterations,
                               batches ? "a falling squared distance" : "a squared movement of the centers", left,
                               batches ? -1 : lloyd.limit());
  };
  if (x.f32()) {
    Lloyd<float> lloyd(x, weights, options_);
    if (lloyd.fits()) return run(lloyd);
  }
  run(Lloyd<double>(x, weights, options_));
}

std::int64_t KMeans::width() const { return static_cast<std::int64_t>(centers_.size()) / options_.clusters; }

std::vector<std::int64_t> KMeans::assign(const data::Matrix& x) const {
  std::vector<std::int64_t> labels(static_cast<std::size_t>(x.rows()));
  const std::vector<double> shift = mean_center(centers_, options_.clusters);
  const auto run = [&](const auto& targets) {
    parallel_for(x.rows(), block_rows(x.columns()), [&](std::int64_t begin, std::int64_t end) {
      nearest_of(x, centers_, shift, targets, begin, end, labels.data());
    });
  };
  if (x.f32()) {
    run(targets_of<float>(centers_, shift));
  } else {
    run(targets_of<double>(centers_, shift));
  }
  return labels;
}

Tensor KMeans::map(const data::Matrix& x) const {
  const std::int64_t k = options_.clusters;
  Tensor out = empty({x.rows(), k}, DType::f64);
  double* to = out.mutable_span<double>().data();
  parallel_for(x.rows(), 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t c = 0; c < k; ++c) {
        to[row * k + c] = std::sqrt(distance_square(x, row, centers_.data() + c * x.columns()));
      }
    }
  });
  return out;
}

std::vector<double> KMeans::judge_rows(const data::Matrix& x) const {
  const std::vector<std::int64_t> nearest = assign(x);
  std::vector<double> out(nearest.size());
  parallel_for(x.rows(), 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto at = static_cast<std::size_t>(row);
      out[at] = distance_square(x, row, centers_.data() + nearest[at] * x.columns());
    }
  });
  return out;
}

void KMeans::fields(internal::Fields& fields) {
  fields("clusters", options_.clusters);
  fields("start", options_.start, kStarts);
  fields("starts", options_.starts);
  fields("max_iterations", options_.max_iterations);
  fields("tolerance", options_.tolerance);
  fields("batch_rows", options_.batch_rows);
  fields("seed", options_.seed);
  fields("centers", centers_);
  fields("told_centers", options_.centers);
  fields("inertia", inertia_);
  fields("iterations", iterations_);
}

std::unique_ptr<Unsupervised> KMeans::clone() const { return std::make_unique<KMeans>(*this); }
KMeans KMeans::load(const std::string& path) { return internal::load_rows_model<KMeans>(path); }

}  // namespace tern::models
