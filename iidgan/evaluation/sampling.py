"""From trained maps to samples. Images go by in chunks: all are judged, and some are kept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from iidgan.core import Dataset, Features, Samples
from iidgan.engine.inference import CHUNK, prior
from iidgan.evaluation.classifier.store import Judge, joined
from iidgan.evaluation.evaluate import Stand

INVERTED = 5000  # images that go through the inverse: more would change no error
KEPT = 500  # images of a seed that figures may show
_KEPT_VALUES = 2**25  # ... and fewer of large ones
_CHUNK_VALUES = 2**22  # of the images of a chunk, per seed


def draw(
    nets: nn.ModuleDict, data: Dataset, stand: Stand, judge: Judge, num: int | None = None
) -> Samples:
    """Draws what metrics read: G(z), and with an inverse F(x), F(G(z)) and G(F(x)).

    Points are all kept. Of images, the first ones are, and what the judge says of all: memory
    does not grow with their number, but for some hundred bytes each.

    Arguments:
        nets: `G`, and `F` where there is one, ready for evaluation.
        data: The data set; its first samples in a fixed random order are the real ones.
        stand: Whose maps these are.
        judge: Looks at images.
        num: Generated samples per seed; by default as many as the source says.
    """
    num = num or stand.run.source.num_evaluated
    values, points = math.prod(data.shape), len(data.shape) < 3
    return _Drawing(
        nets=nets,
        data=data,
        judge=judge,
        num=num,
        kept=num if points else max(1, min(KEPT, _KEPT_VALUES // values)),
        inverted=num if points else INVERTED,
        chunk=max(1, min(CHUNK, _CHUNK_VALUES // values)),
    ).samples(prior(stand.seeds, num, stand.run.arch.latent))


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    """How samples are drawn; `kept`, `inverted` and `chunk` count them per seed."""

    nets: nn.ModuleDict
    data: Dataset
    judge: Judge
    num: int
    kept: int
    inverted: int
    chunk: int

    @torch.no_grad()
    def samples(self, z: Tensor) -> Samples:
        generated, z_cycled, seen = self._of_prior(z)
        real, codes, x_cycled, x_errors = self._of_data(len(z))
        return Samples(
            generated,
            real,
            z=z,
            codes=codes,
            z_cycled=z_cycled,
            x_cycled=x_cycled,
            x_errors=x_errors,
            truth=self.data.truth,
            labels=self.data.y,
            judged=self.judge.judged(seen, self._real(), self.num, self.data.shape),
            **({"unjudged": self.judge.lack} if self.judge.lack else {}),
        )

    @property
    def _device(self) -> torch.device:
        return next(self.nets["G"].parameters()).device

    @property
    def _shown(self) -> int:
        """Samples that are kept or inverted: the first ones."""
        return min(self.num, max(self.kept, self.inverted if "F" in self.nets else 0))

    @property
    def _looked_at(self) -> int:
        return self._shown if self.judge.extractor is None else self.num

    def _of_prior(self, z: Tensor) -> tuple[Tensor, Tensor | None, Features | None]:
        """Gives G(z), F(G(z)), and what is seen in G(z)."""
        images, codes, seen = [], [], []
        for at in range(0, self._looked_at, self.chunk):
            x = self.nets["G"](z[:, at : at + self.chunk].to(self._device))
            kept, inverted = max(self.kept - at, 0), max(self.inverted - at, 0)
            images.append(x[:, :kept].cpu())
            if "F" in self.nets and inverted:
                codes.append(self.nets["F"](x[:, :inverted]).cpu())
            if self.judge.extractor is not None:
                seen.append(self.judge.extractor(x))
        return torch.cat(images, 1), _cat(codes), joined(seen) if seen else None

    def _of_data(self, seeds: int) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
        """Gives x, F(x), G(F(x)), and the mean of |x - G(F(x))| of each sample."""
        images: list[Tensor] = []
        codes: list[Tensor] = []
        cycled: list[Tensor] = []
        errors: list[Tensor] = []
        for at, x in zip(range(0, self._shown, self.chunk), self._real()):
            kept, inverted = max(self.kept - at, 0), max(self.inverted - at, 0)
            images.append(x[:kept].cpu())
            if "F" in self.nets and inverted:
                x = x[:inverted].to(self._device).expand(seeds, *x[:inverted].shape)
                z = self.nets["F"](x)
                again = self.nets["G"](z)
                codes.append(z.cpu())
                cycled.append(again[:, :kept].cpu())
                errors.append((x - again).abs().flatten(2).mean(2).cpu())
        return torch.cat(images), _cat(codes), _cat(cycled), _cat(errors)

    def _real(self) -> Iterator[Tensor]:
        """Takes real samples chunk by chunk, in an order that does not depend on their number."""
        order = torch.randperm(len(self.data), generator=torch.Generator().manual_seed(0))
        for index in order[: self.num].split(self.chunk):
            yield self.data.take(index.to(self.data.x.device))


def _cat(parts: list[Tensor]) -> Tensor | None:
    return torch.cat(parts, 1) if parts else None
