"""Diagnosis of a generator from its samples and the data: no training, and no labels needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from iidgan.config.plugins import Plugin
from iidgan.data.prepare.resize import TargetSize
from iidgan.diagnosis.diagnosis import Diagnosis
from iidgan.diagnosis.regions import find_regions
from iidgan.diagnosis.suspects import find_suspects
from iidgan.errors import InputError, wrong_type_error
from iidgan.evaluation.feature_metrics import (
    FeaturePair,
    Score,
    compute_scores,
    find_feature_metric,
)
from iidgan.features import Features, FrozenExtractor
from iidgan.sample_sets import (
    DataLike,
    SamplesLike,
    create_extractor_for,
    extract_features,
    open_reference,
    open_run_reference,
    open_samples,
)
from iidgan.sample_sets.feature_set import (
    POINTS,
    FeatureSet,
    pair_features,
)
from iidgan.sample_sets.opening import DEFAULT_NUM_SAMPLES, is_run_path
from iidgan.sample_sets.sample_set import SampleSet
from iidgan.training.run_dir import RunDir
from iidgan.utils.device import resolve_device
from iidgan.utils.subsets import choose_indices

DIAGNOSIS_METRICS = ("prdc", "clipped", "irs", "memorisation", "vendi", "fd", "class-coverage")
HALVES_METRICS = ("prdc", "clipped", "irs", "memorisation")
"""Metrics whose values between two halves of the data show what can be expected."""
NUM_SUSPECTS = 10
MIN_SAMPLES = 12
"""Least number of samples: either half of the data has more than the five neighbours of one."""

DiagnosisCallback = Callable[[str, int, int | None], object]
"""Receives what is done, how many images are done, and how many there are, if it is known."""


def diagnose(
    images: SamplesLike,
    reference: DataLike | None = None,
    *,
    features: str | FrozenExtractor | None = None,
    num: int = DEFAULT_NUM_SAMPLES,
    size: TargetSize | None = None,
    root: str | None = None,
    seed: int | None = None,
    plugins: Sequence[Plugin] = (),
    device: str = "auto",
    on_progress: DiagnosisCallback = lambda task, done, total: None,
) -> Diagnosis:
    """Find out whether a generator has collapsed: what it misses, repeats, copies and makes up.

    As many samples as `num` allows, and equally many of both sides, are compared by features of
    a network that was trained on ImageNet; points by their coordinates. Of larger sets, a random
    part is taken, the same every time. The numbers depend on all this, which their protocols
    record.

    Arguments:
        images: Generated images or points: a run directory, a folder, a ZIP or TAR archive,
            .npz, .npy or .csv file, an array, or a `Model`.
        reference: Real images or points: any of these but a run, the name of a data set, or a
            .safetensors file of `iidgan reference`; None: the data that the run was trained on.
        features: Extractor of images, or its name as of `iidgan.features.create_extractor`; by
            default `efficientnet-lite0`.
        num: Largest number of samples of each side, at least 12.
        size: Side of the square, or (height, width), that images are cropped and resized to;
            None: as they are.
        root: Folder of the files of a data set that is given by its name.
        seed: Seed of the run; by default the first that did not diverge.
        plugins: Classes that the run may use besides those of the package.
        device: `cpu`, `cuda`, ..., or `auto`: where the extractor computes.
        on_progress: Receives the progress of reading images.

    Returns:
        The diagnosis. `print` shows its verdict, and `save_page` writes it with pictures.

    Raises:
        InputError: A set cannot be read, has too few samples, or does not fit the other one.

    Examples:
        >>> generator = torch.Generator().manual_seed(0)
        >>> points = torch.randn(1000, 2, generator=generator)
        >>> collapsed = points[:8].repeat(100, 1)  # eight samples, again and again
        >>> diagnose(collapsed, points).share < 0.1
        True
    """
    _check_arguments(num, features)
    fake_samples = open_samples(images, size=size, seed=seed, num=num, plugins=plugins)
    extractor = create_extractor_for(fake_samples, features, resolve_device(device))
    num_wanted = min(num, fake_samples.num_samples)
    _check_number(fake_samples.name, num_wanted)
    real = _open_reference(
        images, reference, extractor, num_wanted, size, root, plugins, on_progress
    )
    _check_shapes(fake_samples, real)
    num_common = min(num_wanted, len(real))
    _check_number(real.name, num_common)
    fake = extract_features(
        fake_samples,
        extractor,
        num_common,
        on_progress=lambda done, total: on_progress(fake_samples.name, done, total),
    )
    real = real.part(num_common)
    pair = pair_features(real, fake, extractor)
    on_progress("scores", 0, None)
    return Diagnosis(
        real=real,
        fake=fake,
        scores=tuple(_compute_scores(pair)),
        reference_scores=_compute_reference_scores(real),
        regions=tuple(
            find_regions(real.features.values, fake.features.values, real.name_labels())
        ),
        suspects=find_suspects(real.features.values, fake.features.values, NUM_SUSPECTS),
        notes=tuple(dict.fromkeys((*real.notes, *fake.notes, *_collect_notes(pair)))),
        run_dir=_find_run_dir(images, plugins),
    )


def _open_reference(
    images: SamplesLike,
    reference: DataLike | None,
    extractor: FrozenExtractor | None,
    num: int,
    size: TargetSize | None,
    root: str | None,
    plugins: Sequence[Plugin],
    on_progress: DiagnosisCallback,
) -> FeatureSet:
    def show(done: int, total: int | None) -> None:
        on_progress("reference", done, total)

    if reference is not None:
        return open_reference(reference, extractor, num, size=size, root=root, on_progress=show)
    if not isinstance(images, str | Path) or not is_run_path(images):
        raise InputError("reference: missing; name the data that the samples should be like")
    return open_run_reference(images, extractor, num, size=size, plugins=plugins, on_progress=show)


def check_num_samples(num: int) -> None:
    """Check a number of samples.

    Arguments:
        num: The number.

    Raises:
        InputError: It is too small for the metrics.
    """
    if type(num) is not int or num < MIN_SAMPLES:
        raise InputError(f"num: must be an integer >= {MIN_SAMPLES}, got {num!r}")


def _check_arguments(num: int, features: str | FrozenExtractor | None) -> None:
    check_num_samples(num)
    if features is not None and not isinstance(features, str | FrozenExtractor):
        raise wrong_type_error(
            "features",
            "the name of an extractor, or one of iidgan.features.wrap_net",
            features,
        )


def _collect_notes(pair: FeaturePair) -> Iterator[str]:
    """Yield sentences on what limits the values: sizes that differ, and few samples."""
    real_size, fake_size = pair.real_shape[1:], pair.fake_shape[1:]
    if real_size != fake_size:
        sizes = [" x ".join(map(str, size)) for size in (fake_size, real_size)]
        yield (
            f"images of {sizes[0]} are compared with images of {sizes[1]}: what is lost or "
            "blurred by that counts as a difference; --size "
            f"{min(*real_size, *fake_size)} makes both equal"
        )
    for name in DIAGNOSIS_METRICS:
        yield from find_feature_metric(name).notes(pair)


def _check_shapes(samples: SampleSet, real: FeatureSet) -> None:
    """Check that images are compared with images, and points with points of as many numbers."""
    num_features = real.features.protocol.num_features
    is_points = real.features.protocol.extractor == POINTS
    if samples.is_image == is_points:
        kinds = ("images", "points") if samples.is_image else ("points", "images")
        raise InputError(
            f"reference: {samples.name} has {kinds[0]}, but {real.name} has {kinds[1]}; compare "
            "equal kinds"
        )
    if is_points and samples.shape != (num_features,):
        raise InputError(
            f"reference: points of {samples.name} have {samples.shape[0]} numbers, those of "
            f"{real.name} {num_features}; choose equal columns"
        )


def _check_number(name: str, num: int) -> None:
    if num < MIN_SAMPLES:
        raise InputError(
            f"{name}: needs at least {MIN_SAMPLES} samples, got {num}, since each is compared "
            "with its neighbours; give more"
        )


def _compute_scores(pair: FeaturePair) -> list[Score]:
    names = [name for name in DIAGNOSIS_METRICS if not find_feature_metric(name).missing(pair)]
    return compute_scores(names, pair)


def _compute_reference_scores(real: FeatureSet) -> dict[str, float]:
    """Compute what can be expected of real samples: scores between two halves of them."""
    values = real.features.values
    first = torch.zeros(len(values), dtype=torch.bool)
    first[torch.tensor(choose_indices(len(values), len(values) // 2))] = True

    def select(mask: Tensor) -> Features:
        return replace(real.features, values=values[mask], images_sha256="")

    scores = compute_scores(HALVES_METRICS, FeaturePair(select(first), select(~first)))
    return {score.metric: score.value for score in scores}


def _find_run_dir(images: SamplesLike, plugins: Sequence[Plugin]) -> RunDir | None:
    """Return the run directory that was named, if it is one."""
    if not isinstance(images, str | Path):
        return None
    run_dir = RunDir(Path(images), plugins)
    return run_dir if run_dir.run_file.is_file() else None
