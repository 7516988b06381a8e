"""Runs the churn program on files as people write them: other forms, other words, values that stand for none.

    CHURN=path/to/churn TELCO=path/to/telco.csv.gz FAULT=path/to/shim.so python3 forms_test.py [-k NAME]
"""

import json
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

    def test_other_spellings_of_yes_and_no(self):
        table = self.with_column('mail', lambda i: 'yes' if i % 3 else 'no')
        self.train(self.write('d.csv', table), '--id', 'id', '--model', 'logistic')
        predict = ['predict', '--bundle', self.path('m.tern'), '--data', self.path('n.csv'), '--out']

        def respelled(yes, no):
            rows = [table[0]] + [row[:5] + [yes if row[5] == 'yes' else no] for row in table[1:]]
            self.write('n.csv', rows)
            return run(*predict, self.path('p.csv'))

        respelled('yes', 'no')
        expected = self.text_of('p.csv')
        for yes, no in (('Y', 'N'), ('1', '0'), ('true', 'FALSE')):
            self.assertNotIn('note', respelled(yes, no).stdout)
            self.assertEqual(self.text_of('p.csv'), expected)
        self.assertIn('warning: column "mail": none of its 400 values is known to the model: "ja" 266, "nein" 134; those '
                      'that mean the same as in training are known where they are written the same\n', respelled('ja', 'nein').stdout)
        self.assertIn('"mail": 266 rows with values that the model has not learned, new or rare in training: '
                      '"maybe" 266; words beside yes and no are taken as missing', respelled('maybe', 'no').stdout)

    def test_percent_is_told_as_the_file_has_it(self):
        table = self.with_column('share', lambda i: f'{i % 90}%')
        self.train(self.write('d.csv', table), '--id', 'id', '--model', 'logistic')
        table[1][5] = '1250%'
        done = run('predict', '--bundle', self.path('m.tern'), '--data', self.write('n.csv', table), '--out',
                   self.path('p.csv'))
        self.assertRegex(done.stdout, r'"share": 1 row far outside the training range of \d% to 8\d%: 1250%')

    def test_the_last_row_alone_shows_the_form(self):
        table = self.with_column('day', lambda i: '31/01/2024' if i == 399 else f'{1 + i % 12:02}/{1 + i % 11:02}/2024')
        table[0].append('fee')
        for i, row in enumerate(table[1:]):
            row.append('' if i < 300 else f'${i}.50')
        self.train(self.write('d.csv', table), '--id', 'id', '--model', 'logistic')
        forms = {column['name']: column.get('format') for column in json.loads(self.entry('m.tern', 'schema.json'))['columns']}
        self.assertEqual((forms['day'], forms['fee']), ('date:dmy', 'number:point+$'))

    def test_what_is_left_out_and_how_to_use_it(self):
        table = self.with_column('policy', lambda i: f'P-{i * 7919 % 100003:06}')
        table[0] += ['zip', 'store_id']
        for i, row in enumerate(table[1:]):
            row += [f'{(0 if i < 12 else i) * 137 % 90000 + 1000:05}', i % 60]
        data = self.write('d.csv', table)
        done = self.train(data, '--id', 'id', '--model', 'logistic')
        self.assertRegex(done.stdout, r'left out: "policy": .*\n')
        self.assertNotIn('--keep policy', done.stdout)  # no value of it is that of ten rows
        self.assertRegex(done.stdout, r'left out: "zip": .*; codes of digits, such as postcodes, .*; --keep zip learns')
        self.assertNotIn('looks like numbers or dates', done.stdout)
        self.assertRegex(done.stdout, r'left out: "store_id": named like an id.*; --keep store_id learns from it\n')
        done = self.train(data, '--model', 'logistic')
        self.assertIn('--id policy copies it to the predictions\n', done.stdout)

    def test_nothing_left_to_learn_from(self):
        rows = [['d', 'name', 'left']]
        for i in range(300):
            rows.append(['0000-00-00' if i % 9 == 0 else f'20{i % 23:02}-{1 + i % 12:02}-{1 + i % 28:02}', f'N {i * 7} x',
                         ['Yes', 'No'][i % 2]])
        data = self.write('d.csv', rows)
        self.refused(data, 'all are left out: "d" (too many levels', 'written like 2024-01-31',
                     '"0000-00-00" (line 2)', '"name" (', '--missing WORD')

    def test_the_positive_class_of_single_letters(self):
        for yes, no in (('Y', 'N'), ('t', 'f')):
            table = self.small(300)
            for row in table[1:]:
                row[4] = yes if row[4] == 'Yes' else no
            self.train(self.write('d.csv', table), '--id', 'id', '--model', 'logistic', '--report', self.path('r.json'))
            run('predict', '--bundle', self.path('m.tern'), '--data', self.path('d.csv'), '--out', self.path('p.csv'))
            self.assertIn(f',{yes}\n', self.text_of('p.csv').decode())

    def test_predictions_of_standard_input(self):
        data = self.write('d.csv', self.small(300))
        self.train(data, '--id', 'id', '--model', 'logistic')
        predict = ['predict', '--bundle', self.path('m.tern'), '--out', '-', '--data']
        with open(data, 'rb') as file:
            text = file.read()
        done = subprocess.run([CHURN, *predict, '-'], input=text, capture_output=True, check=True)
        self.assertEqual(done.stdout.decode(), run(*predict, data).stdout)
        done = subprocess.run([CHURN, *predict, '-'], input=b'age\n1\n', capture_output=True, check=False)
        self.assertEqual(done.returncode, 2)

    def test_first_lines_that_are_no_header(self):
        text = self.text_of(self.write('d.csv', self.small(60)).rsplit('/', 1)[1]).decode()
        for first, words in (('Customers\n', 'a title'), ('Customers,,,,\n', 'a title'), ('# made 2024\n', 'a comment'),
                             ('sep=,\n', 'Excel')):
            self.refused(self.text('t.csv', first + text), words)


if __name__ == '__main__':
    unittest.main(verbosity=2)
