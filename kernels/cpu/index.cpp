#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "cpu/families.h"
#include "cpu/words.h"
#include "functors/math.h"
#include "slots/index.h"
#include "tern/base/parallel.h"

// What moves elements takes them as words of their size. Repeated indices are served in order of the index, so that
// each element has one order of summation, and one last write.
namespace tern::kernels::cpu {
namespace {

constexpr std::int64_t kGrain = 16384;

template <class Word>
void copy_row(Word* to, const Word* from, std::int64_t n) {
  if (n < 16) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i];
  } else {
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(Word));
  }
}

template <class Word>
void index_select_kernel(const IndexArgs& args) {
  const std::int64_t inner = args.inner;
  parallel_for(args.outer * args.count, kGrain / (inner + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t c = begin % args.count;
    const Word* from = static_cast<const Word*>(args.from) + begin / args.count * args.size * inner;
    Word* to = static_cast<Word*>(args.to) + begin * inner;
    for (std::int64_t row = begin; row < end; ++row) {
      copy_row(to, from + args.index[c] * inner, inner);
      to += inner;
      if (++c == args.count) {
        c = 0;
        from += args.size * inner;
      }
    }
  });
}

// Calls row(target, source, n) for each row of each outer index, in order of the index. Targets are shared out in
// stretches: of the rows when they are long, of their places when there are many.
template <class T, class Row>
void each_indexed_row(const IndexArgs& args, Row row) {
  const std::int64_t inner = args.inner, count = args.count;
  const bool few = args.outer * count * inner <= 2 * kGrain || args.outer >= 8;
  const std::int64_t stretch = few ? inner : std::max<std::int64_t>(kGrain / (count + 1), 64);
  const std::int64_t columns = inner == 0 ? 0 : (inner + stretch - 1) / stretch;
  const std::int64_t places = few || columns > 4 || inner < 16 ? 1 : std::min<std::int64_t>(8, args.size);
  const std::int64_t share = (args.size + places - 1) / std::max<std::int64_t>(places, 1);
  const std::int64_t work = count * std::min(stretch, inner + 1) / std::max<std::int64_t>(places, 1);
  parallel_for(args.outer * columns * places, kGrain / (work + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t place = block % places, column = block / places % columns, outer = block / places / columns;
      const std::int64_t at = column * stretch, n = std::min(stretch, inner - at);
      T* to = static_cast<T*>(args.to) + outer * args.size * inner + at;
      const T* from = static_cast<const T*>(args.from) + outer * count * inner + at;
      for (std::int64_t c = 0; c < count; ++c) {
        const std::int64_t i = args.index[c];
        if (places > 1 && (i < place * share || i >= (place + 1) * share)) continue;
        row(to + i * inner, from + c * inner, n);
      }
    }
  });
}

template <class T>
void index_add_kernel(const IndexArgs& args) {
  each_indexed_row<T>(args, [](T* to, const T* from, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i)
      to[i] = static_cast<T>(math::wrapping(number(to[i])) + math::wrapping(number(from[i])));
  });
}

template <class Word>
void index_copy_kernel(const IndexArgs& args) {
  each_indexed_row<Word>(args, [](Word* to, const Word* from, std::int64_t n) { copy_row(to, from, n); });
}

// Calls element(index's place, x's place) for each element of the index [outer, count, inner], for one place of x in
// order of `count`.
template <class Element>
void each_element(const IndexArgs& args, Element element) {
  const std::int64_t inner = args.inner, count = args.count;
  const std::int64_t stretch = std::max<std::int64_t>(kGrain / (count + 1), 64);
  const std::int64_t columns = (inner + stretch - 1) / stretch;
  const std::int64_t work = count * std::min(stretch, inner);
  parallel_for(args.outer * columns, kGrain / (work + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t outer = block / columns, first = block % columns * stretch;
      const std::int64_t last = std::min(first + stretch, inner);
      for (std::int64_t c = 0; c < count; ++c) {
        const std::int64_t row = (outer * count + c) * inner;
        for (std::int64_t i = first; i < last; ++i) {
          element(row + i, (outer * args.size + args.index[row + i]) * inner + i);
        }
      }
    }
  });
}

