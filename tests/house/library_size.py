"""Fails when the library is larger than a limit: all of it in one shared object, stripped. An archive's own size says
little, for every object of it carries its own copy of each inline function.

    library_size.py [--limit 10000000] [--compiler c++] LIBRARY...
"""

import argparse
import os
import subprocess
import sys
import tempfile


def stripped_size(arguments, folder):
    archives = [library for library in arguments.libraries if library.endswith('.a')]
    sizes = [library for library in arguments.libraries if not library.endswith('.a')]
    if archives:
        whole = os.path.join(folder, 'whole.so')
        subprocess.run([arguments.compiler, '-shared', '-o', whole, '-Wl,--whole-archive', *archives,
                        '-Wl,--no-whole-archive'], check=True)
        sizes.append(whole)
    total = 0
    for library in sizes:
        copy = os.path.join(folder, os.path.basename(library) + '.stripped')
        subprocess.run([arguments.strip, '--strip-unneeded', '-o', copy, library], check=True)
        total += os.path.getsize(copy)
    return total


def main():
    parser = argparse.ArgumentParser(description='The size of the stripped library.')
    parser.add_argument('--limit', type=int, default=10_000_000)
    parser.add_argument('--compiler', default='c++')
    parser.add_argument('--strip', default='strip')
    parser.add_argument('libraries', nargs='+')
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        total = stripped_size(arguments, folder)
    print(f'{total:,} bytes, limit {arguments.limit:,}')
    return 0 if total < arguments.limit else 1


if __name__ == '__main__':
    sys.exit(main())
