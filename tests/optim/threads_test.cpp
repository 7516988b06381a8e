#include <gtest/gtest.h>

#include <thread>

#include "tern/base/random.h"
#include "tern/nn/activations.h"
#include "tern/nn/linear.h"
#include "tern/nn/sequential.h"
#include "tern/ops/loss.h"
#include "tern/optim/optimizers.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

// Modules, optimizer, random numbers and all: each thread has its own, and gets the bits that it would get alone.
TEST(Threads, TwoModelsTrainAtOnce) {
  const auto train = [](std::vector<float>& result) {
    manual_seed(5);
    nn::Sequential net{nn::Linear(12, 24), nn::Relu(), nn::Linear(24, 24), nn::Tanh(), nn::Linear(24, 3)};
    optim::AdamW optimizer(net.parameters(), {.lr = 1e-2});
    const Tensor x = randn({48, 12});
    std::vector<std::int64_t> classes;
    for (std::int64_t i = 0; i < 48; ++i) classes.push_back(i % 3);
    const Tensor y = from_vector(classes);
    for (int step = 0; step < 40; ++step) {
      optimizer.zero_grad();
      cross_entropy(net(x), y).backward();
      optimizer.step();
    }
    for (const Tensor& p : net.parameters()) {
      const auto values = p.detach().to_vector<float>();
      result.insert(result.end(), values.begin(), values.end());
    }
  };
  std::vector<float> alone, first, second;
  train(alone);
  std::thread other([&] { train(second); });
  train(first);
  other.join();
  EXPECT_EQ(first, alone);
  EXPECT_EQ(second, alone);
}

}  // namespace
}  // namespace tern
