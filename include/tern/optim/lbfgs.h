#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "tern/optim/optimizer.h"

namespace tern::optim {

struct LbfgsOptions {
  enum class LineSearch : std::uint8_t {
    none,         ///< every step is lr times the direction
    strong_wolfe  ///< a step that falls enough and flattens enough, starting from lr
  };
  double lr = 1;                   ///< learning rate, at least 0
  int max_iterations = 20;         ///< of a call of step, at least 1
  int max_evaluations = 0;         ///< of the closure in a call of step; 0: 5 / 4 of max_iterations. A search takes at
                                   ///< least one, so that a step may take one more
  double tolerance_grad = 1e-7;    ///< ends when no element of the gradient is larger, at least 0
  double tolerance_change = 1e-9;  ///< ends when neither an element nor the loss changes by more, at least 0
  int history = 100;               ///< pairs of steps and changes of the gradient that are kept, at least 1
  LineSearch line_search = LineSearch::none;
};

/// Limited-memory BFGS (Liu and Nocedal, Mathematical Programming 45, 1989), in PyTorch's form: for smooth problems
/// whose loss is over all rows. Its line search is that of Nocedal and Wright, Numerical Optimization, algorithms 3.5
/// and 3.6, by cubic interpolation, with c1 = 1e-4 and c2 = 0.9.
class TERN_API Lbfgs : public Optimizer {
 public:
  /// Clears the gradients, computes the loss, runs it backward and returns it, the same for the same parameters.
  using Closure = std::function<Tensor()>;

  /// Throws ValueError naming an option outside its range, and what Optimizer throws.
  explicit Lbfgs(std::vector<Tensor> parameters, const LbfgsOptions& options = {});

  std::string_view name() const override { return "LBFGS"; }

  /// Up to max_iterations iterations; the loss before them. A missing gradient counts as zero, and frozen weights stay.
  /// Throws NumericError when that loss is not finite; nothing is changed then. Throws StateError for an empty closure,
  /// and for step() without one through a base class.
  double step(const Closure& closure);
  std::int64_t iterations() const { return iterations_; }
  std::int64_t evaluations() const { return evaluations_; }

  /// "optimizer", "lr", "n_iter", "func_evals", and after an iteration the last direction "d" and step length "t", the
  /// last gradient and loss, and the history.
  nn::NamedTensors state_dict() const override;
  void load_state_dict(const nn::NamedTensors& state) override;

 protected:
  void update(const Run& run) override;

 private:
  struct Point;
  struct Pair {
    Tensor step, change;  ///< of the parameters and of the gradient
    double product;       ///< of the two
  };
  Point evaluate(const Closure& closure);
  Point evaluate_at(const Closure& closure, const std::vector<Tensor>& start, double t);
  Point search(const Closure& closure, const Point& start, double t, std::int64_t most);
  Tensor gradient() const;
  void remember(const Tensor& gradient);
  Tensor direction(const Tensor& gradient) const;
  void move(double t);

  LbfgsOptions options_;
  std::int64_t most_evaluations_ = 0;  ///< in a step
  std::int64_t iterations_ = 0, evaluations_ = 0;
  std::vector<Pair> history_;
  double scale_ = 1;                  ///< of the initial inverse Hessian
  Tensor direction_, last_gradient_;  ///< of the last iteration
  double length_ = 0, last_loss_ = 0;
};

}  // namespace tern::optim
