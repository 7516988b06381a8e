#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "tern/autograd/autograd.h"
#include "tern/autograd/gradcheck.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/ops/binary.h"
#include "tern/ops/compare.h"
#include "tern/ops/dropout.h"
#include "tern/ops/index.h"
#include "tern/ops/loss.h"
#include "tern/ops/matmul.h"
#include "tern/ops/reduce.h"
#include "tern/ops/shape.h"
#include "tern/ops/softmax.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using Floats = std::vector<float>;
using Tensors = std::vector<Tensor>;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Tensor draw(const Shape& shape, double low = -1.5, double high = 1.5) {
  return uniform(shape, low, high, f64).requires_grad_();
}

void both_orders(const char* what, const TensorFunction& f, const Tensors& inputs, double tolerance = 1e-6) {
  const auto first = gradcheck(f, inputs, {.tolerance = tolerance});
  EXPECT_TRUE(first) << what << ": " << first.message;
  const auto second = gradgradcheck(f, inputs, {.tolerance = tolerance});
  EXPECT_TRUE(second) << what << ", second order: " << second.message;
}

TEST(Ops, UnaryDerivatives) {
  manual_seed(1);
  const std::map<std::string, Tensor (*)(const Tensor&)> any{
      {"neg", neg},   {"abs", abs},           {"exp", exp},   {"square", square}, {"tanh", tanh}, {"sigmoid", sigmoid},
      {"relu", relu}, {"softplus", softplus}, {"gelu", gelu}, {"silu", silu},     {"erf", erf},   {"sign", sign}};
  for (const auto& [name, f] : any) {
    both_orders(name.c_str(), [f = f](const Tensors& in) { return f(in[0]); }, {draw({3, 4})});
    both_orders((name + " strided").c_str(), [f = f](const Tensors& in) { return f(in[0].t()); }, {draw({3, 4})});
  }
  const std::map<std::string, Tensor (*)(const Tensor&)> positive{
      {"log", log}, {"log1p", log1p}, {"sqrt", sqrt}, {"reciprocal", reciprocal}};
  for (const auto& [name, f] : positive) {
    both_orders(name.c_str(), [f = f](const Tensors& in) { return f(in[0]); }, {draw({5}, 0.5, 2)});
  }
}

TEST(Ops, UnaryValuesAtTheEdges) {
  EXPECT_EQ(relu(tensor({-1, 0, 2})).to_vector<float>(), (Floats{0, 0, 2}));
  EXPECT_TRUE(std::isnan(relu(tensor({kNan})).item<float>()));
  EXPECT_EQ(sigmoid(tensor({-1000, 0, 1000})).to_vector<float>(), (Floats{0, 0.5, 1}));
  EXPECT_EQ(softplus(tensor({-1000, 1000})).to_vector<float>(), (Floats{0, 1000}));
  EXPECT_EQ(sign(tensor({-3, 0, 4}, i64)).to_vector<std::int64_t>(), (std::vector<std::int64_t>{-1, 0, 1}));
  EXPECT_EQ(exp(zeros({2}, i64)).dtype(), f32);
  EXPECT_EQ(isnan(tensor({1, kNan})).to_vector<bool>(), (std::vector<bool>{false, true}));
  EXPECT_EQ(exp(zeros({0, 3})).shape(), (Shape{0, 3}));
}

TEST(Ops, BinaryDerivativesWithBroadcasting) {
  manual_seed(2);
  const auto positive = [](const Shape& shape) { return draw(shape, 0.5, 2); };
  const std::map<std::string, Tensor (*)(const Tensor&, const Tensor&)> all{
      {"add", add}, {"sub", sub}, {"mul", mul}, {"div", div}, {"pow", pow}, {"maximum", maximum}, {"minimum", minimum}};
  for (const auto& [name, f] : all) {
    const TensorFunction g = [f = f](const Tensors& in) { return f(in[0], in[1]); };
    both_orders(name.c_str(), g, {positive({2, 3}), positive({2, 3})});
    both_orders(name.c_str(), g, {positive({2, 1, 3}), positive({4, 1})});
    both_orders(name.c_str(), g, {positive({}), positive({2})});
    both_orders((name + " strided").c_str(), [f = f](const Tensors& in) { return f(in[0].t(), in[1]); },
                {positive({2, 3}), positive({3, 2})});
  }
  both_orders("scalars", [](const Tensors& in) { return 2 - 3 / in[0] * 0.5 + pow(in[0], 3) - pow(2, in[0]); },
              {positive({4})});
}

