#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <thread>

#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/ops/reduce.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/dlpack.h"

// Tensors over memory of others, and memory lent to others.
namespace tern {
namespace {

using Floats = std::vector<float>;

// The layout of the specification on a 64-bit machine.
static_assert(sizeof(DlDataType) == 4 && sizeof(DlDevice) == 8 && sizeof(DlTensor) == 48);
static_assert(offsetof(DlTensor, device) == 8 && offsetof(DlTensor, ndim) == 16 && offsetof(DlTensor, dtype) == 20 &&
              offsetof(DlTensor, shape) == 24 && offsetof(DlTensor, strides) == 32 &&
              offsetof(DlTensor, byte_offset) == 40);
static_assert(offsetof(DlManagedTensor, context) == 48 && offsetof(DlManagedTensor, deleter) == 56);
static_assert(offsetof(DlManagedTensorVersioned, context) == 8 && offsetof(DlManagedTensorVersioned, deleter) == 16 &&
              offsetof(DlManagedTensorVersioned, flags) == 24 && offsetof(DlManagedTensorVersioned, tensor) == 32);

// Another library's tensor: counts how often it is given back.
template <class Managed>
struct Other {
  Managed managed{};
  std::vector<float> memory{0, 1, 2, 3, 4, 5, 6, 7};
  std::int64_t shape[9] = {2, 3, 1, 1, 1, 1, 1, 1, 1}, strides[9] = {4, 1, 1, 1, 1, 1, 1, 1, 1};
  std::atomic<int> returned{0};

