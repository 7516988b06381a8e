#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "cpu/vector/elementwise.h"
#include "cpu/vector/loss.h"
#include "functors/loss.h"
#include "tern/base/random.h"
#include "tern/ops/binary.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/tensor.h"

namespace tern {
namespace {

using kernels::cpu::Strip;
using kernels::cpu::StripFn;
using kernels::cpu::Target;
namespace tables = kernels::cpu;

template <class T>
std::vector<T> floats_of(std::size_t count, std::uint64_t stream) {
  const Philox random(7, stream);
  using Limits = std::numeric_limits<T>;
  const T special[] = {0, -T(0), 1, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::denorm_min(),
                       // beside integers, and where all numbers are integers
                       T(0.5), T(-0.5), T(1.5), T(-2.5), T(3.5), T(-0.75), T(0x1p22 + 0.5), T(-0x1p23 - 1),
                       T(0x1p51 + 0.5), T(-0x1p52 - 1)};
  std::vector<T> values;
  for (std::size_t i = 0; i < count; ++i) {
    const T drawn = static_cast<T>(normal(random, i) * (i % 3 == 0 ? 40 : 1));
    values.push_back(i % 5 == 4 ? special[i / 5 % std::size(special)] : drawn);
  }
  return values;
}

template <class T>
bool same(T a, T b) {
  return (a != a && b != b) || (a == b && std::signbit(a) == std::signbit(b));
}

template <class T>
struct Inputs {
  std::vector<T> a = floats_of<T>(100, 1), b = floats_of<T>(100, 2);
};

constexpr double kFactor = 0.7;  // for the one that takes it

/// Each strip function must give, on every target, what `scalar(a, b)` gives for each element alone; `step` 0 takes
/// one b for all.
template <class Out, class T, class F>
void expect_scalars(const char* what, StripFn fn, F scalar, int inputs) {
  static const Inputs<T> in;
  std::vector<T> splat(16, in.b[3]);
  for (const std::int64_t n : {0, 1, 3, 7, 8, 15, 16, 17, 31, 33, 64, 77}) {
    for (const int step : {0, 1}) {
      if (inputs == 1 && step == 0) continue;
      std::array<Out, 80> out;
      out.fill(Out(1));
      Strip strip{};
      strip.out = reinterpret_cast<char*>(out.data() + 1);
      strip.in[0] = reinterpret_cast<const char*>(in.a.data() + 1);
      strip.in[1] = reinterpret_cast<const char*>(step == 0 ? splat.data() : in.b.data() + 1);
      strip.step[0] = 1;
      strip.step[1] = step;
      strip.in[2] = strip.in[0];
      strip.step[2] = 1;
      strip.parameter = kFactor;
      strip.n = n;
      fn(strip);
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
        const T a = in.a[i + 1], b = step == 0 ? splat[0] : in.b[i + 1];
        ASSERT_TRUE(same<double>(static_cast<double>(out[i + 1]), static_cast<double>(scalar(a, b))))
            << what << "(" << a << ", " << b << ") gave " << out[i + 1] << ", not " << scalar(a, b);
      }
      ASSERT_EQ(out.front(), Out(1)) << what << " wrote before the start";
      ASSERT_EQ(out[static_cast<std::size_t>(n) + 1], Out(1)) << what << " wrote past the end";
    }
  }
}

template <class T>
void expect_target(int target) {
  constexpr int real = tables::kReal<T>;
  const tables::UnaryTable& unary = *tables::unary_tables[target];
  const tables::BinaryTable& binary = *tables::binary_tables[target];
#define TERN_CHECK(name, functor, types)                                                \
  expect_scalars<T, T>(                                                                 \
      #name, unary.forward[static_cast<int>(tables::UnaryOp::name)][real],              \
      [](T x, T) { return kernels::functor::forward(x); }, 1);                          \
  expect_scalars<T, T>(                                                                 \
      #name " gradient", unary.gradient[static_cast<int>(tables::UnaryOp::name)][real], \
      [](T g, T s) { return kernels::functor::gradient(g, s); }, 2);
  TERN_UNARY_LIST(TERN_CHECK)
#undef TERN_CHECK
#define TERN_CHECK(name, functor, types)                                        \
  expect_scalars<T, T>(                                                         \
      #name, binary.arithmetic[static_cast<int>(tables::BinaryOp::name)][real], \
      [](T a, T b) { return kernels::functor::forward(a, b); }, 2);
  TERN_BINARY_LIST(TERN_CHECK)
#undef TERN_CHECK
#define TERN_CHECK(name, functor, types)                                      \
  expect_scalars<bool, T>(                                                    \
      #name, binary.compare[static_cast<int>(tables::CompareOp::name)][real], \
      [](T a, T b) { return kernels::functor::forward(a, b); }, 2);
  TERN_COMPARE_LIST(TERN_CHECK)
#undef TERN_CHECK
  // The strip's third operand is its first one here.
  const auto factor = static_cast<T>(kFactor);
  expect_scalars<T, T>(
      "bend", binary.bend[real], [=](T a, T x) { return kernels::Bend::forward(a, x, a, factor); }, 2);
}

TEST(Strips, EveryTargetGivesTheBitsOfScalars) {
  for (int target = 0; target < tables::kTargets; ++target) {
    if (!tables::runs(static_cast<Target>(target))) continue;
    SCOPED_TRACE(tables::name(static_cast<Target>(target)));
    expect_target<float>(target);
    expect_target<double>(target);
  }
}

// Lengths that leave every rest, each weight given or 1 for all, one gradient or many.
template <class T>
void expect_bce(const tables::BceLoops<T>& loops) {
  static const std::vector<T> x = floats_of<T>(100, 3), t = floats_of<T>(100, 4), w = floats_of<T>(100, 5),
                              p = floats_of<T>(100, 6), g = floats_of<T>(100, 7), ones(16, T(1)), twos(16, T(2));
  for (const std::int64_t n : {0, 1, 3, 8, 15, 16, 17, 40, 77}) {
    for (int given = 0; given < 8; ++given) {
      const bool has_w = (given & 1) != 0, has_p = (given & 2) != 0, many = (given & 4) != 0;
      std::vector<T> out(static_cast<std::size_t>(n) + 2, T(99));
      const tables::BceStrip<T> strip{.n = n,
                                      .logits = x.data() + 1,
                                      .target = t.data() + 1,
                                      .weight = has_w ? w.data() + 1 : ones.data(),
                                      .pos_weight = has_p ? p.data() + 1 : ones.data(),
                                      .g = many ? g.data() + 1 : twos.data(),
                                      .weight_step = has_w,
                                      .pos_weight_step = has_p,
                                      .g_step = many,
                                      .out = out.data() + 1};
      for (const bool forward : {true, false}) {
        (forward ? loops.forward : loops.gradient)(strip);
        for (std::size_t i = 1; i <= static_cast<std::size_t>(n); ++i) {
          const T wi = has_w ? w[i] : T(1), pi = has_p ? p[i] : T(1), gi = many ? g[i] : T(2);
          const T expected = forward ? kernels::BceWithLogits::forward(x[i], t[i], wi, pi)
                                     : kernels::BceWithLogits::gradient(gi, x[i], t[i], wi, pi);
          ASSERT_TRUE(same(out[i], expected)) << (forward ? "loss" : "gradient") << " of " << x[i] << " and " << t[i]
                                              << " gave " << out[i] << ", not " << expected;
        }
        ASSERT_EQ(out.front(), T(99)) << "written before the start";
        ASSERT_EQ(out.back(), T(99)) << "written past the end";
      }
    }
  }
}

TEST(Strips, BceHasTheBitsOfScalarsOnEveryTarget) {
  for (int target = 0; target < tables::kTargets; ++target) {
    if (!tables::runs(static_cast<Target>(target))) continue;
    SCOPED_TRACE(tables::name(static_cast<Target>(target)));
    expect_bce(tables::loss_tables[target]->f32);
    expect_bce(tables::loss_tables[target]->f64);
  }
}

// Every way in which operands can lie: the values are those of contiguous copies.
TEST(Strips, StridesAndBroadcastsChangeNoBits) {
  manual_seed(3);
  const auto flat = [](const Tensor& x) { return x.contiguous().clone(); };
  const auto expect_same = [](const Tensor& a, const Tensor& b) {
    EXPECT_EQ(a.to(f64).to_vector<double>(), b.to(f64).to_vector<double>());
  };
  for (const DType dtype : {f32, f64}) {
    const Tensor base = randn({70, 600}, dtype), other = randn({300, 70}, dtype);
    const std::vector<Tensor> views{
        base.slice(1, 0, 300), base.slice(1, 0, 600, 2), other.t(),
        base.slice(1, 5, 6),   base[3].slice(0, 0, 300), base.slice(0, 0, 70, 70).slice(1, 7, 8)};
    for (const Tensor& a : views) {
      expect_same(exp(a), exp(flat(a)));
      for (const Tensor& b : views) {
        const Shape shape = broadcast_shapes("test", a.shape(), b.shape());
        const Tensor x = flat(a.expand(shape)), y = flat(b.expand(shape));
        expect_same(a + b, x + y);
        expect_same(a < b, x < y);
        expect_same(where(a < b, a, b), where(flat(a < b).expand(shape), x, y));
      }
    }
    const Tensor deep = randn({3, 4, 5, 6, 7}, dtype).permute({4, 0, 3, 1, 2});
    expect_same(deep * deep, square(flat(deep)));
    Tensor target = zeros({50, 40}, dtype);  // written with strides
    target.t().slice(0, 0, 40, 3).add_(ones({14, 50}, dtype), 2);
    EXPECT_EQ(target.sum().item<double>(), 2.0 * 14 * 50);
    // Rows that are short: what repeats for each, what has one value a row, and rows that lie apart.
    for (const std::int64_t width : {1, 3, 7, 31}) {
      const Tensor many = randn({300, width}, dtype), row = randn({width}, dtype), column = randn({300, 1}, dtype);
      const Tensor apart = randn({300, 40}, dtype).slice(1, 5, 5 + width), across = randn({width, 300}, dtype).t();
      const Tensor planes = randn({2, 300, width}, dtype), of_planes = randn({2, 1, width}, dtype);
      for (const auto& [a, b] : std::vector<std::pair<Tensor, Tensor>>{{many, row},
                                                                       {many, column},
                                                                       {row, many},
                                                                       {apart, row},
                                                                       {many, across},
                                                                       {across, apart},
                                                                       {planes, row},
                                                                       {planes, column},
                                                                       {planes, of_planes},
                                                                       {planes.transpose(0, 1), row}}) {
        const Shape shape = broadcast_shapes("test", a.shape(), b.shape());
        const Tensor x = flat(a.expand(shape)), y = flat(b.expand(shape));
        expect_same(a - b, x - y);
        expect_same(a < b, x < y);
        expect_same(where(b < 0, a, b), where(y < 0, x, y));
        for (const DType half : {f16, bf16}) expect_same(a.to(half) * b.to(half), x.to(half) * y.to(half));
        expect_same(a.expand(shape).to(i64), x.to(i64));
      }
    }
    const Tensor long_rows = randn({3, 70000}, dtype);
    expect_same(tanh(long_rows.slice(1, 1, 69999)), tanh(flat(long_rows.slice(1, 1, 69999))));
  }
}

}  // namespace
}  // namespace tern
