"""Files of networks: run by other programs, they return what the model returns."""

from __future__ import annotations

import json
from dataclasses import dataclass

import onnx
import onnxruntime
import pytest
import torch
from torch import nn

import iidgan
from iidgan.core import Classes, NetworkFactory, Standardisation
from iidgan.engine.state import build_networks
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.sharing.network_files import export_network
from iidgan.training.model import TrainedNetworks
from tests.helpers.backbones import SMALLEST, each_backbone
from tests.helpers.errors import raises_input_error

CONDITIONAL = iidgan.conditional_iid_gan()


def create_model(method, arch, shape, *, scaling=None, num_classes=0):
    """A model whose standing statistics are not those of new networks."""
    classes = None
    if num_classes:
        names = tuple(f"class {label}" for label in range(num_classes))
        classes = Classes(names, (1 / num_classes,) * num_classes)
    run = iidgan.Run(method=method, arch=arch)
    nets = build_networks(method, NetworkFactory(arch, shape, num_classes), seeds=[0])
    nets = nn.ModuleDict({name: nets[name] for name in ("G", "F") if name in nets})
    for name, buffer in nets.named_buffers():
        if name.endswith((".mean", ".var")):
            buffer.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(0))
    point = EvaluationPoint(run, (0,), (500,), (-1,))
    return TrainedNetworks(point, shape, nets.eval(), scaling, classes).select_model()


def run_onnx(path, inputs):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (name,) = (value.name for value in session.get_inputs())
    return torch.from_numpy(session.run(None, {name: inputs.numpy()})[0])


def read_metadata(path):
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


@pytest.mark.slow
def test_onnx_of_points_returns_units_of_data(tmp_path):
    scaling = Standardisation(torch.tensor([100.0, -3.0]), torch.tensor([7.0, 0.1]))
    model = create_model(iidgan.iid_gan(), iidgan.MLP(hidden=(8,)), (2,), scaling=scaling)
    generator = export_network(model, tmp_path / "G.onnx")
    inverse = export_network(model, tmp_path / "new" / "F.onnx", "F")
    for num in (1, 2, 33):  # the batch axis is free
        z = model.sample_prior(num)
        x = run_onnx(generator, z)
        torch.testing.assert_close(x, model.generate(z))
        torch.testing.assert_close(run_onnx(inverse, x), model.invert(x), rtol=1e-4, atol=1e-5)
    facts = read_metadata(generator)
    assert facts["run"] == model.point.run.id
    assert (facts["seed"], facts["step"], facts["network"]) == ("0", "500", "G")
    assert (facts["value_range"], json.loads(facts["shape"])) == ("that of the data", [2])
    assert "classes" not in facts
    (value,) = onnx.load(inverse).graph.input
    assert value.name == "x"
    assert value.type.tensor_type.shape.dim[0].dim_param == "batch"


@pytest.mark.slow
def test_onnx_of_conditional_images(tmp_path):
    arch = iidgan.DCGAN(latent=3, width=2)
    model = create_model(CONDITIONAL, arch, (1, 8, 8), num_classes=2)
    path = export_network(model, tmp_path / "G.onnx")
    codes = model.encode(torch.randn(5, 3), "class 1")
    torch.testing.assert_close(run_onnx(path, codes), model.generate(codes))
    facts = read_metadata(path)
    assert json.loads(facts["classes"]) == ["class 0", "class 1"]
    assert facts["value_range"] == "[-1, 1]"


@pytest.mark.slow
@each_backbone(SMALLEST)
def test_program_of_backbone(backbone, shape, tmp_path):
    model = create_model(iidgan.GAN(), backbone, shape)
    extra_files = {"iidgan.json": ""}
    path = export_network(model, tmp_path / "G.pt2")
    generator = torch.export.load(path, extra_files=extra_files).module()
    z = torch.randn(3, backbone.latent)
    torch.testing.assert_close(generator(z), model.generate(z))
    assert json.loads(extra_files["iidgan.json"])["run"] == model.point.run.id


@pytest.mark.slow
def test_program_of_inverse_of_images(tmp_path):
    model = create_model(iidgan.iid_gan(), iidgan.DCGAN(latent=3, width=2), (1, 8, 8))
    inverse = torch.export.load(export_network(model, tmp_path / "F.pt2", "F")).module()
    x = torch.rand(4, 1, 8, 8)
    torch.testing.assert_close(inverse(x), model.invert(x))


@pytest.mark.parametrize("method", [iidgan.MADGAN(), iidgan.MGGAN(), iidgan.VAE()])
def test_program_of_method(method, tmp_path):
    model = create_model(method, iidgan.MLP(hidden=(4,)), (2,))
    generator = torch.export.load(export_network(model, tmp_path / "G.pt2")).module()
    z = torch.randn(9, 2)
    torch.testing.assert_close(generator(z), model.generate(z))


class NoisyNetwork(nn.Module):
    """Adds noise of its own."""

    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(1, 1, 2))

    def forward(self, z):
        return z + self.shift + torch.randn_like(z)


class UntraceableNetwork(NoisyNetwork):
    """Decides by values."""

    def forward(self, z):
        return z + self.shift if float(z.sum()) > 0 else z


@dataclass(frozen=True, kw_only=True)
class OwnGenerator(iidgan.GAN):
    """A GAN whose generator is one of the above."""

    untraceable: bool = False

    def networks(self, factory):
        network = UntraceableNetwork() if self.untraceable else NoisyNetwork()
        return super().networks(factory) | {"G": network}


def test_export_refuses_networks(tmp_path):
    for method, words in ((OwnGenerator(), "random"), (OwnGenerator(untraceable=True), "G")):
        model = create_model(method, iidgan.MLP(hidden=(4,)), (2,))
        with raises_input_error("network", words):
            export_network(model, tmp_path / "G.pt2")
    assert list(tmp_path.iterdir()) == []


def test_export_does_not_keep_another_network(tmp_path, monkeypatch):
    model = create_model(iidgan.GAN(), iidgan.MLP(hidden=(4,)), (2,))
    monkeypatch.setitem(
        iidgan.sharing.network_files._LOADERS,
        ".pt2",
        lambda path: lambda z: torch.zeros(len(z), 2),
    )
    with raises_input_error("network", "G"):
        export_network(model, tmp_path / "G.pt2")
    assert list(tmp_path.iterdir()) == []


def test_export_refuses_bad_arguments(tmp_path, monkeypatch):
    model = create_model(iidgan.GAN(), iidgan.MLP(hidden=(4,)), (2,))
    with raises_input_error("out", ".onnx", ".pt2", "G.bin"):
        export_network(model, tmp_path / "G.bin")
    with raises_input_error("network", "'D'", "F, G"):
        export_network(model, tmp_path / "D.pt2", "D")
    with raises_input_error("invert", "bigan"):
        export_network(model, tmp_path / "F.pt2", "F")
    monkeypatch.setattr("iidgan.utils.extras.util.find_spec", lambda name: None)
    with raises_input_error("format", "onnxruntime", "pip install 'iidgan[onnx]'"):
        export_network(model, tmp_path / "G.onnx")
