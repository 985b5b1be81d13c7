"""Type names in files, which never change, and are independent of registered names."""

import importlib.util
from dataclasses import dataclass, is_dataclass

import pytest

from iidgan.config.plugins import get_type_name, resolve_type
from iidgan.config.registry import REGISTRIES, find
from iidgan.config.run import Run
from iidgan.config.start import Start
from iidgan.config.type_names import TYPE_NAMES
from iidgan.core import Backbone, Method, Metric, Regularised, Source, Term
from iidgan.engine.optim import Optimiser
from iidgan.methods import GAN, METHODS, Wasserstein, lsgan, wgan_gp
from iidgan.terms import TERMS, GaussianTerm

PARTS_OF_RUNS = (Method, Term, Source, Backbone, Optimiser, Metric, Start)

# Names that existing files may contain.
PUBLISHED_NAMES = [
    "aae",
    "adam",
    "adv-latent",
    "amat",
    "array",
    "arxiv-cifar",
    "arxiv-stl",
    "bigan",
    "bures",
    "classifier-fid",
    "code-noise",
    "conditional-images",
    "conditional-modes",
    "coverage",
    "cycle",
    "d2gan",
    "dcgan",
    "dcgan-sn",
    "digits",
    "disentanglement",
    "dist-gan",
    "fashion-mnist",
    "gan",
    "gaussian",
    "gdpp",
    "gradient-penalty",
    "grid",
    "iidgan.methods.wgan:Wasserstein",
    "instance-noise",
    "intervention",
    "mad-gan",
    "mdgan",
    "mggan",
    "mlp",
    "mnist",
    "mnist-5k",
    "mnist-net",
    "mode-seeking",
    "mrgan",
    "normality",
    "pacgan",
    "prepared",
    "r1",
    "r2",
    "reconstruction",
    "regularised",
    "resnet",
    "ring",
    "rpgan",
    "shapes",
    "shrunk",
    "sngan",
    "sngan-cnn",
    "stacked",
    "stacked-fashion",
    "stacked-mnist",
    "start",
    "two-gaussians",
    "unrolled",
    "vae",
    "veegan",
    "wgan",
    "z-discriminator",
]

REGISTERED_CLASSES = [
    (kind, name)
    for kind, registry in REGISTRIES.items()
    for name, cls in registry.items()
    if isinstance(cls, type) and is_dataclass(cls)
]


@dataclass(frozen=True, kw_only=True)
class PlugIn(GAN):
    """A class that is not registered."""


def test_type_names_keep_published_names():
    assert sorted(PUBLISHED_NAMES) == PUBLISHED_NAMES
    assert set(PUBLISHED_NAMES) <= TYPE_NAMES.keys()


def test_type_names_are_unique():
    assert len(set(TYPE_NAMES.values())) == len(TYPE_NAMES)


@pytest.mark.parametrize(("kind", "name"), REGISTERED_CLASSES)
def test_type_names_equal_registered_names(kind, name):
    assert TYPE_NAMES[name] is REGISTRIES[kind][name]


@pytest.mark.parametrize("name", TYPE_NAMES)
def test_resolve_type_inverts_get_type_name(name):
    assert resolve_type(name, {}) is TYPE_NAMES[name]
    assert get_type_name(TYPE_NAMES[name]) == name
    assert is_dataclass(TYPE_NAMES[name])
    assert issubclass(TYPE_NAMES[name], PARTS_OF_RUNS)


def test_get_type_name_of_wasserstein():
    assert get_type_name(Wasserstein) == "iidgan.methods.wgan:Wasserstein"
    assert get_type_name(Regularised) == "regularised"


def test_get_type_name_ignores_new_factories(monkeypatch):
    ids = [Run(method=method).id for method in (GAN(), wgan_gp())]
    monkeypatch.setitem(METHODS, "gan", lsgan)
    monkeypatch.setitem(METHODS, "wasserstein", Wasserstein)
    monkeypatch.setitem(TERMS, "gaussian", lambda: GaussianTerm(weight=1.0))
    spec = importlib.util.find_spec(get_type_name.__module__)
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)  # as if imported with these entries
    for cls in (GAN, Wasserstein, GaussianTerm):
        assert fresh.get_type_name(cls) == get_type_name(cls)
        assert fresh.resolve_type(get_type_name(cls), {}) is cls
    assert find("methods", "gan") is lsgan
    monkeypatch.setattr("iidgan.config.serialization.get_type_name", fresh.get_type_name)
    assert [Run(method=method).id for method in (GAN(), wgan_gp())] == ids


def test_get_type_name_of_plugin():
    assert get_type_name(PlugIn) == f"{__name__}:PlugIn"
    run = Run(method=PlugIn())
    assert Run.from_dict(run.to_dict(), [PlugIn]) == run
