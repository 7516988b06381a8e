#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "golden.h"
#include "tern/base/error.h"
#include "tern/ops/activation.h"
#include "tern/ops/binary.h"
#include "tern/ops/matmul.h"
#include "tern/ops/norm.h"
#include "tern/ops/reduce.h"
#include "tern/ops/shape.h"
#include "tern/ops/softmax.h"
#include "tern/ops/unary.h"

// The functional grad beside torch.autograd.grad (golden/make_grad.py): the same calls, in the same order.
namespace tern {
namespace {

using golden::direction;

struct Leaves {
  Tensor x, w, b, v;
};
using Found = std::vector<Tensor>;

Found several_outputs(const Leaves& in) {
  const Tensor y = tanh(matmul(in.x, in.w) + in.b);
  return grad({y, sum(y * y), exp(in.x).mean()}, {in.x, in.w, in.b},
              {.grad_outputs = {direction(y.shape()), Tensor(), Tensor()}});
}
Found of_results(const Leaves& in) {
  const Tensor h = sigmoid(matmul(in.x, in.w)), y = log(softmax(h * in.b, -1));
  return grad(y, {h, in.x, in.b}, {.grad_outputs = {direction(y.shape())}});
}
Found one_input_twice(const Leaves& in) { return grad(sum(sin(in.x * in.v)), {in.x, in.v, in.x}); }
Found unused(const Leaves& in) {
  const Tensor y = sum(square(matmul(in.x, in.w)));
  EXPECT_THROW(grad(y, {in.x, in.v}, {.retain_graph = true}), StateError);
  return grad(y, {in.x, in.v, in.w, in.b}, {.allow_unused = true});
}
Found of_gradients(const Leaves& in) {
  const Tensor y = sum(gelu(matmul(in.x, in.w) + in.b) * sum(softplus(in.x), {1}, true));
  const Found g = grad(y, {in.x, in.b}, {.create_graph = true});
  return grad(g, {in.x, in.w, in.b, in.v},
              {.allow_unused = true, .grad_outputs = {direction(g[0].shape()), direction(g[1].shape())}});
}
Found of_gradients_of_gradients(const Leaves& in) {
  const Tensor y = sum(sin(in.x) * exp(0.3 * in.x * in.v));
  const Tensor first = grad(y, {in.x}, {.create_graph = true})[0];
  const Tensor second = grad(sum(first * direction(first.shape())), {in.x}, {.create_graph = true})[0];
  return grad(sum(square(second)), {in.x, in.v});
}
Found hessian_times_vector(const Leaves& in) {
  const Tensor y = sum(logsumexp(matmul(in.x, in.w), {1})) + sum(pow(layer_norm(in.x, {3}), 3));
  const Tensor g = grad(y, {in.x}, {.create_graph = true})[0];
  return grad(sum(g * in.v.detach()), {in.x, in.w});
}
Found penalty_of_the_gradient(const Leaves& in) {
  const Tensor y = sum(prod(tanh(matmul(in.x, in.w) + in.b), {1}));
  const Tensor g = grad(y, {in.x}, {.create_graph = true})[0];
  return grad(square(norm(g, {1}) - 1).mean(), {in.w, in.b, in.x});
}
Found of_a_linear_gradient(const Leaves& in) {
  const Tensor g = grad(sum(in.x * in.v), {in.x}, {.create_graph = true})[0];
  return grad(sum(g), {in.x, in.v}, {.allow_unused = true});
}
Found through_views(const Leaves& in) {
  const Tensor y =
      cat({in.x[{Slice{1}, Slice{0, 2}}] * in.b, cumsum(matmul(in.x.t(), in.v)[{Slice{}, Slice{.step = 2}}], 0)}, 0);
  const Tensor g = grad(sum(square(y)), {in.x}, {.create_graph = true})[0];
  return grad(g, {in.x, in.b, in.v}, {.grad_outputs = {direction(g.shape())}});
}

TEST(Golden, GradIsPyTorchs) {
  const std::map<std::string, Found (*)(const Leaves&)> calls{{"several_outputs", &several_outputs},
                                                              {"of_results", &of_results},
                                                              {"one_input_twice", &one_input_twice},
                                                              {"unused", &unused},
                                                              {"of_gradients", &of_gradients},
                                                              {"of_gradients_of_gradients", &of_gradients_of_gradients},
                                                              {"hessian_times_vector", &hessian_times_vector},
                                                              {"penalty_of_the_gradient", &penalty_of_the_gradient},
                                                              {"of_a_linear_gradient", &of_a_linear_gradient},
                                                              {"through_views", &through_views}};
  const auto file = from_safetensors(read_file(std::string(TERN_TEST_DATA) + "/grad.safetensors"));
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, tensor] : file.tensors) tensors.emplace(name, tensor);
  EXPECT_EQ(file.metadata.size(), calls.size());
  for (const auto& [name, there] : file.metadata) {
    SCOPED_TRACE(name);
    const auto leaf = [&](const char* of) { return tensors.at(std::string("in.") + of).clone().requires_grad_(); };
    const Leaves leaves{leaf("x"), leaf("w"), leaf("b"), leaf("v")};
    const Found found = calls.at(name)(leaves);
    ASSERT_EQ(found.size(), (there.size() + 1) / 2);
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(found[i].defined(), there[2 * i] == '1') << "gradient " << i;
      if (found[i].defined()) golden::expect_near(found[i].detach(), tensors.at(name + "." + std::to_string(i)), 1e-10);
    }
    for (const Tensor& each : {leaves.x, leaves.w, leaves.b, leaves.v}) EXPECT_FALSE(each.grad().defined());
  }
}

}  // namespace
}  // namespace tern
