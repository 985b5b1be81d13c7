"""The losses of IID-GAN as plain `torch.nn` modules, for training loops without this library.

They take batches without a seed axis and return scalars. Pull the codes F(x) of real data to
N(0, I) with `GaussianConsistency`, and let generator and inverse invert each other with
`CycleConsistency`; add both, with weights, to the loss of any GAN or autoencoder.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn

from iidgan.errors import InputError
from iidgan.functional import checks, cycle, gaussian
from iidgan.functional.distributed import gather_batch
from iidgan.functional.linalg import to_full_precision


class GaussianConsistency(nn.Module):
    """Distance of a batch of codes to IID samples of N(0, I).

    With the mean μ and the covariance Σ of the codes, the default is ‖μ‖ + ‖Σ - I‖, with Euclidean
    norms of all entries; the formulas of the others are in `iidgan.functional.gaussian`.

    Arguments:
        distance: Name of the distance: `p-norm`, `w2`, `kl`, `w2-1d`, `epps-pulley` or `energy`.
        directions: Number of random directions of `epps-pulley`, drawn at each call from torch's
            default generator.
        p: Exponent of `p-norm`, at least 1.
        root: Whether `w2` and `w2-1d` return the distance rather than its square.
        eps: Shrinkage of `kl`, None for the smallest; use 1e-3 for batches of n <= M codes.
        group: Processes that share the batch, such as `torch.distributed.group.WORLD`; None if
            this one has all of it. The loss is that of the whole batch in each process, and the
            mean of their gradients, as `DistributedDataParallel` takes it, is its gradient.

    Raises:
        InputError: An argument is unknown or out of range.

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
        2023), https://www.ijcai.org/proceedings/2023/437

    Examples:
        >>> codes = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
        >>> gaussian_loss = GaussianConsistency()
        >>> gaussian_loss(codes)  # mean 0 and covariance I
        tensor(0.)
        >>> gaussian_loss(codes + torch.tensor([3.0, 4.0]))  # ‖μ‖ = 5
        tensor(5.)

        In a training loop:

        >>> encoder = torch.nn.Linear(784, 8)
        >>> images = torch.rand(64, 784)
        >>> loss = 10 * gaussian_loss(encoder(images))
        >>> loss.backward()
        >>> encoder.weight.grad.shape
        torch.Size([8, 784])
    """

    def __init__(
        self,
        distance: gaussian.Distance = "p-norm",
        *,
        directions: int = 16,
        p: float = 2.0,
        root: bool = False,
        eps: float | None = None,
        group: dist.ProcessGroup | None = None,
    ) -> None:
        super().__init__()
        checks.require_one_of("distance", distance, gaussian.Distance)
        checks.require_gaussian_options(p, eps, directions)
        self.distance: gaussian.Distance = distance
        self.directions = directions
        self.p = p
        self.root = root
        self.eps = eps
        self.group = group

    def forward(self, codes: Tensor) -> Tensor:
        """Compute the distance of the codes to N(0, I).

        Arguments:
            codes: Codes, with shape (n, M); with `group`, those of this process.

        Returns:
            A scalar: float64 for float64 codes, else float32.

        Raises:
            InputError: `codes` is not a non-empty float matrix.
        """
        if codes.ndim != 2 or not codes.numel() or not codes.is_floating_point():
            raise InputError(
                f"codes: must be a non-empty float tensor of shape (n, M), got {_describe(codes)}"
            )
        projections = None
        if self.distance == "epps-pulley":
            projections = torch.randn(self.directions, codes.shape[1], device=codes.device)
        if self.group is not None:
            codes = gather_batch(codes, self.group)
            if projections is not None:
                dist.broadcast(projections, group=self.group, group_src=0)
        return gaussian.gaussian_distance(
            self.distance, codes, projections, p=self.p, root=self.root, eps=self.eps
        )

    def extra_repr(self) -> str:
        return f"distance={self.distance!r}"


class CycleConsistency(nn.Module):
    """Distance of latents and samples to their reconstructions by generator and inverse.

        E ‖z - F(G(z))‖₁ + E ‖x - G(F(x))‖₁

    by default, and other norms as in `iidgan.functional.cycle.cycle_consistency`.

    Arguments:
        norm: `l1-sum`, the L1 norms of IID-GAN; `l1`, 1 / M of it, whose weight applies to images
            of any size; or `l2`, Euclidean norms, as InvertGAN.
        ratio: Weight of the samples relative to the latents, or `d/M` for the ratio of their
            dimensions; None for `d/M` with `l1`, and for 1 with the others.

    Raises:
        InputError: `norm` is unknown.

    References:
        IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
        2023), https://www.ijcai.org/proceedings/2023/437, equation 7

    Examples:
        >>> cycle_loss = CycleConsistency(norm="l1")
        >>> G, F = torch.nn.Linear(2, 3), torch.nn.Linear(3, 2)
        >>> z, x = torch.randn(64, 2), torch.randn(64, 3)
        >>> cycle_loss(z, F(G(z)), x, G(F(x))).backward()
        >>> cycle_loss(z, z, x, x)  # perfect inverses
        tensor(0.)
    """

    def __init__(self, norm: cycle.Norm = "l1-sum", ratio: cycle.Ratio = None) -> None:
        super().__init__()
        checks.require_one_of("norm", norm, cycle.Norm)
        self.norm: cycle.Norm = norm
        self.ratio = ratio

    def forward(self, z: Tensor, z_cycled: Tensor, x: Tensor, x_cycled: Tensor) -> Tensor:
        """Compute the sum of both distances.

        Arguments:
            z: Latents, with shape (n, *latent).
            z_cycled: F(G(z)), with the same shape.
            x: Samples, with shape (n, *shape).
            x_cycled: G(F(x)), with the same shape.

        Returns:
            A scalar.

        Raises:
            InputError: A tensor and its reconstruction differ in shape, or have no batch axis.
        """
        _require_same_shape("z", z, z_cycled)
        _require_same_shape("x", x, x_cycled)
        z, z_cycled, x, x_cycled = (
            to_full_precision(tensor)[None] for tensor in (z, z_cycled, x, x_cycled)
        )
        z_error, x_error = cycle.cycle_consistency(z, z_cycled, x, x_cycled, self.norm, self.ratio)
        return (z_error + x_error)[0]

    def extra_repr(self) -> str:
        return f"norm={self.norm!r}, ratio={self.ratio}"


def _require_same_shape(name: str, original: Tensor, cycled: Tensor) -> None:
    if original.shape != cycled.shape or original.ndim < 2:
        raise InputError(
            f"{name}_cycled: must have the shape (n, ...) of {name}, {tuple(original.shape)}, "
            f"got {tuple(cycled.shape)}"
        )


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
