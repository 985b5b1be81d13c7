"""Files and folders exist completely or not at all."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import BadZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iidgan.errors import InputError
from iidgan.utils import files
from iidgan.utils.files import (
    DIGESTS_FILE,
    MAX_PARTIAL_SECONDS,
    PARTIAL_PREFIX,
    add_to_folder,
    damage_as_input_error,
    file_sha256,
    integrity_error,
    is_plain_name,
    open_regular_file,
    oserror_as_input_error,
    quarantine,
    read_regular_file,
    remove_folder,
    remove_partials,
    require_regular_file,
    write_file,
    write_folder,
    write_text,
)
from tests.helpers.errors import raises_input_error


def list_names(folder):
    return sorted(path.name for path in folder.iterdir())


class Interruption(BaseException):
    """Passes through `except Exception`, as a signal does."""


def write_half(temporary_path):
    """Write something, then be interrupted."""
    target = temporary_path / "a" if temporary_path.is_dir() else temporary_path
    target.write_text("half")
    raise Interruption


def write_whole(temporary_path):
    target = temporary_path / "a" if temporary_path.is_dir() else temporary_path
    target.write_text("whole")


def fail_interrupted(*_):
    raise Interruption


def fail_on_full_disk(temporary_path):
    raise OSError(28, "No space left on device", str(temporary_path))


def write_two_files(folder):
    (folder / "a").write_text("one")
    (folder / "b").write_bytes(bytes(range(256)))


class TestWriteFile:
    def test_write_text_replaces_file(self, tmp_path):
        path = tmp_path / "deep" / "er" / "a.txt"
        for text in ("old", "new"):
            write_text(path, text)
            assert path.read_text() == text
        assert list_names(path.parent) == ["a.txt"]
        assert path.stat().st_mode & 0o777 == 0o644

    def test_write_file_keeps_suffix(self, tmp_path):
        """Some libraries append a missing suffix."""
        names = []
        write_file(tmp_path / "a.npz", lambda path: (names.append(path.name), path.touch()))
        assert names[0].startswith(PARTIAL_PREFIX)
        assert names[0].endswith(".npz")

    @pytest.mark.parametrize("write_content", [write_half, fail_on_full_disk])
    def test_write_file_interrupted_keeps_old(self, tmp_path, write_content):
        path = tmp_path / "a.txt"
        write_text(path, "old")
        with pytest.raises((Interruption, InputError)):
            write_file(path, write_content)
        assert path.read_text() == "old"
        assert list_names(tmp_path) == ["a.txt"]

    def test_write_file_names_path_in_errors(self, tmp_path):
        (tmp_path / "file").touch()
        for path in (tmp_path / "file" / "a", tmp_path / "file" / "b" / "a"):
            with raises_input_error() as caught:
                write_text(path, "x")
            assert caught.value.field.startswith(f"{tmp_path}/file")
        with raises_input_error(None, "No space left on device"):
            write_file(tmp_path / "a", fail_on_full_disk)


class TestWriteFolder:
    def test_write_folder_adds_digests(self, tmp_path):
        path = tmp_path / "deep" / "made"
        write_folder(path, write_two_files)
        assert list_names(path) == [DIGESTS_FILE, "a", "b"]
        digests = json.loads((path / DIGESTS_FILE).read_text())
        assert digests == {name: file_sha256(path / name) for name in "ab"}
        assert integrity_error(path) is None
        assert list_names(path.parent) == ["made"]
        assert path.stat().st_mode & 0o777 == 0o755

    def test_file_sha256_of_known_text(self, tmp_path):
        (tmp_path / "a").write_text("abc")
        assert file_sha256(tmp_path / "a").startswith(
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9c"
        )

    def test_write_folder_replaces_all(self, tmp_path):
        path = tmp_path / "made"
        write_folder(path, write_two_files)
        write_folder(path, lambda folder: (folder / "c").write_text("three"))
        assert list_names(path) == [DIGESTS_FILE, "c"]
        assert integrity_error(path) is None

    @pytest.mark.parametrize("write_content", [write_half, fail_on_full_disk])
    def test_write_folder_interrupted_keeps_old(self, tmp_path, write_content):
        path = tmp_path / "made"
        write_folder(path, write_two_files)
        with pytest.raises((Interruption, InputError)):
            write_folder(path, write_content)
        assert integrity_error(path) is None
        assert list_names(path) == [DIGESTS_FILE, "a", "b"]
        assert list_names(tmp_path) == ["made"]

    @pytest.mark.parametrize(
        ("damage", "reason"),
        [
            (lambda path: (path / "a").write_text("on"), "a does not match its digest"),
            (lambda path: (path / "a").write_text("onE"), "a does not match its digest"),
            (lambda path: (path / "b").unlink(), "FileNotFoundError: .*b"),
            (lambda path: (path / DIGESTS_FILE).unlink(), "FileNotFoundError: .*MANIFEST.json"),
            (lambda path: (path / DIGESTS_FILE).write_text("{"), "JSONDecodeError"),
            (lambda path: (path / DIGESTS_FILE).write_text("[]"), "AttributeError"),
            (lambda path: (path / DIGESTS_FILE).write_bytes(b"\xff"), "UnicodeDecodeError"),
            (remove_folder, "FileNotFoundError"),
        ],
    )
    def test_integrity_error_finds_damage(self, tmp_path, damage, reason):
        path = tmp_path / "made"
        write_folder(path, write_two_files)
        damage(path)
        assert re.search(reason, integrity_error(path) or "none")

    @pytest.mark.parametrize(
        ("digests", "reason"),
        [
            ({}, "expected a, b, got nothing"),
            ({"a": ""}, "expected a, b, got a"),
            ({"a": "", "b": "", "c": ""}, "expected a, b, got a, b, c"),
            ({"a": "", "../b": ""}, "'../b' is not the name of a file in this folder"),
            ({"a": "", "/dev/zero": ""}, "'/dev/zero' is not the name of a file in this folder"),
        ],
    )
    def test_integrity_error_requires_names(self, tmp_path, digests, reason):
        write_folder(tmp_path / "x", write_two_files)
        assert integrity_error(tmp_path / "x", ("b", "a")) is None
        (tmp_path / "x" / DIGESTS_FILE).write_text(json.dumps(digests))
        assert reason in integrity_error(tmp_path / "x", ("b", "a"))

    def test_integrity_error_with_pattern(self, tmp_path):
        write_folder(tmp_path / "x", write_two_files)
        assert integrity_error(tmp_path / "x", re.compile("[ab]")) is None
        assert "unexpected 'b'" in integrity_error(tmp_path / "x", re.compile("a"))

    @pytest.mark.parametrize("interrupted", ["write_file", "write_text"])
    def test_add_to_folder(self, tmp_path, monkeypatch, interrupted):
        """A file that a crash left unlisted is no damage, and is replaced."""
        folder = tmp_path / "x"
        add_to_folder(folder, "a", b"one")
        add_to_folder(folder, "b", b"two")
        assert list_names(folder) == [DIGESTS_FILE, "a", "b"]
        with monkeypatch.context() as patch:
            patch.setattr(files, interrupted, fail_interrupted)
            with pytest.raises(Interruption):
                add_to_folder(folder, "c", b"three")
        assert integrity_error(folder, ("a", "b")) is None
        add_to_folder(folder, "c", b"three")
        assert integrity_error(folder, ("a", "b", "c")) is None
        assert (folder / "c").read_bytes() == b"three"

    def test_integrity_error_of_nested_digests(self, tmp_path):
        (tmp_path / DIGESTS_FILE).write_text("[" * 100_000)
        assert integrity_error(tmp_path).startswith("RecursionError")

    @settings(max_examples=30, deadline=None)
    @given(position=st.integers(0, 255), bit=st.integers(0, 7))
    def test_integrity_error_finds_flipped_bit(self, tmp_path_factory, position, bit):
        path = tmp_path_factory.mktemp("flip") / "made"
        write_folder(path, write_two_files)
        content = bytearray((path / "b").read_bytes())
        content[position] ^= 1 << bit
        (path / "b").write_bytes(content)
        assert integrity_error(path) == "b does not match its digest"

    def test_integrity_error_without_permission(self, tmp_path, monkeypatch):
        """What may not be read is not damaged."""
        path = tmp_path / "made"
        write_folder(path, write_two_files)

        def refuse(*args, **kwargs):
            raise PermissionError(13, "Permission denied", str(path / "a"))

        monkeypatch.setattr("iidgan.utils.files.file_sha256", refuse)
        with raises_input_error(str(path / "a"), "Permission denied"):
            integrity_error(path)

    def test_quarantine_keeps_last_content(self, tmp_path):
        for text in ("first", "second"):
            write_folder(
                tmp_path / "made", lambda folder, text=text: (folder / "a").write_text(text)
            )
            damaged_path = quarantine(tmp_path / "made")
        assert list_names(tmp_path) == [damaged_path.name] == ["damaged-made"]
        assert (damaged_path / "a").read_text() == "second"

    def test_remove_folder_leaves_nothing(self, tmp_path):
        write_folder(tmp_path / "made", write_two_files)
        remove_folder(tmp_path / "made")
        assert list_names(tmp_path) == []


@pytest.mark.parametrize(
    ("create", "kind"),
    [
        (os.mkfifo, "a named pipe"),
        (os.mkdir, "a folder"),
        (lambda path: path.symlink_to("/dev/zero"), "a device"),
        (lambda path: path.symlink_to("."), "a folder"),
        (lambda path: bind_socket(path), "a socket"),
    ],
)
@pytest.mark.parametrize("read", [require_regular_file, open_regular_file, read_regular_file])
def test_read_regular_file_refuses(tmp_path, create, kind, read):
    create(tmp_path / "x")
    expected = f"expected a regular file, got {kind}"
    with raises_input_error(str(tmp_path / "x"), expected), oserror_as_input_error(tmp_path):
        read(tmp_path / "x")


def bind_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def test_read_regular_file_follows_links(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "b").symlink_to("a")
    assert read_regular_file(tmp_path / "b") == b"content"
    with pytest.raises(FileNotFoundError):
        read_regular_file(tmp_path / "c")


@pytest.mark.parametrize("name", ["a", "images.npy", ".hidden", "a b", "..a"])
def test_is_plain_name(name):
    assert is_plain_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", "/a", "a/b", "../a", "a/", "a\\b", "C:a", "C:"])
def test_is_no_plain_name(name):
    assert not is_plain_name(name)


def test_remove_partials_keeps_other_files(tmp_path):
    (tmp_path / f"{PARTIAL_PREFIX}step-1-x").mkdir()
    (tmp_path / f"{PARTIAL_PREFIX}step-1-x" / "state").touch()
    (tmp_path / f"{PARTIAL_PREFIX}log-y.jsonl").touch()
    for name in ("step-1", ".hidden-by-the-user", "partial-z"):
        (tmp_path / name).mkdir()
    remove_partials(tmp_path)
    assert list_names(tmp_path) == [".hidden-by-the-user", "partial-z", "step-1"]
    remove_partials(tmp_path / "nowhere")


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_remove_partials_keeps_what_is_written(tmp_path, write):
    def sweep_and_write(partial_path):
        remove_partials(tmp_path)
        assert partial_path.exists()
        write_whole(partial_path)

    write(tmp_path / "made", sweep_and_write)
    assert list_names(tmp_path) == ["made"]


WRITE_AND_WAIT = """
import sys, time
from pathlib import Path
from iidgan.utils import files

