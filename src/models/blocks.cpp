#include "models/blocks.h"

#include <cstdio>
#include <utility>

#include "base/warnings.h"
#include "cpu/column_sums.h"
#include "tern/base/parallel.h"

namespace tern::models::internal {
namespace {

constexpr std::int64_t kBlocks = 64;      // of rows at most, each with sums of its own
constexpr std::int64_t kBlockRows = 256;  // of one at least
constexpr std::int64_t kStretch = 1024;   // rows that a chain of f32 adds up
constexpr std::int64_t kCentred = 64;     // rows whose sums beside it are f32
constexpr std::int64_t kTile = 96;        // columns of a tile of a Gram matrix: those of the diagonal are half in vain

double weight_of(std::span<const double> weights, std::int64_t row) {
  return weights.empty() ? 1 : weights[static_cast<std::size_t>(row)];
}

// Σ weight (x - shift) [d], and behind it Σ weight (x - shift) y, of what passes by.
struct Beside {
  std::span<const double> y;
  std::vector<double> sums;
};

// Tiles of the lower half, each in products of its own; the rows of a stretch are packed once for all of them.
template <class T>
void add_gram(const data::Matrix& x, std::span<const double> weights, const std::vector<T>& shift, double* sums,
              Beside* beside = nullptr) {
  const std::int64_t n = x.rows(), d = x.columns(), tiles = (d + kTile - 1) / kTile, most = std::min(n, kStretch);
  std::vector<std::pair<std::int64_t, std::int64_t>> tasks;
  for (std::int64_t i = 0; i < tiles; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) tasks.emplace_back(i, j);
  }
  const auto columns_of = [&](std::int64_t tile) { return std::min(kTile, d - tile * kTile); };
  const kernels::cpu::GemmCode<T>& product = products<T>();
  const auto rows = room_for<T>(most * d);
  const auto sides = room_for<T>(2 * tiles * most * kTile + 64);
  const auto squares = room_for<T>(static_cast<std::int64_t>(tasks.size()) * kTile * kTile);
  T* left = aligned(sides.get());
  T* right = left + tiles * most * kTile;
  const auto parts = room_for<T>(beside ? kStretch / kCentred * 2 * d : 0);
  for (std::int64_t begin = 0; begin < n; begin += kStretch) {
    const std::int64_t stretch = std::min(kStretch, n - begin);
    parallel_for(stretch, kCentred, [&](std::int64_t from, std::int64_t to) {
      T* part = beside ? parts.get() + from / kCentred * 2 * d : nullptr;
      if (part) std::fill_n(part, 2 * d, T(0));
      for (std::int64_t row = from; row < to; ++row) {
        T* at = rows.get() + row * d;
        centred_row(x, weights, shift.data(), begin + row, at);
        if (!part) continue;
        const T root = static_cast<T>(std::sqrt(weight_of(weights, begin + row)));
        const T slope = root * static_cast<T>(beside->y[static_cast<std::size_t>(begin + row)]);
        for (std::int64_t j = 0; j < d; ++j) part[j] += root * at[j];
        for (std::int64_t j = 0; j < d; ++j) part[d + j] += slope * at[j];
      }
    });
    for (std::int64_t block = 0; beside && block * kCentred < stretch; ++block) {
      const T* part = parts.get() + block * 2 * d;
      for (std::size_t j = 0; j < beside->sums.size(); ++j) beside->sums[j] += static_cast<double>(part[j]);
    }
    parallel_for(tiles, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t t = first; t < last; ++t) {
        const T* from = rows.get() + t * kTile;
        product.pack_a({.m = columns_of(t), .n = 0, .k = stretch, .a = from, .a_row = 1, .a_column = d}, 0, 1,
                       left + t * most * kTile);
        product.pack({.m = 0, .n = columns_of(t), .k = stretch, .b = from, .b_row = d, .b_column = 1},
                     right + t * most * kTile);
      }
    });
    parallel_for(static_cast<std::int64_t>(tasks.size()), 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t t = first; t < last; ++t) {
        const auto [row, column] = tasks[static_cast<std::size_t>(t)];
        T* square = squares.get() + t * kTile * kTile;
        product.block({.m = columns_of(row),
                       .n = columns_of(column),
                       .k = stretch,
                       .a_row = 1,
                       .a_column = d,
                       .b = right + column * most * kTile,
                       .c = square,
                       .c_row = kTile,
                       .packed = true,
                       .a_packed = left + row * most * kTile});
        for (std::int64_t i = 0; i < columns_of(row); ++i) {
          double* to = sums + (row * kTile + i) * d + column * kTile;
          const T* from = square + i * kTile;
          for (std::int64_t j = 0; j < columns_of(column); ++j) to[j] += static_cast<double>(from[j]);
        }
      }
    });
  }
}

