"""`core`: the tape, small steps and small networks through our public API beside LibTorch's, each in a process of its own.

Both programs are built here: ours against the library that the build folder holds, the peer's against the C++ library inside
PyPI's torch. Runs of the two sides take turns; a row's ratio is the median of the paired ratios. Where several threads are
allowed, the peer has the better of one thread and all of them. What has the machine for its peer stands in limits.py.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

import limits
import tables
from program import ProgramError
from verdicts import Row, quartiles, ratio_verdict

HERE = Path(__file__).resolve().parent
TORCH = "torch==2.15.0"

# name -> (threads allowed, limit of ours over the peer's, what a unit is)
STEPS = {
    "add": (1, 1 / 20, "8x8 add, gradient on"),
    "chain": (1, 1 / 40, "an op forward and backward, in a chain of 100"),
    "sgd-16-32-32-4-32": (1, 1 / 15, "a step"),
    "adamw-16-32-32-4-32": (1, 1 / 25, "a step"),
    "sgd-64-64-64-10-64": (1, 1 / 4, "a step"),
    "sgd-784-256-256-10-128": (2, 0.75, "a step"),
    "adamw-784-256-256-10-128": (2, 0.75, "a step"),
    "sgd-784-1024-1024-10-128": (2, 0.75, "a step"),
    "adamw-784-1024-1024-10-128": (2, 0.75, "a step"),
    "row-30-64-32-1": (1, 1 / 5, "a row, no gradient"),
    "embedding-50000-64-1024": (1, 1 / 3, "a step"),
    "bce-1024-1024": (1, 1, "bce_with_logits, forward and backward"),
    "dropout-1024-1024": (1, 1, "no gradient"),
    "randn-1024-1024": (1, 1, "a tensor; ours in f64, one normal for each pair of uniforms"),
    "transposed-1024-1024": (1, 1, "a contiguous copy of the transpose"),
    "transposed-add-1024-1024": (1, 1, "x + x transposed, no gradient"),
    "argmax-1024-1024": (1, 1, "of each row and of each column"),
    "halves-1024-1024": (1, 1, "f32 to f16 and back"),
}  # fmt: skip
ONNX = "row-30-64-32-1-onnxruntime"
WORKS = [*STEPS, ONNX, *limits.WORKS]


def run(command, **settings):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **settings)
    if done.returncode != 0:
        raise ProgramError(f"expected exit status 0, got {done.returncode} from: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def torch_folder(python):
    """Where the torch package of a Python lies, or None."""
    done = subprocess.run(
        [python, "-c", f"import torch; assert torch.__version__.split('+')[0] == '{TORCH.split('==')[1]}'; print(torch.__path__[0])"],
        capture_output=True, text=True,
    )  # fmt: skip
    return Path(done.stdout.strip()) if done.returncode == 0 else None


def find_torch(options, announce):
    """The pinned torch: of the Python named by --torch-python, else of an environment made once under build/ (6 GB)."""
    if options.torch_python:
        folder = torch_folder(options.torch_python)
        if folder is None:
            raise ProgramError(f"expected {TORCH} in {options.torch_python}, found none")
        return folder
    venv = tables.REPOSITORY / "build" / "compare-torch"
    python = venv / "bin" / "python"
    if not python.exists() or torch_folder(python) is None:
        announce(f"making {venv} with {TORCH} (6 GB)")
        run([sys.executable, "-m", "venv", "--clear", venv])
        run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", TORCH])
    return torch_folder(python)


def build_peer(torch, announce):
    """The peer's program; built again when its source, the shared header or torch is newer."""
    program = tables.REPOSITORY / "build" / "compare" / "core_libtorch"
    sources = [HERE / "core" / "libtorch.cpp", HERE / "core" / "measure.h", torch / "version.py"]
    if not program.exists() or any(source.stat().st_mtime > program.stat().st_mtime for source in sources):
        announce("building the peer's program against LibTorch")
        program.parent.mkdir(parents=True, exist_ok=True)
        run([
            "g++", "-std=c++20", "-O2", "-w", "-isystem", torch / "include", "-isystem", torch / "include/torch/csrc/api/include",
            sources[0], "-L", torch / "lib", f"-Wl,-rpath,{torch / 'lib'}", "-Wl,--no-as-needed", "-ltorch", "-ltorch_cpu", "-lc10", "-o", program,
        ])  # fmt: skip
    return program


