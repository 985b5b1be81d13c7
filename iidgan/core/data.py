"""Sources of data, and data sets as the rest of the package reads them."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from iidgan.core.conditioning import Classes
from iidgan.core.distributions import Distribution
from iidgan.core.factors import Factors
from iidgan.core.typed_fields import TypedFields
from iidgan.errors import InputError

CPU = torch.device("cpu")


class SampleView(ABC):
    """Samples that are computed from a stored tensor on access, and so take no memory.

    Examples:
        >>> class Negatives(StoredView):
        ...     def take_samples(self, stored, index):
        ...         return 255 - stored[index]
        >>> images = torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1, 1)
        >>> Dataset(images, view=Negatives()).take_samples(torch.tensor([0])).flatten()
        tensor([1.])
    """

    @abstractmethod
    def num_samples(self, stored: Tensor) -> int:
        """Return the number of samples.

        Arguments:
            stored: Tensor that the samples are computed from.
        """

    @abstractmethod
    def sample_shape(self, stored: Tensor) -> tuple[int, ...]:
        """Return the shape of one sample, without batch axes.

        Arguments:
            stored: Tensor that the samples are computed from.
        """

    @abstractmethod
    def take_samples(self, stored: Tensor, index: Tensor) -> Tensor:
        """Compute samples, with shape (*index.shape, *sample_shape) and the scale of `stored`.

        Arguments:
            stored: Tensor that the samples are computed from.
            index: Indices of the samples, int64 of any shape.
        """

    @abstractmethod
    def key_tensors(self) -> tuple[Tensor, ...]:
        """Return the tensors that, together with `stored`, determine the samples."""

    @abstractmethod
    def to(self, device: torch.device | str) -> SampleView:
        """Return the view with its tensors on a device.

        Arguments:
            device: Device of the stored tensor.
        """


class StoredView(SampleView):
    """The stored samples, unchanged."""

    def num_samples(self, stored: Tensor) -> int:
        return len(stored)

    def sample_shape(self, stored: Tensor) -> tuple[int, ...]:
        return tuple(stored.shape[1:])

    def take_samples(self, stored: Tensor, index: Tensor) -> Tensor:
        return stored[index]

    def key_tensors(self) -> tuple[Tensor, ...]:
        return ()

    def to(self, device: torch.device | str) -> SampleView:
        return self


@dataclass(frozen=True)
class Standardisation:
    """Affine map of samples to mean 0 and standard deviation 1, and back.

        x -> (x - mean) / std

    Arguments:
        mean: Mean of the data in their own units, with the shape of one sample.
        std: Their standard deviation, positive, with the same shape.

    Examples:
        >>> heights = Standardisation(mean=torch.tensor([170.0]), std=torch.tensor([10.0]))
        >>> heights.standardise(torch.tensor([[185.0]]))
        tensor([[1.5000]])
        >>> heights.restore(torch.tensor([[1.5]]))
        tensor([[185.]])
    """

    mean: Tensor
    std: Tensor

    def standardise(self, x: Tensor) -> Tensor:
        """Map samples from the data's own units.

        Arguments:
            x: Samples, with shape (..., *shape).

        Returns:
            Standardised samples, with the same shape.
        """
        return (x - self.mean.to(x.device)) / self.std.to(x.device)

    def restore(self, x: Tensor) -> Tensor:
        """Map standardised samples back to the data's own units.

        Arguments:
            x: Standardised samples, with shape (..., *shape).

        Returns:
            Samples, with the same shape.
        """
        return x * self.std.to(x.device) + self.mean.to(x.device)


@dataclass(frozen=True)
class Dataset:
    """All samples of a source, in memory or in a memory-mapped file.

    Arguments:
        x: Stored samples, with shape (N, *shape): float32, or uint8 in 0 ... 255 for images.
        y: Labels, int64 with one for each sample, or None.
        truth: The distribution that `x` was drawn from, if it is known.
        labels: Names of the labels, in order; empty if they have none.
        view: Computes samples from `x`; by default they are its rows.
        sha256: Result of `compute_sha256`, if it is known without reading all samples.
        scaling: Map from the data's own units to those of `x`; None if they are the same.
        notes: Lines for the user on what was read; training shows them first.
        flip: Whether training mirrors each sample left to right with probability 1/2.
        device: Device of the samples that `take_samples` returns; `x` itself stays on its own
            device if it is too large for this one.
        factors: Factors of variation of each sample, if they are known.

    Examples:
        >>> images = torch.zeros(100, 3, 32, 32, dtype=torch.uint8)
        >>> dataset = Dataset(images, y=torch.arange(100) % 10)
        >>> len(dataset), dataset.shape, dataset.is_image
        (100, (3, 32, 32), True)
    """

    x: Tensor
    y: Tensor | None = None
    truth: Distribution | None = None
    labels: tuple[str, ...] = ()
    view: SampleView = StoredView()  # noqa: RUF009 - it has no state
    sha256: str | None = None
    scaling: Standardisation | None = None
    notes: tuple[str, ...] = ()
    flip: bool = False
    device: torch.device = CPU
    factors: Factors | None = None

    def __len__(self) -> int:
        return self.view.num_samples(self.x)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample, without batch axes."""
        return self.view.sample_shape(self.x)

    @property
    def classes(self) -> Classes:
        """The classes of the labels.

        Raises:
            InputError: There are no labels, or they do not number classes that all have samples.
        """
        if self.y is None:
            raise InputError("labels: these data have none")
        return Classes.from_labels(self.y, self.labels)

    @property
    def is_image(self) -> bool:
        """Whether the samples are images, which are stored as uint8."""
        return self.x.dtype == torch.uint8

    def take_samples(self, index: Tensor) -> Tensor:
        """Gather float32 samples; images are in [-1, 1].

        Arguments:
            index: Indices of the samples, int64 of any shape, on the device of `x`.

        Returns:
            Samples, with shape (*index.shape, *shape).

        Examples:
            >>> images = torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1, 1)
            >>> Dataset(images).take_samples(torch.tensor([1, 0, 1])).flatten()
            tensor([ 1., -1.,  1.])
        """
        raw_samples = self._to_device(self.view.take_samples(self.x, index))
        return raw_samples.float() / 127.5 - 1 if self.is_image else raw_samples

    def take_bytes(self, index: Tensor) -> Tensor:
        """Gather images as uint8, on the device of `x`.

        Arguments:
            index: Indices of the samples, int64 of any shape, on the device of `x`.

        Returns:
            Images, with shape (*index.shape, *shape).

        Examples:
            >>> images = torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1, 1)
            >>> Dataset(images).take_bytes(torch.tensor([1, 0, 1])).flatten()
            tensor([255,   0, 255], dtype=torch.uint8)
        """
        return self.view.take_samples(self.x, index).to(torch.uint8)

    def take_labels(self, index: Tensor) -> Tensor | None:
        """Gather labels.

        Arguments:
            index: Indices of the samples, int64 of any shape, on the device of `y`.

        Returns:
            Labels with the shape of `index`, or None if the data set has no labels.
        """
        return None if self.y is None else self._to_device(self.y[index])

    def _to_device(self, values: Tensor) -> Tensor:
        """Move `values` to the device, without waiting for work that is queued there."""
        if values.device.type == "cpu" and self.device.type == "cuda":
            return values.pin_memory().to(self.device, non_blocking=True)
        return values.to(self.device)

    def in_own_units(self) -> Dataset:
        """Return the data set in the data's own units, as metrics and figures read it."""
        if self.scaling is None:
            return self
        return replace(self, x=self.scaling.restore(self.x), scaling=None)

    def compute_sha256(self) -> str:
        """Return the SHA-256 of all samples, labels and factors, or of the files with them."""
        if self.sha256 is not None:
            return self.sha256
        hasher = hashlib.sha256(str(self.x.dtype).encode())
        factor_values = None if self.factors is None else self.factors.values
        for tensor in (self.x, self.y, factor_values, *self.view.key_tensors()):
            if tensor is not None:
                hasher.update(tensor.cpu().contiguous().numpy().data)
        return hasher.hexdigest()

    def to(self, device: torch.device | str) -> Dataset:
        """Return a data set whose samples arrive on `device`; `x` moves there only if it fits.

        Arguments:
            device: Device of the samples.
        """
        sample_device = torch.device(device)
        fits = self.x.nbytes <= MAX_MEMORY_SHARE * _free_memory(sample_device)
        storage_device = sample_device if fits else self.x.device
        return replace(
            self,
            x=self.x.to(storage_device),
            y=None if self.y is None else self.y.to(storage_device),
            view=self.view.to(storage_device),
            device=sample_device,
        )


