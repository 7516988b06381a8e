#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/estimator.h"

namespace tern::models {

namespace internal {
class Fields;
struct Restore;
}  // namespace internal

/// What the estimators of this room share: each names its options and what it learned once, for files in both ways.
class TERN_API Model : public data::Estimator {
 protected:
  friend struct internal::Restore;
  Model() = default;
  Model(const Model&) = default;
  Model(Model&&) = default;
  Model& operator=(const Model&) = default;
  Model& operator=(Model&&) = default;

  /// Writes or reads every option and all that was learned.
  virtual void fields(internal::Fields& fields) = 0;
  /// Throws ValueError for an option outside its values, or for what was learned where it does not fit together.
  virtual void check() const = 0;
  std::string to_json() const final;
  std::vector<data::NamedTensor> tensors() const final;
};

}  // namespace tern::models
