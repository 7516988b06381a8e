#pragma once

#include <string>
#include <string_view>

#include "tern/base/error.h"

namespace tern::internal {

/// The class that a type is the name of in files: "k_means" of KMeans. Messages name what the user wrote.
TERN_API std::string class_name(std::string_view type);

/// In a handler: throws the error again, of its class, which says `where` first.
[[noreturn]] TERN_COLD TERN_API void rethrow_saying(const std::string& where);
/// In a handler: throws the error again, of its class, under the name of what the user called.
[[noreturn]] TERN_COLD TERN_API void rethrow_as(std::string_view name);

/// What `call` gives; an error of it says `where` first.
template <class Call>
auto saying(const std::string& where, const Call& call) {
  try {
    return call();
  } catch (const Error&) {
    rethrow_saying(where);
  }
}

/// The same for what has to do with rows of validation.
template <class Call>
auto in_validation(const Call& call) {
  return saying("in validation: ", call);
}

/// What `call` gives, a call that another class does for the one that the user knows: an error of it bears its name.
template <class Call>
auto speaking_as(std::string_view name, const Call& call) {
  try {
    return call();
  } catch (const Error&) {
    rethrow_as(name);
  }
}

}  // namespace tern::internal
