#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "tern/autograd/autograd.h"
#include "tern/autograd/gradcheck.h"
#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/ops/activation.h"
#include "tern/ops/binary.h"
#include "tern/ops/compare.h"
#include "tern/ops/embedding.h"
#include "tern/ops/index.h"
#include "tern/ops/loss.h"
#include "tern/ops/matmul.h"
#include "tern/ops/norm.h"
#include "tern/ops/reduce.h"
#include "tern/ops/rows.h"
#include "tern/ops/shape.h"
#include "tern/ops/softmax.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

// What ops do at the ends of what can be said: shapes, numbers, dimensions, infinities; and whose memory a result is.
namespace tern {
namespace {

using Doubles = std::vector<double>;

struct Call {
  const char* op;
  std::function<void()> call;
};

template <class E>
void expect_named(const std::vector<Call>& calls, const std::string& expected) {
  for (const auto& [op, call] : calls) {
    SCOPED_TRACE(op);
    try {
      call();
      ADD_FAILURE() << "expected an error, got none";
    } catch (const E& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.rfind("[" + std::string(op) + "] expected " + expected, 0), 0u) << text;
    } catch (const std::exception& error) {
      ADD_FAILURE() << "expected another type of error, got: " << error.what();
    }
  }
}

// Whether x.norm(1) compiles, of which p or a dimension could be meant.
template <class T>
concept NormTakesANumber = requires(const T& x) {
  x.norm(1);
}
|| requires(const T& x) { x.norm(1, true); };
static_assert(!NormTakesANumber<Tensor>);

// Whether a bool is taken for a dimension.
template <class T>
concept ReductionTakesABool = requires(const T& x) {
  x.sum(true);
}
|| requires(const T& x) { x.mean(true); }
|| requires(const T& x) { x.max(true); }
|| requires(const T& x) { x.min(true); }
|| requires(const T& x) { x.argmax(true); }
|| requires(const T& x) { x.argmin(true); }
|| requires(const T& x) { x.prod(true); }
|| requires(const T& x) { x.any(true); }
|| requires(const T& x) { x.all(true); }
|| requires(const T& x) { x.var(true); }
|| requires(const T& x) { x.std(true); }
|| requires(const T& x) { x.sum(true, true); }
|| requires(const T& x) { x.mean(true, true); }
|| requires(const T& x) { x.max(true, true); }
|| requires(const T& x) { x.min(true, true); }
|| requires(const T& x) { x.argmax(true, true); }
|| requires(const T& x) { x.argmin(true, true); }
|| requires(const T& x) { x.prod(true, true); }
|| requires(const T& x) { x.any(true, true); }
|| requires(const T& x) { x.all(true, true); }
|| requires(const T& x) { x.var(true, true); }
|| requires(const T& x) { x.std(true, true); };
static_assert(!ReductionTakesABool<Tensor>);

constexpr std::int64_t kLong = std::int64_t{1} << 30, kTooLong = std::int64_t{1} << 60;

TEST(Limits, TooManyElementsNameTheOp) {
  const Tensor column = zeros({1, 1}).expand({kLong, 1}), row = zeros({1, 1}).expand({1, kLong});
  const Tensor leaf = zeros({1, 1}).requires_grad_(), taped = leaf.expand({kLong, 1});
  const Tensor line = zeros({1}).expand({kLong}), mask = zeros({1, 1}, boolean).expand({kLong, 1});
  // None of these has elements of its own, for what an op looks at before it gives up takes memory.
  const Tensor ids = zeros({8}, i64), wide = zeros({1, 1}).expand({1, kTooLong >> 5});
  expect_named<ShapeError>(
      {
          {"add", [&] { column + row; }},
          {"mul", [&] { taped* row; }},
          {"lt", [&] { (void)(column < row); }},
          {"where", [&] { where(mask, column, row); }},
          {"lerp", [&] { lerp(column, row, 0.5); }},
          {"matmul", [&] { matmul(column, row); }},
          {"linear", [&] { linear(column, row.t()); }},
          {"expand",
           [&] {
             zeros({1, 1}).expand({kLong, kLong});
           }},
          {"repeat",
           [&] {
             repeat(line, {kLong, 1});
           }},
          {"repeat_interleave", [&] { repeat_interleave(zeros({1}), tensor({kTooLong}, i64), 0); }},
          {"pad",
           [&] {
             pad(zeros({1}), {0, kTooLong});
           }},
          {"meshgrid",
           [&] {
             meshgrid({line, line});
           }},
          {"diag", [&] { diag(zeros({2}), kLong); }},
          {"embedding", [&] { embedding(wide, ids); }},
          {"index_select", [&] { index_select(wide, 0, ids); }},
          {"one_hot", [&] { one_hot(ids, kTooLong); }},
          {"bincount", [&] { bincount(zeros({1}, i64), kTooLong); }},
          {"arange", [&] { arange(kTooLong); }},
          {"linspace", [&] { linspace(0, 1, kTooLong); }},
          {"logspace", [&] { logspace(0, 1, kTooLong); }},
          {"eye", [&] { eye(kLong); }},
          {"full", [&] { full({kTooLong}, 1); }},
          {"rand", [&] { rand({kTooLong}); }},
          {"randn", [&] { randn({kTooLong}); }},
          {"normal", [&] { normal({kTooLong}, 0, 1); }},
          {"randint", [&] { randint(0, 5, {kTooLong}); }},
          {"randperm", [&] { randperm(kTooLong); }},
          {"multinomial", [&] { multinomial(ones({2}), kTooLong, true); }},
      },
      "fewer than 2^56 elements");
}

// Beside the rows of conformance, those ops whose calls there begin with another one.
TEST(Limits, UndefinedTensorsNameTheOp) {
  const Tensor none, x = ones({2});
  expect_named<StateError>({{"where", [&] { where(none, x, x); }},
                            {"where", [&] { where(x > 0, x, none); }},
                            {"nansum", [&] { nansum(none); }},
                            {"nanmean", [&] { nanmean(none); }},
                            {"allclose", [&] { allclose(none, x); }},
                            {"allclose", [&] { allclose(x, none); }},
                            {"equal", [&] { equal(x, none); }},
                            {"searchsorted", [&] { searchsorted(none, x); }},
                            {"searchsorted", [&] { searchsorted(x, none); }},
                            {"layer_norm", [&] { layer_norm(none, {2}); }},
                            {"rms_norm", [&] { rms_norm(none, {2}); }},
                            {"row_gradient", [&] { row_gradient(none); }},
                            {"step_rows",
                             [&] {
                               step_rows(none, {zeros({1}, i64), x}, {}, {});
                             }},
                            {"step_rows",
                             [&] {
                               step_rows(ones({2}), {none, x}, {}, {});
                             }},
                            {"step_rows",
                             [&] {
                               step_rows(ones({2}), {zeros({1}, i64), none}, {}, {});
                             }}},
                           "a defined tensor, got an undefined one");
}

TEST(Limits, TooManyDimensionsNameTheOp) {
  const Tensor x = zeros({1, 1, 1, 1, 1, 1, 1, 1}), ids = x.to(i64), flags = zeros({1}, i64);
  expect_named<ShapeError>({{"unsqueeze", [&] { x.unsqueeze(0); }},
                            {"stack",
                             [&] {
                               stack({x, x});
                             }},
                            {"unflatten",
                             [&] {
                               unflatten(x, 0, {1, 1});
                             }},
                            {"one_hot", [&] { one_hot(ids, 2); }},
                            {"embedding",
                             [&] {
                               embedding(zeros({1, 1}), ids);
                             }},
                            {"index", [&] { x[new_axis]; }},
                            {"index", [&] { x[{ids}]; }},
                            {"index_put", [&] { index_put(x, {new_axis}, zeros({})); }},
                            {"meshgrid", [&] { meshgrid(std::vector<Tensor>(9, zeros({1}))); }}},
                           "at most 8 dimensions");
}

TEST(Limits, DimensionsAreNotCutToThirtyTwoBits) {
  const Tensor x = zeros({2, 3});
  const std::int64_t far = std::int64_t{1} << 32;
  expect_named<IndexError>({{"sum", [&] { x.sum(Dims{far}); }},
                            {"permute",
                             [&] {
                               x.permute({far, 1});
                             }},
                            {"flip", [&] { flip(x, {far + 1}); }},
                            {"movedim", [&] { movedim(x, Dims{far}, Dims{0}); }},
                            {"roll", [&] { roll(x, Dims{1}, Dims{far}); }}},
                           "a dimension in [-2, 2)");
}

TEST(Limits, NumbersThatATypeCannotHoldAreRefused) {
  const Tensor bytes = tensor({3, 200}, u8), ints = tensor({1, 2}, i32);
  const std::int64_t big = std::int64_t{1} << 40;
  expect_named<ValueError>({{"add", [&] { bytes + 300; }},
                            {"mul", [&] { -1 * bytes; }},
                            {"bitwise_and", [&] { bytes & 256; }},
                            {"maximum", [&] { maximum(ints, big); }},
                            {"where", [&] { where(ints > 1, ints, big); }},
                            {"clamp", [&] { clamp(ints, 0, big); }},
                            {"clamp_min", [&] { clamp_min(ints, -big); }},
                            {"full", [&] { full({1}, 1e10, i32); }},
                            {"full", [&] { full({1}, std::nan(""), i64); }},
                            {"scalar", [&] { scalar(-1, u8); }},
                            {"fill_", [&] { Tensor(bytes.clone()).fill_(256); }},
                            {"add_", [&] { Tensor(bytes.clone()).add_(256); }},
                            {"masked_fill", [&] { masked_fill(bytes, bytes > 3, 300); }},
                            {"randint", [&] { randint(0, 1000, {4}, u8); }}},
                           "a number that ");
  expect_named<DTypeError>({{"pad", [&] { pad(ints, {1, 1}, {.value = 0.5}); }}}, "a value of the kind of i32");
  EXPECT_EQ(full({1}, 2.9, u8).item<std::uint8_t>(), 2);
  EXPECT_EQ(randint(0, 256, {100}, u8).dtype(), u8);
  // Floating types hold whole numbers up to some size.
  for (const auto& [dtype, most] : {std::pair{bf16, std::int64_t{1} << 8},
                                    {f16, std::int64_t{1} << 11},
                                    {f32, std::int64_t{1} << 24},
                                    {f64, std::int64_t{1} << 53}}) {
    const DType type = dtype;
    EXPECT_LE(randint(-most, most + 1, {100}, type).max().item<double>(), static_cast<double>(most));
    EXPECT_THROW(randint(0, most + 2, {1}, type), ValueError);
    EXPECT_THROW(randint(-most - 1, 1, {1}, type), ValueError);
  }
}

TEST(Limits, ComparisonsWithAnyNumberAreExact) {
  const Tensor bytes = tensor({3, 200}, u8), ints = tensor({1, 2}, i32);
  const std::int64_t big = std::int64_t{1} << 40;
  EXPECT_TRUE(all(ints < big).item<bool>());
  EXPECT_FALSE(any(ints == big + 1).item<bool>());
  EXPECT_TRUE(all(-big <= ints).item<bool>());
  EXPECT_FALSE(any(bytes == 259).item<bool>());
  EXPECT_TRUE(all(bytes > -1).item<bool>());
  EXPECT_TRUE(all(tensor({INT64_MAX}, i64) < UINT64_MAX).item<bool>());
  const Tensor half = tensor({65504, INFINITY}, f16);  // which rounds the numbers beside it
  EXPECT_FALSE((half[0] >= 65510).item<bool>());
  EXPECT_FALSE(any(half == 65505).item<bool>());
  EXPECT_FALSE(any(isclose(half, 70000)).item<bool>());
  EXPECT_TRUE(all(logical_and(half, 1e-10)).item<bool>());
  EXPECT_TRUE(all(logical_or(1e-50, zeros({2}))).item<bool>());
  EXPECT_FALSE(any(logical_xor(ones({2}), NAN)).item<bool>());
}

// As those by tensors are: nothing is left, or the sign.
TEST(Limits, ShiftsByAnyNumberOfBits) {
  for (const std::int64_t count : {std::int64_t{-1}, std::int64_t{64}, std::int64_t{300}, std::int64_t{1} << 40}) {
    for (const DType dtype : {u8, i32, i64}) {
      const Tensor x = tensor({1, 7}, dtype);
      EXPECT_FALSE(any(bitwise_left_shift(x, count) != 0).item<bool>()) << count;
      EXPECT_FALSE(any(bitwise_right_shift(x, count) != 0).item<bool>()) << count;
      EXPECT_EQ(bitwise_left_shift(x, count).dtype(), dtype);
    }
    EXPECT_TRUE(all(bitwise_right_shift(tensor({-5, -1}, i32), count) == -1).item<bool>()) << count;
  }
  EXPECT_TRUE(all(bitwise_left_shift(tensor({1, 7}, u8), 3) == tensor({8, 56}, u8)).item<bool>());
}

#ifndef TERN_SANITIZE  // whose allocators end the process
// Not std::bad_alloc, nor the end of the system's memory.
TEST(Limits, ListsAndIndicesThatMemoryCannotHold) {
  const Tensor one = zeros({1}), line = one.expand({std::int64_t{1} << 50});
  const Tensor many = tensor({std::int64_t{1} << 45}, i64);
  std::vector<std::function<void()>> calls{[&] { unbind(line); }, [&] { split(line, 1); },
                                           [&] { chunk(line, kLong << 15); }, [&] { repeat_interleave(one, many, 0); }};
  calls.push_back([&] { pad(one, {0, std::int64_t{1} << 50}, {.mode = PadMode::replicate}); });
  for (std::size_t i = 0; i < calls.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_THROW(calls[i](), MemoryError);
  }
}
#endif

TEST(Limits, ScalesThatIntegersCannotHold) {
  Tensor ints = tensor({1, 2}, i64), bytes = tensor({5, 6}, u8), truths = ones({2}, boolean);
  for (const double alpha : {0.5, 1e300, HUGE_VAL, std::nan("")})
    EXPECT_THROW(ints.add_(ints, alpha), ValueError) << alpha;
  EXPECT_THROW(bytes.add_(bytes, -1), ValueError);
  EXPECT_EQ(ints.add_(ints.clone(), -3).to_vector<std::int64_t>(), (std::vector<std::int64_t>{-2, -4}));
  const std::uint64_t before = version(truths);
  expect_named<DTypeError>({{"add_", [&] { truths.add_(true); }},
                            {"sub_", [&] { truths.sub_(truths); }},
                            {"mul_", [&] { truths.mul_(truths); }}},
                           "numbers to compute with, got bool");
  EXPECT_EQ(version(truths), before);
}

TEST(Limits, IntegersBeyondTheDigitsOfADouble) {
  const std::int64_t big = (std::int64_t{1} << 53) + 1;
  const Tensor x = tensor({5}, i64);
  EXPECT_THROW(clamp(x, big, big - 1), ValueError);
  for (const Tensor& any : {x, tensor({1.f})}) {
    EXPECT_THROW(clamp_min(any, std::nan("")), ValueError);
    EXPECT_THROW(clamp_max(any, std::nan("")), ValueError);
  }
  EXPECT_EQ(clamp(x, big - 1, big).item<std::int64_t>(), big - 1);
  EXPECT_EQ(arange(0x1p53, 0x1p53 + 4, 1, i64).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{big - 1, big, big + 1, big + 2}));
  EXPECT_EQ(arange(7, 0, -3, i64).to_vector<std::int64_t>(), (std::vector<std::int64_t>{7, 4, 1}));
}

