"""Files of reference features: real samples to compare with, computed once and passed around."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from iidgan.config.plugins import Plugin
from iidgan.data.prepare.resize import TargetSize, as_height_and_width, format_size
from iidgan.errors import InputError
from iidgan.features import FeatureProtocol, Features, FrozenExtractor
from iidgan.features.cache import decode_features
from iidgan.features.extraction import ProgressCallback
from iidgan.features.preprocessing import resize_bicubic
from iidgan.features.tensor_file import BlockedTensor, read_tensor_file, write_tensor_file
from iidgan.sample_sets.feature_set import POINTS, FeatureSet, extract_features
from iidgan.sample_sets.opening import open_data, open_run_data
from iidgan.sample_sets.resized import resize_samples
from iidgan.sample_sets.sample_set import SampleSet
from iidgan.utils.files import check_free_space, check_writable_file, damage_as_input_error
from iidgan.utils.subsets import choose_indices

SUFFIX = ".safetensors"
"""Suffix of the names of reference files."""
MAX_PICTURE_SIDE = 48
"""Largest height and width of the pictures in a reference file, in pixels."""

_FEATURES, _PICTURES, _LABELS = "features", "images", "labels"
_BLOCK_SIZE = 1024
_ADVICE = "write it again with iidgan reference"


def write_reference(
    path: str | Path,
    samples: SampleSet,
    extractor: FrozenExtractor | None,
    num: int | None = None,
    *,
    seed: int = 0,
    on_progress: ProgressCallback = lambda done, total: None,
) -> FeatureSet:
    """Write the features of a random part of a set, with small pictures and labels, to a file.

    Arguments:
        path: The file, whose name ends in `.safetensors`; an existing one is replaced.
        samples: The set.
        extractor: Extractor of images; None for points, which are their own features.
        num: Number n of samples; None for all. A set that has fewer gives all.
        seed: Seed of the choice, by an own generator.
        on_progress: Receives the number of images done and of all images, after each batch.

    Returns:
        The reference, read from the file.

    Raises:
        InputError: A sample cannot be read, the file cannot be written, or its name has another
            suffix.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise InputError(f"out: must end in {SUFFIX}, got {str(path)!r}")
    check_writable_file(path, field="out")
    feature_set = extract_features(samples, extractor, num, seed=seed, on_progress=on_progress)
    indices = choose_indices(samples.num_samples, num, seed=seed)
    protocol = feature_set.features.protocol
    tensors = {
        _FEATURES: BlockedTensor(
            torch.float32,
            (protocol.num_features,),
            feature_set.features.values.split(_BLOCK_SIZE),
        )
    }
    if samples.is_image:
        shape = (samples.shape[0], *_picture_size(*samples.shape[1:]))
        tensors[_PICTURES] = BlockedTensor(torch.uint8, shape, _draw_pictures(samples, indices))
    if feature_set.labels is not None:
        tensors[_LABELS] = BlockedTensor(torch.int64, (), [feature_set.labels])
    check_free_space(
        path.parent,
        len(feature_set) * sum(tensor.row_bytes for tensor in tensors.values()),
        field="out",
    )
    metadata = {
        "protocol": json.dumps(protocol.to_dict()),
        "images_sha256": feature_set.features.images_sha256,
        "num_available": str(feature_set.num_available),
        "shape": json.dumps(samples.shape),
        "label_names": json.dumps(feature_set.label_names),
    }
    write_tensor_file(path, tensors, metadata)
    return read_reference(path)


def _picture_size(height: int, width: int) -> tuple[int, int]:
    """Return the size of an image whose longer side is at most `MAX_PICTURE_SIDE`."""
    scale = min(1.0, MAX_PICTURE_SIDE / max(height, width))
    return max(1, round(scale * height)), max(1, round(scale * width))


def _draw_pictures(samples: SampleSet, indices: Sequence[int]) -> Iterator[Tensor]:
    """Yield blocks of images that are reduced in size."""
    size = _picture_size(*samples.shape[1:])
    for block in samples.iterate(indices):
        for part in block.split(_BLOCK_SIZE):
            yield resize_bicubic(part.float(), size).round().byte()


def read_reference(path: str | Path) -> FeatureSet:
    """Read reference features from a file of `write_reference`.

    The file may come from anybody: each of its fields is checked.

    Arguments:
        path: The file, whose features are mapped rather than copied.

    Returns:
        The features; of images, `take` reads the small pictures.

    Raises:
        InputError: The file cannot be read, or is no such file.
    """
    path = Path(path)
    with damage_as_input_error(path, _ADVICE):
        tensors, metadata = read_tensor_file(path)
        features = decode_features(tensors[_FEATURES], metadata)
        _check_features(features)
        pictures = tensors.get(_PICTURES)
        if pictures is not None:
            _check_pictures(pictures, len(features))
        label_names = _decode_label_names(json.loads(metadata["label_names"]))
        labels = tensors.get(_LABELS)
        if labels is not None:
            _check_labels(labels, len(features), label_names)
        num_available = int(metadata["num_available"])
        if num_available < len(features):
            raise ValueError(f"num_available: must be >= {len(features)}, got {num_available}")
        shape = _decode_shape(json.loads(metadata["shape"]), pictures, features)
    source = features.values if pictures is None else pictures
    return FeatureSet(
        name=str(path),
        features=features,
        num_available=num_available,
        shape=shape,
        take=lambda positions: source[torch.tensor(positions, dtype=torch.int64)],
        describe=lambda position: f"sample {position} of the reference",
        labels=labels,
        label_names=label_names,
    )


