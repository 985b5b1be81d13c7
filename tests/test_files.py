"""Files exist whole or not at all; files of lines grow by whole lines."""

import json
import os
import re
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iidgan.errors import InputError
from iidgan.utils.files import (
    MANIFEST,
    PARTIAL,
    damage,
    digest,
    explained,
    remove_folder,
    set_aside,
    sweep,
    write,
    write_folder,
    write_text,
)
from iidgan.utils.jsonl import append_lines, keep_lines, read_lines
from iidgan.utils.locks import in_turn, locked


def names(folder):
    return sorted(path.name for path in folder.iterdir())


class Interruption(BaseException):
    """Passes through `except Exception`, as a signal does."""


def half(temporary):
    """Writes something, then is interrupted."""
    target = temporary / "a" if temporary.is_dir() else temporary
    target.write_text("half")
    raise Interruption


def full(temporary):
    raise OSError(28, "No space left on device", str(temporary))


class TestWrite:
    def test_writes_and_replaces(self, tmp_path):
        path = tmp_path / "deep" / "er" / "a.txt"
        for text in ("old", "new"):
            write_text(path, text)
            assert path.read_text() == text
        assert names(path.parent) == ["a.txt"]
        assert path.stat().st_mode & 0o777 == 0o644

    def test_keeps_the_suffix_while_writing(self, tmp_path):
        """Some libraries append one where it lacks."""
        seen = []
        write(tmp_path / "a.npz", lambda place: (seen.append(place.name), place.touch()))
        assert seen[0].startswith(PARTIAL)
        assert seen[0].endswith(".npz")

    @pytest.mark.parametrize("fill", [half, full])
    def test_an_interruption_leaves_the_old_file_alone(self, tmp_path, fill):
        path = tmp_path / "a.txt"
        write_text(path, "old")
        with pytest.raises((Interruption, InputError)):
            write(path, fill)
        assert path.read_text() == "old"
        assert names(tmp_path) == ["a.txt"]

    def test_a_refusal_is_one_line_that_names_the_place(self, tmp_path):
        (tmp_path / "file").touch()
        for path in (tmp_path / "file" / "a", tmp_path / "file" / "b" / "a"):
            with pytest.raises(InputError, match=f"^{tmp_path}/file.*: ") as raised:
                write_text(path, "x")
            assert "\n" not in str(raised.value)
        with pytest.raises(InputError, match=r": No space left on device$"):
            write(tmp_path / "a", full)


def two_files(folder):
    (folder / "a").write_text("one")
    (folder / "b").write_bytes(bytes(range(256)))


class TestFolder:
    def test_writes_files_and_their_digests(self, tmp_path):
        path = tmp_path / "deep" / "made"
        write_folder(path, two_files)
        assert names(path) == [MANIFEST, "a", "b"]
        digests = json.loads((path / MANIFEST).read_text())
        assert digests == {name: digest(path / name) for name in "ab"}
        assert damage(path) is None
        assert names(path.parent) == ["made"]
        assert path.stat().st_mode & 0o777 == 0o755

    def test_digest_is_sha256(self, tmp_path):
        (tmp_path / "a").write_text("abc")
        assert digest(tmp_path / "a").startswith(
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9c"
        )

    def test_replaces_all_of_an_older_one(self, tmp_path):
        path = tmp_path / "made"
        write_folder(path, two_files)
        write_folder(path, lambda place: (place / "c").write_text("three"))
        assert names(path) == [MANIFEST, "c"]
        assert damage(path) is None

    @pytest.mark.parametrize("fill", [half, full])
    def test_an_interruption_leaves_the_old_folder_alone(self, tmp_path, fill):
        path = tmp_path / "made"
        write_folder(path, two_files)
        with pytest.raises((Interruption, InputError)):
            write_folder(path, fill)
        assert damage(path) is None
        assert names(path) == [MANIFEST, "a", "b"]
        assert names(tmp_path) == ["made"]

    @pytest.mark.parametrize(
        ("harm", "reason"),
        [
            (lambda path: (path / "a").write_text("on"), "a does not match its digest"),
            (lambda path: (path / "a").write_text("onE"), "a does not match its digest"),
            (lambda path: (path / "b").unlink(), "FileNotFoundError: .*b"),
            (lambda path: (path / MANIFEST).unlink(), "FileNotFoundError: .*MANIFEST.json"),
            (lambda path: (path / MANIFEST).write_text("{"), "JSONDecodeError"),
            (lambda path: (path / MANIFEST).write_text("[]"), "AttributeError"),
            (lambda path: (path / MANIFEST).write_bytes(b"\xff"), "UnicodeDecodeError"),
            (remove_folder, "FileNotFoundError"),
        ],
    )
    def test_every_kind_of_damage_is_found(self, tmp_path, harm, reason):
        path = tmp_path / "made"
        write_folder(path, two_files)
        harm(path)
        assert re.search(reason, damage(path) or "none")

    @settings(max_examples=30, deadline=None)
    @given(position=st.integers(0, 255), bit=st.integers(0, 7))
    def test_every_flipped_bit_is_found(self, tmp_path_factory, position, bit):
        path = tmp_path_factory.mktemp("flip") / "made"
        write_folder(path, two_files)
        content = bytearray((path / "b").read_bytes())
        content[position] ^= 1 << bit
        (path / "b").write_bytes(content)
        assert damage(path) == "b does not match its digest"

    def test_what_is_set_aside_keeps_its_content(self, tmp_path):
        for text in ("first", "second"):
            write_folder(
                tmp_path / "made", lambda place, text=text: (place / "a").write_text(text)
            )
            aside = set_aside(tmp_path / "made")
        assert names(tmp_path) == [aside.name] == ["damaged-made"]
        assert (aside / "a").read_text() == "second"

    def test_removes_a_folder(self, tmp_path):
        write_folder(tmp_path / "made", two_files)
        remove_folder(tmp_path / "made")
        assert names(tmp_path) == []


