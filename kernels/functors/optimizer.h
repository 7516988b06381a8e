#pragma once

#include <cmath>

#include "functors/math.h"
#include "slots/optimizer.h"

// The step of one element by each optimizer: `value` and the states are updated from the gradient `g`. Coefficients are
// computed in f64 and rounded once to the element type T; L is T or a vector of it. Conditions stand on settings alone,
// the same for every element.
namespace tern::kernels {

template <class T, bool Momentum>
struct SgdElement {
  static constexpr int states = Momentum ? 1 : 0;  // buffer
  T sign, decay, lr, momentum, take;
  bool first, nesterov;

  explicit SgdElement(const SgdStep& step)
      : sign(static_cast<T>(step.maximize ? -1 : 1)),
        decay(static_cast<T>(step.weight_decay)),
        lr(static_cast<T>(step.lr)),
        momentum(static_cast<T>(step.momentum)),
        take(static_cast<T>(step.first ? 1 : 1 - step.dampening)),
        first(step.first),
        nesterov(step.nesterov) {}

  template <class L>
  TERN_FUNCTOR void operator()(L& value, L g, L* state) const {
    g = L(sign) * g;
    if (decay != 0) g = g + L(decay) * value;
    if constexpr (Momentum) {
      state[0] = first ? g : L(momentum) * state[0] + L(take) * g;
      g = nesterov ? g + L(momentum) * state[0] : state[0];
    }
    value = value - L(lr) * g;
  }
};

/// What of an AdamStep depends neither on the learning rate nor on the step.
struct AdamDecay {
  double beta1, beta2, weight_decay;
  bool decoupled;
  explicit AdamDecay(const AdamStep& step)
      : beta1(step.beta1), beta2(step.beta2), weight_decay(step.weight_decay), decoupled(step.decoupled) {}
};

template <class T, bool Amsgrad>
struct AdamElement {
  static constexpr int states = Amsgrad ? 3 : 2;  // mean, square, largest square
  T sign, decay, keep, beta1, take1, beta2, take2;
  T mean_rate, gradient_rate = 0, correction, epsilon;  // of the root of the square
  bool adapts = true, looks_ahead;

  explicit AdamElement(const AdamStep& step)
      : sign(static_cast<T>(step.maximize ? -1 : 1)),
        decay(static_cast<T>(step.decoupled ? 0 : step.weight_decay)),
        beta1(static_cast<T>(step.beta1)),
        take1(static_cast<T>(1 - step.beta1)),
        beta2(static_cast<T>(step.beta2)),
        take2(static_cast<T>(1 - step.beta2)),
        epsilon(static_cast<T>(step.epsilon)),
        looks_ahead(step.form == AdamForm::nadam) {
    const double t = static_cast<double>(step.step);
    set(AdamDecay(step), step.lr, t);
    if (step.form == AdamForm::nadam) {
      const auto momentum_at = [&](double at) {
        return step.beta1 * (1 - 0.5 * std::pow(0.96, at * step.momentum_decay));
      };
      const double now = momentum_at(t), next = momentum_at(t + 1), product = step.momentum_product * now;
      gradient_rate = static_cast<T>(step.lr * (1 - now) / (1 - product));
      mean_rate = static_cast<T>(step.lr * next / (1 - product * next));
    } else if (step.form == AdamForm::radam) {
      const double power = std::pow(step.beta2, t), correction2 = 1 - power;
      const double longest = 2 / (1 - step.beta2) - 1, length = longest - 2 * t * power / correction2;
      adapts = length > 5;
      if (adapts) {
        const double rate = step.lr / (1 - std::pow(step.beta1, t));
        const double rectified =
            std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
        mean_rate = static_cast<T>(rate * rectified);
        epsilon = static_cast<T>(step.epsilon / std::sqrt(correction2));  // stands within the correction there
      }
    }
  }

  /// Makes them those of step t, counted from 1, at this learning rate, for AdamForm::adam.
  TERN_FUNCTOR void set(const AdamDecay& settings, double lr, double t) {
    keep = static_cast<T>(settings.decoupled ? 1 - lr * settings.weight_decay : 1);
    mean_rate = static_cast<T>(lr / share_of(settings.beta1, t));
    correction = static_cast<T>(1 / TERN_LIBRARY(sqrt)(share_of(settings.beta2, t)));
  }
  /// 1 - beta^t, by Tern's own functions, so that a device that computes it has the host's bits.
  static TERN_FUNCTOR double share_of(double beta, double t) { return -math::expm1(t * math::log(beta)); }

