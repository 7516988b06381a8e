#!/usr/bin/env bash
# Installs a build, moves the tree, and builds and runs a consumer that finds it there.
#   run.sh installed BUILD SCRATCH STRIP [cmake options]   BUILD is a finished build of either linkage
#   run.sh subdirectory SOURCE BUILD SCRATCH STRIP [cmake options]
#     builds the consumer around SOURCE as shared libraries in BUILD, runs it, then does the above with that build
set -euo pipefail

mode=$1 subject=$2
shift 2
build=$subject
if [[ "$mode" == subdirectory ]]; then
  build=$1
  shift
  rm -rf "$build"
fi
scratch=$1 strip=$2
shift 2
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
bundle="$here/../bundle/golden/format1.tern"
rm -rf "$scratch"
mkdir -p "$scratch"

# An installed file may name no folder of the machine that built it.
relocatable() {
  local found
  found="$(grep -rlF -e "$scratch" -e "$build" -e "$subject" "$1" --include='*.cmake' --include='*.h' || true)"
  if [[ -n "$found" ]]; then
    echo "expected a relocatable install, got the build's own folders in: $found" >&2
    return 1
  fi
}

installed() {
  cmake --install "$build" --prefix "$scratch/first" >"$scratch/install.log"
  relocatable "$scratch/first"
  mkdir -p "$scratch/elsewhere"
  mv "$scratch/first" "$scratch/elsewhere/moved"
  cmake -S "$here/consumer" -B "$scratch/consumer" -G Ninja -DCMAKE_PREFIX_PATH="$scratch/elsewhere/moved" "$@"
  cmake --build "$scratch/consumer"
  "$scratch/consumer/consumer" "$bundle"
}

case "$mode" in
  installed)
    installed "$@"
    ;;
  subdirectory)
    cmake -S "$here/consumer" -B "$build" -G Ninja -DTERN_SOURCE="$subject" -DBUILD_SHARED_LIBS=ON "$@"
    cmake --build "$build"
    "$build/consumer" "$bundle"
    python3 "$here/../house/library_size.py" --strip "$strip" "$build"/tern/libtern_*.so
    installed "$@"
    ;;
  *)
    echo "run.sh: expected installed or subdirectory, got '$mode'" >&2
    exit 2
    ;;
esac