// What the sums of products about a shift are about means that are `off` further.
void move_means(std::span<const double> off, double total, std::vector<double>& sums) {
  const std::size_t d = off.size();
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j <= i; ++j) sums[i * d + j] -= total * off[i] * off[j];
  }
}

void mirror(std::vector<double>& sums, std::size_t d) {
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < i; ++j) sums[j * d + i] = sums[i * d + j];
  }
}

bool in_floats(const data::Matrix& x, Sums products) {
  const auto d = static_cast<double>(x.columns());
  return x.f32() && products == Sums::fast && static_cast<double>(x.rows()) * d * d >= kFastWork;
}

template <class T>
void add_scores(const data::Matrix& x, std::span<const double> coefficients, std::int64_t begin, std::int64_t end,
                double* to) {
  const std::int64_t d = x.columns(), k = static_cast<std::int64_t>(coefficients.size()) / d;
  const T* rows = values<T>(x) + begin * d;
  const auto wide = room_for<double>(sizeof(T) == sizeof(double) ? 0 : (end - begin) * d);
  const double* a = wide.get();
  if constexpr (sizeof(T) == sizeof(double)) {
    a = rows;
  } else {
    for (std::int64_t i = 0; i < (end - begin) * d; ++i)
      wide[static_cast<std::size_t>(i)] = static_cast<double>(rows[i]);
  }
  products<double>().block({.m = end - begin,
                            .n = k,
                            .k = d,
                            .a = a,
                            .a_row = d,
                            .a_column = 1,
                            .b = coefficients.data(),
                            .b_row = 1,
                            .b_column = d,
                            .c = to,
                            .c_row = k,
                            .accumulate = true});
}

}  // namespace

void warn_unconverged(std::string_view type, int max_iterations, const char* left, double value, double limit) {
  char text[256], above[32] = "";
  if (limit >= 0) std::snprintf(above, sizeof above, ", above %.3g", limit);
  std::snprintf(text, sizeof text,
                "[%.*s] expected to converge within %d iterations, got %s of %.3g%s: raise max_iterations",
                static_cast<int>(type.size()), type.data(), max_iterations, left, value, above);
  tern::internal::warn(type, text);
}

std::vector<double> sum_blocks(std::int64_t rows, std::int64_t width,
                               const std::function<void(std::int64_t, std::int64_t, double*)>& f) {
  const std::int64_t most = std::clamp<std::int64_t>((1 << 24) / std::max<std::int64_t>(1, width), 8, kBlocks);
  const std::int64_t grain = std::max(kBlockRows, (rows + most - 1) / most);
  const std::int64_t blocks = (rows + grain - 1) / grain;
  std::vector<double> sums(static_cast<std::size_t>(std::max<std::int64_t>(1, blocks) * width));
  parallel_for(rows, grain,
               [&](std::int64_t begin, std::int64_t end) { f(begin, end, sums.data() + begin / grain * width); });
  for (std::int64_t block = 1; block < blocks; ++block) {
    const double* part = sums.data() + block * width;
    for (std::int64_t j = 0; j < width; ++j) sums[static_cast<std::size_t>(j)] += part[j];
  }
  sums.resize(static_cast<std::size_t>(width));
  return sums;
}

