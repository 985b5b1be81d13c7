"""Fields that do not have the types that they declare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pytest

from iidgan.core import TypedFields
from tests.helpers.errors import raises_input_error

if TYPE_CHECKING:
    from decimal import Decimal


class HasSize(Protocol):
    size: int


@dataclass(frozen=True, kw_only=True)
class Options(TypedFields):
    size: int = 1
    scale: float = 1.0
    flag: bool = False
    name: str | None = None
    pair: tuple[float, float] = (0.0, 1.0)
    sizes: tuple[int, ...] = ()
    kind: Literal["mean", "sum"] = "mean"
    kinds: tuple[Literal["mean", "sum"], ...] = ()
    side: Literal[28, 32] = 28
    inner: Options | None = None
    sized: HasSize | None = None
    compute: Callable[[], int] = int
    anything: Any = None

    def __post_init__(self):
        assert self.size < 10, "compared after its type is checked"


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 3},
        {"scale": 3},
        {"name": "x"},
        {"pair": (1, 2.5)},
        {"pair": [1, 2]},
        {"sizes": (1, 2, 3)},
        {"sizes": [4]},
        {"kind": "sum"},
        {"side": 32},
        {"inner": Options(size=2)},
        {"sized": 3},
        {"compute": 3},
        {"anything": object()},
    ],
)
def test_typed_fields_accept(changes):
    options = replace(Options(), **changes)
    assert all(getattr(options, name) == value for name, value in changes.items())


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("size", "3", ["must be an int, got '3'"]),
        ("size", 3.0, ["3.0"]),
        ("size", True, ["an int, got True"]),
        ("size", None, ["None"]),
        ("scale", "1", ["a float, got '1'"]),
        ("scale", False, ["False"]),
        ("flag", 1, ["a bool, got 1"]),
        ("name", 3, ["a str or None, got 3"]),
        ("pair", (1.0,), ["tuple[float, float]", "(1.0,)"]),
        ("pair", ("a", 1.0), ["tuple[float, float]", "('a', 1.0)"]),
        ("sizes", 3, ["tuple[int, ...]"]),
        ("sizes", (1, "b"), ["tuple[int, ...]", "(1, 'b')"]),
        ("sizes", "12", ["tuple[int, ...]", "'12'"]),
        ("kind", "means", ["unknown 'means'; did you mean 'mean'?"]),
        ("kind", 3, ["unknown 3", "sum"]),
        ("kinds", ("sum", "means"), ["unknown 'means'; did you mean 'mean'?"]),
        ("kinds", 3, ["tuple", "mean", "got 3"]),
        ("side", 30, ["one of 28, 32, got 30"]),
        ("side", "28", ["one of 28, 32, got '28'"]),
        ("inner", 3, ["an Options or None, got 3"]),
        ("inner", Options, ["got <class", "; call it"]),
    ],
)
def test_typed_fields_refuse(name, value, words):
    with raises_input_error(name, *words):
        Options(**{name: value})


def test_typed_fields_of_subclasses():
    @dataclass(frozen=True, kw_only=True)
    class More(Options):
        count: int = 0

    @dataclass(frozen=True, kw_only=True)
    class OwnCheck(Options):
        count: int = 0

        def __post_init__(self):
            assert self.count >= 0

    for cls in (More, OwnCheck):
        with raises_input_error("count", "'x'"):
            cls(count="x")
        with raises_input_error("size", "'x'"):
            cls(size="x")


def test_typed_fields_for_type_checkers_only_are_not_checked():
    @dataclass(frozen=True, kw_only=True)
    class Price(Options):
        amount: Decimal = 0
        scale: Decimal = 0

    assert Price(amount="x").amount == "x"
    assert Price(scale="x").scale == "x"
    with raises_input_error("size", "'x'"):
        Price(size="x")


@pytest.mark.parametrize("value", [list(range(10_000)), "x" * 10_000])
def test_typed_fields_errors_are_short(value):
    with raises_input_error("size", repr(value)[:100]) as caught:
        Options(size=value)
    assert len(str(caught.value)) < 400
