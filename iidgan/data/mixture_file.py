"""Gaussian mixtures of the user's, in a .json or .npz file: centres, weights and covariances."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from iidgan.core import IS_PATH, Dataset, GaussianMixture, Source
from iidgan.data.array_files import (
    ARRAY_NAME,
    check_digest,
    hash_file,
    list_npz_names,
    read_npz_arrays,
    read_small_file,
)
from iidgan.data.gaussian_mixture import check_positive, check_sampling, draw_training_set
from iidgan.data.mixture_source import normalise_weights
from iidgan.errors import InputError, unknown_name_error

MAX_BYTES = 2**26
"""Largest size of a file: centres and covariances of far more modes than networks learn."""
MAX_COVARIANCE_ENTRIES = 2**24
"""Largest number K d² of entries of covariances: 128 MiB."""
MAX_VALUE = 1e6
"""Largest coordinate, and the largest ratio of it to a standard deviation."""
KEYS = ("centres", "weights", "stds", "covariances")


@dataclass(frozen=True, kw_only=True)
class MixtureFile(Source):
    """A Gaussian mixture in a .json or .npz file, in any dimension.

    The file has `centres` of shape (K, d), and either `stds`, one standard deviation for each
    mode, or `covariances` of shape (K, d, d); and it may have `weights`, numbers proportional to
    the probabilities of the modes, which are equal without them.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "modes.json")
        ...     with open(path, "w") as file:
        ...         text = '{"centres": [[0, 0], [3, 4]], "weights": [3, 1], "stds": [1, 0.1]}'
        ...         _ = file.write(text)
        ...     data = MixtureFile(path=path, size=1000).load()
        >>> data.y.bincount().tolist(), data.truth.weights
        ([750, 250], (0.75, 0.25))
    """

    path: str = field(metadata=IS_PATH)
    """File of the mixture: a .json object, or a .npz archive of arrays."""
    sha256: str = ""
    """Expected SHA-256 digest of the file, in hexadecimal; empty: any."""
    size: int = 100_000
    """Number of training samples."""
    seed: int = 0
    """Seed of the training samples."""

    num_evaluated: ClassVar[int] = 50_000

    def __post_init__(self) -> None:
        check_sampling(1.0, self.size, self.seed, 1)

    def load(self) -> Dataset:
        """Draw the samples, float32 of shape (size, d), labelled with the index of the mode.

        Raises:
            InputError: The file is missing, malformed or has another digest than `sha256`, or
                `size` is less than one sample for each mode.
        """
        _choose_reader(self.path)
        check_digest(self.path, self.sha256)
        truth = read_mixture(self.path)
        check_sampling(truth.std, self.size, self.seed, len(truth.centres))
        return draw_training_set(truth, self.size, self.seed)


def mixture(path: str | os.PathLike[str]) -> MixtureFile:
    """Create the source of the mixture in a file in its present state, pinned by its digest.

    Arguments:
        path: A .json or .npz file, as of `MixtureFile`.

    Raises:
        InputError: The file does not exist, or does not describe a mixture.
    """
    file_path = os.fspath(path)
    digest = hash_file(file_path)
    read_mixture(file_path)
    return MixtureFile(path=file_path, sha256=digest)


def is_mixture_file(path: str) -> bool:
    """Return whether a file is of a mixture: .json, or .npz with centres, stds or covariances.

    Without centres it is a mixture that lacks them, perhaps by another spelling, unless it can be
    read as samples: a single array, or one named x.

    Arguments:
        path: The file.

    Raises:
        InputError: It ends in .npz and cannot be read.
    """
    suffix = Path(path).suffix.lower()
    if suffix != ".npz":
        return suffix == ".json"
    names = list_npz_names(path)
    is_sample_file = len(names) == 1 or ARRAY_NAME in names
    return "centres" in names or (not is_sample_file and bool({"stds", "covariances"} & {*names}))


def read_mixture(path: str) -> GaussianMixture:
    """Read the mixture of a file, of which nothing but numbers is trusted.

    Arguments:
        path: A .json or .npz file, as of `MixtureFile`.

    Raises:
        InputError: The file cannot be read, or does not describe a mixture.
    """
    content = _choose_reader(path)(path)
    for name in content:
        if name not in KEYS:
            raise unknown_name_error(path, name[:40], KEYS)
    arrays = {name: _to_numbers(path, name, value) for name, value in content.items()}
    if "centres" not in arrays or ("stds" in arrays) == ("covariances" in arrays):
        raise InputError(
            f"{path}: expected centres, and either stds or covariances, got "
            f"{', '.join(arrays) or 'nothing'}"
        )
    centres = arrays["centres"]
    if centres.ndim != 2 or not centres.size:
        raise InputError(f"{path}: centres: expected shape (K, d), got {centres.shape}")
    num_modes, dim = centres.shape
    if num_modes * dim**2 > MAX_COVARIANCE_ENTRIES:
        raise InputError(
            f"{path}: expected at most {MAX_COVARIANCE_ENTRIES:,} entries of covariances, got "
            f"{num_modes:,} modes in {dim:,} dimensions; use fewer of either"
        )
    if "stds" in arrays:
        _check_shape(path, "stds", arrays["stds"], (num_modes,))
        for std in arrays["stds"].tolist():
            check_positive(f"{path}: stds", std)
        covariances = arrays["stds"][:, None, None] ** 2 * np.eye(dim)
    else:
        covariances = arrays["covariances"]
        _check_shape(path, "covariances", covariances, (num_modes, dim, dim))
    _check_covariances(path, centres, covariances)
    weights: tuple[float, ...] = ()
    if "weights" in arrays:
        _check_shape(path, "weights", arrays["weights"], (num_modes,))
        weights = normalise_weights(f"{path}: weights", arrays["weights"].tolist(), num_modes)
    return GaussianMixture.from_covariances(
        torch.from_numpy(centres), torch.from_numpy(covariances), weights
    )


def _read_json(path: str) -> Mapping[str, Any]:
    try:
        content = json.loads(read_small_file(path, MAX_BYTES), object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not a .json file of a mixture: {reason}") from None
    if not isinstance(content, dict):
        raise InputError(
            f"{path}: expected an object with {', '.join(KEYS)}, got {type(content).__name__}"
        )
    return content


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a name occurs twice")
    return content


def _read_npz(path: str) -> Mapping[str, Any]:
    return read_npz_arrays(path, MAX_BYTES)


def _choose_reader(path: str) -> Callable[[str], Mapping[str, Any]]:
    suffix = Path(path).suffix.lower()
    if suffix not in _READERS:
        raise InputError(f"{path}: unknown suffix {suffix!r}; known: {', '.join(_READERS)}")
    return _READERS[suffix]


_READERS: dict[str, Callable[[str], Mapping[str, Any]]] = {
    ".json": _read_json,
    ".npz": _read_npz,
}


def _to_numbers(path: str, name: str, value: object) -> NDArray[np.float64]:
    try:
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "fiu":
            raise ValueError
        numbers = numbers.astype(np.float64)
    except (ValueError, TypeError, OverflowError):
        raise InputError(
            f"{path}: {name}: expected numbers in lists of equal lengths, got something else"
        ) from None
    if not (np.abs(numbers) <= MAX_VALUE).all():
        raise InputError(f"{path}: {name}: numbers must be finite, at most {MAX_VALUE:g}")
    return numbers


def _check_shape(
    path: str, name: str, values: NDArray[np.float64], expected: tuple[int, ...]
) -> None:
    if values.shape != expected:
        raise InputError(
            f"{path}: {name}: expected shape {expected}, as of the centres, got {values.shape}"
        )


def _check_covariances(
    path: str, centres: NDArray[np.float64], covariances: NDArray[np.float64]
) -> None:
    """Check that modes have a width, in every direction, that float32 resolves."""
    min_std = max(1.0, float(np.abs(centres).max())) / MAX_VALUE
    for mode, covariance in enumerate(covariances):
        is_symmetric = np.allclose(covariance, covariance.T, rtol=1e-6, atol=0)
        if not is_symmetric or not np.linalg.eigvalsh(covariance)[0] >= min_std**2:
            raise InputError(
                f"{path}: the covariance of mode {mode} (counted from 0) must be symmetric, with "
                f"a standard deviation of at least {min_std:g} in every direction"
            )