TEST(Ops, BinaryValuesTypesAndErrors) {
  EXPECT_EQ((tensor({1, 2}) + tensor({10, 20}).unsqueeze(1)).to_vector<float>(), (Floats{11, 12, 21, 22}));
  EXPECT_EQ((1 - tensor({1, 2})).to_vector<float>(), (Floats{0, -1}));
  EXPECT_EQ((tensor({1, 2}, i64) + 1).dtype(), i64);
  EXPECT_EQ((tensor({1, 2}, i64) * 0.5).dtype(), f32);
  EXPECT_EQ((tensor({1, 2}, i64) / tensor({2, 2}, i64)).to_vector<float>(), (Floats{0.5, 1}));
  EXPECT_EQ((tensor({1}) + tensor({1}, f64)).dtype(), f64);
  EXPECT_EQ((tensor({1}, i64) + tensor({1})).dtype(), f32);
  EXPECT_EQ((tensor({1}, u8) + tensor({1}, i64)).dtype(), i64);
  EXPECT_EQ((tensor({1}, boolean) + tensor({1}, boolean)).to_vector<std::int64_t>(), (std::vector<std::int64_t>{2}));
  EXPECT_EQ((tensor({1, 5}) > 2).to_vector<bool>(), (std::vector<bool>{false, true}));
  EXPECT_EQ((2 > tensor({1, 5})).to_vector<bool>(), (std::vector<bool>{true, false}));
  EXPECT_EQ((tensor({1, 2}) == tensor({1, 3})).to_vector<bool>(), (std::vector<bool>{true, false}));
  EXPECT_EQ((tensor({1, 2}) != 1).to_vector<bool>(), (std::vector<bool>{false, true}));
  EXPECT_TRUE(std::isnan(maximum(tensor({kNan}), 1).item<float>()));
  EXPECT_TRUE(std::isnan(minimum(tensor({1}), kNan).item<float>()));
  EXPECT_EQ((zeros({0, 3}) + zeros({1, 3})).shape(), (Shape{0, 3}));
  EXPECT_THROW(tensor({1, 2}) + tensor({1, 2, 3}), ShapeError);
  EXPECT_EQ(clamp(tensor({-5, 0.5, 5}), 0, 1).to_vector<float>(), (Floats{0, 0.5, 1}));
  for (const DType dtype : {i64, i32, u8}) {
    const Tensor whole = clamp(tensor({1, 3, 9}).to(dtype), 2, 5);
    EXPECT_EQ(whole.dtype(), dtype);
    EXPECT_EQ(whole.to(f32).to_vector<float>(), (Floats{2, 3, 5}));
  }
  EXPECT_THROW(clamp(zeros({1}), 1, 0), ValueError);
  EXPECT_THROW(where(zeros({1}), zeros({1}), zeros({1})), DTypeError);
  Tensor zero = zeros({1}, f64).requires_grad_();
  pow(zero, 0).backward();
  EXPECT_EQ(zero.grad().item<double>(), 0);
}

TEST(Ops, WhereAndClampDerivatives) {
  manual_seed(3);
  const Tensor mask = rand({2, 3}) > 0.5;
  both_orders("where", [&](const Tensors& in) { return where(mask, in[0], in[1]); }, {draw({2, 3}), draw({3})});
  both_orders("clamp", [](const Tensors& in) { return clamp(in[0], -0.5, 0.75); }, {draw({9})});
  Tensor tie = full({1}, 2, f64).requires_grad_();
  maximum(tie, 2).backward();
  EXPECT_EQ(tie.grad().item<double>(), 0.5);
}

