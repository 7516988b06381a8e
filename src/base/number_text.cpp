#include "base/number_text.h"

#include <charconv>

namespace tern::internal {
namespace {

template <class T>
std::string shortest(T value) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

}  // namespace

std::string number_text(double value) { return shortest(value); }
std::string number_text(float value) { return shortest(value); }
std::string in_quotes(const std::string& name) {
  return "\"" + (name.size() > 80 ? name.substr(0, 80) + "…" : name) + "\"";
}

}  // namespace tern::internal
