#include "tern/optim/optimizers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "optim/fields.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/nn/activations.h"
#include "tern/nn/linear.h"
#include "tern/nn/safetensors.h"
#include "tern/nn/sequential.h"
#include "tern/ops/loss.h"
#include "tern/ops/shape.h"
#include "tern/optim/clip.h"
#include "tern/optim/lbfgs.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/dlpack.h"
#include "tern/tensor/memory.h"

namespace {

using namespace tern;
using optim::AdamW;
using optim::Sgd;

Tensor parameter(std::initializer_list<double> values) { return tensor(values, f64).requires_grad_(); }

void set_grad(Tensor p, std::initializer_list<double> values) {
  p.clear_grad();
  (p * tensor(values, f64)).sum().backward();
}

// Its parameters move; their values are the same.
TEST(Optimizer, MadeAfterAForwardPassKeepsItsGraph) {
  Tensor w = tensor({2., 3.}, f64).requires_grad_();
  const Tensor loss = (w * w).sum(), later = (w * w).sum();
  Sgd optimizer({w}, {.lr = .5});
  loss.backward();
  EXPECT_EQ(w.grad().to_vector<double>(), (std::vector<double>{4, 6}));
  optimizer.step();
  EXPECT_EQ(w.to_vector<double>(), (std::vector<double>{0, 0}));
  EXPECT_THROW(later.backward(), StateError) << "written since";
}

TEST(Optimizer, SkipsWhatHasNoGradient) {
  Tensor a = parameter({1, 2}), b = parameter({3});
  AdamW optimizer({a, b}, {.lr = 0.1, .weight_decay = 0.5});
  set_grad(a, {1, -1});
  optimizer.step();
  EXPECT_EQ(b.to_vector<double>(), std::vector<double>{3});  // weight decay left it alone
  EXPECT_NE(a.to_vector<double>()[0], 1);
  const auto before = a.to_vector<double>();
  optimizer.zero_grad();
  EXPECT_FALSE(a.grad().defined());
  optimizer.step();
  EXPECT_EQ(a.to_vector<double>(), before);
}

// A parameter that was skipped first must be corrected for its own count of steps, as in an optimizer of its own.
TEST(Optimizer, CountsStepsOfEachParameter) {
  const auto run = [](bool together) {
    Tensor a = parameter({1, 2, 3}), b = parameter({4}), c = parameter({5, 6});
    std::vector<std::unique_ptr<optim::Optimizer>> all;
    const optim::OptimizerOptions options = optim::AdamWOptions{.lr = 0.1};
    if (together) {
      all.push_back(optim::make_optimizer(options, {a, b, c}));
    } else {
      for (const Tensor& p : {a, b, c}) all.push_back(optim::make_optimizer(options, {p}));
    }
    for (int step = 0; step < 5; ++step) {
      for (auto& optimizer : all) optimizer->zero_grad();
      set_grad(a, {1.0 + step, 2, -1});
      if (step != 0) set_grad(b, {0.5 * step});
      if (step != 2) set_grad(c, {-1, 3.0 - step});
      for (auto& optimizer : all) optimizer->step();
    }
    return std::vector{a.to_vector<double>(), b.to_vector<double>(), c.to_vector<double>()};
  };
  EXPECT_EQ(run(true), run(false));
}

TEST(Optimizer, KeepsTheIdentityOfParameters) {
  nn::Linear layer(3, 2);
  const Tensor weight = layer.weight;
  const auto before = weight.to_vector<float>();
  Sgd optimizer(layer.parameters(), {.lr = 0.5});
  EXPECT_TRUE(layer.weight.is_same(weight));
  EXPECT_EQ(weight.to_vector<float>(), before);
  layer(ones({1, 3})).sum().backward();
  optimizer.step();
  EXPECT_EQ(weight.to_vector<float>()[0], before[0] - 0.5f);
}

// What else sees a parameter's memory sees its steps: it is not moved away, and moves as the others do.
TEST(Optimizer, LeavesSharedMemoryInItsPlace) {
  std::vector<float> lent{1, 2};
  Tensor alone = tensor({1, 2}).requires_grad_(), viewed = tensor({1, 2}).requires_grad_();
  Tensor blob = from_blob(lent.data(), {2}).requires_grad_();
  const Tensor grid = tensor({{1, 7}, {2, 7}}), column = grid.select(1, 0).detach().requires_grad_();
  Tensor given = tensor({1, 2});
  DlManagedTensor* taken = to_dlpack_unversioned(given);
  given.requires_grad_();
  const Tensor view = viewed.detach();
  const std::vector<Tensor> all{alone, viewed, blob, column, given};
  AdamW optimizer(all, {.lr = 0.5});
  for (int step = 0; step < 3; ++step) {
    optimizer.zero_grad();
    for (const Tensor& p : all) (p * p).sum().backward();
    optimizer.step();
  }
  const auto expected = alone.to_vector<float>();
  EXPECT_NE(expected[0], 1);
  for (const Tensor& p : all) EXPECT_EQ(p.to_vector<float>(), expected);
  EXPECT_EQ(view.to_vector<float>(), expected);
  EXPECT_EQ(lent, expected);
  EXPECT_EQ(grid.to_vector<float>(), (std::vector<float>{expected[0], 7, expected[1], 7}));
  const float* seen = static_cast<const float*>(taken->tensor.data);
  EXPECT_EQ((std::vector<float>{seen[0], seen[1]}), expected);
  // A view that backward still needs sees the step, too.
  const Tensor w = ones({2}).requires_grad_(), saved = (w * view).sum();
  for (const Tensor& p : all) (p * p).sum().backward();
  optimizer.step();
  EXPECT_THROW(saved.backward(), StateError);
  EXPECT_EQ(optimizer.state_dict().size(), 3u + 2 * all.size());
  AdamW other(all, {.lr = 0.5});
  other.load_state_dict(optimizer.state_dict());
  taken->deleter(taken);
}

// Runs lend their tensors for the call.
TEST(Optimizer, RefusesAnUpdateThatKeepsWhatItWasLent) {
  class Keeping : public optim::Optimizer {
   public:
    explicit Keeping(const Tensor& p) : Optimizer({{{p}, 1}}, {}) {}
    std::string_view name() const override { return "Keeping"; }
    void update(const Run& run) override { kept = run.value; }
    Tensor kept;
  };
  Tensor p = parameter({1, 2});
  Keeping optimizer(p);
  p.sum().backward();
  EXPECT_THROW(optimizer.step(), StateError);
}

TEST(Optimizer, GroupsHaveTheirOwnOptions) {
  Tensor a = parameter({1}), b = parameter({1});
  Sgd optimizer(
      {{.parameters = {a}, .options = {.lr = 0.1}}, {.parameters = {b}, .options = {.lr = 0.01, .momentum = 0.9}}});
  EXPECT_EQ(optimizer.num_groups(), 2u);
  EXPECT_EQ(optimizer.lr(1), 0.01);
  for (int step = 0; step < 2; ++step) {
    set_grad(a, {1});
    set_grad(b, {1});
    optimizer.step();
  }
  EXPECT_NEAR(a.item<double>(), 1 - 0.2, 1e-15);
  EXPECT_NEAR(b.item<double>(), 1 - 0.01 - 0.019, 1e-15);
  optimizer.set_lr(1, 0.5);
  EXPECT_EQ(optimizer.lr(0), 0.1);
  EXPECT_EQ(optimizer.lr(1), 0.5);
  optimizer.set_lr(0.25);
  EXPECT_EQ(optimizer.lr(0), 0.25);
  EXPECT_THROW(optimizer.lr(2), IndexError);
  EXPECT_THROW(optimizer.set_lr(-1), ValueError);
  EXPECT_THROW(optimizer.set_lr(NAN), ValueError);
}

TEST(Optimizer, AStateKnowsItsGroups) {
  const auto of = [](const std::vector<std::size_t>& sizes) {
    std::vector<optim::ParameterGroup<optim::SgdOptions>> groups;
    for (const std::size_t size : sizes) {
      groups.push_back({.parameters = {}, .options = {.lr = 0.1 * static_cast<double>(groups.size() + 1)}});
      while (groups.back().parameters.size() < size) groups.back().parameters.push_back(parameter({1}));
    }
    return Sgd(groups);
  };
  Sgd optimizer = of({1, 2});
  Sgd other = of({2, 1});
  EXPECT_THROW(other.load_state_dict(optimizer.state_dict()), FormatError);
  EXPECT_EQ(other.lr(0), 0.1);
  optimizer.set_lr(0, 0.7);
  Sgd same = of({1, 2});
  same.load_state_dict(optimizer.state_dict());
  EXPECT_EQ(same.lr(0), 0.7);
}

TEST(Optimizer, LeavesFrozenWeightsAlone) {
  Tensor a = parameter({1}), b = parameter({2}), c = parameter({3});
  AdamW optimizer({a, b, c}, {.lr = 0.1, .weight_decay = 0.5});
  const auto step = [&] {
    for (Tensor p : {a, b, c}) p.set_grad(tensor({1}, f64));
    optimizer.step();
  };
  b.requires_grad_(false);
  step();
  EXPECT_EQ(b.item<double>(), 2);
  EXPECT_LT(a.item<double>(), 1);
  EXPECT_NEAR(a.item<double>() - 1 + 0.05, c.item<double>() - 3 + 0.15, 1e-12);
  for (const auto& [name, tensor] : optimizer.state_dict()) EXPECT_FALSE(name.starts_with("1.")) << name;
  b.requires_grad_();
  step();
  EXPECT_NEAR(b.item<double>(), 2 - 0.1 - 0.1, 1e-8);  // its first step, by its own count
}

// Frozen from the start: no gradient, no state, no copy; thawed, it moves as any other.
TEST(Optimizer, WeightsFrozenFromTheStartTakeNoMemory) {
  constexpr std::int64_t kMany = 1 << 20;
  Tensor a = parameter({1}), c = parameter({3}), b = ones({kMany}, f64);
  const void* place = b.span<double>().data();
  const std::int64_t before = memory_statistics().in_use;
  AdamW optimizer({a, b, c}, {.lr = 0.1, .weight_decay = 0.5});
  const auto step = [&] {
    a.set_grad(tensor({1}, f64));
    c.set_grad(tensor({1}, f64));
    if (b.requires_grad()) b.set_grad(ones({kMany}, f64));
    optimizer.step();
    optimizer.zero_grad();
  };
  step();
  EXPECT_LT(memory_statistics().in_use, before + kMany);
  EXPECT_EQ(b.span<double>().data(), place);
  EXPECT_NEAR(a.item<double>() - 1 + 0.05, c.item<double>() - 3 + 0.15, 1e-12);
  b.requires_grad_();
  step();
  EXPECT_NEAR(b[kMany - 1].item<double>(), 1 - 0.05 - 0.1, 1e-8);  // its first step, by its own count
  step();
  const auto state = optimizer.state_dict();
  // Taken over by one that has room for it, and by one that has not.
  for (const bool frozen : {false, true}) {
    Tensor a2 = a.detach().clone().requires_grad_(), c2 = c.detach().clone().requires_grad_(), b2 = b.detach().clone();
    if (!frozen) b2.requires_grad_();
    AdamW other({a2, b2, c2}, {.lr = 0.1, .weight_decay = 0.5});
    other.load_state_dict(state);
    b2.requires_grad_();
    const Tensor expected = b.detach().clone();
    Tensor same = expected.clone().requires_grad_();
    AdamW reference({parameter({0}), same, parameter({0})}, {.lr = 0.1, .weight_decay = 0.5});
    reference.load_state_dict(state);
    for (Tensor* p : {&b2, &same}) p->set_grad(ones({kMany}, f64));
    other.step();
    reference.step();
    EXPECT_EQ(b2.to_vector<double>(), same.to_vector<double>());
    EXPECT_EQ(other.state_dict().size(), state.size());
  }
}

// Every kind, with options that use all of its states.
const std::vector<optim::OptimizerOptions> kEvery{
    optim::SgdOptions{.lr = 0.1, .momentum = 0.9},
    optim::AdamOptions{.lr = 1e-2, .amsgrad = true},
    optim::AdamWOptions{.lr = 1e-2},
    optim::NAdamOptions{.lr = 1e-2},
    optim::RAdamOptions{.lr = 1e-2, .beta2 = 0.9},
    optim::RmspropOptions{.lr = 1e-3, .momentum = 0.5, .centered = true},
    optim::AdagradOptions{.lr_decay = 0.1, .initial = 0.1},
    optim::AdadeltaOptions{},
    optim::LionOptions{.lr = 1e-3},
};

TEST(Optimizer, GroupsOfEveryKindAreOptimizersOfTheirOwn) {
  const auto check = []<class Options>(const Options& first, Options second) {
    second.weight_decay = 0.3;
    second.lr *= 2;
    second.maximize = true;
    if constexpr (requires { second.momentum; }) second.momentum = 0;
    if constexpr (requires { second.centered; }) second.centered = false;
    if constexpr (requires { second.amsgrad; }) second.amsgrad = false;
    if constexpr (requires { second.beta1; }) second.beta1 = 0.5;
    using Kind = optim::ElementwiseOptimizer<Options>;
    using Group = optim::ParameterGroup<Options>;
    const auto run = [&](bool together) {
      Tensor a = parameter({1, 2}), b = parameter({3}), c = parameter({4});
      std::vector<std::unique_ptr<Kind>> all;
      if (together) {
        all.push_back(std::make_unique<Kind>(std::vector<Group>{{{a, b}, first}, {{c}, second}}));
      } else {
        all.push_back(std::make_unique<Kind>(std::vector<Tensor>{a, b}, first));
        all.push_back(std::make_unique<Kind>(std::vector<Tensor>{c}, second));
      }
      for (int step = 0; step < 4; ++step) {
        set_grad(a, {1.0 + step, -2});
        set_grad(b, {0.5});
        set_grad(c, {-1.0 - step});
        for (auto& optimizer : all) optimizer->step();
      }
      return std::vector{a.to_vector<double>(), b.to_vector<double>(), c.to_vector<double>()};
    };
    EXPECT_EQ(run(true), run(false)) << Kind({parameter({1})}).name();
  };
  for (const optim::OptimizerOptions& options : kEvery) {
    optim::internal::visit(options, [&](const auto& o) { check(o, o); });
  }
}

// What constructing with `options` says.
std::string complaint(const optim::OptimizerOptions& options) {
  try {
    optim::make_optimizer(options, {parameter({1})});
  } catch (const ValueError& error) {
    return error.what();
  }
  return "";
}

TEST(Optimizer, ChecksItsOptions) {
  Tensor p = parameter({1});
  EXPECT_THROW(Sgd({}, {}), ValueError);
  EXPECT_THROW(Sgd({p, p}), ValueError);
  EXPECT_THROW(Sgd({p, ones({1}).requires_grad_()}), DTypeError);
  using namespace optim;
  const std::pair<OptimizerOptions, const char*> bad[] = {
      {SgdOptions{.lr = -1}, "[SGD] expected lr finite and at least 0, got -1"},
      {SgdOptions{.lr = NAN}, "[SGD] expected lr"},
      {SgdOptions{.momentum = -1}, "[SGD] expected momentum"},
      {SgdOptions{.nesterov = true}, "[SGD] expected momentum above 0 and dampening 0 with nesterov"},
      {SgdOptions{.weight_decay = INFINITY}, "[SGD] expected weight_decay"},
      {AdamWOptions{.beta1 = 1}, "[AdamW] expected beta1 in [0, 1), got 1"},
      {AdamWOptions{.beta2 = -0.1}, "[AdamW] expected beta2"},
      {AdamWOptions{.epsilon = -1}, "[AdamW] expected epsilon"},
      {AdamOptions{.beta2 = NAN}, "[Adam] expected beta2"},
      {NAdamOptions{.momentum_decay = -1}, "[NAdam] expected momentum_decay"},
      {RAdamOptions{.lr = -0.5}, "[RAdam] expected lr"},
      {RmspropOptions{.alpha = 1.5}, "[RMSprop] expected alpha in [0, 1)"},
      {AdagradOptions{.lr_decay = -1}, "[Adagrad] expected lr_decay"},
      {AdagradOptions{.initial = -1}, "[Adagrad] expected initial"},
      {AdadeltaOptions{.rho = 1}, "[Adadelta] expected rho"},
      {LionOptions{.weight_decay = -1}, "[Lion] expected weight_decay"},
  };
  for (const auto& [options, text] : bad) EXPECT_EQ(complaint(options).find(text), 0u) << complaint(options);
  for (const OptimizerOptions& options : kEvery) EXPECT_EQ(complaint(options), "");
}

nn::Sequential network() {
  manual_seed(2);
  return nn::Sequential{nn::Linear(40, 64), nn::Relu(), nn::Dropout(0.3),
                        nn::Linear(64, 32), nn::Tanh(), nn::Linear(32, 1)};
}

// Some steps of training with dropout; the generator goes on from where it stands.
void train(nn::Module& model, optim::Optimizer& optimizer, int from, int to) {
  const Tensor x = [] {
    GeneratorScope scope({.seed = 77});
    return randn({512, 40});
  }();
  const Tensor y = (x.slice(1, 0, 1) > 0).to(f32);
  for (int step = from; step < to; ++step) {
    optimizer.zero_grad();
    const int row = 256 * (step % 2);
    bce_with_logits(model(x.slice(0, row, row + 256)), y.slice(0, row, row + 256)).backward();
    optim::clip_grad_norm(optimizer.parameters(), 1.0);
    optimizer.step();
  }
}

std::string trained_bytes(const optim::OptimizerOptions& options) {
  nn::Sequential model = network();
  const auto optimizer = optim::make_optimizer(options, model.parameters());
  train(model, *optimizer, 0, 6);
  return to_safetensors(nn::weights_of(model));
}

TEST(Training, HasTheSameBitsAtAnyNumberOfThreads) {
  for (const optim::OptimizerOptions& options : kEvery) {
    set_num_threads(1);
    const std::string one = trained_bytes(options);
    set_num_threads(2);
    EXPECT_EQ(trained_bytes(options), one);
    set_num_threads(5);
    std::mutex mutex;
    std::set<std::thread::id> seen;
    for (int round = 0; round < 1000 && seen.size() < 5; ++round) {
      parallel_for(64, 1, [&](std::int64_t, std::int64_t) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        std::lock_guard lock(mutex);
        seen.insert(std::this_thread::get_id());
      });
    }
    EXPECT_EQ(seen.size(), 5u);
    EXPECT_EQ(trained_bytes(options), one);
    set_num_threads(0);
  }
}

