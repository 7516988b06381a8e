#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include "tern/trees/predictor.h"
#include "trees/buffer.h"
#include "trees/models.h"

// The sanitizers have a heap of their own, which is left to them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TERN_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TERN_COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef TERN_COUNTS_ALLOCATIONS
#ifdef __GLIBC__
#define TERN_COUNTS_ALLOCATIONS 1
#else
#define TERN_COUNTS_ALLOCATIONS 0
#endif
#endif

#if TERN_COUNTS_ALLOCATIONS
namespace {
thread_local std::int64_t allocations = 0;
}

// The C library lets a program take the place of its heap's functions, for all that ends in them: operator new, Tern's
// own memory. These count, and go on to the C library under its other names.
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

[[gnu::visibility("default")]] void* malloc(std::size_t bytes) noexcept {
  ++allocations;
  return __libc_malloc(bytes);
}
[[gnu::visibility("default")]] void* calloc(std::size_t count, std::size_t bytes) noexcept {
  ++allocations;
  return __libc_calloc(count, bytes);
}
[[gnu::visibility("default")]] void* realloc(void* memory, std::size_t bytes) noexcept {
  ++allocations;
  return __libc_realloc(memory, bytes);
}
[[gnu::visibility("default")]] void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
[[gnu::visibility("default")]] int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  ++allocations;
  *memory = __libc_memalign(alignment, bytes);
  return *memory ? 0 : ENOMEM;
}
}

namespace tern::trees {
namespace {

TEST(PredictorMemory, EveryKindIsCounted) {
  struct Kind {
    const char* name;
    void* (*take)();
    void (*give)(void*);
  };
  const Kind kinds[] = {
      {"new", [] { return ::operator new(40); }, [](void* memory) { ::operator delete(memory); }},
      {"aligned new", [] { return ::operator new(40, std::align_val_t(64)); },
       [](void* memory) { ::operator delete(memory, std::align_val_t(64)); }},
      {"malloc", [] { return std::malloc(40); }, std::free},
      {"calloc", [] { return std::calloc(5, 8); }, std::free},
      {"realloc", [] { return std::realloc(nullptr, 40); }, std::free},
      {"aligned_alloc", [] { return std::aligned_alloc(64, 64); }, std::free},
      {"trees", [] { return internal::take_memory(40); }, internal::give_memory},
  };
  for (const Kind& kind : kinds) {
    const std::int64_t before = allocations;
    void* volatile memory = kind.take();
    EXPECT_EQ(allocations, before + 1) << kind.name;
    EXPECT_NE(memory, nullptr);
    kind.give(memory);
  }
}

TEST(PredictorMemory, OneRowTakesNone) {
  struct Case {
    std::string name;
    RandomModel trees;
    Link link = Link::identity;
  };
  const Case cases[] = {
      {"binary", {.categorical = 0}, Link::sigmoid},
      {"binary, many trees", {.categorical = 0, .rounds = 40}, Link::sigmoid},
      {"categories", {.categorical = 2, .rounds = 40}, Link::exp},
      {"multiclass", {.categorical = 2, .rounds = 40, .outputs = 5}, Link::softmax},
      {"multiclass of numbers", {.categorical = 0, .rounds = 40, .outputs = 5}, Link::softmax},
      {"forest", {.categorical = 1, .rounds = 40, .outputs = 3, .vector_leaves = true, .average = true}},
      {"large trees", {.rounds = 3, .leaves = 300}},
  };
  for (const Case& each : cases) {
    Ensemble model = random_ensemble(each.trees);
    model.link = each.link;
    for (const bool floats : {false, true}) {
      model.float32_inputs = floats;
      model.features[0].zero_is_missing = floats;
      const Predictor predictor(model);
      std::vector<double> row(static_cast<std::size_t>(predictor.features()), 0.5);
      std::vector<double> margins(static_cast<std::size_t>(predictor.outputs())), predictions = margins;
      for (const double first :
           {0.5, 0.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e300}) {
        row.front() = row.back() = first;
        const std::int64_t before = allocations;
        predictor.margin(row, margins);
        predictor.predict(row, predictions);
        EXPECT_EQ(allocations, before) << each.name << " " << first;
      }
      const std::int64_t before = allocations;
      EXPECT_EQ(predictor.margins(row), margins) << each.name;
      EXPECT_GT(allocations, before);  // several rows take some, and are counted
    }
  }
}

}  // namespace
}  // namespace tern::trees
#endif
