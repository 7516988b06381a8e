#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <iostream>
#include <memory>
#include <set>

#include "conformance/inputs.h"
#include "device/stand_in.h"
#include "tern/autograd/autograd.h"
#include "tern/autograd/gradcheck.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/ops/reduce.h"
#include "tern/tensor/creation.h"

// Expands every row into GoogleTest cases, one suite an op.
namespace conformance {
namespace {

using tern::Device;
using tern::f32;
using tern::f64;

Tensor run(const Case& c, const Tensors& inputs) {
  tern::default_generator() = {.seed = 11, .stream = 3, .offset = 8};
  return c.call(inputs);
}

// --- checks

std::string label(const Case& c, const Shapes& shapes, DType dtype) {
  std::string text = c.what.empty() ? "" : c.what + ", ";
  text += std::string(tern::name(dtype));
  for (const Shape& shape : shapes) text += " " + to_string(shape);
  return text;
}

void expect_close(const Array& got, const Array& expected, double tolerance, DType result) {
  ASSERT_EQ(got.sizes, expected.sizes);
  ASSERT_EQ(got.count(), expected.count());
  int shown = 0;
  for (std::int64_t i = 0; i < got.count() && shown < 3; ++i) {
    const double g = got[i], e = rounded(expected[i], result);
    if (g == e || (std::isnan(g) && std::isnan(e))) continue;
    if (!(std::abs(g - e) <= tolerance * std::max(1.0, std::abs(e)))) {
      ADD_FAILURE() << "element " << i << ": expected " << e << ", got " << g;
      ++shown;
    }
  }
}

void expect_same_bits(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.dtype(), b.dtype());
  const Array x = values_of(a), y = values_of(b);
  ASSERT_EQ(x.sizes, y.sizes);
  int shown = 0;
  for (std::int64_t i = 0; i < x.count() && shown < 3; ++i) {
    const bool both_nan = std::isnan(x[i]) && std::isnan(y[i]);
    if (!both_nan && (x[i] != y[i] || std::signbit(x[i]) != std::signbit(y[i]))) {
      ADD_FAILURE() << "element " << i << ": " << x[i] << " and " << y[i];
      ++shown;
    }
  }
}

void forward(const Row& row, const Case& c, const Shapes& shapes, DType dtype) {
  SCOPED_TRACE(label(c, shapes, dtype));
  const Arrays arrays = draw(row, c, shapes, dtype, 1);
  const Tensor got = run(c, tensors_of(c, arrays, dtype));
  const DType result = c.result.value_or(row.result.value_or(dtype));
  EXPECT_EQ(tern::name(got.dtype()), tern::name(result));
  const bool single = dtype == f32 || got.dtype() == f32;
  const auto terms = static_cast<double>(c.terms);
  const double tolerance = tern::is_half(got.dtype())       ? step_of(got.dtype()) + terms * row.tolerance
                           : single || tern::is_half(dtype) ? terms * row.tolerance
                                                            : terms * row.tolerance_f64;
  expect_close(values_of(got), c.reference(arrays), tolerance, got.dtype());
}

template <class F>
void for_each_small(const Row& row, F f) {
  for (const Case& c : row.cases) {
    for (const Shapes& shapes : c.shapes) f(c, shapes);
  }
}

void check_forward(const Row& row) {
  for_each_small(row, [&](const Case& c, const Shapes& shapes) { forward(row, c, shapes, f64); });
  const Case& first = row.cases.front();
  if (row.edges.empty()) return;
  for (DType dtype : {f64, f32}) {
    SCOPED_TRACE("at the edges, " + std::string(tern::name(dtype)));
    Array a{{static_cast<std::int64_t>(row.edges.size())}, row.edges};
    for (double& x : a.values) x = rounded(x, dtype);
    expect_close(values_of(run(first, {tensor_of(a, dtype)})), first.reference({a}),
                 dtype == f32 ? row.tolerance : row.tolerance_f64, row.result.value_or(dtype));
  }
}

void check_single(const Row& row) {
  for_each_small(row, [&](const Case& c, const Shapes& shapes) { forward(row, c, shapes, f32); });
}

void check_empty(const Row& row) {
  for (const Case& c : row.cases) {
    for (const Shapes& shapes : c.empty) {
      forward(row, c, shapes, f64);
      forward(row, c, shapes, f32);
      SCOPED_TRACE(label(c, shapes, f64));
      const Arrays arrays = draw(row, c, shapes, f64, 1);
      const Numbers expected = c.reference(arrays).values;
      const bool undefined = std::any_of(expected.begin(), expected.end(), [](double x) { return std::isnan(x); });
      const Tensors inputs = tensors_of(c, arrays, f64, Layout::contiguous, true);
      const bool varies = std::any_of(inputs.begin(), inputs.end(), [](const Tensor& x) { return x.requires_grad(); });
      if (row.gradient != Gradient::smooth || !varies) continue;
      const Tensor result = run(c, inputs);
      if (!result.requires_grad()) {
        ADD_FAILURE() << "expected a result with a gradient";
        continue;
      }
      result.sum().backward();
      for (const Tensor& x : inputs) {
        if (!x.requires_grad()) continue;
        ASSERT_TRUE(x.grad().defined());
        EXPECT_EQ(to_string(x.grad().shape()), to_string(x.shape()));
      }
      if (undefined) continue;
      const auto checked = gradcheck(c.call, inputs);
      EXPECT_TRUE(checked) << checked.message;
    }
  }
}

// Whether a case is another in each type.
bool has_type(const Case& c) {
  return std::any_of(c.inputs.begin(), c.inputs.end(), [](const Input& input) { return !input.dtype; });
}

void check_large(const Row& row) {
  for (const Case& c : row.cases) {
    for (const Shapes& shapes : c.large) {
      if (has_type(c)) forward(row, c, shapes, f64);
      forward(row, c, shapes, f32);
      SCOPED_TRACE(label(c, shapes, f32));
      const bool smooth = row.gradient == Gradient::smooth && &shapes == &c.large.front();
      const auto outcome = [&](const Arrays& arrays, DType dtype, int threads, bool taped) {
        tern::set_num_threads(threads);
        const Tensors inputs = tensors_of(c, arrays, dtype, Layout::contiguous, smooth);
        Tensors found{run(c, inputs)}, varying;
        for (const Tensor& x : inputs) {
          if (x.requires_grad()) varying.push_back(x);
        }
        if (!varying.empty() && found[0].requires_grad()) {
          const Tensor direction = tern::full_like(found[0], 0.75);
          for (const Tensor& g : grad(found[0], varying, {.create_graph = taped, .grad_outputs = {direction}})) {
            found.push_back(g);
          }
        }
        tern::set_num_threads(0);
        return found;
      };
      const Arrays arrays = draw(row, c, shapes, f32, 2);
      const Tensors one = outcome(arrays, f32, 1, false), five = outcome(arrays, f32, 5, false);
      for (std::size_t i = 0; i < one.size(); ++i) {
        SCOPED_TRACE(i == 0 ? "values" : "gradient " + std::to_string(i - 1));
        expect_same_bits(one[i], five[i]);
      }
      if (one.size() == 1) continue;
      const Tensors fused = outcome(arrays, f64, 0, false), taped = outcome(arrays, f64, 0, true);
      for (std::size_t i = 1; i < fused.size(); ++i) {
        SCOPED_TRACE("gradient " + std::to_string(i - 1) + ", fused against the expression");
        expect_close(values_of(fused[i]), values_of(taped[i]), 1e-11, f64);
      }
    }
  }
}

// f16 and bf16: the result of the rounded inputs, rounded once; the bits whatever the strides; gradients of the type of
// what they belong to, near those in f32.
void check_half(const Row& row) {
  for (const DType half : {tern::bf16, tern::f16}) {
    for_each_small(row, [&](const Case& c, const Shapes& shapes) {
      forward(row, c, shapes, half);
      SCOPED_TRACE(label(c, shapes, half));
      const Arrays arrays = draw(row, c, shapes, half, 12);
      if (c.strided) {
        const Tensor plain = run(c, tensors_of(c, arrays, half));
        for (Layout layout : {Layout::transposed, Layout::sliced}) {
          expect_same_bits(run(c, tensors_of(c, arrays, half, layout)), plain);
        }
      }
      if (row.gradient != Gradient::smooth) return;
      const auto gradients = [&](DType dtype) {
        const Tensors at = tensors_of(c, arrays, dtype, Layout::contiguous, true);
        Tensors varying;
        for (const Tensor& x : at) {
          if (x.requires_grad()) varying.push_back(x);
        }
        const Tensor result = run(c, at);
        return varying.empty() || !result.requires_grad()
                   ? Tensors{}
                   : grad({result}, varying, {.grad_outputs = {tern::ones_like(result)}});
      };
      const Tensors narrow = gradients(half), wide = gradients(f32);
      ASSERT_EQ(narrow.size(), wide.size());
      for (std::size_t i = 0; i < narrow.size(); ++i) {
        const DType type = wide[i].dtype() == f32 ? half : wide[i].dtype();
        EXPECT_EQ(tern::name(narrow[i].dtype()), tern::name(type));
        expect_close(values_of(narrow[i]), values_of(wide[i]), 8 * step_of(half), f64);
      }
    });
    for (const Case& c : row.cases) {
      if (!has_type(c)) continue;
      for (const Shapes& shapes : c.large) forward(row, c, shapes, half);
    }
  }
}

// What i32 gives where i64 and u8 are known: it is kept where they are.
void add_i32(std::vector<TypeRule>& rules) {
  const auto rule = [&](DType type) {
    return std::find_if(rules.begin(), rules.end(), [=](const TypeRule& r) { return r.type == type; });
  };
  const auto wide = rule(tern::i64), narrow = rule(tern::u8);
  if (wide == rules.end() || narrow == rules.end() || rule(tern::i32) != rules.end()) return;
  const bool kept = wide->result == tern::i64 && narrow->result == tern::u8;
  rules.push_back({tern::i32, kept ? tern::i32 : wide->result});
}

// Whether numbers of type i64 stand beside those that the op computes with: indices and labels.
bool any_indices(const Row& row) {
  const auto of = [](const Case& c, std::optional<DType> dtype) {
    return std::any_of(c.inputs.begin(), c.inputs.end(), [&](const Input& input) { return input.dtype == dtype; });
  };
  return std::any_of(row.cases.begin(), row.cases.end(),
                     [&](const Case& c) { return of(c, tern::i64) && of(c, std::nullopt); });
}

// Indices and labels of type i32 are as good as those of i64.
void check_small_indices(const Row& row) {
  for (Case c : row.cases) {
    for (Input& input : c.inputs) {
      if (input.dtype == tern::i64) input.dtype = tern::i32;
    }
    for (const Shapes& shapes : c.shapes) forward(row, c, shapes, f64);
  }
}

Case whole_numbers(Case c, DType dtype) {
  for (Input& input : c.inputs) {
    if (input.dtype) continue;
    input.whole = true;
    input.low = input.divides ? 1 : dtype == tern::i64 || dtype == tern::i32 ? -4 : 0;
    input.high = dtype == tern::boolean ? 2 : 5;
  }
  return c;
}

bool any_of_any_type(const Row& row) { return std::any_of(row.cases.begin(), row.cases.end(), has_type); }

// What the row says of integers and booleans, of the first case and of those with a number; types of which it says
// nothing are refused.
void check_types(const Row& row) {
  std::vector<TypeRule> rules = row.types;
  add_i32(rules);
  for (const Case& of : row.cases) {
    if (&of != &row.cases.front() && !of.number) continue;
    for (const DType dtype : {tern::i64, tern::i32, tern::u8, tern::boolean}) {
      const bool promotes = of.number && row.gradient != Gradient::in_place;
      const DType computed = promotes ? of.number->promoted(dtype) : dtype;
      const auto rule =
          std::find_if(rules.begin(), rules.end(), [&](const TypeRule& known) { return known.type == computed; });
      const Case c = whole_numbers(of, dtype);
      for (const Shapes& shapes : c.shapes) {
        if (tern::is_floating(computed) || rule != rules.end()) {
          Row typed = row;
          typed.result = tern::is_floating(computed) ? row.result.value_or(computed) : rule->result;
          forward(typed, c, shapes, dtype);
        } else {
          SCOPED_TRACE(label(c, shapes, dtype));
          EXPECT_THROW(run(c, tensors_of(c, draw(row, c, shapes, dtype, 1), dtype)), tern::DTypeError);
        }
      }
    }
  }
}

// Derivatives at every shape: by central differences, and the fused backward against the derivative as an expression.
void check_gradient(const Row& row) {
  for_each_small(row, [&](const Case& c, const Shapes& shapes) {
    SCOPED_TRACE(label(c, shapes, f64));
    const Tensors inputs = tensors_of(c, draw(row, c, shapes, f64, 3), f64, Layout::contiguous, true);
    tern::default_generator() = {.seed = 11, .stream = 3, .offset = 8};
    const auto checked = gradcheck(c.call, inputs);
    EXPECT_TRUE(checked) << checked.message;
    for (DType dtype : {f64, f32}) {
      SCOPED_TRACE("fused against the expression, " + std::string(tern::name(dtype)));
      const Tensors at = tensors_of(c, draw(row, c, shapes, dtype, 4), dtype, Layout::contiguous, true);
      Tensors varying;
      for (const Tensor& x : at) {
        if (x.requires_grad()) varying.push_back(x);
      }
      const Tensor result = run(c, at);
      Tensor direction = tern::empty(result.shape(), result.dtype());
      Draws random{5};
      direction.copy_(
          tensor_of(build(sizes_of(result.shape()), [&](const Index&) { return 0.5 + random.uniform(); }), f64));
      const auto fused = grad(result, varying, {.retain_graph = true, .grad_outputs = {direction}});
      const auto taped = grad(result, varying, {.create_graph = true, .grad_outputs = {direction}});
      for (std::size_t i = 0; i < fused.size(); ++i) {
        EXPECT_EQ(fused[i].dtype(), dtype);
        expect_close(values_of(fused[i]), values_of(taped[i]), dtype == f32 ? 4 * row.tolerance : 1e-12, f64);
      }
    }
  });
}

void check_second(const Row& row) {
  for_each_small(row, [&](const Case& c, const Shapes& shapes) {
    SCOPED_TRACE(label(c, shapes, f64));
    tern::default_generator() = {.seed = 11, .stream = 3, .offset = 8};
    const auto checked =
        gradgradcheck(c.call, tensors_of(c, draw(row, c, shapes, f64, 6), f64, Layout::contiguous, true));
    EXPECT_TRUE(checked) << checked.message;
  });
}

void check_no_gradient(const Row& row) {
  for_each_small(row, [&](const Case& c, const Shapes& shapes) {
    SCOPED_TRACE(label(c, shapes, f64));
    const Arrays arrays = draw(row, c, shapes, f64, 7);
    Tensors inputs = tensors_of(c, arrays, f64, Layout::contiguous, true);
    if (row.gradient == Gradient::none) {
      EXPECT_FALSE(run(c, inputs).requires_grad());
      return;
    }
    inputs[0].requires_grad_();
    EXPECT_THROW(run(c, inputs), tern::StateError);
    const tern::NoGrad guard;
    expect_close(values_of(run(c, inputs)), c.reference(arrays), row.tolerance_f64, f64);
  });
}

// Transposed, sliced and expanded inputs give the bits of contiguous ones, and the same derivatives.
void check_strided(const Row& row) {
  const bool smooth = row.gradient == Gradient::smooth;
  const auto each = [&](const Case& c, const Shapes& shapes, bool small) {
    for (DType dtype : {f64, f32}) {
      if (dtype == f64 && !small) continue;
      SCOPED_TRACE(label(c, shapes, dtype));
      const Arrays arrays = draw(row, c, shapes, dtype, 8);
      const Tensor plain = run(c, tensors_of(c, arrays, dtype));
      for (Layout layout : {Layout::transposed, Layout::sliced}) {
        SCOPED_TRACE(layout == Layout::sliced ? "sliced" : "transposed");
        if (!c.strided) {
          Tensors inputs = tensors_of(c, arrays, dtype, layout);
          if (!inputs[0].is_contiguous()) {
            EXPECT_THROW(run(c, inputs), tern::ShapeError);
          }
          continue;
        }
        expect_same_bits(run(c, tensors_of(c, arrays, dtype, layout)), plain);
        if (!small) continue;
        Tensors mixed = tensors_of(c, arrays, dtype);
        mixed[0] = tensors_of(c, arrays, dtype, layout)[0];
        expect_same_bits(run(c, mixed), plain);
        if (!smooth || dtype != f64) continue;
        tern::default_generator() = {.seed = 11, .stream = 3, .offset = 8};
        const auto first = gradcheck(c.call, tensors_of(c, arrays, f64, layout, true));
        EXPECT_TRUE(first) << first.message;
        const auto second = gradgradcheck(c.call, tensors_of(c, arrays, f64, layout, true));
        EXPECT_TRUE(second) << second.message;
      }
    }
  };
  for (const Case& c : row.cases) {
    if (c.inputs.empty()) continue;
    for (const Shapes& shapes : c.shapes) each(c, shapes, true);
    for (const Shapes& shapes : c.large) each(c, shapes, false);
  }
  if (row.gradient == Gradient::in_place) return;
  for_each_small(row, [&](const Case& c, const Shapes& shapes) {
    SCOPED_TRACE(label(c, shapes, f64) + " expanded");
    if (!c.strided) return;
    const Arrays arrays = draw(row, c, shapes, f64, 9);
    for (std::size_t k = 0; k < c.inputs.size(); ++k) {
      if (arrays[k].sizes.empty() || arrays[k].count() == 0) continue;
      Array narrow = arrays[k];
      narrow.sizes[0] = 1;
      narrow.values.resize(static_cast<std::size_t>(product(narrow.sizes)));
      const DType dtype = c.inputs[k].dtype.value_or(f64);
      const auto outcome = [&](bool copied) {
        Tensors inputs = tensors_of(c, arrays, f64);
        Tensor leaf = tensor_of(narrow, dtype);
        const bool varies = smooth && c.inputs[k].varies && tern::is_floating(dtype);
        if (varies) leaf.requires_grad_();
        inputs[k] = leaf.expand(shapes[k]);
        if (copied) inputs[k] = inputs[k].contiguous();
        const Tensor result = run(c, inputs);
        Tensor gradient;
        if (varies && result.requires_grad()) gradient = grad(result.sum(), {leaf})[0];
        return std::pair(result.detach(), gradient);
      };
      const auto [view, view_gradient] = outcome(false);
      const auto [copy, copy_gradient] = outcome(true);
      expect_same_bits(view, copy);
      ASSERT_EQ(view_gradient.defined(), copy_gradient.defined());
      if (view_gradient.defined()) expect_close(values_of(view_gradient), values_of(copy_gradient), 1e-12, f64);
    }
  });
}

template <class E>
void expect_error(const Fault& fault, const std::string& where) {
  try {
    fault.call();
    ADD_FAILURE() << "expected an error, got none";
  } catch (const E& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.rfind("[" + where + "] expected ", 0), 0u) << text;
    EXPECT_NE(text.find(", got "), std::string::npos) << text;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "expected another type of error, got: " << error.what();
  }
}