def test_sweep_removes_what_a_crash_left_and_nothing_else(tmp_path):
    (tmp_path / f"{PARTIAL}step-1-x").mkdir()
    (tmp_path / f"{PARTIAL}step-1-x" / "state").touch()
    (tmp_path / f"{PARTIAL}log-y.jsonl").touch()
    for kept in ("step-1", ".hidden-by-the-user", "partial-z"):
        (tmp_path / kept).mkdir()
    sweep(tmp_path)
    assert names(tmp_path) == [".hidden-by-the-user", "partial-z", "step-1"]
    sweep(tmp_path / "nowhere")


RECORDS = st.lists(
    st.dictionaries(st.text(), st.none() | st.integers() | st.floats(allow_nan=False) | st.text())
)


class TestLines:
    @settings(max_examples=40, deadline=None)
    @given(first=RECORDS, second=RECORDS)
    def test_what_is_appended_is_read(self, tmp_path_factory, first, second):
        path = tmp_path_factory.mktemp("lines") / "log.jsonl"
        append_lines(path, first)
        append_lines(path, second)
        assert read_lines(path) == first + second

    @settings(max_examples=40, deadline=None)
    @given(cut=st.integers(1, 60))
    def test_a_torn_line_does_not_count_and_is_cut_off(self, tmp_path_factory, cut):
        """Wherever a crash tore the file, whole lines stay and new ones follow."""
        path = tmp_path_factory.mktemp("torn") / "log.jsonl"
        records = [{"step": step, "text": "a\nb"} for step in range(3)]
        append_lines(path, records)
        content = path.read_bytes()[:-cut]
        path.write_bytes(content)
        whole = records[: content.count(b"\n")]
        assert read_lines(path) == whole
        append_lines(path, [{"step": 9}])
        assert read_lines(path) == [*whole, {"step": 9}]

    def test_no_file_and_empty_files_have_no_lines(self, tmp_path):
        assert read_lines(tmp_path / "log.jsonl") == []
        append_lines(tmp_path / "log.jsonl", [])
        assert read_lines(tmp_path / "log.jsonl") == []

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            (b'{"step": 2', "line 2 is not JSON"),
            (b"\xff", "line 2 is not JSON"),
            (b"", "line 2 is not JSON"),
            (b"3", "line 2 is no JSON object"),
        ],
    )
    def test_a_whole_line_that_is_wrong_is_named(self, tmp_path, line, problem):
        path = tmp_path / "log.jsonl"
        path.write_bytes(b'{"step": 1}\n' + line + b'\n{"step": 3}\n')
        with pytest.raises(InputError, match=f"{path}: {problem}"):
            read_lines(path)

    def test_keeps_the_lines_that_are_to_be_kept(self, tmp_path):
        path = tmp_path / "log.jsonl"
        append_lines(path, [{"step": step} for step in range(5)])
        keep_lines(path, lambda record: record["step"] <= 2)
        assert [record["step"] for record in read_lines(path)] == [0, 1, 2]
        before = path.stat().st_ino
        keep_lines(path, lambda record: True)
        assert path.stat().st_ino == before
        keep_lines(tmp_path / "nowhere", lambda record: True)
        assert names(tmp_path) == ["log.jsonl"]


def test_explained_passes_other_errors_on():
    with pytest.raises(KeyError), explained(Path("a")):
        raise KeyError
    with pytest.raises(InputError, match=r"^a: odd$"), explained(Path("a")):
        raise OSError("odd")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Permission denied"):
        write_text(tmp_path / "a", "x")


def test_a_locked_folder_keeps_a_second_user_away(tmp_path):
    taken = pytest.raises(InputError, match="in use by another process")
    with locked(tmp_path), taken, locked(tmp_path):
        pass
    with locked(tmp_path):
        assert os.listdir(tmp_path) == []


def test_whoever_comes_second_waits(tmp_path):
    path, order = tmp_path / "turn.lock", []

    def second():
        with in_turn(path):
            order.append("second")

    with in_turn(path):
        other = threading.Thread(target=second)
        other.start()
        other.join(0.2)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    assert path.read_bytes() == b""
    with pytest.raises(InputError, match="nowhere"), in_turn(tmp_path / "nowhere" / "turn.lock"):
        pass
