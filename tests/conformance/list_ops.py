"""Lists the public ops, and fails when one has no row in the table of conformance.

    list_ops.py                      the ops that the headers declare, one a line, as rows name them
    list_ops.py --program TESTS      compares them with the cases of the program tests_conformance, and, with
                --objects OBJECT...  of what it is linked, how many forms of each op are declared with how many it calls
    list_ops.py --self-test          plants an op without a row, and expects it to be found

Every function and variable at namespace scope of include/tern/ops/*.h, creation.h and tensor.h, static members of their
classes, and methods of Tensor, but those below. What cannot be told for one or the other is refused.
"""

import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TENSOR = 'include/tern/tensor/tensor.h'
CREATION = 'include/tern/tensor/creation.h'
OPS = 'include/tern/ops'

# Methods of Tensor that compute nothing: what a tensor is, its elements as C++ values, and the tape.
NO_OPS = {
    'Tensor', 'operator=', 'defined', 'dim', 'size', 'shape', 'strides', 'numel', 'dtype', 'device', 'is_contiguous',
    'is_same', 'item', 'span', 'mutable_span', 'to_vector', 'requires_grad', 'requires_grad_', 'is_leaf', 'grad',
    'set_grad', 'set_grad_buffer', 'clear_grad', 'retain_grad', 'register_hook', 'backward', 'impl', 'release',
}
GIVES_WHAT_IS_THERE = {'grad'}  # a tensor, but none that it makes
# Names of tensor.h beside the class that compute nothing.
NO_FUNCTIONS = {'to_string', 'version', 'ellipsis', 'new_axis'}
# Ops whose rows name the type of every input.
OF_WHOLE_NUMBERS = {f'bitwise_{name}' for name in ('and', 'or', 'xor', 'not', 'left_shift', 'right_shift')} | {
    'operator_and', 'operator_or', 'operator_xor', 'operator_invert', 'one_hot'}
# Ops that need no large case (more than a block of a thread takes, with an odd rest): views and what lies on the host,
VIEWS = {
    'Tensor_expand', 'Tensor_flatten', 'Tensor_operator_subscript', 'Tensor_permute', 'Tensor_reshape', 'Tensor_select',
    'Tensor_slice', 'Tensor_squeeze', 'Tensor_t', 'Tensor_transpose', 'Tensor_unsqueeze', 'broadcast_to', 'chunk',
    'diagonal', 'expand_as', 'flatten', 'meshgrid', 'movedim', 'narrow', 'reshape', 'split', 'split_with_sizes',
    'unbind', 'unflatten', 'empty', 'empty_like', 'from_blob', 'from_span', 'from_vector', 'tensor', 'scalar', 'eye',
    'linspace', 'logspace'}
# what is put together of ops that have one,
COMPOSITES = {
    'Tensor_index_put_', 'allclose', 'diag', 'diagonal_scatter', 'equal', 'index_put', 'kthvalue', 'median',
    'multinomial', 'normal', 'randperm', 'repeat', 'repeat_interleave', 'roll', 'slice_scatter', 'stack', 'tile'}
# and other names of such an op: operators, and methods beside a function.
BEHIND = {'operator_not': 'logical_not', 'operator_invert': 'bitwise_not'}
SETTINGS = {'set_float32_matmul_precision', 'float32_matmul_precision'}  # of ops, beside them
SYMBOLS = {'+': 'add', '-': 'sub', '*': 'mul', '/': 'div', '==': 'eq', '!=': 'ne', '<': 'lt', '<=': 'le', '>': 'gt',
           '>=': 'ge', '[]': 'subscript', '&': 'and', '|': 'or', '^': 'xor', '~': 'invert', '!': 'not', '+=': 'iadd',
           '-=': 'isub', '*=': 'imul', '/=': 'idiv'}

NAME = r'(operator *(?:\[\]|[-+*/<>=!&|^~]=?)|[A-Za-z_]\w*)'
WORD = re.compile(r'[A-Za-z_]\w*')
CALLED = re.compile(r'^ *U tern::(Tensor::)?(operator *[^(\s]+|\w+)\((.*)\)(?: const)?$')
METHOD = re.compile(r'^  (?:explicit )?([\w:<>]+(?: [\w:<>]+)*[ &*]+)?' + NAME + r'\(', re.MULTILINE)


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8') as source:
        text = source.read()
    return re.sub(r'//[^\n]*', '', re.sub(r'/\*.*?\*/', '', text, flags=re.DOTALL))


def row_name(function, unary=False):
    if not function.startswith('operator'):
        return function
    symbol = function[len('operator'):].strip()
    return 'operator_neg' if unary and symbol == '-' else 'operator_' + SYMBOLS[symbol]


