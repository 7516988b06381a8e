#!/usr/bin/env bash
# What `scripts/gpu run` says of programs that only print what the real ones would: passed where tests ran on the GPU,
# failed where all of them skipped themselves, as under a driver that is too old, and what it asks of compute-sanitizer.
set -euo pipefail
script="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/scripts/gpu"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/bin" "$folder/path"

program() {
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$folder/$1"
  chmod +x "$folder/$1"
}
expect() {
  if ! grep -qF "$1" "$folder/benchmarks-gpu.md"; then
    printf 'expected the line "%s", got\n' "$1"
    cat "$folder/benchmarks-gpu.md"
    exit 1
  fi
}
gpu() { PATH="$folder/path:$PATH" TERN_FASHION_MNIST=/nonexistent "$script" run "$folder" >"$folder/log" 2>&1; }

program path/nvidia-smi 'echo "Chip 1"'
program path/compute-sanitizer 'echo "$*" >>asked; while [[ $1 != bin/* ]]; do shift; done; "$@"'
for name in churn images; do program "bin/$name" 'exit 0'; done
program bin/bench_gpu 'echo "add | 1 | GB/s | 1.00"; echo "step | 3.0 | us a step | -"; echo "ours | 5 | GB/s | -"'
program path/python3 'echo "# PyTorch 9"; echo "add | 2 | GB/s"; echo "step | 6.0 | us a step"'

ran=$'cat <<END\n[       OK ] Launch.Blocks (0 ms)\n[       OK ] Cuda.Copies (3 ms)\n[  SKIPPED ] Cuda.Other (0 ms)\n'
ran+=$'[  PASSED  ] 2 tests.\n[  SKIPPED ] 1 test, listed below:\n[  SKIPPED ] Cuda.Other\nEND'
program bin/tests_device "$ran"
program bin/tests_conformance $'echo "[       OK ] add.Cuda (3 ms)"'
gpu || { cat "$folder/log"; exit 1; }
expect '| tests on the device | passed, 1 tests on the GPU, 1 skipped |'
expect '| every op beside the CPU | passed, 1 tests on the GPU, 0 skipped |'
expect '| compute-sanitizer memcheck | passed, 1 tests on the GPU, 1 skipped |'
expect '| compute-sanitizer synccheck | passed'
expect '| compute-sanitizer memcheck, every op | passed, 1 tests on the GPU, 0 skipped |'
expect '| images --device cuda | skipped |'
expect '| the same by PyTorch | passed |'
expect 'in the same run: PyTorch 9.'
expect '| add | 1 | GB/s | 1.00 | 2 | 2.00 |'
expect '| step | 3.0 | us a step | - | 6.0 | 0.50 |'
expect '| ours | 5 | GB/s | - | - | - |'
grep -q -- '-Cuda.MoreMemoryThanThereIs' "$folder/asked" || { echo "expected the test that runs out of memory left out"; exit 1; }

program path/python3 'exit 77'
skipped=$'cat <<END\n[       OK ] Launch.Blocks (0 ms)\n[  SKIPPED ] Cuda.Copies (0 ms)\n'
skipped+=$'[  PASSED  ] 1 test.\n[  SKIPPED ] 1 test, listed below:\n[  SKIPPED ] Cuda.Copies\nEND'
program bin/tests_device "$skipped"
program bin/tests_conformance $'echo "[  SKIPPED ] add.Cuda (0 ms)"'
if gpu; then
  echo "expected a failure where no test ran on the GPU"
  exit 1
fi
for stage in 'tests on the device' 'every op beside the CPU' 'compute-sanitizer memcheck' 'compute-sanitizer racecheck'; do
  expect "| $stage | FAILED, exit status 1 |"
done
expect '| the same by PyTorch | skipped |'
expect '| add | 1 | GB/s | 1.00 | - | - |'

program bin/tests_device 'echo "[       OK ] Cuda.Copies (3 ms)"; exit 1'
gpu && { echo "expected a failure where a test failed"; exit 1; }
expect '| tests on the device | FAILED, exit status 1 |'
