"""Constant folding replaces constants and nothing else."""

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from iidgan.engine.compile.constant_folding import fold_constants


def fold(function, *inputs):
    graph = make_fx(function)(*inputs)
    fold_constants(graph)
    return graph


def operators(graph):
    return {str(node.target) for node in graph.graph.nodes if node.op == "call_function"}


X = torch.arange(9.0).view(3, 3)


def test_fold_constants_without_inputs():
    graph = fold(lambda x: x - torch.arange(3.0).sinh().exp() * torch.eye(3), X)
    assert operators(graph) == {"aten.sub.Tensor"}
    torch.testing.assert_close(graph(X), X - torch.arange(3.0).sinh().exp() * torch.eye(3))


def test_fold_constants_keeps_uniform_tensors():
    graph = fold(lambda x: x + torch.full((3, 3), 2.0), X)
    assert "aten.full.default" in operators(graph)


def test_fold_constants_keeps_random_numbers():
    graph = fold(lambda x: x + torch.rand(3) * torch.arange(3.0), X)
    assert "aten.rand.default" in operators(graph)
    assert not torch.equal(graph(X), graph(X))


def write_in_place(x):
    changed = torch.eye(3)
    changed.add_(x)
    return changed + torch.eye(3)


def write_by_view(x):
    changed = torch.eye(3)
    changed.diagonal().add_(x[0])
    return changed


def write_in_part(x):
    changed = torch.arange(6.0)
    changed.split(3)[0].mul_(x[0])
    return changed


@pytest.mark.parametrize("function", [write_in_place, write_by_view, write_in_part])
def test_fold_constants_keeps_mutated_tensors(function):
    graph = fold(function, X)
    for _ in range(2):
        assert torch.equal(graph(X), function(X))
    assert torch.equal(graph(2 * X), function(2 * X))


def test_fold_constants_folds_unmutated_copy():
    assert "aten.eye.default" in operators(fold(write_in_place, X))
    graph = fold(lambda x: (x - torch.eye(3)).masked_fill_(x > 2, 0.0), X)
    assert "aten.eye.default" not in operators(graph)


def test_fold_constants_of_existing_constants():
    nodes = torch.tensor([0.5, 1.5, 2.5])
    graph = fold(lambda x: x * nodes.cosh(), X)
    assert operators(graph) == {"aten.mul.Tensor"}
    torch.testing.assert_close(graph(X), X * nodes.cosh())
