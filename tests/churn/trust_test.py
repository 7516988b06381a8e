"""Whether figures can be trusted: how churn splits tables of few values, and what it says when it should be doubted.

    CHURN=path/to/churn TELCO=path/to/telco.csv.gz FAULT=path/to/shim.so python3 trust_test.py [-k NAME]
"""

import csv
import random
import unittest

from churn_test import Churn, run


class Trust(Churn):
    def judge(self, table, *more):
        """Trains with a report, evaluates, and gives both reports and what was printed."""
        data = self.write('d.csv', table)
        done = self.train(data, '--model', 'logistic', '--report', self.path('r.json'), '--write-splits',
                          self.path('s.csv'), *more)
        run('evaluate', '--bundle', self.path('m.tern'), '--data', data, '--report', self.path('e.json'))
        return self.json('r.json'), self.json('e.json'), done.stdout

    def parts(self):
        with open(self.path('s.csv'), newline='') as file:
            return [row['split'] for row in csv.DictReader(file)]

    def drawn(self, rows, make, seed=1):
        """A table of what `make` draws for each row, and a target that is Yes with the probability it says."""
        draw = random.Random(seed)
        table = []
        for _ in range(rows):
            *values, p = make(draw)
            table.append([*values, 'Yes' if draw.random() < p else 'No'])
        return table

    def test_many_rows_that_are_all_zero(self):
        def usage(draw):
            idle = draw.random() < 0.4
            calls, days, bill = (0, 0, 0) if idle else (draw.randrange(200), draw.randrange(90), draw.randrange(999))
            return calls, days, bill, 0.75 if idle else 0.6 - days / 180

        table = self.drawn(3000, usage)
        report, judged, printed = self.judge([['calls', 'days', 'bill', 'left'], *table])
        idle = [row[:3] == [0, 0, 0] for row in table]
        self.assertEqual(len({part for is_idle, part in zip(idle, self.parts()) if is_idle}), 1)
        warning = report['splits']['warnings'][0]
        self.assertIn(f'{sum(idle)} of 3000 rows', warning)
        self.assertIn('  warning: ' + warning + ' (--equal-rows apart)', printed)
        self.assertGreater(judged['test']['auroc']['value'], 0.55)  # the other rows' alone; 0.29 was seen
        report, judged, _ = self.judge([['calls', 'days', 'bill', 'left'], *table], '--equal-rows', 'apart')
        for part, share in (('train', 0.7), ('validation', 0.15), ('test', 0.15)):
            there = sum(is_idle and p == part for is_idle, p in zip(idle, self.parts()))
            self.assertAlmostEqual(there / sum(idle), share, delta=0.06)
        self.assertEqual(report['splits']['warnings'], [])
        self.assertGreater(judged['test']['auroc']['value'], 0.7)  # 0.77 is reachable

    def test_one_column_of_few_levels(self):
        rates = {'A': 0.1, 'B': 0.3, 'C': 0.5, 'D': 0.7, 'E': 0.9}
        table = [['segment', 'left'], *self.drawn(2000, lambda draw: (s := draw.choice('ABCDE'), rates[s]))]
        seen = set()
        for seed in (7, 8):
            report, judged, printed = self.judge(table, '--seed', seed, '--equal-rows', 'apart')
            self.assertGreater(judged['test']['auroc']['value'], 0.75)
            positives = report['splits']['positives']
            for part in ('train', 'validation', 'test'):
                self.assertAlmostEqual(positives[part] / report['splits'][part],
                                       sum(positives.values()) / 2000, delta=0.005)
            self.assertIn('(random, stratified; ', printed)
            self.assertRegex(printed, r'1\d\d\d rows equal to an earlier one kept, \d+ rows equal to an earlier one in all '
                             r'but the target: rows that look alike by chance, among which no id tells copies\n')
            self.assertNotIn('--drop-duplicates', printed)
            seen.add(tuple(self.parts()))
        self.assertEqual(len(seen), 2, 'the seed is of no effect')

    def test_copies_stay_together_and_may_be_dropped(self):
        table = self.small(400)
        table += table[1:101]
        report, _, printed = self.judge([row[1:] for row in table])
        self.assertIn('100 rows equal to an earlier one kept (--drop-duplicates drops what is a copy)\n', printed)
        self.assertEqual(report['splits']['together'], 200)
        self.assertIn('(random, stratified, 200 rows equal to others kept with them; ', printed)
        parts = self.parts()
        self.assertEqual(parts[:100], parts[400:])

    def test_copies_tell_nothing_of_each_other(self):
        # Noise, each row eight times: no column tells the target to rows that are not its copies, and eight copies are
        # as sure as one row.
        draw = random.Random(2)
        rows = [[draw.random(), draw.gauss(0, 1), draw.choice(('Yes', 'No'))] for _ in range(300)]
        table = [['x', 'z', 'left'], *rows * 8]
        report, judged, printed = self.judge(table, '--model', 'logistic')
        self.assertFalse([text for text in report['warnings'] if 'almost alone' in text])
        self.assertIn('note: rows equal in every feature are one in the bootstrap', printed)
        parts = self.parts()
        for figures, part in ((report['validation'], 'validation'), (judged['test'], 'test')):
            self.assertEqual(figures['resampled'], 'groups')
            self.assertEqual(figures['groups'], parts[:300].count(part))
            self.assertGreater(figures['auroc']['high'] - figures['auroc']['low'], 0.2)
        self.assertIn('rows equal in every feature are resampled as one', judged['test']['note'])

    def test_too_few_kinds_of_rows_for_three_parts(self):
        table = [['id', 'plan', 'left']] + [[f'C{i:04}', ('basic', 'plus', 'pro')[i * 7919 % 3], 'Yes' if i * 104729 % 10 < 3 else 'No']
                                            for i in range(900)]
        data = self.write('d.csv', table)
        self.refused(data, '"plan"', 'are left out', 'equal rows may stand apart (--equal-rows apart)', more=('--id', 'id'))
        self.train(data, '--id', 'id', '--model', 'logistic', '--equal-rows', 'apart')
        two = self.text('two.csv', 'a,left\n0,No\n1,Yes\n')
        self.assertNotIn('--equal-rows', self.refused(two, 'got none'))
        self.refused(data, '--equal-rows', more=('--id', 'id', '--split', 'group:plan', '--equal-rows', 'apart'))

    def test_rows_are_equal_as_the_model_reads_them(self):
        draw = random.Random(6)
        table = [['active', 'age', 'left']] + [[draw.choice(('yes', 'Yes', 'YES', 'no', 'No')), draw.randrange(150),
                                               'Yes' if draw.random() < 0.4 else 'No'] for _ in range(1200)]
        report, _, _ = self.judge(table)
        parts = {}
        for (active, age, _), part in zip(table[1:], self.parts()):
            parts.setdefault((active.lower(), age), set()).add(part)
        self.assertEqual({len(where) for where in parts.values()}, {1})
        self.assertGreater(report['splits']['together'], 1000)

    def test_customers_who_look_alike_are_no_copies(self):
        draw = random.Random(3)
        table = [['plan', 'stars', 'cust', 'day', 'left']]
        for i in range(2000):
            plan, stars = draw.choice(['basic', 'plus', 'gold']), draw.randint(1, 5)
            table.append([plan, stars, draw.randrange(500), f'2024-{1 + i * 12 // 2000:02}-{1 + draw.randrange(28):02}',
                          'Yes' if draw.random() < stars / 8 else 'No'])
        for split in ('group:cust', 'time:day'):
            report, _, _ = self.judge(table, '--split', split, '--drop', 'day' if split == 'group:cust' else 'cust')
            self.assertEqual(report['splits']['warnings'], [])
            self.assertFalse([text for text in report['warnings'] if 'equal in every feature' in text])
        # The same customers entered again later are copies.
        table = self.small(500)
        table[0].append('day')
        for i, row in enumerate(table[1:]):
            row.append(f'2024-{1 + i * 12 // 500:02}-15')
        table += [row[:5] + [f'2025-{1 + i * 12 // 500:02}-15'] for i, row in enumerate(table[1:])]
        report, _, _ = self.judge([row[1:] for row in table], '--split', 'time:day')
        self.assertIn('if they are copies, figures are optimistic', report['splits']['warnings'][0])
        self.assertIn(report['splits']['warnings'][0], report['warnings'])

    def test_a_share_that_drifts(self):
        draw = random.Random(5)
        table = [['x', 'day', 'left']]
        for i in range(3000):
            p = 0.6 - i / 6000
            table.append([f'{draw.gauss(0, 1):.3f}', f'2024-{1 + i // 250:02}-{1 + i % 250 // 10:02}',
                          'Yes' if draw.random() < p else 'No'])
        report, _, _ = self.judge(table, '--split', 'time:day')
        self.assertRegex(report['warnings'][0], r'^"Yes" is \d\d.\d % of train, \d\d.\d % of validation, \d\d.\d % of test: '
                         'further apart than chance')

    def test_a_reason_that_some_leavers_gave(self):
        draw = random.Random(4)
        table = [['x', 'reason', 'left']]
        for _ in range(1500):
            yes = draw.random() < 0.4
            given = yes and draw.random() < 0.5
            table.append([f'{draw.gauss(0.5 * yes, 1):.3f}', draw.choice(['price', 'moved', 'service']) if given else '',
                          'Yes' if yes else 'No'])
        report, judged, printed = self.judge(table)
        leak = report['leakage'][0]
        self.assertEqual((leak['column'], leak['value']['kind'], leak['value']['of_other_class'], leak['value']['class']),
                         ('reason', 'filled', 0, 'Yes'))
        self.assertLess(leak['auroc'], 0.98)
        said = f'"reason" is filled in {leak["value"]["rows"]} training rows, all of them "Yes": is it known before the outcome?'
        self.assertIn('  warning: ' + said, printed)
        self.assertTrue([text for text in judged['training_warnings'] if text.startswith(said)])

    def test_a_time_that_only_leavers_have(self):
        draw = random.Random(6)
        table = [['x', 'end_date', 'left']]
        for i in range(1200):
            yes = draw.random() < 0.35
            day = f'2024-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}' if draw.random() < (0.95 if yes else 0.1) else ''
            table.append([f'{draw.gauss(0.5 * yes, 1):.3f}', day, 'Yes' if yes else 'No'])
        report, _, _ = self.judge(table, '--split', 'time:end_date')
        blank = sum(not row[1] for row in table[1:])
        self.assertRegex(report['warnings'][0], f'^{blank} rows of 1200 without a value of "end_date" dropped: "Yes" is '
                         r'\d\d.\d % of the rows that are left and 3\d.\d % of all')
        self.assertIn('may be known only with the outcome', report['warnings'][0])
        for row in table[1:]:
            row[1] = (row[1] or '2024-06-15') if row[2] == 'Yes' else f'2025-{draw.randint(1, 12):02}-01'  # now it tells the target
        report, _, printed = self.judge(table)
        self.assertEqual([leak['column'] for leak in report['leakage']], ['end_date'])
        self.assertNotIn('--split time:', printed)
        done = self.train(self.path('d.csv'), '--split', 'time:end_date', expect=2)
        self.assertRegex(done.stderr, 'expected rows of class "(Yes|No)" in (train|test|validation), got none; there are [0-9]+ rows of that class, all '
                         'at other times: where "end_date" goes with the outcome')

    def test_few_positives(self):
        table = [['x', 'left']]
        for i in range(800):
            table.append([i * 7919 % 1000 / 1000, 'Yes' if i < 20 else 'No'])
        report, _, _ = self.judge(table)
        self.assertIn('training rows: only 14 rows of class "Yes": too few to learn from; what the model makes of them is '
                      'mostly chance', report['warnings'])
        for row in table[2:]:
            row[1] = 'No'
        done = self.train(self.write('d.csv', table), '--positive', 'Yes', expect=2)
        self.assertIn('got none; there is 1 row of that class in all, and each of 3 parts needs one', done.stderr)

    def test_a_model_that_is_worse_than_the_prior(self):
        draw = random.Random(7)
        table = [[f'x{j}' for j in range(300)] + ['left']]
        for _ in range(200):
            table.append([f'{draw.gauss(0, 1):.3f}' for _ in range(300)] + [draw.choice(['Yes', 'No'])])
        report, judged, printed = self.judge(table)
        self.assertRegex(printed, r'the log loss of the model, [\d.]+, is (?:barely )?above that of the prior, 0.69\d+: its probabilities are '
                         'worth less than')
        self.assertTrue([text for text in report['warnings'] if 'above that of the prior' in text])
        self.assertIn('above that of the prior', judged['warnings'][0])


if __name__ == '__main__':
    unittest.main()
