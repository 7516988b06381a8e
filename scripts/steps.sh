# Numbered, timed steps for the scripts beside this file; sourced, not run.

steps_total=0
step_number=0
steps_start=$SECONDS

# steps N: N steps follow.
steps() { steps_total=$1; }

# elapsed: minutes and seconds since the script began.
elapsed() {
  local seconds=$((SECONDS - steps_start))
  printf '%d min %02d s' $((seconds / 60)) $((seconds % 60))
}

# step NAME COMMAND...: runs COMMAND under a heading, says how long it took, and ends the script when it fails.
step() {
  local name=$1 start=$SECONDS status=0
  shift
  step_number=$((step_number + 1))
  printf '\n== %d/%d %s\n' "$step_number" "$steps_total" "$name"
  # Not "|| status=$?": bash would then run a function on past its failing commands.
  set +e
  (set -e; "$@") </dev/null
  status=$?
  set -e
  if ((status != 0)); then
    printf '\n== FAILED: %s (exit status %d, after %s)\n   command: %s\n' "$name" "$status" "$(elapsed)" "$*" >&2
    exit "$status"
  fi
  # The last one closes with words of its own.
  if ((step_number < steps_total)); then printf '== %s: %d s\n' "$name" $((SECONDS - start)); fi
}

# quiet LOG COMMAND...: keeps the output in LOG and shows it only when COMMAND fails.
quiet() {
  local log=$1 status=0
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 || status=$?
  if ((status != 0)); then cat "$log" >&2; fi
  return "$status"
}
