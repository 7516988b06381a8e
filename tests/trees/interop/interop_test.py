"""Models of the real XGBoost and LightGBM through Tern and back: equal predictions on rows on and beside thresholds, and
equal TreeSHAP contributions.

    interop_test.py TREES_INTEROP

Runs in the Python that TERN_TREES_PYTHON names, else in this one; exits with 77 where that lacks the libraries.
"""

import json
import os
import subprocess
import sys
import tempfile

ROWS = 10000
EXPLAINED = 300
TOLERANCE = 1e-6


def python_with_libraries():
    """Goes on in the Python that was asked for, and leaves where the libraries are not."""
    wanted = os.environ.get('TERN_TREES_PYTHON')
    if wanted and 'TERN_TREES_INNER' not in os.environ:  # that of a virtual environment is often a link to this one
        os.environ['TERN_TREES_INNER'] = '1'
        os.execv(wanted, [wanted] + sys.argv)
    try:
        import lightgbm, numpy, pandas, xgboost  # noqa: F401, E401
    except ImportError as error:
        print(f'SKIPPED: {error}; name a Python that has lightgbm, xgboost, pandas in TERN_TREES_PYTHON')
        sys.exit(77)


python_with_libraries()
import lightgbm as lgb  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import xgboost as xgb  # noqa: E402

TOOL = os.path.abspath(sys.argv[1])
CATEGORICAL = [4, 5]
LEVELS = [6, 40]
# What a format has no words for.
CANNOT = {('lightgbm', 'zero as missing', 'json'), ('lightgbm', 'zero as missing', 'ubj'),
          ('lightgbm', 'binary', 'json'), ('lightgbm', 'binary', 'ubj'), ('xgboost', 'without levels', 'txt')}


