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
        .large = {{{20001}, {20001}}}};
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
        .large = {{{200, 91}, {200, 91}, {200, 1}, {91}}}};
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

// Classes [N, d…] of logits [N, C, d…] or [C]: the loss of each, where one of class 1 may be ignored.
Array classes_of(const Array& x, const Array& target, bool ignore, bool normalise, double* counted) {
  const std::size_t dim = x.sizes.size() > 1 ? 1 : 0;
  *counted = 0;
  return build(target.sizes, [&](const Index& i) {
    Index at = i;
    at.insert(at.begin() + static_cast<std::ptrdiff_t>(dim), 0);
    double sum = 0;
    for (at[dim] = 0; at[dim] < x.sizes[dim]; ++at[dim]) sum += std::exp(x.at(at));
    at[dim] = static_cast<std::int64_t>(target.at(i));
    if (ignore && at[dim] == 1) return 0.0;
    ++*counted;
    return (normalise ? std::log(sum) : 0) - x.at(at);
  });
}

using ClassLoss = std::function<Tensor(const Tensor&, const Tensor&, std::int64_t, Reduction)>;

void add_class_cases(Row& row, const ClassLoss& f, bool normalise) {
  const Input labels{.low = 0, .high = 3, .whole = true, .varies = false, .dtype = i64};
  for (const auto& [what, reduction] : kReductions) {
    for (bool ignore : {false, true}) {
      row.cases.push_back(
          {.what = std::string(what) + (ignore ? ", one class ignored" : ", any dimensions"),
           .inputs = {{.low = -3, .high = 3}, labels},
           .call = [=, r = reduction](const Tensors& in) { return f(in[0], in[1], ignore ? 1 : -7, r); },
           .reference =
               [=, r = reduction](const Arrays& in) {
                 double counted = 0;
                 const Array losses = classes_of(in[0], in[1], ignore, normalise, &counted);
                 return reduced(losses, r, counted);
               },
           .shapes = {{{7, 3}, {7}}, {{2, 3, 4}, {2, 4}}, {{2, 3, 2, 3}, {2, 2, 3}}},
           .empty = {{{0, 3}, {0}}, {{2, 3, 0}, {2, 0}}}});
      if (!ignore) row.cases.back().shapes.push_back({{3}, {}});
    }
  }
}

