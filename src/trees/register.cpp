#include "tern/trees/register.h"

#include <mutex>

#include "tern/data/estimator.h"
#include "tern/trees/gradient_boosting.h"

namespace tern::trees {

// By name, so that no linker drops one.
void register_estimators() {
  static std::once_flag once;
  std::call_once(once, [] { data::register_estimator("gradient_boosting", GradientBoosting::from_state); });
}

}  // namespace tern::trees
