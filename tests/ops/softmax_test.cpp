#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cpu/strips.h"
#include "cpu/vector/reduce.h"
#include "cpu/vector/softmax.h"
#include "functors/math.h"
#include "slots/loss.h"
#include "slots/softmax.h"
#include "tern/base/random.h"

namespace tern {
namespace {

using kernels::CrossEntropyArgs;
using kernels::SoftmaxArgs;
using kernels::cpu::kReal;
using kernels::cpu::kSumLanes;
using kernels::cpu::kTargets;
using kernels::cpu::runs;
using kernels::cpu::softmax_rows_tables;
using kernels::cpu::Target;

constexpr std::int64_t kRows[] = {1, 2, 3, 8, 15, 16, 17, 33}, kColumns[] = {1, 2, 3, 4, 5, 8, 10, 15, 16, 17, 40};

template <class T>
std::vector<T> draws(std::int64_t count, std::uint64_t stream) {
  const Philox random(7, stream);
  std::vector<T> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const T special[] = {-std::numeric_limits<T>::infinity(), 0, -T(0), 300, std::numeric_limits<T>::quiet_NaN()};
    const T drawn = static_cast<T>(normal(random, static_cast<std::uint64_t>(i))) * 3;
    values.push_back(i % 37 == 36 ? special[i / 37 % 5] : drawn);
  }
  return values;
}

/// The sum of terms f(c) in the order that kernels/cpu/reduce.cpp states.
template <class F>
double ordered_sum(std::int64_t n, F f) {
  double lane[kSumLanes] = {};
  for (std::int64_t c = 0; c < n; ++c) lane[c % kSumLanes] += f(c);
  double four[4];
  for (int i = 0; i < 4; ++i) four[i] = (lane[4 * i] + lane[4 * i + 1]) + (lane[4 * i + 2] + lane[4 * i + 3]);
  return (four[0] + four[1]) + (four[2] + four[3]);
}

template <class T>
T largest(const T* x, std::int64_t n) {
  T best = x[0];
  for (std::int64_t c = 1; c < n; ++c) best = x[c] > best || x[c] != x[c] ? x[c] : best;
  return best;
}

template <class T>
double exp_sum(const T* x, std::int64_t n, T shift) {
  return ordered_sum(n, [&](std::int64_t c) { return static_cast<double>(kernels::math::exp(x[c] - shift)); });
}

// One row, element by element.
template <class T>
struct Reference {
  static void softmax(const T* x, const T*, std::int64_t n, T* out) {
    const T shift = largest(x, n), scale = static_cast<T>(1 / exp_sum(x, n, shift));
    for (std::int64_t c = 0; c < n; ++c) out[c] = kernels::math::exp(x[c] - shift) * scale;
  }
  static void log_softmax(const T* x, const T*, std::int64_t n, T* out) {
    const T shift = largest(x, n), log_sum = static_cast<T>(kernels::math::log(exp_sum(x, n, shift)));
    for (std::int64_t c = 0; c < n; ++c) out[c] = (x[c] - shift) - log_sum;
  }
  static void softmax_gradient(const T* y, const T* g, std::int64_t n, T* out) {
    const auto product = [&](std::int64_t c) { return static_cast<double>(g[c]) * static_cast<double>(y[c]); };
    const T dot = static_cast<T>(ordered_sum(n, product));
    for (std::int64_t c = 0; c < n; ++c) out[c] = y[c] * (g[c] - dot);
  }
  static void log_softmax_gradient(const T* y, const T* g, std::int64_t n, T* out) {
    const T sum = static_cast<T>(ordered_sum(n, [&](std::int64_t c) { return static_cast<double>(g[c]); }));
    for (std::int64_t c = 0; c < n; ++c) out[c] = g[c] - kernels::math::exp(y[c]) * sum;
  }
};

template <class T>
void expect_same(const std::vector<T>& got, const std::vector<T>& expected, const std::string& what) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool both = std::isnan(got[i]) && std::isnan(expected[i]);
    ASSERT_TRUE(both || (got[i] == expected[i] && std::signbit(got[i]) == std::signbit(expected[i])))
        << what << ", element " << i << ": " << got[i] << " instead of " << expected[i];
  }
}

