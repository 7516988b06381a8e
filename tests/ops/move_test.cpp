#include "cpu/vector/move.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "cpu/target.h"
#include "tern/ops/binary.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/tensor.h"

// What only moves elements: copies, transposes, fills and conversions.
namespace tern {
namespace {

namespace tables = kernels::cpu;

template <class F>
void each_target(F f) {
  for (int t = 0; t < tables::kTargets; ++t) {
    if (!tables::runs(static_cast<tables::Target>(t))) continue;
    SCOPED_TRACE(tables::name(static_cast<tables::Target>(t)));
    f(*tables::move_tables[t]);
  }
}

template <class T>
void expect_turned(void (*turn)(const tables::Turn&)) {
  for (const std::int64_t rows : {1, 2, 7, 16, 17, 32, 35}) {
    for (const std::int64_t columns : {1, 3, 8, 16, 31, 65}) {
      const std::int64_t step = rows + 3, row = columns + 2;
      // No element more than is read: the address sanitizer sees each one past the end.
      std::vector<T> from(static_cast<std::size_t>((columns - 1) * step + rows)),
          to(static_cast<std::size_t>(rows * row));
      for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<T>(i * 7 + 1);
      turn({reinterpret_cast<const char*>(from.data()), step, reinterpret_cast<char*>(to.data()), row, rows, columns});
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < row; ++c) {
          const T expected = c < columns ? from[static_cast<std::size_t>(c * step + r)] : T(0);
          ASSERT_EQ(to[static_cast<std::size_t>(r * row + c)], expected) << rows << "x" << columns << " " << sizeof(T);
        }
      }
    }
  }
}

TEST(Move, EveryTargetTransposes) {
  each_target([](const tables::MoveTable& table) {
    expect_turned<std::uint8_t>(table.turn[0]);
    expect_turned<std::uint16_t>(table.turn[1]);
    expect_turned<std::uint32_t>(table.turn[2]);
    expect_turned<std::uint64_t>(table.turn[3]);
  });
}

TEST(Move, EveryTargetCopiesAndFills) {
  each_target([](const tables::MoveTable& table) {
    std::vector<char> from(400);
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<char>(i * 37 + 1);
    std::array<char, 64> line{};  // copies of an element of 8 bytes
    for (std::size_t i = 0; i < line.size(); ++i) line[i] = from[i % 8];
    for (const std::size_t offset : {0, 8, 3}) {
      for (const std::size_t bytes : {0, 1, 63, 64, 65, 192, 200}) {
        for (const bool stream : {false, true}) {
          alignas(64) std::array<char, 300> to{};
          table.copy(from.data() + 5, to.data() + offset, static_cast<std::int64_t>(bytes), stream);
          for (std::size_t i = 0; i < to.size(); ++i) {
            ASSERT_EQ(to[i], i >= offset && i < offset + bytes ? from[5 + i - offset] : 0) << bytes << " at " << i;
          }
          table.fill(line.data(), to.data() + offset, static_cast<std::int64_t>(bytes), stream);
          for (std::size_t i = 0; i < to.size(); ++i) {
            ASSERT_EQ(to[i], i >= offset && i < offset + bytes ? line[(i - offset) % 8] : 0) << bytes;
          }
        }
      }
    }
  });
}

// Towards zero and within the range, NaN to 0.
template <class To, class From>
To expected(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To> && !std::is_same_v<To, bool>) {
    if (std::isnan(x)) return 0;
    const long double whole = std::trunc(static_cast<long double>(x));
    if (whole < static_cast<long double>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (whole > static_cast<long double>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(whole);
  } else {
    return static_cast<To>(x);
  }
}

template <class T>
std::array<T, 41> numbers() {
  std::array<T, 41> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if constexpr (std::is_integral_v<T>) {
      values[i] = static_cast<T>(i * 0x9E3779B97F4A7C15u >> i);
    } else {
      values[i] = static_cast<T>(std::ldexp(i % 2 == 0 ? 0.7 : -0.7, static_cast<int>(i)));
    }
  }
  using Limits = std::numeric_limits<T>;
  values[0] = T(0);
  values[1] = Limits::max();
  values[2] = Limits::lowest();
  if constexpr (std::is_floating_point_v<T>) {
    const T edges[] = {Limits::infinity(),
                       -Limits::infinity(),
                       Limits::quiet_NaN(),
                       -T(0),
                       T(0.9999),
                       T(-0.9999),
                       T(255),
                       T(256),
                       T(255.5),
                       T(2147483647),
                       T(2147483648),
                       T(-2147483648),
                       T(-2147483904),
                       T(0x1p63),
                       T(-0x1p63),
                       std::nextafter(T(0x1p63), T(0)),
                       std::nextafter(T(-0x1p63), T(-0x1p70)),
                       std::nextafter(T(0x1p31), T(0)),
                       Limits::denorm_min(),
                       T(1e30),
                       T(-1e30),
                       T(2147483647.5)};
    std::copy(std::begin(edges), std::end(edges), values.begin() + 3);
  }
  return values;
}

