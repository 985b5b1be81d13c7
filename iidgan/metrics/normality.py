"""Normality tests of the codes of real data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iidgan.core import Metric, MetricProtocol, Samples
from iidgan.errors import InputError
from iidgan.functional.scores.gaussian_kl import gaussian_kl

_MIN_CODES, _MAX_CODES = 3, 5000  # W is defined and reliable for these numbers of codes
_NUM_DIRECTIONS = 32
_MAX_LISTED = 16


@dataclass(frozen=True, kw_only=True)
class Normality(Metric):
    """Test statistics of whether the codes z = F(x) of real data look like samples of N(0, I).

    Values, each with shape (S,), of n codes with M dimensions:

    * `shapiro_wilk`: W of one dimension, mean over dimensions; 1 is normal of any mean and
      variance. `shapiro_wilk_1` ... `shapiro_wilk_M` are those of each dimension, for M <= 16.
    * `shapiro_wilk_sliced`: W of z · v, mean over 32 fixed random unit vectors v. A vector
      with normal components need not be normal, but one with normal projections on all v is. For
      large M, projections of any codes tend to be normal, so that a high W means little.
    * `ks`: Kolmogorov-Smirnov distance sup_t |F_n(t) - Φ(t)| of one dimension from N(0, 1),
      mean over dimensions; 0 is best. `ks_1` ... `ks_M` are those of each dimension, for
      M <= 16.
    * `mean_norm`: Euclidean norm of the mean code.
    * `cov_error`: Frobenius norm of Σ - I, where Σ = 1/n sum (z - mean)(z - mean)ᵀ.
    * `gaussian_kl`: divergence of a Gaussian with the mean and the covariance of the codes from
      N(0, I), as of `iidgan.metrics.gaussian_kl`, in nats, if n > M.

    W is computed on at most `max_codes` codes, and the rest on all of them. These are evenly
    spread over all codes in an order that is random, but the same at every call; codes whose own
    order is random, as `Samples` says, keep it. 5000 samples of N(0, 1) have W about 0.9996 and a
    distance of about 0.012.
    W is NaN where the codes are constant; everything is NaN for a seed whose codes are not finite.

    Raises:
        InputError: `max_codes` is not in 3 ... 5000.

    References:
        An Analysis of Variance Test for Normality (Complete Samples) (Shapiro and Wilk, 1965),
        https://doi.org/10.1093/biomet/52.3-4.591; Remark AS R94 (Royston, 1995),
        https://doi.org/10.2307/2986146, for W of up to 5000 samples; IID-GAN: an IID Sampling
        Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
        https://www.ijcai.org/proceedings/2023/437, for both as a test of F

    Examples:
        >>> codes = torch.tensor([[[-1.0], [1.0]]]).repeat(1, 500, 1)  # two points
        >>> samples = Samples(generated=codes, real=codes[0], codes=codes)
        >>> values = Normality()(samples)
        >>> values["mean_norm"], values["cov_error"]  # the moments are right, the shape is not
        (tensor([0.], dtype=torch.float64), tensor([0.], dtype=torch.float64))
        >>> values["ks"].round(decimals=3)  # ½ - Φ(-1)
        tensor([0.3410], dtype=torch.float64)
    """

    max_codes: int = _MAX_CODES
    """Largest number of codes of a seed that the Shapiro-Wilk statistic reads, 3 to 5000."""

    def __post_init__(self) -> None:
        if not _MIN_CODES <= self.max_codes <= _MAX_CODES:
            nearest_value = min(max(self.max_codes, _MIN_CODES), _MAX_CODES)
            raise InputError(
                f"max_codes: must be in [{_MIN_CODES}, {_MAX_CODES}], got {self.max_codes}; "
                f"nearest: {nearest_value}"
            )

    def missing(self, samples: Samples) -> str | None:
        if samples.codes is None:
            return "codes F(x) of real data: the method has no inverse F"
        num_codes = samples.codes.shape[1]
        return f"{_MIN_CODES} codes per seed, got {num_codes}" if num_codes < _MIN_CODES else None

    def protocol(self, samples: Samples) -> MetricProtocol:
        _, num_codes, latent = self._require_codes(samples).shape
        return {"max_codes": self.max_codes, "num_codes": num_codes, "latent": latent}

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Compute the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack the input that `missing` names.
        """
        codes = _to_finite_double(self._require_codes(samples))
        latent = codes.shape[-1]
        selected_codes = codes[:, _select_positions(samples, codes.shape[1], self.max_codes)]
        projected_codes = selected_codes @ _unit_directions(latent)
        w_statistics, ks_distances = _shapiro_wilk(selected_codes), _kolmogorov_smirnov(codes)
        return {
            "shapiro_wilk": w_statistics.mean(-1),
            "shapiro_wilk_sliced": _shapiro_wilk(projected_codes).mean(-1),
            "ks": ks_distances.mean(-1),
            "mean_norm": torch.linalg.vector_norm(codes.mean(1), dim=-1),
            "cov_error": torch.linalg.matrix_norm(_biased_covariance(codes) - torch.eye(latent)),
            **({"gaussian_kl": gaussian_kl(codes)} if codes.shape[1] > latent else {}),
            **_per_dimension("shapiro_wilk", w_statistics),
            **_per_dimension("ks", ks_distances),
        }

    def _require_codes(self, samples: Samples) -> Tensor:
        missing_input = self.missing(samples)
        if samples.codes is None or missing_input:
            raise InputError(f"normality: missing {missing_input}")
        return samples.codes