TEST(Ops, ReductionDerivatives) {
  manual_seed(4);
  for (const Dims& dims : {Dims{}, Dims{0}, Dims{-1}, Dims{0, 2}}) {
    for (bool keep : {false, true}) {
      both_orders("sum", [&](const Tensors& in) { return square(sum(in[0], dims, keep)); }, {draw({2, 3, 2})});
      both_orders("mean", [&](const Tensors& in) { return square(mean(in[0], dims, keep)); }, {draw({2, 3, 2})});
      both_orders("max", [&](const Tensors& in) { return square(max(in[0], dims, keep)); }, {draw({2, 3, 2})});
      both_orders("min", [&](const Tensors& in) { return square(min(in[0], dims, keep)); }, {draw({2, 3, 2})});
      both_orders("logsumexp", [&](const Tensors& in) { return logsumexp(in[0], dims, keep); }, {draw({2, 3, 2})});
    }
  }
  both_orders("sum_to", [](const Tensors& in) { return square(sum_to(in[0], {3, 1})); }, {draw({2, 3, 2})});
  both_orders("strided",
              [](const Tensors& in) {
                return square(sum(in[0].permute({2, 0, 1}), {1}));
              },
              {draw({2, 3, 2})});
}

TEST(Ops, ReductionValues) {
  const Tensor x = tensor({{1, 5, 2}, {7, 0, 7}});
  EXPECT_EQ(x.sum(0).to_vector<float>(), (Floats{8, 5, 9}));
  EXPECT_EQ(x.mean(1, true).shape(), (Shape{2, 1}));
  EXPECT_EQ(x.max().item<float>(), 7);
  EXPECT_EQ(x.min(1).to_vector<float>(), (Floats{1, 0}));
  EXPECT_EQ(x.argmax(1).to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(x.argmax().item<int>(), 3);
  EXPECT_EQ((x > 1).sum().item<std::int64_t>(), 4);
  EXPECT_TRUE(std::isnan(tensor({1, kNan, 3}).max().item<float>()));
  EXPECT_EQ(tensor({1, kNan, 3}).argmax().item<int>(), 1);
  EXPECT_EQ(zeros({0, 2}).sum(0).to_vector<float>(), (Floats{0, 0}));
  EXPECT_EQ(zeros({2, 0}).sum(0).shape(), (Shape{0}));
  EXPECT_TRUE(std::isnan(zeros({0}).mean().item<float>()));
  EXPECT_THROW(zeros({0}).max(), ShapeError);
  EXPECT_THROW(x.sum(2), IndexError);
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(logsumexp(tensor({-infinity, -infinity})).item<float>(), -infinity);
  EXPECT_EQ(logsumexp(tensor({1000, 1000})).item<float>(), 1000 + std::log(2.0f));
  EXPECT_EQ(full({1 << 24}, 0.1).sum().item<float>(), static_cast<float>((1 << 24) * static_cast<double>(0.1f)));
}

TEST(Ops, ProductsHaveExactDerivativesOfEveryOrderAtZero) {
  const Tensor zeros_here = tensor({{2, 0, -1}, {0, 3, 0}, {0, 0, 0}, {1, 2, 4}}, f64).requires_grad_();
  both_orders("prod", [](const Tensors& in) { return prod(in[0], {1}); }, {zeros_here});
  both_orders("prod of all", [](const Tensors& in) { return prod(in[0].slice(0, 0, 2)); }, {zeros_here});
  both_orders("cumprod", [](const Tensors& in) { return cumprod(in[0], 1); }, {zeros_here});
}

TEST(Ops, RootsOfReductionsHaveADerivativeOfZeroAtZero) {
  const Tensor same = full({3}, 2.0, f64).requires_grad_(), none = zeros({3}, f64).requires_grad_();
  const std::vector<double> flat{0, 0, 0};
  EXPECT_EQ(grad(tern::std(same), {same})[0].to_vector<double>(), flat);
  for (double p : {0.5, 1.0, 1.5, 2.0, 3.0}) {
    const auto slope = grad(norm(none, {}, {.p = p}), {none}, {.create_graph = true})[0];
    EXPECT_EQ(slope.to_vector<double>(), flat) << p;
    for (double x : grad(slope.sum(), {none}, {.allow_unused = true}).front().to_vector<double>()) {
      EXPECT_FALSE(std::isnan(x)) << p;
    }
  }
  EXPECT_TRUE(std::isnan(tern::std(tensor({1, kNan})).item<float>()));
  EXPECT_TRUE(std::isnan(norm(tensor({1, kNan})).item<float>()));
}

TEST(Ops, WholeDivisionRoundsDownAndNeverTraps) {
  const std::int64_t least = std::numeric_limits<std::int64_t>::min();
  const Tensor x = tensor({least, std::int64_t{7}, std::int64_t{-7}}, i64);
  EXPECT_EQ(floor_divide(x, -1)[0].item<std::int64_t>(), least);
  EXPECT_EQ(remainder(x, -1).to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 0, 0}));
  EXPECT_EQ(fmod(x, -1).to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 0, 0}));
  EXPECT_EQ(remainder(x, -4)[1].item<std::int64_t>(), -1);
  EXPECT_EQ(fmod(x, -4)[2].item<std::int64_t>(), -3);
  EXPECT_EQ(floor_divide(tensor({250}, u8), tensor({7}, u8)).item<std::int64_t>(), 35);
  EXPECT_THROW(remainder(x, 0), ValueError);
  EXPECT_EQ(floor_divide(tensor({1.0}), 0).item<float>(), std::numeric_limits<float>::infinity());
}

