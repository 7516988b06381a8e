"""Prints the seconds of one row through an MLP in ONNX Runtime from Python: the layers' sizes, then `THREADS`, are the arguments."""

import statistics
import sys
import time

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

*sizes, threads = map(int, sys.argv[1:])
random = np.random.default_rng(1)
nodes, weights, last = [], [], "x"
for i, (rows, columns) in enumerate(zip(sizes, sizes[1:])):
    weights.append(numpy_helper.from_array(random.standard_normal((rows, columns)).astype(np.float32), f"w{i}"))
    weights.append(numpy_helper.from_array(np.zeros(columns, np.float32), f"b{i}"))
    nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [f"h{i}"]))
    last = f"h{i}"
    if i < len(sizes) - 2:
        nodes.append(helper.make_node("Relu", [last], [f"r{i}"]))
        last = f"r{i}"
graph = helper.make_graph(
    nodes, "mlp", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, sizes[0]])],
    [helper.make_tensor_value_info(last, TensorProto.FLOAT, [1, sizes[-1]])], weights,
)  # fmt: skip
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
# Bound once: what is left of Python is one call.
binding = session.io_binding()
binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(random.standard_normal((1, sizes[0])).astype(np.float32)))
binding.bind_ortvalue_output(last, onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros((1, sizes[-1]), np.float32)))
step, bound = session._sess.run_with_iobinding, binding._iobinding
batches = []
for _ in range(15):
    start = time.perf_counter()
    for _ in range(2000):
        step(bound, None)
    batches.append((time.perf_counter() - start) / 2000)
print(statistics.median(batches))
