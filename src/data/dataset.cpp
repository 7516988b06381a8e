#include "tern/data/dataset.h"

#include <utility>

#include "tern/base/error.h"

namespace tern::data {

Dataset::Dataset(std::vector<float> features, std::vector<std::string> feature_names, std::vector<std::int64_t> row_ids,
                 std::optional<Column> target)
    : features_(std::move(features)),
      feature_names_(std::move(feature_names)),
      row_ids_(std::move(row_ids)),
      target_(std::move(target)) {
  if (features_.size() != feature_names_.size() * row_ids_.size()) {
    throw ValueError("[Dataset] expected " + std::to_string(feature_names_.size() * row_ids_.size()) + " values, got " +
                     std::to_string(features_.size()));
  }
  if (target_ && target_->size() != rows()) {
    throw ValueError("[Dataset] expected a target of " + std::to_string(rows()) + " rows, got " +
                     std::to_string(target_->size()));
  }
}

const Column& Dataset::target() const {
  if (!target_) throw StateError("[Dataset] expected rows with a target, got rows without one");
  return *target_;
}

}  // namespace tern::data
