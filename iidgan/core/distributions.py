"""Known distributions of points, from which independent samples can be drawn."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor


class Distribution(ABC):
    """A known distribution of points: the truth behind synthetic data.

    It maps a number u, uniform in [0, 1), to a part of itself, and draws a sample there. Evenly
    spaced numbers thus give samples whose shares of the parts are exact.

    Examples:
        >>> from iidgan import Moons
        >>> x, labels = Moons().draw(1000, seed=1)
        >>> x.shape, labels.unique()
        (torch.Size([1000, 2]), tensor([0, 1]))
    """

    @abstractmethod
    def sample_at(self, u: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw a sample of the part that each number belongs to.

        Arguments:
            u: Numbers in [0, 1), float64 with shape (n,).
            generator: Source of all other random numbers.

        Returns:
            Samples, float32 with shape (n, d), and their labels, int64 with shape (n,).
        """

    def draw(self, num_samples: int, seed: int) -> tuple[Tensor, Tensor]:
        """Draw independent samples.

        Arguments:
            num_samples: Number n of samples.
            seed: Seed of the samples.

        Returns:
            Samples and labels, as of `sample_at`.
        """
        generator = torch.Generator("cpu").manual_seed(seed)
        u = torch.rand(num_samples, generator=generator, dtype=torch.float64)
        return self.sample_at(u, generator)

    def draw_evenly(self, num_samples: int, seed: int) -> tuple[Tensor, Tensor]:
        """Draw samples whose shares of all parts are as exact as their number allows.

        Arguments:
            num_samples: Number n of samples.
            seed: Seed of what is random within the parts.

        Returns:
            Samples and labels, as of `sample_at`, in the order of the parts.
        """
        u = (torch.arange(num_samples, dtype=torch.float64) + 0.5) / num_samples
        return self.sample_at(u, torch.Generator("cpu").manual_seed(seed))


@dataclass(frozen=True)
class GaussianMixture(Distribution):
    """A Gaussian mixture, by default of isotropic modes of equal width.

        p(x) = sum_i w_i N(x; c_i, σ² A_i A_iᵀ)

    Arguments:
        centres: Means c_i of the modes, with shape (K, d).
        std: Scale σ; the standard deviation of each mode, in each dimension, without `shapes`.
        weights: Probabilities w_i of the modes, positive with sum 1; empty: all 1 / K.
        shapes: Lower triangular matrices A_i, with shape (K, d, d); None: all the identity.

    Examples:
        >>> from iidgan import Ring
        >>> mixture = Ring(modes=4, radius=1.0, std=0.01).load().truth
        >>> mixture.centres.shape, mixture.std
        (torch.Size([4, 2]), 0.01)
    """

    centres: Tensor
    std: float
    weights: tuple[float, ...] = ()
    shapes: Tensor | None = None

    @classmethod
    def from_covariances(
        cls, centres: Tensor, covariances: Tensor, weights: tuple[float, ...] = ()
    ) -> GaussianMixture:
        """Create a mixture whose σ² is the mean variance over modes and dimensions.

        Arguments:
            centres: Means of the modes, with shape (K, d).
            covariances: Their covariances, positive definite, with shape (K, d, d).
            weights: Probabilities of the modes, as of the class.

        Raises:
            torch.linalg.LinAlgError: A covariance is not positive definite.

        Examples:
            >>> mixture = GaussianMixture.from_covariances(
            ...     torch.zeros(1, 2), torch.diag(torch.tensor([1.0, 7.0]))[None]
            ... )
            >>> mixture.std
            2.0
        """
        variances = covariances.double().diagonal(dim1=-2, dim2=-1)
        std = math.sqrt(variances.mean())
        shapes = torch.linalg.cholesky(covariances.double()) / std
        return cls(centres.float(), std, weights, shapes.float())

    @property
    def probabilities(self) -> Tensor:
        """Probabilities of the modes, float64 with shape (K,)."""
        num_modes = len(self.centres)
        weights = self.weights or (1 / num_modes,) * num_modes
        return torch.tensor(weights, dtype=torch.float64)

    def sample_at(self, u: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        upper_limits = self.probabilities.cumsum(0)[:-1]
        modes = torch.searchsorted(upper_limits, u, right=True)
        return self.sample_modes(modes, generator), modes

    def sample_modes(self, modes: Tensor, generator: torch.Generator) -> Tensor:
        """Draw a sample of each of the given modes.

        Arguments:
            modes: Indices of modes, int64 with shape (n,).
            generator: Source of the random numbers.

        Returns:
            Samples, float32 with shape (n, d).
        """
        shape = len(modes), self.centres.shape[1]
        noise = torch.randn(shape, generator=generator, dtype=torch.float32, device="cpu")
        for mode, matrix in enumerate(() if self.shapes is None else self.shapes):
            noise[modes == mode] = noise[modes == mode] @ matrix.T
        return self.centres[modes] + self.std * noise

    def mode_distances(self, points: Tensor) -> Tensor:
        """Compute the distance of each point from each centre, in units of the mode's width.

            σ |(σ A_i)^-1 (x - c_i)|

        Without `shapes`, this is the Euclidean distance.

        Arguments:
            points: Points, with shape (n, d).

        Returns:
            float64 with shape (n, K).

        Examples:
            >>> mixture = GaussianMixture(torch.zeros(1, 2), 0.5, shapes=2 * torch.eye(2)[None])
            >>> mixture.mode_distances(torch.tensor([[3.0, 4.0]]))
            tensor([[2.5000]], dtype=torch.float64)
        """
        points, centres = points.double(), self.centres.to(points.device).double()
        if self.shapes is None:
            # Distances by matrix products lose digits, and σ is small relative to the centres.
            return torch.cdist(points, centres, compute_mode="donot_use_mm_for_euclid_dist")
        inverses = torch.linalg.inv(self.shapes.to(points.device).double())
        return torch.stack(
            [
                ((points - centre) @ inverse.T).norm(dim=-1)
                for centre, inverse in zip(centres, inverses)
            ],
            dim=-1,
        )

    def log_density(self, points: Tensor) -> Tensor:
        """Compute ln p(x).

        Arguments:
            points: Points, with shape (n, d).

        Returns:
            float64 with shape (n,).

        Examples:
            >>> mixture = GaussianMixture(torch.zeros(1, 2), std=1.0)
            >>> mixture.log_density(torch.zeros(1, 2))  # -ln(2 pi)
            tensor([-1.8379], dtype=torch.float64)
        """
        num_dimensions = self.centres.shape[1]
        exponents = -0.5 * (self.mode_distances(points) / self.std).square()
        log_scales = torch.full_like(exponents[0], num_dimensions * math.log(self.std))
        if self.shapes is not None:
            diagonals = self.shapes.double().diagonal(dim1=-2, dim2=-1)
            log_scales += diagonals.log().sum(-1).to(log_scales.device)
        log_weights = self.probabilities.to(log_scales.device).log()
        log_terms = exponents - log_scales + log_weights
        return log_terms.logsumexp(-1) - 0.5 * num_dimensions * math.log(2 * math.pi)
