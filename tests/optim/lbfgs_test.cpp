#include "tern/optim/lbfgs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>

#include "optim/golden.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/nn/safetensors.h"
#include "tern/ops/binary.h"
#include "tern/ops/loss.h"
#include "tern/ops/matmul.h"
#include "tern/ops/reduce.h"
#include "tern/ops/unary.h"
#include "tern/optim/optimizers.h"
#include "tern/optim/scheduler.h"
#include "tern/tensor/creation.h"

namespace {

using namespace tern;
using optim::Lbfgs;
using optim::LbfgsOptions;

constexpr auto kWolfe = LbfgsOptions::LineSearch::strong_wolfe;

struct Problem {
  std::vector<Tensor> parameters;
  std::function<Tensor()> loss;

  Lbfgs::Closure closure() const {
    return [this] {
      for (Tensor p : parameters) p.clear_grad();
      Tensor value = loss();
      value.backward();
      return value;
    };
  }
};

Problem rosenbrock() {
  Tensor z = tensor({-1.2, 1}, f64).requires_grad_();
  return {{z}, [z] { return square(z[1] - square(z[0])) * 100.0 + square(1.0 - z[0]); }};
}

Problem regression() {
  const auto data = golden("parity.safetensors");
  const Tensor x = data.at("x").to(f64), y = data.at("y").to(f64);
  Tensor weight = zeros({1, 8}, f64).requires_grad_(), bias = zeros({1}, f64).requires_grad_();
  return {{weight, bias}, [=] { return bce_with_logits(linear(x, weight, bias), y) + square(weight).sum() * 0.01; }};
}

std::vector<double> values(const Problem& problem) {
  std::vector<double> all;
  for (const Tensor& p : problem.parameters) {
    for (const double v : p.to_vector<double>()) all.push_back(v);
  }
  return all;
}

void expect_golden(const std::string& name, const Problem& problem, const LbfgsOptions& options) {
  const auto data = golden("lbfgs.safetensors");
  const auto losses = data.at(name + ".losses").to_vector<double>();
  const auto points = data.at(name + ".points").to_vector<double>();
  Lbfgs optimizer(problem.parameters, options);
  std::size_t at = 0;
  for (std::size_t step = 0; step < losses.size(); ++step) {
    EXPECT_NEAR(optimizer.step(problem.closure()), losses[step], 1e-10 * std::max(1.0, losses[step]))
        << name << " at step " << step;
    for (const double v : values(problem)) EXPECT_NEAR(v, points[at++], 1e-10) << name << " at step " << step;
  }
  const auto counts = data.at(name + ".counts").to_vector<std::int64_t>();
  EXPECT_EQ(optimizer.iterations(), counts[0]) << name;
  EXPECT_EQ(optimizer.evaluations(), counts[1]) << name;
}

TEST(Lbfgs, IsPyTorchs) {
  expect_golden("rosenbrock", rosenbrock(), {.lr = 0.5, .max_iterations = 4, .line_search = kWolfe});
  expect_golden("rosenbrock_plain", rosenbrock(), {.lr = 0.2, .max_iterations = 5, .history = 3});
  expect_golden("regression", regression(), {.line_search = kWolfe});
  expect_golden("regression_plain", regression(), {.lr = 0.8, .max_iterations = 6, .history = 5});
  // Whose line searches end with the evaluations.
  expect_golden("rosenbrock_one", rosenbrock(), {.max_iterations = 1, .line_search = kWolfe});
  expect_golden("rosenbrock_two", rosenbrock(), {.max_iterations = 6, .max_evaluations = 3, .line_search = kWolfe});
  expect_golden("regression_few", regression(),
                {.max_iterations = 10, .max_evaluations = 4, .history = 2, .line_search = kWolfe});
}

TEST(Lbfgs, FindsTheMinimumOfRosenbrocksFunction) {
  const Problem problem = rosenbrock();
  Lbfgs optimizer(problem.parameters, {.max_iterations = 100, .tolerance_change = 1e-16, .line_search = kWolfe});
  for (int i = 0; i < 3; ++i) optimizer.step(problem.closure());
  for (const double v : values(problem)) EXPECT_NEAR(v, 1, 1e-6);
}

TEST(Lbfgs, GoesOnFromASavedStateBitForBit) {
  for (const LbfgsOptions& options : {LbfgsOptions{.max_iterations = 2, .line_search = kWolfe},
                                      LbfgsOptions{.lr = 0.5, .max_iterations = 3, .history = 2}}) {
    const Problem problem = regression(), other = regression();
    Lbfgs optimizer(problem.parameters, options), resumed(other.parameters, options);
    for (int i = 0; i < 2; ++i) optimizer.step(problem.closure());
    const std::string state = to_safetensors({.tensors = optimizer.state_dict()});
    resumed.load_state_dict(from_safetensors(state).tensors);
    EXPECT_EQ(to_safetensors({.tensors = resumed.state_dict()}), state);
    for (std::size_t i = 0; i < problem.parameters.size(); ++i) {
      Tensor to = other.parameters[i].detach();
      to.copy_(problem.parameters[i].detach());
    }
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(optimizer.step(problem.closure()), resumed.step(other.closure()));
      EXPECT_EQ(values(problem), values(other));
    }
  }
}