def wait(path):
    print(path.name, flush=True)
    time.sleep(60)

getattr(files, sys.argv[2])(Path(sys.argv[1]) / "picture.png", wait)
"""


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_remove_partials_of_killed_process(tmp_path, write):
    command = [sys.executable, "-c", WRITE_AND_WAIT, tmp_path, write.__name__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        name = writer.stdout.readline().strip()
        remove_partials(tmp_path)
        assert list_names(tmp_path) == [name]
        writer.send_signal(signal.SIGKILL)
    assert list_names(tmp_path) == [name]
    write_text(tmp_path / "other.png", "")
    assert list_names(tmp_path) == [name, "other.png"]
    kept = shutil.copytree(tmp_path, tmp_path / "copy")
    write(tmp_path / "picture.png", write_whole)  # writing the same name again removes it
    assert list_names(tmp_path) == ["copy", "other.png", "picture.png"]
    remove_partials(kept)
    assert list_names(kept) == ["other.png"]


def test_remove_partials_without_locks_by_age(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("iidgan.utils.files.lock_descriptor", refuse)
    for name, seconds in (("old", MAX_PARTIAL_SECONDS + 60), ("new", 60)):
        path = tmp_path / f"{PARTIAL_PREFIX}{name}"
        path.touch()
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - seconds))
    remove_partials(tmp_path)
    assert list_names(tmp_path) == [f"{PARTIAL_PREFIX}new"]
    write_text(tmp_path / "a", "x")
    write_folder(tmp_path / "made", write_two_files)
    assert list_names(tmp_path) == [f"{PARTIAL_PREFIX}new", "a", "made"]


def test_write_file_after_partial_was_removed(tmp_path, monkeypatch):
    """Another process may take it for a crash's before it is locked."""
    created, create = [], tempfile.mkstemp

    def create_and_remove(*arguments):
        handle, name = create(*arguments)
        created.append(name)
        if len(created) < 3:
            os.unlink(name)
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", create_and_remove)
    write_text(tmp_path / "a", "x")
    assert len(created) == 3
    assert list_names(tmp_path) == ["a"]


