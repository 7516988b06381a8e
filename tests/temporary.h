#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace tern {

/// A file of this process's own: the same program runs for several instruction sets and sanitizers at once.
inline std::string temporary_path(const std::string& name) {
  return testing::TempDir() + "tern_" + std::to_string(::getpid()) + "_" + name;
}

}  // namespace tern
