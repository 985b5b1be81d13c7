"""From any file or object of a user to a set of samples."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from iidgan.config.plugins import Plugin
from iidgan.core import Dataset, Source, list_path_fields
from iidgan.data import list_source_names, resolve_source
from iidgan.data.manifest import IMAGES_FILE, MANIFEST_FILE
from iidgan.data.prepare.readers.array_files import is_array_file, read_array_shape
from iidgan.data.prepare.resize import TargetSize
from iidgan.data.prepared_source import Prepared
from iidgan.errors import InputError, unknown_name_error, wrong_type_error
from iidgan.sample_sets.arrays import open_array_file, open_image_array
from iidgan.sample_sets.datasets import open_dataset, open_point_file, open_points
from iidgan.sample_sets.generated import open_model
from iidgan.sample_sets.image_files import open_image_set
from iidgan.sample_sets.resized import resize_samples
from iidgan.sample_sets.sample_set import SampleSet
from iidgan.training.export import CONFIG_FILE, WEIGHTS_FILE, load, load_point
from iidgan.training.model import Model
from iidgan.training.run_dir import RunDir
from iidgan.utils.files import oserror_as_input_error

DataLike = str | os.PathLike[str] | NDArray[Any] | Tensor | Dataset
"""What `open_data` opens: a path or a name, an array, or a data set."""
SamplesLike = DataLike | Model
"""What `open_samples` opens: a path, an array, a data set, or a model."""

DEFAULT_NUM_SAMPLES = 5000
"""Number of samples that are drawn and compared unless another one is asked for."""
FORMATS = "an image, a folder, ZIP or TAR of images, Parquet, LMDB, .npy, .npz or .csv"
"""Files that can be opened, in words."""


def open_samples(
    samples: SamplesLike,
    *,
    size: TargetSize | None = None,
    seed: int | None = None,
    num: int = DEFAULT_NUM_SAMPLES,
    plugins: Sequence[Plugin] = (),
) -> SampleSet:
    """Open samples of any generator.

    Images keep their size, which must be one for all, unless `size` is given. In arrays, whose
    shape is (N, H, W), (N, H, W, C) or (N, C, H, W), they are uint8, or floats in [0, 1] or
    [-1, 1]: which of the two is decided by all values, and said in `notes`.

    Arguments:
        samples: Path of a run, of an image file, of a folder, ZIP or TAR of them, of Parquet or
            LMDB files of images, of a .npy or .npz file of images or points (N, d), or of a .csv
            file of points; or an array, a data set or a model. Of several arrays in a .npz file,
            the one named x is read, or the one that `iidgan prepare` reads.
        size: Side, or (height, width), to which images are cropped and resized, as
            `iidgan prepare` does it.
        seed: Seed of the training of a run; None: the first that did not diverge.
        num: Number of samples that a run or a model generates.
        plugins: Classes of a run that are not part of the package, or their names, as of
            `iidgan.load`.

    Raises:
        UnnamedPluginError: A run uses a class that is neither part of the package nor among
            `plugins`.
        InputError: The samples cannot be read, or are neither images nor points.

    Examples:
        >>> samples = open_samples(np.zeros((100, 28, 28), np.uint8), size=32)
        >>> samples.num_samples, samples.shape, samples.take([5, 3]).shape
        (100, (1, 32, 32), torch.Size([2, 1, 32, 32]))
    """
    _check_size(size)
    _check_integers(seed=seed, num=num)
    is_run = is_run_path(samples)
    if seed is not None and not is_run:
        raise InputError(f"seed: only runs have seeds, got {seed}; leave it out")
    if num < 1:
        raise InputError(f"num: must be >= 1, got {num}")
    if is_run:
        path = str(samples)
        sample_set: SampleSet = open_model(path, load(path, seed, plugins=plugins), num)
    elif isinstance(samples, Model):
        sample_set = open_model("samples", samples, num)
    else:
        sample_set = _open_any("samples", samples, size)
    return resize_samples(sample_set, size)


def open_data(
    data: DataLike,
    *,
    size: TargetSize | None = None,
    root: str | None = None,
) -> SampleSet:
    """Open real data.

    Arguments:
        data: Name of a prepared data set or of a source, such as `fashion-mnist` or `ring`, which
            come before files of the same name; or whatever `open_samples` reads, except a run or
            a model.
        size: Side, or (height, width), to which images are cropped and resized, as
            `iidgan prepare` does it.
        root: Folder of prepared data sets, or of the files of a source; None: the default one.

    Raises:
        InputError: The data cannot be read, or are neither images nor points.

    Examples:
        >>> data = open_data("ring")
        >>> data.shape, data.is_image
        ((2,), False)
    """
    _check_size(size)
    names = list_source_names(root)
    if isinstance(data, str) and data in names:
        source = _relocate(data, resolve_source(data, root), root)
        return resize_samples(open_dataset(data, source.load()), size)
    if root is not None:
        raise InputError(
            f"root: {data if isinstance(data, str) else 'data'} is no name of a data "
            f"set in {root}; leave it out for other data"
        )
    if isinstance(data, str | os.PathLike):
        _check_data_path(Path(data), names)
    return resize_samples(_open_any("data", data, size), size)


def open_run_data(run_path: str | Path, plugins: Sequence[Plugin] = ()) -> SampleSet:
    """Open the data that a run was trained on.

    Arguments:
        run_path: A run directory, or its `generator` folder.
        plugins: As for `open_samples`.

    Raises:
        UnnamedPluginError: As for `open_samples`.
        InputError: There is no such run, or its data cannot be read or have changed.
    """
    run_dir = RunDir(Path(run_path), plugins)
    if not run_dir.run_file.exists():
        return open_dataset("data", load_point(run_path, plugins=plugins).run.source.load())
    dataset = run_dir.read_run()[0].source.load()
    run_dir.check_data(dataset)
    return open_dataset(f"data of {run_path}", dataset)


def _check_size(size: TargetSize | None) -> None:
    sides = () if size is None else size if isinstance(size, tuple) else (size,)
    if len(sides) > 2 or any(type(side) is not int for side in sides):
        raise wrong_type_error("size", "an int or two", size)


def _check_integers(**values: int | None) -> None:
    for name, value in values.items():
        if value is not None and type(value) is not int:
            raise wrong_type_error(name, "an int", value)


def is_run_path(samples: SamplesLike) -> bool:
    """Return whether samples are the path of a run directory or of its `generator` folder.

    Arguments:
        samples: What a user names as samples.

    Raises:
        InputError: They are a path that does not exist.
    """
    if not isinstance(samples, str | os.PathLike):
        return False
    path = Path(samples)
    if not path.exists():
        raise InputError(f"{path}: does not exist; expected a run, {FORMATS}")
    with oserror_as_input_error(path):
        is_generator = (path / CONFIG_FILE).exists() and (path / WEIGHTS_FILE).exists()
        return is_generator or RunDir(path).run_file.exists()


def _relocate(name: str, source: Source, root: str | None) -> Source:
    """Let a source read its files in a folder."""
    if root is None or isinstance(source, Prepared):
        return source
    if "root" not in list_path_fields(source):
        raise InputError(f"root: {name} reads no files, got {root!r}; leave it out")
    return replace(source, root=root)  # type: ignore[type-var]


def _check_data_path(path: Path, names: set[str]) -> None:
    if not path.exists():
        error = unknown_name_error("data", str(path), names)
        raise InputError(f"{error}; or give a path that exists: {FORMATS}")
    if is_run_path(path):
        raise InputError(f"data: expected data, got the run {path}; name what it was trained on")


def _open_any(field: str, samples: DataLike, size: TargetSize | None) -> SampleSet:
    if isinstance(samples, str | os.PathLike):
        path = Path(samples)
        with oserror_as_input_error(path):
            return _open_path(path, size)
    if isinstance(samples, Dataset):
        return open_dataset(field, samples)
    if isinstance(samples, Tensor):
        tensor = samples.detach().cpu()
        is_small_float = tensor.is_floating_point() and tensor.itemsize < 4
        samples = (tensor.float() if is_small_float else tensor).numpy()
    if isinstance(samples, np.ndarray):
        is_table = samples.ndim <= 2
        return open_points(field, samples) if is_table else open_image_array(field, samples)
    raise wrong_type_error(field, "a path, an array, a data set or a model", samples)


def _open_path(path: Path, size: TargetSize | None) -> SampleSet:
    if all((path / name).is_file() for name in (MANIFEST_FILE, IMAGES_FILE)):
        folder = path.absolute()
        return open_dataset(str(path), Prepared(name=folder.name, root=str(folder.parent)).load())
    if path.suffix.lower() == ".csv" and path.is_file():
        return open_point_file(str(path))
    if is_array_file(path):
        is_table = len(read_array_shape(path)) <= 2
        return open_point_file(str(path)) if is_table else open_array_file(path)
    return open_image_set(path, size)
