#include "tern/optim/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/line_search.h"
#include "base/number_text.h"
#include "ops/dot.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/ops/reduce.h"
#include "tern/ops/shape.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern::optim {

namespace {

double dot(const Tensor& a, const Tensor& b) { return tern::internal::dot(a, b).item<double>(); }

double largest(const Tensor& x) { return abs(x).max().item<double>(); }

void check(const LbfgsOptions& options) {
  const auto require = [](bool holds, const std::string& expected, double got) {
    if (!holds) throw ValueError("[LBFGS] expected " + expected + ", got " + tern::internal::number_text(got));
  };
  require(options.lr >= 0 && std::isfinite(options.lr), "lr finite and at least 0", options.lr);
  require(options.max_iterations >= 1, "max_iterations of at least 1", options.max_iterations);
  require(options.max_evaluations >= 0, "max_evaluations of at least 0", options.max_evaluations);
  require(options.tolerance_grad >= 0, "tolerance_grad of at least 0", options.tolerance_grad);
  require(options.tolerance_change >= 0, "tolerance_change of at least 0", options.tolerance_change);
  require(options.history >= 1, "history of at least 1", options.history);
}

[[noreturn]] void bad_state(const std::string& expected) {
  throw FormatError("[load_state_dict] expected " + expected + " in the state of LBFGS, got another");
}

}  // namespace

// What is known at a step of length `t` along the direction.
struct Lbfgs::Point {
  double t = 0, loss = 0, slope = 0;
  Tensor gradient{};
};

Lbfgs::Lbfgs(std::vector<Tensor> parameters, const LbfgsOptions& options)
    : Optimizer({{std::move(parameters), (check(options), options.lr)}}, {}), options_(options) {
  if (is_half(this->parameters()[0].dtype())) {
    throw DTypeError("[LBFGS] expected f32 or f64 parameters, which a line search can tell apart, got " +
                     std::string(tern::name(this->parameters()[0].dtype())));
  }
  most_evaluations_ =
      options_.max_evaluations != 0 ? options_.max_evaluations : options_.max_iterations * std::int64_t{5} / 4;
}

void Lbfgs::update(const Run&) {
  throw StateError("[LBFGS] expected a closure that computes the loss again, got step() without one");
}

// Of all parameters side by side.
Tensor Lbfgs::gradient() const {
  std::vector<Tensor> parts;
  for (const Tensor& p : parameters()) {
    const Tensor g = p.requires_grad() ? p.grad() : Tensor();
    parts.push_back(g.defined() ? g.detach().reshape({p.numel()}) : zeros({p.numel()}, p.dtype(), p.device()));
  }
  return cat(parts);
}

Lbfgs::Point Lbfgs::evaluate(const Closure& closure) {
  Point point;
  {
    EnableGrad enable;
    point.loss = closure().item<double>();
  }
  ++evaluations_;
  point.gradient = gradient();
  return point;
}

Lbfgs::Point Lbfgs::evaluate_at(const Closure& closure, const std::vector<Tensor>& start, double t) {
  for (std::size_t i = 0; i < start.size(); ++i) Tensor(parameters()[i]).copy_(start[i]);
  move(t);
  Point point;
  try {
    point = evaluate(closure);
  } catch (...) {
    for (std::size_t i = 0; i < start.size(); ++i) Tensor(parameters()[i]).copy_(start[i]);
    throw;
  }
  point.t = t;
  point.slope = dot(point.gradient, direction_);
  return point;
}

// Adds `t` times the direction.
void Lbfgs::move(double t) {
  std::int64_t at = 0;
  for (Tensor p : parameters()) {
    if (p.requires_grad()) p.add_(direction_.slice(0, at, at + p.numel()).reshape(p.shape()), t);
    at += p.numel();
  }
}

