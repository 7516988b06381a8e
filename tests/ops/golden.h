#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tern/autograd/autograd.h"
#include "tern/base/file.h"
#include "tern/nn/safetensors.h"
#include "tern/tensor/creation.h"

// Ops against what PyTorch gave in float64 (golden/golden_tools.py says what a file holds).
namespace golden {

using tern::Tensor;
using Tensors = std::vector<Tensor>;

/// One case by its name in the file: the same call on the same inputs.
using Calls = std::map<std::string, std::function<Tensor(const Tensors&)>>;

inline void expect_near(const Tensor& got, const Tensor& expected, double tolerance) {
  ASSERT_EQ(to_string(got.shape()), to_string(expected.shape()));
  const auto g = got.to(tern::f64).to_vector<double>(), e = expected.to(tern::f64).to_vector<double>();
  for (std::size_t i = 0; i < g.size(); ++i) {
    if (g[i] == e[i] || (std::isnan(g[i]) && std::isnan(e[i]))) continue;
    EXPECT_LE(std::abs(g[i] - e[i]), tolerance * std::max(1.0, std::abs(e[i])))
        << "element " << i << ": expected " << e[i] << ", got " << g[i];
  }
}

/// The weights that golden_tools.py takes the gradient with.
inline Tensor direction(const tern::Shape& shape) {
  Tensor out = tern::empty(shape, tern::f64);
  std::int64_t i = 0;
  for (double& x : out.mutable_span<double>()) x = (static_cast<double>(i++ * 7 % 11) - 5.5) / 4;
  return out;
}

/// Runs every case of the file: value, type and gradients. A case of the file without a call fails, and a call without
/// a case.
inline void expect_golden(const std::string& file, const Calls& calls, double tolerance = 1e-10) {
  std::map<std::string, Tensor> tensors;
  const auto content = tern::from_safetensors(tern::read_file(std::string(TERN_TEST_DATA) + "/" + file));
  for (const auto& [name, tensor] : content.tensors) tensors.emplace(name, tensor);
  std::set<std::string> seen;
  for (const auto& [name, inputs] : content.metadata) {
    SCOPED_TRACE(file + ", " + name);
    seen.insert(name);
    const auto call = calls.find(name);
    if (call == calls.end()) {
      ADD_FAILURE() << "expected a call for this case, found none";
      continue;
    }
    Tensors leaves, wanted, gradients;
    for (std::size_t at = 0; at < inputs.size();) {
      const std::size_t end = std::min(inputs.find(' ', at), inputs.size());
      const std::string input = inputs.substr(at, end - at);
      leaves.push_back(tensors.at("in." + input).clone());
      if (const auto gradient = tensors.find(name + ".grad." + input); gradient != tensors.end()) {
        wanted.push_back(leaves.back().requires_grad_());
        gradients.push_back(gradient->second);
      }
      at = end + 1;
    }
    const Tensor out = call->second(leaves), expected = tensors.at(name + ".out");
    EXPECT_EQ(tern::name(out.dtype()), tern::name(expected.dtype()));
    expect_near(out.detach(), expected, tolerance);
    if (wanted.empty() || ::testing::Test::HasFatalFailure()) continue;
    const auto got = grad(out, wanted, {.grad_outputs = {direction(out.shape())}});
    for (std::size_t i = 0; i < got.size(); ++i) {
      SCOPED_TRACE("gradient " + std::to_string(i));
      expect_near(got[i], gradients[i], tolerance);
    }
  }
  for (const auto& [name, call] : calls) EXPECT_TRUE(seen.count(name)) << name << ": expected in " << file;
}

}  // namespace golden