TEST(Limits, DimensionsOnceAndOfThoseThatThereAre) {
  const Tensor x = zeros({2, 3});
  expect_named<ShapeError>({{"sum",
                             [&] {
                               x.sum({0, 0});
                             }},
                            {"max",
                             [&] {
                               max(x, {1, -1});
                             }},
                            {"var",
                             [&] {
                               var(x, {0, 0});
                             }}},
                           "each dimension once");
  expect_named<ShapeError>({{"tile", [&] { tile(x, {-1}); }}}, "repeats of at least 0");
  expect_named<StateError>({{"tile", [&] { tile({}, {2}); }}}, "a defined tensor");
}

// To what goes along a dimension, a tensor without one has one of size 1, as in PyTorch.
TEST(Limits, NoDimensionsHaveDimensionZero) {
  const Tensor x = full({}, 3.0, f64).requires_grad_(), first = zeros({1}, i64), zero = zeros({}, i64);
  const auto check = [&](const char* what, const Tensor& result, double value, double slope, double curvature) {
    SCOPED_TRACE(what);
    EXPECT_EQ(result.shape(), Shape{});
    EXPECT_EQ(result.to(f64).item<double>(), value);
    if (!result.requires_grad()) return;
    const Tensor gradient = grad(result * result, {x}, {.create_graph = true})[0];
    EXPECT_EQ(gradient.shape(), Shape{});
    EXPECT_EQ(gradient.item<double>(), slope);
    if (!gradient.requires_grad()) return;
    EXPECT_EQ(grad(gradient, {x})[0].item<double>(), curvature);
  };
  for (const int d : {0, -1}) {
    const Tensor same[] = {x.sum(d),
                           x.sum(d, true),
                           x.mean(d),
                           x.max(d),
                           x.min(d),
                           x.prod(d),
                           cumsum(x, d),
                           cumprod(x, d),
                           logsumexp(x, {d}),
                           nansum(x, {d}),
                           nanmean(x, {d}),
                           norm(x, {d}),
                           sort(x, d).values,
                           topk(x, 1, {.dim = d}).values,
                           kthvalue(x, 1, d).values,
                           median(x, d, true).values,
                           median(x, d).values,
                           x.squeeze(d),
                           x.transpose(d, 0),
                           movedim(x, d, 0),
                           flip(x, {d}),
                           index_select(x, d, first),
                           gather(x, d, zero)};
    for (const Tensor& result : same) check("the same", result, 3, 6, 2);
    const Tensor of_x[] = {index_copy(zeros({}, f64), d, first, x), scatter(zeros({}, f64), d, zero, x),
                           index_add(zeros({}, f64), d, first, x), scatter_add(zeros({}, f64), d, zero, x)};
    for (const Tensor& result : of_x) check("the source", result, 3, 6, 2);
    check("index_add", index_add(x, d, first, x), 6, 24, 8);
    check("scatter_add", scatter_add(x, d, zero, x), 6, 24, 8);
    check("index_copy", index_copy(x, d, first, full({}, 5, f64)), 5, 0, 0);
    check("index_fill", index_fill(x, d, first, 5.0), 5, 0, 0);
    check("scatter", scatter(x, d, zero, 5.0), 5, 0, 0);
    check("softmax", softmax(x, d), 1, 0, 0);
    check("log_softmax", log_softmax(x, d), 0, 0, 0);
    const Tensor places[] = {
        x.argmax(d),         x.argmin(d, true), argsort(x, d), sort(x, d).indices, topk(x, 1, {.dim = d}).indices,
        median(x, d).indices};
    for (const Tensor& place : places) check("a place", place, 0, 0, 0);
    check("any", x.any(d), 1, 0, 0);
    check("count_nonzero", count_nonzero(x, {d}), 1, 0, 0);
    EXPECT_TRUE(std::isnan(x.var(d).item<double>()) && std::isnan(x.std(d).item<double>()));
    EXPECT_EQ(var(x, {d}, {.correction = 0}).item<double>(), 0);
    EXPECT_EQ(x.flatten(d, d).shape(), Shape{1});
  }
  expect_named<IndexError>({{"sum", [&] { x.sum(1); }},
                            {"softmax", [&] { softmax(x, 1); }},
                            {"sort", [&] { sort(x, 1); }},
                            {"cumsum", [&] { cumsum(x, 1); }},
                            {"squeeze", [&] { x.squeeze(1); }},
                            {"flatten", [&] { x.flatten(0, 1); }},
                            {"gather", [&] { gather(x, 1, zero); }}},
                           "a dimension in [-1, 1), got 1");
  expect_named<IndexError>({{"size", [&] { x.size(0); }},
                            {"select", [&] { x.select(0, 0); }},
                            {"slice", [&] { x.slice(0, 0, 1); }},
                            {"narrow", [&] { narrow(x, 0, 0, 1); }},
                            {"cat",
                             [&] {
                               cat({x, x}, 0);
                             }},
                            {"split", [&] { split(x, 1, 0); }},
                            {"unbind", [&] { unbind(x, 0); }},
                            {"roll", [&] { roll(x, 1, 0); }},
                            {"glu", [&] { glu(x, 0); }},
                            {"take_along_dim", [&] { take_along_dim(x, zero, 0); }}},
                           "a tensor of at least one dimension, got dimension 0 of one without");
  expect_named<ShapeError>({{"sum",
                             [&] {
                               x.sum({0, -1});
                             }},
                            {"flip",
                             [&] {
                               flip(x, {0, -1});
                             }}},
                           "each dimension once");
  expect_named<ShapeError>({{"index_select", [&] { index_select(x, 0, zeros({2}, i64)); }}}, "an index of one element");
}

