#include "models/neighbor_index.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/number_text.h"
#include "models/blocks.h"
#include "models/points.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"

namespace tern::models::internal {
namespace {

constexpr std::int64_t kTreeColumns = 12, kTreeRows = 1000, kLeaf = 24;
constexpr std::int64_t kQueries = 8192;  // that are measured at a time
constexpr std::int64_t kQueryBlock = 128, kRowBlock = 1024;
constexpr double kGreatest = 1e150;  // whose squares are finite

struct Found {
  double square;
  std::int64_t row;
  bool operator<(const Found& other) const { return square != other.square ? square < other.square : row < other.row; }
};

std::int64_t query_block(std::int64_t d) { return std::clamp<std::int64_t>((1 << 17) / d, 8, kQueryBlock); }

// The bound of what a product of T says wrongly of a squared distance, for rows and queries of these squared norms: of
// each product's d terms, their sum and the shift, each rounded once.
template <class T>
double uncertainty(std::int64_t d, double norms) {
  return static_cast<double>(d + 16) * (std::numeric_limits<T>::epsilon() / 2) * norms;
}

double square_between(const data::Matrix& a, std::int64_t i, const data::Matrix& b, std::int64_t k) {
  const std::int64_t d = a.columns();
  if (a.f32()) {
    return b.f32() ? squared_distance(a.f32() + i * d, b.f32() + k * d, d)
                   : squared_distance(a.f32() + i * d, b.f64() + k * d, d);
  }
  return b.f32() ? squared_distance(a.f64() + i * d, b.f32() + k * d, d)
                 : squared_distance(a.f64() + i * d, b.f64() + k * d, d);
}

}  // namespace

void check_distances(std::string_view name, const data::Matrix& x) {
  if (x.f32()) return;
  for (std::int64_t i = 0; i < x.rows() * x.columns(); ++i) {
    if (std::abs(x.f64()[i]) > kGreatest) {
      throw ValueError("[" + std::string(name) +
                       "] expected numbers of at most 1e150, whose distances are finite, got " +
                       tern::internal::number_text(x.f64()[i]) + " in row " + std::to_string(i / x.columns()));
    }
  }
}

// ---- by a tree

// A node is a stretch of `order`, with the bounds of its rows; its children halve it. The rows lie in that order.
struct NeighborIndex::Tree {
  struct Node {
    std::int64_t begin, end, left = -1, right = -1;
  };
  std::int64_t d;
  std::vector<Node> nodes{};
  std::vector<double> low{}, high{};  // [nodes, d]
  std::vector<std::int64_t> order{};
  std::vector<double> points{};  // [rows, d]

  explicit Tree(const data::Matrix& x) : d(x.columns()), order(static_cast<std::size_t>(x.rows())) {
    std::iota(order.begin(), order.end(), std::int64_t{0});
    build(x, 0, x.rows());
    points.resize(order.size() * static_cast<std::size_t>(d));
    for (std::size_t i = 0; i < order.size(); ++i) {
      for (std::int64_t j = 0; j < d; ++j)
        points[i * static_cast<std::size_t>(d) + static_cast<std::size_t>(j)] = x.at(order[i], j);
    }
  }

  std::int64_t build(const data::Matrix& x, std::int64_t begin, std::int64_t end) {
    const auto self = nodes.size();
    const auto at = self * static_cast<std::size_t>(d);
    nodes.push_back({begin, end});
    low.resize(at + static_cast<std::size_t>(d), std::numeric_limits<double>::infinity());
    high.resize(at + static_cast<std::size_t>(d), -std::numeric_limits<double>::infinity());
    std::int64_t widest = 0;
    double width = 0;
    for (std::int64_t j = 0; j < d; ++j) {
      double &least = low[at + static_cast<std::size_t>(j)], &greatest = high[at + static_cast<std::size_t>(j)];
      for (std::int64_t i = begin; i < end; ++i) {
        const double value = x.at(order[static_cast<std::size_t>(i)], j);
        least = std::min(least, value);
        greatest = std::max(greatest, value);
      }
      if (greatest - least > width) {
        width = greatest - least;
        widest = j;
      }
    }
    if (end - begin <= kLeaf || width == 0) return static_cast<std::int64_t>(self);
    const std::int64_t middle = begin + (end - begin) / 2;
    std::nth_element(order.begin() + begin, order.begin() + middle, order.begin() + end,
                     [&](std::int64_t a, std::int64_t b) {
                       const double left = x.at(a, widest), right = x.at(b, widest);
                       return left != right ? left < right : a < b;
                     });
    const std::int64_t left = build(x, begin, middle), right = build(x, middle, end);
    nodes[self].left = left;
    nodes[self].right = right;
    return static_cast<std::int64_t>(self);
  }

