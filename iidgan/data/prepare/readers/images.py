"""Image files in a folder, a ZIP or a TAR archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path, PurePosixPath

from iidgan.data.prepare.archives import FileTree, UnreadableError, open_file_tree
from iidgan.data.prepare.decode import IMAGE_SUFFIXES
from iidgan.data.prepare.labels.image_labels import ImageLabels
from iidgan.data.prepare.labels.label_choice import find_labels
from iidgan.data.prepare.reader import ImageStream, RawImage, Reader, ReadRequest, SkippedImage
from iidgan.errors import InputError

LabelFinder = Callable[[FileTree, Sequence[str]], ImageLabels]
"""Finds the labels of images, given by name, in a tree of files."""


@contextmanager
def open_image_files(request: ReadRequest) -> Iterator[ImageStream]:
    """Open image files, with labels from their folders or from a CSV file.

    Arguments:
        request: The folder or archive, and its labels.

    Raises:
        InputError: There are no images, or their labels are ambiguous.
    """
    path = request.existing_path()
    with open_file_tree(path) as tree:
        names = list_images(tree, path)
        inside_names = [name for name in names if tree.is_inside(name)]
        labels = (
            find_labels(tree, inside_names, request.labels, request.label_column)
            if inside_names
            else ImageLabels(None)
        )
        note = "; ".join(filter(None, (labels.note, describe_other_files(tree))))
        yield _image_stream(tree, names, labels, f"image files of {path.name}", note)


def image_folder_reader(*folders: str, find_labels: LabelFinder | None = None) -> Reader:
    """Create a reader of the image files in the first of these folders that exists.

    Arguments:
        folders: Names or paths of folders, which may be anywhere in the data set; if none of them
            has images, all images are read.
        find_labels: Finds the labels of images in the files that include them; None: they have
            none.
    """

    @contextmanager
    def open_folder(request: ReadRequest) -> Iterator[ImageStream]:
        path = request.existing_path()
        with open_file_tree(path) as tree:
            all_names = list_images(tree, path)
            names_by_folder = (
                [name for name in all_names if f"/{folder}/" in f"/{name}"] for folder in folders
            )
            names = next((names for names in names_by_folder if names), all_names)
            labels = find_labels(tree, names) if find_labels else ImageLabels(None)
            note = "; ".join(filter(None, (labels.note, describe_other_files(tree))))
            yield _image_stream(tree, names, labels, f"image files of {path.name}", note)

    return open_folder


def list_images(tree: FileTree, path: Path) -> list[str]:
    """List the image files of a tree, by their names.

    Arguments:
        tree: The files.
        path: Where they are.

    Raises:
        InputError: There are none.
    """
    names = tree.file_names()
    images = [name for name in names if _is_image(PurePosixPath(name))]
    if not images:
        has_lmdb = any(name.endswith(".mdb") for name in names)
        hint = "extract it first" if has_lmdb else f"known: {', '.join(sorted(IMAGE_SUFFIXES))}"
        raise InputError(f"{path}: {len(names)} files, none of them an image; {hint}")
    return images


def _is_image(path: PurePosixPath) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not _is_hidden(path)


def _is_hidden(path: PurePosixPath) -> bool:
    has_dot_name = any(part.startswith(".") and not part.startswith("..") for part in path.parts)
    return has_dot_name or "__MACOSX" in path.parts


def describe_other_files(tree: FileTree) -> str:
    """Count files of unknown types; text files usually accompany images.

    Arguments:
        tree: The files.

    Returns:
        One line; empty if there are none.
    """
    suffix_counts = Counter(
        path.suffix.lower() or "without a suffix"
        for path in map(PurePosixPath, tree.file_names())
        if not _is_hidden(path) and path.suffix.lower() not in (*IMAGE_SUFFIXES, *_TEXT_SUFFIXES)
    )
    if not suffix_counts:
        return ""
    examples = ", ".join(f"{count:,} {suffix}" for suffix, count in suffix_counts.most_common(5))
    return f"{suffix_counts.total():,} files of other types are ignored ({examples})"


_TEXT_SUFFIXES = (".cls", ".csv", ".json", ".md", ".npy", ".txt")


def _image_stream(
    tree: FileTree, names: Sequence[str], labels: ImageLabels, description: str, note: str
) -> ImageStream:
    shadowed = list_shadowed(tree, names)
    return ImageStream(
        description=description,
        num_images=len(shadowed) + len(names),
        has_labels=labels.label_of is not None,
        note=note,
        images=chain(shadowed, (read_image(tree, name, labels.label_of) for name in names)),
    )


def list_shadowed(tree: FileTree, names: Iterable[str]) -> list[SkippedImage]:
    """List the images in an archive that later files of the same name replace.

    Arguments:
        tree: The files.
        names: Names of the images.
    """
    image_names = set(names)
    return [
        SkippedImage(name, "has the name of a later one in the archive")
        for name in tree.shadowed_names()
        if name in image_names
    ]


def read_image(
    tree: FileTree, name: str, label_of: Callable[[str], str | None] | None = None
) -> RawImage | SkippedImage:
    """Read an image file without decoding it.

    Arguments:
        tree: The files.
        name: Name of the image.
        label_of: Returns the label of a name; None if there are no labels.

    Returns:
        The image, or why it cannot be read.
    """
    try:
        content = tree.read_file(name)
    except UnreadableError as error:
        return SkippedImage(name, error.reason, error.detail)
    return RawImage(name, content, None if label_of is None else label_of(name))
