"""The consistency losses as plain modules, for people with a training loop of their own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from iidgan.errors import InputError
from iidgan.functional import checks, cycle, gaussian
from iidgan.functional.linalg import at_least_single


class GaussianConsistency(nn.Module):
    """Measures how far a batch of codes is from IID samples of N(0, I).

    Li, Shi & Yan, *IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse*, IJCAI
    2023, https://www.ijcai.org/proceedings/2023/437.

    Arguments:
        distance: Name of the distance: `p-norm`, `w2`, `kl`, `w2-1d`, `epps-pulley` or `energy`;
            see `iidgan.functional.gaussian`.
        directions: Random directions per call of `epps-pulley`, from torch's default generator.
        p: Exponent of `p-norm`, at least 1.
        root: Whether `w2` and `w2-1d` are the distance rather than its square.
        eps: Shrinkage of `kl`, None for the least; 1e-3 is good for batches of n <= M codes.

    Raises:
        InputError: An argument is unknown or out of range.

    Example:
        >>> loss = GaussianConsistency("w2")
        >>> loss(encoder(images)).backward()
    """

    def __init__(
        self,
        distance: gaussian.Distance = "p-norm",
        *,
        directions: int = 16,
        p: float = 2.0,
        root: bool = False,
        eps: float | None = None,
    ) -> None:
        super().__init__()
        checks.one_of("distance", distance, gaussian.Distance)
        checks.gaussian_options(p, eps, directions)
        self.distance: gaussian.Distance = distance
        self.directions = directions
        self.p = p
        self.root = root
        self.eps = eps

    def forward(self, codes: Tensor) -> Tensor:
        """Computes the distance of codes (n, M) as a scalar, float32 but for float64 codes.

        Raises:
            InputError: `codes` are not a matrix of floating-point numbers.
        """
        if codes.ndim != 2 or not codes.numel() or not codes.is_floating_point():
            raise InputError(f"codes: {_describe(codes)}; has to be a float matrix (n, M)")
        directions = None
        if self.distance == "epps-pulley":
            directions = torch.randn(self.directions, codes.shape[1], device=codes.device)
        return gaussian.distance(
            self.distance, codes, directions, p=self.p, root=self.root, eps=self.eps
        )

    def extra_repr(self) -> str:
        return f"distance={self.distance!r}"


class CycleConsistency(nn.Module):
    """Measures how far latents and samples are from themselves after a round trip.

    The sum of both parts of `iidgan.functional.cycle.consistency`.

    Arguments:
        norm: `l1-sum`, IID-GAN's L1 norms; `l1`, element-wise means, whose weight fits any size
            of image; or `l2`, as InvertGAN.
        ratio: Weight of the samples against the latents; None for that of the paper.

    Raises:
        InputError: `norm` is unknown.
    """

    def __init__(self, norm: cycle.Norm = "l1-sum", ratio: float | None = None) -> None:
        super().__init__()
        checks.one_of("norm", norm, cycle.Norm)
        self.norm: cycle.Norm = norm
        self.ratio = ratio

    def forward(self, z: Tensor, z_cycled: Tensor, x: Tensor, x_cycled: Tensor) -> Tensor:
        """Computes a scalar from z and F(G(z)), (n, *latent), and x and G(F(x)), (n, *shape).

        Raises:
            InputError: A tensor and its cycled one differ in shape, or have no batch axis.
        """
        _check_pair("z", z, z_cycled)
        _check_pair("x", x, x_cycled)
        z, z_cycled, x, x_cycled = (
            at_least_single(tensor)[None] for tensor in (z, z_cycled, x, x_cycled)
        )
        of_z, of_x = cycle.consistency(z, z_cycled, x, x_cycled, self.norm, self.ratio)
        return (of_z + of_x)[0]

    def extra_repr(self) -> str:
        return f"norm={self.norm!r}, ratio={self.ratio}"


def _check_pair(name: str, a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape or a.ndim < 2:
        raise InputError(
            f"{name}_cycled: shape {tuple(b.shape)} beside {tuple(a.shape)} of {name}; "
            "both have to be (n, ...) alike"
        )


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
