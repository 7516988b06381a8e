#pragma once

#include <sys/single_threaded.h>

#include <atomic>
#include <bit>
#include <cstdint>
#include <string>

#include "tern/tensor/tensor.h"

namespace tern::internal {

struct Node;
void release_node(Node* node) noexcept;
struct Extras;  // src/autograd/extras.h
void destroy_extras(TensorImpl* impl) noexcept;

/// Adds to a counter that any thread may change. While the process has one thread no locked instruction is needed,
/// which would be most of what the tape of a small op costs; returns the value before.
template <class T>
inline T count(std::atomic<T>& counter, T by, std::memory_order order) {
  if (__libc_single_threaded) {
    const T before = counter.load(std::memory_order_relaxed);
    counter.store(before + by, std::memory_order_relaxed);
    return before;
  }
  return counter.fetch_add(by, order);
}

/// RefCount for the library's own code: inline.
struct InlineRefCount : RefCount {
  void add() { count(value, 1, std::memory_order_relaxed); }
  bool drop() { return unique() || count(value, -1, std::memory_order_acq_rel) == 1; }
};

/// What is to be done with memory that is not Tern's.
struct Foreign {
  void (*release)(void* context);  // or null
  void* context;
  bool read_only;
  bool lent = true;  // by the caller: false for a device's memory, which is Tern's own
};

/// Memory and the view family that shares it. A member of a flat buffer is a family of its own whose parent owns the
/// memory; a write to the parent as a whole counts for the member too. Not the reverse: no tape may hold the parent.
struct Storage {
  InlineRefCount refs;
  std::uint16_t size_class = 0;
  std::uint8_t apart_class = kInline;  // of the elements' block, when they have one to themselves
  std::atomic<bool> lent{false};       // to another library, which may write to it
  std::atomic<std::uint64_t> writes{0};
  Storage* parent = nullptr;
  char* data = nullptr;
  Foreign* foreign = nullptr;  // owned

  static constexpr std::uint8_t kInline = 0xff;

  std::uint64_t version() const {
    return writes.load(std::memory_order_relaxed) + (parent ? parent->writes.load(std::memory_order_relaxed) : 0);
  }
  void count_write() { count(writes, std::uint64_t{1}, std::memory_order_relaxed); }
};

/// A family of its own over part of `parent`'s memory.
Storage* new_member(Storage* parent);
void free_storage(Storage* storage) noexcept;
inline void release_storage(Storage* storage) noexcept {
  if (storage->refs.drop()) free_storage(storage);
}
inline bool is_read_only(const Storage* storage) {
  const Foreign* foreign = (storage->parent ? storage->parent : storage)->foreign;
  return foreign && foreign->read_only;
}

/// Whether others may write to the memory, which no version counts.
inline bool is_written_by_others(const Storage* storage) {
  return storage->lent.load(std::memory_order_relaxed) || (storage->foreign && storage->foreign->lent);
}

/// A new tensor lies in its storage's block, right behind that header and before the elements, so that one allocation
/// makes all three (elements beyond kInlineBytes have a block of their own, whose size rounds better). A view has a
/// block to itself. When the last handle goes while the storage lives on, everything but the owned pointers stays
/// readable: that is how a node remembers a result without owning it.
struct TensorImpl {
  TensorImpl() = default;
  explicit TensorImpl(const Shape& of) : shape(of) {}

