#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "cpu/families.h"
#include "cpu/words.h"
#include "slots/sort.h"
#include "tern/base/parallel.h"

// Rows are sorted by keys: unsigned integers in the order of the elements, so that one sort serves all types. The index
// decides between equal keys.
namespace tern::kernels::cpu {
namespace {

struct Entry {
  std::uint64_t key;
  std::int64_t index;
};

bool before(const Entry& a, const Entry& b) { return a.key != b.key ? a.key < b.key : a.index < b.index; }

template <class T>
std::uint64_t key_of(T x) {
  if constexpr (std::is_floating_point_v<T>) {
    using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
    constexpr Bits sign = Bits{1} << (8 * sizeof(T) - 1);
    if (x != x) return ~Bits{0};
    const Bits bits = std::bit_cast<Bits>(x == 0 ? T(0) : x);
    return bits & sign ? static_cast<Bits>(~bits) : bits | sign;
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(x)) ^ (std::uint64_t{1} << 63);
  } else {
    return static_cast<std::uint64_t>(x);
  }
}

// By the bytes in which keys differ, the lowest first; each pass keeps the order of equals.
void radix_sort(std::vector<Entry>& entries, std::vector<Entry>& spare) {
  std::uint64_t differ = 0;
  for (const Entry& e : entries) differ |= e.key ^ entries[0].key;
  spare.resize(entries.size());
  for (int shift = 0; shift < 64; shift += 8) {
    if (((differ >> shift) & 255) == 0) continue;
    std::array<std::size_t, 256> at{};
    for (const Entry& e : entries) ++at[(e.key >> shift) & 255];
    std::size_t next = 0;
    for (std::size_t& start : at) next += std::exchange(start, next);
    for (const Entry& e : entries) spare[at[(e.key >> shift) & 255]++] = e;
    entries.swap(spare);
  }
}

void order(std::vector<Entry>& entries, std::vector<Entry>& spare, const SortArgs& args) {
  const auto k = static_cast<std::ptrdiff_t>(args.k);
  if (args.k < args.size) {
    std::nth_element(entries.begin(), entries.begin() + k, entries.end(), before);
    entries.resize(static_cast<std::size_t>(k));
  }
  if (!args.sorted) {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.index < b.index; });
  } else if (entries.size() < 256 || args.k < args.size) {
    std::sort(entries.begin(), entries.end(), before);
  } else {
    radix_sort(entries, spare);
  }
}

template <class T>
void argsort_kernel(const SortArgs& args) {
  const std::uint64_t turn = args.descending ? ~std::uint64_t{0} : 0;
  parallel_for(args.rows, 4096 / args.size + 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Entry> entries, spare;
    for (std::int64_t r = begin; r < end; ++r) {
      const T* x = static_cast<const T*>(args.x) + r * args.size;
      entries.resize(static_cast<std::size_t>(args.size));
      for (std::int64_t i = 0; i < args.size; ++i)
        entries[static_cast<std::size_t>(i)] = {key_of(number(x[i])) ^ turn, i};
      order(entries, spare, args);
      for (std::int64_t i = 0; i < args.k; ++i)
        args.indices[r * args.k + i] = entries[static_cast<std::size_t>(i)].index;
    }
  });
}

}  // namespace

void register_sort() {
  argsort.set(DeviceKind::cpu, f64, &argsort_kernel<double>);
  argsort.set(DeviceKind::cpu, f32, &argsort_kernel<float>);
  argsort.set(DeviceKind::cpu, f16, &argsort_kernel<Half>);
  argsort.set(DeviceKind::cpu, bf16, &argsort_kernel<BFloat16>);
  argsort.set(DeviceKind::cpu, i64, &argsort_kernel<std::int64_t>);
  argsort.set(DeviceKind::cpu, i32, &argsort_kernel<std::int32_t>);
  argsort.set(DeviceKind::cpu, u8, &argsort_kernel<std::uint8_t>);
  argsort.set(DeviceKind::cpu, boolean, &argsort_kernel<std::uint8_t>);  // of 0 and 1
}

}  // namespace tern::kernels::cpu
