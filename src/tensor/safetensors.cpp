#include "tern/tensor/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "base/json.h"
#include "base/number_text.h"
#include "tensor/bytes.h"
#include "tern/base/error.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

static_assert(std::endian::native == std::endian::little,
              "safetensors files are little-endian, and copied as they are");

using internal::in_quotes;
using internal::Json;
using internal::json_text;
using internal::OrderedJson;

constexpr const char* kMetadata = "__metadata__";
constexpr std::uint64_t kMaxHeader = 100'000'000;  // of the format
constexpr std::uint64_t kAlign = 64;

struct TypeName {
  DType dtype;
  const char* name;
};
constexpr TypeName kTypes[] = {{f64, "F64"}, {f32, "F32"}, {f16, "F16"}, {bf16, "BF16"},
                               {i64, "I64"}, {i32, "I32"}, {u8, "U8"},   {boolean, "BOOL"}};

const char* format_name(DType dtype) {
  for (const TypeName& type : kTypes) {
    if (type.dtype == dtype) return type.name;
  }
  throw DTypeError("[to_safetensors] expected a type of the format, got " + std::string(name(dtype)));
}

[[noreturn]] void fail(const std::string& expected, const std::string& got) {
  throw FormatError("[safetensors] expected " + expected + ", got " + got);
}

struct Entry {
  std::string name;
  DType dtype = f32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;
};

std::uint64_t unsigned_from(const Json& value, const std::string& what) {
  if (!value.is_number_unsigned()) fail("an unsigned integer " + what, json_text(value));
  return value.get<std::uint64_t>();
}

// One tensor of the header, checked against itself and against the length of the data.
Entry read_entry(const std::string& name, const Json& value, std::uint64_t data_size) {
  const std::string of = " of " + in_quotes(name);
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets")) {
    fail("dtype, shape and data_offsets" + of, json_text(value).substr(0, 80));
  }
  Entry entry;
  entry.name = name;
  const Json& dtype = value["dtype"];
  const auto* known =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeName& type) { return dtype == type.name; });
  if (known == std::end(kTypes))
    fail("a dtype of F64, F32, F16, BF16, I64, I32, U8 or BOOL" + of, json_text(dtype).substr(0, 40));
  entry.dtype = known->dtype;

  const Json& shape = value["shape"];
  if (!shape.is_array() || shape.size() > static_cast<std::size_t>(kMaxDims)) {
    fail("a shape of at most " + std::to_string(kMaxDims) + " sizes" + of, json_text(shape).substr(0, 80));
  }
  std::uint64_t size = size_of(entry.dtype);  // sizes beside a 0 are bounded too: strides are their products
  bool zero = false, overflow = false;
  for (const Json& part : shape) {
    const std::uint64_t length = unsigned_from(part, "in the shape" + of);
    if (length > static_cast<std::uint64_t>(INT64_MAX)) fail("sizes of 63 bits in the shape" + of, json_text(part));
    zero = zero || length == 0;
    overflow = overflow || __builtin_mul_overflow(size, std::max<std::uint64_t>(length, 1), &size) ||
               size > static_cast<std::uint64_t>(INT64_MAX);
    entry.shape.push_back(static_cast<std::int64_t>(length));
  }
  if (overflow) fail("a shape that can be indexed" + of, json_text(shape).substr(0, 200));
  if (zero) size = 0;

  const Json& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) fail("two data_offsets" + of, json_text(offsets).substr(0, 40));
  entry.begin = unsigned_from(offsets[0], "in the data_offsets" + of);
  entry.end = unsigned_from(offsets[1], "in the data_offsets" + of);
  if (entry.begin > entry.end || entry.end > data_size) {
    fail("data_offsets" + of + " within [0, " + std::to_string(data_size) + "]", json_text(offsets));
  }
  if (entry.end - entry.begin != size) {
    fail(std::to_string(size) + " bytes" + of, std::to_string(entry.end - entry.begin));
  }
  return entry;
}

}  // namespace