def data(seed, missing=True):
    """Six features, the last two codes; some values missing, some zero."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3000, 6))
    x[:, 3] = np.round(x[:, 3], 1)
    for column, levels in zip(CATEGORICAL, LEVELS):
        x[:, column] = rng.integers(0, levels, len(x))
    x[rng.random(x.shape) < 0.05] = 0
    signal = x[:, 0] + (x[:, 3] > 0.2) * x[:, 1] + np.isin(x[:, 4], [1, 4]) * 1.5 + (x[:, 5] % 7 == 2)
    if missing:
        holes = rng.random(x.shape) < 0.08
        signal[holes[:, 2]] += 1
        x[holes] = np.nan
    return x, signal + rng.normal(size=len(x)) * 0.2, rng


def lightgbm_models():
    x, signal, rng = data(1)
    plain, plain_signal, _ = data(2, missing=False)
    label = (signal > 0.7).astype(int)
    three = np.digitize(signal, [0.3, 1.2])
    base = dict(verbose=-1, num_leaves=20, min_data_in_leaf=5, min_data_per_group=5, num_threads=1)

    def train(x, y, rounds=15, categorical=CATEGORICAL, **settings):
        return lgb.train({**base, **settings}, lgb.Dataset(x, y, categorical_feature=categorical), rounds)

    positive = np.exp(signal / 2)
    yield 'binary', train(x, label, objective='binary', sigmoid=1.5)
    yield 'no categories', train(x, label, objective='binary', categorical=[])
    yield 'zero as missing', train(x, signal, objective='regression', zero_as_missing=True)
    yield 'no missing', train(plain, plain_signal, objective='regression')
    yield 'missing unused', train(x, signal, objective='regression_l1', use_missing=False)
    yield 'multiclass', train(x, three, rounds=5, objective='multiclass', num_class=3)
    yield 'one against all', train(x, three, rounds=5, objective='multiclassova', num_class=3)
    yield 'dart', train(x, label, objective='binary', boosting='dart', drop_rate=0.5)
    yield 'forest', train(x, label, objective='binary', boosting='rf', bagging_freq=1, bagging_fraction=0.6)
    yield 'poisson', train(x, positive, objective='poisson')
    yield 'tweedie', train(x, positive, objective='tweedie')
    yield 'quantile', train(x, signal, objective='quantile', alpha=0.8)
    yield 'constant', train(x, np.full(len(x), 3.0), rounds=2, objective='regression')
    del rng


def xgboost_models():
    x, signal, rng = data(3)
    label = (signal > 0.7).astype(int)
    three = np.digitize(signal, [0.3, 1.2])
    types = ['c' if column in CATEGORICAL else 'q' for column in range(6)]
    base = dict(nthread=1, max_depth=5, tree_method='hist', max_cat_to_onehot=4)

    def train(x, y, rounds=15, **settings):
        """On a table, so that the model knows the levels of its categories."""
        table = pd.DataFrame(x, columns=[f'f{i}' for i in range(6)])
        for column, levels in zip(CATEGORICAL, LEVELS):
            codes = np.nan_to_num(x[:, column], nan=-1).astype(int)
            table[f'f{column}'] = pd.Categorical.from_codes(codes, [f'level {i}' for i in range(levels)])
        return xgb.train({**base, **settings}, xgb.DMatrix(table, y, enable_categorical=True), rounds)

    positive = np.exp(signal / 2)
    yield 'binary', train(x, label, objective='binary:logistic')
    yield 'without levels', xgb.train({**base, 'objective': 'binary:logistic'},
                                      xgb.DMatrix(x, label, feature_types=types, enable_categorical=True), 15)
    yield 'raw', train(x, label, objective='binary:logitraw')
    yield 'lossguide', train(x, signal + 1000, grow_policy='lossguide', max_leaves=40, max_depth=0)
    yield 'multiclass', train(x, three, rounds=5, objective='multi:softprob', num_class=3)
    yield 'dart', train(x, label, objective='binary:logistic', booster='dart', rate_drop=0.5)
    yield 'parallel trees', train(x, three, rounds=3, objective='multi:softprob', num_class=3, num_parallel_tree=3,
                                  subsample=0.6)
    yield 'several targets', train(x, np.stack([signal, positive], 1), rounds=6)
    yield 'poisson', train(x, positive, objective='count:poisson')
    yield 'gamma', train(x, positive, objective='reg:gamma')
    yield 'tweedie', train(x, positive, objective='reg:tweedie', tweedie_variance_power=1.3)
    yield 'absolute', train(x, signal, objective='reg:absoluteerror')
    yield 'huber', train(x, signal, objective='reg:pseudohubererror', huber_slope=0.7)
    yield 'quantile', train(x, signal, objective='reg:quantileerror', quantile_alpha=0.8)
    yield 'given base', train(x, label, objective='binary:logistic', base_score=0.3)
    del rng


def objective_of(booster):
    """Its name, and what it was told, as numbers."""
    objective = json.loads(booster.save_config())['learner']['objective']
    told = [part for part in objective.values() if isinstance(part, dict)]
    return objective['name'], {key: round(float(value.strip('[]')), 6) for part in told for key, value in part.items()
                               if key in ('huber_slope', 'quantile_alpha', 'tweedie_variance_power', 'num_class')}


def tern(*arguments):
    done = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(map(str, arguments))}: {done.stderr.strip()}')


def probe_rows(folder, model, single, seed, levels=LEVELS):
    """Rows whose numbers are thresholds of the model or their neighbours, and whose codes may be new."""
    tern('convert', model, folder + '/probe.tern')
    with open(folder + '/probe.tern') as file:
        trees = json.load(file)['trees']
    rng = np.random.default_rng(seed)
    rows = np.empty((ROWS, 6))
    for feature in range(6):
        if feature in CATEGORICAL:
            values = np.arange(levels[CATEGORICAL.index(feature)] + 2.0)
        else:
            cuts = [float(t) for tree in trees for f, t in zip(tree['feature'], tree['threshold']) if f == feature]
            cuts = np.unique([c for c in cuts if abs(c) < 1e30] + [0.0, 1e-36, -1e-36, 1e-35])
            if single:
                cuts = cuts.astype(np.float32)
                up, down = np.nextafter(cuts, np.float32(np.inf)), np.nextafter(cuts, np.float32(-np.inf))
            else:
                near = cuts.astype(np.float32)
                up = np.concatenate([np.nextafter(cuts, np.inf), np.nextafter(near, np.float32(np.inf)).astype(float)])
                down = np.concatenate([np.nextafter(cuts, -np.inf), (near.astype(float) + np.nextafter(
                    near, np.float32(np.inf)).astype(float)) / 2])
            values = np.concatenate([cuts, up, down]).astype(float)
        rows[:, feature] = rng.choice(values, ROWS)
    rows[rng.random(rows.shape) < 0.05] = np.nan
    return rows


def ours(folder, model, rows, task='predict'):
    rows.tofile(folder + '/rows')
    tern(task, model, folder + '/rows', folder + '/result')
    result = np.fromfile(folder + '/result').reshape(2, len(rows), -1)
    return result[0], result[1]


def of_lightgbm(path, rows):
    booster = lgb.Booster(model_file=path)
    shape = (len(rows), -1)
    return booster.predict(rows, raw_score=True).reshape(shape), booster.predict(rows).reshape(shape)


def of_lightgbm_as_numbers(path, rows):
    """The same of a table of plain numbers."""
    return of_lightgbm(path, pd.DataFrame(rows, columns=[f'f{i}' for i in range(6)]))


def by_name(rows, names):
    """A table whose categories, of the given names, stand in another order than the codes."""
    table = pd.DataFrame(rows, columns=[f'f{i}' for i in range(6)])
    for column, levels in zip(CATEGORICAL, names):
        codes = np.where(rows[:, column] < len(levels), rows[:, column], -1).astype(int)  # of none for NaN, too
        table[f'f{column}'] = pd.Categorical.from_codes(codes, levels).reorder_categories(levels[::-1])
    return table


def by_text(rows, categories):
    """The texts of the tool's tables, as far as they are among these categories."""
    table = pd.DataFrame(rows, columns=[f'f{i}' for i in range(6)])
    for column, among in zip(CATEGORICAL, categories):
        texts = [None if np.isnan(code) else f'{"" if column == 4 else "level "}{int(code)}' for code in rows[:, column]]
        codes = {text: code for code, text in enumerate(among)}
        table[f'f{column}'] = pd.Categorical.from_codes([codes.get(text, -1) for text in texts], among)
    return table


