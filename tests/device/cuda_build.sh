#!/usr/bin/env bash
# A build with CUDA starts on a machine without a driver, and holds code for the GPUs that it was made for.
#   cuda_build.sh PROGRAM CUOBJDUMP ARCHITECTURES; without a PROGRAM there was no nvcc: skipped. Without CUOBJDUMP it only
#   looks for code, not for whose.
set -euo pipefail
program=${1:-}
if [[ -z "$program" ]]; then
  echo "SKIPPED: built without CUDA"
  exit 77
fi
if needed="$(ldd "$program" | grep -E 'libcuda|libcublas|libnv')"; then
  printf 'expected no library of CUDA beside the program, got\n%s\n' "$needed"
  exit 1
fi
"$program" --gtest_filter='Device.*' --gtest_brief=1
if [[ -z "$2" ]]; then
  readelf --section-headers --wide "$program" | grep -q '[.]nv_fatbin' || { echo "expected code for GPUs, found none"; exit 1; }
  exit 0
fi
code="$("$2" --list-elf --list-ptx "$program")"
IFS=';' read -ra architectures <<<"$3"
for architecture in "${architectures[@]}"; do
  number=${architecture%%-*}
  # Every family of kernels, each a file of its own.
  found="$(grep -c "sm_$number" <<<"$code" || true)"
  if ((found < 10)); then
    printf 'expected code for sm_%s in ten families, got %s\n' "$number" "$found"
    exit 1
  fi
done
