#pragma once

#include <vector>

#include "tensor/thread_local.h"
#include "tern/base/export.h"

namespace tern {
class Tensor;
}

namespace tern::internal {

struct ThreadState {
  bool grad_enabled = true;
  bool anomaly = false;
  bool derivative = false;                 // within one: its ops are judged by the gradients that it gives
  std::vector<Tensor>* written = nullptr;  // while a step is recorded: what it writes in place
};
extern TERN_API TERN_THREAD_STATE constinit thread_local ThreadState thread_state;

/// Counts a write in place, and notes it while a step is recorded.
void count_write(const Tensor& x);

}  // namespace tern::internal
