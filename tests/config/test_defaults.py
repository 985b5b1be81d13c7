"""Recommended settings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iidgan.config.defaults import recommended
from iidgan.config.preset import ADAPTED_METHODS
from iidgan.config.presets import IMAGE_TERMS, PRESETS, iid_terms
from iidgan.config.run import Run
from iidgan.core import Regularised
from iidgan.data import FashionMnist, Grid, Mnist, StackedMnist
from iidgan.engine.optim import Adam
from iidgan.methods import GAN, METHODS, WGAN, iid_gan
from iidgan.methods.iid_gan_plus import iid_gan_plus
from iidgan.nn import DCGAN
from iidgan.terms import R1, CycleTerm, GaussianTerm, GradientPenalty
from tests.helpers.errors import raises_input_error
from tests.helpers.training import RandomImages

FORMER_DEFAULT = replace(PRESETS["images"], terms=iid_terms(0.5, 0.1), ema=0.0, ema_rampup=0.0)
"""What was recommended for images before there were presets."""

FORMER_IDS = {
    ("mnist", "gan"): "c05d00e1b7f1",
    ("mnist", "wgan-gp"): "7f4c8327fa69",
    ("mnist", "veegan"): "449d0b797f94",
    ("mnist", "r3gan"): "bd250fc9c3ed",
    ("mnist", "ivgan"): "2636e84d68c9",
    ("mnist", "invert-gan"): "f1704cd42c19",
    ("mnist", "iid-gan"): "f10682ecab1d",
    ("mnist", "iid-gan+"): "67fc00cb87bc",
    ("stacked-mnist", "gan"): "c9b057f7eede",
    ("stacked-mnist", "iid-gan"): "82e1909544c2",
    ("stacked-mnist", "iid-gan+"): "611412c66d67",
}
"""Ids of its runs, which must not change."""

SOURCES = {"mnist": Mnist(), "stacked-mnist": StackedMnist()}


def test_recommended_for_points():
    assert recommended(Grid(), iid_gan()) == Run(source=Grid(), method=iid_gan())
    assert recommended(Grid(), "iid-gan") == Run(source=Grid(), method=iid_gan())


def test_recommended_for_images():
    run = recommended(Mnist(), GAN())
    assert isinstance(run.arch, DCGAN)
    assert run == Run(
        source=Mnist(),
        arch=run.arch,
        optimiser=Adam(lr=2e-4),
        batch=64,
        steps=20_000,
        ema=0.9956,
        ema_rampup=0.05,
    )


@pytest.mark.parametrize("name", ["gan", "iid-gan", "sngan", "wgan-gp", "r3gan"])
def test_recommended_norm_of_penalised_critics(name):
    expected_norm = "none" if name in ("wgan-gp", "r3gan") else "batch"
    assert recommended(Mnist(), METHODS[name]()).arch.norm == expected_norm
    assert recommended(Mnist(), name).arch.norm == expected_norm


@pytest.mark.parametrize("term", ["gradient-penalty", R1()])
def test_recommended_norm_with_penalty_term(term):
    assert recommended(Mnist(), "gan", [term]).arch.norm == "none"
    assert recommended(Mnist(), "gan").arch.norm == "batch"


@pytest.mark.parametrize(("source", "method"), FORMER_IDS)
def test_former_default_keeps_ids(source, method):
    run = FORMER_DEFAULT.create_run(SOURCES[source], method)
    assert run.id == FORMER_IDS[source, method]
    assert recommended(SOURCES[source], method, preset=FORMER_DEFAULT) == run
    assert recommended(SOURCES[source], method).id != run.id


@pytest.mark.parametrize("name", METHODS)
def test_recommended_creates_registered_methods(name):
    method = METHODS[name]()
    assert recommended(Grid(), name) == recommended(Grid(), method)
    if name not in ADAPTED_METHODS:
        assert recommended(FashionMnist(), name) == recommended(FashionMnist(), method)


@pytest.mark.parametrize("name", ["iid-gan", "iid-gan+"])
def test_recommended_weights_of_named_method(name):
    cycle, gaussian, *others = recommended(Mnist(), name).method.terms
    assert cycle == CycleTerm(norm="l1", weight=3.0, ratio=10.0)
    assert gaussian == GaussianTerm(weight=3.0)
    assert others == list(METHODS[name]().base_and_terms[1][2:])


@pytest.mark.parametrize("method", [iid_gan(), iid_gan_plus()], ids=["iid-gan", "iid-gan+"])
def test_recommended_keeps_built_methods(method):
    assert recommended(Mnist(), method).method == method
    own = iid_gan(cycle=CycleTerm(weight=7.0), gaussian=GaussianTerm(distance="w2"))
    assert recommended(Mnist(), own).method == own


@pytest.mark.parametrize("weight", [10.0, 10.001])
def test_recommended_keeps_explicit_weights(weight):
    """A weight that the user gave is kept, even if it equals the default."""
    term = GaussianTerm(weight=weight)
    assert recommended(Mnist(), iid_gan(gaussian=term)).method == iid_gan(gaussian=term)
    assert recommended(Mnist(), "gan", [term]).method.terms == (term,)


def test_recommended_adds_terms_by_name():
    run = recommended(Mnist(), "gan", ["cycle", "gaussian"])
    assert run.id == recommended(Mnist(), "iid-gan").id
    run = recommended(Grid(), "gan", ["cycle", "gaussian"])
    assert run.method == iid_gan()
    run = recommended(Mnist(), WGAN(), ["cycle", "r1"])
    assert run.method == Regularised(method=WGAN(), terms=(IMAGE_TERMS[0], R1()))


def test_recommended_adds_terms_to_flat_method():
    penalty = GradientPenalty()
    method = recommended(Grid(), iid_gan_plus(), [penalty]).method
    base, terms = iid_gan_plus().base_and_terms
    assert method == Regularised(method=base, terms=(*terms, penalty))


def test_recommended_accepts_plugin_names():
    """A method or term of the user's own has its own weights."""
    run = recommended(Mnist(), f"{__name__}:plugin_method", [f"{__name__}:plugin_term"])
    assert run.method == Regularised(method=GAN(), terms=(CycleTerm(), GaussianTerm(weight=10.0)))


