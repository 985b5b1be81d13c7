"""Coverage of the data by generated samples, cheap enough to be measured during training."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from functools import cached_property

import torch
from torch import Tensor, nn

from iidgan.core import Classes, Dataset, MetricProtocol
from iidgan.engine.inference import CHUNK_SIZE, sample_prior
from iidgan.errors import InputError
from iidgan.features import FrozenExtractor, ImageBlocks, extract
from iidgan.features.efficientnet import create_efficientnet_lite0
from iidgan.metrics import prdc
from iidgan.records import INTERIM_FAMILY
from iidgan.utils.subsets import choose_indices

COVERAGE_METRIC = "feature_coverage"
"""Name of the values in metric records."""
MAX_SAMPLES = 2000
"""Number of real samples, and of generated ones of each seed; all real ones if there are fewer."""
NUM_NEIGHBOURS = 5
INPUT_SIZE = 64
"""Side in pixels that images are resized to: a third of the time of the extractor's 112."""
_MAX_CHUNK_VALUES = 2**22
"""Values in a chunk of samples, per seed."""


def create_monitor_extractor() -> FrozenExtractor:
    """Create the extractor of the features whose coverage is measured.

    Raises:
        InputError: Its weights are missing or damaged.
    """
    return create_efficientnet_lite0(size=INPUT_SIZE)


def find_obstacle(data: Dataset) -> str:
    """Return why the coverage of a data set cannot be measured, or an empty text.

    Arguments:
        data: The data set.

    Examples:
        >>> find_obstacle(Dataset(torch.zeros(4, 2)))
        'needs at least 6 samples, got 4'
    """
    if len(data) <= NUM_NEIGHBOURS:
        return f"needs at least {NUM_NEIGHBOURS + 1} samples, got {len(data)}"
    if data.is_image and data.shape[0] not in (1, 3):
        return f"needs images of 1 or 3 channels, got {data.shape[0]}"
    return ""


class CoverageMonitor:
    """The coverage of a data set by generated samples, with features of real ones that are kept.

    It is `iidgan.metrics.prdc(real, fake).coverage`, of 2,000 real and as many generated samples
    (of all real ones, if there are fewer): of images on features of EfficientNet-Lite0, of points
    on their coordinates. The real ones are a random part of the data set that is always the same.

    Arguments:
        data: The data set.
        device: Device of the extractor and of the scores.

    Raises:
        InputError: The coverage of the data set cannot be measured, or the weights of the
            extractor are missing.

    Examples:
        >>> from iidgan import Grid
        >>> data = Grid(size=5000, std=0.5).load()
        >>> monitor = CoverageMonitor(data, torch.device("cpu"))
        >>> generator = nn.Linear(2, 2)  # one mode, of 25
        >>> values = monitor.measure(generator, seeds=[0], latent_dim=2)
        >>> bool(values < 0.3)
        True
    """

    def __init__(self, data: Dataset, device: torch.device) -> None:
        if obstacle := find_obstacle(data):
            raise InputError(f"diagnose-every: the coverage {obstacle}; use 0 to switch it off")
        self.data, self.device = data.in_own_units(), device
        self.num_samples = min(MAX_SAMPLES, len(data))
        self._extractor = create_monitor_extractor().to(device) if data.is_image else None

    @cached_property
    def protocol(self) -> MetricProtocol:
        """How the coverage is measured, as in metric records."""
        return {
            "family": INTERIM_FAMILY,
            **self._describe_features(),
            "k": NUM_NEIGHBOURS,
            "num_generated": self.num_samples,
            "num_real": self.num_samples,
        }

    def _describe_features(self) -> dict[str, str | int | float | bool]:
        if self._extractor is None:
            return {"extractor": "points"}
        return {
            name: ", ".join(map(str, value)) if isinstance(value, list) else value
            for name, value in self._extractor.protocol.to_dict().items()
        }

    @torch.no_grad()
    def measure(
        self,
        generator: nn.Module,
        seeds: Sequence[int],
        latent_dim: int,
        classes: Classes | None = None,
    ) -> Tensor:
        """Measure the coverage of each seed.

        Arguments:
            generator: Maps latents of all seeds to samples in the data's own units.
            seeds: The seeds, whose latents are always the same.
            latent_dim: Dimension of the latents.
            classes: Classes that a conditional generator reads.

        Returns:
            Coverage, float64 with shape (S,); NaN for a seed whose samples are not finite.
        """
        z = sample_prior(seeds, self.num_samples, latent_dim, classes)
        features, is_finite = zip(*self._map_chunks(generator, z))
        fake = torch.cat(features, 1).to(self.device)
        coverage = prdc(self._real_features, fake, NUM_NEIGHBOURS).coverage
        return coverage.where(torch.stack(is_finite).all(0), torch.nan)

    def _map_chunks(self, generator: nn.Module, z: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the features of samples, (S, n, D), and whether those of a seed are finite."""
        values_per_sample = math.prod(self.data.shape)
        chunk_size = max(1, min(CHUNK_SIZE, _MAX_CHUNK_VALUES // values_per_sample))
        for chunk in z.split(chunk_size, dim=1):
            samples = generator(chunk.to(self.device))
            is_finite = samples.flatten(1).isfinite().all(1).cpu()
            yield self._compute_features(samples), is_finite

    def _compute_features(self, samples: Tensor) -> Tensor:
        """Compute the features (S, n, D) of samples (S, n, *shape)."""
        if self._extractor is None:
            return samples.flatten(2)
        in_range = samples.nan_to_num(0.0).clamp(-1, 1)
        images = ((in_range + 1) * 127.5).round().to(torch.uint8)
        features = extract(images.flatten(0, 1), self._extractor, cache_dir=None).values
        return features.view(*samples.shape[:2], -1)

    @cached_property
    def _real_features(self) -> Tensor:
        index = torch.tensor(choose_indices(len(self.data), self.num_samples))
        if self._extractor is None:
            samples = self.data.take_samples(index.to(self.data.x.device))
            return samples.flatten(1).to(self.device)
        blocks = ImageBlocks(
            self._iterate_images(index), len(index), lambda: self._compute_sha256(index)
        )
        return extract(blocks, self._extractor).values.to(self.device)

    def _iterate_images(self, index: Tensor) -> Iterator[Tensor]:
        block_size = max(1, _MAX_CHUNK_VALUES // math.prod(self.data.shape))
        for block_index in index.to(self.data.x.device).split(block_size):
            yield self.data.take_bytes(block_index).cpu()

    def _compute_sha256(self, index: Tensor) -> str:
        hasher = hashlib.sha256(f"part of {self.data.compute_sha256()}".encode())
        hasher.update(index.numpy().data)
        return hasher.hexdigest()
