#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "tern/tensor/creation.h"
#include "tern/tensor/dlpack.h"

// What exchange_test.py calls through ctypes. A function that fails returns null, or 0, and leaves the text of its
// error.
namespace {

using tern::Tensor;

std::string text;
std::atomic<int> released{0};

#define EXPORT extern "C" __attribute__((visibility("default")))

template <class F>
auto guarded(F f) -> decltype(f()) {
  try {
    text.clear();
    return f();
  } catch (const std::exception& error) {
    text = error.what();
    return {};
  }
}

}  // namespace

EXPORT const char* error() { return text.c_str(); }
EXPORT int memory_released() { return released; }

// 0, 1, … 5 as [2, 3] of the named type, in memory that counts its release; a null pointer on an unknown name.
EXPORT void* make(const char* type) {
  return guarded([&]() -> void* {
    for (int i = 0; i < tern::kMaxDTypes; ++i) {
      const auto dtype = static_cast<tern::DType>(i);
      if (tern::name(dtype) != type) continue;
      auto* memory = new std::uint64_t[8];
      Tensor x = tern::from_blob(memory, {2, 3}, dtype,
                                 {.deleter =
                                      [](void* context) {
                                        delete[] static_cast<std::uint64_t*>(context);
                                        ++released;
                                      },
                                  .context = memory});
      x.copy_(tern::arange(6).reshape({2, 3}));
      return new Tensor(x);
    }
    return nullptr;
  });
}
EXPORT void* transposed(void* tensor) {
  return guarded([&]() -> void* { return new Tensor(static_cast<Tensor*>(tensor)->t()); });
}
EXPORT void drop(void* tensor) { delete static_cast<Tensor*>(tensor); }

EXPORT void* lend(void* tensor, int versioned) {
  return guarded([&]() -> void* {
    const Tensor& x = *static_cast<Tensor*>(tensor);
    return versioned ? static_cast<void*>(tern::to_dlpack(x)) : tern::to_dlpack_unversioned(x);
  });
}
// Of a capsule that nobody consumed.
EXPORT void give_back(void* managed, int versioned) {
  if (versioned) {
    auto* each = static_cast<tern::DlManagedTensorVersioned*>(managed);
    each->deleter(each);
  } else {
    auto* each = static_cast<tern::DlManagedTensor*>(managed);
    each->deleter(each);
  }
}
EXPORT void* take(void* managed, int versioned) {
  return guarded([&]() -> void* {
    return new Tensor(versioned ? tern::from_dlpack(static_cast<tern::DlManagedTensorVersioned*>(managed))
                                : tern::from_dlpack(static_cast<tern::DlManagedTensor*>(managed)));
  });
}

EXPORT int add_one(void* tensor) {
  return guarded([&] {
    static_cast<Tensor*>(tensor)->add_(1);
    return 1;
  });
}
// "f32 [2, 3]", then the elements in logical order.
EXPORT const char* describe(void* tensor) {
  return guarded([&]() -> const char* {
    const Tensor& x = *static_cast<Tensor*>(tensor);
    text = std::string(tern::name(x.dtype())) + " " + to_string(x.shape());
    for (const double value : x.to(tern::f64).to_vector<double>()) text += " " + std::to_string(value);
    return text.c_str();
  });
}
