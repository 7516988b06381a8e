#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tern/base/error.h"
#include "tern/nn/activations.h"
#include "tern/nn/embedding.h"
#include "tern/nn/linear.h"
#include "tern/nn/norm.h"

// The recorded options of Tern's own modules: each is named once here, for writing and for reading. The element type is
// recorded once for a whole architecture, so it is not among them.
namespace tern::nn::internal {

template <class F>
void fields(LinearOptions& o, F&& f) {
  f("in", o.in);
  f("out", o.out);
  f("bias", o.bias);
}
template <class F>
void fields(EmbeddingOptions& o, F&& f) {
  f("count", o.count);
  f("width", o.width);
  f("padding", o.padding);
  f("sparse", o.sparse);
}
template <class F>
void fields(GeluOptions& o, F&& f) {
  f("tanh", o.tanh);
}
template <class F>
void fields(EluOptions& o, F&& f) {
  f("alpha", o.alpha);
}
template <class F>
void fields(CeluOptions& o, F&& f) {
  f("alpha", o.alpha);
}
template <class F>
void fields(HardtanhOptions& o, F&& f) {
  f("low", o.low);
  f("high", o.high);
}
template <class F>
void fields(ThresholdOptions& o, F&& f) {
  f("bound", o.bound);
  f("value", o.value);
}
template <class F>
void fields(PreluOptions& o, F&& f) {
  f("count", o.count);
  f("initial", o.initial);
}
template <class F>
void fields(SoftmaxOptions& o, F&& f) {
  f("dim", o.dim);
}
template <class F>
void fields(GluOptions& o, F&& f) {
  f("dim", o.dim);
}
template <class F>
void fields(LayerNormOptions& o, F&& f) {
  f("size", o.shape);
  f("eps", o.eps);
  f("affine", o.affine);
  f("bias", o.bias);
}
template <class F>
void fields(RmsNormOptions& o, F&& f) {
  f("size", o.shape);
  f("eps", o.eps);
  f("affine", o.affine);
}
template <class F>
void fields(LeakyReluOptions& o, F&& f) {
  f("slope", o.slope);
}
template <class F>
void fields(DropoutOptions& o, F&& f) {
  f("p", o.p);
}
template <class F>
void fields(FlattenOptions& o, F&& f) {
  f("first", o.first);
  f("last", o.last);
}

template <class Options>
Attributes to_attributes(Options options) {
  Attributes attributes;
  fields(options, [&]<class T>(const char* name, const T& value) {
    if constexpr (!std::same_as<T, Shape>) {
      attributes.set(name, value);
    } else if (value.size() == 1) {
      attributes.set(name, value[0]);
    } else {
      attributes.set(name, std::vector<std::int64_t>(value.begin(), value.end()));
    }
  });
  return attributes;
}

/// The elements of a shape of at least one dimension, each of at least 1: at most 2^40, or none.
inline std::optional<std::int64_t> elements(const Shape& shape) {
  constexpr std::int64_t limit = std::int64_t{1} << 40;
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 1 || size > limit / count) return std::nullopt;
    count *= size;
  }
  return shape.empty() ? std::nullopt : std::optional(count);
}

/// Throws FormatError unless the attributes are exactly the fields of Options.
template <class Options>
Options from_attributes(const Attributes& attributes) {
  Options options;
  std::size_t count = 0;
  fields(options, [&]<class T>(const char* name, T& value) {
    if constexpr (std::same_as<T, bool>) {
      value = attributes.get_bool(name);
    } else if constexpr (std::same_as<T, double>) {
      value = attributes.get_double(name);
    } else if constexpr (std::same_as<T, Shape>) {
      value = attributes.get_shape(name);
    } else {
      value = attributes.get_int(name);
    }
    ++count;
  });
  if (count != attributes.values().size()) {
    for (const auto& [name, value] : attributes.values()) {
      bool known = false;
      fields(options, [&, wanted = &name](const char* field, const auto&) { known = known || *wanted == field; });
      if (!known) throw FormatError("[attributes] expected no option \"" + name + "\", got one");
    }
  }
  return options;
}

}  // namespace tern::nn::internal
