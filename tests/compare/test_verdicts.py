"""The statistics and verdicts of benchmarks/compare; run by `python3 -m unittest discover -s tests/compare`."""

import math
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "compare"))

import verdicts
from verdicts import FAILS, HOLDS, UNDECIDED, Interval


class TQuantile(unittest.TestCase):
    def test_published_values(self):
        # Two-sided 95 % and 99 % points from printed tables of Student's t.
        table = {(0.975, 1): 12.706, (0.975, 2): 4.303, (0.975, 4): 2.776, (0.975, 9): 2.262, (0.975, 24): 2.064}
        table |= {(0.975, 30): 2.042, (0.975, 60): 2.000, (0.995, 5): 4.032, (0.995, 20): 2.845, (0.95, 10): 1.812}
        for (p, freedom), value in table.items():
            self.assertAlmostEqual(verdicts.t_quantile(p, freedom), value, delta=6e-4, msg=f"{p}, {freedom}")

    def test_closed_forms(self):
        for p in (0.6, 0.9, 0.975, 0.999):
            self.assertAlmostEqual(verdicts.t_quantile(p, 1) / math.tan(math.pi * (p - 0.5)), 1, places=11)
            two = (2 * p - 1) * math.sqrt(2 / (4 * p * (1 - p)))
            self.assertAlmostEqual(verdicts.t_quantile(p, 2) / two, 1, places=11)

    def test_many_degrees_reach_the_normal(self):
        self.assertAlmostEqual(verdicts.t_quantile(0.975, 1e7), 1.959964, places=5)

    def test_symmetry_and_inverse(self):
        self.assertAlmostEqual(verdicts.t_quantile(0.1, 7), -verdicts.t_quantile(0.9, 7))
        self.assertAlmostEqual(verdicts.t_quantile(0.5, 3), 0)
        self.assertAlmostEqual(verdicts.t_cdf(verdicts.t_quantile(0.83, 49), 49), 0.83, places=12)

    def test_refuses_what_has_no_quantile(self):
        for p, freedom in ((0, 3), (1, 3), (0.5, 0)):
            with self.assertRaises(ValueError):
                verdicts.t_quantile(p, freedom)

    def test_incomplete_beta_of_integers(self):
        # I_x(2, 3) = x^2 (6 - 8 x + 3 x^2)
        for x in (0.0, 0.1, 0.5, 0.9, 1.0):
            self.assertAlmostEqual(verdicts.incomplete_beta(2, 3, x), x * x * (6 - 8 * x + 3 * x * x), places=14)


class NadeauBengio(unittest.TestCase):
    def test_by_hand(self):
        # Mean 0, sample variance 1, J = 3: variance of the mean 1/3 + 1/4, t(0.975, 2) = 4.302653.
        interval = verdicts.nadeau_bengio([-1.0, 0.0, 1.0], 0.25)
        self.assertAlmostEqual(interval.mean, 0)
        self.assertAlmostEqual(interval.high, 4.302653 * math.sqrt(1 / 3 + 0.25), places=5)
        self.assertAlmostEqual(interval.low, -interval.high)
        self.assertAlmostEqual(interval.half_width, interval.high)

    def test_wider_than_the_plain_interval(self):
        differences = [0.01 * ((i * 7) % 11 - 5) for i in range(50)]
        plain, corrected = (verdicts.nadeau_bengio(differences, ratio).half_width for ratio in (0.0, 0.25))
        self.assertAlmostEqual(corrected / plain, math.sqrt(1 + 50 / 4))

    def test_equal_differences_have_no_width(self):
        interval = verdicts.nadeau_bengio([0.002] * 10, 0.25)
        self.assertAlmostEqual(interval.low, 0.002)
        self.assertAlmostEqual(interval.high, 0.002)

    def test_refuses_one_and_nan(self):
        for differences in ([0.1], [0.1, math.nan]):
            with self.assertRaises(ValueError):
                verdicts.nadeau_bengio(differences, 0.25)


class Rules(unittest.TestCase):
    def judge(self, rule, mean, half):
        return rule.verdict(Interval(mean, mean - half, mean + half))

    def test_auroc(self):
        rule = verdicts.AUROC_MARGIN
        self.assertEqual(self.judge(rule, -0.003, 0.005), HOLDS)
        self.assertEqual(self.judge(rule, -0.0031, 0.005), FAILS)
        self.assertEqual(self.judge(rule, -0.0025, 0.008), FAILS)
        self.assertEqual(self.judge(rule, 0.5, 0.0101), UNDECIDED)
        self.assertEqual(self.judge(rule, -0.5, 0.0101), UNDECIDED)

    def test_log_loss(self):
        rule = verdicts.LOG_LOSS_MARGIN
        self.assertEqual(self.judge(rule, 0.005, 0.009), HOLDS)
        self.assertEqual(self.judge(rule, 0.0051, 0.001), FAILS)
        self.assertEqual(self.judge(rule, 0.005, 0.01), FAILS)
        self.assertEqual(self.judge(rule, -0.2, 0.005), HOLDS)
        self.assertEqual(self.judge(rule, 0.0, 0.02), UNDECIDED)

    def test_small_table_floor(self):
        self.assertEqual(self.judge(verdicts.SMALL_TABLE_FLOOR, -0.015, 0.2), HOLDS)
        self.assertEqual(self.judge(verdicts.SMALL_TABLE_FLOOR, -0.0151, 0.0), FAILS)

    def test_ratio(self):
        self.assertEqual(verdicts.ratio_verdict([0.8, 0.9, 0.85]), HOLDS)
        self.assertEqual(verdicts.ratio_verdict([1.2, 1.1, 1.3]), FAILS)
        self.assertEqual(verdicts.ratio_verdict([0.8, 1.0, 1.3]), UNDECIDED)
        self.assertEqual(verdicts.ratio_verdict([1.0, 1.0]), HOLDS)

    def test_quartiles(self):
        self.assertEqual(verdicts.quartiles([5, 1, 3, 2, 4]), (2, 3, 4))


class Rows(unittest.TestCase):
    def test_columns_line_up_and_gaps_are_dashes(self):
        rows = [verdicts.Row("a", "auroc", 0.84, 0.85, "-0.0100", "b", FAILS), verdicts.Row("longer name")]
        lines = verdicts.format_rows(rows).splitlines()
        self.assertEqual(len(lines), 3)
        self.assertEqual([line.find(word) for line, word in zip(lines, ("ours", "0.8400", "-"))], [13, 13, 13])
        self.assertTrue(lines[2].endswith("not run"))


if __name__ == "__main__":
    unittest.main()
