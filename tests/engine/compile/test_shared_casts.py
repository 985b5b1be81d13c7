"""Equal conversions to bfloat16 are shared, and no bit changes."""

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from iidgan.engine.compile.shared_casts import share_casts

BF16 = torch.bfloat16
W, X = torch.tensor([[1.001, 2.003], [3.005, 4.007]]), torch.tensor([[1.0, 2.0]])


def count_casts(graph):
    casts = [n for n in graph.graph.nodes if n.target is torch.ops.aten._to_copy.default]
    return sum(node.kwargs["dtype"] == BF16 for node in casts)


def use_twice(w, x):
    return x.to(BF16) @ w.to(BF16) + (2 * x).to(BF16) @ w.to(BF16)


def use_equal_views(w, x):
    return w.flatten().to(BF16) + w.flatten().to(BF16)


def use_different_views(w, x):
    return w.mT.to(BF16) + w.to(BF16)


def use_other_dtype(w, x):
    return w.to(torch.float64) + w.to(torch.float64)


def update_between(w, x):
    before = w.to(BF16)
    w.add_(1)
    return before + w.to(BF16) + w.to(BF16)


def update_view_between(w, x):
    before = w.to(BF16)
    w[0].add_(1)
    return before + w.to(BF16)


def update_part_between(w, x):
    before = w.to(BF16)
    w.split(1)[0].add_(1)
    return before + w.to(BF16)


def update_base_of_view_between(w, x):
    before = w.split(1)[0].to(BF16)
    w.add_(1)
    return before + w.split(1)[0].to(BF16)


def update_list_between(w, x):
    before = w.to(BF16)
    torch._foreach_add_([x, w], 1)
    return before + w.to(BF16)


def update_other_between(w, x):
    before = w.to(BF16)
    x.add_(1)
    return before + w.to(BF16)


def update_cast(w, x):
    changed = w.to(BF16)
    changed.mul_(2)
    return changed + w.to(BF16)


@pytest.mark.parametrize(
    ("function", "num_casts"),
    [
        (use_twice, 3),
        (use_equal_views, 1),
        (use_different_views, 2),
        (use_other_dtype, 0),
        (update_between, 2),
        (update_view_between, 2),
        (update_part_between, 2),
        (update_base_of_view_between, 2),
        (update_list_between, 2),
        (update_other_between, 1),
        (update_cast, 2),
    ],
)
def test_share_casts(function, num_casts):
    graph = make_fx(function)(W.clone(), X.clone())
    expected = graph(W.clone(), X.clone())
    share_casts(graph)
    assert count_casts(graph) == num_casts
    assert torch.equal(graph(W.clone(), X.clone()), expected)


def test_share_casts_keeps_gradients_in_float32():
    """Each use converts its own gradient back, and these are added in float32."""

    def compute_gradient(w, x):
        loss = (x.to(BF16) @ w.to(BF16)).float().sum() + 2**-9 * (x.to(BF16) @ w.to(BF16)).sum()
        return torch.autograd.grad(loss, w)[0]

    w = W.clone().requires_grad_()
    graph = make_fx(compute_gradient)(w, X)
    share_casts(graph)
    assert count_casts(graph) == 4  # of w, of x, and of two gradients of sums
    gradient = graph(w, X)
    assert gradient.dtype == torch.float32
    # 1 + 2^-9, which bfloat16 would round to 1
    assert torch.equal(gradient, (1 + 2**-9) * X.T.expand(2, 2))