void check_errors(const Row& row) {
  const std::string where = row.where.empty() ? row.op : row.where;
  for (const Fault& fault : row.faults) {
    SCOPED_TRACE(fault.what);
    switch (fault.error) {
      case Raises::shape:
        expect_error<tern::ShapeError>(fault, where);
        break;
      case Raises::dtype:
        expect_error<tern::DTypeError>(fault, where);
        break;
      case Raises::index:
        expect_error<tern::IndexError>(fault, where);
        break;
      case Raises::value:
        expect_error<tern::ValueError>(fault, where);
        break;
      case Raises::state:
        expect_error<tern::StateError>(fault, where);
        break;
    }
  }
  for (const Case& c : row.cases) {
    if (c.shapes.empty()) continue;
    for (std::size_t k = 0; k < c.inputs.size(); ++k) {
      if (c.inputs[k].optional) continue;
      SCOPED_TRACE("undefined input " + std::to_string(k));
      Tensors inputs = tensors_of(c, draw(row, c, c.shapes.front(), f64, 10), f64);
      inputs[k] = Tensor();
      try {
        run(c, inputs);
        ADD_FAILURE() << "expected an error, got none";
      } catch (const tern::StateError& error) {
        const std::string text = error.what();
        EXPECT_TRUE(text.ends_with("] expected a defined tensor, got an undefined one")) << text;
        if (row.first) {
          EXPECT_EQ(text.rfind("[" + where + "]", 0), 0u) << text;
        }
      }
    }
  }
}

