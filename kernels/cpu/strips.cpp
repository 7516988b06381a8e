#include "cpu/strips.h"

#include <algorithm>
#include <bit>

#include "cpu/vector/half.h"
#include "cpu/vector/move.h"
#include "tern/base/parallel.h"

namespace tern::kernels::cpu {
namespace {

constexpr std::int64_t kGrain = kLongestStrip;  // elements of a block
constexpr std::int64_t kGathered = 256, kLargestElement = 8, kSplatBytes = 64;
constexpr std::int64_t kTileRows = 128;  // bytes: whole lines of what is turned

template <class T>
void copy(const char* from, std::int64_t from_stride, char* to, std::int64_t to_stride, std::int64_t n) {
  const T* source = reinterpret_cast<const T*>(from);
  T* target = reinterpret_cast<T*>(to);
  for (std::int64_t i = 0; i < n; ++i) target[i * to_stride] = source[i * from_stride];
}
void copy(std::int64_t bytes, const char* from, std::int64_t from_stride, char* to, std::int64_t to_stride,
          std::int64_t n) {
  if (bytes == 4) {
    copy<std::uint32_t>(from, from_stride, to, to_stride, n);
  } else if (bytes == 8) {
    copy<std::uint64_t>(from, from_stride, to, to_stride, n);
  } else if (bytes == 2) {
    copy<std::uint16_t>(from, from_stride, to, to_stride, n);
  } else {
    copy<std::uint8_t>(from, from_stride, to, to_stride, n);
  }
}

/// n elements with the strides of the loop's last dimension.
struct Row {
  const ElementSizes& sizes;
  StripFn fn;
  const std::int64_t* stride;
  bool adjacent;  // the result lies side by side, the inputs do or are one value, and no half type is converted
};

Row row_of(const ElementSizes& sizes, StripFn fn, const std::int64_t* stride) {
  bool adjacent = stride[0] == 1 && (sizes.half == f32 || !fn);
  for (int k = 1; k < sizes.count; ++k) adjacent = adjacent && (stride[k] == 0 || stride[k] == 1);
  return {sizes, fn, stride, adjacent};
}

// n adjacent elements as a strip has them, from elements `stride` apart.
void gather(const ElementSizes& sizes, int k, const char* from, std::int64_t stride, char* to, std::int64_t n) {
  if (!sizes.is_half(k)) return copy(sizes.bytes[k], from, stride, to, 1, n);
  std::uint16_t close[kGathered];
  if (stride != 1) copy<std::uint16_t>(from, stride, reinterpret_cast<char*>(close), 1, n);
  const HalfTable& table = chosen(half_tables);
  (sizes.half == f16 ? table.f16 : table.bf16)
      .widen(stride == 1 ? reinterpret_cast<const std::uint16_t*>(from) : close, reinterpret_cast<float*>(to), n);
}

// And back.
void scatter(const ElementSizes& sizes, const char* from, char* to, std::int64_t stride, std::int64_t n) {
  if (!sizes.is_half(0)) return copy(sizes.bytes[0], from, 1, to, stride, n);
  std::uint16_t close[kGathered];
  const HalfTable& table = chosen(half_tables);
  (sizes.half == f16 ? table.f16 : table.bf16)
      .narrow(reinterpret_cast<const float*>(from), stride == 1 ? reinterpret_cast<std::uint16_t*>(to) : close, n);
  if (stride != 1) copy<std::uint16_t>(reinterpret_cast<const char*>(close), 1, to, stride, n);
}

void move_row(const Row& row, bool stream, char* const* data, std::int64_t n) {
  const std::int64_t bytes = row.sizes.bytes[0];
  if (!row.adjacent) return copy(bytes, data[1], row.stride[1], data[0], row.stride[0], n);
  const MoveTable& table = chosen(move_tables);
  if (row.stride[1] == 1) return table.copy(data[1], data[0], n * bytes, stream);
  alignas(64) char line[kSplatBytes];
  copy(bytes, data[1], 0, line, 1, kSplatBytes / bytes);
  table.fill(line, data[0], n * bytes, stream);
}

void run_row(const Row& row, Strip strip, char* const* data, std::int64_t n) {
  if (!row.fn) return move_row(row, strip.stream, data, n);
  alignas(64) char buffer[4][kGathered * kLargestElement];
  const auto bytes = [&](int k) { return row.sizes.bytes[k]; };
  for (int k = 1; k < row.sizes.count; ++k) {
    strip.in[k - 1] = data[k];
    strip.step[k - 1] = 1;
    if (row.stride[k] == 0) {
      gather(row.sizes, k, data[k], 0, buffer[k], kSplatBytes / bytes(k));
      strip.in[k - 1] = buffer[k];
      strip.step[k - 1] = 0;
    }
  }
  if (row.adjacent) {
    strip.out = data[0];
    strip.n = n;
    return row.fn(strip);
  }
  for (std::int64_t begin = 0; begin < n; begin += kGathered) {
    strip.n = std::min(kGathered, n - begin);
    for (int k = 1; k < row.sizes.count; ++k) {
      const std::int64_t stride = row.stride[k];
      if (stride == 0) continue;
      strip.in[k - 1] = data[k] + begin * stride * bytes(k);
      if (stride == 1 && !row.sizes.is_half(k)) continue;
      gather(row.sizes, k, strip.in[k - 1], stride, buffer[k], strip.n);
      strip.in[k - 1] = buffer[k];
    }
    char* out = data[0] + begin * row.stride[0] * bytes(0);
    const bool direct = row.stride[0] == 1 && !row.sizes.is_half(0);
    strip.out = direct ? out : buffer[0];
    row.fn(strip);
    if (!direct) scatter(row.sizes, buffer[0], out, row.stride[0], strip.n);
  }
}

// Rows of more than kGrain elements are cut into segments of that length.
void run_blocks(const Loop& loop, const ElementSizes& sizes, StripFn fn, double parameter) {
  const int last = loop.dims - 1;
  const std::int64_t inner = loop.sizes[last];
  const std::int64_t rows = loop.numel / inner, segments = (inner + kGrain - 1) / kGrain;
  const std::int64_t per_row = last > 0 ? loop.sizes[last - 1] : 1;
  std::int64_t stride[4] = {}, step[4] = {};
  for (int k = 0; k < sizes.count; ++k) {
    stride[k] = loop.strides[k][last];
    step[k] = last > 0 ? loop.strides[k][last - 1] * sizes.bytes[k] : 0;
  }
  const Row row = row_of(sizes, fn, stride);
  Strip strip;
  strip.parameter = parameter;
  strip.stream = row.adjacent && loop.numel * sizes.bytes[0] >= kStreamBytes;
  parallel_for(rows * segments, std::max<std::int64_t>(kGrain / inner, 1), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t unit = begin; unit < end;) {
      const std::int64_t first = unit % segments * kGrain;
      std::int64_t rest = unit / segments;
      const std::int64_t count = segments > 1 ? 1 : std::min(end - unit, per_row - rest % per_row);
      char* data[4];
      for (int k = 0; k < sizes.count; ++k) data[k] = loop.data[k] + first * stride[k] * sizes.bytes[k];
      for (int d = last - 1; d >= 0; --d) {
        const std::int64_t at = rest % loop.sizes[d];
        rest /= loop.sizes[d];
        for (int k = 0; k < sizes.count; ++k) data[k] += at * loop.strides[k][d] * sizes.bytes[k];
      }
      for (std::int64_t r = 0; r < count; ++r) {
        run_row(row, strip, data, std::min(kGrain, inner - first));
        for (int k = 0; k < sizes.count; ++k) data[k] += step[k];
      }
      unit += count;
    }
  });
}

