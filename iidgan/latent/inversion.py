"""Codes of samples: from F, and refined until G makes the sample as well as it can."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from iidgan.engine.inference import CHUNK_SIZE
from iidgan.errors import InputError
from iidgan.training.model import Model

LEARNING_RATE = 0.1
"""Learning rate of Adam in the first step; it falls linearly to 0."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Inversion:
    """Codes of samples, and how well G reproduces the samples from them.

    Arguments:
        x: The samples, (n, *shape); images in [-1, 1].
        z: Their latents, (n, M).
        x_cycled: G(z), or G(z, c), (n, *shape).
        c: Probabilities of classes of a conditional model, (n, K); K is 0 of others.
    """

    x: Tensor
    z: Tensor
    x_cycled: Tensor
    c: Tensor

    @property
    def errors(self) -> Tensor:
        """Mean squared difference of G(z) and x, of each sample, (n,)."""
        return mean_squared_errors(self.x_cycled, self.x)

    @property
    def radius_quantiles(self) -> Tensor:
        """How far out in the prior each code is, as of `radius_quantiles`, (n,)."""
        return radius_quantiles(self.z)


def invert(model: Model, x: Tensor | NDArray[Any], *, label: str | int | None = None) -> Inversion:
    """Map samples to codes, by F; where the method trains no F, to the prior's mean 0.

    Arguments:
        model: The model.
        x: Samples, (n, *shape); images are uint8, or floats in [-1, 1].
        label: Class of the samples for a conditional model; by default what F says.

    Raises:
        InputError: `x` has another shape, or a code is not finite; or there is neither F nor a
            label.
    """
    samples = model.convert_samples(x)
    if model.has_inverse:
        codes = model.invert(samples)
    elif model.classes is not None and label is None:
        raise InputError("label: without F, name the class of the samples")
    else:
        codes = torch.zeros(len(samples), model.latent)
    if label is not None:
        codes = model.encode(codes[:, : model.latent], label)
    z, c = model.split_codes(codes)
    if not z.isfinite().all():
        row = int((~z.isfinite()).nonzero()[0, 0])
        raise InputError(
            f"input: the code of row {row} (counted from 0) is not finite: the seed diverged, or "
            "the sample is too far from the data"
        )
    return Inversion(x=samples, z=z, x_cycled=model.generate(codes), c=c)


def refine(model: Model, inversion: Inversion, steps: int = 200) -> Inversion:
    """Move latents until G reproduces the samples better; classes stay.

    Adam minimises the mean squared difference of G(z) and x, from the given codes; of all codes
    on the way, the best one of each sample is kept, so that no error grows.

    Arguments:
        model: The model.
        inversion: Samples and the codes to start from.
        steps: Number of steps.

    Raises:
        InputError: The number of steps is negative.

    References:
        * Generative Visual Manipulation on the Natural Image Manifold (Zhu, Krähenbühl, Shechtman
          and Efros, 2016), https://arxiv.org/abs/1609.03552, section 3.1, for a start from F
        * Inverting the Generator of a Generative Adversarial Network (Creswell and Bharath, 2016),
          https://arxiv.org/abs/1611.05644, for the loss
    """
    if steps < 0:
        raise InputError(f"refine: must be >= 0, got {steps}")
    tensors = inversion.x, inversion.z, inversion.c
    chunks = zip(*(tensor.split(CHUNK_SIZE) for tensor in tensors))
    z = torch.cat([_refine_chunk(model, x, start, c, steps) for x, start, c in chunks])
    return replace(inversion, z=z, x_cycled=model.generate(torch.cat([z, inversion.c], dim=1)))


def _refine_chunk(model: Model, x: Tensor, start: Tensor, c: Tensor, steps: int) -> Tensor:
    z = start.clone().requires_grad_()
    best_z, best_errors = start.clone(), torch.full((len(x),), torch.inf)
    optimiser = torch.optim.Adam([z])
    for step in range(steps + 1):
        errors = mean_squared_errors(model.generate_differentiably(torch.cat([z, c], dim=1)), x)
        is_better = errors.detach() < best_errors
        best_z[is_better] = z.detach()[is_better]
        best_errors[is_better] = errors.detach()[is_better]
        optimiser.param_groups[0]["lr"] = LEARNING_RATE * (1 - step / max(steps, 1))
        optimiser.zero_grad()
        errors.sum().backward()
        optimiser.step()
    return best_z


def mean_squared_errors(x_cycled: Tensor, x: Tensor) -> Tensor:
    """Compute the mean squared difference of each sample, (n,).

    Arguments:
        x_cycled: Reconstructions, (n, *shape).
        x: Samples, (n, *shape).
    """
    return (x_cycled - x).square().flatten(1).mean(1)


def radius_quantiles(z: Tensor) -> Tensor:
    """Compute the share of the prior that is closer to 0 than each code.

    |z|² of z from N(0, I) has the chi-squared distribution of M degrees of freedom, whose
    distribution function is P(M / 2, |z|² / 2), the regularised gamma function. Codes of samples
    that G makes are spread evenly over 0 ... 1; one close to 1 is so far out that G will hardly
    ever draw it, and one close to 0 is as rare.

    Arguments:
        z: Codes, (n, M).

    Returns:
        Shares in [0, 1], (n,).

    Examples:
        >>> radius_quantiles(torch.tensor([[0.0, 0.0], [1.1774, 0.0], [3.0, 4.0]]))
        tensor([0.0000, 0.5000, 1.0000])
    """
    half_dims = torch.tensor(z.shape[1] / 2, dtype=torch.float64)
    return torch.special.gammainc(half_dims, z.double().square().sum(1) / 2).float()
