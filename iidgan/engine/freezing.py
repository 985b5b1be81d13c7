"""Layers that keep their weights in training."""

from __future__ import annotations

from torch import nn

from iidgan.core import HasBatchStatistics
from iidgan.errors import InputError


def freeze_first_layers(network: nn.Module, num_layers: int) -> None:
    """Keep the weights of the first layers of a network from being trained.

    A layer is a module with a `weight`, in the order in which modules were registered; batch
    normalisation belongs to the layer before it.

    Arguments:
        network: The network.
        num_layers: Number of layers.

    Raises:
        InputError: The network has no more layers than that, so that none would be trained.

    Examples:
        >>> from iidgan import MLP
        >>> D = MLP(hidden=(8, 4)).build_discriminator((2,))
        >>> freeze_first_layers(D, 2)
        >>> [name for name, value in D.named_parameters() if value.requires_grad]
        ['head.layer.bias', 'head.layer.weight.value']
    """
    layers = [module for module in network.modules() if hasattr(module, "weight")]
    starts = [i for i, layer in enumerate(layers) if not isinstance(layer, HasBatchStatistics)]
    if num_layers >= len(starts):
        raise InputError(
            f"freeze-d: must be below {len(starts)}, the number of layers of D, got {num_layers}"
        )
    for layer in layers[: starts[num_layers]]:
        layer.requires_grad_(False)