MAX_MEMORY_SHARE = 0.5
"""Share of a device's free memory that a data set may take; the rest is for the networks."""


def _free_memory(device: torch.device) -> float:
    """Return the free memory in bytes; infinity if the device does not report it."""
    mem_get_info = getattr(getattr(torch, device.type, None), "mem_get_info", None)
    return math.inf if mem_get_info is None else float(mem_get_info(device)[0])


class Source(TypedFields, ABC):
    """A source of data; subclasses are frozen dataclasses whose fields are its options.

    Attributes:
        has_images: Whether the samples are images.
        num_evaluated: Default number of generated samples that metrics read.
        per_channel: Whether a classifier reads each channel of an image separately, as for
            stacked images.
        classifier_options: Options of `ClassifierConfig` for the classifier of the images, other
            than its defaults; only those of the source named by `classifier_source` are read.
        expected_accuracy: Test accuracy of that classifier, in percent, below which metrics based
            on it are unreliable.

    Examples:
        >>> @dataclass(frozen=True, kw_only=True)
        ... class Square(Source):
        ...     side: float = 1.0
        ...
        ...     def load(self):
        ...         generator = torch.Generator().manual_seed(0)
        ...         return Dataset(self.side * torch.rand(1000, 2, generator=generator))
        >>> Square(side=2.0).load().shape
        (2,)
    """

    has_images: ClassVar[bool] = False
    num_evaluated: ClassVar[int] = 10_000
    per_channel: ClassVar[bool] = False
    classifier_options: ClassVar[Mapping[str, float]] = MappingProxyType({})
    expected_accuracy: ClassVar[float] = 0.0

    @property
    def whole(self) -> Source:
        """The source of all data that these are a part of, which tables compare samples with."""
        return self

    @property
    def label_advice(self) -> str:
        """What to do if the data have no labels, which a conditional method needs."""
        return "choose other data"

    @property
    def classifier_source(self) -> str:
        """Name of the labelled source whose classifier evaluates the images; empty if none does.

        Sources may share a classifier: stacked images use that of the images they consist of.
        """
        return ""

    @abstractmethod
    def load(self) -> Dataset:
        """Read or create the data set: the same one at every call.

        Raises:
            InputError: A field or a file is invalid.
        """
