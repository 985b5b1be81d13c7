"""Images that `iidgan prepare` wrote into one array, which is mapped rather than read."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iidgan.core import IS_PATH, OMIT_IF_DEFAULT, Dataset, Source
from iidgan.data.manifest import IMAGES_FILE, LABELS_FILE, MANIFEST_FILE, Manifest, data_home
from iidgan.errors import InputError
from iidgan.utils.files import damage_as_input_error


@dataclass(frozen=True, kw_only=True)
class Prepared(Source):
    """Images of a data set that `iidgan prepare` has written.

    `prepared` creates it with the digest of the present state.

    Examples:
        >>> Prepared(name="cats", flip=True).classifier_source
        'cats'
    """

    has_images: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 5_000  # evaluation takes up to four passes of a CNN per image

    name: str
    """Name of the data set."""
    root: str | None = field(default=None, metadata=IS_PATH)
    """Folder of prepared data sets; None: $IIDGAN_DATA, or `data` in the user's cache."""
    sha256: str = ""
    """Expected SHA-256 digest of the array of images, in hexadecimal; empty: any."""
    flip: bool = False
    """Whether training mirrors each image left to right with probability 1/2."""
    expected_size: int | None = field(default=None, metadata=OMIT_IF_DEFAULT)
    """Side in pixels that the images must have, as in the setting of a published table; None: any.
    `iidgan prepare --size` chooses it."""

    @property
    def classifier_source(self) -> str:
        return self.name

    @property
    def label_advice(self) -> str:
        return (
            f"remove it, and prepare it with labels: `iidgan prepare {self.name} --from FOLDER "
            "--labels folders` takes the names of folders, --labels FILE.csv a table"
        )

    def load(self) -> Dataset:
        """Map the images, uint8 of shape (N, C, H, W), and read the labels, if there are any.

        A data set may be larger than the memory: mapped pages are read on demand.

        Raises:
            InputError: The data set does not exist, or its files have changed.
        """
        folder = prepared_folder(self.name, self.root)
        manifest = Manifest.read(folder)
        if self.sha256 and self.sha256.lower() != manifest.images.sha256:
            raise InputError(
                f"{folder}: the data set has changed: expected sha256 {self.sha256}, "
                f"got {manifest.images.sha256}"
            )
        self._check_size(folder, manifest.shape)
        if reason := manifest.integrity_error(folder):
            command = manifest.prepare_command(self.root)
            raise InputError(f"{folder}: {reason}; run `{command}` to prepare it again")
        x = _map_images(folder / IMAGES_FILE, (manifest.count, *manifest.shape))
        y = None
        if LABELS_FILE in manifest.files:
            y = _read_labels(folder / LABELS_FILE, manifest.count)
        return Dataset(
            x, y, labels=manifest.labels, sha256=_combine_digests(manifest), flip=self.flip
        )

    def _check_size(self, folder: Path, shape: tuple[int, ...]) -> None:
        size = self.expected_size
        if size is not None and shape[1:] != (size, size):
            height, width = shape[1:]
            raise InputError(
                f"{folder}: prepared at {height} x {width} pixels, expected {size} x {size}; "
                f"remove that folder, or set $IIDGAN_DATA to another one, and run "
                f"iidgan prepare {self.name} --size {size}"
            )


def prepared_folder(name: str, root: str | None = None) -> Path:
    """Find the folder of a prepared data set.

    Arguments:
        name: Name of the data set.
        root: Folder of prepared data sets; by default $IIDGAN_DATA, or `data` in the user's cache.

    Raises:
        InputError: The data set is not prepared.
    """
    folder = _resolve_root(root) / name
    if not (folder / MANIFEST_FILE).exists():
        raise InputError(f"{name}: not prepared in {folder.parent}; run iidgan prepare {name}")
    return folder


def is_prepared(name: str, root: str | None = None) -> bool:
    """Return whether a data set of that name is prepared; False for names that are paths.

    Arguments:
        name: Name of the data set.
        root: Folder of prepared data sets; by default $IIDGAN_DATA, or `data` in the user's cache.

    Examples:
        >>> is_prepared("../cats")
        False
    """
    path = PurePath(name)
    is_plain_name = bool(path.parts) and not path.is_absolute() and ".." not in path.parts
    return is_plain_name and (_resolve_root(root) / path / MANIFEST_FILE).is_file()


def prepared_names(root: str | None = None) -> list[str]:
    """List the names of all prepared data sets.

    Arguments:
        root: Folder of prepared data sets; by default $IIDGAN_DATA, or `data` in the user's cache.

    Returns:
        Names in alphabetical order; those of the Hub have the form `owner/name`.
    """
    root_folder = _resolve_root(root)
    manifest_paths = [
        path for depth in ("*", "*/*") for path in root_folder.glob(f"{depth}/{MANIFEST_FILE}")
    ]
    return sorted(path.parent.relative_to(root_folder).as_posix() for path in manifest_paths)


def _resolve_root(root: str | None) -> Path:
    return Path(root) if root is not None else data_home()


def prepared(name: str, root: str | None = None, *, flip: bool = False) -> Prepared:
    """Create the source of a prepared data set in its present state, pinned by its digest.

    Arguments:
        name: Name of the data set.
        root: Folder of prepared data sets; by default $IIDGAN_DATA, or `data` in the user's cache.
        flip: Whether training mirrors each image left to right with probability 1/2.

    Raises:
        InputError: The data set is not prepared.

    Examples:
        >>> import numpy as np
        >>> from tempfile import TemporaryDirectory
        >>> from iidgan import prepare
        >>> with TemporaryDirectory() as folder:
        ...     np.save(f"{folder}/images.npy", np.zeros((10, 32, 32, 3), np.uint8))
        ...     _ = prepare("black", origin=f"{folder}/images.npy", size=16, root=folder)
        ...     data = prepared("black", root=folder).load()
        ...     print(data.x.dtype, tuple(data.x.shape))
        torch.uint8 (10, 3, 16, 16)
    """
    manifest = Manifest.read(prepared_folder(name, root))
    return Prepared(
        name=name, root=str(_resolve_root(root)), sha256=manifest.images.sha256, flip=flip
    )


def _map_images(path: Path, shape: tuple[int, ...]) -> Tensor:
    """Map an array read-only: a private mapping that is writable counts as used memory."""
    with damage_as_input_error(path):
        mapped: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    if mapped.shape != shape or mapped.dtype != np.uint8:
        raise InputError(
            f"{path}: expected uint8 of shape {shape}, got {mapped.dtype} of shape {mapped.shape}"
        )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(mapped)


def _read_labels(path: Path, count: int) -> Tensor:
    with damage_as_input_error(path):
        labels: NDArray[np.int64] = np.load(path, allow_pickle=False)
        if labels.shape != (count,) or labels.dtype != np.int64:
            raise ValueError(f"expected {count} labels, got {labels.dtype} {labels.shape}")
        return torch.from_numpy(labels)


def _combine_digests(manifest: Manifest) -> str:
    digests = [
        record.sha256
        for file_name, record in manifest.files.items()
        if file_name in (IMAGES_FILE, LABELS_FILE)
    ]
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()
