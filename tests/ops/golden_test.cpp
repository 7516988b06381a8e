#include "ops/golden.h"

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

}  // namespace
