#!/usr/bin/env python3
"""PyTorch's side of benchmarks/gpu.cpp: the same works, sizes and rounds, one row each, "name | value | unit".

scripts/gpu runs it beside Tern's where python3 has a torch that finds the GPU. Exit status 77 without.
"""

import sys
import time

try:
    import torch
    from torch.nn import functional as F
except ImportError:
    sys.exit(77)
if not torch.cuda.is_available():
    sys.exit(77)

ROWS, COLUMNS = 1 << 15, 2048
BYTES = 4.0 * ROWS * COLUMNS
GPU = torch.device("cuda")


def seconds(work):
    """Seconds of one call: the median of nine rounds of as many calls as take 20 ms."""

    def one_round(calls):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(calls):
            work()
        torch.cuda.synchronize()
        return (time.perf_counter() - start) / calls

    one_round(3)
    calls = min(max(int(0.02 / one_round(10)), 1), 10000)
    return sorted(one_round(calls) for _ in range(9))[4]


def bandwidth(name, moved, work):
    print(f"{name} | {moved / seconds(work) * 1e-9:.0f} | GB/s", flush=True)


def bandwidths():
    with torch.no_grad():
        x, y = (torch.randn(ROWS, COLUMNS, device=GPU) for _ in range(2))
        weight, bias = torch.ones(COLUMNS, device=GPU), torch.zeros(COLUMNS, device=GPU)
        ids = torch.randint(0, ROWS, (ROWS,), device=GPU)
        classes = torch.randint(0, COLUMNS, (ROWS,), device=GPU)
        bandwidth("add", 3 * BYTES, lambda: x + y)
        bandwidth("gelu", 2 * BYTES, lambda: F.gelu(x))
        bandwidth("sum of all", BYTES, lambda: x.sum())
        bandwidth("sum of rows", BYTES, lambda: x.sum(1))
        bandwidth("sum of columns", BYTES, lambda: x.sum(0))
        bandwidth("softmax", 2 * BYTES, lambda: F.softmax(x, 1))
        bandwidth("layer_norm", 2 * BYTES, lambda: F.layer_norm(x, (COLUMNS,), weight, bias))
        bandwidth("rms_norm", 2 * BYTES, lambda: F.rms_norm(x, (COLUMNS,), weight))
        narrow, short_weight, short_bias = x.reshape(-1, 256), torch.ones(256, device=GPU), torch.zeros(256, device=GPU)
        bandwidth("softmax, rows of 256", 2 * BYTES, lambda: F.softmax(narrow, 1))
        thousands = x.reshape(-1)[:67_108_000].reshape(-1, 1000)
        bandwidth("softmax, rows of 1000", 2 * BYTES, lambda: F.softmax(thousands, 1))
        bandwidth("layer_norm, rows of 256", 2 * BYTES, lambda: F.layer_norm(narrow, (256,), short_weight, short_bias))
        bandwidth("dropout", 2 * BYTES, lambda: F.dropout(x, 0.1))
        bandwidth("rand", BYTES, lambda: torch.rand(ROWS, COLUMNS, device=GPU))
        bandwidth("embedding", 2 * BYTES, lambda: F.embedding(ids, x))
        bandwidth("cross_entropy", BYTES, lambda: F.cross_entropy(x, classes))
    x.requires_grad_()
    weight.requires_grad_()
    bias.requires_grad_()
    normal, loss = F.layer_norm(x, (COLUMNS,), weight, bias), F.cross_entropy(x, classes)
    bandwidth(
        "layer_norm, gradients",
        3 * BYTES,
        lambda: torch.autograd.grad(normal, (x, weight, bias), y, retain_graph=True),
    )
    short_weight.requires_grad_()
    short_bias.requires_grad_()
    narrow, narrow_g = F.layer_norm(x.reshape(-1, 256), (256,), short_weight, short_bias), y.reshape(-1, 256)
    bandwidth(
        "layer_norm, gradients, rows of 256",
        3 * BYTES,
        lambda: torch.autograd.grad(narrow, (x, short_weight, short_bias), narrow_g, retain_graph=True),
    )
    gate, shares = F.rms_norm(x, (COLUMNS,), weight), F.softmax(x, 1)
    bandwidth(
        "rms_norm, gradients", 3 * BYTES, lambda: torch.autograd.grad(gate, (x, weight), y, retain_graph=True)
    )
    bandwidth("softmax, gradient", 3 * BYTES, lambda: torch.autograd.grad(shares, x, y, retain_graph=True))
    bandwidth("cross_entropy, gradient", 2 * BYTES, lambda: torch.autograd.grad(loss, x, retain_graph=True))
    parameter = torch.randn(ROWS * COLUMNS, device=GPU, requires_grad=True)
    parameter.grad = torch.randn(ROWS * COLUMNS, device=GPU)
    optimizer = torch.optim.AdamW([parameter], lr=1e-3, fused=True)
    bandwidth("AdamW", 7 * BYTES, optimizer.step)
    sgd = torch.optim.SGD([parameter], lr=1e-3, momentum=0.9, fused=True)
    bandwidth("SGD with momentum", 5 * BYTES, sgd.step)
    bandwidth("the norm that clips", BYTES, lambda: torch.nn.utils.get_total_norm([parameter.grad]))


def product(name, dtype, n):
    a, b = (torch.randn(n, n, device=GPU).to(dtype) for _ in range(2))
    print(f"{name} | {2.0 * n**3 / seconds(lambda: a @ b) * 1e-12:.1f} | TF/s", flush=True)


def step(name, inputs, hidden, batch):
    model = torch.nn.Sequential(
        torch.nn.Linear(inputs, hidden),
        torch.nn.ReLU(),
        torch.nn.Linear(hidden, hidden),
        torch.nn.ReLU(),
        torch.nn.Linear(hidden, 10),
    ).to(GPU)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    x, y = torch.randn(batch, inputs, device=GPU), torch.randint(0, 10, (batch,), device=GPU)

    def once():
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    print(f"{name}, op by op | {seconds(once) * 1e6:.1f} | us a step", flush=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True, capturable=True)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            once()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    optimizer.zero_grad()
    with torch.cuda.graph(graph):
        once()
    print(f"{name}, captured | {seconds(graph.replay) * 1e6:.1f} | us a step", flush=True)


print(f"# PyTorch {torch.__version__}")
bandwidths()
product("matmul f32, 4096", torch.float32, 4096)
product("matmul bf16, 4096", torch.bfloat16, 4096)
product("matmul bf16, 8192", torch.bfloat16, 8192)
step("MLP 784-256-256-10, B = 128", 784, 256, 128)
step("MLP 784-1024-1024-10, B = 128", 784, 1024, 128)