def closing(text, at):
    """The place behind the bracket that closes the one at `at`; of angle brackets those of a template."""
    pairs = {'(': ')', '[': ']', '{': '}', '<': '>'}
    stack = []
    while at < len(text):
        c = text[at]
        if c in '([{' or (c == '<' and (not stack or stack[-1] == '>')):
            stack.append(pairs[c])
        elif stack and c == stack[-1]:
            stack.pop()
            if not stack:
                return at + 1
        at += 1
    raise SystemExit('list_ops: expected a bracket to be closed, found none')


def statements(text):
    """(head, bodies) of each declaration at namespace scope, heads without bodies; not of namespace internal."""
    text = re.sub(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', '', text, flags=re.MULTILINE)
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)\'', '0', text)
    found, head, bodies, at = [], '', [], 0
    while at < len(text):
        c = text[at]
        if c in '([':
            end = closing(text, at)
            head += re.sub(r'\{[^{}]*\}', '', text[at:end])  # {} as the default of a parameter
            at = end
            continue
        if c == '{':
            space = re.match(r'\s*(?:inline\s+)?namespace\b\s*([\w:]*)\s*$', head)
            end = closing(text, at)
            if space:
                head = ''
                if space.group(1).split('::')[-1] != 'internal':
                    found += statements(text[at + 1:end - 1])
            else:
                bodies.append(text[at + 1:end - 1])
                if is_class(head) or '=' in without_brackets(head) or ')' not in without_templates(head):
                    head += ' '
                else:
                    found.append((head, bodies))
                    head, bodies = '', []
            at = end
            continue
        if c == ';':
            if head.strip():
                found.append((head, bodies))
            head, bodies = '', []
        else:
            head += c
        at += 1
    if head.strip():
        raise SystemExit(f'list_ops: expected declarations, found "{" ".join(head.split())}"')
    return found


def without_templates(head):
    """A declaration without `template <…>`, attributes and words that say nothing of its kind."""
    head = head.strip()
    while True:
        rest = head
        if re.match(r'template\s*<', rest):
            rest = rest[closing(rest, rest.index('<')):]
        rest = re.sub(r'\[\[.*?\]\]', ' ', rest, flags=re.DOTALL)
        for word in ('requires', 'alignas', '__attribute__', 'noexcept', 'decltype', 'explicit'):
            match = re.search(rf'\b{word}\s*\(', rest)
            if match:
                instead = ' auto ' if word == 'decltype' else ' '
                rest = rest[:match.start()] + instead + rest[closing(rest, match.end() - 1):]
        rest = re.sub(r'\b(?:TERN_API|inline|static|extern|constexpr|constinit|friend|virtual|typename)\b', ' ', rest).strip()
        if rest == head:
            return head
        head = rest


def without_brackets(head):
    """Without parameters, indices and template arguments, and so without the defaults in them; of operators their name."""
    head = re.sub(r'operator\s*(?:\(\)|\[\]|[-+*/<>=!&|^~%]+)', 'operator ', without_templates(head))
    out, at = '', 0
    while at < len(head):
        if head[at] in '([<':
            out += head[at]
            at = closing(head, at)
        else:
            out += head[at]
            at += 1
    return out


def is_class(head):
    return re.match(r'(?:class|struct|union|enum)\b', without_templates(head)) is not None


def declarations(text):
    """(name, parameters or None of a variable, whether it is defined there or a template) of what is declared at
    namespace scope, and of static members of classes."""
    found = []
    for head, bodies in statements(text):
        bare = without_templates(head)
        if re.match(r'(?:using|typedef|static_assert|namespace)\b', bare):
            continue
        if is_class(head):
            if 'class TERN_API Tensor' in ' '.join(head.split()):
                continue  # see methods()
            for body in bodies if not re.match(r'enum\b', bare) else []:
                for member, inner in statements(re.sub(r'\b(?:public|private|protected)\s*:(?!:)', ' ', body)):
                    if re.search(r'\bstatic\b', re.sub(r'\([^()]*\)', ' ', member)) and not is_class(member):
                        found.append(name_of(member, inner))
            continue
        found.append(name_of(head, bodies))
    return found