  template <class L>
  TERN_FUNCTOR void operator()(L& value, L g, L* state) const {
    g = L(sign) * g;
    if (decay != 0) g = g + L(decay) * value;
    state[0] = L(beta1) * state[0] + L(take1) * g;
    state[1] = L(beta2) * state[1] + L(take2) * (g * g);
    L square = state[1];
    if constexpr (Amsgrad) square = state[2] = math::select(state[2] > square, state[2], square);
    L change = state[0];
    if (adapts) change = change / (math::sqrt(square) * L(correction) + L(epsilon));
    change = L(mean_rate) * change;
    if (looks_ahead) change = change + L(gradient_rate) * (g / (math::sqrt(square) * L(correction) + L(epsilon)));
    value = L(keep) * value - change;
  }
};

template <class T, bool Centered, bool Momentum>
struct RmspropElement {
  static constexpr int states = 1 + Centered + Momentum;  // square, mean, buffer
  T sign, decay, lr, alpha, take, epsilon, momentum;

  explicit RmspropElement(const RmspropStep& step)
      : sign(static_cast<T>(step.maximize ? -1 : 1)),
        decay(static_cast<T>(step.weight_decay)),
        lr(static_cast<T>(step.lr)),
        alpha(static_cast<T>(step.alpha)),
        take(static_cast<T>(1 - step.alpha)),
        epsilon(static_cast<T>(step.epsilon)),
        momentum(static_cast<T>(step.momentum)) {}

  template <class L>
  TERN_FUNCTOR void operator()(L& value, L g, L* state) const {
    g = L(sign) * g;
    if (decay != 0) g = g + L(decay) * value;
    state[0] = L(alpha) * state[0] + L(take) * (g * g);
    L square = state[0];
    if constexpr (Centered) {
      state[1] = L(alpha) * state[1] + L(take) * g;
      square = square - state[1] * state[1];
      square = math::select(square < L(0), L(0), square);  // rounding may bring it below 0
    }
    g = g / (math::sqrt(square) + L(epsilon));
    if constexpr (Momentum) g = state[states - 1] = L(momentum) * state[states - 1] + g;
    value = value - L(lr) * g;
  }
};

template <class T>
struct AdagradElement {
  static constexpr int states = 1;  // sum
  T sign, decay, lr, epsilon;

  explicit AdagradElement(const AdagradStep& step)
      : sign(static_cast<T>(step.maximize ? -1 : 1)),
        decay(static_cast<T>(step.weight_decay)),
        lr(static_cast<T>(step.lr)),
        epsilon(static_cast<T>(step.epsilon)) {}

  template <class L>
  TERN_FUNCTOR void operator()(L& value, L g, L* state) const {
    g = L(sign) * g;
    if (decay != 0) g = g + L(decay) * value;
    state[0] = state[0] + g * g;
    value = value - L(lr) * (g / (math::sqrt(state[0]) + L(epsilon)));
  }
};

template <class T>
struct AdadeltaElement {
  static constexpr int states = 2;  // square, change
  T sign, decay, lr, rho, take, epsilon;

  explicit AdadeltaElement(const AdadeltaStep& step)
      : sign(static_cast<T>(step.maximize ? -1 : 1)),
        decay(static_cast<T>(step.weight_decay)),
        lr(static_cast<T>(step.lr)),
        rho(static_cast<T>(step.rho)),
        take(static_cast<T>(1 - step.rho)),
        epsilon(static_cast<T>(step.epsilon)) {}

  template <class L>
  TERN_FUNCTOR void operator()(L& value, L g, L* state) const {
    g = L(sign) * g;
    if (decay != 0) g = g + L(decay) * value;
    state[0] = L(rho) * state[0] + L(take) * (g * g);
    const L change = math::sqrt(state[1] + L(epsilon)) / math::sqrt(state[0] + L(epsilon)) * g;
    state[1] = L(rho) * state[1] + L(take) * (change * change);
    value = value - L(lr) * change;
  }
};

template <class T>
struct LionElement {
  static constexpr int states = 1;  // mean
  T sign, decay, lr, beta1, take1, beta2, take2;

  explicit LionElement(const LionStep& step)
      : sign(static_cast<T>(step.maximize ? -1 : 1)),
        decay(static_cast<T>(step.weight_decay)),
        lr(static_cast<T>(step.lr)),
        beta1(static_cast<T>(step.beta1)),
        take1(static_cast<T>(1 - step.beta1)),
        beta2(static_cast<T>(step.beta2)),
        take2(static_cast<T>(1 - step.beta2)) {}

  template <class L>
  TERN_FUNCTOR void operator()(L& value, L g, L* state) const {
    g = L(sign) * g;
    const L toward = L(beta1) * state[0] + L(take1) * g;
    // toward where it is 0 or NaN, so that neither moves by lr
    const L direction = math::select(toward > L(0), L(1), math::select(toward < L(0), L(-1), toward));
    state[0] = L(beta2) * state[0] + L(take2) * g;
    value = value - L(lr) * (direction + L(decay) * value);
  }
};

}  // namespace tern::kernels
