#!/usr/bin/env bash
# Runs a fuzzer for some seconds from its seeds; what it finds and what it learns stays beside the program.
#   run.sh PROGRAM SECONDS
set -euo pipefail

program=$1 seconds=$2
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
name="$(basename "$program")"
seeds="$here/corpus/${name#fuzz_}"
learned="$program.corpus"
if [[ ! -d "$seeds" ]]; then
  echo "$name: expected seeds in tests/fuzz/corpus/${name#fuzz_}, found none" >&2
  exit 1
fi
mkdir -p "$learned"
exec "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -seed=1 -print_final_stats=1 \
  -artifact_prefix="$program." "$learned" "$seeds"
