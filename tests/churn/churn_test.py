"""Runs the churn program as its users do: the journey, what it refuses, what it warns of, interruption, same bits.

    CHURN=path/to/churn TELCO=path/to/telco.csv.gz FAULT=path/to/shim.so python3 churn_test.py [-k NAME]
"""

import csv
import ctypes
import gzip
import hashlib
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import zipfile

CHURN = os.environ['CHURN']
TELCO = os.environ['TELCO']
FAULT = os.environ['FAULT']  # makes file operations fail: tests/bundle/fault


def obey_permissions():
    """In the child: not even root may write where the permissions say no."""
    drop, may_override = 24, 1  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE: gone with the next exec
    if os.geteuid() == 0 and ctypes.CDLL(None, use_errno=True).prctl(drop, may_override, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'cannot give up the right to write everywhere')


def run(*arguments, cwd=None, env=None, expect=0, obey=False):
    done = subprocess.run([CHURN, *map(str, arguments)], cwd=cwd, env={**os.environ, **(env or {})},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280,
                          preexec_fn=obey_permissions if obey else None)
    assert done.returncode == expect, f'{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}'
    return done


def telco():
    with gzip.open(TELCO, 'rt', newline='') as file:
        return list(csv.reader(file))


class Churn(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='tern-churn-')

    def tearDown(self):
        subprocess.run(['chmod', '-R', 'u+w', self.folder], check=False)
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, rows):
        with open(self.path(name), 'w', newline='') as file:
            csv.writer(file).writerows(rows)
        return self.path(name)

    def text(self, name, content):
        with open(self.path(name), 'wb') as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def text_of(self, name):
        with open(self.path(name), 'rb') as file:
            return file.read()

    def json(self, name):
        with open(self.path(name)) as file:
            return json.load(file)

    def entry(self, name, entry):
        with zipfile.ZipFile(self.path(name)) as bundle:
            return bundle.read(entry)

    def weights(self, name):
        return self.entry(name, 'weights.safetensors')

    def small(self, rows=600, seed=1):
        """A made table: two numbers, a category, an id, and a target that follows them."""
        draw = random.Random(seed)
        table = [['id', 'age', 'spend', 'plan', 'left']]
        for i in range(rows):
            age, spend, plan = draw.gauss(40, 10), draw.expovariate(0.02), draw.choice(['basic', 'plus', 'gold'])
            # An interaction, so that the network finds what the logistic regression that it starts from cannot say.
            z = (age - 40) * (1 if plan == 'gold' else -1) / 3 + spend / 100 - 1
            table.append([f'C{i:05}', f'{age:.1f}', '' if draw.random() < 0.05 else f'{spend:.2f}', plan,
                          'Yes' if draw.random() < 1 / (1 + 2.718281828 ** -z) else 'No'])
        return table

    def train(self, data, *more, target='left', expect=0, env=None):
        return run('train', '--data', data, '--target', target, '--out', self.path('m.tern'), *more, expect=expect,
                   env=env)

    def refused(self, data, *words, more=(), target='left'):
        before = set(os.listdir(self.folder))
        done = self.train(data, *more, target=target, expect=2)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertNotRegex(done.stderr, r'\[[A-Za-z]+[^\]"]*\] |::')  # no names of the library's functions
        self.assertEqual(set(os.listdir(self.folder)), before, 'something was written')
        return done.stderr


