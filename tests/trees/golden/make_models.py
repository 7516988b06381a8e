"""Makes the small models of this folder with the real libraries, what they predict for some rows, and XGBoost's SHAP
interactions of the first of them.

    make_models.py            in a Python with lightgbm 4.7.0, xgboost 3.2.0, pandas
"""

import lightgbm as lgb
import numpy as np
import pandas as pd
import xgboost as xgb

LEVELS = list('uvwxyz')


def interactions(name, rows):
    """A line a row: each pair of features and, behind them, what is expected."""
    pairs = xgb.Booster(model_file=name).predict(xgb.DMatrix(rows, enable_categorical=True), pred_interactions=True)
    columns = [f'{i}:{j}' for i in range(pairs.shape[1]) for j in range(pairs.shape[2])]
    pd.DataFrame(pairs.reshape(len(rows), -1).astype(float), columns=columns).to_csv('interactions.csv', index=False)


def whole_levels():
    """A model whose levels are whole numbers, and rows that name them in another order."""
    rng = np.random.default_rng(12)
    plan = rng.choice([10, 20, 30, -4], 300)
    table = pd.DataFrame({'plan': pd.Categorical(plan), 'x': np.round(rng.normal(size=300), 2)})
    label = (np.isin(plan, [10, -4]) + table.x > 1).astype(int)
    model = xgb.train({'objective': 'binary:logistic', 'max_depth': 2, 'nthread': 1},
                      xgb.DMatrix(table, label, enable_categorical=True), 3)
    model.save_model('xgboost_levels.json')
    lines = table.head(20).copy()
    lines['expected'] = model.predict(xgb.DMatrix(table, enable_categorical=True))[:20].astype(float)
    lines[::-1].to_csv('levels.csv', index=False)


def main():
    whole_levels()
    rng = np.random.default_rng(11)
    count = 600
    codes = rng.integers(-1, 6, count)
    table = pd.DataFrame({'a': np.round(rng.normal(size=count), 2), 'kind': pd.Categorical.from_codes(codes, LEVELS),
                          'b': np.round(rng.normal(size=count), 1)})
    table.loc[rng.random(count) < 0.1, 'a'] = np.nan
    signal = table.a.fillna(0.5) + np.isin(codes, [1, 4]) + (table.b > 0) * table.a.fillna(-1)
    label = (signal > 0.5).astype(int)
    three = np.digitize(signal, [0, 1])
    small = dict(verbose=-1, num_leaves=7, min_data_in_leaf=5, min_data_per_group=5, deterministic=True, num_threads=1)
    models = {
        'lightgbm_binary.txt': lgb.train({**small, 'objective': 'binary'}, lgb.Dataset(table, label), 4),
        'lightgbm_multiclass.txt': lgb.train({**small, 'objective': 'multiclass', 'num_class': 3, 'boosting': 'dart'},
                                             lgb.Dataset(table, three), 3),
        'xgboost_binary.json': xgb.train({'objective': 'binary:logistic', 'max_depth': 3, 'nthread': 1},
                                         xgb.DMatrix(table, label, enable_categorical=True), 4),
        'xgboost_poisson.ubj': xgb.train({'objective': 'count:poisson', 'max_depth': 3, 'nthread': 1,
                                          'booster': 'dart', 'rate_drop': 0.5},
                                         xgb.DMatrix(table, three, enable_categorical=True), 4),
    }
    rows = table.head(60).copy()
    lines = rows.copy()
    lines['kind'] = lines['kind'].astype(object)
    for name, model in models.items():
        model.save_model(name)
        given = xgb.DMatrix(rows, enable_categorical=True) if name.startswith('xgboost') else rows
        predicted = model.predict(given).reshape(len(rows), -1)
        for output in range(predicted.shape[1]):
            lines[f'{name}:{output}'] = predicted[:, output].astype(float)
    lines.to_csv('predictions.csv', index=False)
    interactions('xgboost_binary.json', rows.head(12))


if __name__ == '__main__':
    main()