TEST(Training, GoesOnFromASavedStateBitForBit) {
  for (const optim::OptimizerOptions& options : kEvery) {
    nn::Sequential model = network();
    const auto optimizer = optim::make_optimizer(options, model.parameters());
    train(model, *optimizer, 0, 3);
    optimizer->set_lr(0.02);
    const std::string weights = to_safetensors(nn::weights_of(model));
    const std::string state = to_safetensors({.tensors = optimizer->state_dict()});
    const Generator generator = default_generator();
    train(model, *optimizer, 3, 6);

    nn::Sequential other = network();
    const auto resumed = optim::make_optimizer(options, other.parameters());
    nn::load_weights(other, from_safetensors(weights));
    resumed->load_state_dict(from_safetensors(state).tensors);
    EXPECT_EQ(resumed->lr(), 0.02);
    default_generator() = generator;
    train(other, *resumed, 3, 6);
    EXPECT_EQ(to_safetensors(nn::weights_of(other)), to_safetensors(nn::weights_of(model)));
    EXPECT_EQ(to_safetensors({.tensors = resumed->state_dict()}), to_safetensors({.tensors = optimizer->state_dict()}));
  }
}

TEST(Optimizer, StateHasPyTorchsNamesAndIsChecked) {
  Tensor a = parameter({1, 2}), b = parameter({3});
  AdamW optimizer({a, b}, {.lr = 0.1});
  set_grad(a, {1, 2});
  optimizer.step();
  const nn::NamedTensors state = optimizer.state_dict();
  ASSERT_EQ(state.size(), 5u);
  EXPECT_EQ(state[0].first, "optimizer");
  EXPECT_EQ(state[1].first, "step");
  EXPECT_EQ(state[1].second.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(state[2].first, "lr");
  EXPECT_EQ(state[3].first, "0.exp_avg");
  EXPECT_EQ(state[4].first, "0.exp_avg_sq");

  const auto broken = [&](auto change) {
    nn::NamedTensors other = state;
    change(other);
    EXPECT_THROW(optimizer.load_state_dict(other), FormatError);
  };
  broken([](auto& s) { s.erase(s.begin()); });
  broken([](auto& s) { s.pop_back(); });
  broken([](auto& s) { s.emplace_back("more", ones({1})); });
  broken([](auto& s) { s[0].second = ones({5}, u8); });
  broken([](auto& s) { s[0].second = ones({5}); });
  broken([](auto& s) { s[3].second = ones({3}, f64); });
  broken([](auto& s) { s[3].second = ones({2}); });
  broken([](auto& s) { s[1].second = from_vector(std::vector<std::int64_t>{-1, 0}); });
  broken([](auto& s) { s[2].second = tensor({-1}, f64); });
  EXPECT_EQ(to_safetensors({.tensors = optimizer.state_dict()}), to_safetensors({.tensors = state}));
  optimizer.load_state_dict(state);
}

TEST(Optimizer, RefusesTheStateOfAnother) {
  const auto stepped = [](const optim::OptimizerOptions& options) {
    Tensor p = parameter({1, 2});
    auto optimizer = optim::make_optimizer(options, {p});
    set_grad(p, {1, 2});
    optimizer->step();
    return std::make_pair(p, std::move(optimizer));
  };
  for (std::size_t i = 0; i < kEvery.size(); ++i) {
    for (std::size_t j = 0; j < kEvery.size(); ++j) {
      if (i == j) continue;
      const auto [p, optimizer] = stepped(kEvery[i]);
      const std::string before = to_safetensors({.tensors = optimizer->state_dict()});
      EXPECT_THROW(optimizer->load_state_dict(stepped(kEvery[j]).second->state_dict()), FormatError) << i << " " << j;
      EXPECT_EQ(to_safetensors({.tensors = optimizer->state_dict()}), before);
    }
  }
  // The same method without the state that an option needs.
  const auto [p, largest] = stepped(optim::AdamOptions{.amsgrad = true});
  EXPECT_THROW(largest->load_state_dict(stepped(optim::AdamOptions{}).second->state_dict()), FormatError);
}

// A step is that of the f32 copy, rounded; states are f32, and saved and loaded as such.
TEST(Optimizer, HalfParametersStepInF32) {
  const auto floats = [](const Tensor& x) { return x.detach().to(f32).to_vector<float>(); };
  for (const DType half : {f16, bf16}) {
    for (const optim::OptimizerOptions& options : kEvery) {
      Tensor p = tensor({1, -2, 0.3}, half).requires_grad_(), wide = p.detach().to(f32).requires_grad_();
      const auto optimizer = optim::make_optimizer(options, {p}), reference = optim::make_optimizer(options, {wide});
      SCOPED_TRACE(std::string(optimizer->name()) + " " + std::string(name(half)));
      for (int step = 0; step < 3; ++step) {
        p.set_grad(tensor({0.5, 3, -0.1}, half));
        wide.set_grad(p.grad().to(f32));
        optimizer->step();
        reference->step();
        NoGrad guard;
        wide.copy_(wide.detach().to(half));
        EXPECT_EQ(floats(p), floats(wide));
      }
      EXPECT_EQ(p.dtype(), half);
      EXPECT_NE(floats(p), (std::vector<float>{1, -2, 0.3f}));
      for (const auto& [name, state] : optimizer->state_dict()) EXPECT_FALSE(is_half(state.dtype())) << name;
      optim::make_optimizer(options, {p})->load_state_dict(optimizer->state_dict());
    }
  }
  EXPECT_THROW(optim::Lbfgs({tensor({1}, bf16).requires_grad_()}, {}), DTypeError);
}

TEST(Optimizer, TrainsANetworkInBf16) {
  manual_seed(4);
  nn::Sequential model{nn::Linear(6, 32), nn::Tanh(), nn::Linear(32, 1)};
  model.to(bf16);
  AdamW optimizer(model.parameters(), {.lr = 0.02});
  const Tensor x = randn({128, 6}, bf16), target = (x.slice(1, 0, 1) * x.slice(1, 1, 2)).detach();
  double first = 0, last = 0;
  for (int step = 0; step < 150; ++step) {
    optimizer.zero_grad();
    const Tensor loss = mse_loss(model(x), target);
    ASSERT_EQ(loss.dtype(), bf16);
    loss.backward();
    optim::clip_grad_norm(model.parameters(), 1);
    optimizer.step();
    last = loss.item<double>();
    if (step == 0) first = last;
  }
  EXPECT_LT(last, 0.2 * first);
}

TEST(Optimizer, FrozenWeightsDoNotCountOnTheDevice) {
  Tensor a = parameter({1, 2}), frozen = tensor({3}, f64);
  AdamW optimizer({frozen, a}, {.lr = 0.1});
  set_grad(a, {1, -1});
  optimizer.step();
  optimizer.keep_on_device();
  optimizer.step();
  const auto state = optimizer.state_dict();
  EXPECT_EQ(state[1].second.to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 2}));
  optimizer.load_state_dict(state);
  optimizer.step();
  EXPECT_EQ(optimizer.state_dict()[1].second.to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 3}));
}

