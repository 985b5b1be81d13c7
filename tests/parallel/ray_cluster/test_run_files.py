"""Run folders in pieces: what arrives equals what was sent, and half of it changes nothing."""

import os

import pytest

from iidgan.parallel.ray_cluster import run_files
from iidgan.parallel.ray_cluster.messages import FilePiece, FolderState
from iidgan.parallel.ray_cluster.run_files import (
    FolderReceiver,
    FolderSender,
    list_files,
    refer_to_files,
    write_files,
)


@pytest.fixture
def folders(tmp_path):
    """The folder of a task and that of the driver, both empty."""
    paths = tmp_path / "task", tmp_path / "driver"
    for path in paths:
        path.mkdir()
    return paths


def write(folder, **contents):
    for name, content in contents.items():
        path = folder / name.replace("_", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def read(folder):
    return {name: path.read_bytes() for (_, name), path in list_files([folder]).items()}


def test_changes_arrive(folders, monkeypatch):
    """Files of several pieces, empty files, changed ones, and the removal of others."""
    monkeypatch.setattr(run_files, "PIECE_BYTES", 4)
    task, driver = folders
    receiver = FolderReceiver([driver])
    sender = FolderSender([task], receiver.receive)
    write(task, state=b"0123456789", empty=b"", a_old=b"old")
    sender.send_saved()
    assert read(driver) == {"state": b"0123456789", "empty": b"", "a/old": b"old"}
    write(task, state=b"abc", b_new=b"new")
    (task / "a/old").unlink()
    sender.send_saved()
    assert read(driver) == {"state": b"abc", "empty": b"", "b/new": b"new"}
    assert not (driver / "a").exists()


def test_unfinished_files_and_locks_stay(folders):
    task, driver = folders
    sender = FolderSender([task], FolderReceiver([driver]).receive)
    write(driver, **{".lock": b"driver"})
    write(task, **{".lock": b"task", ".lock-0": b"", ".partial-x": b"half", "state": b"1"})
    sender.send_all()
    assert read(driver) == {"state": b"1"}
    assert (driver / ".lock").read_bytes() == b"driver"


def test_logs_alone_are_not_sent_before_the_end(folders):
    task, driver = folders
    sender = FolderSender([task], FolderReceiver([driver]).receive)
    write(task, **{"log.jsonl": b"1\n"})
    sender.send_saved()
    assert read(driver) == {}
    sender.send_all()
    assert read(driver) == {"log.jsonl": b"1\n"}


def test_unchanged_files_are_sent_once(folders):
    task, _ = folders
    sent = []
    sender = FolderSender([task], sent.append)
    write(task, state=b"1")
    sender.send_all()
    sender.send_all()
    keys = frozenset({(0, "state")})
    assert sent == [FilePiece(0, "state", b"1"), FolderState(keys), FolderState(keys)]


def test_pieces_of_a_task_that_died_change_nothing(folders):
    _, driver = folders
    write(driver, state=b"before")
    receiver = FolderReceiver([driver])
    receiver.receive(FilePiece(0, "state", b"half of"))
    assert read(driver) == {"state": b"before"}
    receiver.discard()
    receiver.receive(FilePiece(0, "state", b"after"))
    receiver.receive(FolderState(frozenset({(0, "state")})))
    assert read(driver) == {"state": b"after"}


def test_logs_are_replaced_first_and_manifests_last(folders, monkeypatch):
    _, driver = folders
    receiver, replaced = FolderReceiver([driver]), []
    names = [run_files.DIGESTS_FILE, "state", "log.jsonl"]
    for name in names:
        receiver.receive(FilePiece(0, name, b"1"))
    monkeypatch.setattr(
        run_files.os, "replace", lambda path, target: replaced.append(os.path.basename(target))
    )
    receiver.receive(FolderState(frozenset((0, name) for name in names)))
    assert replaced == ["log.jsonl", "state", run_files.DIGESTS_FILE]


def test_driver_sends_files_of_each_run(tmp_path, monkeypatch):
    monkeypatch.setattr(run_files, "PIECE_BYTES", 4)
    sources = [tmp_path / "a", tmp_path / "b"]
    targets = [tmp_path / "c", tmp_path / "d"]
    for source, content in zip(sources, (b"0123456789", b"")):
        source.mkdir()
        write(source, x_state=content)
    stored = []
    files = refer_to_files(sources, lambda piece: stored.append(piece) or len(stored) - 1)
    write_files(targets, files, stored.__getitem__)
    assert [read(target) for target in targets] == [read(source) for source in sources]
    assert max(map(len, stored)) == 4
