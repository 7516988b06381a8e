#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/number_text.h"
#include "models/fields.h"
#include "models/files.h"
#include "models/neighbor_index.h"
#include "tern/base/error.h"
#include "tern/models/clusters.h"
#include "tern/tensor/creation.h"

namespace tern::models {
namespace {

constexpr std::string_view kDbscanSearches[] = {"automatic", "brute", "kd_tree"};

[[noreturn]] void refuse(const std::string& expected, const std::string& got) {
  throw ValueError("[Dbscan] expected " + expected + ", got " + got);
}

// Sets of rows that many threads join; the least row of a set stands for it, whatever the order.
class Sets {
 public:
  explicit Sets(std::int64_t count) : parents_(static_cast<std::size_t>(count)) {
    for (std::size_t i = 0; i < parents_.size(); ++i)
      parents_[i].store(static_cast<std::int64_t>(i), std::memory_order_relaxed);
  }
  std::int64_t root(std::int64_t row) {
    for (;;) {
      std::int64_t parent = at(row).load(std::memory_order_relaxed);
      if (parent == row) return row;
      const std::int64_t above = at(parent).load(std::memory_order_relaxed);
      at(row).compare_exchange_weak(parent, above, std::memory_order_relaxed);  // a shorter way for the next
      row = above;
    }
  }
  void join(std::int64_t a, std::int64_t b) {
    for (;;) {
      a = root(a);
      b = root(b);
      if (a == b) return;
      if (a < b) std::swap(a, b);
      std::int64_t expected = a;
      if (at(a).compare_exchange_strong(expected, b, std::memory_order_relaxed)) return;
    }
  }

 private:
  std::atomic<std::int64_t>& at(std::int64_t row) { return parents_[static_cast<std::size_t>(row)]; }
  std::vector<std::atomic<std::int64_t>> parents_;
};

void lower(std::atomic<std::int64_t>& value, std::int64_t to) {
  std::int64_t now = value.load(std::memory_order_relaxed);
  while (to < now && !value.compare_exchange_weak(now, to, std::memory_order_relaxed)) {
  }
}

// Rows of a matrix, in its type.
Tensor rows_at(const data::Matrix& x, const std::vector<std::int64_t>& rows) {
  const std::int64_t d = x.columns();
  Tensor out = empty({static_cast<std::int64_t>(rows.size()), d}, x.f32() ? DType::f32 : DType::f64);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t to = static_cast<std::int64_t>(i) * d;
    if (x.f32()) {
      std::copy_n(x.f32() + rows[i] * d, d, out.mutable_span<float>().data() + to);
    } else {
      std::copy_n(x.f64() + rows[i] * d, d, out.mutable_span<double>().data() + to);
    }
  }
  return out;
}

constexpr std::int64_t kNoRow = std::numeric_limits<std::int64_t>::max();

// Of each query, the least label among the cores within the radius; -1: there is none.
std::vector<std::int64_t> first_labels(const data::Matrix& queries, const Tensor& cores,
                                       const std::vector<std::int64_t>& labels, const DbscanOptions& options) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(queries.rows()), -1);
  if (labels.empty()) return out;
  std::vector<std::atomic<std::int64_t>> least(out.size());
  for (auto& one : least) one.store(kNoRow, std::memory_order_relaxed);
  internal::NeighborIndex("Dbscan", cores, options.search)
      .within(queries, options.radius, [&](std::int64_t query, std::int64_t core) {
        lower(least[static_cast<std::size_t>(query)], labels[static_cast<std::size_t>(core)]);
      });
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (least[i] != kNoRow) out[i] = least[i];
  }
  return out;
}

}  // namespace

Dbscan::Dbscan(DbscanOptions options) : options_(options) { Dbscan::check(); }