TEST(Optimizer, WeightsMayNotFreezeOrThawOnTheDevice) {
  Tensor a = parameter({1, 2}), b = parameter({3}), frozen = tensor({4}, f64);
  AdamW optimizer({a, b, frozen}, {.lr = 0.1});
  optimizer.keep_on_device();
  const auto step = [&] {
    optimizer.zero_grad();
    ((a * b).sum() + frozen.sum()).backward();
    optimizer.step();
  };
  step();
  const auto counts = [&] { return optimizer.state_dict()[1].second.to_vector<std::int64_t>(); };
  b.requires_grad_(false);
  EXPECT_THROW(step(), StateError);
  EXPECT_EQ(counts(), (std::vector<std::int64_t>{1, 1, 0}));
  b.requires_grad_();
  frozen.requires_grad_();
  EXPECT_THROW(step(), StateError);
  frozen.requires_grad_(false);
  step();
  EXPECT_EQ(counts(), (std::vector<std::int64_t>{2, 2, 0}));
}

TEST(Optimizer, ErrorsBearTheNameOfWhatWasCalled) {
  Tensor a = parameter({1, 2}), b = parameter({3});
  const auto starts = [](const auto& call, const std::string& with) {
    try {
      call();
      ADD_FAILURE() << "expected an error: " << with;
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).rfind(with, 0), 0u) << error.what();
    }
  };
  starts([&] { AdamW({{{a}, {}}, {{b, a}, {}}}); }, "[optimizer] expected each parameter once, got one twice");
  AdamW optimizer({a, b}, {.lr = 0.1});
  nn::NamedTensors state = optimizer.state_dict();
  state[2].second = Tensor();
  const auto load = [&] { optimizer.load_state_dict(state); };
  EXPECT_THROW(load(), FormatError);
  state = optimizer.state_dict();
  state.push_back(state[2]);
  EXPECT_THROW(load(), FormatError);
  starts(load, "[load_state_dict] expected \"lr\" once, got it twice");
  Tensor c = parameter({1, 2, 3});
  c.set_grad(tensor({5}, f64).expand({3}));
  starts([&] { optim::clip_grad_norm({a, c}, 1); }, "[clip_grad_norm] expected gradients whose elements lie apart");
  starts([&] { optim::clip_grad_value({a, c}, 1); }, "[clip_grad_value] expected gradients whose elements lie apart");
  starts([] { uniform({1}, -1e308, 1e308); }, "[uniform] expected low < high, a finite distance apart");
  starts([] { from_vector(std::vector<float>{1, 2}, {3}); }, "[from_vector] expected 3 elements");
}