TEST(Limits, OnlyKlDivIsReducedByTheBatch) {
  const Tensor x = full({2, 2}, 0.5), label = zeros({2}, i64);
  const Reduction batch = Reduction::batchmean;
  expect_named<ValueError>({{"mse_loss", [&] { mse_loss(x, x, batch); }},
                            {"l1_loss", [&] { l1_loss(x, x, batch); }},
                            {"huber_loss", [&] { huber_loss(x, x, 1, batch); }},
                            {"smooth_l1_loss", [&] { smooth_l1_loss(x, x, 1, batch); }},
                            {"smooth_l1_loss", [&] { smooth_l1_loss(x, x, 0, batch); }},
                            {"bce", [&] { bce(x, x, {.reduction = batch}); }},
                            {"bce_with_logits", [&] { bce_with_logits(x, x, {.reduction = batch}); }},
                            {"cross_entropy", [&] { cross_entropy(x, x, {.reduction = batch}); }},
                            {"cross_entropy", [&] { cross_entropy(x, label, {.reduction = batch}); }},
                            {"nll_loss", [&] { nll_loss(x, label, {.reduction = batch}); }}},
                           "mean, sum or none as reduction, got batchmean");
  // 0.25 log(0.25 / 0.5) + 0.75 log(0.75 / 0.5), a row
  const Tensor target = tensor({{0.25, 0.75}, {0.25, 0.75}}, f64);
  EXPECT_NEAR(kl_div(log(x.to(f64)), target, {.reduction = batch}).item<double>(), 0.13081203594113694, 1e-15);
}

