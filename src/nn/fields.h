#pragma once

#include <concepts>
#include <string>

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
  f("size", o.size);
  f("eps", o.eps);
  f("affine", o.affine);
  f("bias", o.bias);
}
template <class F>
void fields(RmsNormOptions& o, F&& f) {
  f("size", o.size);
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
  fields(options, [&](const char* name, const auto& value) { attributes.set(name, value); });
  return attributes;
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
