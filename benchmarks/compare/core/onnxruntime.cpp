#include <dlfcn.h>

#include <cstdint>

#include "measure.h"

// One row through a model in ONNX Runtime from C++: `PROGRAM LIBRARY MODEL INPUTS NAME OUTPUT`, the shared library in
// PyPI's wheel, a model whose input is "x", how many elements that has, the work's name and the output's. Prints NAME
// SECONDS, and on another line what the model answers to a row of halves.
//
// The wheel has no headers. But the library's C interface is a table of functions, of which those of its first version
// keep their places (onnxruntime_c_api.h): what this needs is called by its place.
namespace {

struct Base {
  void* const* (*table)(std::uint32_t version);
  const char* (*version)();
};

enum Place {
  kErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSession = 7,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetGraphOptimization = 23,
  kSetIntraThreads = 24,
  kSetInterThreads = 25,
  kCreateTensorWithData = 49,
  kCreateCpuMemoryInfo = 69,
};
constexpr int kWarning = 2, kArena = 1, kDefaultMemory = 0, kFloat = 1, kAllOptimizations = 99;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "onnxruntime: %s\n", what);
  std::exit(1);
}

struct Api {
  void* const* table;

  template <class... Arguments>
  void operator()(Place place, Arguments... arguments) const {
    void* status = reinterpret_cast<void* (*)(Arguments...)>(table[place])(arguments...);
    if (status) fail(reinterpret_cast<const char* (*)(const void*)>(table[kErrorMessage])(status));
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) fail("expected LIBRARY MODEL INPUTS NAME OUTPUT");
  void* library = dlopen(argv[1], RTLD_NOW);
  if (!library) fail(dlerror());
  const auto base = reinterpret_cast<const Base* (*)()>(dlsym(library, "OrtGetApiBase"));
  if (!base) fail("expected OrtGetApiBase, found none");
  const Api api{base()->table(1)};
  void *environment = nullptr, *options = nullptr, *session = nullptr, *memory = nullptr;
  api(kCreateEnv, kWarning, "compare", &environment);
  api(kCreateSessionOptions, &options);
  api(kSetIntraThreads, options, 1);
  api(kSetInterThreads, options, 1);
  api(kSetGraphOptimization, options, kAllOptimizations);
  api(kCreateSession, environment, argv[2], options, &session);
  api(kCreateCpuMemoryInfo, kArena, kDefaultMemory, &memory);
  // Both tensors are made once: what is left is one call.
  std::vector<float> row(static_cast<std::size_t>(std::atol(argv[3])), 0.5f);
  float answer = 0;
  const std::int64_t row_shape[] = {1, static_cast<std::int64_t>(row.size())}, answer_shape[] = {1, 1};
  void *input = nullptr, *output = nullptr;
  api(kCreateTensorWithData, memory, row.data(), row.size() * sizeof(float), row_shape, std::size_t{2}, kFloat, &input);
  api(kCreateTensorWithData, memory, &answer, sizeof(answer), answer_shape, std::size_t{2}, kFloat, &output);
  const char *input_name = "x", *output_name = argv[5];
  const compare::Work work{argv[4], nullptr};
  compare::measure(work, 1, [&] {
    api(kRun, session, nullptr, &input_name, &input, std::size_t{1}, &output_name, std::size_t{1}, &output);
  });
  std::printf("%.9g\n", static_cast<double>(answer));
}
