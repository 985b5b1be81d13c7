"""Laws of a metric: its values, its protocol, and what it says of samples that it cannot read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from iidgan.core import Features, Judged, Metric, Mixture, Samples
from iidgan.testing.value import differing, is_a_value, name_of, require

OPTIONAL = ("z", "codes", "z_cycled", "x_cycled", "x_errors", "truth", "labels", "judged")
BY_SEED = ("generated", "z", "codes", "z_cycled", "x_cycled", "x_errors")


def check_metric(metric: Metric, samples: Samples | None = None) -> None:
    """Checks every law of a metric.

    It is a value; it measures samples, or says what they lack; its values are float64, one per
    seed, the same at every call, and those of a seed depend on its own samples alone; its protocol
    is plain JSON.

    Arguments:
        metric: What is checked.
        samples: What it can measure; by default points in the plane, with all that may be beside,
            or images and what a classifier says of them, if it cannot measure those.

    Raises:
        AssertionError: The metric breaks a law.
    """
    is_a_value(metric)
    samples = samples or _readable(metric)
    name, lack = name_of(metric), metric.missing(samples)
    require(lack is None, f"{name} misses {lack}; check it with samples that have it")
    _seeds_are_measured_alone(metric, samples)
    for field in OPTIONAL:
        poorer = replace(samples, **{field: None})  # type: ignore[arg-type]
        lack = metric.missing(poorer)
        if lack is None:
            _measure(metric, poorer)
        else:
            require(bool(lack.strip()), f"{name}.missing gives {lack!r}; name what lacks, or None")


def _measure(metric: Metric, samples: Samples) -> dict[str, Tensor]:
    name, seeds = name_of(metric), len(samples.generated)
    before, rng = _tensors(samples), torch.get_rng_state()
    values = metric(samples)
    pure = not differing(before, _tensors(samples)) and torch.equal(rng, torch.get_rng_state())
    require(pure, f"{name} changes its samples or the random state; copy, and seed a generator")
    require(bool(values), f"{name} measures nothing; return a dict of named tensors")
    for key, value in values.items():
        require(key.isidentifier(), f"{name}: {key!r} is no name of a value; use an identifier")
        found = f"{value.dtype} with shape {tuple(value.shape)} on {value.device}"
        right = (
            value.dtype == torch.float64 and value.shape == (seeds,) and value.device.type == "cpu"
        )
        require(right, f"{name}: {key!r} is {found}; make it float64 ({seeds},) on the CPU")
    odd = differing(values, metric(samples))
    require(not odd, f"{name}: {odd} differ between two calls; seed what is random")
    _is_plain(name, metric.protocol(samples))
    return values


def _is_plain(name: str, protocol: Mapping[str, object]) -> None:
    plain = all(isinstance(value, str | int | float | bool) for value in protocol.values())
    again = json.loads(json.dumps(dict(protocol), default=repr))
    require(
        plain and again == dict(protocol),
        f"{name}: the protocol {dict(protocol)} is not plain; use strings, numbers and booleans",
    )


def _seeds_are_measured_alone(metric: Metric, samples: Samples) -> None:
    together = _measure(metric, samples)
    for seed in range(len(samples.generated)):
        alone = _measure(metric, _of_seed(samples, seed))
        beside = {key: value[seed : seed + 1] for key, value in together.items()}
        odd = differing(beside, alone, 1e-9)
        require(not odd, f"{name_of(metric)} mixes seeds: {odd} depend on the seeds beside")


def _of_seed(samples: Samples, seed: int) -> Samples:
    parts = {
        key: value[seed : seed + 1]
        for key in BY_SEED
        if (value := getattr(samples, key)) is not None
    }
    judged = samples.judged
    if judged is not None:
        found = {key: value[seed : seed + 1] for key, value in vars(judged.generated).items()}
        judged = replace(judged, generated=Features(**found))
    return replace(samples, **parts, judged=judged)


def _tensors(samples: Samples) -> dict[str, Tensor]:
    """Copies the tensors of `samples`."""
    found = {key: getattr(samples, key) for key in ("real", "labels", *BY_SEED)}
    if samples.judged is not None:
        for side in ("generated", "real"):
            features = vars(getattr(samples.judged, side))
            found |= {f"{side}.{key}": value for key, value in features.items()}
    return {key: value.clone() for key, value in found.items() if value is not None}


def _readable(metric: Metric) -> Samples:
    """Takes the samples that the metric can read, else the first ones."""
    made = [_samples(), _judged_samples(views=1), _judged_samples(views=3)]
    return next((samples for samples in made if metric.missing(samples) is None), made[0])


def _samples() -> Samples:
    """Makes three seeds that are near a mixture of two modes, each at its own distance."""
    generator = torch.Generator().manual_seed(0)
    truth = Mixture(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), 0.1)
    codes, real = torch.randn(3, 48, 2, generator=generator), truth.centres.repeat(24, 1)
    spread = torch.tensor([0.05, 0.1, 0.2])[:, None, None]
    z = torch.randn(3, 64, 2, generator=generator)
    return Samples(
        generated=truth.centres.repeat(32, 1) + spread * z,
        real=real,
        z=z,
        codes=codes,
        z_cycled=z + spread,
        x_cycled=real + spread * codes,
        x_errors=(spread * codes).abs().mean(2),
        truth=truth,
    )


def _judged_samples(views: int) -> Samples:
    """Makes three seeds of images of two classes, of which a classifier is more or less sure."""
    generator = torch.Generator().manual_seed(0)

    def features(*shape: int) -> Features:
        return Features(
            classes=torch.randint(2, (*shape, views), generator=generator),
            confidences=1 - 0.5 * torch.rand(*shape, views, generator=generator),
            vectors=torch.randn(*shape, 4, generator=generator),
        )

    return Samples(
        generated=torch.zeros(3, 64, views, 8, 8),
        real=torch.zeros(48, views, 8, 8),
        labels=torch.randint(2**views, (100,), generator=generator),
        judged=Judged(
            features(3, 64), features(48), num_classes=2, protocol={"extractor": "none"}
        ),
    )
