"""Devices by name."""

import pytest
import torch

from iidgan.utils.device import resolve_device
from tests.helpers.errors import raises_input_error


@pytest.mark.parametrize("name", ["hpu", "meta", "nosuch", "", 3.5, None])
def test_resolve_device_refuses_unusable(name):
    with raises_input_error("device", repr(name), "--device", "auto", "cpu") as caught:
        resolve_device(name)
    assert "vulkan" not in str(caught.value)  # torch lists the devices of all machines
    assert len(str(caught.value)) < 200


@pytest.mark.gpu
def test_resolve_device_lists_accelerators():
    with raises_input_error("device", "cpu, cuda:0"):
        resolve_device("cuda:999")


def test_resolve_device_cpu():
    assert resolve_device("cpu") == torch.device("cpu")
