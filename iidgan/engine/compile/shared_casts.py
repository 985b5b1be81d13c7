"""Shared conversions to bfloat16: a captured graph converts each weight once between its updates.

Autocast converts a weight wherever a network is evaluated, so that the discriminator's are
converted for real samples and again for generated ones. Gradients stay as they are, one conversion
to float32 for each use, and are added in float32.
"""

from __future__ import annotations

from collections import Counter

import torch
from torch import fx

from iidgan.engine.compile.inductor import CONVERSION
from iidgan.engine.compile.mutation import (
    find_mutated_nodes,
    is_writing,
    list_written_nodes,
    may_be_view,
)


def share_casts(graph: fx.GraphModule) -> None:
    """Replace equal conversions to bfloat16 by the first one, in place.

    Two are equal if they convert the same view of the same tensor, to which nothing is written
    between them.

    Arguments:
        graph: Captured graph of tensor operations.
    """
    mutated_nodes = find_mutated_nodes(graph)
    num_writes: Counter[fx.Node] = Counter()
    first_casts: dict[object, fx.Node] = {}
    for node in list(graph.graph.nodes):
        if is_writing(node):
            num_writes.update({_describe_view(n)[0] for n in list_written_nodes(node)})
        elif _is_cast(node) and node not in mutated_nodes:
            tensor, view = _describe_view(node.all_input_nodes[0])
            key = tensor, num_writes[tensor], view, str(node.kwargs)
            first_cast = first_casts.setdefault(key, node)
            if first_cast is not node:
                node.replace_all_uses_with(first_cast)
                graph.graph.erase_node(node)
    graph.recompile()


def _is_cast(node: fx.Node) -> bool:
    return node.target is CONVERSION and node.kwargs.get("dtype") == torch.bfloat16


def _describe_view(node: fx.Node) -> tuple[fx.Node, str]:
    """Return the tensor of which a node is a view, itself if it is none, and how it is viewed."""
    views: list[str] = []
    while node.all_input_nodes and may_be_view(node):
        views.append(f"{node.target}{node.args[1:]}{node.kwargs}")
        node = node.all_input_nodes[0]
    return node, "".join(views)