// Takes the last step and what it did to the gradient into the history.
void Lbfgs::remember(const Tensor& now) {
  const Tensor change = now - last_gradient_, step = direction_ * length_;
  const double product = dot(change, step);
  if (!(product > 1e-10)) return;
  if (history_.size() == static_cast<std::size_t>(options_.history)) history_.erase(history_.begin());
  history_.push_back({step, change, product});
  scale_ = product / dot(change, change);
}

// Minus the inverse Hessian's estimate times the gradient, by two loops over the history.
Tensor Lbfgs::direction(const Tensor& gradient) const {
  Tensor d = -gradient;
  std::vector<double> shares(history_.size());
  for (std::size_t i = history_.size(); i-- > 0;) {
    shares[i] = dot(history_[i].step, d) / history_[i].product;
    d.add_(history_[i].change, -shares[i]);
  }
  d.mul_(scale_);
  for (std::size_t i = 0; i < history_.size(); ++i) {
    d.add_(history_[i].step, shares[i] - dot(history_[i].change, d) / history_[i].product);
  }
  std::int64_t at = 0;
  for (const Tensor& p : parameters()) {
    if (!p.requires_grad()) d.slice(0, at, at + p.numel()).zero_();
    at += p.numel();
  }
  return d;
}

Lbfgs::Point Lbfgs::search(const Closure& closure, const Point& start, double t, std::int64_t most) {
  std::vector<Tensor> origin;
  for (const Tensor& p : parameters()) origin.push_back(p.detach().clone());
  Point best = tern::internal::strong_wolfe(
      start, t, largest(direction_), [&](double length) { return evaluate_at(closure, origin, length); }, most);
  for (std::size_t i = 0; i < origin.size(); ++i) Tensor(parameters()[i]).copy_(origin[i]);
  move(best.t);
  return best;
}

double Lbfgs::step(const Closure& closure) {
  if (!closure) throw StateError("[LBFGS] expected a closure that computes the loss again, got an empty one");
  NoGrad no_grad;
  const std::int64_t before = evaluations_;
  Point now = evaluate(closure);
  const double first = now.loss;
  if (!std::isfinite(first)) {
    throw NumericError("[LBFGS] expected a finite loss to start from, got " + tern::internal::number_text(first));
  }
  if (largest(now.gradient) <= options_.tolerance_grad) return first;
  for (int iteration = 1;; ++iteration) {
    if (iterations_++ == 0) {
      direction_ = direction(now.gradient);
      length_ = std::min(1.0, 1 / abs(now.gradient).sum().item<double>()) * lr();
    } else {
      remember(now.gradient);
      direction_ = direction(now.gradient);
      length_ = lr();
    }
    last_gradient_ = now.gradient;
    last_loss_ = now.loss;
    const double slope = dot(now.gradient, direction_);
    if (slope > -options_.tolerance_change) break;
    if (options_.line_search == LbfgsOptions::LineSearch::strong_wolfe) {
      now.t = 0;
      now.slope = slope;
      now = search(closure, now, length_, most_evaluations_ - (evaluations_ - before));
      length_ = now.t;
    } else {
      move(length_);
      if (iteration < options_.max_iterations) now = evaluate(closure);
    }
    if (iteration >= options_.max_iterations || evaluations_ - before >= most_evaluations_ ||
        largest(now.gradient) <= options_.tolerance_grad ||
        largest(direction_) * std::fabs(length_) <= options_.tolerance_change ||
        !(std::fabs(now.loss - last_loss_) >= options_.tolerance_change)) {
      break;
    }
  }
  return first;
}

nn::NamedTensors Lbfgs::state_dict() const {
  NoGrad no_grad;
  const std::string_view kind = name();
  nn::NamedTensors state{{"optimizer", from_vector(std::vector<std::uint8_t>(kind.begin(), kind.end()))},
                         {"lr", from_vector(std::vector<double>{lr()})},
                         {"n_iter", scalar(iterations_, i64)},
                         {"func_evals", scalar(evaluations_, i64)}};
  if (iterations_ == 0) return state;
  state.emplace_back("d", direction_.clone());
  state.emplace_back("t", scalar(length_, f64));
  state.emplace_back("H_diag", scalar(scale_, f64));
  state.emplace_back("prev_flat_grad", last_gradient_.clone());
  state.emplace_back("prev_loss", scalar(last_loss_, f64));
  std::vector<double> products;
  for (std::size_t i = 0; i < history_.size(); ++i) {
    state.emplace_back("old_stps." + std::to_string(i), history_[i].step.clone());
    state.emplace_back("old_dirs." + std::to_string(i), history_[i].change.clone());
    products.push_back(history_[i].product);
  }
  state.emplace_back("ys", from_vector(products));
  return state;
}

