#include <cublasLt.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>

#include "cuda/context.h"
#include "cuda/families.h"
#include "cuda/launch.h"
#include "slots/copy.h"
#include "slots/elementwise.h"
#include "slots/gemm.h"
#include "tern/base/error.h"

// Products by cuBLASLt, which is loaded when the first one is asked for: a program starts without it. Contract: f32 and
// f64 in their own type (no TF32), f16 and bf16 with sums in f32 and one rounding; the order of summation is
// cuBLASLt's, which depends on the shape, so a row alone may differ from its row in a batch within the op's tolerance.
// The bias is in the epilogue where cuBLASLt has one; it has none for f64. Activations follow: its relu is max(x, 0),
// which makes 0 of a NaN.
namespace tern::kernels::cuda {
namespace {

constexpr std::size_t kMostWorkspace = std::size_t{32} << 20;

/// The functions of the library that are used.
struct Library {
#define TERN_CUBLAS_LIST(X)               \
  X(cublasLtCreate)                       \
  X(cublasLtMatmul)                       \
  X(cublasLtMatmulDescCreate)             \
  X(cublasLtMatmulDescDestroy)            \
  X(cublasLtMatmulDescSetAttribute)       \
  X(cublasLtMatrixLayoutCreate)           \
  X(cublasLtMatrixLayoutDestroy)          \
  X(cublasLtMatrixLayoutSetAttribute)     \
  X(cublasLtMatmulPreferenceCreate)       \
  X(cublasLtMatmulPreferenceDestroy)      \
  X(cublasLtMatmulPreferenceSetAttribute) \
  X(cublasLtMatmulAlgoGetHeuristic)       \
  X(cublasLtGetStatusString)
#define TERN_MEMBER(name) decltype(&::name) name = nullptr;
  TERN_CUBLAS_LIST(TERN_MEMBER)
#undef TERN_MEMBER

  Library() {
    const std::string file = "libcublasLt.so." + std::to_string(CUBLAS_VER_MAJOR);
    void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) library = dlopen(("/usr/local/cuda/lib64/" + file).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      const char* why = dlerror();
      throw DeviceError("[matmul] expected " + file + " on the library path, got " + (why ? why : "none"));
    }
    const auto find = [&](auto& function, const char* name) {
      void* symbol = dlsym(library, name);
      if (!symbol) throw DeviceError("[matmul] expected " + std::string(name) + " in " + file + ", got none");
      function = reinterpret_cast<std::decay_t<decltype(function)>>(symbol);
    };
#define TERN_FIND(name) find(name, #name);
    TERN_CUBLAS_LIST(TERN_FIND)
#undef TERN_FIND
#undef TERN_CUBLAS_LIST
  }
};

const Library& library() {
  static const Library* const one = new Library;
  return *one;
}

void check_blas(cublasStatus_t status) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw DeviceError("[matmul] expected cuBLASLt to do its work, got " +
                    std::string(library().cublasLtGetStatusString(status)));
}

/// Destroyed with the scope.
template <class Handle, auto Destroy>
struct Owned {
  Handle handle = nullptr;
  ~Owned() {
    if (handle) (library().*Destroy)(handle);
  }
};
using Descriptor = Owned<cublasLtMatmulDesc_t, &Library::cublasLtMatmulDescDestroy>;
using MatrixLayout = Owned<cublasLtMatrixLayout_t, &Library::cublasLtMatrixLayoutDestroy>;
using Preference = Owned<cublasLtMatmulPreference_t, &Library::cublasLtMatmulPreferenceDestroy>;

cublasLtHandle_t handle_of(int device) {
  static std::mutex mutex;
  static auto& handles = *new std::map<int, cublasLtHandle_t>;  // calls may come from what outlives main
  const std::lock_guard lock(mutex);
  cublasLtHandle_t& handle = handles[device];
  if (!handle) check_blas(library().cublasLtCreate(&handle));
  return handle;
}

cudaDataType_t data_type(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return CUDA_R_64F;
    case DType::f32:
      return CUDA_R_32F;
    case DType::f16:
      return CUDA_R_16F;
    default:
      return CUDA_R_16BF;
  }
}

/// An operand as cuBLASLt is given it.
struct Operand {
  const char* data;
  Layout layout;
  std::int64_t rows, columns;  // row-major
  std::int64_t batch;          // elements from one of a batch to the next
};

