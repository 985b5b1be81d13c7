"""A disk that refuses to write: one line of error, and no damage."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iidgan.training.run_dir import RunDir
from iidgan.utils.files import PARTIAL_PREFIX, integrity_error
from iidgan.utils.jsonl import read_lines
from tests.helpers.errors import raises_input_error
from tests.helpers.training import (
    assert_same_run,
    tiny_run,
    train_tiny,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("fast_evaluation")]


@contextmanager
def limit_file_size(size: int) -> Iterator[None]:
    """Make the system refuse files larger than `size` bytes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def assert_no_partial_files(path: Path) -> None:
    assert not list(path.rglob(f"{PARTIAL_PREFIX}*"))
    for folder in (path / "generator", *(path / "checkpoints").glob("step-*")):
        assert not folder.exists() or integrity_error(folder) is None
    for file in path.rglob("*.jsonl"):
        read_lines(file)
    if (path / "run.json").exists():
        RunDir(path).read_run()


@pytest.mark.parametrize("size", [0, 200, 1300, 3000, 12_000, 24_000])
def test_train_with_file_size_limit(tmp_path, completed_run, size):
    run = tiny_run()
    with limit_file_size(size), raises_input_error(None, tmp_path, "File too large"):
        train_tiny(run, tmp_path / "r", seeds=3)
    assert_no_partial_files(tmp_path / "r")
    assert train_tiny(run, tmp_path / "r", seeds=3).outcome == "finished"
    assert_same_run(tmp_path / "r", completed_run(run, 3))


@pytest.mark.parametrize("calls", [0, 1, 2, 4, 8, 16, 24])
def test_train_on_full_disk(tmp_path, completed_run, monkeypatch, calls):
    run, sync, left = tiny_run(), os.fsync, iter(range(calls))

    def fsync(handle: int) -> None:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with raises_input_error(None, tmp_path, "No space left on device"):
            train_tiny(run, tmp_path / "r")
    assert_no_partial_files(tmp_path / "r")
    assert train_tiny(run, tmp_path / "r").outcome == "finished"
    assert_same_run(tmp_path / "r", completed_run(run))