def test_oserror_as_input_error_passes_others():
    with pytest.raises(KeyError), oserror_as_input_error(Path("a")):
        raise KeyError
    with raises_input_error("a", "odd"), oserror_as_input_error(Path("a")):
        raise OSError("odd")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_write_text_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with raises_input_error(None, "Permission denied"):
        write_text(tmp_path / "a", "x")


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_write_syncs_before_and_after_rename(tmp_path, monkeypatch, write):
    synced, operations = set[int](), list[str]()
    fsync, rename = os.fsync, os.replace

    def watched_fsync(handle: int) -> None:
        fsync(handle)
        synced.add(os.fstat(handle).st_ino)
        operations.append("fsync")

    def watched_replace(source: Path, target: Path) -> None:
        parts = [Path(source), *Path(source).rglob("*")]
        assert {part.stat().st_ino for part in parts} <= synced
        synced.clear()
        rename(source, target)
        operations.append("rename")

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    write(tmp_path / "x", lambda p: (p / "a" if p.is_dir() else p).write_text("content"))
    assert operations[-2:] == ["rename", "fsync"]
    assert synced == {tmp_path.stat().st_ino}


ERRORS = {
    "key": (KeyError("run"), "damaged, or of another version (KeyError: 'run')"),
    "nested": (RecursionError(), "damaged, or of another version (RecursionError)"),
    "several lines": (
        RuntimeError("a\n\tb"),
        "damaged, or of another version (RuntimeError: a b)",
    ),
    "own": (InputError("Run: unknown 'x'"), "damaged, or of another version (Run: unknown 'x')"),
    "seek": (OSError(22, "Invalid argument"), "damaged, or of another version"),
    "archive": (BadZipFile("not a zip file"), "damaged, or of another version"),
    "permission": (PermissionError(13, "Permission denied"), "Permission denied"),
    "device": (OSError(5, "Input/output error"), "Input/output error"),
}


@pytest.mark.parametrize(("error", "text"), ERRORS.values(), ids=ERRORS)
def test_damage_as_input_error(tmp_path, error, text):
    path = tmp_path / "x"
    with raises_input_error(str(path), f"{path}: {text}"), damage_as_input_error(path):
        raise error


def test_damage_as_input_error_names_advice(tmp_path):
    with raises_input_error(None, "; train again"), damage_as_input_error(tmp_path, "train again"):
        raise KeyError


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("out of memory"), SystemExit()])
def test_damage_as_input_error_passes_others(tmp_path, error):
    with pytest.raises(type(error)), damage_as_input_error(tmp_path):
        raise error


def test_damage_as_input_error_keeps_lines_on_the_file(tmp_path):
    with raises_input_error(str(tmp_path)) as caught, damage_as_input_error(tmp_path):
        raise InputError(f"{tmp_path}: version 9 is newer")
    assert str(caught.value) == f"{tmp_path}: version 9 is newer"
