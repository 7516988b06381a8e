#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/column.h"

namespace tern::data {

/// Rows ready for a model: float features, the raw target, and where each row came from.
class TERN_API Dataset {
 public:
  Dataset() = default;
  /// `features` is row-major [rows, feature_names.size()]. Throws ValueError when lengths differ.
  Dataset(std::vector<float> features, std::vector<std::string> feature_names, std::vector<std::int64_t> row_ids,
          std::optional<Column> target = std::nullopt);

  std::int64_t rows() const { return static_cast<std::int64_t>(row_ids_.size()); }
  std::int64_t width() const { return static_cast<std::int64_t>(feature_names_.size()); }
  const std::vector<std::string>& feature_names() const { return feature_names_; }
  /// Row-major [rows(), width()].
  std::span<const float> features() const { return features_; }
  /// 0-based record of the input that each row came from.
  const std::vector<std::int64_t>& row_ids() const { return row_ids_; }
  bool has_target() const { return target_.has_value(); }
  /// The target as it was read. Throws StateError when there is none.
  const Column& target() const;

 private:
  std::vector<float> features_;
  std::vector<std::string> feature_names_;
  std::vector<std::int64_t> row_ids_;
  std::optional<Column> target_;
};

}  // namespace tern::data