def qq_quantiles(codes: Tensor, num_points: int = 200) -> tuple[Tensor, Tensor]:
    """Compute the points of a QQ plot of the codes against N(0, 1).

    Both are quantiles at (i - ½) / num_points, i = 1 ... num_points; those of the codes are
    interpolated linearly between order statistics, with the i-th of n at (i - ½) / n.

    Arguments:
        codes: Codes, with shape (S, n, M).
        num_points: Number of points of the plot.

    Returns:
        Quantiles of N(0, 1), with shape (num_points,), and of each dimension of the codes, with
        shape (S, num_points, M), both float64 on the CPU; NaN for a seed whose codes are not
        finite.

    Examples:
        >>> codes = torch.tensor([10.0, 30.0, 20.0]).reshape(1, 3, 1)
        >>> normal_quantiles, code_quantiles = qq_quantiles(codes, num_points=3)
        >>> normal_quantiles  # at 1/6, 1/2 and 5/6
        tensor([-0.9674,  0.0000,  0.9674], dtype=torch.float64)
        >>> code_quantiles.flatten()
        tensor([10., 20., 30.], dtype=torch.float64)
    """
    levels = (torch.arange(num_points, dtype=torch.float64) + 0.5) / num_points
    code_values = _to_finite_double(codes).numpy()
    code_quantiles = np.quantile(code_values, levels.numpy(), axis=1, method="hazen")
    return torch.special.ndtri(levels), torch.from_numpy(code_quantiles).movedim(0, 1)


def _to_finite_double(codes: Tensor) -> Tensor:
    """Convert to float64 on the CPU; all codes of a seed are NaN if one is not finite."""
    codes = codes.detach().cpu().double()
    return codes.where(codes.isfinite().all(-1).all(-1)[:, None, None], torch.nan)


def _select_positions(samples: Samples, num_codes: int, max_codes: int) -> Tensor:
    """Select at most `max_codes` codes, without a pattern that their order may share."""
    if num_codes <= max_codes:
        return torch.arange(num_codes)
    evenly_spread = torch.arange(max_codes) * num_codes // max_codes
    if samples.in_random_order:
        return evenly_spread
    return torch.randperm(num_codes, generator=torch.Generator().manual_seed(0))[evenly_spread]


def _unit_directions(latent: int) -> Tensor:
    """Create the same unit vectors at every call, as columns: (M, 32)."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(_NUM_DIRECTIONS, latent, generator=generator, dtype=torch.float64)
    return torch.nn.functional.normalize(directions, dim=-1).mT


def _biased_covariance(codes: Tensor) -> Tensor:
    centred_codes = codes - codes.mean(1, keepdim=True)
    return centred_codes.mT @ centred_codes / codes.shape[1]


def _kolmogorov_smirnov(codes: Tensor) -> Tensor:
    """Compute sup |F_n - Phi|, attained at a jump of F_n: (S, n, M) -> (S, M)."""
    num_codes = codes.shape[1]
    normal_cdf = torch.special.ndtr(codes.sort(1).values)
    empirical_cdf = torch.arange(num_codes + 1, dtype=torch.float64)[:, None] / num_codes
    above, below = empirical_cdf[1:] - normal_cdf, normal_cdf - empirical_cdf[:-1]
    return torch.maximum(above.amax(1), below.amax(1))


def _shapiro_wilk(codes: Tensor) -> Tensor:
    """Compute W of each column: (S, n, M) -> (S, M)."""
    return torch.from_numpy(np.apply_along_axis(_column_w, 1, codes.numpy()))


def _column_w(values: NDArray[np.float64]) -> float:
    from scipy.stats import shapiro  # takes a second to import

    centred_values = values - values.mean()
    max_deviation = np.abs(centred_values).max()
    # W is 0/0 for values that are equal up to rounding. NaN fails the comparison, too.
    if not max_deviation > 1e-12 * np.abs(values).max():
        return float("nan")
    return float(shapiro(centred_values / max_deviation).statistic)


def _per_dimension(name: str, values: Tensor) -> dict[str, Tensor]:
    """Name the columns of (S, M) from 1 on; return nothing if there are too many to list."""
    columns = values.unbind(-1) if values.shape[-1] <= _MAX_LISTED else ()
    return {f"{name}_{i}": column for i, column in enumerate(columns, start=1)}