class Journey(Churn):
    def test_telco_from_file_to_predictions(self):
        self.train(TELCO, '--report', self.path('r.json'), '--write-splits', self.path('s.csv'), target='churn')
        report = self.json('r.json')
        self.assertNotIn('test', report)
        for figure in ('accuracy', 'precision', 'recall', 'f1', 'auroc', 'average_precision', 'log_loss', 'brier'):
            interval = report['validation'][figure]
            self.assertLessEqual(interval['low'], interval['value'], figure)
            self.assertLessEqual(interval['value'], interval['high'], figure)
        self.assertEqual(set(report['validation']['calibration']), {'slope', 'intercept', 'ece'})
        ece = report['validation']['calibration']['ece']
        self.assertLessEqual(ece['low'], ece['value'])
        self.assertLessEqual(ece['value'], ece['high'])
        self.assertTrue(report['validation']['calibration']['ece']['bins'])
        self.assertEqual(report['validation']['label'], 'test sampling only, without refitting')
        self.assertEqual(report['validation']['note'], 'used for selection')
        self.assertEqual(set(report['baselines']), {'prior', 'logistic_regression'})
        with open(TELCO, 'rb') as file:
            self.assertEqual(report['input']['sha256'], hashlib.sha256(file.read()).hexdigest())
        for key in ('compiler', 'instruction_set', 'threads', 'tern'):
            self.assertIn(key, report['environment'])
        for stage in ('read', 'split', 'features', 'train', 'save'):
            self.assertGreaterEqual(report['stages'][stage]['seconds'], 0)
        stages = sum(stage['seconds'] for stage in report['stages'].values())
        self.assertAlmostEqual(stages, report['seconds'], delta=0.05)
        epochs = sum(epoch['seconds'] for epoch in report['training']['history'])
        self.assertAlmostEqual(report['stages']['train']['seconds'], epochs, delta=1e-6)
        # Each baseline decides at a threshold of its own, chosen by the rule that the model's is.
        for name, baseline in report['baselines'].items():
            self.assertNotEqual(baseline['validation']['threshold'], report['validation']['threshold'], name)
        self.assertEqual(report['baselines']['prior']['validation']['recall']['value'], 1)  # F1's best: everybody
        with open(self.path('s.csv'), newline='') as file:
            splits = list(csv.DictReader(file))
        self.assertEqual([int(row['row']) for row in splits], list(range(7043)))
        counts = {part: sum(row['split'] == part for row in splits) for part in ('train', 'validation', 'test')}
        self.assertAlmostEqual(counts['train'] / 7043, 0.70, delta=0.002)
        self.assertAlmostEqual(counts['test'] / 7043, 0.15, delta=0.002)

        run('evaluate', '--bundle', self.path('m.tern'), '--data', TELCO, '--report', self.path('e.json'))
        run('evaluate', '--bundle', self.path('m.tern'), '--data', TELCO, '--report', self.path('e.json'))
        evaluation = self.json('e.json')
        self.assertGreater(evaluation['test']['auroc']['value'], 0.82)
        self.assertEqual(evaluation['test']['rows'], counts['test'])
        self.assertEqual(len(evaluation['ledger']), 2)
        opened = ''.join(f'{row["row"]}\n' for row in splits if row['split'] == 'test')
        self.assertEqual({entry['split_hash'] for entry in evaluation['ledger']}, {hashlib.sha256(opened.encode()).hexdigest()})
        self.assertIn('2 times', evaluation['test']['note'])
        self.assertIn('test', evaluation['baselines']['logistic_regression'])
        for name, baseline in evaluation['baselines'].items():
            self.assertEqual(baseline['test']['threshold'], report['baselines'][name]['validation']['threshold'])
        self.assertEqual(evaluation['test']['resampled'], 'rows')
        self.assertAlmostEqual(sum(stage['seconds'] for stage in evaluation['stages'].values()), evaluation['seconds'],
                               delta=0.05)

        run('predict', '--bundle', self.path('m.tern'), '--data', TELCO, '--out', self.path('p.csv'))
        with open(self.path('p.csv'), newline='') as file:
            predictions = list(csv.DictReader(file))
        self.assertEqual(len(predictions), 7043)
        self.assertEqual(list(predictions[0]), ['probability', 'decision'])
        threshold = report['validation']['threshold']
        for row in predictions:
            self.assertEqual(row['decision'], 'Yes' if float(row['probability']) >= threshold else 'No')
        # The evaluation's accuracy is that of the predictions on the test rows.
        target = [row[0] for row in telco()[1:]]
        right = [predictions[int(s['row'])]['decision'] == target[int(s['row'])] for s in splits if s['split'] == 'test']
        self.assertAlmostEqual(sum(right) / len(right), evaluation['test']['accuracy']['value'], places=12)

    def test_a_row_alone_equals_its_row_among_many(self):
        table = self.small()
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id')
        run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('all.csv'))
        with open(self.path('all.csv'), newline='') as file:
            together = list(csv.DictReader(file))
        self.assertEqual([row['id'] for row in together], [row[0] for row in table[1:]])
        for i in (0, 17, 599):
            alone = self.write('one.csv', [table[0], table[i + 1]])
            run('predict', '--bundle', self.path('m.tern'), '--data', alone, '--out', self.path('one-p.csv'))
            with open(self.path('one-p.csv'), newline='') as file:
                self.assertEqual(list(csv.DictReader(file)), [together[i]])

    def test_the_same_bits_at_any_thread_count(self):
        data = self.write('d.csv', self.small(2000))
        hashes = set()
        for threads in ('1', '2', '5'):
            self.train(data, '--id', 'id', '--threads', threads, '--report', self.path('r.json'))
            self.assertGreater(self.json('r.json')['training']['best_epoch'], 0)
            hashes.add(hashlib.sha256(self.weights('m.tern')).hexdigest())
        self.assertEqual(len(hashes), 1)

    def test_what_may_come_at_predict_time(self):
        table = self.small()
        self.train(self.write('d.csv', table), '--id', 'id')
        new = [['plan', 'age', 'id', 'spend', 'extra']] + [['unheard of', '41', 'a', '', 'x'], ['basic', '', 'b', '', 'y']]
        done = run('predict', '--bundle', self.path('m.tern'), '--data', self.write('n.csv', new), '--out', self.path('p.csv'))
        self.assertIn('note: "spend": blank in all 2 rows', done.stdout)
        self.assertIn('note: "plan": 1 row with values that the model has not learned', done.stdout)
        with open(self.path('p.csv'), newline='') as file:
            self.assertEqual(len(list(csv.DictReader(file))), 2)
        missing = self.write('x.csv', [['age', 'spend'], ['1', '2']])
        done = run('predict', '--bundle', self.path('m.tern'), '--data', missing, '--out', self.path('no.csv'), expect=2)
        self.assertIn('plan', done.stderr)
        wrong = self.write('y.csv', [['age', 'spend', 'plan'], ['old', '2', 'basic']])
        done = run('predict', '--bundle', self.path('m.tern'), '--data', wrong, '--out', self.path('no.csv'), expect=2)
        for word in ('age', 'old', 'line 2'):
            self.assertIn(word, done.stderr)
        self.assertFalse(os.path.exists(self.path('no.csv')))

    def test_logistic_groups_times_and_thresholds(self):
        table = self.small(900)
        table[0] += ['day', 'home']
        for i, row in enumerate(table[1:]):
            row += [f'{1 + i % 28:02}/{1 + i // 28 % 12:02}/2023', f'h{i // 3}']
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id', '--model', 'logistic', '--threshold', 'recall>=0.8', '--report', self.path('r.json'))
        report = self.json('r.json')
        self.assertGreaterEqual(report['validation']['recall']['value'], 0.8)
        self.assertTrue(any('"day" is a time' in warning for warning in report['warnings']))
        self.train(data, '--id', 'id', '--split', 'time:day', '--write-splits', self.path('s.csv'))
        days = {}
        with open(self.path('s.csv'), newline='') as file:
            for row in csv.DictReader(file):
                d, m, y = table[int(row['row']) + 1][5].split('/')
                days.setdefault(row['split'], []).append((y, m, d))
        self.assertLess(max(days['train']), min(days['validation']))
        self.assertLess(max(days['validation']), min(days['test']))
        self.train(data, '--id', 'id', '--split', 'group:home', '--write-splits', self.path('s.csv'),
                   '--threshold', 'cost:5,1', '--report', self.path('r.json'))
        homes = {}
        with open(self.path('s.csv'), newline='') as file:
            for row in csv.DictReader(file):
                homes.setdefault(table[int(row['row']) + 1][6], set()).add(row['split'])
        self.assertTrue(all(len(parts) == 1 for parts in homes.values()))
        # Whole groups are resampled, in training and in judging, and it is said.
        self.assertEqual(self.json('r.json')['validation']['resampled'], 'groups')
        done = run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', self.path('e.json'))
        judged = self.json('e.json')['test']
        self.assertEqual(judged['resampled'], 'groups')
        self.assertEqual(judged['groups'], sum(parts == {'test'} for parts in homes.values()))
        self.assertIn(f'bootstrap of {judged["groups"]} whole groups', done.stdout)
        # The group may be the id, or a feature that is told to stay.
        self.train(data, '--id', 'home', '--split', 'group:home')
        run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', self.path('e.json'))
        self.assertEqual(self.json('e.json')['test']['resampled'], 'groups')
        self.train(data, '--id', 'id', '--split', 'group:age', '--keep', 'age')
        run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', self.path('e.json'))
        self.assertEqual(self.json('e.json')['test']['resampled'], 'groups')
        run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('p.csv'))
        self.train(data, '--id', 'id', '--split', 'group:home')
        # A file without the group's column is judged by rows, and predicting needs no groups.
        without = self.write('w.csv', [row[:6] for row in table])
        done = run('evaluate', '--bundle', self.path('m.tern'), '--data', without, '--all', '--report', self.path('e.json'))
        self.assertEqual(self.json('e.json')['all']['resampled'], 'rows')
        self.assertIn('without the column "home" of the groups, so that intervals promise too much', done.stdout)
        run('predict', '--bundle', self.path('m.tern'), '--data', without, '--out', self.path('p.csv'))

    def test_duplicates_and_missing_targets(self):
        table = self.small(300)
        table += [list(table[5]), list(table[9])]
        table[20][4] = table[21][4] = ''
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id', '--report', self.path('r.json'))
        dropped = {entry['reason']: entry['rows'] for entry in self.json('r.json')['dropped']['rows']}
        self.assertEqual(dropped['missing target'], [19, 20])
        self.assertEqual(dropped['duplicate of an earlier row'], [300, 301])
        # Rows that have no id are nobody's copies unless that is said.
        blank = [list(row) for row in table]
        for i in (5, 301):
            blank[i][0] = ''
        blank = self.write('b.csv', blank)
        done = self.train(blank, '--id', 'id', '--model', 'logistic', '--report', self.path('r.json'))
        self.assertIn('1 duplicate row dropped, 1 row without an id equal to an earlier one kept (--drop-duplicates', done.stdout)
        report = self.json('r.json')
        self.assertEqual([entry['rows'] for entry in report['dropped']['rows']], [[19, 20], [301]])
        self.assertEqual((report['duplicates']['rows'], report['duplicates']['without_id']), ([301], [300]))
        self.train(blank, '--id', 'id', '--model', 'logistic', '--drop-duplicates', '--report', self.path('r.json'))
        self.assertEqual([entry['rows'] for entry in self.json('r.json')['dropped']['rows']], [[19, 20], [300, 301]])
        without = self.write('w.csv', [row[1:] for row in table])
        self.train(without, '--report', self.path('r.json'), '--write-splits', self.path('s.csv'))
        self.assertEqual([e['reason'] for e in self.json('r.json')['dropped']['rows']], ['missing target'])
        with open(self.path('s.csv'), newline='') as file:
            part = {int(row['row']): row['split'] for row in csv.DictReader(file)}
        self.assertEqual(part[300], part[4])
        self.assertEqual(part[301], part[8])

    def test_ids_are_names(self):
        # Each two of them are one double.
        table = self.small(300)
        twins = [list(row) for row in table[1:]]
        for i, (row, twin) in enumerate(zip(table[1:], twins)):
            row[0], twin[0] = f'{20240101123456 + i}.0000001', f'{20240101123456 + i}.0000011'
        data = self.write('d.csv', table + twins)
        done = self.train(data, '--id', 'id', '--report', self.path('r.json'))
        self.assertEqual(self.json('r.json')['dropped']['rows'], [])
        self.assertNotIn('repeat the id', done.stdout + done.stderr)

    def test_rows_that_a_split_has_no_place_for(self):
        table = self.small(600)
        table[0] += ['day', 'home', 'none']
        for i, row in enumerate(table[1:]):
            row += [f'2023-{1 + i // 28 % 12:02}-{1 + i % 28:02}' if i % 10 else '', f'h{i // 3}' if i % 20 else 'NA', '']
        table[2][4] = ''
        data = self.write('d.csv', table)
        for split, count, kind in (('time:day', 60, 'time'), ('group:home', 30, 'group')):
            column = split.split(':')[1]
            done = self.train(data, '--id', 'id', '--drop', 'none', '--model', 'logistic', '--split', split,
                              '--report', self.path('r.json'), '--write-splits', self.path('s.csv'))
            self.assertIn(f'1 row without a target dropped, {count} rows without a {kind} ("{column}") dropped', done.stdout)
            report = self.json('r.json')
            dropped = {entry['reason']: entry for entry in report['dropped']['rows']}
            entry = dropped[f'missing {kind} of the split ("{column}")']
            self.assertEqual(entry['count'], count)
            self.assertEqual(entry['rows'], [i for i in range(600) if i % (600 // count) == 0])
            self.assertEqual(report['input']['rows_used'], 599 - count)
            with open(self.path('s.csv'), newline='') as file:
                self.assertEqual(len(list(csv.DictReader(file))), 599 - count)
            run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', self.path('e.json'))
            self.assertEqual(self.json('e.json')['dropped'], report['dropped'])
            self.assertNotIn('dropped', self.json('e.json')['settings'])
            run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--all', '--report', self.path('e.json'))
            self.assertEqual(self.json('e.json')['dropped'],
                             {'rows': [{'reason': 'missing target', 'count': 1, 'rows': [1]}],
                              'columns': report['dropped']['columns']})
            run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('p.csv'))
            with open(self.path('p.csv'), newline='') as file:
                self.assertEqual(len(list(csv.DictReader(file))), 600)
        os.remove(self.path('m.tern'))
        for split in ('time:none', 'group:none'):
            self.refused(data, 'd.csv', '"none"', '--split', 'blank throughout', more=('--split', split))

    def test_a_date_is_as_many_features_as_it_tells(self):
        table = self.small(600)
        table[0] += ['day', 'moment']
        for i, row in enumerate(table[1:]):
            row += [f'{1 + i % 28:02}.{1 + i % 12:02}.2023' if i % 10 else '', f'2023-05-{1 + i % 28:02} {i % 24:02}:30:00']
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id', '--model', 'logistic')
        features = [name for name in json.loads(self.entry('m.tern', 'pipeline.json'))['features'] if name[:3] in ('day', 'mom')]
        steps = json.loads(self.entry('m.tern', 'pipeline.json'))['steps']
        self.assertEqual([entry['step']['fill'] for entry in steps if entry['type'] == 'impute'], ['median'])
        self.assertEqual(features, ['day_missing'] + [f'day_{part}' for part in ('year', 'month', 'day', 'weekday', 'days')] +
                         [f'moment_{part}' for part in ('year', 'month', 'day', 'weekday', 'hour', 'days')])
        run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('p.csv'))

    def test_whole_numbers_may_come_with_halves(self):
        table = self.small(400)
        table[0].append('visits')
        for i, row in enumerate(table[1:]):
            row.append(i % 13)
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id', '--model', 'logistic')
        run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('whole.csv'))
        table[1][5], table[2][5] = '7.5', '1.0'
        halves = self.write('h.csv', table)
        run('predict', '--bundle', self.path('m.tern'), '--data', halves, '--out', self.path('p.csv'))
        with open(self.path('p.csv')) as one, open(self.path('whole.csv')) as other:
            one, other = one.readlines(), other.readlines()
        self.assertNotEqual(one[1], other[1])
        self.assertEqual(one[2:], other[2:])
        self.train(data, '--id', 'id', '--model', 'logistic', '--types', 'visits=i64')
        done = run('predict', '--bundle', self.path('m.tern'), '--data', halves, '--out', self.path('p.csv'), expect=2)
        for words in ('"visits"', 'line 2', '7.5', 'the type number takes fractions'):
            self.assertIn(words, done.stderr)

    def test_the_hash_is_of_the_bytes_that_were_read(self):
        data = self.write('d.csv', self.small())
        wanted = hashlib.sha256(self.text_of('d.csv')).hexdigest()
        os.mkfifo(self.path('pipe'))
        at_once = ('--id', 'id', '--model', 'logistic')
        for command in (['train', '--target', 'left', '--out', self.path('m.tern'), *at_once],
                        ['evaluate', '--bundle', self.path('m.tern')]):
            process = subprocess.Popen([CHURN, *command, '--data', self.path('pipe'), '--report', self.path('r.json')],
                                       stdout=subprocess.DEVNULL)
            with open(self.path('pipe'), 'wb') as pipe:
                pipe.write(self.text_of('d.csv'))
            self.assertEqual(process.wait(), 0)
            self.assertEqual(self.json('r.json')['input']['sha256'], wanted)
        self.assertEqual(self.json('r.json')['ledger'][-1]['data_hash'], wanted)
        # The time of a split in a written form is found without a second reading.
        table = self.small()
        table[0].append('day')
        for i, row in enumerate(table[1:]):
            row.append(f'{1 + i % 28:02}/{1 + i // 28 % 12:02}/2023')
        timed = self.write('t.csv', table)
        command = ['train', '--target', 'left', *at_once, '--split', 'time:day', '--keep', 'day']
        run(*command, '--data', timed, '--out', self.path('file.tern'), '--write-splits', self.path('file.csv'))
        process = subprocess.Popen([CHURN, *command, '--data', self.path('pipe'), '--out', self.path('pipe.tern'),
                                    '--write-splits', self.path('pipe.csv')], stdout=subprocess.DEVNULL)
        with open(self.path('pipe'), 'wb') as pipe:
            pipe.write(self.text_of('t.csv'))
        self.assertEqual(process.wait(), 0)
        self.assertEqual(self.text_of('pipe.csv'), self.text_of('file.csv'))
        run('evaluate', '--bundle', self.path('pipe.tern'), '--data', timed)
        run('predict', '--bundle', self.path('pipe.tern'), '--data', timed, '--out', self.path('p.csv'))

    def test_rows_alike_in_every_feature_stay_together(self):
        table = self.small(300)
        table = table + [list(row) for row in table[1:]]
        table[0].append('remark')
        for i, row in enumerate(table[1:]):  # free text, which is no feature, tells them apart
            row[0] = f'C{i:05}'
            row.append(f'called on day {i} and asked about bill {7 * i}')
        self.train(self.write('d.csv', table), '--id', 'id', '--model', 'logistic', '--report', self.path('r.json'),
                   '--write-splits', self.path('s.csv'))
        self.assertIn('remark', [c['name'] for c in self.json('r.json')['dropped']['columns']])
        with open(self.path('s.csv'), newline='') as file:
            part = {int(row['row']): row['split'] for row in csv.DictReader(file)}
        self.assertEqual(len(part), 600)
        for i in range(300):
            self.assertEqual(part[i], part[i + 300])

    def test_a_report_tells_of_its_own_process(self):
        data = self.write('d.csv', self.small())
        self.train(data, '--id', 'id', '--model', 'logistic', '--threads', '2', '--report', self.path('r.json'))
        self.assertEqual(self.json('r.json')['environment']['threads'], 2)
        evaluate = ['evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', self.path('e.json')]
        run(*evaluate, '--threads', '3')
        self.assertEqual(self.json('e.json')['environment']['threads'], 3)
        self.assertEqual(self.json('e.json')['training_environment'], self.json('r.json')['environment'])
        run(*evaluate, env={'TERN_NUM_THREADS': '5'})
        self.assertEqual(self.json('e.json')['environment']['threads'], 5)

    def test_written_formats_are_read(self):
        table = self.small(400)
        table[0] += ['income', 'share', 'since']
        for i, row in enumerate(table[1:]):
            row += [f'${1000 + 7 * i:,}.50', f'{i % 100}%', f'{1 + i % 28} Jan 20{10 + i % 10}']
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id', '--report', self.path('r.json'))
        self.assertEqual([c['name'] for c in self.json('r.json')['dropped']['columns']], ['id'])
        run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('p.csv'))

    def test_a_word_beside_yes_and_no(self):
        table = self.small(400)
        table[0].append('mail')
        for i, row in enumerate(table[1:]):
            row.append('yes' if i % 3 else 'no')
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id')
        table[7][5] = 'maybe'
        odd = self.write('o.csv', table)
        run('evaluate', '--bundle', self.path('m.tern'), '--data', odd, '--all')
        run('predict', '--bundle', self.path('m.tern'), '--data', odd, '--out', self.path('p.csv'))
        with open(self.path('p.csv'), newline='') as file:
            self.assertEqual([row['id'] for row in csv.DictReader(file)], [row[0] for row in table[1:]])
        for seed in range(4):  # wherever the row comes to stand
            self.train(odd, '--id', 'id', '--model', 'logistic', '--seed', seed)

    def test_one_odd_word_makes_the_same_features_at_any_seed(self):
        table = self.small(400)
        table[0] += ['fee', 'day']
        for i, row in enumerate(table[1:]):
            row += [f'${1000 + 7 * i:,}.50', f'{1 + i % 28}.{1 + i % 12}.2023']
        good = self.write('g.csv', table)
        self.train(good, '--id', 'id', '--model', 'logistic')
        table[50][5], table[60][6] = 'unknown', 'soon'
        odd = self.write('o.csv', table)
        for place, row in (('fee', 49), ('day', 59)):
            one = [list(line) for line in table]
            if place == 'day':
                one[50][5] = '$7'
            done = run('predict', '--bundle', self.path('m.tern'), '--data', self.write('x.csv', one), '--out',
                       self.path('p.csv'), expect=2)
            for word in ('x.csv', f'line {row + 2}', place):  # of another type
                self.assertIn(word, done.stderr)
        left_out = set()
        for seed in range(1, 7):
            done = self.train(odd, '--id', 'id', '--model', 'logistic', '--seed', seed, '--report', self.path('r.json'))
            left_out.add(tuple(c['name'] for c in self.json('r.json')['dropped']['columns']))
            notes = self.json('r.json')['notes']
            self.assertEqual(len(notes), 2)
            self.assertIn('column "fee": 399 of 400 values', notes[0])
            for words in ('399 of 400 values are written like $1,234.50', '"unknown" (line 51)', '--missing WORD',
                          'the type number:point+group+$', '--types COLUMN=TYPE',
                          '399 of 400 values are written like 31/01/2024'):
                self.assertIn(words, done.stdout)
        self.assertEqual(len(left_out), 1)
        self.train(odd, '--id', 'id', '--missing', 'unknown,soon', '--report', self.path('r.json'))
        self.assertEqual([c['name'] for c in self.json('r.json')['dropped']['columns']], ['id'])

    def test_the_missing_words_of_pandas_are_known(self):
        table = self.small(400)
        weights = []
        for words in (('', ''), ('n/a', '#N/A'), ('N/a', '<NA>')):
            for i, row in enumerate(table[1:]):
                if i % 7 == 0:
                    row[1] = words[i % 2]
            self.train(self.write('d.csv', table), '--id', 'id', '--model', 'logistic', '--report', self.path('r.json'))
            weights.append(self.weights('m.tern'))
            self.assertEqual(self.json('r.json')['notes'], [])
        self.assertEqual(weights, [weights[0]] * 3)

    def test_what_is_no_feature_is_not_asked_about(self):
        table = self.small(300)
        table[0].append('day')
        for i, row in enumerate(table[1:]):
            row.append(f'{1 + i % 12:02}/{1 + i % 11:02}/2024')  # day or month first
        data = self.write('d.csv', table)
        self.refused(data, 'day', 'date:dmy')
        for more in (('--drop', 'day'), ('--id', 'day'), ('--split', 'group:day'), ('--types', 'day=string'),
                     ('--types', 'day=string', '--keep', 'day')):
            self.train(data, '--model', 'logistic', *more)
            run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('p.csv'))
            self.assertNotIn(b'date:', self.entry('m.tern', 'pipeline.json'))  # what is told to be text stays text

    def test_ids_that_are_words_for_a_missing_value(self):
        table = self.small(300)
        for row, name in zip(table[1:], ('NA', 'null', 'None', '?', 'N/A', 'nan', '007', '7')):
            row[0] = name
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id', '--report', self.path('r.json'))
        self.assertEqual(self.json('r.json')['dropped']['rows'], [])
        run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('p.csv'))
        with open(self.path('p.csv'), newline='') as file:
            self.assertEqual([row['id'] for row in csv.DictReader(file)], [row[0] for row in table[1:]])

    def test_blanks_around_text(self):
        table = self.small(300)
        self.train(self.write('d.csv', table), '--id', 'id', '--model', 'logistic')
        weights = self.weights('m.tern')
        for i, row in enumerate(table):
            for c in range(5):
                row[c] = f' {row[c]}' if i % 2 else f'{row[c]}\t' if c == 4 else row[c]
        spaced = self.write('s.csv', table)
        self.train(spaced, '--id', 'id', '--model', 'logistic')
        self.assertEqual(self.weights('m.tern'), weights)
        run('predict', '--bundle', self.path('m.tern'), '--data', spaced, '--out', self.path('p.csv'))
        with open(self.path('p.csv'), newline='') as file:
            self.assertEqual([row['id'] for row in csv.DictReader(file)], [row[0].strip() for row in table[1:]])

    def test_the_logistic_model_stands_once_in_the_table(self):
        data = self.write('d.csv', self.small())
        done = self.train(data, '--id', 'id', '--model', 'logistic', '--report', self.path('r.json'))
        report = self.json('r.json')
        self.assertAlmostEqual(sum(stage['seconds'] for stage in report['stages'].values()), report['seconds'], delta=0.05)
        judged = run('evaluate', '--bundle', self.path('m.tern'), '--data', data)
        for text in (done.stdout, judged.stdout):
            self.assertIn('logistic regression: the same figures as the model', text)
            header = next(line for line in text.splitlines() if line.split()[:2] == ['model', 'prior'])
            self.assertEqual(header.split(), ['model', 'prior'])
            for words in ('prior: everybody', 'ECE: mean gap'):
                self.assertIn(words, text)

    def test_further_missing_words_are_kept(self):
        table = self.small()
        for i, row in enumerate(table[1:]):
            row[1] = 'unknown' if i % 11 == 0 else 'not, told' if i % 13 == 0 else row[1]
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id', '--missing', 'unknown,"not, told"', '--report', self.path('r.json'))
        self.assertNotIn('age', [c['name'] for c in self.json('r.json')['dropped']['columns']])
        run('evaluate', '--bundle', self.path('m.tern'), '--data', data)
        run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('p.csv'))
        with open(self.path('p.csv'), newline='') as file:
            first = list(csv.DictReader(file))
        for row in table[1:]:
            row[1] = row[1].replace('unknown', '').replace('not, told', 'NA')
        run('predict', '--bundle', self.path('m.tern'), '--data', self.write('n.csv', table), '--out', self.path('p.csv'))
        with open(self.path('p.csv'), newline='') as file:
            self.assertEqual(list(csv.DictReader(file)), first)
        self.refused(data, '--types', 'age', 'unknown', more=('--types', 'age=f64'))

    def test_the_positive_class_as_the_file_spells_it(self):
        for name, words in (('True', {'Yes': 'True', 'No': 'False'}), ('1.0', {'Yes': '1.0', 'No': '0.0'})):
            table = self.small(300)
            for row in table[1:]:
                row[4] = words[row[4]]
            data = self.write('d.csv', table)
            self.train(data, '--id', 'id', '--model', 'logistic', '--positive', name)
            run('evaluate', '--bundle', self.path('m.tern'), '--data', data)

    def test_the_report_counts_records_and_what_repeats(self):
        table = self.small(300)
        table += [table[5][:], table[9][:4] + ['No' if table[9][4] == 'Yes' else 'Yes']]
        table[20][4] = ''
        data = self.write('d.csv', [row[1:] for row in table])
        self.train(data, '--model', 'logistic', '--report', self.path('r.json'))
        report = self.json('r.json')
        self.assertEqual((report['input']['rows'], report['input']['rows_used']), (302, 301))
        self.assertEqual(report['duplicates'],
                         {'count': 1, 'dropped': False, 'rows': [300], 'without_id': [], 'repeated_ids': [], 'conflicts': [301]})
        run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', self.path('e.json'))
        judged = self.json('e.json')
        self.assertEqual(judged['input']['rows'], 302)
        self.assertEqual(judged['input']['rows_used'], judged['test']['rows'])

    def test_names_with_commas(self):
        table = self.small()
        table[0][1:4] = ['age, in years', 'a "b", c', 'plan']
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id', '--drop', '"age, in years",plan', '--types', '"a ""b"", c"=f64',
                   '--report', self.path('r.json'))
        dropped = {c['name'] for c in self.json('r.json')['dropped']['columns']}
        self.assertEqual(dropped, {'id', 'age, in years', 'plan'})
        self.train(data, '--id', 'id', '--drop', '"age, in years"', '--drop', 'plan', '--keep', '"a ""b"", c"')
        self.refused(data, '--drop', 'quote', more=('--drop', '"age, in years'))
        self.refused(data, '--keep', 'between commas', more=('--keep', 'plan,,id'))

    def test_the_next_commands_run_as_printed(self):
        os.mkdir(self.path("a user's files"))
        data = self.write("a user's files/d 1.csv", self.small())
        out = self.path("a user's files/$m.tern")
        done = run('train', '--data', data, '--target', 'left', '--id', 'id', '--out', out)
        next_ = re.findall(r'^  (\S+ (?:evaluate|predict) .*)$', done.stdout, re.MULTILINE)
        self.assertEqual([shlex.split(line)[:2] for line in next_], [[CHURN, 'evaluate'], [CHURN, 'predict']])
        for line in next_:
            subprocess.run(line, shell=True, check=True, cwd=self.folder, stdout=subprocess.DEVNULL)
        self.assertTrue(os.path.exists(self.path('predictions.csv')))
        done = run('train', '--data', data, '--target', 'left', '--id', 'id', '--out', out, '--split-fractions', '0.7,0.3,0')
        self.assertNotIn('evaluate', done.stdout)
        self.assertIn(' predict ', done.stdout)

    def test_help_tells_of_every_option(self):
        self.assertRegex(run('--version').stdout, r'^churn, with Tern \d+\.\d+\.\d+$')
        for command in ('train', 'evaluate', 'predict'):
            text = run(command, '--help').stdout
            options = [line for line in text.splitlines() if line.strip().startswith('--')]
            self.assertGreaterEqual(len(options), 4)
            for line in options:  # help in the line, or in the one below
                at = text.index(line)
                self.assertRegex(text[at:at + 400], r'^ *(--\S[^\n]*?\S {2,}\S|--[^\n]*\n {10,}\S)', line)
        self.assertIn('130', run('--help').stdout)


