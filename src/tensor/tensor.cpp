#include "tern/tensor/tensor.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "base/number_text.h"
#include "tensor/allocator.h"
#include "tensor/device_runtime.h"
#include "tensor/impl.h"
#include "tensor/thread_state.h"
#include "tern/base/error.h"

namespace tern {

std::string_view name(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return "f64";
    case DType::f32:
      return "f32";
    case DType::f16:
      return "f16";
    case DType::bf16:
      return "bf16";
    case DType::i64:
      return "i64";
    case DType::i32:
      return "i32";
    case DType::u8:
      return "u8";
    case DType::boolean:
      return "bool";
  }
  return "unknown";
}

Shape::Shape(std::span<const std::int64_t> sizes) : Shape(sizes.data(), sizes.size()) {}
Shape::Shape(const std::vector<std::int64_t>& sizes) : Shape(sizes.data(), sizes.size()) {}
Shape::operator std::span<const std::int64_t>() const { return {sizes_, static_cast<std::size_t>(count_)}; }

void Shape::throw_too_many(std::size_t count) {
  throw ShapeError("[shape] expected at most " + std::to_string(kMaxDims) + " dimensions, got " +
                   std::to_string(count));
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (int i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

Shape broadcast_shapes(const char* where, const Shape& a, const Shape& b) {
  const int dims = std::max(a.size(), b.size());
  Shape out;
  for (int i = 0; i < dims; ++i) {
    const int ia = i - (dims - a.size()), ib = i - (dims - b.size());
    const std::int64_t sa = ia < 0 ? 1 : a[ia], sb = ib < 0 ? 1 : b[ib];
    if (sa != sb && sa != 1 && sb != 1) {
      internal::throw_shape(where, "shapes that broadcast", to_string(a) + " and " + to_string(b));
    }
    out.push_back(sa == 1 ? sb : sa);
  }
  internal::checked_numel(where, out);
  return out;
}

namespace internal {

constinit thread_local ThreadState thread_state{};

void RefCount::add() { count(value, 1, std::memory_order_relaxed); }
bool RefCount::drop_shared() { return count(value, -1, std::memory_order_acq_rel) == 1; }

void throw_undefined(const char* where) {
  throw StateError("[" + std::string(where) + "] expected a defined tensor, got an undefined one");
}
void throw_shape(const char* where, const std::string& expected, const std::string& got) {
  throw ShapeError("[" + std::string(where) + "] expected " + expected + ", got " + got);
}
void throw_dtype(const char* where, const std::string& expected, const std::string& got) {
  throw DTypeError("[" + std::string(where) + "] expected " + expected + ", got " + got);
}
void throw_value(const char* where, const std::string& expected, const std::string& got) {
  throw ValueError("[" + std::string(where) + "] expected " + expected + ", got " + got);
}
std::string describe(const Tensor& x) {
  if (!x.defined()) return "an undefined tensor";
  const std::string text = std::string(name(x.dtype())) + " " + to_string(x.shape());
  return x.device() == cpu() ? text : text + " on " + to_string(x.device());
}

void check_devices(const char* where, const Tensor& a, const Tensor& b) {
  if (!a.impl() || !b.impl() || a.impl()->device == b.impl()->device) return;
  throw_devices(where, to_string(a.device()) + " and " + to_string(b.device()));
}

Storage* new_member(Storage* parent) {
  std::uint32_t size_class;
  auto* storage = new (allocate(sizeof(Storage), size_class)) Storage;
  storage->size_class = static_cast<std::uint16_t>(size_class);
  while (parent->parent) parent = parent->parent;
  parent->refs.add();
  storage->parent = parent;
  storage->data = parent->data;
  return storage;
}

namespace {
void release_foreign(const Foreign* foreign) noexcept {
  if (foreign->release) foreign->release(foreign->context);
  delete foreign;
}
}  // namespace

void free_storage(Storage* storage) noexcept {
  if (storage->parent) release_storage(storage->parent);
  if (storage->apart_class != Storage::kInline) deallocate(storage->data, storage->apart_class);
  if (storage->foreign) release_foreign(storage->foreign);
  deallocate(storage, storage->size_class);
}

void destroy(TensorImpl* impl) noexcept {
  Storage* const home = impl->home;
  Storage* const storage = impl->storage;
  if (impl->extras || impl->retains_grad) [[unlikely]]
    destroy_extras(impl);
  if (impl->grad) release(impl->grad);
  if (impl->node) release_node(impl->node);
  if (!home) deallocate(impl, impl->size_class);
  if (home && home != storage) release_storage(home);
  release_storage(storage);
}

void contiguous_strides(const Shape& shape, std::int64_t* strides) {
  std::int64_t step = 1;
  for (int i = shape.size() - 1; i >= 0; --i) {
    strides[i] = step;
    step *= std::max<std::int64_t>(shape[i], 1);
  }
}

std::int64_t checked_numel(const char* where, const Shape& shape) {
  std::int64_t numel = 1, extent = 1;
  for (std::int64_t size : shape) {
    if (size < 0) throw_shape(where, "sizes of at least 0", to_string(shape));
    if (size > 1 && (__builtin_mul_overflow(extent, size, &extent) || extent > (std::int64_t{1} << 56))) {
      throw_shape(where, "fewer than 2^56 elements", to_string(shape));
    }
    numel *= size;
  }
  return numel;
}

namespace {
bool is_contiguous(const Shape& shape, const std::int64_t* strides) {
  std::int64_t step = 1;
  for (int i = shape.size() - 1; i >= 0; --i) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != step) return false;
    step *= shape[i];
  }
  return true;
}
}  // namespace

namespace {
void release_block(void* block) {
  auto* memory = static_cast<DeviceBlock*>(block);
  memory->owner->deallocate(memory);
}

// The header lies on the host, as every tensor's; the elements are Foreign to the host's allocator.
TERN_COLD Tensor new_device_tensor(const Shape& shape, std::int64_t numel, DType dtype, Device device) {
  DeviceRuntime& owner = runtime(device);
  Tensor out = new_tensor({0}, dtype, cpu());
  auto foreign = std::make_unique<Foreign>();
  DeviceBlock* const block = owner.allocate(device.index, static_cast<std::size_t>(numel) * size_of(dtype));
  *foreign = {&release_block, block, false, false};
  TensorImpl* impl = out.impl();
  impl->storage->foreign = foreign.release();
  impl->data = impl->storage->data = static_cast<char*>(block->data);
  impl->device = device;
  impl->numel = numel;
  impl->shape = shape;
  contiguous_strides(shape, impl->strides);
  return out;
}

}  // namespace

namespace {
static_assert(memory::kClasses <= Storage::kInline);

// In a block of that class, its elements there too or, of such a class, apart.
inline Tensor new_host_tensor(void* block, std::uint32_t size_class, char* elements, std::uint8_t apart_class,
                              const Shape& shape, std::int64_t numel, DType dtype) {
  auto* storage = new (block) Storage;
  storage->size_class = static_cast<std::uint16_t>(size_class);
  storage->apart_class = apart_class;
  storage->data = elements;
  auto* impl = new (static_cast<char*>(block) + offsetof(StorageAndTensor, tensor)) TensorImpl(shape);
  impl->dtype = dtype;
  impl->numel = numel;
  impl->data = elements;
  impl->storage = impl->home = storage;
  contiguous_strides(impl->shape, impl->strides);
  return Tensor(impl);
}

// Of elements that have a block to themselves.
TERN_COLD Tensor new_large_tensor(const Shape& shape, std::int64_t numel, DType dtype, std::size_t bytes) {
  std::uint32_t size_class, apart_class;
  void* elements = allocate(bytes, apart_class);
  void* block;
  try {
    block = allocate(sizeof(StorageAndTensor), size_class);
  } catch (...) {
    deallocate(elements, apart_class);
    throw;
  }
  return new_host_tensor(block, size_class, static_cast<char*>(elements), static_cast<std::uint8_t>(apart_class), shape,
                         numel, dtype);
}
}  // namespace

Tensor new_tensor(const Shape& shape, std::int64_t numel, DType dtype, Device device) {
  if (device.kind != DeviceKind::cpu) [[unlikely]]
    return new_device_tensor(shape, numel, dtype, device);
  static constexpr auto kSizes = [] {  // a table, for the compiler makes a jump of the switch
    std::array<std::uint8_t, kMaxDTypes> sizes{};
    for (int d = 0; d < kMaxDTypes; ++d) sizes[d] = static_cast<std::uint8_t>(size_of(static_cast<DType>(d)));
    return sizes;
  }();
  const std::size_t bytes = static_cast<std::size_t>(numel) * kSizes[static_cast<std::size_t>(dtype)];
  if (bytes > kInlineBytes) return new_large_tensor(shape, numel, dtype, bytes);
  std::uint32_t size_class;
  void* block = allocate(kHeaderBytes + bytes, size_class);
  return new_host_tensor(block, size_class, static_cast<char*>(block) + kHeaderBytes, Storage::kInline, shape, numel,
                         dtype);
}

namespace {
// The dimensions of more than one index, from the smallest stride on; returns how many.
int by_stride(const TensorImpl* x, int* order) {
  int count = 0;
  for (int d = 0; d < x->shape.size(); ++d) {
    if (x->shape[d] == 1) continue;
    int at = count++;
    for (; at > 0 && x->strides[order[at - 1]] > x->strides[d]; --at) order[at] = order[at - 1];
    order[at] = d;
  }
  return count;
}

// Whether the elements of a strided tensor fill their memory, each once.
bool is_dense(const TensorImpl* x) {
  int order[kMaxDims];
  const int count = by_stride(x, order);
  std::int64_t step = 1;
  for (int i = 0; i < count; ++i) {
    if (x->strides[order[i]] != step) return false;
    step *= x->shape[order[i]];
  }
  return true;
}
}  // namespace

bool may_overlap(const TensorImpl* x) {
  int order[kMaxDims];
  const int count = by_stride(x, order);
  std::int64_t last = 0;  // the furthest element of the dimensions so far
  for (int i = 0; i < count && x->numel > 0; ++i) {
    const std::int64_t stride = x->strides[order[i]];
    if (stride <= last) return true;
    last += (x->shape[order[i]] - 1) * stride;
  }
  return false;
}

Tensor new_tensor(const Shape& shape, DType dtype, Device device, const char* where) {
  return new_tensor(shape, checked_numel(where, shape), dtype, device);
}

Tensor new_strided_result(const Shape& shape, DType dtype, const TensorImpl* first, const TensorImpl* second) {
  const bool by_second = second && second->device.kind != first->device.kind && is_number(first);
  const Device device = (by_second ? second : first)->device;
  if (&first->shape == &shape && first->contiguous) return new_tensor(shape, first->numel, dtype, device);
  Tensor out = new_tensor(shape, dtype, device);
  for (const TensorImpl* x : {first, second}) {
    if (!x || x->numel != out.impl()->numel || !(x->shape == shape)) continue;
    if (x->contiguous) [[likely]]
      break;
    if (!is_dense(x)) continue;
    std::copy(x->strides, x->strides + shape.size(), out.impl()->strides);
    out.impl()->contiguous = false;
    break;
  }
  return out;
}

Tensor new_view(const TensorImpl* x, const Shape& shape, const std::int64_t* strides, std::int64_t offset_elements) {
  std::uint32_t size_class;
  auto* impl = new (allocate(sizeof(TensorImpl), size_class)) TensorImpl;
  impl->size_class = size_class;
  impl->dtype = x->dtype;
  impl->device = x->device;
  impl->shape = shape;
  std::int64_t numel = 1;
  for (std::int64_t size : shape) numel *= size;
  impl->numel = numel;
  std::copy(strides, strides + shape.size(), impl->strides);
  impl->contiguous = is_contiguous(shape, impl->strides);
  x->storage->refs.add();
  impl->storage = x->storage;
  impl->data = x->data + offset_elements * static_cast<std::int64_t>(size_of(x->dtype));
  return Tensor(impl);
}

Tensor new_view(const Tensor& x, const Shape& shape, const std::int64_t* strides, std::int64_t offset_elements) {
  return new_view(x.impl(), shape, strides, offset_elements);
}

Tensor new_member_view(const Tensor& flat, const Shape& shape, std::int64_t offset_elements) {
  std::int64_t strides[kMaxDims];
  contiguous_strides(shape, strides);
  Tensor out = new_view(flat, shape, strides, offset_elements);
  Storage* member = new_member(flat.impl()->storage);
  release_storage(out.impl()->storage);
  out.impl()->storage = member;
  return out;
}

void take_elements(TensorImpl* to, const TensorImpl* from, bool written) noexcept {
  Storage* const after = from->storage;
  Storage* const before = to->storage;
  if (after == before) return;
  after->writes.store(before->version() + (written ? 1 : 0), std::memory_order_relaxed);
  to->data = from->data;
  to->contiguous = from->contiguous;
  std::copy(from->strides, from->strides + from->shape.size(), to->strides);
  to->storage = after;
  if (after != to->home) after->refs.add();
  if (before != to->home) {
    release_storage(before);
  } else if (before->apart_class != Storage::kInline && before->refs.unique()) {
    // The block in which the tensor lies stays; its elements need not.
    deallocate(before->data, std::exchange(before->apart_class, Storage::kInline));
  } else if (before->foreign && before->refs.unique()) {
    release_foreign(std::exchange(before->foreign, nullptr));
  }
}

int wrap_dim(const char* where, std::int64_t d, int dims) {
  if (dims == 0) {
    throw IndexError("[" + std::string(where) + "] expected a tensor of at least one dimension, got dimension " +
                     std::to_string(d) + " of one without");
  }
  if (d < -dims || d >= dims) {
    throw IndexError("[" + std::string(where) + "] expected a dimension in [" + std::to_string(-dims) + ", " +
                     std::to_string(dims) + "), got " + std::to_string(d));
  }
  return static_cast<int>(d < 0 ? d + dims : d);
}

void check_dims(const char* where, int dims) {
  if (dims > kMaxDims) {
    throw_shape(where, "at most " + std::to_string(kMaxDims) + " dimensions", std::to_string(dims));
  }
}

namespace {
void throw_if_read_only(const char* where, const Storage* storage) {
  if (!is_read_only(storage)) return;
  throw StateError("[" + std::string(where) +
                   "] expected memory that may be written, got memory that was lent for reading; clone() it first");
}
}  // namespace

namespace {
TERN_COLD void note_write(const Tensor& x) {
  std::vector<Tensor>& written = *thread_state.written;
  const auto same = [&](const Tensor& other) { return other.impl()->storage == x.impl()->storage; };
  if (x.device() != cpu() && std::none_of(written.begin(), written.end(), same)) written.push_back(x.detach());
}
}  // namespace

void count_write(const Tensor& x) {
  if (thread_state.written) [[unlikely]]
    note_write(x);
  x.impl()->storage->count_write();
}

void begin_write(const char* where, const Tensor& x) {
  TensorImpl* impl = checked(x, where);
  if (impl->requires_grad && thread_state.grad_enabled) {
    throw StateError(
        "[" + std::string(where) +
        "] expected a tensor that needs no gradient, or a NoGrad scope, for a write in place, got one that "
        "needs a gradient: " +
        describe(x));
  }
  if (!impl->contiguous && may_overlap(impl)) {
    throw_value(where, "a tensor whose elements lie apart, for a write in place",
                "elements that share memory, in shape " + to_string(impl->shape));
  }
  throw_if_read_only(where, impl->storage);
  count_write(x);
}

}  // namespace internal

