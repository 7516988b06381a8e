#include "tern/optim/scheduler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "optim/golden.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/nn/safetensors.h"
#include "tern/optim/optimizers.h"
#include "tern/tensor/creation.h"

namespace {

using namespace tern;
using optim::Factor;
using optim::factor;
using optim::ReduceOnPlateau;
using optim::Schedule;
using optim::Scheduler;
using optim::Sgd;

std::vector<double> factors_of(const std::string& name) {
  return golden("schedules.safetensors").at(name).to_vector<double>();
}

// Two groups, the second at a third of the first's rate.
Sgd two_groups(double lr = 0.1) {
  return Sgd({{.parameters = {zeros({1}).requires_grad_()}, .options = {.lr = lr}},
              {.parameters = {zeros({1}).requires_grad_()}, .options = {.lr = lr / 3}}});
}

void expect_golden(const std::string& name, const Factor& f) {
  Sgd sgd = two_groups();
  Scheduler scheduler(sgd, f);
  const std::vector<double> expected = factors_of(name);
  ASSERT_EQ(expected.size(), 50u);
  for (std::size_t step = 0; step < expected.size(); ++step) {
    EXPECT_NEAR(sgd.lr(0), expected[step], 1e-12) << name << " at step " << step;
    EXPECT_NEAR(sgd.lr(1), expected[step] / 3, 1e-12) << name << " at step " << step;
    sgd.step();
    scheduler.step();
  }
  EXPECT_EQ(scheduler.steps(), 50);
}

const Factor kHeldBack = [](std::int64_t step) { return step < 12 ? 0.25 : 1; };

TEST(Scheduler, IsPyTorchs) {
  expect_golden("step", factor({.kind = Schedule::step, .gamma = 0.3, .period = 7}));
  expect_golden("multi_step", factor({.kind = Schedule::multi_step, .gamma = 0.2, .milestones = {5, 6, 30}}));
  expect_golden("exponential", factor({.kind = Schedule::exponential, .gamma = 0.93}));
  expect_golden("polynomial", factor({.kind = Schedule::polynomial, .power = 1.7}, 40));
  expect_golden("restarts", factor({.kind = Schedule::cosine_restarts, .period = 9}));
  expect_golden("restarts_longer",
                factor({.kind = Schedule::cosine_restarts, .min_ratio = 0.1, .period = 5, .period_factor = 2}));
  expect_golden("constant", kHeldBack);
  expect_golden("lambda", [](std::int64_t step) { return 1 / std::sqrt(1.0 + static_cast<double>(step)); });
  expect_golden("chained", optim::chained({kHeldBack, factor({.kind = Schedule::exponential, .gamma = 0.95}),
                                           factor({.kind = Schedule::step, .period = 20})}));
  expect_golden("sequential", optim::sequential({factor({.warmup_steps = 10}, 10),
                                                 factor({.kind = Schedule::cosine_restarts, .period = 8}),
                                                 factor({.kind = Schedule::exponential, .gamma = 0.9})},
                                                {10, 34}));
}

TEST(Scheduler, GoesOnFromASavedState) {
  const Factor f = factor({.kind = Schedule::cosine, .warmup_steps = 5}, 30);
  Sgd sgd = two_groups();
  Scheduler scheduler(sgd, f);
  for (int i = 0; i < 12; ++i) scheduler.step();
  const std::string state = to_safetensors({.tensors = scheduler.state_dict()});

  Sgd other = two_groups(7);
  Scheduler resumed(other, f);
  resumed.load_state_dict(from_safetensors(state).tensors);
  for (int i = 12; i < 20; ++i) {
    EXPECT_EQ(other.lr(0), sgd.lr(0));
    EXPECT_EQ(other.lr(1), sgd.lr(1));
    EXPECT_EQ(resumed.steps(), i);
    scheduler.step();
    resumed.step();
  }
}

TEST(Scheduler, RefusesBadStatesAndFactors) {
  Sgd sgd = two_groups();
  EXPECT_THROW(Scheduler(sgd, Factor()), ValueError);
  EXPECT_THROW(Scheduler(sgd, [](std::int64_t) { return -1.0; }), ValueError);
  Scheduler scheduler(sgd, [](std::int64_t step) { return step < 2 ? 1 : NAN; });
  scheduler.step();
  EXPECT_THROW(scheduler.step(), ValueError);
  EXPECT_EQ(scheduler.steps(), 1);
  const auto state = scheduler.state_dict();
  const auto broken = [&](auto change) {
    nn::NamedTensors other = state;
    change(other);
    EXPECT_THROW(scheduler.load_state_dict(other), FormatError);
    EXPECT_EQ(scheduler.steps(), 1);
    EXPECT_EQ(sgd.lr(), 0.1);
  };
  broken([](auto& s) { s.pop_back(); });
  broken([](auto& s) { s.push_back(s[0]); });
  broken([](auto& s) { s[0].second = scalar(-1, i64); });
  broken([](auto& s) { s[0].second = scalar(1, f64); });
  broken([](auto& s) { s[1].second = ones({3}, f64); });
  broken([](auto& s) { s[1].second = tensor({NAN, 1}, f64); });
  broken([](auto& s) { s[0].second = Tensor(); });
  broken([](auto& s) { s[1].second = Tensor(); });
  broken([](auto& s) { s = two_groups().state_dict(); });
  scheduler.load_state_dict(state);
  scheduler.load_state_dict({state[1], state[0]});  // by whoever wrote it
}

// Beside one without an optimizer, which does not look at rates.
void expect_plateau(const std::string& name, const optim::PlateauOptions& options, bool looks_at_rates = false) {
  Sgd sgd = two_groups();
  ReduceOnPlateau whole(sgd, options), alone(options);
  const std::vector<double> expected = factors_of(name), figures = factors_of("figures");
  for (std::size_t i = 0; i < figures.size(); ++i) {
    if (i == 20) {  // goes on from a saved state
      const auto state = from_safetensors(to_safetensors({.tensors = alone.state_dict()}));
      alone = ReduceOnPlateau(options);
      alone.load_state_dict(state.tensors);
    }
    const bool reduced = whole.step(figures[i]), without = alone.step(figures[i]);
    if (!looks_at_rates) {
      EXPECT_EQ(reduced, without);
    }
    EXPECT_NEAR(sgd.lr(0), expected[2 * i], 1e-12) << name << " at figure " << i;
    EXPECT_NEAR(sgd.lr(1), expected[2 * i + 1], 1e-12) << name << " at figure " << i;
    if (!looks_at_rates) {
      EXPECT_NEAR(0.1 * alone.ratio(), expected[2 * i], 1e-12) << name << " at figure " << i;
    }
  }
  EXPECT_LT(whole.ratio(), 1);
}

TEST(ReduceOnPlateau, IsPyTorchs) {
  expect_plateau("plateau", {.factor = 0.5, .patience = 3});
  expect_plateau("plateau_set",
                 {.factor = 0.3, .patience = 2, .threshold = 1e-3, .relative = false, .cooldown = 4, .min_ratio = 0.2});
  expect_plateau("plateau_max", {.factor = 0.9, .patience = 1, .maximize = true});
  expect_plateau("plateau_epsilon", {.factor = 0.7, .patience = 0, .epsilon = 0.004}, true);
}

TEST(ReduceOnPlateau, ChecksOptionsAndStates) {
  EXPECT_THROW(ReduceOnPlateau({.factor = 1}), ValueError);
  EXPECT_THROW(ReduceOnPlateau({.patience = -1}), ValueError);
  EXPECT_THROW(ReduceOnPlateau({.threshold = 1}), ValueError);
  EXPECT_THROW(ReduceOnPlateau({.threshold = NAN}), ValueError);
  EXPECT_THROW(ReduceOnPlateau({.cooldown = -1}), ValueError);
  EXPECT_THROW(ReduceOnPlateau({.min_ratio = 2}), ValueError);
  EXPECT_THROW(ReduceOnPlateau({.epsilon = -1}), ValueError);
  EXPECT_THROW(ReduceOnPlateau({.epsilon = NAN}), ValueError);
  ReduceOnPlateau least({.factor = 0.1, .patience = 0, .min_ratio = 0.05});
  for (const double ratio : {0.1, 0.05, 0.05}) {
    const double before = least.ratio();
    EXPECT_EQ(least.step(NAN), ratio < before);  // at the least there is nothing to reduce
    EXPECT_EQ(least.ratio(), ratio);
  }
  ReduceOnPlateau plateau({.patience = 1});
  EXPECT_FALSE(plateau.step(NAN));  // no improvement
  EXPECT_TRUE(plateau.step(NAN));
  EXPECT_THROW(plateau.load_state_dict({}), FormatError);
  EXPECT_THROW(plateau.load_state_dict({{"plateau", Tensor()}}), FormatError);
  EXPECT_THROW(plateau.load_state_dict({{"plateau", ones({3}, f64)}}), FormatError);
  EXPECT_THROW(plateau.load_state_dict({{"plateau", tensor({0, 5, 0, 1}, f64)}}), FormatError);
  EXPECT_THROW(plateau.load_state_dict({{"plateau", tensor({0, 0, 0, -1}, f64)}}), FormatError);
  EXPECT_EQ(plateau.ratio(), 0.1);
}

}  // namespace