  // No row of the node is nearer: the same sum as squared_distance, of gaps that are no larger.
  double least_square(std::int64_t node, const double* query) const {
    const double *least = low.data() + node * d, *greatest = high.data() + node * d;
    double nearest[kTreeMost];
    for (std::int64_t j = 0; j < d; ++j) nearest[j] = std::clamp(query[j], least[j], greatest[j]);
    return squared_distance(nearest, query, d);
  }
  static constexpr std::int64_t kTreeMost = 64;  // columns of a tree

  // Visits leaves, the nearer child first, whose least square `wanted` takes.
  template <class Wanted, class Leaf>
  void visit(const double* query, std::int64_t node, double square, const Wanted& wanted, const Leaf& leaf) const {
    if (!wanted(square)) return;
    const Node& of = nodes[static_cast<std::size_t>(node)];
    if (of.left < 0) {
      leaf(of.begin, of.end);
      return;
    }
    const double left = least_square(of.left, query), right = least_square(of.right, query);
    if (left <= right) {
      visit(query, of.left, left, wanted, leaf);
      visit(query, of.right, right, wanted, leaf);
    } else {
      visit(query, of.right, right, wanted, leaf);
      visit(query, of.left, left, wanted, leaf);
    }
  }
};

NeighborIndex::NeighborIndex(std::string name, data::Matrix x, NeighborSearch search)
    : name_(std::move(name)), x_(std::move(x)) {
  check_distances(name_, x_);
  const std::int64_t n = x_.rows(), d = x_.columns();
  if (search == NeighborSearch::kd_tree && d > Tree::kTreeMost) {
    throw ValueError("[" + name_ + "] expected at most 64 columns for a tree, got " + std::to_string(d));
  }
  if (search == NeighborSearch::kd_tree ||
      (search == NeighborSearch::automatic && d <= kTreeColumns && n >= kTreeRows)) {
    tree_ = std::make_unique<Tree>(x_);
    return;
  }
  shift_ = column_means(x_, {});
  std::vector<double> norms(static_cast<std::size_t>(n));
  parallel_for(n, 512, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      norms[static_cast<std::size_t>(row)] = x_.f32() ? squared_distance(x_.f32() + row * d, shift_.data(), d)
                                                      : squared_distance(x_.f64() + row * d, shift_.data(), d);
    }
  });
  largest_ = *std::max_element(norms.begin(), norms.end());
}

NeighborIndex::~NeighborIndex() = default;

double NeighborIndex::exact(const data::Matrix& queries, std::int64_t query, std::int64_t row) const {
  return square_between(queries, query, x_, row);
}

// ---- by products

// Whether products of floats neither overflow nor lose what is small to 0.
bool NeighborIndex::fits_floats(const data::Matrix& queries) const {
  if (!x_.f32() || largest_ > 1e30 || largest_ < 1e-20) return false;
  for (std::int64_t i = 0; i < queries.rows() * queries.columns(); ++i) {
    if (std::abs(queries.f32() ? static_cast<double>(queries.f32()[i]) : queries.f64()[i]) > 1e12) return false;
  }
  return true;
}

