#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "cuda/block_cache.h"
#include "cuda/context.h"
#include "cuda/launch.h"
#include "slot.h"
#include "tensor/device_runtime.h"
#include "tern/base/error.h"

// The runtime of NVIDIA GPUs: a stream for each, on which everything is done in order. The driver is looked for when a
// GPU is first asked for, so that a program starts without one.
namespace tern::kernels::cuda {
namespace {

constexpr int kMostDevices = 16;
constexpr std::size_t kStage = std::size_t{4} << 20;  // bytes of a stage
constexpr int kStages = 4;

struct DeviceRaw : RawMemory {
  cudaStream_t stream = nullptr;
  void* take(std::size_t bytes) override {
    void* memory = nullptr;
    if (cudaMalloc(&memory, bytes) == cudaSuccess) return memory;
    cudaGetLastError();
    return nullptr;
  }
  void give_back(void* memory) noexcept override { cudaFree(memory); }
  void wait() noexcept override { cudaStreamSynchronize(stream); }
};

struct PinnedRaw : RawMemory {
  void* take(std::size_t bytes) override {
    void* memory = nullptr;
    if (cudaMallocHost(&memory, bytes) == cudaSuccess) return memory;
    cudaGetLastError();
    return nullptr;
  }
  void give_back(void* memory) noexcept override { cudaFreeHost(memory); }
  void wait() noexcept override {}  // deallocate() has waited
};

// Page-locked memory through which elements travel, in rounds; an event says when a stage is free again.
struct Stage {
  char* memory = nullptr;
  std::size_t used = 0;
  cudaEvent_t done = nullptr;
};

class Recorded;

struct Gpu {
  Gpu();
  ~Gpu();

  int index = 0;  // as CUDA counts
  DeviceRaw raw;
  BlockCache cache{raw};
  std::mutex mutex;  // of the stages and what follows
  Stage stages[kStages];
  int next_stage = 0;
  Report* report = nullptr;  // as the host sees it
  Report* device_report = nullptr;
  std::uint64_t* further = nullptr;  // on the device, while a step is recorded
  std::unique_ptr<Recorded> step;    // that step
  std::atomic<bool> recording = false;
  std::atomic<std::thread::id> recorder{};  // the thread that does
};

struct Block : internal::DeviceBlock {
  Gpu* gpu = nullptr;  // null: page-locked
};

/// A page-locked block in use: its size, and for each device that has copied to it, when the last copy has arrived.
struct Pinned {
  std::size_t bytes;
  std::map<int, cudaEvent_t> arrivals;
};

class Recorded : public internal::RecordedStep {
 public:
  Recorded(Gpu& gpu) : gpu_(gpu) {}
  ~Recorded() override {
    cudaSetDevice(gpu_.index);
    if (executable_) {
      if (!gpu_.recording) cudaStreamSynchronize(gpu_.raw.stream);  // a recorded stream cannot be waited for
      cudaGraphExecDestroy(executable_);
    }
    gpu_.cache.dissolve(pool_);
    if (further_) gpu_.cache.free(further_);
  }
  void replay(std::uint64_t further) override {
    check(cudaSetDevice(gpu_.index), "replay");
    if (gpu_.recording) throw_recording("replay");
    set_further(further);
    check(cudaGraphLaunch(executable_, gpu_.raw.stream), "replay");
  }

  void set_further(std::uint64_t further) {
    // A memset of each byte that changes takes its value along, so that nothing on the host has to stay.
    auto* words = reinterpret_cast<unsigned char*>(further_);
    for (int i = 0; i < 8; ++i) {
      if ((further >> 8 * i & 0xFF) == last_[i]) continue;
      last_[i] = static_cast<unsigned char>(further >> 8 * i & 0xFF);
      check(cudaMemsetAsync(words + i, last_[i], 1, gpu_.raw.stream), "replay");
    }
  }

  Gpu& gpu_;
  BlockCache::Pool pool_;
  std::uint64_t* further_ = nullptr;
  unsigned char last_[8] = {};
  cudaGraphExec_t executable_ = nullptr;
};

Gpu::Gpu() = default;
// Of one that could not be made ready.
Gpu::~Gpu() {
  if (report) cudaFreeHost(report);
  if (raw.stream) cudaStreamDestroy(raw.stream);
}

class Runtime : public internal::DeviceRuntime {
 public:
  int count() override {
    find();
    return count_;
  }