class Warnings(Churn):
    def test_rows_that_the_model_has_seen(self):
        table = self.small()
        data = self.write('d.csv', table)
        done = self.train(data, '--id', 'id', '--report', self.path('r.json'))
        judged = run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--all', '--report', self.path('e.json'))
        note = self.json('e.json')['all']['note']
        for words in ('not as test rows', '420 of them trained the model', '90 selected it', 'optimistic',
                      '90 are test rows, opened 1 time'):
            self.assertIn(words, note)
        other = self.write('o.csv', self.small(seed=2))
        judged = run('evaluate', '--bundle', self.path('m.tern'), '--data', other, '--all')
        self.assertNotIn('opened', judged.stdout)
        self.assertIn('another file', judged.stdout)
        self.assertIn('is not known', judged.stdout)

    def test_rows_stay_opened_when_a_model_is_trained_again(self):
        data = self.write('d.csv', self.small(600))
        evaluate = ['evaluate', '--bundle', self.path('m.tern'), '--data', data]
        options = ['--id', 'id', '--model', 'logistic']
        self.assertIn('unopened', self.train(data, *options, '--split-fractions', '0.3333333,0.3333333,0.3333333').stdout)
        self.assertIn('unopened', self.train(data, *options).stdout)
        self.assertIn('; test rows opened 1 time\n', run(*evaluate).stdout)
        self.assertIn('opened once', self.train(data, *options).stdout)
        self.assertIn('; test rows opened 2 times\n', run(*evaluate).stdout)
        self.assertIn('opened 2 times', self.train(data, *options, '--seed', '5').stdout)  # some rows are the same
        other = self.write('o.csv', self.small(600, seed=2))
        self.assertIn('unopened', self.train(other, *options).stdout)
        with open(self.path('m.tern'), 'r+b') as file:
            byte = file.read()[2000]
            file.seek(2000)
            file.write(bytes([byte ^ 1]))
        self.assertIn('its ledger ends: it could not be read', self.train(other, *options).stdout)
        self.assertNotIn('ledger ends', self.train(other, *options).stdout)

    def test_one_class_in_two_spellings_is_one(self):
        table = self.small(200)
        for i, row in enumerate(table[1:]):
            row[-1] = '1' if i % 2 else '1.0'
        self.refused(self.write('d.csv', table), '"left"', 'two classes', more=('--id', 'id', '--positive', '1'))

    def test_few_rows(self):
        data = self.write('d.csv', self.small(200))
        done = self.train(data, '--id', 'id', '--report', self.path('r.json'))
        self.assertIn('warning: test rows: only 30 rows', done.stdout)
        warnings = ' '.join(self.json('r.json')['warnings'])
        self.assertIn('test rows: only 30 rows', warnings)
        self.assertIn('validation rows: only 30 rows', warnings)
        done = run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', self.path('e.json'))
        self.assertIn('warning: only 30 rows', done.stdout)
        self.assertIn('only 30 rows', self.json('e.json')['warnings'][0])
        done = self.train(TELCO, '--model', 'logistic', target='churn')
        self.assertNotRegex(done.stdout, r'only \d')

    def test_planted_leaks_and_an_honest_id(self):
        table = telco()
        draw = random.Random(3)
        table[0] += ['status', 'reason', 'customer']
        for i, row in enumerate(table[1:]):
            flip = draw.random() < 0.01
            row += ['gone' if (row[0] == 'Yes') != flip else 'here', f'reason {i % 9}' if row[0] == 'Yes' else '', f'K{i}']
        data = self.write('d.csv', table)
        done = self.train(data, '--report', self.path('r.json'), target='churn')
        report = self.json('r.json')
        self.assertEqual({leak['column'] for leak in report['leakage']}, {'status', 'reason'})
        self.assertIn('"status" tells the target almost alone', done.stdout)
        self.assertIn('customer', [c['name'] for c in report['dropped']['columns']])  # a level per row
        self.assertNotIn('status', [c['name'] for c in report['dropped']['columns']])  # nothing is dropped silently
        self.assertIn('of 1 left out only the gaps were checked', done.stdout)

    def test_leaks_are_looked_for_in_training_rows_alone(self):
        table = self.small(600)
        table[0].append('hint')
        for i, row in enumerate(table[1:]):
            row.append('abc'[i % 3])
        options = ['--id', 'id', '--model', 'logistic', '--report', self.path('r.json'), '--write-splits', self.path('s.csv')]
        self.train(self.write('d.csv', table), *options)
        splits = self.text_of('s.csv')
        for line in splits.decode().splitlines()[1:]:
            row, part = line.split(',')
            if part != 'train' and table[int(row) + 1][4] == 'Yes':
                table[int(row) + 1][5] = 'cancelled'
        self.train(self.write('d.csv', table), *options)
        self.assertEqual(self.text_of('s.csv'), splits)
        self.assertEqual(self.json('r.json')['leakage'], [])

    def test_what_is_the_same_for_all_of_a_group_is_no_leak(self):
        draw = random.Random(5)
        table = [['cust', 'name', 'income', 'x', 'left']]
        for c in range(60):
            yes, income = draw.random() < 0.4, draw.randrange(10000, 99999)
            for _ in range(25):
                table.append([f'C{c}', f'name{c}', income, round(draw.gauss(0, 1) + 0.5 * yes, 3), 'Yes' if yes else 'No'])
        data = self.write('d.csv', table)
        self.train(data, '--model', 'logistic', '--split', 'group:cust', '--report', self.path('r.json'))
        self.assertEqual(self.json('r.json')['leakage'], [])

    def test_the_bundle_tells_nothing_of_what_the_model_does_not_use(self):
        table = self.small(400)
        table[0] += ['name', 'faith', 'house', 'remark']
        for i, row in enumerate(table[1:]):
            row[0] = f'idword{i // 20}'
            row += [f'nameword{i % 20}', 'faithword' if i % 3 else 'otherfaith', f'houseword{i % 20}',
                    f'remarkword {i} {"remarkword" if i % 2 else "and so on"} of many words']
        data = self.write('d.csv', table)
        # Where a name or a house has all rows of one of the other, neither is told: it is that of one person.
        for more, gone in ((('--id', 'name'), 'nameword faithword houseword'),
                           (('--split', 'group:house'), 'houseword faithword nameword'),
                           (('--split', 'group:house', '--keep', 'house'), 'houseword faithword')):
            self.train(data, '--model', 'logistic', '--drop', 'faith', *more)
            for entry in ('profile.json', 'schema.json', 'README.md', 'task.json'):
                text = self.entry('m.tern', entry).decode()
                for word in gone.split() + ['remarkword']:
                    self.assertNotIn(word, text, entry)
            self.assertIn('gold', self.entry('m.tern', 'profile.json').decode())

    def test_leaks_in_numbers_and_dates_written_as_text(self):
        table = self.small(600)
        table[0] += ['bill', 'share', 'last']
        draw = random.Random(4)
        for row in table[1:]:
            yes = row[4] == 'Yes'
            day = draw.randrange(1000)
            row += [f'${draw.uniform(100, 5000) if yes else draw.uniform(1, 100):,.2f}',
                    f'{draw.uniform(50, 99) if yes else draw.uniform(0, 50):.3f}%',
                    f'{1 + day % 28:02}.{1 + day // 28 % 12:02}.{(2023 if yes else 2018) + day // 336}']
        self.train(self.write('d.csv', table), '--id', 'id', '--model', 'logistic', '--report', self.path('r.json'))
        self.assertEqual({leak['column'] for leak in self.json('r.json')['leakage']}, {'bill', 'share', 'last'})

    def test_the_gaps_of_columns_left_out(self):
        table = self.small(600)
        table[0].append('reason')
        for i, row in enumerate(table[1:]):  # too many words to learn from, and there for those who left alone
            row.append(f'said on call {i} that they pay {3 * i} too much' if row[4] == 'Yes' else '')
        data = self.write('d.csv', table)
        done = self.train(data, '--id', 'id', '--model', 'logistic', '--report', self.path('r.json'))
        self.assertIn('"reason", which is left out, tells the target almost alone by being missing', done.stdout)
        leak, = self.json('r.json')['leakage']
        self.assertEqual((leak['column'], leak['left_out'], leak['missingness_alone']), ('reason', True, True))
        done = self.train(data, '--id', 'id', '--model', 'logistic', '--drop', 'reason')
        self.assertNotIn('tells the target almost', done.stdout)
        self.assertIn('2 unchecked (--drop, --id)', done.stdout)

    def test_a_repeating_id_under_a_random_split(self):
        table = self.small(400)
        for i, row in enumerate(table[1:]):
            row[0] = f'C{i // 2}'
        done = self.train(self.write('d.csv', table), '--id', 'id')
        self.assertIn('--split group:id', done.stdout)


    def test_keys_that_repeat(self):
        table = self.small(600)
        table[0] += ['patient', 'nummer', 'Age', 'zip', 'weeks', 'Customer No', 'born', 'visited']
        draw = random.Random(8)
        zips = [draw.randrange(10000, 99999) for _ in range(120)]
        for i, row in enumerate(table[1:]):
            row += [1000 + i * 7 % 300, 70000 + 13 * (i % 200), draw.choice(['n.k.', 'old', 'unknown', 'asked'])
                    if i % 9 == 0 else draw.randrange(18, 84), draw.choice(zips), draw.randrange(1, 73),
                    f'K{draw.randrange(150)}', f'{1950 + i % 50}-{1 + i % 12:02}-03', f'2024-{1 + i % 12:02}-{1 + i % 28:02}']
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id', '--model', 'logistic', '--report', self.path('r.json'))
        warnings = self.json('r.json')['warnings']
        self.assertEqual(sorted(re.findall(r'--split (\S+(?: No\')?)', ' '.join(warnings))),
                         ["'group:Customer No'", 'group:nummer', 'group:patient', 'time:visited'])
        self.assertIn('"patient" repeats, with 300 values in ', ' '.join(warnings))
        self.assertNotIn('group:Age', json.dumps(self.json('r.json')))
        self.train(data, '--id', 'id', '--model', 'logistic', '--split', 'group:patient', '--report', self.path('r.json'))
        self.assertNotIn('repeat', ' '.join(self.json('r.json')['warnings']))
        self.train(TELCO, '--model', 'logistic', '--report', self.path('r.json'), target='churn')
        self.assertEqual((self.json('r.json')['warnings'], self.json('r.json')['notes']), ([], []))

    def test_columns_of_rare_levels(self):
        table = self.small(1000)
        table[0] += ['name', 'town']
        for i, row in enumerate(table[1:]):
            row += [f'Anna {i * 11 % 301}' if i % 5 else f'Bob {i // 250}', f't{i % 40}']
        done = self.train(self.write('d.csv', table), '--id', 'id', '--model', 'logistic', '--report', self.path('r.json'))
        notes = self.json('r.json')['notes']
        self.assertEqual(len(notes), 1)
        self.assertRegex(notes[0], r'column "name": \d+ of 700 training rows have a value that fewer than 10 share; '
                                   r'these \d+ values are one level, <other>, beside \d of their own.*--drop name')
        self.assertIn(notes[0], done.stdout)

    def test_spellings_that_differ_in_case(self):
        table = self.small(600)
        table[0] += ['sex', 'mail', 'city']
        for i, row in enumerate(table[1:]):
            row += ['mMf'[i % 3], ('yes', 'Yes', 'no')[i % 3], ('Berlin', 'berlin', 'Paris', 'Köln', 'KÖLN')[i % 5]]
        data = self.write('d.csv', table)
        done = self.train(data, '--id', 'id', '--model', 'logistic', '--report', self.path('r.json'))
        self.assertEqual(self.json('r.json')['notes'], [  # yes and Yes are one already
            'column "sex": "M" (200 rows) and "m" (200 rows) differ only in case or blanks and are levels of their own; '
            'written alike in the file they are one',
            'column "city": "Berlin" (120 rows) and "berlin" (120 rows), "KÖLN" (120 rows) and "Köln" (120 rows) differ only '
            'in case or blanks and are levels of their own; written alike in the file they are one'])
        self.assertIn('note: column "sex"', done.stdout)
        self.refused(data, 'd.csv: ', '"yes"', 'as the data spell it it is "Yes"', more=('--positive', 'yes'))
        for row in table[1:40]:
            row[4] = row[4].lower()
        self.refused(self.write('t.csv', table), 't.csv: ', '"Yes", "yes" differ only in case', more=('--positive', 'Yes'))

    def test_what_else_is_said(self):
        table = self.small(600)
        for i, row in enumerate(table):
            row.append('visit' if i == 0 else f'patient{i % 120}')
        data = self.write('v.csv', table)
        said = self.train(data, '--id', 'id', '--balanced', '--resume', '--max-epochs', '1').stdout
        for words in ('"visit" repeats, with 120 values in ', '--split group:visit', 'as many positives as',
                      'nothing to resume'):
            self.assertIn(words, said)
        dropped = self.train(data, '--id', 'id', '--drop', 'visit', '--max-epochs', '1').stdout
        self.assertIn('--split group:visit', dropped)  # the same patients are in training and test all the same
        self.text('m.tern.checkpoint', 'of a run that was not finished')
        self.assertIn('starts anew', self.train(data, '--id', 'id', '--max-epochs', '1').stdout)

    def test_a_device_that_is_not_there(self):
        data = self.write('d.csv', self.small(300))
        for device, said in (('cuda:100', 'expected cuda:100, got '), ('gpu', 'got "gpu"')):
            self.refused(data, said, more=('--id', 'id', '--device', device))

    def test_a_later_option_overrides(self):
        data = self.write('d.csv', self.small(300))
        self.train(data, '--id', 'id', '--seed', '3', '--seed', '4', '--max-epochs', '1', '--report', self.path('r.json'))
        self.assertEqual((self.json('r.json')['settings']['seed'], self.json('r.json')['seed']), (4, 4))


