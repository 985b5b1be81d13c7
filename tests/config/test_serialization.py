"""Runs to and from JSON, and how two of them differ."""

from __future__ import annotations

import pytest

from iidgan.config.run import Run
from iidgan.config.serialization import describe_differences, encode
from iidgan.data import Grid, Ring
from iidgan.methods import GAN, iid_gan
from tests.helpers.errors import raises_input_error


@pytest.mark.parametrize(
    ("data", "field", "values"),
    [
        ({"source": {"type": "rign"}}, "type", ["'rign'", "did you mean 'ring'"]),
        (
            {"source": {"type": "ring", "radus": 1.0}},
            None,
            ["Ring", "'radus'", "did you mean 'radius'"],
        ),
        ({"stepz": 3}, None, ["Run", "'stepz'", "did you mean 'steps'"]),
        ({"source": {"modes": 3}}, "type", ["known: "]),
        ({"source": {"type": None}}, "type", ["'None'"]),
        ({"source": {"type": "no_such_module:Thing"}}, "type", ["no_such_module"]),
        ({"source": {"type": "iidgan.data:Rign"}}, "type", ["Rign"]),
        ({"source": {"type": "builtins:int"}}, "type", ["builtins:int"]),
        ({"steps": 0}, "steps", [0, 1]),
    ],
)
def test_from_dict_names_unknown_values(data, field, values):
    with raises_input_error(field, *values):
        Run.from_dict(data)


def test_encode_refuses_other_objects():
    for value in (object(), {1, 2}, Ring):
        with raises_input_error("type", type(value).__name__, "dataclass"):
            encode((1, value))


def test_difference_shows_both_values():
    old = Run(method=iid_gan())
    new = Run(method=GAN(), source=Grid(), steps=5)
    lines = describe_differences(old.to_dict(), new.to_dict())
    assert lines == [
        "source (ring there, grid here)",
        "method (regularised there, gan here)",
        "steps (24000 there, 5 here)",
    ]
    assert describe_differences([1, 2], [1], "seeds") == ["seeds ([1, 2] there, [1] here)"]
