#include "conformance/row.h"
#include "tern/ops/loss.h"
#include "tern/tensor/creation.h"

namespace conformance {
namespace {

using tern::f64;
using tern::i64;
using tern::Reduction;
using tern::tensor;
using tern::zeros;

const std::pair<const char*, Reduction> kReductions[]{
    {"mean", Reduction::mean}, {"sum", Reduction::sum}, {"none", Reduction::none}};

Array reduced(const Array& losses, Reduction reduction, double divisor) {
  if (reduction == Reduction::none) return losses;
  const double sum = total(losses.values);
  return single(reduction == Reduction::mean ? sum / divisor : sum);
}

Array reduced(const Array& losses, Reduction reduction) {
  return reduced(losses, reduction, static_cast<double>(losses.count()));
}

double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

// weight · (pos_weight · t · softplus(-x) + (1 - t) · softplus(x)), the definition.
Array bce_of(const Array& x, const Array& t, const Array& weight, const Array& positive, Reduction reduction) {
  return reduced(build(x.sizes,
                       [&](const Index& i) {
                         const double target = t.at(i);
                         return weight.at(i) *
                                (positive.at(i) * target * softplus(-x.at(i)) + (1 - target) * softplus(x.at(i)));
                       }),
                 reduction);
}

Row bce_row() {
  Row row{.op = "bce_with_logits", .tolerance = 2e-6, .tolerance_f64 = 1e-12};
  const Input logits{.low = -4, .high = 4}, target{.low = 0, .high = 1}, weight{.low = 0.2, .high = 3};
  Input fixed_target = target, fixed_weight = weight, label = target;
  fixed_target.varies = fixed_weight.varies = label.varies = false;
  label.high = 2;
  label.whole = true;
  const std::vector<Shapes> pairs{{{2, 3}, {2, 3}}, {{}, {}}, {{4, 1}, {4, 1}}};
  for (const auto& [what, reduction] : kReductions) {
    const Case plain{
        .what = what,
        .inputs = {logits, fixed_target},
        .call = [r = reduction](const Tensors& in) { return bce_with_logits(in[0], in[1], {.reduction = r}); },
        .reference = [r = reduction](const Arrays& in) { return bce_of(in[0], in[1], single(1), single(1), r); },
        .shapes = pairs,
        .empty = {{{0, 2}, {0, 2}}},
        .large = {{{20000}, {20000}}}};
    row.cases.push_back(plain);
    row.cases.push_back(plain);
    row.cases.back().what += ", labels";
    row.cases.back().inputs[1] = label;
    row.cases.push_back(plain);
    row.cases.back().what += ", through the target";
    row.cases.back().inputs[1] = target;
    const Case weighted{
        .what = std::string(what) + ", weighted",
        .inputs = {logits, fixed_target, fixed_weight, fixed_weight},
        .call =
            [r = reduction](const Tensors& in) {
              return bce_with_logits(in[0], in[1], {.weight = in[2], .pos_weight = in[3], .reduction = r});
            },
        .reference = [r = reduction](const Arrays& in) { return bce_of(in[0], in[1], in[2], in[3], r); },
        .shapes = {{{2, 3}, {2, 3}, {2, 3}, {3}}, {{2, 3}, {2, 3}, {2, 1}, {}}},
        .empty = {{{0, 2}, {0, 2}, {0, 1}, {2}}},
        .large = {{{200, 90}, {200, 90}, {200, 1}, {90}}}};
    row.cases.push_back(weighted);
    for (Input& input : row.cases.back().inputs) input.optional = &input - row.cases.back().inputs.data() > 1;
    row.cases.push_back(weighted);
    row.cases.back().what += ", through everything";
    row.cases.back().inputs = {logits, target, weight, weight};
    for (Input& input : row.cases.back().inputs) input.optional = &input - row.cases.back().inputs.data() > 1;
    row.cases.push_back(
        {.what = std::string(what) + ", positive part weighted",
         .inputs = {logits, fixed_target, fixed_weight},
         .call =
             [r = reduction](const Tensors& in) {
               return bce_with_logits(in[0], in[1], {.pos_weight = in[2], .reduction = r});
             },
         .reference = [r = reduction](const Arrays& in) { return bce_of(in[0], in[1], single(1), in[2], r); },
         .shapes = {{{2, 3}, {2, 3}, {}}}});
    row.cases.back().inputs[2].optional = true;
  }
  row.faults = {{"a target of another shape", Raises::shape,
                 [] {
                   bce_with_logits(zeros({2}), zeros({2, 1}));
                 }},
                {"a target of another type", Raises::dtype, [] { bce_with_logits(zeros({2}), zeros({2}, i64)); }},
                {"integers", Raises::dtype, [] { bce_with_logits(zeros({2}, i64), zeros({2}, i64)); }},
                {"a weight that does not broadcast", Raises::shape,
                 [] { bce_with_logits(zeros({2}), zeros({2}), {.weight = zeros({3})}); }},
                {"a weight that is larger", Raises::shape,
                 [] {
                   bce_with_logits(zeros({2}), zeros({2}), {.weight = zeros({3, 2})});
                 }},
                {"a weight of the positive part that does not broadcast", Raises::shape,
                 [] { bce_with_logits(zeros({2}), zeros({2}), {.pos_weight = zeros({3})}); }},
                {"a weight of the positive part that is larger", Raises::shape, [] {
                   bce_with_logits(zeros({2}), zeros({2}), {.pos_weight = zeros({3, 2})});
                 }}};
  return row;
}

struct Smoothed {
  bool weighted;
  double smoothing;
};

Array cross_entropy_of(const Arrays& in, Smoothed how, Reduction reduction) {
  const std::int64_t rows = in[0].sizes[0], classes = in[0].sizes[1];
  double weights = 0;
  const auto weight = [&](std::int64_t c) { return how.weighted ? in[2][c] : 1; };
  const Array losses = build({rows}, [&](const Index& i) {
    double sum = 0;
    for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(in[0].at({i[0], c}));
    const auto target = static_cast<std::int64_t>(in[1][i[0]]);
    double loss = 0;
    for (std::int64_t c = 0; c < classes; ++c) {
      const double share = (c == target ? 1 - how.smoothing : 0) + how.smoothing / static_cast<double>(classes);
      loss += share * weight(c) * (std::log(sum) - in[0].at({i[0], c}));
    }
    weights += weight(target);
    return loss;
  });
  return reduced(losses, reduction, weights);
}

Row cross_entropy_row() {
  Row row{.op = "cross_entropy", .tolerance = 2e-6, .tolerance_f64 = 1e-12};
  const Input logits{.low = -3, .high = 3};
  const Input labels{.low = 0, .high = 3, .whole = true, .varies = false, .dtype = i64};
  const Input weight{.low = 0.2, .high = 3, .varies = false, .optional = true};
  for (const auto& [what, reduction] : kReductions) {
    for (const Smoothed& how : {Smoothed{false, 0}, Smoothed{false, 0.2}, Smoothed{true, 0}, Smoothed{true, 0.2}}) {
      Case c{.what = std::string(what) + (how.weighted ? ", weighted" : "") + (how.smoothing > 0 ? ", smoothed" : ""),
             .inputs = {logits, labels},
             .call =
                 [=, r = reduction](const Tensors& in) {
                   return cross_entropy(
                       in[0], in[1],
                       {.weight = how.weighted ? in[2] : Tensor(), .label_smoothing = how.smoothing, .reduction = r});
                 },
             .reference = [=, r = reduction](const Arrays& in) { return cross_entropy_of(in, how, r); },
             .shapes = {{{4, 3}, {4}}, {{1, 3}, {1}}},
             .empty = {{{0, 3}, {0}}},
             .large = {{{2000, 7}, {2000}}}};
      if (how.weighted) {
        c.inputs.push_back(weight);
        for (Shapes& s : c.shapes) s.push_back({3});
        for (Shapes& s : c.empty) s.push_back({3});
        for (Shapes& s : c.large) s.push_back({7});
      }
      row.cases.push_back(c);
    }
  }
  const Tensor x = zeros({2, 3}), t = zeros({2}, i64);
  row.faults = {
      {"logits of one dimension", Raises::shape, [=] { cross_entropy(zeros({3}), t); }},
      {"a target of another size", Raises::shape, [=] { cross_entropy(x, zeros({3}, i64)); }},
      {"a floating target", Raises::dtype, [=] { cross_entropy(x, zeros({2})); }},
      {"integer logits", Raises::dtype, [=] { cross_entropy(x.to(i64), t); }},
      {"a class too large", Raises::index,
       [=] {
         cross_entropy(x, tensor({0, 3}, i64));
       }},
      {"a negative class", Raises::index,
       [=] {
         cross_entropy(x, tensor({-1, 0}, i64));
       }},
      {"weights of another number of classes", Raises::shape, [=] { cross_entropy(x, t, {.weight = zeros({2})}); }},
      {"a smoothing above 1", Raises::value, [=] { cross_entropy(x, t, {.label_smoothing = 1.5}); }}};
  return row;
}

using PairLoss = std::function<Tensor(const Tensor&, const Tensor&, Reduction)>;

Row pair_loss(const char* op, PairLoss f, double (*loss)(double)) {
  Row row{.op = op, .tolerance = 2e-6, .tolerance_f64 = 1e-12};
  for (const auto& [what, reduction] : kReductions) {
    row.cases.push_back({.what = what,
                         .inputs = {{}, {}},
                         .call = [f, r = reduction](const Tensors& in) { return f(in[0], in[1], r); },
                         .reference =
                             [loss, r = reduction](const Arrays& in) {
                               return reduced(zip(in[0], in[1], [&](double p, double t) { return loss(p - t); }), r);
                             },
                         .shapes = {{{2, 3}, {2, 3}}, {{}, {}}},
                         .empty = {{{0, 2}, {0, 2}}},
                         .large = {{{20000}, {20000}}}});
  }
  const auto mean = [f](const Tensor& p, const Tensor& t) { f(p, t, Reduction::mean); };
  row.faults = {{"a target of another shape", Raises::shape,
                 [=] {
                   mean(zeros({2}), zeros({2, 1}));
                 }},
                {"a target of another type", Raises::dtype, [=] { mean(zeros({2}), zeros({2}, f64)); }},
                {"integers", Raises::dtype, [=] { mean(zeros({2}, i64), zeros({2}, i64)); }}};
  return row;
}

double huber(double error) {
  const double size = std::abs(error);
  return size <= 0.7 ? 0.5 * error * error : 0.7 * (size - 0.35);
}

}  // namespace

Rows loss_rows() {
  Row huber_row = pair_loss(
      "huber_loss",
      [](const Tensor& p, const Tensor& t, Reduction reduction) { return huber_loss(p, t, 0.7, reduction); }, huber);
  huber_row.faults.push_back({"delta of 0", Raises::value, [] { tern::huber_loss(zeros({1}), zeros({1}), 0); }});
  return {bce_row(), cross_entropy_row(), pair_loss("mse_loss", tern::mse_loss, [](double e) { return e * e; }),
          pair_loss("l1_loss", tern::l1_loss, [](double e) { return std::abs(e); }), huber_row};
}

}  // namespace conformance
