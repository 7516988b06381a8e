"""Fails where clang-format 14 would write a source otherwise; exit status 77 (skipped) without clang-format 14.

    format.py          check
    format.py --fix    rewrite
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

import source_tree

VERSION = 14
SKIPPED = 77


def clang_format():
    """The program's path, or None: other versions format otherwise."""
    for name in (f'clang-format-{VERSION}', 'clang-format'):
        program = shutil.which(name)
        if program is None:
            continue
        said = subprocess.run([program, '--version'], stdout=subprocess.PIPE, check=True).stdout.decode()
        if re.search(rf'version {VERSION}\.', said):
            return program
    return None


def main():
    parser = argparse.ArgumentParser(description='The format test.')
    parser.add_argument('--fix', action='store_true')
    arguments = parser.parse_args()
    program = clang_format()
    if program is None:
        print(f'SKIPPED: no clang-format {VERSION} here')
        return SKIPPED
    paths = source_tree.files(source_tree.ROOT, ('.h', '.cpp', '.cu', '.cuh'))
    if not paths:
        print('expected sources to format, found none')
        return 1
    mode = ['-i'] if arguments.fix else ['--dry-run', '--Werror']
    status = 0
    for start in range(0, len(paths), 64):
        command = [program, '--style=file', *mode, *paths[start:start + 64]]
        status |= subprocess.run(command, cwd=source_tree.ROOT, check=False).returncode
    if status:
        print(f'to rewrite them: {os.path.relpath(__file__, source_tree.ROOT)} --fix')
        return 1
    print(f'{len(paths)} files are formatted')
    return 0


if __name__ == '__main__':
    sys.exit(main())
