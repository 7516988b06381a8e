#include "tern/trees/register.h"

#include <mutex>

#include "tern/data/estimator.h"
#include "tern/trees/forest.h"
#include "tern/trees/gradient_boosting.h"
#include "tern/trees/isolation_forest.h"

namespace tern::trees {

// By name, so that no linker drops one.
void register_estimators() {
  static std::once_flag once;
  std::call_once(once, [] {
    data::register_estimator("gradient_boosting", GradientBoosting::from_state);
    data::register_estimator("random_forest", RandomForest::from_state);
    data::register_estimator("extra_trees", ExtraTrees::from_state);
    internal::register_isolation_step();
  });
}

}  // namespace tern::trees
