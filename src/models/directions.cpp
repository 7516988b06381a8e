#include "models/directions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "cpu/decompositions.h"
#include "models/blocks.h"
#include "models/points.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/ops/matmul.h"
#include "tern/tensor/creation.h"

namespace tern::models::internal {
namespace {

constexpr std::int64_t kOversampled = 10;
constexpr std::int64_t kFresh = 4;        // directions at random after the samples: by them comes in what no sample had
constexpr std::int64_t kTogether = 1024;  // rows whose products are added up in the type of x
constexpr std::int64_t kSampleShares[] = {64, 64, 64, 16, 8};  // of the rows, one in so many, that a start is found by

// Makes rows [k, d] orthonormal, by one turn to about what their angles leave, by two to the last digit; one that the
// others before it span, or that is 0, becomes another direction.
void orthonormalise(double* rows, std::int64_t k, std::int64_t d, int turns) {
  for (std::int64_t i = 0; i < k; ++i) {
    double* row = rows + i * d;
    const double before = std::sqrt(dot(row, row, d));
    std::int64_t unit = 0;
    for (double after = 0;;) {
      for (int turn = 0; turn < turns; ++turn) {
        for (std::int64_t j = 0; j < i; ++j) {
          const double along = dot(row, rows + j * d, d);
          for (std::int64_t p = 0; p < d; ++p) row[p] -= along * rows[j * d + p];
        }
      }
      after = std::sqrt(dot(row, row, d));
      if (after > 1e-10 * (unit > 0 ? 1 : before)) {
        for (std::int64_t p = 0; p < d; ++p) row[p] /= after;
        break;
      }
      std::fill_n(row, d, 0);
      row[unit++] = 1;
    }
  }
}

void turn_positive(std::vector<double>& vectors, std::int64_t d) {
  for (auto row = vectors.begin(); row != vectors.end(); row += d) {
    const auto largest = std::max_element(row, row + d, [](double a, double b) { return std::abs(a) < std::abs(b); });
    if (*largest < 0) std::transform(row, row + d, row, [](double value) { return -value; });
  }
}

// c [m, n] += a · b, each as its strides say.
void add_product(std::int64_t m, std::int64_t n, std::int64_t k, const double* a, std::int64_t a_row,
                 std::int64_t a_column, const double* b, std::int64_t b_row, std::int64_t b_column, double* c) {
  products<double>().block({.m = m,
                            .n = n,
                            .k = k,
                            .a = a,
                            .a_row = a_row,
                            .a_column = a_column,
                            .b = b,
                            .b_row = b_row,
                            .b_column = b_column,
                            .c = c,
                            .c_row = n,
                            .accumulate = true});
}

}  // namespace

Directions exact_directions(const data::Matrix& x, std::span<const double> weights, bool centred, std::int64_t k) {
  const std::int64_t n = x.rows(), d = x.columns();
  Directions found{.vectors = std::vector<double>(static_cast<std::size_t>(k * d)),
                   .squares = std::vector<double>(static_cast<std::size_t>(k)),
                   .column_squares = {},
                   .means = centred ? column_means(x, weights) : std::vector<double>(static_cast<std::size_t>(d))};
  const auto overflowed = [&] {  // which eigenvalues do not bear, and the caller's error tells of
    const double whole = std::accumulate(found.column_squares.begin(), found.column_squares.end(), 0.0);
    if (!std::isfinite(whole)) found.squares[0] = whole;
    return !std::isfinite(whole);
  };
  if (d <= n) {
    const std::vector<double> inner = gram(x, weights, found.means);
    for (std::int64_t j = 0; j < d; ++j) found.column_squares.push_back(inner[static_cast<std::size_t>(j * d + j)]);
    if (overflowed()) return found;
    kernels::greatest_eigen(inner.data(), d, k, found.squares.data(), found.vectors.data());
  } else {
    Tensor rows = empty({n, d}, DType::f64);
    double* to = rows.mutable_span<double>().data();
    found.column_squares.resize(static_cast<std::size_t>(d));
    for (std::int64_t row = 0; row < n; ++row, to += d) {
      centred_row(x, weights, found.means.data(), row, to);
      for (std::int64_t j = 0; j < d; ++j) found.column_squares[static_cast<std::size_t>(j)] += to[j] * to[j];
    }
    if (overflowed()) return found;
    std::vector<double> left(static_cast<std::size_t>(k * n));
    kernels::greatest_eigen(matmul(rows, rows.t()).span<double>().data(), n, k, found.squares.data(), left.data());
    const Tensor right = matmul(from_vector(left, {k, n}), rows);
    const auto values = right.span<double>();
    std::copy(values.begin(), values.end(), found.vectors.begin());
    orthonormalise(found.vectors.data(), k, d, 2);
  }
  for (double& square : found.squares) square = std::max(square, 0.0);
  turn_positive(found.vectors, d);
  return found;
}

namespace {

// Passes over rows less a shift near their means.
template <class T>
struct Passes {
  const data::Matrix& x;
  std::span<const double> weights;
  std::vector<T> shift;
  std::int64_t l;  // directions

