"""What churn's reports say, on the terminal and as JSON, and what predict says of the rows that it is given.

    CHURN=path/to/churn TELCO=path/to/telco.csv.gz FAULT=path/to/shim.so python3 reports_test.py [-k NAME]
"""

import csv
import os
import random
import re
import subprocess
import unittest

from churn_test import CHURN, TELCO, Churn, run


class Figures(Churn):
    def rare(self, rows=700, positives=25):
        """A made table with few positives, which follow a number a little."""
        draw = random.Random(2)
        chosen = set(draw.sample(range(rows), positives))
        table = [['amount', 'plan', 'left']]
        for i in range(rows):
            table.append([f'{draw.gauss(2 if i in chosen else 0, 1):.3f}', draw.choice('abc'), 'Yes' if i in chosen else 'No'])
        return self.write('rare.csv', table)

    def test_what_decisions_cost(self):
        done = self.train(TELCO, '--model', 'logistic', '--threshold', 'cost:5,1', '--report', self.path('r.json'),
                          target='churn')
        run('evaluate', '--bundle', self.path('m.tern'), '--data', TELCO, '--report', self.path('e.json'))
        train, evaluation = self.json('r.json'), self.json('e.json')
        for report, part in ((train, 'validation'), (evaluation, 'validation'), (evaluation, 'test')):
            for judged in (report[part], *(baseline[part] for baseline in report['baselines'].values())):
                cost, counts = judged['cost'], judged['at_threshold']['confusion']
                self.assertEqual((cost['false_negative'], cost['false_positive']), (5, 1))
                self.assertEqual(cost['total'], 5 * counts['false_negative'] + counts['false_positive'])
                self.assertAlmostEqual(cost['per_row']['value'], cost['total'] / judged['rows'], places=12)
                self.assertLess(cost['per_row']['low'], cost['per_row']['high'])
                self.assertEqual(cost['always_negative']['total'], 5 * judged['positives'])
                self.assertEqual(cost['always_positive']['total'], judged['rows'] - judged['positives'])
            self.assertLess(report[part]['cost']['total'], report[part]['cost']['always_positive']['total'])
        judged = run('evaluate', '--bundle', self.path('m.tern'), '--data', TELCO)
        for text in (done.stdout, judged.stdout):
            for words in ('cost per row', 'cost in all', '5 a missed "Yes", 1 a false alarm', 'always "No" would cost',
                          'always "Yes" would cost'):
                self.assertIn(words, text)
        self.assertIn(f'{evaluation["test"]["cost"]["total"]:.0f}', judged.stdout)
        self.assertNotIn('cost', self.train(TELCO, '--model', 'logistic', target='churn').stdout)

    def test_the_positive_class_is_named(self):
        data = self.write('d.csv', [[*row[:4], {'Yes': 'gone', 'No': 'here'}.get(row[4], row[4])] for row in self.small()])
        done = self.train(data, '--id', 'id', '--positive', 'gone', '--model', 'logistic', '--report', self.path('r.json'))
        judged = run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', self.path('e.json'))
        for text in (done.stdout, judged.stdout):
            self.assertRegex(text, r'\d+ positive \(left "gone"\)')
        for name, part in (('r', 'validation'), ('e', 'test')):
            report = self.json(name + '.json')
            self.assertEqual(report['task'], {'target': 'left', 'positive_class': 'gone', 'negative_class': 'here'})
            self.assertEqual(report[part]['positive_class'], 'gone')
            self.assertEqual(report[part]['threshold_rule'], 'f1')

    def test_no_intervals_from_a_handful_of_positives(self):
        data = self.rare()
        done = self.train(data, '--model', 'logistic', '--report', self.path('r.json'))
        self.assertRegex(done.stdout, r'warning: test rows: only \d positive rows: too few to judge a model by')
        judged = run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', self.path('e.json'))
        self.assertRegex(judged.stdout, r'warning: only \d positive rows: too few to judge a model by')
        self.assertIn('no intervals: ', judged.stdout)
        self.assertNotIn('bootstrap', judged.stdout)
        report = self.json('e.json')
        self.assertIn('too few to judge', report['warnings'][0])
        for judged in (report['test'], report['baselines']['prior']['test']):
            self.assertIsNotNone(judged['log_loss']['value'])
            self.assertIsNone(judged['log_loss']['low'])
            self.assertIsNone(judged['log_loss']['high'])
            self.assertRegex(judged['log_loss']['reason'], r'\d positive rows, fewer than 10')
        one = self.train(self.rare(positives=6), '--model', 'logistic').stdout
        self.assertIn('only 1 positive row:', one)

    def test_epoch_0_is_the_logistic_regression(self):
        done = self.train(TELCO, '--report', self.path('r.json'), target='churn')
        report = self.json('r.json')
        training = report['training']
        self.assertEqual(training['best_epoch'], 0)  # on this table the network finds nothing that a line does not say
        self.assertIn('the logistic regression', training['note'])
        for figure, name in (('log_loss', 'validation/log_loss'), ('auroc', 'validation/auroc')):
            self.assertAlmostEqual(training['initial'][name], report['validation'][figure]['value'], places=12)
        rows = report['splits']['validation']
        self.assertAlmostEqual(training['settings']['early_stopping']['min_delta'], 2 / rows)
        for words in ('Epoch 0 is the logistic regression that the network begins as', f'{rows} validation rows',
                      'more than 2 nats', 'best 0 (the model is the logistic regression it begins as)'):
            self.assertIn(words, done.stdout)
        self.assertRegex(done.stdout, r'(?m)^  epoch   0       -    0\.\d{4}  0\.\d{4} .* \*$')
        self.assertRegex(done.stdout, r'(?m)^  epoch   1  0\.\d{4}    0\.\d{4}')
        # Where it does find something, the best epoch is another, and nothing is said of epoch 0 at the end.
        done = self.train(self.write('d.csv', self.small(2000)), '--id', 'id', '--report', self.path('r.json'))
        self.assertGreater(self.json('r.json')['training']['best_epoch'], 0)
        self.assertNotIn('note', self.json('r.json')['training'])
        self.assertNotIn('it begins as', done.stdout)
        shown = [int(e) for e in re.findall(r'(?m)^  epoch +(\d+) ', done.stdout)]
        self.assertEqual(shown[:21], list(range(21)))
        self.assertLess(len(shown), len(self.json('r.json')['training']['history']) + 1)


