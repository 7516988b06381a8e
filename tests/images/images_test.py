"""The images example as its users run it; run by ctest, one class a test."""

import gzip
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = os.environ["IMAGES"]
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)


def write_idx(path, sizes, elements):
    with gzip.open(path, "wb") as file:
        file.write(struct.pack(f">HBB{len(sizes)}I", 0, 8, len(sizes), *sizes) + bytes(elements))


def write_images(folder, part, count, seed):
    """Images of 6x6 noisy pixels whose class says which row is bright."""
    draw = random.Random(seed)
    pixels, labels = [], []
    for i in range(count):
        labels.append(i % 6)
        pixels += [min(255, max(0, int(draw.gauss(200 if row == i % 6 else 60, 40)))) for row in range(6) for _ in range(6)]
    write_idx(folder / f"{part}-images-idx3-ubyte.gz", [count, 6, 6], pixels)
    write_idx(folder / f"{part}-labels-idx1-ubyte.gz", [count], labels)


def accuracy(done):
    return float(re.search(r"test accuracy ([0-9.]+)", done.stdout).group(1))


class Learns(unittest.TestCase):
    def test_bright_rows_are_told_apart_the_same_at_any_number_of_threads(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_images(folder, "train", 1200, 1)
            write_images(folder, "t10k", 600, 2)
            outputs = []
            for threads in (1, 2, 5):
                done = run("--data", folder, "--epochs", 3, "--threads", threads, "--out", folder / f"{threads}.safetensors")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertGreater(accuracy(done), 0.95)
                outputs.append((folder / f"{threads}.safetensors").read_bytes())
            self.assertEqual(len(set(outputs)), 1)
            again = run("--data", folder, "--epochs", 3, "--seed", 2, "--out", folder / "2.safetensors")
            self.assertEqual(again.returncode, 0, again.stderr)
            self.assertNotEqual((folder / "2.safetensors").read_bytes(), outputs[0])


class Refuses(unittest.TestCase):
    def test_missing_and_unequal_files(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            done = run("--data", folder)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"{folder}/train-images-idx3-ubyte.gz", done.stderr)
            write_images(folder, "train", 12, 1)
            write_idx(folder / "train-labels-idx1-ubyte.gz", [3], [0, 1, 2])
            done = run("--data", folder)
            self.assertEqual(done.returncode, 2)
            self.assertIn("[12, 6, 6] and [3]", done.stderr)

    def test_a_device_that_is_not_there(self):
        for device, said in (("cuda:100", "[device] expected cuda:100, got "), ("gpu", 'got "gpu"')):
            done = run("--device", device)
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn(said, done.stderr)

    def test_a_class_beyond_the_ten(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_images(folder, "train", 12, 1)
            write_idx(folder / "train-labels-idx1-ubyte.gz", [12], [11] * 12)
            done = run("--data", folder)
            self.assertEqual(done.returncode, 2)
            self.assertIn("11", done.stderr)


class FashionMnist(unittest.TestCase):
    def test_one_epoch(self):
        done = run("--epochs", 1)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(accuracy(done), 0.83)


if __name__ == "__main__":
    if sys.argv[1] == "FashionMnist" and not FASHION_MNIST.is_dir():
        print(f"skipped: {FASHION_MNIST} is not there (examples/images/setup installs it)")
        sys.exit(77)
    unittest.main()
