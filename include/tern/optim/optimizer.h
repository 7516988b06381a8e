#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tern/nn/module.h"

namespace tern::internal {
class FlatParameters;
}

namespace tern::optim {

/// Moves parameters by their gradients (optim/optimizers.h has the kinds). The parameters, leaves of one floating type,
/// are laid side by side in memory, so that a step is one streaming pass; handles to them stay valid, and views taken
/// later share their memory. One that shares its memory already, with a view, a lender or a borrower, stays where it
/// is and moves alone. A parameter without a gradient, or that needs none, is skipped: nothing of it changes, weight
/// decay included. One that needs none when the optimizer is made takes no memory for gradients and states until it is
/// thawed and moves. The same
/// gradients give the same bits at any number of threads. Parameters of a half type take their step in f32, with states
/// in f32, and are rounded: steps below half of their last place are lost, so keep f32 parameters where training is
/// long.
class TERN_API Optimizer {
 public:
  virtual ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// PyTorch's name of the method: "SGD", "AdamW".
  virtual std::string_view name() const = 0;

  /// One step for every parameter that has a gradient.
  void step();
  /// No parameter has a gradient any more. Missing is not zero. The next backward writes where these gradients lay, so
  /// a tensor that p.grad() gave before changes with it: clone() what is to be kept.
  void zero_grad();

  /// The learning rate of a group. Throws IndexError.
  double lr(std::size_t group = 0) const;
  /// Sets that of every group. Throws ValueError unless finite and at least 0.
  void set_lr(double lr);
  void set_lr(std::size_t group, double lr);
  std::size_t num_groups() const;

  /// Keeps learning rates and the number of steps in memory of the parameters' device, where set_lr writes them, so
  /// that a captured step (tensor/capture.h) replays with those of its time. From then on all parameters move together:
  /// step() throws StateError when one that needs a gradient has none, and when one was frozen or thawed since, whose
  /// steps would no longer be those that the device counts. Throws StateError for methods other than Adam
  /// and AdamW, or when parameters have taken different numbers of steps.
  void keep_on_device();
  /// The factor of each group's gradients, f64 [groups] on the device, for writing: 1 at first; the inverse of a loss
  /// scale, or what clip_factor gives. At 0 or NaN a step changes nothing, and is not counted. Throws StateError before
  /// keep_on_device.
  Tensor gradient_factor() const;
  /// All parameters, group by group.
  const std::vector<Tensor>& parameters() const;

  /// What a later step depends on beside parameters and options, as copies: "optimizer" (the name, as u8), "step" (i64,
  /// steps taken of each parameter), "lr" (f64, of each group), of several groups "group" (i64, that of each
  /// parameter), and for each parameter i that took a step "i.NAME" in its shape, with PyTorch's names.
  virtual nn::NamedTensors state_dict() const;
  /// Takes over what state_dict of such an optimizer gave for parameters of the same shapes. Throws FormatError when it
  /// is another optimizer's, or when the names, types, shapes or groups are not the ones it would give, and then
  /// nothing is changed.
  virtual void load_state_dict(const nn::NamedTensors& state);

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
    const std::vector<Tensor>& slots;  ///< at step 1 as `start` left them
    Tensor resident{};                 ///< see AdamStep
  };
  /// Moves a run, outside the tape. Its value and gradient are lent for the call: step() throws StateError when one is
  /// kept.
  virtual void update(const Run& run) = 0;
  /// Sets the slots of a parameter of a group, which are zeros, before its first step.
  virtual void start(std::size_t, const std::vector<Tensor>&) {}
  /// Whether `update` reads `resident`.
  virtual bool takes_resident() const { return false; }

 private:
  struct Range {
    std::size_t from, to;  ///< parameters
    double lr;
  };
  struct Slots {
    std::int64_t begin, end;
    std::vector<Tensor> views;
  };
  const Range& group(std::size_t index) const;
  std::vector<std::int64_t> group_numbers() const;  // of each parameter
  void count_on_device();
  void fetch_steps();
  Tensor row_on_device(std::size_t group) const;
  Tensor rows_for_device() const;
  void advance(const Run& run);
  void step_sparse(std::size_t group, std::size_t from, std::size_t to, double lr);
  Tensor slot_of(std::size_t slot, std::size_t parameter) const;
  std::vector<Tensor> new_slots(std::size_t parameter) const;
  const std::vector<Tensor>& own_slots(std::size_t parameter);
  const std::vector<Tensor>& slots_within(std::int64_t begin, std::int64_t end);

  // A std::unique_ptr of its own takes every reader of <tern/tern.h> 1 % longer to parse.
  class Flat {
   public:
    explicit Flat(std::vector<Tensor> parameters);
    ~Flat();
    Flat(const Flat&) = delete;
    Flat& operator=(const Flat&) = delete;
    tern::internal::FlatParameters* operator->() const { return all_; }

   private:
    tern::internal::FlatParameters* all_;
  };
  Flat flat_;
  std::vector<Range> groups_;
  std::vector<std::string> slot_names_;
  std::vector<Tensor> slots_;
  std::vector<std::vector<Tensor>> own_slots_;  // of each parameter that the flat ones have no room for and that moved
  std::vector<std::int64_t> steps_;
  std::vector<bool> thawed_;  // of each parameter, when it was kept on the device
  Tensor resident_;  // f64 [groups, 3], once kept on the device: rows of AdamStep::resident; steps_ then lags behind
  std::vector<Slots> kept_;  // of earlier steps: the same ones come again
};

}  // namespace tern::optim
