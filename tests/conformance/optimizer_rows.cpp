#include <algorithm>
#include <cmath>

#include "conformance/row.h"
#include "tern/ops/optimizer_step.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"

// Steps of optimizers: the first input is the value, the second the gradient, the others are states.
namespace conformance {
namespace {

using tern::AdamForm;
using tern::f64;
using tern::i64;
using tern::zeros;

// Results of one step side by side: the value, then the states.
Array step_by_element(const Arrays& in, std::function<std::vector<double>(const std::vector<double>&)> f) {
  const std::int64_t n = in[0].count(), results = static_cast<std::int64_t>(in.size()) - 1;
  Array out{{n * results}, Numbers(static_cast<std::size_t>(n * results))};
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<double> at;
    for (const Array& x : in) at.push_back(x[i]);
    const std::vector<double> got = f(at);
    for (std::int64_t r = 0; r < results; ++r) {
      out.values[static_cast<std::size_t>(r * n + i)] = got[static_cast<std::size_t>(r)];
    }
  }
  return out;
}

std::vector<Shapes> repeated(std::size_t inputs, std::vector<Shape> shapes) {
  std::vector<Shapes> out;
  for (const Shape& shape : shapes) out.emplace_back(inputs, shape);
  return out;
}

Row sgd_row() {
  Row row{.op = "sgd_step", .gradient = Gradient::in_place, .half = false};
  const Input fixed{.varies = false};
  row.cases.push_back({.what = "plain",
                       .inputs = {{}, fixed},
                       .call =
                           [](const Tensors& in) {
                             sgd_step(in[0], in[1], {}, {.lr = 0.1, .weight_decay = 0.01});
                             return in[0];
                           },
                       .reference =
                           [](const Arrays& in) {
                             return step_by_element(in, [](const std::vector<double>& x) {
                               return std::vector<double>{x[0] - 0.1 * (x[1] + 0.01 * x[0])};
                             });
                           },
                       .shapes = repeated(2, {{5}}),
                       .empty = repeated(2, {{0}}),
                       .large = repeated(2, {{20001}}),
                       .strided = false});
  for (bool nesterov : {false, true}) {
    for (bool first : {false, true}) {
      row.cases.push_back(
          {.what = std::string("momentum") + (nesterov ? ", Nesterov" : "") + (first ? ", first" : ""),
           .inputs = {{}, fixed, fixed},
           .call =
               [=](const Tensors& in) {
                 sgd_step(in[0], in[1], in[2],
                          {.lr = 0.1,
                           .momentum = 0.9,
                           .dampening = nesterov ? 0 : 0.2,
                           .weight_decay = 0.01,
                           .nesterov = nesterov,
                           .first = first});
                 return tern::cat({in[0].detach(), in[2]});
               },
           .reference =
               [=](const Arrays& in) {
                 return step_by_element(in, [=](const std::vector<double>& x) {
                   const double g = x[1] + 0.01 * x[0];
                   const double buffer = first ? g : 0.9 * x[2] + (nesterov ? 1 : 0.8) * g;
                   return std::vector<double>{x[0] - 0.1 * (nesterov ? g + 0.9 * buffer : buffer), buffer};
                 });
               },
           .shapes = repeated(3, {{5}}),
           .empty = repeated(3, {{0}}),
           .large = repeated(3, {{20001}}),
           .strided = false});
    }
  }
  row.faults = {{"a gradient of another shape", Raises::shape, [] { sgd_step(zeros({2}), zeros({3}), {}, {}); }},
                {"a gradient of another type", Raises::dtype, [] { sgd_step(zeros({2}), zeros({2}, f64), {}, {}); }},
                {"integers", Raises::dtype, [] { sgd_step(zeros({2}, i64), zeros({2}, i64), {}, {}); }},
                {"a buffer of another shape", Raises::shape,
                 [] { sgd_step(zeros({2}), zeros({2}), zeros({3}), {.momentum = 0.9}); }},
                {"a value that needs a gradient", Raises::state,
                 [] { sgd_step(zeros({2}).requires_grad_(), zeros({2}), {}, {.lr = 1}); }}};
  return row;
}

using Values = std::vector<double>;

const Input kFixed{.varies = false};
const Input kOptional{.varies = false, .optional = true};
const Input kSquare{.low = 0.1, .high = 1, .varies = false};

// A case of `states.size()` states, all of which the step writes.
Case step_case(std::string what, std::vector<Input> states, std::function<void(const Tensors&)> step,
               std::function<std::vector<double>(const std::vector<double>&)> reference) {
  std::vector<Input> inputs{{}, kFixed};
  inputs.insert(inputs.end(), states.begin(), states.end());
  const std::size_t count = inputs.size();
  return {.what = std::move(what),
          .inputs = std::move(inputs),
          .call =
              [step = std::move(step)](const Tensors& in) {
                step(in);
                Tensors results{in[0].detach()};
                results.insert(results.end(), in.begin() + 2, in.end());
                return tern::cat(results);
              },
          .reference = [reference = std::move(reference)](const Arrays& in) { return step_by_element(in, reference); },
          .shapes = repeated(count, {{5}}),
          .empty = repeated(count, {{0}}),
          .large = repeated(count, {{20001}}),
          .strided = false};
}

Row adam_row() {
  Row row{.op = "adam_step", .gradient = Gradient::in_place, .half = false};
  for (std::int64_t step : {1, 7}) {
    for (bool decoupled : {false, true}) {
      row.cases.push_back(step_case(
          std::string(decoupled ? "decoupled, " : "") + "step " + std::to_string(step), {kFixed, kSquare},
          [=](const Tensors& in) {
            adam_step(in[0], in[1], in[2], in[3], {},
                      {.lr = 0.1, .weight_decay = 0.01, .decoupled = decoupled, .step = step});
          },
          [=](const Values& x) {
            const double g = x[1] + (decoupled ? 0 : 0.01 * x[0]);
            const double m = 0.9 * x[2] + 0.1 * g, v = 0.999 * x[3] + 0.001 * g * g;
            const double corrected = m / (1 - std::pow(0.9, step)), scale = v / (1 - std::pow(0.999, step));
            const double shrunk = decoupled ? x[0] - 0.1 * 0.01 * x[0] : x[0];
            return Values{shrunk - 0.1 * corrected / (std::sqrt(scale) + 1e-8), m, v};
          }));
    }
  }
  row.cases.push_back(step_case(
      "largest square, upwards", {kFixed, kSquare, {.low = 0.1, .high = 1, .varies = false, .optional = true}},
      [](const Tensors& in) {
        adam_step(in[0], in[1], in[2], in[3], in[4], {.lr = 0.1, .epsilon = 0.01, .maximize = true, .step = 3});
      },
      [](const Values& x) {
        const double m = 0.9 * x[2] - 0.1 * x[1], v = 0.999 * x[3] + 0.001 * x[1] * x[1], largest = std::max(x[4], v);
        const double corrected = m / (1 - std::pow(0.9, 3)), scale = largest / (1 - std::pow(0.999, 3));
        return Values{x[0] - 0.1 * corrected / (std::sqrt(scale) + 0.01), m, v, largest};
      }));
  row.cases.push_back(step_case(
      "nadam", {kFixed, kSquare},
      [](const Tensors& in) {
        adam_step(in[0], in[1], in[2], in[3], {},
                  {.form = AdamForm::nadam, .lr = 0.1, .momentum_decay = 0.5, .momentum_product = 0.4, .step = 2});
      },
      [](const Values& x) {
        const double now = 0.9 * (1 - 0.5 * std::pow(0.96, 1)), next = 0.9 * (1 - 0.5 * std::pow(0.96, 1.5));
        const double product = 0.4 * now, m = 0.9 * x[2] + 0.1 * x[1], v = 0.999 * x[3] + 0.001 * x[1] * x[1];
        const double scale = std::sqrt(v / (1 - 0.999 * 0.999)) + 1e-8;
        return Values{x[0] - 0.1 * ((1 - now) / (1 - product) * x[1] + next / (1 - product * next) * m) / scale, m, v};
      }));
  for (std::int64_t step : {2, 9}) {
    row.cases.push_back(step_case(
        step == 2 ? "radam, no scale yet" : "radam", {kFixed, kSquare},
        [=](const Tensors& in) {
          adam_step(in[0], in[1], in[2], in[3], {},
                    {.form = AdamForm::radam, .lr = 0.1, .epsilon = 1e-3, .step = step});
        },
        [=](const Values& x) {
          const double t = static_cast<double>(step), kept = std::pow(0.999, t), longest = 2 / (1 - 0.999) - 1;
          const double length = longest - 2 * t * kept / (1 - kept);
          const double m = 0.9 * x[2] + 0.1 * x[1], v = 0.999 * x[3] + 0.001 * x[1] * x[1];
          double change = 0.1 * m / (1 - std::pow(0.9, t));
          if (length > 5) {
            change *= std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)) *
                      std::sqrt(1 - kept) / (std::sqrt(v) + 1e-3);
          }
          return Values{x[0] - change, m, v};
        }));
  }
  const Tensor x = zeros({2});
  row.faults = {{"a gradient of another shape", Raises::shape, [=] { adam_step(x, zeros({3}), x, x, {}, {}); }},
                {"a moment of another shape", Raises::shape, [=] { adam_step(x, x, x, zeros({3}), {}, {}); }},
                {"a largest square of another shape", Raises::shape, [=] { adam_step(x, x, x, x, zeros({3}), {}); }},
                {"a moment of another type", Raises::dtype, [=] { adam_step(x, x, zeros({2}, f64), x, {}, {}); }},
                {"step 0", Raises::value, [=] { adam_step(x, x, x, x, {}, {.step = 0}); }},
                {"a value that needs a gradient", Raises::state,
                 [=] { adam_step(zeros({2}).requires_grad_(), x, x, x, {}, {}); }}};
  return row;
}

