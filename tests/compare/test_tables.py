"""How benchmarks/compare finds, reads, changes and writes tables, and how it runs a program."""

import gzip
import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "compare"))

import program
import tables

PIMA = 'glucose,note,diabetes\n148,"a, b",pos\nNA,,neg\n89,c,NA\n90,d,neg\n'


class Tables(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def load(self, text, name="PimaIndiansDiabetes2"):
        with gzip.open(self.folder / f"{tables.SOURCES[name].file}.csv.gz", "wt", encoding="utf-8") as file:
            file.write(text)
        return tables.load(name, self.folder)

    def test_rows_without_a_target_are_left_out(self):
        table = self.load(PIMA)
        self.assertEqual(table.labels, [1, 0, 0])
        self.assertEqual([row[0] for row in table.rows], ["148", "NA", "90"])

    def test_columns_know_their_kind_and_what_is_missing(self):
        columns = list(self.load(PIMA).columns())
        self.assertEqual(columns[0], ("glucose", "number", [148.0, None, 90.0]))
        self.assertEqual(columns[1], ("note", "text", ["a, b", "NA", "d"]))

    def test_chosen_rows_are_written_as_they_were_read(self):
        table = self.load(PIMA)
        table.write(self.folder / "out.csv", [2, 0])
        self.assertEqual((self.folder / "out.csv").read_text(), 'glucose,note,diabetes\n90,d,neg\n148,"a, b",pos\n')

    def test_a_file_that_is_not_there(self):
        with self.assertRaisesRegex(tables.TableMissing, "PimaIndiansDiabetes2"):
            tables.load("PimaIndiansDiabetes2", self.folder)
        with self.assertRaisesRegex(tables.TableMissing, "--data-dir"):
            tables.load("PimaIndiansDiabetes2")

    def test_bad_files(self):
        for text, complaint in (("", "header"), ("a,diabetes\n1\n", "2 cells in record 2"), ("a\n1\n", "column diabetes"),
                                ("a,diabetes\n1,pos\n", "both classes")):  # fmt: skip
            with self.assertRaisesRegex(ValueError, complaint):
                self.load(text)

    def test_repository_comes_first(self):
        with mock.patch.object(tables, "REPOSITORY", self.folder):
            own = self.folder / "examples" / "churn" / "telco.csv"
            own.parent.mkdir(parents=True)
            own.write_text("x,churn\n1,Yes\n2,No\n")
            (self.folder / "wa_churn.csv").write_text("x,churn\n1,Yes\n2,Yes\n")
            self.assertEqual(tables.load("wa_churn", self.folder).labels, [1, 0])

    def test_above_median(self):
        text = "beds,price\n" + "".join(f"1,{price}\n" for price in (10, 40, 20, 30))
        self.assertEqual(self.load(text, "Sacramento").labels, [0, 1, 0, 1])

    def test_rare_letter_is_five_percent_and_always_the_same(self):
        letters = "".join(f"{'H' if i % 4 == 0 else 'T'},{i}\n" for i in range(4000))
        first, second = (self.load("lettr,x\n" + letters, "letter_h_5_percent") for _ in range(2))
        self.assertEqual((len(first.labels), sum(first.labels)), (1000, 50))
        self.assertEqual(first, second)


class Programs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def script(self, body):
        path = self.folder / "churn"
        path.write_text("#!/bin/sh\n" + body)
        os.chmod(path, 0o755)
        return program.Churn(path, threads=1)

    def test_predictions_in_order(self):
        churn = self.script('while [ "$1" != --out ]; do shift; done; printf "id,probability,decision\\n7,0.5,no\\n3,0.25,no\\n" > "$2"')
        self.assertEqual(churn.predict("b", "d", self.folder / "p.csv"), [0.5, 0.25])

    def test_another_header_is_refused(self):
        churn = self.script('while [ "$1" != --out ]; do shift; done; echo "p" > "$2"')
        with self.assertRaisesRegex(program.ProgramError, "column probability"):
            churn.predict("b", "d", self.folder / "p.csv")

    def test_a_failure_carries_command_and_message(self):
        churn = self.script("echo no such column >&2; exit 2")
        with self.assertRaisesRegex(program.ProgramError, r"got 2 from: .*--seed 4 [\s\S]*no such column"):
            churn.train("d.csv", "t", "1", 4, "m.tern")

    def test_a_program_that_is_not_there(self):
        with self.assertRaisesRegex(program.ProgramError, "--churn"):
            program.Churn(self.folder / "none", threads=1)


if __name__ == "__main__":
    unittest.main()