// Calls tile(begin, end, |q - shift|² of those queries, first row, rows, |x|² - 2 q·x) for blocks of queries and of
// rows; those of one query come one after the other, in order.
template <class T, class Tile>
void NeighborIndex::products_in_tiles(const data::Matrix& queries, const Tile& tile) const {
  const std::int64_t n = x_.rows(), d = x_.columns();
  const std::int64_t most =
      std::min(queries.rows(), std::max<std::int64_t>(64, std::min(kQueries, (std::int64_t{1} << 24) / d)));
  const std::int64_t row_block = std::clamp<std::int64_t>((1 << 20) / d, 48, kRowBlock), grain = query_block(d);
  const std::int64_t step = Targets<T>::packing_step();
  Targets<T> targets(std::min(n, row_block), d);
  std::vector<T> rows(static_cast<std::size_t>(most * d));
  std::vector<T> points(static_cast<std::size_t>(std::min(n, row_block) * d));
  std::vector<double> norms(static_cast<std::size_t>(most));
  for (std::int64_t first = 0; first < queries.rows(); first += most) {
    const std::int64_t count = std::min(most, queries.rows() - first);
    parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t q = begin; q < end; ++q) {
        shifted_row(queries, first + q, shift_.data(), rows.data() + q * d);
        norms[static_cast<std::size_t>(q)] = squared_norm(rows.data() + q * d, d);
      }
    });
    for (std::int64_t row = 0; row < n; row += row_block) {
      targets.resize(std::min(row_block, n - row));
      parallel_for(targets.count(), step, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) shifted_row(x_, row + i, shift_.data(), points.data() + i * d);
        targets.set(begin, end - begin, points.data() + begin * d);
      });
      parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
        const auto squares = room_for<T>((end - begin) * targets.count());
        targets.measure(rows.data() + begin * d, end - begin, squares.get());
        tile(first + begin, first + end, norms.data() + begin, row, targets.count(), squares.get());
      });
    }
  }
}

// Rows that may be among the k nearest of one query.
struct NeighborIndex::Best {
  std::vector<Found> found{};                              // squares by products, or exact ones
  double worst = std::numeric_limits<double>::infinity();  // the k-th least of those seen
};

template <class T>
void NeighborIndex::nearest_by_products(const data::Matrix& queries, std::int64_t k, std::int64_t* rows,
                                        double* squares) const {
  const std::int64_t d = x_.columns();
  const auto room = static_cast<std::size_t>(k + 64), wanted = static_cast<std::size_t>(k);
  const auto settle = [&](std::int64_t query, std::vector<Found>& found) {
    for (Found& one : found) one.square = exact(queries, query, one.row);
    std::partial_sort(found.begin(), found.begin() + k, found.end());
    found.resize(wanted);
  };
  // Keeps what is not surely farther than k others. What is left above half the room is settled by exact squares.
  const auto prune = [&](std::int64_t query, Best& best, double margin) {
    std::nth_element(best.found.begin(), best.found.begin() + (k - 1), best.found.end());
    best.worst = best.found[wanted - 1].square;
    std::erase_if(best.found, [&](const Found& one) { return one.square > best.worst + margin; });
    if (best.found.size() > wanted + 32) settle(query, best.found);
  };
  std::vector<Best> all(static_cast<std::size_t>(queries.rows()));
  products_in_tiles<T>(queries, [&](std::int64_t begin, std::int64_t end, const double* norms, std::int64_t first,
                                    std::int64_t count, const T* tile) {
    for (std::int64_t query = begin; query < end; ++query) {
      Best& best = all[static_cast<std::size_t>(query)];
      const double norm = norms[query - begin], margin = 2 * uncertainty<T>(d, norm + largest_);
      const T* values = tile + (query - begin) * count;
      best.found.reserve(room);
      T limit{};
      const auto set_limit = [&] {
        const double at = best.worst + 1.5 * margin - norm;  // half of it for its rounding to T
        limit = at < static_cast<double>(std::numeric_limits<T>::max()) ? static_cast<T>(at)
                                                                        : std::numeric_limits<T>::infinity();
      };
      set_limit();
      const auto take = [&](std::int64_t i) {
        if (values[i] > limit) return;
        best.found.push_back({static_cast<double>(values[i]) + norm, first + i});
        if (best.found.size() < room) return;
        prune(query, best, margin);
        set_limit();
      };
      constexpr std::int64_t kStretch = 16;
      std::int64_t i = 0;
      for (; i + kStretch <= count; i += kStretch) {
        int near = 0;
        for (std::int64_t lane = 0; lane < kStretch; ++lane) near |= values[i + lane] <= limit;
        if (near == 0) continue;
        for (std::int64_t lane = 0; lane < kStretch; ++lane) take(i + lane);
      }
      for (; i < count; ++i) take(i);
      if (first + count < x_.rows()) continue;
      if (best.found.size() > wanted) prune(query, best, margin);
      settle(query, best.found);
      for (std::size_t place = 0; place < wanted; ++place) {
        rows[query * k + static_cast<std::int64_t>(place)] = best.found[place].row;
        squares[query * k + static_cast<std::int64_t>(place)] = best.found[place].square;
      }
      best.found = {};
    }
  });
}

