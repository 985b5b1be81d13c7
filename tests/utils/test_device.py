"""Devices by name."""

import pytest
import torch

from iidgan.utils.device import has_bfloat16_units, resolve_device
from tests.helpers.errors import raises_input_error
from tests.helpers.training import set_bfloat16_units


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


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        (("avx2", "avx512_bf16"), True),
        (("amx_tile", "amx_bf16"), True),
        (("avx2", "avx512_f", "avx512_vnni", "amx_int8"), False),  # torch would emulate bfloat16
        ((), False),
    ],
)
def test_has_bfloat16_units_of_processors(monkeypatch, extensions, expected):
    set_bfloat16_units(monkeypatch, *extensions)
    assert has_bfloat16_units(torch.device("cpu")) is expected


@pytest.mark.parametrize("is_supported", [True, False])
def test_has_bfloat16_units_of_gpus(monkeypatch, is_supported):
    """Without emulation, and on the given device rather than the current one."""
    selected_devices, options = [], []

    class RecordingDevice:
        def __init__(self, device):
            selected_devices.append(device)

        def __enter__(self):
            options.clear()

        def __exit__(self, *error):
            assert options == [{"including_emulation": False}]

    def is_bf16_supported(**given_options):
        options.append(given_options)
        return is_supported

    monkeypatch.setattr(torch.cuda, "device", RecordingDevice)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_bf16_supported)
    assert has_bfloat16_units(torch.device("cuda:1")) is is_supported
    assert selected_devices == [torch.device("cuda:1")]


def test_has_bfloat16_units_of_other_devices():
    assert not has_bfloat16_units(torch.device("meta"))