def name_of(head, bodies):
    bare, said = without_templates(head), ' '.join(head.split())
    fixed = bool(bodies) or re.match(r'\s*(?:\[\[.*?\]\]\s*)?template\b', head) is not None
    operator = re.search(r'\boperator\s*(?:\[\]|\(\)|[-+*/<>=!&|^~%]+)', bare)
    flat = without_brackets(head)
    if operator:
        parameters = bare[operator.end():].strip()
        if not parameters.startswith('('):
            raise SystemExit(f'list_ops: expected a declaration that can be told, found "{said}"')
        return operator.group(0), parameters[1:closing(parameters, 0) - 1], fixed
    variable = '=' in flat.split('(')[0] or '(' not in flat
    words = WORD.findall(re.split(r'[=(\[{]', flat)[0])
    # A type and a name, neither of them a macro; what stands in brackets is no name, as that of a pointer would be.
    if len(words) < 2 or words[-1].isupper() or re.search(r'\(\S*\(', flat) or any(word.isupper() for word in words):
        raise SystemExit(f'list_ops: expected a declaration that can be told, found "{said}"')
    if variable:
        return words[-1], None, True
    start = at_top_level(bare, '(')
    return words[-1], bare[start + 1:closing(bare, start) - 1], fixed


def at_top_level(text, wanted):
    at = 0
    while text[at] != wanted:
        at = closing(text, at) if text[at] in '<([' else at + 1
    return at


def row_of(name, parameters):
    """An operator on one tensor is another op."""
    return row_name(name, unary=parameters is not None and ',' not in parameters)


def functions(text):
    return {row_of(name, parameters) for name, parameters, _ in declarations(text)}


def class_body(text):
    body = re.search(r'^class TERN_API Tensor \{\n public:\n(.*?)^ private:', text, re.DOTALL | re.MULTILINE)
    if body is None:
        raise SystemExit(f'list_ops: expected class Tensor in {TENSOR}, found none')
    return body.group(1)


def methods(text):
    returned = {match.group(2): (match.group(1) or '').strip() for match in METHOD.finditer(class_body(text))}
    wrong = sorted(NO_OPS - set(returned)) + sorted(
        name for name in NO_OPS - GIVES_WHAT_IS_THERE if returned.get(name) == 'Tensor')
    if wrong:
        raise SystemExit(f'list_ops: expected methods of Tensor that make no tensor in NO_OPS, found {", ".join(wrong)}')
    return {'Tensor_' + row_name(name) for name in set(returned) - NO_OPS}


def forms(root):
    """{row name: how many functions of it are exported}: its overloads, but for what headers define."""
    count = collections.Counter()
    for path in [TENSOR, CREATION] + [f'{OPS}/{name}' for name in os.listdir(os.path.join(root, OPS))]:
        text = read(root, path)
        for name, parameters, fixed in declarations(text):
            if not fixed:
                count[row_of(name, parameters)] += 1
        if path == TENSOR:
            for match in METHOD.finditer(class_body(text)):
                rest = re.match(r'[^;{]*;', class_body(text)[match.end():])
                if rest and '= delete' not in rest.group():  # not defined there
                    count['Tensor_' + row_name(match.group(2))] += 1
    return count


def called(symbols):
    """{row name: how many forms of it are called} from what nm -C prints of object files."""
    found = collections.defaultdict(set)
    for line in symbols.splitlines():
        match = CALLED.match(line)
        if match is None:
            continue
        method, name, parameters = match.groups()
        row = row_name(name, unary=method is None and ',' not in parameters)
        found[('Tensor_' if method else '') + row].add(line)
    return collections.Counter({row: len(lines) for row, lines in found.items()})


def uncalled(ops, declared, calls):
    return [f'{op}: expected calls of its {declared[op]} forms in tests/conformance, found {calls[op]}'
            for op in sorted(ops) if calls[op] < declared[op]]


def public_ops(root):
    tensor = read(root, TENSOR)
    ops = methods(tensor) | (functions(tensor) - NO_FUNCTIONS) | functions(read(root, CREATION))
    for name in sorted(os.listdir(os.path.join(root, OPS))):
        ops |= functions(read(root, f'{OPS}/{name}'))
    return ops - SETTINGS


def listed_cases(text):
    """{suite: cases} from what a GoogleTest program prints for --gtest_list_tests."""
    cases, suite = {}, None
    for line in text.splitlines():
        if line and not line.startswith(' ') and line.rstrip().endswith('.'):
            suite = line.rstrip()[:-1]
            cases.setdefault(suite, set())
        elif line.startswith('  ') and suite is not None:
            cases[suite].add(line.split()[0])
    return cases


def function_behind(op):
    if op.startswith('Tensor_operator_i'):
        return f"Tensor_{op[len('Tensor_operator_i'):]}_"
    return BEHIND.get(op, re.sub('^(operator|Tensor)_', '', op))