template <class T>
void NeighborIndex::within_by_products(const data::Matrix& queries, double square,
                                       const std::function<void(std::int64_t, std::int64_t)>& f) const {
  const std::int64_t d = x_.columns();
  products_in_tiles<T>(queries, [&](std::int64_t begin, std::int64_t end, const double* norms, std::int64_t first,
                                    std::int64_t count, const T* tile) {
    for (std::int64_t query = begin; query < end; ++query) {
      const double norm = norms[query - begin], margin = 2 * uncertainty<T>(d, norm + largest_);
      const T* values = tile + (query - begin) * count;
      for (std::int64_t i = 0; i < count; ++i) {
        const double value = static_cast<double>(values[i]) + norm;
        if (value > square + margin) continue;
        if (value < square - margin || exact(queries, query, first + i) <= square) f(query, first + i);
      }
    }
  });
}

void NeighborIndex::nearest(const data::Matrix& queries, std::int64_t k, std::int64_t* rows, double* squares) const {
  check_distances(name_, queries);
  if (!tree_) {
    if (fits_floats(queries)) return nearest_by_products<float>(queries, k, rows, squares);
    return nearest_by_products<double>(queries, k, rows, squares);
  }
  parallel_for(queries.rows(), 64, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Found> best;  // a heap, the farthest on top
    double at[Tree::kTreeMost];
    for (std::int64_t query = begin; query < end; ++query) {
      best.clear();
      for (std::int64_t j = 0; j < tree_->d; ++j) at[j] = queries.at(query, j);
      const auto full = [&] { return static_cast<std::int64_t>(best.size()) == k; };
      tree_->visit(
          at, 0, 0, [&](double least) { return !full() || least <= best.front().square; },
          [&](std::int64_t from, std::int64_t to) {
            for (std::int64_t i = from; i < to; ++i) {
              const Found one{squared_distance(at, tree_->points.data() + i * tree_->d, tree_->d),
                              tree_->order[static_cast<std::size_t>(i)]};
              if (full() && !(one < best.front())) continue;
              if (full()) {
                std::pop_heap(best.begin(), best.end());
                best.pop_back();
              }
              best.push_back(one);
              std::push_heap(best.begin(), best.end());
            }
          });
      std::sort_heap(best.begin(), best.end());
      for (std::int64_t place = 0; place < k; ++place) {
        rows[query * k + place] = best[static_cast<std::size_t>(place)].row;
        squares[query * k + place] = best[static_cast<std::size_t>(place)].square;
      }
    }
  });
}

void NeighborIndex::within(const data::Matrix& queries, double radius,
                           const std::function<void(std::int64_t query, std::int64_t row)>& f) const {
  check_distances(name_, queries);
  const double square = radius * radius;
  if (!tree_) {
    if (fits_floats(queries) && square > 1e-20) return within_by_products<float>(queries, square, f);
    return within_by_products<double>(queries, square, f);
  }
  parallel_for(queries.rows(), 64, [&](std::int64_t begin, std::int64_t end) {
    double at[Tree::kTreeMost];
    for (std::int64_t query = begin; query < end; ++query) {
      for (std::int64_t j = 0; j < tree_->d; ++j) at[j] = queries.at(query, j);
      tree_->visit(
          at, 0, 0, [&](double least) { return least <= square; },
          [&](std::int64_t from, std::int64_t to) {
            for (std::int64_t i = from; i < to; ++i) {
              if (squared_distance(at, tree_->points.data() + i * tree_->d, tree_->d) <= square) {
                f(query, tree_->order[static_cast<std::size_t>(i)]);
              }
            }
          });
    }
  });
}

}  // namespace tern::models::internal
