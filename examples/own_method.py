"""A method of one's own: a GAN whose second network recovers the latents of samples.

Checks the contracts of the method, trains it with and without the Gaussian term of IID-GAN, and
prints the modes that each covers.

    python examples/own_method.py --steps 3000 --out runs/own-method
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import nn
from torch.nn.functional import softplus

import iidgan
from iidgan.core import Losses, NetworkFactory
from iidgan.functional.reduce import mean_per_seed
from iidgan.records import read_records, select_last_step
from iidgan.testing import check_method


@dataclass(frozen=True, kw_only=True)
class CodeGAN(iidgan.Method):
    """A GAN whose network F recovers z from G(z)."""

    tunable_weights: ClassVar[tuple[str, ...]] = ("weight",)

    weight: float = 1.0
    """Weight of the squared error of recovered latents."""

    @property
    def players(self) -> tuple[iidgan.Player, ...]:
        return (
            iidgan.Player("D", self.loss_D, trains=("D",)),
            iidgan.Player("G", self.loss_G, trains=("G", "F")),
        )

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {
            "G": factory.build_generator(),
            "D": factory.build_discriminator(),
            "F": factory.build_inverse(),
        }

    def loss_D(self, nets: iidgan.Nets, batch: iidgan.Batch) -> Losses:
        real_loss = mean_per_seed(softplus(-nets.D(batch.x)))
        fake_loss = mean_per_seed(softplus(nets.D(nets.G(batch.z))))
        return {"adversarial": real_loss + fake_loss}

    def loss_G(self, nets: iidgan.Nets, batch: iidgan.Batch) -> Losses:
        fake = nets.G(batch.z)
        code_errors = (nets.F(fake) - batch.z).square().sum(-1)
        return {
            "adversarial": mean_per_seed(softplus(-nets.D(fake))),
            "code": self.weight * mean_per_seed(code_errors),
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--out", type=Path, default=Path("runs/own-method"))
    options = parser.parse_args()
    check_method(CodeGAN())
    with_term = iidgan.Regularised(method=CodeGAN(), terms=(iidgan.GaussianTerm(),))
    for name, method in {"code-gan": CodeGAN(), "code-gan-gaussian": with_term}.items():
        run = iidgan.Run(source=iidgan.Ring(std=0.02), method=method, steps=options.steps)
        result = iidgan.train(run, seeds=3, out=options.out / name)
        last_records = select_last_step(read_records(result.path / "metrics.jsonl"))
        modes = [int(record.value) for record in last_records if record.metric == "modes_20"]
        print(f"{name}: modes with at least 20 samples, by seed: {modes}")
