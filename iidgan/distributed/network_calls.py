"""Networks that are evaluated on shares of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.distributed as dist
from torch import Tensor, nn
from torch.func import functional_call

from iidgan.distributed.batch_share import BatchShare, find_unit
from iidgan.distributed.operators import replicate

NetworkPart = Callable[[nn.Module], Callable[..., Tensor]]
"""Returns what is called: a network itself, its features or its head."""


def divide_inputs(
    network: nn.Module, inputs: tuple[Tensor, ...], group: dist.ProcessGroup
) -> BatchShare | None:
    """Choose the share of the inputs of a network, (S, B, ...), that this process computes.

    Arguments:
        network: The network.
        inputs: Its inputs, for the whole batch.
        group: The processes.

    Returns:
        The share; None if this is not a batch, or has fewer samples than there are processes, so
        that each process computes all of it.
    """
    sizes = {x.shape[1] if x.dim() > 1 else 0 for x in inputs}
    if len(sizes) != 1:
        return None
    return BatchShare.divide(sizes.pop(), find_unit(network), group)


def replicate_parameters(
    parameters: Mapping[str, Tensor], group: dist.ProcessGroup
) -> dict[str, Tensor]:
    """Return parameters for computations with shares; gradients are summed over processes.

    Arguments:
        parameters: Parameters by name.
        group: The processes.
    """
    trained = {name: value for name, value in parameters.items() if value.requires_grad}
    if not trained:
        return dict(parameters)
    replicas = dict(zip(trained, replicate([*trained.values()], group)))
    return {name: replicas.get(name, value) for name, value in parameters.items()}


def call_with_parameters(
    network: nn.Module, part: NetworkPart, parameters: Mapping[str, Tensor], *inputs: Tensor
) -> Tensor:
    """Call a part of a network with other parameters.

    Arguments:
        network: The network.
        part: The part.
        parameters: Parameters by their names in the network; others stay.
        *inputs: Inputs of the part.
    """
    values = {f"network.{name}": value for name, value in parameters.items()}
    output: Tensor = functional_call(_PartOf(network, part), values, inputs)
    return output


class _PartOf(nn.Module):
    def __init__(self, network: nn.Module, part: NetworkPart) -> None:
        super().__init__()
        self.network, self._part = network, part

    def forward(self, *inputs: Tensor) -> Tensor:
        return self._part(self.network)(*inputs)
