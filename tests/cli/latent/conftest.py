"""A short run on images."""

import shutil

import numpy as np
import pytest

import iidgan
from iidgan.cli import main


@pytest.fixture(scope="session")
def image_run_template(tmp_path_factory):
    """The directory of a short run on 20 grey images of two classes, which no test changes."""
    folder = tmp_path_factory.mktemp("image_run_template")
    images = np.random.default_rng(0).integers(256, size=(20, 8, 8), dtype=np.uint8)
    np.savez(folder / "noise.npz", x_train=images, y_train=np.arange(20) % 2)
    data = ("--root", str(folder))
    assert (
        main(["prepare", "noise", "--from", str(folder / "noise.npz"), "--size", "8", *data]) == 0
    )
    training = ("--steps", "2", "--batch", "8", "--width", "2", "--latent", "4")
    execution = ("--executor", "eager", "--workers", "1", "--diagnose-every", "0")
    command = ["train", "noise", *data, *training, *execution, "--out", str(folder / "run")]
    assert main(command) == 0
    return folder / "run"


@pytest.fixture
def trained_image_run(work_dir, image_run_template):
    """A copy of `image_run_template`, named images, which a test may change."""
    return shutil.copytree(image_run_template, work_dir / "images")


@pytest.fixture(scope="session")
def conditional_run_template(tmp_path_factory):
    """The directory of a short run of conditional IID-GAN on a ring of four modes."""
    out = tmp_path_factory.mktemp("conditional") / "run"
    source = iidgan.Ring(modes=4, size=400)
    run = iidgan.Run(source=source, method=iidgan.conditional_iid_gan(), steps=20, batch=20)
    iidgan.train(run, out=out, seeds=[0], executor="eager")
    return out


@pytest.fixture
def conditional_run(work_dir, conditional_run_template):
    """The directory of `conditional_run_template`; the working directory is an empty one."""
    return str(conditional_run_template)
