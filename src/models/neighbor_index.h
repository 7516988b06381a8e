#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/data/matrix.h"
#include "tern/models/clusters.h"

namespace tern::models::internal {

/// Throws ValueError for a number above 1e150, whose distances have no finite squares; `name` begins the message.
void check_distances(std::string_view name, const data::Matrix& x);

/// Rows in which neighbours are searched. Distances that it gives, and the order of neighbours, are those in double;
/// equally near rows come in order of their numbers. Messages begin with `name`.
class NeighborIndex {
 public:
  NeighborIndex(std::string name, data::Matrix x, NeighborSearch search);
  ~NeighborIndex();
  NeighborIndex(const NeighborIndex&) = delete;
  NeighborIndex& operator=(const NeighborIndex&) = delete;

  /// The k ≤ rows nearest of each query, [queries, k]: their numbers, and their squared distances.
  void nearest(const data::Matrix& queries, std::int64_t k, std::int64_t* rows, double* squares) const;
  /// Calls f(query, row) for all pairs within the radius, from many threads; those of one query one after the other.
  void within(const data::Matrix& queries, double radius,
              const std::function<void(std::int64_t query, std::int64_t row)>& f) const;

 private:
  struct Tree;
  struct Best;
  template <class T>
  void nearest_by_products(const data::Matrix& queries, std::int64_t k, std::int64_t* rows, double* squares) const;
  template <class T>
  void within_by_products(const data::Matrix& queries, double square,
                          const std::function<void(std::int64_t, std::int64_t)>& f) const;
  template <class T, class Tile>
  void products_in_tiles(const data::Matrix& queries, const Tile& tile) const;
  bool fits_floats(const data::Matrix& queries) const;
  double exact(const data::Matrix& queries, std::int64_t query, std::int64_t row) const;

  std::string name_;
  data::Matrix x_;
  std::vector<double> shift_;  // the columns' means
  double largest_ = 0;         // |x - shift|² of a row at most
  std::unique_ptr<Tree> tree_;
};

}  // namespace tern::models::internal