/// What a choice of algorithm depends on.
using Key = std::tuple<int, int, int, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                       std::int64_t, std::uint32_t, std::int64_t, std::int64_t, std::int64_t>;

struct Product {
  DType dtype;
  Operand a, b;
  char* c;
  std::int64_t m, n, k, c_row, c_batch, count;
  bool accumulate;
  const void* bias;
};

template <class T>
void put(cublasLtMatmulDesc_t descriptor, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  check_blas(library().cublasLtMatmulDescSetAttribute(descriptor, attribute, &value, sizeof value));
}

/// An algorithm and the bytes that it works in.
struct Choice {
  cublasLtMatmulAlgo_t algorithm;
  std::size_t workspace;
};

constexpr std::size_t kMostChosen = 4096;

// Row-major m × n is column-major n × m, so B comes first. False when there is no algorithm with this epilogue: then
// nothing was done.
bool multiply(const Product& p) {
  const Library& lt = library();
  const Context on = context();
  cublasLtHandle_t const handle = handle_of(on.index);
  const bool wide = p.dtype == f64;
  const cublasComputeType_t compute = wide ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F;
  Descriptor descriptor;
  check_blas(lt.cublasLtMatmulDescCreate(&descriptor.handle, compute, wide ? CUDA_R_64F : CUDA_R_32F));
  const auto operation = [](const Operand& x) {
    return x.layout.kind == Layout::Kind::transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
  };
  put(descriptor.handle, CUBLASLT_MATMUL_DESC_TRANSA, operation(p.b));
  put(descriptor.handle, CUBLASLT_MATMUL_DESC_TRANSB, operation(p.a));
  if (p.bias) {
    put(descriptor.handle, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    put(descriptor.handle, CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
  }
  const auto lay = [&](MatrixLayout& layout, DType dtype, std::int64_t rows, std::int64_t columns, std::int64_t ld,
                       std::int64_t batch) {
    check_blas(lt.cublasLtMatrixLayoutCreate(&layout.handle, data_type(dtype), static_cast<std::uint64_t>(rows),
                                             static_cast<std::uint64_t>(columns), ld));
    if (p.count == 1) return;
    const auto count = static_cast<std::int32_t>(p.count);
    check_blas(
        lt.cublasLtMatrixLayoutSetAttribute(layout.handle, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count));
    check_blas(lt.cublasLtMatrixLayoutSetAttribute(layout.handle, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &batch,
                                                   sizeof batch));
  };
  const auto lay_operand = [&](MatrixLayout& layout, const Operand& x) {
    const bool turned = x.layout.kind == Layout::Kind::transposed;
    lay(layout, p.dtype, turned ? x.rows : x.columns, turned ? x.columns : x.rows, x.layout.ld, x.batch);
  };
  MatrixLayout a, b, c;
  lay_operand(a, p.a);
  lay_operand(b, p.b);
  lay(c, p.dtype, p.n, p.m, p.c_row, p.c_batch);

  // The alignment that all operands have, up to 256, tells which algorithms may serve: it is part of the key, and all
  // that the choice is told of each.
  const auto address = [](const void* x) { return reinterpret_cast<std::uintptr_t>(x); };
  const auto bits = address(p.a.data) | address(p.b.data) | address(p.c) | address(p.bias) | 256;
  const auto aligned = static_cast<std::uint32_t>(bits & (~bits + 1));
  const int type = static_cast<int>(p.dtype);
  const int kinds = (operation(p.a) == CUBLAS_OP_T) + 2 * (operation(p.b) == CUBLAS_OP_T) + 4 * (p.bias != nullptr) +
                    8 * p.accumulate;
  const Key key{on.index,      type,    kinds,   p.m,     p.n,       p.k,      p.a.layout.ld,
                p.b.layout.ld, p.c_row, aligned, p.count, p.a.batch, p.b.batch};
  static std::mutex mutex;
  static auto& chosen = *new std::map<Key, std::optional<Choice>>;
  std::optional<Choice> choice;
  {
    const std::lock_guard lock(mutex);
    const auto found = chosen.find(key);
    if (found != chosen.end()) {
      choice = found->second;
    } else {
      Preference preference;
      check_blas(lt.cublasLtMatmulPreferenceCreate(&preference.handle));
      const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
        check_blas(lt.cublasLtMatmulPreferenceSetAttribute(preference.handle, attribute, &value, sizeof value));
      };
      prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kMostWorkspace);
      for (const auto attribute :
           {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
            CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
        prefer(attribute, aligned);
      }
      // Parts of a sum over k meet in the type of the sums: in a narrower result's they would be rounded before that.
      std::uint32_t scheme = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
      if (!is_half(p.dtype)) scheme |= CUBLASLT_REDUCTION_SCHEME_INPLACE;
      prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, scheme);
      cublasLtMatmulHeuristicResult_t result{};
      int got = 0;
      cublasStatus_t status = lt.cublasLtMatmulAlgoGetHeuristic(handle, descriptor.handle, b.handle, a.handle, c.handle,
                                                                c.handle, preference.handle, 1, &result, &got);
      if (status == CUBLAS_STATUS_SUCCESS) status = got > 0 ? result.state : CUBLAS_STATUS_NOT_SUPPORTED;
      if (status == CUBLAS_STATUS_SUCCESS) choice = {result.algo, result.workspaceSize};
      if (!choice && !p.bias) check_blas(status);
      if (chosen.size() >= kMostChosen) chosen.clear();
      chosen.emplace(key, choice);
    }
  }
  if (!choice) return false;
  const double one = 1, none = 0;
  const float one_f = 1, none_f = 0;
  const void* alpha = wide ? static_cast<const void*>(&one) : &one_f;
  const void* beta = p.accumulate ? alpha : wide ? static_cast<const void*>(&none) : &none_f;
  // The call's own: an algorithm of several kernels leaves partial sums there, between which another thread's product
  // may stand in the queue.
  const Scratch workspace(choice->workspace);
  check_blas(lt.cublasLtMatmul(handle, descriptor.handle, alpha, p.b.data, b.handle, p.a.data, a.handle, beta, p.c,
                               c.handle, p.c, c.handle, &choice->algorithm, workspace.as<void>(), choice->workspace,
                               on.stream));
  return true;
}

