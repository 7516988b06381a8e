#include "tern/data/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/data/dataset.h"
#include "tern/tensor/creation.h"

namespace tern::data {
namespace {

using Rows = std::vector<std::int64_t>;

// x [rows, 2] = {i, 10 i}, y [rows] = i.
Dataset sample_dataset(std::int64_t rows) {
  std::vector<float> x;
  std::vector<std::int64_t> y;
  for (std::int64_t i = 0; i < rows; ++i) {
    x.push_back(static_cast<float>(i));
    x.push_back(static_cast<float>(10 * i));
    y.push_back(i);
  }
  return Dataset({{"x", from_vector(x, {rows, 2})}, {"y", from_vector(y)}});
}

Rows seen(Loader& loader) {
  Rows rows;
  for (const Batch& batch : loader) {
    const auto y = batch.y().span<std::int64_t>();
    const auto x = batch.x().span<float>();
    EXPECT_EQ(Rows(y.begin(), y.end()), batch.indices());
    for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(x[2 * i + 1], static_cast<float>(10 * y[i]));
    rows.insert(rows.end(), y.begin(), y.end());
  }
  return rows;
}

TEST(Dataset, HoldsNamedTensors) {
  Dataset dataset = sample_dataset(5);
  EXPECT_EQ(dataset.rows(), 5);
  EXPECT_EQ(dataset.width(), 2);
  EXPECT_TRUE(dataset.feature_names().empty());
  EXPECT_FALSE(dataset.has("weight"));
  EXPECT_THROW(dataset["weight"], ValueError);
  EXPECT_THROW(dataset.target(), StateError);
  dataset.set("weight", ones({5}));
  EXPECT_EQ(dataset["weight"].numel(), 5);
  dataset.set("y", zeros({5, 1}));
  EXPECT_EQ(dataset.y().dim(), 2);
  EXPECT_EQ(dataset.tensors().size(), 3u);
  EXPECT_THROW(dataset.set("weight", ones({4})), ShapeError);
  EXPECT_THROW(dataset.set("", ones({5})), ValueError);
  EXPECT_THROW(dataset.set("one", scalar(1.0)), ShapeError);
  EXPECT_THROW(Dataset({{"x", ones({2})}, {"x", ones({2})}}), ValueError);
  EXPECT_THROW(Dataset({{"x", ones({2})}, {"y", ones({3})}}), ShapeError);
  EXPECT_THROW(Dataset(ones({2, 3}), {"a", "b"}, {0, 1}), ShapeError);
  EXPECT_THROW(Dataset(ones({2, 2}), {"a", "b"}, {0, 1}, Column::from_f64({1})), ShapeError);
  EXPECT_EQ(Dataset().rows(), 0);
}

TEST(Dataset, TakesRowsOfEverything) {
  Dataset dataset(from_vector(std::vector<float>{1, 2, 3, 4, 5, 6}, {3, 2}), {"a", "b"}, {10, 20, 30},
                  Column::from_strings({"p", "q", "r"}));
  dataset.set("flag", from_span(std::span<const std::uint8_t>(std::vector<std::uint8_t>{0, 1, 2}), {3}));
  dataset.set("image", ones({3, 2, 2}, f64));
  dataset.set("transposed", from_vector(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3}).t());
  const Rows rows = {2, 0, 2};
  const Dataset taken = dataset.take(rows);
  EXPECT_EQ(taken.x().to_vector<float>(), (std::vector<float>{5, 6, 1, 2, 5, 6}));
  EXPECT_EQ(taken["flag"].to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{2, 0, 2}));
  EXPECT_EQ(taken["transposed"].to_vector<float>(), (std::vector<float>{3, 6, 1, 4, 3, 6}));
  EXPECT_EQ(taken["image"].shape(), (Shape{3, 2, 2}));
  EXPECT_EQ(taken.row_ids(), (Rows{30, 10, 30}));
  EXPECT_EQ(taken.target().string(0), "r");
  EXPECT_EQ(taken.feature_names(), dataset.feature_names());
  const Rows outside = {3};
  EXPECT_THROW(dataset.take(outside), IndexError);
  EXPECT_THROW(dataset.batch(outside), IndexError);
  EXPECT_EQ(dataset.take(Rows{}).rows(), 0);
}

TEST(Loader, GoesThroughTheRows) {
  Loader loader(sample_dataset(10), {.batch_size = 4});
  EXPECT_EQ(loader.batches(), 3);
  const Rows in_order = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT_EQ(seen(loader), in_order);
  EXPECT_EQ(seen(loader), in_order);
  Loader dropping(sample_dataset(10), {.batch_size = 4, .drop_last = true});
  EXPECT_EQ(dropping.batches(), 2);
  EXPECT_EQ(seen(dropping).size(), 8u);
  Loader none(sample_dataset(0), {.batch_size = 4});
  EXPECT_TRUE(seen(none).empty());
  EXPECT_THROW(Loader(sample_dataset(1), {.batch_size = 0}), ValueError);
}

TEST(Loader, ShufflesAnewEachEpoch) {
  Loader loader(sample_dataset(100), {.batch_size = 7, .shuffle = true, .seed = 3});
  const Rows first = seen(loader), second = seen(loader);
  EXPECT_EQ(loader.epoch(), 2);
  EXPECT_NE(first, second);
  EXPECT_EQ(std::set<std::int64_t>(first.begin(), first.end()).size(), 100u);
  EXPECT_EQ(first, loader.order(0));
  loader.set_epoch(1);
  set_num_threads(5);
  EXPECT_EQ(seen(loader), second);
  set_num_threads(0);
  Loader same(sample_dataset(100), {.batch_size = 20, .shuffle = true, .seed = 3});
  EXPECT_EQ(seen(same), first);
  Loader other(sample_dataset(100), {.batch_size = 20, .shuffle = true, .seed = 4});
  EXPECT_NE(seen(other), first);
  EXPECT_THROW(loader.set_epoch(-1), ValueError);
  EXPECT_THROW(loader.order(-1), ValueError);
}

TEST(Loader, GivesEveryBatchTensorsOfItsOwn) {
  Loader loader(sample_dataset(6), {.batch_size = 3});
  std::vector<Tensor> kept;
  for (const Batch& batch : loader) kept.push_back(batch.x());
  ASSERT_EQ(kept.size(), 2u);
  kept[0].zero_();
  EXPECT_EQ(kept[1].span<float>()[0], 3);
  EXPECT_EQ(loader.dataset().features()[2], 1);
}

TEST(Loader, GathersLargeBatchesOnManyThreads) {
  const std::int64_t rows = 3000, width = 500;
  std::vector<float> x(static_cast<std::size_t>(rows * width));
  std::iota(x.begin(), x.end(), 0.0f);
  const Dataset dataset({{"x", from_vector(x, {rows, width})}});
  Rows order(static_cast<std::size_t>(rows));
  for (std::int64_t i = 0; i < rows; ++i) order[static_cast<std::size_t>(i)] = rows - 1 - i;
  const Batch batch = dataset.batch(order);
  for (std::int64_t i = 0; i < rows; i += 37) {
    EXPECT_EQ(batch.x().span<float>()[static_cast<std::size_t>(i * width + 3)],
              x[static_cast<std::size_t>((rows - 1 - i) * width + 3)]);
  }
}

}  // namespace
}  // namespace tern::data
