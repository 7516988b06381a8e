#include "trees/ubjson.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "tern/base/error.h"

namespace tern::trees::internal {
namespace {

using tern::internal::Json;
using tern::internal::OrderedJson;

constexpr int kMaxDepth = 64;

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& what) : rest_(bytes), what_(what) {}

  Json document() {
    Json value = of_type(next(), 0);
    if (!rest_.empty()) fail("nothing behind the value");
    return value;
  }

 private:
  [[noreturn]] TERN_COLD void fail(const std::string& expected) const {
    throw FormatError("[" + what_ + "] expected UBJSON with " + expected);
  }

  char next() {
    if (rest_.empty()) fail("all of its bytes");
    const char byte = rest_.front();
    rest_.remove_prefix(1);
    return byte;
  }

  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) fail("all of its bytes");
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  template <class T>
  T big_endian() {
    std::uint64_t bits = 0;
    for (const char byte : take(sizeof(T))) bits = bits << 8 | static_cast<unsigned char>(byte);
    if constexpr (sizeof(T) == 4 && !std::is_integral_v<T>) {
      return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    } else if constexpr (!std::is_integral_v<T>) {
      return std::bit_cast<double>(bits);
    } else {
      return static_cast<T>(bits);
    }
  }

  std::uint64_t length(char type) {
    const Json number = of_type(type, kMaxDepth);
    if (!number.is_number_integer() || number < 0) fail("lengths of 0 and more");
    return number.get<std::uint64_t>();
  }

  Json of_type(char type, int depth) {
    switch (type) {
      case 'i':
        return big_endian<std::int8_t>();
      case 'U':
        return big_endian<std::uint8_t>();
      case 'I':
        return big_endian<std::int16_t>();
      case 'l':
        return big_endian<std::int32_t>();
      case 'L':
        return big_endian<std::int64_t>();
      case 'd':
        return big_endian<float>();
      case 'D':
        return big_endian<double>();
      case 'T':
        return true;
      case 'F':
        return false;
      case 'Z':
        return nullptr;
      case 'C':
        return std::string(take(1));
      case 'S':
        return std::string(take(length(next())));
      case '[':
        return array(depth);
      case '{':
        return object(depth);
      default:
        fail("types that XGBoost uses");
    }
  }

  Json array(int depth) {
    if (depth >= kMaxDepth) fail("at most 64 levels");
    Json list = Json::array();
    char type = next();
    if (type == '$') {
      const char element = next();
      if (std::string_view("iUIlLdD").find(element) == std::string_view::npos) fail("arrays of numbers");
      if (next() != '#') fail("a length behind an array's type");
      const std::uint64_t count = length(next());
      for (std::uint64_t i = 0; i < count; ++i) list.push_back(of_type(element, depth + 1));
    } else if (type == '#') {
      const std::uint64_t count = length(next());
      for (std::uint64_t i = 0; i < count; ++i) list.push_back(of_type(next(), depth + 1));
    } else {
      for (; type != ']'; type = next()) list.push_back(of_type(type, depth + 1));
    }
    return list;
  }

  Json object(int depth) {
    if (depth >= kMaxDepth) fail("at most 64 levels");
    Json members = Json::object();
    for (char type = next(); type != '}'; type = next()) {
      const std::string key(take(length(type)));
      if (!members.emplace(key, of_type(next(), depth + 1)).second) fail("distinct keys");
    }
    return members;
  }

  std::string_view rest_;
  const std::string& what_;
};

template <class T>
void put(std::string& out, T value) {
  std::uint64_t bits = 0;
  if constexpr (std::is_same_v<T, float>) {
    bits = std::bit_cast<std::uint32_t>(value);
  } else if constexpr (std::is_same_v<T, double>) {
    bits = std::bit_cast<std::uint64_t>(value);
  } else {
    bits = static_cast<std::uint64_t>(value);
  }
  for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(bits >> shift);
}

void put_length(std::string& out, std::size_t length) {
  out += 'L';
  put(out, static_cast<std::int64_t>(length));
}

char element_type(std::string_view key) {
  constexpr std::array<std::pair<std::string_view, char>, 14> types{{{"base_weights", 'd'},
                                                                     {"loss_changes", 'd'},
                                                                     {"split_conditions", 'd'},
                                                                     {"sum_hessian", 'd'},
                                                                     {"categories", 'l'},
                                                                     {"categories_nodes", 'l'},
                                                                     {"left_children", 'l'},
                                                                     {"right_children", 'l'},
                                                                     {"parents", 'l'},
                                                                     {"split_indices", 'l'},
                                                                     {"categories_segments", 'L'},
                                                                     {"categories_sizes", 'L'},
                                                                     {"default_left", 'U'},
                                                                     {"split_type", 'U'}}};
  for (const auto& [name, type] : types) {
    if (name == key) return type;
  }
  return 0;
}

void write(std::string& out, const OrderedJson& value, std::string_view key) {
  if (value.is_object()) {
    out += '{';
    for (const auto& [name, member] : value.items()) {
      put_length(out, name.size());
      out += name;
      write(out, member, name);
    }
    out += '}';
  } else if (value.is_array()) {
    const char type = element_type(key);
    out += '[';
    if (type != 0) {
      out += '$';
      out += type;
    }
    out += '#';
    put_length(out, value.size());
    for (const OrderedJson& element : value) {
      switch (type) {
        case 'd':
          put(out, element.get<float>());
          break;
        case 'l':
          put(out, element.get<std::int32_t>());
          break;
        case 'L':
          put(out, element.get<std::int64_t>());
          break;
        case 'U':
          put(out, element.get<std::uint8_t>());
          break;
        default:
          write(out, element, {});
      }
    }
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    out += 'S';
    put_length(out, text.size());
    out += text;
  } else if (value.is_number_integer()) {
    out += 'L';
    put(out, value.get<std::int64_t>());
  } else {  // nothing else is written
    out += 'D';
    put(out, value.get<double>());
  }
}

}  // namespace

Json parse_ubjson(std::string_view bytes, const std::string& what) { return Reader(bytes, what).document(); }

std::string write_ubjson(const OrderedJson& value) {
  std::string out;
  write(out, value, {});
  return out;
}

}  // namespace tern::trees::internal
