"""Contracts of a metric: its values, its protocol, and how it reports samples it cannot read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from iidgan.core import (
    ClassifierOutputs,
    Factors,
    GaussianMixture,
    Metric,
    Predictions,
    Samples,
)
from iidgan.data import Moons
from iidgan.testing.value import class_name, differing_names, require, require_value

OPTIONAL_FIELDS = (
    *("z", "codes", "z_cycled", "x_cycled", "x_errors"),
    *("truth", "labels", "generated_labels", "real_labels", "real_factors"),
    "classifier_outputs",
)
SEED_FIELDS = (
    *("generated", "generated_labels"),
    *("z", "codes", "z_cycled", "x_cycled", "x_errors"),
)


def check_metric(metric: Metric, samples: Samples | None = None) -> None:
    """Check every contract of a metric.

    It is a value; it measures samples or reports what they lack; its values are float64, one per
    seed, equal at every call, and those of a seed depend on its own samples only; its protocol is
    plain JSON.

    Arguments:
        metric: The metric to check.
        samples: Samples that it can measure; by default points in the plane with all optional
            fields or, if it cannot measure those, images with the outputs of a classifier.

    Raises:
        AssertionError: The metric violates a contract.

    Examples:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True, kw_only=True)
        ... class MeanNorm(Metric):
        ...     def missing(self, samples):
        ...         return None
        ...
        ...     def protocol(self, samples):
        ...         return {"num_generated": samples.generated.shape[1]}
        ...
        ...     def __call__(self, samples):
        ...         return {"mean_norm": samples.generated.norm(dim=-1).mean(1)}
        >>> check_metric(MeanNorm())
        Traceback (most recent call last):
        ...
        AssertionError: MeanNorm: 'mean_norm' is torch.float32 ...; return float64 with ...
    """
    require_value(metric, Metric)
    samples = samples or _select_samples(metric)
    metric_name, missing_field = class_name(metric), metric.missing(samples)
    require(
        missing_field is None,
        f"{metric_name} cannot measure these samples: missing {missing_field}; pass `samples` "
        "that have it",
    )
    _check_seed_independence(metric, samples)
    for field in OPTIONAL_FIELDS:
        reduced_samples = replace(samples, **{field: None})  # type: ignore[arg-type]
        missing_field = metric.missing(reduced_samples)
        if missing_field is None:
            _measure(metric, reduced_samples)
        else:
            require(
                bool(missing_field.strip()),
                f"{metric_name}.missing returns {missing_field!r}; name what is missing, or None",
            )


def _measure(metric: Metric, samples: Samples) -> dict[str, Tensor]:
    """Measure samples and check the values."""
    metric_name, num_seeds = class_name(metric), len(samples.generated)
    tensors_before, rng_before = _copy_tensors(samples), torch.get_rng_state()
    values = metric(samples)
    is_pure = not differing_names(tensors_before, _copy_tensors(samples)) and torch.equal(
        rng_before, torch.get_rng_state()
    )
    require(
        is_pure,
        f"{metric_name} changes its samples or the global random state; copy the samples and use "
        "a seeded generator",
    )
    require(bool(values), f"{metric_name} measures nothing; return a dict of named tensors")
    for value_name, value in values.items():
        _check_metric_value(f"{metric_name}: {value_name!r}", value_name, value, num_seeds)
    odd_names = differing_names(values, metric(samples))
    require(
        not odd_names,
        f"{metric_name}: {odd_names} differ between two calls; seed everything random",
    )
    _check_protocol(metric_name, metric.protocol(samples))
    return values


def _check_metric_value(prefix: str, value_name: str, value: Tensor, num_seeds: int) -> None:
    require(
        value_name.isidentifier(),
        f"{prefix} is not a valid name of a value; use a Python identifier",
    )
    is_valid = (
        value.dtype == torch.float64 and value.shape == (num_seeds,) and value.device.type == "cpu"
    )
    require(
        is_valid,
        f"{prefix} is {value.dtype} with shape {tuple(value.shape)} on {value.device}; return "
        f"float64 with shape ({num_seeds},) on the CPU",
    )


def _check_protocol(metric_name: str, protocol: Mapping[str, object]) -> None:
    is_plain = all(isinstance(value, str | int | float | bool) for value in protocol.values())
    decoded_protocol = json.loads(json.dumps(dict(protocol), default=repr))
    require(
        is_plain and decoded_protocol == dict(protocol),
        f"{metric_name}: the protocol {dict(protocol)} is not plain; use strings, numbers and "
        "booleans",
    )


def _check_seed_independence(metric: Metric, samples: Samples) -> None:
    joint_values = _measure(metric, samples)
    for seed in range(len(samples.generated)):
        single_values = _measure(metric, _select_seed(samples, seed))
        seed_values = {name: value[seed : seed + 1] for name, value in joint_values.items()}
        odd_names = differing_names(seed_values, single_values, 1e-9)
        require(
            not odd_names,
            f"{class_name(metric)} mixes seeds: {odd_names} depend on the other seeds",
        )


def _select_seed(samples: Samples, seed: int) -> Samples:
    """Return the samples of one seed."""
    one_seed = slice(seed, seed + 1)
    seed_tensors = {name: getattr(samples, name) for name in SEED_FIELDS}
    selected = {name: value[one_seed] for name, value in seed_tensors.items() if value is not None}
    judged = samples.classifier_outputs
    if judged is not None:
        outputs = {name: value[one_seed] for name, value in vars(judged.generated).items()}
        judged = replace(judged, generated=Predictions(**outputs))
    return replace(samples, **selected, classifier_outputs=judged)


def _copy_tensors(samples: Samples) -> dict[str, Tensor]:
    """Copy the tensors of `samples`."""
    names = ("real", "labels", "real_labels", *SEED_FIELDS)
    tensors = {name: getattr(samples, name) for name in names}
    if samples.real_factors is not None:
        tensors["real_factors"] = samples.real_factors.values
    if samples.classifier_outputs is not None:
        for side in ("generated", "real"):
            features = vars(getattr(samples.classifier_outputs, side))
            tensors |= {f"{side}.{name}": value for name, value in features.items()}
    return {name: value.clone() for name, value in tensors.items() if value is not None}


def _select_samples(metric: Metric) -> Samples:
    """Return the first samples that the metric can measure, else the first ones."""
    mixture_samples = _mixture_samples()
    candidates = [
        mixture_samples,
        replace(mixture_samples, truth=Moons()),
        _classified_samples(views=1),
        _classified_samples(views=3),
    ]
    readable = [samples for samples in candidates if metric.missing(samples) is None]
    return (readable or candidates)[0]


def _mixture_samples() -> Samples:
    """Create three seeds near a mixture of two modes, each with its own spread."""
    generator = torch.Generator().manual_seed(0)
    truth = GaussianMixture(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), 0.1)
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
        generated_labels=(torch.arange(64) % 2).expand(3, -1),
        real_labels=torch.arange(48) % 2,
        real_factors=Factors(("mode", "rest"), torch.arange(48)[:, None] % torch.tensor([2, 3])),
    )


def _classified_samples(views: int) -> Samples:
    """Create three seeds of images of two classes, classified with varying confidence."""
    generator = torch.Generator().manual_seed(0)

    def draw_features(*shape: int) -> Predictions:
        return Predictions(
            classes=torch.randint(2, (*shape, views), generator=generator),
            confidences=1 - 0.5 * torch.rand(*shape, views, generator=generator),
            features=torch.randn(*shape, 4, generator=generator),
        )

    return Samples(
        generated=torch.zeros(3, 64, views, 8, 8),
        real=torch.zeros(48, views, 8, 8),
        labels=torch.randint(2**views, (100,), generator=generator),
        classifier_outputs=ClassifierOutputs(
            draw_features(3, 64),
            draw_features(48),
            num_classes=2,
            protocol={"extractor": "none"},
        ),
        generated_labels=torch.randint(2**views, (3, 64), generator=generator),
        real_labels=torch.randint(2**views, (48,), generator=generator),
    )
