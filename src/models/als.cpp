#include <algorithm>
#include <cmath>

#include "base/number_text.h"
#include "cpu/decompositions.h"
#include "cpu/factors.h"
#include "models/blocks.h"
#include "models/factors.h"
#include "tern/base/parallel.h"
#include "tern/models/recommend.h"

namespace tern::models {
namespace {

using kernels::cpu::factors_table;
using tern::internal::Json;
using tern::internal::json_get;

constexpr std::int64_t kBlock = 512;  // members whose products are added up together
constexpr std::size_t kSmall = 256;   // unknowns whose triangle stays in the second cache
constexpr int kSteps = 3;             // of conjugate gradients, from the factors before

// Σ y yᵀ + λ over all members: blocks of them side by side, added up in order.
std::vector<float> gram(const std::vector<float>& factors, std::size_t width, double regularization) {
  const auto members = static_cast<std::int64_t>(factors.size() / width);
  const std::int64_t blocks = (members + kBlock - 1) / kBlock;
  std::vector<std::vector<float>> parts(static_cast<std::size_t>(blocks));
  parallel_for(blocks, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t block = first; block < last; ++block) {
      std::vector<float>& part = parts[static_cast<std::size_t>(block)];
      part.assign(width * width, 0.0f);
      const std::int64_t begin = block * kBlock, end = std::min(members, begin + kBlock);
      factors_table().gram(factors.data() + static_cast<std::size_t>(begin) * width, end - begin, part.data(),
                           static_cast<std::int64_t>(width));
    }
  });
  std::vector<float> sum(width * width, 0.0f);
  for (const auto& part : parts) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
  }
  for (std::size_t i = 0; i < width; ++i) {
    sum[i * width + i] += static_cast<float>(regularization);
    for (std::size_t j = 0; j < i; ++j) sum[j * width + i] = sum[i * width + j];
  }
  return sum;
}

// (Σ r rᵀ + penalty) x = b over rows r, which are padded as the kernels want them; kept for the next member.
struct Equations {
  std::size_t unknowns = 0, width = 0, count = 0;
  std::vector<double> rows{}, a{}, targets{}, x{};

  void resize(std::size_t of, std::size_t terms) {
    constexpr auto kStep = static_cast<std::size_t>(kernels::cpu::kFactorStep);
    unknowns = of;
    width = (of + kStep) / kStep * kStep;
    count = terms;
    rows.assign(count * width, 0);
    a.resize(width * width);
    x.resize(of);
    targets.clear();
  }
  double* row(std::size_t i) { return rows.data() + i * width; }

  // b is `targets`, or else what the rows have behind the unknowns.
  bool solve(double penalty, bool of_targets) {
    const auto n = static_cast<std::int64_t>(unknowns), stride = static_cast<std::int64_t>(width);
    factors_table().gram_f64(rows.data(), static_cast<std::int64_t>(count), a.data(), stride);
    for (std::size_t i = 0; i < unknowns; ++i) {
      a[i * width + i] += penalty;
      if (of_targets) a[i * width + unknowns] = targets[i];
    }
    if (unknowns <= kSmall) return factors_table().solve_f64(a.data(), n, stride, x.data());
    std::vector<double> lower(unknowns * unknowns);
    for (std::size_t i = 0; i < unknowns; ++i) {
      for (std::size_t j = 0; j <= i; ++j) lower[i * unknowns + j] = a[j * width + i];
      x[i] = a[i * width + unknowns];
    }
    return kernels::cholesky_solve(lower.data(), n, x.data(), 1);
  }
};

}  // namespace

Als::Als(AlsOptions options) : options_(options) {
  const auto check = [](bool good, const char* expected, auto got) {
    if (!good)
      throw ValueError("[Als] expected " + std::string(expected) + ", got " + tern::internal::number_text(got));
  };
  check(options.factors >= 1 && options.factors <= 4096, "factors from 1 to 4096", options.factors);
  check(options.regularization >= 0 && std::isfinite(options.regularization), "a regularization of at least 0",
        options.regularization);
  check(options.iterations >= 1, "iterations of at least 1", options.iterations);
  check(options.alpha >= 0 && std::isfinite(options.alpha), "an alpha of at least 0", options.alpha);
}

