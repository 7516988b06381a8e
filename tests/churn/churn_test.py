"""Runs the churn program as its users do: the journey, what it refuses, what it warns of, interruption, same bits.

    CHURN=path/to/churn TELCO=path/to/telco.csv.gz python3 churn_test.py [-k NAME]
"""

import csv
import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

CHURN = os.environ['CHURN']
TELCO = os.environ['TELCO']


def run(*arguments, cwd=None, env=None, expect=0):
    done = subprocess.run([CHURN, *map(str, arguments)], cwd=cwd, env={**os.environ, **(env or {})},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280)
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

    def json(self, name):
        with open(self.path(name)) as file:
            return json.load(file)

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
        self.assertIn('2 times', evaluation['test']['note'])
        self.assertIn('test', evaluation['baselines']['logistic_regression'])

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
            with subprocess.Popen(['unzip', '-p', self.path('m.tern'), 'weights.safetensors'],
                                  stdout=subprocess.PIPE) as unzip:
                hashes.add(hashlib.sha256(unzip.stdout.read()).hexdigest())
        self.assertEqual(len(hashes), 1)

    def test_what_may_come_at_predict_time(self):
        table = self.small()
        self.train(self.write('d.csv', table), '--id', 'id')
        new = [['plan', 'age', 'id', 'spend', 'extra']] + [['unheard of', '41', 'a', '', 'x'], ['basic', '', 'b', '', 'y']]
        run('predict', '--bundle', self.path('m.tern'), '--data', self.write('n.csv', new), '--out', self.path('p.csv'))
        with open(self.path('p.csv'), newline='') as file:
            self.assertEqual(len(list(csv.DictReader(file))), 2)
        missing = self.write('x.csv', [['age', 'spend'], ['1', '2']])
        done = run('predict', '--bundle', self.path('m.tern'), '--data', missing, '--out', self.path('no.csv'), expect=2)
        self.assertIn('plan', done.stderr)
        wrong = self.write('y.csv', [['age', 'spend', 'plan'], ['old', '2', 'basic']])
        done = run('predict', '--bundle', self.path('m.tern'), '--data', wrong, '--out', self.path('no.csv'), expect=2)
        for word in ('age', 'old', 'row 0'):
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
                   '--threshold', 'cost:5,1')
        homes = {}
        with open(self.path('s.csv'), newline='') as file:
            for row in csv.DictReader(file):
                homes.setdefault(table[int(row['row']) + 1][6], set()).add(row['split'])
        self.assertTrue(all(len(parts) == 1 for parts in homes.values()))

    def test_duplicates_and_missing_targets(self):
        table = self.small(300)
        table += [list(table[5]), list(table[9])]
        table[20][4] = table[21][4] = ''
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id', '--report', self.path('r.json'))
        dropped = {entry['reason']: entry['rows'] for entry in self.json('r.json')['dropped']['rows']}
        self.assertEqual(dropped['missing target'], [19, 20])
        self.assertEqual(dropped['duplicate of an earlier row'], [300, 301])
        without = self.write('w.csv', [row[1:] for row in table])
        self.train(without, '--report', self.path('r.json'), '--write-splits', self.path('s.csv'))
        self.assertEqual([e['reason'] for e in self.json('r.json')['dropped']['rows']], ['missing target'])
        with open(self.path('s.csv'), newline='') as file:
            part = {int(row['row']): row['split'] for row in csv.DictReader(file)}
        self.assertEqual(part[300], part[4])
        self.assertEqual(part[301], part[8])

    def test_written_formats_are_read(self):
        table = self.small(400)
        table[0] += ['income', 'share', 'since']
        for i, row in enumerate(table[1:]):
            row += [f'${1000 + 7 * i:,}.50', f'{i % 100}%', f'{1 + i % 28} Jan 20{10 + i % 10}']
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id', '--report', self.path('r.json'))
        self.assertEqual([c['name'] for c in self.json('r.json')['dropped']['columns']], ['id'])
        run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('p.csv'))


class Warnings(Churn):
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

    def test_a_repeating_id_under_a_random_split(self):
        table = self.small(400)
        for i, row in enumerate(table[1:]):
            row[0] = f'C{i // 2}'
        done = self.train(self.write('d.csv', table), '--id', 'id')
        self.assertIn('--split group:id', done.stdout)


