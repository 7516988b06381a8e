#include <algorithm>
#include <numeric>

#include "conformance/row.h"
#include "tern/ops/shape.h"
#include "tern/ops/sort.h"
#include "tern/tensor/creation.h"

// What orders elements (ops/sort.h).
namespace conformance {
namespace {

using tern::boolean;
using tern::i64;
using tern::u8;
using tern::zeros;

const std::vector<TypeRule> kIndices{{i64, i64}, {u8, i64}, {boolean, i64}};

/// What stands in place of each row of dimension d: the elements at the indices that `choose` gives, or those indices.
Array chosen(const Array& x, std::size_t d, bool indices,
             const std::function<std::vector<std::size_t>(const Numbers&)>& choose) {
  const std::int64_t size = x.sizes[d];
  Index outer = x.sizes;
  outer[d] = 1;
  std::vector<std::vector<double>> rows;
  std::int64_t length = static_cast<std::int64_t>(choose(Numbers(static_cast<std::size_t>(size), 0)).size());
  build(outer, [&](Index i) {
    Numbers row;
    for (i[d] = 0; i[d] < size; ++i[d]) row.push_back(x.at(i));
    Numbers out;
    for (std::size_t at : choose(row)) out.push_back(indices ? static_cast<double>(at) : row[at]);
    rows.push_back(out);
    return 0;
  });
  Index sizes = x.sizes;
  sizes[d] = length;
  return build(sizes, [&](const Index& i) {
    std::int64_t row = 0;
    for (std::size_t k = 0; k < i.size(); ++k) row = row * outer[k] + (k == d ? 0 : i[k]);
    return rows[static_cast<std::size_t>(row)][static_cast<std::size_t>(i[d])];
  });
}

bool before(double a, double b) { return std::isnan(a) ? !std::isnan(b) : a > b; }

std::vector<std::size_t> in_order(const Numbers& row, bool descending) {
  std::vector<std::size_t> order(row.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return descending ? before(row[a], row[b]) : before(row[b], row[a]);
  });
  return order;
}

using Choose = std::function<std::vector<std::size_t>(const Numbers&)>;

// Adds a case to both rows.
struct Both {
  Rows rows;

  Both(const char* op, std::vector<Fault> faults)
      : rows{{.op = op, .types = kSame, .faults = std::move(faults)},
             {.op = op, .gradient = Gradient::none, .result = i64, .types = kIndices}} {}

