"""What churn's reports say, on the terminal and as JSON, and what predict says of the rows that it is given.

    CHURN=path/to/churn TELCO=path/to/telco.csv.gz FAULT=path/to/shim.so python3 reports_test.py [-k NAME]
"""

import csv
import random
import re
import unittest

from churn_test import TELCO, Churn, run


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


if __name__ == '__main__':
    unittest.main(verbosity=2)
