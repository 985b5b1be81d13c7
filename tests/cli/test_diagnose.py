"""`iidgan diagnose` as a user runs it."""

import json

import numpy as np
import pytest
from PIL import Image

from iidgan.cli import main
from tests.helpers.cli import TRAIN_ON_POINTS, fail_command
from tests.helpers.extractors import make_images

PIXELS = ("--features", "pixels")


def save_images(folder, images):
    folder.mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image[0]).save(folder / f"{i:03}.png")
    return str(folder)


@pytest.fixture
def real(tmp_path):
    return save_images(tmp_path / "real", make_images(40, 1, 8, 8))


@pytest.fixture
def fake(tmp_path):
    images = make_images(40, 8, 8, 1, seed=1)
    images[20:] = images[0]
    np.savez(tmp_path / "fake.npz", x=images)
    return str(tmp_path / "fake.npz")


@pytest.fixture
def points(tmp_path):
    draw = np.random.default_rng(0)
    paths = [str(tmp_path / name) for name in ("generated.csv", "data.csv")]
    for path, scale in zip(paths, (0.2, 1.0)):
        np.savetxt(path, draw.normal(scale=scale, size=(60, 2)), delimiter=",")
    return paths


def test_verdict_goes_to_standard_output(capsys, fake, real):
    assert main(["diagnose", fake, "--reference", real, *PIXELS]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "the samples show" in lines[0]
    assert lines[-1].startswith(
        "compared: 40 of 40 generated and 40 of 40 real samples, by pixels"
    )


def test_json_is_alone_on_standard_output(capsys, fake, real, tmp_path):
    page = str(tmp_path / "page.html")
    arguments = ["diagnose", fake, "--reference", real, *PIXELS, "--json", "--out", page]
    assert main(arguments) == 0
    records = json.loads(capsys.readouterr().out)["records"]
    assert set(records[0]) == {"metric", "value", "low", "high", "protocol"}
    assert {"coverage", "near_copies", "fd_pixels"} <= {record["metric"] for record in records}
    assert "<h2>Starved regions</h2>" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(("share", "code"), [("0", 0), ("1", 1)])
def test_low_coverage_fails_where_asked(capsys, points, share, code):
    arguments = ["diagnose", points[0], "--reference", points[1], "--fail-below", share]
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert "the samples show" in captured.out
    assert ("is below 1" in captured.err) == bool(code)


def test_run_is_compared_with_its_own_data(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    np.save("points.npy", np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32))
    assert main(TRAIN_ON_POINTS) == 0
    capsys.readouterr()
    assert main(["diagnose", "run", "--num", "50", "--seed", "1", "--out", "page.html"]) == 0
    captured = capsys.readouterr()
    assert "50 samples of seed 1" in captured.err
    assert "50 of 200 real samples, by points" in captured.out
    assert "Losses over training" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: does not exist"),
        (["empty"], "empty"),
        (["mixed"], "--size"),
        (["few"], "few: needs at least 12 samples, got 3"),
        (["nan.npy"], "nan.npy"),
        (["beyond.npy"], "beyond.npy"),
        (["real", "--features", "nosuch"], "extractor: unknown 'nosuch'"),
        (["real", "--out", "page.txt"], "out: must end in .html, got 'page.txt'"),
        (["real", "--out", "real/000.png/page.html"], "is no folder"),
        (["real", "--fail-below", "80"], "fail-below: must be a share from 0 to 1, got 80.0"),
        (["real", "--num", "3"], "num: must be an integer >= 12, got 3"),
        (["points.csv"], "are points, which are their own features"),
        (["real", "--reference", "points.csv"], "compare equal kinds"),
        (["real", "--reference", "nosuch"], "unknown 'nosuch'"),
    ],
)
def test_wrong_input_is_one_line_and_writes_nothing(
    arguments, message, capsys, real, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    save_images(tmp_path / "few", make_images(3, 1, 8, 8))
    mixed = save_images(tmp_path / "mixed", make_images(20, 1, 8, 8))
    Image.new("L", (9, 8)).save(f"{mixed}/odd.png")
    np.save("nan.npy", np.full((20, 8, 8), np.nan, np.float32))
    np.save("beyond.npy", np.full((20, 8, 8), 7.5, np.float32))
    np.savetxt("points.csv", np.random.default_rng(0).normal(size=(30, 3)), delimiter=",")
    before = sorted(tmp_path.rglob("*"))
    images, *options = arguments
    if "--reference" not in options:
        options += ["--reference", "real"]
    if "--features" not in options:
        options += PIXELS
    if "--out" not in options:
        options += ["--out", "page.html"]
    assert message in fail_command(capsys, "diagnose", images, *options)
    assert sorted(tmp_path.rglob("*")) == before