TEST(ClipGradValue, HoldsEachElement) {
  Tensor a = parameter({1, 2, 3}), none = parameter({5});
  set_grad(a, {-3, 0.5, NAN});
  optim::clip_grad_value({a, none}, 2);
  const auto clipped = a.grad().to_vector<double>();
  EXPECT_EQ(clipped[0], -2);
  EXPECT_EQ(clipped[1], 0.5);
  EXPECT_TRUE(std::isnan(clipped[2]));
  EXPECT_FALSE(none.grad().defined());
  EXPECT_THROW(optim::clip_grad_value({a}, 0), ValueError);
  EXPECT_THROW(optim::clip_grad_value({a}, NAN), ValueError);
}

TEST(ClipGradNorm, IsTheFactorsAtTheEndsOfF32) {
  Tensor a = zeros({2}).requires_grad_();
  for (const float size : {1e20F, 1e-30F}) {
    a.set_grad(full({2}, size));
    const double factor = optim::clip_factor({a}, 1e-31).item<double>();
    const double norm = optim::clip_grad_norm({a}, 1e-31);
    EXPECT_NEAR(norm / size, std::sqrt(2.0), 1e-6);
    EXPECT_NEAR(factor / (1e-31 / (norm + 1e-6)), 1, 1e-9);
  }
}

TEST(ClipGradNorm, LeavesSmallAndBadGradientsAlone) {
  Tensor a = parameter({1, 2}), b = parameter({3}), none = parameter({5});
  set_grad(a, {3, 0});
  set_grad(b, {4});
  EXPECT_DOUBLE_EQ(optim::clip_grad_norm({a, b, none}, 10), 5);
  EXPECT_EQ(a.grad().to_vector<double>(), (std::vector<double>{3, 0}));
  set_grad(b, {NAN});
  EXPECT_TRUE(std::isnan(optim::clip_grad_norm({a, b, none}, 1)));
  set_grad(b, {std::numeric_limits<double>::infinity()});
  EXPECT_TRUE(std::isinf(optim::clip_grad_norm({a, b, none}, 1)));
  EXPECT_EQ(a.grad().to_vector<double>(), (std::vector<double>{3, 0}));
  EXPECT_EQ(optim::clip_grad_norm({none}, 1), 0);
  EXPECT_THROW(optim::clip_grad_norm({a}, 0), ValueError);
}

}  // namespace
