#pragma once

/// Marks a symbol as part of the library's interface; everything else is hidden.
#define TERN_API __attribute__((visibility("default")))

/// Keeps rarely taken error paths out of hot code.
#define TERN_COLD __attribute__((noinline, cold))
