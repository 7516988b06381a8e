"""Follows docs/adding-an-op.md on a copy of the tree: applies its blocks, counts the files that each op touches, builds the
table of conformance and runs the new rows.

    adding_an_op.py SOURCE_ROOT WORK_FOLDER [cmake option...]
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

PAGE = "docs/adding-an-op.md"
MOST_FILES = {"log_cosh": 3, "gaussian": 4, "moving_sum": 5}  # a sixth where there is a GPU
SECTION = re.compile(r"^## .*: (\w+)$", re.MULTILINE)
EDIT = re.compile(r'<!-- edit: (\S+), (before|after) "(.*?)" -->\n```cpp\n(.*?)```\n', re.DOTALL)
COPIED = ["CMakeLists.txt", "README.md", "cmake", "docs", "examples", "include", "kernels", "src", "tests"]


def fail(text):
    sys.exit(f"adding_an_op: {text}")


def edits_by_op(page):
    """{op: [(file, before or after, anchor, text)]} in the order of the page."""
    parts = SECTION.split(page)
    return {op: EDIT.findall(body) for op, body in zip(parts[1::2], parts[2::2])}


def apply(root, file, side, anchor, text):
    path = root / file
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    found = [i for i, line in enumerate(lines) if anchor in line]
    if len(found) != 1 and side == "before":
        found = [i for i in found if lines[i].startswith(anchor)]
    if len(found) != 1:
        fail(f"expected one line with {anchor!r} in {file}, found {len(found)}")
    at = found[0] + (side == "after")
    path.write_text("".join(lines[:at]) + text + "".join(lines[at:]), encoding="utf-8")


def main():
    source, work = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for name in COPIED:
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy2
        copy(source / name, work / name)

    ops = edits_by_op((source / PAGE).read_text(encoding="utf-8"))
    if set(ops) != set(MOST_FILES):
        fail(f"expected the ops {sorted(MOST_FILES)} on the page, found {sorted(ops)}")
    for op, edits in ops.items():
        for edit in edits:
            apply(work, *edit)
            for line in edit[3].splitlines() if edit[0].startswith("kernels/functors/") else []:
                if line.lstrip().startswith("static") and "(" in line:
                    fail(f"expected TERN_FUNCTOR, without which no GPU's kernel calls it, got {line.strip()!r}")
        files = {edit[0] for edit in edits}
        if not edits or len(files) > MOST_FILES[op]:
            fail(f"expected at most {MOST_FILES[op]} files for {op}, found {len(files)}: {sorted(files)}")
        print(f"{op}: {len(files)} files")

    # The compiler's cache, where there is one, knows the files that the page leaves alone by their place in the tree.
    environment = os.environ | {"CCACHE_BASEDIR": str(work), "CCACHE_NOHASHDIR": "1"}
    build = work / "build" / "test"
    configure = ["cmake", "-S", work, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DTERN_BUILD_EXAMPLES=OFF", "-DTERN_INSTALL=OFF", "-DTERN_CUDA=OFF", *sys.argv[3:]]
    if shutil.which("ccache"):
        configure.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    for command in (configure, ["cmake", "--build", build, "--parallel", os.environ.get("TERN_JOBS", str(os.cpu_count())), "--target", "tests_conformance"]):
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            fail(f"expected the copy to build, got:\n{done.stdout[-6000:]}")
    program = build / "tests" / "tests_conformance"
    rows = ":".join(f"{op}.*" for op in ops)
    subprocess.run([program, "--gtest_brief=1", f"--gtest_filter={rows}"], check=True)
    listed = subprocess.run([sys.executable, work / "tests/conformance/list_ops.py", "--program", program], stdout=subprocess.PIPE, text=True)
    print(listed.stdout, end="")
    sys.exit(listed.returncode)


if __name__ == "__main__":
    main()
