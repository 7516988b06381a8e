#include "tern/base/error.h"

#include <typeinfo>

#include "base/retell.h"

namespace tern {
namespace {
std::string compose(const std::string& where, const std::string& message, const DataLocation& at) {
  std::string text = "[" + where + "] ";
  if (!at.file.empty()) text += at.file + ": ";
  std::string place;
  if (at.row >= 0) place += "row " + std::to_string(at.row);
  if (at.line >= 0)
    place += (place.empty() ? "line " : " (line ") + std::to_string(at.line) + (place.empty() ? "" : ")");
  if (!at.column.empty()) place += (place.empty() ? "" : ", ") + ("column \"" + at.column + "\"");
  if (!place.empty()) text += place + ": ";
  return text + message;
}
}  // namespace

DataError::DataError(const std::string& where, const std::string& message, DataLocation location)
    : Error(compose(where, message, location)), where_(where), message_(message), location_(std::move(location)) {}

namespace internal {
namespace {

template <class... E>
void throw_as(const Error& error, const std::string& text) {
  ((typeid(error) == typeid(E) ? throw E(text) : void()), ...);
}

// Those of a class of the user's stay as they are.
void throw_like(const Error& error, const std::string& text) {
  throw_as<Error, ShapeError, DTypeError, IndexError, ValueError, StateError, DeviceError, MemoryError, NumericError,
           FormatError>(error, text);
}

}  // namespace

std::string class_name(std::string_view type) {
  std::string name;
  bool first = true;  // of a word
  for (const char c : type) {
    if (c != '_') name += first && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    first = c == '_';
  }
  return name;
}

void rethrow_saying(const std::string& where) {
  try {
    throw;
  } catch (const DataError& error) {
    if (typeid(error) == typeid(DataError)) throw DataError(error.where(), where + error.message(), error.location());
    throw;
  } catch (const Error& error) {
    throw_like(error, where + error.what());
    throw;
  }
}

void rethrow_as(std::string_view name) {
  try {
    throw;
  } catch (const DataError& error) {
    if (typeid(error) == typeid(DataError)) throw DataError(std::string(name), error.message(), error.location());
    throw;
  } catch (const Error& error) {
    const std::string text = error.what();
    const std::size_t end = text.starts_with('[') ? text.find(']') : std::string::npos;
    if (end != std::string::npos) throw_like(error, "[" + std::string(name) + text.substr(end));
    throw;
  }
}

}  // namespace internal
}  // namespace tern
