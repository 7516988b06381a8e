#pragma once

#include "tern/base/export.h"

// Inner loops that gain from wide vectors stand in kernels/cpu/vector/<family>.cpp, which the build compiles once a
// target with flags of its own. Such a file instantiates no template and calls no inline function of external linkage:
// the linker keeps one copy of those, and where it kept the wide one, an older processor would trap. It hands out one
// table of functions, in the namespace of its target, declared in vector/<family>.h by TERN_TARGET_TABLES.
namespace tern::kernels::cpu {

/// Instruction sets, narrowest first; a processor with one runs the code of those before it.
enum class Target : int { baseline, avx2, avx512, avx512_bf16 };
inline constexpr int kTargets = 4;

TERN_API const char* name(Target target);

/// Whether this build has code for the target and this processor runs it.
TERN_API bool runs(Target target);

/// What this process computes with: the widest target that the processor runs, or the one that the environment variable
/// TERN_CPU_TARGET names, which is read once. Throws ValueError when that is unknown or the processor does not run it.
TERN_API Target target();

/// The instruction set of all code but those inner loops.
TERN_API const char* compiled_for();

/// What of this processor decides which of its variants the C library's exp and log take.
TERN_API const char* library_variant();

// Declares `table`, of type Table, in every target's namespace, and the list of them by target.
#ifdef __x86_64__
#define TERN_TARGET_TABLES(Table, table)                                                                    \
  namespace baseline {                                                                                      \
  extern const Table table;                                                                                 \
  }                                                                                                         \
  namespace avx2 {                                                                                          \
  extern const Table table;                                                                                 \
  }                                                                                                         \
  namespace avx512 {                                                                                        \
  extern const Table table;                                                                                 \
  }                                                                                                         \
  inline constexpr const Table* table##_tables[kTargets] = {&baseline::table, &avx2::table, &avx512::table, \
                                                            &avx512::table};
#else
#define TERN_TARGET_TABLES(Table, table)                                                                          \
  namespace baseline {                                                                                            \
  extern const Table table;                                                                                       \
  }                                                                                                               \
  inline constexpr const Table* table##_tables[kTargets] = {&baseline::table, &baseline::table, &baseline::table, \
                                                            &baseline::table};
#endif

/// This process's table of a family.
template <class Table>
const Table& chosen(const Table* const (&tables)[kTargets]) {
  return *tables[static_cast<int>(target())];
}

}  // namespace tern::kernels::cpu
