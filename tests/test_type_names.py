"""The names of classes in files are a table of their own, apart from those for looking them up."""

import importlib.util
from dataclasses import dataclass, is_dataclass

import pytest

from iidgan.config.registry import KINDS, class_of, name_of
from iidgan.config.run import Run
from iidgan.config.type_names import TYPE_NAMES
from iidgan.core import Backbone, Method, Metric, Regularised, Source, Term
from iidgan.engine.optim import Optimiser
from iidgan.methods import GAN, METHODS, Wasserstein, lsgan, wgan_gp
from iidgan.terms import TERMS, GaussianConsistency

# Those that files may hold already, wherever the table goes and whatever is added to it.
OF_OLD = [
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
    "coverage",
    "cycle",
    "d2gan",
    "dcgan",
    "dcgan-sn",
    "digits",
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
    "shrunk",
    "sngan",
    "sngan-cnn",
    "stacked",
    "stacked-fashion",
    "stacked-mnist",
    "unrolled",
    "vae",
    "veegan",
    "wgan",
    "z-discriminator",
]

LISTED = [
    (kind, name)
    for kind, known in KINDS.items()
    for name, made in known.items()
    if isinstance(made, type) and is_dataclass(made)
]


@dataclass(frozen=True, kw_only=True)
class PlugIn(GAN):
    """A class from elsewhere."""


def test_no_name_of_old_is_gone():
    assert sorted(OF_OLD) == OF_OLD
    assert set(OF_OLD) <= TYPE_NAMES.keys()


def test_no_class_has_two_names():
    assert len(set(TYPE_NAMES.values())) == len(TYPE_NAMES)


@pytest.mark.parametrize(("kind", "name"), LISTED)
def test_what_is_looked_up_has_the_same_name_in_files(kind, name):
    assert TYPE_NAMES[name] is KINDS[kind][name]


@pytest.mark.parametrize("name", TYPE_NAMES)
def test_names_lead_to_classes_and_back(name):
    assert class_of(name) is TYPE_NAMES[name]
    assert name_of(TYPE_NAMES[name]) == name
    assert is_dataclass(TYPE_NAMES[name])
    assert issubclass(TYPE_NAMES[name], (Method, Term, Source, Backbone, Optimiser, Metric))


def test_what_had_no_short_name_keeps_its_long_one():
    assert name_of(Wasserstein) == "iidgan.methods.wgan:Wasserstein"
    assert name_of(Regularised) == "regularised"


def test_a_factory_under_the_name_of_a_class_changes_no_name(monkeypatch):
    ids = [Run(method=method).id for method in (GAN(), wgan_gp())]
    monkeypatch.setitem(METHODS, "gan", lsgan)
    monkeypatch.setitem(METHODS, "wasserstein", Wasserstein)
    monkeypatch.setitem(TERMS, "gaussian", lambda: GaussianConsistency(weight=1.0))
    spec = importlib.util.find_spec(name_of.__module__)
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)  # as it is imported by a program that has them from the start
    for made in (GAN, Wasserstein, GaussianConsistency):
        assert fresh.name_of(made) == name_of(made)
        assert fresh.class_of(name_of(made)) is made
    assert fresh.find("methods", "gan") is lsgan
    monkeypatch.setattr("iidgan.config.run.name_of", fresh.name_of)
    assert [Run(method=method).id for method in (GAN(), wgan_gp())] == ids


def test_a_class_from_elsewhere_is_named_by_its_module():
    assert name_of(PlugIn) == f"{__name__}:PlugIn"
    run = Run(method=PlugIn())
    assert Run.from_dict(run.to_dict()) == run
