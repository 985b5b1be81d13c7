"""The record of how features were computed."""

import json
from dataclasses import fields, replace

import pytest

from iidgan.features import FeatureProtocol, create_extractor
from tests.helpers.errors import raises_input_error

OTHER_VALUES = {
    "extractor": "mine",
    "weights": "0" * 64,
    "num_features": 7,
    "input_size": None,
    "resize_filter": "bilinear",
    "resize_kernel": "a = -0.75",
    "resize_arithmetic": "uint8",
    "value_range": (0.0, 255.0),
}


@pytest.fixture
def protocol():
    return create_extractor("pixels").protocol


@pytest.mark.parametrize("field", [field.name for field in fields(FeatureProtocol)])
def test_differing_field_is_named(protocol, field):
    other = replace(protocol, **{field: OTHER_VALUES[field]})
    assert protocol.differing_field(other) == field
    with raises_input_error("real.npz", field, repr(OTHER_VALUES[field])):
        protocol.check_comparable(other, "real.npz")


def test_equal_protocols_are_comparable(protocol):
    assert protocol.differing_field(replace(protocol)) is None
    protocol.check_comparable(replace(protocol), "real.npz")


@pytest.mark.parametrize("input_size", [(32, 48), None])
def test_json_keeps_every_field(protocol, input_size):
    protocol = replace(protocol, input_size=input_size)
    assert FeatureProtocol.from_dict(json.loads(json.dumps(protocol.to_dict()))) == protocol


def test_damaged_json_is_refused(protocol):
    values = protocol.to_dict()
    with raises_input_error("num_features", "many"):
        FeatureProtocol.from_dict(values | {"num_features": "many"})
    with raises_input_error("protocol", "value_range"):
        FeatureProtocol.from_dict({"extractor": "pixels"})
