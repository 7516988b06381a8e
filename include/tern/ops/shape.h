#pragma once

#include <cstdint>
#include <vector>

#include "tern/tensor/tensor.h"

namespace tern {

TERN_API Tensor reshape(const Tensor& x, const Shape& shape);
TERN_API Tensor flatten(const Tensor& x, int first = 0, int last = -1);
/// Dimension `dim` as dimensions `sizes`, one of which may be -1. Throws ShapeError unless they hold as many.
TERN_API Tensor unflatten(const Tensor& x, int dim, const Shape& sizes);
/// x expanded to `shape` without copying (NumPy's broadcast_to). Throws ShapeError when it does not broadcast.
TERN_API Tensor broadcast_to(const Tensor& x, const Shape& shape);
TERN_API Tensor expand_as(const Tensor& x, const Tensor& other);
/// Dimensions `from` moved to the places `to`, the others kept in their order. Throws ShapeError, IndexError.
TERN_API Tensor movedim(const Tensor& x, const Dims& from, const Dims& to);
TERN_API Tensor movedim(const Tensor& x, int from, int to);

// Parts, as views.
/// `length` indices of dimension `dim` from `begin` (negative: from the end) on. Throws IndexError outside the
/// dimension.
TERN_API Tensor narrow(const Tensor& x, int dim, std::int64_t begin, std::int64_t length);
/// Parts of `size` along `dim`, the last one shorter where it must be. Throws ValueError unless size ≥ 1.
TERN_API std::vector<Tensor> split(const Tensor& x, std::int64_t size, int dim = 0);
/// Parts of the given sizes. Throws ShapeError unless they add up to the dimension.
TERN_API std::vector<Tensor> split_with_sizes(const Tensor& x, const std::vector<std::int64_t>& sizes, int dim = 0);
/// At most `chunks` parts of one size, the last one shorter where it must be; `chunks` empty ones of an empty
/// dimension. Throws ValueError unless chunks ≥ 1.
TERN_API std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, int dim = 0);
/// Each index of dimension `dim`, without that dimension.
TERN_API std::vector<Tensor> unbind(const Tensor& x, int dim = 0);
/// Elements (i, i + offset) of dimensions `dim1` and `dim2`, as a last dimension.
TERN_API Tensor diagonal(const Tensor& x, std::int64_t offset = 0, int dim1 = 0, int dim2 = 1);

// Joins.
/// Tensors side by side along an existing dimension, promoted to one type. Throws ShapeError unless the other sizes
/// agree, ValueError on an empty list.
TERN_API Tensor cat(const std::vector<Tensor>& tensors, int dim = 0);
/// Tensors of one shape side by side along a new dimension.
TERN_API Tensor stack(const std::vector<Tensor>& tensors, int dim = 0);

enum class Indexing : std::uint8_t { ij, xy };

/// Vectors of n₀, n₁, … elements expanded to the grid [n₀, n₁, …]; `xy` exchanges the first two dimensions. Throws
/// ShapeError on more than one dimension, ValueError on an empty list.
TERN_API std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, Indexing indexing = Indexing::ij);

// Copies in another order.
/// Dimensions `dims` the other way round. Throws ShapeError on a dimension named twice.
TERN_API Tensor flip(const Tensor& x, const Dims& dims);
/// Indices moved on by `shift` along `dim`; what leaves one end enters at the other.
TERN_API Tensor roll(const Tensor& x, std::int64_t shift, int dim);
/// The same for several dimensions; without `dims`, one shift of the flattened elements.
TERN_API Tensor roll(const Tensor& x, const Dims& shifts, const Dims& dims = {});
/// x side by side with itself, repeats[d] times along dimension d; further leading repeats add dimensions. Throws
/// ShapeError on fewer repeats than dimensions or a negative one.
TERN_API Tensor repeat(const Tensor& x, const Shape& repeats);
/// repeat, where missing leading repeats are 1 (NumPy's tile).
TERN_API Tensor tile(const Tensor& x, const Shape& repeats);
/// Each index of dimension `dim` `repeats` times in a row. Throws ValueError on a negative number.
TERN_API Tensor repeat_interleave(const Tensor& x, std::int64_t repeats, int dim);
/// The same with a number of its own (i64 or i32 [size]) for each index.
TERN_API Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, int dim);

enum class PadMode : std::uint8_t {
  constant,   ///< `value`
  reflect,    ///< mirrored at the edge, which is not repeated
  replicate,  ///< the edge
  circular,   ///< the other end
};

struct PadOptions {
  PadMode mode = PadMode::constant;
  Scalar value = 0;
};

/// x with `pads` = {before, after} the last dimension, then the one before it, … further elements; negative ones cut
/// off. Throws ShapeError on an odd count, too many, or a result of negative size, or where the mode has too few
/// elements to copy from.
TERN_API Tensor pad(const Tensor& x, const std::vector<std::int64_t>& pads, const PadOptions& options = {});

// Matrices: the last two dimensions, but where said.
/// x at and below diagonal `offset`, 0 above it. Throws ShapeError below two dimensions.
TERN_API Tensor tril(const Tensor& x, std::int64_t offset = 0);
/// x at and above diagonal `offset`, 0 below it.
TERN_API Tensor triu(const Tensor& x, std::int64_t offset = 0);
/// Of a vector: the square matrix with it on diagonal `offset`; of a matrix: a copy of that diagonal. Throws
/// ShapeError.
TERN_API Tensor diag(const Tensor& x, std::int64_t offset = 0);

// Copies with a part replaced. Throw ShapeError or DTypeError unless `source` is as the part.
/// x with x.slice(dim, begin, end, step) replaced by `source`.
TERN_API Tensor slice_scatter(const Tensor& x, const Tensor& source, int dim, std::int64_t begin, std::int64_t end,
                              std::int64_t step = 1);
/// x with diagonal(x, offset, dim1, dim2) replaced by `source`.
TERN_API Tensor diagonal_scatter(const Tensor& x, const Tensor& source, std::int64_t offset = 0, int dim1 = 0,
                                 int dim2 = 1);

}  // namespace tern