// Computed in f32 and rounded once, as PyTorch does.
TEST(HalfTypes, NumbersKeepTheirDigits) {
  const auto f16_of = [](double x) { return full({}, x, f16); };
  const auto value = [](const Tensor& x) { return x.item<double>(); };
  const Tensor small = f16_of(0.01), large = f16_of(60000), thousand = f16_of(1000), three = full({}, 3, bf16);
  EXPECT_EQ((small * 1e6).dtype(), f16);
  EXPECT_EQ(value(small * 1e6), 10000);
  EXPECT_EQ(value(1e6 * small), 10000);
  EXPECT_NEAR(value(large * 1e-6), 0.06, 3e-5);
  EXPECT_NEAR(value(thousand / 131072), 1000 / 131072.0, 4e-6);
  EXPECT_EQ(value(1e5 / thousand), 100);
  EXPECT_EQ(value(large - 70000), -10000 - (60000 - value(large)));
  EXPECT_EQ(value(three * 1.003), value((three.to(f32) * 1.003).to(bf16)));
  EXPECT_NE(value(three * 1.003), 3);
  EXPECT_EQ(value(remainder(large, 1e5)), value(large));
  EXPECT_EQ(value(pow(f16_of(256), 1.1)), value(pow(f16_of(256).to(f32), 1.1).to(f16)));
  EXPECT_NEAR(value(leaky_relu(-large, 1e-6)), -0.06, 3e-5);
  EXPECT_EQ(value(addcmul(zeros({}, f16), small, ones({}, f16), 1e6)), 10000);
  EXPECT_EQ(value(small.clone().mul_(1e6)), 10000);
  EXPECT_NEAR(value(thousand.clone().div_(131072)), 1000 / 131072.0, 4e-6);
  EXPECT_EQ(value(large.clone().add_(-70000)), -10000);
  EXPECT_EQ(value(large.clone().sub_(70000)), -10000);
  EXPECT_THROW(zeros({1}, f16).expand({3}).mul_(0.1), ValueError);
  EXPECT_THROW(zeros({1}, f16).requires_grad_().mul_(0.1), StateError);
  const Tensor x = full({}, 0.01, f16).requires_grad_();
  (x * 1e6).backward({.gradient = small});
  EXPECT_EQ(x.grad().dtype(), f16);
  EXPECT_EQ(value(x.grad()), 10000);
}

