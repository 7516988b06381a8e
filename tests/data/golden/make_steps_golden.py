"""Writes steps.json: what scikit-learn and pandas make of a small table, for tests/data/steps_golden_test.cpp.

Made with scikit-learn 1.9.1, pandas 3.1.1, numpy; run as `python make_steps_golden.py`.
"""

import json
import pathlib

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (MinMaxScaler, OneHotEncoder, OrdinalEncoder, RobustScaler, StandardScaler,
                                   TargetEncoder)

random = np.random.default_rng(5)
train_rows, new_rows = 60, 12


def numbers(rows):
    frame = pd.DataFrame({
        "normal": random.normal(50, 12, rows),
        "skewed": random.lognormal(3, 1.2, rows),
        "counts": random.integers(0, 6, rows).astype(float),
        "offset": 1e4 + random.normal(0, 1, rows),
    })
    for name in ("normal", "counts"):
        frame.loc[random.random(rows) < 0.15, name] = np.nan
    return frame


def words(rows, levels, weights):
    values = random.choice(np.array(levels, dtype=object), rows, p=weights)
    values[random.random(rows) < 0.1] = None
    return list(values)


def listed(array):
    return [[None if pd.isna(v) else float(v) for v in row] for row in np.asarray(array, dtype=float)]


train, new = numbers(train_rows), numbers(new_rows)
train["constant"], new["constant"] = 7.0, 7.0
levels, weights = ["red", "blue", "green", "amber", "violet"], [0.4, 0.3, 0.2, 0.06, 0.04]
colour = words(train_rows, levels, weights)
new_colour = words(new_rows, levels, weights)
new_colour[0], new_colour[1] = "white", None
churn = (random.random(train_rows) < np.where(np.array(colour) == "red", 0.7, 0.3)).astype(int)
spend = random.normal(20, 5, train_rows) + np.where(np.array(colour) == "blue", 10, 0)
stamps = pd.to_datetime(random.integers(-2_000_000_000, 2_500_000_000, 30), unit="s", utc=True)

expected = {}
for name, tool in {"standardize": StandardScaler(), "min_max": MinMaxScaler((-1, 2)), "robust": RobustScaler()}.items():
    expected[name] = {"train": listed(tool.fit_transform(train)), "new": listed(tool.transform(new))}
for name in ("mean", "median", "most_frequent"):
    tool = SimpleImputer(strategy=name)
    expected[name] = {"train": listed(tool.fit_transform(train)), "new": listed(tool.transform(new))}
expected["log"] = {"train": listed(np.log1p(train)), "new": listed(np.log1p(new))}
low, high = train.quantile(0.05), train.quantile(0.9)
expected["clip"] = {"train": listed(train.clip(low, high, axis=1)), "new": listed(new.clip(low, high, axis=1))}

column, new_column = np.array([colour], dtype=object).T, np.array([new_colour], dtype=object).T
tool = OneHotEncoder(min_frequency=5, handle_unknown="infrequent_if_exist", sparse_output=False)
expected["one_hot"] = {"train": listed(tool.fit_transform(column)), "new": listed(tool.transform(new_column)),
                       "names": [str(n) for n in tool.get_feature_names_out(["colour"])]}
tool = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
holes, new_holes = (pd.DataFrame(c).fillna(np.nan).to_numpy(object) for c in (column, new_column))
expected["ordinal"] = {"train": listed(tool.fit_transform(holes)), "new": listed(tool.transform(new_holes))}
for name, target, kind in (("target_binary", churn, "binary"), ("target_continuous", spend, "continuous")):
    tool = TargetEncoder(smooth=10.0, target_type=kind).fit(column, target)
    expected[name] = {"new": listed(tool.transform(new_column))}
expected["dates"] = {"year": list(map(int, stamps.year)), "month": list(map(int, stamps.month)),
                     "day": list(map(int, stamps.day)), "weekday": list(map(int, stamps.day_of_week)),
                     "hour": list(map(int, stamps.hour)),
                     "days": [(s - stamps.min()) / pd.Timedelta(days=1) for s in stamps]}

out = {"columns": list(train.columns), "train": listed(train), "new": listed(new), "colour": colour,
       "new_colour": new_colour, "churn": list(map(int, churn)), "spend": list(map(float, spend)),
       "seconds": [int(s.timestamp()) for s in stamps], "expected": expected}
path = pathlib.Path(__file__).with_name("steps.json")
path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
