#include "ops/golden.h"

#include "tern/ops/activation.h"
#include "tern/ops/unary.h"

namespace {

using namespace tern;
using golden::Calls;
using golden::expect_golden;
using Tensors = std::vector<Tensor>;
using Unary = Tensor (*)(const Tensor&);

TEST(Golden, Unary) {
  const std::map<std::string, Unary> functions{{"abs", abs},
                                               {"exp", exp},
                                               {"exp2", exp2},
                                               {"expm1", expm1},
                                               {"erf", erf},
                                               {"erfc", erfc},
                                               {"sin", sin},
                                               {"cos", cos},
                                               {"tan", tan},
                                               {"atan", atan},
                                               {"sinh", sinh},
                                               {"cosh", cosh},
                                               {"asinh", asinh},
                                               {"tanh", tanh},
                                               {"sigmoid", sigmoid},
                                               {"square", square},
                                               {"neg", neg},
                                               {"sign", sign},
                                               {"log", log},
                                               {"log2", log2},
                                               {"log10", log10},
                                               {"log1p", log1p},
                                               {"sqrt", sqrt},
                                               {"rsqrt", rsqrt},
                                               {"reciprocal", reciprocal},
                                               {"asin", asin},
                                               {"acos", acos},
                                               {"atanh", atanh},
                                               {"acosh", acosh},
                                               {"floor", floor},
                                               {"ceil", ceil},
                                               {"round", round},
                                               {"trunc", trunc},
                                               {"frac", frac},
                                               {"isnan", isnan},
                                               {"isinf", isinf},
                                               {"isfinite", isfinite},
                                               {"logical_not", logical_not}};
  Calls calls;
  for (const auto& [name, f] : functions) calls[name] = [f = f](const Tensors& in) { return f(in[0]); };
  for (const char* name :
       {"exp",   "exp2",  "expm1", "log",  "log2", "log10", "log1p",   "sqrt",  "rsqrt", "reciprocal", "erf",  "erfc",
        "asinh", "acosh", "atan",  "sinh", "cosh", "tanh",  "sigmoid", "floor", "ceil",  "round",      "trunc"}) {
    calls[std::string(name) + "_edges"] = calls.at(name);
  }
  calls["exp_none"] = calls.at("exp");
  expect_golden("unary.safetensors", calls);
}

TEST(Golden, Activation) {
  Calls calls;
  const auto add = [&](const std::string& name, std::function<Tensor(const Tensor&)> f) {
    for (const char* at : {"", "_edges", "_nan"}) calls[name + at] = [f](const Tensors& in) { return f(in[0]); };
  };
  add("relu", relu);
  add("softplus", softplus);
  add("silu", silu);
  add("gelu", static_cast<Unary>(gelu));
  add("gelu_tanh", [](const Tensor& x) { return gelu(x, GeluForm::tanh); });
  add("leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.2); });
  add("elu", [](const Tensor& x) { return elu(x, 0.7); });
  add("selu", selu);
  add("celu", [](const Tensor& x) { return celu(x, 2); });
  add("relu6", relu6);
  add("hardtanh", [](const Tensor& x) { return hardtanh(x, -1.5, 2); });
  add("hardsigmoid", hardsigmoid);
  add("hardswish", hardswish);
  add("mish", mish);
  add("softsign", softsign);
  add("logsigmoid", logsigmoid);
  add("threshold", [](const Tensor& x) { return threshold(x, 0.5, -3); });
  const auto prelu_call = [](const Tensors& in) { return prelu(in[0], in[1]); };
  calls["prelu"] = calls["prelu_channels"] = calls["prelu_vector"] = prelu_call;
  calls["glu"] = [](const Tensors& in) { return glu(in[0]); };
  calls["glu_first"] = [](const Tensors& in) { return glu(in[0], 0); };
  expect_golden("activation.safetensors", calls);
}

}  // namespace