// Shares of classes as targets, weighted and smoothed or not.
void add_probability_cases(Row& row) {
  for (const auto& [what, reduction] : kReductions) {
    for (const Smoothed& how : {Smoothed{false, 0}, Smoothed{true, 0.2}}) {
      Case c{.what = std::string(what) + ", probabilities" + (how.weighted ? ", weighted and smoothed" : ""),
             .inputs = {{.low = -3, .high = 3}, {.low = 0.1, .high = 1}},
             .call =
                 [=, r = reduction](const Tensors& in) {
                   return cross_entropy(
                       in[0], in[1],
                       {.weight = how.weighted ? in[2] : Tensor(), .label_smoothing = how.smoothing, .reduction = r});
                 },
             .reference =
                 [=, r = reduction](const Arrays& in) {
                   const Index& sizes = in[0].sizes;
                   const std::size_t dim = sizes.size() > 1 ? 1 : 0;
                   Index rows = sizes;
                   rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(dim));
                   const double classes = static_cast<double>(sizes[dim]);
                   const Array losses = build(rows, [&](const Index& i) {
                     Index at = i;
                     at.insert(at.begin() + static_cast<std::ptrdiff_t>(dim), 0);
                     double sum = 0, loss = 0;
                     for (at[dim] = 0; at[dim] < sizes[dim]; ++at[dim]) sum += std::exp(in[0].at(at));
                     for (at[dim] = 0; at[dim] < sizes[dim]; ++at[dim]) {
                       const double share = in[1].at(at) * (1 - how.smoothing) + how.smoothing / classes;
                       loss += (how.weighted ? in[2][at[dim]] : 1) * share * (std::log(sum) - in[0].at(at));
                     }
                     return loss;
                   });
                   return reduced(losses, r);
                 },
             .shapes = {{{4, 3}, {4, 3}}, {{2, 3, 2}, {2, 3, 2}}, {{3}, {3}}},
             .empty = {{{0, 3}, {0, 3}}},
             .large = {{{2000, 7}, {2000, 7}}}};
      if (how.weighted) {
        c.inputs.push_back({.low = 0.2, .high = 3, .varies = false, .optional = true});
        for (Shapes& s : c.shapes) s.push_back({3});
        for (Shapes& s : c.empty) s.push_back({3});
        for (Shapes& s : c.large) s.push_back({7});
      }
      row.cases.push_back(c);
    }
  }
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
  add_class_cases(
      row,
      [](const Tensor& x, const Tensor& t, std::int64_t ignored, Reduction r) {
        return cross_entropy(x, t, {.ignore_index = ignored, .reduction = r});
      },
      true);
  add_probability_cases(row);
  const Tensor x = zeros({2, 3}), t = zeros({2}, i64);
  row.faults = {
      {"logits of no dimensions", Raises::shape, [=] { cross_entropy(zeros({}), zeros({}, i64)); }},
      {"probabilities of another type", Raises::dtype,
       [=] {
         cross_entropy(x, zeros({2, 3}, f64));
       }},
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

Row nll_row() {
  Row row{.op = "nll_loss", .tolerance = 2e-6, .tolerance_f64 = 1e-12};
  add_class_cases(
      row,
      [](const Tensor& x, const Tensor& t, std::int64_t ignored, Reduction r) {
        return nll_loss(x, t, {.ignore_index = ignored, .reduction = r});
      },
      false);
  row.cases.push_back({.what = "weighted",
                       .inputs = {{.low = -3, .high = 0},
                                  {.low = 0, .high = 3, .whole = true, .varies = false, .dtype = i64},
                                  {.low = 0.2, .high = 3, .varies = false, .optional = true}},
                       .call = [](const Tensors& in) { return nll_loss(in[0], in[1], {.weight = in[2]}); },
                       .reference =
                           [](const Arrays& in) {
                             double sum = 0, weights = 0;
                             for (std::int64_t i = 0; i < in[1].count(); ++i) {
                               const auto target = static_cast<std::int64_t>(in[1][i]);
                               sum -= in[2][target] * in[0].at({i, target});
                               weights += in[2][target];
                             }
                             return single(sum / weights);
                           },
                       .shapes = {{{5, 3}, {5}, {3}}},
                       .empty = {{{0, 3}, {0}, {3}}},
                       .large = {{{2000, 3}, {2000}, {3}}}});
  const Tensor x = zeros({2, 3}), t = zeros({2}, i64);
  row.faults = {
      {"a target of another size", Raises::shape, [=] { nll_loss(x, zeros({3}, i64)); }},
      {"a floating target", Raises::dtype, [=] { nll_loss(x, zeros({2})); }},
      {"integers", Raises::dtype, [=] { nll_loss(x.to(i64), t); }},
      {"a class too large", Raises::index,
       [=] {
         nll_loss(x, tensor({0, 3}, i64));
       }},
      {"weights of another number of classes", Raises::shape, [=] { nll_loss(x, t, {.weight = zeros({2})}); }}};
  return row;
}

Row kl_row() {
  Row row{.op = "kl_div", .tolerance = 2e-6, .tolerance_f64 = 1e-12};
  for (const auto& [what, reduction] : kReductions) {
    for (bool logs : {false, true}) {
      row.cases.push_back(
          {.what = std::string(what) + (logs ? ", logarithms" : ""),
           .inputs = {{.low = -3, .high = 0}, {.low = 0.1, .high = 1}},
           .call = [=, r = reduction](
                       const Tensors& in) { return kl_div(in[0], in[1], {.log_target = logs, .reduction = r}); },
           .reference =
               [=, r = reduction](const Arrays& in) {
                 return reduced(
                     zip(in[0], in[1],
                         [=](double x, double t) { return logs ? std::exp(t) * (t - x) : t * (std::log(t) - x); }),
                     r);
               },
           .shapes = {{{2, 3}, {2, 3}}, {{}, {}}},
           .empty = {{{0, 2}, {0, 2}}},
           .large = {{{20001}, {20001}}}});
    }
  }
  row.cases.push_back(
      {.what = "batchmean",
       .inputs = {{.low = -3, .high = 0}, {.low = 0.1, .high = 1}},
       .call = [](const Tensors& in) { return kl_div(in[0], in[1], {.reduction = Reduction::batchmean}); },
       .reference =
           [](const Arrays& in) {
             const Array losses = zip(in[0], in[1], [](double x, double t) { return t * (std::log(t) - x); });
             return reduced(losses, Reduction::mean, in[0].sizes.empty() ? 1 : static_cast<double>(in[0].sizes[0]));
           },
       .shapes = {{{2, 3}, {2, 3}}, {{3}, {3}}, {{}, {}}},
       .empty = {{{0, 2}, {0, 2}}, {{2, 0}, {2, 0}}},
       .large = {{{201, 101}, {201, 101}}}});
  row.faults = {{"a target of another shape", Raises::shape,
                 [] {
                   kl_div(zeros({2}), zeros({2, 1}));
                 }},
                {"a target of another type", Raises::dtype, [] { kl_div(zeros({2}), zeros({2}, f64)); }}};
  return row;
}

Row bce_of_probabilities_row() {
  Row row{.op = "bce", .tolerance = 2e-6, .tolerance_f64 = 1e-12};
  const Input probability{.low = 0.05, .high = 0.95}, target{.low = 0.1, .high = 0.9};
  for (const auto& [what, reduction] : kReductions) {
    row.cases.push_back(
        {.what = what,
         .inputs = {probability, target, {.low = 0.2, .high = 3, .optional = true}},
         .call = [r = reduction](const Tensors& in) { return bce(in[0], in[1], {.weight = in[2], .reduction = r}); },
         .reference =
             [r = reduction](const Arrays& in) {
               return reduced(build(in[0].sizes,
                                    [&](const Index& i) {
                                      const double p = in[0].at(i), t = in[1].at(i);
                                      return -in[2].at(i) * (t * std::log(p) + (1 - t) * std::log1p(-p));
                                    }),
                              r);
             },
         .shapes = {{{2, 3}, {2, 3}, {3}}, {{}, {}, {}}},
         .empty = {{{0, 2}, {0, 2}, {2}}},
         .large = {{{20001}, {20001}, {1}}}});
  }
  const Tensor x = tern::full({2}, 0.5);
  row.faults = {{"a target of another shape", Raises::shape,
                 [=] {
                   bce(x, zeros({2, 1}));
                 }},
                {"a target of another type", Raises::dtype, [=] { bce(x, zeros({2}, f64)); }},
                {"a weight that does not broadcast", Raises::shape, [=] { bce(x, x, {.weight = zeros({3})}); }},
                {"no probability", Raises::value, [=] { bce(x + 1, x); }}};
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
                         .large = {{{20001}, {20001}}}});
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
  Row smooth_row = pair_loss(
      "smooth_l1_loss",
      [](const Tensor& p, const Tensor& t, Reduction reduction) { return smooth_l1_loss(p, t, 0.7, reduction); },
      [](double e) { return huber(e) / 0.7; });
  smooth_row.faults.push_back(
      {"a negative beta", Raises::value, [] { tern::smooth_l1_loss(zeros({1}), zeros({1}), -1); }});
  return {bce_row(),
          bce_of_probabilities_row(),
          cross_entropy_row(),
          nll_row(),
          kl_row(),
          smooth_row,
          pair_loss("mse_loss", tern::mse_loss, [](double e) { return e * e; }),
          pair_loss("l1_loss", tern::l1_loss, [](double e) { return std::abs(e); }),
          huber_row};
}

}  // namespace conformance