def of_lightgbm_by_name(path, rows):
    """The same of a table whose categories stand in another order than the model's."""
    return of_lightgbm(path, by_name(rows, [[f'level {i}' for i in range(levels)] for levels in LEVELS]))


def of_xgboost(path, rows):
    booster = xgb.Booster(model_file=path)
    types = ['c' if column in CATEGORICAL else 'q' for column in range(6)]
    matrix = xgb.DMatrix(rows, feature_types=types, enable_categorical=True, feature_names=booster.feature_names)
    shape = (len(rows), -1)
    return booster.predict(matrix, output_margin=True).reshape(shape), booster.predict(matrix).reshape(shape)


def of_xgboost_by_name(path, rows, names=None):
    """The same of a table whose categories stand in another order than the model's."""
    booster = xgb.Booster(model_file=path)
    table = by_name(rows, names or [[f'level {i}' for i in range(levels)] for levels in LEVELS])
    table.columns = booster.feature_names
    matrix = xgb.DMatrix(table, enable_categorical=True)
    shape = (len(rows), -1)
    return booster.predict(matrix, output_margin=True).reshape(shape), booster.predict(matrix).reshape(shape)


def explained(folder, model, rows):
    """What each feature adds to the margins, and behind them what is expected: [rows, outputs, features + 1]."""
    rows.tofile(folder + '/rows')
    tern('explain', model, folder + '/rows', folder + '/result')
    return np.fromfile(folder + '/result').reshape(len(rows), -1, 7)


