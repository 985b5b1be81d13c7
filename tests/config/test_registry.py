"""Registered names, and imports by `module:Name`."""

from __future__ import annotations

import sys

import pytest

import iidgan
from iidgan.config.plugins import check_importable
from iidgan.config.registry import REGISTRIES, create_component, find
from iidgan.core import Backbone, Method, Metric, Source, Term
from iidgan.engine.optim import Optimiser
from tests.helpers.errors import raises_input_error


@pytest.mark.parametrize("kind", REGISTRIES)
def test_find_names_and_imports(kind):
    for name, component in REGISTRIES[kind].items():
        assert find(kind, name) is component
    with raises_input_error(kind.removesuffix("s"), "'nonsense'", "known: "):
        find(kind, "nonsense")
    with raises_input_error(kind.removesuffix("s"), "nonsense.module:Name"):
        find(kind, "nonsense.module:Name")


@pytest.fixture
def write_module(tmp_path, monkeypatch):
    """A function that writes a module into the working directory, which is not in sys.path."""

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        return name

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    return write


@pytest.mark.parametrize(
    "text", ["1 / 0", "def f(:", "import no_such_module_at_all", "raise SystemExit(4)"]
)
def test_find_module_that_fails(write_module, text):
    name = write_module(f"broken_{abs(hash(text))}", text)
    with raises_input_error("method", f"'{name}:X'"):
        find("methods", f"{name}:X")


def test_find_nested_class_in_working_directory(write_module):
    text = "from iidgan import GAN\nclass Outer:\n    class Inner(GAN):\n        pass\n"
    name = write_module("own_methods", text)
    method = find("methods", f"{name}:Outer.Inner")()
    assert type(method).__qualname__ == "Outer.Inner"
    check_importable(iidgan.Run(method=method))


PLUGINS = """
from dataclasses import dataclass

import iidgan
from iidgan.core import Metric, Term


class MyMethod(iidgan.GAN):
    pass


@dataclass(frozen=True, kw_only=True)
class MyTerm(iidgan.GaussianTerm):
    pass


class MySource(iidgan.Ring):
    pass


class MyBackbone(iidgan.MLP):
    pass


class MyOptimiser(iidgan.Adam):
    pass


class MyMetric(iidgan.metrics.ModeCoverage):
    pass


constant = 3


def fails():
    raise ValueError("no such thing")


def needs_argument(number):
    return MyMethod()


def makes_term():
    return MyTerm()


@dataclass(frozen=True, kw_only=True)
class NeedsFields(iidgan.GAN):
    slope: float
    power: int
    scale: float = 1.0
"""

COMPONENT_TYPES = {
    "methods": (Method, "MyMethod"),
    "terms": (Term, "MyTerm"),
    "sources": (Source, "MySource"),
    "archs": (Backbone, "MyBackbone"),
    "optimisers": (Optimiser, "MyOptimiser"),
    "metrics": (Metric, "MyMetric"),
}


@pytest.mark.parametrize("kind", REGISTRIES)
def test_create_component_of_plugin(write_module, kind):
    component_type, class_name = COMPONENT_TYPES[kind]
    module = write_module(f"plugins_of_{kind}", PLUGINS)
    component = create_component(kind, f"{module}:{class_name}", component_type)
    assert isinstance(component, component_type)
    assert type(component).__name__ == class_name


@pytest.mark.parametrize("kind", REGISTRIES)
def test_create_component_of_other_type(write_module, kind):
    component_type, _ = COMPONENT_TYPES[kind]
    module = write_module(f"other_plugins_of_{kind}", PLUGINS)
    _, class_name = COMPONENT_TYPES["terms" if kind != "terms" else "methods"]
    with raises_input_error(
        kind.removesuffix("s"),
        f"'{module}:{class_name}'",
        f"subclass of {component_type.__name__}",
    ):
        create_component(kind, f"{module}:{class_name}", component_type)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("constant", "3"),
        ("fails", "no such thing"),
        ("needs_argument", "number"),
        ("NeedsFields", "slope, power;"),
        ("makes_term", "Method, got MyTerm"),
        ("MyMethode", "'MyMethod'"),
        ("Nonsense", "'Nonsense'"),
        ("", "package.module:Name"),
        ("MyMethod.", "package.module:Name"),
    ],
)
def test_create_component_rejects_plugin(write_module, attribute, value):
    module = write_module("failing_plugins", PLUGINS)
    with raises_input_error("method", f"'{module}:{attribute}'", value):
        create_component("methods", f"{module}:{attribute}", Method)


def test_find_explains_own_names():
    with raises_input_error("source", "'mine'", "mnist", "package.module:Name"):
        find("sources", "mine")
    with raises_input_error("source", "':Name'"):
        find("sources", ":Name")
    with raises_input_error("kind", "'source'", "'sources'"):
        find("source", "ring")
