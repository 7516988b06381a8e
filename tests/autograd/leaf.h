#pragma once

#include <initializer_list>

#include "tern/tensor/creation.h"

inline tern::Tensor leaf(std::initializer_list<double> values) {
  return tern::tensor(values, tern::f64).requires_grad_();
}
