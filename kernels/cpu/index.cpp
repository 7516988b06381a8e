#include <cstring>

#include "cpu/families.h"
#include "slots.h"
#include "tern/base/parallel.h"

namespace tern::kernels::cpu {
namespace {

template <class T>
void index_select_kernel(const IndexArgs& args) {
  const T* from = static_cast<const T*>(args.from);
  T* to = static_cast<T*>(args.to);
  const std::int64_t inner = args.inner;
  parallel_for(args.outer * args.count, 16384 / (inner + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t outer = row / args.count, at = args.index[row % args.count];
      std::memcpy(to + row * inner, from + (outer * args.size + at) * inner,
                  static_cast<std::size_t>(inner) * sizeof(T));
    }
  });
}

// Rows are added in order of the index, so that repeated ones have one order of summation.
template <class T>
void index_add_kernel(const IndexArgs& args) {
  const T* from = static_cast<const T*>(args.from);
  T* to = static_cast<T*>(args.to);
  const std::int64_t inner = args.inner;
  parallel_for(args.outer, 16384 / (inner * args.count + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t outer = begin; outer < end; ++outer) {
      for (std::int64_t row = 0; row < args.count; ++row) {
        T* target = to + (outer * args.size + args.index[row]) * inner;
        const T* source = from + (outer * args.count + row) * inner;
        for (std::int64_t i = 0; i < inner; ++i) target[i] = static_cast<T>(target[i] + source[i]);
      }
    }
  });
}

template <class T>
void set() {
  index_select.set(DeviceKind::cpu, dtype_of<T>(), &index_select_kernel<T>);
  if constexpr (!std::is_same_v<T, bool>) index_add.set(DeviceKind::cpu, dtype_of<T>(), &index_add_kernel<T>);
}

}  // namespace

void register_index() {
  set<double>();
  set<float>();
  set<std::int64_t>();
  set<std::uint8_t>();
  set<bool>();
}

}  // namespace tern::kernels::cpu
