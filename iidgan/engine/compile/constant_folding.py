"""Constant folding: replace what a captured graph computes from no input by constants.

A compiler moves elementwise operations into the loops that read them. Identity matrices,
quadrature nodes and their exponentials would be recomputed for each element, which takes longer
than the products of small matrices next to them.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, fx

from iidgan.engine.compile.inductor import Operator, is_random
from iidgan.engine.compile.mutation import find_mutated_nodes, is_writing

MAX_ELEMENTS = 2**20  # larger constants cost more memory than they save time


@torch.no_grad()
def fold_constants(graph: fx.GraphModule) -> None:
    """Replace nodes that depend on no input, mutate nothing and draw no random number, in place.

    Tensors whose elements are all equal are left alone: compilers treat them as one number.

    Arguments:
        graph: Captured graph of tensor operations.
    """
    constants = _evaluate_constants(graph)
    for node, value in constants.items():
        is_read_elsewhere = bool(node.users.keys() - constants.keys())
        if node.op == "call_function" and is_read_elsewhere and _is_worth_storing(value):
            buffer_name = f"_folded{sum(1 for _ in graph.buffers())}"
            graph.register_buffer(buffer_name, value.contiguous())
            with graph.graph.inserting_before(node):
                node.replace_all_uses_with(graph.graph.get_attr(buffer_name))
    for node in reversed(constants):
        if not node.users:
            graph.graph.erase_node(node)
    graph.recompile()


def _evaluate_constants(graph: fx.GraphModule) -> dict[fx.Node, Any]:
    """Compute the values of all nodes that do not depend on inputs, in the graph's order."""
    mutated_nodes = find_mutated_nodes(graph)
    constants: dict[fx.Node, Any] = {}
    for node in graph.graph.nodes:
        if node in mutated_nodes:
            continue
        if node.op == "get_attr":
            constants[node] = attrgetter(node.target)(graph)
        elif _is_pure(node) and constants.keys() >= set(node.all_input_nodes):
            args, kwargs = fx.map_arg((node.args, node.kwargs), constants.__getitem__)
            constants[node] = node.target(*args, **kwargs)
    return constants


def _is_pure(node: fx.Node) -> bool:
    """Return whether the node is an operator that neither writes to a tensor nor is random."""
    operator = node.target
    return isinstance(operator, Operator) and not (is_writing(node) or is_random(operator))


def _is_worth_storing(value: object) -> bool:
    if not isinstance(value, Tensor) or not 1 < value.numel() <= MAX_ELEMENTS:
        return False
    return bool((value != value.flatten()[0]).any())
