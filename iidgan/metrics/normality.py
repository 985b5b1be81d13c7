"""How far the inverses of real data are from independent samples of N(0, I)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iidgan.core import Metric, Protocol, Samples
from iidgan.errors import InputError

_FEWEST, _MOST = 3, 5000  # between these numbers of samples W is defined and reliable
_DIRECTIONS = 32
_PRINTED = 16


@dataclass(frozen=True, kw_only=True)
class Normality(Metric):
    r"""Tests whether the codes z = F(x) of real data look like samples of N(0, I).

    Values, each with shape (S,), of n codes with M dimensions:

    * `shapiro_wilk`: W of one dimension, mean over dimensions; 1 is normal of any mean and
      variance. `shapiro_wilk_1` ... `shapiro_wilk_M` are its addends, for M <= 16.
    * `shapiro_wilk_sliced`: W of z . v, mean over 32 fixed random unit vectors v. Normal axes do
      not make a normal vector; normal projections on all v do. For large M every projection
      tends to normal whatever the codes are, so that a high W then says little.
    * `ks`: Kolmogorov-Smirnov distance sup_t |F_n(t) - Phi(t)| of one dimension from N(0, 1),
      mean over dimensions; 0 is best. `ks_1` ... `ks_M` are its addends, for M <= 16.
    * `mean_norm`: Euclidean norm of the mean code.
    * `cov_error`: Frobenius norm of Sigma - I, where Sigma = (1/n) sum (z - mean)(z - mean)^T.

    W is computed on at most `max_codes` codes, evenly spread over all in their order, and the rest
    on all of them. 5000 samples of N(0, 1) have W about 0.9996 and a distance of about 0.012.
    W is NaN where the codes are constant; everything is NaN for a seed whose codes are not finite.

    Sources: An Analysis of Variance Test for Normality (Complete Samples), Shapiro and Wilk, 1965,
    https://doi.org/10.1093/biomet/52.3-4.591; Remark AS R94, Royston, 1995,
    https://doi.org/10.2307/2986146 (W up to 5000 samples); IID-GAN: an IID Sampling Perspective
    for Regularizing Mode Collapse, Li, Shi and Yan, 2023,
    https://www.ijcai.org/proceedings/2023/437 (both as a test of F).

    Raises:
        InputError: `max_codes` is not in 3 ... 5000.
    """

    max_codes: int = _MOST
    """Codes of a seed that the Shapiro-Wilk statistic reads at most, 3 to 5000."""

    def __post_init__(self) -> None:
        if not _FEWEST <= self.max_codes <= _MOST:
            nearest = min(max(self.max_codes, _FEWEST), _MOST)
            raise InputError(
                f"max_codes: W is reliable for {_FEWEST} to {_MOST} codes, "
                f"not {self.max_codes}; nearest: {nearest}"
            )

    def missing(self, samples: Samples) -> str | None:
        if samples.codes is None:
            return "codes F(x) of real data: the method has no inverse F"
        num_codes = samples.codes.shape[1]
        return f"{_FEWEST} codes a seed; there are {num_codes}" if num_codes < _FEWEST else None

    def protocol(self, samples: Samples) -> Protocol:
        _, num_codes, latent = self._codes(samples).shape
        return {"max_codes": self.max_codes, "num_codes": num_codes, "latent": latent}

    def __call__(self, samples: Samples) -> dict[str, Tensor]:
        """Computes the values above, float64 with shape (S,), on the CPU.

        Raises:
            InputError: The samples lack what `missing` names.
        """
        codes = _prepare(self._codes(samples))
        latent = codes.shape[-1]
        few = _spread(codes, self.max_codes)
        w, distance = _shapiro_wilk(few), _kolmogorov_smirnov(codes)
        return {
            "shapiro_wilk": w.mean(-1),
            "shapiro_wilk_sliced": _shapiro_wilk(few @ _directions(latent)).mean(-1),
            "ks": distance.mean(-1),
            "mean_norm": torch.linalg.vector_norm(codes.mean(1), dim=-1),
            "cov_error": torch.linalg.matrix_norm(_covariance(codes) - torch.eye(latent)),
            **_per_dimension("shapiro_wilk", w),
            **_per_dimension("ks", distance),
        }

    def _codes(self, samples: Samples) -> Tensor:
        lack = self.missing(samples)
        if samples.codes is None or lack:
            raise InputError(f"normality: the samples lack {lack}")
        return samples.codes


def qq(codes: Tensor, num: int = 200) -> tuple[Tensor, Tensor]:
    r"""Computes what a QQ plot of the codes against N(0, 1) shows.

    Both sides are quantiles at (i - 1/2) / num, i = 1 ... num; those of the codes interpolate
    linearly between order statistics, of which the i-th of n stands at (i - 1/2) / n.

    Arguments:
        codes: Codes, with shape (S, n, M).
        num: Points of the plot.

    Returns:
        Quantiles of N(0, 1), with shape (num,), and of each dimension of the codes, with shape
        (S, num, M), both float64 on the CPU; NaN for a seed whose codes are not finite.
    """
    levels = (torch.arange(num, dtype=torch.float64) + 0.5) / num
    ordered = np.quantile(_prepare(codes).numpy(), levels.numpy(), axis=1, method="hazen")
    return torch.special.ndtri(levels), torch.from_numpy(ordered).movedim(0, 1)


def _prepare(codes: Tensor) -> Tensor:
    """Converts to float64 on the CPU; all codes of a seed are NaN if one is not finite."""
    codes = codes.detach().cpu().double()
    return codes.where(codes.isfinite().all(-1).all(-1)[:, None, None], torch.nan)


def _spread(codes: Tensor, most: int) -> Tensor:
    """Picks at most `most` codes of each seed, evenly spread: (S, n, M) -> (S, <= most, M)."""
    num = codes.shape[1]
    return codes if num <= most else codes[:, torch.arange(most) * num // most]


def _directions(latent: int) -> Tensor:
    """Creates the same unit vectors at every call, as columns: (M, 32)."""
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(_DIRECTIONS, latent, generator=generator, dtype=torch.float64)
    return torch.nn.functional.normalize(vectors, dim=-1).mT


def _covariance(codes: Tensor) -> Tensor:
    centred = codes - codes.mean(1, keepdim=True)
    return centred.mT @ centred / codes.shape[1]


def _kolmogorov_smirnov(codes: Tensor) -> Tensor:
    """Computes sup |F_n - Phi|, which is on one side of a jump of F_n: (S, n, M) -> (S, M)."""
    num = codes.shape[1]
    normal = torch.special.ndtr(codes.sort(1).values)
    step = torch.arange(num + 1, dtype=torch.float64)[:, None] / num
    return torch.maximum((step[1:] - normal).amax(1), (normal - step[:-1]).amax(1))


def _shapiro_wilk(codes: Tensor) -> Tensor:
    """Computes W of each column: (S, n, M) -> (S, M)."""
    return torch.from_numpy(np.apply_along_axis(_column_w, 1, codes.numpy()))


def _column_w(values: NDArray[np.float64]) -> float:
    from scipy.stats import shapiro  # a second to import, and only this needs it

    centred = values - values.mean()
    spread = np.abs(centred).max()
    # W is 0/0 where values are equal but for rounding. NaN fails the comparison, too.
    if not spread > 1e-12 * np.abs(values).max():
        return float("nan")
    return float(shapiro(centred / spread).statistic)


def _per_dimension(name: str, values: Tensor) -> dict[str, Tensor]:
    """Names the columns of (S, M) from 1 on, or none of them if there are too many to print."""
    columns = values.unbind(-1) if values.shape[-1] <= _PRINTED else ()
    return {f"{name}_{i}": column for i, column in enumerate(columns, start=1)}