TEST(Ops, OperatorsInPlaceAndOnBooleans) {
  Tensor x = tensor({1, 2, 3});
  x += 1;
  x *= tensor({2, 2, 0.5});
  x -= tensor({1, 1, 1});
  x /= 2;
  EXPECT_EQ(x.to_vector<float>(), (Floats{1.5, 2.5, 0.5}));
  EXPECT_EQ(((x > 1) & !(x > 2)).to_vector<bool>(), (std::vector<bool>{true, false, false}));
  EXPECT_EQ((~(x > 1) | ((x > 2) ^ (x > 3))).to_vector<bool>(), (std::vector<bool>{false, true, true}));
  EXPECT_EQ((tensor({6}, i64) ^ 3).item<std::int64_t>(), 5);
  EXPECT_THROW(x & x, DTypeError);
}

TEST(Ops, ASumHasTheSameBitsWhateverTheLayout) {
  manual_seed(5);
  const Tensor x = randn({5003, 37});
  const auto columns = x.sum(0).to_vector<float>();
  const Tensor turned = x.t().contiguous();
  EXPECT_EQ(turned.sum(1).to_vector<float>(), columns);
  for (int c : {0, 36}) EXPECT_EQ(x.select(1, c).sum().item<float>(), columns[static_cast<std::size_t>(c)]);
  EXPECT_EQ(x.select(1, 7).contiguous().sum().item<float>(), columns[7]);
}

TEST(Ops, MatmulAndLinearDerivatives) {
  manual_seed(6);
  both_orders("matmul", [](const Tensors& in) { return matmul(in[0], in[1]); }, {draw({3, 4}), draw({4, 2})});
  both_orders("matmul of transposes", [](const Tensors& in) { return matmul(in[0].t(), in[1].t()); },
              {draw({4, 3}), draw({2, 4})});
  for (Activation activation : {Activation::none, Activation::relu, Activation::tanh, Activation::sigmoid}) {
    both_orders("linear", [&](const Tensors& in) { return linear(in[0], in[1], in[2], activation); },
                {draw({3, 4}), draw({2, 4}), draw({2})});
  }
  both_orders("linear on three dimensions", [](const Tensors& in) { return linear(in[0], in[1]); },
              {draw({2, 3, 4}), draw({2, 4})});
}

Tensor naive_product(const Tensor& a, const Tensor& b) {
  Tensor out = zeros({a.size(0), b.size(1)}, f64);
  const Tensor x = a.to(f64).contiguous(), y = b.to(f64).contiguous();
  auto o = out.mutable_span<double>();
  const auto p = x.span<double>(), q = y.span<double>();
  const auto k = static_cast<std::size_t>(a.size(1)), n = static_cast<std::size_t>(b.size(1));
  for (std::size_t i = 0; i < o.size(); ++i) {
    for (std::size_t l = 0; l < k; ++l) o[i] += p[i / n * k + l] * q[l * n + i % n];
  }
  return out;
}