TEST(Lbfgs, LeavesFrozenWeightsAlone) {
  Problem problem = regression();
  problem.parameters[1].requires_grad_(false);
  Lbfgs optimizer(problem.parameters, {.line_search = kWolfe});
  const double before = optimizer.step(problem.closure());
  EXPECT_EQ(problem.parameters[1].item<double>(), 0);
  EXPECT_LT(problem.loss().item<double>(), before - 0.1);
  problem.parameters[1].requires_grad_();
  optimizer.step(problem.closure());
  problem.parameters[1].requires_grad_(false);
  const double bias = problem.parameters[1].item<double>();
  EXPECT_NE(bias, 0);
  optimizer.step(problem.closure());
  EXPECT_EQ(problem.parameters[1].item<double>(), bias);
}

TEST(Lbfgs, WalksAroundWhereTheLossIsNoNumber) {
  Tensor z = tensor({0.1}, f64).requires_grad_();
  const Problem problem{{z}, [z] { return sqrt(1.0 - z.sum()) * -1.0 + square(z.sum()) * 0.5 + z.sum() * -3.0; }};
  Lbfgs optimizer(problem.parameters, {.lr = 100, .line_search = kWolfe});
  const double before = optimizer.step(problem.closure());
  EXPECT_LT(problem.loss().item<double>(), before);
}

TEST(Lbfgs, RefusesALossThatIsNotFinite) {
  Tensor z = tensor({2}, f64).requires_grad_();
  const Problem problem{{z}, [z] { return sqrt(1.0 - z.sum()); }};
  Lbfgs optimizer(problem.parameters);
  EXPECT_THROW(optimizer.step(problem.closure()), NumericError);
  EXPECT_EQ(z.item<double>(), 2);
}

TEST(Lbfgs, ALossThatThrowsWithinTheSearchMovesNothing) {
  const Problem problem = regression();
  Lbfgs optimizer(problem.parameters, {.line_search = kWolfe});
  const auto before = values(problem);
  int calls = 0;
  const auto loss = problem.closure();
  EXPECT_THROW(optimizer.step([&] {
    if (++calls == 2) throw NumericError("a loss that cannot be computed");
    return loss();
  }),
               NumericError);
  EXPECT_EQ(values(problem), before);
  const double now = problem.loss().item<double>();
  optimizer.step(loss);
  EXPECT_LE(problem.loss().item<double>(), now);
}

TEST(Lbfgs, HasARateThatSchedulesSet) {
  const Problem problem = regression();
  Lbfgs optimizer(problem.parameters, {.lr = 0.5});
  optim::Scheduler scheduler(optimizer, optim::factor({.kind = optim::Schedule::exponential, .gamma = 0.5}));
  optimizer.step(problem.closure());
  scheduler.step();
  EXPECT_EQ(optimizer.lr(), 0.25);
}

TEST(Lbfgs, ChecksOptionsCallsAndStates) {
  const std::vector<Tensor> p{tensor({1}, f64).requires_grad_()};
  EXPECT_THROW(Lbfgs(p, {.lr = -1}), ValueError);
  EXPECT_THROW(Lbfgs(p, {.max_iterations = 0}), ValueError);
  EXPECT_THROW(Lbfgs(p, {.max_evaluations = -1}), ValueError);
  EXPECT_THROW(Lbfgs(p, {.tolerance_grad = NAN}), ValueError);
  EXPECT_THROW(Lbfgs(p, {.tolerance_change = -1}), ValueError);
  EXPECT_THROW(Lbfgs(p, {.history = 0}), ValueError);

  const Problem problem = regression();
  Lbfgs optimizer(problem.parameters, {.line_search = kWolfe});
  optimizer.step(problem.closure());
  optim::Optimizer& base = optimizer;
  EXPECT_THROW(base.step(), StateError);
  EXPECT_THROW(optimizer.step(Lbfgs::Closure()), StateError);
  const auto state = optimizer.state_dict();
  const std::string bytes = to_safetensors({.tensors = state});
  const auto broken = [&](auto change) {
    std::map<std::string, Tensor> other(state.begin(), state.end());
    change(other);
    EXPECT_THROW(optimizer.load_state_dict({other.begin(), other.end()}), FormatError);
    EXPECT_EQ(to_safetensors({.tensors = optimizer.state_dict()}), bytes);
  };
  broken([](auto& s) { s.erase("optimizer"); });
  broken([](auto& s) { s.erase("d"); });
  broken([](auto& s) { s["d"] = Tensor(); });
  broken([](auto& s) { s.erase("ys"); });
  broken([](auto& s) { s["more"] = ones({1}); });
  broken([](auto& s) { s["n_iter"] = scalar(-1, i64); });
  broken([](auto& s) { s["t"] = scalar(NAN, f64); });
  broken([](auto& s) { s["prev_flat_grad"] = ones({8}, f64); });
  broken([](auto& s) { s["ys"] = zeros(s["ys"].shape(), f64); });
  broken([&](auto& s) {
    const auto other = optim::Sgd(regression().parameters).state_dict();
    s = {other.begin(), other.end()};
  });
  auto twice = state;
  twice.push_back(state[1]);
  EXPECT_THROW(optimizer.load_state_dict(twice), FormatError);
  optimizer.load_state_dict(state);
}

TEST(Lbfgs, AnyNumberOfIterationsIsFine) {
  const Problem problem = rosenbrock();
  Lbfgs optimizer(problem.parameters, {.max_iterations = std::numeric_limits<int>::max(), .line_search = kWolfe});
  optimizer.step(problem.closure());
  EXPECT_GT(optimizer.iterations(), 5);  // not ended by a number of evaluations that overflowed
}

}  // namespace
