#include "cuda/launch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuda/block_cache.h"
#include "slot.h"

// What kernels/cuda decides on the host, which needs no GPU.
namespace {

using namespace tern::kernels;
using namespace tern::kernels::cuda;

Loop loop_of(std::vector<std::int64_t> sizes, std::vector<std::vector<std::int64_t>> strides, char* data) {
  Loop loop{};
  loop.dims = static_cast<int>(sizes.size());
  loop.numel = 1;
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    loop.sizes[d] = sizes[d];
    loop.numel *= sizes[d];
    for (std::size_t k = 0; k < strides.size(); ++k) loop.strides[k][d] = strides[k][d];
  }
  for (char*& each : loop.data) each = data;
  return loop;
}

TEST(Launch, FlatLoopsAreReadInPacks) {
  alignas(16) char data[64];
  constexpr std::size_t floats[] = {4, 4, 4};
  const LoopParameters flat = parameters_of(loop_of({100}, {{1}, {1}, {0}}, data), 3, floats);
  EXPECT_TRUE(flat.flat && flat.vectors);
  Loop apart = loop_of({100}, {{1}, {1}, {1}}, data);
  apart.data[1] = data + 4;
  EXPECT_TRUE(parameters_of(apart, 3, floats).flat);
  EXPECT_FALSE(parameters_of(apart, 3, floats).vectors) << "an operand is not aligned to its pack";
  EXPECT_FALSE(parameters_of(loop_of({100}, {{1}, {2}, {1}}, data), 3, floats).flat);
  EXPECT_FALSE(parameters_of(loop_of({100}, {{2}, {1}, {1}}, data), 3, floats).flat) << "a strided result";
  EXPECT_FALSE(parameters_of(loop_of({10, 10}, {{10, 1}, {1, 10}, {0, 1}}, data), 3, floats).flat);
  // A boolean beside doubles: packs of two of each.
  constexpr std::size_t mixed[] = {1, 8, 8};
  Loop compare = loop_of({100}, {{1}, {1}, {1}}, data);
  compare.data[0] = data + 2;
  EXPECT_TRUE(parameters_of(compare, 3, mixed).vectors);
  compare.data[0] = data + 1;
  EXPECT_FALSE(parameters_of(compare, 3, mixed).vectors);
  EXPECT_EQ((kPack<bool, double, double>), 2);
  EXPECT_EQ((kPack<float, float>), 4);
  EXPECT_EQ((kPack<std::uint8_t>), 16);
}

TEST(Launch, BatchesAreOneWhereBothOperandsGoOn) {
  const auto of = [](std::vector<std::int64_t> sizes, std::vector<std::int64_t> a, std::vector<std::int64_t> b) {
    return batch_of(static_cast<int>(sizes.size()), sizes.data(), a.data(), b.data());
  };
  const Batch whole = of({2, 3, 4}, {120, 40, 10}, {84, 28, 7});
  EXPECT_EQ(whole.dims, 1);
  EXPECT_EQ(whole.sizes[0], 24);
  EXPECT_EQ(whole.a[0], 10);
  EXPECT_EQ(whole.b[0], 7);
  const Batch repeated = of({2, 3, 4}, {120, 40, 10}, {0, 0, 0});
  EXPECT_EQ(repeated.dims, 1) << "one matrix for all";
  EXPECT_EQ(repeated.sizes[0], 24);
  EXPECT_EQ(repeated.b[0], 0);
  const Batch partly = of({2, 3, 4}, {120, 40, 10}, {0, 28, 7});
  EXPECT_EQ(partly.dims, 2);
  EXPECT_EQ(partly.sizes[0], 12);
  EXPECT_EQ(partly.sizes[1], 2);
  EXPECT_EQ(partly.a[1], 120);
  EXPECT_EQ(partly.b[1], 0);
  const Batch apart = of({2, 3, 4}, {10, 20, 60}, {84, 28, 7});
  EXPECT_EQ(apart.dims, 3);
  EXPECT_EQ(apart.a[0], 60);
  EXPECT_EQ(apart.a[2], 10);
  const Batch ones = of({1, 5, 1}, {99, 10, 99}, {98, 7, 98});
  EXPECT_EQ(ones.dims, 1);
  EXPECT_EQ(ones.sizes[0], 5);
  EXPECT_EQ(ones.a[0], 10);
  EXPECT_EQ(of({1, 1}, {9, 9}, {9, 9}).sizes[0], 1);
}

