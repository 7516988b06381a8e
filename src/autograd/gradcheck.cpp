#include "tern/autograd/gradcheck.h"

#include <algorithm>
#include <cmath>

#include "base/number_text.h"
#include "tensor/impl.h"
#include "tern/autograd/autograd.h"
#include "tern/base/random.h"
#include "tern/ops/binary.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

Tensor weights_of(const Shape& shape, std::uint64_t stream) {
  const Philox random(20240607, stream);
  Tensor weights = empty(shape, f64);
  auto elements = weights.mutable_span<double>();
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = 0.5 + random.uniform(i);
  return weights;
}

// A fixed random projection makes one number of a result of any shape.
Tensor project(const Tensor& result, std::uint64_t stream) {
  return (result.to(f64) * weights_of(result.shape(), stream).to(result.device())).sum();
}

bool is_checked(const Tensor& input) { return input.requires_grad() && input.dtype() == f64; }

std::string place(const Tensor& x, std::int64_t element) {
  std::string text;
  for (int d = x.dim() - 1; d >= 0; --d) {
    text.insert(0, std::to_string(element % x.size(d)).append(text.empty() ? "" : ", "));
    element /= x.size(d);
  }
  return "[" + text + "]";
}

// Leaves the thread's numbers as they were, so that every evaluation draws the same ones.
struct SameNumbers {
  Generator before = default_generator();
  ~SameNumbers() { default_generator() = before; }
};

GradcheckResult check(const TensorFunction& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options) {
  std::vector<Tensor> wanted;
  std::vector<std::size_t> which;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (is_checked(inputs[i])) {
      if (internal::may_overlap(inputs[i].impl())) {
        internal::throw_value(
            "gradcheck", "inputs whose elements lie apart, to be moved one at a time",
            "input " + std::to_string(i) + " of shape " + to_string(inputs[i].shape()) + ", expanded");
      }
      wanted.push_back(inputs[i]);
      which.push_back(i);
    }
  }
  if (wanted.empty()) {
    internal::throw_dtype("gradcheck", "an f64 input that needs a gradient",
                          std::to_string(inputs.size()) + " without");
  }
  std::vector<Tensor> analytic(wanted.size());
  {
    const EnableGrad enable;
    const Tensor result = [&] {
      const SameNumbers scope;
      return f(inputs);
    }();
    if (result.requires_grad()) analytic = grad(project(result, 0), wanted, {.allow_unused = true});
  }
  GradcheckResult outcome;
  const NoGrad guard;
  for (std::size_t w = 0; w < wanted.size(); ++w) {
    // A one-element view of the input, so that inputs of any strides can be moved one element at a time.
    const Tensor& x = wanted[w];
    for (std::int64_t e = 0; e < x.numel(); ++e) {
      Tensor element = x.detach();
      std::int64_t rest = e;
      for (int d = x.dim() - 1; d >= 0; --d) {
        const std::int64_t size = x.size(d);
        element = element.slice(d, rest % size, rest % size + 1);
        rest /= size;
      }
      const double here = element.item<double>();
      const auto value_at = [&](double at) {
        struct Moved {
          Tensor element;
          double here;
          ~Moved() { element.fill_(here); }
        };
        element.fill_(at);
        const Moved back{element, here};
        const SameNumbers scope;
        const EnableGrad enable;  // the function may itself take gradients
        return project(f(inputs), 0).item<double>();
      };
      const double numeric =
          (value_at(here + options.epsilon) - value_at(here - options.epsilon)) / (2 * options.epsilon);
      double taped = 0;
      if (analytic[w].defined()) {
        const Tensor at = analytic[w].detach().contiguous().to(cpu());
        taped = at.span<double>()[static_cast<std::size_t>(e)];
      }
      const double error = std::abs(taped - numeric) / (1 + std::abs(numeric));
      if (!(error <= outcome.worst)) outcome.worst = error;
      if (!(error <= options.tolerance) && outcome.ok) {
        outcome.ok = false;
        outcome.message = "input " + std::to_string(which[w]) + " element " + place(x, e) + ": taped " +
                          internal::number_text(taped) + ", by differences " + internal::number_text(numeric);
      }
    }
  }
  return outcome;
}

}  // namespace

GradcheckResult gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options) {
  return check(f, inputs, options);
}

GradcheckResult gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options) {
  // The gradient is a function of the inputs and of the result's gradient, in which it is linear: how far that goes in
  // one direction is the last input here.
  const TensorFunction gradient = [&f](const std::vector<Tensor>& at) {
    const std::vector<Tensor> own(at.begin(), at.end() - 1);
    std::vector<Tensor> wanted;
    for (const Tensor& x : own) {
      if (is_checked(x)) wanted.push_back(x);
    }
    const Tensor result = f(own);
    Tensor total = zeros({}, f64);
    if (!result.requires_grad()) return total;
    const Tensor given = weights_of(result.shape(), 1) + at.back() * weights_of(result.shape(), 0);
    const Tensor weighed = (result.to(f64) * given.to(result.device())).sum();
    const auto gradients = grad(weighed, wanted, {.create_graph = true, .allow_unused = true});
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (gradients[i].defined()) total = total + project(gradients[i], 2 + i);
    }
    return total;
  };
  std::vector<Tensor> all = inputs;
  if (std::any_of(inputs.begin(), inputs.end(), is_checked)) all.push_back(zeros({}, f64).requires_grad_());
  return check(gradient, all, options);
}

}  // namespace tern
