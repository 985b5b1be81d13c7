"""Comparison of layers for several seeds with ordinary layers of PyTorch."""

import torch
from torch import nn

from iidgan.nn.layers.conv import (
    group_seeds,
    ungroup_seeds,
)

NUM_SEEDS, BATCH_SIZE = 3, 5


def draw_parameters(module, seeds=NUM_SEEDS):
    """Give every parameter and buffer random values for several seeds."""
    for part in module.modules():
        for name, value in part._parameters.items():
            if value is not None:
                part._parameters[name] = nn.Parameter(torch.randn(seeds, *value.shape[1:]))
        for name, value in part._buffers.items():
            part._buffers[name] = torch.rand(seeds, *value.shape[1:]) + 0.5
    return module


def ungrouped_layer(module):
    """Apply a layer in grouped layout to (S, B, C, H, W)."""
    return lambda x: ungroup_seeds(module(group_seeds(x)), len(x))


def assert_same_map(layer_map, parameters, torch_layers, x, to_torch_layout):
    """Compare values and all gradients of a layer with those of one PyTorch module per seed.

    Arguments:
        layer_map: Map of (S, B, ...).
        parameters: Parameters of the layer by their name in the PyTorch modules.
        torch_layers: One PyTorch module per seed.
        x: Inputs.
        to_torch_layout: Converts one seed of a named parameter to its layout in PyTorch.
    """
    for seed, torch_layer in enumerate(torch_layers):
        with torch.no_grad():
            for name, value in parameters.items():
                torch_layer.get_parameter(name).copy_(to_torch_layout(name, value[seed]))
    x = x.requires_grad_()
    y = layer_map(x)
    weights = torch.randn_like(y)
    gradients = torch.autograd.grad((weights * y).sum(), [x, *parameters.values()])
    for seed, torch_layer in enumerate(torch_layers):
        torch_output = torch_layer(x[seed])
        assert torch.allclose(y[seed], torch_output, rtol=1e-12, atol=1e-12)
        torch_inputs = [x, *(torch_layer.get_parameter(name) for name in parameters)]
        torch_gradients = torch.autograd.grad((weights[seed] * torch_output).sum(), torch_inputs)
        assert torch.allclose(gradients[0][seed], torch_gradients[0][seed], rtol=1e-12, atol=1e-12)
        for name, gradient, torch_gradient in zip(parameters, gradients[1:], torch_gradients[1:]):
            assert torch.allclose(
                to_torch_layout(name, gradient[seed]), torch_gradient, rtol=1e-11, atol=1e-11
            )


def keep_value(name, value):
    """The layout of a parameter that PyTorch shares."""
    return value
