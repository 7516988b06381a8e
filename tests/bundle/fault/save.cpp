// Saves a bundle of some width over a file: save FILE HIDDEN. Exit status 0: saved, 3: FileError, said on stderr.

#include <cstdio>
#include <cstdlib>

#include "bundle/small.h"
#include "tern/base/error.h"

int main(int argc, char** argv) {
  if (argc != 3) return 1;
  try {
    tern::test::small_bundle(std::atol(argv[2])).save(argv[1]);
  } catch (const tern::FileError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
  return 0;
}
