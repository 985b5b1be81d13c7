"""Labels of images in JSON and text files beside them: of StyleGAN, WebDataset and emoji.

References:
    StyleGAN2-ADA (Karras et al., 2020), https://github.com/NVlabs/stylegan2-ada-pytorch:
    `dataset.json` with `{"labels": [["00000/img00000000.png", 6], ...]}`, or null for the labels.

    WebDataset, https://github.com/webdataset/webdataset: `0001.jpg` is labelled by the number in
    `0001.cls`, or by a field of `0001.json`.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import PurePosixPath
from typing import Any

from iidgan.data.prepare.archives import FileTree, UnreadableError
from iidgan.data.prepare.labels.image_labels import ImageLabels, common_folder
from iidgan.errors import InputError

DATASET_JSON, EMOJI_JSON = "dataset.json", "emoji.json"
_LABEL_KEYS = ("cls", "label", "class", "category", "target", "y")
_MAX_TABLE_BYTES, _MAX_SIDECAR_BYTES = 1 << 28, 1 << 20
_MAX_WITHOUT_LABEL = 100
"""Number of files beside images after which the others are not searched for labels."""
_CHOICES = "use --labels folders, --labels none, or a CSV file"


def read_label_file(tree: FileTree, name: str) -> bytes:
    """Read a file with the labels of many images.

    Arguments:
        tree: Files that include it.
        name: Its name.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return tree.read_file(name, _MAX_TABLE_BYTES)
    except UnreadableError as error:
        raise InputError(f"labels: {name}: {error}") from error


def labels_from_dataset_json(tree: FileTree, image_names: Sequence[str]) -> ImageLabels | None:
    """Read the labels of StyleGAN's `dataset.json` in a folder above all images.

    Arguments:
        tree: Files that include the images.
        image_names: Names of the images.

    Returns:
        The labels, or that there are none; None without such a file.

    Raises:
        InputError: The file is damaged, or its labels are not one number or word per image.
    """
    folder = _find_folder_above(tree, image_names, DATASET_JSON)
    if folder is None:
        return None
    name = f"{folder}{DATASET_JSON}"
    return _parse_dataset_json(name, folder, read_label_file(tree, name), image_names)


def labels_from_emoji_json(tree: FileTree, image_names: Sequence[str]) -> ImageLabels:
    """Read the categories of emoji, such as Food & Drink, from the file of their npm package.

    Each variant of an emoji, as of its skin tone, has the category of the emoji.

    Arguments:
        tree: Files that include the images.
        image_names: Names of the images.

    Returns:
        The labels; none if there is no `emoji.json` in a folder above all images.

    Raises:
        InputError: The file is damaged.

    References:
        emoji-data, https://github.com/iamcal/emoji-data: the npm packages emoji-datasource-*
    """
    folder = _find_folder_above(tree, image_names, EMOJI_JSON)
    if folder is None:
        return ImageLabels(None, f"without {EMOJI_JSON} of the package, emoji have no labels")
    location, categories = f"{folder}{EMOJI_JSON}", {}
    try:
        for emoji in json.loads(read_label_file(tree, location)):
            for variant in (emoji, *emoji.get("skin_variations", {}).values()):
                categories[variant["image"]] = str(emoji["category"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"labels: {location} is not that of emoji-datasource ({type(error).__name__}: "
            f"{error}); unpack the package again"
        ) from error
    return ImageLabels(lambda name: categories.get(PurePosixPath(name).name))


def _find_folder_above(tree: FileTree, image_names: Sequence[str], file_name: str) -> str | None:
    """Find the lowest folder above all images that has a file; with a final `/`."""
    file_names = {*tree.file_names()}
    folders = accumulate(
        PurePosixPath(common_folder(image_names)).parts, "{}{}/".format, initial=""
    )
    return next(
        (folder for folder in reversed([*folders]) if f"{folder}{file_name}" in file_names), None
    )


def _parse_dataset_json(
    location: str, folder: str, content: bytes, image_names: Sequence[str]
) -> ImageLabels | None:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"labels: {location} is not JSON ({error}); {_CHOICES}") from error
    if not isinstance(document, dict) or "labels" not in document:
        return None  # a file of another program
    if document["labels"] is None:
        return ImageLabels(None, f"{location}: the images have no labels")
    labels: dict[str, str] = {}
    for name, label in _iterate_pairs(location, document["labels"]):
        full_name = folder + name.replace("\\", "/").removeprefix("./")
        if labels.setdefault(full_name, label) != label:
            raise InputError(
                f"labels: {location} labels {name!r} {labels[full_name]!r} and {label!r}; "
                f"{_CHOICES}"
            )
    num_unknown = len(labels.keys() - {*image_names})
    if num_unknown == len(labels):
        raise InputError(
            f"labels: {location} labels none of the {len(image_names)} images, which are named "
            f"like {image_names[0]!r}; {_CHOICES}"
        )
    note = f"{location}: {num_unknown:,} labels belong to no image"
    return ImageLabels(labels.get, note if num_unknown else "")


