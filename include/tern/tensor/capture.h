#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "tern/base/export.h"
#include "tern/tensor/device.h"

namespace tern {

namespace internal {
class RecordedStep;
}

struct CaptureOptions {
  /// Runs before the one that is recorded, so that gradients, states and caches are there: steps like any other, on
  /// what the inputs hold by then.
  int warm_up = 2;
};

/// What a function asks of a GPU, recorded once (as a CUDA graph) and replayed as a whole, for the price of one launch:
/// a training step, say. Replaying does the same kernels on the same memory, so inputs are written into tensors that
/// the function reads (copy_), results are read from tensors that it made or wrote, and both must stay. Numbers of the
/// host that it took along (a learning rate, a step count) keep the values that they had, unless they lie on the device
/// (optim::Optimizer::keep_on_device). While it records, no other thread may use the device: StateError
/// there, for calls that begin meanwhile; those before must have returned. Random
/// ops draw afresh at each replay: the numbers that the function itself would have drawn then, the generator having
/// gone on to the next multiple of four words. A replay counts as a write to what the function writes in place, so
/// backward through a graph that was made before it says that a saved value is gone; of what the function makes,
/// gradients included, that is not noticed, and a graph is to be built on a copy.
class TERN_API CapturedStep {
 public:
  /// Runs `step` for warm-up, then records it without running it. It must neither wait for the device (item, printing,
  /// copies to the host) nor copy from the host: StateError. Throws DeviceError unless the device is a GPU that is
  /// there; what `step` throws is passed on.
  CapturedStep(Device device, const std::function<void()>& step, const CaptureOptions& options = {});
  ~CapturedStep();
  CapturedStep(CapturedStep&&) noexcept;
  CapturedStep& operator=(CapturedStep&&) noexcept;

  /// Adds the step to the device's queue once more, and returns. Throws StateError when the step draws random numbers
  /// and the thread's generator has another seed or stream than when it was captured.
  void replay();

 private:
  std::unique_ptr<internal::RecordedStep> recorded_;
  std::uint64_t seed_ = 0, stream_ = 0;
  std::uint64_t first_ = 0, words_ = 0;  ///< of the generator: where the recorded run began, and what it drew
};

}  // namespace tern
