"""Data sets of the Hub, and Parquet files of the same schema, through the package `datasets`."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from iidgan.data.prepare.decode import IMAGE_SUFFIXES
from iidgan.data.prepare.folder_walk import walk_files
from iidgan.data.prepare.reader import (
    ImageStream,
    RawImage,
    ReadRequest,
    SkippedImage,
    escape_unprintable,
)
from iidgan.errors import InputError, unknown_name_error
from iidgan.utils.extras import require_extra
from iidgan.utils.files import oserror_as_input_error, require_regular_file

_IMAGE_COLUMNS = ("image", "img", "picture", "jpg", "png", "webp")
_LABEL_COLUMNS = ("label", "fine_label", "labels", "class", "category", "target")
_LABEL_TYPES = ("int", "uint", "string", "large_string", "bool")


def is_parquet(path: Path) -> bool:
    """Return whether a path is a Parquet file, or a folder with Parquet files and no image files.

    Arguments:
        path: The path.
    """
    if not path.is_dir():
        return path.suffix == ".parquet"
    levels = ("*", "*/*", "*/*/*")
    has_parquet = any(next(path.glob(f"{level}.parquet"), None) for level in levels)
    if not has_parquet:
        return False
    suffixes = (file.suffix.lower() for level in levels for file in path.glob(level))
    return not any(suffix in IMAGE_SUFFIXES for suffix in suffixes)


@contextmanager
def open_hub_dataset(request: ReadRequest) -> Iterator[ImageStream]:
    """Open a data set by its id, downloaded into the cache of `datasets`, or in local files.

    Arguments:
        request: The id or the path, and the columns.

    Raises:
        InputError: The package is not installed, the data set does not exist, or it has no column
            of images, or one of labels that are not one per image.
    """
    with _one_message_per_error():
        yield _open_stream(request)


@contextmanager
def _one_message_per_error() -> Iterator[None]:
    """Log no errors of damaged files, which `datasets` raises, too."""
    logger = logging.getLogger("datasets.packaged_modules")
    previous_level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(previous_level)


def _open_stream(request: ReadRequest) -> ImageStream:
    data, revision = _load_dataset(request)
    columns: Mapping[str, Any] = data.features or {}
    image_columns = _find_image_columns(columns, request.image_column)
    label_columns = _find_label_columns(columns, request)
    image_column = image_columns[0]
    label_column = label_columns[0] if label_columns else None
    return ImageStream(
        description=f"{request.hub_id or request.existing_path().name}, {_split_name(request)}",
        num_images=len(data) if hasattr(data, "__len__") else None,
        has_labels=label_column is not None,
        class_names=_class_names(columns, label_column),
        images=_iterate_images(
            _select_rows(data, image_column, label_column),
            image_column,
            label_column,
            _label_normaliser(columns, request.label_column),
        ),
        note="; ".join(
            [
                *_describe_choice(image_columns),
                *_describe_choice(label_columns),
                *_describe_unusable(columns, label_columns, request),
            ]
        ),
        revision=revision,
    )


def _split_name(request: ReadRequest) -> str:
    return request.split or "train"


def _load_dataset(request: ReadRequest) -> tuple[Any, str]:
    """Load or stream a data set; the second value is its commit, empty for local files."""
    require_extra("hub", "datasets", field="from: Parquet and the Hub")
    import datasets

    split, config = _split_name(request), request.config
    try:
        if request.hub_id is not None:
            builder = datasets.load_dataset_builder(
                request.hub_id, config, revision=request.revision
            )
            builder.download_and_prepare()
            return builder.as_dataset(split=split), builder.hash or ""
        path = request.existing_path()
        if path.is_dir():
            _check_files(path, split)
            return datasets.load_dataset(str(path), config, split=split, streaming=True), ""
        files = {split: str(path)}
        return datasets.load_dataset("parquet", data_files=files, split=split, streaming=True), ""
    except InputError:
        raise
    except Exception as error:  # exceptions of the network, the Hub or the files, of many types
        origin = request.hub_id or request.path
        if configs := _CONFIGS_PATTERN.search(str(error)):
            raise InputError(
                f"config: {origin} has several configurations; choose one of {configs[1]}"
            ) from error
        raise InputError(
            f"from: {origin}, split {split!r}, cannot be loaded ({_describe_error(error)})"
        ) from error


def _check_files(folder: Path, split: str) -> None:
    """Check all files before `datasets` opens some of them.

    Raises:
        InputError: One is not a regular file, or a file of the split is missing.
    """
    with oserror_as_input_error(folder):
        names = list(walk_files(folder))
        for name in names:
            require_regular_file(folder / name)
    shards = list(filter(None, map(_SHARD_PATTERN.fullmatch, names)))
    shards_of_split = [shard for shard in shards if split in shard["prefix"]]
    indices: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for shard in shards_of_split or shards:
        indices[shard["prefix"], int(shard["total"])].add(int(shard["index"]))
    for (prefix, total), present_indices in indices.items():
        if missing_indices := sorted({*range(total)} - present_indices):
            raise InputError(
                f"from: {folder}: {len(missing_indices)} of {total} files are missing, such as "
                f"{escape_unprintable(prefix)}-{missing_indices[0]:05}-of-{total:05}.parquet; "
                "download them, or name one file"
            )


_SHARD_PATTERN = re.compile(
    r"(?P<prefix>.*)-(?P<index>\d{5})-of-(?P<total>\d{5})(-.*)?\.parquet", re.ASCII | re.DOTALL
)
"""Names of the files of a split as the Hub has them, some with a digest at the end."""
_CONFIGS_PATTERN = re.compile(r"Config name is missing.*?\[(.*?)\]", re.DOTALL)


def _describe_error(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _find_image_columns(columns: Mapping[str, Any], requested_column: str | None) -> list[str]:
    """Find the columns of images, the one to use first."""
    if requested_column is not None:
        _check_exists("image-column", requested_column, columns)
        if not _has_bytes(columns[requested_column]):
            raise InputError(
                f"image-column: expected images, got {_describe_column(columns, requested_column)}"
            )
        return [requested_column]
    image_columns = _find_columns(columns, _IMAGE_COLUMNS, _is_image)
    if not image_columns:
        raise InputError(
            f"from: no column of images among {', '.join(columns) or 'none'}; name one with "
            "--image-column"
        )
    return image_columns


def _find_label_columns(columns: Mapping[str, Any], request: ReadRequest) -> list[str]:
    """Find the columns of labels, the one to use first.

    Raises:
        InputError: The named column, or the only one with a common name, has no labels.
    """
    if request.labels == "none":
        return []
    if request.label_column is not None:
        _check_exists("label-column", request.label_column, columns)
        if not _has_label_type(columns[request.label_column]):
            raise _label_type_error("label-column", columns, request.label_column)
        return [request.label_column]
    label_columns = _find_columns(columns, _LABEL_COLUMNS, _is_label)
    if not label_columns and (names := [name for name in _LABEL_COLUMNS if name in columns]):
        raise _label_type_error("labels", columns, names[0])
    return label_columns


def _check_exists(field: str, name: str, columns: Mapping[str, Any]) -> None:
    if name not in columns:
        raise unknown_name_error(field, name, columns)


def _label_type_error(field: str, columns: Mapping[str, Any], name: str) -> InputError:
    return InputError(
        f"{field}: expected one integer, word or boolean per image, got "
        f"{_describe_column(columns, name)}; choose another column with --label-column, or use "
        "--labels none"
    )


def _describe_column(columns: Mapping[str, Any], name: str) -> str:
    column_type = columns[name]
    type_name = type(column_type).__name__
    values = getattr(column_type, "dtype", None) if type_name == "Value" else type_name
    return f"the column {escape_unprintable(name)} of type {values}"


def _find_columns(
    columns: Mapping[str, Any],
    common_names: tuple[str, ...],
    has_type: Callable[[str, Any], bool],
) -> list[str]:
    """Find columns of a type, those with a common name first."""
    matches = [name for name, column_type in columns.items() if has_type(name, column_type)]
    with_common_name = [name for name in common_names if name in matches]
    return with_common_name + [name for name in matches if name not in with_common_name]


def _describe_choice(names: Sequence[str]) -> list[str]:
    """Describe which of several columns is used."""
    if len(names) < 2:
        return []
    others = ", ".join(map(escape_unprintable, names[1:4])) + (", ..." if len(names) > 4 else "")
    return [f"the column {escape_unprintable(names[0])} is used, not {others}"]


def _describe_unusable(
    columns: Mapping[str, Any], label_columns: Sequence[str], request: ReadRequest
) -> list[str]:
    """Describe columns with the name of labels whose type is another one."""
    if request.labels == "none" or request.label_column is not None:
        return []
    names = [name for name in _LABEL_COLUMNS if name in columns and name not in label_columns]
    return [f"{_describe_column(columns, name)} is not used" for name in names]


def _is_image(name: str, column_type: Any) -> bool:  # noqa: ANN401
    """Whether a column has images, including files without the schema of the Hub."""
    is_binary = "binary" in str(getattr(column_type, "dtype", ""))
    return _has_bytes(column_type) and (name in _IMAGE_COLUMNS or not is_binary)


def _has_bytes(column_type: Any) -> bool:  # noqa: ANN401
    """Whether a column may have the bytes of images."""
    if type(column_type).__name__ == "Image":
        return True
    if isinstance(column_type, Mapping):
        return "bytes" in column_type
    return "binary" in str(getattr(column_type, "dtype", ""))


def _is_label(name: str, column_type: Any) -> bool:  # noqa: ANN401
    is_class = type(column_type).__name__ == "ClassLabel"
    return is_class or (name in _LABEL_COLUMNS and _has_label_type(column_type))


def _has_label_type(column_type: Any) -> bool:  # noqa: ANN401
    is_scalar = type(column_type).__name__ in ("Value", "ClassLabel")
    return is_scalar and str(column_type.dtype).startswith(_LABEL_TYPES)


def _class_names(columns: Mapping[str, Any], label_column: str | None) -> tuple[str, ...]:
    if label_column is None:
        return ()
    return tuple(getattr(columns[label_column], "names", None) or ())


def _select_rows(data: Any, image_column: str, label_column: str | None) -> Any:  # noqa: ANN401
    """Select the two columns, with images as bytes."""
    rows = data.select_columns([name for name in (image_column, label_column) if name is not None])
    image_type = type(data.features[image_column])
    if image_type.__name__ == "Image":
        rows = rows.cast_column(image_column, image_type(decode=False))
    return rows


def _iterate_images(
    rows: Any,  # noqa: ANN401
    image_column: str,
    label_column: str | None,
    normalise_label: Callable[[Any], int | str | None],
) -> Iterator[RawImage | SkippedImage]:
    num_done = 0
    try:
        for row in rows:
            label = None if label_column is None else normalise_label(row[label_column])
            yield _raw_image(f"row {num_done}", row[image_column], label)
            num_done += 1
    except Exception as error:  # of a damaged column
        raise InputError(
            f"from: damaged after row {num_done}: {_describe_error(error)}"
        ) from error


def _raw_image(
    name: str,
    value: Any,  # noqa: ANN401
    label: int | str | None,
) -> RawImage | SkippedImage:
    content = value.get("bytes") if isinstance(value, Mapping) else value
    if isinstance(value, Mapping) and content is None and value.get("path"):
        return SkippedImage(name, "is a path without an image", str(value["path"]))
    if not isinstance(content, bytes):
        return SkippedImage(name, "has no image")
    return RawImage(name, content, label)


def _label_normaliser(
    columns: Mapping[str, Any], requested_column: str | None
) -> Callable[[Any], int | str | None]:
    """Choose how labels are read: -1 is a value of an attribute, such as those of CelebA."""
    is_attribute = requested_column is not None and not hasattr(columns[requested_column], "names")
    return _normalise_attribute if is_attribute else _normalise_label


def _normalise_label(label: Any) -> int | str | None:  # noqa: ANN401
    """Convert booleans to integers, and negative integers, which mean no label, to None."""
    label = _normalise_attribute(label)
    return None if isinstance(label, int) and label < 0 else label


def _normalise_attribute(label: Any) -> int | str | None:  # noqa: ANN401
    return int(label) if isinstance(label, bool) else label
