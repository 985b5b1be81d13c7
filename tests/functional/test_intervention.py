"""Interventions on codes."""

import math

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from iidgan.functional import intervention


def test_substitute_block_as_tensor_split():
    codes, fresh_ones = torch.zeros(3, 2, 5), torch.ones(3, 2, 5)
    value = intervention.substitute_block(codes, fresh_ones, torch.tensor([0, 1, 2]), 3)
    expected = torch.tensor([[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]])
    assert torch.equal(value, expected[:, None].expand(3, 2, 5).to(value))


def test_standardise_codes_mean_and_variance():
    codes = 3 + 2 * torch.randn(2, 50, 4, dtype=torch.float64)
    value = intervention.standardise_codes(codes)
    torch.testing.assert_close(value.mean(1), torch.zeros(2, 4).double(), atol=1e-12, rtol=0)
    torch.testing.assert_close(
        value.square().mean(1), torch.ones(2, 4).double(), rtol=1e-4, atol=0
    )
    assert intervention.standardise_codes(torch.ones(1, 3, 2)).eq(0).all()


def test_block_cross_entropy_by_hand():
    logits = torch.tensor([[[0.0, math.log(3)]], [[0.0, math.log(3)]]]).double()
    value = intervention.block_cross_entropy(logits, torch.tensor([0, 1]))
    torch.testing.assert_close(value, torch.tensor([4.0, 4 / 3]).double().log())


def test_block_cross_entropy_without_indexing():
    """A compiler guards each index, and a guard that fails takes a CUDA process with it."""

    def slope(logits, index):
        loss = intervention.block_cross_entropy(logits.requires_grad_(), index).sum()
        return torch.autograd.grad(loss, logits)

    graph = make_fx(slope)(torch.randn(2, 5, 3), torch.tensor([0, 2]))
    names = [str(node.target) for node in graph.graph.nodes if node.op == "call_function"]
    assert "aten._log_softmax.default" in names
    assert not [name for name in names if "nll" in name or "gather" in name or "index" in name]


def test_square_fitting_by_grid():
    """The closed form is that of densities summed on a grid that the squares fit."""
    cells = 20
    shifts = torch.arange(0, 2 * cells + 1).double() / cells
    two_squares, four_squares = intervention.shifted_square_divergences(shifts)
    for shift, of_two, of_four in zip(range(2 * cells + 1), two_squares, four_squares):
        grid = torch.zeros(4, 3 * cells, 2 * cells).double()
        near, far = slice(0, cells), slice(shift, shift + cells)
        low, high = slice(0, cells), slice(cells, 2 * cells)
        for density, x, y in zip(grid, (near, far, near, far), (low, high, high, low)):
            density[x, y] = 1
        for squares, value in ((grid[:2], of_two), (grid, of_four)):
            mixed = squares.mean(0)
            entropy = -torch.xlogy(mixed, mixed).sum() / cells**2  # that of each square is 0
            torch.testing.assert_close(value, entropy)
    assert four_squares[0].item() == pytest.approx(math.log(2))
    assert four_squares[-1].item() == pytest.approx(math.log(4))
