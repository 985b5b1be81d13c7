"""Devices by name."""

import pytest
import torch

from iidgan.utils.device import resolve_device
from tests.helpers.errors import raises_input_error


@pytest.mark.parametrize("name", ["hpu", "meta"])
def test_resolve_device_refuses_unusable(name):
    with raises_input_error("device", repr(name)):
        resolve_device(name)


def test_resolve_device_cpu():
    assert resolve_device("cpu") == torch.device("cpu")
