#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include "cuda/block_cache.h"
#include "slot.h"
#include "tensor/device_runtime.h"
#include "tern/base/error.h"
#include "tern/tensor/device.h"

// A device "cuda:0" made of the host: its memory can be touched by kernels (the CPU's) and copies alone; whatever else
// reads or writes it dies. So what is above the seam is tested for a GPU without one.
namespace stand_in {

using tern::Device;
using tern::kernels::cuda::BlockCache;

/// One region, closed but for the time of a kernel or copy.
class Memory : public tern::kernels::cuda::RawMemory {
 public:
  static constexpr std::size_t kBytes = std::size_t{1} << 26;
  Memory() {
    void* region = mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED) throw std::bad_alloc();
    begin_ = static_cast<char*>(region);
  }
  void* take(std::size_t bytes) override {
    if (kBytes - used_ < bytes) return nullptr;
    void* memory = begin_ + used_;
    used_ += (bytes + 4095) / 4096 * 4096;
    ++taken_;
    return memory;
  }
  // The last one frees the region. Each kernel opens and closes all of it, in time that grows with what it ever held;
  // never a part, which the system would cut off and join again.
  void give_back(void*) noexcept override {
    if (--taken_ > 0 || depth_ > 0) return;
    madvise(begin_, used_, MADV_DONTNEED);
    used_ = 0;
  }
  void wait() noexcept override {}
  void open() {
    if (++depth_ == 1) protect(PROT_READ | PROT_WRITE);
  }
  void close() {
    if (--depth_ == 0) protect(PROT_NONE);
  }

 private:
  void protect(int how) {
    if (mprotect(begin_, kBytes, how) != 0) throw std::runtime_error("mprotect");
  }
  char* begin_;
  std::size_t used_ = 0;
  std::int64_t taken_ = 0;
  int depth_ = 0;
};

class Runtime : public tern::internal::DeviceRuntime {
 public:
  struct Block : tern::internal::DeviceBlock {
    bool pinned = false;
  };
  struct Recorded : tern::internal::RecordedStep {
    explicit Recorded(Runtime& runtime) : runtime(runtime) {}
    ~Recorded() override { runtime.cache.dissolve(pool); }
    void replay(std::uint64_t further) override { runtime.replayed = further; }
    Runtime& runtime;
    BlockCache::Pool pool;
  };

  int count() override { return 1; }
  std::string missing(int) override { return "one device made of the host"; }
  tern::internal::DeviceBlock* allocate(int, std::size_t bytes) override {
    void* data = cache.allocate(bytes);
    if (!data) throw tern::MemoryError("[allocate] expected memory of the device, got none");
    auto block = std::make_unique<Block>();
    block->owner = this;
    block->data = data;
    return block.release();
  }
  tern::internal::DeviceBlock* allocate_pinned(std::size_t bytes) override {
    auto block = std::make_unique<Block>();
    block->owner = this;
    block->data = ::operator new(bytes);
    block->pinned = true;
    return block.release();
  }
  void deallocate(tern::internal::DeviceBlock* freed) noexcept override {
    auto* block = static_cast<Block*>(freed);
    if (block->pinned) {
      ::operator delete(block->data);
    } else {
      cache.free(block->data);
    }
    delete block;
  }
  void copy(const tern::internal::DeviceCopy& copy) override {
    if (recording && copy.to_device != copy.from_device) throw tern::StateError("[to] expected no copy, got one");
    memory.open();
    std::memcpy(copy.to, copy.from, copy.bytes);
    memory.close();
  }
  tern::MemoryStatistics statistics(int) override { return cache.statistics(); }
  void empty_cache(int) override { cache.empty(); }
  void zero(int, void* to, std::size_t bytes) override {
    memory.open();
    std::memset(to, 0, bytes);
    memory.close();
  }
  void synchronize(int) override { ++waits; }
  void begin_recording(int) override {
    recording = std::make_unique<Recorded>(*this);
    cache.begin_recording(&recording->pool);
  }
  std::unique_ptr<tern::internal::RecordedStep> end_recording(int) override {
    cache.end_recording();
    return std::move(recording);
  }
  void abandon_recording(int) noexcept override {
    cache.end_recording();
    recording.reset();
  }

  Memory memory;
  BlockCache cache{memory};
  std::unique_ptr<Recorded> recording;
  std::uint64_t replayed = 0;
  int waits = 0;
};

inline Runtime& runtime() {
  static Runtime* const one = new Runtime;  // tensors may outlive main
  return *one;
}

/// The stand-in is cuda:0 while this lives.
class Scope {
 public:
  Scope() {
    tern::internal::replace_cuda_runtime(&runtime());
    tern::kernels::set_stand_in(&kKernels);
  }
  ~Scope() {
    runtime().cache.empty();
    tern::kernels::set_stand_in(nullptr);
    tern::internal::replace_cuda_runtime(nullptr);
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  static constexpr tern::kernels::StandIn kKernels{[] { runtime().memory.open(); }, [] { runtime().memory.close(); }};
};

}  // namespace stand_in
