"""A run: everything that can change a number, and nothing that cannot."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from iidgan.config.serialization import build_dataclass, encode_fields
from iidgan.core import OMIT_IF_DEFAULT, Backbone, Method, Source
from iidgan.data import Ring
from iidgan.engine.optim import Adam, Optimiser
from iidgan.engine.step import Precision
from iidgan.errors import InputError, unknown
from iidgan.methods import GAN
from iidgan.nn import MLP


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is trained, on what, and for how long. Device, paths, executor and seeds are not here.

    Raises:
        InputError: A number is out of range.
    """

    source: Source = field(default_factory=Ring)
    """Where the data come from."""
    method: Method = field(default_factory=GAN)
    """Who plays."""
    arch: Backbone = field(default_factory=MLP)
    """Family of the networks."""
    optimiser: Optimiser = field(default_factory=Adam)
    """Moves every player."""
    steps: int = 24_000
    """Steps of the run; in each, every player moves as often as its method says."""
    batch: int = 100
    """Samples per batch and seed."""
    ema: float = 0.0
    """Decay per step of an average of the weights that samples are drawn with; 0: none."""
    precision: Precision = field(default="float32", metadata=OMIT_IF_DEFAULT)
    """What networks compute in while they train; weights are float32. bfloat16 is for images on
    devices with units for it: its eight bits do not resolve the modes of 2D-Ring."""

    def __post_init__(self) -> None:
        kinds = {"source": Source, "method": Method, "arch": Backbone, "optimiser": Optimiser}
        for name, kind in {**kinds, "steps": int, "batch": int}.items():
            if not isinstance(value := getattr(self, name), kind):
                call = "; call it" if callable(value) else ""
                raise InputError(f"{name}: {value!r} is no {kind.__name__}{call}")
        for name in ("steps", "batch"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: {getattr(self, name)} is too small; at least 1")
        if not 0 <= self.ema < 1:
            raise InputError(f"ema: {self.ema} is not in [0, 1)")
        if self.precision not in (known := get_args(Precision)):
            raise unknown("precision", self.precision, known)

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits of the digest of all that can change a number."""
        text = json.dumps(self.to_dict(include_paths=False), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def to_dict(self, *, include_paths: bool = True) -> dict[str, Any]:
        """The run as JSON; without paths, which change no number, where `include_paths` is off."""
        return encode_fields(self, include_paths=include_paths)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Run:
        """The run that `to_dict` wrote.

        Raises:
            InputError: A type or a field is unknown.
        """
        run: Run = build_dataclass(cls, data)
        return run
