"""Writes an MLP as an ONNX model: `onnxruntime_model.py FILE SIZE...`. Prints the folder of onnxruntime's shared library, the
output's name, and what the network answers to a row of halves."""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

sizes = list(map(int, sys.argv[2:]))
random = np.random.default_rng(1)
nodes, weights, last, answer = [], [], "x", np.full((1, sizes[0]), 0.5)
for i, (rows, columns) in enumerate(zip(sizes, sizes[1:])):
    w = random.standard_normal((rows, columns)).astype(np.float32)
    weights.append(numpy_helper.from_array(w, f"w{i}"))
    weights.append(numpy_helper.from_array(np.zeros(columns, np.float32), f"b{i}"))
    nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [f"h{i}"]))
    last, answer = f"h{i}", answer @ w
    if i < len(sizes) - 2:
        nodes.append(helper.make_node("Relu", [last], [f"r{i}"]))
        last, answer = f"r{i}", np.maximum(answer, 0)
graph = helper.make_graph(
    nodes, "mlp", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, sizes[0]])],
    [helper.make_tensor_value_info(last, TensorProto.FLOAT, [1, sizes[-1]])], weights,
)  # fmt: skip
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, sys.argv[1])
print(Path(onnxruntime.__file__).parent / "capi", last, float(answer[0, 0]))