// The elements of a batch dimension's operand in rows, for strides that cuBLASLt does not know.
void pack(DType dtype, const Operand& x, std::int64_t row_step, std::int64_t column_step, void* to) {
  Loop loop{};
  loop.dims = 2;
  loop.numel = x.rows * x.columns;
  loop.sizes[0] = x.rows;
  loop.sizes[1] = x.columns;
  loop.strides[0][0] = x.columns;
  loop.strides[0][1] = 1;
  loop.strides[1][0] = row_step;
  loop.strides[1][1] = column_step;
  loop.data[0] = static_cast<char*>(to);
  loop.data[1] = const_cast<char*>(x.data);
  convert(device_of_call(), dtype, loop, dtype);
}

// y = f(y + bias) over C, where the epilogue does not do it.
void finish(DType dtype, const GemmArgs& args, char* c, bool with_bias, Activation activation) {
  Loop loop{};
  loop.dims = 2;
  loop.numel = args.m * args.n;
  loop.sizes[0] = args.m;
  loop.sizes[1] = args.n;
  for (int k : {0, 1}) {
    loop.strides[k][0] = args.c_row;
    loop.strides[k][1] = 1;
    loop.data[k] = c;
  }
  if (!with_bias && args.c_row == args.n) {
    loop.dims = 1;
    loop.sizes[0] = loop.numel;
    loop.strides[0][0] = loop.strides[1][0] = 1;
  }
  if (with_bias) {
    loop.strides[2][1] = 1;
    loop.data[2] = static_cast<char*>(const_cast<void*>(args.bias));
    binary_add(device_of_call(), dtype, loop);
  }
  switch (activation) {
    case Activation::relu:
      return unary_relu(device_of_call(), dtype, loop);
    case Activation::tanh:
      return unary_tanh(device_of_call(), dtype, loop);
    case Activation::sigmoid:
      return unary_sigmoid(device_of_call(), dtype, loop);
    case Activation::none:
      return;
  }
}

