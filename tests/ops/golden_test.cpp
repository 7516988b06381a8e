#include "ops/golden.h"

#include "tern/ops/activation.h"
#include "tern/ops/binary.h"
#include "tern/ops/compare.h"
#include "tern/ops/loss.h"
#include "tern/ops/reduce.h"
#include "tern/ops/softmax.h"
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
                                               {"erfinv", erfinv},
                                               {"lgamma", lgamma},
                                               {"digamma", digamma},
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
  for (const int order : {2, 3}) {
    calls["polygamma_" + std::to_string(order)] = [order](const Tensors& in) { return polygamma(order, in[0]); };
  }
  calls["polygamma_negative"] = calls.at("polygamma_2");
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

TEST(Golden, Binary) {
  using Binary = Tensor (*)(const Tensor&, const Tensor&);
  Calls calls;
  const auto add = [&](const std::string& name, Binary f) {
    const bool real = std::set<std::string>{"pow", "hypot", "logaddexp", "xlogy"}.count(name) > 0;
    for (const char* at : {"", "_column", "_one", "_none", "_edges", "_whole"}) {
      if (real && at == std::string("_whole")) continue;
      calls[name + at] = [f](const Tensors& in) { return f(in[0], in[1]); };
    }
  };
  add("add", tern::add);
  add("sub", sub);
  add("mul", mul);
  add("div", div);
  add("pow", pow);
  add("maximum", maximum);
  add("minimum", minimum);
  add("atan2", atan2);
  add("remainder", remainder);
  add("fmod", fmod);
  add("floor_divide", floor_divide);
  add("hypot", hypot);
  add("logaddexp", logaddexp);
  add("xlogy", xlogy);
  add("copysign", copysign);
  calls["xlogy_zero"] = [](const Tensors& in) { return xlogy(in[0], in[1]); };
  for (const auto& [name, f] : std::map<std::string, Binary>{{"eq", eq},
                                                             {"ne", ne},
                                                             {"lt", lt},
                                                             {"le", le},
                                                             {"gt", gt},
                                                             {"ge", ge},
                                                             {"logical_and", logical_and},
                                                             {"logical_or", logical_or},
                                                             {"logical_xor", logical_xor},
                                                             {"bitwise_and", bitwise_and},
                                                             {"bitwise_or", bitwise_or},
                                                             {"bitwise_xor", bitwise_xor},
                                                             {"bitwise_left_shift", bitwise_left_shift},
                                                             {"bitwise_right_shift", bitwise_right_shift}}) {
    calls[name] = [f = f](const Tensors& in) { return f(in[0], in[1]); };
  }
  calls["logical_and_bytes"] = calls["logical_and"];
  calls["bitwise_and_bytes"] = calls["bitwise_and"];
  calls["bitwise_xor_mixed"] = calls["bitwise_xor"];
  calls["bitwise_or_truths"] = calls["bitwise_or"];
  calls["bitwise_not"] = calls["bitwise_not_bytes"] =
      calls["bitwise_not_truths"] = [](const Tensors& in) { return bitwise_not(in[0]); };
  calls["where"] = [](const Tensors& in) { return where(in[0], in[1], in[2]); };
  calls["where_number_right"] = [](const Tensors& in) { return where(in[0], in[1], 2.5); };
  calls["where_number_left"] = [](const Tensors& in) { return where(in[0], 2.5, in[1]); };
  calls["maximum_number"] = [](const Tensors& in) { return maximum(0.25, in[0]); };
  calls["minimum_number"] = [](const Tensors& in) { return minimum(in[0], 0.25); };
  calls["remainder_number_left"] = [](const Tensors& in) { return remainder(7.5, in[0]); };
  calls["remainder_number_right"] = [](const Tensors& in) { return remainder(in[0], -0.7); };
  calls["pow_number_left"] = [](const Tensors& in) { return pow(2.5, in[0]); };
  for (int exponent : {0, 1, 2, 3, -1}) {
    calls["pow_" + std::to_string(exponent)] = [=](const Tensors& in) { return pow(in[0], exponent); };
  }
  calls["pow_half"] = [](const Tensors& in) { return pow(in[0], 0.5); };
  calls["clamp"] = [](const Tensors& in) { return clamp(in[0], -1, 1); };
  calls["clamp_edges"] = [](const Tensors& in) { return clamp(in[0], -2.5, 1); };
  calls["clamp_min"] = [](const Tensors& in) { return clamp_min(in[0], 0.2); };
  calls["clamp_max"] = [](const Tensors& in) { return clamp_max(in[0], 0.2); };
  calls["clamp_tensors"] = calls["clamp_tensors_edges"] = [](const Tensors& in) { return clamp(in[0], in[1], in[2]); };
  calls["clamp_min_tensor"] = [](const Tensors& in) { return clamp_min(in[0], in[1]); };
  calls["clamp_max_tensor"] = [](const Tensors& in) { return clamp_max(in[0], in[1]); };
  calls["lerp"] = [](const Tensors& in) { return lerp(in[0], in[1], in[2]); };
  calls["lerp_number"] = [](const Tensors& in) { return lerp(in[0], in[1], 0.3); };
  calls["lerp_beyond"] = [](const Tensors& in) { return lerp(in[0], in[1], 1.5); };
  calls["addcmul"] = [](const Tensors& in) { return addcmul(in[0], in[1], in[2], 0.5); };
  calls["addcdiv"] = [](const Tensors& in) { return addcdiv(in[0], in[1], in[2], -2); };
  calls["isclose"] = [](const Tensors& in) { return isclose(in[0], in[1], {.rtol = 0.4, .atol = 0.1}); };
  calls["isclose_edges"] = [](const Tensors& in) { return isclose(in[0], in[1]); };
  calls["isclose_edges_nan"] = [](const Tensors& in) { return isclose(in[0], in[1], {.equal_nan = true}); };
  expect_golden("binary.safetensors", calls);
}

