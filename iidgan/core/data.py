"""What a data set is to the rest: an array on the device, and what is known of its truth."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Mixture:
    """An isotropic Gaussian mixture of equal weights: the truth of a synthetic source.

    Arguments:
        centres: Means of the modes, with shape (K, d).
        std: Standard deviation of each mode, in each dimension.
    """

    centres: Tensor
    std: float


class View(ABC):
    """Samples that are made of what is stored when they are taken, and so need no memory."""

    @abstractmethod
    def count(self, stored: Tensor) -> int:
        """Counts the samples that there are."""

    @abstractmethod
    def shape(self, stored: Tensor) -> tuple[int, ...]:
        """Gives the shape of one sample, without batch axes."""

    @abstractmethod
    def take(self, stored: Tensor, index: Tensor) -> Tensor:
        """Makes samples, with shape (*index.shape, *shape) and the scale of `stored`."""

    @abstractmethod
    def tensors(self) -> tuple[Tensor, ...]:
        """Lists what decides, besides `stored`, what the samples are."""

    @abstractmethod
    def to(self, device: torch.device | str) -> View:
        """Moves itself to where `stored` is."""


class AsStored(View):
    """The samples that are stored, as they are."""

    def count(self, stored: Tensor) -> int:
        return len(stored)

    def shape(self, stored: Tensor) -> tuple[int, ...]:
        return tuple(stored.shape[1:])

    def take(self, stored: Tensor, index: Tensor) -> Tensor:
        return stored[index]

    def tensors(self) -> tuple[Tensor, ...]:
        return ()

    def to(self, device: torch.device | str) -> View:
        return self


@dataclass(frozen=True)
class Dataset:
    """All samples of a source, in memory or in a file that is mapped into it.

    Arguments:
        x: What is stored, with shape (N, *shape): float32, or uint8 in 0 ... 255 for images.
        y: Labels, int64 with one for each sample, or None.
        truth: The mixture that `x` was drawn from, where that is known.
        labels: Names of the labels, in order; empty where they have none.
        view: What makes samples of `x`; by default they are its rows.
        sha256: What `digest` gives, where it is known without reading all samples.
        flip: Whether training mirrors each sample left to right with a chance of 1/2.
        device: Where `take` brings samples; `x` itself stays behind if it is too large for it.
    """

    x: Tensor
    y: Tensor | None = None
    truth: Mixture | None = None
    labels: tuple[str, ...] = ()
    view: View = AsStored()  # noqa: RUF009 - it has no state
    sha256: str | None = None
    flip: bool = False
    device: torch.device = CPU

    def __len__(self) -> int:
        return self.view.count(self.x)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample, without batch axes."""
        return self.view.shape(self.x)

    @property
    def is_image(self) -> bool:
        return self.x.dtype == torch.uint8

    def take(self, index: Tensor) -> Tensor:
        """Gathers float32 samples, with shape (*index.shape, *shape); images scale to [-1, 1].

        Arguments:
            index: Positions of the samples, on the device of `x`.
        """
        picked = self._bring(self.view.take(self.x, index))
        return picked.float() / 127.5 - 1 if self.is_image else picked

    def take_labels(self, index: Tensor) -> Tensor | None:
        return None if self.y is None else self._bring(self.y[index])

    def _bring(self, picked: Tensor) -> Tensor:
        """Moves samples to the device, without waiting for what that is still busy with."""
        if picked.device.type == "cpu" and self.device.type == "cuda":
            return picked.pin_memory().to(self.device, non_blocking=True)
        return picked.to(self.device)

    def digest(self) -> str:
        """Gives the SHA-256 of all samples and labels, or of the files that hold them."""
        if self.sha256 is not None:
            return self.sha256
        found = hashlib.sha256(str(self.x.dtype).encode())
        for part in (self.x, self.y, *self.view.tensors()):
            if part is not None:
                found.update(part.cpu().contiguous().numpy().data)
        return found.hexdigest()

    def to(self, device: torch.device | str) -> Dataset:
        """Lets `take` bring samples to `device`: from there if all fit, else from here."""
        target = torch.device(device)
        place = target if self.x.nbytes <= SHARE * _free(target) else self.x.device
        y = None if self.y is None else self.y.to(place)
        return replace(self, x=self.x.to(place), y=y, view=self.view.to(place), device=target)


SHARE = 0.5
"""Part of a device's free memory that a data set may take; the rest is for the networks."""


def _free(device: torch.device) -> float:
    """Asks how many bytes are free; of a device that does not tell, all that one wants."""
    ask = getattr(getattr(torch, device.type, None), "mem_get_info", None)
    return math.inf if ask is None else float(ask(device)[0])


class Source(ABC):
    """Where data come from; subclasses are frozen dataclasses, their fields its options.

    Attributes:
        images: Whether the samples are images.
        num_evaluated: Generated samples that a metric reads unless told otherwise.
        apart: Whether a classifier judges each channel of an image by itself: stacked images.
    """

    images: ClassVar[bool] = False
    num_evaluated: ClassVar[int] = 10_000
    apart: ClassVar[bool] = False

    @property
    def classifier(self) -> str:
        """Name of the labelled source whose classifier judges the images; empty if there is none.

        Another source may share it: stacked images have that of the images they are made of.
        """
        return ""

    @abstractmethod
    def load(self) -> Dataset:
        """Reads or makes the data set: the same one at every call.

        Raises:
            InputError: A field or a file is not what it has to be.
        """
