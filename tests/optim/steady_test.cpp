#include <gtest/gtest.h>

#include "tern/base/parallel.h"
#include "tern/nn/activations.h"
#include "tern/nn/linear.h"
#include "tern/nn/sequential.h"
#include "tern/ops/loss.h"
#include "tern/optim/optimizers.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/memory.h"

namespace tern {
namespace {

// After the first steps, training asks no memory of the system, and holds no more from step to step. The widths give
// small, middling and large blocks. One thread: which of several first needs scratch memory of its own is chance.
TEST(SteadyState, TrainingAsksNoMemoryOfTheSystem) {
  for (int i = 0; i < 100; ++i) zeros({16});
  if (memory_statistics().cache_hits == 0) {
    GTEST_SKIP() << "no cache under the address sanitizer";
  }
  set_num_threads(1);
  for (const std::int64_t width : {16, 200, 900}) {
    const std::int64_t rows = width;
    nn::Sequential net{nn::Linear(width, width), nn::Relu(), nn::Linear(width, width), nn::Relu(),
                       nn::Linear(width, 4)};
    optim::AdamW optimizer(net.parameters(), {.lr = 1e-3});
    const Tensor x = randn({rows, width}), y = zeros({rows}, i64);
    const auto step = [&] {
      optimizer.zero_grad();
      cross_entropy(net(x), y).backward();
      optimizer.step();
    };
    for (int i = 0; i < 5; ++i) step();
    const auto before = memory_statistics();
    for (int i = 0; i < 10; ++i) step();
    const auto after = memory_statistics();
    EXPECT_EQ(after.system_allocations, before.system_allocations) << width;
    EXPECT_EQ(after.in_use, before.in_use) << width;
    EXPECT_GT(after.allocations, before.allocations) << width;
    EXPECT_EQ(after.cache_hits - before.cache_hits, after.allocations - before.allocations) << width;
  }
  set_num_threads(0);
}

}  // namespace
}  // namespace tern
