"""Generated samples that a person should look at: near copies, and samples off the data."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from iidgan.functional.scores.neighbours import nearest_neighbours


@dataclass(frozen=True)
class Suspect:
    """A generated sample beside the real ones that are nearest to it.

    Arguments:
        position: Position of the generated sample.
        real_positions: Positions of the nearest real samples, in order.
        distance: Distance to the nearest one.
        ratio: Distance to the nearest one over that to the second nearest; 0 for a copy.
    """

    position: int
    real_positions: tuple[int, ...]
    distance: float
    ratio: float


@dataclass(frozen=True)
class Suspects:
    """Generated samples to look at.

    Arguments:
        copies: Those that are most like a copy of a real sample, the most suspicious first.
        off_data: Those that are farthest from all real samples, the farthest first.
    """

    copies: tuple[Suspect, ...]
    off_data: tuple[Suspect, ...]


def find_suspects(real: Tensor, fake: Tensor, num: int, *, num_neighbours: int = 4) -> Suspects:
    """Find the generated samples that are most like a copy, and the farthest from the data.

    Arguments:
        real: Features of real samples, with shape (N, D), N of at least 2.
        fake: Features of generated samples, with shape (N', D).
        num: Largest number of samples of each kind.
        num_neighbours: Number of real samples beside each, at least 2.

    Examples:
        >>> import torch
        >>> real = torch.tensor([[0.0], [10.0], [20.0]])
        >>> suspects = find_suspects(real, torch.tensor([[5.0], [20.0], [90.0]]), num=1)
        >>> suspects.copies[0].position, suspects.copies[0].real_positions[0]
        (1, 2)
        >>> suspects.off_data[0].position
        2
    """
    k = min(num_neighbours, len(real))
    distances, indices = nearest_neighbours(fake, real, k=k)
    first, second = distances[:, 0], distances[:, 1]
    ratios = (first / second).where(first > 0, 0)

    def describe(position: int) -> Suspect:
        return Suspect(
            position,
            tuple(indices[position].tolist()),
            float(first[position]),
            float(ratios[position]),
        )

    copies = ratios.argsort(stable=True)[:num].tolist()
    off_data = first.argsort(descending=True, stable=True)[:num].tolist()
    return Suspects(tuple(map(describe, copies)), tuple(map(describe, off_data)))