  InlineRefCount refs;  // first, where Tensor looks for it
  DType dtype = DType::f32;
  bool contiguous = true;
  bool requires_grad = false;
  bool grad_present = false;  // false with a `grad`: a buffer to be overwritten
  bool grad_buffer = false;   // `grad` outlives clear_grad
  bool retains_grad = false;  // though it is no leaf
  bool grad_rows = false;     // there are rows as well, in `extras` (ops/rows.h)
  Device device{};
  std::uint32_t size_class = 0;  // of a view's block
  std::int64_t numel = 0;
  char* data = nullptr;
  Storage* storage = nullptr;
  Storage* home = nullptr;  // in whose block this lies; none for a view. Owned apart from `storage` once they differ
  Node* node = nullptr;     // what produced it, when taped
  TensorImpl* grad = nullptr;
  Extras* extras = nullptr;  // hooks of a leaf; seldom there
  Shape shape;
  std::int64_t strides[kMaxDims];
};

/// Adds a leaf's rows to its dense gradient.
void merge_rows(TensorImpl* leaf);
/// What that would give, for reading alone: the rows stay what they are.
Tensor dense_gradient(const TensorImpl* leaf);
void drop_rows(TensorImpl* leaf) noexcept;

inline TensorImpl* share(TensorImpl* impl) {
  if (impl) impl->refs.add();
  return impl;
}
inline void release(TensorImpl* impl) noexcept {
  if (impl && impl->refs.drop()) destroy(impl);
}
/// Throws StateError naming `where`.
[[noreturn]] TERN_COLD TERN_API void throw_undefined(const char* where);
inline TensorImpl* checked(const Tensor& x, const char* where) {
  if (!x.impl()) [[unlikely]]
    throw_undefined(where);
  return x.impl();
}

inline constexpr std::size_t kInlineBytes = std::size_t{16} << 10;

/// Storage and tensor in one block.
struct StorageAndTensor {
  Storage storage;
  TensorImpl tensor;
};
inline constexpr std::size_t kHeaderBytes = 256;  // the elements lie behind it, 64-byte aligned
static_assert(sizeof(StorageAndTensor) <= kHeaderBytes);

/// Whether both lie on one device, in one comparison.
inline bool on_one_device(const TensorImpl* a, const TensorImpl* b) {
  return std::bit_cast<std::uint16_t>(a->device) == std::bit_cast<std::uint16_t>(b->device);
}

/// An uninitialised contiguous tensor. Throws ShapeError naming `where`, the op that a caller's sizes were given to,
/// and MemoryError, DeviceError.
Tensor new_tensor(const Shape& shape, DType dtype, Device device, const char* where = "shape");
/// The same of a shape that a tensor has, which is sound, and its number of elements.
Tensor new_tensor(const Shape& shape, std::int64_t numel, DType dtype, Device device);
/// An uninitialised tensor for the result of an elementwise op. It has the stride order of the first input that has its
/// shape and is dense (no gaps, no overlaps), that is, that input's very strides, those of dimensions of size 1 too,
/// unless the input is contiguous, or none is dense: then the result is contiguous. It lies on the inputs' device, a
/// number on the CPU (see is_number) not counting; whether they agree is left to the loop.
Tensor new_strided_result(const Shape& shape, DType dtype, const TensorImpl* first, const TensorImpl* second);
inline Tensor new_result(const Shape& shape, DType dtype, const TensorImpl* first, const TensorImpl* second = nullptr) {
  // An input's own shape, most often, which need not be looked at again.
  if (&first->shape == &shape && first->contiguous && (!second || on_one_device(first, second))) [[likely]]
    return new_tensor(shape, first->numel, dtype, first->device);
  return new_strided_result(shape, dtype, first, second);
}
/// A view without history.
Tensor new_view(const TensorImpl* x, const Shape& shape, const std::int64_t* strides, std::int64_t offset_elements);
TERN_API Tensor new_view(const Tensor& x, const Shape& shape, const std::int64_t* strides,
                         std::int64_t offset_elements);
/// A contiguous view that is a family of its own (see Storage).
Tensor new_member_view(const Tensor& flat, const Shape& shape, std::int64_t offset_elements);

/// Gives `to` the memory of `from`, a tensor of its shape, whose handle stays what it is; whatever saved the old
/// elements is told that they were written, unless they are the same.
TERN_API void take_elements(TensorImpl* to, const TensorImpl* from, bool written = true) noexcept;

/// Whether elements may share memory: a dimension's stride does not reach beyond the smaller ones'. True of what is
/// expanded, and never of another view of a tensor that it is false of.
TERN_API bool may_overlap(const TensorImpl* x);
/// Throws unless x may be written in place now, and counts the write.
void begin_write(const char* where, const Tensor& x);

/// `d` in [0, dims), from a possibly negative one. Throws IndexError naming `where`.
int wrap_dim(const char* where, std::int64_t d, int dims);
/// The same for an op to which a tensor of no dimensions has one of size 1, as in PyTorch: its 0 and -1 are 0.
inline int wrap_any_dim(const char* where, std::int64_t d, int dims) {
  return wrap_dim(where, d, dims == 0 ? 1 : dims);
}
/// The size of what wrap_any_dim gave.
inline std::int64_t size_of_any(const Shape& shape, int d) { return shape.empty() ? 1 : shape[d]; }
/// Throws ShapeError naming `where` when these are more dimensions than a shape has.
void check_dims(const char* where, int dims);

/// Contiguous strides of a shape.
void contiguous_strides(const Shape& shape, std::int64_t* strides);
/// Product of the sizes. Throws ShapeError naming `where` when one is negative or there are too many elements.
std::int64_t checked_numel(const char* where, const Shape& shape);

/// Whether x, on the CPU, may stand beside tensors of other devices: no dimensions and no gradient. Kernels of loops
/// take its value.
inline bool is_number(const TensorImpl* x) {
  return x->device.kind == DeviceKind::cpu && x->shape.empty() && !x->requires_grad;
}
/// Throws DeviceError naming `where` unless both lie on one device; an undefined one fits everywhere.
void check_devices(const char* where, const Tensor& a, const Tensor& b);

/// "f32 [2, 3]", and "on cuda:0" unless on the CPU.
std::string describe(const Tensor& x);
[[noreturn]] TERN_COLD void throw_shape(const char* where, const std::string& expected, const std::string& got);
[[noreturn]] TERN_COLD void throw_dtype(const char* where, const std::string& expected, const std::string& got);
[[noreturn]] TERN_COLD void throw_value(const char* where, const std::string& expected, const std::string& got);

}  // namespace tern::internal