// --- a device against the CPU

// Values, and gradients of a weighed sum of them.
Arrays outcome(const Row& row, const Case& c, const Arrays& arrays, DType dtype, Layout layout, Device device) {
  const bool smooth = row.gradient == Gradient::smooth && tern::is_floating(dtype);
  const Tensors inputs = tensors_of(c, arrays, dtype, layout, smooth, device);
  const Tensor result = run(c, inputs);
  EXPECT_TRUE(result.device() == device || result.dim() == 0) << to_string(result.device());
  Arrays all{values_of(result)};
  if (!smooth || !result.requires_grad()) return all;
  Tensors varying;
  for (const Tensor& x : inputs) {
    if (x.requires_grad()) varying.push_back(x);
  }
  std::int64_t i = 0;
  const Array weights =
      build(sizes_of(result.shape()), [&](const Index&) { return 0.5 + 0.25 * static_cast<double>(i++ % 5); });
  const Tensor total = (result.to(f64) * tensor_of(weights, f64).to(device)).sum();
  for (const Tensor& g : grad({total}, varying, {.allow_unused = true})) {
    all.push_back(g.defined() ? values_of(g) : Array{});
  }
  return all;
}

// The kernels that GPUs lack: what needs one is listed, and passes for nothing. Any other that is missing is a failure.
bool is_lack(const tern::DTypeError& error) {
  const std::string text = error.what();
  const std::initializer_list<std::string> lacking{"argsort", "nonzero", "searchsorted"};
  return std::any_of(lacking.begin(), lacking.end(), [&](const std::string& kernel) {
    return text.rfind("[" + kernel + "] expected a type with a CUDA kernel, got ", 0) == 0;
  });
}