Row rmsprop_row() {
  Row row{.op = "rmsprop_step", .gradient = Gradient::in_place, .half = false};
  const Input large{.low = 3, .high = 4, .varies = false};  // a mean of squares is at least the mean's square
  for (bool centered : {false, true}) {
    for (bool momentum : {false, true}) {
      std::vector<Input> states{large};
      if (centered) states.push_back(kOptional);
      if (momentum) states.push_back(kOptional);
      row.cases.push_back(step_case(
          std::string(centered ? "centered" : "plain") + (momentum ? ", momentum" : ""), states,
          [=](const Tensors& in) {
            rmsprop_step(
                in[0], in[1], in[2], centered ? in[3] : Tensor(), momentum ? in.back() : Tensor(),
                {.lr = 0.1, .alpha = 0.9, .epsilon = 0.01, .weight_decay = 0.02, .momentum = momentum ? 0.8 : 0});
          },
          [=](const Values& x) {
            const double g = x[1] + 0.02 * x[0], square = 0.9 * x[2] + 0.1 * g * g;
            Values out{0, square};
            double variance = square;
            if (centered) {
              out.push_back(0.9 * x[3] + 0.1 * g);
              variance -= out.back() * out.back();
            }
            double change = g / (std::sqrt(variance) + 0.01);
            if (momentum) out.push_back(change = 0.8 * x.back() + change);
            out[0] = x[0] - 0.1 * change;
            return out;
          }));
    }
  }
  const Tensor x = zeros({2});
  row.faults = {{"a gradient of another shape", Raises::shape, [=] { rmsprop_step(x, zeros({3}), x, {}, {}, {}); }},
                {"a mean of another shape", Raises::shape, [=] { rmsprop_step(x, x, x, zeros({3}), {}, {}); }},
                {"a buffer of another type", Raises::dtype, [=] { rmsprop_step(x, x, x, {}, zeros({2}, f64), {}); }},
                {"a value that needs a gradient", Raises::state,
                 [=] { rmsprop_step(zeros({2}).requires_grad_(), x, x, {}, {}, {}); }}};
  return row;
}