std::string to_safetensors(const TensorFile& file) {
  std::vector<std::size_t> order(file.tensors.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return size_of(file.tensors[a].second.dtype()) > size_of(file.tensors[b].second.dtype());
  });

  OrderedJson header = OrderedJson::object();
  for (const auto& [name, text] : file.metadata) header[kMetadata][name] = text;
  std::unordered_set<std::string_view> names{kMetadata};
  std::vector<Tensor> tensors;
  std::uint64_t offset = 0;
  for (const std::size_t i : order) {
    const auto& [name, tensor] = file.tensors[i];
    if (!names.insert(name).second) {
      throw ValueError("[to_safetensors] expected distinct names, none \"__metadata__\", got " + in_quotes(name) +
                       " again");
    }
    tensors.push_back(tensor.detach().contiguous().to(cpu()));
    const std::uint64_t end = offset + internal::bytes_of(tensors.back()).size();
    OrderedJson entry;
    entry["dtype"] = format_name(tensor.dtype());
    entry["shape"] = std::vector<std::int64_t>(tensor.shape().begin(), tensor.shape().end());
    entry["data_offsets"] = {offset, end};
    header[name] = std::move(entry);
    offset = end;
  }
  std::string text;
  try {
    text = json_text(header);
  } catch (const OrderedJson::type_error&) {
    throw ValueError("[to_safetensors] expected names and metadata in UTF-8, got other bytes");
  }
  text.resize((8 + text.size() + kAlign - 1) / kAlign * kAlign - 8, ' ');
  if (text.size() > kMaxHeader) {
    throw ValueError("[to_safetensors] expected a header of at most " + std::to_string(kMaxHeader) + " bytes, got " +
                     std::to_string(text.size()));
  }

  const std::uint64_t length = text.size();
  std::string bytes;
  bytes.reserve(8 + text.size() + offset);
  bytes.append(reinterpret_cast<const char*>(&length), 8);
  bytes += text;
  for (const Tensor& tensor : tensors) bytes += internal::bytes_of(tensor);
  return bytes;
}

TensorFile from_safetensors(std::string_view bytes) {
  if (bytes.size() < 8) fail("at least 8 bytes", std::to_string(bytes.size()));
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  if (length > kMaxHeader || length > bytes.size() - 8) {
    fail("a header within " + std::to_string(std::min<std::uint64_t>(kMaxHeader, bytes.size() - 8)) + " bytes",
         std::to_string(length));
  }
  const std::string_view text = bytes.substr(8, length);
  const std::string_view data = bytes.substr(8 + length);
  if (text.empty() || text[0] != '{') fail("a header that begins with {", "another");
  if (text.find('\0') != std::string_view::npos) fail("a header of text", "one with a zero byte");  // ends no JSON
  const Json header = internal::parse_json(text, "safetensors");

  TensorFile file;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != kMetadata) {
      entries.push_back(read_entry(name, value, data.size()));
      continue;
    }
    if (!value.is_object()) fail("metadata as an object", value.type_name());
    for (const auto& [key, entry] : value.items()) {
      if (!entry.is_string()) fail("metadata of strings", std::string(entry.type_name()) + " as " + in_quotes(key));
      file.metadata.emplace_back(key, entry.get<std::string>());
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::uint64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at) {
      fail("the elements of " + in_quotes(entry.name) + " at " + std::to_string(at) + ", without holes or overlaps",
           std::to_string(entry.begin));
    }
    at = entry.end;
  }
  if (at != data.size()) fail(std::to_string(at) + " bytes of elements", std::to_string(data.size()));

  for (Entry& entry : entries) {
    const std::string_view elements = data.substr(entry.begin, entry.end - entry.begin);
    if (entry.dtype == boolean &&
        std::any_of(elements.begin(), elements.end(), [](char c) { return c != 0 && c != 1; })) {
      fail("booleans of 0 and 1 in " + in_quotes(entry.name), "another byte");
    }
    Tensor tensor = internal::copy_in("from_safetensors", elements.data(), elements.size() / size_of(entry.dtype),
                                      entry.shape, entry.dtype);
    file.tensors.emplace_back(std::move(entry.name), std::move(tensor));
  }
  return file;
}

}  // namespace tern
