#include "tern/tensor/device.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "device/stand_in.h"
#include "message_of.h"
#include "tensor/impl.h"
#include "tern/autograd/autograd.h"
#include "tern/autograd/function.h"
#include "tern/autograd/hooks.h"
#include "tern/base/random.h"
#include "tern/data/loader.h"
#include "tern/nn/architecture.h"
#include "tern/nn/linear.h"
#include "tern/nn/sequential.h"
#include "tern/ops/binary.h"
#include "tern/ops/dropout.h"
#include "tern/ops/index.h"
#include "tern/ops/loss.h"
#include "tern/ops/matmul.h"
#include "tern/ops/shape.h"
#include "tern/ops/softmax.h"
#include "tern/optim/clip.h"
#include "tern/optim/lbfgs.h"
#include "tern/optim/optimizers.h"
#include "tern/tensor/capture.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/dlpack.h"
#include "tern/tensor/memory.h"

namespace {

using namespace tern;

TEST(Device, NamesAndTexts) {
  EXPECT_EQ(to_string(cpu()), "cpu");
  EXPECT_EQ(to_string(cuda(3)), "cuda:3");
  EXPECT_EQ(device_from("cuda:12"), cuda(12));
  EXPECT_EQ(device_from("cuda"), cuda(0));
  EXPECT_EQ(device_from("cpu"), cpu());
  for (const char* bad : {"", "gpu", "cuda:", "cuda:-1", "cuda:1x", "cuda:128", "cuda: 1", "CUDA"}) {
    EXPECT_THROW(device_from(bad), ValueError) << bad;
  }
}

TEST(Device, WhatIsNotThereSaysWhy) {
  EXPECT_EQ(device_count(DeviceKind::cpu), 1);
  if (cuda_available()) GTEST_SKIP() << "this machine has a GPU";
  const std::string text = message_of<DeviceError>([] { zeros({2}, f32, cuda()); });
  EXPECT_EQ(text.rfind("[device] expected cuda:0, got ", 0), 0u) << text;
  EXPECT_EQ(message_of<DeviceError>([] { zeros({2}).to(cuda()); }), text);
  EXPECT_EQ(message_of<DeviceError>([] { synchronize(cuda()); }), text);
  EXPECT_EQ(message_of<DeviceError>([] { memory_statistics(cuda()); }), text);
  EXPECT_EQ(message_of<DeviceError>([] { CapturedStep(cuda(), [] {}); }), text);
  EXPECT_NO_THROW(synchronize(cpu()));
}

// Above the kernels, on a device made of the host.
class StandIn : public ::testing::Test {
  stand_in::Scope scope_;
};

TEST_F(StandIn, CopiesThereAndBack) {
  const Tensor x = tensor({1, 2, 3, 4}).reshape({2, 2});
  const Tensor y = x.to(cuda());
  EXPECT_EQ(y.device(), cuda());
  EXPECT_TRUE(y.to(cuda()).is_same(y));
  EXPECT_EQ(y.to(cpu()).to_vector<float>(), x.to_vector<float>());
  EXPECT_EQ(y.t().to_vector<float>(), x.t().to_vector<float>());
  EXPECT_EQ(y.t().to(cpu()).to_vector<float>(), x.t().to_vector<float>());
  EXPECT_EQ(x.t().to(cuda()).to_vector<float>(), x.t().to_vector<float>());
  EXPECT_EQ(y[1][0].item<float>(), 3);
  const int before = stand_in::runtime().waits;
  const Tensor later = y.to(cpu(), true);
  EXPECT_EQ(stand_in::runtime().waits, before);
  synchronize(cuda());
  EXPECT_EQ(later.to_vector<float>(), x.to_vector<float>());
  EXPECT_EQ(to_string(y), "f32 [2, 2] on cuda:0\n[[1, 2],\n [3, 4]]");
  EXPECT_EQ(to_string(y[0]), "f32 [2] on cuda:0 [1, 2]");
  Tensor z = zeros({2, 2}, f64);
  z.copy_(y);
  EXPECT_EQ(z.to_vector<double>(), (std::vector<double>{1, 2, 3, 4}));
  Tensor w = zeros({3, 2, 2}, bf16, cuda());
  w.copy_(x);
  EXPECT_EQ(w.sum().item<double>(), 30);
  EXPECT_EQ(zeros({0, 3}, f32, cuda()).to(cpu()).numel(), 0);
}

TEST_F(StandIn, LoadersPutBatchesThere) {
  const data::Dataset rows({{"x", tensor({1, 2, 3, 4}).reshape({4, 1})}, {"y", tensor({1, 2, 3, 4}, i64)}});
  for (const data::Batch& batch : data::Loader(rows, {.batch_size = 2, .device = cuda()})) {
    EXPECT_EQ(batch.x().device(), cuda());
    EXPECT_EQ(batch.y().device(), cuda());
    EXPECT_EQ(batch.x().to(cpu()).to_vector<float>()[0], batch.y().to(cpu()).to_vector<std::int64_t>()[0]);
  }
}

TEST_F(StandIn, CreationAndRandom) {
  EXPECT_EQ(ones({3}, i64, cuda()).sum().item<int>(), 3);
  EXPECT_EQ(full({2}, 2.5, f32, cuda()).to_vector<float>(), (std::vector<float>{2.5f, 2.5f}));
  EXPECT_EQ(arange(3, f32, cuda()).to_vector<float>(), (std::vector<float>{0, 1, 2}));
  EXPECT_EQ(zeros_like(ones({2}, u8, cuda())).device(), cuda());
  manual_seed(5);
  const auto on_host = rand({100});
  manual_seed(5);
  EXPECT_EQ(rand({100}, f32, cuda()).to_vector<float>(), on_host.to_vector<float>());
}

TEST_F(StandIn, TheHostDoesNotReachIn) {
  Tensor x = ones({2}, f32, cuda());
  EXPECT_EQ(message_of<DeviceError>([&] { x.span<float>(); }),
            "[span] expected a tensor on the CPU, got one on cuda:0; to(cpu()) copies it");
  EXPECT_THROW(x.mutable_span<float>(), DeviceError);
  EXPECT_THROW(to_dlpack(x), DeviceError);
  EXPECT_DEATH(static_cast<volatile char*>(static_cast<void*>(x.impl()->data))[0] = 1, "") << "its memory is closed";
}

TEST_F(StandIn, MixedDevicesNameTheOpAndTheDevices) {
  const Tensor here = ones({2, 2}), there = ones({2, 2}, f32, cuda());
  const auto mixed = [](const char* op, const char* order = "cuda:0 and cpu") {
    return "[" + std::string(op) + "] expected tensors on one device, got " + order;
  };
  EXPECT_EQ(message_of<DeviceError>([&] { there + here; }), mixed("add"));
  EXPECT_EQ(message_of<DeviceError>([&] { here* there; }), mixed("mul", "cpu and cuda:0"));
  EXPECT_EQ(message_of<DeviceError>([&] { where(here > 0, there, there); }), mixed("where"));
  EXPECT_EQ(message_of<DeviceError>([&] { (void)(there < here); }), mixed("lt"));
  EXPECT_EQ(message_of<DeviceError>([&] { matmul(there, here); }), mixed("matmul"));
  EXPECT_EQ(message_of<DeviceError>([&] { linear(there, here); }), mixed("linear"));
  EXPECT_EQ(message_of<DeviceError>([&] { cat({there, here}); }), mixed("cat"));
  EXPECT_EQ(message_of<DeviceError>([&] { cross_entropy(there, tensor({0, 1}, i64)); }), mixed("cross_entropy"));
  EXPECT_EQ(message_of<DeviceError>([&] { mse_loss(there, here); }), mixed("mse_loss"));
  Tensor sum = there.clone();
  EXPECT_EQ(message_of<DeviceError>([&] { sum.add_(here); }), mixed("add_"));
  Tensor put = there.clone();
  for (const Tensor& values : {here[0], ones({2})}) {
    EXPECT_EQ(message_of<DeviceError>([&] { put.index_put_({tensor({1}, i64)}, values); }), mixed("index_put_"));
    EXPECT_EQ(message_of<DeviceError>([&] { put.index_put_({Slice{0, 1}}, values); }), mixed("index_put_"));
    EXPECT_EQ(message_of<DeviceError>([&] { index_put(put, {tensor({1}, i64)}, values); }), mixed("index_put"));
  }
  Tensor of_host = here.clone();
  EXPECT_EQ(message_of<DeviceError>([&] { of_host.index_put_({tensor({1}, i64)}, there[0]); }),
            mixed("index_put_", "cpu and cuda:0"));
  EXPECT_EQ(message_of<DeviceError>([&] { slice_scatter(there, here.slice(0, 0, 1), 0, 0, 1); }),
            mixed("slice_scatter"));
  EXPECT_EQ(message_of<DeviceError>([&] { diagonal_scatter(there, here[0]); }), mixed("diagonal_scatter"));
  Tensor leaf = ones({2, 2}, f32, cuda()).requires_grad_();
  EXPECT_EQ(message_of<DeviceError>([&] { leaf.set_grad(here); }), mixed("set_grad"));
  EXPECT_THROW(optim::Sgd({leaf, ones({2}).requires_grad_()}, {.lr = 0.1}), DeviceError);
  // A number of no dimensions goes along; one that needs a gradient does not.
  EXPECT_EQ((there * scalar(2)).device(), cuda());
  EXPECT_EQ((scalar(2) - there).to_vector<float>(), (std::vector<float>(4, 1)));
  EXPECT_EQ((3 / there).device(), cuda());
  EXPECT_EQ(where(there > 0, 1, 2).device(), cuda());
  EXPECT_THROW(there * scalar(2).requires_grad_(), DeviceError);
  put.index_put_({tensor({1}, i64)}, scalar(7));
  EXPECT_EQ(index_put(put, {tensor({0}, i64)}, scalar(5)).to_vector<float>(), (std::vector<float>{5, 5, 7, 7}));
}

// Kernels take what these give as it comes.
TEST_F(StandIn, GradientsFromAnotherDeviceAreRefused) {
  const Tensor x = ones({2, 3}, f32, cuda()).requires_grad_();
  const Tensor y = softmax(x, 1);
  y.register_hook([](const Tensor& g) { return g.to(cpu()); });
  EXPECT_EQ(message_of<DeviceError>([&] { (y * y).sum().backward(); }),
            "[hook] expected tensors on one device, got cuda:0 and cpu");
  const Function twice(
      "twice", [](FunctionContext&, const std::vector<Tensor>& in) { return in[0] * 2; },
      [](const FunctionContext&, const Tensor& g) { return std::vector<Tensor>{(g * 2).to(cpu())}; });
  EXPECT_EQ(message_of<DeviceError>([&] { twice({softmax(x, 1)}).sum().backward(); }),
            "[twice] expected tensors on one device, got cuda:0 of input 0 and cpu");
}

TEST_F(StandIn, AModelTrainsAsOnTheCpu) {
  const auto trained = [](Device device) {
    manual_seed(3);
    nn::Sequential model(nn::Linear(4, 8), nn::Linear(8, 3));
    model.to(device);
    optim::AdamW optimizer(model.parameters(), {.lr = 1e-2});
    const Tensor x = randn({16, 4}).to(device), target = randint(0, 3, {16}).to(device);
    for (int i = 0; i < 5; ++i) {
      optimizer.zero_grad();
      const Tensor loss = cross_entropy(dropout(model(x), 0.2), target);
      loss.backward();
      optim::clip_grad_norm(model.parameters(), 1);
      optimizer.step();
    }
    EXPECT_EQ(model.parameters()[0].device(), device);
    std::vector<float> all;
    for (const Tensor& p : model.parameters()) {
      for (const float value : p.to_vector<float>()) all.push_back(value);
    }
    return all;
  };
  const std::vector<float> here = trained(cpu()), there = trained(cuda());
  ASSERT_EQ(here.size(), there.size());
  for (std::size_t i = 0; i < here.size(); ++i) EXPECT_NEAR(here[i], there[i], 1e-6) << i;
}

TEST_F(StandIn, ModulesMoveInPlace) {
  nn::Linear layer(3, 2);
  const Tensor weight = layer.weight;
  linear(ones({1, 3}), layer.weight).sum().backward();
  layer.to(cuda());
  EXPECT_EQ(weight.device(), cuda());
  EXPECT_EQ(weight.grad().device(), cuda());
  EXPECT_EQ(weight.grad().sum().item<float>(), 6);
  const auto copy = nn::clone(layer);
  for (const Tensor& p : copy->parameters()) EXPECT_EQ(p.device(), cuda());
  EXPECT_EQ(copy->parameters()[0].to_vector<float>(), weight.to_vector<float>());
  layer.to(cpu());
  EXPECT_EQ(weight.device(), cpu());
}

TEST_F(StandIn, MemoryIsServedAgain) {
  const auto once = [] { return (ones({1000}, f32, cuda()) * 2).sum().item<float>(); };
  once();
  const auto before = memory_statistics(cuda());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(once(), 2000);
  const auto after = memory_statistics(cuda());
  EXPECT_EQ(after.system_allocations, before.system_allocations);
  EXPECT_GT(after.allocations, before.allocations);
  EXPECT_EQ(after.in_use, before.in_use);
  // A parameter that moved lets its old memory go.
  Tensor p = zeros({1 << 20}, f32, cuda());
  const auto with = memory_statistics(cuda()).in_use;
  optim::Sgd optimizer({p.requires_grad_()}, {.lr = 0.1});
  EXPECT_EQ(memory_statistics(cuda()).in_use, with + (4 << 20)) << "values and gradients, flat, in place of the values";
}

TEST_F(StandIn, ACapturedStepDrawsAfresh) {
  Tensor total = zeros({}, f32, cuda());
  manual_seed(1);
  int runs = 0;
  CapturedStep step(cuda(),
                    [&] {
                      ++runs;
                      total.add_(dropout(ones({10}, f32, cuda()), 0.5).sum());
                    },
                    {.warm_up = 2});
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(default_generator().offset, 20u) << "of the warm-up alone";
  step.replay();
  EXPECT_EQ(stand_in::runtime().replayed, 0u);
  EXPECT_EQ(default_generator().offset, 30u);
  default_generator().reserve(7);
  step.replay();
  EXPECT_EQ(stand_in::runtime().replayed, 20u) << "from 37 on to a multiple of four";
  EXPECT_EQ(default_generator().offset, 50u);
  EXPECT_THROW(CapturedStep(cpu(), [] {}), DeviceError);
  EXPECT_THROW(CapturedStep(cuda(), [] { ones({2}).to(cuda()); }), StateError);
  EXPECT_EQ(ones({2}).to(cuda()).sum().item<float>(), 2) << "nothing is recorded any more";
  CapturedStep moved = std::move(step);
  EXPECT_THROW(step.replay(), StateError);  // NOLINT(bugprone-use-after-move)
  moved.replay();
}

// What is let go while a step is recorded is still the recording's, whoever had it before.
TEST_F(StandIn, MemoryLetGoWithinACaptureStaysItsOwn) {
  Tensor w = ones({1000}, f32, cuda()).requires_grad_();
  Tensor h = ones({1000}, f32, cuda());
  (w * 2).sum().backward();
  const void* const gradient = w.grad().impl()->data;
  const void* const before = h.impl()->data;
  std::vector<Tensor> others;
  {
    CapturedStep step(cuda(),
                      [&] {
                        (w * 2).sum().backward();
                        w.clear_grad();
                        h = h * 2;
                      },
                      {.warm_up = 0});
    for (int i = 0; i < 10; ++i) others.push_back(ones({1000}, f32, cuda()));
    for (const Tensor& other : others) {
      EXPECT_NE(other.impl()->data, gradient);
      EXPECT_NE(other.impl()->data, before);
    }
  }
  bool served = false;
  for (int i = 0; i < 10; ++i) {
    others.push_back(ones({1000}, f32, cuda()));
    served |= others.back().impl()->data == before;
  }
  EXPECT_TRUE(served) << "after the recording";
}

TEST_F(StandIn, OpsThatNeedNoWaitCanBeCaptured) {
  const Tensor x = (arange(12, f32, cuda()).reshape({3, 4}) / 4).detach().requires_grad_();
  const Tensor rows = tensor({2, -1, 0}, i64).to(cuda()), columns = tensor({1, -4, 3}, i64).to(cuda());
  const Tensor places = tensor({0, 2, 2, 1}, i64).to(cuda()).unsqueeze(0);
  CapturedStep step(cuda(), [&] {
    const Tensor table = zeros({3, 4}, f32, cuda());
    const Tensor parts[] = {tril(x),
                            triu(x).sum(0),
                            x[{rows}],
                            x[{rows, columns}],
                            one_hot(rows.slice(0, 2, 3), 3).to(f32) * x[0][0],
                            scatter(table, 0, places, x.slice(0, 0, 1)),
                            index_copy(table, 0, rows.slice(0, 2, 3), x.slice(0, 1, 2)),
                            index_put(table, {rows.slice(0, 2, 3)}, x[1])};
    Tensor total = zeros({}, f32, cuda());
    for (const Tensor& part : parts) total = total + (part * part).sum();
    total.backward();
  });
  EXPECT_EQ((x.detach()[{rows, columns}].to_vector<float>()), (std::vector<float>{2.25f, 2, 0.75f}));
}

TEST_F(StandIn, AReplayNeedsTheSeedOfItsCapture) {
  const auto message = [](CapturedStep& step) { return message_of<StateError>([&] { step.replay(); }); };
  manual_seed(1);
  CapturedStep draws(cuda(), [] { rand({4}, f32, cuda()); });
  CapturedStep draws_nothing(cuda(), [] { ones({4}, f32, cuda()).sum(); });
  draws.replay();
  manual_seed(2);
  EXPECT_EQ(
      message(draws),
      "[replay] expected the generator to have seed 1 and stream 0, from which the captured step draws, got seed 2 "
      "and stream 0");
  draws_nothing.replay();
  {
    const GeneratorScope scope({.seed = 1, .stream = 5});
    EXPECT_NE(message(draws).find("got seed 1 and stream 5"), std::string::npos);
  }
  manual_seed(1);
  draws.replay();
}

TEST_F(StandIn, AReplayCountsAsAWrite) {
  Tensor w = ones({3}, f32, cuda()).requires_grad_();
  Tensor x = ones({3}, f32, cuda()), other = ones({3}, f32, cuda()), host = ones({3});
  optim::Sgd optimizer({w}, {.lr = 0.1, .momentum = 0.9});
  CapturedStep step(cuda(), [&] {
    optimizer.zero_grad();
    (w * x).sum().backward();
    optimizer.step();
    x.mul_(2);
    host.fill_(2);  // is done once
  });
  const auto outcome = [&](const Tensor& saved, bool replays) {
    const Tensor y = saved * w;  // saves both
    if (replays) step.replay();
    return message_of<StateError>([&] { y.sum().backward(); });
  };
  EXPECT_EQ(outcome(other, false), "no error");
  EXPECT_NE(outcome(x, true).find("mul"), std::string::npos);
  EXPECT_NE((outcome(other.clone().requires_grad_(), true)).find("mul"), std::string::npos) << "the optimizer wrote w";
  const Tensor unwritten = other * 1, y = unwritten * w;
  step.replay();
  EXPECT_EQ(message_of<StateError>([&] { y.sum().backward(); }), "no error") << "other was only read";
  const Tensor h = host.clone().requires_grad_(), z = h * host;
  step.replay();
  EXPECT_EQ(message_of<StateError>([&] { z.sum().backward(); }), "no error") << "nothing of the host is written again";
}

TEST_F(StandIn, AnOptimizerKeepsItsNumbersOnTheDevice) {
  const auto run = [](Device device, bool resident) {
    manual_seed(2);
    Tensor p = randn({5}).to(device).requires_grad_();
    optim::AdamW optimizer({p}, {.lr = 0.1});
    if (resident) optimizer.keep_on_device();
    for (int i = 0; i < 4; ++i) {
      optimizer.zero_grad();
      (p * p).sum().backward();
      optimizer.set_lr(0.1 / (1 + i));
      if (resident && i == 2) {
        optimizer.gradient_factor().fill_(0);
        optimizer.step();  // neither moves nor counts
        optimizer.gradient_factor().fill_(1);
      }
      optimizer.step();
    }
    const auto state = optimizer.state_dict();
    EXPECT_EQ(state[1].second.to_vector<std::int64_t>(), std::vector<std::int64_t>{4});
    return p.detach().to_vector<float>();
  };
  const auto expected = run(cpu(), false);
  EXPECT_EQ(run(cpu(), true), expected);
  EXPECT_EQ(run(cuda(), false), expected);

  Tensor p = ones({2}).requires_grad_();
  optim::Sgd sgd({p}, {.lr = 0.1});
  EXPECT_THROW(sgd.keep_on_device(), StateError);
  EXPECT_THROW(sgd.gradient_factor(), StateError);
  optim::Adam adam({p}, {.lr = 0.1});
  adam.keep_on_device();
  EXPECT_THROW(adam.step(), StateError) << "no gradient";
}

TEST_F(StandIn, LbfgsWalksThereAsItDoesHere) {
  const auto run = [](Device device) {
    Tensor x = tensor({-1.2, 1.0}, f64).to(device).requires_grad_(), unused = zeros({1}, f64, device).requires_grad_();
    optim::Lbfgs optimizer({x, unused}, {.line_search = optim::LbfgsOptions::LineSearch::strong_wolfe});
    const auto closure = [&] {
      optimizer.zero_grad();
      const Tensor a = x.slice(0, 0, 1), b = x.slice(0, 1, 2);
      const Tensor loss = (100 * (b - a * a) * (b - a * a) + (1 - a) * (1 - a)).sum();
      loss.backward();
      return loss;
    };
    optimizer.step(closure);
    optimizer.load_state_dict(optimizer.state_dict());
    optimizer.step(closure);
    return x.detach().to_vector<double>();
  };
  const auto here = run(cpu()), there = run(cuda());
  for (std::size_t i = 0; i < here.size(); ++i) EXPECT_NEAR(here[i], there[i], 1e-6);
}

TEST_F(StandIn, TheClippingFactorIsClipGradNorms) {
  Tensor p = zeros({3}).requires_grad_(), q = zeros({2}).requires_grad_();
  const auto give = [&](double scale) {
    p.set_grad(tensor({3, 0, 4}) * scale);
    q.set_grad(tensor({0, 12}) * scale);
  };
  give(1);
  EXPECT_NEAR(optim::clip_factor({p, q}, 6.5).item<double>(), 6.5 / (13 + 1e-6), 1e-12);
  EXPECT_EQ(optim::clip_factor({p, q}, 100).item<double>(), 1);
  give(1024);
  EXPECT_NEAR(optim::clip_factor({p, q}, 6.5, scalar(1024)).item<double>(), 6.5 / (13 + 1e-6) / 1024, 1e-12);
  p.set_grad(full({3}, INFINITY));
  EXPECT_EQ(optim::clip_factor({p, q}, 1).item<double>(), 0);
  p.clear_grad();
  q.clear_grad();
  EXPECT_THROW(optim::clip_factor({p, q}, 1), ValueError);
  EXPECT_THROW(optim::clip_factor({p, q}, 0), ValueError);
}

// What an optimizer laid side by side is one pass, however many parameters it is.
TEST_F(StandIn, ClippingIsOnePassOverFlatGradients) {
  const auto parameters = [](int count, const auto& given) {
    std::vector<Tensor> all;
    for (int i = 0; i < count; ++i) {
      all.push_back(zeros({3, 7 + i}, f32, cuda()).requires_grad_());
      if (given(i)) all.back().set_grad(full({3, 7 + i}, i + 1, f32, cuda()));
    }
    return all;
  };
  const auto squares = [](const std::vector<Tensor>& all) {
    double sum = 0;
    for (const Tensor& p : all) {
      if (p.grad().defined()) sum += (p.grad() * p.grad()).sum().item<double>();
    }
    return sum;
  };
  const auto allocations = [](const std::vector<Tensor>& all) {
    const auto before = memory_statistics(cuda()).allocations;
    optim::clip_factor(all, 1);
    return memory_statistics(cuda()).allocations - before;
  };
  std::vector<Tensor> few = parameters(2, [](int) { return true; }), many = parameters(40, [](int) { return true; });
  EXPECT_GT(allocations(many), allocations(few));
  optim::Sgd of_few(few, {.lr = 0.1}), of_many(many, {.lr = 0.1});
  EXPECT_EQ(allocations(many), allocations(few));
  // With gaps, and one whose gradient lies elsewhere.
  std::vector<Tensor> some = parameters(9, [](int i) { return i % 4 != 1; });
  const optim::Sgd of_some(some, {.lr = 0.1});
  some.push_back(zeros({5}, f16, cuda()).requires_grad_());
  some.back().set_grad(full({5}, 9, f16, cuda()));
  std::swap(some[3], some[7]);
  for (const auto& all : {few, many, some}) {
    EXPECT_NEAR(optim::clip_factor(all, 1).item<double>(), 1 / (std::sqrt(squares(all)) + 1e-6), 1e-12);
    EXPECT_NEAR(optim::clip_grad_norm(all, 1e9), std::sqrt(squares(all)), 1e-9);
  }
}

}  // namespace