TEST(Golden, Reduce) {
  using Reduction = std::function<Tensor(const Tensor&, const Dims&, bool)>;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Calls calls;
  using Suffixes = std::set<std::string>;
  const Suffixes no_whole{"_whole", "_truths"}, no_none{"_none"}, neither{"_whole", "_truths", "_none"};
  const auto add = [&](const std::string& name, const Reduction& f, const Suffixes& without = {}) {
    const auto over = [&](const std::string& what, const Dims& dims, bool keep) {
      if (without.count(what)) return;
      calls[name + what] = [=](const Tensors& in) { return f(in[0], dims, keep); };
    };
    over("_all", {}, false);
    over("_one", {1}, false);
    over("_last_kept", {-1}, true);
    over("_two", {0, -1}, false);
    over("_zeros", {1}, false);
    over("_edges", {1}, false);
    over("_none", {1}, false);
    over("_whole", {1}, false);
    over("_truths", {1}, true);
  };
  const auto variance = [&](const std::string& name, auto f) {
    add(
        name, [=](const Tensor& x, const Dims& dims, bool keep) { return f(x, dims, {.keepdim = keep}); }, no_whole);
    calls[name + "_corrected"] = [=](const Tensors& in) { return f(in[0], {2}, {.correction = 0}); };
    calls[name + "_halfway"] = [=](const Tensors& in) { return f(in[0], {0, 1}, {.correction = 1.5}); };
    calls[name + "_of_one"] = [=](const Tensors& in) { return f(in[0].slice(1, 0, 1), {1}, {}); };
  };
  const auto norm_of = [](double p) -> Reduction {
    return [=](const Tensor& x, const Dims& dims, bool keep) { return norm(x, dims, {.p = p, .keepdim = keep}); };
  };
  add("sum", tern::sum);
  add("mean", tern::mean, no_whole);
  add("prod", prod);
  add("max", tern::max, no_none);
  add("min", tern::min, no_none);
  add("any", any);
  add("all", all);
  add("count_nonzero", count_nonzero);
  add("nansum", nansum);
  add("nanmean", nanmean, no_whole);
  add("logsumexp", logsumexp, neither);
  variance("var", tern::var);
  variance("std", tern::std);
  add("norm_2", norm_of(2), no_whole);
  add("norm_1", norm_of(1), no_whole);
  add("norm_3", norm_of(3), no_whole);
  add("norm_half", norm_of(0.5), no_whole);
  add("norm_0", norm_of(0), no_whole);
  add("norm_inf", norm_of(infinity), neither);
  add("norm_neg_inf", norm_of(-infinity), neither);
  for (const char* at : {"", "_zeros", "_edges", "_whole"}) {
    calls[std::string("argmax") + at] = [](const Tensors& in) { return argmax(in[0], 1, true); };
    calls[std::string("argmin") + at] = [](const Tensors& in) { return argmin(in[0], 1); };
  }
  for (const char* at : {"", "_zeros", "_edges", "_whole", "_truths"}) {
    calls[std::string("cumsum") + at] = [](const Tensors& in) { return cumsum(in[0], 1); };
    calls[std::string("cumprod") + at] = [](const Tensors& in) { return cumprod(in[0], 1); };
  }
  for (int dim : {0, 1, -1}) {
    calls["softmax_" + std::to_string(dim)] = [=](const Tensors& in) { return softmax(in[0], dim); };
    calls["log_softmax_" + std::to_string(dim)] = [=](const Tensors& in) { return log_softmax(in[0], dim); };
  }
  calls["softmax_edges"] = [](const Tensors& in) { return softmax(in[0], 1); };
  calls["log_softmax_edges"] = [](const Tensors& in) { return log_softmax(in[0], 1); };
  expect_golden("reduce.safetensors", calls);
}

