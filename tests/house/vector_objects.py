"""Fails where code that is compiled for a wide instruction set holds a symbol that the linker merges with those of other
files (kernels/cpu/target.h): an inline function or template of external linkage.

    vector_objects.py --nm NM OBJECT...
"""

import argparse
import subprocess
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--nm', required=True)
    parser.add_argument('objects', nargs='+')
    options = parser.parse_args()
    faults = []
    for path in options.objects:
        table = subprocess.run([options.nm, '--demangle', path], check=True, capture_output=True, text=True).stdout
        for line in table.splitlines():
            kind, symbol = line[17:].split(' ', 1)
            if kind in 'WVu' and not symbol.startswith('DW.ref.'):
                faults.append(f'{path}: {symbol}')
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
