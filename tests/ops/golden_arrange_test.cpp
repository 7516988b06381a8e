#include "ops/golden.h"
#include "tern/ops/binary.h"
#include "tern/ops/embedding.h"
#include "tern/ops/index.h"
#include "tern/ops/norm.h"
#include "tern/ops/shape.h"
#include "tern/ops/sort.h"

namespace {

using namespace tern;
using golden::Calls;
using golden::expect_golden;
using Tensors = std::vector<Tensor>;

std::vector<Tensor> reversed(const std::vector<Tensor>& parts) { return {parts.rbegin(), parts.rend()}; }

TEST(Golden, Arrange) {
  Calls calls;
  const auto add = [&](const char* name, std::function<Tensor(const Tensor&)> f) {
    calls[name] = [f = std::move(f)](const Tensors& in) { return f(in[0]); };
  };
  const auto add2 = [&](const char* name, std::function<Tensor(const Tensor&, const Tensor&)> f) {
    calls[name] = [f = std::move(f)](const Tensors& in) { return f(in[0], in[1]); };
  };
  const auto add3 = [&](const char* name, std::function<Tensor(const Tensor&, const Tensor&, const Tensor&)> f) {
    calls[name] = [f = std::move(f)](const Tensors& in) { return f(in[0], in[1], in[2]); };
  };
  add("movedim", [](const Tensor& x) { return movedim(x, {0, 2}, {1, 0}); });
  add("split", [](const Tensor& x) { return cat(reversed(split(x, 2, 1)), 1); });
  add("chunk", [](const Tensor& x) { return cat(reversed(chunk(x, 3, 2)), 2); });
  add("unbind", [](const Tensor& x) { return stack(unbind(x, 1), -1); });
  add("flip", [](const Tensor& x) { return flip(x, {0, 2}); });
  add("roll", [](const Tensor& x) { return roll(x, {2, -1}, {0, 2}); });
  add("roll_flat", [](const Tensor& x) { return roll(x, {7}); });
  add("repeat", [](const Tensor& x) { return repeat(x, {2, 1, 3}); });
  add("tile", [](const Tensor& x) { return tile(x, {2, 3}); });
  add("repeat_interleave", [](const Tensor& x) { return repeat_interleave(x, 3, 1); });
  add("pad_constant", [](const Tensor& x) { return pad(x, {1, -2, 0, 3}, {.value = 1.5}); });
  add("pad_reflect", [](const Tensor& x) { return pad(x, {2, 1}, {.mode = PadMode::reflect}); });
  add("pad_replicate", [](const Tensor& x) { return pad(x, {2, 1}, {.mode = PadMode::replicate}); });
  add("pad_circular", [](const Tensor& x) { return pad(x, {2, 1}, {.mode = PadMode::circular}); });
  add("diagonal", [](const Tensor& x) { return diagonal(x, 1, 2, 0); });
  add("diag", [](const Tensor& x) { return diag(x, -1); });
  add("tril", [](const Tensor& x) { return tril(x, 1); });
  add("triu", [](const Tensor& x) { return triu(x, -1); });
  add("meshgrid", [](const Tensor& x) { return stack(meshgrid({x[Slice{0, 3}], x[Slice{3, 5}]}, Indexing::xy)); });

  add2("index_select", [](const Tensor& x, const Tensor& i) { return index_select(x, 0, i); });
  add3("index_add", [](const Tensor& x, const Tensor& i, const Tensor& s) {
    return index_add(x, 0, i, repeat(s[{Slice{}, Slice{0, 1}}].expand({2, 4, 5}), {2, 1, 1}));
  });
  add3("index_copy", [](const Tensor& x, const Tensor& i, const Tensor& s) {
    return index_copy(x, 0, i.slice(0, 0, 2), s.slice(1, 0, 1).expand({2, 4, 5}));
  });
  add3("index_copy_last", [](const Tensor& m, const Tensor& i, const Tensor& s) {
    return index_copy(m, -1, i[1], s.flatten()[Slice{0, 8}].reshape({4, 2}));
  });
  add2("slice_scatter", [](const Tensor& x, const Tensor& s) {
    return slice_scatter(x, s.reshape({3, 2, 5}), 1, 0, 4, 2);
  });
  add2("slice_scatter_negative", [](const Tensor& m, const Tensor& s) {
    return slice_scatter(m, s[{0, Slice{0, 2}, Slice{0, 4}}], 0, -2, m.size(0));
  });
  add2("diagonal_scatter", [](const Tensor& m, const Tensor& s) {
    return diagonal_scatter(m, s[{0, 0, Slice{0, 3}}], -1);
  });
  add2("diagonal_scatter_apart", [](const Tensor& x, const Tensor& s) {
    return diagonal_scatter(x, s.flatten()[Slice{0, 8}].reshape({4, 2}), 1, 2, 0);
  });
  add2("index_fill", [](const Tensor& x, const Tensor& i) { return index_fill(x, 0, i.slice(0, 0, 1), 2.5); });
  add2("gather", [](const Tensor& x, const Tensor& i) { return gather(x, 0, i); });
  add2("take_along_dim", [](const Tensor& x, const Tensor& i) { return take_along_dim(x, i, 0); });
  add3("scatter", [](const Tensor& x, const Tensor& i, const Tensor& s) {
    return scatter(x, 1, i, s[{0, Slice{0, 2}, Slice{0, 2}}]);
  });
  add3("scatter_add", [](const Tensor& x, const Tensor& i, const Tensor& s) { return scatter_add(x, 0, i, s); });
  add2("masked_fill", [](const Tensor& x, const Tensor& mask) { return masked_fill(x, mask, -7); });
  add2("masked_select", [](const Tensor& x, const Tensor& mask) { return masked_select(x, mask); });
  add3("masked_scatter",
       [](const Tensor& x, const Tensor& mask, const Tensor& v) { return masked_scatter(x, mask, v); });
  add("nonzero", [](const Tensor& x) { return nonzero(x); });
  add("one_hot", [](const Tensor& x) { return one_hot(x, 7); });
  add2("bincount", [](const Tensor& i, const Tensor& v) { return bincount(i.flatten(), v[Slice{0, 6}], 8); });
  add2("searchsorted", [](const Tensor& s, const Tensor& x) {
    return searchsorted(sort(s[0]).values, sort(x[{Slice{}, Slice{0, 3}}]).values[0], true);
  });

  add("at_slices", [](const Tensor& x) { return x[{Slice{1}, Slice{.step = 2}, -2}]; });
  add("at_ellipsis", [](const Tensor& x) { return x[{new_axis, ellipsis, 3}]; });
  add2("at_rows", [](const Tensor& x, const Tensor& i) { return x[{Slice{}, i, Slice{1}}]; });
  add2("at_apart", [](const Tensor& x, const Tensor& i) { return x[{i, Slice{}, i - 3}]; });
  add2("at_neighbours", [](const Tensor& x, const Tensor& i) { return x[{Slice{}, i, -1 - i}]; });
  add2("at_number_and_rows", [](const Tensor& x, const Tensor& i) { return x[{1, Slice{}, i}]; });
  add2("at_mask", [](const Tensor& x, const Tensor& mask) { return x[{Slice{}, mask}]; });
  add3("index_put", [](const Tensor& x, const Tensor& i, const Tensor& s) {
    return index_put(x, {i[Slice{0, 2}], i[Slice{1, 3}]}, s[{0, Slice{0, 2}}]);
  });
  add3("index_put_add", [](const Tensor& x, const Tensor& i, const Tensor& s) {
    return index_put(x, {i, i}, s[{1, 1}], true);
  });

  add("sort", [](const Tensor& x) { return sort(x, 1).values; });
  add("sort_nan", [](const Tensor& x) { return sort(x).values; });
  add("sort_nan_descending", [](const Tensor& x) { return sort(x, -1, true).values; });
  add("argsort_ties", [](const Tensor& x) { return argsort(x); });
  add("argsort_ties_descending", [](const Tensor& x) { return argsort(x, -1, true); });
  add("argsort_nan", [](const Tensor& x) { return argsort(x); });
  add("topk", [](const Tensor& x) { return topk(x, 3, {.dim = 2}).values; });
  add("topk_smallest", [](const Tensor& x) { return topk(x, 2, {.dim = 0, .largest = false}).values; });
  add("topk_nan", [](const Tensor& x) { return topk(x, 3).values; });
  add("kthvalue", [](const Tensor& x) { return kthvalue(x, 2, 1).values; });
  add("median", [](const Tensor& x) { return median(x, 1).values; });
  add("median_nan", [](const Tensor& x) { return median(x, 1).values; });
  add("unique", [](const Tensor& x) { return unique(x).values; });
  add("unique_inverse", [](const Tensor& x) { return unique(x).inverse; });
  add("unique_counts", [](const Tensor& x) { return unique(x).counts; });

  add2("embedding", [](const Tensor& w, const Tensor& i) { return embedding(w, i); });
  add2("embedding_padding", [](const Tensor& w, const Tensor& i) { return embedding(w, i, {.padding_idx = 2}); });
  expect_golden("arrange.safetensors", calls);
}

TEST(Golden, Norm) {
  Calls calls;
  calls["layer"] = [](const Tensors& in) { return layer_norm(in[0], {17}); };
  calls["layer_weights"] = [](const Tensors& in) {
    return layer_norm(in[0], {17}, {.weight = in[1], .bias = in[2], .eps = 1e-3});
  };
  calls["layer_two"] = [](const Tensors& in) { return layer_norm(in[0], {3, 17}, {.weight = in[1], .bias = in[2]}); };
  calls["rms"] = [](const Tensors& in) { return rms_norm(in[0], {17}); };
  calls["rms_weight"] = [](const Tensors& in) { return rms_norm(in[0], {17}, {.weight = in[1], .eps = 1e-3}); };
  calls["rms_two"] = [](const Tensors& in) { return rms_norm(in[0], {3, 17}, {.weight = in[1], .eps = 1e-5}); };
  calls["rms_far"] = [](const Tensors& in) { return rms_norm(in[0], {40}); };
  expect_golden("norm.safetensors", calls);
}

}  // namespace
