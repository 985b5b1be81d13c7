"""The precision that is chosen for a device, and that of a run directory."""

import json

import pytest

from iidgan.nn import DCGAN, MLP, CollapsedInit, ResNet
from iidgan.training.precision import choose_precision, read_precision
from tests.helpers.errors import raises_input_error
from tests.helpers.training import set_bfloat16_units


@pytest.mark.parametrize("units", ["avx512_bf16", "amx_bf16"])
@pytest.mark.parametrize(
    ("arch", "expected"),
    [
        (DCGAN(), "bfloat16"),
        (ResNet(), "bfloat16"),
        (CollapsedInit(backbone=DCGAN()), "bfloat16"),
        (CollapsedInit(), "float32"),
        (MLP(), "float32"),
    ],
)
def test_choose_precision_with_units(monkeypatch, units, arch, expected):
    set_bfloat16_units(monkeypatch, units)
    assert choose_precision(arch, "cpu") == expected


def test_choose_precision_without_units(monkeypatch):
    set_bfloat16_units(monkeypatch)
    assert choose_precision(DCGAN(), "cpu") == "float32"


def test_choose_precision_checks_device():
    with raises_input_error("device", "nonsense"):
        choose_precision(DCGAN(), "nonsense")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [({"run": {}}, "float32"), ({"run": {"precision": "bfloat16"}}, "bfloat16")],
)
def test_read_precision(tmp_path, facts, expected):
    assert read_precision(tmp_path) is None
    (tmp_path / "run.json").write_text(json.dumps(facts))
    assert read_precision(tmp_path) == expected


def test_read_precision_of_damaged_run(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    with raises_input_error(None, tmp_path / "run.json"):
        read_precision(tmp_path)