def complaints(ops, cases):
    """One line for each op without a row, row without an op, and row that leaves a check out."""
    lines = [f'{op}: expected a row in tests/conformance, found none' for op in sorted(ops - set(cases))]
    lines += [f'{op}: expected a public op for this row, found none' for op in sorted(set(cases) - ops)]
    for op in sorted(ops & set(cases)):
        missing = {'Forward', 'SinglePrecision', 'Errors'} - cases[op]
        if not ({'Gradient', 'SecondDerivative'} <= cases[op] or 'NoGradient' in cases[op]):
            missing |= {'Gradient and SecondDerivative, or NoGradient'}
        if 'Gradient' in cases[op]:
            missing |= {'HalfPrecision'} - cases[op]
        if 'Strided' in cases[op]:
            missing |= {'Empty'} - cases[op]
            missing |= (set() if op in OF_WHOLE_NUMBERS else {'Types'}) - cases[op]
        if op not in VIEWS | COMPOSITES and 'Large' not in cases[op] | cases.get(function_behind(op), set()):
            missing |= {'Large'}
        lines += [f'{op}: expected the check {name}, found none' for name in sorted(missing)]
    return lines


# Forms that declare an op `planted`,
ESCAPES = [
    'TERN_API Tensor planted(const Tensor& x);',
    '[[nodiscard]] TERN_API Tensor planted(const Tensor& x);',
    'TERN_API [[nodiscard]] Tensor planted(const Tensor& x);',
    'TERN_API Tensor\nplanted(const Tensor& x);',
    'TERN_API std::vector<Tensor>\nplanted(const Tensor& x, const Dims& dims = {}, int n = f(1));',
    'inline std::vector<Tensor> planted(const Tensor& x) { return {x}; }',
    'inline Ordered planted(const Tensor& x) { return {x, x}; }',
    'inline auto planted(const Tensor& x) { return x; }',
    'inline auto planted(const Tensor& x) -> Tensor { return x; }',
    'decltype(auto) planted(const Tensor& x);',
    'static inline Tensor planted(const Tensor& x) { return x; }',
    '  inline Tensor planted(const Tensor& x) {\n    return x;\n  }',
    'template <class T> Tensor planted(const T& x) { return f(x); }',
    'template <class T, class = std::enable_if_t<(sizeof(T) > 4)>> Tensor planted(const T& x);',
    'template <class T> requires (sizeof(T) > 4) Tensor planted(const T& x);',
    'extern TERN_API Tensor planted(const Tensor& x);',
    'Tensor TERN_API planted(const Tensor& x);',
    'const Tensor& planted(const Tensor& x);',
    'tern::Tensor planted(const Tensor& x);',
    'std::function<Tensor(int)> planted(const Tensor& x);',
    'struct Made { static Tensor planted(const Tensor& x); int by = 1; };',
    'struct Made {\n  int by{1};\n  [[nodiscard]] static Tensor planted(const Tensor& x) { return x; }\n};',
    'class Made { public: static constexpr auto planted = [](const Tensor& x) { return x; }; };',
    'inline constexpr auto planted = [](const Tensor& x) { return x; };',
    'inline const std::function<Tensor(const Tensor&)> planted = f;',
    'extern TERN_API const Made planted;',
    'inline constexpr Made planted{};',
    'namespace more { TERN_API Tensor planted(const Tensor& x); }',
]
# that cannot be told for one,
UNTOLD = ['TERN_OP(planted)', 'TERN_OP(planted);', 'declare(planted);', 'Tensor (*planted)(const Tensor& x);',
          'Tensor (planted)(const Tensor& x);', 'TERN_OP(other) Tensor planted(const Tensor& x);']
# and that declare none.
NO_DECLARATIONS = [
    'using planted = std::function<Tensor(const Tensor&)>;', 'static_assert(sizeof(Tensor) == planted(8));',
    'struct Planted { Tensor planted(int by) const; Tensor weight{}; static_assert(true); };',
    'enum class Planted : std::uint8_t { planted, other };', 'class Tensor;',
    'namespace internal { TERN_API Tensor planted(const Tensor& x); }',
    '#define PLANTED(x) \\\n  Tensor x();\n']


