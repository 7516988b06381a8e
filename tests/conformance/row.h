#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conformance/array.h"
#include "tern/tensor/tensor.h"

// The table of conformance: a row states of one public op what runner.cpp checks of it.
namespace conformance {

using tern::DType;
using tern::Shape;
using tern::Tensor;
using Tensors = std::vector<Tensor>;
using Shapes = std::vector<Shape>;

inline Index sizes_of(const Shape& shape) { return Index(shape.begin(), shape.end()); }

/// One input. Real values are drawn apart from each other and from the row's kinks; whole ones, for labels, indices
/// and ties, lie in [low, high).
struct Input {
  double low = -1.5, high = 1.5;
  bool whole = false;
  bool varies = true;            ///< takes part in derivatives
  std::optional<DType> dtype{};  ///< kept whatever type the row is checked in
  bool optional = false;         ///< may be undefined
  bool divides = false;          ///< whole numbers of it are not 0
};

/// One way to call the op, with its reference, and the shapes it is called with.
struct Case {
  std::string what{};
  std::vector<Input> inputs{};
  std::function<Tensor(const Tensors&)> call{};
  std::function<Array(const Arrays&)> reference{};
  std::vector<Shapes> shapes{};   ///< each set small: derivatives are checked
  std::vector<Shapes> empty{};    ///< with a dimension of size 0
  std::vector<Shapes> large{};    ///< more than a block: the same bits and gradients at 1 and 5 threads
  std::optional<DType> result{};  ///< the result's type, when it is not the row's
  std::int64_t terms = 1;         ///< that an element adds up: the row's tolerances grow with it
  bool strided = true;            ///< false: the call needs contiguous inputs, and says so
  /// Stands in the place of a tensor: the case is checked in integers and booleans as the first one is, and gives the
  /// type to which they and the number promote.
  std::optional<tern::Scalar> number{};
};

/// A case of a function of one input.
inline Case one_input(const char* what, std::function<Tensor(const Tensor&)> call,
                      std::function<Array(const Array&)> reference, std::vector<Shapes> shapes,
                      std::vector<Shapes> empty = {}) {
  return {.what = what,
          .inputs = {{}},
          .call = [call = std::move(call)](const Tensors& in) { return call(in[0]); },
          .reference = [reference = std::move(reference)](const Arrays& in) { return reference(in[0]); },
          .shapes = std::move(shapes),
          .empty = std::move(empty)};
}

enum class Gradient {
  smooth,    ///< away from the kinks: first and second derivative
  none,      ///< never taped
  in_place,  ///< writes to its first input, which must need no gradient
};

enum class Raises { shape, dtype, index, value, state };

/// A call that must throw, with the text "[op] expected …, got …".
struct Fault {
  std::string what;
  Raises error;
  std::function<void()> call;
};

/// What an integer or boolean type gives.
struct TypeRule {
  DType type, result;
};
inline const std::vector<TypeRule> kReal{{tern::i64, tern::f32}, {tern::u8, tern::f32}, {tern::boolean, tern::f32}};
inline const std::vector<TypeRule> kSame{{tern::i64, tern::i64}, {tern::u8, tern::u8}, {tern::boolean, tern::boolean}};

struct Row {
  std::string op;  ///< its id: as list_ops.py lists it
  Gradient gradient = Gradient::smooth;
  std::vector<Case> cases{};
  double tolerance = 4e-7;        ///< f32 against the reference, |difference| / max(1, |reference|)
  double tolerance_f64 = 1e-13;   ///< f64 likewise
  std::vector<double> kinks{};    ///< of every real input
  std::optional<DType> result{};  ///< the result's type, when it is not that of the inputs
  std::vector<TypeRule> types{};  ///< integer and boolean types it takes
  std::vector<Fault> faults{};
  std::string where{};          ///< the name in error texts, when it is not `op`
  std::vector<double> edges{};  ///< further values of a single input, compared with the reference
  bool half = true;             ///< takes f16 and bf16
  bool mixes_devices = false;   ///< takes inputs that lie on different devices
  bool first = true;            ///< false: an input meets other ops of the call first, whose name errors then bear
};

using Rows = std::vector<Row>;

Rows unary_rows();
Rows activation_rows();
Rows binary_rows();
Rows reduce_rows();
Rows shape_rows();
Rows arrange_rows();
Rows index_rows();
Rows gather_rows();
Rows subscript_rows();
Rows sort_rows();
Rows norm_rows();
Rows embedding_rows();
Rows random_rows();
Rows view_rows();
Rows matmul_rows();
Rows softmax_rows();
Rows loss_rows();
Rows creation_rows();
Rows in_place_rows();
Rows optimizer_rows();

}  // namespace conformance
