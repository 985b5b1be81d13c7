"""Choice of the reader for a request."""

from __future__ import annotations

from pathlib import Path

from iidgan.data.prepare.catalog import DATASETS
from iidgan.data.prepare.reader import Reader, ReadRequest
from iidgan.data.prepare.readers.array_files import is_array_file, open_arrays
from iidgan.data.prepare.readers.hub import is_parquet, open_hub_dataset
from iidgan.data.prepare.readers.lmdb_files import find_lmdb_folder, open_lmdb
from iidgan.data.prepare.request import PrepareRequest
from iidgan.errors import InputError


def choose_reader(request: PrepareRequest) -> Reader:
    """Choose the reader by the content of the path if it is distinctive, else by the data set.

    Arguments:
        request: What is to be prepared.

    Raises:
        InputError: The reader does not support the request.
    """
    read_request, path = request.read_request(), request.input_path
    if read_request.label_column is not None and read_request.labels in ("none", "folders"):
        raise InputError(
            f"label-column: got {read_request.label_column!r} and --labels {read_request.labels}; "
            "leave out one of them"
        )
    if _is_hub_format(read_request, path):
        _check_config(read_request, is_allowed=path is None or path.is_dir())
        _check_labels(read_request, "these come with labels; leave it out, or use --labels none")
        return open_hub_dataset
    _check_config(read_request, is_allowed=False)
    if path is not None and is_array_file(path):
        _check_columns(read_request, has_table=False)
        _check_labels(read_request, "these come with labels; leave it out, or use --labels none")
        return open_arrays
    if read_request.split is not None and not request.dataset_info.splits:
        raise InputError(
            f"split: {read_request.split!r} is unknown, because {request.name} has no splits; "
            "name the files of the split with --from"
        )
    if path is not None and find_lmdb_folder(path):
        _check_labels(read_request, "LMDB files have no labels; leave it out")
        _check_columns(read_request, has_table=False)
        return open_lmdb
    _check_columns(read_request, has_table=request.name not in DATASETS)
    return request.dataset_info.reader


def _is_hub_format(read_request: ReadRequest, path: Path | None) -> bool:
    return read_request.hub_id is not None or (path is not None and is_parquet(path))


def _check_config(read_request: ReadRequest, *, is_allowed: bool) -> None:
    if read_request.config is not None and not is_allowed:
        raise InputError(
            f"config: only data sets of the Hub have configurations, got {read_request.config!r}"
        )


def _check_labels(read_request: ReadRequest, advice: str) -> None:
    if read_request.labels not in (None, "none"):
        raise InputError(f"labels: got {read_request.labels!r}, but {advice}")


def _check_columns(read_request: ReadRequest, *, has_table: bool) -> None:
    """Check that only tables are asked for columns; images with a CSV file have no other one."""
    if read_request.image_column is not None:
        raise InputError(
            f"image-column: only Parquet files and the Hub have columns of images, got "
            f"{read_request.image_column!r}; leave it out"
        )
    if read_request.label_column is not None and not has_table:
        raise InputError(
            f"label-column: got {read_request.label_column!r}, but these files have no table of "
            "labels; leave it out"
        )
