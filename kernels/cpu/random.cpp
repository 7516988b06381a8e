#include <array>
#include <cmath>

#include "cpu/families.h"
#include "slots.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"

namespace tern::kernels::cpu {
namespace {

constexpr std::int64_t kGrain = 8192;

/// Words of a Philox stream one after the other; a block of four is made once.
class Words {
 public:
  Words(const Philox& random, std::uint64_t first) : random_(random), at_(first) {
    if (at_ & 3) block_ = random_.block(at_ >> 2);
  }
  std::uint32_t next() {
    if ((at_ & 3) == 0) block_ = random_.block(at_ >> 2);
    return block_[at_++ & 3];
  }

 private:
  Philox random_;
  std::uint64_t at_;
  std::array<std::uint32_t, 4> block_{};
};

template <class T>
T within(double low, double high, T unit) {
  const T value = static_cast<T>(low) + static_cast<T>(high - low) * unit;
  // Rounding may reach the upper end, which is excluded.
  return value < static_cast<T>(high) ? value : std::nextafter(static_cast<T>(high), static_cast<T>(low));
}

float unit(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

void uniform_f32(const RandomArgs& args) {
  const Philox random(args.seed, args.stream);
  parallel_for(args.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    Words words(random, args.first + static_cast<std::uint64_t>(begin));
    for (auto i = begin; i < end; ++i) {
      static_cast<float*>(args.out)[i] = within(args.low, args.high, unit(words.next()));
    }
  });
}

void uniform_f64(const RandomArgs& args) {
  const Philox random(args.seed, args.stream);
  parallel_for(args.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    Words words(random, 2 * (args.first + static_cast<std::uint64_t>(begin)));
    for (auto i = begin; i < end; ++i) {
      const std::uint64_t low = words.next();
      const std::uint64_t bits = low | std::uint64_t{words.next()} << 32;
      static_cast<double*>(args.out)[i] = within(args.low, args.high, static_cast<double>(bits >> 11) * 0x1p-53);
    }
  });
}

template <class T>
void normal_kernel(const RandomArgs& args) {
  const Philox random(args.seed, args.stream);
  parallel_for(args.numel, kGrain / 4, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) {
      static_cast<T*>(args.out)[i] = static_cast<T>(normal(random, args.first + static_cast<std::uint64_t>(i)));
    }
  });
}

template <class T>
void dropout_kernel(const DropoutArgs& args) {
  const Philox random(args.seed, args.stream);
  const T scale = args.p < 1 ? static_cast<T>(1 / (1 - args.p)) : T(0);
  const T* x = static_cast<const T*>(args.x);
  T* out = static_cast<T*>(args.out);
  parallel_for(args.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    Words words(random, args.first + static_cast<std::uint64_t>(begin));
    for (auto i = begin; i < end; ++i) {
      out[i] = static_cast<double>(unit(words.next())) >= args.p ? x[i] * scale : T(0);
    }
  });
}

}  // namespace

void register_random() {
  random_uniform.set(DeviceKind::cpu, f32, &uniform_f32);
  random_uniform.set(DeviceKind::cpu, f64, &uniform_f64);
  random_normal.set(DeviceKind::cpu, f32, &normal_kernel<float>);
  random_normal.set(DeviceKind::cpu, f64, &normal_kernel<double>);
  dropout.set(DeviceKind::cpu, f32, &dropout_kernel<float>);
  dropout.set(DeviceKind::cpu, f64, &dropout_kernel<double>);
}

}  // namespace tern::kernels::cpu
