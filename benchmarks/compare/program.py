"""Runs our example program as a user would, one process a call; standard library only."""

import csv
import json
import os
import subprocess
import sys

from tables import REPOSITORY


class ProgramError(Exception):
    """The program ended with another status than 0, or wrote something other than it promises."""


class Churn:
    """The `churn` example: train and predict by its command line."""

    def __init__(self, path, threads):
        self.path = str(path)
        self.threads = threads
        if not os.access(self.path, os.X_OK):
            raise ProgramError(f"expected the built example at {self.path}, got none; build it, or name it with --churn")

    def run(self, *arguments):
        done = subprocess.run([self.path, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            command = " ".join(map(str, [self.path, *arguments]))
            raise ProgramError(f"expected exit status 0, got {done.returncode} from: {command}\n{done.stdout}{done.stderr}")

    def train(self, data, target, positive, seed, bundle, *more):
        self.run(
            "train", "--data", data, "--target", target, "--positive", positive, "--model", "mlp", "--seed", seed,
            "--split-fractions", "0.85,0.15,0", "--threads", self.threads, "--out", bundle, *more,
        )  # fmt: skip

    def predict(self, bundle, data, out):
        """Probabilities of the positive class, a row each, in the order of the file."""
        self.run("predict", "--bundle", bundle, "--data", data, "--out", out)
        with open(out, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if "probability" not in (reader.fieldnames or []):
                raise ProgramError(f"expected a column probability in {out}, got {reader.fieldnames}")
            return [float(row["probability"]) for row in reader]


def default_churn():
    return REPOSITORY / "build" / "examples" / "churn" / "churn"


def read_report(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def make_environment(given, folder, packages, announce):
    """A Python with the pinned packages: the one that is given, else an environment made once under build/."""
    python = given or REPOSITORY / "build" / folder / "bin" / "python"
    pins = ", ".join(repr(package) for package in packages)
    check = f"from importlib.metadata import version as v; assert all(v(p.split('==')[0]) == p.split('==')[1] for p in [{pins}])"
    if os.path.exists(python) and subprocess.run([python, "-c", check], capture_output=True).returncode == 0:
        return python
    if given:
        raise ProgramError(f"expected {', '.join(packages)} in {python}, found others")
    announce(f"making {python.parents[1]} with {', '.join(packages)}")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    for step in ([sys.executable, "-m", "venv", "--clear", python.parents[1]], install):
        if subprocess.run(step).returncode != 0:
            raise ProgramError(f"expected a virtual environment with {', '.join(packages)}, got none")
    return python
