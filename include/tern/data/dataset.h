#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/column.h"
#include "tern/tensor/tensor.h"

namespace tern::data {

/// A tensor and the name it goes by: "x", "y", "weight".
using NamedTensor = std::pair<std::string, Tensor>;

/// Some rows of a dataset: named tensors, [rows, …] each, and the positions of the rows in the dataset.
class TERN_API Batch {
 public:
  Batch();
  Batch(const Batch& other);
  Batch(Batch&& other) noexcept;
  Batch& operator=(const Batch& other);
  Batch& operator=(Batch&& other) noexcept;
  ~Batch();
  Batch(std::vector<NamedTensor> tensors, std::vector<std::int64_t> indices);

  std::int64_t rows() const { return static_cast<std::int64_t>(indices_.size()); }
  bool has(std::string_view name) const;
  /// The tensor of a name. Throws ValueError that lists the names.
  const Tensor& operator[](std::string_view name) const;
  const Tensor& x() const { return (*this)["x"]; }
  const Tensor& y() const { return (*this)["y"]; }
  const std::vector<std::int64_t>& indices() const { return indices_; }
  const std::vector<NamedTensor>& tensors() const { return tensors_; }
  /// The same with its tensors on a device. Throws DeviceError when the device is not there.
  Batch to(Device device) const;

 private:
  std::vector<NamedTensor> tensors_;
  std::vector<std::int64_t> indices_;
};

/// Rows ready for a model: named tensors with the rows in the first dimension, "x" being the features, the raw target,
/// and where each row came from. Tensors are shared between copies, so treat them as read-only.
class TERN_API Dataset {
 public:
  Dataset();
  Dataset(const Dataset& other);
  Dataset(Dataset&& other) noexcept;
  Dataset& operator=(const Dataset& other);
  Dataset& operator=(Dataset&& other) noexcept;
  ~Dataset();
  /// Any named tensors, made contiguous, without their history. Throws ShapeError when rows differ or a tensor has no
  /// dimension, ValueError when a name is empty or repeats.
  explicit Dataset(const std::vector<NamedTensor>& tensors);
  /// What a Pipeline gives: `x` [rows, feature_names.size()]. Throws ShapeError when sizes differ.
  Dataset(const Tensor& x, std::vector<std::string> feature_names, std::vector<std::int64_t> row_ids);
  Dataset(const Tensor& x, std::vector<std::string> feature_names, std::vector<std::int64_t> row_ids, Column target);

  std::int64_t rows() const { return static_cast<std::int64_t>(row_ids_.size()); }
  /// Columns of a matrix "x"; 0 when there is none.
  std::int64_t width() const;
  /// Names of the columns of "x"; empty when it was given as a tensor alone.
  const std::vector<std::string>& feature_names() const { return feature_names_; }
  /// 0-based record of the input that each row came from.
  const std::vector<std::int64_t>& row_ids() const { return row_ids_; }
  bool has_target() const { return has_target_; }
  /// The target as it was read. Throws StateError when there is none.
  const Column& target() const;

  bool has(std::string_view name) const;
  /// The tensor of a name. Throws ValueError that lists the names.
  const Tensor& operator[](std::string_view name) const;
  const Tensor& x() const { return (*this)["x"]; }
  const Tensor& y() const { return (*this)["y"]; }
  const std::vector<NamedTensor>& tensors() const { return tensors_; }
  /// Adds a tensor or puts another in its place. Throws ShapeError when its first dimension is not rows(), ValueError
  /// when the name is empty.
  Dataset& set(std::string name, const Tensor& tensor);
  /// Elements of a float32 "x", row by row.
  std::span<const float> features() const;

  /// Rows `indices` of every tensor, in that order, repeats allowed. Throws IndexError.
  Batch batch(std::span<const std::int64_t> indices) const;
  /// The same as a dataset, with target and row ids.
  Dataset take(std::span<const std::int64_t> indices) const;

 private:
  std::vector<NamedTensor> tensors_;
  std::vector<std::string> feature_names_;
  std::vector<std::int64_t> row_ids_;
  bool has_target_ = false;
  Column target_;
};

}  // namespace tern::data
