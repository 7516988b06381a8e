#include "tern/nn/linear.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "device/stand_in.h"
#include "tern/autograd/autograd.h"
#include "tern/base/random.h"
#include "tern/nn/activations.h"
#include "tern/nn/architecture.h"
#include "tern/nn/safetensors.h"
#include "tern/nn/sequential.h"
#include "tern/ops/compare.h"
#include "tern/ops/matmul.h"
#include "tern/ops/reduce.h"
#include "tern/ops/unary.h"
#include "tern/optim/average.h"
#include "tern/optim/lbfgs.h"
#include "tern/optim/optimizers.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/dlpack.h"

namespace {

using namespace tern;

nn::Sequential network() {
  manual_seed(5);
  return nn::Sequential{nn::Linear(30, 64), nn::Relu(), nn::Linear(64, 32), nn::Relu(), nn::Linear(32, 1)};
}

std::vector<float> answers(nn::Module& net, const Tensor& x) {
  const NoGrad guard;
  return net(x).to_vector<float>();
}

TEST(PackedWeights, ChangeNoBits) {
  nn::Sequential plain = network(), packed = network();
  nn::pack_weights(packed);
  for (const std::int64_t rows : {1, 2, 7, 100, 600}) {
    const Tensor x = randn({rows, 30});
    EXPECT_EQ(answers(packed, x), answers(plain, x)) << rows;
  }
  const auto& first = static_cast<const nn::Linear&>(packed[0]);
  EXPECT_TRUE(first.weight_to_read().is_same(first.weight));  // gradients are taken through the weight
  const NoGrad guard;
  EXPECT_FALSE(first.weight_to_read().is_same(first.weight));
  EXPECT_EQ(first.weight_to_read().strides()[0], 1);
}

TEST(PackedWeights, OfEachTypeAndShapeChangeNoBits) {
  for (const DType dtype : {f64, f16, bf16}) {
    nn::Sequential plain = network(), packed = network();
    plain.to(dtype);
    packed.to(dtype);
    nn::pack_weights(packed);
    const Tensor x = randn({3, 30}).to(dtype);
    const NoGrad guard;
    EXPECT_TRUE(equal(packed(x), plain(x)));
    const auto& last = static_cast<const nn::Linear&>(packed[4]);
    EXPECT_TRUE(last.weight_to_read().is_same(last.weight));  // a row lies one way alone
  }
}

TEST(PackedWeights, AreReadUntilTheWeightIsWrittenTo) {
  manual_seed(6);
  const Tensor x = rand({3, 30});
  const auto changed = [&](auto change) {
    nn::Sequential plain = network(), packed = network();
    nn::pack_weights(packed);
    const std::vector<float> before = answers(packed, x);
    for (nn::Sequential* net : {&plain, &packed}) {
      const NoGrad guard;
      change(static_cast<nn::Linear&>((*net)[2]).weight);
    }
    EXPECT_EQ(answers(packed, x), answers(plain, x));
    EXPECT_NE(answers(packed, x), before);
    nn::pack_weights(packed);
    EXPECT_EQ(answers(packed, x), answers(plain, x));
  };
  changed([](Tensor& weight) { weight.mul_(2); });
  changed([](Tensor& weight) { weight.slice(0, 3, 32).zero_(); });
  changed([](Tensor& weight) {
    for (float& each : weight.mutable_span<float>()) each = 0.5f;
  });
  changed([](Tensor& weight) { weight = full({32, 64}, 0.25).requires_grad_(); });
}

TEST(PackedWeights, AreNotReadAfterTrainingAveragesConversionsAndLoading) {
  manual_seed(7);
  const Tensor x = randn({3, 30});
  const auto train = [&](nn::Module& net, optim::Optimizer& optimizer) {
    net(x).sum().backward();
    optimizer.step();
    optimizer.zero_grad();
  };
  const auto changed = [&](auto change, DType dtype = f32) {
    nn::Sequential plain = network(), packed = network();
    nn::pack_weights(packed);
    change(plain);
    change(packed);
    const NoGrad guard;
    EXPECT_EQ(packed(x.to(dtype)).to(f64).to_vector<double>(), plain(x.to(dtype)).to(f64).to_vector<double>());
  };
  changed([&](nn::Sequential& net) {
    optim::Sgd optimizer(net.parameters(), {.lr = 0.1});
    train(net, optimizer);
  });
  changed([&](nn::Sequential& net) {
    optim::AdamW optimizer(net.parameters(), {.lr = 0.1});
    nn::pack_weights(net);  // of weights that the optimizer has laid together
    train(net, optimizer);
  });
  changed([&](nn::Sequential& net) { net.to(f64); }, f64);
  changed([&](nn::Sequential& net) {
    nn::Sequential other = network();
    const NoGrad guard;
    for (Tensor& weight : other.parameters()) weight.mul_(3);
    nn::load_weights(net, nn::weights_of(other));
  });
  nn::Sequential plain = network(), packed = network();
  for (nn::Sequential* net : {&plain, &packed}) {
    optim::AdamW optimizer(net->parameters(), {.lr = 0.1});
    optim::WeightAverage average(*net, {.decay = 0.5});
    average.update();
    train(*net, optimizer);
    average.update();
    nn::pack_weights(packed);
    {
      const optim::Averaged scope(average);
      EXPECT_EQ(answers(*net, x).size(), 3u);
    }
    train(*net, optimizer);
  }
  EXPECT_EQ(answers(packed, x), answers(plain, x));
}

TEST(PackedWeights, AreNotReadAfterAStepOfAnyOptimizer) {
  manual_seed(8);
  const Tensor x = randn({3, 30});
  const auto trained = [&](auto step) {
    nn::Sequential plain = network(), packed = network();
    for (nn::Sequential* net : {&plain, &packed}) {
      nn::pack_weights(packed);
      step(*net, [&, net] {
        net->zero_grad();
        const Tensor loss = square((*net)(x)).mean();
        loss.backward();
        return loss;
      });
      const std::vector<float> after = answers(packed, x);
      nn::pack_weights(packed);
      EXPECT_EQ(answers(packed, x), after);
    }
    EXPECT_EQ(answers(packed, x), answers(plain, x));
  };
  const auto by = [](auto make) {
    return [make](nn::Module& net, const auto& loss) {
      auto optimizer = make(net.parameters());
      nn::pack_weights(net);
      loss();
      optimizer.step();
    };
  };
  trained(by([](const auto& p) { return optim::Sgd(p, {.lr = 0.1, .momentum = 0.9}); }));
  trained(by([](const auto& p) { return optim::Adam(p, {.lr = 0.1}); }));
  trained(by([](const auto& p) { return optim::Rmsprop(p, {.lr = 0.1}); }));
  trained(by([](const auto& p) { return optim::Adagrad(p, {.lr = 0.1}); }));
  trained(by([](const auto& p) { return optim::Adadelta(p, {.lr = 0.1}); }));
  trained(by([](const auto& p) { return optim::Lion(p, {.lr = 0.1}); }));
  trained([](nn::Module& net, const auto& loss) { optim::Lbfgs(net.parameters(), {.lr = 0.1}).step(loss); });
}

TEST(PackedWeights, AreNotKeptWhereOthersMayWrite) {
  manual_seed(9);
  const Tensor x = rand({2, 30});
  const auto answer = [&](const nn::Linear& layer) {
    const NoGrad guard;
    return linear(x, layer.weight, layer.bias).to_vector<float>();
  };
  const auto read = [](const nn::Linear& layer) {
    const NoGrad guard;
    return layer.weight_to_read();
  };
  nn::Linear lent(30, 8);
  nn::pack_weights(lent);
  EXPECT_FALSE(read(lent).is_same(lent.weight));
  Tensor seen_by_others = from_dlpack(to_dlpack(lent.weight.detach()));
  seen_by_others.mul_(3);
  EXPECT_EQ(answers(lent, x), answer(lent));
  nn::pack_weights(lent);
  seen_by_others.mul_(3);
  EXPECT_EQ(answers(lent, x), answer(lent));
  seen_by_others = Tensor();
  lent.to(f64).to(f32);  // into memory of its own
  nn::pack_weights(lent);
  EXPECT_FALSE(read(lent).is_same(lent.weight));

  std::vector<float> mine(240, 0.5f);
  nn::Linear over(30, 8);
  over.weight = from_blob(mine.data(), {8, 30}).requires_grad_();
  nn::pack_weights(over);
  mine.assign(240, 0.25f);
  EXPECT_EQ(answers(over, x), answer(over));
}

TEST(PackedWeights, MoveWithTheModuleAndAreNotCloned) {
  const Tensor x = rand({2, 30});
  nn::Sequential net = network();
  const std::vector<float> expected = answers(net, x);
  nn::pack_weights(net);
  const auto layer = [](nn::Module& of) -> nn::Linear& { return static_cast<nn::Linear&>(*of.modules()[1]); };
  const auto is_packed = [&](nn::Module& of) {
    const NoGrad guard;
    return !layer(of).weight_to_read().is_same(layer(of).weight);
  };
  nn::Sequential moved = std::move(net);
  EXPECT_TRUE(is_packed(moved));
  const auto copy = nn::clone(moved);
  EXPECT_FALSE(is_packed(*copy));
  {
    const NoGrad guard;
    layer(moved).weight.zero_();
  }
  EXPECT_NE(answers(moved, x), expected);
  EXPECT_EQ(answers(*copy, x), expected);
  nn::pack_weights(*copy);
  nn::unpack_weights(*copy);
  EXPECT_FALSE(is_packed(*copy));
  moved = network();
  EXPECT_FALSE(is_packed(moved));
  EXPECT_EQ(answers(moved, x), expected);

  nn::Sequential tied{nn::Linear(30, 30), nn::Linear(30, 30)};
  layer(tied).weight = static_cast<nn::Linear&>(tied[1]).weight;
  nn::pack_weights(tied);
  EXPECT_TRUE(is_packed(tied));
  const NoGrad guard;
  static_cast<nn::Linear&>(tied[1]).weight.fill_(0.5);
  EXPECT_FALSE(is_packed(tied));
}

TEST(PackedWeights, ChangeNoBitsOfProductsInBf16) {
  nn::Sequential plain = network(), packed = network();
  nn::pack_weights(packed);
  set_float32_matmul_precision(MatmulPrecision::medium);
  for (const Shape& shape : {Shape{30}, Shape{1, 30}, Shape{2, 5, 30}, Shape{300, 30}}) {
    const Tensor x = randn(shape);
    EXPECT_EQ(answers(packed, x), answers(plain, x)) << to_string(shape);
  }
  set_float32_matmul_precision(MatmulPrecision::highest);
}

TEST(PackedWeights, AreLeftBehindOnAnotherDevice) {
  const stand_in::Scope scope;
  const Tensor x = rand({2, 30});
  nn::Sequential net = network();
  const std::vector<float> expected = answers(net, x);
  nn::pack_weights(net);
  net.to(cuda());
  EXPECT_EQ(answers(net, x.to(cuda())), expected);
  nn::pack_weights(net);  // to no effect
  EXPECT_EQ(answers(net, x.to(cuda())), expected);
  net.to(cpu());
  EXPECT_EQ(answers(net, x), expected);
}

TEST(PackedWeights, TakeNoPartInTraining) {
  nn::Sequential plain = network(), packed = network();
  nn::pack_weights(packed);
  const Tensor x = randn({4, 30});
  for (nn::Sequential* net : {&plain, &packed}) (*net)(x).sum().backward();
  const auto a = plain.parameters(), b = packed.parameters();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].grad().to_vector<float>(), b[i].grad().to_vector<float>()) << i;
  }
}

TEST(PackedWeights, AreReadByThreadsAtOnce) {
  nn::Sequential net = network();
  const Tensor x = randn({5, 30});
  const std::vector<float> expected = answers(net, x);
  nn::pack_weights(net);
  std::vector<std::vector<float>> found(4);
  std::vector<std::thread> threads;
  for (auto& each : found) threads.emplace_back([&] { each = answers(net, x); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& each : found) EXPECT_EQ(each, expected);
}

}  // namespace
