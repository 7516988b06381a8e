"""Golden results of what arranges, indexes and orders elements: make_arrange.py writes arrange.safetensors."""

import torch
import torch.nn.functional as F
from golden_tools import Golden, grid

x = grid(3, 4, 5)
nan = grid(3, 7)
nan[0, 2] = nan[1, 0] = nan[1, 5] = float("nan")
nan[2, 3], nan[2, 4] = float("inf"), -0.0
golden = Golden(
    "arrange",
    x=x,
    m=grid(4, 4, low=-1.0, high=3.0),
    s=grid(2, 3, 5, low=0.0, high=5.0),
    nan=nan,
    ties=torch.tensor([[1.0, 0.0, 1.0, -2.0, 0.0, 1.0], [3.0, 3.0, 3.0, 3.0, 3.0, 3.0]]).double(),
    rows=torch.tensor([2, 0, 2, 1]),
    cells=torch.tensor([[[0, 1, 2, 0, 1]], [[2, 2, 2, 1, 0]]]),
    some=torch.tensor([[0, 2, 2, 1, 0]]),
    once=torch.tensor([[1, 0], [3, 2]]),
    mask=(grid(4, 5) > 0.4),
    fill=grid(60, low=-3.0, high=-1.0),
    table=grid(6, 3),
    ids=torch.tensor([[5, 0, 5], [2, 2, 3]]),
)

golden.case("movedim", lambda x: x.movedim((0, 2), (1, 0)))
golden.case("split", lambda x: torch.cat(x.split(2, dim=1)[::-1], 1))
golden.case("chunk", lambda x: torch.cat(x.chunk(3, dim=2)[::-1], 2))
golden.case("unbind", lambda x: torch.stack(x.unbind(1), -1))
golden.case("flip", lambda x: x.flip(0, 2))
golden.case("roll", lambda x: x.roll((2, -1), (0, 2)))
golden.case("roll_flat", lambda x: x.roll(7))
golden.case("repeat", lambda m: m.repeat(2, 1, 3), "m")
golden.case("tile", lambda x: x.tile(2, 3))
golden.case("repeat_interleave", lambda x: x.repeat_interleave(3, dim=1))
golden.case("pad_constant", lambda x: F.pad(x, (1, -2, 0, 3), value=1.5))
golden.case("pad_reflect", lambda x: F.pad(x, (2, 1), mode="reflect"))
golden.case("pad_replicate", lambda x: F.pad(x, (2, 1), mode="replicate"))
golden.case("pad_circular", lambda x: F.pad(x, (2, 1), mode="circular"))
golden.case("diagonal", lambda x: x.diagonal(1, 2, 0))
golden.case("diag", lambda m: m.diag(-1), "m")
golden.case("tril", lambda x: x.tril(1))
golden.case("triu", lambda x: x.triu(-1))
golden.case("meshgrid", lambda a: torch.stack(torch.meshgrid(a[:3], a[3:5], indexing="xy")), "fill")

golden.case("index_select", lambda x, i: x.index_select(0, i), "x rows")
golden.case("index_add", lambda x, i, s: x.index_add(0, i, s[:, :1].expand(2, 4, 5).repeat(2, 1, 1)), "x rows s")
golden.case("index_copy", lambda x, i, s: x.index_copy(0, i[:2], s[:, :1].expand(2, 4, 5)), "x rows s")
golden.case("index_copy_last", lambda m, i, s: m.index_copy(-1, i[1], s.reshape(-1)[:8].reshape(4, 2)), "m once s")
golden.case("slice_scatter", lambda x, s: x.slice_scatter(s.reshape(3, 2, 5), 1, 0, 4, 2), "x s")
golden.case("slice_scatter_negative", lambda m, s: m.slice_scatter(s[0, :2, :4], 0, -2), "m s")
golden.case("diagonal_scatter", lambda m, s: m.diagonal_scatter(s[0, 0, :3], -1), "m s")
golden.case("diagonal_scatter_apart", lambda x, s: x.diagonal_scatter(s.reshape(-1)[:8].reshape(4, 2), 1, 2, 0), "x s")
golden.case("index_fill", lambda x, i: x.index_fill(0, i[:1], 2.5), "x rows")
golden.case("gather", lambda x, i: x.gather(0, i), "x cells")
golden.case("take_along_dim", lambda x, i: x.take_along_dim(i, 0), "x cells")
golden.case("scatter", lambda m, i, s: m.scatter(1, i, s[0, :2, :2]), "m once s")
golden.case("scatter_add", lambda x, i, s: x.scatter_add(0, i, s[:, :1]), "x cells s")
golden.case("masked_fill", lambda x, k: x.masked_fill(k, -7.0), "x mask")
golden.case("masked_select", lambda x, k: x.masked_select(k), "x mask")
golden.case("masked_scatter", lambda x, k, v: x.masked_scatter(k, v), "x mask fill")
golden.case("nonzero", lambda k: k.nonzero(), "mask")
golden.case("one_hot", lambda i: F.one_hot(i, 7), "ids")
golden.case("bincount", lambda i, v: torch.zeros(8).double().index_add(0, i.reshape(-1), v[:6]), "ids fill")
golden.case("searchsorted", lambda s, x: torch.searchsorted(s[0].sort().values, x[:, :3].sort().values[0], right=True), "s x", gradient="")

golden.case("at_slices", lambda x: x[1:, ::2, -2])
golden.case("at_ellipsis", lambda x: x[None, ..., 3])
golden.case("at_rows", lambda x, i: x[:, i, 1:], "x rows")
golden.case("at_apart", lambda x, i: x[i, :, i - 3], "x rows")
golden.case("at_neighbours", lambda x, i: x[:, i, -1 - i], "x rows")
golden.case("at_number_and_rows", lambda x, i: x[1, :, i], "x rows")
golden.case("at_mask", lambda x, k: x[:, k], "x mask")
golden.case("index_put", lambda x, i, s: x.index_put((i[:2], i[1:3]), s[0, :2]), "x rows s")
golden.case("index_put_add", lambda x, i, s: x.index_put((i, i), s[1, 1], accumulate=True), "x rows s")

golden.case("sort", lambda x: x.sort(dim=1, stable=True).values)
golden.case("sort_nan", lambda x: x.sort(stable=True).values, "nan")
golden.case("sort_nan_descending", lambda x: x.sort(stable=True, descending=True).values, "nan")
golden.case("argsort_ties", lambda x: x.sort(stable=True).indices, "ties", gradient="")
golden.case("argsort_ties_descending", lambda x: x.sort(stable=True, descending=True).indices, "ties", gradient="")
golden.case("argsort_nan", lambda x: x.sort(stable=True).indices, "nan", gradient="")
golden.case("topk", lambda x: x.topk(3, dim=2).values)
golden.case("topk_smallest", lambda x: x.topk(2, dim=0, largest=False).values)
golden.case("topk_nan", lambda x: x.topk(3).values, "nan", gradient="")
golden.case("kthvalue", lambda x: x.kthvalue(2, dim=1).values)
golden.case("median", lambda x: x.median(dim=1).values)
golden.case("median_nan", lambda x: x.median(dim=1).values, "nan", gradient="")
golden.case("unique", lambda x: x.unique(), "ties", gradient="")
golden.case("unique_inverse", lambda x: x.unique(return_inverse=True)[1], "ties", gradient="")
golden.case("unique_counts", lambda x: x.unique(return_counts=True)[1], "ties", gradient="")

golden.case("embedding", lambda w, i: F.embedding(i, w), "table ids")
golden.case("embedding_padding", lambda w, i: F.embedding(i, w, padding_idx=2), "table ids")
golden.save()