  std::string missing(int index) override {
    find();
    if (count_ > 0) {
      return std::to_string(count_) + (count_ == 1 ? " GPU" : " GPUs") +
             (index < 0 ? ", counted from 0" : ", the last of which is cuda:" + std::to_string(count_ - 1));
    }
    return "no usable GPU: " + reason_;
  }

  Gpu& gpu(int index) {
    const std::lock_guard lock(mutex_);
    auto& slot = gpus_[static_cast<std::size_t>(index)];
    const int ordinal = ordinals_[static_cast<std::size_t>(index)];
    check(cudaSetDevice(ordinal), "device");
    if (!slot) {
      auto made = std::make_unique<Gpu>();
      made->index = ordinal;
      check(cudaStreamCreateWithFlags(&made->raw.stream, cudaStreamNonBlocking), "device");
      void* report = nullptr;
      check(cudaHostAlloc(&report, sizeof(Report), cudaHostAllocMapped), "device");
      made->report = new (report) Report{};
      void* seen = nullptr;
      check(cudaHostGetDevicePointer(&seen, report, 0), "device");
      made->device_report = static_cast<Report*>(seen);
      slot = std::move(made);
    }
    return *slot;
  }

  // The same, to be given work or asked for memory. While a step is captured all of that is the recording's, so nothing
  // may come from another thread.
  Gpu& working_gpu(int index) {
    Gpu& on = gpu(index);
    if (on.recording && on.recorder != std::this_thread::get_id()) {
      throw StateError("[capture] expected the thread that captures a step to be the only one that uses " +
                       to_string(tern::cuda(index)) + " meanwhile, got another");
    }
    return on;
  }

  internal::DeviceBlock* allocate(int index, std::size_t bytes) override {
    Gpu& on = working_gpu(index);
    auto block = std::make_unique<Block>();
    block->owner = this;
    block->gpu = &on;
    block->data = on.cache.allocate(bytes);
    if (!block->data) {
      throw MemoryError("[allocate] expected " + std::to_string(bytes) + " bytes of memory on " +
                        to_string(tern::cuda(index)) + ", got none");
    }
    return block.release();
  }

  internal::DeviceBlock* allocate_pinned(std::size_t bytes) override {
    auto block = std::make_unique<Block>();
    block->owner = this;
    block->data = pinned_.allocate(bytes);
    if (!block->data) {
      throw MemoryError("[allocate] expected " + std::to_string(bytes) + " bytes of page-locked memory, got none");
    }
    const std::lock_guard lock(pinned_mutex_);
    pinned_in_use_[static_cast<char*>(block->data)] = {bytes, {}};
    return block.release();
  }

  void deallocate(internal::DeviceBlock* memory) noexcept override {
    auto* block = static_cast<Block*>(memory);
    if (!block->gpu) await_arrivals(block->data);
    (block->gpu ? block->gpu->cache : pinned_).free(block->data);
    delete block;
  }

  void copy(const internal::DeviceCopy& copy) override {
    const bool from_host = copy.from_device.kind == DeviceKind::cpu, to_host = copy.to_device.kind == DeviceKind::cpu;
    Gpu& on = working_gpu((from_host ? copy.to_device : copy.from_device).index);
    if (on.recording && (from_host || to_host)) throw_recording("to");
    if (from_host) return stage_in(on, copy);
    if (to_host) return out(on, copy);
    Gpu& target = working_gpu(copy.to_device.index);
    if (&on != &target && (on.recording || target.recording)) throw_recording("to");
    // After what each has been given, and before what each is given next.
    wait_for(on, target);
    check(cudaSetDevice(on.index), "to");
    check(cudaMemcpyPeerAsync(copy.to, target.index, copy.from, on.index, copy.bytes, on.raw.stream), "to");
    wait_for(target, on);
  }

  void zero(int index, void* to, std::size_t bytes) override {
    if (bytes > 0) check(cudaMemsetAsync(to, 0, bytes, working_gpu(index).raw.stream), "zeros");
  }

  void synchronize(int index) override {
    Gpu& on = working_gpu(index);
    if (on.recording) throw_recording("synchronize");
    check(cudaStreamSynchronize(on.raw.stream), "synchronize");
    volatile Report* report = on.report;
    if (report->taken == 0) return;
    const std::int64_t bad = report->bad_index, bound = report->bound;
    const std::string op = report->op;
    *on.report = Report{};
    throw IndexError("[" + op + "] expected indices in [0, " + std::to_string(bound) + "), got " + std::to_string(bad) +
                     ", found by a kernel on " + to_string(tern::cuda(index)) + " before this wait");
  }