void Lbfgs::load_state_dict(const nn::NamedTensors& state) {
  std::unordered_map<std::string, Tensor> given(state.begin(), state.end());
  if (given.size() != state.size()) bad_state("each name once");
  for (const auto& [key, tensor] : given) {
    if (!tensor.defined()) bad_state("a tensor as \"" + key + "\"");
  }
  const auto take = [&](const std::string& key, const Shape& shape, DType dtype) {
    const auto found = given.find(key);
    if (found == given.end() || found->second.shape() != shape || found->second.dtype() != dtype) {
      bad_state("\"" + key + "\" as " + std::string(tern::name(dtype)) + " " + to_string(shape));
    }
    Tensor tensor = found->second.detach().clone();
    given.erase(found);
    return tensor;
  };
  // Beside the parameters, wherever the state was read.
  const auto vector = [&](const std::string& key, const Shape& shape, DType dtype) {
    return take(key, shape, dtype).to(parameters()[0].device());
  };
  const auto number = [&](const std::string& key) {
    const double value = take(key, {}, f64).item<double>();
    if (!std::isfinite(value)) bad_state("a finite \"" + key + "\"");
    return value;
  };
  const std::string_view kind = name();
  if (take("optimizer", {static_cast<std::int64_t>(kind.size())}, u8).to_vector<std::uint8_t>() !=
      std::vector<std::uint8_t>(kind.begin(), kind.end())) {
    bad_state("\"optimizer\" LBFGS");
  }
  NoGrad no_grad;
  const double rate = take("lr", {1}, f64).to_vector<double>()[0];
  const auto iterations = take("n_iter", {}, i64).item<std::int64_t>();
  const auto evaluations = take("func_evals", {}, i64).item<std::int64_t>();
  if (!(rate >= 0 && std::isfinite(rate)) || iterations < 0 || evaluations < 0) {
    bad_state("counts and a rate of at least 0");
  }
  std::int64_t length = 0;
  for (const Tensor& p : parameters()) length += p.numel();
  const DType dtype = parameters()[0].dtype();
  Tensor last_direction, last_gradient;
  double t = 0, scale = 1, loss = 0;
  std::vector<Pair> history;
  if (iterations > 0) {
    last_direction = vector("d", {length}, dtype);
    last_gradient = vector("prev_flat_grad", {length}, dtype);
    t = number("t");
    scale = number("H_diag");
    loss = number("prev_loss");
    const auto products = given.find("ys");
    if (products == given.end() || products->second.dim() != 1 || products->second.numel() > options_.history) {
      bad_state("a history within " + std::to_string(options_.history));
    }
    const Shape count = products->second.shape();
    for (const double product : take("ys", count, f64).to_vector<double>()) {
      if (!(product > 0 && std::isfinite(product))) bad_state("finite \"ys\" above 0");
      const std::string i = std::to_string(history.size());
      history.push_back({vector("old_stps." + i, {length}, dtype), vector("old_dirs." + i, {length}, dtype), product});
    }
  }
  if (!given.empty()) bad_state("no \"" + given.begin()->first + "\"");
  set_lr(rate);
  iterations_ = iterations;
  evaluations_ = evaluations;
  direction_ = last_direction;
  last_gradient_ = last_gradient;
  length_ = t;
  scale_ = scale;
  last_loss_ = loss;
  history_ = std::move(history);
}

}  // namespace tern::optim