using internal::checked;

int Tensor::dim() const { return checked(*this, "dim")->shape.size(); }
std::int64_t Tensor::size(int d) const {
  const auto* impl = checked(*this, "size");
  return impl->shape[internal::wrap_dim("size", d, impl->shape.size())];
}
const Shape& Tensor::shape() const { return checked(*this, "shape")->shape; }
std::span<const std::int64_t> Tensor::strides() const {
  const auto* impl = checked(*this, "strides");
  return {impl->strides, static_cast<std::size_t>(impl->shape.size())};
}
std::int64_t Tensor::numel() const { return checked(*this, "numel")->numel; }
DType Tensor::dtype() const { return checked(*this, "dtype")->dtype; }
Device Tensor::device() const { return checked(*this, "device")->device; }
bool Tensor::is_contiguous() const { return checked(*this, "is_contiguous")->contiguous; }
std::uint64_t version(const Tensor& tensor) { return checked(tensor, "version")->storage->version(); }

void* Tensor::data_for(DType dtype, bool writing) const {
  const auto* impl = checked(*this, writing ? "mutable_span" : "span");
  if (impl->dtype != dtype) {
    internal::throw_dtype(writing ? "mutable_span" : "span", std::string(name(impl->dtype)) + " elements",
                          std::string(name(dtype)));
  }
  if (!impl->contiguous) {
    internal::throw_value(
        writing ? "mutable_span" : "span", "a contiguous tensor",
        "strides " + to_string(Shape(strides())) + " of " + to_string(impl->shape) + "; contiguous() copies it");
  }
  if (impl->device.kind != DeviceKind::cpu) {
    throw DeviceError("[" + std::string(writing ? "mutable_span" : "span") +
                      "] expected a tensor on the CPU, got one on " + to_string(impl->device) +
                      "; to(cpu()) copies it");
  }
  if (writing) internal::begin_write("mutable_span", *this);
  return impl->data;
}