  // Σ (basis · rowᵀ) row of the rows that `which` names: [l, d]; behind it Σ row² [d] and Σ row [d], by weight.
  std::vector<double> images(const std::vector<double>& basis, std::span<const std::int64_t> which) const {
    const std::int64_t d = x.columns(), step = block_rows(d, 1 << 17), turns = kTogether / step;
    const std::int64_t width = products<T>().columns, room = (l + width - 1) / width * width * d;
    const std::vector<T> narrow(basis.begin(), basis.end());
    const auto memory = room_for<T>(room + 64);
    T* packed = aligned(memory.get());
    products<T>().pack({.m = 0, .n = l, .k = d, .b = narrow.data(), .b_row = 1, .b_column = d}, packed);
    return sum_blocks(std::ssize(which), (l + 2) * d, [&](std::int64_t begin, std::int64_t end, double* sums) {
      const auto rows = room_for<T>(step * d), along = room_for<T>(step * l), part = room_for<T>((l + 2) * d);
      for (std::int64_t first = begin; first < end;) {
        std::fill_n(part.get(), (l + 2) * d, T(0));
        T *squares = part.get() + l * d, *plain = squares + d;
        for (std::int64_t turn = 0; turn < turns && first < end; ++turn, first += step) {
          const std::int64_t count = std::min(step, end - first);
          for (std::int64_t i = 0; i < count; ++i) {
            T* row = rows.get() + i * d;
            centred_row(x, weights, shift.data(), which[static_cast<std::size_t>(first + i)], row);
            const T root = weights.empty()
                               ? T(1)
                               : static_cast<T>(std::sqrt(
                                     weights[static_cast<std::size_t>(which[static_cast<std::size_t>(first + i)])]));
            for (std::int64_t j = 0; j < d; ++j) {
              squares[j] += row[j] * row[j];
              plain[j] += root * row[j];
            }
          }
          products<T>().block({.m = count,
                               .n = l,
                               .k = d,
                               .a = rows.get(),
                               .a_row = d,
                               .a_column = 1,
                               .b = packed,
                               .c = along.get(),
                               .c_row = l,
                               .packed = true});
          products<T>().block({.m = l,
                               .n = d,
                               .k = count,
                               .a = along.get(),
                               .a_row = 1,
                               .a_column = l,
                               .b = rows.get(),
                               .b_row = d,
                               .b_column = 1,
                               .c = part.get(),
                               .c_row = d,
                               .accumulate = true});
        }
        for (std::int64_t i = 0; i < (l + 2) * d; ++i)
          sums[i] += static_cast<double>(part[static_cast<std::size_t>(i)]);
      }
    });
  }
};

// One of every `share` rows, by chance.
std::vector<std::int64_t> sample(std::span<const std::int64_t> rows, std::int64_t share, std::uint64_t seed) {
  const Philox random(seed, static_cast<std::uint64_t>(share));
  std::vector<std::int64_t> taken;
  for (std::int64_t first = 0; first + share <= std::ssize(rows); first += share) {
    const auto next = random.below(taken.size(), static_cast<std::uint64_t>(share));
    taken.push_back(rows[static_cast<std::size_t>(first) + next]);
  }
  return taken;
}

// The k greatest directions of C ≈ Yᵀ (B Yᵀ)⁻¹ Y (Nyström), for an orthonormal basis B [l, d] and its images Y = B C;
// and what of C the basis itself holds in k directions.
double nystrom(const std::vector<double>& basis, const std::vector<double>& images, std::int64_t l, std::int64_t d,
               double least, Directions& found) {
  const auto k = static_cast<std::int64_t>(found.squares.size());
  std::vector<double> inner(static_cast<std::size_t>(l * l)), values(static_cast<std::size_t>(l)), turn(inner.size());
  add_product(l, l, d, basis.data(), d, 1, images.data(), 1, d, inner.data());
  kernels::greatest_eigen(inner.data(), l, l, values.data(), turn.data());
  std::fill(found.squares.begin(), found.squares.end(), 0);
  double held = 0;
  for (std::int64_t i = 0; i < k; ++i) held += std::max(0.0, values[static_cast<std::size_t>(i)]);
  std::int64_t r = 0;  // of those that stand above the rounding
  for (; r < l && values[static_cast<std::size_t>(r)] > least * values[0]; ++r) {
    const double scale = 1 / std::sqrt(values[static_cast<std::size_t>(r)]);
    for (std::int64_t i = 0; i < l; ++i) turn[static_cast<std::size_t>(r * l + i)] *= scale;
  }
  std::vector<double> roots(static_cast<std::size_t>(r * d)), all(static_cast<std::size_t>(r * r));
  add_product(r, d, l, turn.data(), l, 1, images.data(), d, 1, roots.data());
  add_product(r, r, d, roots.data(), d, 1, roots.data(), 1, d, all.data());
  const std::int64_t few = std::min(r, k);
  std::vector<double> of(static_cast<std::size_t>(few * r));
  if (few > 0) kernels::greatest_eigen(all.data(), r, few, found.squares.data(), of.data());
  std::fill(found.vectors.begin(), found.vectors.end(), 0);
  add_product(few, d, r, of.data(), r, 1, roots.data(), d, 1, found.vectors.data());
  orthonormalise(found.vectors.data(), k, d, 2);
  return held;
}

template <class T>
Directions random_directions_as(const data::Matrix& x, std::span<const double> weights, const RandomOptions& options) {
  const std::int64_t n = x.rows(), d = x.columns(), k = options.components;
  const std::int64_t l = std::min((k + kOversampled + 15) / 16 * 16, std::min(n, d));
  const auto width = static_cast<std::size_t>(d), size = static_cast<std::size_t>(l) * width;
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < n; ++row) {
    if (weights.empty() || weights[static_cast<std::size_t>(row)] > 0) rows.push_back(row);
  }
  std::vector<std::vector<std::int64_t>> samples;
  for (const std::int64_t share : kSampleShares) {
    if (std::ssize(rows) / share >= 4 * l) samples.push_back(sample(rows, share, options.seed));
  }
  Passes<T> passes{x, weights, std::vector<T>(width), l};
  if (options.centred) passes.shift = mean_of<T>(x, samples.empty() ? rows : samples[0]);
  Directions found{.vectors = std::vector<double>(static_cast<std::size_t>(k * d)),
                   .squares = std::vector<double>(static_cast<std::size_t>(k)),
                   .column_squares = {},
                   .means = std::vector<double>(width)};
  // The sums of a pass; not all finite: what was found says so.
  std::vector<double> images;
  const auto pass = [&](const std::vector<double>& basis, std::span<const std::int64_t> over) {
    images = passes.images(basis, over);
    const bool finite = std::all_of(images.begin(), images.end(), [](double value) { return std::isfinite(value); });
    if (!finite) found.squares[0] = std::numeric_limits<double>::infinity();
    return finite;
  };
  const Philox random(options.seed);
  std::vector<double> start(size);
  for (std::size_t i = 0; i < size; ++i) start[i] = normal(random, i);
  orthonormalise(start.data(), l, d, 1);
  std::vector<double> basis = start;
  for (const auto& some : samples) {
    if (!pass(basis, some)) return found;
    std::copy_n(images.begin(), size, basis.begin());
    orthonormalise(basis.data(), l, d, 1);
  }
  if (!samples.empty() && l - k > kFresh) {
    std::copy_n(start.begin(), kFresh * d, basis.end() - kFresh * d);
    orthonormalise(basis.data(), l, d, 1);
  }
  const double total = total_weight(n, weights);
  for (int turn = 0;; ++turn) {
    if (!pass(basis, rows)) return found;
    found.column_squares.assign(images.begin() + static_cast<std::ptrdiff_t>(size),
                                images.begin() + static_cast<std::ptrdiff_t>(size + width));
    if (options.centred) {  // the means are `off` further than the shift
      std::vector<double> off(images.end() - d, images.end());
      for (std::size_t j = 0; j < width; ++j) {
        off[j] /= total;
        found.means[j] = static_cast<double>(passes.shift[j]) + off[j];
        found.column_squares[j] = std::max(0.0, found.column_squares[j] - total * off[j] * off[j]);
      }
      for (std::int64_t i = 0; i < l; ++i) {
        const double along = total * dot(basis.data() + i * d, off.data(), d);
        for (std::int64_t j = 0; j < d; ++j) {
          images[static_cast<std::size_t>(i * d + j)] -= along * off[static_cast<std::size_t>(j)];
        }
      }
    }
    images.resize(size);
    const double held = nystrom(basis, images, l, d, sizeof(T) == sizeof(float) ? 1e-6 : 1e-14, found);
    const double more = std::accumulate(found.squares.begin(), found.squares.end(), 0.0);
    if (turn >= options.power_iterations || more - held <= options.tolerance * more) break;
    basis = images;
    orthonormalise(basis.data(), l, d, 1);
  }
  for (double& square : found.squares) square = std::max(square, 0.0);
  turn_positive(found.vectors, d);
  return found;
}

}  // namespace