TEST(Launch, NumbersOfTheHostGoAlongByValue) {
  float number = 2.5f;
  alignas(16) char data[64];
  Loop loop = loop_of({100}, {{1}, {1}, {0}}, data);
  loop.data[2] = reinterpret_cast<char*>(&number);
  loop.on_host = 1 << 2;
  constexpr std::size_t floats[] = {4, 4, 4};
  const LoopParameters p = parameters_of(loop, 3, floats);
  number = 0;
  EXPECT_EQ(p.data[2], nullptr);
  float taken;
  std::memcpy(&taken, p.value[2], sizeof taken);
  EXPECT_EQ(taken, 2.5f);
  EXPECT_TRUE(p.vectors);
  EXPECT_NE(p.data[1], nullptr);
}

TEST(Launch, LongLoopsRunAsTheirHalves) {
  constexpr std::size_t bytes[] = {1, 2};
  alignas(16) char data[16];
  // A flat one: the second half goes on where the first ends, as aligned; operand 1 is repeated.
  const std::int64_t numel = kMostElements + 77;
  const auto [first, second] = halves_of(loop_of({numel}, {{1}, {0}}, data), 2, bytes);
  EXPECT_EQ(first.numel + second.numel, numel);
  EXPECT_EQ(first.numel, first.sizes[0]);
  EXPECT_EQ(second.numel, second.sizes[0]);
  EXPECT_LE(std::max(first.numel, second.numel), kMostElements);
  EXPECT_EQ(first.data[0], data);
  EXPECT_EQ(second.data[0] - data, first.numel);
  EXPECT_EQ(second.data[1], data);
  EXPECT_TRUE(parameters_of(second, 2, bytes).vectors);
  // A strided one along its longest dimension; a number of the host stays where it is.
  Loop wide = loop_of({3, std::int64_t{1} << 30}, {{std::int64_t{1} << 30, 1}, {1, 3}}, data);
  const auto [left, right] = halves_of(wide, 2, bytes);
  EXPECT_EQ(left.numel, std::int64_t{3} << 29);
  EXPECT_EQ(right.numel, std::int64_t{3} << 29);
  EXPECT_EQ(right.sizes[0], 3);
  EXPECT_EQ(right.data[0] - data, std::int64_t{1} << 29);
  EXPECT_EQ(right.data[1] - data, (std::int64_t{1} << 29) * 3 * 2);
  wide.on_host = 1 << 1;
  EXPECT_EQ(halves_of(wide, 2, bytes)[1].data[1], data);
}

TEST(Launch, RowsAreKeptWhereThereIsRoom) {
  struct Case {
    std::int64_t columns, bytes;
    int kept;
    bool packs, warps, registers;
    std::int64_t shared;
  };
  for (const Case& c : {Case{1024, 4, 1, true, true, true, 0}, Case{1028, 4, 1, true, false, true, 0},
                        Case{512, 8, 1, true, true, true, 0}, Case{514, 8, 1, true, false, true, 0},
                        Case{4096, 4, 2, true, false, true, 0}, Case{4100, 4, 1, true, false, false, 16400},
                        Case{2048, 8, 1, true, false, true, 0}, Case{2050, 8, 1, true, false, false, 16400},
                        Case{10, 4, 1, false, true, false, 8 * 48}, Case{1024, 4, 1, false, true, false, 8 * 4096},
                        Case{1024, 4, 2, false, true, false, 0}, Case{1025, 4, 2, false, false, false, 2 * 4112},
                        Case{12032, 4, 1, true, false, false, 47 << 10}, Case{12036, 4, 1, true, false, false, 0}}) {
    SCOPED_TRACE(c.columns);
    const RowPlan plan = plan_rows(100, c.columns, c.bytes, c.kept, c.packs);
    EXPECT_EQ(plan.warps, c.warps);
    EXPECT_EQ(plan.registers, c.registers);
    EXPECT_EQ(plan.shared_bytes, c.shared);
    EXPECT_EQ(plan.blocks, c.warps ? 13u : 100u);
  }
}