class Interrupted(Churn):
    def test_killed_anywhere_and_resumed(self):
        data = self.write('d.csv', self.small(3000))
        command = ['train', '--data', data, '--target', 'left', '--id', 'id', '--max-epochs', '40']
        run(*command, '--out', self.path('whole.tern'), '--report', self.path('r.json'))
        self.assertGreater(self.json('r.json')['training']['best_epoch'], 0)
        begin = time.monotonic()
        run(*command, '--out', self.path('whole.tern'))
        whole = time.monotonic() - begin
        draw = random.Random(1)
        kills = 0
        for attempt in range(8):
            out = self.path(f'k{attempt}.tern')
            process = subprocess.Popen([CHURN, *command, '--out', out], stdout=subprocess.DEVNULL)
            time.sleep(whole * draw.random())
            process.kill()
            kills += process.wait() == -signal.SIGKILL
            if os.path.exists(out):  # killed after the save: the file is whole
                run('predict', '--bundle', out, '--data', data, '--out', self.path('p.csv'))
            run(*command, '--out', out, '--resume')
            self.assertEqual(self.weights(f'k{attempt}.tern'), self.weights('whole.tern'))
        self.assertGreater(kills, 0)

    def test_ctrl_c_saves_the_best_model_and_says_how_to_go_on(self):
        data = self.write('a b.csv', self.small(3000))
        command = ['train', '--data', data, '--target', 'left', '--id', 'id', '--max-epochs', '400']
        run(*command, '--out', self.path('whole.tern'))
        process = subprocess.Popen([CHURN, *command, '--out', self.path('m.tern'), '--report', self.path('r.json')],
                                   stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            if 'epoch   2' in line:
                process.send_signal(signal.SIGINT)
                break
        text = process.stdout.read()
        process.stdout.close()
        self.assertEqual(process.wait(), 130)
        self.assertEqual(self.json('r.json')['training']['stopped'], 'an interrupt')
        run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('p.csv'))
        again = next(line for line in text.splitlines() if line.endswith('--resume'))
        subprocess.run(again, shell=True, check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(self.weights('m.tern'), self.weights('whole.tern'))
        self.assertEqual([name for name in os.listdir(self.folder) if 'checkpoint' in name], [])

    def test_out_of_time_goes_on_where_it_stopped(self):
        data = self.write('d.csv', self.small(3000))
        command = ['train', '--data', data, '--target', 'left', '--id', 'id', '--max-epochs', '40']
        run(*command, '--out', self.path('whole.tern'))
        command += ['--out', self.path('m.tern')]
        again, printed = 0.01, ''
        while 'Out of time' not in printed:  # too short for one epoch on a slow machine
            again *= 2
            self.assertLess(again, 30)
            printed = run(*command, '--max-time', again).stdout
        self.assertTrue([line for line in printed.splitlines() if line.endswith('--max-time ' + str(again) + ' --resume')])
        with open('/proc/cpuinfo') as cpu:
            wide = 'avx2' in cpu.read()
        if wide:
            done = run(*command, '--resume', env={'TERN_CPU_TARGET': 'baseline'}, expect=2)
            self.assertIn('got one with other instruction set; remove it, or train without resuming', done.stderr)
        run(*command, '--resume')
        self.assertEqual(self.weights('m.tern'), self.weights('whole.tern'))
        self.assertFalse(os.path.exists(self.path('m.tern.checkpoint')))

    def test_ctrl_c_in_the_first_epoch_leads_to_no_other_run(self):
        data = self.write('d.csv', self.small(20000))
        self.text('m.tern.checkpoint', 'of another run')
        process = subprocess.Popen([CHURN, 'train', '--data', data, '--target', 'left', '--id', 'id', '--max-epochs', '2',
                                    '--out', self.path('m.tern')], stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            if 'the best epoch so far' in line:
                process.send_signal(signal.SIGINT)
                break
        text = process.stdout.read()
        process.stdout.close()
        self.assertEqual(process.wait(), 130)
        own = self.text_of('m.tern.checkpoint') != b'of another run'
        self.assertEqual('--resume' in text, own)
        again = text.split('Interrupted')[1].splitlines()[1]
        subprocess.run(again, shell=True, check=True, stdout=subprocess.DEVNULL)
        self.assertFalse(os.path.exists(self.path('m.tern.checkpoint')))

    def test_ctrl_c_before_training_writes_nothing(self):
        self.train(self.write('d.csv', self.small()), '--id', 'id')
        bundle = hashlib.sha256(self.text_of('m.tern')).hexdigest()
        os.mkfifo(self.path('pipe'))
        before = sorted(os.listdir(self.folder))
        for command in (['train', '--target', 'left', '--out', self.path('n.tern'), '--report', self.path('r.json')],
                        ['evaluate', '--bundle', self.path('m.tern'), '--all'],
                        ['predict', '--bundle', self.path('m.tern'), '--out', self.path('p.csv')]):
            process = subprocess.Popen([CHURN, *command, '--data', self.path('pipe')], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True)
            with open(self.path('pipe'), 'w'):  # open once it is being read, which then waits
                process.send_signal(signal.SIGINT)
                self.assertIn('nothing was written', process.stderr.read())
                process.stderr.close()
                self.assertEqual(process.wait(), 130)
            self.assertEqual(sorted(os.listdir(self.folder)), before)
        self.assertEqual(hashlib.sha256(self.text_of('m.tern')).hexdigest(), bundle)


class Refused(Churn):
    def test_options_at_odds(self):
        data = self.write('d.csv', self.small(300))
        self.refused(data, '--id or --keep', more=('--id', 'id', '--keep', 'id'))
        self.refused(data, '--split-fractions', 'validate on', more=('--split-fractions', '0.8,0,0.2'))

    def test_files_that_cannot_be_read(self):
        self.refused(self.path('absent.csv'), 'absent.csv')
        self.refused(self.text('e.csv', ''), 'e.csv')
        self.refused(self.text('h.csv', 'id,age,left\n'), 'h.csv')
        self.refused(self.text('r.csv', 'age,age,left\n1,2,Yes\n'), 'r.csv', 'age')
        self.refused(self.text('g.csv', 'age,left\n1,Yes\n2\n3,No\n'), 'g.csv', 'line 3')
        self.refused(self.text('q.csv', 'age,left\n1,"Yes\n2,No\n'), 'q.csv', 'quote')
        self.refused(self.text('u.csv', b'age,left\n1,Yes\n2,N\xff\n'), 'u.csv', 'line 3', 'left')
        self.refused(self.text('n.csv', 'age,left\n1e999,Yes\n2,No\n'), 'n.csv', 'line 2', 'age', '1e999')
        self.refused(self.text('b.csv', bytes(range(256)) * 8), 'b.csv')

    def test_numbers_too_large_to_learn_from(self):
        # Standardised training rows are bounded, so no file makes the loss NaN: what is too large is refused before.
        table = self.small(300)
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id', '--write-splits', self.path('s.csv'))
        with open(self.path('s.csv'), newline='') as file:
            part = {row['split']: int(row['row']) for row in csv.DictReader(file)}
        for name, words in (('train', ['age', 'larger']), ('validation', ['age', f'line {part["validation"] + 2}'])):
            changed = [list(row) for row in table]
            changed[part[name] + 1][1] = '1e300'
            self.refused(self.write(f'{name}.csv', changed), *words, more=('--id', 'id'))
        table[1][1] = '-1e300'
        large = self.write('l.csv', table)
        done = run('predict', '--bundle', self.path('m.tern'), '--data', large, '--out', self.path('p.csv'), expect=2)
        self.assertIn('line 2, column "age"', done.stderr)
        self.assertIn('-1e+300', done.stderr)  # as it came
        self.assertFalse(os.path.exists(self.path('p.csv')))

    def test_targets_that_cannot_be_learned(self):
        table = self.small(200)
        data = self.write('d.csv', table)
        self.refused(data, 'lef', 'left', target='lef')
        constant = self.write('c.csv', [row[:4] + ['left' if i == 0 else 'Yes'] for i, row in enumerate(table)])
        self.refused(constant, 'left', 'Yes', 'c.csv: ')
        self.refused(data, '--id: ', 'nope', more=('--id', 'nope'))
        self.refused(data, '--id', 'target', more=('--id', 'left'))
        self.refused(data, '--split: ', 'target', more=('--split', 'group:left'))
        three = self.write('t.csv', [row[:4] + ['left' if i == 0 else 'abc'[i % 3]] for i, row in enumerate(table)])
        self.refused(three, 'left', '3', 't.csv: line 4, column "left": ', '--missing WORD', more=('--positive', 'a'))
        empty = self.write('m.csv', [row[:4] + ['left' if i == 0 else ''] for i, row in enumerate(table)])
        self.refused(empty, 'left', 'm.csv: ')
        words = self.write('w.csv', [row[:4] + ['left' if i == 0 else 'ab'[i % 2]] for i, row in enumerate(table)])
        self.refused(words, '--positive', 'w.csv: ')
        self.refused(words, 'zebra', 'w.csv: ', more=('--positive', 'zebra'))
        rare = self.write('x.csv', [row[:4] + ['left' if i == 0 else 'Yes' if i == 7 else 'No'] for i, row in
                                    enumerate(table)])
        self.refused(rare, 'Yes', 'x.csv: ')
        self.train(data, '--id', 'id')
        table[3][4] = 'Perhaps'
        unknown = self.write('u.csv', table)
        done = run('evaluate', '--bundle', self.path('m.tern'), '--data', unknown, '--all', expect=2)
        for word in ('u.csv: line 4, column "left": ', 'Perhaps'):
            self.assertIn(word, done.stderr)
        self.text('m.tern.checkpoint', b'not a checkpoint')
        self.refused(data, '--resume: ', 'm.tern.checkpoint: ', 'cannot be read', more=('--id', 'id', '--resume'))
        self.assertEqual(self.text_of('m.tern.checkpoint'), b'not a checkpoint')

    def test_options_that_make_no_sense(self):
        data = self.write('d.csv', self.small(200))
        self.refused(data, 'left out', more=('--drop', 'id,age,spend,plan'))
        alone = self.write('alone.csv', [row[4:] for row in self.small(200)])
        self.refused(alone, 'a file with the target alone')
        self.refused(data, 'absent', more=('--drop', 'absent'))
        self.refused(data, 'target', more=('--drop', 'left'))
        self.refused(data, 'twice', more=('--report', data))
        for other in (self.path('./m.tern'), self.path('no/../m.tern'), os.path.relpath(self.path('m.tern'))):
            self.refused(data, 'twice', more=('--report', other))
            self.refused(data, 'twice', more=('--write-splits', other))
        self.refused(data, 'twice', more=('--report', self.path('./r'), '--write-splits', self.path('r')))
        os.symlink('m.tern', self.path('link'))  # to a file that is not there yet
        self.refused(data, 'twice', more=('--report', self.path('link')))
        # What training goes on from is written, and removed at the end: it is nobody's input.
        checkpoint = self.write('m.tern.checkpoint', self.small(200))
        for model in ('mlp', 'logistic'):
            self.refused(checkpoint, 'twice', 'm.tern.checkpoint', more=('--model', model))
            self.refused(self.path('./m.tern.checkpoint'), 'twice', more=('--model', model))
        self.refused(data, 'twice', more=('--report', self.path('m.tern.checkpoint')))
        self.assertEqual(self.text_of('m.tern.checkpoint'), self.text_of('d.csv'))
        os.remove(checkpoint)
        os.mkdir(checkpoint)
        self.refused(data, 'm.tern.checkpoint', 'a folder')
        os.rmdir(checkpoint)
        self.refused(data, 'no/such', more=('--report', self.path('no/such/r.json')))
        self.refused(data, 'threshold', more=('--threshold', 'best'))
        self.refused(data, 'split', more=('--split', 'alphabetical'))
        self.refused(data, 'types', more=('--types', 'age'))
        self.refused(data, '--types', 'age', 'f65', more=('--types', 'age=f65'))
        self.refused(data, '--types', 'aeg', more=('--types', 'aeg=f64'))
        self.refused(data, '--types', 'age', more=('--types', 'age=f64', '--types', 'age=i64'))
        self.refused(data, '--types', 'plan', 'line 2', more=('--types', 'plan=f64'))
        for option, values in (('--seed', ('-1', '1.5', 'x', '', '0x10', '010', '18446744073709551616')),
                               ('--threads', ('-1', '1025', '2x')), ('--max-epochs', ('-1', '1e3', '9999999999')),
                               ('--max-time', ('-1', 'nan', 'inf', '1e999', '5s')), ('--out', ('',)), ('--data', ('',)),
                               ('--split-fractions', ('0.7,0.15', '0.7,0.15,nan', '0.7,0.2,0.2', '-1,1,1', '0x1,0,0')),
                               ('--threshold', ('nan', '2', 'recall>=0')), ('--model', ('tree',)), ('--nonsense', ('1',))):
            for value in values:
                self.refused(data, option.strip('-').split('-')[0], more=(f'{option}={value}',))
        for more in (('--resume',), ('--max-epochs', '3'), ('--max-time', '3')):
            self.refused(data, 'logistic', more[0], more=('--model', 'logistic', *more))
        for words, said in ((('train', '--dta', data, '--target', 'left'), 'got --dta; churn train --help'),
                            (('train', '--data', data, '--traget=left'), 'got --traget; churn train --help'),
                            (('frobnicate',), 'a command, train, evaluate or predict, got "frobnicate"')):
            self.assertIn(said, run(*words, expect=2).stderr)
        dates = self.small(200)
        dates[0].append('day')
        for i, row in enumerate(dates[1:]):
            row.append(f'{1 + i % 12:02}/{1 + i % 11:02}/2024')
        ambiguous = self.write('a.csv', dates)
        self.refused(ambiguous, 'day', 'date:dmy', '--types')
        self.train(ambiguous, '--types', 'day=date:dmy', '--id', 'id')
        for row in dates[1:]:
            row[-1] = row[-1].replace('/2024', '/24')
        brief = self.write('b.csv', dates)
        self.refused(brief, 'day', 'date:dmy2 or date:mdy2', '--types')
        self.train(brief, '--types', 'day=date:dmy2', '--id', 'id')
        for i, row in enumerate(dates):
            row.append('fee' if i == 0 else f'$1.{100 + i}')
        both = self.write('c.csv', dates)
        self.refused(both, 'expected types of 2 columns', '"day": ', '"fee": ', 'number:comma+group+$')
        dropped = self.train(both, '--drop', 'day', '--types', 'fee=number:point+$', '--id', 'id')
        self.assertNotIn('column "day"', dropped.stdout)  # what is left out is not looked at

    def test_bundles_that_are_damaged(self):
        data = self.write('d.csv', self.small(200))
        self.train(data, '--id', 'id')
        with open(self.path('m.tern'), 'rb') as file:
            good = file.read()
        for name, bytes_ in (('cut', good[:len(good) // 2]), ('empty', b''), ('text', b'not a bundle'),
                             ('flip', good[:len(good) // 3] + bytes([good[len(good) // 3] ^ 1]) + good[len(good) // 3 + 1:])):
            bad = self.text(name + '.tern', bytes_)
            done = run('predict', '--bundle', bad, '--data', data, '--out', self.path('p.csv'), expect=2)
            self.assertIn(name + '.tern', done.stderr)
            self.assertFalse(os.path.exists(self.path('p.csv')))
        other = self.write('o.csv', self.small(200, seed=2))
        done = run('evaluate', '--bundle', self.path('m.tern'), '--data', other, expect=2)
        self.assertIn('--all', done.stderr)
        run('evaluate', '--bundle', self.path('m.tern'), '--data', other, '--all')

    def test_a_full_disk_leaves_every_old_file(self):
        data = self.write('d.csv', self.small(2000))
        os.mkdir(self.path('out'))
        bundle, splits, report = (self.path('out/' + name) for name in ('m.tern', 's.csv', 'r.json'))
        train = ['train', '--data', data, '--target', 'left', '--id', 'id', '--model', 'logistic', '--out', bundle,
                 '--report', report, '--write-splits', splits]
        evaluate = ['evaluate', '--bundle', bundle, '--data', data, '--report', report]
        shim = {'LD_PRELOAD': FAULT, 'TERN_FAULT_PATH': self.path('out'), 'TERN_FAULT_KIND': 'ENOSPC',
                'TERN_FAULT_ONLY': 'write', 'ASAN_OPTIONS': 'verify_asan_link_order=0:detect_leaks=0'}
        run(*train)
        for command, files in ((train, 3), (evaluate, 2)):
            run(*command, env={**shim, 'TERN_FAULT_AT': '0', 'TERN_FAULT_COUNT': self.path(command[0])})
            writes = len(self.text_of(command[0]))
            self.assertGreaterEqual(writes, files)
            before = {name: self.text_of('out/' + name) for name in os.listdir(self.path('out'))}
            for at in range(1, writes + 1):
                done = run(*command, env={**shim, 'TERN_FAULT_AT': str(at)}, expect=2)
                self.assertIn('No space left on device', done.stderr)
                self.assertNotIn('AUROC', done.stdout)
                self.assertNotRegex(done.stdout, r'(?m)^save ')
                after = {name: self.text_of('out/' + name) for name in os.listdir(self.path('out'))}
                self.assertEqual(after, before, f'write {at}')
            # What is in its place before a later file cannot be put there is named.
            done = run(*command, env={**shim, 'TERN_FAULT_ONLY': 'rename', 'TERN_FAULT_AT': '2'}, expect=2)
            second = report if command is evaluate else splits
            self.assertRegex(done.stderr, f'cannot replace {second}: No space left on device; written before that: {bundle}\n')
            self.assertNotEqual(self.text_of('out/m.tern'), before['m.tern'])
            self.assertEqual({name: self.text_of('out/' + name) for name in ('s.csv', 'r.json')},
                             {name: before[name] for name in ('s.csv', 'r.json')})
            done = run(*command, env={**shim, 'TERN_FAULT_ONLY': 'rename', 'TERN_FAULT_AT': '1'}, expect=2)
            self.assertNotIn('written before that', done.stderr)
            for name in ('s.csv', 'r.json'):
                self.text('out/' + name, 'old')
            run(*command)
            self.assertNotEqual(self.text_of('out/m.tern'), before['m.tern'])
            self.assertNotEqual(self.text_of('out/r.json'), b'old')
            self.assertEqual(self.text_of('out/s.csv') == b'old', command is evaluate)

    def test_bytes_that_are_no_text(self):
        data = os.fsencode(self.write('d.csv', self.small(300)))
        odd = os.fsencode(self.path('d')) + b'\xff.csv'
        os.rename(data, odd)
        for command in (['train', '--target', 'left', '--id', 'id', '--model', 'logistic', '--out', self.path('m.tern')],
                        ['evaluate', '--bundle', self.path('m.tern')], ['evaluate', '--all', '--bundle', self.path('m.tern')]):
            done = subprocess.run([CHURN, *command, '--data', odd, '--report', self.path('r.json')], capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.json('r.json')['input']['file'], self.path('d\ufffd.csv'))
        for option in ('--missing', '--positive', '--drop'):
            done = subprocess.run([CHURN, 'train', '--data', odd, '--target', 'left', option, b'a\xff', '--out', self.path('n.tern')],
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(option.encode() + b': expected UTF-8 text, got other bytes', done.stderr)

    def test_a_terminal_that_cannot_be_written(self):
        data = self.write('d.csv', self.small(300))
        train = ['train', '--data', data, '--target', 'left', '--id', 'id', '--model', 'logistic', '--out', self.path('m.tern')]
        evaluate = ['evaluate', '--bundle', self.path('m.tern'), '--data', data]
        predict = ['predict', *evaluate[1:], '--out', self.path('p.csv')]
        for command in (train, evaluate, predict):
            with open('/dev/full', 'w') as full:
                done = subprocess.run([CHURN, *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr, 'churn: cannot write to standard output what was to be said; the files are written\n')
        self.assertEqual(sorted(os.listdir(self.folder)), ['d.csv', 'm.tern', 'p.csv'])

    def test_places_that_cannot_be_written(self):
        data = self.write('d.csv', self.small(200))
        done = run('train', '--data', data, '--target', 'left', '--id', 'id', '--out', self.path('no/such/m.tern'), expect=2)
        self.assertIn('no/such', done.stderr)
        os.mkdir(self.path('locked'))
        run('train', '--data', data, '--target', 'left', '--id', 'id', '--out', self.path('locked/m.tern'))
        bundle = self.text_of('locked/m.tern')
        os.chmod(self.path('locked'), 0o500)
        done = run('train', '--data', data, '--target', 'left', '--id', 'id', '--out', self.path('locked/n.tern'),
                   expect=2, obey=True)
        self.assertIn('locked', done.stderr)
        # No figures on rows that the ledger cannot count; predicting writes elsewhere.
        done = run('evaluate', '--bundle', self.path('locked/m.tern'), '--data', data, expect=2, obey=True)
        for word in ('ledger', 'copy the bundle', 'locked'):
            self.assertIn(word, done.stderr)
        self.assertNotIn('AUROC', done.stdout)
        run('predict', '--bundle', self.path('locked/m.tern'), '--data', data, '--out', self.path('p.csv'), obey=True)
        self.assertEqual(os.listdir(self.path('locked')), ['m.tern'])
        self.assertEqual(self.text_of('locked/m.tern'), bundle)


if __name__ == '__main__':
    unittest.main(verbosity=2)
