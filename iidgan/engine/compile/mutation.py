"""Which tensors of a captured graph are written to."""

from __future__ import annotations

from torch import fx

from iidgan.engine.compile.inductor import (
    Operator,
    is_mutating,
    may_return_view,
    written_arguments,
)


def find_mutated_nodes(graph: fx.GraphModule) -> set[fx.Node]:
    """Find the nodes that are written to, and those of which they may be views.

    Arguments:
        graph: Captured graph of tensor operations.
    """
    pending = [
        written_node
        for node in graph.graph.nodes
        if is_writing(node)
        for written_node in list_written_nodes(node)
    ]
    mutated_nodes: set[fx.Node] = set()
    while pending:
        node = pending.pop()
        if node not in mutated_nodes:
            mutated_nodes.add(node)
            pending += node.all_input_nodes if may_be_view(node) else []
    return mutated_nodes


def is_writing(node: fx.Node) -> bool:
    """Return whether a node writes to any of its arguments.

    Arguments:
        node: Node of a captured graph.
    """
    return isinstance(node.target, Operator) and is_mutating(node.target)


def may_be_view(node: fx.Node) -> bool:
    """Return whether a node may share memory with its inputs, as an item of a list does.

    Arguments:
        node: Node of a captured graph.
    """
    return not isinstance(node.target, Operator) or may_return_view(node.target)


def list_written_nodes(node: fx.Node) -> list[fx.Node]:
    """List the arguments that a mutating operator writes to.

    Arguments:
        node: Node that `is_writing`.
    """
    assert isinstance(node.target, Operator)
    written_nodes: list[fx.Node] = []
    for position, name in written_arguments(node.target):
        argument = node.args[position] if position < len(node.args) else node.kwargs.get(name)
        fx.map_arg(argument, written_nodes.append)
    return written_nodes
