#pragma once

#include <cstdint>

#include "cuda/team.cuh"

// Rows of contiguous elements, read from memory once, in packs of 16 bytes where they can be. A team keeps its row in
// registers, or in shared memory, or, when it is too long for that, reads it again, from the second-level cache where
// that holds it.
namespace tern::kernels::cuda {

extern __shared__ __align__(16) unsigned char shared_rows[];

/// How a kernel's rows are kept.
struct RowShape {
  std::int64_t columns;
  bool packs;   // pointers and length allow packs
  bool shared;  // there is shared memory for the rows of every team
};

/// A row of a team: of at most kHeld packs a member, in registers, or, with kHeld = 0, of any length. A member reads
/// and writes its own columns alone, so that the next row may take this one's place without a wait.
template <class Group, class T, int kHeld>
class Row {
 public:
  static constexpr bool in_registers = kHeld > 0;

  /// The team's row number `which` of those that it keeps.
  __device__ explicit Row(const RowShape& shape, int rows = 1, int which = 0)
      : columns_(shape.columns), packs_(shape.packs) {
    if (!in_registers && shape.shared) {
      const std::int64_t row = threadIdx.x / Group::members * rows + which;
      kept_ = reinterpret_cast<T*>(shared_rows + row * row_bytes(columns_, sizeof(T)));
    }
  }

  /// Reads the row: f(column, element, others' elements…).
  template <class F, class... Others>
  __device__ __forceinline__ void read(const T* row, F f, const Others&... others) {
    lying_ = kept_ ? kept_ : row;
    each_pack([&]<int N>(std::int64_t c, int slot) {
      const auto pack = *reinterpret_cast<const Pack<T, N>*>(row + c);
      if constexpr (in_registers) {
        held_[slot] = pack;
      } else if (kept_) {
        *reinterpret_cast<Pack<T, N>*>(kept_ + c) = pack;
      }
      apply<N>(c, f, pack, others.template get<N>(c, slot)...);
    });
  }
  /// f(column, element, others' elements…).
  template <class F, class... Others>
  __device__ __forceinline__ void each(F f, const Others&... others) const {
    each_pack(
        [&]<int N>(std::int64_t c, int slot) { apply<N>(c, f, get<N>(c, slot), others.template get<N>(c, slot)...); });
  }
  /// out[column] = f(column, element, others' elements…).
  template <class F, class... Others>
  __device__ __forceinline__ void map(T* out, F f, const Others&... others) const {
    each_pack([&]<int N>(std::int64_t c, int slot) {
      Pack<T, N> result;
      apply_to<N>(result, c, f, get<N>(c, slot), others.template get<N>(c, slot)...);
      *reinterpret_cast<Pack<T, N>*>(out + c) = result;
    });
  }
  /// element = f(column, element, others' elements…), of a row in registers.
  template <class F, class... Others>
  __device__ __forceinline__ void change(F f, const Others&... others) {
    each_pack([&]<int N>(std::int64_t c, int slot) {
      apply_to<N>(held_[slot], c, f, held_[slot], others.template get<N>(c, slot)...);
    });
  }
  /// Zeros, of a row in registers.
  __device__ void clear() {
#pragma unroll
    for (auto& pack : held_) pack = {};
  }
  template <int N>
  __device__ __forceinline__ Pack<T, N> get(std::int64_t c, int slot) const {
    if constexpr (in_registers) {
      return held_[slot];
    } else {
      return *reinterpret_cast<const Pack<T, N>*>(lying_ + c);
    }
  }

 private:
  static constexpr int kItems = 16 / sizeof(T);

  template <class F>
  __device__ __forceinline__ void each_pack(F f) const {
    if constexpr (in_registers) {
#pragma unroll
      for (int slot = 0; slot < kHeld; ++slot) {
        const std::int64_t c = (Group::member() + slot * Group::members) * kItems;
        if (c < columns_) f.template operator()<kItems>(c, slot);
      }
    } else if (packs_) {
      for (std::int64_t c = Group::member() * kItems; c < columns_; c += Group::members * kItems) {
        f.template operator()<kItems>(c, 0);
      }
    } else {
      for (std::int64_t c = Group::member(); c < columns_; c += Group::members) f.template operator()<1>(c, 0);
    }
  }
  template <int N, class F, class... Packs>
  static __device__ __forceinline__ void apply(std::int64_t c, F& f, const Packs&... packs) {
#pragma unroll
    for (int j = 0; j < N; ++j) f(c + j, packs.at[j]...);
  }
  template <int N, class F, class... Packs>
  static __device__ __forceinline__ void apply_to(Pack<T, N>& out, std::int64_t c, F& f, const Packs&... packs) {
#pragma unroll
    for (int j = 0; j < N; ++j) out.at[j] = f(c + j, packs.at[j]...);
  }

  std::int64_t columns_;
  bool packs_;
  T* kept_ = nullptr;
  const T* lying_ = nullptr;
  Pack<T, kItems> held_[in_registers ? kHeld : 1];
};

/// Elements that all rows share, such as weights; zeros where there are none.
template <class T>
struct Common {
  const T* elements;
  template <int N>
  __device__ __forceinline__ Pack<T, N> get(std::int64_t c, int) const {
    return elements ? *reinterpret_cast<const Pack<T, N>*>(elements + c) : Pack<T, N>{};
  }
};

/// Whether rows of these may be read and written in packs.
template <class T, class... P>
bool in_packs(std::int64_t columns, const P*... pointers) {
  const bool aligned = ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
  return aligned && columns * static_cast<std::int64_t>(sizeof(T)) % 16 == 0;
}

/// A kernel of rows for each team, and way to keep a row; a warp has registers for short rows or for longer ones.
template <class Kernel>
struct RowKernels {
  Kernel short_warp, long_warp, block_in_registers, warp, block;
};

/// Those of a kernel of <T, members of a team, packs in registers, …>.
#define TERN_ROW_KERNELS(kernel, ...)                                                                              \
  RowKernels {                                                                                                     \
    &kernel<T, 32, kHeldPacks __VA_OPT__(, ) __VA_ARGS__>, &kernel<T, 32, kWarpPacks __VA_OPT__(, ) __VA_ARGS__>,  \
        &kernel<T, kThreads, kHeldPacks __VA_OPT__(, ) __VA_ARGS__>, &kernel<T, 32, 0 __VA_OPT__(, ) __VA_ARGS__>, \
        &kernel<T, kThreads, 0 __VA_OPT__(, ) __VA_ARGS__>                                                         \
  }

/// Launches the one that serves rows of this length, of those that keep `kept` rows.
template <class T, class Kernel, class Args, class... Rest>
void launch_rows(const RowKernels<Kernel>& kernels, std::int64_t rows, std::int64_t columns, int kept, bool packs,
                 const Args& args, Rest... rest) {
  if (rows == 0 || columns == 0) return;
  const RowPlan plan = plan_rows(rows, columns, sizeof(T), kept, packs);
  const bool is_short = columns * static_cast<std::int64_t>(sizeof(T)) <= 16 * 32 * kHeldPacks;
  const Kernel in_registers = !plan.warps ? kernels.block_in_registers
                              : is_short  ? kernels.short_warp
                                          : kernels.long_warp;
  const Kernel kernel = plan.registers ? in_registers : plan.warps ? kernels.warp : kernels.block;
  const Context on = context();
  kernel<<<plan.blocks, kThreads, static_cast<std::size_t>(plan.shared_bytes), on.stream>>>(
      args, RowShape{columns, packs, plan.shared_bytes > 0}, rest...);
  check_launch();
}

}  // namespace tern::kernels::cuda
