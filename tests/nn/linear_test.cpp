#include "tern/nn/linear.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tern/autograd/autograd.h"
#include "tern/base/random.h"
#include "tern/nn/activations.h"
#include "tern/nn/safetensors.h"
#include "tern/nn/sequential.h"
#include "tern/ops/compare.h"
#include "tern/ops/reduce.h"
#include "tern/optim/average.h"
#include "tern/optim/optimizers.h"
#include "tern/tensor/creation.h"

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
