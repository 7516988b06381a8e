#include "autograd/node.h"
#include "tensor/device_runtime.h"
#include "tensor_loop.h"
#include "tern/tensor/creation.h"

// Copies from device to device.
namespace tern {
namespace {

using internal::checked;

// The elements of `from`, contiguous, where `to` lies, contiguous and of its type.
void copy_bytes(const Tensor& to, const Tensor& from) {
  const auto *target = to.impl(), *source = from.impl();
  const std::size_t bytes = static_cast<std::size_t>(source->numel) * size_of(source->dtype);
  if (bytes == 0) return;
  const Device device = target->device.kind == DeviceKind::cpu ? source->device : target->device;
  internal::runtime(device).copy({target->data, source->data, target->device, source->device, bytes});
}

void release_block(void* block) {
  auto* memory = static_cast<internal::DeviceBlock*>(block);
  memory->owner->deallocate(memory);
}

// On the host, in page-locked memory, into which a device writes while the host goes on.
Tensor new_pinned(const Shape& shape, DType dtype, internal::DeviceRuntime& runtime) {
  const std::int64_t numel = internal::checked_numel("to", shape);
  internal::DeviceBlock* block = runtime.allocate_pinned(static_cast<std::size_t>(numel) * size_of(dtype));
  return from_blob(block->data, shape, dtype, {.deleter = &release_block, .context = block});
}

}  // namespace

Tensor Tensor::to(Device device, bool non_blocking) const {
  static constexpr internal::OpInfo op{
      "to", [](const internal::Node& node, const Tensor& g, Tensor* out) { out[0] = g.to(node.attributes<Device>()); }};
  const Device from = checked(*this, "to")->device;
  if (from == device) return *this;
  const Tensor source = detach().contiguous();
  const bool home = device.kind == DeviceKind::cpu;
  require_device(device);
  Tensor out = home && non_blocking ? new_pinned(impl_->shape, impl_->dtype, internal::runtime(from))
                                    : internal::new_tensor(impl_->shape, impl_->dtype, device);
  copy_bytes(out, source);
  if (home && !non_blocking) internal::runtime(from).synchronize(from.index);
  internal::tape_with(op, out, {{*this}}, from);
  return out;
}

void internal::copy_elements(const Tensor& to, const Tensor& from) {
  if (to.device() == from.device() || is_number(from.impl())) return convert_elements(to, from);
  // By way of a contiguous copy where the target lies, of the source's type.
  Tensor here = new_tensor(from.shape(), from.dtype(), to.device());
  copy_bytes(here, from.contiguous());
  if (to.device() == cpu()) runtime(from.device()).synchronize(from.device().index);
  convert_elements(to, here);
}

}  // namespace tern