TEST(Launch, GridsCoverTheWorkAndEndSomewhere) {
  EXPECT_EQ(blocks_for(1), 1u);
  EXPECT_EQ(blocks_for(kThreads), 1u);
  EXPECT_EQ(blocks_for(kThreads + 1), 2u);
  EXPECT_EQ(blocks_for(4 * kThreads, 4), 1u);
  EXPECT_LT(blocks_for(INT64_MAX / 1024), 1u << 16);
  EXPECT_EQ(blocks_for_rows(9, true), 2u);
  EXPECT_EQ(blocks_for_rows(9, false), 9u);
  EXPECT_EQ(blocks_for_rows(0, false), 1u);
  EXPECT_LT(blocks_for_rows(INT64_MAX / 1024, false), 1u << 16);
  EXPECT_EQ(chunks_of(0).count, 1);
  EXPECT_EQ(chunks_of(8192).count, 1);
  EXPECT_EQ(chunks_of(8193).count, 2);
  for (const std::int64_t terms : {std::int64_t{1} << 23, (std::int64_t{1} << 23) + 1, std::int64_t{1} << 40}) {
    const Chunks chunks = chunks_of(terms);
    EXPECT_LE(chunks.count, 1024);
    EXPECT_GE(chunks.length * chunks.count, terms);
    EXPECT_LT(chunks.length * (chunks.count - 1), terms);
  }
  EXPECT_EQ(rows_to_a_block(1), 1);
  EXPECT_EQ(rows_to_a_block(257), 2);
  EXPECT_EQ(rows_to_a_block(1 << 20), 64);
}

TEST(Launch, CodeRunsOnItsGenerationAndPtxOnLaterOnes) {
  const char* const usual = "80-real;90-real;100";
  for (const int capability : {80, 86, 89, 90, 100, 103, 120}) EXPECT_TRUE(runs_on(usual, capability)) << capability;
  for (const int capability : {52, 70, 75}) EXPECT_FALSE(runs_on(usual, capability)) << capability;
  EXPECT_TRUE(runs_on("90-real", 90));
  EXPECT_FALSE(runs_on("90-real", 80));
  EXPECT_FALSE(runs_on("90-real", 100));
  EXPECT_TRUE(runs_on("80-virtual", 90));
  EXPECT_TRUE(runs_on("90a-real", 90));
  EXPECT_FALSE(runs_on("90a", 100));
  EXPECT_TRUE(runs_on("native", 50));
  EXPECT_FALSE(runs_on("", 90));
}

TEST(Launch, OperandsOfProductsAsColumnsFirst) {
  using Kind = Layout::Kind;
  const auto is = [](Layout layout, Kind kind, std::int64_t ld) { return layout.kind == kind && layout.ld == ld; };
  EXPECT_TRUE(is(layout_of(3, 5, 5, 1), Kind::plain, 5));
  EXPECT_TRUE(is(layout_of(3, 5, 9, 1), Kind::plain, 9)) << "rows of a wider matrix";
  EXPECT_TRUE(is(layout_of(3, 5, 1, 3), Kind::transposed, 3));
  EXPECT_TRUE(is(layout_of(3, 5, 1, 8), Kind::transposed, 8));
  EXPECT_TRUE(is(layout_of(1, 5, 0, 1), Kind::plain, 5)) << "the stride of a single row says nothing";
  EXPECT_TRUE(is(layout_of(5, 1, 1, 0), Kind::plain, 1));
  EXPECT_TRUE(is(layout_of(5, 1, 7, 0), Kind::plain, 7));
  EXPECT_EQ(layout_of(3, 5, 10, 2).kind, Kind::packed);
  EXPECT_EQ(layout_of(3, 5, 0, 1).kind, Kind::packed) << "one row repeated";
  EXPECT_EQ(layout_of(3, 5, 2, 1).kind, Kind::packed) << "rows that overlap";
}

// What a kernel on a GPU is called, for its errors; one that it calls in turn has its own name.
KernelSlot<void(std::vector<std::string>&)> outer{"outer"}, inner{"inner"};

TEST(Launch, AKernelKnowsItsName) {
  using tern::kernels::name_of_call;
  inner.set(tern::DeviceKind::cuda, tern::f32,
            [](std::vector<std::string>& names) { names.push_back(name_of_call()); });
  outer.set(tern::DeviceKind::cuda, tern::f32, [](std::vector<std::string>& names) {
    names.push_back(name_of_call());
    inner(tern::kernels::device_of_call(), tern::f32, names);
    names.push_back(name_of_call());
  });
  std::vector<std::string> names;
  outer(tern::cuda(3), tern::f32, names);
  EXPECT_EQ(names, (std::vector<std::string>{"outer", "inner", "outer"}));
}