void Als::learn(const Side& by_user, const Side& by_item) {
  if (options_.implicit) {
    learn_implicit(by_user, by_item);
  } else {
    learn_ratings(by_user, by_item);
  }
}

// The bias is one number more; the other side's stands beside a 1.
void Als::learn_ratings(const Side& by_user, const Side& by_item) {
  const auto factors = static_cast<std::size_t>(options_.factors), width = factors + 1;
  double mean = 0;
  for (const float value : by_user.value) {
    if (!std::isfinite(value))
      throw ValueError("[Als] expected finite values, got " + tern::internal::number_text(value));
    mean += static_cast<double>(value);
  }
  mean /= static_cast<double>(by_user.value.size());
  std::vector<float> users = internal::first_factors((by_user.begin.size() - 1) * width, options_.seed, 1);
  std::vector<float> items = internal::first_factors((by_item.begin.size() - 1) * width, options_.seed, 2);
  const auto clear_biases = [&](std::vector<float>& side) {
    for (std::size_t i = factors; i < side.size(); i += width) side[i] = 0;
  };
  clear_biases(users);
  clear_biases(items);
  const auto solve = [&](const Side& rows, std::vector<float>& mine, const std::vector<float>& others) {
    parallel_for(std::ssize(rows.begin) - 1, 8, [&](std::int64_t first, std::int64_t last) {
      Equations equations;
      for (std::int64_t m = first; m < last; ++m) {
        const auto begin = static_cast<std::size_t>(rows.begin[static_cast<std::size_t>(m)]);
        const auto end = static_cast<std::size_t>(rows.begin[static_cast<std::size_t>(m) + 1]);
        const std::span<float> to = std::span(mine).subspan(static_cast<std::size_t>(m) * width, width);
        if (begin == end) {
          std::fill(to.begin(), to.end(), 0.0f);
          continue;
        }
        // Few ratings have fewer unknowns than factors: w = Yᵀ (Y Yᵀ + λ)⁻¹ t is (Yᵀ Y + λ)⁻¹ Yᵀ t.
        const std::size_t count = end - begin;
        const bool few = count < width;
        equations.resize(few ? count : width, few ? width : count);
        for (std::size_t r = 0; r < count; ++r) {
          const std::span<const float> other =
              std::span(others).subspan(static_cast<std::size_t>(rows.other[begin + r]) * width, width);
          const double target = static_cast<double>(rows.value[begin + r]) - mean - static_cast<double>(other[factors]);
          for (std::size_t i = 0; i < factors; ++i) {
            equations.row(few ? i : r)[few ? r : i] = static_cast<double>(other[i]);
          }
          equations.row(few ? factors : r)[few ? r : factors] = 1;
          if (!few) equations.row(r)[width] = target;
          equations.targets.push_back(target);
        }
        if (!equations.solve(options_.regularization * static_cast<double>(count) + 1e-9, few)) {
          throw ValueError("[Als] expected a regularization that makes the systems solvable, got " +
                           tern::internal::number_text(options_.regularization));
        }
        for (std::size_t i = 0; i < width; ++i) {
          to[i] = static_cast<float>(
              few ? internal::dot(equations.row(i), equations.x.data(), static_cast<std::int64_t>(count))
                  : equations.x[i]);
        }
      }
    });
  };
  for (int iteration = 0; iteration < options_.iterations; ++iteration) {
    solve(by_user, users, items);
    solve(by_item, items, users);
  }
  internal::check_factors("Als", users, items);
  mean_ = mean;
  user_factors_ = std::move(users);
  item_factors_ = std::move(items);
}