  Other() {
    managed.tensor = {memory.data(), {1, 0}, 2, {2, 32, 1}, shape, strides, 4};
    managed.context = this;
    managed.deleter = [](Managed* m) { ++static_cast<Other*>(m->context)->returned; };
    if constexpr (std::is_same_v<Managed, DlManagedTensorVersioned>) managed.version = {1, 0};
  }
};

template <class Managed>
class Dlpack : public ::testing::Test {};
using Forms = ::testing::Types<DlManagedTensor, DlManagedTensorVersioned>;
TYPED_TEST_SUITE(Dlpack, Forms);

TYPED_TEST(Dlpack, TensorOverAnothersMemory) {
  Other<TypeParam> other;
  Tensor row;
  {
    Tensor x = from_dlpack(&other.managed);
    EXPECT_EQ(x.shape(), (Shape{2, 3}));
    EXPECT_EQ(x.to_vector<float>(), (Floats{1, 2, 3, 5, 6, 7}));
    EXPECT_FALSE(x.is_contiguous());
    other.memory[1] = -1;
    EXPECT_EQ(x[0][0].template item<float>(), -1);
    x.mul_(2);
    EXPECT_EQ(other.memory, (Floats{0, -2, 4, 6, 4, 10, 12, 14}));
    EXPECT_EQ(sum(x).template item<float>(), 44);
    row = x[1];
  }
  EXPECT_EQ(other.returned, 0);
  std::thread([&] { row = Tensor(); }).join();
  EXPECT_EQ(other.returned, 1);
}

TYPED_TEST(Dlpack, NoStridesMeansContiguousAndNoDeleterIsFine) {
  Other<TypeParam> other;
  other.managed.tensor.strides = nullptr;
  other.managed.deleter = nullptr;
  const Tensor x = from_dlpack(&other.managed);
  EXPECT_EQ(x.to_vector<float>(), (Floats{1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(x.is_contiguous());
}

TYPED_TEST(Dlpack, NoElementsAndNoDimensions) {
  Other<TypeParam> other;
  other.managed.tensor.ndim = 0;
  EXPECT_EQ(from_dlpack(&other.managed).template item<float>(), 1);
  other.managed.tensor.ndim = 2;
  other.shape[1] = 0;
  other.managed.tensor.data = nullptr;
  EXPECT_EQ(from_dlpack(&other.managed).numel(), 0);
  EXPECT_EQ(other.returned, 2);
}

TYPED_TEST(Dlpack, RefusesWhatItCannotHoldAndLeavesItToTheCaller) {
  const auto refused = [](auto change, auto kind) {
    Other<TypeParam> other;
    change(other);
    EXPECT_THROW(from_dlpack(&other.managed), decltype(kind));
    EXPECT_EQ(other.returned, 0);
  };
  const ValueError value("");
  refused([](auto& o) { o.managed.tensor.device.type = 2; }, value);
  refused([](auto& o) { o.managed.tensor.data = nullptr; }, value);
  refused([](auto& o) { o.managed.tensor.byte_offset = 2; }, value);
  refused([](auto& o) { o.strides[0] = -4; }, value);
  refused([](auto& o) { o.strides[0] = INT64_MAX; }, value);
  refused([](auto& o) { o.managed.tensor.dtype.lanes = 4; }, DTypeError(""));
  refused([](auto& o) { o.managed.tensor.dtype = {5, 64, 1}; }, DTypeError(""));
  refused([](auto& o) { o.managed.tensor.dtype.bits = 128; }, DTypeError(""));
  refused([](auto& o) { o.shape[0] = -1; }, ShapeError(""));
  refused([](auto& o) { o.shape[0] = o.shape[1] = std::int64_t{1} << 40; }, ShapeError(""));
  refused([](auto& o) { o.managed.tensor.ndim = 9; }, ShapeError(""));
  refused([](auto& o) { o.managed.tensor.ndim = -1; }, ShapeError(""));
  EXPECT_THROW(from_dlpack(static_cast<TypeParam*>(nullptr)), ValueError);
  try {
    Other<TypeParam> other;
    other.managed.tensor.dtype = {5, 64, 1};
    from_dlpack(&other.managed);
  } catch (const DTypeError& error) {
    EXPECT_STREQ(error.what(),
                 "[from_dlpack] expected f64, f32, f16, bf16, i64, i32, u8 or bool, got code 5 of 64 bits and 1 lanes");
  }
}

template <class Managed>
Managed* lend(const Tensor& x) {
  if constexpr (std::is_same_v<Managed, DlManagedTensor>) {
    return to_dlpack_unversioned(x);
  } else {
    return to_dlpack(x);
  }
}

TYPED_TEST(Dlpack, LendsMemoryStridesAndType) {
  struct Expected {
    DType dtype;
    int code, bits;
  };
  for (const auto& [dtype, code, bits] :
       {Expected{f64, 2, 64}, Expected{f32, 2, 32}, Expected{f16, 2, 16}, Expected{bf16, 4, 16}, Expected{i64, 0, 64},
        Expected{i32, 0, 32}, Expected{u8, 1, 8}, Expected{boolean, 6, 8}}) {
    SCOPED_TRACE(name(dtype));
    Tensor x = tensor({{1, 0, 3}, {0, 5, 6}}).to(dtype);
    const Tensor values = x.to(f32).t().contiguous();
    auto* managed = lend<TypeParam>(x.t());
    EXPECT_EQ(managed->tensor.dtype.code, code);
    EXPECT_EQ(managed->tensor.dtype.bits, bits);
    EXPECT_EQ(managed->tensor.dtype.lanes, 1);
    EXPECT_EQ(managed->tensor.device.type, 1);
    EXPECT_EQ(managed->tensor.ndim, 2);
    EXPECT_EQ(managed->tensor.shape[0], 3);
    EXPECT_EQ(managed->tensor.strides[0], 1);
    EXPECT_EQ(managed->tensor.strides[1], 3);
    x = Tensor();  // the memory stays
    Tensor back = from_dlpack(managed);
    EXPECT_EQ(name(back.dtype()), name(dtype));
    EXPECT_EQ(back.to(f32).to_vector<float>(),
              dtype == boolean ? (Floats{1, 0, 0, 1, 1, 1}) : values.to_vector<float>());
    std::thread([&] { back = Tensor(); }).join();
  }
  auto* managed = lend<TypeParam>(zeros({2, 0}));
  EXPECT_EQ(managed->tensor.shape[1], 0);
  managed->deleter(managed);
  EXPECT_THROW(lend<TypeParam>(zeros({2}).requires_grad_()), StateError);
  EXPECT_THROW(lend<TypeParam>(Tensor()), StateError);
}

TYPED_TEST(Dlpack, ATensorThatComesHomeCountsWrites) {
  const Tensor w = ones({2}).requires_grad_();
  Tensor x = ones({2});
  for (const bool lent_is_written : {false, true}) {
    Tensor y = from_dlpack(lend<TypeParam>(x));
    const Tensor z = sum(w * (lent_is_written ? y : x));
    (lent_is_written ? x : y).zero_();
    EXPECT_THROW(z.backward(), StateError);
  }
  // A read-only tensor stays one, and what another changed on the way is taken as it says.
  float memory[2] = {1, 2};
  Tensor fixed = from_dlpack(to_dlpack(from_blob(memory, {2}, f32, {.read_only = true})));
  EXPECT_THROW(fixed.zero_(), StateError);
  auto* managed = lend<TypeParam>(from_vector(Floats{1, 2, 3, 4}, {2, 2}));
  managed->tensor.ndim = 1;
  EXPECT_EQ(from_dlpack(managed).template to_vector<float>(), (Floats{1, 3}));
}

TYPED_TEST(Dlpack, BooleansAreBytesOfZeroAndOne) {
  Other<TypeParam> other;
  auto* bytes = reinterpret_cast<unsigned char*>(other.memory.data());
  std::memset(bytes, 2, 8);
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<unsigned char>(i % 2);
  other.managed.tensor.dtype = {6, 8, 1};
  other.managed.tensor.byte_offset = 0;
  other.managed.tensor.ndim = 1;
  other.shape[0] = 5;
  other.strides[0] = 1;
  EXPECT_THROW(from_dlpack(&other.managed), ValueError);
  EXPECT_EQ(other.returned, 0);
  other.shape[0] = 4;
  EXPECT_EQ(sum(from_dlpack(&other.managed)).template item<int>(), 2);
  other.shape[0] = 2;
  other.strides[0] = 3;
  EXPECT_EQ(sum(from_dlpack(&other.managed)).template item<int>(), 1);
  other.shape[0] = 0;
  EXPECT_EQ(from_dlpack(&other.managed).numel(), 0);
  EXPECT_EQ(other.returned, 3);
}

TEST(DlpackVersions, AnotherMajorVersionIsRefused) {
  Other<DlManagedTensorVersioned> other;
  other.managed.version = {2, 0};
  EXPECT_THROW(from_dlpack(&other.managed), ValueError);
  EXPECT_EQ(other.returned, 0);
  other.managed.version = {1, 9};
  EXPECT_NO_THROW(from_dlpack(&other.managed));
  auto* managed = to_dlpack(zeros({1}));
  EXPECT_EQ(managed->version.major, 1u);
  EXPECT_EQ(managed->flags, 0u);
  managed->deleter(managed);
}

TEST(DlpackVersions, ReadOnlyMemoryIsReadOnly) {
  Other<DlManagedTensorVersioned> other;
  other.managed.flags = kDlReadOnly;
  Tensor x = from_dlpack(&other.managed);
  EXPECT_EQ((x + 1).to_vector<float>(), (Floats{2, 3, 4, 6, 7, 8}));
  EXPECT_THROW(x.add_(1), StateError);
  EXPECT_THROW(x[0].fill_(1), StateError);
  EXPECT_THROW(x[0].mutable_span<float>(), StateError);
  EXPECT_THROW(zeros({2, 3}).requires_grad_().set_grad(x), StateError);
  EXPECT_THROW(to_dlpack_unversioned(x), StateError);
  auto* managed = to_dlpack(x.t());
  EXPECT_EQ(managed->flags, kDlReadOnly);
  managed->deleter(managed);
  EXPECT_NO_THROW(x.clone().add_(1));
  EXPECT_EQ(other.memory[1], 1);
}

TEST(FromBlob, SharesTheCallersMemory) {
  std::vector<double> memory{1, 2, 3, 4, 5, 6};
  int returned = 0;
  {
    Tensor x = from_blob(memory.data(), {2, 3}, f64,
                         {.deleter = [](void* count) { ++*static_cast<int*>(count); }, .context = &returned});
    EXPECT_EQ(x.to_vector<double>(), memory);
    x[1].fill_(0);
    EXPECT_EQ(memory, (std::vector<double>{1, 2, 3, 0, 0, 0}));
    const Tensor view = x.t();
    EXPECT_EQ(returned, 0);
  }
  EXPECT_EQ(returned, 1);
  EXPECT_EQ(from_blob(memory.data(), {3, 2}, f64, {.strides = {1, 3}}).to_vector<double>(),
            (std::vector<double>{1, 0, 2, 0, 3, 0}));
  // Rows that overlap can be read, but not written one by one.
  Tensor rows = from_blob(memory.data(), {2, 3}, f64, {.strides = {1, 1}});
  EXPECT_EQ(rows[1][0].item<double>(), rows[0][1].item<double>());
  EXPECT_THROW(rows.add_(1), ValueError);
  from_blob(memory.data(), {2, 2}, f64, {.strides = {3, 1}}).add_(0);
  Tensor fixed = from_blob(memory.data(), {6}, f64, {.read_only = true});
  EXPECT_THROW(fixed.zero_(), StateError);
  EXPECT_EQ(from_blob(nullptr, {0, 3}).numel(), 0);
}

TEST(FromBlob, GradientsOfTensorsOverTheCallersMemory) {
  Floats memory{1, 2, 3}, gradient{7, 7, 7};
  Tensor x = from_blob(memory.data(), {3}).requires_grad_();
  x.set_grad_buffer(from_blob(gradient.data(), {3}));
  sum(x * x).backward();
  EXPECT_EQ(gradient, (Floats{2, 4, 6}));
  const Tensor y = x * x;
  x.detach().fill_(5);
  EXPECT_THROW(sum(y).backward(), StateError);  // a write to what backward needs is seen
}

TEST(FromBlob, RefusesWithoutCallingTheDeleter) {
  alignas(8) char memory[64] = {};
  const BlobOptions options{.deleter = [](void*) { ADD_FAILURE() << "the deleter was called"; }};
  EXPECT_THROW(from_blob(nullptr, {1}, f32, options), ValueError);
  EXPECT_THROW(from_blob(memory + 2, {1}, f32, options), ValueError);
  EXPECT_NO_THROW(from_blob(memory + 2, {1}, f16));
  EXPECT_THROW(from_blob(memory, {-1}, f32, options), ShapeError);
  EXPECT_THROW(from_blob(memory, {2, 2}, f32, {.strides = {1}, .deleter = options.deleter}), ShapeError);
  EXPECT_THROW(from_blob(memory, {2}, f32, {.strides = {-1}, .deleter = options.deleter}), ValueError);
}

}  // namespace
}  // namespace tern
