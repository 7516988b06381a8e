#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tern/base/export.h"
#include "tern/tensor/device.h"
#include "tern/tensor/memory.h"
#include "tern/tensor/tensor.h"

// What the tensor room asks of a device other than the CPU. Each device has one queue, which does in order what it is
// given; memory that was let go may be handed out again at once, since its next use stands later in the queue.
namespace tern::internal {

class DeviceRuntime;

/// Memory of a device, or page-locked memory of the host.
struct DeviceBlock {
  DeviceRuntime* owner = nullptr;
  void* data = nullptr;
};

struct DeviceCopy {
  void* to;
  const void* from;
  Device to_device, from_device;
  std::size_t bytes;
};

/// What a device was given while it was recorded, to be done again as a whole. It owns the memory that was let go
/// meanwhile.
class RecordedStep {
 public:
  virtual ~RecordedStep() = default;
  /// What it writes in place, once a view family: a replay counts as a write to each.
  std::vector<Tensor> written;
  /// Joins the queue, and returns. Random kernels draw from words that lie `further` on than when it was recorded.
  virtual void replay(std::uint64_t further) = 0;
};

class DeviceRuntime {
 public:
  virtual ~DeviceRuntime() = default;
  virtual int count() = 0;
  /// Why there is no such device: "a machine without an NVIDIA driver".
  virtual std::string missing(int index) = 0;
  /// Throws MemoryError.
  virtual DeviceBlock* allocate(int index, std::size_t bytes) = 0;
  virtual DeviceBlock* allocate_pinned(std::size_t bytes) = 0;
  virtual void deallocate(DeviceBlock* block) noexcept = 0;
  /// From the host: `from` is read before it returns. To the host: joins the queue, and does not wait.
  virtual void copy(const DeviceCopy& copy) = 0;
  virtual MemoryStatistics statistics(int index) = 0;
  /// Gives cached memory back; after a wait for the queue.
  virtual void empty_cache(int index) = 0;
  virtual void zero(int index, void* to, std::size_t bytes) = 0;
  /// Waits for the queue, and throws what kernels found.
  virtual void synchronize(int index) = 0;
  /// What joins the queue from here on is recorded, not done. Waiting, and copies from and to the host, then throw
  /// StateError, and so does all that another thread asks for.
  virtual void begin_recording(int index) = 0;
  virtual std::unique_ptr<RecordedStep> end_recording(int index) = 0;
  /// After an error, in place of its end.
  virtual void abandon_recording(int index) noexcept = 0;
};

/// The runtime of a device. Throws DeviceError unless the device is there.
TERN_API DeviceRuntime& runtime(Device device);
/// That of a kind, or null.
DeviceRuntime* runtime_of(DeviceKind kind);
/// What this build has for GPUs, or null: kernels/cuda/runtime.cpp, or kernels/without_cuda.cpp.
DeviceRuntime* cuda_runtime();
/// Another runtime in place of the GPUs', or null for theirs: tests run what is above this seam on the host.
TERN_API void replace_cuda_runtime(DeviceRuntime* runtime);

[[noreturn]] TERN_COLD TERN_API void throw_devices(const char* where, const std::string& got);

}  // namespace tern::internal
