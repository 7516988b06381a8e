#include "tern/data/idx.h"

#include <bit>
#include <cstring>
#include <string_view>

#include "data/csv_input.h"
#include "tern/base/error.h"
#include "tern/tensor/creation.h"

namespace tern::data {
namespace {

[[noreturn]] void refuse_idx(const std::string& path, const std::string& message) {
  DataLocation location;
  location.file = path;
  throw DataError("read_idx", message, std::move(location));
}

template <class Bits>
Bits big_endian(const char* from) {
  Bits bits = 0;
  for (std::size_t i = 0; i < sizeof(Bits); ++i) {
    bits = static_cast<Bits>(bits << 8 | static_cast<unsigned char>(from[i]));
  }
  return bits;
}

// Elements stored as `Stored`, whose bits travel as `Bits`, into a tensor of type To.
template <class To, class Stored, class Bits>
Tensor elements(const Shape& shape, std::string_view content) {
  Tensor out = empty(shape, dtype_of<To>());
  To* to = out.mutable_span<To>().data();
  for (std::size_t at = 0; at < content.size(); at += sizeof(Bits)) {
    // NOLINTNEXTLINE(bugprone-signed-char-misuse): a signed byte is a number here.
    *to++ = static_cast<To>(std::bit_cast<Stored>(big_endian<Bits>(content.data() + at)));
  }
  return out;
}

}  // namespace

Tensor read_idx(const std::string& path, std::int64_t max_bytes) {
  const std::string content = internal::read_text("read_idx", path, max_bytes);
  if (content.size() < 4 || content[0] != 0 || content[1] != 0) {
    refuse_idx(
        path, "expected an IDX file, which begins with two zero bytes, a type and a number of dimensions, got another");
  }
  const int type = static_cast<unsigned char>(content[2]);
  const int dims = static_cast<unsigned char>(content[3]);
  const std::size_t size = type == 0x08 || type == 0x09   ? 1
                           : type == 0x0B                 ? 2
                           : type == 0x0C || type == 0x0D ? 4
                           : type == 0x0E                 ? 8
                                                          : 0;
  if (size == 0) refuse_idx(path, "expected an element type of 8, 9, 11, 12, 13 or 14, got " + std::to_string(type));
  if (dims > kMaxDims) {
    refuse_idx(path, "expected at most " + std::to_string(kMaxDims) + " dimensions, got " + std::to_string(dims));
  }
  const std::size_t header = 4 + 4 * static_cast<std::size_t>(dims);
  if (content.size() < header) refuse_idx(path, "expected a header of " + std::to_string(header) + " bytes, got fewer");
  Shape shape;
  std::size_t bytes = size;
  bool fits = true;
  for (int d = 0; d < dims; ++d) {
    const std::uint32_t extent = big_endian<std::uint32_t>(content.data() + 4 + 4 * d);
    shape.push_back(extent);
    fits = !__builtin_mul_overflow(bytes, std::size_t{extent}, &bytes) && fits;
  }
  if (!fits || bytes != content.size() - header) {
    refuse_idx(path, "expected the elements of shape " + to_string(shape) + " at " + std::to_string(size) +
                         " bytes each, got " + std::to_string(content.size() - header) + " bytes");
  }
  const std::string_view body = std::string_view(content).substr(header);
  switch (type) {
    case 0x08:
      return elements<std::uint8_t, std::uint8_t, std::uint8_t>(shape, body);
    case 0x09:
      return elements<std::int64_t, std::int8_t, std::uint8_t>(shape, body);
    case 0x0B:
      return elements<std::int64_t, std::int16_t, std::uint16_t>(shape, body);
    case 0x0C:
      return elements<std::int64_t, std::int32_t, std::uint32_t>(shape, body);
    case 0x0D:
      return elements<float, float, std::uint32_t>(shape, body);
    default:
      return elements<double, double, std::uint64_t>(shape, body);
  }
}

}  // namespace tern::data