Directions random_directions(const data::Matrix& x, std::span<const double> weights, const RandomOptions& options) {
  const double work = static_cast<double>(x.rows()) * static_cast<double>(x.columns()) *
                      static_cast<double>(options.components + kOversampled);
  return x.f32() && work >= kFastWork ? random_directions_as<float>(x, weights, options)
                                      : random_directions_as<double>(x, weights, options);
}

namespace {

template <class T>
Tensor project_as(const data::Matrix& x, std::span<const double> means, std::span<const double> vectors, DType type) {
  const std::int64_t d = x.columns(), k = static_cast<std::int64_t>(vectors.size()) / d;
  const std::vector<T> to(vectors.begin(), vectors.end());
  Tensor out = empty({x.rows(), k}, type);
  T* coordinates = out.mutable_span<T>().data();
  parallel_for(x.rows(), 2 * block_rows(d), [&](std::int64_t begin, std::int64_t end) {
    const auto rows = room_for<T>((end - begin) * d);
    for (std::int64_t row = begin; row < end; ++row) shifted_row(x, row, means.data(), rows.get() + (row - begin) * d);
    products<T>().block({.m = end - begin,
                         .n = k,
                         .k = d,
                         .a = rows.get(),
                         .a_row = d,
                         .a_column = 1,
                         .b = to.data(),
                         .b_row = 1,
                         .b_column = d,
                         .c = coordinates + begin * k,
                         .c_row = k});
  });
  return out;
}

}  // namespace

