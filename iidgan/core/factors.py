"""Factors of variation: what is known about how each sample was made."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True)
class Factors:
    """Values of F factors of variation of each of N samples.

    Arguments:
        names: Names of the factors.
        values: Index of the value of each factor, int64 with shape (N, F), at least 0.

    Examples:
        >>> import torch
        >>> factors = Factors(("colour", "width"), torch.tensor([[0, 4], [2, 1], [1, 1]]))
        >>> factors.take(torch.tensor([2, 0])).values.tolist()
        [[1, 1], [0, 4]]
    """

    names: tuple[str, ...]
    values: Tensor

    def take(self, index: Tensor) -> Factors:
        """Return the factors of some samples.

        Arguments:
            index: Indices of the samples, int64 with shape (n,).
        """
        return replace(self, values=self.values[index.to(self.values.device)])