void Dbscan::check() const {
  if (!(options_.radius > 0) || !(options_.radius < 1e150)) {
    refuse("a radius above 0 and below 1e150", tern::internal::number_text(options_.radius));
  }
  if (!(options_.min_weight > 0) || !std::isfinite(options_.min_weight)) {
    refuse("a finite min_weight above 0", tern::internal::number_text(options_.min_weight));
  }
  const std::int64_t cores = cores_.defined() ? cores_.size(0) : 0;
  if (cores != static_cast<std::int64_t>(core_labels_.size()) || width_ < 0 ||
      (cores_.defined() && (cores_.dim() != 2 || cores_.size(1) != width_ ||
                            (cores_.dtype() != DType::f32 && cores_.dtype() != DType::f64)))) {
    refuse("a label a core, and cores [n, d] of f32 or f64", "others");
  }
  if (cores_.defined()) internal::check_distances("Dbscan", cores_);
  for (const std::int64_t label : core_labels_) {
    if (label < 0 || label >= clusters_) refuse("labels of the clusters", std::to_string(label));
  }
}

void Dbscan::learn(const data::Matrix& x, std::span<const double> weights) {
  const std::int64_t n = x.rows();
  const internal::NeighborIndex index("Dbscan", x, options_.search);
  std::vector<bool> is_core(static_cast<std::size_t>(n));
  {
    std::vector<double> mass(static_cast<std::size_t>(n));
    index.within(x, options_.radius, [&](std::int64_t row, std::int64_t other) {
      mass[static_cast<std::size_t>(row)] += weights.empty() ? 1 : weights[static_cast<std::size_t>(other)];
    });
    for (std::size_t i = 0; i < mass.size(); ++i) is_core[i] = mass[i] >= options_.min_weight;
  }
  std::vector<std::int64_t> rows, number(static_cast<std::size_t>(n), -1);
  for (std::int64_t row = 0; row < n; ++row) {
    if (!is_core[static_cast<std::size_t>(row)]) continue;
    number[static_cast<std::size_t>(row)] = static_cast<std::int64_t>(rows.size());
    rows.push_back(row);
  }
  Tensor cores;
  std::vector<std::int64_t> core_labels(rows.size()), labels(static_cast<std::size_t>(n), -1);
  std::int64_t clusters = 0;
  if (!rows.empty()) {
    cores = rows_at(x, rows);
    Sets sets(cores.size(0));
    internal::NeighborIndex("Dbscan", cores, options_.search)
        .within(cores, options_.radius, [&](std::int64_t a, std::int64_t b) {
          if (a < b) sets.join(a, b);
        });
    for (std::size_t i = 0; i < rows.size(); ++i) {  // the least of a set comes first
      const auto root = static_cast<std::size_t>(sets.root(static_cast<std::int64_t>(i)));
      core_labels[i] = root == i ? clusters++ : core_labels[root];
      labels[static_cast<std::size_t>(rows[i])] = core_labels[i];
    }
    std::vector<std::int64_t> others;
    for (std::int64_t row = 0; row < n; ++row) {
      if (!is_core[static_cast<std::size_t>(row)]) others.push_back(row);
    }
    if (!others.empty()) {
      const std::vector<std::int64_t> found = first_labels(rows_at(x, others), cores, core_labels, options_);
      for (std::size_t i = 0; i < others.size(); ++i) labels[static_cast<std::size_t>(others[i])] = found[i];
    }
  }
  width_ = x.columns();
  cores_ = std::move(cores);
  core_labels_ = std::move(core_labels);
  labels_ = std::move(labels);
  clusters_ = clusters;
}

std::vector<std::int64_t> Dbscan::assign(const data::Matrix& x) const {
  return first_labels(x, cores_, core_labels_, options_);
}

void Dbscan::fields(internal::Fields& fields) {
  fields("radius", options_.radius);
  fields("min_weight", options_.min_weight);
  fields("search", options_.search, kDbscanSearches);
  fields("columns", width_);
  fields("clusters", clusters_);
  fields("cores", cores_);
  fields("core_labels", core_labels_);
}

std::unique_ptr<Unsupervised> Dbscan::clone() const { return std::make_unique<Dbscan>(*this); }
Dbscan Dbscan::load(const std::string& path) { return internal::load_rows_model<Dbscan>(path); }

}  // namespace tern::models