namespace {
[[noreturn]] TERN_COLD void throw_item(const Tensor& x) {
  internal::throw_shape("item", "a tensor of one element", to_string(x.shape()));
}
}  // namespace

TERN_COLD void Tensor::throw_unheld(double value) {
  internal::throw_value("item", "a value within the range of the integer asked for", internal::number_text(value));
}
double Tensor::item_real() const {
  const auto* impl = checked(*this, "item");
  if (impl->numel != 1) throw_item(*this);
  if (impl->device.kind != DeviceKind::cpu) return detach().to(cpu()).item_real();
  switch (impl->dtype) {
    case DType::f64:
      return *reinterpret_cast<const double*>(impl->data);
    case DType::f16:
      return static_cast<double>(*reinterpret_cast<const Half*>(impl->data));
    case DType::bf16:
      return static_cast<double>(*reinterpret_cast<const BFloat16*>(impl->data));
    default:
      return static_cast<double>(*reinterpret_cast<const float*>(impl->data));
  }
}
std::int64_t Tensor::item_integer() const {
  const auto* impl = checked(*this, "item");
  if (impl->numel != 1) throw_item(*this);
  if (impl->device.kind != DeviceKind::cpu) return detach().to(cpu()).item_integer();
  switch (impl->dtype) {
    case DType::i64:
      return *reinterpret_cast<const std::int64_t*>(impl->data);
    case DType::i32:
      return *reinterpret_cast<const std::int32_t*>(impl->data);
    default:
      return *reinterpret_cast<const std::uint8_t*>(impl->data);
  }
}

