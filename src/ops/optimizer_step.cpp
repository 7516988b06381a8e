#include "tern/ops/optimizer_step.h"

#include <cmath>
#include <initializer_list>

#include "autograd/node.h"
#include "slots/optimizer.h"
#include "tensor/impl.h"
#include "tern/ops/binary.h"

namespace tern {
namespace {

using internal::checked;

// Throws unless `x` lies as `value` does.
void check(const char* where, const Tensor& value, const Tensor& x) {
  const auto *iv = checked(value, where), *ix = checked(x, where);
  internal::check_devices(where, value, x);
  if (!(iv->shape == ix->shape) || !iv->contiguous || !ix->contiguous) {
    internal::throw_shape(where, "contiguous tensors of one shape",
                          to_string(iv->shape) + " and " + to_string(ix->shape));
  }
  if (is_half(iv->dtype)) {
    internal::throw_dtype(where, "f32 or f64: a half type is stepped as its f32 copy, as optim::Optimizer does",
                          std::string(name(iv->dtype)));
  }
  if (iv->dtype != ix->dtype || !is_floating(iv->dtype)) {
    internal::throw_dtype(where, "equal floating types",
                          std::string(name(iv->dtype)) + " and " + std::string(name(ix->dtype)));
  }
}

// A state, and whether the step does without it when it is undefined.
struct State {
  const Tensor& tensor;
  bool optional = false;
};

template <class Slot, class Step>
void run(const char* where, const Slot& slot, const Tensor& value, const Tensor& gradient,
         std::initializer_list<State> states, const Step& step) {
  check(where, value, gradient);
  for (const State& state : states) {
    if (!state.optional || state.tensor.defined()) check(where, value, state.tensor);
  }
  internal::begin_write(where, value);
  kernels::OptimizerArgs args{value.numel(), value.impl()->data, gradient.impl()->data, {}};
  int i = 0;
  for (const State& state : states) {
    if (state.tensor.defined()) {
      internal::begin_write(where, state.tensor);
      args.states[i] = state.tensor.impl()->data;
    }
    ++i;
  }
  slot(value.device(), value.dtype(), args, step);
  internal::check_in_anomaly(where, value);
}

}  // namespace

void sgd_step(Tensor value, const Tensor& gradient, Tensor buffer, const SgdStep& step) {
  run("sgd_step", kernels::sgd, value, gradient, {{step.momentum != 0 ? buffer : Tensor(), step.momentum == 0}}, step);
}

void adam_step(Tensor value, const Tensor& gradient, Tensor mean, Tensor square, Tensor largest, const AdamStep& step) {
  if (step.step < 1) internal::throw_value("adam_step", "a step of at least 1", std::to_string(step.step));
  if (step.resident.defined()) {
    const Tensor& resident = step.resident;
    if (resident.shape() != Shape{3} || resident.dtype() != f64 || !resident.is_contiguous() ||
        step.form != AdamForm::adam) {
      internal::throw_value("adam_step", "resident numbers as contiguous f64 [3], for AdamForm::adam",
                            internal::describe(resident));
    }
    internal::check_devices("adam_step", value, resident);
    if (value.device() == cpu()) {
      const auto numbers = resident.span<double>();
      if (!(std::abs(numbers[2]) > 0)) return;
      AdamStep own = step;
      own.resident = Tensor();
      own.lr = numbers[0];
      own.step = static_cast<std::int64_t>(numbers[1]) + 1;
      return adam_step(value, numbers[2] == 1 ? gradient : gradient.detach() * numbers[2], mean, square, largest, own);
    }
  }
  run("adam_step", kernels::adam, value, gradient, {{mean}, {square}, {largest, true}}, step);
}

void rmsprop_step(Tensor value, const Tensor& gradient, Tensor square, Tensor mean, Tensor buffer,
                  const RmspropStep& step) {
  run("rmsprop_step", kernels::rmsprop, value, gradient, {{square}, {mean, true}, {buffer, true}}, step);
}

void adagrad_step(Tensor value, const Tensor& gradient, Tensor sum, const AdagradStep& step) {
  run("adagrad_step", kernels::adagrad, value, gradient, {{sum}}, step);
}

void adadelta_step(Tensor value, const Tensor& gradient, Tensor square, Tensor change, const AdadeltaStep& step) {
  run("adadelta_step", kernels::adadelta, value, gradient, {{square}, {change}}, step);
}

void lion_step(Tensor value, const Tensor& gradient, Tensor mean, const LionStep& step) {
  run("lion_step", kernels::lion, value, gradient, {{mean}}, step);
}

}  // namespace tern
