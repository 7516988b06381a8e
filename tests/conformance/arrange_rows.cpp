#include <algorithm>

#include "conformance/row.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"

// Parts, joins and copies of elements in another order (ops/shape.h).
namespace conformance {
namespace {

using tern::boolean;
using tern::f64;
using tern::i64;
using tern::tensor;
using tern::u8;
using tern::zeros;

Row moving(const char* op, std::vector<Case> cases, std::vector<Fault> faults) {
  return {.op = op, .cases = std::move(cases), .types = kSame, .faults = std::move(faults)};
}

/// The array of these sizes whose element at each index is x's at from(index).
Array taken(const Array& x, const Index& sizes, const std::function<void(Index&)>& from) {
  return build(sizes, [&](Index i) {
    from(i);
    return x.at(i);
  });
}

// Results joined along their last dimension of a call with several.
Tensor joined(const Tensors& parts, int dim) { return tern::cat(parts, dim); }

Row unflatten_row() {
  return moving("unflatten",
                {one_input(
                     "",
                     [](const Tensor& x) {
                       return tern::unflatten(x, 1, {2, -1});
                     },
                     [](const Array& x) {
                       return Array{{x.sizes[0], 2, x.sizes[1] / 2}, x.values};
                     },
                     {{{3, 4}}, {{2, 6}}}, {{{0, 4}}}),
                 one_input(
                     "all sizes given",
                     [](const Tensor& x) {
                       return tern::unflatten(x, -1, {1, 4});
                     },
                     [](const Array& x) {
                       return Array{{1, 4}, x.values};
                     },
                     {{{4}}})},
                {{"sizes that do not divide", Raises::shape,
                  [] {
                    tern::unflatten(zeros({5}), 0, {2, -1});
                  }},
                 {"sizes of more elements", Raises::shape,
                  [] {
                    tern::unflatten(zeros({6}), 0, {2, 4});
                  }},
                 {"two open sizes", Raises::shape,
                  [] {
                    tern::unflatten(zeros({6}), 0, {-1, -1});
                  }},
                 {"a dimension that is not there", Raises::index, [] {
                    tern::unflatten(zeros({6}), 1, {2, 3});
                  }}});
}

Row broadcast_to_row() {
  return moving("broadcast_to",
                {one_input(
                     "",
                     [](const Tensor& x) {
                       return tern::broadcast_to(x, {2, 3});
                     },
                     [](const Array& x) {
                       return build({2, 3}, [&](const Index& i) { return x.at(i); });
                     },
                     {{{3}}, {{2, 1}}, {{}}, {{2, 3}}}),
                 one_input(
                     "to none",
                     [](const Tensor& x) {
                       return tern::broadcast_to(x, {0, 2});
                     },
                     [](const Array&) {
                       return Array{{0, 2}, {}};
                     },
                     {}, {{{2}}})},
                {{"another size", Raises::shape, [] { tern::broadcast_to(zeros({2}), {3}); }},
                 {"a smaller shape", Raises::shape, [] {
                    tern::broadcast_to(zeros({2, 3}), {3});
                  }}});
}

Row expand_as_row() {
  Row row = moving("expand_as", {}, {{"another size", Raises::shape, [] { tern::expand_as(zeros({2}), zeros({3})); }}});
  row.where = "expand";
  row.mixes_devices = true;  // it reads a shape
  row.cases = {{.inputs = {{}, {.varies = false}},
                .call = [](const Tensors& in) { return tern::expand_as(in[0], in[1]); },
                .reference = [](const Arrays& in) { return zip(in[0], in[1], [](double a, double) { return a; }); },
                .shapes = {{{3}, {2, 3}}, {{2, 1}, {2, 3}}},
                .empty = {{{1, 2}, {0, 2}}}}};
  return row;
}

Row movedim_row() {
  return moving("movedim",
                {one_input(
                     "first to last", [](const Tensor& x) { return tern::movedim(x, 0, -1); },
                     [](const Array& x) {
                       return taken(x, {x.sizes[1], x.sizes[2], x.sizes[0]}, [](Index& i) { i = {i[2], i[0], i[1]}; });
                     },
                     {{{2, 3, 4}}}, {{{2, 0, 3}}}),
                 one_input(
                     "two",
                     [](const Tensor& x) {
                       return tern::movedim(x, {2, 0}, {0, 1});
                     },
                     [](const Array& x) {
                       return taken(x, {x.sizes[2], x.sizes[0], x.sizes[1]}, [](Index& i) { i = {i[1], i[2], i[0]}; });
                     },
                     {{{2, 3, 4}}})},
                {{"a dimension twice", Raises::shape,
                  [] {
                    tern::movedim(zeros({2, 3}), {0, 0}, {0, 1});
                  }},
                 {"a place twice", Raises::shape,
                  [] {
                    tern::movedim(zeros({2, 3}), {0, 1}, {1, 1});
                  }},
                 {"a place too few", Raises::shape,
                  [] {
                    tern::movedim(zeros({2, 3}), {0, 1}, {1});
                  }},
                 {"a dimension that is not there", Raises::index, [] {
                    tern::movedim(zeros({2, 3}), 0, 2);
                  }}});
}

Row narrow_row() {
  const auto part = [](const Array& x, std::int64_t begin, std::int64_t length) {
    Index sizes = x.sizes;
    sizes[1] = length;
    return taken(x, sizes, [=](Index& i) { i[1] += begin; });
  };
  return moving("narrow",
                {one_input(
                     "", [](const Tensor& x) { return tern::narrow(x, 1, 1, 2); },
                     [=](const Array& x) { return part(x, 1, 2); }, {{{2, 4}}, {{2, 3, 2}}}, {{{0, 3}}}),
                 one_input(
                     "from the end", [](const Tensor& x) { return tern::narrow(x, 1, -2, 2); },
                     [=](const Array& x) { return part(x, x.sizes[1] - 2, 2); }, {{{2, 4}}}),
                 one_input(
                     "none", [](const Tensor& x) { return tern::narrow(x, 1, 3, 0); },
                     [=](const Array& x) { return part(x, 0, 0); }, {}, {{{2, 3}}})},
                {{"past the end", Raises::index, [] { tern::narrow(zeros({3}), 0, 2, 2); }},
                 {"before the start", Raises::index, [] { tern::narrow(zeros({3}), 0, -4, 1); }},
                 {"a huge length", Raises::index, [] { tern::narrow(zeros({3}), 0, 1, INT64_MAX); }},
                 {"a negative length", Raises::index, [] { tern::narrow(zeros({3}), 0, 1, -1); }}});
}

// The parts in reverse order, side by side, so that each is told from the others.
Array parts_reversed(const Array& x, std::size_t d, const std::vector<std::int64_t>& sizes) {
  std::vector<std::int64_t> from;
  std::int64_t at = x.sizes[d];
  for (std::size_t k = sizes.size(); k-- > 0;) {
    at -= sizes[k];
    for (std::int64_t i = 0; i < sizes[k]; ++i) from.push_back(at + i);
  }
  Index out = x.sizes;
  out[d] = static_cast<std::int64_t>(from.size());
  return taken(x, out, [&](Index& i) { i[d] = from[static_cast<std::size_t>(i[d])]; });
}

Tensor reversed(Tensors parts, int dim) {
  std::reverse(parts.begin(), parts.end());
  return joined(parts, dim);
}

std::vector<std::int64_t> pieces(std::int64_t total, std::int64_t size) {
  std::vector<std::int64_t> out;
  for (std::int64_t at = 0; at < total; at += size) out.push_back(std::min(size, total - at));
  return out;
}

Row split_row() {
  return moving(
      "split",
      {one_input(
           "with a rest", [](const Tensor& x) { return reversed(tern::split(x, 2), 0); },
           [](const Array& x) { return parts_reversed(x, 0, pieces(x.sizes[0], 2)); }, {{{5, 2}}, {{4}}}, {{{0, 2}}}),
       one_input(
           "one part", [](const Tensor& x) { return reversed(tern::split(x, INT64_MAX, -1), -1); },
           [](const Array& x) { return x; }, {{{2, 3}}})},
      {{"a size of 0", Raises::value, [] { tern::split(zeros({3}), 0); }},
       {"a dimension that is not there", Raises::index, [] { tern::split(zeros({3}), 1, 1); }}});
}

Row split_with_sizes_row() {
  return moving("split_with_sizes",
                {one_input(
                    "",
                    [](const Tensor& x) {
                      return reversed(tern::split_with_sizes(x, {1, 0, 3}, 1), 1);
                    },
                    [](const Array& x) {
                      return parts_reversed(x, 1, {1, 0, 3});
                    },
                    {{{2, 4}}}, {{{0, 4}}})},
                {{"sizes of less", Raises::shape,
                  [] {
                    tern::split_with_sizes(zeros({3}), {1, 1});
                  }},
                 {"a negative size", Raises::shape,
                  [] {
                    tern::split_with_sizes(zeros({3}), {4, -1});
                  }},
                 {"sizes that overflow", Raises::shape, [] {
                    tern::split_with_sizes(zeros({3}), {INT64_MAX, INT64_MAX, 5});
                  }}});
}

Row chunk_row() {
  return moving("chunk",
                {one_input(
                     "", [](const Tensor& x) { return reversed(tern::chunk(x, 3, 1), 1); },
                     [](const Array& x) { return parts_reversed(x, 1, pieces(x.sizes[1], (x.sizes[1] + 2) / 3)); },
                     {{{2, 7}}, {{2, 3}}, {{1, 4}}}, {{{0, 4}}}),
                 one_input(
                     "more than there are", [](const Tensor& x) { return reversed(tern::chunk(x, 100), 0); },
                     [](const Array& x) { return parts_reversed(x, 0, pieces(x.sizes[0], 1)); }, {{{3, 2}}})},
                {{"no chunk", Raises::value, [] { tern::chunk(zeros({3}), 0); }}});
}

Row unbind_row() {
  return moving("unbind",
                {one_input(
                    "", [](const Tensor& x) { return tern::stack(tern::unbind(x, 1), 0); },
                    [](const Array& x) {
                      return taken(x, {x.sizes[1], x.sizes[0]}, [](Index& i) { std::swap(i[0], i[1]); });
                    },
                    {{{2, 3}}}, {{{0, 3}}})},
                {{"no dimension", Raises::index, [] { tern::unbind(zeros({})); }}});
}

Row diagonal_row() {
  const auto of = [](const Array& x, std::int64_t offset) {
    const std::int64_t rows = x.sizes[0], columns = x.sizes[1];
    const std::int64_t length =
        std::max<std::int64_t>(0, offset >= 0 ? std::min(rows, columns - offset) : std::min(rows + offset, columns));
    return build({length}, [&](const Index& i) {
      return x.at({i[0] + std::max<std::int64_t>(-offset, 0), i[0] + std::max<std::int64_t>(offset, 0)});
    });
  };
  std::vector<Case> cases;
  for (std::int64_t offset : {0, 1, -1}) {
    cases.push_back(one_input(
        "matrix", [=](const Tensor& x) { return tern::diagonal(x, offset); },
        [=](const Array& x) { return of(x, offset); }, {{{2, 3}}, {{3, 2}}, {{3, 3}}}, {{{0, 2}}}));
  }
  cases.push_back(one_input(
      "past the corner", [](const Tensor& x) { return tern::diagonal(x, INT64_MIN); },
      [](const Array&) {
        return Array{{0}, {}};
      },
      {}, {{{2, 3}}}));
  cases.push_back(one_input(
      "of other dimensions", [](const Tensor& x) { return tern::diagonal(x, 1, -1, 0); },
      [](const Array& x) {
        const std::int64_t length = std::min(x.sizes[2], x.sizes[0] - 1);
        return taken(x, {x.sizes[1], length}, [](Index& i) { i = {i[1] + 1, i[0], i[1]}; });
      },
      {{{3, 2, 2}}}));
  return moving("diagonal", cases,
                {{"one dimension twice", Raises::shape,
                  [] {
                    tern::diagonal(zeros({2, 2}), 0, 0, -2);
                  }},
                 {"one dimension", Raises::index, [] { tern::diagonal(zeros({2})); }}});
}

Row meshgrid_row() {
  Row row = moving("meshgrid", {},
                   {{"no tensor", Raises::value, [] { tern::meshgrid({}); }}, {"a matrix", Raises::shape, [] {
                                                                                 tern::meshgrid({zeros({2, 2})});
                                                                               }}});
  row.mixes_devices = true;
  for (bool xy : {false, true}) {
    row.cases.push_back(
        {.what = xy ? "xy" : "ij",
         .inputs = {{}, {}},
         .call =
             [=](const Tensors& in) {
               return tern::stack(tern::meshgrid({in[0], in[1]}, xy ? tern::Indexing::xy : tern::Indexing::ij));
             },
         .reference =
             [=](const Arrays& in) {
               const std::int64_t n = in[0].count(), m = in[1].count();
               return build({2, xy ? m : n, xy ? n : m}, [&](const Index& i) {
                 const std::size_t which = static_cast<std::size_t>(i[0]);
                 return in[which][i[xy ? 2 - which : 1 + which]];
               });
             },
         .shapes = {{{2}, {3}}},
         .empty = {{{0}, {2}}}});
  }
  return row;
}

Row flip_row() {
  Row row = moving(
      "flip",
      {one_input(
           "both",
           [](const Tensor& x) {
             return tern::flip(x, {0, -1});
           },
           [](const Array& x) {
             return taken(x, x.sizes, [&](Index& i) {
               i.front() = x.sizes.front() - 1 - i.front();
               i.back() = x.sizes.back() - 1 - i.back();
             });
           },
           {{{2, 3}}, {{2, 2, 3}}}, {{{0, 2}}}),
       one_input(
           "none", [](const Tensor& x) { return tern::flip(x, {}); }, [](const Array& x) { return x; }, {{{3}}})},
      {{"a dimension twice", Raises::shape,
        [] {
          tern::flip(zeros({2}), {0, -1});
        }},
       {"a dimension that is not there", Raises::index, [] { tern::flip(zeros({2}), {1}); }}});
  row.cases[0].large = {{{513, 65}}};
  return row;
}

Row roll_row() {
  const auto rolled = [](const Array& x, std::size_t d, std::int64_t by) {
    return taken(x, x.sizes, [&, by](Index& i) {
      const std::int64_t size = x.sizes[d];
      i[d] = ((i[d] - by) % size + size) % size;
    });
  };
  return moving("roll",
                {one_input(
                     "on", [](const Tensor& x) { return tern::roll(x, 1, -1); },
                     [=](const Array& x) { return rolled(x, x.sizes.size() - 1, 1); }, {{{2, 3}}, {{4}}}, {{{2, 0}}}),
                 one_input(
                     "back, around more than once", [](const Tensor& x) { return tern::roll(x, -5, 0); },
                     [=](const Array& x) { return rolled(x, 0, -5); }, {{{3, 2}}, {{5}}}),
                 one_input(
                     "two dimensions",
                     [](const Tensor& x) {
                       return tern::roll(x, {1, -1}, {0, 1});
                     },
                     [=](const Array& x) { return rolled(rolled(x, 0, 1), 1, -1); }, {{{2, 3}}}),
                 one_input(
                     "flattened", [](const Tensor& x) { return tern::roll(x, {2}); },
                     [=](const Array& x) {
                       return Array{x.sizes, rolled({{x.count()}, x.values}, 0, 2).values};
                     },
                     {{{2, 3}}, {{}}})},
                {{"a shift too few", Raises::shape,
                  [] {
                    tern::roll(zeros({2, 2}), {1}, {0, 1});
                  }},
                 {"shifts without dimensions", Raises::shape,
                  [] {
                    tern::roll(zeros({2, 2}), {1, 1});
                  }},
                 {"a dimension that is not there", Raises::index, [] { tern::roll(zeros({2}), 1, 1); }}});
}

Array repeated(const Array& x, const Index& repeats) {
  Index sizes(repeats.size(), 1);
  std::copy_backward(x.sizes.begin(), x.sizes.end(), sizes.end());
  Array wide{sizes, x.values};
  for (std::size_t d = 0; d < sizes.size(); ++d) sizes[d] *= repeats[d];
  return taken(wide, sizes, [&](Index& i) {
    for (std::size_t d = 0; d < i.size(); ++d) i[d] %= wide.sizes[d];
  });
}

Row repeat_row() {
  return moving(
      "repeat",
      {one_input(
           "more dimensions",
           [](const Tensor& x) {
             return tern::repeat(x, {2, 1, 3});
           },
           [](const Array& x) {
             return repeated(x, {2, 1, 3});
           },
           {{{2, 2}}, {{3}}, {{}}}, {{{0, 2}}}),
       one_input(
           "none", [](const Tensor& x) { return tern::repeat(x, {0}); },
           [](const Array&) {
             return Array{{0}, {}};
           },
           {}, {{{3}}}),
       one_input(
           "once", [](const Tensor& x) { return tern::repeat(x, {1}); }, [](const Array& x) { return x; }, {{{3}}})},
      {{"a repeat too few", Raises::shape,
        [] {
          tern::repeat(zeros({2, 2}), {2});
        }},
       {"a negative repeat", Raises::shape, [] { tern::repeat(zeros({2}), {-1}); }},
       {"a size that overflows", Raises::value, [] { tern::repeat(zeros({2}), {INT64_MAX}); }}});
}

Row tile_row() {
  return moving("tile",
                {one_input(
                    "fewer repeats than dimensions", [](const Tensor& x) { return tern::tile(x, {2}); },
                    [](const Array& x) {
                      Index repeats(x.sizes.size(), 1);
                      repeats.back() = 2;
                      return repeated(x, repeats);
                    },
                    {{{2, 3}}, {{2}}}, {{{0, 2}}})},
                {{"a negative repeat", Raises::shape, [] { tern::tile(zeros({2}), {-1}); }}});
}

Row repeat_interleave_row() {
  const std::vector<std::int64_t> counts{2, 0, 1};
  return moving(
      "repeat_interleave",
      {one_input(
           "", [](const Tensor& x) { return tern::repeat_interleave(x, 2, 1); },
           [](const Array& x) {
             Index sizes = x.sizes;
             sizes[1] *= 2;
             return taken(x, sizes, [](Index& i) { i[1] /= 2; });
           },
           {{{2, 3}}, {{2, 2, 2}}}, {{{2, 0}}}),
       one_input(
           "a number each", [=](const Tensor& x) { return tern::repeat_interleave(x, tern::from_vector(counts), 0); },
           [](const Array& x) {
             const std::int64_t from[] = {0, 0, 2};
             return taken(x, x.sizes, [&](Index& i) { i[0] = from[i[0]]; });
           },
           {{{3, 2}}}, {{{3, 0}}})},
      {{"a negative number", Raises::value, [] { tern::repeat_interleave(zeros({2}), -1, 0); }},
       {"a negative number in a tensor", Raises::value,
        [] {
          tern::repeat_interleave(zeros({2}), tensor({1, -1}, i64), 0);
        }},
       {"a number too few", Raises::shape, [] { tern::repeat_interleave(zeros({2}), tensor({1}, i64), 0); }},
       {"numbers of a floating type", Raises::dtype, [] {
          tern::repeat_interleave(zeros({2}), tensor({1, 1}), 0);
        }}});
}

Row pad_row() {
  using tern::PadMode;
  // Of the last two dimensions; `at` gives the index to copy, or -1 for the value.
  const auto padded = [](const Array& x, std::vector<std::int64_t> pads, double value,
                         const std::function<std::int64_t(std::int64_t, std::int64_t)>& at) {
    Index sizes = x.sizes;
    std::vector<std::int64_t> before(sizes.size(), 0);
    for (std::size_t k = 0; k < pads.size() / 2; ++k) {
      before[sizes.size() - 1 - k] = pads[2 * k];
      sizes[sizes.size() - 1 - k] += pads[2 * k] + pads[2 * k + 1];
    }
    return build(sizes, [&](Index i) {
      for (std::size_t d = 0; d < i.size(); ++d) {
        i[d] = at(i[d] - before[d], x.sizes[d]);
        if (i[d] < 0) return value;
      }
      return x.at(i);
    });
  };
  const auto outside = [](std::int64_t i, std::int64_t n) { return i < 0 || i >= n ? -1 : i; };
  Row row = moving("pad",
                   {one_input(
                        "constant",
                        [](const Tensor& x) {
                          return tern::pad(x, {1, 2, 0, 1}, {.value = 1});
                        },
                        [=](const Array& x) {
                          return padded(x, {1, 2, 0, 1}, 1, outside);
                        },
                        {{{2, 3}}, {{2, 1, 2}}}, {{{2, 0}}}),
                    one_input(
                        "one side cut",
                        [](const Tensor& x) {
                          return tern::pad(x, {-1, 2});
                        },
                        [=](const Array& x) {
                          return padded(x, {-1, 2}, 0, outside);
                        },
                        {{{2, 3}}}),
                    one_input(
                        "cut to nothing of x",
                        [](const Tensor& x) {
                          return tern::pad(x, {-4, 3});
                        },
                        [=](const Array& x) {
                          return padded(x, {-4, 3}, 0, outside);
                        },
                        {{{2, 2}}}),
                    one_input(
                        "reflect",
                        [](const Tensor& x) {
                          return tern::pad(x, {2, 1, 1, 0}, {.mode = PadMode::reflect});
                        },
                        [=](const Array& x) {
                          return padded(x, {2, 1, 1, 0}, 0, [](std::int64_t i, std::int64_t n) {
                            return i < 0 ? -i : i < n ? i : 2 * (n - 1) - i;
                          });
                        },
                        {{{2, 3}}, {{1, 3, 4}}}),
                    one_input(
                        "replicate",
                        [](const Tensor& x) {
                          return tern::pad(x, {3, 1}, {.mode = PadMode::replicate});
                        },
                        [=](const Array& x) {
                          return padded(x, {3, 1}, 0, [](std::int64_t i, std::int64_t n) {
                            return std::clamp<std::int64_t>(i, 0, n - 1);
                          });
                        },
                        {{{2, 2}}}, {{{0, 2}}}),
                    one_input(
                        "circular",
                        [](const Tensor& x) {
                          return tern::pad(x, {2, -1}, {.mode = PadMode::circular});
                        },
                        [=](const Array& x) {
                          return padded(x, {2, -1}, 0, [](std::int64_t i, std::int64_t n) { return (i + n) % n; });
                        },
                        {{{2, 3}}})},
                   {{"an odd number", Raises::shape, [] { tern::pad(zeros({2}), {1}); }},
                    {"more than the dimensions", Raises::shape,
                     [] {
                       tern::pad(zeros({2}), {1, 1, 1, 1});
                     }},
                    {"more cut than there is", Raises::shape,
                     [] {
                       tern::pad(zeros({2}), {-2, -1});
                     }},
                    {"a size that overflows", Raises::shape,
                     [] {
                       tern::pad(zeros({2}), {INT64_MAX, 0});
                     }},
                    {"a reflection past the other end", Raises::shape, [] {
                       tern::pad(zeros({2}), {2, 0}, {.mode = PadMode::reflect});
                     }}});
  row.cases[0].large = {{{513, 65}}};
  return row;
}

Row triangle_row(const char* op, Tensor (*f)(const Tensor&, std::int64_t), bool upper) {
  std::vector<Case> cases;
  for (std::int64_t offset : {0, 1, -1}) {
    cases.push_back(one_input(
        "", [=](const Tensor& x) { return f(x, offset); },
        [=](const Array& x) {
          return build(x.sizes, [&](const Index& i) {
            const std::int64_t over = i[i.size() - 1] - i[i.size() - 2] - offset;
            return (upper ? over >= 0 : over <= 0) ? x.at(i) : 0;
          });
        },
        {{{2, 3}}, {{2, 3, 2}}}, {{{0, 2}}, {{2, 0}}}));
  }
  cases[0].large = {{{211, 303}}};
  return moving(op, cases, {{"one dimension", Raises::shape, [f] { f(zeros({2}), 0); }}});
}

Row diag_row() {
  return moving("diag",
                {one_input(
                     "of a vector", [](const Tensor& x) { return tern::diag(x); },
                     [](const Array& x) {
                       return build({x.count(), x.count()}, [&](const Index& i) { return i[0] == i[1] ? x[i[0]] : 0; });
                     },
                     {{{3}}}, {{{0}}}),
                 one_input(
                     "below", [](const Tensor& x) { return tern::diag(x, -1); },
                     [](const Array& x) {
                       const std::int64_t n = x.count() + 1;
                       return build({n, n}, [&](const Index& i) { return i[0] == i[1] + 1 ? x[i[1]] : 0; });
                     },
                     {{{2}}}),
                 one_input(
                     "of a matrix", [](const Tensor& x) { return tern::diag(x, 1); },
                     [](const Array& x) {
                       return build({x.sizes[1] - 1}, [&](const Index& i) { return x.at({i[0], i[0] + 1}); });
                     },
                     {{{3, 3}}})},
                {{"three dimensions", Raises::shape,
                  [] {
                    tern::diag(zeros({2, 2, 2}));
                  }},
                 {"an offset that overflows", Raises::value, [] { tern::diag(zeros({2}), INT64_MIN); }}});
}

Row diagonal_scatter_row() {
  const Tensor x = zeros({2, 3});
  Row row = moving("diagonal_scatter", {},
                   {{"a source of another shape", Raises::shape, [=] { tern::diagonal_scatter(x, zeros({3})); }},
                    {"a source of another type", Raises::dtype, [=] { tern::diagonal_scatter(x, zeros({2}, f64)); }},
                    {"one dimension twice", Raises::shape, [=] { tern::diagonal_scatter(x, zeros({2}), 0, 1, 1); }}});
  row.cases = {{.inputs = {{}, {}},
                .call = [](const Tensors& in) { return tern::diagonal_scatter(in[0], in[1], 1); },
                .reference =
                    [](const Arrays& in) {
                      return build(in[0].sizes,
                                   [&](const Index& i) { return i[1] == i[0] + 1 ? in[1][i[0]] : in[0].at(i); });
                    },
                .shapes = {{{2, 3}, {2}}, {{3, 3}, {2}}},
                .empty = {{{2, 1}, {0}}}}};
  return row;
}

}  // namespace

Rows arrange_rows() {
  return {unflatten_row(),
          broadcast_to_row(),
          expand_as_row(),
          movedim_row(),
          narrow_row(),
          split_row(),
          chunk_row(),
          split_with_sizes_row(),
          unbind_row(),
          diagonal_row(),
          meshgrid_row(),
          flip_row(),
          roll_row(),
          repeat_row(),
          tile_row(),
          repeat_interleave_row(),
          pad_row(),
          triangle_row("tril", tern::tril, false),
          diag_row(),
          triangle_row("triu", tern::triu, true),
          diagonal_scatter_row()};
}

}  // namespace conformance
