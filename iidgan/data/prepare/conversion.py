"""Preparing a data set: read, convert, write, and only then rename it into place."""

from __future__ import annotations

import csv
import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
from pathlib import Path

from iidgan.data.manifest import (
    DAMAGED_PREFIX,
    DATASET_FILES,
    IMAGES_FILE,
    LABELS_FILE,
    MANIFEST_FILE,
    SKIPPED_FILE,
    FileRecord,
    Manifest,
)
from iidgan.data.prepare.decode import (
    DECODING_RULE,
    ConvertedImages,
    convert_images,
    measure_images,
)
from iidgan.data.prepare.depth import PixelRange, PixelStatistics, UnknownRangeError
from iidgan.data.prepare.formats import choose_reader
from iidgan.data.prepare.pool import process_chunks
from iidgan.data.prepare.reader import ImageStream, RawImage, SkippedImage
from iidgan.data.prepare.request import PrepareRequest
from iidgan.data.prepare.resize import TargetSize
from iidgan.data.prepare.writer import DatasetWriter
from iidgan.errors import InputError
from iidgan.utils.files import check_free_space, fsync_path, oserror_as_input_error
from iidgan.utils.locks import exclusive_lock
from iidgan.utils.processes import exit_without_main_guard

ProgressCallback = Callable[[int, int | None], None]
"""Callback with the number of processed images, and the number of all images if it is known."""
MessageCallback = Callable[[str], None]
"""Callback with a message to the user."""


@dataclass(frozen=True)
class PrepareResult:
    """A prepared data set.

    Arguments:
        folder: Its folder.
        manifest: Its manifest.
        is_new: Whether it did not exist before.
        skipped: Images that were left out of a new one.
    """

    folder: Path
    manifest: Manifest
    is_new: bool
    skipped: tuple[SkippedImage, ...] = ()


