"""Fails when the libraries, stripped, are larger together than a limit.

    library_size.py [--limit 10000000] LIBRARY...
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile


def stripped_size(strip, library):
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, os.path.basename(library))
        shutil.copy(library, copy)
        subprocess.run([strip, '--strip-unneeded', copy], check=True)
        return os.path.getsize(copy)


def main():
    parser = argparse.ArgumentParser(description='The size of the stripped libraries.')
    parser.add_argument('--limit', type=int, default=10_000_000)
    parser.add_argument('--strip', default='strip')
    parser.add_argument('libraries', nargs='+')
    arguments = parser.parse_args()
    total = 0
    for library in arguments.libraries:
        size = stripped_size(arguments.strip, library)
        total += size
        print(f'{size:>12,} bytes  {os.path.basename(library)}')
    print(f'{total:>12,} bytes  together, limit {arguments.limit:,}')
    return 0 if total < arguments.limit else 1


if __name__ == '__main__':
    sys.exit(main())