class Interrupted(Churn):
    def weights(self, name):
        return subprocess.run(['unzip', '-p', self.path(name), 'weights.safetensors'], capture_output=True,
                              check=True).stdout

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

    def test_ctrl_c_saves_the_best_model(self):
        data = self.write('d.csv', self.small(3000))
        process = subprocess.Popen([CHURN, 'train', '--data', data, '--target', 'left', '--id', 'id', '--max-epochs',
                                    '100000', '--out', self.path('m.tern'), '--report', self.path('r.json')],
                                   stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            if 'epoch   2' in line:
                process.send_signal(signal.SIGINT)
                break
        process.stdout.read()
        self.assertEqual(process.wait(), 0)
        self.assertEqual(self.json('r.json')['training']['stopped'], 'an interrupt')
        run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('p.csv'))


class Refused(Churn):
    def test_files_that_cannot_be_read(self):
        self.refused(self.path('absent.csv'), 'absent.csv')
        self.refused(self.text('e.csv', ''), 'e.csv')
        self.refused(self.text('h.csv', 'id,age,left\n'), 'h.csv')
        self.refused(self.text('r.csv', 'age,age,left\n1,2,Yes\n'), 'r.csv', 'age')
        self.refused(self.text('g.csv', 'age,left\n1,Yes\n2\n3,No\n'), 'g.csv', 'row 1', 'line 3')
        self.refused(self.text('q.csv', 'age,left\n1,"Yes\n2,No\n'), 'q.csv', 'quote')
        self.refused(self.text('u.csv', b'age,left\n1,Yes\n2,N\xff\n'), 'u.csv', 'row 1', 'left')
        self.refused(self.text('n.csv', 'age,left\n1e999,Yes\n2,No\n'), 'n.csv', 'row 0', 'age', '1e999')
        self.refused(self.text('b.csv', bytes(range(256)) * 8), 'b.csv')

    def test_targets_that_cannot_be_learned(self):
        table = self.small(200)
        data = self.write('d.csv', table)
        self.refused(data, 'lef', 'left', target='lef')
        constant = self.write('c.csv', [row[:4] + ['left' if i == 0 else 'Yes'] for i, row in enumerate(table)])
        self.refused(constant, 'left', 'Yes')
        three = self.write('t.csv', [row[:4] + ['left' if i == 0 else 'abc'[i % 3]] for i, row in enumerate(table)])
        self.refused(three, 'left', '3', more=('--positive', 'a'))
        empty = self.write('m.csv', [row[:4] + ['left' if i == 0 else ''] for i, row in enumerate(table)])
        self.refused(empty, 'left')
        words = self.write('w.csv', [row[:4] + ['left' if i == 0 else 'ab'[i % 2]] for i, row in enumerate(table)])
        self.refused(words, 'positive')
        self.refused(words, 'zebra', more=('--positive', 'zebra'))
        rare = self.write('x.csv', [row[:4] + ['left' if i == 0 else 'Yes' if i == 7 else 'No'] for i, row in
                                    enumerate(table)])
        self.refused(rare, 'Yes')

    def test_options_that_make_no_sense(self):
        data = self.write('d.csv', self.small(200))
        self.refused(data, 'left out', more=('--drop', 'id,age,spend,plan'))
        self.refused(data, 'absent', more=('--drop', 'absent'))
        self.refused(data, 'target', more=('--drop', 'left'))
        self.refused(data, 'twice', more=('--report', data))
        self.refused(data, 'no/such', more=('--report', self.path('no/such/r.json')))
        self.refused(data, 'threshold', more=('--threshold', 'best'))
        self.refused(data, 'split', more=('--split', 'alphabetical'))
        self.refused(data, 'types', more=('--types', 'age'))
        dates = self.small(200)
        dates[0].append('day')
        for i, row in enumerate(dates[1:]):
            row.append(f'{1 + i % 12:02}/{1 + i % 11:02}/2024')
        ambiguous = self.write('a.csv', dates)
        self.refused(ambiguous, 'day', 'date:dmy')
        self.train(ambiguous, '--types', 'day=date:dmy', '--id', 'id')

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

    def test_places_that_cannot_be_written(self):
        data = self.write('d.csv', self.small(200))
        done = run('train', '--data', data, '--target', 'left', '--id', 'id', '--out', self.path('no/such/m.tern'), expect=2)
        self.assertIn('no/such', done.stderr)
        with self.subTest('read-only folder'):
            if os.geteuid() == 0:
                self.skipTest('root writes everywhere')
            os.mkdir(self.path('locked'), 0o500)
            done = run('train', '--data', data, '--target', 'left', '--id', 'id', '--out', self.path('locked/m.tern'),
                       expect=2)
            self.assertIn('locked', done.stderr)
            self.assertEqual(os.listdir(self.path('locked')), [])


if __name__ == '__main__':
    unittest.main(verbosity=2)
