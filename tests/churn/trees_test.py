"""churn --model gbdt: boosted trees from a file to predictions.

    CHURN=path/to/churn TELCO=path/to/telco.csv.gz FAULT=path/to/shim.so python3 trees_test.py [-k NAME]
"""

import csv
import gzip
import hashlib
import random
import signal
import subprocess
import unittest
import zipfile

from churn_test import CHURN, TELCO, Churn, run, telco


class Trees(Churn):
    def gbdt(self, data, *more, **how):
        return self.train(data, '--model', 'gbdt', *more, **how)

    def predictions(self, data, *more, bundle='m.tern'):
        run('predict', '--bundle', self.path(bundle), '--data', data, '--out', self.path('p.csv'), *more)
        with open(self.path('p.csv'), newline='') as file:
            return list(csv.DictReader(file))

    def best_round(self, history, least):
        best = 0
        for i, loss in enumerate(history):
            if history[best] - loss > least:
                best = i
        return best + 1

    def test_telco_from_file_to_predictions(self):
        done = self.gbdt(TELCO, '--report', self.path('r.json'), target='churn')
        report = self.json('r.json')
        training = report['training']
        self.assertEqual(training['stopped'], 'early stopping')
        self.assertEqual(training['rounds'], training['best_round'] + 50)
        self.assertEqual(len(training['validation_log_loss']), training['rounds'])
        rows = report['splits']['validation']
        self.assertAlmostEqual(training['settings']['early_stopping_min_delta'], 2 / rows)
        self.assertEqual(training['best_round'], self.best_round(training['validation_log_loss'], 2 / rows))
        self.assertIn(f'summed over {rows} validation', done.stdout)
        self.assertEqual(training['features'], 19)
        self.assertAlmostEqual(report['validation']['log_loss']['value'],
                               training['validation_log_loss'][training['best_round'] - 1])
        self.assertIn('validation log loss', done.stdout)
        self.assertIn(f'{training["rounds"]} rounds, best {training["best_round"]}, ended by early stopping', done.stdout)
        self.assertAlmostEqual(sum(stage['seconds'] for stage in report['stages'].values()), report['seconds'], delta=0.05)
        done = run('evaluate', '--bundle', self.path('m.tern'), '--data', TELCO, '--report', self.path('e.json'))
        self.assertIn('opened 1 time', done.stdout)
        judged = self.json('e.json')
        logistic = judged['baselines']['logistic_regression']
        logistic = logistic.get('test', logistic)
        self.assertGreaterEqual(judged['test']['auroc']['value'], logistic['auroc']['value'] - 0.01)
        self.assertGreater(judged['test']['auroc']['value'], 0.8)
        self.assertGreater(logistic['auroc']['value'], 0.8)
        rows = self.predictions(TELCO)
        self.assertEqual(len(rows), 7043)
        threshold = judged['test']['threshold']
        for row in rows:
            self.assertEqual(row['decision'], 'Yes' if float(row['probability']) >= threshold else 'No')
        with zipfile.ZipFile(self.path('m.tern')) as bundle:
            self.assertIn('estimator.json', bundle.namelist())
            self.assertIn(b'gradient_boosting', bundle.read('README.md'))

    def test_the_same_bits_at_any_thread_count(self):
        data = self.write('d.csv', self.small(2000))
        hashes = set()
        for threads in ('1', '2', '5'):
            self.gbdt(data, '--id', 'id', '--threads', threads)
            rows = self.predictions(data, '--threads', threads)
            hashes.add((hashlib.sha256(self.entry('m.tern', 'estimator.json')).hexdigest(), str(rows)))
        self.assertEqual(len(hashes), 1)
        self.gbdt(data, '--id', 'id', '--seed', '8')
        self.assertNotIn(hashlib.sha256(self.entry('m.tern', 'estimator.json')).hexdigest(), [pair[0] for pair in hashes])

    def test_it_says_what_a_line_cannot(self):
        data = self.write('d.csv', self.small(3000))
        self.gbdt(data, '--id', 'id', '--report', self.path('r.json'))
        report = self.json('r.json')
        self.assertGreater(report['validation']['auroc']['value'],
                           report['baselines']['logistic_regression']['validation']['auroc']['value'] + 0.05)
        self.assertNotIn('note', report['training'])

    def test_what_is_chance_is_not_taken(self):
        draw = random.Random(5)
        table = [[f'x{c}' for c in range(10)] + ['left']]
        table += [[f'{draw.gauss(0, 1):.4f}' for _ in range(10)] + [draw.choice(['Yes', 'No'])] for _ in range(1000)]
        lowest = []
        for seed in range(4):  # nothing can be learned: of dozens of rounds the lowest log loss is chance
            done = self.gbdt(self.write('d.csv', table), '--seed', seed, '--report', self.path('r.json'))
            training = self.json('r.json')['training']
            history = training['validation_log_loss']
            lowest.append(history.index(min(history)) + 1)
            self.assertLessEqual(training['best_round'], 5)
            self.assertRegex(training['note'], r'the log loss of the trees, summed over 150 validation rows, is \d+\.\d nats '
                                               r'(above|below) that of the (prior|logistic regression)')
            self.assertIn('note: ' + training['note'], done.stdout)
        self.assertGreater(max(lowest), 5)

    def test_a_line_is_as_good(self):
        draw = random.Random(6)
        table = [['x', 'y', 'left']]
        for _ in range(1500):
            x, y = draw.gauss(0, 1), draw.gauss(0, 1)
            table.append([f'{x:.4f}', f'{y:.4f}', 'Yes' if draw.random() < 1 / (1 + 2.718281828 ** -(x + y)) else 'No'])
        done = self.gbdt(self.write('d.csv', table), '--balanced', '--report', self.path('r.json'))
        report = self.json('r.json')
        gain = 225 * (report['baselines']['logistic_regression']['validation']['log_loss']['value'] -
                      report['validation']['log_loss']['value'])
        self.assertLess(gain, 2)
        self.assertIn(f'{abs(gain):.1f} nats {"above" if gain < 0 else "below"} that of the logistic regression',
                      report['training']['note'])

    def test_what_may_come_at_predict_time(self):
        table = self.small()
        data = self.write('d.csv', table)
        self.gbdt(data, '--id', 'id')
        together = self.predictions(data)
        self.assertEqual([row['id'] for row in together], [row[0] for row in table[1:]])
        for i in (0, 17, 599):
            self.assertEqual(self.predictions(self.write('one.csv', [table[0], table[i + 1]])), [together[i]])
        new = [['plan', 'age', 'id', 'spend', 'extra']] + [['unheard of', '41', 'a', '', 'x'], ['basic', '', 'b', '', 'y']]
        done = run('predict', '--bundle', self.path('m.tern'), '--data', self.write('n.csv', new), '--out', self.path('q.csv'))
        self.assertIn('note: "spend": blank in all 2 rows', done.stdout)
        self.assertIn('note: "plan": 1 row with values that the model has not learned', done.stdout)
        self.assertEqual(len(self.predictions(self.path('n.csv'))), 2)
        blank = [['plan', 'age', 'spend'], ['', '', '']]
        self.assertEqual(len(self.predictions(self.write('b.csv', blank))), 1)
        for words in ([['age', 'spend'], ['1', '2']], [['age', 'spend', 'plan'], ['old', '2', 'basic']]):
            done = run('predict', '--bundle', self.path('m.tern'), '--data', self.write('x.csv', words), '--out',
                       self.path('no.csv'), expect=2)
            self.assertRegex(done.stderr, 'plan|age')
        strange = [['age', 'spend', 'plan']] + [['30', '2', 'platinum']] * 12
        done = run('predict', '--bundle', self.path('m.tern'), '--data', self.write('s.csv', strange), '--out',
                   self.path('q.csv'))
        self.assertIn('warning: column "plan": none of its 12 values is known to the model: "platinum" 12;', done.stdout)
        self.assertEqual(len(self.predictions(self.path('s.csv'))), 12)

    def test_columns_of_every_kind(self):
        table = self.small(900)
        table[0] += ['day', 'home', 'active', 'price', 'rare']
        for i, row in enumerate(table[1:]):
            row += [f'{1 + i % 28:02}/{1 + i // 28 % 12:02}/2023', f'h{i // 3}', ('yes', 'no', '')[i % 3],
                    f'"${1000 + i % 97:,}.50"'.strip('"'), 'seldomword' if i % 300 == 7 else f'often{i % 4}']
        data = self.write('d.csv', table)
        self.gbdt(data, '--id', 'id', '--split', 'time:day', '--balanced')
        self.gbdt(data, '--id', 'id', '--split', 'group:home', '--threshold', 'cost:5,1', '--report', self.path('r.json'))
        self.assertEqual(self.json('r.json')['validation']['resampled'], 'groups')
        run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', self.path('e.json'))
        self.assertEqual(self.json('e.json')['test']['resampled'], 'groups')
        self.assertEqual(len(self.predictions(data)), 900)
        # Nothing in the bundle tells what fewer than ten rows share, nor what the model does not use.
        with zipfile.ZipFile(self.path('m.tern')) as bundle:
            for name in bundle.namelist():
                text = bundle.read(name)
                self.assertNotIn(b'seldomword', text, name)
                self.assertNotIn(b'"h17"', text, name)
        self.gbdt(data, '--id', 'id', '--drop', 'age,spend,day,home,active,price')  # no number among the features
        self.assertEqual(len(self.predictions(data)), 900)

    def test_columns_of_rare_levels(self):
        table = self.small(1000)
        table[0] += ['name', 'town']
        for i, row in enumerate(table[1:]):
            row += [f'Anna {i * 11 % 301}' if i % 5 else f'Bob {i // 250}', f't{i % 40}']
        self.gbdt(self.write('d.csv', table), '--id', 'id', '--report', self.path('r.json'))
        self.assertRegex(self.json('r.json')['notes'][0], r'these \d+ values are taken as missing, beside \d of their own')

    def test_limits(self):
        data = self.write('d.csv', self.small(2000))
        self.gbdt(data, '--id', 'id', '--max-epochs', '7', '--report', self.path('r.json'))
        training = self.json('r.json')['training']
        self.assertEqual((training['rounds'], training['stopped']), (7, 'the last round'))
        self.assertEqual(training['settings']['rounds'], 7)
        self.gbdt(data, '--id', 'id', '--max-time', '0.000001', '--report', self.path('r.json'))
        training = self.json('r.json')['training']
        self.assertEqual((training['rounds'], training['stopped']), (1, 'the time limit'))
        self.refused(data, '--resume', 'gbdt', more=('--model', 'gbdt', '--resume'))

    def test_ctrl_c_saves_the_best_model(self):
        data = self.write('a b.csv', self.small(20000))
        process = subprocess.Popen([CHURN, 'train', '--data', data, '--target', 'left', '--id', 'id', '--model', 'gbdt',
                                    '--out', self.path('m.tern'), '--report', self.path('r.json')],
                                   stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            if 'round    1' in line:
                process.send_signal(signal.SIGINT)
                break
        text = process.stdout.read()
        process.stdout.close()
        self.assertEqual(process.wait(), 130)
        self.assertEqual(self.json('r.json')['training']['stopped'], 'an interrupt')
        self.assertEqual(len(self.predictions(data)), 20000)
        again = text.split('To train again:')[1].splitlines()[1]
        subprocess.run(again, shell=True, check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(self.json('r.json')['training']['stopped'], 'early stopping')

    def test_bundles_that_are_damaged(self):
        data = self.write('d.csv', self.small(300))
        self.gbdt(data, '--id', 'id')
        good = self.text_of('m.tern')
        at = good.find(b'"leaf_value"') + 20
        for name, content in (('cut', good[:len(good) // 2]), ('short', good[:-1]),
                              ('flip', good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])):
            bad = self.text(name + '.tern', content)
            done = run('predict', '--bundle', bad, '--data', data, '--out', self.path('no.csv'), expect=2)
            self.assertIn(name + '.tern', done.stderr)

    def test_the_ledger_goes_on_from_another_model(self):
        data = self.write('d.csv', self.small(900))
        self.train(data, '--id', 'id', '--model', 'logistic')
        run('evaluate', '--bundle', self.path('m.tern'), '--data', data)
        done = self.gbdt(data, '--id', 'id')
        self.assertIn('opened once already', done.stdout)
        self.assertIn('opened 2 times', run('evaluate', '--bundle', self.path('m.tern'), '--data', data).stdout)

    def test_a_target_of_few_positives(self):
        table = [row for row in telco()]
        head, rows = table[0], table[1:]
        at = head.index('churn')
        few = [row for row in rows if row[at] == 'No'][:600] + [row for row in rows if row[at] == 'Yes'][:12]
        with gzip.open(self.path('f.csv.gz'), 'wt', newline='') as file:
            csv.writer(file).writerows([head] + few)
        done = self.gbdt(self.path('f.csv.gz'), target='churn')
        self.assertIn('too few to learn from', done.stdout)


if __name__ == '__main__':
    unittest.main()