/// Whether rows are too short to be strips of their own, and the results of neighbouring rows lie in one line.
bool has_short_rows(const Loop& loop) {
  constexpr std::int64_t kShort = 32, kLeastRows = 8;
  const int last = loop.dims - 1;
  return last > 0 && loop.sizes[last] < kShort && loop.sizes[last - 1] >= kLeastRows && loop.strides[0][last] == 1 &&
         loop.strides[0][last - 1] == loop.sizes[last];
}

// Rows side by side, from elements `row` and `stride` apart.
void gather_rows(std::int64_t bytes, const char* from, std::int64_t row, std::int64_t stride, std::int64_t rows,
                 std::int64_t inner, char* to) {
  for (std::int64_t i = 0; i < inner; ++i) copy(bytes, from + i * stride * bytes, row, to + i * bytes, inner, rows);
}

// The same as a strip has them.
void spread(const ElementSizes& sizes, int k, const char* from, std::int64_t row, std::int64_t stride,
            std::int64_t rows, std::int64_t inner, char* to) {
  if (!sizes.is_half(k)) return gather_rows(sizes.bytes[k], from, row, stride, rows, inner, to);
  char close[kGathered * sizeof(std::uint16_t)];
  gather_rows(sizeof(std::uint16_t), from, row, stride, rows, inner, close);
  gather(sizes, k, close, 1, to, rows * inner);
}

