"""Images of 24 x 32 pixels from a folder of photos to figures, scores and a diagnosis."""

import json

import numpy as np
import pytest
from PIL import Image

import iidgan
from iidgan.cli import main
from iidgan.data import prepared
from tests.helpers.cli import run_main
from tests.helpers.photos import cut_tiles
from tests.helpers.training import assert_same_run, stop_at

HEIGHT, WIDTH = 24, 32
NUM_PHOTOS = 40

pytestmark = pytest.mark.slow


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """The working directory, with a folder of photos that are wider than high."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))
    (tmp_path / "photos").mkdir()
    for i, tile in enumerate(cut_tiles(NUM_PHOTOS, 64)):
        Image.fromarray(tile[:50]).save(tmp_path / "photos" / f"{i}.png")
    return tmp_path


def test_rectangles_from_folder_to_diagnosis(photos, capsys):
    size = ("--size", f"{HEIGHT}x{WIDTH}")
    prepare = ("prepare", "views", "--from", "photos", *size)
    assert f"{NUM_PHOTOS} images of 3 x 24 x 32" in run_main(capsys, *prepare)
    assert "already prepared" in run_main(capsys, *prepare)
    assert prepared("views").load().shape == (3, HEIGHT, WIDTH)
    for arch in ("dcgan", "dcgan-sn", "sngan-cnn", "stylegan2"):
        train = ("train", "views", "--arch", arch, "--width", "2", "--batch", "4", "--steps", "2")
        run_main(capsys, *train, "--executor", "eager", "--out", f"runs/{arch}")
        run_main(capsys, "sample", f"runs/{arch}", "--num", "5", "--out", f"{arch}.npz")
        with np.load(f"{arch}.npz") as arrays:
            assert (5, 3, HEIGHT, WIDTH) in [array.shape for array in arrays.values()]
    run_main(capsys, "sample", "runs/dcgan", "--num", "8", "--out", "grid.png")
    columns, gap = 8, 2
    with Image.open("grid.png") as grid:
        assert grid.width >= columns * WIDTH + (columns - 1) * gap
        assert grid.width / grid.height > 3
    run_main(capsys, "figure", "runs/dcgan", "--out", "figures")
    assert {"samples.png", "reconstructions.png"} <= {
        p.name for p in (photos / "figures").iterdir()
    }
    scores = ("--metrics", "fd,prdc", "--features", "pixels", "--num", "40", "--json")
    values = json.loads(
        run_main(capsys, "evaluate", "runs/dcgan", "--reference", "views", *scores)
    )
    assert values
    folder = ("evaluate", "photos", "--reference", "views", *size, *scores)
    assert "fd" in run_main(capsys, *folder)
    run_main(capsys, "diagnose", "photos", "--reference", "views", *size, "--features", "pixels")


def test_unsupported_rectangle_is_refused_before_training(photos, capsys):
    run_main(capsys, "prepare", "views", "--from", "photos", "--size", f"{HEIGHT}x{WIDTH}")
    assert main(["train", "views", "--arch", "resnet", "--out", "runs/resnet"]) == 2
    error = capsys.readouterr().err
    assert "smaller side is 32 or 48 or 64" in error
    assert "(3, 24, 32)" in error
    assert not (photos / "runs" / "resnet").exists()


@pytest.mark.usefixtures("fast_evaluation")
def test_resume_on_rectangles_changes_no_bit(photos):
    iidgan.prepare("views", origin="photos", size=(HEIGHT, WIDTH))
    arch = iidgan.DCGAN(latent=4, width=2)
    run = iidgan.Run(source=prepared("views"), arch=arch, batch=4, steps=2)
    options = {"checkpoint_every": 1, "executor": "eager", "diagnose_every": 0}
    half, whole = photos / "half", photos / "whole"
    first = iidgan.train(run, out=half, **stop_at(1), **options)
    assert (first.outcome, first.step) == ("stopped", 1)
    assert iidgan.train(run, out=half, **options).outcome == "finished"
    assert iidgan.train(run, out=whole, **options).outcome == "finished"
    assert_same_run(half, whole)