void Als::learn_implicit(const Side& by_user, const Side& by_item) {
  const auto width = static_cast<std::size_t>(options_.factors);
  const auto alpha = static_cast<float>(options_.alpha);
  bool any = false;
  for (const float value : by_user.value) {
    if (!(value >= 0) || !std::isfinite(value)) {
      throw ValueError("[Als] expected finite values of at least 0, got " + tern::internal::number_text(value));
    }
    any = any || value > 0;
  }
  if (!any) throw ValueError("[Als] expected a value above 0, which says that something is liked, got zeros alone");
  std::vector<float> users = internal::first_factors((by_user.begin.size() - 1) * width, options_.seed, 1);
  std::vector<float> items = internal::first_factors((by_item.begin.size() - 1) * width, options_.seed, 2);
  const auto solve = [&](const Side& rows, std::vector<float>& mine, const std::vector<float>& others) {
    const std::vector<float> all = gram(others, width, options_.regularization);
    parallel_for(std::ssize(rows.begin) - 1, 16, [&](std::int64_t first, std::int64_t last) {
      const kernels::cpu::FactorsTable& code = factors_table();
      const auto n = static_cast<std::int64_t>(width);
      std::vector<float> r(width), p(width), ap(width), more, liked;
      for (std::int64_t m = first; m < last; ++m) {
        const auto begin = static_cast<std::size_t>(rows.begin[static_cast<std::size_t>(m)]);
        const auto end = static_cast<std::size_t>(rows.begin[static_cast<std::size_t>(m) + 1]);
        const auto count = static_cast<std::int64_t>(end - begin);
        const std::int32_t* which = rows.other.data() + begin;
        float* x = mine.data() + static_cast<std::size_t>(m) * width;
        if (count == 0) {
          std::fill(x, x + width, 0.0f);
          continue;
        }
        more.assign(rows.value.begin() + static_cast<std::ptrdiff_t>(begin),
                    rows.value.begin() + static_cast<std::ptrdiff_t>(end));
        for (float& value : more) value *= alpha;
        liked.clear();
        for (std::size_t i = 0; i < more.size(); ++i) liked.push_back(rows.value[begin + i] > 0 ? 1 + more[i] : 0);
        // (Σ y yᵀ + λ + Σ α v y yᵀ) x = Σ (1 + α v) y, the latter of v above 0; without α the second sum is nothing
        const std::int64_t terms = alpha > 0 ? count : 0;
        code.apply(all.data(), others.data(), which, more.data(), terms, x, ap.data(), n);
        std::fill(r.begin(), r.end(), 0.0f);
        code.add(others.data(), which, liked.data(), count, r.data(), n);
        for (std::size_t i = 0; i < width; ++i) r[i] -= ap[i];
        p = r;
        float rest = code.dot(r.data(), r.data(), n);
        for (int step = 0; step < kSteps && rest > 1e-20f; ++step) {
          code.apply(all.data(), others.data(), which, more.data(), terms, p.data(), ap.data(), n);
          rest = code.conjugate_step(rest, ap.data(), x, r.data(), p.data(), n);
        }
      }
    });
  };
  for (int iteration = 0; iteration < options_.iterations; ++iteration) {
    solve(by_user, users, items);
    solve(by_item, items, users);
  }
  internal::check_factors("Als", users, items);
  user_factors_ = std::move(users);
  item_factors_ = std::move(items);
}

void Als::score(std::int32_t user, std::span<float> out) const {
  const auto factors = static_cast<std::size_t>(options_.factors), width = factors + (options_.implicit ? 0 : 1);
  const float* x = user_factors_.data() + static_cast<std::size_t>(user) * width;
  const float base = options_.implicit ? 0 : static_cast<float>(mean_) + x[factors];
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float* y = item_factors_.data() + i * width;
    out[i] = factors_table().dot(x, y, options_.factors) + (options_.implicit ? 0 : base + y[factors]);
  }
}

