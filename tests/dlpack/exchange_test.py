"""Tensors to NumPy and PyTorch and back by DLPack, through capsules of both forms.

    exchange_test.py LIBRARY

Runs in the Python that TERN_PYTHON names, else in this one; exits with 77 where that has neither library.
"""

import ctypes
import gc
import os
import sys

NAMES = {0: b'dltensor', 1: b'dltensor_versioned'}
USED = {0: b'used_dltensor', 1: b'used_dltensor_versioned'}
TYPES = ['f64', 'f32', 'f16', 'i64', 'i32', 'u8', 'bool']
CALLED = {'f64': 'float64', 'f32': 'float32', 'f16': 'float16', 'bf16': 'bfloat16', 'i64': 'int64', 'i32': 'int32',
          'u8': 'uint8', 'bool': 'bool'}

api = ctypes.pythonapi
api.PyCapsule_New.restype = ctypes.py_object
api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
api.PyCapsule_SetName.argtypes = [ctypes.py_object, ctypes.c_char_p]
api.PyCapsule_GetName.restype = ctypes.c_char_p
api.PyCapsule_GetName.argtypes = [ctypes.py_object]
Destructor = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
# The same functions for a capsule that is being destroyed, which must not be made an object again.
is_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(('PyCapsule_IsValid', api))
pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(('PyCapsule_GetPointer', api))


def load(path):
    library = ctypes.CDLL(path)
    for name in ('make', 'transposed', 'lend', 'take'):
        getattr(library, name).restype = ctypes.c_void_p
    for name in ('error', 'describe'):
        getattr(library, name).restype = ctypes.c_char_p
    for name in ('transposed', 'drop', 'add_one', 'describe'):
        getattr(library, name).argtypes = [ctypes.c_void_p]
    for name in ('lend', 'give_back', 'take'):
        getattr(library, name).argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.make.argtypes = [ctypes.c_char_p]
    return library


tern = None


@Destructor
def destroy(capsule):
    for versioned, name in NAMES.items():
        if is_valid(capsule, name):
            tern.give_back(pointer_of(capsule, name), versioned)


class Tensor:
    """Tern's, as Python's protocol has it."""

    def __init__(self, handle):
        self.handle = handle
        if not handle:
            raise RuntimeError(tern.error().decode())

    def __del__(self):
        tern.drop(self.handle)

    def __dlpack_device__(self):
        return 1, 0

    def __dlpack__(self, max_version=None, **_):
        versioned = int(max_version is not None and max_version[0] >= 1)
        lent = tern.lend(self.handle, versioned)
        if not lent:
            raise BufferError(tern.error().decode())
        return api.PyCapsule_New(lent, NAMES[versioned], ctypes.cast(destroy, ctypes.c_void_p))

    def transposed(self):
        return Tensor(tern.transposed(self.handle))

    def add_one(self):
        if not tern.add_one(self.handle):
            raise RuntimeError(tern.error().decode())

    def __str__(self):
        return tern.describe(self.handle).decode()


def made(dtype):
    return Tensor(tern.make(dtype.encode()))


def taken(capsule):
    """Tern's tensor over what a capsule holds; the capsule counts as used only when that succeeds."""
    name = api.PyCapsule_GetName(capsule)
    versioned = int(name == NAMES[1])
    tensor = Tensor(tern.take(pointer_of(id(capsule), NAMES[versioned]), versioned))
    api.PyCapsule_SetName(capsule, USED[versioned])
    return tensor


def text(dtype, shape, values):
    return f'{dtype} {list(shape)}' + ''.join(f' {value:f}' for value in values)


def refused(call, kind, words):
    try:
        call()
    except kind as error:
        assert words in str(error), error
    else:
        raise AssertionError(f'expected {kind.__name__} with "{words}", got none')


def to_peer(peer, types, strides):
    """Tern's tensors as the peer's: values, strides, writes both ways, and release of the memory once."""
    for dtype in types:
        expected = [0, 1, 1, 1, 1, 1] if dtype == 'bool' else [0, 1, 2, 3, 4, 5]
        before = tern.memory_released()
        tensor = made(dtype)
        theirs, turned = peer.from_dlpack(tensor), peer.from_dlpack(tensor.transposed())
        assert str(theirs.dtype).split('.')[-1] == CALLED[dtype], (dtype, theirs.dtype)
        assert [float(x) for x in theirs.flatten().tolist()] == expected, (dtype, theirs)
        assert tuple(turned.shape) == (3, 2) and strides(turned) == (1, 3), turned
        assert float(turned[0, 1]) == expected[3]
        if dtype != 'bool':
            tensor.add_one()
            assert float(theirs[1, 2]) == 6
            theirs[0, 0] = 7
            assert str(tensor) == text(dtype, [2, 3], [7, 2, 3, 4, 5, 6]), str(tensor)
        del tensor, theirs
        gc.collect()
        assert tern.memory_released() == before, 'released while the transpose is in use'
        del turned
        gc.collect()
        assert tern.memory_released() == before + 1, f'{tern.memory_released() - before} releases'
    before = tern.memory_released()
    for version in (None, (1, 1)):
        unused = made('f32').__dlpack__(max_version=version)
        del unused
    gc.collect()
    assert tern.memory_released() == before + 2


