#include "tern/data/matrix.h"

#include "tern/base/error.h"

namespace tern::data {
namespace {

std::int64_t whole_rows(std::size_t values, std::int64_t columns) {
  const auto size = static_cast<std::int64_t>(values);
  if (columns < 1 || size % columns != 0) {
    throw ShapeError("[Matrix] expected whole rows of at least one column, got " + std::to_string(size) +
                     " values and " + std::to_string(columns) + " columns");
  }
  return size / columns;
}

}  // namespace

Matrix::Matrix(std::span<const float> values, std::int64_t columns)
    : f32_(values.data()), rows_(whole_rows(values.size(), columns)), columns_(columns) {}

Matrix::Matrix(std::span<const double> values, std::int64_t columns)
    : f64_(values.data()), rows_(whole_rows(values.size(), columns)), columns_(columns) {}

Matrix::Matrix(const Tensor& values) {
  if (values.dim() != 2 || values.size(1) < 1) {
    throw ShapeError("[Matrix] expected a tensor [rows, columns] of at least one column, got " +
                     to_string(values.shape()));
  }
  Tensor held = values.detach().to(cpu());
  const bool whole = held.dtype() == DType::i64 || held.dtype() == DType::i32 || held.dtype() == DType::f64;
  held = held.to(whole ? DType::f64 : DType::f32).contiguous();
  rows_ = held.size(0);
  columns_ = held.size(1);
  if (whole) {
    f64_ = held.span<double>().data();
  } else {
    f32_ = held.span<float>().data();
  }
  owner_ = std::make_shared<const Tensor>(std::move(held));
}

Vector::Vector(const Tensor& values) {
  if (values.dim() != 1)
    throw ShapeError("[Vector] expected a tensor of one dimension, got " + to_string(values.shape()));
  owner_ = std::make_shared<const std::vector<double>>(values.detach().to(cpu()).to(DType::f64).to_vector<double>());
  view_ = *owner_;
}

}  // namespace tern::data