def explained_by_lightgbm(path, rows):
    return lgb.Booster(model_file=path).predict(rows, pred_contrib=True).reshape(len(rows), -1, 7)


def explained_by_xgboost(path, rows):
    booster = xgb.Booster(model_file=path)
    types = ['c' if column in CATEGORICAL else 'q' for column in range(6)]
    matrix = xgb.DMatrix(rows, feature_types=types, enable_categorical=True, feature_names=booster.feature_names)
    return booster.predict(matrix, pred_contribs=True).reshape(len(rows), -1, 7)


def compare_explained(what, got, wanted, failures):
    worst = np.max(np.abs(got - wanted) / np.maximum(1, np.abs(wanted)))
    if got.shape != wanted.shape or not worst <= TOLERANCE:
        failures.append(f'{what}: contributions differ by {worst:.3g}, '
                        f'in {np.mean(np.abs(got - wanted).max(axis=(1, 2)) > TOLERANCE):.2%} of rows')


def compare(what, got, wanted, failures):
    for kind, a, b in (('margins', got[0], wanted[0]), ('predictions', got[1], wanted[1])):
        worst = np.max(np.abs(a - b) / np.maximum(1, np.abs(b)))
        if a.shape != b.shape or not worst <= TOLERANCE:
            failures.append(f'{what}: {kind} differ by {worst:.3g}, in {np.mean(np.abs(a - b) > TOLERANCE):.2%} of rows')


def check(folder, kind, name, model, save, real, explain, failures):
    """One model into Tern, and out to both libraries."""
    paths = save(model)
    for path in paths:
        single = kind == 'xgboost'
        rows = probe_rows(folder, path, False, 5)
        wanted = real(path, rows)
        if name == 'forest':  # LightGBM's margin of a forest is a sum, its prediction is made of the mean
            wanted = wanted[0] / model.num_trees(), wanted[1]
        known = np.ones(ROWS, bool)
        if kind == 'xgboost' and name != 'without levels':  # it refuses other levels than it knows, where it sees names
            for column, levels in zip(CATEGORICAL, LEVELS):
                known &= ~(rows[:, column] >= levels)
        got = ours(folder, path, rows)
        compare(f'{kind} {name}: Tern reads it', [a[known] for a in got], [a[known] for a in wanted], failures)
        some = rows[known][:EXPLAINED]
        parts = explain(path, some)
        if name == 'forest':  # its sum, as above
            parts = parts / model.num_trees()
        compare_explained(f'{kind} {name}', explained(folder, path, some), parts, failures)
        tern('convert', path, folder + '/own.tern')
        same = ours(folder, folder + '/own.tern', rows)
        if not all(np.array_equal(a, b) for a, b in zip(same, ours(folder, path, rows))):
            failures.append(f'{kind} {name}: other bits after Tern\'s own JSON')
        exact = probe_rows(folder, path, True, 6)
        above_zero = np.where(np.abs(rows) <= 1e-35, 0, rows)  # LightGBM tells no smaller numbers from 0
        for target, reader, on in (('back.json', of_xgboost, rows if single else exact),
                                   ('back.ubj', of_xgboost, rows if single else exact),
                                   ('back.txt', of_lightgbm, above_zero)):
            try:
                tern('convert', path, f'{folder}/{target}')
            except RuntimeError as error:
                if (kind, name, target.rpartition('.')[2]) not in CANNOT:
                    failures.append(f'{kind} {name}: {error}')
                continue
            if (kind, name, target.rpartition('.')[2]) in CANNOT:
                failures.append(f'{kind} {name}: expected an error of {target}')
            if kind == 'xgboost' and target != 'back.txt':
                again = objective_of(xgb.Booster(model_file=f'{folder}/{target}'))
                if again != objective_of(model):
                    failures.append(f'{kind} {name}: {objective_of(model)} became {again} in {target}')
            readers = [reader]
            if kind == 'xgboost' and target == 'back.txt':  # XGBoost's models of tables have words for their levels
                readers.append(of_lightgbm_by_name)
            if kind == 'xgboost' and target != 'back.txt' and name != 'without levels':
                readers.append(of_xgboost_by_name)
            for each in readers:
                compare(f'{kind} {name}: {each.__name__} reads {target}', each(f'{folder}/{target}', on),
                        ours(folder, path, on), failures)


