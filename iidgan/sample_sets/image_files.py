"""Images in files of their own: a file, a folder, a ZIP or TAR archive, Parquet or LMDB."""

from __future__ import annotations

import hashlib
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from iidgan.data.prepare.archives import open_file_tree
from iidgan.data.prepare.decode import DECODING_RULE, IMAGE_SUFFIXES, convert_images, has_colours
from iidgan.data.prepare.depth import UnknownRangeError
from iidgan.data.prepare.formats import choose_reader
from iidgan.data.prepare.reader import (
    ImageStream,
    Pixels,
    RawImage,
    SkippedImage,
    escape_unprintable,
)
from iidgan.data.prepare.readers.images import (
    describe_other_files,
    list_images,
    list_shadowed,
    open_image_files,
    read_image,
)
from iidgan.data.prepare.request import PrepareRequest
from iidgan.data.prepare.resize import ResizeRule, TargetSize
from iidgan.errors import InputError
from iidgan.sample_sets.blocks import stack_blocks
from iidgan.sample_sets.sample_set import SampleSet
from iidgan.utils.files import oserror_as_input_error, read_regular_file

_SKIP_ADVICE = "remove it, or run iidgan prepare, which leaves such images out"


class RawImages(ABC):
    """Images that have not been decoded, in a fixed order.

    Attributes:
        num_images: Their number.
        note: What a user should know of the files.
    """

    num_images: int
    note: str = ""

    def describe(self, index: int) -> str:
        """Name an image, for messages.

        Arguments:
            index: Its position.
        """
        return f"image {index}"

    @abstractmethod
    def read(self, indices: Sequence[int]) -> Iterator[RawImage | SkippedImage]:
        """Read images.

        Arguments:
            indices: Their positions, increasing.

        Raises:
            InputError: The files are damaged.
        """


class ImageFiles(RawImages):
    """Image files in a folder or an archive, which stays open as long as this object.

    Arguments:
        path: The folder or archive.

    Raises:
        InputError: It cannot be opened, has no images, or several of one name.
    """

    def __init__(self, path: Path) -> None:
        with ExitStack() as stack:
            self._tree = stack.enter_context(open_file_tree(path))
            self._names = list_images(self._tree, path)
            if shadowed := list_shadowed(self._tree, self._names):
                raise _skipped_error(str(path), shadowed[0])
            self.num_images = len(self._names)
            self.note = describe_other_files(self._tree)
            weakref.finalize(self, stack.pop_all().close)

    def describe(self, index: int) -> str:
        return escape_unprintable(self._names[index])

    def read(self, indices: Sequence[int]) -> Iterator[RawImage | SkippedImage]:
        for index in indices:
            yield read_image(self._tree, self._names[index])


class SingleImage(RawImages):
    """One image file.

    Arguments:
        path: The file.
    """

    num_images = 1

    def __init__(self, path: Path) -> None:
        self._path = path

    def describe(self, index: int) -> str:
        return escape_unprintable(self._path.name)

    def read(self, indices: Sequence[int]) -> Iterator[RawImage | SkippedImage]:
        with oserror_as_input_error(self._path):
            content = read_regular_file(self._path)
        return iter([RawImage(self._path.name, content) for _ in indices])


class StreamedImages(RawImages):
    """Images in a format whose reader of `data.prepare` yields one after the other.

    Arguments:
        name: What the user calls the files.
        request: The files.

    Raises:
        InputError: They cannot be read, or have no images.
    """

    def __init__(self, name: str, request: PrepareRequest) -> None:
        self._name, self._request = name, request
        with self._open_stream() as stream:
            num_images = stream.num_images
            self.num_images = sum(1 for _ in stream.images) if num_images is None else num_images
            self.note = stream.note
        if not self.num_images:
            raise InputError(f"{name}: expected at least one image, got none")

    def read(self, indices: Sequence[int]) -> Iterator[RawImage | SkippedImage]:
        remaining = iter(indices)
        index = next(remaining, None)
        with self._open_stream() as stream:
            for position, raw_image in enumerate(stream.images):
                if index is None:
                    return
                if position == index:
                    yield raw_image
                    index = next(remaining, None)
        if index is not None:
            raise InputError(f"{self._name}: image {index} is missing; have the files changed?")

    @contextmanager
    def _open_stream(self) -> Iterator[ImageStream]:
        """Open the files; errors on options of `iidgan prepare` start with the name of the files.

        Raises:
            InputError: They cannot be opened, or read in the end.
        """
        try:
            with choose_reader(self._request)(self._request.read_request()) as stream:
                yield stream
        except InputError as error:
            if error.field not in ("from", "config"):
                raise
            text = str(error).removeprefix(f"{error.field}: ")
            if error.field == "config":
                text += " with --config of iidgan prepare"
            elif text.endswith("--image-column"):
                text += " of iidgan prepare"
            raise InputError(f"{self._name}: {text}") from error


