"""Images that `iidgan prepare` put into one array: mapped into memory, not read into it."""

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

from iidgan.core import IS_PATH, Dataset, Source
from iidgan.data.manifest import FILE, IMAGES, LABELS, Manifest, home
from iidgan.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Prepared(Source):
    """Images of a set that `iidgan prepare` made."""

    images: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 5_000  # each takes a pass through a convolutional net, or four

    name: str
    """Name of the set."""
    root: str | None = field(default=None, metadata=IS_PATH)
    """Folder of prepared sets; else $IIDGAN_DATA, or `data` in the user's cache."""
    sha256: str = ""
    """Digest that the array of images has to have, in hexadecimal; any if empty."""
    flip: bool = False
    """Whether training mirrors each image left to right with a chance of 1/2."""

    @property
    def classifier(self) -> str:
        return self.name

    def load(self) -> Dataset:
        """Maps the images, uint8 with shape (N, C, H, W), and reads the labels, if there are any.

        A set may be larger than the memory: what is mapped is read where it is needed.

        Raises:
            InputError: There is no such set, or its files are not those that were prepared.
        """
        folder = folder_of(self.name, self.root)
        manifest = Manifest.read(folder)
        if self.sha256 and self.sha256.lower() != manifest.images.sha256:
            raise InputError(
                f"{folder}: the set has changed: sha256 {self.sha256} was asked for, "
                f"it is {manifest.images.sha256}"
            )
        if reason := manifest.damage(folder):
            raise InputError(f"{folder}: {reason}; `{manifest.command(self.root)}` makes it anew")
        x = _mapped(folder / IMAGES, (manifest.count, *manifest.shape))
        y = None
        if LABELS in manifest.files:
            y = torch.from_numpy(np.load(folder / LABELS, allow_pickle=False))
        return Dataset(x, y, labels=manifest.labels, sha256=_digest(manifest), flip=self.flip)


def folder_of(name: str, root: str | None = None) -> Path:
    """Finds the folder of a set.

    Raises:
        InputError: There is none.
    """
    folder = _root(root) / name
    if not (folder / FILE).exists():
        raise InputError(f"{name}: not prepared in {folder.parent}; iidgan prepare {name} does")
    return folder


def is_prepared(name: str, root: str | None = None) -> bool:
    """Tells whether there is a set of that name; a path is none."""
    path = PurePath(name)
    plain = bool(path.parts) and not path.is_absolute() and ".." not in path.parts
    return plain and (_root(root) / path / FILE).is_file()


def names(root: str | None = None) -> list[str]:
    """Lists the sets that there are."""
    place = _root(root)
    found = [path.parent for depth in ("*", "*/*") for path in place.glob(f"{depth}/{FILE}")]
    return sorted(path.relative_to(place).as_posix() for path in found)


def _root(root: str | None) -> Path:
    return Path(root) if root is not None else home()


def prepared(name: str, root: str | None = None, *, flip: bool = False) -> Prepared:
    """Creates the source of a prepared set as it is now, pinned by its digest.

    Raises:
        InputError: There is no such set.
    """
    manifest = Manifest.read(folder_of(name, root))
    return Prepared(name=name, root=str(_root(root)), sha256=manifest.images.sha256, flip=flip)


def _mapped(path: Path, shape: tuple[int, ...]) -> Tensor:
    """Maps an array read-only: a private mapping that could be written to counts as memory."""
    try:
        mapped: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be mapped: {error}") from error
    if mapped.shape != shape or mapped.dtype != np.uint8:
        found = f"{mapped.dtype} of shape {mapped.shape}"
        raise InputError(f"{path}: holds {found} where uint8 of shape {shape} is needed")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(mapped)


def _digest(manifest: Manifest) -> str:
    known = [stamp.sha256 for name, stamp in manifest.files.items() if name in (IMAGES, LABELS)]
    return hashlib.sha256(" ".join(known).encode()).hexdigest()
