"""Regions of the data that a generator starves or crowds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from iidgan.functional.histogram import count_bins
from iidgan.functional.scores.bins import cluster, compare_proportions
from iidgan.functional.scores.neighbours import nearest_neighbours
from iidgan.utils.subsets import choose_indices

MAX_REGIONS = 100
SAMPLES_PER_REGION = 25
"""Least mean number of real samples in a region, so that shares can be compared."""
SIGNIFICANCE = 0.05
"""Probability that any region of equal distributions counts as starved or crowded."""


@dataclass(frozen=True)
class Region:
    """A cell of the data: the samples that are nearest to one centre.

    Arguments:
        real_share: Share of the real samples that lie in it.
        fake_share: Share of the generated samples that lie in it.
        z: Statistic of equal shares, as of `compare_proportions`; negative if it is starved.
        is_significant: Whether the shares differ significantly, among all regions.
        real_positions: Its real samples, the nearest to the centre first.
        fake_positions: Its generated samples, the nearest to the centre first.
        label: Most common label of its real samples; empty if they have none.
    """

    real_share: float
    fake_share: float
    z: float
    is_significant: bool
    real_positions: tuple[int, ...]
    fake_positions: tuple[int, ...]
    label: str = ""


def find_regions(
    real: Tensor, fake: Tensor, labels: Sequence[str] | None = None, *, seed: int = 0
) -> list[Region]:
    """Divide the data into regions, the most starved first and the most crowded last.

    Regions are the Voronoi cells of k-means centres of at most 2,500 of the real samples, at most
    100, with 25 real samples or more in the mean.

    Arguments:
        real: Features of real samples, with shape (N, D), N of at least 2.
        fake: Features of generated samples, with shape (N', D).
        labels: Name of the label of each real sample; None if they have none.
        seed: Seed of the choice and of k-means, by own generators.

    Examples:
        >>> real = torch.tensor([[0.0], [10.0]]).repeat(50, 1)
        >>> starved, crowded = find_regions(real, torch.zeros(100, 1))
        >>> starved.real_share, starved.fake_share, crowded.fake_share
        (0.5, 0.0, 1.0)
    """
    num_regions = max(2, min(MAX_REGIONS, len(real) // SAMPLES_PER_REGION))
    part = choose_indices(len(real), MAX_REGIONS * SAMPLES_PER_REGION, seed=seed)
    centres = cluster(real[torch.tensor(part)], num_regions, seed=seed)
    real_members, fake_members = _assign(real, centres), _assign(fake, centres)
    z = compare_proportions(real_members.counts, fake_members.counts)
    threshold = float(torch.special.ndtri(torch.tensor(1 - SIGNIFICANCE / (2 * num_regions))))
    regions = [
        Region(
            real_share=len(real_positions) / len(real),
            fake_share=len(fake_positions) / len(fake),
            z=float(z[i]),
            is_significant=abs(float(z[i])) > threshold,
            real_positions=real_positions,
            fake_positions=fake_positions,
            label=_most_common([labels[position] for position in real_positions])
            if labels
            else "",
        )
        for i, (real_positions, fake_positions) in enumerate(
            zip(real_members.positions(), fake_members.positions())
        )
        if real_positions
    ]
    return sorted(regions, key=lambda region: region.z)


@dataclass(frozen=True)
class _Members:
    """Which centre each sample is nearest to, and how far it is from it."""

    cells: Tensor
    distances: Tensor
    counts: Tensor

    def positions(self) -> list[tuple[int, ...]]:
        """List the samples of each cell, the nearest to its centre first."""
        members: list[list[int]] = [[] for _ in range(len(self.counts))]
        for position in self.distances.argsort(stable=True).tolist():
            members[int(self.cells[position])].append(position)
        return [tuple(positions) for positions in members]


def _assign(features: Tensor, centres: Tensor) -> _Members:
    distances, indices = nearest_neighbours(features, centres)
    cells = indices[:, 0].cpu()
    return _Members(cells, distances[:, 0].cpu(), count_bins(cells, len(centres)))


def _most_common(labels: Sequence[str]) -> str:
    return Counter(labels).most_common(1)[0][0] if labels else ""
