"""Contracts of a source: its data set, and that it is the same one at every call."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from iidgan.core import Dataset, GaussianMixture, Source
from iidgan.testing.value import class_name, require, require_json_roundtrip, require_value


def check_source(source: Source) -> None:
    """Check every contract of a source.

    It is a value that survives JSON; it loads the same data set at every call, and leaves the
    global random state unchanged; samples are finite float32 numbers, or uint8 images; labels,
    factors and the true mixture fit the samples.

    Arguments:
        source: The source to check. Its data set is loaded twice.

    Raises:
        AssertionError: The source violates a contract.
        InputError: Its data cannot be read.

    Examples:
        >>> import iidgan
        >>> check_source(iidgan.Ring(size=80))
        >>> check_source(iidgan.Ring)
        Traceback (most recent call last):
        ...
        AssertionError: source: must be a Source, got <class '...Ring'>; call it
    """
    require_value(source, Source)
    require_json_roundtrip("source", source)
    name, rng_before = class_name(source), torch.get_rng_state()
    dataset = source.load()
    require(
        torch.equal(rng_before, torch.get_rng_state()),
        f"{name}.load changes the global random state; use a torch.Generator with a seed",
    )
    require(
        isinstance(dataset, Dataset), f"{name}.load returns {dataset!r}; return a Dataset instead"
    )
    _check_samples(name, source, dataset)
    _check_labels(name, dataset)
    _check_factors(name, dataset)
    _check_truth(name, dataset)
    require(
        dataset.compute_sha256() == source.load().compute_sha256(),
        f"{name}.load returns other data at the second call; seed everything random",
    )


def _check_samples(name: str, source: Source, dataset: Dataset) -> None:
    require(len(dataset) > 0, f"{name} has no samples")
    require(
        dataset.x.dtype in (torch.float32, torch.uint8),
        f"{name}: x is {dataset.x.dtype}; store points as float32, and images as uint8",
    )
    require(
        dataset.is_image == source.has_images,
        f"{name}: x is {dataset.x.dtype}, but has_images is {source.has_images}; images are "
        "uint8, and their source sets has_images = True",
    )
    num_axes, layout = (3, "(C, H, W)") if dataset.is_image else (1, "(d,)")
    require(
        len(dataset.shape) == num_axes,
        f"{name}: each sample has shape {dataset.shape}, expected {layout}",
    )
    if not dataset.is_image:
        require(
            bool(dataset.x.isfinite().all()),
            f"{name}: x has values that are not finite; remove these samples",
        )


def _check_labels(name: str, dataset: Dataset) -> None:
    if dataset.y is None:
        require(not dataset.labels, f"{name} names labels, but has none; set y, or remove labels")
        return
    require(
        dataset.y.dtype == torch.int64 and dataset.y.shape == (len(dataset),),
        f"{name}: y is {_describe(dataset.y)}; expected int64 with shape ({len(dataset)},)",
    )
    low, high = int(dataset.y.min()), int(dataset.y.max())
    require(low >= 0, f"{name}: labels must be >= 0, got {low}")
    require(
        not dataset.labels or high < len(dataset.labels),
        f"{name} names {len(dataset.labels)} labels, but y has the label {high}",
    )


def _check_factors(name: str, dataset: Dataset) -> None:
    factors = dataset.factors
    if factors is None:
        return
    shape = len(dataset), len(factors.names)
    require(
        factors.values.dtype == torch.int64 and factors.values.shape == shape,
        f"{name}: factors {factors.names} have values of {_describe(factors.values)}; expected "
        f"int64 with shape {shape}",
    )
    lowest = int(factors.values.min())
    require(lowest >= 0, f"{name}: values of factors must be >= 0, got {lowest}")


def _check_truth(name: str, dataset: Dataset) -> None:
    truth = dataset.truth
    if not isinstance(truth, GaussianMixture):
        return
    require(
        truth.centres.shape[1:] == dataset.shape and truth.std > 0,
        f"{name}: the true mixture has centres {_describe(truth.centres)} and std {truth.std}; "
        f"expected shape (K, {dataset.shape[0]}) and a positive std",
    )
    if truth.shapes is not None:
        expected_shape = (*truth.centres.shape, dataset.shape[0])
        require(
            truth.shapes.shape == expected_shape,
            f"{name}: the true mixture has shapes {_describe(truth.shapes)}; expected shape "
            f"{expected_shape}",
        )
    weights, num_modes = truth.weights, len(truth.centres)
    is_distribution = len(weights) == num_modes and math.isclose(math.fsum(weights), 1)
    require(
        not weights or (is_distribution and min(weights) > 0),
        f"{name}: the true mixture has the weights {weights}; expected {num_modes} positive "
        "numbers with sum 1, or none",
    )


def _describe(tensor: Tensor) -> str:
    return f"{tensor.dtype} with shape {tuple(tensor.shape)}"