Tensor project(const data::Matrix& x, std::span<const double> means, std::span<const double> vectors) {
  return x.f32() ? project_as<float>(x, means, vectors, DType::f32) : project_as<double>(x, means, vectors, DType::f64);
}

Tensor expand(const char* where, const data::Matrix& coordinates, std::span<const double> vectors,
              std::span<const double> means) {
  const std::size_t d = means.size(), k = vectors.size() / d;
  if (coordinates.columns() != static_cast<std::int64_t>(k)) {
    throw ShapeError("[" + std::string(where) + "] expected " + std::to_string(k) + " columns, got " +
                     std::to_string(coordinates.columns()));
  }
  std::vector<double> columns(vectors.size());  // [d, k]
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < d; ++j) columns[j * k + i] = vectors[i * d + j];
  }
  return from_vector(scores(coordinates, columns, means), {coordinates.rows(), static_cast<std::int64_t>(d)});
}

std::vector<double> transposed_product(const data::Matrix& x, std::span<const double> w, std::int64_t k) {
  const std::int64_t d = x.columns();
  const std::vector<double> none(static_cast<std::size_t>(d));
  return sum_blocks(x.rows(), d * k, [&](std::int64_t begin, std::int64_t end, double* sums) {
    const std::int64_t step = block_rows(d);
    const auto rows = room_for<double>(step * d);
    for (std::int64_t first = begin; first < end; first += step) {
      const std::int64_t count = std::min(step, end - first);
      for (std::int64_t i = 0; i < count; ++i) centred_row(x, {}, none.data(), first + i, rows.get() + i * d);
      add_product(d, k, count, rows.get(), 1, d, w.data() + first * k, k, 1, sums);
    }
  });
}

}  // namespace tern::models::internal