void compare_with_cpu(
    const Row& row, Device device, const std::function<void()>& after_case = [] {}) {
  std::set<std::string> lacks;
  int compared = 0;
  const auto each = [&](const Case& c, const Shapes& shapes, DType dtype, Layout layout) {
    SCOPED_TRACE(label(c, shapes, dtype) + (layout == Layout::contiguous ? "" : " strided"));
    const Arrays arrays = draw(row, c, shapes, dtype, 13);
    const Arrays expected = outcome(row, c, arrays, dtype, layout, tern::cpu());
    Arrays got;
    try {
      got = outcome(row, c, arrays, dtype, layout, device);
      synchronize(device);
      after_case();
    } catch (const tern::DTypeError& error) {
      if (!is_lack(error)) throw;
      lacks.insert(error.what());
      return;
    }
    ++compared;
    ASSERT_EQ(got.size(), expected.size());
    const double step = tern::is_half(dtype) ? step_of(dtype) : 0;
    const double tolerance = dtype == f64 ? row.tolerance_f64 : row.tolerance + step;
    for (std::size_t i = 0; i < got.size(); ++i) {
      SCOPED_TRACE(i == 0 ? "values" : "gradient " + std::to_string(i - 1));
      expect_close(got[i], expected[i], i == 0 ? tolerance : 16 * tolerance, f64);
    }
  };
  for (const Case& c : row.cases) {
    if (c.inputs.empty()) continue;
    std::vector<DType> types{f64, f32};
    if (row.half) types.insert(types.end(), {tern::f16, tern::bf16});
    for (const TypeRule& rule : row.types) {
      if (&c == &row.cases.front()) types.push_back(rule.type);
    }
    for (const DType dtype : types) {
      const Case typed = tern::is_floating(dtype) ? c : whole_numbers(c, dtype);
      for (const Shapes& shapes : c.shapes) {
        each(typed, shapes, dtype, Layout::contiguous);
        if (c.strided) each(typed, shapes, dtype, Layout::transposed);
        if (c.strided) each(typed, shapes, dtype, Layout::sliced);
      }
      for (const Shapes& shapes : c.empty) each(typed, shapes, dtype, Layout::contiguous);
      if (dtype != f32) continue;
      for (const Shapes& shapes : c.large) each(c, shapes, dtype, Layout::contiguous);
    }
  }
  std::string list;
  for (const std::string& lack : lacks) list += "\n  lacks: " + lack;
  if (compared == 0) GTEST_SKIP() << (list.empty() ? "an op without inputs" : "nothing to compare" + list);
  if (!list.empty()) std::cout << row.op << list << '\n';
}