double total_weight(std::int64_t rows, std::span<const double> weights) {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  return weights.empty() ? static_cast<double>(rows) : sum;
}

double weighted_mean(std::span<const double> values, std::span<const double> weights) {
  double sum = 0;
  for (std::size_t row = 0; row < values.size(); ++row) sum += values[row] * (weights.empty() ? 1 : weights[row]);
  return sum / total_weight(static_cast<std::int64_t>(values.size()), weights);
}

namespace {

// Σ weight g(x - shift), by columns.
template <class T, bool square>
std::vector<double> sum_columns(const data::Matrix& x, std::span<const double> weights, std::span<const double> shift) {
  const std::int64_t d = x.columns();
  return sum_blocks(x.rows(), d, [&](std::int64_t begin, std::int64_t end, double* sums) {
    const double* from = shift.data();
    for (std::int64_t row = begin; row < end; ++row) {
      const T* at = values<T>(x) + row * d;
      const double w = weight_of(weights, row);
      for (std::int64_t j = 0; j < d; ++j) {
        const double distance = static_cast<double>(at[j]) - from[j];
        sums[j] += square ? w * distance * distance : w * distance;
      }
    }
  });
}

}  // namespace

std::vector<double> column_means(const data::Matrix& x, std::span<const double> weights) {
  if (x.f32() && weights.empty()) {  // sums in double are exact, or nearly so
    const std::int64_t d = x.columns();
    std::vector<double> means = sum_blocks(x.rows(), d, [&](std::int64_t begin, std::int64_t end, double* sums) {
      kernels::cpu::add_column_sums(x.f32() + begin * d, end - begin, d, sums);
    });
    for (double& mean : means) mean /= static_cast<double>(x.rows());
    return means;
  }
  std::vector<double> first(static_cast<std::size_t>(x.columns()));  // so that a constant is met exactly
  std::int64_t row = 0;  // of the rows that count, whatever stands in the others
  while (!weights.empty() && row + 1 < x.rows() && weights[static_cast<std::size_t>(row)] == 0) ++row;
  for (std::size_t j = 0; j < first.size(); ++j) first[j] = x.at(row, static_cast<std::int64_t>(j));
  const double total = total_weight(x.rows(), weights);
  std::vector<double> sums =
      x.f32() ? sum_columns<float, false>(x, weights, first) : sum_columns<double, false>(x, weights, first);
  for (std::size_t j = 0; j < sums.size(); ++j) sums[j] = first[j] + sums[j] / total;
  return sums;
}

std::vector<double> column_variances(const data::Matrix& x, std::span<const double> weights,
                                     std::span<const double> means) {
  const double total = total_weight(x.rows(), weights);
  std::vector<double> sums =
      x.f32() ? sum_columns<float, true>(x, weights, means) : sum_columns<double, true>(x, weights, means);
  for (double& sum : sums) sum /= total;
  return sums;
}

std::vector<double> gram(const data::Matrix& x, std::span<const double> weights, std::span<const double> means,
                         Sums products) {
  const auto d = static_cast<std::size_t>(x.columns());
  std::vector<double> sums(d * d);
  if (in_floats(x, products)) {
    const std::vector<float> shift(means.begin(), means.end());
    add_gram(x, weights, shift, sums.data());
    std::vector<double> off(means.begin(), means.end());
    for (std::size_t j = 0; j < d; ++j) off[j] -= static_cast<double>(shift[j]);
    move_means(off, total_weight(x.rows(), weights), sums);
  } else {
    add_gram(x, weights, std::vector<double>(means.begin(), means.end()), sums.data());
  }
  mirror(sums, d);
  return sums;
}