TEST(Ops, MatmulValues) {
  manual_seed(7);
  for (const auto& [m, k, n] : {std::tuple{1, 1, 1}, {5, 3, 7}, {4, 8, 8}, {67, 130, 71}, {1, 300, 129}, {130, 1, 9}}) {
    for (DType dtype : {f32, f64}) {
      const Tensor a = randn({m, k}, dtype), b = randn({k, n}, dtype);
      const Tensor exact = naive_product(a, b);
      const double tolerance = dtype == f32 ? 1e-4 : 1e-12;
      EXPECT_LT(abs(matmul(a, b).to(f64) - exact).max().item<double>(), tolerance);
      EXPECT_LT(abs(matmul(a.t().contiguous().t(), b.t().contiguous().t()).to(f64) - exact).max().item<double>(),
                tolerance);
    }
  }
  EXPECT_EQ(matmul(zeros({2, 0}), zeros({0, 3})).to_vector<float>(), Floats(6, 0));
  EXPECT_EQ(matmul(zeros({0, 2}), zeros({2, 3})).shape(), (Shape{0, 3}));
  EXPECT_THROW(matmul(zeros({2, 3}), zeros({2, 3})), ShapeError);
  EXPECT_THROW(matmul(zeros({2, 3}), zeros({3, 2}, f64)), DTypeError);
  EXPECT_THROW(linear(zeros({2, 3}), zeros({4, 3}), zeros({3})), ShapeError);
}

TEST(Ops, ARowAloneHasTheBitsOfItsBatch) {
  manual_seed(8);
  for (const auto& [n, in, out] : {std::tuple{133, 61, 67}, {9, 300, 1}, {70, 8, 8}}) {
    const Tensor x = randn({n, in}), w = randn({out, in}), b = randn({out});
    const Tensor batch = linear(x, w, b, Activation::tanh);
    for (int row : {0, n / 2, n - 1}) {
      EXPECT_EQ(linear(x.slice(0, row, row + 1), w, b, Activation::tanh).to_vector<float>(),
                batch[row].to_vector<float>());
    }
  }
}

TEST(Ops, ThreadCountChangesNoBits) {
  const auto run = [](int threads) {
    set_num_threads(threads);
    manual_seed(9);
    const Tensor x = randn({300, 200});
    Tensor w = (randn({150, 200}) * 0.1).requires_grad_(), b = zeros({150}).requires_grad_();
    Tensor head = (randn({10, 150}) * 0.1).requires_grad_();
    const Tensor target = (rand({300}) * 10).to(i64);
    Tensor hidden = dropout(linear(x, w, b, Activation::relu), 0.3);
    const Tensor loss = cross_entropy(linear(hidden, head), target) + 1e-3 * square(w).sum() + softmax(hidden).max();
    loss.backward();
    std::vector<float> bits = w.grad().to_vector<float>();
    for (const Tensor& t :
         {b.grad(), head.grad(), loss.detach().reshape({1}), exp(randn({70000})).sum().reshape({1})}) {
      const auto more = t.to_vector<float>();
      bits.insert(bits.end(), more.begin(), more.end());
    }
    set_num_threads(0);
    return bits;
  };
  const auto one = run(1);
  EXPECT_EQ(run(2), one);
  EXPECT_EQ(run(5), one);
}

// Sizes that the threads cut in every way: strips of columns, a transposed operand packed by all of them, rows,
// products.
TEST(Ops, ProductsHaveTheirBitsAtAnyThreadCount) {
  const auto run = [](int threads) {
    set_num_threads(threads);
    manual_seed(10);
    const Tensor a = randn({330, 270}), wide = randn({270, 1030}), narrow = randn({270, 50});
    const Tensor b = randn({3, 150, 170}), c = randn({3, 170, 130}), doubles = randn({270, 1030}, f64);
    const Tensor products[] = {matmul(a, wide),        matmul(a, narrow), matmul(wide.t(), a.t()),
                               matmul(wide.t(), wide), matmul(b, c),      matmul(doubles.t(), doubles).to(f32)};
    std::vector<float> bits;
    for (const Tensor& product : products) {
      const auto more = product.to_vector<float>();
      bits.insert(bits.end(), more.begin(), more.end());
    }
    set_num_threads(0);
    return bits;
  };
  const auto one = run(1);
  EXPECT_EQ(run(2), one);
  EXPECT_EQ(run(5), one);
}