def plugin_method():
    return Regularised(method=GAN(), terms=(CycleTerm(),))


def plugin_term():
    return GaussianTerm(weight=10.0)


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        (("iid-gam",), "method", "'iid-gan'"),
        (("gan", ["gausian"]), "term", "'gaussian'"),
        ((GAN,), "method", "GAN"),
        (("gan", [GaussianTerm]), "terms", "GaussianTerm"),
        (("gan", "gaussian"), "terms", "'gaussian'"),
        (("gan", GaussianTerm()), "terms", "GaussianTerm"),
    ],
)
def test_recommended_rejects_unknown_methods(arguments, field, value):
    with raises_input_error(field, value):
        recommended(Mnist(), *arguments)


@pytest.mark.parametrize(("source", "value"), [("rng", "'ring'"), (Grid, "Grid")])
def test_recommended_rejects_unknown_sources(source, value):
    with raises_input_error("source", value):
        recommended(source)


def test_recommended_accepts_source_names():
    assert recommended("grid", "gan") == recommended(Grid(), "gan")


# Presets


@pytest.mark.parametrize("name", PRESETS)
def test_recommended_preset_by_name(name):
    preset = PRESETS[name]
    side = preset.side or 28
    source = Grid() if name == "points" else RandomImages(shape=(1, side, side))
    run = recommended(source, preset=name)
    assert run == recommended(source, preset=preset) == preset.create_run(source)
    assert run == recommended(source, preset.method, preset=name)


def test_recommended_own_preset():
    own = replace(PRESETS["images"], name="own", batch=7)
    assert recommended(Mnist(), preset=own).batch == 7


@pytest.mark.parametrize(
    ("source", "preset", "values"),
    [
        (Mnist(), "imagse", ["'imagse'", "'images'"]),
        (Mnist(), "points", ["points", "images"]),
        (Grid(), "images", ["points", "images"]),
        (Mnist(), 3, ["3"]),
    ],
)
def test_recommended_rejects_presets(source, preset, values):
    with raises_input_error("preset", *values):
        recommended(source, preset=preset)


def test_recommended_rejects_images_of_other_size():
    with raises_input_error("preset", "'ijcai-cifar10'", "32 x 32", "28 x 28"):
        recommended(RandomImages(shape=(3, 28, 28)), preset="ijcai-cifar10")
