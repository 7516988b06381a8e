#include "tern/nn/safetensors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/nn/activations.h"
#include "tern/nn/linear.h"
#include "tern/nn/sequential.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace {

using namespace tern;

std::string golden(const std::string& name) { return std::string(TERN_TEST_DATA) + "/" + name; }

std::string file_of(const std::string& header, const std::string& data, std::uint64_t length) {
  std::string bytes(reinterpret_cast<const char*>(&length), 8);
  return bytes + header + data;
}
std::string file_of(const std::string& header, const std::string& data) { return file_of(header, data, header.size()); }

const Tensor& at(const TensorFile& file, const std::string& name) {
  for (const auto& [key, tensor] : file.tensors) {
    if (key == name) return tensor;
  }
  throw ValueError("no tensor " + name);
}

void expect_mixed(const TensorFile& file) {
  ASSERT_EQ(file.tensors.size(), 8u);
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(at(file, "z.f64").shape(), (Shape{2, 3}));
  EXPECT_EQ(at(file, "z.f64").to_vector<double>(), (std::vector<double>{1.5, -2, inf, 0.1, 1e300, -0.0}));
  EXPECT_EQ(at(file, "a.f32").to_vector<float>(), (std::vector<float>{0.25, -1, 3}));
  EXPECT_EQ(at(file, "i64").to_vector<std::int64_t>(), (std::vector<std::int64_t>{-(std::int64_t{1} << 62), 7}));
  EXPECT_EQ(at(file, "u8").to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{0, 255, 9}));
  EXPECT_EQ(at(file, "bool").to_vector<bool>(), (std::vector<bool>{true, false, true}));
  EXPECT_EQ(at(file, "none").shape(), (Shape{0, 4}));
  EXPECT_EQ(at(file, "scalar").dim(), 0);
  EXPECT_EQ(at(file, "scalar").item<double>(), 2.5);
  EXPECT_EQ(at(file, "naïve \"name\"").item<float>(), 1);
  EXPECT_EQ(file.metadata, (std::vector<std::pair<std::string, std::string>>{{"author", "Zoë"}, {"format", "np"}}));
}

nn::Sequential torch_mlp() {
  return nn::Sequential{
      nn::Linear(4, 6),
      nn::Relu(),
      nn::Dropout(0.2),
      nn::Sequential{nn::Linear({.in = 6, .out = 5, .bias = false}), nn::Tanh(), nn::Gelu(), nn::Silu()},
      nn::Softplus(),
      nn::LeakyRelu({.slope = 0.1}),
      nn::Linear(5, 2),
      nn::Sigmoid()};
}

TEST(Safetensors, ReadsWhatPythonWrote) { expect_mixed(from_safetensors(read_file(golden("mixed.safetensors")))); }

TEST(Safetensors, ReadsWhatItWrote) {
  TensorFile file = from_safetensors(read_file(golden("mixed.safetensors")));
  std::reverse(file.tensors.begin(), file.tensors.end());
  const std::string bytes = to_safetensors(file);
  expect_mixed(from_safetensors(bytes));
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ((8 + length) % 64, 0u);
  EXPECT_EQ(bytes[8], '{');
  EXPECT_EQ(to_safetensors(from_safetensors(to_safetensors({}))), to_safetensors({}));
}

// The bits of the file, NaN with its payload too, under the names of the format.
TEST(Safetensors, KeepsTheBitsOfEveryType) {
  for (const char* type : {"F64", "F32", "F16", "BF16", "I64", "I32", "U8"}) {
    SCOPED_TRACE(type);
    const std::string header = R"({"a":{"dtype":")" + std::string(type) + R"(","shape":[)";
    const std::string bytes("\x01\x7c\xff\xff\x00\x80\x02\x7f", 8);
    const std::size_t width =
        size_of(from_safetensors(file_of(header + R"(0],"data_offsets":[0,0]}})", "")).tensors[0].second.dtype());
    const auto file =
        from_safetensors(file_of(header + std::to_string(8 / width) + R"(],"data_offsets":[0,8]}})", bytes));
    const std::string written = to_safetensors(file);
    EXPECT_EQ(written.substr(written.size() - 8), bytes);
    EXPECT_NE(written.find("\"" + std::string(type) + "\""), std::string::npos);
  }
  EXPECT_EQ(at(from_safetensors(file_of(R"({"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]}})", "\x01\x3c")), "a")
                .item<double>(),
            1 + 0x1p-10);
  EXPECT_EQ(at(from_safetensors(file_of(R"({"a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}})", "\x81\x3f")), "a")
                .item<double>(),
            1 + 0x1p-7);
}

TEST(Safetensors, KeepsOrderAndAlignment) {
  const TensorFile file{.tensors = {{"b", ones({3}, u8)}, {"d", ones({1}, f64)}, {"c", ones({1})}, {"a", ones({2})}}};
  std::vector<std::string> names;
  for (const auto& [name, tensor] : from_safetensors(to_safetensors(file)).tensors) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"d", "c", "a", "b"}));
}

