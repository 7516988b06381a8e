#include "ops/golden.h"
#include "tern/ops/reduce.h"
#include "tern/ops/shape.h"

namespace {

using namespace tern;
using golden::Calls;
using Tensors = std::vector<Tensor>;

TEST(Golden, Shape) {
  Calls calls;
  const auto make = [&](const char* name, std::function<Tensor()> f) {
    calls[name] = [f = std::move(f)](const Tensors&) { return f(); };
  };
  const auto view = [&](const char* name, std::function<Tensor(const Tensor&)> f) {
    calls[name] = [f = std::move(f)](const Tensors& in) { return f(in[0]); };
  };
  const auto write = [&](const char* name, std::function<void(Tensor&, const Tensors&)> f) {
    calls[name] = [f = std::move(f)](const Tensors& in) {
      Tensor x = in[0];
      f(x, in);
      return x;
    };
  };
  make("zeros", [] { return zeros({2, 3}, f64); });
  make("ones", [] { return ones({2, 3}, f64); });
  make("full", [] { return full({2, 3}, 0.1, f64); });
  view("zeros_like", [](const Tensor& x) { return zeros_like(x); });
  view("ones_like", [](const Tensor& x) { return ones_like(x); });
  view("full_like", [](const Tensor& x) { return full_like(x, -0.3); });
  make("scalar", [] { return scalar(0.7, f64); });
  make("tensor", [] { return tensor({{0.1, 2}, {-3, 1e300}}, f64); });
  make("arange", [] { return arange(-1.5, 4, 0.7, f64); });
  make("arange_down", [] { return arange(3, -2, -0.25, f64); });
  make("arange_count", [] { return arange(9); });
  make("linspace", [] { return linspace(-1.3, 2.9, 23, f64); });
  make("linspace_one", [] { return linspace(-1.3, 2.9, 1, f64); });
  make("logspace", [] { return logspace(-2, 1.5, 11, f64); });
  make("eye", [] { return eye(4, f64); });

  view("reshape", [](const Tensor& x) { return x.reshape({5, -1}); });
  view("reshape_of_permuted", [](const Tensor& x) { return x.permute({2, 0, 1}).reshape({3, 20}); });
  view("flatten", [](const Tensor& x) { return x.flatten(1, 2); });
  view("flatten_all", [](const Tensor& x) { return x.flatten(); });
  view("unflatten", [](const Tensor& x) { return unflatten(x, 1, {2, 3}); });
  view("transpose", [](const Tensor& x) { return x.transpose(0, -1); });
  view("t", [](const Tensor& x) { return x.t(); });
  view("permute", [](const Tensor& x) { return x.permute({2, 0, 1}); });
  view("expand", [](const Tensor& x) { return x.expand({3, 4, 5}); });
  calls["expand_as"] = [](const Tensors& in) { return expand_as(in[0], in[1]); };
  view("broadcast_to", [](const Tensor& x) { return broadcast_to(x, {2, 3, 4, 5}); });
  view("squeeze", [](const Tensor& x) { return x.squeeze(0); });
  view("unsqueeze", [](const Tensor& x) { return x.unsqueeze(-2); });
  view("select", [](const Tensor& x) { return x.select(1, -2); });
  view("slice", [](const Tensor& x) { return x.slice(1, 1, 4, 2); });
  view("narrow", [](const Tensor& x) { return narrow(x, 2, 1, 3); });
  view("split_with_sizes", [](const Tensor& x) {
    const auto parts = split_with_sizes(x, {3, 0, 1}, 1);
    return cat({parts[2], parts[1], parts[0]}, 1);
  });
  calls["cat"] = [](const Tensors& in) { return cat({in[0], in[1].expand({3, 4, 2})}, 2); };
  calls["stack"] = [](const Tensors& in) { return stack({in[0], in[1].expand({3, 4, 5})}, 1); };
  view("contiguous", [](const Tensor& x) { return x.permute({1, 2, 0}).contiguous(); });
  view("clone", [](const Tensor& x) { return x.clone(); });
  view("detach", [](const Tensor& x) { return x.detach(); });
  view("to", [](const Tensor& x) { return x.to(f32); });
  view("to_integers", [](const Tensor& x) { return (x * 3).to(i64); });
  view("sum_to", [](const Tensor& x) { return sum_to(x, {1, 4, 1}); });

  write("add_", [](Tensor& x, const Tensors& in) { x.add_(in[1]); });
  write("sub_", [](Tensor& x, const Tensors& in) { x.sub_(in[1]); });
  write("mul_", [](Tensor& x, const Tensors& in) { x.mul_(in[1]); });
  write("div_", [](Tensor& x, const Tensors& in) { x.div_(in[1]); });
  write("add_number", [](Tensor& x, const Tensors&) { x += 0.3; });
  write("sub_number", [](Tensor& x, const Tensors&) { x -= 0.3; });
  write("mul_number", [](Tensor& x, const Tensors&) { x *= 0.3; });
  write("div_number", [](Tensor& x, const Tensors&) { x /= 0.3; });
  write("fill_", [](Tensor& x, const Tensors&) { x.fill_(0.3); });
  write("zero_", [](Tensor& x, const Tensors&) { x.zero_(); });
  write("copy_", [](Tensor& x, const Tensors& in) { x.copy_(in[1].expand(x.shape())); });
  write("masked_fill_", [](Tensor& x, const Tensors& in) { x.masked_fill_(in[1].expand(x.shape()), -7); });
  write("index_put_", [](Tensor& x, const Tensors& in) { x.index_put_({in[1][Slice{0, 2}], in[1][Slice{1}]}, in[2]); });
  write("index_put_add", [](Tensor& x, const Tensors& in) { x.index_put_({in[1], in[1]}, in[2], true); });
  golden::expect_golden("shape.safetensors", calls);
}

}  // namespace