TEST(Copies, AreNobodyElsesMemory) {
  const Tensor x = tensor({2, 3}, f64), one = tensor({4}, f64);
  const std::vector<std::function<Tensor()>> copies{
      [&] { return repeat(x, {1}); },
      [&] {
        return repeat(x, {1, 1});
      },
      [&] { return repeat(one, {3}); },
      [&] {
        return tile(x, {1, 1});
      },
      [&] { return repeat_interleave(x, 1, 0); },
      [&] { return repeat_interleave(one, 3, 0); },
      [&] { return prod(one, {0}); },
      [&] { return cumprod(one, 0); },
  };
  for (std::size_t i = 0; i < copies.size(); ++i) {
    SCOPED_TRACE(i);
    Tensor copy = copies[i]();
    copy.add_(arange(copy.numel(), f64).reshape(copy.shape()) + 1);
    EXPECT_EQ(x.to_vector<double>(), (Doubles{2, 3}));
    EXPECT_EQ(one.item<double>(), 4);
  }
}

TEST(InPlace, NoGradientIsLostInSilence) {
  const Tensor w = ones({2}).requires_grad_();
  Tensor sum = zeros({2});
  EXPECT_THROW(sum.add_(w * 2), StateError);
  EXPECT_THROW(sum.sub_(w), StateError);
  EXPECT_THROW(sum.mul_(w), StateError);
  EXPECT_THROW(sum.copy_(w), StateError);
  EXPECT_THROW(sum.index_put_({0}, w[0]), StateError);
  EXPECT_EQ(sum.to_vector<float>(), (std::vector<float>{0, 0}));
  const NoGrad guard;
  sum.add_(w * 2);
  EXPECT_EQ(sum.to_vector<float>(), (std::vector<float>{2, 2}));
}

