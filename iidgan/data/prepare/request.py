"""Validated request to prepare a data set."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from iidgan.data.manifest import (
    CLASSIFIERS_DIR,
    DAMAGED_PREFIX,
    DATASET_FILES,
    Manifest,
    data_home,
)
from iidgan.data.prepare.catalog import CUSTOM_IMAGES, DATASETS, DatasetInfo
from iidgan.data.prepare.depth import PixelRange
from iidgan.data.prepare.fingerprint import compute_fingerprint
from iidgan.data.prepare.reader import ReadRequest
from iidgan.data.prepare.resize import ResizeRule, TargetSize, format_size
from iidgan.errors import InputError, find_nearest_name, unknown_name_error
from iidgan.utils.files import PARTIAL_PREFIX

HUB = "hub"
_LABEL_KEYWORDS = (None, "none", "folders")  # labels that are not a file
_OPTION_PATTERN = re.compile(r"\w[\w.+\[\]:%-]*", re.ASCII)
_REVISION_PATTERN = re.compile(r"\w[\w.+-]*(/\w[\w.+-]*)*", re.ASCII)
_NAME_PATTERN = re.compile(r"\w[\w.+-]*(/\w[\w.+-]*)?", re.ASCII)


def _absolute_path(path: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(path)))


def _record_size(size: TargetSize | None) -> int | str | None:
    """Return a size as manifests record it: 64, or 48x64."""
    if size is None:
        return None
    text = format_size(size)
    return int(text) if text.isdigit() else text


@dataclass(frozen=True, kw_only=True)
class PrepareRequest:
    """Options of `iidgan prepare`.

    Arguments:
        name: Name of a data set in `DATASETS`, its id on the Hub, or a new name.
        origin: File or folder to read, or `hub`; None: the default location of the data set.
        size: Side of the images, or height and width; None: the default one.
        revision: Branch, tag or commit of a data set on the Hub; None: its main branch.
        config: Configuration of a data set on the Hub; None: its only one.
        split: Part of the data set; None: the default one.
        labels: `none`, `folders`, or the path of a CSV file; None: automatic.
        label_column: Column of a table with the labels; None: automatic.
        image_column: Column of a table with the images; None: automatic.
        value_range: Values of images of more than 8 bits that become black and white; None:
            measured.
        root: Folder of prepared data sets; None: the default one.

    Raises:
        InputError: A field is invalid.
    """

    name: str
    origin: str | None
    size: TargetSize | None
    revision: str | None = None
    config: str | None
    split: str | None
    labels: str | None
    label_column: str | None
    image_column: str | None
    value_range: tuple[float, float] | None
    root: str | None

    def __post_init__(self) -> None:
        self._check_name()
        self._check_options()
        if self.labels is not None and self.name in DATASETS:
            raise InputError(
                f"labels: got {self.labels!r}, but {self.name} has its own labels or none; "
                "leave it out"
            )
        _ = self.resize_rule, self.pixel_range  # validates the size and the range

    def _check_name(self) -> None:
        if not _NAME_PATTERN.fullmatch(self.name):
            raise InputError(
                "name: must consist of letters, digits, '.', '_', '-' and at most one '/', got "
                f"{self.name!r}; name files and folders with --from"
            )
        if self.name.partition("/")[0].lower() == CLASSIFIERS_DIR:
            raise InputError(
                f"name: {self.name!r} is reserved for the folder of classifiers; choose another"
            )

    def _check_options(self) -> None:
        for option in ("split", "config"):
            value = getattr(self, option)
            if value is not None and not _OPTION_PATTERN.fullmatch(value):
                raise InputError(f"{option}: must be a name such as test, got {value!r}")
        self._check_revision()
        splits = self.dataset_info.splits
        if self.split is not None and self.origin != HUB and splits and self.split not in splits:
            raise unknown_name_error("split", self.split, splits)

    def _check_revision(self) -> None:
        if self.revision is None:
            return
        if self.origin != HUB:
            raise InputError(
                f"revision: only data sets of the Hub have revisions, got {self.revision!r}; "
                "leave it out, or use --from hub"
            )
        if not _REVISION_PATTERN.fullmatch(self.revision):
            raise InputError(
                f"revision: must be a branch, a tag or a commit, got {self.revision!r}"
            )

    @property
    def dataset_info(self) -> DatasetInfo:
        """Description of the data set."""
        return DATASETS.get(self.name, CUSTOM_IMAGES)

    @property
    def resize_rule(self) -> ResizeRule:
        """How images are resized."""
        default_rule = self.dataset_info.resize_rule
        return default_rule if self.size is None else replace(default_rule, size=self.size)

    @property
    def pixel_range(self) -> PixelRange | None:
        """Range of values of images of more than 8 bits; None if it has to be measured."""
        return None if self.value_range is None else PixelRange(*self.value_range)

    @property
    def dataset_name(self) -> str:
        """Name of the prepared data set, including a configuration and a non-default split."""
        default_split = next(iter(self.dataset_info.splits), "train")
        split = None if self.split == default_split else self.split
        return "-".join(filter(None, (self.name, self.config, split)))

    @property
    def folder(self) -> Path:
        """Folder of the prepared data set."""
        root_folder = Path(self.root) if self.root is not None else data_home()
        return root_folder.absolute() / self.dataset_name

    @property
    def input_path(self) -> Path | None:
        """File or folder to read; None for the Hub and the default location."""
        if self.origin is None or self.origin == HUB:
            return None
        return _absolute_path(self.origin)

    @property
    def _label_file(self) -> Path | None:
        return None if self.labels in _LABEL_KEYWORDS else _absolute_path(str(self.labels))

    @property
    def recorded_options(self) -> dict[str, Any]:
        """Options of a command that prepares the same data set, as the manifest records them."""
        origin = self.origin if self.input_path is None else str(self.input_path)
        labels = self.labels if self._label_file is None else str(self._label_file)
        return {
            "name": self.name,
            "config": self.config,
            "split": self.split,
            "from": origin,
            "revision": self.revision,
            "size": _record_size(self.resize_rule.size),
            "labels": labels,
            "label-column": self.label_column,
            "image-column": self.image_column,
            "range": None if self.value_range is None else list(self.value_range),
        }

    def compute_fingerprint(self) -> str:
        """Compute a fingerprint of the named files in their present state; empty for the Hub."""
        paths = [path for path in (self.input_path, self._label_file) if path]
        return compute_fingerprint(paths, self._is_output)

    @property
    def staging_folder(self) -> Path:
        """Folder in which the data set is written."""
        return self.folder.with_name(f"{PARTIAL_PREFIX}{self.folder.name}")

    @property
    def lock_file(self) -> Path:
        """File that is locked meanwhile; the folder itself is renamed."""
        return self.folder.with_name(f"{PARTIAL_PREFIX}{self.folder.name}.lock")

    def _is_output(self, path: Path) -> bool:
        """Whether a file belongs to the prepared data set, which may be beside its input."""
        original_name = path.name.removeprefix(DAMAGED_PREFIX)
        is_dataset_file = original_name in DATASET_FILES and path.parent == self.folder
        return is_dataset_file or path == self.lock_file or self.staging_folder in path.parents

    def read_request(self) -> ReadRequest:
        """Create the request to the reader.

        Raises:
            InputError: The location of the files is unknown.
        """
        if self.origin is None and not self.dataset_info.has_default_path:
            raise InputError(f"from: missing; {self._origin_advice()}")
        return ReadRequest(
            path=self.input_path,
            hub_id=self._hub_id() if self.origin == HUB else None,
            revision=self.revision,
            config=self.config,
            split=self.split,
            labels=self.labels,
            image_column=self.image_column,
            label_column=self.label_column,
        )

    def _origin_advice(self) -> str:
        is_new_name = self.name not in DATASETS and "/" not in self.name
        if is_new_name and (near := find_nearest_name(self.name, DATASETS, cutoff=0.7)):
            return f"did you mean {near!r}? Name files of your own with --from PATH"
        info = self.dataset_info
        download = f" (get {info.download_hint})" if info.download_hint else ""
        hub = ", or use --from hub" if info.hub_id or "/" in self.name else ""
        return f"name the files of {self.name} with --from PATH{download}{hub}"

    def _hub_id(self) -> str:
        info = self.dataset_info
        if info.hub_id or "/" in self.name:
            return info.hub_id or self.name
        if self.name in DATASETS:
            advice = "" if info.has_default_path else ", and name its files"
            raise InputError(
                f"from: {self.name} is not on the Hub; get {info.download_hint}{advice}"
            )
        hub_names = [name for name, known_info in DATASETS.items() if known_info.hub_id]
        raise unknown_name_error("name", self.name, [*hub_names, "any id with a '/'"])

    def find_differences(self, manifest: Manifest) -> list[str]:
        """List the options in which an existing data set differs from this request.

        Arguments:
            manifest: Manifest of the existing data set.

        Returns:
            Texts such as `size was 64, is 32`; empty if nothing that was requested differs.
        """
        existing = manifest.request
        requested = self.recorded_options | {"size": _record_size(self.size)}
        if self.revision == manifest.revision:  # the commit itself, read under another name
            requested["revision"] = None
        return [
            f"{option} was {existing.get(option)}, is {requested[option]}"
            for option in (
                *("from", "revision", "size", "labels"),
                *("label-column", "image-column", "range"),
            )
            if requested[option] is not None and requested[option] != existing.get(option)
        ]