def _iterate_pairs(location: str, pairs: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    for pair in pairs if isinstance(pairs, list) else [pairs]:
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
            raise InputError(
                f"labels: {location}: expected pairs of a file and a label, got "
                f"{json.dumps(pair)[:80]}; {_CHOICES}"
            )
        yield pair[0], _parse_label(f"{location}: {pair[0]!r}", pair[1])


def _parse_label(location: str, label: object) -> str:
    """Convert a label of a JSON file to text.

    Raises:
        InputError: It is neither an integer nor a word.
    """
    if not isinstance(label, int | str):
        raise InputError(
            f"labels: {location}: expected an integer or a word as label, got "
            f"{json.dumps(label)[:80]}; {_CHOICES}"
        )
    return str(int(label) if isinstance(label, bool) else label)


def labels_from_sidecars(tree: FileTree, image_names: Sequence[str]) -> ImageLabels | None:
    """Read the labels in the files of WebDataset: one beside each image, with its name.

    All are read at once, in the order of the archive: a compressed one is slow to read backwards.
    JSON files have other purposes, too: they count if at least half of the images have one.

    Arguments:
        tree: Files that include the images.
        image_names: Names of the images.

    Returns:
        The labels; None without such files.

    Raises:
        InputError: A label is neither a number nor a word.
    """
    least_json_files = (len(image_names) + 1) // 2
    return _read_sidecars(tree, image_names, ".cls", _parse_text, 1) or _read_sidecars(
        tree, image_names, ".json", _parse_json, least_json_files
    )


def _read_sidecars(
    tree: FileTree,
    image_names: Sequence[str],
    suffix: str,
    parse_label: Callable[[str, bytes], str | None],
    least_files: int,
) -> ImageLabels | None:
    sidecars = [name for name in tree.file_names() if name.lower().endswith(suffix)]
    if len(sidecars) < least_files:
        return None
    stems = {*map(_stem, image_names)}
    names = [name for name in sidecars if _stem(name) in stems and tree.is_inside(name)]
    if len(names) < least_files:
        return None
    labels: dict[str, str] = {}
    for num_done, name in enumerate(names):
        label = _read_sidecar(tree, name, parse_label)
        if label is not None:
            labels[_stem(name)] = label
        elif not labels and num_done == _MAX_WITHOUT_LABEL:
            break
    if not labels:  # files of another program
        return None
    return ImageLabels(
        lambda name: labels.get(_stem(name)), f"labels are read from the {suffix} files"
    )


def _stem(name: str) -> str:
    """Path without the last suffix."""
    return posixpath.splitext(name)[0]


def _read_sidecar(
    tree: FileTree, name: str, parse_label: Callable[[str, bytes], str | None]
) -> str | None:
    try:
        return parse_label(name, tree.read_file(name, _MAX_SIDECAR_BYTES))
    except UnreadableError:
        return None  # the image is skipped, because it has no label


def _parse_text(name: str, content: bytes) -> str | None:
    return content.decode("utf-8", "replace").strip() or None


def _parse_json(name: str, content: bytes) -> str | None:
    """Label in the first field with a common name; None without such a field."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    labels = (document[key] for key in _LABEL_KEYS if document.get(key) is not None)
    label = next(labels, None)
    return None if label is None else _parse_label(name, label)
