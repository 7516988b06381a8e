"""Takes the code out of README.md and docs/*.md so that the tests can compile and run it.

    extract.py OUTPUT_FOLDER

Writes OUTPUT_FOLDER/<page>_<n>.cpp for each ```cpp block, which must be a whole program, and OUTPUT_FOLDER/<page>.sh
with the ```sh blocks that <!-- run --> precedes, in order. A block that <!-- excerpt --> precedes is left alone: an
excerpt of a file that the tests compile elsewhere; so is one after <!-- edit: … -->, which adding_an_op.py applies.
Prints the paths written, one a line; says file and line of what it cannot take, and exits with 1.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MARK = re.compile(r'^<!--\s*(\w+)(?::.*)?\s*-->\s*$')
FENCE = re.compile(r'^```(\S*)\s*$')


def blocks(path):
    """(line, language, mark or None, code) for each fenced block of a page."""
    with open(path, encoding='utf-8') as page:
        lines = page.read().split('\n')
    number, mark = 0, None
    while number < len(lines):
        fence = FENCE.match(lines[number])
        if fence is None:
            said = MARK.match(lines[number])
            if said:
                mark = said.group(1)
            elif lines[number].strip():
                mark = None
            number += 1
            continue
        start = number
        number += 1
        while number < len(lines) and lines[number].rstrip() != '```':
            number += 1
        if number == len(lines):
            raise SystemExit(f'{path}:{start + 1}: expected a closing ```, got the end of the page')
        yield start + 1, fence.group(1), mark, '\n'.join(lines[start + 1:number]) + '\n'
        number, mark = number + 1, None


def write(path, text):
    """Writes only what changed, so that nothing is compiled again for nothing."""
    try:
        with open(path, encoding='utf-8') as old:
            if old.read() == text:
                return
    except OSError:
        pass  # not there yet
    with open(path, 'w', encoding='utf-8') as out:
        out.write(text)


def main():
    output = sys.argv[1]
    os.makedirs(output, exist_ok=True)
    pages = [os.path.join(ROOT, 'README.md')]
    docs = os.path.join(ROOT, 'docs')
    pages += sorted(os.path.join(docs, name) for name in os.listdir(docs) if name.endswith('.md'))
    written, problems = [], []
    for page in pages:
        name = os.path.splitext(os.path.relpath(page, ROOT))[0].replace(os.sep, '_').replace('-', '_').lower()
        commands, programs = [], 0
        for line, language, mark, code in blocks(page):
            at = f'{os.path.relpath(page, ROOT)}:{line}'
            if mark not in (None, 'run', 'excerpt', 'edit'):
                problems.append(f'{at}: expected <!-- run -->, <!-- excerpt --> or <!-- edit: … -->, got <!-- {mark} -->')
            elif language == 'cpp' and mark not in ('excerpt', 'edit'):
                if 'int main(' not in code:
                    problems.append(f'{at}: expected a whole program or <!-- excerpt --> before the block')
                    continue
                programs += 1
                path = os.path.join(output, f'{name}_{programs}.cpp')
                # The page's own place in errors; the block starts on the line after the fence.
                write(path, f'#line {line + 1} "{page}"\n{code}')
                written.append(path)
            elif language == 'sh' and mark == 'run':
                commands.append(f'# {at}\n{code}')
        if commands:
            path = os.path.join(output, f'{name}.sh')
            write(path, '\n'.join(commands))
            written.append(path)
    for problem in problems:
        print(problem, file=sys.stderr)
    print('\n'.join(written))
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
