"""Checks of the options and of the samples of backbones for images."""

import pytest
import torch

from iidgan.nn import (
    DCGAN,
    DCGANSN,
    MLP,
    SNGANCNN,
    ArxivCIFAR,
    ArxivSTL,
    MnistNet,
    R3GANNet,
    ResNet,
    StyleGAN2,
)
from tests.helpers.backbones import BUILDERS
from tests.helpers.errors import raises_input_error


@pytest.fixture(autouse=True)
def _seed(float64):
    torch.manual_seed(0)


REFUSED_SHAPES = {
    "dcgan-sn": (DCGANSN(), [(2,), (1, 28), (1, 32, 7)], ("at least 16 pixels", "--arch mlp")),
    "dcgan-sn, small": (
        DCGANSN(),
        [(1, 15, 15), (1, 15, 40)],
        ("at least 16 pixels", "--arch dcgan"),
    ),
    "sngan-cnn": (SNGANCNN(), [(2,), (3, 4, 4)], ("multiple of 8 pixels", "--arch mlp")),
    "sngan-cnn, 28": (
        SNGANCNN(),
        [(1, 28, 28), (1, 32, 28), (1, 28, 32)],
        ("multiple of 8 pixels", "--arch dcgan"),
    ),
    "resnet": (
        ResNet(),
        [(3, 16, 16), (1, 28, 28), (1, 32, 44), (1, 56, 48), (1, 64, 80), (1, 128, 128)],
        ("32 or 48 or 64 pixels", "multiple of 8 or 16 or 32", "--arch dcgan"),
    ),
    "arxiv-cifar": (
        ArxivCIFAR(),
        [(3, 30, 30), (3, 32, 30)],
        ("multiple of 4 pixels", "--arch dcgan"),
    ),
    "arxiv-stl": (
        ArxivSTL(),
        [(3, 28, 28), (3, 24, 28)],
        ("multiple of 8 pixels", "--arch dcgan"),
    ),
    "mnist-net": (
        MnistNet(),
        [(1, 30, 30), (1, 30, 32)],
        ("multiple of 4 pixels", "--arch dcgan"),
    ),
    "stylegan2": (
        StyleGAN2(),
        [(3, 36, 36), (1, 32, 36), (1, 24, 42)],
        ("4, 5, 6 or 7 times", "--arch dcgan"),
    ),
    "r3gan": (R3GANNet(), [(3, 36, 36), (1, 24, 42)], ("4, 5, 6 or 7 times", "--arch dcgan")),
    "stylegan2, small": (StyleGAN2(), [(2,), (3, 7, 7), (1, 4, 8)], ("--arch mlp",)),
    "dcgan": (
        DCGAN(),
        [(2,), (1, 28), (1, 7, 7), (1, 7, 32), (1, 32, 7)],
        ("at least 8 pixels", "--arch mlp"),
    ),
}


@pytest.mark.parametrize(
    ("backbone", "shapes", "values"), REFUSED_SHAPES.values(), ids=REFUSED_SHAPES
)
def test_check_image_size_refuses_shapes(backbone, shapes, values):
    for shape in shapes:
        for name, make in BUILDERS.items():
            if name != "latent":
                with raises_input_error("arch", *values, shape):
                    make(backbone, shape)


@pytest.mark.parametrize(
    ("make", "field", "value", "bounds"),
    [
        (DCGAN, "width", 0, [1]),
        (DCGAN, "latent", 0, [1]),
        (DCGAN, "norm", "bach", ["batch"]),
        (R3GANNet, "blocks", 0, [1]),
        (StyleGAN2, "max_width", 0, [1]),
        (StyleGAN2, "mapping_layers", 0, [1]),
        (MLP, "latent", 0, [1]),
        (MLP, "hidden", (10, 0), [1]),
    ],
)
def test_backbone_fields_out_of_range(make, field, value, bounds):
    with raises_input_error(field, value, *bounds):
        make(**{field: value})