// The derivatives of x to a power at 0.
TEST(Derivatives, OfPowersAtZeroAreFinite) {
  for (int power = 0; power <= 3; ++power) {
    const Tensor x = zeros({1}, f64).requires_grad_();
    Tensor y = pow(x, power);
    double expected = power == 0 ? 1 : 0, factorial = 1;
    for (int order = 0; order <= 4; ++order) {
      SCOPED_TRACE(std::to_string(power) + ", derivative " + std::to_string(order));
      EXPECT_EQ(y.item<double>(), order == power ? factorial : order == 0 ? expected : 0);
      if (!y.requires_grad()) break;
      y = grad(y.sum(), {x}, {.create_graph = true})[0];
      factorial *= order + 1;
    }
  }
}

Doubles gradient_of(const std::function<Tensor(const Tensor&)>& f, const Doubles& at) {
  const Tensor x = from_vector(at).requires_grad_();
  return grad(f(x).sum(), {x})[0].to_vector<double>();
}

void expect_equal(const Doubles& got, const Doubles& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(got[i])) << i;
    } else {
      EXPECT_EQ(got[i], expected[i]) << i;
    }
  }
}

// As PyTorch has them.
TEST(Derivatives, AtInfinitiesAndNans) {
  const double infinity = HUGE_VAL, nan = std::nan("");
  const auto huber = [](const Tensor& x) { return huber_loss(x, zeros_like(x), 1, Reduction::none); };
  expect_equal(gradient_of(huber, {infinity, -infinity, nan, 0.5}), {1, -1, nan, 0.5});
  const auto smooth = [](const Tensor& x) { return smooth_l1_loss(x, zeros_like(x), 1, Reduction::none); };
  expect_equal(gradient_of(smooth, {infinity, -infinity, nan, 0.5}), {1, -1, nan, 0.5});
  const Tensor other = from_vector(Doubles{1, nan, 1, nan, 2});
  const auto larger = [&](const Tensor& x) { return maximum(x, other); };
  expect_equal(gradient_of(larger, {nan, 1, 2, nan, 2}), {1, 1, 1, 1, 0.5});
  const auto smaller = [&](const Tensor& x) { return minimum(other, x); };
  expect_equal(gradient_of(smaller, {nan, 1, 2, nan, 2}), {1, 1, 0, 1, 0.5});
  expect_equal(gradient_of([](const Tensor& x) { return x.max(); }, {1, nan, 3, nan}), {0, 0.5, 0, 0.5});
  expect_equal(gradient_of([](const Tensor& x) { return x.min(); }, {1, 3, 1}), {0.5, 0, 0.5});
  expect_equal(gradient_of([](const Tensor& x) { return clamp(x, -1, 1); }, {-1, 1, 0, 2}), {0, 0, 1, 0});
}

