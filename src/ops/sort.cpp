#include "tern/ops/sort.h"

#include <algorithm>
#include <string>
#include <vector>

#include "slots/sort.h"
#include "tensor/impl.h"
#include "tern/ops/binary.h"
#include "tern/ops/index.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using internal::checked;
using internal::size_of_any;
using internal::wrap_any_dim;

// Indices of the first k of each row in order.
Tensor first_in_order(const Tensor& x, int dim, std::int64_t k, bool descending, bool sorted) {
  if (is_half(x.dtype())) return first_in_order(x.detach().to(f32), dim, k, descending, sorted);
  if (x.dim() == 0) return zeros({}, i64, x.device());
  const int last = x.dim() - 1;
  if (dim != last) return first_in_order(x.transpose(dim, last), last, k, descending, sorted).transpose(dim, last);
  const Tensor rows = x.detach().contiguous();
  Shape shape = x.shape();
  const std::int64_t size = shape[last];
  shape[last] = k;
  Tensor out = internal::new_tensor(shape, i64, x.device());
  if (out.numel() > 0) {
    kernels::argsort(x.device(), x.dtype(),
                     {x.numel() / size, size, k, rows.impl()->data, reinterpret_cast<std::int64_t*>(out.impl()->data),
                      descending, sorted});
  }
  return out;
}

// What stands at place i of the order, with the dimension.
Tensor placed(const Tensor& order, int dim, std::int64_t i) {
  return order.dim() == 0 ? order : order.slice(dim, i, i + 1);
}

Ordered at(const Tensor& x, int dim, const Tensor& indices) { return {gather(x, dim, indices), indices}; }

Ordered without(const Ordered& x, int dim, bool keepdim) {
  return keepdim ? x : Ordered{x.values.squeeze(dim), x.indices.squeeze(dim)};
}

}  // namespace

Tensor argsort(const Tensor& x, int dim, bool descending) {
  dim = wrap_any_dim("argsort", dim, checked(x, "argsort")->shape.size());
  return first_in_order(x, dim, size_of_any(x.shape(), dim), descending, true);
}

Ordered sort(const Tensor& x, int dim, bool descending) {
  dim = wrap_any_dim("sort", dim, checked(x, "sort")->shape.size());
  return at(x, dim, first_in_order(x, dim, size_of_any(x.shape(), dim), descending, true));
}

Ordered topk(const Tensor& x, std::int64_t k, const TopkOptions& options) {
  const int dim = wrap_any_dim("topk", options.dim, checked(x, "topk")->shape.size());
  if (k < 0 || k > size_of_any(x.shape(), dim)) {
    internal::throw_value("topk", "k in [0, " + std::to_string(size_of_any(x.shape(), dim)) + "]", std::to_string(k));
  }
  return at(x, dim, first_in_order(x, dim, k, options.largest, options.sorted));
}

Ordered kthvalue(const Tensor& x, std::int64_t k, int dim, bool keepdim) {
  dim = wrap_any_dim("kthvalue", dim, checked(x, "kthvalue")->shape.size());
  if (k < 1 || k > size_of_any(x.shape(), dim)) {
    internal::throw_value("kthvalue", "k in [1, " + std::to_string(size_of_any(x.shape(), dim)) + "]",
                          std::to_string(k));
  }
  const Tensor index = placed(first_in_order(x, dim, k, false, true), dim, k - 1);
  return without(at(x, dim, index), dim, keepdim);
}

Ordered median(const Tensor& x, int dim, bool keepdim) {
  dim = wrap_any_dim("median", dim, checked(x, "median")->shape.size());
  const std::int64_t size = size_of_any(x.shape(), dim);
  if (size == 0) internal::throw_shape("median", "at least one element to choose from", to_string(x.shape()));
  const Tensor order = first_in_order(x, dim, size, false, true), middle = placed(order, dim, (size - 1) / 2);
  if (!is_floating(x.dtype())) return without(at(x, dim, middle), dim, keepdim);
  const Tensor last = placed(order, dim, size - 1);
  return without(at(x, dim, where(isnan(gather(x.detach(), dim, last)), last, middle)), dim, keepdim);
}

Tensor median(const Tensor& x) { return median(checked(x, "median") ? x.reshape({-1}) : x, 0).values; }

Distinct unique(const Tensor& x) {
  const Tensor flat = (checked(x, "unique") ? x.detach() : x).reshape({x.numel()});
  const Tensor order = argsort(flat, 0), sorted = index_select(flat, 0, order);
  const std::int64_t size = x.numel();
  Tensor inverse = empty(x.shape(), i64);
  std::vector<std::int64_t> first;
  if (size > 0) {
    const Tensor differs = sorted.slice(0, 1, size) != sorted.slice(0, 0, size - 1);
    const Tensor on_host = differs.to(cpu()), order_on_host = order.to(cpu());
    const auto steps = on_host.span<bool>();
    const auto places = order_on_host.span<std::int64_t>();
    auto which = inverse.mutable_span<std::int64_t>();
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (i == 0 || steps[i - 1]) first.push_back(static_cast<std::int64_t>(i));
      which[static_cast<std::size_t>(places[i])] = static_cast<std::int64_t>(first.size()) - 1;
    }
  }
  std::vector<std::int64_t> counts;
  for (std::size_t i = 0; i < first.size(); ++i)
    counts.push_back((i + 1 < first.size() ? first[i + 1] : size) - first[i]);
  const Device device = x.device();
  return {index_select(sorted, 0, from_vector(first).to(device)), inverse.to(device), from_vector(counts).to(device)};
}

}  // namespace tern
