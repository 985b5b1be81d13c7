"""A run: everything that can change a number, and nothing that cannot."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, get_args

from iidgan.bench.registry import class_of, name_of
from iidgan.core import LATER, Backbone, Method, Regularised, Source, Term
from iidgan.data import Ring
from iidgan.engine.move import Precision
from iidgan.engine.optim import Adam, Optimiser
from iidgan.errors import InputError, unknown
from iidgan.methods import GAN
from iidgan.methods.iid_gan_plus import GROWTH
from iidgan.nn import DCGAN, MLP
from iidgan.terms import R1, R2, CycleConsistency, GaussianConsistency, GradientPenalty


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
    precision: Precision = field(default="float32", metadata=LATER)
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
        text = json.dumps(encode(self, places=False), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def recommended(source: Source, method: Method) -> Run:
    """Fits defaults to the kind of data.

    For vectors, the papers' synthetic setting. For images, DCGAN with Adam at 2e-4 (Radford et
    al., 2015), and the weights that IID-GAN's authors give for MNIST, 0.5 and 0.1, on element-wise
    means, wherever the method's terms have their defaults. Where a term penalises D's slope at
    single samples, D has no batch norm, in which every logit depends on all samples.
    """
    if not source.images:
        return Run(source=source, method=method)
    alone = any(isinstance(term, SLOPES) for term in method.flat[1])
    return Run(
        source=source,
        method=_for_images(method),
        arch=DCGAN(width=32, norm="none" if alone else "batch"),
        optimiser=Adam(lr=2e-4),
        batch=64,
        steps=20_000,
    )


SLOPES = (GradientPenalty, R1, R2)
_MEANS = CycleConsistency(norm="l1", weight=0.5)
FOR_IMAGES: dict[Term, Term] = {
    CycleConsistency(): _MEANS,
    CycleConsistency(norm="l1"): _MEANS,
    GaussianConsistency(): GaussianConsistency(weight=0.1),
    # What grows for the sake of narrow modes stays as it is where there are none.
    CycleConsistency(growth=GROWTH): _MEANS,
    GaussianConsistency(growth=GROWTH): GaussianConsistency(weight=0.1),
}


def _for_images(method: Method) -> Method:
    base, terms = method.flat
    fitting = tuple(FOR_IMAGES.get(term, term) for term in terms)
    return method if fitting == terms else Regularised(method=base, terms=fitting)


def encode(value: object, *, places: bool = True) -> Any:  # noqa: ANN401 - JSON
    """Turns dataclasses into JSON, each with its `type`; without `places`, paths are left out.

    A field that came `later` is left out where it has its default, so that what was run before it
    came keeps its id.
    """
    if is_dataclass(value) and not isinstance(value, type):
        kept = [
            f
            for f in fields(value)
            if (places or not f.metadata.get("place"))
            and not (f.metadata.get("later") and getattr(value, f.name) == f.default)
        ]
        declared = ((f.name, _declared(getattr(value, f.name), f.type)) for f in kept)
        inside = {name: encode(part, places=places) for name, part in declared}
        return {"type": name_of(type(value)), **inside} if type(value) is not Run else inside
    if isinstance(value, tuple | list):
        return [encode(item, places=places) for item in value]
    return value


def _declared(value: Any, kind: Any) -> Any:  # noqa: ANN401
    """Makes whole numbers floats where those are declared: equal runs are written alike."""
    if isinstance(value, tuple | list):
        return tuple(_declared(item, kind) for item in value)
    return float(value) if type(value) is int and "float" in str(kind) else value


def decode(data: Mapping[str, Any]) -> Run:
    """Undoes `encode`.

    Raises:
        InputError: A type or a field is unknown.
    """
    return _build(Run, data)


def _build(made: type, data: Mapping[str, Any]) -> Any:  # noqa: ANN401
    known = [f.name for f in fields(made)]
    for name in data:
        if name not in known:
            raise unknown(f"{made.__name__}", name, known)
    return made(**{name: _decode(value) for name, value in data.items()})


def _decode(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        data = dict(value)
        return _build(class_of(str(data.pop("type", ""))), data)
    if isinstance(value, list):
        return tuple(_decode(item) for item in value)
    return value


def difference(old: Any, new: Any, name: str = "") -> list[str]:  # noqa: ANN401
    """Names the fields in which two encoded values differ, with both values."""
    if isinstance(old, dict) and isinstance(new, dict) and old.get("type") == new.get("type"):
        keys = [*old, *(key for key in new if key not in old)]
        inside = (
            difference(old.get(k, _DEFAULT), new.get(k, _DEFAULT), f"{name}.{k}".lstrip("."))
            for k in keys
        )
        return [line for lines in inside for line in lines]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        inside = (difference(o, n, f"{name}[{i}]") for i, (o, n) in enumerate(zip(old, new)))
        return [line for lines in inside for line in lines]
    return [] if old == new else [f"{name} ({_short(old)} there, {_short(new)} here)"]


_DEFAULT = object()  # of a field that `encode` leaves out


def _short(value: Any) -> str:  # noqa: ANN401
    if value is _DEFAULT:
        return "the default"
    return str(value["type"]) if isinstance(value, dict) and "type" in value else json.dumps(value)
