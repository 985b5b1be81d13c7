"""Presets: the values of the papers, and how they apply to methods and terms."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from iidgan.config.preset import ADAPTED_METHODS, fit_norm
from iidgan.config.presets import IMAGE_TERMS, PRESETS
from iidgan.config.run import Run
from iidgan.data import SOURCES, Grid, Mnist, Prepared, StackedMnist
from iidgan.data.prepare import DATASETS
from iidgan.engine.optim import Adam, AnnealedAdam
from iidgan.methods import GAN, METHODS, WGAN, iid_gan, invert_gan, iv_gan, iv_lsgan, r3gan
from iidgan.nn import (
    DCGAN,
    DCGANSN,
    MLP,
    SNGANCNN,
    ArxivCIFAR,
    ArxivSTL,
    MnistNet,
    R3GANNet,
    StyleGAN2,
)
from iidgan.terms import R1, CycleTerm, GaussianTerm, Intervention
from iidgan.training.context import TrainContext
from tests.helpers.errors import raises_input_error
from tests.helpers.training import RandomImages

EACH_PRESET = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)

BCE, HINGE, OURS, STYLE = (0.5, 0.9), (0.0, 0.9), (0.5, 0.999), (0.0, 0.99)
"""Betas of AdvLatGAN's DCGAN and SNGAN, those of the library, and of StyleGAN2."""

SETTINGS = {
    "points": (MLP(latent=2), 2e-3, OURS, 100, 24_000, None),
    "images": (DCGAN(latent=64, width=32), 2e-4, OURS, 64, 20_000, None),
    "many-modes": (DCGAN(latent=64, width=32), 2e-4, OURS, 64, 20_000, None),
    "ijcai-mnist": (MnistNet(latent=2), 2e-4, OURS, 256, 70_312, 28),
    "ijcai-stacked": (DCGAN(latent=100, width=64), 2e-4, OURS, 256, 25_000, 32),
    "ijcai-cifar10": (DCGANSN(latent=128), 2e-4, BCE, 128, 100_000, 32),
    "ijcai-stl10": (DCGANSN(latent=128), 2e-4, BCE, 128, 100_000, 48),
    "ijcai-celeba": (SNGANCNN(latent=128), 2e-4, HINGE, 128, 100_000, 64),
    "ijcai-lsun-church": (SNGANCNN(latent=128), 2e-4, HINGE, 128, 100_000, 64),
    "arxiv-cifar": (ArxivCIFAR(latent=100), 2e-4, OURS, 256, 100_000, 32),
    "arxiv-stl10": (ArxivSTL(latent=20), 2e-4, OURS, 256, 100_000, 32),
    "invertgan": (ArxivSTL(latent=20), 2e-4, OURS, 64, 100_000, 32),
    "ivgan": (DCGAN(latent=100, width=64), 2e-4, OURS, 64, 100_000, 64),
    "stylegan2": (StyleGAN2(latent=512, width=64), 2.5e-3, STYLE, 64, 156_250, None),
    "r3gan": (R3GANNet(latent=64, width=768), 2e-4, (0.0, 0.9), 512, 19_531, None),
}
"""Backbone, rate, betas, batch, steps and side by preset."""

WEIGHTS = {
    "points": (3.0, 10.0),
    "images": (3.0, 3.0),
    "many-modes": (100.0, 3.0),
    "ijcai-mnist": (0.5, 0.1),
    "ijcai-stacked": (3.0, 3.0),
    "ijcai-cifar10": (0.01, 0.1),
    "ijcai-stl10": (0.01, 0.1),
    "ijcai-celeba": (0.01, 0.1),
    "ijcai-lsun-church": (0.01, 0.1),
    "arxiv-cifar": (3.0, 3.0),
    "arxiv-stl10": (3.0, 3.0),
    "invertgan": (1.0, 1.0),
    "ivgan": (3.0, 3.0),
    "stylegan2": (0.01, 0.1),
    "r3gan": (0.01, 0.1),
}
"""Weights of the cycle and the Gaussian term by preset."""


@pytest.mark.parametrize("name", PRESETS)
def test_preset_settings(name):
    preset = PRESETS[name]
    arch, lr, betas, batch, steps, side = SETTINGS[name]
    schedule = "constant" if name in ("ivgan", "stylegan2") else "linear"
    assert preset.arch == arch
    adam = Adam(lr=lr, betas=betas, schedule=schedule)
    assert preset.optimiser == (AnnealedAdam() if name == "r3gan" else adam)
    assert (preset.batch, preset.steps, preset.side) == (batch, steps, side)
    assert (preset.ema > 0) == (name in ("images", "many-modes", "stylegan2", "r3gan"))


@pytest.mark.parametrize("name", PRESETS)
def test_preset_weights(name):
    cycle, gaussian = PRESETS[name].create_method("iid-gan").base_and_terms[1]
    assert (cycle.weight, gaussian.weight) == WEIGHTS[name]
    distance = "w2-1d" if name == "stylegan2" else "p-norm"
    assert (gaussian.distance, gaussian.p) == (distance, 2.0)
    assert cycle.norm == {"points": "l1-sum", "invertgan": "l2"}.get(name, "l1")
    expected_ratios = {"images": 10.0, "ivgan": 10.0, "many-modes": 1.0}
    assert cycle.ratio == expected_ratios.get(name)


def test_ema_of_images_has_half_life_of_10000_images():
    preset = PRESETS["images"]
    assert preset.ema ** (10_000 / preset.batch) == pytest.approx(0.5, abs=0.003)
    assert preset.ema_rampup == 0.05


