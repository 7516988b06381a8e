#!/usr/bin/env bash
# Runs test programs with the kernels of one instruction set, or as an old processor: exits 77 (skipped) where this
# machine cannot.
#   run.sh baseline|avx2|avx512|nehalem PROGRAM...
# nehalem emulates a processor without AVX, so that a wide instruction outside its place traps. TERN_CASES (a GoogleTest
# filter) says which cases of each program run: those of other devices do not care for the instruction set.
set -euo pipefail

target="$1"
shift

skip() {
  echo "skipped: $1"
  exit 77
}

needs=()
emulator=()
options=(--gtest_brief=1 "--gtest_filter=${TERN_CASES:-*}")
case "$target" in
  baseline) ;;
  avx2) needs=(avx2 fma f16c) ;;
  avx512) needs=(avx512f avx512dq avx512bw avx512vl) ;;
  nehalem)
    command -v qemu-x86_64 >/dev/null || skip "no qemu-x86_64 (Debian package qemu-user)"
    emulator=(qemu-x86_64 -cpu Nehalem)
    export TERN_EMULATED=1
    ;;
  *)
    echo "run.sh: expected baseline, avx2, avx512 or nehalem, got '$target'" >&2
    exit 2
    ;;
esac
for flag in "${needs[@]}"; do
  grep -qw "$flag" /proc/cpuinfo || skip "this processor has no $flag"
done

if [[ "$target" != nehalem ]]; then export TERN_CPU_TARGET="$target"; fi
for program in "$@"; do
  echo "$(basename "$program") on $target"
  "${emulator[@]}" "$program" "${options[@]}"
done
