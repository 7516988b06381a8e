"""How the tables of boosted trees are written for all sides, and what their intervals are judged to mean."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "compare"))

from trees_tables import share_verdict, write_table
from verdicts import FAILS, HOLDS, UNDECIDED, Interval


class TreesTables(unittest.TestCase):
    def test_verdicts(self):
        for low, high, verdict in (
            (-0.004, 0.001, HOLDS), (-0.004, -0.001, HOLDS), (-0.006, 0.02, UNDECIDED), (-0.02, -0.001, FAILS), (-0.006, 0.001, FAILS),
        ):  # fmt: skip
            self.assertEqual(share_verdict(Interval((low + high) / 2, low, high), 0.005), verdict, (low, high))

    def test_what_is_missing_is_blank_and_other_words_stay(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "table.csv"
            write_table(path, ["late", "plane", "day"], [["x", "NA", "1"], ["y", "None", ""]], ["late"], [1, 0])
            self.assertEqual(path.read_text(), "plane,day,target\n,1,1\nNone,,0\n")


if __name__ == "__main__":
    unittest.main()
