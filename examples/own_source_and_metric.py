"""A source and a metric of one's own: modes along a spiral, and real samples with neighbours.

Checks both contracts, trains two methods on the spiral, and prints the metric beside the number
of covered modes, which is measured because the source states its true mixture.

    python examples/own_source_and_metric.py --steps 3000 --out runs/spiral
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

import iidgan
from iidgan.core import GaussianMixture, MetricProtocol
from iidgan.records import read_records, select_last_step
from iidgan.testing import check_metric, check_source


@dataclass(frozen=True, kw_only=True)
class ModesOnSpiral(iidgan.Source):
    """Gaussian modes along an arm of a spiral."""

    modes: int = 9
    """Number of modes."""
    std: float = 0.02
    """Standard deviation of each mode, in each dimension."""
    size: int = 20_000
    """Number of samples."""

    def load(self) -> iidgan.Dataset:
        radii = torch.arange(1, self.modes + 1) / self.modes
        angles = 3 * math.pi * radii
        centres = 2 * radii[:, None] * torch.stack((angles.cos(), angles.sin()), dim=1)
        labels = torch.arange(self.size) % self.modes
        noise = torch.randn(self.size, 2, generator=torch.Generator().manual_seed(0))
        truth = GaussianMixture(centres, self.std)
        return iidgan.Dataset(centres[labels] + self.std * noise, labels, truth)


@dataclass(frozen=True, kw_only=True)
class NeighbourCoverage(iidgan.Metric):
    """Real samples within `radius` of a generated one, in percent, of at most 1,000 samples."""

    radius: float = 0.05

    def missing(self, samples: iidgan.Samples) -> str | None:
        return None if samples.generated.ndim == 3 else "points of shape (d,)"

    def protocol(self, samples: iidgan.Samples) -> MetricProtocol:
        return {"radius": self.radius, "num_samples": min(1000, samples.generated.shape[1])}

    def __call__(self, samples: iidgan.Samples) -> dict[str, Tensor]:
        generated, real = samples.generated[:, :1000].double(), samples.real[:1000].double()
        distances = torch.cdist(real.expand(len(generated), -1, -1), generated).amin(-1)
        return {"neighbour_coverage": 100 * (distances <= self.radius).double().mean(1).cpu()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--out", type=Path, default=Path("runs/spiral"))
    options = parser.parse_args()
    check_source(ModesOnSpiral())
    check_metric(NeighbourCoverage())
    for name in ("gan", "iid-gan"):
        run = iidgan.recommended(ModesOnSpiral(), name)
        run = iidgan.Run(source=run.source, method=run.method, steps=options.steps)
        out = options.out / name
        result = iidgan.train(run, out=out, metrics=[NeighbourCoverage()])
        records = select_last_step(read_records(result.path / "metrics.jsonl"))
        values = {record.metric: record.value for record in records}
        print(
            f"{name}: {values['modes_20']:.0f} of {ModesOnSpiral().modes} modes, "
            f"{values['neighbour_coverage']:.1f} % of real samples have a neighbour"
        )
