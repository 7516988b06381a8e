#include <bit>
#include <cub/device/device_radix_sort.cuh>

#include "cuda/context.h"
#include "cuda/each.cuh"
#include "cuda/elementwise.cuh"
#include "cuda/families.h"
#include "cuda/launch.h"
#include "slots/index.h"

// What moves elements takes them as words, of 16 bytes where rows allow. Repeated indices are served in order of the
// index, as on the CPU and with its bits: a thread to a column walks along the index, or, where columns are few, the
// indices are sorted, stably, and a thread serves a run of equal ones, in order. There is no atomic addition. An index
// out of bounds is reported, for the next wait to throw, and its element is left out (read as 0).
namespace tern::kernels::cuda {
namespace {

// Elements of [outer, count, inner], a thread to each.
template <class Word>
__global__ void __launch_bounds__(kThreads) select_kernel(const IndexArgs args, Reporter report) {
  const Word* const from = static_cast<const Word*>(args.from);
  Word* const to = static_cast<Word*>(args.to);
  each(args.outer * args.count * args.inner, [&](std::int64_t i) {
    const std::int64_t row = i / args.inner, column = i - row * args.inner, outer = row / args.count;
    const std::int64_t at = args.index[row - outer * args.count];
    to[i] = inside(at, args.size, report) ? from[(outer * args.size + at) * args.inner + column] : Word{};
  });
}

template <class Word>
__global__ void __launch_bounds__(kThreads) gather_kernel(const IndexArgs args, Reporter report) {
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
__global__ void __launch_bounds__(kThreads) along_kernel(const IndexArgs args, F f, Reporter report) {
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

// Where rows of index c go: to `index`, or (elements of one dimension) to their own places. What is out of bounds is
// reported, and goes to `end`, which is nowhere.
template <bool Rows>
__global__ void __launch_bounds__(kThreads)
    keys_kernel(const IndexArgs args, std::int64_t end, std::int64_t* keys, std::int64_t* order, Reporter report) {
  each(Rows ? args.count : args.outer * args.count * args.inner, [&](std::int64_t i) {
    const std::int64_t at = args.index[i];
    order[i] = i;
    if (!inside(at, args.size, report)) {
      keys[i] = end;
    } else if (Rows) {
      keys[i] = at;
    } else {
      const std::int64_t row = i / args.inner;
      keys[i] = (row / args.count * args.size + at) * args.inner + (i - row * args.inner);
    }
  });
}

// Runs of equal keys: whoever stands at the start of one takes all of its rows, column by column.
template <class T, class F>
__global__ void __launch_bounds__(kThreads)
    runs_kernel(const IndexArgs args, const std::int64_t* sorted, const std::int64_t* places, F f) {
  const T* const from = static_cast<const T*>(args.from);
  T* const to = static_cast<T*>(args.to);
  each(args.outer * args.count * args.inner, [&](std::int64_t i) {
    const std::int64_t row = i / args.inner, column = i - row * args.inner, outer = row / args.count;
    const std::int64_t first = row - outer * args.count, at = sorted[first];
    if (at == args.size || (first > 0 && sorted[first - 1] == at)) return;
    T& target = to[(outer * args.size + at) * args.inner + column];
    T result = target;
    for (std::int64_t s = first; s < args.count && sorted[s] == at; ++s) {
      f(result, from[(outer * args.count + places[s]) * args.inner + column]);
    }
    target = result;
  });
}

std::int64_t elements(const IndexArgs& args) { return args.outer * args.count * args.inner; }

constexpr std::int64_t kColumns = 4096;  // of as many, a thread to each keeps a GPU busy
constexpr std::int64_t kShort = 64;      // as long a walk takes no longer than a sort

// By sorted keys; a thread to a column where the index is short, or where sorting all elements would not gain. The
// result is the same.
template <class T, bool Rows, class F>
void along(const IndexArgs& args) {
  if (elements(args) == 0) return;
  const Context on = context();
  if (args.count <= kShort || (!Rows && args.outer * args.inner >= kColumns)) {
    along_kernel<T, Rows, F><<<blocks_for(args.outer * args.inner), kThreads, 0, on.stream>>>(args, F(), on.report);
    return check_launch();
  }
  const std::int64_t rows = Rows ? args.count : elements(args);
  const std::int64_t end = Rows ? args.size : args.outer * args.size * args.inner;
  const std::size_t bytes = static_cast<std::size_t>(rows) * sizeof(std::int64_t);
  const Scratch keys(bytes), order(bytes), sorted(bytes), places(bytes);
  keys_kernel<Rows><<<blocks_for(rows), kThreads, 0, on.stream>>>(args, end, keys.as<std::int64_t>(),
                                                                  order.as<std::int64_t>(), on.report);
  std::size_t needed = 0;
  const int bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(end)));
  const auto sort = [&](void* memory) {
    check(
        cub::DeviceRadixSort::SortPairs(memory, needed, keys.as<std::int64_t>(), sorted.as<std::int64_t>(),
                                        order.as<std::int64_t>(), places.as<std::int64_t>(), rows, 0, bits, on.stream),
        name_of_call());
  };
  sort(nullptr);
  const Scratch room(needed);
  sort(room.as<void>());
  const IndexArgs as_rows = Rows ? args : IndexArgs{1, end, 1, rows, args.index, args.from, args.to};
  runs_kernel<T, F><<<blocks_for(elements(args)), kThreads, 0, on.stream>>>(as_rows, sorted.as<std::int64_t>(),
                                                                            places.as<std::int64_t>(), F());
  check_launch();
}

template <class Word>
void gather_words(const IndexArgs& args) {
  if (elements(args) == 0) return;
  const Context on = context();
  gather_kernel<Word><<<blocks_for(elements(args)), kThreads, 0, on.stream>>>(args, on.report);
  check_launch();
}

template <class Word>
void select_words(IndexArgs args, std::int64_t width) {
  args.inner = args.inner * width / static_cast<std::int64_t>(sizeof(Word));
  const Context on = context();
  select_kernel<Word><<<blocks_for(elements(args)), kThreads, 0, on.stream>>>(args, on.report);
  check_launch();
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
  index_add.set(DeviceKind::cuda, dtype_of<T>(), &along<T, true, Add>);
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
