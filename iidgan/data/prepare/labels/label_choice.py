"""Choice among the labels of image files: a CSV file, files beside the images, or folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from iidgan.data.prepare.archives import FileTree
from iidgan.data.prepare.labels.image_labels import ImageLabels, common_folder
from iidgan.data.prepare.labels.label_files import (
    labels_from_dataset_json,
    labels_from_sidecars,
    read_label_file,
)
from iidgan.data.prepare.labels.label_folders import guess_folder_labels, labels_from_folders
from iidgan.data.prepare.labels.label_table import labels_from_csv
from iidgan.errors import InputError
from iidgan.utils.files import read_regular_file

DEFAULT_TABLE = "labels.csv"
"""File beside the images that gives their labels, unless other labels are requested."""


def find_labels(
    tree: FileTree,
    image_names: Sequence[str],
    labels: str | None,
    label_column: str | None = None,
) -> ImageLabels:
    """Find the labels of images in a file tree.

    Arguments:
        tree: Files that include the images.
        image_names: Names of the images.
        labels: `none`, `folders`, or the path of a CSV file. None: from the labels.csv of the
            tree, its dataset.json (StyleGAN), the .cls or .json files beside the images
            (WebDataset), or its folders, in this order.
        label_column: Column of the CSV file; None: automatic.

    Raises:
        InputError: The labels are ambiguous, or their file is invalid.
    """
    if labels == "none":
        return ImageLabels(None)
    if labels == "folders":
        return labels_from_folders(image_names)
    if labels is not None:
        return labels_from_csv(labels, _read_table(labels), image_names, label_column)
    default_table = f"{common_folder(image_names)}{DEFAULT_TABLE}"
    if default_table in tree.file_names():
        content = read_label_file(tree, default_table)
        return labels_from_csv(DEFAULT_TABLE, content, image_names, label_column)
    if label_column is not None:
        raise InputError(
            f"label-column: there is no {tree.describe_location(default_table)}; name the file "
            "with this column with --labels"
        )
    return (
        labels_from_dataset_json(tree, image_names)
        or labels_from_sidecars(tree, image_names)
        or guess_folder_labels(tree, image_names)
    )


def _read_table(path: str) -> bytes:
    try:
        return read_regular_file(Path(path).expanduser())
    except (OSError, ValueError) as error:
        raise InputError(
            f"labels: expected none, folders, or a CSV file, got {path!r} "
            f"({getattr(error, 'strerror', None) or error})"
        ) from error
