#include <cub/device/device_radix_sort.cuh>

#include "cuda/context.h"
#include "cuda/each.cuh"
#include "cuda/elementwise.cuh"
#include "cuda/families.h"
#include "cuda/launch.h"
#include "slots.h"

// What moves elements takes them as words, of 16 bytes where rows allow. Repeated indices are served in order of the
// index, as on the CPU and with its bits: index_add sorts the indices, stably, and gives each run of equal ones to one
// team, which adds its rows in order; the others walk along the index, a thread to a column. There is no atomic
// addition. An index out of bounds is reported, for the next wait to throw, and its element is left out (read as 0).
namespace tern::kernels::cuda {
namespace {

// Elements of [outer, count, inner], a thread to each.
template <class Word>
__global__ void __launch_bounds__(kThreads) select_kernel(const IndexArgs args, Report* report) {
  const Word* const from = static_cast<const Word*>(args.from);
  Word* const to = static_cast<Word*>(args.to);
  each(args.outer * args.count * args.inner, [&](std::int64_t i) {
    const std::int64_t row = i / args.inner, column = i - row * args.inner, outer = row / args.count;
    const std::int64_t at = args.index[row - outer * args.count];
    to[i] = inside(at, args.size, report) ? from[(outer * args.size + at) * args.inner + column] : Word{};
  });
}

template <class Word>
__global__ void __launch_bounds__(kThreads) gather_kernel(const IndexArgs args, Report* report) {
  const Word* const from = static_cast<const Word*>(args.from);
  Word* const to = static_cast<Word*>(args.to);
  each(args.outer * args.count * args.inner, [&](std::int64_t i) {
    const std::int64_t row = i / args.inner, column = i - row * args.inner, outer = row / args.count;
    const std::int64_t at = args.index[i];
    to[i] = inside(at, args.size, report) ? from[(outer * args.size + at) * args.inner + column] : Word{};
  });
}

struct Put {
  template <class T>
  __device__ void operator()(T& to, T from) const {
    to = from;
  }
};
struct Add {
  template <class T>
  __device__ void operator()(T& to, T from) const {
    to = Element<T>::store(static_cast<LaneOf<T>>(Element<T>::load(to) + Element<T>::load(from)));
  }
};

// A thread to a column of an outer index, along the index. `Rows`: the index has one dimension.
template <class T, bool Rows, class F>
__global__ void __launch_bounds__(kThreads) along_kernel(const IndexArgs args, F f, Report* report) {
  const T* const from = static_cast<const T*>(args.from);
  T* const to = static_cast<T*>(args.to);
  each(args.outer * args.inner, [&](std::int64_t i) {
    const std::int64_t outer = i / args.inner, column = i - outer * args.inner;
    for (std::int64_t c = 0; c < args.count; ++c) {
      const std::int64_t source = (outer * args.count + c) * args.inner + column;
      const std::int64_t at = args.index[Rows ? c : source];
      if (inside(at, args.size, report)) f(to[(outer * args.size + at) * args.inner + column], from[source]);
    }
  });
}

__global__ void __launch_bounds__(kThreads) count_kernel(std::int64_t count, std::int64_t* places) {
  each(count, [&](std::int64_t i) { places[i] = i; });
}

// Runs of equal indices: whoever stands at the start of one adds all of its rows, column by column.
template <class T>
__global__ void __launch_bounds__(kThreads)
    runs_kernel(const IndexArgs args, const std::int64_t* sorted, const std::int64_t* places, Report* report) {
  const T* const from = static_cast<const T*>(args.from);
  T* const to = static_cast<T*>(args.to);
  each(args.outer * args.count * args.inner, [&](std::int64_t i) {
    const std::int64_t row = i / args.inner, column = i - row * args.inner, outer = row / args.count;
    const std::int64_t first = row - outer * args.count, at = sorted[first];
    if (first > 0 && sorted[first - 1] == at) return;
    if (!inside(at, args.size, report)) return;
    T& target = to[(outer * args.size + at) * args.inner + column];
    T sum = target;
    for (std::int64_t s = first; s < args.count && sorted[s] == at; ++s) {
      Add()(sum, from[(outer * args.count + places[s]) * args.inner + column]);
    }
    target = sum;
  });
}

std::int64_t elements(const IndexArgs& args) { return args.outer * args.count * args.inner; }

template <class T>
void index_add_kernel(const IndexArgs& args) {
  if (elements(args) == 0) return;
  const Context on = context();
  const std::size_t bytes = static_cast<std::size_t>(args.count) * sizeof(std::int64_t);
  const Scratch order(bytes), sorted(bytes), places(bytes);
  count_kernel<<<blocks_for(args.count), kThreads, 0, on.stream>>>(args.count, order.as<std::int64_t>());
  std::size_t needed = 0;
  const auto sort = [&](void* memory) {
    check(
        cub::DeviceRadixSort::SortPairs(memory, needed, args.index, sorted.as<std::int64_t>(), order.as<std::int64_t>(),
                                        places.as<std::int64_t>(), args.count, 0, 64, on.stream),
        "index_add");
  };
  sort(nullptr);
  const Scratch room(needed);
  sort(room.as<void>());
  runs_kernel<T><<<blocks_for(elements(args)), kThreads, 0, on.stream>>>(args, sorted.as<std::int64_t>(),
                                                                         places.as<std::int64_t>(), on.report);
  check_launch("index_add");
}

template <class T, bool Rows, class F>
void along(const IndexArgs& args) {
  if (elements(args) == 0) return;
  const Context on = context();
  along_kernel<T, Rows, F><<<blocks_for(args.outer * args.inner), kThreads, 0, on.stream>>>(args, F(), on.report);
  check_launch("scatter");
}

template <class Word>
void gather_words(const IndexArgs& args) {
  if (elements(args) == 0) return;
  const Context on = context();
  gather_kernel<Word><<<blocks_for(elements(args)), kThreads, 0, on.stream>>>(args, on.report);
  check_launch("gather");
}

template <class Word>
void select_words(IndexArgs args, std::int64_t width) {
  args.inner = args.inner * width / static_cast<std::int64_t>(sizeof(Word));
  const Context on = context();
  select_kernel<Word><<<blocks_for(elements(args)), kThreads, 0, on.stream>>>(args, on.report);
  check_launch("index_select");
}

// Rows in the widest words that they are made of.
template <int Width>
void index_select_kernel(const IndexArgs& args) {
  if (elements(args) == 0) return;
  const std::uintptr_t all = reinterpret_cast<std::uintptr_t>(args.from) | reinterpret_cast<std::uintptr_t>(args.to) |
                             static_cast<std::uintptr_t>(args.inner * Width);
  if (all % 16 == 0) return select_words<uint4>(args, Width);
  if (all % 8 == 0) return select_words<std::uint64_t>(args, Width);
  if (all % 4 == 0) return select_words<std::uint32_t>(args, Width);
  if (all % 2 == 0) return select_words<std::uint16_t>(args, Width);
  select_words<std::uint8_t>(args, Width);
}

template <class Word>
void set_words(std::initializer_list<DType> types) {
  for (const DType dtype : types) {
    index_select.set(DeviceKind::cuda, dtype, &index_select_kernel<sizeof(Word)>);
    gather.set(DeviceKind::cuda, dtype, &gather_words<Word>);
    index_copy.set(DeviceKind::cuda, dtype, &along<Word, true, Put>);
    scatter.set(DeviceKind::cuda, dtype, &along<Word, false, Put>);
  }
}

template <class T>
void set_sums() {
  index_add.set(DeviceKind::cuda, dtype_of<T>(), &index_add_kernel<T>);
  scatter_add.set(DeviceKind::cuda, dtype_of<T>(), &along<T, false, Add>);
}

}  // namespace

void register_index() {
  set_words<std::uint64_t>({f64, i64});
  set_words<std::uint32_t>({f32, i32});
  set_words<std::uint16_t>({f16, bf16});
  set_words<std::uint8_t>({u8, boolean});
  set_sums<double>();
  set_sums<float>();
  set_sums<Half>();
  set_sums<BFloat16>();
  set_sums<std::int64_t>();
  set_sums<std::int32_t>();
  set_sums<std::uint8_t>();
}

}  // namespace tern::kernels::cuda
