#include "conformance/row.h"
#include "tern/tensor/creation.h"

// Methods of Tensor that give another view, or a copy.
namespace conformance {
namespace {

using tern::boolean;
using tern::Dims;
using tern::f32;
using tern::f64;
using tern::i32;
using tern::i64;
using tern::u8;
using tern::zeros;

// The result's name in error texts is the method's.
Row view(const char* name, std::vector<Case> cases, std::vector<Fault> faults = {}) {
  return {.op = std::string("Tensor_") + name,
          .cases = std::move(cases),
          .types = kSame,
          .faults = std::move(faults),
          .where = name};
}

Array same(const Array& x) { return x; }

Array permuted(const Array& x, const std::vector<std::size_t>& order) {
  Index sizes;
  for (std::size_t d : order) sizes.push_back(x.sizes[d]);
  return build(sizes, [&](const Index& i) {
    Index from(i.size());
    for (std::size_t d = 0; d < order.size(); ++d) from[order[d]] = i[d];
    return x.at(from);
  });
}

Array sliced(const Array& x, std::size_t d, std::int64_t begin, std::int64_t count, std::int64_t step) {
  Index sizes = x.sizes;
  sizes[d] = count;
  return build(sizes, [&](Index i) {
    i[d] = begin + i[d] * step;
    return x.at(i);
  });
}

std::function<Array(const Array&)> resized(Index sizes) {
  return [sizes = std::move(sizes)](const Array& x) { return Array{sizes, x.values}; };
}

Array selected(const Array& x, std::size_t d, std::int64_t at) {
  Array out = sliced(x, d, at, 1, 1);
  out.sizes.erase(out.sizes.begin() + static_cast<std::ptrdiff_t>(d));
  return out;
}

Array broadcast_to(const Array& x, const Index& sizes) {
  return build(sizes, [&](const Index& i) { return x.at(i); });
}

Row copies(const char* name, std::function<Tensor(const Tensor&)> call) {
  Row row = view(name, {one_input("", std::move(call), same, {{{}}, {{2, 3}}, {{2, 1, 3}}}, {{{0}}, {{2, 0}}})});
  row.cases[0].large = {{{513, 65}}};
  return row;
}

Row to_row() {
  Row row{.op = "Tensor_to", .where = "to"};
  row.types = {{i64, f64}, {u8, f64}, {boolean, f64}};
  row.cases = {one_input("f64", [](const Tensor& x) { return x.to(f64); }, same, {{{2, 3}}}, {{{0}}}),
               one_input(
                   "f32 and back", [](const Tensor& x) { return x.to(f32).to(f64); },
                   [](const Array& x) { return map(x, [](double v) { return static_cast<float>(v); }); }, {}, {{{0}}})};
  row.cases[1].large = {{{513, 65}}};
  for (Case& c : row.cases) c.result = f64;
  return row;
}

// Conversions to types without a gradient.
Row to_whole_row(const char* op, DType type, double (*convert)(double)) {
  Row row{.op = op, .gradient = Gradient::none, .result = type, .where = "to"};
  row.types = {{i64, type}, {u8, type}, {boolean, type}};
  row.cases = {one_input(
      "", [type](const Tensor& x) { return x.to(type); }, [convert](const Array& x) { return map(x, convert); },
      {{{2, 3}}}, {{{0}}})};
  row.cases[0].inputs[0] = {.low = 0, .high = 6};
  row.cases[0].large = {{{513, 65}}};
  return row;
}

}  // namespace

Rows view_rows() {
  Rows rows;
  rows.push_back(copies("contiguous", [](const Tensor& x) { return x.contiguous(); }));
  rows.push_back(copies("clone", [](const Tensor& x) { return x.clone(); }));
  Row detach = copies("detach", [](const Tensor& x) { return x.detach(); });
  detach.gradient = Gradient::none;
  rows.push_back(detach);
  rows.push_back(to_row());
  rows.push_back(to_whole_row("Tensor_to", i64, [](double x) { return std::trunc(x); }));
  rows.push_back(to_whole_row("Tensor_to", i32, [](double x) { return std::trunc(x); }));
  rows.push_back(to_whole_row("Tensor_to", u8, [](double x) { return std::trunc(x); }));
  rows.push_back(to_whole_row("Tensor_to", boolean, [](double x) { return x != 0 ? 1.0 : 0.0; }));

  rows.push_back(view("reshape",
                      {one_input(
                          "",
                          [](const Tensor& x) {
                            return x.reshape({3, -1});
                          },
                          [](const Array& x) {
                            return Array{{3, x.count() / 3}, x.values};
                          },
                          {{{2, 6}}, {{3}}}, {{{0, 2}}})},
                      {{"another number of elements", Raises::shape, [] { zeros({3}).reshape({2}); }}}));
  rows.push_back(view("transpose",
                      {one_input(
                           "ends", [](const Tensor& x) { return x.transpose(0, -1); },
                           [](const Array& x) {
                             return permuted(x, {2, 1, 0});
                           },
                           {{{2, 3, 4}}}, {{{2, 0, 3}}}),
                       one_input("itself", [](const Tensor& x) { return x.transpose(1, 1); }, same, {{{2, 3}}})},
                      {{"a dimension that is not there", Raises::index, [] {
                          zeros({2, 3}).transpose(0, 2);
                        }}}));
  rows.push_back(view("t",
                      {one_input(
                           "matrix", [](const Tensor& x) { return x.t(); },
                           [](const Array& x) {
                             return permuted(x, {1, 0});
                           },
                           {{{2, 3}}}, {{{2, 0}}}),
                       one_input("vector", [](const Tensor& x) { return x.t(); }, same, {{{3}}, {{}}}, {{{0}}})},
                      {{"three dimensions", Raises::shape, [] {
                          zeros({2, 3, 4}).t();
                        }}}));
  rows.push_back(view("permute",
                      {one_input(
                          "",
                          [](const Tensor& x) {
                            return x.permute({2, 0, -2});
                          },
                          [](const Array& x) {
                            return permuted(x, {2, 0, 1});
                          },
                          {{{2, 3, 4}}, {{1, 3, 1}}}, {{{2, 0, 3}}})},
                      {{"a dimension twice", Raises::shape,
                        [] {
                          zeros({2, 3}).permute({0, 0});
                        }},
                       {"a dimension too few", Raises::shape,
                        [] {
                          zeros({2, 3}).permute({0});
                        }},
                       {"a dimension that is not there", Raises::index, [] {
                          zeros({2, 3}).permute({0, 2});
                        }}}));
  rows.push_back(view("expand",
                      {one_input(
                           "rows",
                           [](const Tensor& x) {
                             return x.expand({3, 2});
                           },
                           [](const Array& x) {
                             return broadcast_to(x, {3, 2});
                           },
                           {{{2}}, {{1, 2}}, {{3, 1}}, {{}}, {{3, 2}}}),
                       one_input(
                           "-1 keeps",
                           [](const Tensor& x) {
                             return x.expand({4, -1, 2});
                           },
                           [](const Array& x) {
                             return broadcast_to(x, {4, x.sizes[0], 2});
                           },
                           {{{3, 1}}}, {{{0, 1}}}),
                       one_input(
                           "to none",
                           [](const Tensor& x) {
                             return x.expand({0, 2});
                           },
                           [](const Array& x) {
                             return broadcast_to(x, {0, 2});
                           },
                           {}, {{{1, 2}}, {{2}}})},
                      {{"another size", Raises::shape, [] { zeros({2}).expand({3}); }},
                       {"fewer dimensions", Raises::shape,
                        [] {
                          zeros({2, 3}).expand({3});
                        }},
                       {"-1 of a new dimension", Raises::shape, [] {
                          zeros({2}).expand({-1, 2});
                        }}}));
  rows.push_back(view("squeeze",
                      {one_input("", [](const Tensor& x) { return x.squeeze(1); }, resized({2, 3}), {{{2, 1, 3}}}),
                       one_input("last", [](const Tensor& x) { return x.squeeze(-1); }, resized({0}), {}, {{{0, 1}}})},
                      {{"another size", Raises::shape,
                        [] {
                          zeros({2, 3}).squeeze(0);
                        }},
                       {"a dimension that is not there", Raises::index, [] { zeros({1}).squeeze(1); }}}));
  rows.push_back(
      view("unsqueeze",
           {one_input("", [](const Tensor& x) { return x.unsqueeze(1); }, resized({2, 1, 3}), {{{2, 3}}}),
            one_input("last", [](const Tensor& x) { return x.unsqueeze(-1); }, resized({0, 1}), {}, {{{0}}})},
           {{"a dimension that is not there", Raises::index, [] { zeros({1}).unsqueeze(2); }}}));
  rows.push_back(
      view("flatten",
           {one_input(
                "all", [](const Tensor& x) { return x.flatten(); },
                [](const Array& x) {
                  return Array{{x.count()}, x.values};
                },
                {{{}}, {{2, 3}}, {{2, 1, 3}}}, {{{2, 0}}}),
            one_input("last two", [](const Tensor& x) { return x.flatten(-2, -1); }, resized({2, 6}), {{{2, 3, 2}}})},
           {{"dimensions the wrong way round", Raises::shape,
             [] {
               zeros({2, 3}).flatten(1, 0);
             }},
            {"a dimension that is not there", Raises::index, [] {
               zeros({2, 3}).flatten(0, 2);
             }}}));
  rows.push_back(view("slice",
                      {one_input(
                           "every second", [](const Tensor& x) { return x.slice(1, 1, 5, 2); },
                           [](const Array& x) { return sliced(x, 1, 1, 2, 2); }, {{{2, 5}}, {{3, 4, 2}}}, {{{0, 4}}}),
                       one_input(
                           "from the end", [](const Tensor& x) { return x.slice(-1, -2, 100); },
                           [](const Array& x) { return sliced(x, 0, x.count() - 2, 2, 1); }, {{{2}}, {{5}}}),
                       one_input(
                           "nothing", [](const Tensor& x) { return x.slice(0, 3, 1); },
                           [](const Array& x) { return sliced(x, 0, 0, 0, 1); }, {}, {{{4, 2}}, {{2}}})},
                      {{"a step of 0", Raises::value, [] { zeros({2}).slice(0, 0, 2, 0); }},
                       {"a dimension that is not there", Raises::index, [] { zeros({2}).slice(1, 0, 2); }}}));
  const std::vector<Fault> outside{{"an index too large", Raises::index,
                                    [] {
                                      zeros({2, 3}).select(0, 2);
                                    }},
                                   {"an index too small", Raises::index,
                                    [] {
                                      zeros({2, 3}).select(1, -4);
                                    }},
                                   {"a dimension that is not there", Raises::index, [] { zeros({2}).select(1, 0); }},
                                   {"no dimension", Raises::index, [] { zeros({})[0]; }}};
  rows.push_back(view("select",
                      {one_input(
                           "", [](const Tensor& x) { return x.select(1, 2); },
                           [](const Array& x) { return selected(x, 1, 2); }, {{{2, 3}}, {{2, 4, 2}}}, {{{0, 3}}}),
                       one_input(
                           "from the end", [](const Tensor& x) { return x.select(-1, -1); },
                           [](const Array& x) { return selected(x, 0, x.count() - 1); }, {{{3}}, {{1}}})},
                      outside));
  Row subscript =
      view("operator_subscript",
           {one_input(
               "", [](const Tensor& x) { return x[-1]; }, [](const Array& x) { return selected(x, 0, x.sizes[0] - 1); },
               {{{2, 3}}, {{4}}}, {{{2, 0}}})},
           outside);
  subscript.where = "select";
  rows.push_back(subscript);
  return rows;
}

}  // namespace conformance