// Memory of a source that runs dry.
class Source : public RawMemory {
 public:
  void* take(std::size_t bytes) override {
    ++taken;
    if (left < bytes) return nullptr;
    left -= bytes;
    return reinterpret_cast<void*>(next += 1 << 20);
  }
  void give_back(void*) noexcept override {
    ++given_back;
    left += 1024;
  }
  void wait() noexcept override { ++waits; }
  std::size_t left = SIZE_MAX;
  std::uintptr_t next = 0;
  int taken = 0, given_back = 0, waits = 0;
};

TEST(BlockCache, SizesHaveFourStepsToADoubling) {
  EXPECT_EQ(block_bytes(0), 512u);
  EXPECT_EQ(block_bytes(512), 512u);
  EXPECT_EQ(block_bytes(513), 640u);
  EXPECT_EQ(block_bytes(1024), 1024u);
  EXPECT_EQ(block_bytes(1025), 1280u);
  for (std::size_t bytes = 1; bytes < (1 << 22); bytes = bytes * 17 / 16 + 1) {
    EXPECT_GE(block_bytes(bytes), bytes);
    EXPECT_LE(block_bytes(bytes), std::max<std::size_t>(512, bytes + bytes / 4 + 128));
    EXPECT_EQ(block_bytes(bytes) % 64, 0u);
    EXPECT_EQ(block_bytes(block_bytes(bytes)), block_bytes(bytes));
  }
}

TEST(BlockCache, WhatWasLetGoIsServedFirst) {
  Source source;
  BlockCache cache(source);
  void* a = cache.allocate(1000);
  cache.free(a);
  EXPECT_EQ(cache.allocate(1024), a);
  void* b = cache.allocate(1024);
  EXPECT_NE(b, a);
  EXPECT_EQ(source.taken, 2);
  EXPECT_EQ(cache.statistics().in_use, 2048);
  cache.free(a);
  cache.free(b);
  EXPECT_EQ(cache.statistics().in_use, 0);
  EXPECT_EQ(cache.statistics().cached, 2048);
  EXPECT_EQ(cache.statistics().peak, 2048);
  EXPECT_EQ(cache.statistics().cache_hits, 1u);
  cache.empty();
  EXPECT_EQ(source.given_back, 2);
  EXPECT_EQ(cache.statistics().cached, 0);
}

TEST(BlockCache, ADrySourceGetsBackWhatIsCachedFirst) {
  Source source;
  source.left = 1024;
  BlockCache cache(source);
  cache.free(cache.allocate(1024));
  EXPECT_EQ(cache.allocate(4096), nullptr) << "there never was that much";
  EXPECT_EQ(source.waits, 1);
  void* again = cache.allocate(900);
  EXPECT_NE(again, nullptr);
  cache.free(again);
}

TEST(BlockCache, WhatIsLetGoWithinARecordingIsTheRecordings) {
  Source source;
  BlockCache cache(source);
  void* before = cache.allocate(1024);
  BlockCache::Pool pool;
  cache.begin_recording(&pool);
  cache.free(before);
  cache.end_recording();
  void* other = cache.allocate(1024);
  EXPECT_NE(other, before) << "a replay writes it";
  cache.dissolve(pool);
  EXPECT_EQ(cache.allocate(1024), before);
}

TEST(BlockCache, ARecordingKeepsItsBlocks) {
  Source source;
  BlockCache cache(source);
  void* before = cache.allocate(1024);
  cache.free(before);
  BlockCache::Pool pool;
  cache.begin_recording(&pool);
  void* within = cache.allocate(1024);
  EXPECT_NE(within, before) << "others could hand it out while the recording is replayed";
  cache.free(within);
  EXPECT_EQ(cache.allocate(1024), within);
  cache.end_recording();
  EXPECT_EQ(cache.allocate(1024), before);
  cache.free(within);  // let go after the recording: still the recording's
  void* other = cache.allocate(1024);
  EXPECT_NE(other, within);
  cache.free(other);
  cache.dissolve(pool);
  void* x = cache.allocate(1024);
  void* y = cache.allocate(1024);
  EXPECT_TRUE((x == within && y == other) || (x == other && y == within));
}

}  // namespace
