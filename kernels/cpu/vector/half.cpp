#include "cpu/vector/half.h"

#include "cpu/vector/lane.h"

namespace tern::kernels::cpu::TERN_TARGET {
namespace {

constexpr int kLanes = Lane<float>::kLanes;
using Words = LaneTypes<float>::Unsigned;
typedef std::int32_t Signed __attribute__((vector_size(TERN_VECTOR_BYTES)));
typedef std::uint16_t Halves __attribute__((vector_size(TERN_VECTOR_BYTES / 2)));
typedef std::uint16_t UnalignedHalves __attribute__((vector_size(TERN_VECTOR_BYTES / 2), aligned(2), may_alias));

TERN_INLINE Words select(Words mask, Words a, Words b) { return (mask & a) | (~mask & b); }
// Compared as signed numbers: none has its highest bit set.
TERN_INLINE Words above(Words a, std::uint32_t b) {
  return reinterpret_cast<Words>(reinterpret_cast<Signed>(a) > static_cast<std::int32_t>(b));
}

struct F16 {
#if defined(__AVX512F__)
  static TERN_INLINE Lane<float> widen(Halves half) {
    return Lane<float>(
        reinterpret_cast<Lane<float>::Vector>(_mm512_maskz_cvtph_ps(0xFFFF, reinterpret_cast<__m256i>(half))));
  }
  static TERN_INLINE Halves narrow(Lane<float> x) {
    return reinterpret_cast<Halves>(_mm512_maskz_cvtps_ph(0xFFFF, reinterpret_cast<__m512>(x.vector), 0));
  }
#elif defined(__F16C__)
  static TERN_INLINE Lane<float> widen(Halves half) {
    return Lane<float>(reinterpret_cast<Lane<float>::Vector>(_mm256_cvtph_ps(reinterpret_cast<__m128i>(half))));
  }
  static TERN_INLINE Halves narrow(Lane<float> x) {
    return reinterpret_cast<Halves>(_mm256_cvtps_ph(reinterpret_cast<__m256>(x.vector), 0));
  }
#else
  static TERN_INLINE Lane<float> widen(Halves half) {
    const Words bits = __builtin_convertvector(half, Words), size = bits & 0x7FFF;
    const auto number = __builtin_convertvector(reinterpret_cast<Signed>(size), Lane<float>::Vector) * 0x1p-24f;
    const Words subnormal = reinterpret_cast<Words>(number), normal = (size << 13) + 0x38000000;
    const Words finite = select(above(size, 0x3FF), normal, subnormal);
    return Lane<float>::from_bits((bits & 0x8000) << 16 | select(above(size, 0x7BFF), size << 13 | 0x7F800000, finite));
  }
  static TERN_INLINE Halves narrow(Lane<float> x) {
    const Words bits = x.bits(), size = bits & 0x7FFFFFFF;
    const Words shifted = (Lane<float>::from_bits(size) + Lane<float>(0.5f)).bits() - 0x3F000000;
    const Words rounded = (size + 0xFFF + (size >> 13 & 1) - 0x38000000) >> 13;
    const Words finite = select(above(size, 0x387FFFFF), rounded, shifted);
    const Words infinite = select(above(size, 0x7F800000), 0x7E00 | (size >> 13 & 0x3FF), Words{} + 0x7C00);
    return __builtin_convertvector((bits >> 16 & 0x8000) | select(above(size, 0x477FEFFF), infinite, finite), Halves);
  }
#endif
};

struct Bf16 {
  static TERN_INLINE Lane<float> widen(Halves half) {
    return Lane<float>::from_bits(__builtin_convertvector(half, Words) << 16);
  }
  static TERN_INLINE Halves narrow(Lane<float> x) {
    const Words bits = x.bits(), rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    return __builtin_convertvector(select(above(bits & 0x7FFFFFFF, 0x7F800000), bits >> 16 | 0x40, rounded), Halves);
  }
};

// The last elements go through a whole vector.
template <class H>
void widen(const std::uint16_t* from, float* to, std::int64_t n) {
  for (; n >= kLanes; n -= kLanes) {
    H::widen(*reinterpret_cast<const UnalignedHalves*>(from)).store(to);
    from += kLanes;
    to += kLanes;
  }
  if (n == 0) return;
  Halves last{};
  for (int i = 0; i < n; ++i) last[i] = from[i];
  H::widen(last).store(to, static_cast<int>(n));
}
template <class H>
void narrow(const float* from, std::uint16_t* to, std::int64_t n) {
  for (; n >= kLanes; n -= kLanes) {
    *reinterpret_cast<UnalignedHalves*>(to) = H::narrow(Lane<float>::load(from));
    from += kLanes;
    to += kLanes;
  }
  if (n == 0) return;
  const Halves last = H::narrow(Lane<float>::load(from, static_cast<int>(n)));
  for (int i = 0; i < n; ++i) to[i] = last[i];
}

}  // namespace

constinit const HalfTable half{.f16 = {&widen<F16>, &narrow<F16>}, .bf16 = {&widen<Bf16>, &narrow<Bf16>}};

}  // namespace tern::kernels::cpu::TERN_TARGET
