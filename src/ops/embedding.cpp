#include "tern/ops/embedding.h"

#include <string>

#include "autograd/backward.h"
#include "ops/index.h"
#include "ops/rows.h"
#include "slots/index.h"
#include "tern/ops/binary.h"
#include "tern/ops/index.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using internal::checked;
using internal::Node;
using internal::OpInfo;

struct EmbeddingAttribute {
  std::int64_t rows, columns, padding;
  bool sparse;
};

// The gradients of the looked up rows, [count, D], none for the padding.
Tensor of_rows(const EmbeddingAttribute& a, const Tensor& index, const Tensor& g) {
  const Tensor rows = g.reshape({index.numel(), a.columns});
  return a.padding < 0 ? rows : where((index == a.padding).unsqueeze(1), 0, rows);
}

void derivative(const Node& node, const Tensor& g, Tensor* out) {
  const auto& a = node.attributes<EmbeddingAttribute>();
  const Tensor index = node.saved(1).reshape({-1});
  out[0] = index_add(zeros({a.rows, a.columns}, g.dtype(), g.device()), 0, index, of_rows(a, index, g));
}

void fused(internal::Backward& run, const Node& node, const Tensor& g, Tensor* out) {
  const auto& a = node.attributes<EmbeddingAttribute>();
  Tensor index = node.saved(1).reshape({-1});
  if (!a.sparse || !run.takes_rows(node, 0)) return derivative(node, g, out);
  Tensor rows = g.reshape({index.numel(), a.columns});
  if (a.padding >= 0) {
    const Tensor kept = nonzero(index != a.padding).reshape({-1});
    index = index_select(index, 0, kept);
    rows = index_select(rows, 0, kept);
  }
  internal::add_rows(node.edges()[0].tensor, index, rows);
}

}  // namespace

Tensor embedding(const Tensor& weight, const Tensor& index, const EmbeddingOptions& options) {
  static constexpr OpInfo op{"embedding", &derivative, &fused};
  const Shape shape = checked(weight, "embedding")->shape;
  if (shape.size() != 2) internal::throw_shape("embedding", "a weight [V, D]", to_string(shape));
  if (options.padding_idx < -1 || options.padding_idx >= shape[0]) {
    internal::throw_value("embedding", "padding_idx in [-1, " + std::to_string(shape[0]) + ")",
                          std::to_string(options.padding_idx));
  }
  checked(index, "embedding");
  internal::check_devices("embedding", weight, index);
  const Tensor places = internal::checked_index("embedding", index, shape[0]);
  Shape result = index.shape();
  internal::check_dims("embedding", result.size() + 1);
  result.push_back(shape[1]);
  Tensor out = internal::new_tensor(result, weight.dtype(), weight.device(), "embedding");
  const Tensor from = weight.detach().contiguous();
  kernels::IndexArgs args = internal::index_args(shape, 0, places.numel(), places);
  args.from = from.impl()->data;
  args.to = out.impl()->data;
  kernels::index_select(weight.device(), weight.dtype(), args);
  internal::tape_with(op, out, {{weight}, {places, true}},
                      EmbeddingAttribute{shape[0], shape[1], options.padding_idx, options.sparse});
  return out;
}

}  // namespace tern
