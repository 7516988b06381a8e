#pragma once

#include <cstdint>

#include "tern/base/export.h"
#include "tern/tensor/tensor.h"

// Exchange of tensors without a copy, by DLPack 1.1 (https://dmlc.github.io/dlpack/latest/). The structures have the
// layout of that specification, so a pointer to one may be cast to and from what another library calls it.
namespace tern {

struct DlVersion {
  std::uint32_t major, minor;
};

struct DlDevice {
  std::int32_t type;  ///< 1: CPU
  std::int32_t id;
};

/// Codes: 0 signed, 1 unsigned, 2 floating, 4 bfloat, 6 boolean.
struct DlDataType {
  std::uint8_t code, bits;
  std::uint16_t lanes;
};

struct DlTensor {
  void* data;
  DlDevice device;
  std::int32_t ndim;
  DlDataType dtype;
  std::int64_t* shape;
  std::int64_t* strides;  ///< in elements; null: contiguous
  std::uint64_t byte_offset;
};

/// DLPack before 1.0, a capsule "dltensor" in Python: without flags.
struct DlManagedTensor {
  DlTensor tensor;
  void* context;
  void (*deleter)(DlManagedTensor*);
};

inline constexpr std::uint64_t kDlReadOnly = 1;

/// DLPack from 1.0 on, a capsule "dltensor_versioned" in Python.
struct DlManagedTensorVersioned {
  DlVersion version;
  void* context;
  void (*deleter)(DlManagedTensorVersioned*);
  std::uint64_t flags;
  DlTensor tensor;
};

/// The tensor's memory, strides and type for another library, which calls the deleter once, from any thread; the memory
/// stays until then. Read-only memory is flagged. Throws StateError on a tensor that needs a gradient: detach() it;
/// DeviceError unless it lies on the CPU.
TERN_API DlManagedTensorVersioned* to_dlpack(const Tensor& x);
/// The same for libraries that know DLPack before 1.0; throws StateError on read-only memory too, which it cannot flag.
TERN_API DlManagedTensor* to_dlpack_unversioned(const Tensor& x);

/// A tensor over another library's memory on the CPU; its deleter is called once, when the last tensor over it is gone,
/// from whichever thread lets go. A tensor of Tern's that comes home as it was lent lies in its own memory again, and
/// what saved one sees writes to the other. Writes to memory flagged read-only throw StateError. Throws ValueError on a
/// null pointer, another device, another major version, unaligned memory, booleans of other bytes than 0 and 1, or
/// negative strides, which Tern's tensors do not have (nor do PyTorch's): such a tensor is to be copied by its owner.
/// Throws DTypeError on a type that Tern lacks, ShapeError on a shape that it cannot hold; the caller then still owns
/// `managed`.
TERN_API Tensor from_dlpack(DlManagedTensorVersioned* managed);
TERN_API Tensor from_dlpack(DlManagedTensor* managed);

}  // namespace tern