class Predictions(Churn):
    def notes(self, rows, *more):
        data = self.write('new.csv', rows)
        done = run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('p.csv'))
        with open(self.path('p.csv'), newline='') as file:
            self.assertEqual(len(list(csv.DictReader(file))), len(rows) - 1)
        return re.findall(r'(?m)^  note: (.*)$', done.stdout)

    def test_notes_on_what_the_model_does_not_know(self):
        table = self.small(700)
        table[0].append('since')
        for i, row in enumerate(table[1:]):
            row.append(f'20{10 + i % 12}-{1 + i % 12:02}-15')
        self.train(self.write('d.csv', table), '--id', 'id', '--model', 'logistic')
        self.assertEqual(self.notes(table[:200]), [])
        new = [table[0]] + [list(row) for row in table[1:7]]
        new[1][1], new[2][1], new[3][1] = '4000', '-300', '410'
        new[1][3], new[2][3], new[3][3] = 'platinum', 'platinum', 'iron'
        new[4][5] = '2099-01-01'
        for row in new[1:]:
            row[2] = ''
        notes = self.notes(new)
        self.assertEqual(len(notes), 4)
        self.assertRegex(notes[0], r'^"age": 3 rows far outside the training range of 1\d\.\d to 6\d\.\d: -300 to 4000$')
        self.assertEqual(notes[1], '"spend": blank in all 6 rows')
        self.assertEqual(notes[2], '"plan": 3 rows with values that the model has not learned, new or rare in training: '
                                   '"platinum" 2, "iron" 1')
        self.assertRegex(notes[3], r'^"since": 1 row far outside the training range of 2010-.* to 20.*: 2099-01-01')
        # The same of labelled rows of another file, also in the report.
        done = run('evaluate', '--all', '--bundle', self.path('m.tern'), '--data', self.path('new.csv'), '--report',
                   self.path('e.json'))
        self.assertEqual(self.json('e.json')['notes'], notes)
        self.assertIn(notes[0], done.stdout)

    def test_many_notes_are_counted(self):
        draw = random.Random(3)
        table = [[f'x{c}' for c in range(30)] + ['left']]
        table += [[draw.randrange(100) for _ in range(30)] + [draw.choice(['Yes', 'No'])] for _ in range(300)]
        self.train(self.write('d.csv', table), '--model', 'logistic')
        notes = self.notes([table[0], ['9999'] * 30 + ['Yes']])
        self.assertEqual(len(notes), 21)
        self.assertEqual(notes[-1], '… and 10 more')

    def test_to_standard_output(self):
        data = self.write('d.csv', self.small(300))
        self.train(data, '--id', 'id', '--model', 'logistic')
        predict = ['predict', '--bundle', self.path('m.tern'), '--data', data, '--out']
        run(*predict, self.path('p.csv'))
        expected = self.text_of('p.csv').decode()
        for out in ('-', '/dev/stdout', '/proc/self/fd/1'):
            done = run(*predict, out, cwd=self.folder)
            self.assertEqual(done.stdout, expected)
            self.assertIn('300 rows -> standard output', done.stderr)
        with open(self.path('o.csv'), 'w') as file:  # not replaced under the shell's hands
            subprocess.run([CHURN, *predict, '/dev/stdout'], stdout=file, check=True, stderr=subprocess.DEVNULL)
        self.assertEqual(self.text_of('o.csv').decode(), expected)
        with open('/dev/full', 'w') as full:
            done = subprocess.run([CHURN, *predict, '-'], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn('standard output: No space left on device', done.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), ['d.csv', 'm.tern', 'o.csv', 'p.csv'])
        for out in ('/dev/null', '/dev/fd/2'):
            self.assertIn(out, run(*predict, out, expect=2).stderr)

    def test_other_files_do_not_go_to_standard_output(self):
        data = self.write('d.csv', self.small(300))
        self.train(data, '--id', 'id', '--model', 'logistic')
        for out in ('-', '/dev/stdout'):
            for option in ('--out', '--report', '--write-splits'):
                self.assertIn('predict --out -', self.refused(data, out, more=('--id', 'id', option, out)))
            done = run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', out, expect=2)
            self.assertIn('predict --out -', done.stderr)


if __name__ == '__main__':
    unittest.main(verbosity=2)
