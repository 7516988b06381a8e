#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <system_error>

#include "loop.h"

// How work is laid out for a GPU, decided on the host and without it: this file knows no CUDA, and is tested without.
namespace tern::kernels::cuda {

inline constexpr int kThreads = 256;  // of every block

/// Whether code for `architectures`, as CMAKE_CUDA_ARCHITECTURES lists them ("80-real;90-real;100"), runs on a GPU of a
/// compute capability (75, 90): machine code on its own and the later ones of its generation, PTX, which an entry
/// without "-real" is or has, on all later ones. What is no number (native, all) is believed.
inline bool runs_on(std::string_view architectures, int capability) {
  while (!architectures.empty()) {
    const std::string_view entry = architectures.substr(0, architectures.find(';'));
    architectures.remove_prefix(std::min(entry.size() + 1, architectures.size()));
    int made_for = 0;
    const auto [end, error] = std::from_chars(entry.data(), entry.data() + entry.size(), made_for);
    const std::string_view kind(end, static_cast<std::size_t>(entry.data() + entry.size() - end));
    if (error != std::errc()) return true;
    const bool special = !kind.empty() && kind[0] != '-';  // 90a: for that one alone
    const bool machine = made_for / 10 == capability / 10, ptx = !kind.ends_with("-real");
    if (special ? capability == made_for : capability >= made_for && (machine || ptx)) return true;
  }
  return false;
}

/// Blocks of kThreads for `items` of which each thread takes `each`; more are done in further rounds of the same grid.
constexpr unsigned blocks_for(std::int64_t items, std::int64_t each = 1) {
  constexpr std::int64_t most = 132 * 32;
  const std::int64_t per_block = kThreads * each;
  return static_cast<unsigned>(std::clamp<std::int64_t>((items + per_block - 1) / per_block, 1, most));
}

/// What an elementwise kernel is given: a Loop, numbers of the host by value.
struct LoopParameters {
  std::int64_t numel;
  void* data[4];
  alignas(8) unsigned char value[4][8];  // of an operand whose data is null
  int dims;
  bool flat;     // one dimension; operands have stride 1 or 0
  bool vectors;  // flat, and packs of kPackBytes of the widest operand may be loaded
  std::int64_t sizes[kMaxDims];
  std::int64_t strides[4][kMaxDims];
};

inline constexpr std::size_t kPackBytes = 16;

/// Elements to a pack: that of the widest of the types fills 16 bytes.
template <class... T>
inline constexpr int kPack = static_cast<int>(kPackBytes / std::max({sizeof(T)...}));

template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T at[N];
};

inline LoopParameters parameters_of(const Loop& loop, int operands, const std::size_t* element_bytes) {
  LoopParameters p{};
  p.numel = loop.numel;
  p.dims = loop.dims;
  p.flat = loop.dims <= 1;
  std::size_t widest = 1;
  for (int k = 0; k < operands; ++k) widest = std::max(widest, element_bytes[k]);
  const std::size_t pack = kPackBytes / widest;
  p.vectors = true;
  for (int k = 0; k < operands; ++k) {
    const bool number = (loop.on_host >> k & 1) != 0;
    p.data[k] = number ? nullptr : loop.data[k];
    if (number) std::memcpy(p.value[k], loop.data[k], element_bytes[k]);
    for (int d = 0; d < loop.dims; ++d) p.strides[k][d] = number ? 0 : loop.strides[k][d];
    const std::int64_t step = loop.dims > 0 ? p.strides[k][loop.dims - 1] : 0;
    if (step != 1 && (step != 0 || k == 0) && loop.numel > 1) p.flat = false;
    if (step == 1 && reinterpret_cast<std::uintptr_t>(loop.data[k]) % (pack * element_bytes[k]) != 0) p.vectors = false;
  }
  p.vectors = p.vectors && p.flat;
  for (int d = 0; d < loop.dims; ++d) p.sizes[d] = loop.sizes[d];
  return p;
}

/// Elements that a kernel counts in 32 bits; a longer loop runs as its halves.
inline constexpr std::int64_t kMostElements = std::int64_t{1} << 31;

/// Cut along the longest dimension, so that the second half is as aligned as the first.
[[gnu::noinline]] inline std::array<Loop, 2> halves_of(const Loop& loop, int operands,
                                                       const std::size_t* element_bytes) {
  constexpr std::int64_t aligned = 64;
  const auto d = static_cast<int>(std::max_element(loop.sizes, loop.sizes + loop.dims) - loop.sizes);
  const std::int64_t size = loop.sizes[d], half = size < 2 * aligned ? size / 2 : size / 2 / aligned * aligned;
  std::array<Loop, 2> halves{loop, loop};
  halves[0].sizes[d] = half;
  halves[0].numel = loop.numel / size * half;
  halves[1].sizes[d] = size - half;
  halves[1].numel = loop.numel - halves[0].numel;
  for (int k = 0; k < operands; ++k) {
    const bool number = (loop.on_host >> k & 1) != 0;
    if (!number) halves[1].data[k] += half * loop.strides[k][d] * static_cast<std::int64_t>(element_bytes[k]);
  }
  return halves;
}