@dataclass(frozen=True, kw_only=True)
class ImageFileSamples(SampleSet):
    """Images in files, which are decoded when they are read.

    Arguments:
        images: The files.
        rule: How they are cropped and resized.
    """

    images: RawImages
    rule: ResizeRule

    def iterate(self, indices: Sequence[int]) -> Iterator[Tensor]:
        pixels = (self._decode(raw_image) for raw_image in self.images.read(indices))
        for block in stack_blocks(pixels, self.shape):
            yield torch.from_numpy(block)

    def describe(self, index: int) -> str:
        return self.images.describe(index)

    def compute_sha256(self, indices: Sequence[int]) -> str:
        hasher = hashlib.sha256(f"{DECODING_RULE}; {self.rule}; {self.shape}".encode())
        for raw_image in self.images.read(indices):
            content = _require_content(self.name, raw_image)
            hasher.update(len(content).to_bytes(8))
            hasher.update(content)
        return hasher.hexdigest()

    def _decode(self, raw_image: RawImage | SkippedImage) -> Pixels:
        """Decode an image, with the channels of all images."""
        pixels = _decode_image(self.name, raw_image, self.rule)
        if pixels.shape[1:] != self.shape[1:]:
            first_image = next(self.images.read([0]))
            raise InputError(
                f"{self.name}: mixed sizes: {escape_unprintable(first_image.name)} has "
                f"{_describe_size(self.shape)} pixels, {escape_unprintable(raw_image.name)} "
                f"{_describe_size(pixels.shape)}; choose one size with --size N or HxW "
                "(size=N or (H, W) in Python), to which all are cropped and resized"
            )
        return pixels.repeat(self.shape[0] // len(pixels), 0)


def open_image_set(path: Path, size: TargetSize | None) -> ImageFileSamples:
    """Open an image file, or the images of a folder, an archive, Parquet or LMDB files.

    The size is that of the first image; others are compared with it when they are read. There are
    three channels if there is any image with colours.

    Arguments:
        path: The files.
        size: Side, or (height, width), to which images are cropped and resized; None: they keep
            their size.

    Raises:
        InputError: They cannot be read, or the first image cannot be decoded.
    """
    images, rule, name = _open_raw_images(path), ResizeRule(size=size), str(path)
    pixels = _decode_image(name, next(images.read([0])), rule)
    num_channels, *sides = pixels.shape
    notes = [images.note, str(rule) if size is not None else ""]
    if num_channels == 1 and (colour_name := _find_colours(images)):
        num_channels = 3
        notes.append(
            f"grey and colour images, such as {escape_unprintable(colour_name)}: all have three "
            "channels"
        )
    return ImageFileSamples(
        name=name,
        num_samples=images.num_images,
        shape=(num_channels, *sides),
        notes=tuple(filter(None, notes)),
        images=images,
        rule=rule,
    )


def _open_raw_images(path: Path) -> RawImages:
    if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
        return SingleImage(path)
    request = PrepareRequest(
        name="samples",
        origin=str(path.absolute()),
        size=None,
        config=None,
        split=None,
        labels="none",
        label_column=None,
        image_column=None,
        value_range=None,
        root=None,
    )
    if choose_reader(request) is open_image_files:
        return ImageFiles(path)
    return StreamedImages(str(path), request)


def _find_colours(images: RawImages) -> str | None:
    """Find the first image with colours after the first image, by the headers."""
    for raw_image in images.read(range(1, images.num_images)):
        if isinstance(raw_image, RawImage) and has_colours(raw_image.content):
            return raw_image.name
    return None


def _decode_image(name: str, raw_image: RawImage | SkippedImage, rule: ResizeRule) -> Pixels:
    """Decode, crop and resize an image, to shape (1, H, W) or (3, H, W)."""
    try:
        converted = convert_images([raw_image], rule)
    except UnknownRangeError:
        raise InputError(
            f"{name}: {escape_unprintable(raw_image.name)} has more than 8 bits; run iidgan "
            "prepare, which finds the range of the values of all images, and use what it writes"
        ) from None
    if converted.skipped:
        raise _skipped_error(name, converted.skipped[0])
    return converted.pixels[0]


def _require_content(name: str, raw_image: RawImage | SkippedImage) -> bytes:
    if isinstance(raw_image, SkippedImage):
        raise _skipped_error(name, raw_image)
    assert isinstance(raw_image.content, bytes)
    return raw_image.content


def _skipped_error(name: str, skipped: SkippedImage) -> InputError:
    return InputError(f"{name}: {skipped}; {_SKIP_ADVICE}")


def _describe_size(shape: tuple[int, ...]) -> str:
    return f"{shape[2]} x {shape[1]}"
