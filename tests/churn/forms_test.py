"""Runs the churn program on files as people write them: other forms, other words, values that stand for none.

    CHURN=path/to/churn TELCO=path/to/telco.csv.gz FAULT=path/to/shim.so python3 forms_test.py [-k NAME]
"""

import unittest

from churn_test import Churn, run


class Forms(Churn):
    def with_column(self, name, value, rows=400):
        """The made table with one column more, whose values a function of the row number gives."""
        table = self.small(rows)
        table[0].append(name)
        for i, row in enumerate(table[1:]):
            row.append(value(i))
        return table

    def notes_of(self, table, *more):
        self.train(self.write('d.csv', table), '--id', 'id', '--model', 'logistic', '--report', self.path('r.json'),
                   *more)
        return self.json('r.json')['notes']

    def test_values_that_may_stand_for_missing_ones(self):
        last = self.with_column('until', lambda i: '31.12.9999' if i % 4 == 0 else f'{1 + i % 28}.{1 + i % 12}.2023')
        notes = self.notes_of(last)
        self.assertEqual(len(notes), 1)
        for words in ('column "until": "31.12.9999" is 100 of 400 values', '2023-02-02 to 2023-12-28', '--missing WORD'):
            self.assertIn(words, notes[0])
        self.assertEqual(self.notes_of(last, '--missing', '31.12.9999'), [])
        number = self.with_column('income', lambda i: '-999' if i % 4 == 0 else i % 90)
        self.assertIn('"-999" is 100 of 400 values, and the others are 0 to 89', self.notes_of(number)[0])

    def test_other_spellings_of_yes_and_no(self):
        table = self.with_column('mail', lambda i: 'yes' if i % 3 else 'no')
        self.train(self.write('d.csv', table), '--id', 'id', '--model', 'logistic')
        predict = ['predict', '--bundle', self.path('m.tern'), '--data', self.path('n.csv'), '--out']

        def respelled(yes, no, *more, expect=0):
            rows = [table[0]] + [row[:5] + [yes if row[5] == 'yes' else no] for row in table[1:]]
            self.write('n.csv', rows)
            return run(*predict, self.path('p.csv'), *more, expect=expect)

        respelled('yes', 'no')
        expected = self.text_of('p.csv')
        for yes, no in (('Y', 'N'), ('1', '0'), ('true', 'FALSE')):
            self.assertNotIn('note', respelled(yes, no).stdout)
            self.assertEqual(self.text_of('p.csv'), expected)
        done = respelled('ja', 'nein', expect=2)
        for words in ('n.csv: column "mail"', 'got none among 400: "ja" 266, "nein" 134', '(--allow-unknown)'):
            self.assertIn(words, done.stderr)
        self.assertNotIn('::', done.stderr)
        respelled('ja', 'nein', '--allow-unknown')
        self.assertIn('"mail": 266 rows with values that the model has not learned, new or rare in training: '
                      '"maybe" 266; words beside yes and no are taken as missing', respelled('maybe', 'no').stdout)


if __name__ == '__main__':
    unittest.main(verbosity=2)