TEST(Ops, ShapeOpDerivatives) {
  manual_seed(10);
  both_orders("reshape", [](const Tensors& in) { return square(in[0].t().reshape({2, 6})); }, {draw({3, 4})});
  both_orders("permute", [](const Tensors& in) { return square(in[0].permute({2, 0, 1})); }, {draw({2, 3, 2})});
  both_orders("expand", [](const Tensors& in) { return square(in[0].expand({2, 3, 4})); }, {draw({3, 1})});
  both_orders("slice", [](const Tensors& in) { return square(in[0].slice(1, 1, 4, 2)); }, {draw({2, 5})});
  both_orders("select", [](const Tensors& in) { return square(in[0].select(1, -1)); }, {draw({2, 5})});
  both_orders("squeeze", [](const Tensors& in) { return square(in[0].unsqueeze(1).squeeze(1)); }, {draw({2, 2})});
  both_orders("clone", [](const Tensors& in) { return square(in[0].t().contiguous().clone()); }, {draw({2, 2})});
  both_orders("cat",
              [](const Tensors& in) {
                return square(cat({in[0], in[1], in[0]}, 1));
              },
              {draw({2, 3}), draw({2, 1})});
  both_orders("stack",
              [](const Tensors& in) {
                return square(stack({in[0], in[1]}, -1));
              },
              {draw({2, 3}), draw({2, 3})});
  const Tensor index = tensor({2, 0, 2}, i64);
  both_orders("index_select", [&](const Tensors& in) { return square(index_select(in[0], 1, index)); }, {draw({2, 3})});
  both_orders("index_add", [&](const Tensors& in) { return square(index_add(in[0], 0, index, in[1])); },
              {draw({3, 2}), draw({3, 2})});
  both_orders("slice_scatter", [](const Tensors& in) { return square(slice_scatter(in[0], in[1], 0, 1, 3)); },
              {draw({3, 2}), draw({2, 2})});
}

TEST(Ops, ShapeOpValuesAndErrors) {
  const Tensor x = arange(0, 6).reshape({2, 3});
  EXPECT_EQ(cat({x, x.slice(0, 0, 1)}).to_vector<float>(), (Floats{0, 1, 2, 3, 4, 5, 0, 1, 2}));
  EXPECT_EQ(cat({x, zeros({2, 0})}, 1).shape(), (Shape{2, 3}));
  EXPECT_EQ(cat({x.to(i64), x}).dtype(), f32);
  EXPECT_EQ(stack({x, x}, 1).shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(index_select(x, 1, tensor({2, 2}, i64)).to_vector<float>(), (Floats{2, 2, 5, 5}));
  EXPECT_EQ(index_add(zeros({3}), 0, tensor({1, 1}, i64), tensor({2, 3})).to_vector<float>(), (Floats{0, 5, 0}));
  EXPECT_THROW(cat({}), ValueError);
  EXPECT_THROW(cat({x, zeros({2, 2})}), ShapeError);
  EXPECT_THROW(index_select(x, 1, tensor({3}, i64)), IndexError);
  EXPECT_THROW(index_select(x, 1, tensor({1})), DTypeError);
}

TEST(Ops, ChunksOfNothingAreAsManyAsWereAskedFor) {
  const std::vector<Tensor> parts = chunk(zeros({2, 0}), 3, 1);
  ASSERT_EQ(parts.size(), 3u);
  for (const Tensor& part : parts) EXPECT_EQ(part.shape(), (Shape{2, 0}));
  Tensor first = parts[0];
  first.requires_grad_();
  EXPECT_FALSE(parts[1].requires_grad());
}

TEST(Ops, SoftmaxDerivativesAndValues) {
  manual_seed(11);
  for (int dim : {0, 1, -1}) {
    both_orders("softmax", [&](const Tensors& in) { return square(softmax(in[0], dim)); }, {draw({2, 3, 2})});
    both_orders("log_softmax", [&](const Tensors& in) { return square(log_softmax(in[0], dim)); }, {draw({2, 3, 2})});
  }
  EXPECT_EQ(softmax(tensor({1000, 1000})).to_vector<float>(), (Floats{0.5, 0.5}));
  EXPECT_EQ(log_softmax(tensor({0, -1000})).to_vector<float>(), (Floats{0, -1000}));
  EXPECT_EQ(softmax(zeros({2, 0})).shape(), (Shape{2, 0}));
}

TEST(Ops, DropoutKeepsItsMask) {
  manual_seed(12);
  Tensor x = ones({10000}, f64).requires_grad_();
  const Tensor y = dropout(x, 0.25);
  y.sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), y.detach().to_vector<double>());
  EXPECT_NEAR(y.detach().mean().item<double>(), 1, 0.03);
  EXPECT_EQ(dropout(x, 1).detach().sum().item<double>(), 0);
  EXPECT_TRUE(dropout(x, 0).is_same(x));
  EXPECT_THROW(dropout(x, 1.5), ValueError);
  both_orders("dropout", [](const Tensors& in) { return square(dropout(in[0], 0.5)); }, {draw({8})});
}

