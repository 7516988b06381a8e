#pragma once

#include <string>

namespace tern {

/// The text of the E that `call` throws, "no error" where it throws nothing; what is no E is let through.
template <class E, class F>
std::string message_of(const F& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace tern
