#include "tern/base/error.h"

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

}  // namespace tern
