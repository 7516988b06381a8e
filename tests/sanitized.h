#pragma once

namespace tern {

#ifdef TERN_SANITIZE
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// How many draws, rounds or rows a test takes: a sanitizer looks at the steps that are taken, which a few take as
/// well, and not at the figures, for which the plain build needs the many.
constexpr int repeats(int many, int few) { return kSanitized ? few : many; }

}  // namespace tern