// An input on another device than the rest is refused; numbers of no dimensions go along.
void refuses_mixed(const Row& row, Device device) {
  for (const Case& c : row.cases) {
    if (c.inputs.size() < 2 || c.shapes.empty()) continue;
    const Shapes& shapes = c.shapes.back();
    const Arrays arrays = draw(row, c, shapes, f32, 13);
    for (std::size_t i = 0; i < c.inputs.size(); ++i) {
      Tensors inputs = tensors_of(c, arrays, f32, Layout::contiguous, false, device);
      if (inputs[i].dim() == 0) continue;
      inputs[i] = inputs[i].to(tern::cpu());
      SCOPED_TRACE(label(c, shapes, f32) + ", input " + std::to_string(i) + " elsewhere");
      try {
        run(c, inputs);
        ADD_FAILURE() << "expected an error, got none";
      } catch (const tern::DeviceError& error) {
        const std::string text = error.what(), name = row.where.empty() ? row.op : row.where;
        if (row.first) {
          EXPECT_EQ(text.rfind("[" + name + "] expected ", 0), 0u) << text;
        }
      }
    }
  }
}

void check_stand_in(const Row& row) {
  const stand_in::Scope scope;
  if (!row.mixes_devices) refuses_mixed(row, tern::cuda());
  compare_with_cpu(row, tern::cuda(), [] { tern::empty_cache(tern::cuda()); });  // what lies there makes kernels slow
}