// Several rows as one strip.
void run_short_rows(const Loop& loop, const ElementSizes& sizes, StripFn fn, double parameter) {
  const int last = loop.dims - 1;
  const std::int64_t inner = loop.sizes[last], per_plane = loop.sizes[last - 1], together = kGathered / inner;
  const std::int64_t blocks = (per_plane + together - 1) / together, planes = loop.numel / inner / per_plane;
  parallel_for(planes * blocks, kGrain / kGathered, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) char buffer[4][kGathered * kLargestElement];
    Strip strip{nullptr, {}, {1, 1, 1}, 0, parameter, false};
    for (std::int64_t unit = begin; unit < end; ++unit) {
      const std::int64_t first = unit % blocks * together, rows = std::min(together, per_plane - first);
      const bool new_plane = unit == begin || first == 0;
      char* data[4];
      for (int k = 0; k < sizes.count; ++k) {
        std::int64_t offset = first * loop.strides[k][last - 1], plane = unit / blocks;
        for (int d = last - 2; d >= 0; --d) {
          offset += plane % loop.sizes[d] * loop.strides[k][d];
          plane /= loop.sizes[d];
        }
        data[k] = loop.data[k] + offset * sizes.bytes[k];
      }
      strip.n = rows * inner;
      if (!fn) {
        gather_rows(sizes.bytes[1], data[1], loop.strides[1][last - 1], loop.strides[1][last], rows, inner, data[0]);
        continue;
      }
      for (int k = 1; k < sizes.count; ++k) {
        const std::int64_t row = loop.strides[k][last - 1], stride = loop.strides[k][last];
        strip.in[k - 1] = buffer[k];
        if (row == 0) {  // what repeats stays
          if (new_plane) spread(sizes, k, data[k], row, stride, together, inner, buffer[k]);
        } else if (row != stride * inner) {
          spread(sizes, k, data[k], row, stride, rows, inner, buffer[k]);
        } else if (stride == 1 && !sizes.is_half(k)) {
          strip.in[k - 1] = data[k];
        } else {
          gather(sizes, k, data[k], stride, buffer[k], strip.n);
        }
      }
      strip.out = sizes.is_half(0) ? buffer[0] : data[0];
      fn(strip);
      if (sizes.is_half(0)) scatter(sizes, buffer[0], data[0], 1, strip.n);
    }
  });
}

/// The outer dimension along which input k lies side by side, as a transposed matrix does, or -1.
int turned_dim(const Loop& loop, int k) {
  constexpr std::int64_t kLeast = 4;  // elements of a side for which turning pays
  const int last = loop.dims - 1;
  if (loop.strides[k][last] == 0 || loop.strides[k][last] == 1 || loop.sizes[last] < kLeast) return -1;
  for (int d = 0; d < last; ++d) {
    if (loop.strides[k][d] == 1 && loop.sizes[d] >= kLeast) return d;
  }
  return -1;
}