def check_trained(folder, failures):
    """A model that Tern trained, in both libraries; XGBoost on the rows of training and on floats, as it reads no others."""
    x, signal, _ = data(7)
    x.tofile(folder + '/x')
    (signal > 0.7).astype(float).tofile(folder + '/y')
    tern('train', folder + '/own.tern', folder + '/x', folder + '/y')
    rows, floats = (np.concatenate([x, probe_rows(folder, folder + '/own.tern', single, 8)]) for single in (False, True))
    for target, reader, on in (('own.json', of_xgboost, floats), ('own.ubj', of_xgboost, floats),
                               ('own.txt', of_lightgbm, rows), ('own.txt', of_lightgbm_as_numbers, rows)):
        tern('convert', folder + '/own.tern', f'{folder}/{target}')
        compare(f'trained: {reader.__name__} reads {target}', reader(f'{folder}/{target}', on),
                ours(folder, folder + '/own.tern', on), failures)
        # LightGBM's text holds covers as whole numbers, which are all that its contributions stand on: Tern's of the text.
        text = target.endswith('.txt')
        explain, model = (explained_by_lightgbm, target) if text else (explained_by_xgboost, 'own.tern')
        compare_explained(f'trained: {explain.__name__} of {target}', explained(folder, f'{folder}/{model}', on[:EXPLAINED]),
                          explain(f'{folder}/{target}', on[:EXPLAINED]), failures)


def check_names(folder, failures):
    """Levels are looked up in tables: digits that are texts and words, of Tern's table; numbers and words, of LightGBM's."""
    x, signal, _ = data(9)
    x.tofile(folder + '/x')
    label = (signal > 0.7).astype(float)
    label.tofile(folder + '/y')
    tern('train_table', folder + '/own.tern', folder + '/x', folder + '/y')
    tern('convert', folder + '/own.tern', folder + '/own.txt')
    tern('convert', folder + '/own.txt', folder + '/again.txt')
    with open(folder + '/own.tern') as file:
        names = [feature['levels'] for feature in json.load(file)['features'][CATEGORICAL[0]:]]
    if sorted(names[0]) != list('012345') or 'level 39' not in names[1]:
        failures.append(f'names: expected levels that are texts, got {names}')
    rows = probe_rows(folder, folder + '/own.tern', False, 10)
    floats = probe_rows(folder, folder + '/own.tern', True, 10)
    for path in ('own.json', 'own.ubj'):
        tern('convert', folder + '/own.tern', f'{folder}/{path}')
        compare(f'names: XGBoost reads {path}', of_xgboost_by_name(f'{folder}/{path}', floats, names),
                ours(folder, folder + '/own.tern', floats), failures)
    for path in ('own.txt', 'again.txt'):
        compare(f'names: LightGBM reads {path}', of_lightgbm(f'{folder}/{path}', by_name(rows, names)),
                ours(folder, folder + '/own.tern', rows), failures)

    names = [[10 * i for i in range(LEVELS[0])], [f'level {i}' for i in range(LEVELS[1])]]
    table = by_name(x, names)
    booster = lgb.train(dict(verbose=-1, objective='binary', min_data_per_group=5, num_threads=1),
                        lgb.Dataset(table, label), 15)
    booster.save_model(folder + '/real.txt')
    wanted = of_lightgbm(folder + '/real.txt', table)
    for column, levels in zip(CATEGORICAL, names):  # by value, not by position
        table[f'f{column}'] = table[f'f{column}'].cat.reorder_categories(levels)
    tern('convert', folder + '/real.txt', folder + '/real.tern')
    for path in ('real.txt', 'real.tern'):
        tern('convert', f'{folder}/{path}', folder + '/back.txt')
        compare(f'names: LightGBM reads its own model of {path} again', of_lightgbm(folder + '/back.txt', table), wanted,
                failures)