void check_cuda(const Row& row) {
  if (!tern::cuda_available()) GTEST_SKIP() << "no GPU";
  compare_with_cpu(row, tern::cuda());
}

// --- registration

using Check = void (*)(const Row&);

class RowTest : public ::testing::Test {
 public:
  RowTest(std::shared_ptr<const Row> row, Check check) : row_(std::move(row)), check_(check) {}
  void TestBody() override { check_(*row_); }

 private:
  std::shared_ptr<const Row> row_;
  Check check_;
};

void add(const std::shared_ptr<const Row>& row, const char* name, Check check) {
  ::testing::RegisterTest(row->op.c_str(), name, nullptr, nullptr, __FILE__, __LINE__,
                          [row, check]() -> ::testing::Test* { return new RowTest(row, check); });
}

// From main, when what the rows are made of, in other files, exists.
void add_all() {
  for (const auto& family :
       {unary_rows,  activation_rows, binary_rows, reduce_rows,   shape_rows,     arrange_rows,  index_rows,
        gather_rows, subscript_rows,  sort_rows,   norm_rows,     embedding_rows, random_rows,   view_rows,
        matmul_rows, softmax_rows,    loss_rows,   creation_rows, in_place_rows,  optimizer_rows}) {
    for (Row& each : family()) {
      const auto row = std::make_shared<const Row>(std::move(each));
      const auto any = [&](auto member) {
        return std::any_of(row->cases.begin(), row->cases.end(), [&](const Case& c) { return !(c.*member).empty(); });
      };
      add(row, "Forward", &check_forward);
      add(row, "SinglePrecision", &check_single);
      add(row, "Errors", &check_errors);
      add(row, "StandIn", &check_stand_in);
      add(row, "Cuda", &check_cuda);
      if (any(&Case::empty)) add(row, "Empty", &check_empty);
      if (any(&Case::large)) add(row, "Large", &check_large);
      if (any(&Case::inputs)) add(row, "Strided", &check_strided);
      if (any_of_any_type(*row)) add(row, "Types", &check_types);
      if (row->half && any(&Case::inputs)) add(row, "HalfPrecision", &check_half);
      if (any_indices(*row)) add(row, "SmallIndices", &check_small_indices);
      if (row->gradient == Gradient::smooth) {
        add(row, "Gradient", &check_gradient);
        add(row, "SecondDerivative", &check_second);
      } else {
        add(row, "NoGradient", &check_no_gradient);
      }
    }
  }
}

}  // namespace
}  // namespace conformance

int main(int argc, char** argv) {
  conformance::add_all();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