def self_test():
    ops = public_ops(ROOT)
    for op in ('exp', 'matmul', 'where', 'sgd_step', 'from_vector', 'zeros', 'operator_add', 'operator_neg',
               'Tensor_add_', 'Tensor_operator_subscript', 'Tensor_sum', 'Tensor_t'):
        assert op in ops, f'expected {op} among the ops, got {sorted(ops)}'
    assert not any('copy_in' in op or 'destroy' in op or 'Tensor_item' == op for op in ops), sorted(ops)
    full = {'Forward', 'SinglePrecision', 'Errors', 'Gradient', 'SecondDerivative', 'Empty', 'HalfPrecision', 'Types',
            'Large'}
    assert not (VIEWS | COMPOSITES) - ops, sorted((VIEWS | COMPOSITES) - ops)
    rows = {op: full for op in ops}
    assert not complaints(ops, rows), complaints(ops, rows)
    for declaration in ESCAPES:
        names = {name for name, _, _ in declarations('namespace tern {\n' + declaration + '\n}')}
        assert names == {'planted'}, (declaration, names)
    for declaration in UNTOLD:
        try:
            names = declarations('namespace tern {\n' + declaration + '\n}')
        except SystemExit:
            continue
        raise AssertionError(f'expected a refusal of {declaration}, got {names}')
    for declaration in NO_DECLARATIONS:
        assert not declarations('namespace tern {\n' + declaration + '\n}'), declaration
    with tempfile.TemporaryDirectory() as folder:
        for path in (TENSOR, CREATION):
            os.makedirs(os.path.join(folder, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(ROOT, path), encoding='utf-8') as source:
                text = source.read()
            text = text.replace('  Tensor clone() const;', '  Tensor clone() const;\n  Tensor roll(int by) const;')
            with open(os.path.join(folder, path), 'w', encoding='utf-8') as planted:
                planted.write(text)
        os.makedirs(os.path.join(folder, OPS))
        with open(os.path.join(folder, OPS, 'planted.h'), 'w', encoding='utf-8') as planted:
            planted.write('TERN_API Tensor cumsum(const Tensor& x,\n                       int dim);\n'
                          'inline Tensor inlined(const Tensor& x) { return x; }\n'
                          '// TERN_API Tensor spoken_of(const Tensor& x);\n')
        planted_ops = public_ops(folder)
    found = complaints(planted_ops, {op: full for op in planted_ops - {'cumsum', 'inlined', 'Tensor_roll'}})
    assert [line.split(':')[0] for line in found] == ['Tensor_roll', 'cumsum', 'inlined'], found
    assert 'spoken_of' not in planted_ops
    half = {'exp': full - {'SecondDerivative'}}
    assert complaints({'exp'}, half) == ['exp: expected the check Gradient and SecondDerivative, or NoGradient, '
                                         'found none']
    small = {op: full - {'Large'} for op in ('Tensor_select', 'Tensor_sum', 'sum', 'operator_not')}
    small['logical_not'] = full
    assert complaints(set(small), small) == [f'{op}: expected the check Large, found none'
                                             for op in ('Tensor_sum', 'sum')]
    assert complaints(set(), {'gone': full}) == ['gone: expected a public op for this row, found none']
    assert listed_cases('exp.\n  Forward\n  Errors\nlog.\n  Forward  # note\n') == {
        'exp': {'Forward', 'Errors'}, 'log': {'Forward'}}
    symbols = ('                 U tern::pow(tern::Scalar, tern::Tensor const&)\n'
               '                 U tern::operator-(tern::Tensor const&)\n'
               '                 U tern::Tensor::sum() const\n'
               '                 U tern::optim::pow(int)\n0000 T tern::exp(tern::Tensor const&)\n')
    assert called(symbols) == {'pow': 1, 'operator_neg': 1, 'Tensor_sum': 1}, called(symbols)
    declared = forms(ROOT)
    assert declared['pow'] == 3 and declared['operator_neg'] == 1 and declared['Tensor_sum'] == 2, declared
    assert uncalled({'pow', 'operator_neg'}, declared, called(symbols)) == [
        'pow: expected calls of its 3 forms in tests/conformance, found 1']
    print(f'{len(ops)} ops are listed, and planted ones without a row are found')


def main():
    parser = argparse.ArgumentParser(description='The public ops and their rows.')
    parser.add_argument('--program', help='the program tests_conformance')
    parser.add_argument('--objects', nargs='+', help='the object files of that program')
    parser.add_argument('--self-test', action='store_true')
    arguments = parser.parse_args()
    if arguments.self_test:
        self_test()
        return 0
    ops = public_ops(ROOT)
    if arguments.program is None:
        print('\n'.join(sorted(ops)))
        return 0
    listed = subprocess.run([arguments.program, '--gtest_list_tests'], stdout=subprocess.PIPE, check=True)
    found = complaints(ops, listed_cases(listed.stdout.decode()))
    if arguments.objects:
        symbols = subprocess.run(['nm', '-C', '-u'] + arguments.objects, stdout=subprocess.PIPE, check=True)
        found += uncalled(ops, forms(ROOT), called(symbols.stdout.decode()))
    print('\n'.join(found) if found else f'{len(ops)} public ops, each with its row')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
