"""Preparing a set: what is written, when, and what is left when it fails."""

import json
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace

import numpy as np
import pytest

from iidgan.data import Prepared
from iidgan.data.manifest import Manifest
from iidgan.data.prepare import prepare
from iidgan.data.prepare import prepare as job
from iidgan.errors import InputError
from iidgan.utils.locks import locked
from tests.helpers.images import arrays, encoded, pixels, put


@pytest.fixture(autouse=True)
def _home(monkeypatch, tmp_path):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))


@pytest.fixture
def faces(tmp_path):
    """A folder of two labels, six images of 8 pixels."""
    files = {f"{'ab'[i % 2]}/{i}.png": encoded(image) for i, image in enumerate(pixels(6))}
    return put(tmp_path / "faces", files)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_becomes_an_array_labels_and_a_manifest(faces, tmp_path):
    outcome = prepare("faces", origin=str(faces), size=8)
    images, labels = arrays(outcome)
    order = [0, 2, 4, 1, 3, 5]  # by name: folder a, then folder b
    assert np.array_equal(images, pixels(6)[order].transpose(0, 3, 1, 2))
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert labels.dtype == np.int64
    assert outcome.folder == tmp_path / "home" / "faces"
    assert names(outcome.folder) == ["images.npy", "labels.npy", "manifest.json"]
    facts = json.loads((outcome.folder / "manifest.json").read_text())
    assert (facts["count"], facts["shape"], facts["labels"]) == (6, [3, 8, 8], ["a", "b"])
    assert facts["label_counts"] == [3, 3]
    assert "centre crop" in facts["rule"]
    assert facts["rule"].endswith("transparent over white, the first frame, turned as EXIF says")
    for name in ("images.npy", "labels.npy"):
        content = (outcome.folder / name).read_bytes()
        assert facts["files"][name]["sha256"] == sha256(content).hexdigest()


def test_the_same_command_again_does_nothing(faces):
    first = prepare("faces", origin=str(faces), size=8)
    before = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    for again in ({"origin": str(faces), "size": 8}, {}):
        second = prepare("faces", **again)
        assert (first.fresh, second.fresh) == (True, False)
        assert second.manifest == first.manifest
    assert before == {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}


def test_files_that_have_changed_since_are_noticed(faces):
    asked = {"origin": str(faces), "size": 8}
    linked = put(faces.parent / "elsewhere", {"8.png": encoded(pixels(1)[0])})
    (faces / "a" / "linked").symlink_to(linked)
    first = prepare("faces", **asked)
    heard = []
    prepare("faces", **asked, news=heard.append)
    assert heard == []
    put(linked, {"9.png": encoded(pixels(1)[0])})
    second = prepare("faces", **asked, news=heard.append)
    assert second.manifest == first.manifest
    assert heard == [
        f"{first.folder}: what it was made from has changed since; "
        "remove manifest.json, images.npy, labels.npy, skipped.csv there to make it anew"
    ]
    moved = faces.rename(faces.with_name("moved"))  # what is gone is not what has changed
    prepare("faces", **asked, news=heard.append)
    assert len(heard) == 1
    moved.rename(faces)
    shutil.rmtree(first.folder)
    assert prepare("faces", **asked, news=heard.append).manifest.count == 8
    assert len(heard) == 1


def test_a_set_beside_what_it_was_made_from_is_no_change(faces):
    """The advice for a change names what may be removed: never what the user brought."""
    asked = {"origin": str(faces), "root": str(faces.parent), "size": 8}
    heard = []
    first = prepare("faces", **asked, news=heard.append)
    assert first.folder == faces
    assert not prepare("faces", **asked, news=heard.append).fresh
    assert heard == []
    with pytest.raises(
        InputError, match=r"remove manifest\.json, images\.npy, labels\.npy, skipped\.csv"
    ):
        prepare("faces", **asked | {"size": 16})


@pytest.mark.parametrize("name", ["images.npy", None])
def test_what_is_in_the_way_is_found_before_the_work_begins(faces, tmp_path, name, monkeypatch):
    monkeypatch.setattr(job, "_make", lambda *arguments: pytest.fail("began to work"))
    folder = tmp_path / "home" / "faces"
    put(tmp_path / "home", {f"faces/{name}" if name else "faces": b"mine"})
    message = "images.npy is there without a manifest" if name else "faces: is a file"
    with pytest.raises(InputError, match=message):
        prepare("faces", origin=str(faces))
    assert folder.exists()


def test_a_table_of_labels_that_has_changed_is_noticed(faces, tmp_path):
    table = put(tmp_path, {"l.csv": b"file,label\na/0.png,x\nb/1.png,y\n"}) / "l.csv"
    asked = {"origin": str(faces), "labels": str(table)}
    prepare("faces", **asked)
    heard = []
    table.write_bytes(b"file,label\na/0.png,x\nb/1.png,z\nb/3.png,x\n")
    prepare("faces", **asked, news=heard.append)
    assert len(heard) == 1


def test_another_command_for_the_same_name_is_refused(faces, tmp_path):
    prepare("faces", origin=str(faces))
    assert not prepare("faces", origin=str(faces), size=64).fresh  # the usual size
    with pytest.raises(InputError, match=r"asked for in another way \(size was 64, is 32\)"):
        prepare("faces", origin=str(faces), size=32)
    with pytest.raises(InputError, match=r"from was .*faces, is .*other"):
        prepare("faces", origin=str(tmp_path / "other"))


def test_an_error_leaves_nothing_behind(faces, tmp_path):
    put(faces, {"a/bad.png": b"no image"})
    with pytest.raises(InputError, match=r"strict: a/bad\.png: no image of a known format"):
        prepare("faces", origin=str(faces), strict=True)
    assert names(tmp_path / "home") == []


