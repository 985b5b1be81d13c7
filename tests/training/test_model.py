"""Trained networks: sampling, inverting and loading."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save

from iidgan.data import array
from iidgan.evaluation.arrays import load_arrays
from iidgan.methods import cgan, iid_gan
from iidgan.nn import DCGAN, StyleGAN2
from iidgan.training.export import load as load_model
from iidgan.training.run_dir import RunDir
from iidgan.utils.files import DIGESTS_FILE, file_sha256
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


def test_truncation_of_styles(tmp_path):
    """Styles are drawn towards their mean, as a generator of styles ignores the length of z."""
    arch = StyleGAN2(latent=3, width=2, mapping_layers=2)
    run = tiny_run(source=RandomImages(), arch=arch, batch=8)
    model = train_tiny(run, tmp_path).model()
    G, z = model.nets["G"], model.sample_prior(4)
    styles = G.styles(z[None])
    assert torch.equal(model.sample(4, psi=0.5), G(G.truncate(styles, 0.5))[0])
    assert G.mapping.mean_style.all()
    assert torch.equal(model.sample(4, psi=1.0), model.generate(z))
    typical = model.sample(4, psi=0.0)
    assert torch.equal(typical, typical[:1].expand_as(typical))


def test_truncation_scales_latents(completed_run):
    model = load_model(completed_run(tiny_run()))
    prior = model.sample_prior(7)
    assert torch.equal(model.sample(7, psi=0.7), model.generate(0.7 * prior))
    assert torch.equal(model.sample(7, psi=1.0), model.sample(7))
    assert torch.equal(model.sample(7, psi=0.0), model.generate(torch.zeros(7, 2)))
    assert torch.equal(model.generate(prior, psi=0.7), model.sample(7, psi=0.7))
    for psi in (-0.1, float("nan"), float("inf")):
        with raises_input_error("psi", psi):
            model.sample(7, psi=psi)


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


def rewrite_config(path, change):
    """Change the config of a copy of a generator, with a matching manifest."""
    config_file = path / "config.json"
    config = json.loads(config_file.read_text())
    write_folder_as_before(path, config_file, json.dumps(change(config)).encode())


def write_folder_as_before(path, file, content):
    digests = json.loads((path / DIGESTS_FILE).read_text())
    file.write_bytes(content)
    digests[file.name] = file_sha256(file)
    (path / DIGESTS_FILE).write_text(json.dumps(digests))


CONFIGS = {
    "a list": lambda config: [config],
    "no run": lambda config: {k: v for k, v in config.items() if k != "run"},
    "run of text": lambda config: config | {"run": "gan"},
    "seeds of text": lambda config: config | {"seeds": "0"},
    "no seeds": lambda config: config | {"seeds": [], "steps": [], "diverged": []},
    "other steps": lambda config: config | {"steps": [12, 12]},
    "other marks": lambda config: config | {"diverged": [-1, -1]},
    "large marks": lambda config: config | {"diverged": [10**30]},
    "steps of text": lambda config: config | {"steps": ["12"]},
    "no shape": lambda config: config | {"shape": None},
    "zero shape": lambda config: config | {"shape": [0]},
    "nested shape": lambda config: config | {"shape": [[2]]},
    "scaling of text": lambda config: config | {"scaling": "none"},
    "other scaling": lambda config: config | {"scaling": {"mean": [0.0], "std": [1.0]}},
    "negative scaling": lambda config: config | {"scaling": {"mean": [0, 0], "std": [1, -1]}},
}


@pytest.mark.parametrize("change", CONFIGS.values(), ids=CONFIGS)
def test_load_refuses_other_config(tmp_path, completed_run, change):
    path = shutil.copytree(completed_run(tiny_run()) / "generator", tmp_path / "copy")
    rewrite_config(path, change)
    with raises_input_error(str(path / "config.json"), "damaged"):
        load_model(path)


@pytest.mark.parametrize(
    "classes",
    [
        None,
        {"names": ["a", "b"], "probabilities": [1.0]},
        {"names": ["a", "b"], "probabilities": [0, 0]},
        {"names": ["a", "b"], "probabilities": [1, 1]},
        {"names": ["a", "b"], "probabilities": [2, -1]},
        {"names": ["a", "b"], "probabilities": ["nan", 1]},
    ],
)
def test_load_refuses_other_classes(tmp_path, completed_run, classes):
    path = shutil.copytree(completed_run(tiny_run(cgan())) / "generator", tmp_path / "copy")
    rewrite_config(path, lambda config: config | {"classes": classes})
    with raises_input_error(str(path / "config.json"), "damaged", "classes"):
        load_model(path)


@pytest.mark.parametrize(
    "change", [{"shape": [3]}, {"seeds": [0, 1], "steps": [12, 12], "diverged": [-1, -1]}]
)
def test_load_refuses_weights_of_another_config(tmp_path, completed_run, change):
    path = shutil.copytree(completed_run(tiny_run()) / "generator", tmp_path / "copy")
    rewrite_config(path, lambda config: config | change)
    with raises_input_error(str(path / "model.safetensors"), "damaged"):
        load_model(path)


@pytest.mark.parametrize("tensors", [{}, {"H.0": torch.zeros(1)}, {"G.0": torch.zeros(1)}])
def test_load_refuses_other_weights(tmp_path, completed_run, tensors):
    path = shutil.copytree(completed_run(tiny_run()) / "generator", tmp_path / "copy")
    weights_file = path / "model.safetensors"
    for content in (save(tensors), save(tensors)[:-1], b""):
        write_folder_as_before(path, weights_file, content)
        with raises_input_error(str(weights_file), "damaged"):
            load_model(path)


def test_invert_converts_arrays(completed_run):
    model = load_model(completed_run(tiny_run(iid_gan())))
    expected = model.invert(torch.ones(5, 2))
    for dtype in (">f8", "longdouble", ">i2", "u2"):
        assert torch.equal(model.invert(np.ones((5, 2), dtype)), expected)
    assert model.invert(torch.zeros(0, 2)).shape == (0, 2)
    with raises_input_error("input", "row 1, column 0", "1e+300"):
        model.invert(np.array([[0, 0], [1e300, 0]]))
    with raises_input_error("input", "row 2", "nan"):
        model.invert(torch.tensor([[0, 0], [0, 0], [0, torch.nan]], dtype=torch.bfloat16))


@pytest.mark.parametrize(
    ("shape", "advice"),
    [((8, 8), "(1, 1, 8, 8)"), ((1, 8, 8), "(1, 1, 8, 8)"), ((5, 8, 8), "(5, 1, 8, 8)")],
)
def test_invert_advises_on_shape(tmp_path, shape, advice):
    run = tiny_run(iid_gan(), source=RandomImages(), arch=DCGAN(latent=3, width=2), batch=8)
    model = train_tiny(replace(run, steps=1), tmp_path / "run").model()
    with raises_input_error("input", f"reshape the array from {shape} to {advice}"):
        model.invert(torch.zeros(shape))
    with raises_input_error("input", "(8, 8, 3)") as caught:
        model.invert(torch.zeros(5, 8, 8, 3))
    assert "reshape" not in str(caught.value)
    with raises_input_error("input", "(2,)"):  # rather than the range of images
        model.invert(torch.full((5, 2), 3.0))


def test_standardised_run_is_in_own_units(tmp_path):
    """Samples, codes, metrics and figures have the units of the data; networks do not."""
    points = np.random.default_rng(0).normal(size=(300, 2)) * [1000, 0.001] + [1e5, 7]
    np.save(tmp_path / "x.npy", points)
    source = replace(array(tmp_path / "x.npy"), standardise=True)
    messages = []
    result = train_tiny(
        tiny_run(iid_gan(), source=source),
        tmp_path / "run",
        on_progress=lambda message, record: messages.append(message),
    )
    assert messages[0] == "300 samples of 2 numbers"
    model, centre, spread = result.model(), torch.tensor([1e5, 7.0]), torch.tensor([1000, 0.001])
    arrays = load_arrays(RunDir(result.path).arrays_file)
    for samples in (model.sample(100), torch.from_numpy(arrays["generated"][0])):
        assert ((samples - centre).abs() < 10 * spread).all()
    torch.testing.assert_close(torch.from_numpy(arrays["real"]).mean(0), centre, rtol=1e-2, atol=0)
    codes = model.invert(torch.from_numpy(arrays["real"]))
    torch.testing.assert_close(codes, torch.from_numpy(arrays["codes"][0]), rtol=1e-3, atol=1e-3)
    x_errors = (arrays["real"] - arrays["x_cycled"][0]).astype(float)
    measured = [r.value for r in result.records if r.metric == "x_error"][-1]
    assert measured == pytest.approx(np.abs(x_errors).mean(), rel=1e-3)