TEST(Derivatives, OfAPowerOfZeroByItsExponent) {
  const auto f = [](const Tensor& b) { return pow(zeros_like(b), b); };
  expect_equal(gradient_of(f, {0, 0.5, 2, -1, -0.5}), {0, 0, 0, -HUGE_VAL, -HUGE_VAL});
}

// The quotient is whole but for rounding: a is the number below, at or above a multiple of b.
TEST(Derivatives, OfFmodBesideMultiples) {
  for (int i = 1; i < 500; ++i) {
    const double b = 0.1 * i + 0.037;
    for (const double a : {std::nextafter(3 * b, 0.0), 3 * b, -3 * b, std::nextafter(3 * b, 1e9)}) {
      const auto f = [&](const Tensor& x) { return fmod(full({1}, a, f64), x); };
      ASSERT_EQ(gradient_of(f, {b})[0], -std::round((a - std::fmod(a, b)) / b)) << a << " and " << b;
    }
  }
}

TEST(Derivatives, OfXlogyWhereALogarithmIsMultipliedByZero) {
  const Tensor zero = zeros({2}, f64).requires_grad_(), b = tensor({2, 0.5}, f64).requires_grad_();
  const auto f = [](const std::vector<Tensor>& in) { return xlogy(in[0], in[1]); };
  EXPECT_TRUE(gradcheck(f, {zero, b})) << gradcheck(f, {zero, b}).message;
  EXPECT_TRUE(gradgradcheck(f, {zero, b})) << gradgradcheck(f, {zero, b}).message;
  // Where there is no logarithm the product is 0 all along b.
  const Tensor none = tensor({0, -1}, f64).requires_grad_();
  const auto gradients = grad(xlogy(zero, none).sum(), {zero, none}, {.create_graph = true});
  for (const Tensor& g : gradients) EXPECT_EQ(g.to_vector<double>(), (Doubles{0, 0}));
  const auto second = grad(gradients[0].sum() + gradients[1].sum(), {zero, none}, {.allow_unused = true});
  for (const Tensor& g : second) {
    EXPECT_EQ(g.defined() ? g.to_vector<double>() : Doubles(2), Doubles(2));
  }
  const Tensor target = tensor({{0.0, 1.0}}, f64).requires_grad_();
  kl_div(tensor({{-3.0, -0.1}}, f64), target).backward();
  for (const double g : target.grad().to_vector<double>()) EXPECT_TRUE(std::isfinite(g));
}

