"""Fails when <tern/tern.h> takes more than 1.3 times as much work to parse as the standard headers that it includes,
directly or through Tern's own headers.

    header_cost.py --compiler g++ [--limit 1.3]

Work is the compiler's instructions with -fsyntax-only, as valgrind counts them: seconds differ by a quarter from hour to
hour with the machine's caches. Without valgrind the exit status is 77: skipped.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

import source_tree


def standard_headers(root):
    """(Tern's headers reached from tern.h, the standard headers that they include in the order met)."""
    reached, standard = [], []
    queue = ['include/tern/tern.h']
    while queue:
        path = queue.pop()
        if path in reached:
            continue
        reached.append(path)
        for _, header, _ in source_tree.includes(root, path):
            inside = 'include/' + header
            if os.path.isfile(os.path.join(root, inside)):
                queue.append(inside)
            elif header not in standard:
                standard.append(header)
    return reached, standard


def instructions(command):
    """Of the command and the processes that it starts."""
    counting = ['valgrind', '--tool=cachegrind', '--cache-sim=no', '--cachegrind-out-file=/dev/null', '--trace-children=yes']
    done = subprocess.run(counting + command, check=True, stderr=subprocess.PIPE, text=True)
    return sum(int(count.replace(',', '')) for count in re.findall(r'I +refs: +([\d,]+)', done.stderr))


def main():
    parser = argparse.ArgumentParser(description='The parse cost of tern/tern.h.')
    parser.add_argument('--root', default=source_tree.ROOT)
    parser.add_argument('--compiler', default='c++')
    parser.add_argument('--limit', type=float, default=1.3)
    arguments = parser.parse_args()
    if not os.path.isfile(os.path.join(arguments.root, 'include/tern/tern.h')):
        print('expected include/tern/tern.h, found none')
        return 1
    if not shutil.which('valgrind'):
        print('skipped: expected valgrind, found none')
        return 77
    reached, standard = standard_headers(arguments.root)
    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in (('tern', ['#include <tern/tern.h>']), ('standard', [f'#include <{h}>' for h in standard])):
            source = os.path.join(folder, name + '.cpp')
            with open(source, 'w', encoding='utf-8') as out:
                out.write('\n'.join(lines) + '\n')
            counts[name] = instructions([arguments.compiler, '-std=c++20', '-fsyntax-only',
                                         '-I', os.path.join(arguments.root, 'include'), source])
    if min(counts.values()) == 0:
        print('expected a count of instructions, found none')
        return 1
    ratio = counts['tern'] / counts['standard']
    print(f'tern/tern.h with {len(reached)} headers: {counts["tern"] / 1e9:.2f} G instructions; its {len(standard)} '
          f'standard headers alone: {counts["standard"] / 1e9:.2f} G; ratio {ratio:.2f}, limit {arguments.limit:g}')
    return 0 if ratio <= arguments.limit else 1


if __name__ == '__main__':
    sys.exit(main())
