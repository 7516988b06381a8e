"""Reads the includes of the library and the examples, file by file, and fails where one breaks the house's plan
(docs/architecture.md): a floor called from below, a third-party header in a public one or outside its place.

    includes.py [--root FOLDER]      check
    includes.py --self-test          plant one breach of each kind in a small tree and see that each is found
"""

import argparse
import os
import sys
import tempfile

import source_tree

FLOORS = {
    'base': 0,
    'tensor': 1,
    'kernels': 2,
    'autograd': 3, 'ops': 3,
    'nn': 4, 'optim': 4, 'metrics': 4, 'data': 4,
    'models': 5, 'trees': 5, 'text': 5,
    'train': 6, 'bundle': 6, 'distributed': 6,
    'deploy': 7, 'monitor': 7, 'govern': 7, 'tune': 7,
    'tern.h': 7.5,
    'examples': 8,
}

# Neighbours on one floor: who may call whom.
NEIGHBOURS = {('ops', 'autograd'), ('optim', 'nn'), ('bundle', 'train')}

# These need no gradient and reach no header of the tape, directly or through another header.
WITHOUT_AUTOGRAD = {'data', 'metrics', 'trees', 'models'}

# (file, header) -> the reason why it may stand although it breaks a rule above. One that is no longer needed fails.
EXCEPTIONS = {
    ('kernels/slots/gemm.h', 'tern/ops/matmul.h'):
        'a kernel takes the activation fused into it as the public op names it',
    ('kernels/slots/optimizer.h', 'tern/ops/optimizer_step.h'):
        'a kernel takes the settings of an optimizer step as the public op takes them',
    ('src/autograd/backward.cpp', 'tern/ops/binary.h'):
        'gradients that meet are added by the public op, so that a second derivative goes through the sum',
    ('src/autograd/gradcheck.cpp', 'tern/ops/binary.h'):
        'the check weighs outputs by the public product, whose gradient it then takes',
}

# Third-party headers and the folders that may include them. No public header may.
THIRD_PARTY = {
    'oneapi/tbb': ['src/base/'],
    'tbb': ['src/base/'],
    'openssl': ['src/base/'],
    'Eigen': ['kernels/'],
    'hwy': ['kernels/'],
    'immintrin.h': ['kernels/'],
    'cuda_runtime_api.h': ['kernels/cuda/'],
    'cuda_fp16.h': ['kernels/cuda/'],
    'cuda_bf16.h': ['kernels/cuda/'],
    'cublasLt.h': ['kernels/cuda/'],
    'cub': ['kernels/cuda/'],
    'fast_float': ['src/data/'],
    'zlib.h': ['src/data/'],
    'zip.h': ['src/bundle/'],
    'nlohmann': ['src/', 'examples/'],
    'CLI': ['examples/'],
}

# Headers of POSIX, and of glibc to name functions on the stack and to tell a sole thread, in sources only.
SYSTEM = {'cxxabi.h', 'dirent.h', 'dlfcn.h', 'elf.h', 'execinfo.h', 'fcntl.h', 'link.h', 'pthread.h',
          'sched.h', 'signal.h', 'sys/file.h', 'sys/ioctl.h', 'sys/mman.h',
          'sys/resource.h', 'sys/single_threaded.h', 'sys/stat.h', 'sys/statvfs.h', 'sys/types.h', 'sys/utsname.h',
          'sys/wait.h', 'unistd.h', 'cpuid.h', 'termios.h'}

STANDARD = set('''
algorithm any array atomic barrier bit bitset cassert ccomplex cctype cerrno cfenv cfloat charconv chrono cinttypes
climits clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef
cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque exception execution filesystem format forward_list
fstream functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map
memory memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator
semaphore set shared_mutex source_location span sstream stack stdexcept stop_token streambuf string string_view
syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray
variant vector version
'''.split())

BANNED_IN_PUBLIC = {'iostream': 'it costs every user its static initialisers', 'format': 'g++ 12 has none'}


def module_of(path):
    """The room in which a file stands, or None for a file outside the plan."""
    parts = path.split('/')
    if path == 'include/tern/tern.h':
        return 'tern.h'
    if parts[:2] == ['include', 'tern'] and len(parts) > 3:
        return parts[2]
    if parts[0] == 'src' and len(parts) > 2:
        return parts[1]
    if parts[0] in ('kernels', 'examples'):
        return parts[0]
    return None


