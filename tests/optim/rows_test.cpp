#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/ops/binary.h"
#include "tern/ops/embedding.h"
#include "tern/ops/index.h"
#include "tern/ops/reduce.h"
#include "tern/ops/rows.h"
#include "tern/ops/unary.h"
#include "tern/optim/clip.h"
#include "tern/optim/optimizers.h"
#include "tern/tensor/creation.h"

// Gradients of rows, which the optimizers take lazily.
namespace {

using namespace tern;
using optim::AdamW;
using optim::Optimizer;
using optim::Sgd;

struct Table {
  Tensor weight, bias;  // the bias has a dense gradient, beside it in the flat buffers

  Table() {
    const GeneratorScope scope({.seed = 3});
    weight = randn({8, 3}).requires_grad_();
    bias = randn({3}).requires_grad_();
  }
  void backward(const std::vector<std::int64_t>& ids, bool sparse) const {
    const Tensor looked_up = embedding(weight, from_vector(ids), {.sparse = sparse});
    ((looked_up + bias) * (looked_up + bias)).sum().backward();
  }
};

void train(const Table& table, Optimizer& optimizer, const std::vector<std::vector<std::int64_t>>& steps, bool sparse) {
  for (const auto& ids : steps) {
    optimizer.zero_grad();
    table.backward(ids, sparse);
    EXPECT_EQ(row_gradient(table.weight).index.defined(), sparse);
    optimizer.step();
  }
}

TEST(SparseGradient, OfAllRowsGivesTheBitsOfADenseOne) {
  const std::vector<std::vector<std::int64_t>> all(4, {0, 1, 2, 3, 4, 5, 6, 7, 3, 3});
  const std::vector<std::function<std::unique_ptr<Optimizer>(const Table&)>> kinds{
      [](const Table& t) {
        return std::make_unique<AdamW>(std::vector{t.weight, t.bias}, optim::AdamWOptions{.lr = 0.1});
      },
      [](const Table& t) {
        return std::make_unique<Sgd>(std::vector{t.weight, t.bias},
                                     optim::SgdOptions{.lr = 0.01, .momentum = 0.9, .weight_decay = 0.1});
      }};
  for (const auto& make : kinds) {
    Table dense, sparse;
    const auto first = make(dense), second = make(sparse);
    train(dense, *first, all, false);
    train(sparse, *second, all, true);
    EXPECT_EQ(sparse.weight.to_vector<float>(), dense.weight.to_vector<float>());
    EXPECT_EQ(sparse.bias.to_vector<float>(), dense.bias.to_vector<float>());
  }
}

TEST(SparseGradient, MovesTheRowsThatWereLookedUpAlone) {
  Table table;
  const std::vector<float> before = table.weight.to_vector<float>();
  AdamW optimizer({table.weight, table.bias}, {.lr = 0.1, .weight_decay = 0.5});
  train(table, optimizer, {{1, 6}, {6, 6}, {2}}, true);
  const std::vector<float> after = table.weight.to_vector<float>();
  for (std::size_t i = 0; i < after.size(); ++i) {
    const std::size_t row = i / 3;
    EXPECT_EQ(after[i] != before[i], row == 1 || row == 2 || row == 6) << i;
  }
  // Their moments stand still too: those of the rows that were never looked up are zero.
  for (const auto& [name, state] : optimizer.state_dict()) {
    if (name == "0.exp_avg_sq") {
      EXPECT_EQ(state[5].to_vector<float>(), std::vector<float>(3));
      EXPECT_GT(state[6].to_vector<float>()[0], 0);
    }
  }
}

TEST(SparseGradient, StaysSoWhateverLooksAtIt) {
  Table table;
  AdamW optimizer({table.weight, table.bias}, {.lr = 0.1, .weight_decay = 0.5});
  const std::vector<float> before = table.weight.to_vector<float>();
  table.backward({1, 6}, true);
  const Tensor dense = table.weight.grad();
  EXPECT_EQ(dense[5].to_vector<float>(), std::vector<float>(3));
  EXPECT_THROW(dense.detach().mul_(2), StateError);
  const double squares = (square(dense).sum() + square(table.bias.grad()).sum()).item<float>();
  EXPECT_NEAR(optim::clip_grad_norm({table.weight, table.bias}, 0.01), std::sqrt(squares), 1e-5 * std::sqrt(squares));
  EXPECT_NEAR(optim::clip_grad_norm({table.weight, table.bias}, 1e9), 0.01, 1e-6);
  EXPECT_NEAR(optim::clip_factor({table.weight, table.bias}, 0.005).item<double>(), 0.5, 1e-3);
  optim::clip_grad_value({table.weight}, 1e-4);
  EXPECT_LE(abs(table.weight.grad()).max().item<float>(), 1e-4F);
  optimizer.step();
  const std::vector<float> after = table.weight.to_vector<float>();
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i] != before[i], i / 3 == 1 || i / 3 == 6) << i;
}

TEST(SparseGradient, AdagradsFirstSumIsThatOfEveryRow) {
  Table dense, sparse;
  optim::Adagrad first({dense.weight}, {.lr = 0.1, .initial = 0.5}),
      second({sparse.weight}, {.lr = 0.1, .initial = 0.5});
  const std::vector<std::vector<std::int64_t>> steps{{1, 6}, {3}, {3, 1}};
  train(dense, first, steps, false);
  train(sparse, second, steps, true);
  EXPECT_EQ(sparse.weight.to_vector<float>(), dense.weight.to_vector<float>());
}

TEST(SparseGradient, OfStepsThatTheDeviceCounts) {
  Table there, here;
  AdamW first({here.weight, here.bias}, {.lr = 0.1}), second({there.weight, there.bias}, {.lr = 0.1});
  second.keep_on_device();
  const std::vector<std::vector<std::int64_t>> steps{{1, 6}, {3}, {3, 1}};
  train(here, first, steps, true);
  train(there, second, steps, true);
  EXPECT_EQ(there.weight.to_vector<float>(), here.weight.to_vector<float>());
  EXPECT_EQ(second.state_dict()[1].second.to_vector<std::int64_t>(), (std::vector<std::int64_t>{3, 3}));
}

TEST(SparseGradient, OfAPlainSgdIsTheDenseOne) {
  Table dense, sparse;
  Sgd first({dense.weight, dense.bias}, {.lr = 0.05}), second({sparse.weight, sparse.bias}, {.lr = 0.05});
  const std::vector<std::vector<std::int64_t>> steps{{1, 6, 1}, {0}, {7, 6}};
  train(dense, first, steps, false);
  train(sparse, second, steps, true);
  EXPECT_EQ(sparse.weight.to_vector<float>(), dense.weight.to_vector<float>());
}

TEST(SparseGradient, BesideADenseOneIsDense) {
  Table dense, both;
  AdamW first({dense.weight}, {.lr = 0.1}), second({both.weight}, {.lr = 0.1});
  for (Table* table : {&dense, &both}) {
    (table->weight * table->weight).sum().backward();
    table->backward({2, 4}, table == &both);
  }
  first.step();
  second.step();
  EXPECT_EQ(both.weight.to_vector<float>(), dense.weight.to_vector<float>());
}

}  // namespace