  void add(std::string what, std::size_t d, const std::function<tern::Ordered(const Tensor&)>& f, const Choose& choose,
           std::vector<Shapes> shapes, std::vector<Shapes> empty, bool dropped = false,
           std::vector<Shapes> large = {}) {
    for (const bool indices : {false, true}) {
      rows[indices ? 1 : 0].cases.push_back({.what = what,
                                             .inputs = {{}},
                                             .call =
                                                 [=](const Tensors& in) {
                                                   const tern::Ordered got = f(in[0]);
                                                   return indices ? got.indices : got.values;
                                                 },
                                             .reference =
                                                 [=](const Arrays& in) {
                                                   Array out = chosen(in[0], d, indices, choose);
                                                   if (dropped) {
                                                     out.sizes.erase(out.sizes.begin() +
                                                                     static_cast<std::ptrdiff_t>(d));
                                                   }
                                                   return out;
                                                 },
                                             .shapes = shapes,
                                             .empty = empty,
                                             .large = large});
    }
  }
};

const std::vector<Shapes> kMatrices{{{2, 3}}, {{3, 1}}, {{2, 4}}};

Rows sort_row() {
  Both both("sort", {{"a dimension that is not there", Raises::index, [] { tern::sort(zeros({2}), 1); }},
                     {"dimension 1 of none", Raises::index, [] { tern::sort(zeros({}), 1); }}});
  for (bool descending : {false, true}) {
    both.add(
        descending ? "descending" : "ascending", 1, [=](const Tensor& x) { return tern::sort(x, -1, descending); },
        [=](const Numbers& row) { return in_order(row, descending); }, kMatrices, {{{0, 3}}, {{2, 0}}}, false,
        {{{20, 1000}}});
    both.add(
        "dim 0", 0, [=](const Tensor& x) { return tern::sort(x, 0, descending); },
        [=](const Numbers& row) { return in_order(row, descending); }, {{{3, 2}}, {{2, 2, 2}}}, {});
  }
  // Ties, NaN, infinities and both zeros, in rows sorted by keys' bytes.
  both.rows[0].edges = both.rows[1].edges = {3, -0.0, 0.0, HUGE_VAL, -2, NAN, 3, -HUGE_VAL, 1e-300, NAN, -2, 0.0};
  for (Row& row : both.rows) {
    Case c = row.cases[0];
    c.what = "ascending vector";
    const bool indices = row.gradient == Gradient::none;
    c.call = [=](const Tensors& in) {
      const tern::Ordered got = tern::sort(in[0]);
      return indices ? got.indices : got.values;
    };
    c.reference = [=](const Arrays& in) {
      return chosen(in[0], 0, indices, [](const Numbers& row) { return in_order(row, false); });
    };
    c.shapes = {{{4}}};
    c.empty = {{{0}}};
    c.large = {{{5000}}};
    row.cases.insert(row.cases.begin(), c);
  }
  return both.rows;
}

Row argsort_row() {
  Row row{.op = "argsort", .gradient = Gradient::none, .result = i64, .types = kIndices};
  for (bool descending : {false, true}) {
    row.cases.push_back({.what = descending ? "descending" : "ascending",
                         .inputs = {{.low = 0, .high = 3, .whole = true}},
                         .call = [=](const Tensors& in) { return tern::argsort(in[0], -1, descending); },
                         .reference =
                             [=](const Arrays& in) {
                               return chosen(in[0], in[0].sizes.size() - 1, true,
                                             [=](const Numbers& x) { return in_order(x, descending); });
                             },
                         .shapes = {{{2, 5}}, {{6}}},
                         .empty = {{{2, 0}}},
                         .large = {{{2, 3000}}}});
  }
  row.faults = {{"dimension 1 of none", Raises::index, [] { tern::argsort(zeros({}), 1); }}};
  return row;
}

Rows topk_row() {
  Both both("topk", {{"more than there are", Raises::value, [] { tern::topk(zeros({2}), 3); }},
                     {"a negative number", Raises::value, [] { tern::topk(zeros({2}), -1); }},
                     {"dimension 1 of none", Raises::index, [] { tern::topk(zeros({}), 1, {.dim = 1}); }}});
  const auto first = [](std::size_t k, bool largest, bool sorted) {
    return [=](const Numbers& row) {
      std::vector<std::size_t> order = in_order(row, largest);
      order.resize(k);
      if (!sorted) std::sort(order.begin(), order.end());
      return order;
    };
  };
  both.add("2 largest", 1, [](const Tensor& x) { return tern::topk(x, 2); }, first(2, true, true), {{{2, 3}}, {{1, 2}}},
           {{{0, 3}}}, false, {{{20, 1000}}});
  both.add("2 smallest of dim 0", 0, [](const Tensor& x) { return tern::topk(x, 2, {.dim = 0, .largest = false}); },
           first(2, false, true), {{{4, 2}}}, {});
  both.add("3 in order of the index", 1, [](const Tensor& x) { return tern::topk(x, 3, {.sorted = false}); },
           first(3, true, false), {{{2, 5}}, {{2, 3}}}, {});
  both.add("none", 1, [](const Tensor& x) { return tern::topk(x, 0); }, first(0, true, true), {}, {{{2, 3}}});
  return both.rows;
}

Rows kthvalue_row() {
  Both both("kthvalue", {{"the 0th", Raises::value, [] { tern::kthvalue(zeros({2}), 0); }},
                         {"past the last", Raises::value, [] { tern::kthvalue(zeros({2}), 3); }}});
  const auto second = [](const Numbers& row) { return std::vector<std::size_t>{in_order(row, false)[1]}; };
  const auto safe = [=](const Numbers& row) { return row.size() < 2 ? std::vector<std::size_t>{0} : second(row); };
  both.add(
      "", 1, [](const Tensor& x) { return tern::kthvalue(x, 2); }, safe, {{{2, 3}}, {{1, 2}}}, {{{0, 2}}}, true);
  both.add("kept", 0, [](const Tensor& x) { return tern::kthvalue(x, 2, 0, true); }, safe, {{{3, 2}}}, {});
  return both.rows;
}

std::vector<std::size_t> middle(const Numbers& row) {
  const std::vector<std::size_t> order = in_order(row, false);
  return {std::isnan(row[order.back()]) ? order.back() : order[(row.size() - 1) / 2]};
}

Rows median_row() {
  Both both("median", {{"no element", Raises::shape,
                        [] {
                          tern::median(zeros({2, 0}), 1);
                        }},
                       {"a dimension that is not there", Raises::index, [] { tern::median(zeros({2}), 1); }}});
  both.add(
      "", 1, [](const Tensor& x) { return tern::median(x, 1); }, middle, {{{2, 3}}, {{2, 4}}}, {{{0, 3}}}, true);
  both.add("kept", 0, [](const Tensor& x) { return tern::median(x, 0, true); }, middle, {{{3, 2}}}, {});
  Row all{.op = "median", .types = kSame};
  all.cases = {
      {.what = "of all",
       .inputs = {{}},
       .call = [](const Tensors& in) { return tern::median(in[0]); },
       .reference = [](const Arrays& in) { return single(in[0][static_cast<std::int64_t>(middle(in[0].values)[0])]); },
       .shapes = {{{2, 3}}, {{}}, {{4}}}}};
  all.cases[0].empty = {{{1, 1}}};
  all.faults = {{"no element", Raises::shape, [] { tern::median(zeros({0})); }}};
  all.edges = {1, 5, NAN, -2};
  Rows rows = both.rows;
  rows.push_back(all);
  return rows;
}

// Values, inverse and counts, side by side.
Row unique_row() {
  Row row{.op = "unique", .gradient = Gradient::none};
  row.cases = {{.inputs = {{.low = -2, .high = 3, .whole = true}},
                .call =
                    [](const Tensors& in) {
                      const tern::Distinct d = tern::unique(in[0]);
                      return tern::cat({d.values, d.inverse.reshape({-1}), d.counts});
                    },
                .reference =
                    [](const Arrays& in) {
                      Numbers values = in[0].values;
                      std::sort(values.begin(), values.end());
                      values.erase(std::unique(values.begin(), values.end()), values.end());
                      Numbers out = values;
                      for (double x : in[0].values) {
                        out.push_back(
                            static_cast<double>(std::lower_bound(values.begin(), values.end(), x) - values.begin()));
                      }
                      for (double x : values) {
                        const auto& all = in[0].values;
                        out.push_back(static_cast<double>(std::count(all.begin(), all.end(), x)));
                      }
                      return Array{{static_cast<std::int64_t>(out.size())}, out};
                    },
                .shapes = {{{2, 5}}, {{}}},
                .empty = {{{2, 0}}},
                .large = {{{50, 40}}}}};
  row.types = {{i64, i64}, {u8, i64}, {boolean, i64}};
  return row;
}

}  // namespace

Rows sort_rows() {
  Rows rows{argsort_row(), unique_row()};
  for (const auto& family : {sort_row(), topk_row(), kthvalue_row(), median_row()}) {
    rows.insert(rows.end(), family.begin(), family.end());
  }
  return rows;
}

}  // namespace conformance
