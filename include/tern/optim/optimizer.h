#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tern/autograd/flat.h"
#include "tern/nn/module.h"

namespace tern::optim {

/// Moves parameters by their gradients. The parameters, leaves of one floating type, are laid side by side in memory,
/// so that a step is one streaming pass; handles to them stay valid. A parameter without a gradient is skipped: nothing
/// of it changes, weight decay included. The same gradients give the same bits at any number of threads.
class TERN_API Optimizer {
 public:
  virtual ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One step for every parameter that has a gradient.
  void step();
  /// No parameter has a gradient any more. Missing is not zero.
  void zero_grad();

  /// The learning rate of a group. Throws IndexError.
  double lr(std::size_t group = 0) const;
  /// Sets that of every group. Throws ValueError unless finite and at least 0.
  void set_lr(double lr);
  void set_lr(std::size_t group, double lr);
  std::size_t num_groups() const;
  /// All parameters, group by group.
  const std::vector<Tensor>& parameters() const { return flat_.parameters(); }

  /// What a later step depends on beside parameters and options, as copies: "step" (i64, steps taken of each
  /// parameter), "lr" (f64, of each group), and for each parameter i that took a step "i.NAME" in its shape, with
  /// PyTorch's names.
  nn::NamedTensors state_dict() const;
  /// Takes over what state_dict gave for parameters of the same shapes. Throws FormatError when the names, types or
  /// shapes are not the ones it would give, and then nothing is changed.
  void load_state_dict(const nn::NamedTensors& state);

 protected:
  struct Group {
    std::vector<Tensor> parameters;
    double lr;
  };
  /// `slots` names the values that are kept for each element of a parameter. Throws ValueError on no parameters or one
  /// given twice, DTypeError unless they are of one floating type.
  Optimizer(const std::vector<Group>& groups, std::vector<std::string> slots);

  /// Neighbouring parameters of one group that took the same number of steps, as contiguous vectors.
  struct Run {
    std::size_t group;
    double lr;
    std::int64_t step;  ///< counted from 1
    const Tensor& value;
    const Tensor& gradient;
    const std::vector<Tensor>& slots;  ///< zeros at step 1
  };
  /// Moves a run, outside the tape.
  virtual void update(const Run& run) = 0;

 private:
  struct Range {
    std::size_t from, to;  ///< parameters
    double lr;
  };
  const Range& group(std::size_t index) const;
  Tensor slot_of(std::size_t slot, std::size_t parameter) const;

  FlatParameters flat_;
  std::vector<Range> groups_;
  std::vector<std::string> slot_names_;
  std::vector<Tensor> slots_;
  std::vector<std::int64_t> steps_;
};

struct SgdOptions {
  double lr = 1e-3;         ///< learning rate, at least 0
  double momentum = 0;      ///< share of the last step's direction that is kept, at least 0
  double dampening = 0;     ///< share of the gradient that momentum leaves out
  double weight_decay = 0;  ///< times the parameter, added to the gradient
  bool nesterov = false;    ///< looks ahead along the momentum; wants momentum above 0 and no dampening
};

struct SgdGroup {
  std::vector<Tensor> parameters;
  SgdOptions options{};
};

/// Stochastic gradient descent with momentum (Sutskever et al., ICML 2013), in PyTorch's form: the learning rate scales
/// the momentum buffer, which takes the first gradient undampened.
class TERN_API Sgd : public Optimizer {
 public:
  /// Throws ValueError on options outside their ranges, and what Optimizer throws.
  explicit Sgd(std::vector<Tensor> parameters, const SgdOptions& options = {});
  explicit Sgd(const std::vector<SgdGroup>& groups);

 protected:
  void update(const Run& run) override;

 private:
  std::vector<SgdOptions> options_;
};

struct AdamWOptions {
  double lr = 1e-3;            ///< learning rate, at least 0
  double beta1 = 0.9;          ///< decay of the mean of gradients, in [0, 1)
  double beta2 = 0.999;        ///< decay of the mean of squares, in [0, 1)
  double epsilon = 1e-8;       ///< added to the root of the mean of squares
  double weight_decay = 1e-2;  ///< lr times this share of a parameter is taken off, apart from the gradient
};

struct AdamWGroup {
  std::vector<Tensor> parameters;
  AdamWOptions options{};
};

/// Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), in PyTorch's form.
class TERN_API AdamW : public Optimizer {
 public:
  /// Throws ValueError on options outside their ranges, and what Optimizer throws.
  explicit AdamW(std::vector<Tensor> parameters, const AdamWOptions& options = {});
  explicit AdamW(const std::vector<AdamWGroup>& groups);

 protected:
  void update(const Run& run) override;

 private:
  std::vector<AdamWOptions> options_;
};

/// Which optimizer, and how it is set: `OptimizerOptions options = AdamWOptions{.lr = 1e-3}`.
struct OptimizerOptions {
  enum class Kind : std::uint8_t { adamw, sgd };
  Kind kind = Kind::adamw;
  AdamWOptions adamw{};  ///< of `kind` adamw
  SgdOptions sgd{};      ///< of `kind` sgd
  OptimizerOptions(const AdamWOptions& options = {}) : adamw(options) {}
  OptimizerOptions(const SgdOptions& options) : kind(Kind::sgd), sgd(options) {}
};
TERN_API std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, std::vector<Tensor> parameters);

/// Scales the gradients so that their common Euclidean norm is at most `max_norm` (Pascanu et al., arXiv 1211.5063), by
/// max_norm / (norm + 1e-6) where that is below 1, and returns the norm before it, summed in f64. When the norm is not
/// finite it is returned and nothing is scaled. Parameters without a gradient are skipped. Throws ValueError unless
/// max_norm > 0.
TERN_API double clip_grad_norm(const std::vector<Tensor>& parameters, double max_norm);

}  // namespace tern::optim
