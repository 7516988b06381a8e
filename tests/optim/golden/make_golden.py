"""Writes the golden files of tests/optim with PyTorch: python3 make_golden.py

parity.safetensors: 20 steps of training an MLP 8-16-8-1 (ReLU, Tanh, binary cross-entropy) on batches of 16 of 64 rows, in
order. Initial weights and rows are exact in float32. For each case: the losses and the last weights in float64, and the
Euclidean distance of PyTorch's own float32 run from them.
lbfgs.safetensors: Rosenbrock's function and a logistic regression on those rows, the parameters and losses of each step.
schedules.safetensors: learning rates step by step. clip.safetensors: gradients before and after clip_grad_norm_
and clip_grad_value_.
"""

import pathlib

import safetensors.torch
import torch

here = pathlib.Path(__file__).parent
torch.set_num_threads(1)
torch.manual_seed(11)


def network():
    return torch.nn.Sequential(
        torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
    )


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of Chen et al., arXiv 2302.06675."""

    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                c = beta1 * m + (1 - beta1) * p.grad
                p -= group["lr"] * (torch.sign(c) + group["weight_decay"] * p)
                m.copy_(beta2 * m + (1 - beta2) * p.grad)


initial = network()
x = torch.randn(64, 8)
y = (x[:, :1] - 0.5 * x[:, 1:2] * x[:, 2:3] + 0.3 * torch.randn(64, 1) > 0).float()

cases = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-2),
    "sgd_plain": lambda p: torch.optim.SGD(p, lr=0.5),
    "sgd_dampened": lambda p: torch.optim.SGD(p, lr=0.2, momentum=0.8, dampening=0.3),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=5e-2),
    "adamw_betas": lambda p: torch.optim.AdamW(p, lr=3e-3, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.0),
    "adamw_amsgrad": lambda p: torch.optim.AdamW(p, lr=2e-2, betas=(0.7, 0.6), amsgrad=True),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-2),
    "adam_decay": lambda p: torch.optim.Adam(p, lr=1e-2, betas=(0.8, 0.9), eps=1e-5, weight_decay=0.1),
    "adam_amsgrad": lambda p: torch.optim.Adam(p, lr=2e-2, betas=(0.7, 0.6), amsgrad=True),
    "nadam": lambda p: torch.optim.NAdam(p, lr=1e-2, weight_decay=0.05),
    "nadam_decoupled": lambda p: torch.optim.NAdam(
        p, lr=2e-2, betas=(0.8, 0.9), weight_decay=0.05, momentum_decay=0.3, decoupled_weight_decay=True
    ),
    "radam": lambda p: torch.optim.RAdam(p, lr=2e-2, weight_decay=0.05),
    "radam_decoupled": lambda p: torch.optim.RAdam(
        p, lr=2e-2, betas=(0.8, 0.9), eps=1e-4, weight_decay=0.05, decoupled_weight_decay=True
    ),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-3),
    "rmsprop_momentum": lambda p: torch.optim.RMSprop(p, lr=1e-3, alpha=0.9, momentum=0.8, weight_decay=0.05),
    "rmsprop_centered": lambda p: torch.optim.RMSprop(p, lr=1e-3, eps=1e-3, centered=True),
    "rmsprop_both": lambda p: torch.optim.RMSprop(p, lr=1e-3, alpha=0.8, eps=1e-2, centered=True, momentum=0.5),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05),
    "adagrad_set": lambda p: torch.optim.Adagrad(
        p, lr=0.1, lr_decay=0.1, weight_decay=0.05, initial_accumulator_value=0.2, eps=1e-6
    ),
    "adadelta": lambda p: torch.optim.Adadelta(p),
    "adadelta_set": lambda p: torch.optim.Adadelta(p, lr=0.5, rho=0.8, eps=1e-4, weight_decay=0.05),
    "lion": lambda p: Lion(p, lr=1e-3),
    "lion_decay": lambda p: Lion(p, lr=3e-3, betas=(0.8, 0.9), weight_decay=0.1),
    "climbing": lambda p: torch.optim.AdamW(p, lr=1e-2, maximize=True),
    "sgd_climbing": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.5, weight_decay=1e-2, maximize=True),
}


def train(make, dtype):
    torch.set_default_dtype(dtype)  # that of NAdam's running product
    net = network().to(dtype)
    net.load_state_dict({k: v.to(dtype) for k, v in initial.state_dict().items()})
    optimizer = make(net.parameters())
    losses = []
    for step in range(20):
        rows = slice(16 * (step % 4), 16 * (step % 4) + 16)
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(x[rows].to(dtype)), y[rows].to(dtype))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    torch.set_default_dtype(torch.float32)
    return net.state_dict(), torch.tensor(losses, dtype=torch.float64)


out = {"x": x, "y": y}
out |= {"initial." + k: v for k, v in initial.state_dict().items()}
for name, make in cases.items():
    exact, losses = train(make, torch.float64)
    single, _ = train(make, torch.float32)
    out |= {f"{name}.f64.{k}": v for k, v in exact.items()}
    out[f"{name}.losses"] = losses
    squares = [((single[k].double() - v) ** 2).sum() for k, v in exact.items()]
    out[f"{name}.f32_error"] = torch.stack(squares).sum().sqrt()
safetensors.torch.save_file({k: v.contiguous() for k, v in out.items()}, here / "parity.safetensors")


def averages():
    """Averages of the weights over 20 steps of an MLP 8-4-1. (The rules for many tensors divide in float32.)"""
    torch.manual_seed(5)
    averaging = torch.optim.swa_utils
    first = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)).double()
    result = {"x": x.double(), "y": y.double()} | {f"initial.{k}": v.clone() for k, v in first.state_dict().items()}
    for kind, rule in {"ema": averaging.get_ema_avg_fn(0.9), "swa": averaging.get_swa_avg_fn()}.items():
        net = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)).double()
        net.load_state_dict(first.state_dict())
        average = averaging.AveragedModel(net, avg_fn=rule)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
        for _ in range(20):
            optimizer.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(net(x.double()), y.double()).backward()
            optimizer.step()
            average.update_parameters(net)
        result |= {f"{kind}.{k}": v for k, v in average.state_dict().items()}
    return {k: v.contiguous().clone() for k, v in result.items()}


safetensors.torch.save_file(averages(), here / "average.safetensors")


def rosenbrock():
    z = torch.nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    return [z], lambda: 100 * (z[1] - z[0] ** 2) ** 2 + (1 - z[0]) ** 2


def regression():
    net = torch.nn.Linear(8, 1).double()
    torch.nn.init.zeros_(net.weight)
    torch.nn.init.zeros_(net.bias)
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    return list(net.parameters()), lambda: loss(net(x.double()), y.double()) + 0.01 * net.weight.square().sum()


def minimise(problem, steps, **options):
    parameters, loss = problem()
    optimizer = torch.optim.LBFGS(parameters, **options)

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    losses, points = [], []
    for _ in range(steps):
        losses.append(optimizer.step(closure).item())
        points.append(torch.cat([p.detach().flatten() for p in parameters]))
    state = optimizer.state[parameters[0]]
    counts = torch.tensor([state["n_iter"], state["func_evals"]])
    return {"losses": torch.tensor(losses, dtype=torch.float64), "points": torch.stack(points), "counts": counts}


lbfgs = {
    "rosenbrock": minimise(rosenbrock, 10, lr=0.5, max_iter=4, line_search_fn="strong_wolfe"),
    "rosenbrock_plain": minimise(rosenbrock, 12, lr=0.2, max_iter=5, history_size=3),
    "regression": minimise(regression, 3, line_search_fn="strong_wolfe"),
    "regression_plain": minimise(regression, 4, lr=0.8, max_iter=6, history_size=5),
    "rosenbrock_one": minimise(rosenbrock, 12, max_iter=1, line_search_fn="strong_wolfe"),
    "rosenbrock_two": minimise(rosenbrock, 12, max_iter=6, max_eval=3, line_search_fn="strong_wolfe"),
    "regression_few": minimise(regression, 5, max_iter=10, max_eval=4, line_search_fn="strong_wolfe", history_size=2),
}
flat = {f"{case}.{name}": tensor for case, result in lbfgs.items() for name, tensor in result.items()}
safetensors.torch.save_file(flat, here / "lbfgs.safetensors")


def rates(make, steps, lr=0.1):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    schedule = make(optimizer)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(values) < steps:
            schedule.step()
    return torch.tensor(values, dtype=torch.float64)


s = torch.optim.lr_scheduler


def warmed(optimizer, warmup, after):
    rise = s.LinearLR(optimizer, start_factor=0.1, total_iters=warmup)
    return s.SequentialLR(optimizer, [rise, after], milestones=[warmup])


def plateau(make, figures, lr=0.1):
    """Rates of two groups after each figure."""
    a, b = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    optimizer = torch.optim.SGD([{"params": [a]}, {"params": [b], "lr": lr / 3}], lr=lr)
    schedule = make(optimizer)
    values = []
    for figure in figures:
        schedule.step(figure)
        values.append([group["lr"] for group in optimizer.param_groups])
    return torch.tensor(values, dtype=torch.float64)


# Falls, stands still, falls a little, rises.
figures = [1 / (1 + 0.3 * i) for i in range(10)] + [0.25] * 15 + [0.2499 - 1e-5 * i for i in range(15)] + [0.3] * 10

schedules = {
    "cosine": rates(lambda o: s.CosineAnnealingLR(o, T_max=50), 51),
    "cosine_min": rates(lambda o: s.CosineAnnealingLR(o, T_max=37, eta_min=0.01), 38),
    "linear": rates(lambda o: s.LinearLR(o, start_factor=1.0, end_factor=0.2, total_iters=40), 45),
    "warmup": rates(lambda o: s.LinearLR(o, start_factor=0.1, total_iters=10), 30),
    "warmup_cosine": rates(lambda o: warmed(o, 8, s.CosineAnnealingLR(o, T_max=42)), 51),
    "one_cycle": rates(lambda o: s.OneCycleLR(o, max_lr=0.1, total_steps=60), 60),
    "one_cycle_set": rates(
        lambda o: s.OneCycleLR(o, max_lr=0.3, total_steps=33, pct_start=0.4, div_factor=10, final_div_factor=100), 33
    ),
    "step": rates(lambda o: s.StepLR(o, step_size=7, gamma=0.3), 50),
    "multi_step": rates(lambda o: s.MultiStepLR(o, milestones=[5, 6, 30], gamma=0.2), 50),
    "exponential": rates(lambda o: s.ExponentialLR(o, gamma=0.93), 50),
    "polynomial": rates(lambda o: s.PolynomialLR(o, total_iters=40, power=1.7), 50),
    "restarts": rates(lambda o: s.CosineAnnealingWarmRestarts(o, T_0=9), 50),
    "restarts_longer": rates(lambda o: s.CosineAnnealingWarmRestarts(o, T_0=5, T_mult=2, eta_min=0.01), 50),
    "warmup_step": rates(lambda o: warmed(o, 8, s.StepLR(o, step_size=10, gamma=0.5)), 50),
    "constant": rates(lambda o: s.ConstantLR(o, factor=0.25, total_iters=12), 50),
    "lambda": rates(lambda o: s.LambdaLR(o, lambda t: 1 / (1 + t) ** 0.5), 50),
    "chained": rates(
        lambda o: s.ChainedScheduler(
            [s.ConstantLR(o, factor=0.25, total_iters=12), s.ExponentialLR(o, gamma=0.95), s.StepLR(o, step_size=20)]
        ),
        50,
    ),
    "sequential": rates(
        lambda o: s.SequentialLR(
            o,
            [
                s.LinearLR(o, start_factor=0.1, total_iters=10),
                s.CosineAnnealingWarmRestarts(o, T_0=8),
                s.ExponentialLR(o, gamma=0.9),
            ],
            milestones=[10, 34],
        ),
        50,
    ),
    "figures": torch.tensor(figures, dtype=torch.float64),
    "plateau": plateau(lambda o: s.ReduceLROnPlateau(o, factor=0.5, patience=3), figures),
    "plateau_set": plateau(
        lambda o: s.ReduceLROnPlateau(
            o, factor=0.3, patience=2, threshold=1e-3, threshold_mode="abs", cooldown=4, min_lr=[0.02, 0.02 / 3]
        ),
        figures,
    ),
    "plateau_max": plateau(lambda o: s.ReduceLROnPlateau(o, mode="max", factor=0.9, patience=1), figures),
    "plateau_epsilon": plateau(lambda o: s.ReduceLROnPlateau(o, factor=0.7, patience=0, eps=0.004), figures),
}
safetensors.torch.save_file(schedules, here / "schedules.safetensors")

a, b = torch.randn(5, 3, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
clip = {"a": a.clone(), "b": b.clone()}
parameters = [torch.nn.Parameter(torch.zeros_like(t)) for t in (a, b)]
parameters[0].grad, parameters[1].grad = a, b
clip["norm"] = torch.nn.utils.clip_grad_norm_(parameters, 0.7)
clip |= {"a_clipped": a, "b_clipped": b}
for parameter, before in zip(parameters, (clip["a"], clip["b"])):
    parameter.grad = before.clone()
torch.nn.utils.clip_grad_value_(parameters, 0.4)
clip |= {"a_by_value": parameters[0].grad, "b_by_value": parameters[1].grad}
safetensors.torch.save_file(clip, here / "clip.safetensors")