// Tiles of the last dimension and of `turned`, the inputs that lie along it turned first: read row by row, each element
// would cost a line of the cache.
void run_tiles(const Loop& loop, const ElementSizes& sizes, StripFn fn, double parameter, int turned) {
  const int last = loop.dims - 1;
  bool turn[4] = {};
  std::int64_t stride[4] = {}, largest = 1;
  for (int k = 0; k < sizes.count; ++k) {
    turn[k] = k > 0 && turned_dim(loop, k) == turned;
    stride[k] = turn[k] ? 1 : loop.strides[k][last];
    if (turn[k]) largest = std::max(largest, sizes.bytes[k]);
  }
  const std::int64_t tile_rows = kTileRows / largest;
  const std::int64_t down = (loop.sizes[turned] + tile_rows - 1) / tile_rows;
  const std::int64_t across = (loop.sizes[last] + kGathered - 1) / kGathered;
  const std::int64_t planes = loop.numel / loop.sizes[turned] / loop.sizes[last];
  const Row row = row_of(sizes, fn, stride);
  Strip strip;
  strip.parameter = parameter;
  strip.stream = row.adjacent && loop.numel * sizes.bytes[0] >= kStreamBytes;
  const MoveTable& table = chosen(move_tables);
  const std::int64_t grain = std::max<std::int64_t>(kGrain / (tile_rows * kGathered), 1);
  parallel_for(planes * across * down, grain, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) char tile[3][kGathered * kTileRows];
    for (std::int64_t unit = begin; unit < end; ++unit) {
      const std::int64_t r0 = unit % down * tile_rows, c0 = unit / down % across * kGathered;
      const std::int64_t rows = std::min(tile_rows, loop.sizes[turned] - r0);
      const std::int64_t columns = std::min(kGathered, loop.sizes[last] - c0);
      char* data[4];
      std::int64_t step[4];  // from row to row, in bytes
      for (int k = 0; k < sizes.count; ++k) {
        const std::int64_t* strides = loop.strides[k];
        std::int64_t offset = r0 * strides[turned] + c0 * strides[last], plane = unit / down / across;
        for (int d = last - 1; d >= 0; --d) {
          if (d == turned) continue;
          offset += plane % loop.sizes[d] * strides[d];
          plane /= loop.sizes[d];
        }
        data[k] = loop.data[k] + offset * sizes.bytes[k];
        step[k] = strides[turned] * sizes.bytes[k];
        if (!turn[k]) continue;
        table.turn[std::countr_zero(static_cast<std::uint64_t>(sizes.bytes[k]))](
            {data[k], strides[last], tile[k - 1], kGathered, rows, columns});
        data[k] = tile[k - 1];
        step[k] = kGathered * sizes.bytes[k];
      }
      for (std::int64_t r = 0; r < rows; ++r) {
        run_row(row, strip, data, columns);
        for (int k = 0; k < sizes.count; ++k) data[k] += step[k];
      }
    }
  });
}

}  // namespace

void run_any_strips(const Loop& loop, const ElementSizes& sizes, StripFn fn, double parameter) {
  if (loop.numel == 0) return;
  if (has_short_rows(loop)) return run_short_rows(loop, sizes, fn, parameter);
  for (int k = 1; k < sizes.count && loop.dims > 1; ++k) {
    if (const int turned = turned_dim(loop, k); turned >= 0) return run_tiles(loop, sizes, fn, parameter, turned);
  }
  if (loop.dims > 1 || loop.numel > kGrain) return run_blocks(loop, sizes, fn, parameter);
  Strip strip;
  strip.parameter = parameter;
  strip.stream = false;
  std::int64_t stride[4] = {};
  for (int k = 0; k < sizes.count; ++k) stride[k] = loop.strides[k][0];
  run_row(row_of(sizes, fn, stride), strip, loop.data, loop.numel);
}

}  // namespace tern::kernels::cpu
