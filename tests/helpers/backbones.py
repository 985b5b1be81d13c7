"""Small backbones of every architecture, and the networks that they build."""

import copy
from unittest import mock

import pytest
import torch
from torch import nn

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
from iidgan.nn.backbones.image import Reshape
from iidgan.nn.layers.conv import Conv2d, ConvTranspose2d, Dense
from iidgan.nn.layers.weight import SpectralWeight

NUM_SEEDS, BATCH_SIZE = 2, 3


CASES = {
    "mlp": (MLP(latent=2, hidden=(7, 6)), (2,)),
    "mlp, linear": (MLP(latent=3, hidden=()), (5,)),
    "dcgan 28": (DCGAN(latent=6, width=2), (1, 28, 28)),
    "dcgan 32": (DCGAN(latent=6, width=2, spectral_norm=True), (3, 32, 32)),
    "dcgan 48": (DCGAN(latent=6, width=2, norm="none"), (1, 48, 48)),
    "dcgan 64": (DCGAN(latent=6, width=2), (3, 64, 64)),
    "dcgan-sn 28": (DCGANSN(latent=6, width=2), (1, 28, 28)),
    "dcgan-sn 32": (DCGANSN(latent=6, width=2), (3, 32, 32)),
    "dcgan-sn 48": (DCGANSN(latent=6, width=2, norm="none"), (3, 48, 48)),
    "dcgan-sn 64": (DCGANSN(latent=6, width=2), (1, 64, 64)),
    "sngan-cnn 32": (SNGANCNN(latent=6, width=2), (3, 32, 32)),
    "sngan-cnn 48": (SNGANCNN(latent=6, width=2, spectral_norm=False), (1, 48, 48)),
    "sngan-cnn 64": (SNGANCNN(latent=6, width=2), (3, 64, 64)),
    "resnet 32": (ResNet(latent=6, width=1), (3, 32, 32)),
    "resnet 48": (ResNet(latent=6, width=1, spectral_norm=False), (1, 48, 48)),
    "resnet 64": (ResNet(latent=6, width=1), (3, 64, 64)),
    "arxiv-cifar 28": (ArxivCIFAR(latent=6, width=2, norm="none"), (1, 28, 28)),
    "arxiv-cifar 32": (ArxivCIFAR(latent=6, width=2), (3, 32, 32)),
    "arxiv-stl 32": (ArxivSTL(latent=6, width=2), (3, 32, 32)),
    "arxiv-stl 48": (ArxivSTL(latent=6, width=2), (1, 48, 48)),
    "mnist-net 28": (MnistNet(width=2), (1, 28, 28)),
    "mnist-net 32": (MnistNet(width=2, norm="none"), (3, 32, 32)),
    "stylegan2 28": (StyleGAN2(latent=6, width=2), (1, 28, 28)),
    "r3gan 28": (R3GANNet(latent=6, width=2, max_width=6), (1, 28, 28)),
    "r3gan 32": (R3GANNet(latent=6, width=3, blocks=1, expansion=1), (4, 32, 32)),
    "stylegan2 32": (StyleGAN2(latent=6, width=2, max_width=3, mapping_layers=2), (5, 32, 32)),
}


RECTANGLES = {
    "dcgan 24x32": (DCGAN(latent=6, width=2), (3, 24, 32)),
    "dcgan 28x50": (DCGAN(latent=6, width=2), (1, 28, 50)),
    "dcgan-sn 24x32": (DCGANSN(latent=6, width=2), (3, 24, 32)),
    "dcgan-sn 43x16": (DCGANSN(latent=6, width=2), (1, 43, 16)),
    "sngan-cnn 24x32": (SNGANCNN(latent=6, width=2), (3, 24, 32)),
    "resnet 40x32": (ResNet(latent=6, width=1), (3, 40, 32)),
    "resnet 48x64": (ResNet(latent=6, width=1), (1, 48, 64)),
    "arxiv-cifar 24x32": (ArxivCIFAR(latent=6, width=2), (3, 24, 32)),
    "arxiv-stl 24x32": (ArxivSTL(latent=6, width=2), (3, 24, 32)),
    "mnist-net 28x20": (MnistNet(width=2), (1, 28, 20)),
    "r3gan 20x12": (R3GANNet(latent=6, width=2), (3, 20, 12)),
    "stylegan2 12x20": (StyleGAN2(latent=6, width=2), (3, 12, 20)),
}
"""Images whose sides differ."""
CASES |= RECTANGLES