  MemoryStatistics statistics(int index) override { return gpu(index).cache.statistics(); }
  void empty_cache(int index) override {
    Gpu& on = gpu(index);
    if (on.recording) throw_recording("empty_cache");
    check(cudaStreamSynchronize(on.raw.stream), "empty_cache");
    on.cache.empty();
    pinned_.empty();
  }

  void begin_recording(int index) override {
    Gpu& on = gpu(index);
    if (on.recording) throw_recording("capture");
    auto step = std::make_unique<Recorded>(on);
    void* further = on.cache.allocate(sizeof(std::uint64_t));
    if (!further) throw MemoryError("[capture] expected memory, got none");
    step->further_ = static_cast<std::uint64_t*>(further);
    check(cudaMemsetAsync(further, 0, sizeof(std::uint64_t), on.raw.stream), "capture");
    on.recorder = std::this_thread::get_id();
    on.recording = true;
    // Relaxed: to allocate within it, to load a kernel or cuBLASLt, and to copy between other GPUs stays allowed.
    const cudaError_t begun = cudaStreamBeginCapture(on.raw.stream, cudaStreamCaptureModeRelaxed);
    if (begun != cudaSuccess) on.recording = false;
    check(begun, "capture");
    on.cache.begin_recording(&step->pool_);
    on.further = step->further_;
    on.step = std::move(step);
  }

  std::unique_ptr<internal::RecordedStep> end_recording(int index) override {
    Gpu& on = gpu(index);
    cudaGraph_t graph = nullptr;
    const cudaError_t ended = cudaStreamEndCapture(on.raw.stream, &graph);
    std::unique_ptr<Recorded> step = stop(on);
    check(ended, "capture");
    const cudaError_t made = cudaGraphInstantiate(&step->executable_, graph, 0);
    cudaGraphDestroy(graph);
    if (made != cudaSuccess) step->executable_ = nullptr;
    check(made, "capture");
    return step;
  }

  void abandon_recording(int index) noexcept override {
    Gpu& on = *gpus_[static_cast<std::size_t>(index)];
    if (!on.recording) return;
    cudaGraph_t graph = nullptr;
    cudaStreamEndCapture(on.raw.stream, &graph);
    cudaGetLastError();
    if (graph) cudaGraphDestroy(graph);
    stop(on);
  }

 private:
  void find() {
    std::call_once(found_, [this] {
      int shown = 0;
      const cudaError_t status = cudaGetDeviceCount(&shown);
      if (status == cudaSuccess) {
        if (shown == 0) reason_ = "the driver shows none";
        for (int i = 0; i < shown && count_ < kMostDevices; ++i) {
          int major = 0, minor = 0;  // as they are, no code is for it
          cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, i);
          cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, i);
          if (runs_on(TERN_CUDA_ARCHITECTURES, 10 * major + minor)) {
            ordinals_[static_cast<std::size_t>(count_++)] = i;
          } else {
            reason_ = "this build has code for " TERN_CUDA_ARCHITECTURES " (TERN_CUDA_ARCHITECTURES), and a GPU is " +
                      std::to_string(10 * major + minor);
          }
        }
        return;
      }
      cudaGetLastError();
      reason_ = status == cudaErrorInsufficientDriver ? "no NVIDIA driver, or one older than CUDA " + wanted()
                                                      : std::string(cudaGetErrorString(status));
      reason_ += std::string(" (") + cudaGetErrorName(status) + ")";
    });
  }

  static std::string wanted() {
    return std::to_string(CUDART_VERSION / 1000) + "." + std::to_string(CUDART_VERSION % 1000 / 10);
  }

  std::unique_ptr<Recorded> stop(Gpu& on) {
    on.further = nullptr;
    on.cache.end_recording();
    on.recording = false;
    return std::move(on.step);
  }

