"""What a recorded graph computes from none of its inputs is computed once, and a constant then.

A compiler puts what is elementwise into the loops that read it: identities, the nodes of a
quadrature, their exponentials are computed anew for each element, and take longer than the
products of small matrices beside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, fx
from torch.utils._pytree import tree_leaves

LARGEST = 2**20  # elements of a constant; what is larger takes more memory than it saves time


@torch.no_grad()
def fold(graph: fx.GraphModule) -> None:
    """Replaces what depends on no input, changes nothing and is no random number, in place.

    Tensors whose elements are all equal are left: those a compiler knows to be one number.
    """
    values = _constants(graph)
    for node, value in values.items():
        if node.op == "call_function" and node.users.keys() - values.keys() and _is_worth(value):
            name = f"_folded{sum(1 for _ in graph.buffers())}"
            graph.register_buffer(name, value.contiguous())
            with graph.graph.inserting_before(node):
                node.replace_all_uses_with(graph.graph.get_attr(name))
    for node in reversed(values):
        if not node.users:
            graph.graph.erase_node(node)
    graph.recompile()


def _constants(graph: fx.GraphModule) -> dict[fx.Node, Any]:
    """Computes what can be known without inputs, in the graph's order."""
    changing = _written(graph)
    values: dict[fx.Node, Any] = {}
    for node in graph.graph.nodes:
        if node in changing:
            continue
        if node.op == "get_attr":
            values[node] = fx.graph_module._get_attr(graph, node.target)
        elif _is_pure(node) and values.keys() >= set(node.all_input_nodes):
            args, kwargs = fx.map_arg((node.args, node.kwargs), values.__getitem__)
            values[node] = node.target(*args, **kwargs)
    return values


def _is_pure(node: fx.Node) -> bool:
    """Whether it is an operator that neither writes to a tensor nor draws a number."""
    operator = node.target
    return isinstance(operator, torch._ops.OpOverload) and not (
        operator._schema.is_mutable or torch.Tag.nondeterministic_seeded in operator.tags
    )


def _written(graph: fx.GraphModule) -> set[fx.Node]:
    """Finds what is written to, and what that is a view of."""
    left = [
        written
        for node in graph.graph.nodes
        if isinstance(node.target, torch._ops.OpOverload) and node.target._schema.is_mutable
        for written in _targets(node)
    ]
    found: set[fx.Node] = set()
    while left:
        node = left.pop()
        if node not in found:
            found.add(node)
            left += node.all_input_nodes if _is_view(node) else []
    return found


def _is_view(node: fx.Node) -> bool:
    """Whether it may lie where its inputs do; a part of a list lies where the list does."""
    operator = node.target
    return not isinstance(operator, torch._ops.OpOverload) or any(
        value.alias_info is not None for value in operator._schema.returns
    )


def _targets(node: fx.Node) -> Iterator[fx.Node]:
    for place, argument in enumerate(node.target._schema.arguments):  # type: ignore[union-attr]
        if argument.alias_info is not None and argument.alias_info.is_write:
            given = node.args[place] if place < len(node.args) else node.kwargs.get(argument.name)
            yield from (leaf for leaf in tree_leaves(given) if isinstance(leaf, fx.Node))


def _is_worth(value: object) -> bool:
    if not isinstance(value, Tensor) or not 1 < value.numel() <= LARGEST:
        return False
    return bool((value != value.flatten()[0]).any())