def seconds(program, work, threads):
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    printed = run([program, "--threads", threads, work], env=environment).split()
    if len(printed) != 2 or printed[0] != work:
        raise ProgramError(f"expected '{work} SECONDS' from {program}, got {' '.join(printed)}")
    return float(printed[1])


def measure(ours_program, peer_program, work, runs):
    threads, limit, unit = STEPS[work]
    counts = sorted({1, min(threads, os.cpu_count() or 1)})
    ours, peer = [], {count: [] for count in counts}
    for turn in range(runs):
        sides = [lambda: ours.append(seconds(ours_program, work, counts[-1]))]
        sides += [lambda count=count: peer[count].append(seconds(peer_program, work, count)) for count in counts]
        for side in sides if turn % 2 == 0 else reversed(sides):
            side()
    best = min(counts, key=lambda count: statistics.median(peer[count]))
    ratios = [a / b for a, b in zip(ours, peer[best])]
    low, middle, high = quartiles(ratios)
    return Row(
        name=f"core/{work} vs LibTorch",
        unit="us",
        ours=statistics.median(ours) * 1e6,
        peer=statistics.median(peer[best]) * 1e6,
        comparison=f"{middle:.4f}x [{low:.4f}, {high:.4f}]",
        bar=f"median ratio <= {limit:.4g}",
        verdict=ratio_verdict(ratios, limit),
        details={"work": unit, "ours_threads": counts[-1], "peer_threads": best, "ours": ours, "peer": peer, "ratios": ratios},
    )  # fmt: skip


def measure_onnx(ours_program, options):
    """Beside ONNX Runtime from C++, whose library is in PyPI's wheel. It prepares weights when it loads them: so do we."""
    work = ONNX.removesuffix("-onnxruntime")
    name = f"core/{work} vs ONNX Runtime"
    python = options.torch_python
    if not python or subprocess.run([python, "-c", "import onnx, onnxruntime"], capture_output=True).returncode != 0:
        return Row(name=name, comparison="expected a --torch-python with onnx and onnxruntime")
    folder = tables.REPOSITORY / "build" / "compare"
    folder.mkdir(parents=True, exist_ok=True)
    sizes = work.split("-")[1:]
    library, output, expected = run([python, HERE / "core" / "onnxruntime_model.py", folder / "row.onnx", *sizes]).split()
    run(["g++", "-std=c++20", "-O2", HERE / "core" / "onnxruntime.cpp", "-ldl", "-o", folder / "core_onnxruntime"])
    command = [folder / "core_onnxruntime", next(Path(library).glob("libonnxruntime.so.*")), folder / "row.onnx", sizes[0], work, output]
    _, limit, unit = STEPS[work]
    ours, peer = [], []
    for _ in range(options.runs):
        ours.append(seconds(ours_program, work.replace("row", "packed"), 1))
        _, took, answer = run(command).split()
        if abs(float(answer) - float(expected)) > 1e-3 * max(1, abs(float(expected))):
            raise ProgramError(f"expected {expected} from ONNX Runtime, got {answer}")
        peer.append(float(took))
    ratios = [a / b for a, b in zip(ours, peer)]
    low, middle, high = quartiles(ratios)
    return Row(
        name=name, unit="us", ours=statistics.median(ours) * 1e6, peer=statistics.median(peer) * 1e6,
        comparison=f"{middle:.4f}x [{low:.4f}, {high:.4f}]", bar=f"median ratio <= {limit:.4g}", verdict=ratio_verdict(ratios, limit),
        details={"work": unit, "ours": ours, "peer": peer, "ratios": ratios},
    )  # fmt: skip


def compare(options, announce):
    """Yields the rows of each work; `--works` names some of them."""
    works = [work for work in options.works or WORKS if work in WORKS]
    ours_program = limits.program(options, "compare_core")
    peer_program = build_peer(find_torch(options, announce), announce) if any(work in STEPS for work in works) else None
    for work in works:
        announce(f"core: {work}, {options.runs} runs")
        if work in STEPS:
            yield measure(ours_program, peer_program, work, options.runs)
        elif work == ONNX:
            yield measure_onnx(ours_program, options)
        else:
            yield from limits.compare(work, options)