// One product, or `count` of them whose operands lie evenly apart.
void run(DType dtype, const GemmArgs& args, const char* a, const char* b, char* c, std::int64_t count,
         std::int64_t a_batch, std::int64_t b_batch) {
  Product p{dtype,
            {a, layout_of(args.m, args.k, args.a_row, args.a_column), args.m, args.k, a_batch},
            {b, layout_of(args.k, args.n, args.b_row, args.b_column), args.k, args.n, b_batch},
            c,
            args.m,
            args.n,
            args.k,
            std::max(args.c_row, args.n),
            args.c_batch,
            count,
            args.accumulate,
            nullptr};
  const auto width = static_cast<std::int64_t>(size_of(dtype));
  const auto packed = [](const Operand& x) { return x.layout.kind == Layout::Kind::packed; };
  if (count > 1 && (packed(p.a) || packed(p.b) || count > INT32_MAX)) {
    for (std::int64_t i = 0; i < count; ++i) {
      run(dtype, args, a + i * a_batch * width, b + i * b_batch * width, c + i * args.c_batch * width, 1, 0, 0);
    }
    return;
  }
  const Scratch of_a(packed(p.a) ? static_cast<std::size_t>(args.m * args.k * width) : 0);
  const Scratch of_b(packed(p.b) ? static_cast<std::size_t>(args.k * args.n * width) : 0);
  if (packed(p.a)) {
    pack(dtype, p.a, args.a_row, args.a_column, of_a.as<void>());
    p.a.data = of_a.as<char>();
    p.a.layout = {Layout::Kind::plain, std::max<std::int64_t>(args.k, 1)};
  }
  if (packed(p.b)) {
    pack(dtype, p.b, args.b_row, args.b_column, of_b.as<void>());
    p.b.data = of_b.as<char>();
    p.b.layout = {Layout::Kind::plain, std::max<std::int64_t>(args.n, 1)};
  }
  p.bias = dtype != f64 && count == 1 ? args.bias : nullptr;
  if (!multiply(p)) {
    p.bias = nullptr;
    multiply(p);
  }
  const bool bias_left = args.bias && !p.bias;
  if (count == 1 && (bias_left || args.activation != Activation::none)) {
    finish(dtype, args, c, bias_left, args.activation);
  }
}

void product(DType dtype, const GemmArgs& args) {
  if (args.m == 0 || args.n == 0) return;
  const auto width = static_cast<std::int64_t>(size_of(dtype));
  const auto* a = static_cast<const char*>(args.a);
  const auto* b = static_cast<const char*>(args.b);
  auto* c = static_cast<char*>(args.c);
  std::int64_t products = 1;
  for (int d = 0; d < args.batch_dims; ++d) products *= args.batch_sizes[d];
  if (products == 0) return;
  if (args.k == 0) {
    const Device device = device_of_call();
    for (std::int64_t i = 0; i < products; ++i, c += args.c_batch * width) {
      Loop loop{};
      loop.dims = 2;
      loop.numel = args.m * args.n;
      loop.sizes[0] = args.m;
      loop.sizes[1] = args.n;
      loop.strides[0][0] = args.c_row;
      loop.strides[0][1] = 1;
      loop.data[0] = c;
      if (!args.accumulate) fill(device, dtype, loop, 0);
      if (args.bias || args.activation != Activation::none) finish(dtype, args, c, args.bias, args.activation);
    }
    return;
  }
  if (args.batch_dims == 0) return run(dtype, args, a, b, c, 1, 0, 0);
  // The last batch dimension as one call, the others, as far as they do not go on from it, one after the other.
  const Batch batch = batch_of(args.batch_dims, args.batch_sizes, args.a_batch, args.b_batch);
  const std::int64_t count = batch.sizes[0];
  for (std::int64_t o = 0; o < products / count; ++o) {
    std::int64_t rest = o, a_offset = 0, b_offset = 0;
    for (int d = 1; d < batch.dims; ++d) {
      const std::int64_t at = rest % batch.sizes[d];
      rest /= batch.sizes[d];
      a_offset += at * batch.a[d];
      b_offset += at * batch.b[d];
    }
    run(dtype, args, a + a_offset * width, b + b_offset * width, c + o * count * args.c_batch * width, count,
        batch.a[0], batch.b[0]);
  }
}

template <DType dtype>
void kernel(const GemmArgs& args) {
  product(dtype, args);
}

}  // namespace

void register_gemm() {
  kernels::gemm.set(DeviceKind::cuda, f32, &kernel<DType::f32>);
  kernels::gemm.set(DeviceKind::cuda, f64, &kernel<DType::f64>);
  kernels::gemm.set(DeviceKind::cuda, f16, &kernel<DType::f16>);
  kernels::gemm.set(DeviceKind::cuda, bf16, &kernel<DType::bf16>);
}

}  // namespace tern::kernels::cuda
