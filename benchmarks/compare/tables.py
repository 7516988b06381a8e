"""The tables that comparisons use: where each is found, its target, and how it is read; standard library only."""

import csv
import gzip
import random
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

REPOSITORY = Path(__file__).resolve().parents[2]
MISSING = ("", "NA")


class TableMissing(Exception):
    """The file of a table is in none of the places it is looked for."""


@dataclass(frozen=True)
class Table:
    """Raw cells as text, the target as 0 and 1; rows without a target are left out."""

    name: str
    header: list
    rows: list
    target: str
    positive: str
    labels: list

    def write(self, path, indices):
        """Writes the chosen rows, target included, as CSV."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.header)
            writer.writerows(self.rows[i] for i in indices)

    def columns(self):
        """The features as (name, kind, values): kind "number" with None where missing, or "text" with "NA" where missing."""
        for at, name in enumerate(self.header):
            if name == self.target:
                continue
            cells = [row[at] for row in self.rows]
            try:
                yield name, "number", [None if cell in MISSING else float(cell) for cell in cells]
            except ValueError:
                yield name, "text", ["NA" if cell in MISSING else cell for cell in cells]


@dataclass(frozen=True)
class Source:
    """How to get a table: file name without its ending, target, positive value, and a change of target where one is made."""

    file: str
    target: str
    positive: str
    change: Callable | None = None
    in_repository: tuple = ()


def above_median(header, rows, target):
    """A number becomes "yes" above the median of the table and "no" otherwise."""
    at = header.index(target)
    middle = statistics.median(float(row[at]) for row in rows)
    return [row[:at] + ["yes" if float(row[at]) > middle else "no"] + row[at + 1 :] for row in rows]


def rare(value, count=1000, positives=50):
    """One value of the target against the rest, 1,000 rows of which 5 % are positive, drawn with a fixed seed."""

    def change(header, rows, target):
        at = header.index(target)
        draw = random.Random(20000)
        chosen = draw.sample([row for row in rows if row[at] == value], positives)
        chosen += draw.sample([row for row in rows if row[at] != value], count - positives)
        draw.shuffle(chosen)
        return [row[:at] + ["yes" if row[at] == value else "no"] + row[at + 1 :] for row in chosen]

    return change


SOURCES = {
    "wa_churn": Source("wa_churn", "churn", "Yes", in_repository=("examples/churn/telco",)),
    "credit_data": Source("credit_data", "Status", "bad"),
    "PimaIndiansDiabetes2": Source("PimaIndiansDiabetes2", "diabetes", "pos"),
    "stackoverflow": Source("stackoverflow", "Remote", "Remote"),
    "Sacramento": Source("Sacramento", "price", "yes", above_median),
    "letter_h_5_percent": Source("LetterRecognition", "lettr", "yes", rare("H")),
    # Met only after the example's defaults had been fixed.
    "attrition": Source("attrition", "Attrition", "Yes"),
    "lending_club": Source("lending_club", "Class", "bad"),
    "HouseVotes84": Source("HouseVotes84", "Class", "republican"),
    "Ionosphere": Source("Ionosphere", "Class", "bad"),
    "satellite_damp_5_percent": Source("Satellite", "classes", "yes", rare("damp grey soil")),
}


def find(source, data_dir):
    """The first file there is among the repository's own and `data_dir`, plain or gzipped."""
    places = [REPOSITORY / stem for stem in source.in_repository]
    if data_dir:
        places.append(Path(data_dir) / source.file)
    for place in places:
        for ending in (".csv", ".csv.gz"):
            path = place.with_name(place.name + ending)
            if path.is_file():
                return path
    looked = ", ".join(f"{place}.csv[.gz]" for place in places) or "nowhere (no --data-dir)"
    raise TableMissing(f"looked for {looked}")


def read_csv(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = next(reader, None)
        if not header:
            raise ValueError(f"[read_csv] expected a header row in {path}, got an empty file")
        rows = list(reader)
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise ValueError(f"[read_csv] expected {len(header)} cells in record {number} of {path}, got {len(row)}")
    return header, rows


def load(name, data_dir=None):
    """Reads a table by its name; TableMissing where its file is not there."""
    source = SOURCES[name]
    path = find(source, data_dir)
    header, rows = read_csv(path)
    if source.target not in header:
        raise ValueError(f"[load] expected a column {source.target} in {path}, got {', '.join(header)}")
    at = header.index(source.target)
    rows = [row for row in rows if row[at] not in MISSING]
    if source.change:
        rows = source.change(header, rows, source.target)
    labels = [int(row[at] == source.positive) for row in rows]
    if not 0 < sum(labels) < len(labels):
        raise ValueError(f"[load] expected both classes in {path}, got {sum(labels)} positives in {len(labels)} rows")
    return Table(name, header, rows, source.target, source.positive, labels)
