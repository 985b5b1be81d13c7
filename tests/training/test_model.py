"""Trained networks: sampling, inverting and loading."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import torch

from iidgan.methods import iid_gan
from iidgan.nn import DCGAN
from iidgan.training.model import load as load_model
from tests.helpers.errors import raises_input_error
from tests.helpers.training import (
    RandomImages,
    flip_byte,
    read_latest_tensors,
    tiny_run,
    train_tiny,
)

pytestmark = pytest.mark.usefixtures("fast_evaluation")


def test_model_has_averaged_weights(tmp_path):
    result = train_tiny(tiny_run(ema=0.5), tmp_path)
    saved = read_latest_tensors(tmp_path)
    for name, value in result.model().nets.state_dict().items():
        assert torch.equal(value, saved[f"average.{name}"])
        assert not torch.equal(value, saved[f"nets.{name}"])


def test_sample_is_reproducible(tmp_path):
    model = train_tiny(tiny_run(iid_gan()), tmp_path / "a").model()
    assert model.sample(7).shape == (7, 2)
    assert model.sample(0).shape == (0, 2)
    assert torch.equal(model.sample(7), load_model(tmp_path / "a" / "generator").sample(7))
    assert not torch.equal(model.sample(7), model.sample(7, stream=2))
    assert torch.equal(model.generate(model.sample_prior(7)), model.sample(7))
    assert model.invert(torch.zeros(5, 2)).shape == (5, 2)
    assert "seed=0" in repr(model)
    images = tiny_run(source=RandomImages(), arch=DCGAN(latent=3, width=2), batch=8)
    assert train_tiny(images, tmp_path / "b").model().sample(3).shape == (3, 1, 8, 8)


def test_sample_independent_of_chunk_size(tmp_path, monkeypatch):
    model = train_tiny(tiny_run(iid_gan()), tmp_path).model()
    expected, codes = model.sample(100), model.invert(torch.ones(100, 2))
    for size in (1, 7, 99, 100):
        monkeypatch.setattr("iidgan.engine.inference.CHUNK_SIZE", size)
        torch.testing.assert_close(model.sample(100), expected)
        torch.testing.assert_close(model.invert(torch.ones(100, 2)), codes)


def test_model_refuses_other_shapes(completed_run):
    plain, inverting = (
        load_model(completed_run(tiny_run())),
        load_model(completed_run(tiny_run(iid_gan()))),
    )
    with raises_input_error("invert"):
        plain.invert(torch.zeros(3, 2))
    with raises_input_error("input", "(3,)", "(2,)"):
        inverting.invert(torch.zeros(5, 3))
    with raises_input_error("input", "(2, 2)", "(2,)"):
        plain.generate(torch.zeros(5, 2, 2))


def test_load_refuses_missing_files(tmp_path, completed_run):
    path = completed_run(tiny_run(), 3)
    with raises_input_error("seed", 7, "0, 1, 2"):
        load_model(path, 7)
    for missing in (tmp_path, tmp_path / "nowhere", path / "run.json"):
        with raises_input_error("run", missing):
            load_model(missing)
    copy = tmp_path / "copy"
    shutil.copytree(path, copy)
    flip_byte(copy / "generator" / "model.safetensors")
    with raises_input_error(str(copy / "generator"), "damaged", "model.safetensors"):
        load_model(copy)


def test_invert_images_of_bytes_or_floats(tmp_path):
    run = tiny_run(iid_gan(), source=RandomImages(), arch=DCGAN(latent=3, width=2), batch=8)
    model = train_tiny(replace(run, steps=1), tmp_path / "run").model()
    images = torch.randint(0, 256, (40, 1, 8, 8), dtype=torch.uint8)
    assert torch.equal(model.invert(images), model.invert(images.float() / 127.5 - 1))
    for invalid_images in (images.float(), images.long()):
        with raises_input_error("input", "uint8", "[-1, 1]"):
            model.invert(invalid_images)
