#pragma once

#include "tensor/thread_local.h"
#include "tern/base/export.h"

namespace tern::internal {

struct ThreadState {
  bool grad_enabled = true;
  bool anomaly = false;
  bool derivative = false;  // within one: its ops are judged by the gradients that it gives
};
extern TERN_API TERN_THREAD_STATE constinit thread_local ThreadState thread_state;

}  // namespace tern::internal
