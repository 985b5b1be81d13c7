"""`iidgan prepare` as a user meets it, and training on what it made."""

import json

import pytest

from iidgan.cli import main
from tests.helpers.images import encoded, pixels, put


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))
    files = {f"{'ab'[i % 2]}/{i:02}.png": encoded(image) for i, image in enumerate(pixels(40))}
    put(tmp_path / "faces", files)
    return tmp_path


def told(capsys, *arguments, code=0):
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return captured.err if code else captured.out


def test_one_report_and_then_nothing_to_do(here, capsys):
    put(here / "faces", {"a/bad.png": b"no", "b/bad.png": b"", "b/worse.png": b"neither"})
    out = told(capsys, "prepare", "faces", "--from", "faces", "--size", "8")
    assert "faces: 40 images of 3 x 8 x 8, 2 labels, in " in out
    assert "  labels: a, b\n" in out
    assert "left out: 3 of 43 (skipped.csv names them)" in out
    assert "2 x no image of a known format, such as a/bad.png\n" in out
    assert "1 x empty file, such as b/bad.png\n" in out
    assert "Next: iidgan train faces" in out
    again = told(capsys, "prepare", "faces", "--from", "faces", "--size", "8")
    assert "faces: there already: 40 images" in again
    assert "left out: 3 of 43" in again


def test_many_labels_are_shortened(here, capsys):
    files = {f"name {i:03}/x.png": encoded(image) for i, image in enumerate(pixels(100))}
    out = told(capsys, "prepare", "many", "--from", str(put(here / "many", files)))
    (line,) = [
        line for line in out.splitlines() if line.startswith("  labels: name 000, name 001")
    ]
    assert line.endswith(" ...")
    assert len(line) < 120


@pytest.mark.parametrize("flag", [["--from", "a-classifier"], ["--from=a-classifier"]])
def test_only_the_name_says_that_a_classifier_is_meant(here, capsys, flag):
    (here / "faces").rename(here / "a-classifier")
    for arguments in (["lab", *flag], ["--strict", *flag, "again"]):
        assert "40 images" in told(capsys, "prepare", *arguments)
    error = told(capsys, "prepare", "--device", "cpu", "ring-classifier", code=2)
    assert "'ring' has no images" in error


def test_training_finds_the_set_in_its_usual_place_and_elsewhere(here, capsys):
    options = ["--steps", "2", "--batch", "8", "--arch.width", "4", "--method", "gan"]
    for root in ([], ["--root", "other place"]):
        out = told(capsys, "prepare", "faces", "--from", "faces", "--size", "8", *root)
        assert ("--root 'other place'" in out) == bool(root)
        assert "is done" in told(capsys, "train", "faces", *options, *root, "--source.flip")
    (folder,) = (here / "runs").iterdir()  # the same run, wherever the set lies
    assert folder.name.startswith("faces-gan-")
    source = json.loads((folder / "run.json").read_text())["run"]["source"]
    assert (source["name"], source["flip"]) == ("faces", True)


def test_a_set_with_a_slash_in_its_name_trains(here, capsys):
    told(capsys, "prepare", "me/faces", "--from", "faces", "--size", "8")
    options = ["--steps", "1", "--batch", "8", "--arch.width", "4", "--method", "gan"]
    assert "runs/faces-gan-" in told(capsys, "train", "me/faces", *options)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["prepare"], ["iidgan prepare", "required"]),
        (["prepare", "x"], ["from", "missing", "--from"]),
        (["prepare", "x", "--from", "nowhere"], ["from", "nowhere", "does not exist"]),
        (["prepare", "x", "--form", "faces"], ["--form"]),
        (["prepare", "x", "--from", "faces", "--size", "big"], ["--size: 'big' is not a"]),
        (["prepare", "x", "--from", "faces", "--size", "3"], ["size", "3", "nearest: 4"]),
        (["prepare", "x", "--from", "faces", "--root", "file"], ["file", "Not a directory"]),
        (["prepare", "ring", "--from", "faces"], ["'ring'", "choose another name"]),
        (["prepare", "a.npy", "--from", "faces"], ["a.npy", "choose another name"]),
        (["prepare", "cifar10"], ["cifar10", "cifar-10-python.tar.gz", "--from hub"]),
        (["prepare", "cifar10", "--from", "faces"], ["faces", "data_batch_1"]),
        (["train", "cifar10"], ["'cifar10'", "iidgan prepare cifar10"]),
        (["train", "faces"], ["'faces'", "iidgan prepare NAME --from PATH"]),
        (["train", "prepared"], ["'prepared'", "name"]),
    ],
)
def test_bad_input_is_one_line_on_standard_error(here, capsys, arguments, words):
    (here / "file").write_text("x")
    error = told(capsys, *arguments, code=2)
    assert error.count("\n") == 1
    assert all(word in error for word in words), error


def test_strict_stops_at_the_first_bad_file(here, capsys):
    put(here / "faces", {"b/bad.png": b"no"})
    error = told(capsys, "prepare", "faces", "--from", "faces", "--strict", code=2)
    assert error == "iidgan: strict: b/bad.png: no image of a known format\n"
    assert not (here / "home" / "faces").exists()


def test_sets_can_be_cited(capsys):
    assert "Tiny Images" in told(capsys, "cite", "cifar10")
    assert "10.1109/5.726791" in told(capsys, "cite", "mnist")  # by its source, of the same name
    assert "10.21105/joss.00638" in told(capsys, "cite", "mnist-5k")
    assert "note = {Code noise and growing" in told(capsys, "cite", "iid-gan+")
    assert "note" not in told(capsys, "cite", "iid-gan")
    assert "is from no publication" in told(capsys, "cite", "prepared", code=2)


def test_the_list_has_the_sets(capsys):
    told(capsys, "prepare", "faces", "--from", "faces")
    out = told(capsys, "list", "sets")
    for words in ("cifar10", "stl10", "faces", "is prepared: iidgan train faces"):
        assert words in out
