#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/ops/binary.h"
#include "tern/ops/embedding.h"
#include "tern/ops/index.h"
#include "tern/ops/norm.h"
#include "tern/ops/reduce.h"
#include "tern/ops/rows.h"
#include "tern/ops/sort.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using Floats = std::vector<float>;
using Integers = std::vector<std::int64_t>;

Tensor table() {
  Tensor weight = rand({6, 3});
  weight.requires_grad_();
  return weight;
}

TEST(RowGradient, HoldsTheRowsThatWereLookedUpWhoeverLooks) {
  const Tensor weight = table(), ids = tensor({4, 1, 4}, i64), scale = rand({3, 3});
  (embedding(weight, ids, {.sparse = true}) * scale).sum().backward();
  const RowGradient rows = row_gradient(weight);
  EXPECT_EQ(rows.index.to_vector<std::int64_t>(), (Integers{1, 4}));
  EXPECT_EQ(rows.values.shape(), (Shape{2, 3}));
  const Tensor dense = grad((embedding(weight, ids) * scale).sum(), {weight})[0];
  EXPECT_EQ(weight.grad().to_vector<float>(), dense.to_vector<float>());
  EXPECT_TRUE(row_gradient(weight).index.defined());
  EXPECT_THROW(weight.grad().zero_(), StateError);  // a copy, which would keep what was meant for the gradient
}

TEST(RowGradient, AddsUpOverPassesAndIsDroppedByClearGrad) {
  Tensor weight = table();
  for (std::int64_t id : {3, 0, 3}) embedding(weight, tensor({id}, i64), {.sparse = true}).sum().backward();
  const RowGradient rows = row_gradient(weight);
  EXPECT_EQ(rows.index.to_vector<std::int64_t>(), (Integers{0, 3}));
  EXPECT_EQ(rows.values.to_vector<float>(), (Floats{1, 1, 1, 2, 2, 2}));
  weight.clear_grad();
  EXPECT_FALSE(row_gradient(weight).index.defined());
  EXPECT_FALSE(weight.grad().defined());
}

TEST(RowGradient, MeetsADenseGradient) {
  for (bool rows_first : {true, false}) {
    const Tensor weight = table();
    const auto rows = [&] { embedding(weight, tensor({2}, i64), {.sparse = true}).sum().backward(); };
    if (rows_first) rows();
    weight.sum().backward();
    if (!rows_first) rows();
    EXPECT_FALSE(row_gradient(weight).index.defined());
    EXPECT_EQ(weight.grad()[2].to_vector<float>(), (Floats{2, 2, 2}));
    EXPECT_EQ(weight.grad()[3].to_vector<float>(), (Floats{1, 1, 1}));
  }
}

TEST(RowGradient, IsReplacedBySetGradAndGoesWithItsLeaf) {
  for (int i = 0; i < 3; ++i) {
    Tensor weight = table();
    embedding(weight, tensor({2}, i64), {.sparse = true}).sum().backward();
    if (i == 0) {
      weight.set_grad(zeros({6, 3}));
      EXPECT_EQ(weight.grad().sum().item<float>(), 0);
    }
    const Tensor other = table();  // may lie where the first one did
    EXPECT_FALSE(row_gradient(other).index.defined());
  }
}

TEST(RowGradient, IsDenseWhereAskedForOrWhereTheWeightIsNoLeaf) {
  const Tensor weight = table(), ids = tensor({1, 5}, i64);
  EXPECT_EQ(grad(embedding(weight, ids, {.sparse = true}).sum(), {weight})[0].shape(), weight.shape());
  embedding(weight, ids, {.sparse = true}).sum().backward({.create_graph = true});
  EXPECT_FALSE(row_gradient(weight).index.defined());
  const Tensor leaf = table();
  embedding(leaf * 2, ids, {.sparse = true}).sum().backward();
  EXPECT_FALSE(row_gradient(leaf).index.defined());
  EXPECT_EQ(leaf.grad()[5].to_vector<float>(), (Floats{2, 2, 2}));
}

