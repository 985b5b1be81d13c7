"""From trained networks to samples, in chunks: all images are classified, only some are kept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from iidgan.core import Dataset, Predictions, Samples
from iidgan.engine.inference import CHUNK_SIZE, in_own_units, sample_prior
from iidgan.evaluation.classifier.store import ClassifierEvaluator, concat_predictions
from iidgan.evaluation.evaluate import EvaluationPoint

NUM_INVERTED_IMAGES = 5000  # images per seed mapped to codes: more would not change the errors
MAX_KEPT_IMAGES = 500  # images per seed kept for figures ...
_MAX_KEPT_VALUES = 2**25  # ... and fewer of large ones
_MAX_CHUNK_VALUES = 2**22  # values in a chunk of images, per seed


def draw_samples(
    nets: nn.ModuleDict,
    data: Dataset,
    point: EvaluationPoint,
    evaluator: ClassifierEvaluator,
    num_samples: int | None = None,
) -> Samples:
    """Draw the samples that metrics read: G(z) and, with an inverse, F(x), F(G(z)) and G(F(x)).

    Samples are in the data's own units. All points are kept. Of images, only the first ones are
    kept, and the classifier's outputs for all of them: a few hundred bytes per image.

    Arguments:
        nets: `G`, and `F` if there is one, in evaluation mode, in the units of `data`.
        data: The data set; its first samples in a fixed random order are the real ones.
        point: Run, seeds and step of the networks.
        evaluator: Classifies images.
        num_samples: Generated samples per seed; by default `num_evaluated` of the source.

    Examples:
        >>> from iidgan import GAN, Ring, Run
        >>> run = Run(source=Ring(), method=GAN())
        >>> point = EvaluationPoint(run, seeds=[0, 1], steps=[0, 0], diverged=[-1, -1])
        >>> nets = nn.ModuleDict({"G": nn.Linear(2, 2)})  # the same for both seeds
        >>> samples = draw_samples(nets, run.source.load(), point, ClassifierEvaluator(), 100)
        >>> samples.generated.shape, samples.real.shape
        (torch.Size([2, 100, 2]), torch.Size([100, 2]))
    """
    num_samples = num_samples or point.run.source.num_evaluated
    values_per_sample, are_points = math.prod(data.shape), len(data.shape) < 3
    max_kept = max(1, min(MAX_KEPT_IMAGES, _MAX_KEPT_VALUES // values_per_sample))
    sampler = _Sampler(
        nets=in_own_units(nets, data.scaling),
        data=data.in_own_units(),
        evaluator=evaluator,
        num_samples=num_samples,
        num_kept=num_samples if are_points else max_kept,
        num_inverted=num_samples if are_points else NUM_INVERTED_IMAGES,
        chunk_size=max(1, min(CHUNK_SIZE, _MAX_CHUNK_VALUES // values_per_sample)),
    )
    latent, classes = point.run.arch.latent, point.run.find_classes(data)
    codes = sample_prior(point.seeds, num_samples, latent, classes)
    return sampler.draw(codes, latent)


@dataclass(frozen=True, kw_only=True)
class _Sampler:
    """Networks, data and numbers of samples; all numbers are per seed."""

    nets: nn.ModuleDict
    data: Dataset
    evaluator: ClassifierEvaluator
    num_samples: int
    num_kept: int
    num_inverted: int
    chunk_size: int

    @torch.no_grad()
    def draw(self, prior_codes: Tensor, latent: int) -> Samples:
        """Draw samples; what comes after the latents in a code is a one-hot class."""
        generated, codes_cycled, predictions = self._map_prior(prior_codes)
        real, codes, x_cycled, x_errors = self._map_data(len(prior_codes))
        one_hot = prior_codes[..., latent:]
        outputs = self.evaluator.compare_with_real(
            predictions, self._real_chunks(), self.num_samples, self.data.shape
        )
        reason, factors = self.evaluator.missing_reason, self.data.factors
        return Samples(
            generated,
            real,
            z=prior_codes[..., :latent],
            codes=None if codes is None else codes[..., :latent],
            z_cycled=None if codes_cycled is None else codes_cycled[..., :latent],
            x_cycled=x_cycled,
            x_errors=x_errors,
            truth=self.data.truth,
            in_random_order=True,
            labels=self.data.y,
            real_labels=self.data.take_labels(self._real_order),
            real_factors=factors and factors.take(self._real_order),
            generated_labels=one_hot.argmax(-1) if one_hot.shape[-1] else None,
            classifier_outputs=outputs,
            **({"classifier_missing_reason": reason} if reason else {}),
        )

    @property
    def _device(self) -> torch.device:
        return next(self.nets["G"].parameters()).device

    @property
    def _real_order(self) -> Tensor:
        """Indices of the real samples, in an order that does not depend on their number."""
        order = torch.randperm(len(self.data), generator=torch.Generator().manual_seed(0))
        return order[: self.num_samples].to(self.data.x.device)

    @property
    def _num_first(self) -> int:
        """Number of first samples that are kept or inverted."""
        num_inverted = self.num_inverted if "F" in self.nets else 0
        return min(self.num_samples, max(self.num_kept, num_inverted))

    def _map_prior(self, z: Tensor) -> tuple[Tensor, Tensor | None, Predictions | None]:
        """Compute G(z), F(G(z)), and the classifier's predictions for G(z)."""
        samples, codes, predictions = [], [], []
        extractor = self.evaluator.extractor
        num_generated = self._num_first if extractor is None else self.num_samples
        for start in range(0, num_generated, self.chunk_size):
            x = self.nets["G"](z[:, start : start + self.chunk_size].to(self._device))
            num_kept, num_inverted = self._remaining_numbers(start)
            samples.append(x[:, :num_kept].cpu())
            if "F" in self.nets and num_inverted:
                codes.append(self.nets["F"](x[:, :num_inverted]).cpu())
            if extractor is not None:
                predictions.append(extractor(x))
        all_predictions = concat_predictions(predictions) if predictions else None
        return torch.cat(samples, 1), _concat_chunks(codes), all_predictions

    def _map_data(
        self, num_seeds: int
    ) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
        """Compute x, F(x), G(F(x)), and the mean of |x - G(F(x))| of each sample."""
        samples: list[Tensor] = []
        codes: list[Tensor] = []
        cycled: list[Tensor] = []
        errors: list[Tensor] = []
        starts = range(0, self._num_first, self.chunk_size)
        for start, x in zip(starts, self._real_chunks()):
            num_kept, num_inverted = self._remaining_numbers(start)
            samples.append(x[:num_kept].cpu())
            if "F" in self.nets and num_inverted:
                x = x[:num_inverted].to(self._device).expand(num_seeds, *x[:num_inverted].shape)
                z = self.nets["F"](x)
                x_hat = self.nets["G"](z)
                codes.append(z.cpu())
                cycled.append(x_hat[:, :num_kept].cpu())
                errors.append((x - x_hat).abs().flatten(2).mean(2).cpu())
        x_cycled, x_errors = _concat_chunks(cycled), _concat_chunks(errors)
        return torch.cat(samples), _concat_chunks(codes), x_cycled, x_errors

    def _remaining_numbers(self, start: int) -> tuple[int, int]:
        """Return how many samples from `start` on are kept, and how many are inverted."""
        return max(self.num_kept - start, 0), max(self.num_inverted - start, 0)

    def _real_chunks(self) -> Iterator[Tensor]:
        """Yield real samples in chunks."""
        for index in self._real_order.split(self.chunk_size):
            yield self.data.take_samples(index)


def _concat_chunks(chunks: list[Tensor]) -> Tensor | None:
    return torch.cat(chunks, 1) if chunks else None