TEST(Ops, LossDerivatives) {
  manual_seed(13);
  const Tensor target = rand({4, 2}, f64), labels = tensor({2, 0, 1, 2}, i64);
  for (Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
    both_orders("bce", [&](const Tensors& in) { return bce_with_logits(in[0], target, {.reduction = reduction}); },
                {draw({4, 2})});
    both_orders("mse", [&](const Tensors& in) { return mse_loss(in[0], in[1], reduction); },
                {draw({4, 2}), draw({4, 2})});
    both_orders("l1", [&](const Tensors& in) { return l1_loss(in[0], target + 3, reduction); }, {draw({4, 2})});
    both_orders("huber", [&](const Tensors& in) { return huber_loss(in[0], in[1], 0.7, reduction); },
                {draw({4, 2}), draw({4, 2})});
    for (double smoothing : {0.0, 0.2}) {
      const Tensor weight = tensor({0.5, 2, 1}, f64);
      both_orders("cross_entropy",
                  [&](const Tensors& in) {
                    return cross_entropy(in[0], labels, {.label_smoothing = smoothing, .reduction = reduction});
                  },
                  {draw({4, 3})});
      both_orders("cross_entropy, weighted",
                  [&](const Tensors& in) {
                    return cross_entropy(in[0], labels,
                                         {.weight = weight, .label_smoothing = smoothing, .reduction = reduction});
                  },
                  {draw({4, 3})});
    }
  }
  both_orders(
      "bce, weighted",
      [&](const Tensors& in) {
        return bce_with_logits(in[0], target, {.weight = tensor({1, 3}, f64), .pos_weight = tensor({2, 4}, f64)});
      },
      {draw({4, 2})});
}

TEST(Ops, LossValues) {
  const Tensor logits = tensor({{0, std::log(3)}}, f64);
  EXPECT_NEAR(cross_entropy(logits, tensor({1}, i64)).item<double>(), -std::log(0.75), 1e-12);
  EXPECT_NEAR(cross_entropy(logits, tensor({1}, i64), {.label_smoothing = 0.5}).item<double>(),
              -0.75 * std::log(0.75) - 0.25 * std::log(0.25), 1e-12);
  EXPECT_THROW(cross_entropy(logits, tensor({2}, i64)), IndexError);
  EXPECT_THROW(cross_entropy(logits, tensor({1})), DTypeError);
  EXPECT_NEAR(bce_with_logits(tensor({0}, f64), tensor({1}, f64)).item<double>(), std::log(2), 1e-12);
  EXPECT_NEAR(bce_with_logits(tensor({-800}, f64), tensor({1}, f64)).item<double>(), 800, 1e-9);
  EXPECT_NEAR(huber_loss(tensor({3}, f64), tensor({0}, f64), 1).item<double>(), 2.5, 1e-12);
  EXPECT_THROW(mse_loss(zeros({2}), zeros({2, 1})), ShapeError);
  const Tensor weight = ones({2}, f64).requires_grad_();
  EXPECT_THROW(cross_entropy(logits, tensor({1}, i64), {.weight = weight}), StateError);
  EXPECT_THROW(cross_entropy(logits, full({1, 2}, 0.5, f64), {.weight = weight}), StateError);
  EXPECT_THROW(nll_loss(logits, tensor({1}, i64), {.weight = weight}), StateError);
}