Row adagrad_row() {
  Row row{.op = "adagrad_step", .gradient = Gradient::in_place, .half = false};
  row.cases.push_back(step_case(
      "", {kSquare},
      [](const Tensors& in) { adagrad_step(in[0], in[1], in[2], {.lr = 0.1, .epsilon = 0.01, .weight_decay = 0.02}); },
      [](const Values& x) {
        const double g = x[1] + 0.02 * x[0], sum = x[2] + g * g;
        return Values{x[0] - 0.1 * g / (std::sqrt(sum) + 0.01), sum};
      }));
  const Tensor x = zeros({2});
  row.faults = {
      {"a gradient of another shape", Raises::shape, [=] { adagrad_step(x, zeros({3}), x, {}); }},
      {"a sum of another type", Raises::dtype, [=] { adagrad_step(x, x, zeros({2}, f64), {}); }},
      {"a value that needs a gradient", Raises::state, [=] { adagrad_step(zeros({2}).requires_grad_(), x, x, {}); }}};
  return row;
}

Row adadelta_row() {
  Row row{.op = "adadelta_step", .gradient = Gradient::in_place, .half = false};
  row.cases.push_back(step_case(
      "", {kSquare, kSquare},
      [](const Tensors& in) {
        adadelta_step(in[0], in[1], in[2], in[3], {.lr = 0.5, .epsilon = 0.01, .weight_decay = 0.02});
      },
      [](const Values& x) {
        const double g = x[1] + 0.02 * x[0], square = 0.9 * x[2] + 0.1 * g * g;
        const double change = std::sqrt((x[3] + 0.01) / (square + 0.01)) * g;
        return Values{x[0] - 0.5 * change, square, 0.9 * x[3] + 0.1 * change * change};
      }));
  const Tensor x = zeros({2});
  row.faults = {{"a gradient of another shape", Raises::shape, [=] { adadelta_step(x, zeros({3}), x, x, {}); }},
                {"a mean of another type", Raises::dtype, [=] { adadelta_step(x, x, x, zeros({2}, f64), {}); }},
                {"a value that needs a gradient", Raises::state,
                 [=] { adadelta_step(zeros({2}).requires_grad_(), x, x, x, {}); }}};
  return row;
}

Row lion_row() {
  Row row{.op = "lion_step", .gradient = Gradient::in_place, .half = false};
  row.cases.push_back(step_case(
      "", {kFixed},
      [](const Tensors& in) {
        lion_step(in[0], in[1], in[2], {.lr = 0.1, .beta1 = 0.8, .beta2 = 0.7, .weight_decay = 0.02});
      },
      [](const Values& x) {
        const double toward = 0.8 * x[2] + 0.2 * x[1];
        return Values{x[0] - 0.1 * ((toward > 0) - (toward < 0) + 0.02 * x[0]), 0.7 * x[2] + 0.3 * x[1]};
      }));
  const Tensor x = zeros({2});
  row.faults = {
      {"a gradient of another shape", Raises::shape, [=] { lion_step(x, zeros({3}), x, {}); }},
      {"a mean of another type", Raises::dtype, [=] { lion_step(x, x, zeros({2}, f64), {}); }},
      {"a value that needs a gradient", Raises::state, [=] { lion_step(zeros({2}).requires_grad_(), x, x, {}); }}};
  return row;
}

}  // namespace

Rows optimizer_rows() { return {sgd_row(), adam_row(), rmsprop_row(), adagrad_row(), adadelta_row(), lion_row()}; }

}  // namespace conformance
