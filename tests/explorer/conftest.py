"""Short runs that are explored, a session on them, and a real browser."""

import shutil

import numpy as np
import pytest

import iidgan
from iidgan.cli import main
from iidgan.data import Ring
from iidgan.data.prepared_source import Prepared
from iidgan.explorer.session import ExplorerSession
from iidgan.methods import iid_gan
from tests.helpers.training import tiny_run


@pytest.fixture(scope="session")
def point_run(tmp_path_factory):
    """The directory of a run of two seeds on a ring, with all networks, which no test changes."""
    out = tmp_path_factory.mktemp("points") / "ring"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ring, "num_evaluated", 150)
        run = tiny_run(iid_gan())
        options = {"checkpoint_every": 4, "keep": 1, "keep_networks": True, "device": "cpu"}
        iidgan.train(run, out=out, seeds=2, executor="eager", **options)
    return out


@pytest.fixture(scope="session")
def image_run(tmp_path_factory):
    """The directory of a run on 20 grey images of two classes, conditional, as `point_run`."""
    folder = tmp_path_factory.mktemp("images")
    images = np.random.default_rng(0).integers(256, size=(20, 8, 8), dtype=np.uint8)
    np.savez(folder / "noise.npz", x_train=images, y_train=np.arange(20) % 2)
    size = ("--size", "8")
    data = ("--root", str(folder))
    assert main(["prepare", "noise", "--from", str(folder / "noise.npz"), *size, *data]) == 0
    training = ("--steps", "2", "--checkpoint-every", "1", "--batch", "8", "--width", "2")
    execution = ("--executor", "eager", "--workers", "1", "--diagnose-every", "0")
    method = ("--method", "conditional-iid-gan", "--latent", "4")
    out = ("--out", str(folder / "run"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Prepared, "num_evaluated", 150)
        command = ["train", "noise", *data, *method, *training, *execution, *out]
        assert main(command) == 0
    return folder / "run"


@pytest.fixture
def session(point_run, image_run):
    """A session on both runs: points are run 0, images are run 1."""
    return ExplorerSession([point_run, image_run])


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium."""
    reason = "playwright is not installed"
    sync_api = pytest.importorskip("playwright.sync_api", reason=reason)
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
