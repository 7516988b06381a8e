#pragma once

#include "tern/base/export.h"

namespace tern::internal {

struct ThreadState {
  bool grad_enabled = true;
  bool anomaly = false;
  bool derivative = false;  // within one: its ops are judged by the gradients that it gives
};
// initial-exec: one load instead of a call, also in a shared library.
extern TERN_API __attribute__((tls_model("initial-exec"))) constinit thread_local ThreadState thread_state;

}  // namespace tern::internal