TEST(Ops, KlDivergenceIsNoneWhereTheTargetIsNone) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const bool log_target : {false, true}) {
    const Tensor input = tensor({-infinity, 0.0}, f64).requires_grad_();
    Tensor target = tensor({0.0, 1.0}, f64);
    if (log_target) target = log(target);
    const Tensor losses = kl_div(input, target, {.log_target = log_target, .reduction = Reduction::none});
    EXPECT_EQ(losses.to_vector<double>(), (std::vector<double>{0, 0}));
    losses.sum().backward();
    EXPECT_EQ(input.grad().to_vector<double>(), (std::vector<double>{0, -1}));
  }
}

TEST(Ops, HalfInPlaceIsComputedWithTheOperandAsItIs) {
  for (const DType wide : {f32, f64}) {
    EXPECT_EQ(tensor({1e-3}, f16).mul_(tensor({1e6}, wide)).item<float>(), 1000.5);
    EXPECT_EQ(tensor({60000}, f16).sub_(tensor({70000}, wide)).item<float>(), -10000);
    EXPECT_EQ(tensor({1000}, f16).div_(tensor({1e6}, wide)).item<float>(), tensor({1e-3}, f16).item<float>());
    EXPECT_EQ(tensor({1000}, f16).add_(tensor({1e6}, wide), 1e-3).item<float>(), 2000);
  }
  Tensor x = ones({2}, f16);
  EXPECT_THROW(x.mul_(ones({3})), ShapeError);
}

TEST(Ops, CopiesAreNoViews) {
  Tensor m = ones({2, 2}), n = tensor({1, 2}, i64);
  diag(m).fill_(0);
  EXPECT_EQ(m.sum().item<float>(), 4);
  for (const Tensor& whole : {floor(n), ceil(n), round(n), trunc(n)}) Tensor(whole).add_(1);
  EXPECT_EQ(n.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 2}));
}

TEST(Ops, AnInfinityOfARowIsNotTakenFromOthers) {
  const Tensor x = tensor({std::numeric_limits<double>::infinity(), 1000}, f64).requires_grad_();
  const Tensor y = logsumexp(x, {0});
  EXPECT_EQ(y.item<double>(), std::numeric_limits<double>::infinity());
  y.backward();
  EXPECT_EQ(x.grad()[1].item<double>(), 0);
}

TEST(Ops, NanToNumTakesTheEndsOfTheType) {
  for (const DType dtype : {f64, f32, f16, bf16}) {
    const double infinity = std::numeric_limits<double>::infinity();
    const Tensor x = nan_to_num(tensor({std::nan(""), infinity, -infinity, 3.0}, dtype));
    EXPECT_EQ(x.dtype(), dtype);
    EXPECT_EQ(x[0].item<double>(), 0);
    EXPECT_EQ(x[3].item<double>(), 3);
    const double most = x[1].item<double>();
    EXPECT_EQ(x[2].item<double>(), -most);
    EXPECT_TRUE(std::isfinite(most));
    EXPECT_TRUE(std::isinf(full({1}, most, dtype).mul_(1.01).item<double>()));
  }
}

TEST(Ops, SquaresAreExact) {
  const Tensor x = uniform({100}, -10, 10);
  EXPECT_EQ(pow(x, 2).to_vector<float>(), square(x).to_vector<float>());
  EXPECT_EQ(pow(tensor({3}, i64), 2).dtype(), f32);
}

}  // namespace
}  // namespace tern
