"""The configuration of a run: everything that can change its numbers, and nothing else."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from iidgan.config.plugins import Plugin, resolve_plugins
from iidgan.config.serialization import decode_dataclass, encode_fields
from iidgan.config.start import Start
from iidgan.core import (
    OMIT_IF_DEFAULT,
    Backbone,
    Classes,
    Dataset,
    Method,
    NetworkFactory,
    Source,
    TypedFields,
)
from iidgan.data import Ring
from iidgan.engine.optim import Adam, Optimiser
from iidgan.engine.step import Precision
from iidgan.errors import InputError, unknown_name_error
from iidgan.methods import GAN
from iidgan.nn import MLP


@dataclass(frozen=True, kw_only=True)
class Run(TypedFields):
    """Configuration of a training. Device, paths, executor and seeds are not part of it.

    The defaults are the papers' setting for points in the plane; `iidgan.recommended` chooses
    those for images, such as convolutional networks.

    References:
        GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium (Heusel,
        Ramsauer, Unterthiner, Nessler and Hochreiter, 2017), https://arxiv.org/abs/1706.08500:
        learning rates of D and G of their own, `lr_factors`

    Raises:
        InputError: A value is out of range or of the wrong type, or the method has no player of
            `lr_factors`.

    Examples:
        >>> import iidgan
        >>> run = Run(source=iidgan.Ring(modes=16), method=iidgan.iid_gan(), steps=10_000)
        >>> run.arch.hidden, run.batch
        ((100, 200, 100), 100)

        Two time scales, with a D that learns four times as fast as G:

        >>> Run(lr_factors=(("D", 4.0), ("G", 1.0))).lr_factors
        (('D', 4.0),)
        >>> Run(lr_factors=(("E", 4.0),))
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: lr_factors: unknown 'E'; known: D, G
        >>> Run(steps=0)
        Traceback (most recent call last):
        ...
        iidgan.errors.InputError: steps: must be >= 1, got 0
    """

    source: Source = field(default_factory=Ring)
    """Source of the data."""
    method: Method = field(default_factory=GAN)
    """GAN method: networks and losses to train."""
    arch: Backbone = field(default_factory=MLP)
    """Backbone: the family of networks."""
    optimiser: Optimiser = field(default_factory=Adam)
    """Optimiser of every player."""
    steps: int = 24_000
    """Number of steps; in each one, every player is updated as often as the method specifies."""
    batch: int = 100
    """Samples per batch and seed."""
    ema: float = 0.0
    """Decay per step of the weights' moving average that samples are drawn with; 0: no average."""
    ema_rampup: float = field(default=0.0, metadata=OMIT_IF_DEFAULT)
    """Half-life of the moving average, at most, as a share of the steps so far, so that the first
    weights fade early; 0: no such limit."""
    precision: Precision = field(default="float32", metadata=OMIT_IF_DEFAULT)
    """Precision of the networks in training; weights are float32. bfloat16 is for images, on
    devices that support it: with eight bits it does not resolve the modes of 2D-Ring."""
    lr_factors: tuple[tuple[str, float], ...] = field(default=(), metadata=OMIT_IF_DEFAULT)
    """Factors of the optimiser's learning rate by player, such as `(("D", 4.0),)`; those that are
    not named have 1. Sorted by name, without factors of 1."""
    start: Start | None = field(default=None, metadata=OMIT_IF_DEFAULT)
    """Trained networks to start from; None: random weights."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: must be >= 1, got {getattr(self, name)}")
        if not 0 <= self.ema < 1:
            raise InputError(f"ema: must be in [0, 1), got {self.ema}")
        if not 0 <= self.ema_rampup <= 1:
            raise InputError(f"ema_rampup: must be in [0, 1], got {self.ema_rampup}")
        if self.lr_factors:
            self._check_lr_factors()
            factors = sorted((name, factor) for name, factor in self.lr_factors if factor != 1)
            object.__setattr__(self, "lr_factors", tuple(factors))

    def _check_lr_factors(self) -> None:
        names = [name for name, _ in self.lr_factors]
        player_names = [player.name for player in self.method.players]
        for name, factor in self.lr_factors:
            if name not in player_names:
                raise unknown_name_error("lr_factors", name, player_names)
            if names.count(name) > 1:
                raise InputError(f"lr_factors: must have one factor of {name}, got two")
            if not 0 < factor < math.inf:
                raise InputError(
                    f"lr_factors: must be positive numbers, such as 0.5, got {factor} for {name}"
                )

    @cached_property
    def id(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the configuration without paths."""
        text = json.dumps(self.to_dict(include_paths=False), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def find_classes(self, data: Dataset) -> Classes | None:
        """Return the classes that the method generates, or None if it is not conditional.

        Arguments:
            data: The data set of the run.

        Raises:
            InputError: The method is conditional, and the data have no classes.
        """
        if not self.method.conditioning:
            return None
        if data.y is None:
            raise InputError(
                "source: a conditional method needs labels, and these data have none; "
                f"{self.source.label_advice}"
            )
        return data.classes

    def network_factory(
        self, shape: tuple[int, ...], classes: Classes | None = None
    ) -> NetworkFactory:
        """Return the factory of the networks.

        Arguments:
            shape: Shape of a sample.
            classes: Classes that the method generates, if it is conditional.
        """
        return NetworkFactory(self.arch, shape, len(classes) if classes else 0)

    def to_dict(self, *, include_paths: bool = True) -> dict[str, Any]:
        """Encode the run as JSON.

        Arguments:
            include_paths: Whether to include paths, which change no numbers.

        Returns:
            Fields by name: numbers, strings, lists, and dicts with the name of a class as `type`.

        Examples:
            >>> import iidgan
            >>> Run(method=iidgan.WGAN()).to_dict()["method"]["type"]
            'wgan'
        """
        return encode_fields(self, include_paths=include_paths)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], plugins: Iterable[Plugin] = ()) -> Run:
        """Decode a run that `to_dict` encoded.

        Arguments:
            data: The encoded run.
            plugins: Classes that are not part of the package, or their names `module:Name`. No
                other module is imported.

        Returns:
            A run that equals the encoded one.

        Raises:
            UnnamedPluginError: A type is neither part of the package nor among `plugins`.
            InputError: A type or a field is unknown, or a value is invalid.

        Examples:
            >>> run = Run(steps=1000)
            >>> Run.from_dict(run.to_dict()) == run
            True
        """
        run: Run = decode_dataclass(cls, data, resolve_plugins(plugins))
        return run