TEST(Variance, OfTooFewTerms) {
  const Tensor x = tensor({1, 3}, f64), equal = tensor({3, 3}, f64);
  for (const double correction : {2.0, 3.0}) {
    EXPECT_EQ(var(x, {}, {.correction = correction}).item<double>(), HUGE_VAL);
    EXPECT_TRUE(std::isnan(var(equal, {}, {.correction = correction}).item<double>()));
  }
}

// Without overflow of a signed type, which a sanitizer would tell of.
template <class T>
void expect_wraps() {
  using Unsigned = std::make_unsigned_t<T>;
  constexpr T low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
  const std::vector<T> a{low, high, -1, high}, b{-1, 1, low, high};
  const Tensor x = from_vector(a), y = from_vector(b);
  const auto expect = [&](const char* what, const Tensor& got, auto of) {
    SCOPED_TRACE(what);
    std::vector<T> expected;
    for (std::size_t i = 0; i < a.size(); ++i) {
      expected.push_back(static_cast<T>(of(static_cast<Unsigned>(a[i]), static_cast<Unsigned>(b[i]))));
    }
    EXPECT_EQ(got.to_vector<T>(), expected);
  };
  const auto written = [&](auto write) {
    Tensor to = x.clone();
    write(to);
    return to;
  };
  const auto sum = [](Unsigned p, Unsigned q) { return p + q; };
  const auto product = [](Unsigned p, Unsigned q) { return p * q; };
  expect("add", x + y, sum);
  expect("sub", x - y, [](Unsigned p, Unsigned q) { return p - q; });
  expect("mul", x * y, product);
  expect("neg", -x, [](Unsigned p, Unsigned) { return -p; });
  expect("abs", abs(x), [](Unsigned p, Unsigned) { return static_cast<T>(p) < 0 ? -p : p; });
  expect("square", square(x), [](Unsigned p, Unsigned) { return p * p; });
  expect("addcmul", addcmul(x, y, y), [](Unsigned p, Unsigned q) { return p + q * q; });
  expect("maximum", maximum(x, y),
         [](Unsigned p, Unsigned q) { return std::max(static_cast<T>(p), static_cast<T>(q)); });
  expect("minimum", minimum(x, y),
         [](Unsigned p, Unsigned q) { return std::min(static_cast<T>(p), static_cast<T>(q)); });
  expect("add_", written([&](Tensor& to) { to.add_(y); }), sum);
  expect("add_ by 3", written([&](Tensor& to) { to.add_(y, 3); }), [](Unsigned p, Unsigned q) { return p + 3 * q; });
  expect("mul_", written([&](Tensor& to) { to.mul_(y); }), product);
  const Tensor places = tensor({0, 1, 2, 3}, i64);
  expect("index_add", index_add(x, 0, places, y), sum);
  expect("scatter_add", scatter_add(x, 0, places, y), sum);
}

TEST(Limits, NothingIsRepeatedAnyNumberOfTimes) {
  const Tensor none = zeros({0, 3});
  EXPECT_EQ(repeat(none, {INT64_MAX, 2}).shape(), Shape({0, 6}));
  EXPECT_EQ(repeat_interleave(none, INT64_MAX, 0).shape(), Shape({0, 3}));
  EXPECT_THROW(repeat(none, {1, INT64_MAX}), ValueError);
}

TEST(Limits, IntegersWrap) {
  expect_wraps<std::int64_t>();
  expect_wraps<std::int32_t>();
  const Tensor x = tensor({std::numeric_limits<std::int64_t>::max(), std::int64_t{3}}, i64);
  EXPECT_EQ(x.sum().item<std::int64_t>(), std::numeric_limits<std::int64_t>::min() + 2);
  EXPECT_EQ(x.prod().item<std::int64_t>(), std::numeric_limits<std::int64_t>::max() - 2);
  EXPECT_EQ(cumprod(x, 0)[1].item<std::int64_t>(), std::numeric_limits<std::int64_t>::max() - 2);
  EXPECT_EQ(cumsum(x, 0)[1].item<std::int64_t>(), std::numeric_limits<std::int64_t>::min() + 2);
}

}  // namespace
}  // namespace tern
