"""What churn's reports say, on the terminal and as JSON, and what predict says of the rows that it is given.

    CHURN=path/to/churn TELCO=path/to/telco.csv.gz FAULT=path/to/shim.so python3 reports_test.py [-k NAME]
"""

import csv
import json
import os
import random
import re
import shlex
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
        self.assertRegex(done.stdout, r'warning: test rows: only \d positive rows(, \d groups with a positive row)?: too few to judge a model by')
        judged = run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', self.path('e.json'))
        self.assertRegex(judged.stdout, r'warning: only \d positive rows(, \d groups with a positive row)?: too few to judge a model by')
        self.assertIn('no intervals: ', judged.stdout)
        self.assertNotIn('bootstrap', judged.stdout)
        report = self.json('e.json')
        self.assertIn('too few to judge', report['warnings'][0])
        for judged in (report['test'], report['baselines']['prior']['test']):
            self.assertIsNotNone(judged['log_loss']['value'])
            self.assertIsNone(judged['log_loss']['low'])
            self.assertIsNone(judged['log_loss']['high'])
            self.assertRegex(judged['log_loss']['reason'], r'\d (positive rows|groups with a positive row), fewer than 10')
        one = self.train(self.rare(positives=6), '--model', 'logistic').stdout
        self.assertIn('only 1 positive row:', one)

    def test_warnings_of_training_are_told_again(self):
        table = self.small(600)
        table[0].append('reason')
        for row in table[1:]:
            row.append('moved' if row[4] == 'Yes' else '')
        data = self.write('d.csv', table)
        self.train(data, '--id', 'id', '--model', 'logistic', '--report', self.path('r.json'))
        warning, = [text for text in self.json('r.json')['warnings'] if '"reason"' in text]
        done = run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', self.path('e.json'))
        self.assertIn('warning when it was trained: ' + warning, done.stdout)
        self.assertEqual(self.json('e.json')['training_warnings'], [warning])
        self.assertNotIn('warnings', self.json('e.json')['settings'])

    def test_the_share_of_positives_in_each_part(self):
        table = self.small(600)
        table[0].append('day')
        for i, row in enumerate(table[1:]):
            row[4] = 'Yes' if i < 210 and i % 2 else 'No' if i % 5 else 'Yes'  # more of them at first
            row.append(f'2020-{1 + i // 50:02}-{1 + i % 28:02}')
        data = self.write('d.csv', table)
        done = self.train(data, '--id', 'id', '--model', 'logistic', '--split', 'time:day', '--report', self.path('r.json'),
                          '--write-splits', self.path('s.csv'))
        with open(self.path('s.csv'), newline='') as file:
            part = {int(row['row']): row['split'] for row in csv.DictReader(file)}
        shares = []
        for name in ('train', 'validation', 'test'):
            rows = [i for i in part if part[i] == name]
            positives = sum(table[i + 1][4] == 'Yes' for i in rows)
            self.assertEqual(self.json('r.json')['splits']['positives'][name], positives)
            shares.append(f'{100 * positives / len(rows):.1f} %')
        self.assertIn(f'(time:day; "Yes" {", ".join(shares)})', done.stdout)

    def test_epoch_0_is_the_logistic_regression(self):
        done = self.train(TELCO, '--report', self.path('r.json'), target='churn')
        report = self.json('r.json')
        training = report['training']
        self.assertEqual(training['best_epoch'], 0)  # on this table the network finds nothing that a line does not say
        self.assertIn('the logistic regression', training['note'])
        for figure, name in (('log_loss', 'validation/log_loss'), ('auroc', 'validation/auroc')):
            self.assertAlmostEqual(training['initial'][name], report['validation'][figure]['value'], places=12)
        self.assertEqual(training['settings']['optimizer']['weight_decay'], 1)
        self.assertEqual(training['hidden'], [64, 32])
        width = training['features']
        self.assertEqual(training['parameters'], (width + 1) + 64 * (width + 1) + 32 * (64 + 1) + (32 + 1))
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


