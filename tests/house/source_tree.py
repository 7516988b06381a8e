"""What the house tests share: the project's files, and the includes that stand in one."""

import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.MULTILINE)
_COMMENT = re.compile(r'/\*.*?\*/', re.DOTALL)


def files(root, extensions, folders=()):
    """Paths below `root` with one of `extensions`, sorted: those that git tracks or would track, without git all but
    build folders. With `folders`, only what lies below one of them."""
    try:
        listed = subprocess.run(
            ['git', '-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode().split('\0')
        listed = [path for path in listed if path and os.path.isfile(os.path.join(root, path))]
    except (OSError, subprocess.CalledProcessError):
        listed = []
        for folder, children, names in os.walk(root):
            children[:] = [c for c in children if not c.startswith(('.', 'build', 'install-'))]
            listed += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    prefixes = tuple(folder + '/' for folder in folders)
    return sorted(path for path in listed
                  if path.endswith(tuple(extensions)) and (not prefixes or path.startswith(prefixes)))


def includes(root, path):
    """(line number, header, is quoted) for each include of a file."""
    with open(os.path.join(root, path), encoding='utf-8') as source:
        text = source.read()
    text = _COMMENT.sub(lambda match: re.sub(r'[^\n]', ' ', match.group()), text)
    found = []
    for match in _INCLUDE.finditer(text):
        line = text.count('\n', 0, match.start()) + 1
        found.append((line, match.group(1) or match.group(2), match.group(1) is not None))
    return found
