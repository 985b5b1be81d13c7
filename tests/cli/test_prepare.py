"""`iidgan prepare`, and training on what it made."""

import json

import pytest

from tests.helpers.cli import run_main
from tests.helpers.images import encode_image, random_images, write_files


@pytest.fixture(autouse=True)
def work_dir(tmp_path, monkeypatch):
    """A working directory with 40 images in faces/a and faces/b, and a data folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))
    images = [encode_image(image) for image in random_images(40)]
    files = {f"{'ab'[i % 2]}/{i:02}.png": image for i, image in enumerate(images)}
    write_files(tmp_path / "faces", files)
    return tmp_path


def test_prepare_reports_once(work_dir, capsys):
    write_files(
        work_dir / "faces", {"a/bad.png": b"no", "b/bad.png": b"", "b/worse.png": b"neither"}
    )
    out = run_main(capsys, "prepare", "faces", "--from", "faces", "--size", "8")
    assert "faces: 40 images of 3 x 8 x 8, 2 labels, in " in out
    assert "  labels: a, b\n" in out
    assert "skipped: 3 of 43 files (listed in skipped.csv)" in out
    assert "2 x no image of a known format, such as a/bad.png\n" in out
    assert "1 x empty file, such as b/bad.png\n" in out
    assert "Next: iidgan train faces" in out
    again = run_main(capsys, "prepare", "faces", "--from", "faces", "--size", "8")
    assert "faces: already prepared: 40 images" in again
    assert "skipped: 3 of 43" in again


def test_prepare_shortens_labels(work_dir, capsys):
    images = [encode_image(image) for image in random_images(100)]
    files = {f"name {i:03}/x.png": image for i, image in enumerate(images)}
    out = run_main(capsys, "prepare", "many", "--from", str(write_files(work_dir / "many", files)))
    (line,) = [
        line for line in out.splitlines() if line.startswith("  labels: name 000, name 001")
    ]
    assert line.endswith(" ...")
    assert len(line) < 120


@pytest.mark.parametrize("flag", [["--from", "a-classifier"], ["--from=a-classifier"]])
def test_prepare_classifier_by_name(work_dir, capsys, flag):
    (work_dir / "faces").rename(work_dir / "a-classifier")
    for arguments in (["lab", *flag], ["--strict", *flag, "again"]):
        assert "40 images" in run_main(capsys, "prepare", *arguments)
    error = run_main(capsys, "prepare", "--device", "cpu", "ring-classifier", code=2)
    assert "'ring'" in error
    assert "images" in error


def test_train_finds_prepared_set(work_dir, capsys):
    options = ["--steps", "2", "--batch", "8", "--arch.width", "4", "--method", "gan"]
    for root in ([], ["--root", "other place"]):
        out = run_main(capsys, "prepare", "faces", "--from", "faces", "--size", "8", *root)
        assert ("--root 'other place'" in out) == bool(root)
        assert "is done" in run_main(capsys, "train", "faces", *options, *root, "--source.flip")
    (folder,) = (work_dir / "runs").iterdir()  # the same run, wherever the set lies
    assert folder.name.startswith("faces-gan-")
    source = json.loads((folder / "run.json").read_text())["run"]["source"]
    assert (source["name"], source["flip"]) == ("faces", True)


def test_train_set_with_slash(work_dir, capsys):
    run_main(capsys, "prepare", "me/faces", "--from", "faces", "--size", "8")
    options = ["--steps", "1", "--batch", "8", "--arch.width", "4", "--method", "gan"]
    assert "runs/faces-gan-" in run_main(capsys, "train", "me/faces", *options)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["prepare"], ["iidgan prepare", "NAME"]),
        (["prepare", "x"], ["from", "missing", "--from"]),
        (["prepare", "x", "--from", "nowhere"], ["from", "nowhere", "does not exist"]),
        (["prepare", "x", "--form", "faces"], ["--form"]),
        (["prepare", "x", "--from", "faces", "--size", "big"], ["--size: ", "'big'"]),
        (["prepare", "x", "--from", "faces", "--range", "0", "big"], ["--range: ", "big"]),
        (["prepare", "x", "--from", "faces", "--range", "0"], ["--range", "2"]),
        (["prepare", "x", "--from", "faces", "--size", "3"], ["size: ", "3", "4"]),
        (["prepare", "x", "--from", "faces", "--size", "8x3"], ["size: ", "3", "4"]),
        (["prepare", "x", "--from", "faces", "--size", "8x9x9"], ["--size: ", "'8x9x9'", "48x64"]),
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
def test_prepare_refuses_bad_input(work_dir, capsys, arguments, words):
    (work_dir / "file").write_text("x")
    error = run_main(capsys, *arguments, code=2)
    assert error.count("\n") == 1
    assert all(word in error for word in words), error


def test_prepare_strict_stops(work_dir, capsys):
    write_files(work_dir / "faces", {"b/bad.png": b"no"})
    error = run_main(capsys, "prepare", "faces", "--from", "faces", "--strict", code=2)
    assert error == "iidgan: strict: b/bad.png: no image of a known format\n"
    assert not (work_dir / "home" / "faces").exists()


def test_prepare_scales_range(work_dir, capsys):
    images = (random_images(3, 8, 1)[..., 0].astype(int) << 4).astype("u2")
    write_files(work_dir / "deep", {f"{i}.png": encode_image(x) for i, x in enumerate(images)})
    out = run_main(capsys, "prepare", "deep", "--from", "deep", "--size", "8")
    assert "values from 0 to 4095 (12 bits) scaled to 8 bits" in out
    out = run_main(capsys, "prepare", "--range", "-1", "2047.5", "scaled", "--from", "deep")
    assert "values from -1 to 2047.5 scaled to 8 bits" in out
    error = run_main(capsys, "prepare", "x", "--from", "deep", "--range", "5", "5", code=2)
    assert error == ("iidgan: range: LOW must be less than HIGH, and both finite, got 5.0 5.0\n")
    assert not (work_dir / "home" / "x").exists()


def test_prepare_names_columns(work_dir, capsys):
    (work_dir / "attributes.csv").write_text("file,Male,Old\n00.png,1,0\n01.png,0,0\n")
    arguments = ["prepare", "x", "--from", "faces", "--labels", "attributes.csv"]
    assert "--label-column" in run_main(capsys, *arguments, code=2)
    assert "2 labels" in run_main(capsys, *arguments, "--label-column", "Male")
    error = run_main(capsys, "prepare", "y", "--from", "faces", "--image-column", "Male", code=2)
    assert error.startswith("iidgan: image-column: ")