template <class Word>
void gather_kernel(const IndexArgs& args) {
  const Word* from = static_cast<const Word*>(args.from);
  Word* to = static_cast<Word*>(args.to);
  each_element(args, [=](std::int64_t i, std::int64_t x) { to[i] = from[x]; });
}

template <class Word>
void scatter_kernel(const IndexArgs& args) {
  const Word* from = static_cast<const Word*>(args.from);
  Word* to = static_cast<Word*>(args.to);
  each_element(args, [=](std::int64_t i, std::int64_t x) { to[x] = from[i]; });
}

template <class T>
void scatter_add_kernel(const IndexArgs& args) {
  const T* from = static_cast<const T*>(args.from);
  T* to = static_cast<T*>(args.to);
  each_element(args, [=](std::int64_t i, std::int64_t x) {
    to[x] = static_cast<T>(math::wrapping(number(to[x])) + math::wrapping(number(from[i])));
  });
}

std::int64_t count_flags(const std::uint8_t* flags, std::int64_t begin, std::int64_t end) {
  return std::accumulate(flags + begin, flags + end, std::int64_t{0});
}

// Counted by stretches, which then know where to write.
void nonzero_kernel(const NonzeroArgs& args) {
  const auto* flags = static_cast<const std::uint8_t*>(args.flags);
  std::int64_t numel = 1;
  for (std::int64_t size : args.shape) numel *= size;
  if (args.indices == nullptr) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>((numel + kGrain - 1) / kGrain));
    parallel_for(numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
      counts[static_cast<std::size_t>(begin / kGrain)] = count_flags(flags, begin, end);
    });
    *args.count = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
    return;
  }
  std::vector<std::int64_t> start(static_cast<std::size_t>((numel + kGrain - 1) / kGrain) + 1);
  parallel_for(numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    start[static_cast<std::size_t>(begin / kGrain) + 1] = count_flags(flags, begin, end);
  });
  std::partial_sum(start.begin(), start.end(), start.begin());
  const int dims = args.shape.size();
  parallel_for(numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t* to = args.indices + start[static_cast<std::size_t>(begin / kGrain)] * dims;
    for (std::int64_t i = begin; i < end; ++i) {
      if (!flags[i]) continue;
      std::int64_t rest = i;
      for (int d = dims - 1; d > 0; --d) {
        to[d] = rest % args.shape[d];
        rest /= args.shape[d];
      }
      if (dims > 0) to[0] = rest;
      to += dims;
    }
  });
}

template <class T>
void searchsorted_kernel(const SearchArgs& args) {
  // NaN is the largest.
  const auto below = [](T left, T right) {
    const auto a = number(left), b = number(right);
    return a < b || (a == a && b != b);
  };
  parallel_for(args.outer * args.count, 256, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* row = static_cast<const T*>(args.sorted) + i / args.count * args.row_step;
      const T value = static_cast<const T*>(args.values)[i];
      const T* at = args.right ? std::upper_bound(row, row + args.size, value, below)
                               : std::lower_bound(row, row + args.size, value, below);
      args.out[i] = at - row;
    }
  });
}

template <class T>
void set() {
  constexpr DType dtype = dtype_of<T>();
  searchsorted.set(DeviceKind::cpu, dtype, &searchsorted_kernel<T>);
  index_add.set(DeviceKind::cpu, dtype, &index_add_kernel<T>);
  scatter_add.set(DeviceKind::cpu, dtype, &scatter_add_kernel<T>);
}

}  // namespace

void register_index() {
  each_word([]<class Word>(DType dtype, Word) {
    index_select.set(DeviceKind::cpu, dtype, &index_select_kernel<Word>);
    index_copy.set(DeviceKind::cpu, dtype, &index_copy_kernel<Word>);
    gather.set(DeviceKind::cpu, dtype, &gather_kernel<Word>);
    scatter.set(DeviceKind::cpu, dtype, &scatter_kernel<Word>);
  });
  nonzero.set(DeviceKind::cpu, boolean, &nonzero_kernel);
  set<double>();
  set<float>();
  set<Half>();
  set<BFloat16>();
  set<std::int64_t>();
  set<std::int32_t>();
  set<std::uint8_t>();
  searchsorted.set(DeviceKind::cpu, boolean, &searchsorted_kernel<std::uint8_t>);  // of 0 and 1
}

}  // namespace tern::kernels::cpu
