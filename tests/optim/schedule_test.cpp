#include "tern/optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "optim/golden.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/nn/safetensors.h"

namespace {

using namespace tern;
using optim::learning_rate;
using optim::Schedule;
using optim::ScheduleOptions;

void expect_golden(const std::string& name, const ScheduleOptions& options, double base_lr, std::int64_t total_steps) {
  const std::vector<double> expected = golden("schedules.safetensors").at(name).to_vector<double>();
  for (std::size_t step = 0; step < expected.size(); ++step) {
    EXPECT_NEAR(learning_rate(options, base_lr, static_cast<std::int64_t>(step), total_steps), expected[step], 1e-12)
        << name << " at step " << step;
  }
}

TEST(Schedule, IsPyTorchs) {
  expect_golden("cosine", {.kind = Schedule::cosine}, 0.1, 50);
  expect_golden("cosine_min", {.kind = Schedule::cosine, .min_ratio = 0.1}, 0.1, 37);
  expect_golden("linear", {.kind = Schedule::linear, .min_ratio = 0.2}, 0.1, 40);
  expect_golden("warmup", {.warmup_steps = 10}, 0.1, 30);
  expect_golden("warmup_cosine", {.kind = Schedule::cosine, .warmup_steps = 8}, 0.1, 50);
  expect_golden("one_cycle", {.kind = Schedule::one_cycle}, 0.1, 60);
  expect_golden("one_cycle_set", {.kind = Schedule::one_cycle, .rise = 0.4, .start_divisor = 10, .final_divisor = 100},
                0.3, 33);
}

TEST(Schedule, OthersArePyTorchsToo) {
  expect_golden("step", {.kind = Schedule::step, .gamma = 0.3, .period = 7}, 0.1, 1);
  expect_golden("multi_step", {.kind = Schedule::multi_step, .gamma = 0.2, .milestones = {5, 6, 30}}, 0.1, 1);
  expect_golden("exponential", {.kind = Schedule::exponential, .gamma = 0.93}, 0.1, 1);
  expect_golden("polynomial", {.kind = Schedule::polynomial, .power = 1.7}, 0.1, 40);
  expect_golden("restarts", {.kind = Schedule::cosine_restarts, .period = 9}, 0.1, 1);
  expect_golden("restarts_longer",
                {.kind = Schedule::cosine_restarts, .min_ratio = 0.1, .period = 5, .period_factor = 2}, 0.1, 1);
  expect_golden("warmup_step", {.kind = Schedule::step, .warmup_steps = 8, .gamma = 0.5, .period = 10}, 0.1, 50);
}

TEST(Schedule, WarmsUpByAFraction) {
  for (std::int64_t step = 0; step < 50; ++step) {
    EXPECT_EQ(learning_rate({.kind = Schedule::linear, .warmup_fraction = 0.17}, 0.1, step, 50),
              learning_rate({.kind = Schedule::linear, .warmup_steps = 8}, 0.1, step, 50));
  }
}

TEST(Schedule, StaysAtItsLastValue) {
  EXPECT_EQ(learning_rate({}, 0.1, 1000, 10), 0.1);
  EXPECT_NEAR(learning_rate({.kind = Schedule::cosine, .min_ratio = 0.3}, 0.1, 1000, 10), 0.03, 1e-15);
  EXPECT_EQ(learning_rate({.kind = Schedule::one_cycle}, 0.1, 1000, 10),
            learning_rate({.kind = Schedule::one_cycle}, 0.1, 9, 10));
  EXPECT_EQ(learning_rate({.kind = Schedule::cosine, .warmup_steps = 20}, 0.1, 1000, 10), 0);
}

TEST(Schedule, HasNoBadStepOfFewOnes) {
  for (std::int64_t total = 1; total < 12; ++total) {
    for (std::int64_t step = 0; step < total; ++step) {
      for (const double rise : {0.0, 0.25, 0.5, 1.0}) {
        const double lr = learning_rate({.kind = Schedule::one_cycle, .rise = rise}, 0.1, step, total);
        EXPECT_TRUE(lr > 0 && lr <= 0.1 * (1 + 1e-12)) << total << " " << step << " " << rise << " " << lr;
      }
    }
  }
}

TEST(Schedule, ChecksItsOptions) {
  EXPECT_THROW(learning_rate({}, 0.1, -1, 10), ValueError);
  EXPECT_THROW(learning_rate({}, 0.1, 0, 0), ValueError);
  EXPECT_THROW(learning_rate({.min_ratio = 2}, 0.1, 0, 10), ValueError);
  EXPECT_THROW(learning_rate({.warmup_steps = 2, .warmup_fraction = 0.5}, 0.1, 0, 10), ValueError);
  EXPECT_THROW(learning_rate({.kind = Schedule::one_cycle, .warmup_steps = 2}, 0.1, 0, 10), ValueError);
  EXPECT_THROW(learning_rate({.kind = Schedule::one_cycle, .start_divisor = 0}, 0.1, 0, 10), ValueError);
  EXPECT_THROW(learning_rate({.gamma = 0}, 0.1, 0, 10), ValueError);
  EXPECT_THROW(learning_rate({.gamma = NAN}, 0.1, 0, 10), ValueError);
  EXPECT_THROW(learning_rate({.power = -1}, 0.1, 0, 10), ValueError);
  EXPECT_THROW(learning_rate({.period = 0}, 0.1, 0, 10), ValueError);
  EXPECT_THROW(learning_rate({.period_factor = 0}, 0.1, 0, 10), ValueError);
  EXPECT_THROW(learning_rate({.milestones = {3, 3}}, 0.1, 0, 10), ValueError);
  EXPECT_THROW(learning_rate({.milestones = {-1}}, 0.1, 0, 10), ValueError);
  EXPECT_THROW(optim::factor({}, 0), ValueError);
  EXPECT_THROW(optim::factor({.gamma = -1}), ValueError);
  EXPECT_THROW(optim::chained({optim::Factor()}), ValueError);
  EXPECT_THROW(optim::sequential({optim::factor({})}, {3}), ValueError);
  EXPECT_THROW(optim::sequential({optim::factor({}), optim::factor({}), optim::factor({})}, {3, 2}), ValueError);
  EXPECT_THROW(optim::sequential({}, {}), ValueError);
}

}  // namespace