TEST(Safetensors, WritesViewsInLogicalOrder) {
  const Tensor x = arange(0, 6).reshape({2, 3});
  const auto read = from_safetensors(to_safetensors({.tensors = {{"x", x.t()}}}));
  EXPECT_EQ(read.tensors[0].second.shape(), (Shape{3, 2}));
  EXPECT_EQ(read.tensors[0].second.to_vector<float>(), (std::vector<float>{0, 3, 1, 4, 2, 5}));
}

TEST(Safetensors, RefusesToWriteWhatCannotBeRead) {
  EXPECT_THROW(to_safetensors({.tensors = {{"a", ones({1})}, {"a", ones({1})}}}), ValueError);
  EXPECT_THROW(to_safetensors({.tensors = {{"__metadata__", ones({1})}}}), ValueError);
  EXPECT_THROW(to_safetensors({.tensors = {{"\xff", ones({1})}}}), ValueError);
}

TEST(Safetensors, RefusesBrokenFiles) {
  const std::string one = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  EXPECT_NO_THROW(from_safetensors(file_of(one, "1234")));
  EXPECT_NO_THROW(from_safetensors(file_of(one + "   \n", "1234")));
  const auto header = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  const std::vector<std::pair<std::string, std::string>> broken = {
      {"nothing", ""},
      {"a short length", "1234567"},
      {"no header", file_of("", "")},
      {"a length past the end", file_of(one, "1234", one.size() + 5)},
      {"a huge length", file_of(one, "1234", ~std::uint64_t{0})},
      {"a leading space", file_of(" " + one, "1234")},
      {"an array", file_of("[]", "")},
      {"half a header", file_of(one.substr(0, 30), "1234")},
      {"text after the header", file_of(one + "x", "1234")},
      {"missing elements", file_of(one, "123")},
      {"more elements", file_of(one, "12345")},
      {"a repeated name",
       file_of(
           R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
           "12")},
      {"a hole",
       file_of(
           R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
           "123")},
      {"an overlap",
       file_of(
           R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
           "123")},
      {"elements shared",
       file_of(
           R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
           "1")},
      {"an unknown type", file_of(header("\"F8\"", "[1]", "[0,1]"), "1")},
      {"a type that Tern lacks", file_of(header("\"F8_E4M3\"", "[4]", "[0,4]"), "1234")},
      {"a number as type", file_of(header("4", "[1]", "[0,4]"), "1234")},
      {"a negative size", file_of(header("\"F32\"", "[-1]", "[0,4]"), "1234")},
      {"a fraction as size", file_of(header("\"F32\"", "[1.0]", "[0,4]"), "1234")},
      {"a shape that overflows", file_of(header("\"F32\"", "[4611686018427387904,4,1]", "[0,0]"), "")},
      {"a shape of 0 that overflows",
       file_of(header("\"F32\"", "[0,4611686018427387904,4611686018427387904]", "[0,0]"), "")},
      {"a size of 64 bits", file_of(header("\"U8\"", "[18446744073709551615]", "[0,0]"), "")},
      {"too many sizes", file_of(header("\"U8\"", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), "1")},
      {"another count", file_of(header("\"F32\"", "[2]", "[0,4]"), "1234")},
      {"offsets the wrong way", file_of(header("\"U8\"", "[1]", "[1,0]"), "1")},
      {"offsets past the end", file_of(header("\"U8\"", "[100]", "[0,100]"), "1")},
      {"three offsets", file_of(header("\"U8\"", "[1]", "[0,1,1]"), "1")},
      {"negative offsets", file_of(header("\"U8\"", "[1]", "[-1,0]"), "1")},
      {"no offsets", file_of(R"({"a":{"dtype":"U8","shape":[1]}})", "1")},
      {"another member", file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"b":1}})", "1")},
      {"metadata of numbers", file_of(R"({"__metadata__":{"a":1}})", "")},
      {"metadata that is no object", file_of(R"({"__metadata__":"a"})", "")},
      {"a boolean of 2", file_of(header("\"BOOL\"", "[1]", "[0,1]"), "\2")},
      {"bytes that are not UTF-8", file_of("{\"\xff\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", "1")},
      {"too deep", file_of(std::string(100, '{'), "")},
  };
  for (const auto& [what, bytes] : broken) EXPECT_THROW(from_safetensors(bytes), FormatError) << what;
}

TEST(Safetensors, EveryTruncationAndFlipIsAnErrorOrAFile) {
  const std::string bytes = to_safetensors(from_safetensors(read_file(golden("mixed.safetensors"))));
  for (std::size_t n = 0; n < bytes.size(); ++n)
    EXPECT_THROW(from_safetensors(std::string_view(bytes).substr(0, n)), FormatError);
  int refused = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
    try {
      from_safetensors(flipped);
    } catch (const FormatError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 300);
}

