"""Networks that a page computes by plain script."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from iidgan.errors import InputError
from iidgan.explorer.network_format import NetworkFormat
from iidgan.explorer.network_program import TensorFunction, encode_network
from iidgan.training.model import Model

NUM_EXAMPLES = 8
"""Number of samples on which programs are compared with the networks of the run."""
MAX_PIXEL_ERROR = 0.5 * 2 / 255
"""Largest error of images in [-1, 1] by weights of half precision: half a level of 255."""
MAX_CODE_ERROR = 0.01
"""Largest error of codes, whose standard deviation is 1, by weights of half precision."""

Functions = dict[str, tuple[TensorFunction, Sequence[Tensor]]]


def encode_programs(model: Model) -> dict[str, Any]:
    """Encode G with the gradient of its error, if that can be computed, and F.

    Weights of networks of points are in single precision.

    Arguments:
        model: The networks.

    Raises:
        InputError: Plain script cannot compute a network.
    """
    codes, samples = model.sample_prior(NUM_EXAMPLES), model.sample(NUM_EXAMPLES)
    is_image = len(model.shape) == 3
    generator: Functions = {"forward": (model.generate_differentiably, [codes])}
    gradient: Functions = {
        "gradient": (partial(_compute_gradient, model), [codes, samples.flip(0)])
    }
    tolerance = MAX_PIXEL_ERROR if is_image else 0.0
    try:
        networks = {"G": encode_network(generator | gradient, tolerance)}
    except InputError:  # also of G itself, which is then raised here
        networks = {"G": encode_network(generator, tolerance)}
    if model.has_inverse:
        inverse: Functions = {"forward": (partial(_invert, model), [samples])}
        networks["F"] = encode_network(inverse, MAX_CODE_ERROR if is_image else 0.0)
    return networks


def _invert(model: Model, x: Tensor) -> Tensor:
    codes: Tensor = model.nets["F"](x[None])[0]
    return codes


def _compute_gradient(model: Model, codes: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Compute samples, and the gradient of their mean squared difference to x in the latents."""
    z, c = model.split_codes(codes)
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        samples = model.generate_differentiably(torch.cat([z, c], dim=1))
        residuals = (samples - x).detach()
        (gradient,) = torch.autograd.grad(samples, z, residuals * (2 / x[0].numel()))
    return samples.detach(), gradient


SCRIPT_FORMAT = NetworkFormat(
    encode=encode_programs,
    start="""\
import { localBackend, readData } from "./local_backend.js";
import { start } from "./main.js";
import { createNetwork } from "./network.js";
start(localBackend(readData(), createNetwork));
""",
)