TEST(RowGradient, TwoThreadsKeepRowsOfTheirOwn) {
  std::vector<std::thread> threads;
  for (std::int64_t id : {1, 4}) {
    threads.emplace_back([id] {
      for (int i = 0; i < 50; ++i) {
        const Tensor weight = table();
        embedding(weight, tensor({id}, i64), {.sparse = true}).sum().backward();
        EXPECT_EQ(row_gradient(weight).index.to_vector<std::int64_t>(), (Integers{id}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Written alone, so that a table of millions of rows is served by as many threads as it likes.
TEST(RepeatedIndices, GiveTheSameBitsAtAnyNumberOfThreads) {
  const Tensor ids = randint(0, 50, {4000}), values = randn({4000, 32}), flat = randn({4000});
  const Tensor across = randint(0, 7, {40, 900}), wide = randn({40, 900});
  const auto outcome = [&] {
    std::vector<std::vector<float>> out;
    for (const Tensor& x : {index_add(zeros({50, 32}), 0, ids, values), index_copy(zeros({50, 32}), 0, ids, values),
                            index_add(zeros({50}), 0, ids, flat), index_put(zeros({50, 32}), {ids, 3}, flat, true),
                            scatter_add(zeros({7, 900}), 0, across, wide), scatter(zeros({7, 900}), 0, across, wide)}) {
      out.push_back(x.to_vector<float>());
    }
    return out;
  };
  set_num_threads(1);
  const auto one = outcome();
  for (int threads : {2, 5}) {
    set_num_threads(threads);
    EXPECT_EQ(outcome(), one);
  }
  set_num_threads(0);
  std::vector<double> sums(50);
  for (std::int64_t i = 0; i < 4000; ++i) sums[ids[i].item<std::size_t>()] += flat[i].item<double>();
  for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_NEAR(one[2][i], sums[i], 1e-4);
}

TEST(Norm, OfRowsFarFromZeroKeepsItsDigits) {
  const Tensor near = randn({5, 300}), far = near + 4096;  // exact to 2^-11
  const Tensor exact = layer_norm(far.to(f64), {300});
  const Tensor error = layer_norm(far, {300}).to(f64) - exact;
  EXPECT_LT(max(error * error).item<double>(), 1e-12);
}

TEST(Norm, OfARowDoesNotDependOnItsBatch) {
  const Tensor x = randn({64, 257}), w = randn({257}), b = randn({257});
  const LayerNormOptions options{.weight = w, .bias = b};
  const Tensor all = layer_norm(x, {257}, options);
  for (std::int64_t i : {0, 31, 63}) {
    EXPECT_EQ(layer_norm(x.slice(0, i, i + 1), {257}, options).to_vector<float>(),
              all.slice(0, i, i + 1).to_vector<float>());
  }
}

TEST(Norm, TakesHalfTypesThroughF32) {
  const Tensor x = randn({3, 9}).to(f16);
  const Tensor got = layer_norm(x, {9}, {.weight = ones({9}, f16)});
  EXPECT_EQ(got.dtype(), f16);
  EXPECT_EQ(got.to(f32).to_vector<float>(), layer_norm(x.to(f32), {9}).to(f16).to(f32).to_vector<float>());
}

TEST(HalfTypes, AreMovedSortedAndAdded) {
  for (DType type : {f16, bf16}) {
    const Tensor x = tensor({3, -1, 2, -0.5}, type), ids = tensor({1, 1, 0}, i64);
    EXPECT_EQ(sort(x).values.to(f32).to_vector<float>(), (Floats{-1, -0.5, 2, 3}));
    EXPECT_EQ(argsort(x, -1, true).to_vector<std::int64_t>(), (Integers{0, 2, 3, 1}));
    EXPECT_EQ(index_select(x, 0, ids).to(f32).to_vector<float>(), (Floats{-1, -1, 3}));
    EXPECT_EQ(index_add(zeros({2}, type), 0, ids, x.slice(0, 0, 3)).to(f32).to_vector<float>(), (Floats{2, 2}));
    EXPECT_EQ(x[{tensor({true, false, false, true}, boolean)}].to(f32).to_vector<float>(), (Floats{3, -0.5}));
  }
}

TEST(Subscript, ViewsShareMemoryAndNegativeStepsSaySo) {
  const Tensor x = zeros({3, 4});
  Tensor part = x[{Slice{1}, Slice{.step = 2}}];
  part.fill_(1);
  EXPECT_EQ(x.sum().item<float>(), 4);
  try {
    x[Slice{.step = -1}];
    FAIL() << "expected an error";
  } catch (const ValueError& error) {
    EXPECT_NE(std::string(error.what()).find("flip"), std::string::npos) << error.what();
  }
  try {
    x[{0, tensor({1, 4}, i64)}];
    FAIL() << "expected an error";
  } catch (const IndexError& error) {
    EXPECT_STREQ(error.what(), "[index] expected indices in [-4, 4) of dimension 0, got 4 at position 1");
  }
}

// As users write them: a braced number too is a list of indices, and compiles without a warning.
TEST(Subscript, OfOneNumberInBraces) {
  const Tensor x = arange(12).reshape({3, 4});
  const std::vector<std::int64_t> row{4, 5, 6, 7};
  EXPECT_EQ(x[1].to_vector<std::int64_t>(), row);
  EXPECT_EQ(x[std::size_t{1}].to_vector<std::int64_t>(), row);
  EXPECT_EQ(x[-2].to_vector<std::int64_t>(), row);
  EXPECT_EQ(x[{1}].to_vector<std::int64_t>(), row);
  EXPECT_EQ(x[{-2}].to_vector<std::int64_t>(), row);
  EXPECT_EQ((x[{1, 2}].item<std::int64_t>()), 6);
  EXPECT_EQ(x[{0}][{0}].item<std::int64_t>(), 0);
  EXPECT_EQ((x[{Slice{1, 2}}].shape()), (Shape{1, 4}));
  EXPECT_EQ(x[{ellipsis}].shape(), x.shape());
  EXPECT_EQ(x[{new_axis}].shape(), (Shape{1, 3, 4}));
  EXPECT_EQ(x[new_axis].shape(), (Shape{1, 3, 4}));
  EXPECT_EQ(x[{x > 10}].to_vector<std::int64_t>(), (std::vector<std::int64_t>{11}));
  EXPECT_EQ(x[{tensor({1}, i64)}].shape(), (Shape{1, 4}));
  EXPECT_EQ(zeros_like(x).index_put_({1}, tensor({1}, i64)).sum().item<std::int64_t>(), 4);
  EXPECT_EQ(x.sum({0}).to_vector<std::int64_t>(), (std::vector<std::int64_t>{12, 15, 18, 21}));
  EXPECT_EQ(x.sum(std::int64_t{-2}).shape(), x.sum({0}).shape());
  EXPECT_EQ(x.sum({}).item<std::int64_t>(), 66);
  EXPECT_EQ(x.to(f32).mean({1}, true).shape(), (Shape{3, 1}));
  EXPECT_EQ(x.permute({1, 0}).shape(), (Shape{4, 3}));
  EXPECT_THROW(x[{3}], IndexError);
}

TEST(Gather, SaysWhereAnIndexIsOutside) {
  try {
    gather(zeros({2, 3}), 1, tensor({{0, 1}, {2, 3}}, i64));
    FAIL() << "expected an error";
  } catch (const IndexError& error) {
    EXPECT_STREQ(error.what(), "[gather] expected indices in [0, 3), got 3 at [1, 1]");
  }
}

TEST(Random, DrawsWhatIsAskedFor) {
  GeneratorScope scope({.seed = 5});
  const Tensor coins = bernoulli(full({20000}, 0.3, f64));
  EXPECT_NEAR(coins.mean().item<double>(), 0.3, 0.02);
  const Tensor drawn = multinomial(tensor({1, 0, 3}), 20000, true);
  EXPECT_NEAR((drawn == 2).to(f64).mean().item<double>(), 0.75, 0.02);
  EXPECT_EQ((drawn == 1).to(i64).sum().item<std::int64_t>(), 0);
  const Tensor order = randperm(1000);
  EXPECT_EQ(sort(order).values.to_vector<std::int64_t>(), arange(1000).to_vector<std::int64_t>());
  EXPECT_NE(order.to_vector<std::int64_t>(), randperm(1000).to_vector<std::int64_t>());
  const Tensor whole = randint(-1, 2, {3000});
  EXPECT_EQ(unique(whole).values.to_vector<std::int64_t>(), (Integers{-1, 0, 1}));
}

}  // namespace
}  // namespace tern