def _check_features(features: Features) -> None:
    if len(features) == 0:
        raise ValueError("expected at least one sample, got none")
    if not torch.stack(features.values.aminmax()).isfinite().all():
        raise ValueError("expected finite features")


def _check_pictures(pictures: Tensor, num_samples: int) -> None:
    shape = tuple(pictures.shape)
    is_valid = (
        pictures.dtype == torch.uint8
        and len(shape) == 4
        and shape[:2] in ((num_samples, 1), (num_samples, 3))
        and 1 <= min(shape[2:]) <= max(shape[2:]) <= MAX_PICTURE_SIDE
    )
    if not is_valid:
        raise ValueError(
            f"images: expected uint8 of shape ({num_samples}, 1 or 3, H, W) with H and W of at "
            f"most {MAX_PICTURE_SIDE}, got {pictures.dtype} of shape {shape}"
        )


def _decode_shape(sizes: Any, pictures: Tensor | None, features: Features) -> tuple[int, ...]:  # noqa: ANN401 - from a file
    num_sizes = 1 if pictures is None else 3
    is_valid = isinstance(sizes, list) and len(sizes) == num_sizes
    if not is_valid or not all(type(size) is int and size >= 1 for size in sizes):
        raise ValueError(f"shape: expected {num_sizes} positive integers, got {sizes!r}")
    first_size = features.protocol.num_features if pictures is None else pictures.shape[1]
    if sizes[0] != first_size:
        raise ValueError(f"shape: expected {first_size} first, got {sizes[0]}")
    return tuple(sizes)


def _decode_label_names(names: Any) -> tuple[str, ...]:  # noqa: ANN401 - from a file
    if not isinstance(names, list) or not all(
        isinstance(name, str) and name.isprintable() for name in names
    ):
        raise ValueError("label_names: expected a list of printable texts")
    return tuple(names)


def _check_labels(labels: Tensor, num_samples: int, label_names: tuple[str, ...]) -> None:
    if labels.dtype != torch.int64 or labels.shape != (num_samples,):
        raise ValueError(
            f"labels: expected int64 of shape ({num_samples},), got {labels.dtype} of shape "
            f"{tuple(labels.shape)}"
        )
    low, high = map(int, labels.aminmax())
    if low < -1 or (label_names and high >= len(label_names)):
        raise ValueError(
            f"labels: expected -1 to {len(label_names) - 1}, one name each, got {low} to {high}"
        )


def open_reference(
    data: Any,  # noqa: ANN401 - as of `open_data`
    extractor: FrozenExtractor | None,
    num: int | None = None,
    *,
    size: TargetSize | None = None,
    root: str | None = None,
    seed: int = 0,
    on_progress: ProgressCallback = lambda done, total: None,
) -> FeatureSet:
    """Open real samples to compare with, as features: a reference file, or data of any kind.

    Arguments:
        data: Path of a file of `write_reference`, which ends in `.safetensors`, or whatever
            `open_data` takes.
        extractor: Extractor of images; None for points, which are their own features.
        num: Number n of samples; None for all. Data that have fewer give all.
        size: As of `open_data`; a reference file has the size that it was written with.
        root: As of `open_data`.
        seed: Seed of the choice, by an own generator.
        on_progress: Receives the number of images done and of all images, after each batch.

    Raises:
        InputError: The data cannot be read, or a file has features of another protocol.
    """
    if isinstance(data, str | Path) and Path(data).suffix == SUFFIX:
        return _open_file(Path(data), extractor, num, size, seed)
    samples = open_data(data, size=size, root=root)
    return extract_features(
        samples,
        extractor if samples.is_image else None,
        num,
        seed=seed,
        on_progress=on_progress,
    )


def open_run_reference(
    run_path: str | Path,
    extractor: FrozenExtractor | None,
    num: int | None = None,
    *,
    size: TargetSize | None = None,
    plugins: Sequence[Plugin] = (),
    on_progress: ProgressCallback = lambda done, total: None,
) -> FeatureSet:
    """Open the data that a run was trained on, as features.

    Arguments:
        run_path: A run directory, or its `generator` folder.
        extractor: Extractor of images; None for points, which are their own features.
        num: Number n of samples; None for all. Data that have fewer give all.
        size: As of `open_data`.
        plugins: As of `open_run_data`.
        on_progress: Receives the number of images done and of all images, after each batch.

    Raises:
        InputError: There is no such run, or its data cannot be read or have changed.
    """
    samples = resize_samples(open_run_data(run_path, plugins), size)
    return extract_features(samples, extractor, num, on_progress=on_progress)


def _open_file(
    path: Path,
    extractor: FrozenExtractor | None,
    num: int | None,
    size: TargetSize | None,
    seed: int,
) -> FeatureSet:
    reference = read_reference(path)
    _check_protocol(path, reference.features.protocol, extractor)
    if size is not None and reference.shape[1:] != as_height_and_width(size):
        height, width = reference.shape[1:] if len(reference.shape) == 3 else (0, 0)
        raise InputError(
            f"size: {path} is of images of {height} x {width}, got {format_size(size)}; write a "
            f"reference with --size {format_size(size)}, or leave it out"
        )
    return reference if num is None else reference.part(num, seed=seed)


def _check_protocol(
    path: Path, protocol: FeatureProtocol, extractor: FrozenExtractor | None
) -> None:
    if extractor is not None:
        extractor.protocol.check_comparable(protocol, str(path))
    elif protocol.extractor != POINTS:
        raise InputError(
            f"{path}: has features of images by {protocol.extractor}, expected points; give a "
            "reference of points"
        )
