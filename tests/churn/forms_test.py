"""Runs the churn program on files as people write them: other forms, other words, values that stand for none.

    CHURN=path/to/churn TELCO=path/to/telco.csv.gz FAULT=path/to/shim.so python3 forms_test.py [-k NAME]
"""

import csv
import re
import subprocess
import unittest

from churn_test import CHURN, Churn, run


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


if __name__ == '__main__':
    unittest.main(verbosity=2)
