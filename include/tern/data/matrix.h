#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "tern/base/export.h"
#include "tern/tensor/tensor.h"

namespace tern::data {

/// Numbers of rows, row by row: a view of the caller's memory, or of a tensor that it holds. NaN is missing.
class Matrix {
 public:
  Matrix() = default;
  /// Throws ShapeError unless the values fill whole rows of at least one column.
  TERN_API Matrix(std::span<const float> values, std::int64_t columns);
  TERN_API Matrix(std::span<const double> values, std::int64_t columns);
  /// Values of a tensor [rows, columns]; a copy unless it is contiguous f32 or f64 on the CPU. Throws ShapeError unless
  /// it has two dimensions and a column.
  TERN_API Matrix(const Tensor& values);  // NOLINT(google-explicit-constructor)

  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  const float* f32() const { return f32_; }   ///< null when the values are doubles
  const double* f64() const { return f64_; }  ///< null when the values are floats
  double at(std::int64_t row, std::int64_t column) const {
    const std::int64_t i = row * columns_ + column;
    return f32_ ? static_cast<double>(f32_[i]) : f64_[i];
  }

 private:
  const float* f32_ = nullptr;
  const double* f64_ = nullptr;
  std::int64_t rows_ = 0, columns_ = 0;
  std::shared_ptr<const Tensor> owner_;
};

/// A number for each row: a view of the caller's doubles, or a copy of a tensor's values.
class Vector {
 public:
  Vector() = default;
  Vector(std::span<const double> values) : view_(values) {}     // NOLINT(google-explicit-constructor)
  Vector(const std::vector<double>& values) : view_(values) {}  // NOLINT(google-explicit-constructor)
  /// Doubles side by side of any kind: arrays, spans that may be written to, ….
  template <class Values, class = std::enable_if_t<std::is_convertible_v<const Values&, std::span<const double>>>>
  Vector(const Values& values) : view_(values) {}  // NOLINT(google-explicit-constructor)
  /// Of one dimension, of any type. Throws ShapeError.
  TERN_API Vector(const Tensor& values);  // NOLINT(google-explicit-constructor)

  std::span<const double> values() const { return view_; }
  std::int64_t size() const { return static_cast<std::int64_t>(view_.size()); }
  bool empty() const { return view_.empty(); }
  double operator[](std::int64_t row) const { return view_[static_cast<std::size_t>(row)]; }

 private:
  std::span<const double> view_;
  std::shared_ptr<const std::vector<double>> owner_;
};

}  // namespace tern::data