  void wait_for(Gpu& waits, Gpu& on) {
    cudaEvent_t event = nullptr;
    check(cudaSetDevice(on.index), "to");
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "to");
    check(cudaEventRecord(event, on.raw.stream), "to");
    check(cudaSetDevice(waits.index), "to");
    check(cudaStreamWaitEvent(waits.raw.stream, event, 0), "to");
    cudaEventDestroy(event);
  }

  // Room in a stage. What is small shares one, so that the host is ahead by as many copies as fit.
  Stage& stage(Gpu& on, std::size_t bytes) {
    Stage& now = on.stages[on.next_stage];
    if (now.memory && kStage - now.used >= bytes) return now;
    if (now.memory) on.next_stage = (on.next_stage + 1) % kStages;
    Stage& next = on.stages[on.next_stage];
    if (!next.done) check(cudaEventCreateWithFlags(&next.done, cudaEventDisableTiming), "to");
    if (!next.memory) {
      void* memory = nullptr;
      check(cudaMallocHost(&memory, kStage), "to");
      next.memory = static_cast<char*>(memory);
    }
    check(cudaEventSynchronize(next.done), "to");
    next.used = 0;
    return next;
  }

  void stage_in(Gpu& on, const internal::DeviceCopy& copy) {
    const std::lock_guard lock(on.mutex);
    for (std::size_t at = 0; at < copy.bytes; at += kStage) {
      const std::size_t bytes = std::min(kStage, copy.bytes - at);
      Stage& through = stage(on, bytes);
      char* const memory = through.memory + through.used;
      std::memcpy(memory, static_cast<const char*>(copy.from) + at, bytes);
      check(cudaMemcpyAsync(static_cast<char*>(copy.to) + at, memory, bytes, cudaMemcpyHostToDevice, on.raw.stream),
            "to");
      through.used += (bytes + 255) / 256 * 256;
      check(cudaEventRecord(through.done, on.raw.stream), "to");
    }
  }

  // Page-locked targets are written as the host goes on; others by the driver's own stages, which wait.
  void out(Gpu& on, const internal::DeviceCopy& copy) {
    check(cudaMemcpyAsync(copy.to, copy.from, copy.bytes, cudaMemcpyDeviceToHost, on.raw.stream), "to");
    const std::lock_guard lock(pinned_mutex_);
    auto* const to = static_cast<char*>(copy.to);
    auto block = pinned_in_use_.upper_bound(to);
    if (block == pinned_in_use_.begin()) return;
    --block;
    if (to >= block->first + block->second.bytes) return;
    cudaEvent_t& arrival = block->second.arrivals[on.index];
    if (!arrival) check(cudaEventCreateWithFlags(&arrival, cudaEventDisableTiming), "to");
    check(cudaEventRecord(arrival, on.raw.stream), "to");
  }

  // A page-locked block may serve anybody, on any device, once nothing is on its way to it.
  void await_arrivals(void* data) noexcept {
    std::map<int, cudaEvent_t> arrivals;
    {
      const std::lock_guard lock(pinned_mutex_);
      arrivals = std::move(pinned_in_use_.extract(static_cast<char*>(data)).mapped().arrivals);
    }
    for (const auto& [device, arrival] : arrivals) {
      if (!arrival) continue;
      cudaEventSynchronize(arrival);
      cudaEventDestroy(arrival);
    }
  }

  std::once_flag found_;
  int count_ = 0;
  std::string reason_;
  std::mutex mutex_;
  std::array<std::unique_ptr<Gpu>, kMostDevices> gpus_;
  std::array<int, kMostDevices> ordinals_{};  // as CUDA counts them, those that this build has no code for included
  PinnedRaw pinned_raw_;
  BlockCache pinned_{pinned_raw_};
  std::mutex pinned_mutex_;
  std::map<char*, Pinned> pinned_in_use_;
};

// Never destroyed: tensors outlive main, and the driver may be gone by then.
Runtime& the_runtime() {
  static Runtime* const runtime = new Runtime;
  return *runtime;
}

Gpu& gpu_of_call() { return the_runtime().working_gpu(device_of_call().index); }

}  // namespace

Context context() {
  Gpu& on = gpu_of_call();
  return {on.index, on.raw.stream, {on.device_report, name_of_call()}, on.further};
}

void check_launch() { check(cudaGetLastError(), name_of_call()); }

void check(cudaError_t status, const char* where) {
  if (status == cudaSuccess) return;
  cudaGetLastError();
  throw DeviceError("[" + std::string(where) + "] expected the GPU to do its work, got " + cudaGetErrorName(status) +
                    " (" + cudaGetErrorString(status) + ")");
}

Scratch::Scratch(std::size_t bytes) {
  if (bytes == 0) return;
  internal::DeviceBlock* const block = the_runtime().allocate(device_of_call().index, bytes);
  block_ = block;
  data_ = block->data;
}
Scratch::~Scratch() {
  if (block_) the_runtime().deallocate(static_cast<internal::DeviceBlock*>(block_));
}

bool recording() { return gpu_of_call().recording; }

void throw_recording(const char* where) {
  throw StateError(
      "[" + std::string(where) +
      "] expected no wait for the device and no copy from or to the host while a step is captured, got one");
}

}  // namespace tern::kernels::cuda

namespace tern {
internal::DeviceRuntime* internal::cuda_runtime() { return &kernels::cuda::the_runtime(); }
}  // namespace tern