def test_preset_of_stylegan2():
    preset = PRESETS["stylegan2"]
    assert preset.ema ** (20_000 / preset.batch) == pytest.approx(0.5, abs=0.003)
    method = preset.create_run(RandomImages(), terms=["cycle", "gaussian"]).method
    periods = {type(term).__name__: term.every for term in method.terms}
    assert periods == {"R1": 16, "PathLength": 4, "CycleTerm": 8, "GaussianTerm": 8}


def test_preset_of_r3gan():
    preset = PRESETS["r3gan"]
    assert (preset.optimiser.lr, preset.optimiser.betas) == (2e-4, (0.0, 0.9))
    penalties = preset.create_run(RandomImages()).method.terms
    assert [(term.weight, term.growth) for term in penalties] == [(1.0, 0.1)] * 2


def test_preset_of_ivgan():
    intervention, noise = PRESETS["ivgan"].create_method("iv-lsgan").base_and_terms[1]
    assert intervention == Intervention(
        blocks=4, classify=0.5, reconstruct=0.25, e_reconstruct=False, clean=True
    )
    assert noise == iv_gan().terms[1]


def test_preset_of_points_is_the_default_run():
    assert PRESETS["points"].create_run(Grid()) == Run(source=Grid(), method=iid_gan())


@EACH_PRESET
def test_preset_says_where_values_come_from(preset):
    assert preset.origins.keys() == {
        *("terms", "arch", "latent", "optimiser", "batch", "steps", "ema")
    }
    assert all(preset.origins.values())
    assert "\n" not in preset.title
    assert preset.method in METHODS
    assert set(preset.data) <= {*DATASETS, *SOURCES}
    if preset.reference is None:
        assert preset.name in ("images", "many-modes")


# Application to methods and terms


@EACH_PRESET
def test_create_method_keeps_kinds_of_terms(preset):
    for name, create in METHODS.items():
        base, terms = create().base_and_terms
        adapted_base, adapted_terms = preset.create_method(name).base_and_terms
        assert adapted_base == base
        assert [*map(type, adapted_terms)] == [*map(type, terms)]
        if name not in ADAPTED_METHODS:
            assert adapted_terms == terms


def test_create_method_of_predecessor():
    """With InvertGAN's weights and norms IID-GAN is InvertGAN; other presets leave that alone."""
    assert PRESETS["invertgan"].create_method("iid-gan") == invert_gan()
    assert PRESETS["ijcai-cifar10"].create_method("invert-gan") == invert_gan()


def test_create_method_has_constant_weights_on_images():
    cycle, gaussian, noise = PRESETS["images"].create_method("iid-gan+").base_and_terms[1]
    assert (cycle, gaussian) == IMAGE_TERMS
    assert noise == METHODS["iid-gan+"]().base_and_terms[1][-1]


def test_create_run_keeps_objects():
    preset = PRESETS["ijcai-mnist"]
    term = GaussianTerm(weight=10.0)
    assert preset.create_run(Mnist(), iid_gan()).method == iid_gan()
    assert preset.create_run(Mnist(), "gan", [term]).method.terms == (term,)


def test_create_run_of_plain_method():
    preset = PRESETS["ijcai-cifar10"]
    run = preset.create_run(Prepared(name="cifar10"), "gan")
    assert run.method == GAN()
    assert run == replace(preset.create_run(Prepared(name="cifar10")), method=GAN())
    assert preset.create_run(Prepared(name="cifar10"), GAN(), ["cycle"]).method.terms == (
        CycleTerm(norm="l1", weight=0.01),
    )


def test_create_run_of_default_method():
    assert PRESETS["ivgan"].create_run(Mnist()).method.method == iv_lsgan().method
    assert PRESETS["invertgan"].create_run(Mnist()).method == invert_gan()


@pytest.mark.parametrize("arch", [DCGAN(), DCGANSN(), SNGANCNN(), ArxivSTL(), MnistNet()])
def test_fit_norm(arch):
    assert fit_norm(arch, WGAN()) == arch
    has_option = "norm" in arch.__dataclass_fields__
    expected_arch = replace(arch, norm="none") if has_option else arch
    assert fit_norm(arch, r3gan()) == fit_norm(arch, r3gan(R1())) == expected_arch


# Sources


@EACH_PRESET
def test_check_source_of_own_size(preset):
    if preset.has_images:
        side = preset.side or 40
        preset.check_source(RandomImages(shape=(3, side, side)))


@EACH_PRESET
@pytest.mark.parametrize("shape", [(40, 40), (32, 28), (28, 64)])
def test_check_source_of_other_size(preset, shape):
    if preset.side:
        height, width = shape
        with raises_input_error("preset", preset.name, preset.side, height, width):
            preset.check_source(RandomImages(shape=(3, height, width)))


def test_check_source_of_images_with_other_networks():
    """Whether a preset is for images does not depend on its backbone."""
    own = replace(PRESETS["images"], name="own", arch=MLP())
    own.check_source(RandomImages())


@EACH_PRESET
def test_check_source_of_other_kind(preset):
    source = Grid() if preset.has_images else StackedMnist()
    with raises_input_error("preset", preset.name, "points", "images"):
        preset.check_source(source)


@pytest.mark.slow
@EACH_PRESET
def test_preset_takes_steps(preset):
    side = preset.side or 32
    source = RandomImages(shape=(3, side, side)) if preset.has_images else Grid(size=100)
    run = replace(preset.create_run(source), batch=3)
    if preset.has_images:
        run = replace(run, arch=replace(run.arch, width=2))
    context = TrainContext.create(run, (0,), run.source.load(), torch.device("cpu"))
    losses = context.train_step(context.batches.batches_at(0))
    assert all(loss.isfinite().all() for loss in losses.values())
