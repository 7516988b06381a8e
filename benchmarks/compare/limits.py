"""What `core` measures against the machine itself: matrix products beside the multiply-add peak, Eigen and oneDNN, and what streams
through memory beside plain copies and sums of the same memory. Both sides run in one process, in turn (benchmarks/gemm.cpp,
benchmarks/bandwidth.cpp)."""

import json
import os
import re
import statistics
import subprocess

from program import ProgramError
from verdicts import FAILS, HOLDS, Row

SMALL = ("128x256x256", "128x784x256")  # of the nine shapes, those below 256x768x768

# name -> (arguments of bench_gemm, [(what, contender, shapes left out, least share of the peak)])
PRODUCTS = {
    "gemm-f32": ([], [("packed before", "packed", (), 0.90), ("packing each call", "tern", (), 0.85)]),
    "gemm-f32-2-threads": (["--threads", "2", "--no-peers"], [("packing each call, from 256x768x768 up", "tern", SMALL, 0.85)]),
    "gemm-bf16": (["--bf16"], [("from f32", "from f32", (), 0.80), ("from bf16", "from bf16", (), 0.85)]),
}  # fmt: skip
PEERS = {"oneDNN": 1.0, "Eigen": 1.35}  # of the geometric mean over the 27 products, at least

# name -> the limit of its form, in bench_bandwidth
STREAMS = {
    "relu": "copy_limit", "exp": "copy_limit", "tanh": "copy_limit", "add_two": "add_limit", "softmax": "copy_limit",
    "layer_norm": "copy_limit", "sum": "read_limit",
}  # fmt: skip
STREAM_SHARE = 0.85

WORKS = [*PRODUCTS, "bandwidth"]


def program(options, name):
    path = options.build_dir / "benchmarks" / name
    if not os.access(path, os.X_OK):
        raise ProgramError(f"expected {path}, got none; configure with -DTERN_BUILD_BENCHMARKS=ON and build {name}")
    return path


SKIPPED = 77  # the exit status of bench_gemm where it has no kernel for what is asked


def run(command):
    """What a program prints; None where it says that it cannot run here."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode == SKIPPED:
        return None
    if done.returncode != 0:
        raise ProgramError(f"expected exit status 0, got {done.returncode} from: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def parse_products(printed):
    """{(shape, product): {contender: (GF/s, share of the peak)}} of what bench_gemm prints."""
    found = {}
    for line in printed.splitlines():
        match = re.match(r" *(\d+)x(\d+) *x(\d+) +(X\.W|dY\.Wt|Xt\.dY)  (.*)", line)
        if match:
            contenders = re.findall(r"([A-Za-z][A-Za-z0-9 ]*?) ([0-9.]+) ([0-9.]+)(?:  |$)", match[5])
            found["x".join(match.group(1, 2, 3)), match[4]] = {name.strip(): (float(speed), float(share)) for name, speed, share in contenders}
    if not found:
        raise ProgramError(f"expected lines of products from bench_gemm, got: {printed[:200]}")
    return found


def products(name, options):
    arguments, bars = PRODUCTS[name]
    printed = [run([program(options, "bench_gemm"), "--seconds", "0.1", *arguments]) for _ in range(options.runs)]
    if None in printed:
        yield Row(name=f"core/{name}", comparison="no kernel for these here")
        return
    turns = [parse_products(each) for each in printed]
    keys = list(turns[0])
    middle = lambda key, contender, what: statistics.median(turn[key][contender][what] for turn in turns)
    for what, contender, left_out, bar in bars:
        shares = {key: middle(key, contender, 1) for key in keys if key[0] not in left_out}
        worst = min(shares, key=shares.get)
        short = sum(share < bar for share in shares.values())
        yield Row(
            name=f"core/{name}, {what}", unit="of peak", ours=shares[worst],
            comparison=f"worst of {len(shares)}: {worst[0]} {worst[1]}; {short} below the bar; mean {statistics.fmean(shares.values()):.3f}",
            bar=f"each >= {bar}", verdict=HOLDS if short == 0 else FAILS,
            details={"shares": {" ".join(key): share for key, share in shares.items()}},
        )  # fmt: skip
    for peer, bar in PEERS.items():
        if any(peer not in turns[0][key] for key in keys):
            continue
        ratios = {key: middle(key, "tern", 0) / middle(key, peer, 0) for key in keys}
        mean = statistics.geometric_mean(ratios.values())
        yield Row(
            name=f"core/{name}, geometric mean vs {peer}", unit="x", ours=mean, peer=1.0,
            comparison=f"{mean:.3f}x [{min(ratios.values()):.2f}, {max(ratios.values()):.2f}]", bar=f">= {bar}",
            verdict=HOLDS if mean >= bar else FAILS, details={"ratios": {" ".join(key): ratio for key, ratio in ratios.items()}},
        )  # fmt: skip


def bandwidth(options):
    names = "|".join([*STREAMS, "limit"])
    turns = []
    for _ in range(options.runs):
        printed = run([
            program(options, "bench_bandwidth"), f"--benchmark_filter=({names})/real_time", "--benchmark_min_time=0.3", "--benchmark_format=json",
        ])  # fmt: skip
        rates = {entry["name"].split("/real_time")[0].split("/")[-1]: entry["bytes_per_second"] for entry in json.loads(printed)["benchmarks"]}
        missing = ({*STREAMS} | {*STREAMS.values()}) - {*rates}
        if missing:
            raise ProgramError(f"expected every stream of bench_bandwidth, got none of {', '.join(sorted(missing))}")
        turns.append(rates)
    for name, limit in STREAMS.items():
        shares = [rates[name] / rates[limit] for rates in turns]
        share = statistics.median(shares)
        yield Row(
            name=f"core/bandwidth, {name} on 256 MB", unit="GB/s", ours=statistics.median(rates[name] for rates in turns) / 1e9,
            peer=statistics.median(rates[limit] for rates in turns) / 1e9, comparison=f"{share:.3f} [{min(shares):.3f}, {max(shares):.3f}] of {limit}",
            bar=f"median >= {STREAM_SHARE}", verdict=HOLDS if share >= STREAM_SHARE else FAILS, details={"shares": shares},
        )  # fmt: skip


def compare(work, options):
    return bandwidth(options) if work == "bandwidth" else products(work, options)