TEST(Weights, LoadFromPyTorchAndComputeTheSame) {
  nn::Sequential model = torch_mlp();
  const std::vector<Tensor> before = model.parameters();
  nn::load_weights(model, golden("mlp.safetensors"));
  const std::vector<Tensor> after = model.parameters();
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(before[i].is_same(after[i]));
  model.to(f64).eval();
  const auto expected = from_safetensors(read_file(golden("mlp_output.safetensors")));
  const std::vector<double> y = model(at(expected, "x")).to_vector<double>(),
                            wanted = at(expected, "y").to_vector<double>();
  ASSERT_EQ(y.size(), wanted.size());
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], wanted[i], 1e-12);
}

TEST(Weights, RoundTripThroughAFile) {
  const std::string path = ::testing::TempDir() + "/tern_weights_" + std::to_string(getpid()) + ".safetensors";
  nn::Sequential model = torch_mlp(), other = torch_mlp();
  save_weights(model, path);
  load_weights(other, path);
  std::filesystem::remove(path);
  for (std::size_t i = 0; i < model.parameters().size(); ++i) {
    EXPECT_EQ(model.parameters()[i].to_vector<float>(), other.parameters()[i].to_vector<float>());
  }
  EXPECT_THROW(load_weights(other, path), FileError);
}

TEST(Weights, SayEverythingThatDiffersAndChangeNothing) {
  nn::Sequential model{nn::Linear(2, 3), nn::Linear(3, 1)};
  const std::vector<float> before = model.parameters()[0].to_vector<float>();
  TensorFile file = nn::weights_of(model);
  for (auto& [name, tensor] : file.tensors) tensor = full_like(tensor.detach(), 7);
  file.tensors[1].first = "0.offset";
  file.tensors[2].second = ones({1, 4});
  file.tensors[3].second = ones({1}, i64);
  try {
    load_weights(model, file);
    FAIL();
  } catch (const FormatError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("\"0.bias\" missing"), std::string::npos) << message;
    EXPECT_NE(message.find("\"0.offset\" unexpected"), std::string::npos) << message;
    EXPECT_NE(message.find("[1, 4] instead of [1, 3] as \"1.weight\""), std::string::npos) << message;
    EXPECT_NE(message.find("i64 instead of f32 as \"1.bias\""), std::string::npos) << message;
  }
  EXPECT_EQ(model.parameters()[0].to_vector<float>(), before);
  EXPECT_THROW(load_weights(model, file, {.strict = false}), FormatError);
  file.tensors.resize(2);
  load_weights(model, file, {.strict = false});
  EXPECT_EQ(model.parameters()[0].to_vector<float>(), std::vector<float>(6, 7));
}

TEST(Weights, TiedOnesAreWrittenOnceAndMayComeUnderEachName) {
  const auto tied = [] {
    nn::Linear a(3, 3), b(3, 3);
    b.weight = a.weight;
    return nn::Sequential{std::move(a), std::move(b)};
  };
  nn::Sequential model = tied(), other = tied();
  TensorFile file = nn::weights_of(model);
  EXPECT_EQ(file.tensors.size(), 3u);
  load_weights(other, file);
  EXPECT_EQ(other.parameters()[0].to_vector<float>(), model.parameters()[0].to_vector<float>());
  file.tensors.emplace_back("1.weight", file.tensors[0].second);
  load_weights(other, file);
  file.tensors.erase(file.tensors.begin());
  load_weights(other, file);
  file.tensors.emplace_back("0.weight", ones({3, 3}));
  EXPECT_THROW(load_weights(other, file), FormatError);
}

// Python's own safetensors reads what Tern wrote, element for element.
TEST(Safetensors, PythonReadsWhatItWrote) {
  const char* given = std::getenv("TERN_PYTHON");
  const std::string python = given ? given : "python3";
  if (std::system((python + " -c 'import safetensors.numpy' >/dev/null 2>&1").c_str()) != 0) {
    GTEST_SKIP() << python << " has no safetensors; TERN_PYTHON names another";
  }
  const std::string path = ::testing::TempDir() + "/tern_python_" + std::to_string(getpid()) + ".safetensors";
  write_file(path, to_safetensors(from_safetensors(read_file(golden("mixed.safetensors")))));
  const std::string script =
      "import sys, safetensors, safetensors.numpy as s; a, b = s.load_file(sys.argv[1]), s.load_file(sys.argv[2]); "
      "assert set(a) == set(b); "
      "assert all(a[k].dtype == b[k].dtype and a[k].shape == b[k].shape and a[k].tobytes() == b[k].tobytes() for k in "
      "a); "
      "m = [safetensors.safe_open(f, 'numpy').metadata() for f in sys.argv[1:]]; assert m[0] == m[1]";
  EXPECT_EQ(
      std::system((python + " -c \"" + script + "\" '" + path + "' '" + golden("mixed.safetensors") + "'").c_str()), 0);
  std::filesystem::remove(path);
}

}  // namespace