Tensor Tensor::detach() const {
  const auto* impl = checked(*this, "detach");
  return internal::new_view(*this, impl->shape, impl->strides, 0);
}

bool Tensor::requires_grad() const { return checked(*this, "requires_grad")->requires_grad; }
bool Tensor::is_leaf() const { return checked(*this, "is_leaf")->node == nullptr; }

Tensor& Tensor::requires_grad_(bool on) {
  auto* impl = checked(*this, "requires_grad_");
  if (impl->node) throw StateError("[requires_grad_] expected a leaf, got the result of an op; detach() it first");
  if (on && !is_floating(impl->dtype)) {
    internal::throw_dtype("requires_grad_", "a floating type", std::string(name(impl->dtype)));
  }
  impl->requires_grad = on;
  return *this;
}

Tensor Tensor::grad() const {
  const auto* impl = checked(*this, "grad");
  if (impl->grad_rows) [[unlikely]]
    return internal::dense_gradient(impl);
  return impl->grad_present ? Tensor(internal::share(impl->grad)) : Tensor();
}

namespace {
void put_grad(const char* where, internal::TensorImpl* impl, const Tensor& gradient, bool present) {
  if (impl->node) throw StateError("[" + std::string(where) + "] expected a leaf, got the result of an op");
  const auto* g = checked(gradient, where);
  if (!(g->shape == impl->shape)) internal::throw_shape(where, to_string(impl->shape), to_string(g->shape));
  if (g->dtype != impl->dtype) {
    internal::throw_dtype(where, std::string(name(impl->dtype)), std::string(name(g->dtype)));
  }
  internal::check_devices(where, Tensor(internal::share(impl)), gradient);
  internal::throw_if_read_only(where, g->storage);
  if (!present && !g->contiguous) internal::throw_value(where, "a contiguous buffer", "strides of a view");
  if (impl->grad_rows) internal::drop_rows(impl);
  if (impl->grad == g) {
    impl->grad_present = present;
    return;
  }
  internal::release(std::exchange(impl->grad, internal::share(gradient.impl())));
  impl->grad_present = present;
}
}  // namespace

void Tensor::set_grad(const Tensor& gradient) {
  put_grad("set_grad", checked(*this, "set_grad"), gradient, true);
  impl_->grad_buffer = false;
}
void Tensor::set_grad_buffer(const Tensor& buffer) {
  put_grad("set_grad_buffer", checked(*this, "set_grad_buffer"), buffer, false);
  impl_->grad_buffer = true;
}
void Tensor::clear_grad() {
  auto* impl = checked(*this, "clear_grad");
  if (impl->grad_rows) internal::drop_rows(impl);
  impl->grad_present = false;
  if (!impl->grad_buffer) internal::release(std::exchange(impl->grad, nullptr));
}

}  // namespace tern