std::vector<double> Als::predict(const Interactions& rows) const {
  need_fitted();
  if (options_.implicit) throw StateError("[Als] expected a model of ratings, got an implicit one");
  if (rows.items.size() != rows.users.size()) {
    throw ShapeError("[Als] expected an item for each of " + std::to_string(rows.users.size()) + " users, got " +
                     std::to_string(rows.items.size()));
  }
  const auto factors = static_cast<std::size_t>(options_.factors), width = factors + 1;
  std::vector<double> out;
  for (std::size_t row = 0; row < rows.users.size(); ++row) {
    const std::int32_t user = rows.users[row], item = rows.items[row];
    if (user >= users() || item >= items()) {
      throw IndexError("[Als] expected users and items of fit, or -1, got " + std::to_string(user) + " and " +
                       std::to_string(item));
    }
    const float* x = user < 0 ? nullptr : user_factors_.data() + static_cast<std::size_t>(user) * width;
    const float* y = item < 0 ? nullptr : item_factors_.data() + static_cast<std::size_t>(item) * width;
    double value = mean_;
    if (x) value += static_cast<double>(x[factors]);
    if (y) value += static_cast<double>(y[factors]);
    if (x && y) value += static_cast<double>(factors_table().dot(x, y, options_.factors));
    out.push_back(value);
  }
  return out;
}

std::vector<Recommendation> Als::similar(std::int32_t item, int count) const {
  need_fitted();
  if (item < 0 || item >= items()) {
    throw IndexError("[Als] expected an item from 0 to " + std::to_string(items() - 1) + ", got " +
                     std::to_string(item));
  }
  if (count < 1) throw ValueError("[Als] expected a count of at least 1, got " + std::to_string(count));
  const auto factors = static_cast<std::size_t>(options_.factors), width = factors + (options_.implicit ? 0 : 1);
  const auto at = [&](std::int64_t i) { return item_factors_.data() + static_cast<std::size_t>(i) * width; };
  const float own = std::sqrt(factors_table().dot(at(item), at(item), options_.factors));
  std::vector<Recommendation> all;
  if (own == 0) return all;
  for (std::int64_t i = 0; i < items(); ++i) {
    const float other = std::sqrt(factors_table().dot(at(i), at(i), options_.factors));
    if (i == item || other == 0) continue;
    all.push_back(
        {static_cast<std::int32_t>(i), factors_table().dot(at(i), at(item), options_.factors) / (own * other)});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Recommendation& a, const Recommendation& b) { return a.score > b.score; });
  all.resize(std::min(all.size(), static_cast<std::size_t>(count)));
  return all;
}

std::string Als::settings() const {
  return tern::internal::json_text(Json{{"factors", options_.factors},
                                        {"regularization", options_.regularization},
                                        {"iterations", options_.iterations},
                                        {"implicit", options_.implicit},
                                        {"alpha", options_.alpha},
                                        {"seed", options_.seed},
                                        {"mean", mean_}});
}

std::vector<std::pair<std::string, Tensor>> Als::arrays() const {
  const std::int64_t width = options_.factors + (options_.implicit ? 0 : 1);
  return {{"users", internal::matrix(user_factors_, width)}, {"items", internal::matrix(item_factors_, width)}};
}

Als Als::load(const std::string& path) {
  return tern::internal::from_file(path, [&] {
    Als made;
    std::vector<std::pair<std::string, Tensor>> arrays;
    const Json json = tern::internal::parse_json(made.read(path, "als", arrays), "Als");
    made.options_ = Als({.factors = json_get<int>(json, "factors", "Als"),
                         .regularization = json_get<double>(json, "regularization", "Als"),
                         .iterations = json_get<int>(json, "iterations", "Als"),
                         .implicit = json_get<bool>(json, "implicit", "Als"),
                         .alpha = json_get<double>(json, "alpha", "Als"),
                         .seed = json_get<std::uint64_t>(json, "seed", "Als")})
                        .options_;
    made.mean_ = json_get<double>(json, "mean", "Als");
    const std::int64_t width = made.options_.factors + (made.options_.implicit ? 0 : 1);
    made.user_factors_ = internal::matrix_of("Als", arrays, "users", made.users(), width);
    made.item_factors_ = internal::matrix_of("Als", arrays, "items", made.items(), width);
    return made;
  });
}

}  // namespace tern::models