NormalEquations normal_equations(const data::Matrix& x, std::span<const double> weights, std::span<const double> y,
                                 bool centred, Sums products) {
  const auto d = static_cast<std::size_t>(x.columns());
  NormalEquations made;
  if (!in_floats(x, products)) {
    made.means = centred ? column_means(x, weights) : std::vector<double>(d);
    made.gram = gram(x, weights, made.means, products);
    made.cross = cross(x, weights, made.means, y);
    return made;
  }
  std::vector<std::int64_t> some;
  for (std::int64_t row = 0; centred && row < x.rows(); row += x.rows() / 256 + 1) {
    if (weight_of(weights, row) > 0) some.push_back(row);
  }
  const std::vector<float> shift = some.empty() ? std::vector<float>(d) : mean_of<float>(x, some);
  double most = 0;  // y as floats, of any size
  for (const double value : y) most = std::max(most, std::abs(value));
  if (most == 0) most = 1;
  std::vector<double> scaled;
  for (const double value : y) scaled.push_back(value / most);
  Beside beside{scaled, std::vector<double>(2 * d)};
  made.gram.resize(d * d);
  add_gram(x, weights, shift, made.gram.data(), &beside);
  made.cross.assign(beside.sums.end() - static_cast<std::ptrdiff_t>(d), beside.sums.end());
  for (double& sum : made.cross) sum *= most;
  made.means.resize(d);
  if (centred) {
    const double total = total_weight(x.rows(), weights), sum_y = total * weighted_mean(y, weights);
    beside.sums.resize(d);
    for (std::size_t j = 0; j < d; ++j) {
      const double off = beside.sums[j] /= total;
      made.means[j] = static_cast<double>(shift[j]) + off;
      made.cross[j] -= off * sum_y;
    }
    move_means(beside.sums, total, made.gram);
  }
  mirror(made.gram, d);
  return made;
}

std::vector<double> centred_columns(const data::Matrix& x, std::span<const double> weights,
                                    std::span<const double> means) {
  const std::int64_t n = x.rows(), d = x.columns();
  std::vector<double> columns(static_cast<std::size_t>(n * d));
  parallel_for(d, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = 0; row < n; ++row) {
      const double root = std::sqrt(weight_of(weights, row));
      for (std::int64_t j = begin; j < end; ++j) {
        columns[static_cast<std::size_t>(j * n + row)] = root * (x.at(row, j) - means[static_cast<std::size_t>(j)]);
      }
    }
  });
  return columns;
}

std::vector<double> cross(const data::Matrix& x, std::span<const double> weights, std::span<const double> means,
                          std::span<const double> y) {
  const std::int64_t d = x.columns();
  const auto add = [&](const auto* values, std::int64_t begin, std::int64_t end, double* sums) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto* at = values + row * d;
      const double slope = weight_of(weights, row) * y[static_cast<std::size_t>(row)];
      for (std::int64_t j = 0; j < d; ++j) {
        sums[j] += slope * (static_cast<double>(at[j]) - means[static_cast<std::size_t>(j)]);
      }
    }
  };
  return sum_blocks(x.rows(), d, [&](std::int64_t begin, std::int64_t end, double* sums) {
    if (x.f32()) {
      add(x.f32(), begin, end, sums);
    } else {
      add(x.f64(), begin, end, sums);
    }
  });
}

std::vector<double> scores(const data::Matrix& x, std::span<const double> coefficients,
                           std::span<const double> intercepts) {
  const auto k = static_cast<std::int64_t>(intercepts.size());
  std::vector<double> out(static_cast<std::size_t>(x.rows() * k));
  const std::int64_t grain = std::clamp<std::int64_t>((1 << 16) / x.columns(), 8, 512);
  parallel_for(x.rows(), grain, [&](std::int64_t begin, std::int64_t end) {
    double* to = out.data() + begin * k;
    for (std::int64_t row = begin; row < end; ++row)
      std::copy(intercepts.begin(), intercepts.end(), to + (row - begin) * k);
    if (x.f32()) {
      add_scores<float>(x, coefficients, begin, end, to);
    } else {
      add_scores<double>(x, coefficients, begin, end, to);
    }
  });
  return out;
}

}  // namespace tern::models::internal
