"""Constants of recorded graphs: computed once, and nothing else is touched."""

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from iidgan.engine.compile.constant_folding import fold


def _folded(function, *inputs):
    graph = make_fx(function)(*inputs)
    fold(graph)
    return graph


def _operators(graph):
    return {str(node.target) for node in graph.graph.nodes if node.op == "call_function"}


X = torch.arange(9.0).view(3, 3)


def test_what_depends_on_no_input_becomes_a_constant():
    graph = _folded(lambda x: x - torch.arange(3.0).sinh().exp() * torch.eye(3), X)
    assert _operators(graph) == {"aten.sub.Tensor"}
    torch.testing.assert_close(graph(X), X - torch.arange(3.0).sinh().exp() * torch.eye(3))


def test_equal_elements_stay_a_number_to_the_compiler():
    graph = _folded(lambda x: x + torch.full((3, 3), 2.0), X)
    assert "aten.full.default" in _operators(graph)


def test_random_numbers_are_drawn_each_time():
    graph = _folded(lambda x: x + torch.rand(3) * torch.arange(3.0), X)
    assert "aten.rand.default" in _operators(graph)
    assert not torch.equal(graph(X), graph(X))


def _own(x):
    changed = torch.eye(3)
    changed.add_(x)
    return changed + torch.eye(3)


def _by_view(x):
    changed = torch.eye(3)
    changed.diagonal().add_(x[0])
    return changed


def _in_part(x):
    changed = torch.arange(6.0)
    changed.split(3)[0].mul_(x[0])
    return changed


@pytest.mark.parametrize("function", [_own, _by_view, _in_part])
def test_what_is_written_to_is_made_anew_each_time(function):
    graph = _folded(function, X)
    for _ in range(2):
        assert torch.equal(graph(X), function(X))
    assert torch.equal(graph(2 * X), function(2 * X))


def test_only_the_written_one_of_two_is_made_anew():
    assert "aten.eye.default" in _operators(_folded(_own, X))
    graph = _folded(lambda x: (x - torch.eye(3)).masked_fill_(x > 2, 0.0), X)
    assert "aten.eye.default" not in _operators(graph)


def test_constants_that_were_there_serve_those_made_of_them():
    nodes = torch.tensor([0.5, 1.5, 2.5])
    graph = _folded(lambda x: x * nodes.cosh(), X)
    assert _operators(graph) == {"aten.mul.Tensor"}
    torch.testing.assert_close(graph(X), X * nodes.cosh())
