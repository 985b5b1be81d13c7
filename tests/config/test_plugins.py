"""Classes that are not part of the package: who may import them, and where they may be defined."""

from __future__ import annotations

import pickle
import sys
from dataclasses import dataclass, replace
from types import ModuleType

import pytest

import iidgan
from iidgan.config.plugins import (
    check_importable,
    describe_main_script_classes,
    get_type_name,
    list_types,
    resolve_plugins,
    resolve_type,
)
from iidgan.config.run import Run
from iidgan.errors import UnnamedPluginError
from tests.helpers.errors import raises_input_error
from tests.helpers.training import DivergingMethod, NoisyMethod, RandomImages
from tests.helpers.untrusted import plugin_name, unload_plugin, write_plugin

NAME = "tests.helpers.training:RandomImages"


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """The file that importing a module of the working directory writes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    yield write_plugin(tmp_path)
    unload_plugin()


def encode_plugin_run(*names):
    methods = [{"type": name} for name in names]
    terms = [{"type": "gaussian"}, *methods[1:]]
    return {"method": {"type": "regularised", "method": methods[0], "terms": terms}}


def test_resolve_plugins_by_name_and_class():
    for plugin in (NAME, RandomImages):
        assert resolve_plugins([plugin]) == {NAME: RandomImages}
    assert resolve_plugins([]) == {}
    assert resolve_type(get_type_name(RandomImages), resolve_plugins([NAME])) is RandomImages


def test_resolve_plugins_under_both_names():
    """A file may use the name that the caller gives, or that of the module that defines it."""
    alias = f"{__name__}:NoisyMethod"
    assert resolve_plugins([alias]) == {
        alias: NoisyMethod,
        "tests.helpers.training:NoisyMethod": NoisyMethod,
    }


@pytest.mark.parametrize(
    ("plugins", "values"),
    [
        (NAME, [NAME, "list"]),
        (RandomImages, ["RandomImages", "list"]),
        (["ring"], ["'ring'", "package.module:Name"]),
        (["no_such_module:Thing"], ["'no_such_module:Thing'"]),
        (["tests.helpers.training:tiny_run"], ["tiny_run", "dataclass"]),
        ([int], ["int", "dataclass"]),
        ([RandomImages()], ["RandomImages(", "dataclass"]),
    ],
)
def test_resolve_plugins_refuses(plugins, values):
    with raises_input_error(None, *values):
        resolve_plugins(plugins)


def test_from_dict_imports_nothing(plugin):
    path_before = list(sys.path)
    with pytest.raises(UnnamedPluginError):
        Run.from_dict(encode_plugin_run(plugin_name()))
    assert not plugin.exists()
    assert sys.path == path_before
    run = Run.from_dict(encode_plugin_run(plugin_name()), [plugin_name()])
    assert plugin.exists()
    assert get_type_name(type(run.method.base_and_terms[0])) == plugin_name()


def test_from_dict_lists_all_plugins(plugin):
    data = encode_plugin_run("a.b:C", "d:E.F", "a.b:C") | {"source": {"type": NAME}}
    with raises_input_error("type", "'a.b:C', 'd:E.F'", "--plugin a.b:C --plugin d:E.F") as caught:
        Run.from_dict(data, [RandomImages])
    assert caught.value.names == ("a.b:C", "d:E.F")
    assert "['a.b:C', 'd:E.F']" in str(caught.value)


@pytest.mark.parametrize("name", ["os:system", "iidgan.methods.gan:GAN", "builtins:int"])
def test_from_dict_names_unlisted_types(name):
    """A name that leads to a class of the package, or to a function, is not listed either."""
    with raises_input_error("type", repr(name), f"--plugin {name}"):
        Run.from_dict(encode_plugin_run(name))


@pytest.mark.parametrize(
    "name", ["a; echo:B", "a:$(echo)", ":B", "a:", "a..b:C", "-a:B", "a:b\n", "x y:Z", "a:B:C"]
)
def test_from_dict_suggests_no_malformed_name(name):
    """What a message advises to paste into a shell can only be a module and a name."""
    with raises_input_error("type", repr(name)) as caught:
        Run.from_dict(encode_plugin_run(name))
    assert "--plugin" not in str(caught.value)


def test_from_dict_ignores_plugin_for_listed_name():
    """A plug-in does not replace a class of the package."""
    run = Run.from_dict({"method": {"type": "gan"}}, [DivergingMethod])
    assert type(run.method) is iidgan.GAN


def test_unnamed_plugin_error_can_be_sent():
    error = UnnamedPluginError("run.json", "a:B", "c:D")
    received = pickle.loads(pickle.dumps(error))
    assert (str(received), received.names) == (str(error), ("a:B", "c:D"))


def test_list_types_of_nested_run():
    run = Run(method=iidgan.Regularised(method=NoisyMethod(), terms=(iidgan.R1(), iidgan.R1())))
    types = list_types(run)
    assert types[0] is Run
    assert {NoisyMethod, iidgan.R1, iidgan.Ring, iidgan.Adam} <= set(types)
    assert len(set(types)) == len(types)


# Where classes may be defined


@dataclass(frozen=True, kw_only=True)
class Replaced(iidgan.GAN):
    pass


FirstReplaced = Replaced


@dataclass(frozen=True, kw_only=True)
class Replaced(iidgan.GAN):
    pass


@dataclass(frozen=True, kw_only=True)
class Misplaced(iidgan.GAN):
    pass


def test_check_importable_accepts_module_classes():
    check_importable(Run(method=DivergingMethod(inner=NoisyMethod()), source=RandomImages()))


def test_check_importable_refuses_local_class():
    class Local(iidgan.GAN):
        pass

    with raises_input_error("type", "Local", "function", "top level of a module"):
        check_importable(Run(method=Local()))


@pytest.mark.parametrize("module", ["__main__", "__mp_main__"])
def test_main_script_classes_are_named(monkeypatch, module):
    """Also in the worker processes of the script, which import it under another name."""
    monkeypatch.setattr(Misplaced, "__module__", module)
    script = sys.modules.get(module) or ModuleType(module)
    monkeypatch.setitem(sys.modules, module, script)
    monkeypatch.setattr(script, "Misplaced", Misplaced, raising=False)
    run = Run(method=iidgan.Regularised(method=Misplaced(), terms=()))
    check_importable(run)
    assert get_type_name(Misplaced) == "__main__:Misplaced"
    assert "plugins=[Misplaced]" in describe_main_script_classes(run)
    assert Run.from_dict(run.to_dict(), [Misplaced]) == run


def test_describe_main_script_classes_without_any():
    assert describe_main_script_classes(Run(method=NoisyMethod())) == ""


def test_check_importable_refuses_replaced_class():
    check_importable(Run(method=Replaced()))
    with raises_input_error("type", f"'{__name__}:Replaced'"):
        check_importable(Run(method=FirstReplaced()))


def test_check_importable_refuses_missing_module(monkeypatch):
    monkeypatch.setattr(Misplaced, "__module__", "module_that_was_removed")
    with raises_input_error("type", "'module_that_was_removed:Misplaced'"):
        check_importable(replace(Run(), method=Misplaced()))