def check_rare(folder, failures):
    """Levels that training dropped, for they are too many or too rare, go as unseen and missing ones do."""
    levels = [90, 600]
    x, signal, rng = data(11)
    for column, count in zip(CATEGORICAL, levels):
        codes = np.floor(count * rng.random(len(x)) ** 2.5)
        signal += np.where(np.isnan(x[:, column]), 0, codes % 5 == 1)
        x[:, column] = np.where(np.isnan(x[:, column]), np.nan, codes)
    x.tofile(folder + '/x')
    (signal > 1).astype(float).tofile(folder + '/y')
    every = [[str(i) for i in range(levels[0])], [f'level {i}' for i in range(levels[1] + 2)]]
    none = x.copy()  # whose last feature has no level that is frequent enough
    none[:, CATEGORICAL[1]] = np.arange(len(x)) % levels[1]
    for task, x, fewest in (('train_rare', none, 1), ('train_forest', x, 10), ('train_rare', x, 10)):
        x.tofile(folder + '/x')
        tern(task, folder + '/own.tern', folder + '/x', folder + '/y')
        with open(folder + '/own.tern') as file:
            kept = [feature['levels'] for feature in json.load(file)['features'][CATEGORICAL[0]:]]
        if not all(fewest <= len(some) <= 63 for some in kept) or (fewest == 1) != (kept[1] == ['<other>']):
            failures.append(f'{task}: expected some levels, at most 63, got {[len(some) for some in kept]}')
        rows, floats = (np.concatenate([x, probe_rows(folder, folder + '/own.tern', single, 12, levels)])
                        for single in (False, True))
        wanted, of_floats = (ours(folder, folder + '/own.tern', on, 'predict_table') for on in (rows, floats))
        for path in ('own.json', 'own.ubj', 'own.txt'):
            tern('convert', folder + '/own.tern', f'{folder}/{path}')
            again = ours(folder, f'{folder}/{path}', floats, 'predict_table')
            compare(f'{task}: Tern reads {path}', again, of_floats, failures)
        for categories in (every, kept):
            got = of_lightgbm(folder + '/own.txt', by_text(rows, categories))
            compare(f'{task}: LightGBM reads own.txt', got, wanted, failures)
        codes = floats.copy()  # those of the model; of a dropped level any other
        for column, names, some in zip(CATEGORICAL, every, kept):
            of = {name: code for code, name in enumerate(some)}
            code_of = np.array([of.get(name, len(some) + i) for i, name in enumerate(names + ['none', 'none'])])
            known = ~np.isnan(codes[:, column])
            codes[known, column] = code_of[codes[known, column].astype(int)]
        for path in ('own.json', 'own.ubj'):
            model = xgb.Booster(model_file=f'{folder}/{path}')
            table = xgb.DMatrix(by_text(floats, kept), enable_categorical=True)
            got = model.predict(table, output_margin=True).reshape(-1, 1), model.predict(table).reshape(-1, 1)
            compare(f'{task}: XGBoost reads {path}', got, of_floats, failures)
            compare(f'{task}: XGBoost reads {path} by code', of_xgboost(f'{folder}/{path}', codes), of_floats, failures)
            try:
                model.predict(xgb.DMatrix(by_text(floats, every), enable_categorical=True))
                failures.append(f'{task}: expected XGBoost to refuse dropped levels by name')
            except (ValueError, xgb.core.XGBoostError) as error:
                if 'category' not in str(error):
                    failures.append(f'{task}: {error}')
        compare(f'{task}: LightGBM reads own.txt by code', of_lightgbm(folder + '/own.txt', codes), of_floats, failures)
    tern('train', folder + '/own.tern', folder + '/x', folder + '/y')  # of codes: those beyond 255 are dropped
    floats = np.concatenate([x.astype(np.float32).astype(float), probe_rows(folder, folder + '/own.tern', True, 13, levels)])
    floats[rng.random(len(floats)) < 0.05, CATEGORICAL[1]] = -1
    wanted = ours(folder, folder + '/own.tern', floats)
    for path, reader in (('own.json', of_xgboost), ('own.ubj', of_xgboost), ('own.txt', of_lightgbm)):
        tern('convert', folder + '/own.tern', f'{folder}/{path}')
        compare(f'codes: {reader.__name__} reads {path}', reader(f'{folder}/{path}', floats), wanted, failures)
        compare(f'codes: Tern reads {path}', ours(folder, f'{folder}/{path}', floats), wanted, failures)
    # Theirs: LightGBM drops rare levels too, XGBoost none.
    some = by_text(x, [every[0], every[1][:400]])
    label = (signal > 1).astype(float)
    lgb.train(dict(verbose=-1, objective='binary', num_threads=1), lgb.Dataset(some, label), 15).save_model(
        folder + '/real.txt')
    compare('rare: Tern reads real.txt', ours(folder, folder + '/real.txt', x, 'predict_table'),
            of_lightgbm(folder + '/real.txt', some), failures)
    matrix = xgb.DMatrix(some, label, enable_categorical=True)
    model = xgb.train(dict(nthread=1, objective='binary:logistic'), matrix, 15)
    for path in ('real.json', 'real.ubj'):
        model.save_model(f'{folder}/{path}')
        compare(f'rare: Tern reads {path}', ours(folder, f'{folder}/{path}', x, 'predict_table'),
                [model.predict(matrix, output_margin=margin).reshape(-1, 1) for margin in (True, False)], failures)


