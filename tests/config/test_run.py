"""Runs: ids, and what a run refuses."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal

import pytest

from iidgan.config.plugins import list_types
from iidgan.config.run import Run
from iidgan.config.serialization import describe_differences
from iidgan.config.start import Start
from iidgan.core import Method, Regularised
from iidgan.data import SOURCES, ArrayFile, FashionMnist, MixtureFile, Mnist, Prepared, Ring
from iidgan.engine.optim import OPTIMISERS, Adam
from iidgan.errors import InputError
from iidgan.methods import GAN, METHODS, iid_gan
from iidgan.nn import BACKBONES, DCGAN, MLP
from iidgan.terms import TERMS
from tests.helpers.errors import raises_input_error
from tests.helpers.training import (
    DivergingMethod,
    NoisyMethod,
    RandomImages,
)

NEEDS_ARGUMENT = {
    "array": ArrayFile(path="x.npy"),
    "mixture-file": MixtureFile(path="x.json"),
    "prepared": Prepared(name="x"),
}

VALID_TEXTS = {"equal": "zipf:1"}
"""Another value of options that few texts are valid for."""


def registered_runs() -> Iterator[tuple[str, Run]]:
    """Makes a run with each thing that has a name."""
    for name, make in METHODS.items():
        yield name, Run(method=make())
    for name, term in TERMS.items():
        yield name, Run(method=Regularised(method=GAN(), terms=(term(),)))
    for name, source in SOURCES.items():
        yield name, Run(source=NEEDS_ARGUMENT[name] if name in NEEDS_ARGUMENT else source())
    for name, arch in BACKBONES.items():
        yield name, Run(arch=arch())
    for name, optimiser in OPTIMISERS.items():
        yield name, Run(optimiser=optimiser())
    nested = Regularised(method=iid_gan(), terms=(TERMS["z-discriminator"](),))
    yield "nested", Run(method=nested, source=RandomImages(), arch=DCGAN())
    yield "stranger", Run(method=DivergingMethod(inner=NoisyMethod()), source=RandomImages())


RUNS = dict(registered_runs())


def change_value(value: Any, hint: Any) -> Any:
    """Finds another valid value of an option."""
    if typing.get_origin(hint) is Literal:
        return next(choice for choice in typing.get_args(hint) if choice != value)
    if value is None and Start in typing.get_args(hint):
        return Start(path="runs/ring", seed=0, digest="0123456789ab")
    if value is None and "tuple[float, float]" in str(hint):
        return (0.25, 0.5)
    if value is None and "float" in str(hint):
        return 0.5
    if value is None and int in typing.get_args(hint):
        return 2
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return 0.9 * value or 0.5
    if isinstance(value, tuple):
        item_hint = next(iter(typing.get_args(hint)), None)
        if typing.get_origin(item_hint) is Literal:  # names, each once
            return value[1:]
        return (change_value(value[0], item_hint), *value[1:])
    return VALID_TEXTS.get(value, f"{value or ''}x")


def halve_first_player(method: Method) -> tuple[tuple[str, float], ...]:
    """Finds valid factors of the learning rate, or none if a term does not fit the method."""
    try:
        return ((method.players[0].name, 0.5),)
    except InputError:
        return ()


def edit_fields(thing: Any) -> Iterator[tuple[str, Any, bool]]:
    """Changes each option in turn: where, the changed thing, and whether it is a mere place."""
    hints = typing.get_type_hints(type(thing))
    for f in fields(thing):
        value = getattr(thing, f.name)
        if is_dataclass(value):
            for name, edited, place in edit_fields(value):
                yield f"{f.name}.{name}", replace(thing, **{f.name: edited}), place
        elif isinstance(value, tuple) and value and is_dataclass(value[0]):
            for i, item in enumerate(value):
                for name, edited, place in edit_fields(item):
                    changed = (*value[:i], edited, *value[i + 1 :])
                    yield f"{f.name}[{i}].{name}", replace(thing, **{f.name: changed}), place
        elif f.name == "lr_factors":
            if factors := halve_first_player(thing.method):
                yield f.name, replace(thing, lr_factors=factors), False
        elif f.name != "every" or thing.losses or thing.players:  # others cannot be lazy
            changed = change_value(value, hints[f.name])
            yield f.name, replace(thing, **{f.name: changed}), bool(f.metadata.get("path"))


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_run_id_covers_options_but_paths(run):
    seen = {run.id}
    for name, edited, place in edit_fields(run):
        assert (edited.id in seen) == place, name
        seen.add(edited.id)
        again = Run.from_dict(json.loads(json.dumps(edited.to_dict())), list_types(edited))
        assert again == edited
        assert again.id == edited.id
        lines = describe_differences(
            run.to_dict(include_paths=False), edited.to_dict(include_paths=False)
        )
        assert [line[: len(name)] for line in lines] == ([] if place else [name])


def test_run_id_excludes_exactly_paths():
    places = {
        f"{label}.{name}"
        for label, run in RUNS.items()
        for name, _, place in edit_fields(run)
        if place
    }
    stacked = ("stacked-mnist", "stacked-fashion")
    named = ("mnist", "mnist-5k", "fashion-mnist", "prepared", *stacked)
    images = {f"{name}.source.root" for name in named}
    assert places == images | {"array.source.path", "mixture-file.source.path"}


def test_run_id_equal_for_equal_runs():
    whole = Run(optimiser=Adam(lr=1, betas=(0, 0.9)), source=Ring(radius=2), ema=0)
    exact = Run(optimiser=Adam(lr=1.0, betas=(0.0, 0.9)), source=Ring(radius=2.0), ema=0.0)
    assert whole == exact
    assert whole.id == exact.id
    assert Run(arch=MLP(hidden=[8, 8])).id == Run(arch=MLP(hidden=(8, 8))).id


def test_run_id_is_short_hexadecimal():
    assert len(Run().id) == 12
    assert int(Run().id, 16) >= 0
    assert Run(source=Mnist(root="/a")).id == Run(source=Mnist(root="/b")).id
    assert Run(source=Mnist()).id != Run(source=FashionMnist()).id


def test_run_id_omits_later_defaults():
    """The default of a field that came later is no part of the id, nor of what is stored."""
    run = Run()
    assert run.id == "6cd2c3fe7e92"
    assert "precision" not in run.to_dict()
    half = Run(precision="bfloat16")
    assert half.id != run.id
    assert Run.from_dict(half.to_dict()) == half
    assert Run.from_dict(run.to_dict()) == run
    with pytest.raises(InputError, match="precision: unknown 'float16'; did you mean 'bfloat16'"):
        Run(precision="float16")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 0),
        ("batch", -1),
        ("ema", 1.0),
        ("ema", -0.1),
        ("ema_rampup", 1.1),
    ],
)
def test_run_refuses_numbers_out_of_range(field, value):
    with raises_input_error(field, value):
        Run(**{field: value})


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"method": iid_gan}, "method", "iid_gan"),
        ({"method": "gan"}, "method", "'gan'"),
        ({"source": "ring"}, "source", "'ring'"),
        ({"steps": 10.5}, "steps", "10.5"),
        ({"batch": "10"}, "batch", "'10'"),
    ],
)
def test_run_refuses_other_types(changes, field, value):
    with raises_input_error(field, value):
        Run(**changes)


def test_run_lr_factors_of_one_are_omitted():
    run = Run(lr_factors=(("G", 1.0), ("D", 1)))
    assert run == Run()
    assert run.id == Run().id
    assert "lr_factors" not in run.to_dict()


def test_run_lr_factors_have_one_order():
    run = Run(lr_factors=(("G", 0.5), ("D", 4)))
    assert run.lr_factors == (("D", 4), ("G", 0.5))
    assert run.id == Run(lr_factors=(("D", 4.0), ("G", 0.5))).id
    assert Run.from_dict(json.loads(json.dumps(run.to_dict()))) == run


@pytest.mark.parametrize(
    ("factors", "words"),
    [
        ((("E", 2.0),), ["'E'", "D, G"]),
        ((("D", 0.0),), ["0.0", "D"]),
        ((("D", float("nan")),), ["nan", "D"]),
        ((("D", 2.0), ("D", 3.0)), ["D", "two"]),
        ((("D",),), ["tuple[tuple[str, float], ...]"]),
    ],
)
def test_run_lr_factors_refused(factors, words):
    with raises_input_error("lr_factors", *words):
        Run(lr_factors=factors)


def test_run_lr_factors_of_players_of_terms():
    assert Run(method=METHODS["ivgan"](), lr_factors=(("E", 50.0),)).lr_factors == (("E", 50.0),)
