"""Manifest of a prepared data set: `manifest.json` beside its arrays."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from iidgan.utils.files import (
    damage_as_input_error,
    file_sha256,
    oserror_as_input_error,
    read_regular_file,
    user_cache_dir,
)

MANIFEST_FILE = "manifest.json"
IMAGES_FILE, LABELS_FILE, SKIPPED_FILE = "images.npy", "labels.npy", "skipped.csv"
DATASET_FILES = (MANIFEST_FILE, IMAGES_FILE, LABELS_FILE, SKIPPED_FILE)
DAMAGED_PREFIX = "damaged-"  # of the names of files that were quarantined
CLASSIFIERS_DIR = "classifiers"  # folder of classifiers, beside the prepared data sets
ALWAYS_HASHED_BYTES = 1 << 26  # a file of this size is hashed in less time than a training step


def data_home() -> Path:
    """Return the folder of prepared data sets: $IIDGAN_DATA, or `data` in the user's cache."""
    return Path(os.environ.get("IIDGAN_DATA") or user_cache_dir() / "data")


@dataclass(frozen=True, kw_only=True)
class FileRecord:
    """Digest, size and modification time of a file when it was written."""

    sha256: str
    bytes: int
    mtime_ns: int

    @classmethod
    def from_file(cls, path: Path) -> FileRecord:
        """Record the present state of a file.

        Arguments:
            path: The file.
        """
        status = path.stat()
        return cls(sha256=file_sha256(path), bytes=status.st_size, mtime_ns=status.st_mtime_ns)

    def matches_file(self, path: Path) -> bool:
        """Return whether a file is unchanged.

        A large file of the same size and modification time is not read. A copy, which has another
        time, is read completely; if its content is equal, it gets the recorded time where the
        file system allows this.

        Arguments:
            path: The file.

        Examples:
            >>> from tempfile import TemporaryDirectory
            >>> with TemporaryDirectory() as folder:
            ...     path = Path(folder, "labels.npy")
            ...     _ = path.write_bytes(bytes(8))
            ...     record = FileRecord.from_file(path)
            ...     print(record.matches_file(path))
            ...     _ = path.write_bytes(bytes(9))
            ...     print(record.matches_file(path))
            True
            False
        """
        with oserror_as_input_error(path):
            status = path.stat()
        if status.st_size != self.bytes:
            return False
        if status.st_mtime_ns == self.mtime_ns and self.bytes > ALWAYS_HASHED_BYTES:
            return True
        if file_sha256(path) != self.sha256:
            return False
        if status.st_mtime_ns != self.mtime_ns:
            _set_mtime(path, self.mtime_ns)
        return True


def _set_mtime(path: Path, mtime_ns: int) -> None:
    try:
        os.utime(path, ns=(mtime_ns, mtime_ns))
    except OSError:
        return  # only the next start takes longer


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """How a data set was prepared, and what it contains.

    Arguments:
        name: Its name, and that of its folder.
        request: Options of the `iidgan prepare` command that creates it again.
        source: Description of the files it was made from.
        revision: Commit of the data set on the Hub that was read; empty for other files.
        trace: Digest of names, sizes and modification times of these files, taken before they
            were read; empty if unknown.
        rule: Description of how images were resized and converted.
        count: Number N of images.
        shape: Shape (C, H, W) of an image.
        labels: Names of the labels, in order; empty if they are numbers only, or missing.
        label_counts: Number of images per label, in order; empty if there are no labels.
        skipped: Number of skipped files, by reason.
        enlarged: Number of images that were smaller than the size of the data set.
        files: Records of the written files, by name.
        versions: Versions of the packages that wrote it.
    """

    name: str
    request: Mapping[str, Any]
    source: str
    revision: str = ""
    trace: str = ""
    rule: str
    count: int
    shape: tuple[int, int, int]
    labels: tuple[str, ...] = ()
    label_counts: tuple[int, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    enlarged: int = 0
    files: Mapping[str, FileRecord]
    versions: Mapping[str, str]

    @property
    def images(self) -> FileRecord:
        """Record of the array of images."""
        return self.files[IMAGES_FILE]

    def prepare_command(self, root: str | None) -> str:
        """Return the command that prepares the data set again, in a folder of prepared data sets.

        Arguments:
            root: The folder; None for the default one.
        """
        words = ["iidgan", "prepare", str(self.request.get("name", self.name))]
        for option in _PREPARE_OPTIONS:
            value = self.request.get(option)
            if value is not None:
                values = value if isinstance(value, list) else [value]
                words += [f"--{option}", *map(str, values)]
        if self.revision:
            words += ["--revision", self.revision]
        if root is not None and Path(root).absolute() != data_home().absolute():
            words += ["--root", root]
        return shlex.join(words)

    def write(self, folder: Path) -> None:
        """Write the manifest into the folder of its data set.

        Arguments:
            folder: The folder, which exists.
        """
        (folder / MANIFEST_FILE).write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of a data set.

        Arguments:
            folder: Folder of the data set.

        Raises:
            InputError: The manifest is missing or damaged.
        """
        path = folder / MANIFEST_FILE
        with damage_as_input_error(path):
            manifest = cls(**_parse_fields(json.loads(read_regular_file(path))))
            _ = manifest.images
            return manifest

    def integrity_error(self, folder: Path) -> str | None:
        """Check the files of a data set against their records: the first error, or None.

        Arguments:
            folder: Folder of the data set.
        """
        for file_name, record in self.files.items():
            if not (folder / file_name).is_file():
                return f"{file_name} is missing"
            if not record.matches_file(folder / file_name):
                return f"{file_name} has changed since it was prepared"
        return None


_PREPARE_OPTIONS = (
    "from",
    "config",
    "split",
    "size",
    "labels",
    "label-column",
    "image-column",
    "range",
)


def _parse_fields(content: dict[str, Any]) -> dict[str, Any]:
    """Convert the values of a JSON object to the fields of a manifest, without unknown ones."""
    field_names = {f.name for f in fields(Manifest)}
    values = {name: value for name, value in content.items() if name in field_names}
    values["files"] = _parse_records(values["files"])
    for name in ("shape", "labels", "label_counts"):
        values[name] = tuple(values[name])
    return values


def _parse_records(records: Mapping[str, Mapping[str, Any]]) -> dict[str, FileRecord]:
    """Convert the records of the arrays, which are the only files that a manifest may name."""
    unknown_names = sorted(records.keys() - {IMAGES_FILE, LABELS_FILE})
    if unknown_names or IMAGES_FILE not in records:
        raise ValueError(
            f"files must be {IMAGES_FILE} and, if there are labels, {LABELS_FILE}, "
            f"got {', '.join(map(repr, records)) or 'none'}"
        )
    parsed = {name: FileRecord(**record) for name, record in records.items()}
    for name, record in parsed.items():
        number_types = {type(record.bytes), type(record.mtime_ns)}
        if not isinstance(record.sha256, str) or number_types != {int}:
            raise ValueError(f"the record of {name} must be a digest and two integers")
    return parsed