def resolve(root, path, header):
    """The project's file that a quoted include means, or None."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), header))
    for candidate in ('include/' + header, 'src/' + header, 'kernels/' + header, beside):
        if os.path.isfile(os.path.join(root, candidate)):
            return candidate
    return None


def third_party_folders(header):
    for prefix, folders in THIRD_PARTY.items():
        if header == prefix or header.startswith(prefix + '/'):
            return folders
    return None


def outside_breach(path, header):
    """Why an include of something outside the project is wrong, or None."""
    public = path.startswith('include/')
    if header in STANDARD:
        if public and header in BANNED_IN_PUBLIC:
            return f'a public header includes no <{header}>: {BANNED_IN_PUBLIC[header]}'
        return None
    if public:
        return f'a public header includes the standard library and Tern only, got <{header}>'
    if header in SYSTEM:
        return None
    folders = third_party_folders(header)
    if folders is None:
        return f'<{header}> is neither standard nor a library that tests/house/includes.py knows'
    if not path.startswith(tuple(folders)):
        return f'<{header}> may be included only below {", ".join(folders)}'
    return None


def floor_breach(path, target):
    """Why an include of another file of the project is wrong, or None."""
    here, there = module_of(path), module_of(target)
    for module, where in ((here, path), (there, target)):
        if module not in FLOORS:
            return f'{where} stands in no room that tests/house/includes.py knows'
    if path.startswith('include/') and not target.startswith('include/'):
        return f'a public header includes public headers only, got {target}'
    if here == there or FLOORS[there] < FLOORS[here] or (here, there) in NEIGHBOURS:
        return None
    if FLOORS[there] == FLOORS[here]:
        return f'{here} and {there} stand beside each other, and {here} may not call {there}'
    return f'{here} (floor {FLOORS[here]:g}) may not call {there} (floor {FLOORS[there]:g})'


def check(root, exceptions=None):
    """Every breach, as lines of text."""
    exceptions = EXCEPTIONS if exceptions is None else exceptions
    paths = source_tree.files(root, ('.h', '.cpp', '.cu', '.cuh'), ('include', 'src', 'kernels', 'examples'))
    breaches, used, edges = [], set(), {}
    for path in paths:
        edges[path] = []
        if module_of(path) not in FLOORS:
            breaches.append(f'{path}: stands in no room that tests/house/includes.py knows')
            continue
        for line, header, quoted in source_tree.includes(root, path):
            target = resolve(root, path, header)
            if target is not None:
                edges[path].append(target)
                breach = floor_breach(path, target)
            elif quoted:
                breach = f'"{header}" is no file of the project; other headers stand in <>'
            else:
                breach = outside_breach(path, header)
            if breach is None:
                continue
            if (path, header) in exceptions:
                used.add((path, header))
            else:
                breaches.append(f'{path}:{line}: {breach}')
    for path in paths:
        if module_of(path) not in WITHOUT_AUTOGRAD:
            continue
        chain = chain_to_autograd(path, edges)
        if chain:
            breaches.append(f'{path}: reaches the tape, which {module_of(path)} does not need: {" -> ".join(chain)}')
    for key in sorted(set(exceptions) - used):
        breaches.append(f'tests/house/includes.py: the exception {key} is not needed; remove it')
    return breaches, len(paths)


def chain_to_autograd(path, edges):
    """The includes that lead from a file to a header of autograd, or None."""
    queue, seen = [[path]], {path}
    for chain in queue:
        for target in edges.get(chain[-1], []):
            if target in seen:
                continue
            if module_of(target) == 'autograd':
                return chain + [target]
            seen.add(target)
            queue.append(chain + [target])
    return None


CLEAN = {
    'include/tern/base/error.h': '#pragma once\n#include <string>\n',
    'include/tern/tensor/tensor.h': '#pragma once\n#include "tern/base/error.h"\n',
    'include/tern/autograd/tape.h': '#pragma once\n#include "tern/tensor/tensor.h"\n',
    'include/tern/ops/math.h': '#pragma once\n#include "tern/autograd/tape.h"\n',
    'include/tern/nn/linear.h': '#pragma once\n#include "tern/ops/math.h"\n',
    'include/tern/optim/sgd.h': '#pragma once\n#include "tern/nn/linear.h"\n',
    'include/tern/data/table.h': '#pragma once\n#include "tern/tensor/tensor.h"\n',
    'include/tern/train/trainer.h': '#pragma once\n#include "tern/optim/sgd.h"\n',
    'include/tern/tern.h': '#pragma once\n#include "tern/train/trainer.h"\n',
    'src/base/detail.h': '#pragma once\n',
    'src/base/error.cpp': '#include "tern/base/error.h"\n#include <unistd.h>\n#include <tbb/info.h>\n#include "base/detail.h"\n',
    'src/data/csv.cpp': '#include "tern/data/table.h"\n#include <zlib.h>\n// #include <Eigen/Core>\n/*\n#include <zip.h>\n*/\n',
    'kernels/cpu/gemm.cpp': '#include <Eigen/Core>\n#include "tern/tensor/tensor.h"\n',
    'examples/churn/main.cpp': '#include <CLI/CLI.hpp>\n#include <tern/tern.h>\n#include <iostream>\n',
}

# (file, its text, what the report must say)
PLANTED = [
    ('include/tern/base/up.h', '#include "tern/tensor/tensor.h"\n', 'base (floor 0) may not call tensor (floor 1)'),
    ('include/tern/tensor/up.h', '#  include <tern/ops/math.h>\n', 'tensor (floor 1) may not call ops (floor 3)'),
    ('src/nn/up.cpp', '#include "tern/train/trainer.h"\n', 'nn (floor 4) may not call train (floor 6)'),
    ('include/tern/autograd/side.h', '#include "tern/ops/math.h"\n', 'autograd may not call ops'),
    ('include/tern/nn/side.h', '#include "tern/optim/sgd.h"\n', 'nn may not call optim'),
    ('include/tern/metrics/tape.h', '#include "tern/ops/math.h"\n', 'reaches the tape'),
    ('include/tern/data/tape.h', '#include "tern/autograd/tape.h"\n', 'reaches the tape'),
    ('include/tern/base/out.h', '#include <iostream>\n', 'includes no <iostream>'),
    ('include/tern/base/json.h', '#include <nlohmann/json_fwd.hpp>\n', 'the standard library and Tern only'),
    ('include/tern/base/posix.h', '#include <unistd.h>\n', 'the standard library and Tern only'),
    ('include/tern/base/private.h', '#include "base/detail.h"\n', 'includes public headers only'),
    ('src/nn/eigen.cpp', '#include <Eigen/Core>\n', '<Eigen/Core> may be included only below kernels/'),
    ('src/nn/unknown.cpp', '#include <boost/any.hpp>\n', 'neither standard nor'),
    ('src/nn/lost.cpp', '#include "tern/nn/gone.h"\n', 'is no file of the project'),
    ('include/tern/attic/box.h', '#pragma once\n', 'stands in no room'),
]


def write_tree(folder, tree):
    for path, text in tree.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as out:
            out.write(text)


def self_test():
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        write_tree(folder, CLEAN)
        breaches, count = check(folder, {})
        if breaches or count != len(CLEAN):
            failures.append(f'clean tree of {len(CLEAN)} files: expected none, read {count}, got {breaches}')
    for path, text, expected in PLANTED:
        with tempfile.TemporaryDirectory() as folder:
            write_tree(folder, {**CLEAN, path: text})
            breaches, _ = check(folder, {})
            if len(breaches) != 1 or expected not in breaches[0] or not breaches[0].startswith(path):
                failures.append(f'{path}: expected one breach with "{expected}", got {breaches}')
    with tempfile.TemporaryDirectory() as folder:
        write_tree(folder, {**CLEAN, PLANTED[0][0]: PLANTED[0][1]})
        key = (PLANTED[0][0], 'tern/tensor/tensor.h')
        if check(folder, {key: 'excused'})[0]:
            failures.append('a listed exception is still reported')
        if len(check(folder, {key: 'excused', ('src/base/error.cpp', 'vector'): 'stale'})[0]) != 1:
            failures.append('an exception that is not needed is not reported')
    return failures


def main():
    parser = argparse.ArgumentParser(description='The include test.')
    parser.add_argument('--root', default=source_tree.ROOT)
    parser.add_argument('--self-test', action='store_true')
    arguments = parser.parse_args()
    if arguments.self_test:
        problems, summary = self_test(), f'{len(PLANTED)} planted breaches found'
    else:
        problems, count = check(arguments.root)
        summary = f'{count} files keep to the plan'
        if count == 0:
            problems = [f'{arguments.root}: expected sources below include/ and src/, found none']
    for problem in problems:
        print(problem)
    print(f'{len(problems)} problems' if problems else summary)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