SMALLEST = {
    "dcgan": (DCGAN(latent=3, width=2), (1, 8, 8)),
    "dcgan without norm": (DCGAN(latent=3, width=2, norm="none"), (1, 8, 8)),
    "dcgan-sn": (DCGANSN(latent=3, width=2), (1, 20, 20)),
    "sngan-cnn": (SNGANCNN(latent=3, width=2), (1, 8, 8)),
    "resnet": (ResNet(latent=3, width=1), (1, 32, 32)),
    "arxiv-cifar": (ArxivCIFAR(latent=3, width=2), (1, 8, 8)),
    "arxiv-stl": (ArxivSTL(latent=3, width=2), (1, 8, 8)),
    "mnist-net": (MnistNet(width=2), (1, 8, 8)),
    "r3gan": (R3GANNet(latent=3, width=2, blocks=1), (1, 8, 8)),
    "stylegan2": (StyleGAN2(latent=3, width=2, mapping_layers=2), (1, 8, 8)),
}


IMAGE_CASES = {name: case for name, case in CASES.items() if len(case[1]) == 3}


BUILDERS = {
    "generator": lambda backbone, shape: backbone.build_generator(shape),
    "discriminator": lambda backbone, shape: backbone.build_discriminator(shape),
    "spectral": lambda backbone, shape: backbone.build_discriminator(shape, spectral=True),
    "encoder": lambda backbone, shape: backbone.build_encoder(shape, 7),
    "inverse": lambda backbone, shape: backbone.build_inverse(shape),
    "joint": lambda backbone, shape: backbone.build_joint_discriminator(shape),
    "latent": lambda backbone, shape: backbone.build_latent_discriminator(),
    "head": lambda backbone, shape: backbone.build_head(shape, 7),
}


@pytest.fixture
def narrow_latent_discriminators(monkeypatch):
    """Builds discriminators of latents, a million weights each for images, of 16 units a layer."""
    monkeypatch.setattr("iidgan.nn.backbones.image.LATENT_HIDDEN", (16, 16))


def each_backbone(cases):
    """Parametrise a test by backbones and shapes."""
    return pytest.mark.parametrize(("backbone", "shape"), cases.values(), ids=cases)


def stack_networks(make):
    """Build one network per seed, and one network with the tensors of all seeds."""
    single_networks = [make() for _ in range(NUM_SEEDS)]
    stacked_network = copy.deepcopy(single_networks[0])
    for name, part in stacked_network.named_modules():
        for kind in ("_parameters", "_buffers"):
            for key, value in getattr(part, kind).items():
                if value is not None:
                    values = [
                        getattr(network.get_submodule(name), kind)[key].detach()
                        for network in single_networks
                    ]
                    joined = torch.cat(values)
                    getattr(part, kind)[key] = (
                        nn.Parameter(joined) if kind == "_parameters" else joined
                    )
    return stacked_network, single_networks


def draw_inputs(name, backbone, shape):
    """Draw the inputs of network `name`."""
    z = torch.randn(NUM_SEEDS, BATCH_SIZE, backbone.latent)
    x = torch.randn(NUM_SEEDS, BATCH_SIZE, *shape).tanh()
    if name == "head":
        discriminator, _ = stack_networks(lambda: backbone.build_discriminator(shape))
        return (discriminator.features(x).detach(),)
    return {"generator": (z,), "latent": (z,), "joint": (x, z)}.get(name, (x,))


def count_parameters(make, *shape):
    """Count the parameters of a network without initialising them."""
    with torch.device("meta"), mock.patch.object(SpectralWeight, "update_singular_vectors"):
        return sum(parameter.numel() for parameter in make(*shape).parameters())


def parameter_shapes(net):
    """Shapes of parameters by name."""
    return {name: tuple(value.shape) for name, value in net.named_parameters()}


def spectral_layers(net):
    """The spectrally normalised weights of a network."""
    return [part for part in net.modules() if isinstance(part, SpectralWeight)]


def feature_map_sizes(net, x):
    """List channels and sides of the feature maps of all convolutions."""
    sizes = []
    for part in net.modules():
        if isinstance(part, Conv2d | ConvTranspose2d | Reshape):
            part.register_forward_hook(lambda part, x, y: sizes.append((y.shape[1], y.shape[2])))
    net(x)
    return sizes


def conv_layers(net):
    """The convolutions and dense layers of a network."""
    return [part for part in net.modules() if isinstance(part, Conv2d | Dense)]
