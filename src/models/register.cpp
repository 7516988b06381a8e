#include "tern/models/register.h"

#include <mutex>

#include "tern/data/estimator.h"
#include "tern/models/calibrate.h"
#include "tern/models/combine.h"
#include "tern/models/linear.h"

namespace tern::models {

// By name, so that no linker drops one.
void register_estimators() {
  static std::once_flag once;
  std::call_once(once, [] {
    data::register_estimator("calibrated", Calibrated::from_state);
    data::register_estimator("ridge", Ridge::from_state);
    data::register_estimator("stacking", Stacking::from_state);
    data::register_estimator("voting", Voting::from_state);
  });
}

}  // namespace tern::models
