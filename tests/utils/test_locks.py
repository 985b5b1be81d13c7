"""Locks: `exclusive_lock` refuses at once, `file_lock` waits."""

import os
import threading

import pytest

from iidgan.errors import FolderInUseError
from iidgan.utils.locks import exclusive_lock, file_lock
from tests.helpers.errors import raises_input_error


def test_exclusive_lock_refuses_second(tmp_path):
    refusal = raises_input_error("out", tmp_path, "in use")
    with exclusive_lock(tmp_path), refusal, exclusive_lock(tmp_path):
        pass
    with exclusive_lock(tmp_path), pytest.raises(FolderInUseError), exclusive_lock(tmp_path):
        pass
    with exclusive_lock(tmp_path):
        assert os.listdir(tmp_path) == []


def test_file_lock_waits_for_first(tmp_path):
    path, order = tmp_path / "turn.lock", []

    def lock_second():
        with file_lock(path):
            order.append("second")

    with file_lock(path):
        thread = threading.Thread(target=lock_second)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert path.read_bytes() == b""
    missing = tmp_path / "nowhere" / "turn.lock"
    with raises_input_error(str(missing)), file_lock(missing):
        pass
