"""Fails when <tern/tern.h> takes more than 1.3 times as long to parse as the standard headers that it includes,
directly or through Tern's own headers.

    header_cost.py --compiler g++ [--limit 1.3] [--runs 9] [--rounds 4]

Both are compiled in turns with -fsyntax-only and the least processor time of each counts: load on the machine only
ever adds to it. Where that is too much, further rounds may bring it nearer to the truth.
"""

import argparse
import os
import resource
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


def processor_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description='The parse cost of tern/tern.h.')
    parser.add_argument('--root', default=source_tree.ROOT)
    parser.add_argument('--compiler', default='c++')
    parser.add_argument('--limit', type=float, default=1.3)
    parser.add_argument('--runs', type=int, default=9, help='compilations of each in a round')
    parser.add_argument('--rounds', type=int, default=4, help='rounds at most; a machine at rest needs one')
    arguments = parser.parse_args()
    if not os.path.isfile(os.path.join(arguments.root, 'include/tern/tern.h')):
        print('expected include/tern/tern.h, found none')
        return 1
    reached, standard = standard_headers(arguments.root)
    with tempfile.TemporaryDirectory() as folder:
        commands = {}
        for name, lines in (('tern', ['#include <tern/tern.h>']), ('standard', [f'#include <{h}>' for h in standard])):
            source = os.path.join(folder, name + '.cpp')
            with open(source, 'w', encoding='utf-8') as out:
                out.write('\n'.join(lines) + '\n')
            commands[name] = [arguments.compiler, '-std=c++20', '-fsyntax-only',
                              '-I', os.path.join(arguments.root, 'include'), source]
        seconds = {name: [] for name in commands}
        for _ in range(arguments.rounds):
            for _ in range(arguments.runs):
                for name, command in commands.items():
                    seconds[name].append(processor_seconds(command))
            tern, alone = min(seconds['tern']), min(seconds['standard'])
            ratio = tern / alone
            if ratio <= arguments.limit:
                break
    print(f'tern/tern.h with {len(reached)} headers: {tern:.3f} s; its {len(standard)} standard headers alone: '
          f'{alone:.3f} s; ratio {ratio:.2f}, limit {arguments.limit:g}')
    return 0 if ratio <= arguments.limit else 1


if __name__ == '__main__':
    sys.exit(main())
