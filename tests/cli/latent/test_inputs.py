"""Samples of the user that a model is asked about."""

import numpy as np
import torch
from PIL import Image

from iidgan.cli.latent.inputs import read_inputs
from iidgan.training.export import load
from tests.helpers.errors import raises_input_error
from tests.helpers.sample_sets import make_model


def save_image(path, pixels):
    Image.fromarray(pixels).save(path)
    return str(path)


def test_grey_image_fits_model_of_colours(tmp_path):
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    samples = read_inputs(save_image(tmp_path / "a.png", pixels), make_model((3, 8, 8)), None)
    expected = torch.from_numpy(pixels).float() / 127.5 - 1
    assert torch.equal(samples, expected.expand(1, 3, 8, 8))


def test_image_of_colours_does_not_fit_grey_model(tmp_path):
    pixels = np.random.default_rng(0).integers(256, size=(8, 8, 3), dtype=np.uint8)
    path = save_image(tmp_path / "a.png", pixels)
    with raises_input_error(path, "grey"):
        read_inputs(path, make_model((1, 8, 8)), None)


def test_size_resizes(tmp_path):
    path = save_image(tmp_path / "a.png", np.zeros((20, 30), np.uint8))
    with raises_input_error(path, "20 x 30", "--size 8x12"):
        read_inputs(path, make_model((1, 8, 12)), None)
    assert read_inputs(path, make_model((1, 8, 12)), (8, 12)).shape == (1, 1, 8, 12)


def test_samples_of_another_shape_do_not_fit(trained_run, trained_image_run):
    with raises_input_error("images", "(2,)", "got (1, 8, 8)"):
        read_inputs("images", load("run"), None)
    with raises_input_error("run", "(1, 8, 8)", "got (2,)"):
        read_inputs("run", load("images"), None)
