"""What benchmarks/compare/limits.py reads of the benchmarks' output."""

import re
import sys
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "compare"))

import limits  # noqa: E402
from program import ProgramError  # noqa: E402
from verdicts import FAILS, HOLDS, NOT_RUN  # noqa: E402

PRINTED = """avx512_bf16, 1 thread(s), peak 240.6 GF/s; each: GF/s, share of the peak beside it
  128x256 x256   X.W     tern 217.1 0.917  packed 219.9 0.939  Eigen 100.0 0.4  oneDNN 200.0 0.8  oneDNN packed 210.0 0.85
  256x768 x50304 Xt.dY   tern 207.0 0.856  packed 214.4 0.887  Eigen 100.0 0.4  oneDNN 270.0 1.1  oneDNN packed 231.0 0.91
geometric mean of tern over each: 1.000 0.975
"""


class Products(unittest.TestCase):
    def test_lines_are_read(self):
        found = limits.parse_products(PRINTED)
        self.assertEqual([*found], [("128x256x256", "X.W"), ("256x768x50304", "Xt.dY")])
        self.assertEqual(found["128x256x256", "X.W"]["oneDNN packed"], (210.0, 0.85))
        self.assertEqual(found["256x768x50304", "Xt.dY"]["tern"], (207.0, 0.856))

    def test_other_output_is_an_error(self):
        with self.assertRaises(ProgramError):
            limits.parse_products("nothing of the kind")

    def rows(self, name, printed):
        with mock.patch.object(limits, "run", return_value=printed), mock.patch.object(limits, "program", return_value="bench"):
            return {row.name: row for row in limits.products(name, SimpleNamespace(runs=2))}

    def test_the_worst_product_is_judged(self):
        rows = self.rows("gemm-f32", PRINTED)
        packed = rows["core/gemm-f32, packed before"]
        self.assertEqual((packed.ours, packed.verdict), (0.887, FAILS))
        self.assertIn("256x768x50304 Xt.dY; 1 below", packed.comparison)
        self.assertEqual(rows["core/gemm-f32, packing each call"].verdict, HOLDS)
        self.assertEqual(rows["core/gemm-f32, geometric mean vs Eigen"].verdict, HOLDS)
        self.assertEqual(rows["core/gemm-f32, geometric mean vs oneDNN"].verdict, FAILS)

    def test_small_shapes_are_left_out_of_two_threads(self):
        printed = re.sub(r"  packed .*", "", PRINTED).replace("tern 217.1 0.917", "tern 117.1 0.5")
        (row,) = self.rows("gemm-f32-2-threads", printed).values()
        self.assertEqual((row.ours, row.verdict), (0.856, HOLDS))

    def test_what_the_processor_lacks_is_not_run(self):
        self.assertIsNone(limits.run(["sh", "-c", "exit 77"]))
        (row,) = self.rows("gemm-bf16", None).values()
        self.assertEqual((row.ours, row.verdict), (None, NOT_RUN))


if __name__ == "__main__":
    unittest.main()
