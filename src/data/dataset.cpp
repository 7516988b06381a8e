#include "tern/data/dataset.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/tensor/creation.h"

namespace tern::data {
namespace {

const Tensor* find(const std::vector<NamedTensor>& tensors, std::string_view name) {
  for (const auto& [known, tensor] : tensors) {
    if (known == name) return &tensor;
  }
  return nullptr;
}

const Tensor& need(const std::vector<NamedTensor>& tensors, std::string_view name, const char* where) {
  if (const Tensor* tensor = find(tensors, name)) return *tensor;
  std::string names;
  for (const auto& [known, tensor] : tensors) names.append(names.empty() ? "" : ", ").append(known);
  throw ValueError(std::string("[") + where + "] expected a tensor \"" + std::string(name) + "\", got " +
                   (names.empty() ? "none" : names));
}

template <class T>
Tensor gathered(const Tensor& from, std::span<const std::int64_t> rows) {
  Shape shape = from.shape();
  const std::int64_t row = shape[0] == 0 ? 0 : from.numel() / shape[0];
  shape[0] = static_cast<std::int64_t>(rows.size());
  Tensor result = empty(shape, from.dtype());
  if (row == 0) return result;
  const T* source = from.span<T>().data();
  T* target = result.mutable_span<T>().data();
  const std::size_t bytes = static_cast<std::size_t>(row) * sizeof(T);
  constexpr std::size_t worth_a_thread = std::size_t{1} << 18;  // bytes
  const auto grain = static_cast<std::int64_t>(std::max<std::size_t>(1, worth_a_thread / bytes));
  parallel_for(shape[0], grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::memcpy(target + i * row, source + rows[static_cast<std::size_t>(i)] * row, bytes);
    }
  });
  return result;
}

Tensor gather(const Tensor& from, std::span<const std::int64_t> rows) {
  switch (from.dtype()) {
    case DType::f64:
      return gathered<double>(from, rows);
    case DType::f32:
      return gathered<float>(from, rows);
    case DType::f16:
      return gathered<Half>(from, rows);
    case DType::bf16:
      return gathered<BFloat16>(from, rows);
    case DType::i32:
      return gathered<std::int32_t>(from, rows);
    case DType::i64:
      return gathered<std::int64_t>(from, rows);
    case DType::u8:
      return gathered<std::uint8_t>(from, rows);
    case DType::boolean:
      return gathered<bool>(from, rows);
  }
  throw DTypeError("[Dataset] expected a known element type, got " + std::string(name(from.dtype())));
}

}  // namespace

Batch::Batch() = default;
Batch::Batch(const Batch& other) = default;
Batch::Batch(Batch&& other) noexcept = default;
Batch& Batch::operator=(const Batch& other) = default;
Batch& Batch::operator=(Batch&& other) noexcept = default;
Batch::~Batch() = default;

Batch::Batch(std::vector<NamedTensor> tensors, std::vector<std::int64_t> indices)
    : tensors_(std::move(tensors)), indices_(std::move(indices)) {}

bool Batch::has(std::string_view name) const { return find(tensors_, name) != nullptr; }
const Tensor& Batch::operator[](std::string_view name) const { return need(tensors_, name, "Batch"); }

Batch Batch::to(Device device) const {
  Batch moved = *this;
  for (NamedTensor& named : moved.tensors_) named.second = named.second.to(device);
  return moved;
}

Dataset::Dataset() = default;
Dataset::Dataset(const Dataset& other) = default;
Dataset::Dataset(Dataset&& other) noexcept = default;
Dataset& Dataset::operator=(const Dataset& other) = default;
Dataset& Dataset::operator=(Dataset&& other) noexcept = default;
Dataset::~Dataset() = default;

Dataset::Dataset(const std::vector<NamedTensor>& tensors) {
  if (!tensors.empty() && tensors[0].second.dim() > 0) {
    row_ids_.resize(static_cast<std::size_t>(tensors[0].second.size(0)));
    std::iota(row_ids_.begin(), row_ids_.end(), std::int64_t{0});
  }
  for (const auto& [name, tensor] : tensors) {
    if (has(name)) throw ValueError("[Dataset] expected distinct names, got \"" + name + "\" again");
    set(name, tensor);
  }
}

Dataset::Dataset(const Tensor& x, std::vector<std::string> feature_names, std::vector<std::int64_t> row_ids)
    : feature_names_(std::move(feature_names)), row_ids_(std::move(row_ids)) {
  set("x", x);
  const auto named = static_cast<std::int64_t>(feature_names_.size());
  if (x.dim() != 2 || x.size(1) != named) {
    throw ShapeError("[Dataset] expected x [rows, " + std::to_string(named) + "], got " + to_string(x.shape()));
  }
}

Dataset::Dataset(const Tensor& x, std::vector<std::string> feature_names, std::vector<std::int64_t> row_ids,
                 Column target)
    : Dataset(x, std::move(feature_names), std::move(row_ids)) {
  has_target_ = true;
  target_ = std::move(target);
  if (target_.size() != rows()) {
    throw ShapeError("[Dataset] expected a target of " + std::to_string(rows()) + " rows, got " +
                     std::to_string(target_.size()));
  }
}

std::span<const float> Dataset::features() const { return x().span<float>(); }

std::int64_t Dataset::width() const {
  const Tensor* x = find(tensors_, "x");
  return x && x->dim() == 2 ? x->size(1) : 0;
}

const Column& Dataset::target() const {
  if (!has_target_) throw StateError("[Dataset] expected rows with a target, got rows without one");
  return target_;
}

bool Dataset::has(std::string_view name) const { return find(tensors_, name) != nullptr; }
const Tensor& Dataset::operator[](std::string_view name) const { return need(tensors_, name, "Dataset"); }

Dataset& Dataset::set(std::string name, const Tensor& tensor) {
  if (name.empty()) throw ValueError("[Dataset] expected a name for a tensor, got an empty one");
  if (tensor.dim() == 0 || tensor.size(0) != rows()) {
    throw ShapeError("[Dataset] expected \"" + name + "\" with " + std::to_string(rows()) +
                     " rows in its first dimension, got " + to_string(tensor.shape()));
  }
  Tensor kept = tensor.detach().contiguous();
  for (auto& [known, old] : tensors_) {
    if (known != name) continue;
    old = std::move(kept);
    return *this;
  }
  tensors_.emplace_back(std::move(name), std::move(kept));
  return *this;
}

Batch Dataset::batch(std::span<const std::int64_t> indices) const {
  for (const std::int64_t i : indices) {
    if (i < 0 || i >= rows()) {
      throw IndexError("[Dataset] expected rows in [0, " + std::to_string(rows()) + "), got " + std::to_string(i));
    }
  }
  std::vector<NamedTensor> tensors;
  tensors.reserve(tensors_.size());
  for (const auto& [name, tensor] : tensors_) tensors.emplace_back(name, gather(tensor, indices));
  return Batch(std::move(tensors), {indices.begin(), indices.end()});
}

Dataset Dataset::take(std::span<const std::int64_t> indices) const {
  Dataset result;
  result.tensors_ = batch(indices).tensors();
  result.feature_names_ = feature_names_;
  for (const std::int64_t i : indices) result.row_ids_.push_back(row_ids_[static_cast<std::size_t>(i)]);
  result.has_target_ = has_target_;
  if (has_target_) result.target_ = target_.take(indices);
  return result;
}

}  // namespace tern::data