def from_peer(make, types, versions):
    """The peer's tensors as Tern's: values, strides, writes both ways, and the peer's own count of references."""
    for dtype in types:
        values = [0, 1, 1, 1, 1, 1] if dtype == 'bool' else [0, 1, 2, 3, 4, 5]
        for version in versions:
            theirs = make(dtype)
            count = sys.getrefcount(theirs)
            ours = taken(theirs.__dlpack__(**({'max_version': version} if version else {})))
            assert str(ours) == text(dtype, [2, 3], values), (dtype, str(ours))
            turned = taken(theirs.T.__dlpack__(**({'max_version': version} if version else {})))
            assert str(turned) == text(dtype, [3, 2], [values[i] for i in (0, 3, 1, 4, 2, 5)])
            if dtype != 'bool':
                turned.add_one()
                assert float(theirs[1, 2]) == 6
            theirs[0, 1] = 0
            assert str(ours).split()[4] == '0.000000', str(ours)
            del ours, turned
            gc.collect()
            assert sys.getrefcount(theirs) == count, 'the peer was not given its memory back'


def with_numpy(numpy):
    versions = [None, (1, 1)] if numpy.lib.NumpyVersion(numpy.__version__) >= '2.1.0' else [None]
    to_peer(numpy, TYPES, lambda x: tuple(s // x.itemsize for s in x.strides))

    def make(dtype):
        return numpy.arange(6).reshape(2, 3).astype(CALLED[dtype])

    from_peer(make, TYPES, versions)
    x = make('f32')
    assert str(taken(x[:, ::2].__dlpack__())) == text('f32', [2, 2], [0, 2, 3, 5])
    assert str(taken(numpy.zeros((0, 3)).__dlpack__())) == 'f64 [0, 3]'
    assert str(taken(numpy.array(2, 'float32').__dlpack__())) == 'f32 [] 2.000000'
    refused(lambda: taken(x[:, ::-1].__dlpack__()), RuntimeError, 'expected strides of at least 0, got -1')
    refused(lambda: taken(x.astype('complex64').__dlpack__()), RuntimeError, 'got code 5 of 64 bits')
    refused(lambda: taken(numpy.zeros([1] * 9).__dlpack__()), RuntimeError, 'expected at most 8 dimensions, got 9')
    if len(versions) > 1:
        x.flags.writeable = False
        fixed = taken(x.__dlpack__(max_version=(1, 1)))
        refused(fixed.add_one, RuntimeError, 'lent for reading')
        assert not numpy.from_dlpack(fixed).flags.writeable
        refused(lambda: fixed.__dlpack__(), BufferError, 'lent for reading')


def with_torch(torch):
    types = TYPES + ['bf16']
    to_peer(torch, types, lambda x: x.stride())
    from_peer(lambda dtype: torch.arange(6).reshape(2, 3).to(getattr(torch, CALLED[dtype])), types, [None, (1, 1)])
    odd = torch.tensor([1.00390625, -3.0e38, float('inf'), 2.0 ** -133], dtype=torch.float64).to(torch.bfloat16)
    assert torch.equal(torch.from_dlpack(taken(odd.__dlpack__())), odd)
    assert str(taken(torch.zeros(2, 0).__dlpack__())) == 'f32 [2, 0]'


def main():
    wanted = os.environ.get('TERN_PYTHON')
    if wanted and not os.environ.get('TERN_EXCHANGE'):
        os.execvpe(wanted, [wanted] + sys.argv, dict(os.environ, TERN_EXCHANGE='1'))
    global tern
    tern = load(sys.argv[1])
    done = []
    for name, check in (('numpy', with_numpy), ('torch', with_torch)):
        try:
            peer = __import__(name)
        except ImportError:
            print(f'{name}: skipped, this Python has none')
            continue
        check(peer)
        print(f'{name} {peer.__version__}: exchanged')
        done.append(name)
    return 0 if done else 77


if __name__ == '__main__':
    sys.exit(main())
