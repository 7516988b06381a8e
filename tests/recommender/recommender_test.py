"""The recommender example as its users run it."""

import os
import random
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

PROGRAM = os.environ["RECOMMENDER"]


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)


def write_ratings(path):
    """People of two tastes; titles say which films are whose."""
    draw = random.Random(4)
    lines = ["userId,movieId,title,rating,timestamp"]
    for user in range(80):
        own = [film for film in range(60) if film % 2 == user % 2]
        films = draw.sample(own, 15) + draw.sample([film for film in range(60) if film not in own], 3)
        draw.shuffle(films)
        for time, film in enumerate(films):
            kind = "even" if film % 2 == 0 else "odd"
            lines.append(f"{user},{film},{kind} film {film},{4 if film in own else 2},{1000 + time}")
    path.write_text("\n".join(lines) + "\n")


class Recommends(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.data = Path(self.folder.name) / "ratings.csv"
        write_ratings(self.data)

    def tearDown(self):
        self.folder.cleanup()

    def test_titles_are_of_the_users_taste_and_the_same_at_any_number_of_threads(self):
        outputs = []
        for threads in (1, 2, 5):
            model = Path(self.folder.name) / f"{threads}.tern"
            done = run("--data", self.data, "--user", 7, "--factors", 4, "--threads", threads, "--out", model)
            self.assertEqual(done.returncode, 0, done.stderr)
            outputs.append((re.sub(r"[0-9.]+\n", "\n", done.stdout.split("ratings:")[0]), model.read_bytes()))
            recommended = done.stdout.split("may like:")[1]
            self.assertGreaterEqual(len(re.findall(r"odd film", recommended)), 8, recommended)
            ndcg = {name: float(value) for name, value in re.findall(r"^(\w+) +([0-9.]+) ", done.stdout, re.M)}
            self.assertGreater(ndcg["als"], ndcg["popularity"])
            errors = re.search(r"error ([0-9.]+) by als, ([0-9.]+) by their mean", done.stdout)
            self.assertLess(float(errors[1]), float(errors[2]))
        self.assertEqual(len({model for _, model in outputs}), 1)

    def test_says_what_is_wrong(self):
        done = run("--data", self.data, "--user", "nobody")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nobody", done.stderr)
        done = run("--data", self.data, "--rating-column", "stars")
        self.assertEqual(done.returncode, 2)
        self.assertIn("stars", done.stderr)


if __name__ == "__main__":
    unittest.main()