TEST(Golden, Loss) {
  Calls calls;
  const std::pair<const char*, Reduction> reductions[]{
      {"_mean", Reduction::mean}, {"_sum", Reduction::sum}, {"_none", Reduction::none}};
  for (const auto& [name, r] : reductions) {
    const auto add = [&, at = name](const std::string& loss, std::function<Tensor(const Tensors&)> f) {
      calls[loss + at] = std::move(f);
    };
    add("cross_entropy", [r = r](const Tensors& in) { return cross_entropy(in[0], in[1], {.reduction = r}); });
    add("cross_entropy_weighted",
        [r = r](const Tensors& in) { return cross_entropy(in[0], in[1], {.weight = in[2], .reduction = r}); });
    add("cross_entropy_smoothed", [r = r](const Tensors& in) {
      return cross_entropy(in[0], in[1], {.weight = in[2], .label_smoothing = 0.1, .reduction = r});
    });
    add("cross_entropy_ignoring", [r = r](const Tensors& in) {
      return cross_entropy(in[0], in[1], {.weight = in[2], .label_smoothing = 0.1, .ignore_index = 2, .reduction = r});
    });
    add("cross_entropy_image",
        [r = r](const Tensors& in) { return cross_entropy(in[0], in[1], {.weight = in[2], .reduction = r}); });
    add("cross_entropy_probabilities",
        [r = r](const Tensors& in) { return cross_entropy(in[0], in[1], {.reduction = r}); });
    add("cross_entropy_probabilities_smoothed", [r = r](const Tensors& in) {
      return cross_entropy(in[0], in[1], {.weight = in[2], .label_smoothing = 0.3, .reduction = r});
    });
    add("cross_entropy_probabilities_image",
        [r = r](const Tensors& in) { return cross_entropy(in[0], in[1], {.reduction = r}); });
    add("nll", [r = r](const Tensors& in) { return nll_loss(in[0], in[1], {.weight = in[2], .reduction = r}); });
    add("nll_ignoring", [r = r](const Tensors& in) {
      return nll_loss(in[0], in[1], {.weight = in[2], .ignore_index = 0, .reduction = r});
    });
    add("nll_image", [r = r](const Tensors& in) { return nll_loss(in[0], in[1], {.reduction = r}); });
    add("bce_with_logits", [r = r](const Tensors& in) {
      return bce_with_logits(in[0], in[1], {.weight = in[2], .pos_weight = in[3], .reduction = r});
    });
    add("bce", [r = r](const Tensors& in) { return bce(in[0], in[1], {.weight = in[2], .reduction = r}); });
    add("kl_div", [r = r](const Tensors& in) { return kl_div(in[0], in[1], {.reduction = r}); });
    add("kl_div_logs",
        [r = r](const Tensors& in) { return kl_div(in[0], in[1], {.log_target = true, .reduction = r}); });
    add("mse", [r = r](const Tensors& in) { return mse_loss(in[0], in[1], r); });
    add("l1", [r = r](const Tensors& in) { return l1_loss(in[0], in[1], r); });
    add("huber", [r = r](const Tensors& in) { return huber_loss(in[0], in[1], 0.6, r); });
    add("smooth_l1", [r = r](const Tensors& in) { return smooth_l1_loss(in[0], in[1], 0.6, r); });
    add("smooth_l1_sharp", [r = r](const Tensors& in) { return smooth_l1_loss(in[0], in[1], 0, r); });
  }
  calls["cross_entropy_one"] = [](const Tensors& in) { return cross_entropy(in[0], in[1]); };
  calls["cross_entropy_all_ignored"] = [](const Tensors& in) { return cross_entropy(in[0], in[1]); };
  calls["cross_entropy_no_rows"] = [](const Tensors& in) { return cross_entropy(in[0], in[1]); };
  calls["bce_edges"] =
      calls["bce_ends"] = [](const Tensors& in) { return bce(in[0], in[1], {.reduction = Reduction::none}); };
  calls["bce_with_logits_edges"] = [](const Tensors& in) {
    return bce_with_logits(in[0], in[1], {.reduction = Reduction::none});
  };
  calls["cross_entropy_edges"] = [](const Tensors& in) {
    return cross_entropy(in[0], in[1], {.reduction = Reduction::none});
  };
  expect_golden("loss.safetensors", calls);
}

}  // namespace
