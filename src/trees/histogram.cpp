#include "trees/histogram.h"

#include <algorithm>
#include <cstring>

#include "tern/base/parallel.h"

namespace tern::trees::internal {
namespace {

constexpr std::int64_t kAhead = 64;  // rows that are asked for before they are read

// Adds rows to sums, a word for each feature and bin: Sum is of 32 bits (halves of 16) or of 64 (halves of 32).
template <class Sum, int Words, int Stride>
struct Accumulate {
  static constexpr int kWidth = Words * 4 + 4;

  static void row(const std::uint8_t* record, Sum* sums) {
    std::int32_t packed;
    std::memcpy(&packed, record + Words * 4, sizeof packed);
    Sum pair = packed;
    if constexpr (sizeof(Sum) == 8) pair = (static_cast<Sum>(packed >> 16) * (Sum{1} << 32)) + (packed & 0xFFFF);
#pragma GCC unroll 7
    for (int word = 0; word < Words; ++word) {
      std::uint32_t four;
      std::memcpy(&four, record + word * 4, sizeof four);
      Sum* at = sums + word * 4 * Stride;
      at[four & 0xFF] += pair;
      at[Stride + (four >> 8 & 0xFF)] += pair;
      at[2 * Stride + (four >> 16 & 0xFF)] += pair;
      at[3 * Stride + (four >> 24)] += pair;
    }
  }

  // Rows begin … end - 1 of a list that ends at `list_end`, or those rows themselves without a list.
  static void rows(const std::uint8_t* records, const std::uint32_t* rows, std::int64_t begin, std::int64_t end,
                   std::int64_t list_end, Sum* sums) {
    if (!rows) {
      for (std::int64_t i = begin; i < end; ++i) row(records + i * kWidth, sums);
      return;
    }
    for (std::int64_t i = begin; i < end; ++i) {
      __builtin_prefetch(records + std::int64_t{rows[std::min(i + kAhead, list_end - 1)]} * kWidth);
      row(records + std::int64_t{rows[i]} * kWidth, sums);
    }
  }
};

template <class Sum>
using AccumulateRows = void (*)(const std::uint8_t*, const std::uint32_t*, std::int64_t, std::int64_t, std::int64_t,
                                Sum*);

template <class Sum, int Stride>
AccumulateRows<Sum> accumulate_of(int words) {
  static constexpr AccumulateRows<Sum> kAll[] = {&Accumulate<Sum, 1, Stride>::rows, &Accumulate<Sum, 2, Stride>::rows,
                                                 &Accumulate<Sum, 3, Stride>::rows, &Accumulate<Sum, 4, Stride>::rows,
                                                 &Accumulate<Sum, 5, Stride>::rows, &Accumulate<Sum, 6, Stride>::rows,
                                                 &Accumulate<Sum, 7, Stride>::rows};
  return kAll[words - 1];
}

template <class Sum>
AccumulateRows<Sum> accumulate_of(const BinnedRows::Block& block) {
  const int words = block.width / 4 - 1;
  return block.stride == 32 ? accumulate_of<Sum, 32>(words) : accumulate_of<Sum, 256>(words);
}

std::int64_t words_of(const BinnedRows::Block& block) { return std::int64_t{block.width - 4} * block.stride; }

// Of a thread, all zero between calls.
std::int32_t* narrow_sums() {
  static thread_local std::vector<std::int32_t> sums(28 * 256);
  return sums.data();
}

}  // namespace

Levels levels_for(std::int64_t rows, bool coarse, bool constant_hessian) {
  Levels levels;
  if (!coarse) {
    const std::int64_t most = (std::int64_t{1} << 31) / std::max<std::int64_t>(rows, 1) - 1;
    levels.gradient = static_cast<std::int32_t>(std::min<std::int64_t>(32767, most));
    levels.hessian = static_cast<std::int32_t>(std::min<std::int64_t>(65535, most));
  }
  if (constant_hessian) levels.hessian = 1;
  if (coarse) {
    levels.rows_of_16_bits = std::min<std::int64_t>(32767 / levels.gradient, 65535 / levels.hessian);
  }
  return levels;
}

void HistogramBuilder::build_block(const BinnedRows::Block& block, const std::uint32_t* rows, std::int64_t begin,
                                   std::int64_t end, PairSum* histogram) const {
  const auto& kernels = kernels::cpu::trees_table();
  const std::uint8_t* records = block.records.data();
  const std::int64_t words = words_of(block);
  std::fill_n(histogram, words, 0);
  if (rows) {
    for (std::int64_t i = begin; i < std::min(end, begin + kAhead); ++i) {
      __builtin_prefetch(records + std::int64_t{rows[i]} * block.width);
    }
  }
  if (levels_.rows_of_16_bits == 0) {
    accumulate_of<PairSum>(block)(records, rows, begin, end, end, histogram);
    return;
  }
  const auto accumulate = accumulate_of<std::int32_t>(block);
  std::int32_t* sums = narrow_sums();
  for (std::int64_t first = begin; first < end; first += levels_.rows_of_16_bits) {
    accumulate(records, rows, first, std::min(end, first + levels_.rows_of_16_bits), end, sums);
    kernels.flush(sums, histogram, words);
  }
}

void HistogramBuilder::build(const std::uint32_t* rows, std::int64_t begin, std::int64_t end, PairSum* histogram,
                             const std::vector<char>& used) const {
  for (std::size_t b = 0; b < data_.blocks().size(); ++b) {
    const BinnedRows::Block& block = data_.blocks()[b];
    if (used[b]) build_block(block, rows, begin, end, histogram + block.offset);
  }
}

void HistogramBuilder::build_parallel(const std::uint32_t* rows, std::int64_t begin, std::int64_t end,
                                      PairSum* histogram, const std::vector<char>& used,
                                      std::vector<Buffer<PairSum>>& scratch) const {
  const auto& blocks = data_.blocks();
  const auto count = static_cast<std::int64_t>(blocks.size());
  const std::int64_t threads = num_threads();
  if (count >= 2 * threads) {
    parallel_for(count, 1, [&](std::int64_t b, std::int64_t) {
      const BinnedRows::Block& block = blocks[static_cast<std::size_t>(b)];
      if (used[static_cast<std::size_t>(b)]) build_block(block, rows, begin, end, histogram + block.offset);
    });
    return;
  }
  const std::int64_t n = end - begin;
  while (static_cast<std::int64_t>(scratch.size()) < threads - 1) {
    scratch.emplace_back(static_cast<std::size_t>(data_.histogram_size()));
  }
  parallel_for(threads, 1, [&](std::int64_t part, std::int64_t) {
    build(rows, begin + n * part / threads, begin + n * (part + 1) / threads,
          part == 0 ? histogram : scratch[static_cast<std::size_t>(part - 1)].data(), used);
  });
  for (std::int64_t part = 1; part < threads; ++part) {
    const PairSum* more = scratch[static_cast<std::size_t>(part - 1)].data();
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      const std::int64_t at = blocks[b].offset;
      if (used[b]) kernels::cpu::trees_table().add(histogram + at, more + at, words_of(blocks[b]));
    }
  }
}

}  // namespace tern::trees::internal