def check_large(folder, failures):
    """Thresholds of 2^24 and above that LightGBM puts between floats, as XGBoost's."""
    x = (20_000_000 + 1000 * np.arange(600, dtype=np.float32)).reshape(-1, 1)
    booster = lgb.train(dict(verbose=-1, objective='regression', min_data_in_leaf=5, num_threads=1),
                        lgb.Dataset(x, np.arange(600) * 7 % 101), 15)
    booster.save_model(folder + '/large.txt')
    tern('convert', folder + '/large.txt', folder + '/large.json')
    got = xgb.Booster(model_file=folder + '/large.json').predict(xgb.DMatrix(x, feature_names=['Column_0']))
    worst = np.abs(got - booster.predict(x)).max()
    if not worst <= 100 * TOLERANCE:
        failures.append(f'large: XGBoost differs from LightGBM by {worst:.3g}')


def main():
    failures, count = [], 10
    with tempfile.TemporaryDirectory() as folder:
        def save_lightgbm(model):
            model.save_model(folder + '/model.txt')
            return [folder + '/model.txt']

        def save_xgboost(model):
            model.save_model(folder + '/model.json')
            model.save_model(folder + '/model.ubj')
            return [folder + '/model.json', folder + '/model.ubj']

        check_trained(folder, failures)
        check_names(folder, failures)
        check_rare(folder, failures)
        check_large(folder, failures)
        for name, model in lightgbm_models():
            check(folder, 'lightgbm', name, model, save_lightgbm, of_lightgbm, explained_by_lightgbm, failures)
            count += 1
        for name, model in xgboost_models():
            check(folder, 'xgboost', name, model, save_xgboost, of_xgboost, explained_by_xgboost, failures)
            count += 1
    for failure in failures:
        print(failure)
    print(f'{count} models, {ROWS} rows each, {EXPLAINED} of them explained, {len(failures)} failures')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
