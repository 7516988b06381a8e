#include <gtest/gtest.h>

#include <cmath>

#include "tern/ops/binary.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

// Elementwise ops keep the stride order of the first dense input.
namespace tern {
namespace {

using Strides = std::vector<std::int64_t>;

Strides of(const Tensor& x) { return {x.strides().begin(), x.strides().end()}; }

Tensor images() { return arange(0, 2 * 3 * 4 * 5).reshape({2, 4, 5, 3}); }
Tensor channels_last() { return images().permute({0, 3, 1, 2}); }  // [2, 3, 4, 5]

TEST(Strides, FollowTheFirstDenseInput) {
  const Tensor x = channels_last(), plain = x.contiguous();
  const Strides last{60, 1, 15, 3}, first{60, 20, 5, 1};
  EXPECT_EQ(of(x), last);
  EXPECT_EQ(of(relu(x)), last);
  EXPECT_EQ(of(exp(x)), last);
  EXPECT_EQ(of(x + plain), last);
  EXPECT_EQ(of(plain + x), first);
  EXPECT_EQ(of(x * 2), last);
  EXPECT_EQ(of(2 - x), last);
  EXPECT_EQ(of(x > plain), last);
  EXPECT_EQ(of(where(x > 3, x, plain)), last);
  EXPECT_EQ(of(ones({3, 1, 1}) + x), last);  // broadcast: not of the result's shape
  EXPECT_EQ((x + plain).to_vector<float>(), (plain + plain).to_vector<float>());
  EXPECT_EQ(exp(x).to_vector<float>(), exp(plain).to_vector<float>());
}

TEST(Strides, InputsWithGapsOrOverlapsDoNotCount) {
  const Tensor x = channels_last();
  const Tensor gaps = x.slice(3, 0, 4);
  EXPECT_EQ(of(gaps * 1), (Strides{48, 16, 4, 1}));
  EXPECT_EQ(of(ones({3}).expand({2, 3}) + ones({3, 2}).t()), (Strides{1, 2}));  // the second is the first dense one
  EXPECT_EQ(of(neg(ones({3, 1}).expand({3, 4}))), (Strides{4, 1}));
  EXPECT_EQ((gaps * 1).to_vector<float>(), gaps.to_vector<float>());
}

// Dimensions of size 1 have the strides of that input as they are, when it is not contiguous.
TEST(Strides, DimensionsOfSizeOne) {
  const Tensor one_channel = zeros({2, 4, 5, 1}).permute({0, 3, 1, 2});  // contiguous, whatever the stride of 1 says
  EXPECT_TRUE(one_channel.is_contiguous());
  EXPECT_EQ(of(relu(one_channel)), (Strides{20, 20, 5, 1}));
  const Tensor one_image = zeros({1, 4, 5, 3}).permute({0, 3, 1, 2});
  EXPECT_EQ(of(one_image), (Strides{60, 1, 15, 3}));
  EXPECT_EQ(of(relu(one_image)), (Strides{60, 1, 15, 3}));
  EXPECT_EQ(of(relu(zeros({3, 1, 2}).transpose(0, 2))), (Strides{1, 2, 2}));
}

TEST(Strides, ZeroElements) {
  EXPECT_EQ(relu(zeros({0, 3}).t()).shape(), (Shape{3, 0}));
  EXPECT_TRUE(relu(zeros({0, 3}).t()).is_contiguous());
}

// The gradient of a result with such strides, and of what is saved of it.
TEST(Strides, GradientsThroughThem) {
  Tensor x = arange(0, 6).reshape({2, 3}).requires_grad_();
  const Tensor y = exp(x.t() * 0.1), weights = arange(0, 6).reshape({3, 2});
  EXPECT_FALSE(y.is_contiguous());
  (relu(y) * weights).sum().backward();
  const auto g = x.grad().to_vector<float>();
  const float w[6] = {0, 2, 4, 1, 3, 5};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(g[i], 0.1f * w[i] * std::exp(0.1f * static_cast<float>(i)), 1e-5) << i;
}

}  // namespace
}  // namespace tern