def test_what_a_crash_left_is_cleared_and_the_rest_is_done_anew(faces, tmp_path):
    left = put(tmp_path / "home" / ".partial-faces", {"images.npy": b"half", "junk": b"x"})
    outcome = prepare("faces", origin=str(faces), size=8)
    assert names(left.parent) == ["faces"]
    assert arrays(outcome)[0].shape == (6, 3, 8, 8)


def test_two_processes_do_not_make_one_set_at_once(faces, tmp_path):
    staging = tmp_path / "home" / ".partial-faces"
    staging.mkdir(parents=True)
    with locked(staging), pytest.raises(InputError, match="in use by another process"):
        prepare("faces", origin=str(faces))


def test_files_that_lie_under_the_name_are_left_there(faces, tmp_path):
    """IDX files of MNIST may lie where the prepared set is to go."""
    folder = put(tmp_path / "home" / "faces", {"train-images-idx3-ubyte": b"raw"})
    prepare("faces", origin=str(faces))
    assert (folder / "train-images-idx3-ubyte").read_bytes() == b"raw"
    assert Prepared(name="faces").load().shape == (3, 64, 64)


def test_an_unknown_array_under_the_name_is_not_overwritten(faces, tmp_path):
    folder = put(tmp_path / "home" / "faces", {"images.npy": b"mine"})
    with pytest.raises(InputError, match=r"images\.npy is there without a manifest"):
        prepare("faces", origin=str(faces))
    assert (folder / "images.npy").read_bytes() == b"mine"


def test_a_damaged_set_is_set_aside_and_made_anew(faces, tmp_path):
    folder = prepare("faces", origin=str(faces), size=8).folder
    content = bytearray((folder / "images.npy").read_bytes())
    content[-1] ^= 1
    (folder / "images.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"images\.npy is not what it was"):
        Prepared(name="faces").load()
    told = []
    assert prepare("faces", origin=str(faces), size=8, news=told.append).fresh
    assert "its files are now called damaged-" in told[0]
    assert (folder / "damaged-images.npy").read_bytes() == content
    Prepared(name="faces").load()


def test_a_damaged_set_says_with_which_command_it_was_made(faces, tmp_path):
    root = str(tmp_path / "other place")
    folder = prepare("faces", origin=str(faces), size=8, labels="none", root=root).folder
    (folder / "images.npy").unlink()
    again = f"`iidgan prepare faces --from {faces} --size 8 --labels none --root '{root}'` makes"
    with pytest.raises(InputError, match=re.escape(again)):
        Prepared(name="faces", root=root).load()
    made = replace(Manifest.read(folder), request={"name": "mnist", "split": "test"})
    assert made.command(str(tmp_path / "home")) == "iidgan prepare mnist --split test"


def test_a_damaged_manifest_is_set_aside_too(faces):
    folder = prepare("faces", origin=str(faces)).folder
    (folder / "manifest.json").write_text("{")
    assert prepare("faces", origin=str(faces)).fresh


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("../up", {}, "name: '../up' is no name"),
        ("a/b/c", {}, "name: 'a/b/c' is no name"),
        ("", {}, "name: '' is no name"),
        ("classifiers", {}, "name: 'classifiers' is where classifiers are kept; choose another"),
        ("classifiers/x", {}, "name: 'classifiers/x' is where classifiers are kept"),
        ("x", {}, "from: missing; name the files of x with --from PATH"),
        ("me/cats", {}, "--from PATH, or --from hub"),
        ("x", {"origin": "/no/such"}, "from: /no/such does not exist"),
        ("x", {"size": 0}, "size: 0 is not between 4 and 1024; nearest: 4"),
        ("x", {"size": 5000}, "nearest: 1024"),
        ("x", {"origin": "hub"}, "name: unknown 'x'; known: any id with a '/', .*mnist"),
        ("minst", {"origin": "hub"}, "name: unknown 'minst'; did you mean 'mnist'"),
        ("minst", {}, "from: missing; did you mean 'mnist'"),
        ("afhq-cat", {"origin": "hub"}, "from: the Hub has no afhq-cat; get afhq.zip of https"),
        ("mnist-5k", {"origin": "hub"}, r"no mnist-5k; get that package \(pip .* no --from$"),
        ("mnist", {"split": "tset"}, "split: unknown 'tset'; did you mean 'test'"),
        ("mnist", {"labels": "none"}, "labels: mnist has its own"),
        ("x", {"origin": "hub", "split": "../x"}, "split: '../x' is no name of a part"),
        ("celeba", {"origin": ".", "split": "test"}, "split: 'test'; celeba has no parts"),
    ],
)
def test_wrong_orders_are_refused(name, options, message):
    with pytest.raises(InputError, match=message):
        prepare(name, **options)


def test_a_disk_that_is_too_small_is_told_at_once(faces, monkeypatch):
    monkeypatch.setattr(job.shutil, "disk_usage", lambda place: SimpleNamespace(free=100))
    with pytest.raises(InputError, match=r"root: .* GiB are needed in .*, 0\.0 are free"):
        prepare("faces", origin=str(faces))


SLOW = """
import sys, time
from iidgan.data.prepare import job, prepare
convert = job.converted
def slowly(*arguments):
    for found in convert(*arguments):
        print("at work", flush=True)
        time.sleep(60)
        yield found
job.converted = slowly
prepare("faces", origin=sys.argv[1], size=8)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_preparation_leaves_nothing_under_the_name(faces, tmp_path, number):
    command = [sys.executable, "-c", SLOW, str(faces)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline() == b"at work\n"
        process.send_signal(number)
        process.wait(10)
    assert not (tmp_path / "home" / "faces").exists()
    assert prepare("faces", origin=str(faces), size=8).fresh
    assert names(tmp_path / "home") == ["faces"]
