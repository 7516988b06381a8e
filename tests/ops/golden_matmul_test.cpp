#include "ops/golden.h"
#include "tern/ops/matmul.h"
#include "tern/ops/shape.h"

namespace {

using namespace tern;
using golden::Calls;
using Tensors = std::vector<Tensor>;

Tensor turned(const Tensor& x) { return x.transpose(-2, -1); }

TEST(Golden, Matmul) {
  Calls calls;
  for (const char* name : {"dot", "matrix_vector", "vector_matrix", "matrices", "larger", "batched", "batch_by_matrix",
                           "matrix_by_batch", "batch_by_vector", "vector_by_batch", "broadcast", "broadcast_one"}) {
    calls[name] = [](const Tensors& in) { return matmul(in[0], in[1]); };
  }
  calls["transposed"] = [](const Tensors& in) { return turned(matmul(in[1], turned(in[0]))); };
  calls["both_transposed"] = [](const Tensors& in) { return matmul(turned(in[1]), turned(in[0])); };
  calls["batched_transposed"] = calls.at("both_transposed");
  calls["broadcast_both"] = [](const Tensors& in) { return matmul(in[0].slice(1, 1, 2), in[1]); };
  calls["broadcast_dimensions"] = [](const Tensors& in) {
    return matmul(in[0].slice(1, 0, 1), in[1]);  // x[:, None, 0]
  };
  calls["expanded"] = [](const Tensors& in) { return matmul(in[0].expand({3, 4, 5}), in[1]); };
  calls["sliced"] = [](const Tensors& in) {
    return matmul(in[0][{Slice{}, Slice{.step = 2}, Slice{1}}], in[1][{Slice{}, Slice{.step = 2}}]);
  };

  const auto layer = [&](const char* name, Activation activation) {
    calls[name] = [activation](const Tensors& in) {
      return linear(in[0], in[1], in.size() > 2 ? in[2] : Tensor(), activation);
    };
  };
  for (const char* name : {"linear", "linear_bias", "linear_vector", "linear_batched"}) layer(name, Activation::none);
  layer("linear_relu", Activation::relu);
  layer("linear_tanh", Activation::tanh);
  layer("linear_sigmoid", Activation::sigmoid);
  calls["linear_permuted"] = [](const Tensors& in) { return linear(in[0].permute({2, 0, 1, 3}), in[1], in[2]); };
  golden::expect_golden("matmul.safetensors", calls);
}

}  // namespace