/// The longest row that a warp reads from memory; a longer one is a block's.
inline constexpr std::int64_t kWarpRow = 1024;
/// Blocks for rows of which each has a warp, or a block.
constexpr unsigned blocks_for_rows(std::int64_t rows, bool warps) {
  const std::int64_t per_block = warps ? kThreads / 32 : 1;
  return static_cast<unsigned>(std::clamp<std::int64_t>((rows + per_block - 1) / per_block, 1, 132 * 64));
}

/// Packs of 16 bytes of a row in registers, to a member; and of the longest that stands in a warp's.
inline constexpr int kHeldPacks = 4, kWarpPacks = 8;
inline constexpr std::int64_t kSharedBytes = 47 << 10;  // for rows, of the 48 KiB of a block
/// Bytes of a row in shared memory.
constexpr std::int64_t row_bytes(std::int64_t columns, std::int64_t element_bytes) {
  return (columns * element_bytes + 15) / 16 * 16;
}

/// How rows of contiguous elements are read: by a warp each or by a block, and kept in registers, or in shared memory,
/// or read again.
struct RowPlan {
  bool warps, registers;
  std::int64_t shared_bytes;  // of a block; 0 when rows are not kept there
  unsigned blocks;
};
/// For a kernel that keeps `kept` rows; `packs`: they can be read in packs of 16 bytes.
constexpr RowPlan plan_rows(std::int64_t rows, std::int64_t columns, std::int64_t element_bytes, int kept, bool packs) {
  const std::int64_t bytes_of_row = columns * element_bytes;
  RowPlan plan{columns <= kWarpRow, packs && bytes_of_row <= 16 * kThreads * kHeldPacks, 0, 0};
  if (plan.registers) plan.warps = bytes_of_row <= 16 * 32 * kWarpPacks;
  const std::int64_t bytes = row_bytes(columns, element_bytes) * kept * (plan.warps ? kThreads / 32 : 1);
  if (!plan.registers && bytes <= kSharedBytes) plan.shared_bytes = bytes;
  plan.blocks = blocks_for_rows(rows, plan.warps);
  return plan;
}

/// The order of summation depends on the number of terms alone: chunks of at least `least` terms, at most `most` of
/// them, that are added in order.
struct Chunks {
  std::int64_t length, count;
};
constexpr Chunks chunks_of(std::int64_t terms, std::int64_t least = 8192, std::int64_t most = 1024) {
  const std::int64_t length = std::max(least, ((terms + most - 1) / most + 255) / 256 * 256);
  return {length, std::max<std::int64_t>((terms + length - 1) / length, 1)};
}

/// Rows to a block where a kernel also sums over rows, by their number alone, so that partial sums are few.
constexpr std::int64_t rows_to_a_block(std::int64_t rows) {
  return std::clamp<std::int64_t>((rows + 255) / 256, 1, 64);
}

/// How cuBLAS, which counts columns first, sees a row-major operand: as it lies, or transposed, with the distance of
/// its rows or columns; or not at all.
struct Layout {
  enum class Kind { plain, transposed, packed } kind;
  std::int64_t ld;
};
constexpr Layout layout_of(std::int64_t rows, std::int64_t columns, std::int64_t row_step, std::int64_t column_step) {
  const auto least = [](std::int64_t n) { return n > 1 ? n : std::int64_t{1}; };
  if ((columns <= 1 || column_step == 1) && (rows <= 1 || row_step >= columns)) {
    return {Layout::Kind::plain, rows <= 1 ? least(columns) : least(row_step)};
  }
  if ((rows <= 1 || row_step == 1) && (columns <= 1 || column_step >= rows)) {
    return {Layout::Kind::transposed, columns <= 1 ? least(rows) : least(column_step)};
  }
  return {Layout::Kind::packed, least(columns)};
}

/// The dimensions of a batch of products, the last one first, with the distances between the operands' matrices; those
/// that both operands go through in one step are one.
struct Batch {
  int dims = 1;
  std::int64_t sizes[kMaxDims] = {1}, a[kMaxDims] = {}, b[kMaxDims] = {};
};
inline Batch batch_of(int dims, const std::int64_t* sizes, const std::int64_t* a, const std::int64_t* b) {
  Batch batch;
  for (int d = dims - 1; d >= 0; --d) {
    if (sizes[d] == 1) continue;
    const int last = batch.dims - 1;
    const bool first = batch.sizes[last] == 1;
    if (!first && a[d] == batch.a[last] * batch.sizes[last] && b[d] == batch.b[last] * batch.sizes[last]) {
      batch.sizes[last] *= sizes[d];
      continue;
    }
    const int at = first ? last : batch.dims++;
    batch.sizes[at] = sizes[d];
    batch.a[at] = a[d];
    batch.b[at] = b[d];
  }
  return batch;
}

}  // namespace tern::kernels::cuda
