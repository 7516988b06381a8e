#include "cpu/target.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

#include <cstdlib>
#include <string>

#include "tern/base/error.h"

namespace tern::kernels::cpu {
namespace {

constexpr Target kAll[kTargets] = {Target::baseline, Target::avx2, Target::avx512, Target::avx512_bf16};

#ifdef __x86_64__
// clang 14 knows no name for it. That the system saves wide registers follows from "avx2", which the caller asks first.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

Target choose() {
  const char* forced = std::getenv("TERN_CPU_TARGET");
  Target widest = Target::baseline;
  std::string available;
  for (const Target each : kAll) {
    if (!runs(each)) continue;
    if (forced && std::string(forced) == name(each)) return each;
    widest = each;
    available.append(available.empty() ? "" : ", ").append(name(each));
  }
  if (forced) {
    throw ValueError("[TERN_CPU_TARGET] expected one of " + available + " on this processor, got \"" + forced + "\"");
  }
  return widest;
}

}  // namespace

const char* name(Target target) {
  switch (target) {
    case Target::baseline:
      return "baseline";
    case Target::avx2:
      return "avx2";
    case Target::avx512:
      return "avx512";
    case Target::avx512_bf16:
      break;
  }
  return "avx512_bf16";
}

bool runs(Target target) {
  if (target == Target::baseline) return true;
#ifdef __x86_64__
  __builtin_cpu_init();
  // Each flag that cmake/TernModule.cmake compiles the target with.
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c()) return false;
  if (target == Target::avx2) return true;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl")) {
    return false;
  }
  return target == Target::avx512 || __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

const char* compiled_for() {
#if defined(__AVX512F__)
  return "x86-64 AVX-512";
#elif defined(__AVX2__)
  return "x86-64 AVX2";
#elif defined(__x86_64__)
  return "x86-64 SSE2";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "other";
#endif
}

const char* library_variant() {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return "AVX-512";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "AVX2 FMA";
  if (__builtin_cpu_supports("avx")) return "AVX";
  return "SSE2";
#else
  return compiled_for();
#endif
}

Target target() {
  static const Target chosen = choose();
  return chosen;
}

}  // namespace tern::kernels::cpu