class Words(Churn):
    """The file's own words, and messages as a user reads them."""

    def decisions(self, data):
        run('predict', '--bundle', self.path('m.tern'), '--data', data, '--out', self.path('p.csv'))
        with open(self.path('p.csv'), newline='') as file:
            return {row['decision'] for row in csv.DictReader(file)}

    def spelled(self, name, words):
        """The made table with other words for No and Yes, taken in turn."""
        table = self.small(400)
        for i, row in enumerate(table[1:]):
            of = words[row[4] == 'Yes']
            row[4] = of[i % len(of)]
        return self.write(name, table)

    def test_decisions_have_the_files_words(self):
        for no, yes in (('FALSE', 'TRUE'), ('False', 'True'), ('0.0', '1.0'), ('0', '1'), ('no', 'yes'), ('NO', 'YES')):
            data = self.spelled('d.csv', [[no], [yes]])
            done = self.train(data, '--id', 'id', '--model', 'logistic', '--report', self.path('r.json'))  # asks for no class
            self.assertEqual(self.decisions(data), {no, yes})
            self.assertEqual(self.json('r.json')['task']['positive_class'], yes)
            self.assertIn(f'positive (left "{yes}")', done.stdout)
            self.train(data, '--id', 'id', '--model', 'logistic', '--positive', no)
            self.assertEqual(self.decisions(data), {no, yes})

    def test_other_spellings_of_numbers_and_booleans_are_known(self):
        self.train(self.spelled('d.csv', [['FALSE'], ['TRUE']]), '--id', 'id', '--model', 'logistic', '--positive', 'true')
        other = self.spelled('o.csv', [['false', 'False'], ['True']])
        run('evaluate', '--all', '--bundle', self.path('m.tern'), '--data', other)
        self.train(self.spelled('d.csv', [['0'], ['1']]), '--id', 'id', '--model', 'logistic')
        run('evaluate', '--all', '--bundle', self.path('m.tern'), '--data', self.spelled('o.csv', [['0.0', '0'], ['1.0']]))
        for words, plain in (([['0', '0.0'], ['1.0', '1']], {'0', '1'}),
                             ([['false', 'FALSE'], ['True', 'TRUE']], {'false', 'true'})):
            data = self.spelled('m.csv', words)  # no word is the file's own
            self.train(data, '--id', 'id', '--model', 'logistic')
            self.assertEqual(self.decisions(data), plain)
        done = run('evaluate', '--all', '--bundle', self.path('m.tern'), '--data', self.spelled('o.csv', [['nope'], ['True']]),
                   expect=2)
        self.assertRegex(done.stderr, r'o\.csv: line \d+, column "left": expected true or false, got "nope"')

    def test_messages(self):
        table = self.small(300)
        words = self.write('w.csv', [[*row[:4], {'Yes': 'gone', 'No': 'here'}.get(row[4], row[4])] for row in table])
        self.assertEqual(self.refused(words), f'churn: {words}: column "left": expected the positive class to be named for '
                                              'values other than 0/1, no/yes, n/y, false/true, f/t, got "gone", "here" (--positive CLASS)\n')
        self.assertEqual(self.refused(words, target='lef'),
                         f'churn: --target: {words}: expected a column of the file, got "lef"; near it: "left"\n')
        data = self.write('d.csv', table)
        self.assertTrue(self.refused(data, more=('--drop', 'aeg')).startswith(f'churn: --drop: {data}: expected a column "aeg"'))
        self.assertTrue(self.refused(data, more=('--types', 'plan=f64')).startswith(
            f'churn: --types: {data}: line 2, column "plan": expected '))
        self.assertTrue(self.refused(data, more=('--threshold', 'best')).startswith('churn: --threshold: expected f1'))
        table[8][1] = 'old'
        self.train(data, '--id', 'id', '--model', 'logistic')
        done = run('predict', '--bundle', self.path('m.tern'), '--data', self.write('n.csv', table), '--out',
                   self.path('p.csv'), expect=2)
        self.assertEqual(done.stderr, f'churn: {self.path("n.csv")}: line 9, column "age": expected a number, got "old"\n')

    def test_the_remedy_can_be_pasted(self):
        table = self.small(600)
        table[0].append('why, "in words"')
        for row in table[1:]:
            row.append('moved' if row[4] == 'Yes' else 'stays')
        data = self.write('d.csv', table)
        done = self.train(data, '--id', 'id', '--model', 'logistic')
        remedy = re.search(r'(--drop .*) leaves it out', done.stdout)[1]
        self.assertEqual(shlex.split(remedy), ['--drop', '"why, ""in words"""'])
        self.assertNotIn('almost alone', self.train(data, '--id', 'id', '--model', 'logistic', *shlex.split(remedy)).stdout)


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
        new[1][3], new[2][3], new[3][3] = 'platinum', 'platinum', 'ir\non'
        new[4][5] = '2099-01-01'
        for row in new[1:]:
            row[2] = ''
        notes = self.notes(new)
        self.assertEqual(len(notes), 4)
        self.assertRegex(notes[0], r'^"age": 3 rows far outside the training range of 1\d\.\d to 6\d\.\d: -300 to 4000$')
        self.assertEqual(notes[1], '"spend": blank in all 6 rows')
        self.assertEqual(notes[2], '"plan": 3 rows with values that the model has not learned, new or rare in training: '
                                   '"platinum" 2, "ir\\non" 1')
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

    def test_a_file_of_no_rows(self):
        table = self.small(300)
        data, none = self.write('d.csv', table), self.write('n.csv', [table[0][:-1]])
        labelled = self.write('l.csv', [table[0]])
        for model in ('logistic', 'gbdt'):
            self.train(data, '--id', 'id', '--model', model)
            predict = ['predict', '--bundle', self.path('m.tern'), '--data', none, '--out']
            for out in (self.path('p.csv'), '-'):
                self.assertIn('n.csv: expected rows, got a header alone', run(*predict, out, expect=2).stderr)
            self.assertFalse(os.path.exists(self.path('p.csv')))
            done = run('predict', '--bundle', self.path('m.tern'), '--data', self.write('s.csv', [['id', 'age', 'plan']]),
                       '--out', self.path('no.csv'), expect=2)
            self.assertIn('spend', done.stderr)
            done = run('predict', '--bundle', self.path('m.tern'), '--data', self.text('e.csv', ''), '--out',
                       self.path('no.csv'), expect=2)
            self.assertIn('empty file', done.stderr)
            for more in (['--all'], []):
                run('evaluate', '--bundle', self.path('m.tern'), '--data', labelled, *more, expect=2)

    def test_balanced_weighs_the_baseline_too(self):
        table = self.small(1200)
        table = [table[0]] + [row for i, row in enumerate(table[1:]) if row[4] == 'No' or i % 4 == 0]
        data = self.write('d.csv', table)
        for model in ('logistic', 'mlp', 'gbdt'):
            limit = [] if model == 'logistic' else ['--max-epochs', '2']
            intercepts = []
            for more in ([], ['--balanced']):
                said = self.train(data, '--id', 'id', '--model', model, *limit, *more).stdout
                intercepts.append(json.loads(self.entry('m.tern', 'baselines.json'))['logistic']['intercept'])
            self.assertGreater(intercepts[1], intercepts[0] + 0.5)
            self.assertIn('so are those of the logistic regression, which is weighed alike', said)
            self.assertEqual('Losses here weigh both classes equally (--balanced)' in said, model != 'logistic')
            if model == 'logistic':
                self.assertIn('logistic regression: the same figures as the model', said)

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
            decided = expected.count(',Yes\n')
            self.assertRegex(done.stderr, rf'"Yes", from a probability of 0\.\d+ on, is decided in {decided} rows')
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
