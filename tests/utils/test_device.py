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


def test_resolve_device_lists_accelerators(monkeypatch):
    accelerator = torch.device("cuda")
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **options: accelerator)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    with raises_input_error("device", "one of cpu, cuda:0, cuda:1"):
        resolve_device("nosuch")


def test_resolve_device_cpu():
    assert resolve_device("cpu") == torch.device("cpu")
