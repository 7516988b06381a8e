#include "conformance/row.h"
#include "tern/base/random.h"
#include "tern/ops/dropout.h"
#include "tern/ops/softmax.h"
#include "tern/tensor/creation.h"

namespace conformance {
namespace {

using tern::boolean;
using tern::f32;
using tern::i64;
using tern::u8;
using tern::zeros;

Array softmax_of(const Array& x, int dim, bool logarithm) {
  const Array sums = reduce(x, {dim}, true, [](const Numbers& row) {
    double sum = 0;
    for (double value : row) sum += std::exp(value);
    return sum;
  });
  return zip(x, sums,
             [=](double value, double sum) { return logarithm ? value - std::log(sum) : std::exp(value) / sum; });
}

Row softmax_row(const char* op, Tensor (*f)(const Tensor&, int), bool logarithm) {
  Row row{.op = op, .tolerance = 1e-6, .types = {{i64, f32}, {u8, f32}, {boolean, f32}}};
  for (int dim : {-1, 0, 1}) {
    row.cases.push_back({.what = "dim " + std::to_string(dim),
                         .inputs = {{.low = -3, .high = 3}},
                         .call = [=](const Tensors& in) { return f(in[0], dim); },
                         .reference = [=](const Arrays& in) { return softmax_of(in[0], dim, logarithm); },
                         .shapes = {{{2, 3, 2}}, {{3, 1}}},
                         .empty = {{{2, 0}}, {{0, 3, 2}}},
                         .large = {{{300, 61}}}});
  }
  row.faults = {{"a dimension that is not there", Raises::index,
                 [f] {
                   f(zeros({2, 3}), 2);
                 }},
                {"dimension 1 of none", Raises::index, [f] { f(zeros({}), 1); }}};
  return row;
}

// Element i keeps word `offset + i` of the stream that the runner sets: kept where it is at least p as a uniform.
Row dropout_row() {
  Row row{.op = "dropout", .types = kReal};
  for (double p : {0.25, 0.0, 1.0}) {
    row.cases.push_back(
        {.what = "p " + std::to_string(p),
         .inputs = {{}},
         .call =
             [=](const Tensors& in) {
               const tern::GeneratorScope scope({.seed = 11, .stream = 3, .offset = 8});
               return dropout(in[0], p);
             },
         .reference =
             [=](const Arrays& in) {
               const tern::Philox random(11, 3);
               std::uint64_t word = 8;
               return map(in[0], [&](double x) { return random.uniform_float(word++) >= p ? x / (1 - p) : 0.0; });
             },
         .shapes = {{{}}, {{3, 4}}},
         .empty = {{{2, 0}}},
         .large = {{{20001}}}});
  }
  row.faults = {{"p above 1", Raises::value, [] { tern::dropout(zeros({1}), 1.5); }},
                {"p below 0", Raises::value, [] { tern::dropout(zeros({1}), -0.1); }}};
  return row;
}

}  // namespace

Rows softmax_rows() {
  return {softmax_row("softmax", tern::softmax, false), softmax_row("log_softmax", tern::log_softmax, true),
          dropout_row()};
}

}  // namespace conformance