def prepare(
    name: str,
    *,
    origin: str | None = None,
    size: TargetSize | None = None,
    revision: str | None = None,
    config: str | None = None,
    split: str | None = None,
    labels: str | None = None,
    label_column: str | None = None,
    image_column: str | None = None,
    value_range: tuple[float, float] | None = None,
    root: str | None = None,
    strict: bool = False,
    on_progress: ProgressCallback = lambda num_done, num_images: None,
    on_message: MessageCallback = lambda text: None,
) -> PrepareResult:
    """Convert the images of a data set into one array, or do nothing if this is done already.

    An interrupted call leaves nothing under the name of the data set, and the next call starts
    again. Large data sets are converted by several processes, each of which imports the main
    script: it needs `if __name__ == "__main__":` around its code.

    Arguments:
        name: Name of a data set in `DATASETS`, its id on the Hub, or a new name.
        origin: File or folder to read, or `hub`; None: the default location of the data set.
        size: Side of the images, or (height, width); None: the default one, which is 64 for new
            names.
        revision: Branch, tag or commit of a data set on the Hub; None: its main branch. The
            manifest records the commit.
        config: Configuration of a data set on the Hub, which is saved as NAME-CONFIG; None: its
            only one.
        split: Part of the data set; None: the default one. Another split is saved as NAME-SPLIT.
        labels: `none`, `folders`, or the path of a CSV file; None: automatic.
        label_column: Column of a table (Parquet, Hub, CSV) with the labels; None: automatic.
        image_column: Column of a table (Parquet, Hub) with the images; None: automatic.
        value_range: Values of images of more than 8 bits that become black and white; None: the
            smallest of 8, 10, 12, 14 and 16 bits that holds all values of the data set, and its
            smallest and largest value if these are fractions or larger integers.
        root: Folder of prepared data sets; None: $IIDGAN_DATA, or `data` in the user's cache.
        strict: Whether the first image that cannot be used is an error.
        on_progress: Called after each chunk of images.
        on_message: Called with messages to the user.

    Returns:
        The folder and the manifest of the data set, and the images that were left out.

    Raises:
        InputError: The files are missing or cannot be read, or the existing data set of that name
            was prepared with other options, or another process is preparing it.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> from PIL import Image
        >>> with TemporaryDirectory() as folder:
        ...     for label in ("black", "white"):
        ...         images = Path(folder, "shades", label)
        ...         images.mkdir(parents=True)
        ...         Image.new("L", (80, 64), label).save(images / "1.png")
        ...     result = prepare("two-shades", origin=f"{folder}/shades", size=16, root=folder)
        ...     manifest = result.manifest
        >>> manifest.count, manifest.shape, manifest.labels
        (2, (1, 16, 16), ('black', 'white'))
    """
    exit_without_main_guard()
    request = PrepareRequest(
        name=name,
        origin=origin,
        size=size,
        revision=revision,
        config=config,
        split=split,
        labels=labels,
        label_column=label_column,
        image_column=image_column,
        value_range=value_range,
        root=root,
    )
    folder = request.folder
    if existing := _find_existing(request, on_message):
        return PrepareResult(folder, existing, is_new=False)
    _check_no_conflict(folder)
    staging = request.staging_folder
    refusal = f"name: {folder} is being prepared by another process; wait for it"
    with exclusive_lock(request.lock_file, refusal=refusal):
        if existing := _find_existing(request, on_message):  # written by another process meanwhile
            return PrepareResult(folder, existing, is_new=False)
        try:
            manifest, skipped = _write_dataset(request, staging, strict, on_progress, on_message)
            _publish_dataset(staging, folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return PrepareResult(folder, manifest, is_new=True, skipped=tuple(skipped))


def _find_existing(request: PrepareRequest, on_message: MessageCallback) -> Manifest | None:
    """Find an intact data set that matches the request; quarantine a damaged one."""
    folder = request.folder
    if not (folder / MANIFEST_FILE).exists():
        return None
    try:
        manifest = Manifest.read(folder)
        reason = manifest.integrity_error(folder)
    except InputError as error:
        reason = str(error)
    if reason:
        on_message(f"{folder}: {reason}; its files are renamed to {DAMAGED_PREFIX}...")
        _quarantine_files(folder)
        return None
    if differences := request.find_differences(manifest):
        raise InputError(
            f"{folder}: already prepared with other options ({'; '.join(differences)}); "
            f"{_REMOVE_ADVICE}, or choose another --root"
        )
    fingerprint = request.compute_fingerprint() if manifest.trace else ""
    if fingerprint and fingerprint != manifest.trace:
        on_message(
            f"{folder}: its original files have changed; {_REMOVE_ADVICE} to prepare it again"
        )
    return manifest


def _check_no_conflict(folder: Path) -> None:
    """Check that no other file has the name of a file of the data set.

    Raises:
        InputError: Such a file exists.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; move it, or choose another --root")
    for file_name in (IMAGES_FILE, LABELS_FILE, SKIPPED_FILE):
        if (folder / file_name).exists():
            raise InputError(
                f"{folder}: {file_name} exists without a manifest; move it, or choose another "
                "--root"
            )


_REMOVE_ADVICE = f"remove {', '.join(DATASET_FILES)} there"


def _quarantine_files(folder: Path) -> None:
    """Rename the files of a data set; other files may be beside them."""
    with oserror_as_input_error(folder):
        for file_name in DATASET_FILES:  # without the first, the others are not a data set
            if (folder / file_name).exists():
                (folder / file_name).replace(folder / f"{DAMAGED_PREFIX}{file_name}")


def _write_dataset(
    request: PrepareRequest,
    staging: Path,
    strict: bool,
    on_progress: ProgressCallback,
    on_message: MessageCallback,
) -> tuple[Manifest, list[SkippedImage]]:
    fingerprint = request.compute_fingerprint()
    convert = partial(_convert_dataset, request, staging, fingerprint, strict, on_progress)
    try:
        return convert(request.pixel_range, on_message)
    except UnknownRangeError:
        on_message(
            "images of more than 8 bits: all are read twice, to find the range of their values"
        )
        return convert(_measure_range(request, on_progress), lambda text: None)


def _measure_range(request: PrepareRequest, on_progress: ProgressCallback) -> PixelRange:
    """Find the range of the values of all images of more than 8 bits."""
    statistics = PixelStatistics()
    with choose_reader(request)(request.read_request()) as stream:
        chunks = process_chunks(stream.images, measure_images, stream.num_images)
        with closing(chunks):
            for chunk_statistics in chunks:
                statistics.merge(chunk_statistics)
                on_progress(statistics.num_images, stream.num_images)
    return statistics.choose_range()


def _convert_dataset(
    request: PrepareRequest,
    staging: Path,
    fingerprint: str,
    strict: bool,
    on_progress: ProgressCallback,
    pixel_range: PixelRange | None,
    on_message: MessageCallback,
) -> tuple[Manifest, list[SkippedImage]]:
    with oserror_as_input_error(staging):
        if staging.exists():  # of a crash, or of images before the first deep one
            shutil.rmtree(staging)
        staging.mkdir()
    open_stream, read_request = choose_reader(request), request.read_request()
    with open_stream(read_request) as stream, closing(DatasetWriter(staging)) as writer:
        if stream.note:
            on_message(stream.note)
        conversion = _Conversion(stream, request, pixel_range, strict, on_progress)
        with oserror_as_input_error(staging):
            conversion.write_images(writer)
        skipped = conversion.skipped
        if not writer.count:
            example = f", for example {skipped[0]}" if skipped else ""
            raise InputError(f"from: no image of {stream.description} can be used{example}")
        if request.pixel_range is not None and not conversion.num_deep:
            on_message("--range has no effect: no image has more than 8 bits")
        return _write_manifest(conversion, writer, staging, fingerprint), skipped


@dataclass
class _Conversion:
    """Progress of a conversion."""

    stream: ImageStream
    request: PrepareRequest
    pixel_range: PixelRange | None
    strict: bool
    on_progress: ProgressCallback
    skipped: list[SkippedImage] = field(default_factory=list)
    num_enlarged: int = 0
    num_deep: int = 0
    has_image_files: bool = False

    def write_images(self, writer: DatasetWriter) -> None:
        convert_chunk = partial(
            convert_images,
            resize_rule=self.request.resize_rule,
            pixel_range=self.pixel_range,
        )
        chunks = process_chunks(self._raw_images(), convert_chunk, self.stream.num_images)
        with closing(chunks):
            for converted in chunks:
                self._add_chunk(converted, writer)
        writer.finish()

    def _add_chunk(self, converted: ConvertedImages, writer: DatasetWriter) -> None:
        if self.strict and converted.skipped:
            raise InputError(f"strict: {converted.skipped[0]}")
        is_first = not writer.count
        writer.add_images(converted)
        if is_first and writer.count:
            num_bytes = (self.stream.num_images or 0) * math.prod(writer.shape)
            check_free_space(self.request.folder.parent, num_bytes, field="root")
        self.skipped += converted.skipped
        self.num_enlarged += converted.num_enlarged
        self.num_deep += converted.num_deep
        self.on_progress(writer.count + len(self.skipped), self.stream.num_images)

    def _raw_images(self) -> Iterator[RawImage | SkippedImage]:
        for raw_image in self.stream.images:
            if isinstance(raw_image, RawImage):
                self.has_image_files |= isinstance(raw_image.content, bytes)
                if self.stream.has_labels and raw_image.label is None:
                    raw_image = SkippedImage(raw_image.name, "has no label")
            yield raw_image

    @property
    def rule(self) -> str:
        """Description of how the images were resized and converted."""
        rules = [str(self.request.resize_rule)]
        if self.num_deep:
            rules.append(str(self.pixel_range))
        if self.has_image_files:
            rules.append(DECODING_RULE)
        return "; ".join(rules)


def _write_manifest(
    conversion: _Conversion, writer: DatasetWriter, staging: Path, fingerprint: str
) -> Manifest:
    """Write the labels, the list of skipped images and the manifest."""
    request, stream, skipped = conversion.request, conversion.stream, conversion.skipped
    class_names: tuple[str, ...] = ()
    label_counts: tuple[int, ...] = ()
    if stream.has_labels:
        class_names, label_counts = writer.write_labels(stream.class_names)
    if skipped:
        _write_skipped(staging / SKIPPED_FILE, skipped)
    array_files = [name for name in (IMAGES_FILE, LABELS_FILE) if (staging / name).exists()]
    manifest = Manifest(
        name=request.dataset_name,
        request=request.recorded_options,
        source=stream.description,
        revision=stream.revision,
        trace=fingerprint,
        rule=conversion.rule,
        count=writer.count,
        shape=writer.shape,
        labels=class_names,
        label_counts=label_counts,
        skipped=dict(Counter(image.reason for image in skipped).most_common()),
        enlarged=conversion.num_enlarged,
        files={name: FileRecord.from_file(staging / name) for name in array_files},
        versions={name: _package_version(name) for name in ("iidgan", "numpy", "pillow")},
    )
    manifest.write(staging)
    return manifest


def _write_skipped(path: Path, skipped: list[SkippedImage]) -> None:
    rows = [(image.name, image.reason, image.detail) for image in skipped]
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        csv.writer(file).writerows([("file", "reason", "detail"), *rows])


def _package_version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # run from a checkout
        return "unknown"


def _publish_dataset(staging: Path, folder: Path) -> None:
    """Rename a data set into place: as a whole, or into a folder that has other files.

    Raises:
        InputError: The folder has other files of the same names.
    """
    with oserror_as_input_error(folder):
        for path in staging.iterdir():
            fsync_path(path)
        fsync_path(staging)
        if not folder.exists():
            staging.replace(folder)
            fsync_path(folder.parent)
            return
        _check_no_conflict(folder)
        # The manifest comes last: without it, the others are not a data set.
        for path in sorted(staging.iterdir(), key=lambda path: path.name == MANIFEST_FILE):
            path.replace(folder / path.name)
        fsync_path(folder)
