#include "conformance/row.h"
#include "tern/ops/norm.h"
#include "tern/tensor/creation.h"

namespace conformance {
namespace {

using tern::boolean;
using tern::f32;
using tern::f64;
using tern::i64;
using tern::u8;
using tern::zeros;

// Rows of the last `dims` dimensions; weight and bias follow x where there are any.
Array normalised(const Arrays& in, std::size_t dims, bool centred, double eps) {
  const Array& x = in[0];
  std::vector<int> over;
  for (std::size_t d = 1; d <= dims; ++d) over.push_back(-static_cast<int>(d));
  const auto mean_of = [&](const Array& a) {
    return reduce(a, over, true, [](const Numbers& row) { return total(row) / static_cast<double>(row.size()); });
  };
  const auto minus = [](double a, double b) { return a - b; };
  const Array c = centred ? zip(x, mean_of(x), minus) : x;
  const Array variance = mean_of(map(c, [](double v) { return v * v; }));
  Array y = zip(c, variance, [=](double v, double s) { return v / std::sqrt(s + eps); });
  if (in.size() > 1) y = zip(y, in[1], [](double v, double w) { return v * w; });
  if (in.size() > 2) y = zip(y, in[2], [](double v, double b) { return v + b; });
  return y;
}

Shape last(const Tensor& x, int dims) {
  Shape shape;
  for (int d = dims; d > 0; --d) shape.push_back(x.size(-d));
  return shape;
}

Tensor at(const Tensors& in, std::size_t i) { return i < in.size() ? in[i] : Tensor(); }

Row norm_row(bool centred) {
  using Options = tern::LayerNormOptions;
  const auto f = [=](const Tensor& x, const Shape& shape, const Options& options) {
    return centred ? tern::layer_norm(x, shape, options)
                   : tern::rms_norm(x, shape, {.weight = options.weight, .eps = options.eps});
  };
  Row row{
      .op = centred ? "layer_norm" : "rms_norm", .tolerance = 2e-6, .types = {{i64, f32}, {u8, f32}, {boolean, f32}}};
  row.first = false;
  const double eps = 0.01;
  const std::size_t most = centred ? 3 : 2;
  for (std::size_t inputs = 1; inputs <= most; ++inputs) {
    for (int dims : {1, 2}) {
      Case c{
          .what = std::to_string(inputs) + " inputs, " + std::to_string(dims) + " dimensions",
          .inputs = std::vector<Input>(inputs),
          .call =
              [=](const Tensors& in) {
                return f(in[0], last(in[0], dims), {.weight = at(in, 1), .bias = at(in, 2), .eps = eps});
              },
          .reference = [=](const Arrays& in) { return normalised(in, static_cast<std::size_t>(dims), centred, eps); }};
      for (std::size_t k = 1; k < inputs; ++k) c.inputs[k].optional = true;
      const auto with_weights = [&](const Shape& x) {
        Shape weight;
        for (int d = dims; d > 0; --d) weight.push_back(x[x.size() - d]);
        Shapes shapes(inputs, weight);
        shapes[0] = x;
        return shapes;
      };
      c.shapes = {with_weights({2, 3}), with_weights({2, 2, 5})};
      c.empty = {with_weights({0, 2, 3}), with_weights({3, 2, 0})};
      c.large = {with_weights({40, 7, 60})};
      if (dims == 1) {
        for (std::int64_t columns : {1, 16, 64}) c.large.push_back(with_weights({70, columns}));
        for (std::int64_t columns : {1025, 5000}) c.large.push_back(with_weights({5, columns}));
      }
      row.cases.push_back(c);
    }
  }
  const Tensor x = zeros({2, 3});
  row.faults = {{"another shape", Raises::shape, [=] { f(x, {2}, {}); }},
                {"no dimension", Raises::shape, [=] { f(x, {}, {}); }},
                {"more dimensions", Raises::shape,
                 [=] {
                   f(x, {1, 2, 3}, {});
                 }},
                {"a weight of another shape", Raises::shape, [=] { f(x, {3}, {.weight = zeros({2})}); }},
                {"a weight of another type", Raises::dtype, [=] { f(x, {3}, {.weight = zeros({3}, f64)}); }},
                {"a negative eps", Raises::value, [=] { f(x, {3}, {.eps = -1}); }}};
  if (centred) {
    row.faults.push_back({"a bias of another type", Raises::dtype, [=] { f(x, {3}, {.bias = zeros({3}, f64)}); }});
  }
  return row;
}

}  // namespace

Rows norm_rows() { return {norm_row(true), norm_row(false)}; }

}  // namespace conformance
