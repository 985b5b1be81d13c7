"""Directions of the latent space."""

import pytest
import torch
from torch import nn

from iidgan.config.run import Run
from iidgan.core import NetworkFactory, Standardisation
from iidgan.engine.inference import in_own_units
from iidgan.engine.state import build_networks
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.latent import class_directions, read_input_matrix, sefa_directions
from iidgan.methods import GAN, MADGAN
from iidgan.nn import MLP, StyleGAN2
from iidgan.nn.layers.conv import ConvTranspose2d
from iidgan.training.model import Model
from tests.helpers.backbones import CASES
from tests.helpers.errors import raises_input_error
from tests.helpers.latent import make_linear_model

AFFINE_CASES = {name: case for name, case in CASES.items() if not isinstance(case[0], StyleGAN2)}


def make_model(backbone, shape, method=None):
    run = Run(method=method or GAN(), arch=backbone)
    nets = build_networks(run.method, NetworkFactory(backbone, shape), seeds=[0]).eval()
    point = EvaluationPoint(run, seeds=(0,), steps=(0,), diverged=(-1,))
    return Model(point, shape, nets.requires_grad_(False))


def test_sefa_finds_singular_vectors():
    """Rows of norm 1 are not scaled: the right singular vectors of A, squared singular values."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.nn.functional.normalize(torch.randn(40, 5, generator=generator).double(), dim=1)
    _, singular_values, vectors = torch.linalg.svd(rows, full_matrices=False)
    directions, eigenvalues = sefa_directions(rows, 5)
    torch.testing.assert_close(eigenvalues.double(), singular_values**2, rtol=1e-5, atol=0)
    cosines = (directions.double() * vectors).sum(1).abs()
    torch.testing.assert_close(cosines, torch.ones(5, dtype=torch.float64), rtol=1e-5, atol=0)
    assert (directions.gather(1, directions.abs().argmax(1, keepdim=True)) > 0).all()


def test_sefa_scales_rows():
    """One output with a large weight counts as much as one with a small weight."""
    matrix = torch.tensor([[100.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    directions, eigenvalues = sefa_directions(matrix, 3)
    torch.testing.assert_close(directions[0], torch.tensor([0.0, 1.0, 0.0]))
    torch.testing.assert_close(eigenvalues, torch.tensor([2.0, 1.0, 0.0]))


@pytest.mark.parametrize("num", [0, 4])
def test_sefa_refuses_number(num):
    with raises_input_error("num", num, 3):
        sefa_directions(torch.eye(3), num)


def test_input_matrix_of_linear_map():
    matrix = torch.arange(6.0).reshape(2, 3)
    assert torch.equal(read_input_matrix(make_linear_model(matrix)), matrix.T)


@pytest.mark.parametrize(("backbone", "shape"), AFFINE_CASES.values(), ids=AFFINE_CASES)
def test_input_matrix_of_backbones(backbone, shape):
    """The output of the layer that reads z is A z plus its value at 0."""
    model = make_model(backbone, shape)
    outputs = []
    first_layer = next(
        layer for layer in model.nets["G"].modules() if hasattr(layer, "input_matrix")
    )
    first_layer.register_forward_hook(lambda layer, inputs, output: outputs.append(output))
    z = model.sample_prior(1)
    model.generate(z)
    model.generate(torch.zeros_like(z))
    changes = (outputs[0] - outputs[1]).flatten()
    torch.testing.assert_close(changes, read_input_matrix(model) @ z[0], rtol=1e-4, atol=1e-5)


def test_input_matrix_needs_a_layer_that_is_affine_in_z():
    model = make_model(StyleGAN2(latent=4, width=2, mapping_layers=1), (1, 8, 8))
    with raises_input_error("directions", "stylegan2 normalises z"):
        read_input_matrix(model)


def test_input_matrix_below_wrappers():
    model = make_model(MLP(latent=3), (2,), MADGAN())
    scaling = Standardisation(mean=torch.zeros(2), std=torch.ones(2))
    nets = nn.ModuleDict({"G": model.nets["G"]})
    wrapped = Model(model.point, model.shape, in_own_units(nets, scaling))
    assert torch.equal(read_input_matrix(wrapped), read_input_matrix(model))
    assert read_input_matrix(model).shape == (100, 3)


def test_input_matrix_of_one_pixel():
    conv = ConvTranspose2d(3, 2, 4, bias=False).requires_grad_(False)
    z = torch.randn(1, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(conv(z[..., None, None]).flatten(), conv.input_matrix()[0] @ z[0])


def test_input_matrix_refuses_other_layers():
    model = make_linear_model(torch.eye(2))
    model.nets["G"] = nn.Linear(2, 2)
    with raises_input_error("directions", "input_matrix"):
        read_input_matrix(model)


def test_class_directions_are_differences_of_means():
    codes = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 6.0], [0.0, 2.0]])
    directions = class_directions(codes, torch.tensor([7, 7, 2, 2]))
    torch.testing.assert_close(directions, torch.tensor([[-1.0, 2.0], [1.0, -2.0]]))
