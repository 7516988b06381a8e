#!/usr/bin/env bash
# Configures and builds some targets of the project in a folder of their own.
#   build.sh SOURCE BUILD "TARGET;..." [cmake options]     CMAKE_BUILD_PARALLEL_LEVEL says by how many jobs
set -euo pipefail

source=$1 build=$2
IFS=';' read -ra targets <<<"$3"
shift 3
cmake -S "$source" -B "$build" -G Ninja "$@"
cmake --build "$build" --target "${targets[@]}"
