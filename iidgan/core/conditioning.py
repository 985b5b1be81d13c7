"""Classes of labelled data, and how a conditional method is trained on them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from operator import index
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from iidgan.errors import InputError, unknown_name_error

ClassSampling = Literal["uniform", "data"]


@dataclass(frozen=True)
class Classes:
    """The K classes of a data set.

    Arguments:
        names: Their names, in the order of the labels 0 ... K - 1.
        probabilities: Share of each in the data, positive with sum 1.

    Examples:
        >>> classes = Classes(names=("cat", "dog"), probabilities=(0.25, 0.75))
        >>> len(classes), classes.find("dog")
        (2, 1)
    """

    names: tuple[str, ...]
    probabilities: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def from_labels(cls, labels: Tensor, names: tuple[str, ...] = ()) -> Classes:
        """Count labels.

        Arguments:
            labels: Labels of all samples, int64 with shape (N,).
            names: Names of the classes; by default their numbers.

        Raises:
            InputError: A label is negative or has no name, or a class has no samples.

        Examples:
            >>> Classes.from_labels(torch.tensor([0, 1, 1, 1]))
            Classes(names=('0', '1'), probabilities=(0.25, 0.75))
        """
        lowest, highest = int(labels.min()), int(labels.max())
        if lowest < 0:
            raise InputError(f"labels: must be >= 0, got {lowest}; number the classes from 0")
        if names and highest >= len(names):
            raise InputError(
                f"labels: must be below {len(names)}, the number of classes, got {highest}"
            )
        counts = torch.bincount(labels.cpu(), minlength=len(names))
        all_names = names or tuple(map(str, range(len(counts))))
        missing = [name for name, count in zip(all_names, counts.tolist()) if not count]
        if missing:
            raise InputError(
                f"labels: every class must have samples, but {len(missing)} of {len(all_names)} "
                f"have none, such as {missing[0]!r}; number the classes that occur from 0"
            )
        return cls(all_names, tuple((counts.double() / len(labels)).tolist()))

    def find(self, name: str | int) -> int:
        """Return the label of a class.

        Arguments:
            name: Its name, or its label. A string is a label only if it cannot be mistaken for a
                name: not where all names are whole numbers.

        Raises:
            InputError: There is no such class.

        Examples:
            >>> classes = Classes(names=("10", "20"), probabilities=(0.5, 0.5))
            >>> classes.find("20"), classes.find(0)
            (1, 0)
        """
        if not isinstance(name, str):
            with suppress(TypeError):  # of what is no integer
                label = index(name)
                if 0 <= label < len(self):
                    return label
            raise InputError(
                f"label: must be between 0 and {len(self) - 1}, or the name of a class, such as "
                f"{self.names[0]!r}, got {name}"
            )
        if name in self.names:
            return self.names.index(name)
        is_label = name.isascii() and name.isdigit() and int(name) < len(self)
        if is_label and not all(map(_is_integer, self.names)):
            return int(name)
        raise unknown_name_error("label", name, self.names)


@dataclass(frozen=True)
class Conditioning:
    """How the classes of the batches of a conditional method are drawn and fed to its networks.

    Real and generated samples of a batch have the same classes c. G gets [z; c], and D gets c, as
    vectors that are one-hot, or between 1/K and that while a transition lasts.

    Arguments:
        classes: `uniform` draws all classes equally often, `data` as often as they are in the
            data.
        transition: Shares of the run at which the transition from an unconditional to a
            conditional method begins and ends; None if it is conditional from the start. Before,
            all classes look alike; during the transition, c changes linearly.

    References:
        Collapse by Conditioning: Training Class-conditional GANs with Limited Data (Shahbazi,
        Danelljan, Paudel and Van Gool, 2022), https://arxiv.org/abs/2201.06578, for the
        transition; there, an unconditional output of D is added, and c is scaled from 0.

    Examples:
        >>> conditioning = Conditioning("uniform", transition=(0.0, 0.5))
        >>> labels = torch.tensor([1, 0])
        >>> conditioning.encode(labels, 2, progress=torch.tensor(0.25))
        tensor([[0.2500, 0.7500],
                [0.7500, 0.2500]])
    """

    classes: ClassSampling = "uniform"
    transition: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.transition is None:
            return
        start, end = self.transition
        if not 0 <= start < end <= 1:
            raise InputError(
                f"transition: must be two increasing shares of the run in [0, 1], got {start:g} "
                f"and {end:g}"
            )

    def encode(self, labels: Tensor, num_classes: int, progress: Tensor) -> Tensor:
        """Encode labels as the networks read them.

        Arguments:
            labels: Labels, int64 of any shape.
            num_classes: Number of classes K.
            progress: Completed share of the training, with shape ().

        Returns:
            Probabilities of the classes, of the default dtype, with shape (*labels.shape, K).
        """
        one_hot = functional.one_hot(labels, num_classes).to(torch.get_default_dtype())
        if self.transition is None:
            return one_hot
        start, end = self.transition
        certainty = ((progress - start) / (end - start)).clamp(0, 1)
        return certainty * one_hot + (1 - certainty) / num_classes


class ClassBalancedIndex:
    """Draws indices of samples such that all classes are equally likely.

    Along the last axis, classes take turns: of K classes, every K-th sample is of one class.

    Arguments:
        labels: Labels of all samples, int64 with shape (N,), of classes that all have samples.

    Examples:
        >>> draw = ClassBalancedIndex(torch.tensor([0, 1, 1, 1]))
        >>> index = draw((4000,), torch.Generator().manual_seed(0))
        >>> (index == 0).float().mean()  # one half is of class 0
        tensor(0.5000)
    """

    def __init__(self, labels: Tensor) -> None:
        labels = labels.cpu()
        self._order = labels.argsort(stable=True)
        self._counts = torch.bincount(labels)
        self._starts = self._counts.cumsum(0) - self._counts

    def __call__(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Draw indices.

        Arguments:
            shape: Shape of the result.
            generator: Source of random numbers.
        """
        num_classes = len(self._counts)
        first_label = torch.randint(num_classes, (*shape[:-1], 1), generator=generator)
        label = ((first_label + torch.arange(shape[-1])) % num_classes).expand(shape)
        position = torch.rand(shape, generator=generator, dtype=torch.float64)
        offset = (position * self._counts[label]).long()  # below the count, as position < 1
        return self._order[self._starts[label] + offset]


def _is_integer(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdigit()
