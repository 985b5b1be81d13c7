"""Tests of iidgan.cli.parse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
import tyro

from iidgan.cli.parse import parse_options
from iidgan.errors import InputError


@dataclass(frozen=True)
class Options:
    run: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Where networks are. This help text is long enough to be wrapped, on a terminal of usual
    width, over several lines."""
    input: Annotated[str, tyro.conf.arg(aliases=["-i"])]
    num: int = 1
    betas: tuple[float, float] = (0.5, 0.999)
    hidden: tuple[int, ...] = (128, 128)
    eps: float | None = None
    workers: int | Literal["auto"] = 1
    kind: Literal["points", "images"] = "points"


COMPLETE = ["folder", "--input", "x.npy"]


def refuse(arguments) -> str:
    with pytest.raises(InputError) as refusal:
        parse_options(Options, "iidgan try", arguments)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("flag", "way_on"),
    [
        ("--resume", "same command"),
        ("--seed=3", "--seeds N"),
        ("--method.classes=data", "msgan"),
        ("--method.transition=0", "not conditional"),
    ],
)
def test_parse_options_names_own_way(flag, way_on):
    assert way_on in refuse([*COMPLETE, flag])


def test_parse_options_into_dataclass():
    options = parse_options(Options, "iidgan try", [*COMPLETE, "--betas", "0", "0.9"])
    assert options == Options(run="folder", input="x.npy", betas=(0.0, 0.9))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "missing RUN, --input; iidgan try --help shows all arguments"),
        (["folder"], "missing --input; iidgan try --help shows all arguments"),
        ([*COMPLETE, "--num"], "--num: needs a value"),
        ([*COMPLETE, "--num", "2.5"], "--num: must be a whole number, got '2.5'"),
        ([*COMPLETE, "--betas", "1"], "--betas: needs 2 values"),
        ([*COMPLETE, "--betas", "1", "b"], "--betas: must be two numbers, got '1', 'b'"),
        ([*COMPLETE, "--hidden", "8", "x"], "--hidden: must be whole numbers, got '8', 'x'"),
        ([*COMPLETE, "--eps", "x"], "--eps: must be None or a number, got 'x'"),
        ([*COMPLETE, "--workers", "x"], "--workers: must be a whole number or auto, got 'x'"),
        ([*COMPLETE, "--kind", "x"], "--kind: must be one of images, points, got 'x'"),
        ([*COMPLETE, "--nmu", "2"], "--nmu: unknown option; did you mean --num?"),
        ([*COMPLETE, "y"], "'y': unexpected argument; put it right after its option"),
    ],
)
def test_parse_options_rephrases_errors(arguments, message):
    assert refuse(arguments) == message
