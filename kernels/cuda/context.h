#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "tern/tensor/device.h"

// What a kernel is launched with: its device's queue, memory for the time of the call, and where it reports.
namespace tern::kernels::cuda {

/// What kernels tell the host, in memory that both see; synchronize() looks at it, when they are done.
struct Report {
  std::int64_t bad_index;
  std::int64_t bound;
  const char* op;  // the host's address
  int taken;       // 1 when the others were written
};

/// What a kernel needs to report.
struct Reporter {
  Report* to;  // the device's address
  const char* op;
};

struct Context {
  int index;
  cudaStream_t stream;
  Reporter report;
  const std::uint64_t* further = nullptr;  // while recording: added to the first word that a random kernel draws
};

/// That of the device that this thread's kernel call is for, which becomes CUDA's current device.
Context context();

/// Throws DeviceError naming `where` when `status` says that something failed.
void check(cudaError_t status, const char* where);
/// After a launch: names the kernel that this thread called.
void check_launch();

/// Memory of the device from here to the end of the scope, by its queue; null for no bytes. Throws MemoryError.
class Scratch {
 public:
  explicit Scratch(std::size_t bytes);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void* block_ = nullptr;
  void* data_ = nullptr;
};

/// Whether this device is recording: nothing may be waited for.
bool recording();
[[noreturn]] void throw_recording(const char* where);

}  // namespace tern::kernels::cuda
