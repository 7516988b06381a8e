#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include "tern/trees/predictor.h"
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
#define TERN_COUNTS_ALLOCATIONS 1
#endif

#if TERN_COUNTS_ALLOCATIONS
namespace {
thread_local std::int64_t allocations = 0;
}

// Not inlined: the compiler would see memory of malloc where it knows that of new.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace tern::trees {
namespace {

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
