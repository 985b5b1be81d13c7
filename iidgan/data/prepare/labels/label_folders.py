"""Labels of images from their folders, unless these are parts, shards or copies of a data set."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import PurePosixPath

from iidgan.data.prepare.archives import FileTree
from iidgan.data.prepare.labels.image_labels import ImageLabels, common_folder
from iidgan.errors import InputError

_WORD = re.compile("[A-Z]?[a-z]+|[A-Z]+(?![a-z])")  # of trainA, seg_train, VAL2017
_PART_WORD = re.compile(
    "(train|training|test|testing|val|valid|validate|validation|dev|eval|evaluation|holdout"
    "|unlabell?ed)(set|data|images?|imgs?)?"
)
_SHORT_PART_WORD = re.compile("trn?|te|tst?")  # of imagesTr, imagesTs
_SHARD_NAME = re.compile("(shard|chunk|batch|part|fold|split)[-_ ]?[0-9]+", re.IGNORECASE)
_SHARD_DIGITS = 4
"""Least number of digits of folders that may be shards; classes are numbered with fewer."""
_MAX_LISTED = 5


def labels_from_folders(image_names: Sequence[str]) -> ImageLabels:
    """Label each image by the first folder in which the images differ.

    Arguments:
        image_names: Names of the images, with `/` between folders.

    Raises:
        InputError: An image is not in a folder.

    Examples:
        >>> labels = labels_from_folders(["train/cat/a/1.png", "train/dog/b/2.png"])
        >>> labels.label_of("train/dog/b/2.png")
        'dog'
    """
    folders = _Folders(image_names)
    if unlabelled := folders.names_by_folder.get(""):
        raise InputError(
            f"labels: {len(unlabelled)} of {len(image_names)} images are not in a folder that "
            f"could label them, for example {unlabelled[0]}; move them, or use --labels none, or "
            "a CSV file"
        )
    return ImageLabels(folders.folder_of)


def guess_folder_labels(tree: FileTree, image_names: Sequence[str]) -> ImageLabels:
    """Label images by folders if these are classes; no labels without folders, or for shards.

    Arguments:
        tree: Files that include the images.
        image_names: Names of the images.

    Raises:
        InputError: The folders may be something else than classes.
    """
    folders = _Folders(image_names)
    if folders.names_by_folder.keys() == {""}:
        return ImageLabels(None)
    _check_no_copy(tree, folders)
    labels = labels_from_folders(image_names)
    _check_no_parts(tree, folders)
    if _are_shards(folders.names_by_folder):
        return ImageLabels(
            None,
            f"the numbered folders {_join_names(folders.names_by_folder)} are shards rather than "
            "labels (--labels folders if they are classes)",
        )
    return labels


class _Folders:
    """Images by the first folder in which they differ.

    Attributes:
        top_folder: The folders before it, including a final `/`.
        names_by_folder: Names of images by that folder; `""` if they are in none.
    """

    def __init__(self, image_names: Sequence[str]) -> None:
        self.top_folder = common_folder(image_names)
        self.names_by_folder: dict[str, list[str]] = defaultdict(list)
        for name in image_names:
            self.names_by_folder[self.folder_of(name)].append(name)

    def folder_of(self, name: str) -> str:
        return name.removeprefix(self.top_folder).rpartition("/")[0].partition("/")[0]


def _join_names(names: Iterable[str]) -> str:
    names = sorted(names)
    return ", ".join(names[:_MAX_LISTED]) + (", ..." if len(names) > _MAX_LISTED else "")


def _check_no_copy(tree: FileTree, folders: _Folders) -> None:
    """Check that no folder has a copy of all images outside of it."""
    num_images = sum(map(len, folders.names_by_folder.values()))
    for folder, names in folders.names_by_folder.items():
        num_others = num_images - len(names)
        if not folder or len(names) < num_others:
            continue
        prefix = f"{folders.top_folder}{folder}/"
        inside = {name.removeprefix(prefix) for name in names}
        if all(
            name.removeprefix(folders.top_folder) in inside
            for other_folder, other_names in folders.names_by_folder.items()
            if other_folder != folder
            for name in other_names
        ):
            raise InputError(
                f"labels: the folder {folder} has a copy of all {num_others:,} images outside of "
                f"it; read them once with --from {tree.describe_location(prefix[:-1])}, or keep "
                "both with --labels folders, or none"
            )


def _check_no_parts(tree: FileTree, folders: _Folders) -> None:
    """Check that no folder is named like the part of a data set for training or testing."""
    names = folders.names_by_folder.keys()
    parts = [name for name in names if _has_word(name, _PART_WORD)]
    # Short words are also names of languages: all folders must have one.
    if not parts and all(_has_word(name, _SHORT_PART_WORD) for name in names):
        parts = [*names]
    if not parts:
        return
    parts.sort(key=lambda folder: ("tr" not in folder.lower(), folder))
    others = names - set(parts)
    contrast = f"; {_join_names(others)} may be labels" if others else " rather than labels"
    names_text = ", ".join(parts)
    finding = f"folders {names_text} look like parts"
    if len(parts) == 1:
        finding = f"folder {names_text} looks like a part"
    example = tree.describe_location(folders.top_folder + parts[0])
    raise InputError(
        f"labels: the {finding} of a data set{contrast}; choose one with --from, for example "
        f"{example}, or use --labels folders, or none"
    )


def _has_word(folder: str, pattern: re.Pattern[str]) -> bool:
    return any(pattern.fullmatch(word.lower()) for word in _WORD.findall(folder))


def _are_shards(names_by_folder: Mapping[str, Sequence[str]]) -> bool:
    """Whether folders divide a data set by number: 00000, 01000, ... as in FFHQ, or shard-0, ...

    Raises:
        InputError: The folders have long numbers, and may be shards or classes.
    """
    folders = sorted(names_by_folder)
    if all(map(_SHARD_NAME.fullmatch, folders)):
        return True
    if not all(_is_long_number(folder, len(folders[0])) for folder in folders):
        return False
    counts = [len(names_by_folder[folder]) for folder in folders]
    has_equal_counts = {*counts[:-1]} == {counts[0]} and counts[-1] <= counts[0]
    if has_equal_counts or _is_numbered_throughout([names_by_folder[f] for f in folders]):
        return True
    raise InputError(
        f"labels: the numbered folders {_join_names(folders)} may be classes or shards of a data "
        "set; use --labels folders if they are classes, or --labels none"
    )


def _is_long_number(folder: str, num_digits: int) -> bool:
    is_number = folder.isascii() and folder.isdigit()
    return is_number and len(folder) == num_digits >= _SHARD_DIGITS


def _is_numbered_throughout(names_of_folders: Sequence[Sequence[str]]) -> bool:
    """Whether the numbers of files in a folder are larger than those in all folders before."""
    numbers_of_folders = [
        [re.findall("[0-9]+", PurePosixPath(name).stem)[-1:] for name in names]
        for names in names_of_folders
    ]
    if not all(all(numbers) for numbers in numbers_of_folders):
        return False
    ranges = [
        (min(values), max(values))
        for numbers in numbers_of_folders
        for values in [[int(number) for (number,) in numbers]]
    ]
    return all(earlier[1] < later[0] for earlier, later in pairwise(ranges))