template <class To, class From>
void expect_converted(const tables::MoveTable& table) {
  const auto in = numbers<From>();
  const tables::StripFn fn = table.convert[tables::kMoved<To>][tables::kMoved<From>];
  const auto same = [](To a, To b) { return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b); };
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{5}, in.size() - 1}) {
    for (const int step : {0, 1}) {
      for (std::size_t first = 0; first < (step == 0 ? in.size() : 2) && first + n <= in.size(); ++first) {
        std::array<From, 64> splat;
        splat.fill(in[first]);
        std::array<To, 42> out{};
        tables::Strip strip{};
        strip.out = reinterpret_cast<char*>(out.data());
        strip.in[0] = reinterpret_cast<const char*>(step == 0 ? splat.data() : in.data() + first);
        strip.step[0] = step;
        strip.n = static_cast<std::int64_t>(n);
        fn(strip);
        for (std::size_t i = 0; i < n; ++i) {
          const From x = step == 0 ? splat[0] : in[first + i];
          ASSERT_TRUE(same(out[i], expected<To>(x)))
              << "type " << tables::kMoved<From> << " to " << tables::kMoved<To> << ": " << +x << " gave " << +out[i]
              << ", not " << +expected<To>(x);
        }
        ASSERT_EQ(out[n], To(0)) << "written past the end";
      }
    }
  }
}
template <class To>
void expect_converted(const tables::MoveTable& table) {
  expect_converted<To, double>(table);
  expect_converted<To, float>(table);
  expect_converted<To, std::int64_t>(table);
  expect_converted<To, std::int32_t>(table);
  expect_converted<To, std::uint8_t>(table);
}

TEST(Move, EveryTargetConverts) {
  each_target([](const tables::MoveTable& table) {
    expect_converted<double>(table);
    expect_converted<float>(table);
    expect_converted<std::int64_t>(table);
    expect_converted<std::int32_t>(table);
    expect_converted<std::uint8_t>(table);
    expect_converted<bool>(table);
  });
}

// Element by element, through the public API.
TEST(Move, CopiesOfAnyLayout) {
  for (const DType dtype : {f64, f32, f16, bf16, i64, i32, u8, boolean}) {
    const auto numbered = [&](const Shape& shape) {
      const Tensor count = arange(zeros(shape).numel());
      return remainder(count, dtype == boolean ? 2 : 100).to(dtype).reshape(shape);
    };
    const std::vector<Tensor> views{numbered({3, 5}).t(),
                                    numbered({64, 300}).t(),
                                    numbered({513, 70}).t().slice(0, 3, 70).slice(1, 1, 513),
                                    numbered({7, 33, 20}).permute({2, 1, 0}),
                                    numbered({7, 33, 20}).permute({0, 2, 1}),
                                    numbered({2, 9, 17, 11}).permute({0, 2, 3, 1}),
                                    numbered({2, 9, 17, 11}).permute({3, 1, 0, 2}),
                                    numbered({40, 6}).slice(1, 0, 6, 2).t(),
                                    numbered({9, 1}).expand({9, 40}).t(),
                                    numbered({40, 40}).t().unsqueeze(0).expand({3, 40, 40}),
                                    numbered({2, 3, 400}).permute({0, 2, 1}),
                                    numbered({2, 31, 30}).permute({0, 2, 1}),
                                    numbered({300, 2, 3}).slice(1, 0, 1),
                                    numbered({5}).unsqueeze(0).expand({300, 5}),
                                    numbered({0, 5}).t()};
    for (const Tensor& view : views) {
      const auto got = view.contiguous().to(f64).to_vector<double>();
      EXPECT_EQ(got, view.to(f64).contiguous().to_vector<double>());
      for (std::int64_t i = 0; i < view.numel(); i += i % 4 == 0 ? 1 : 96) {
        Tensor at = view;
        std::int64_t rest = i;
        for (int d = view.dim() - 1; d >= 0; --d) {
          const std::int64_t size = view.size(d);
          at = at.select(d, rest % size);
          rest /= size;
        }
        ASSERT_EQ(got[static_cast<std::size_t>(i)], at.to(f64).item<double>()) << name(dtype) << " at " << i;
      }
    }
  }
}

}  // namespace
}  // namespace tern