template <class F>
void for_each_target_and_size(F f) {
  for (int target = 0; target < kTargets; ++target) {
    if (!runs(static_cast<Target>(target))) continue;
    for (const std::int64_t rows : kRows) {
      for (const std::int64_t columns : kColumns) {
        f(*softmax_rows_tables[target], rows, columns,
          std::string(name(static_cast<Target>(target))) + " " + std::to_string(rows) + " x " +
              std::to_string(columns));
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

template <class T>
void rows_have_the_bits_of_scalars() {
  for_each_target_and_size([](const auto& table, std::int64_t rows, std::int64_t columns, const std::string& what) {
    const auto x = draws<T>(rows * columns, 1), g = draws<T>(rows * columns, 2);
    const auto check = [&](const char* name, auto* kernel, auto* reference) {
      std::vector<T> out(x.size()), expected(x.size());
      kernel({rows, columns, x.data(), g.data(), out.data()}, 0, rows);
      for (std::int64_t r = 0; r < rows; ++r) {
        reference(x.data() + r * columns, g.data() + r * columns, columns, expected.data() + r * columns);
      }
      expect_same(out, expected, std::string(name) + " on " + what);
    };
    constexpr int real = kReal<T>;
    check("softmax", table.softmax[real], &Reference<T>::softmax);
    check("log_softmax", table.log_softmax[real], &Reference<T>::log_softmax);
    check("softmax gradient", table.softmax_gradient[real], &Reference<T>::softmax_gradient);
    check("log_softmax gradient", table.log_softmax_gradient[real], &Reference<T>::log_softmax_gradient);
  });
}
TEST(SoftmaxRows, HaveTheBitsOfScalars) {
  rows_have_the_bits_of_scalars<float>();
  rows_have_the_bits_of_scalars<double>();
}

// Of a tensor of 128 MiB and more, of which only a few rows are there.
template <class T>
void streamed_rows_have_the_bits_of_scalars() {
  constexpr std::int64_t kFew = 5, kSizes[] = {32, 48, 1024, 8192};
  for (int target = 0; target < kTargets; ++target) {
    if (!runs(static_cast<Target>(target))) continue;
    for (const std::int64_t columns : kSizes) {
      const std::int64_t rows = kernels::cpu::kStreamBytes / columns;
      const auto x = draws<T>(kFew * columns, 3);
      std::vector<T> room(x.size() + 64 / sizeof(T)), expected(x.size());
      void* start = room.data();
      std::size_t left = room.size() * sizeof(T);
      T* out = static_cast<T*>(std::align(64, x.size() * sizeof(T), start, left));
      for (std::int64_t r = 0; r < kFew; ++r) {
        Reference<T>::softmax(x.data() + r * columns, nullptr, columns, expected.data() + r * columns);
      }
      softmax_rows_tables[target]->softmax[kReal<T>]({rows, columns, x.data(), nullptr, out}, 0, 2);
      softmax_rows_tables[target]->softmax[kReal<T>]({rows, columns, x.data(), nullptr, out}, 2, kFew);
      expect_same(std::vector<T>(out, out + x.size()), expected,
                  std::string(name(static_cast<Target>(target))) + ", columns: " + std::to_string(columns));
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}
TEST(SoftmaxRows, HaveTheBitsOfScalarsWhereTheyAreStreamed) {
  streamed_rows_have_the_bits_of_scalars<float>();
  streamed_rows_have_the_bits_of_scalars<double>();
}

// The formulas of CrossEntropyArgs, a row at a time.
template <class T>
struct EntropyReference {
  const CrossEntropyArgs& args;
  double weight(std::int64_t c) const {
    return args.weight ? static_cast<double>(static_cast<const T*>(args.weight)[c]) : 1.0;
  }

  T loss(std::int64_t r) const {
    const std::int64_t n = args.classes;
    const T* x = static_cast<const T*>(args.logits) + r * n;
    const T shift = largest(x, n);
    const double log_sum = kernels::math::log(exp_sum(x, n, shift));
    const auto of = [&](std::int64_t c) { return log_sum - static_cast<double>(x[c] - shift); };
    double loss = (1 - args.smoothing) * weight(args.target[r]) * of(args.target[r]), spread = 0;
    if (args.smoothing == 0) return static_cast<T>(loss);
    for (std::int64_t c = 0; c < n; ++c) spread += weight(c) * of(c);
    loss += args.smoothing / static_cast<double>(n) * spread;
    return static_cast<T>(loss);
  }

  void gradient(std::int64_t r, T* out) const {
    const std::int64_t n = args.classes, t = args.target[r];
    const T* x = static_cast<const T*>(args.logits) + r * n;
    const T shift = largest(x, n);
    const double spread = args.smoothing / static_cast<double>(n),
                 g = static_cast<double>(static_cast<const T*>(args.g)[r]);
    double all = 0;
    for (std::int64_t c = 0; spread != 0 && c < n; ++c) all += spread * weight(c);
    const double mine = (1 - args.smoothing) * weight(t), scale = (all + mine) / exp_sum(x, n, shift);
    const T by = static_cast<T>(g * scale), off = static_cast<T>(g * spread);
    for (std::int64_t c = 0; c < n; ++c) {
      const T p = kernels::math::exp(x[c] - shift) * by;
      out[c] = spread == 0 ? p : args.weight ? p - off * static_cast<T>(weight(c)) : p - off;
    }
    const double e = static_cast<double>(kernels::math::exp(x[t] - shift));
    out[t] = static_cast<T>(g * ((e * scale - mine) - spread * weight(t)));
  }
};

template <class T>
void losses_have_the_bits_of_scalars() {
  for_each_target_and_size([](const auto& table, std::int64_t rows, std::int64_t columns, const std::string& what) {
    const auto x = draws<T>(rows * columns, 3), g = draws<T>(rows, 4), weight = draws<T>(columns, 5);
    std::vector<std::int64_t> target;
    for (std::int64_t r = 0; r < rows; ++r) target.push_back(r * 7 % columns);
    for (const bool weighted : {false, true}) {
      for (const double smoothing : {0.0, 0.1}) {
        CrossEntropyArgs args{rows,      columns,  x.data(), target.data(), weighted ? weight.data() : nullptr,
                              smoothing, g.data(), nullptr};
        const EntropyReference<T> reference{args};
        const std::string where = what + (weighted ? " weighted" : "") + (smoothing > 0 ? " smoothed" : "");
        std::vector<T> losses(static_cast<std::size_t>(rows)), expected;
        args.out = losses.data();
        table.cross_entropy[kReal<T>](args, 0, rows);
        for (std::int64_t r = 0; r < rows; ++r) expected.push_back(reference.loss(r));
        expect_same(losses, expected, "cross_entropy on " + where);
        std::vector<T> slopes(x.size());
        expected.resize(x.size());
        args.out = slopes.data();
        table.cross_entropy_gradient[kReal<T>](args, 0, rows);
        for (std::int64_t r = 0; r < rows; ++r) reference.gradient(r, expected.data() + r * columns);
        expect_same(slopes, expected, "cross_entropy gradient on " + where);
      }
    }
  });
}
TEST(CrossEntropyRows, HaveTheBitsOfScalars) {
  losses_have_the_bits_of_scalars<float>();
  losses_have_the_bits_of_scalars<double>();
}

}  // namespace
}  // namespace tern
