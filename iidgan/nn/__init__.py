"""Networks whose parameters carry the seed axis first.

Layers are in `nn.layers`, families of networks in `nn.backbones`, and `BACKBONES` lists the
families by name. Nothing here knows a loss.
"""

from iidgan.core import Backbone
from iidgan.nn.backbones.arxiv_cifar import ArxivCIFAR
from iidgan.nn.backbones.arxiv_stl import ArxivSTL
from iidgan.nn.backbones.collapsed_init import CollapsedInit
from iidgan.nn.backbones.dcgan import DCGAN
from iidgan.nn.backbones.dcgan_sn import DCGANSN
from iidgan.nn.backbones.mlp import MLP
from iidgan.nn.backbones.mnist_net import MnistNet
from iidgan.nn.backbones.r3gan import R3GANNet
from iidgan.nn.backbones.resnet import ResNet
from iidgan.nn.backbones.sngan_cnn import SNGANCNN
from iidgan.nn.backbones.stylegan2 import StyleGAN2

BACKBONES: dict[str, type[Backbone]] = {
    "mlp": MLP,
    "dcgan": DCGAN,
    "dcgan-sn": DCGANSN,
    "sngan-cnn": SNGANCNN,
    "resnet": ResNet,
    "arxiv-cifar": ArxivCIFAR,
    "arxiv-stl": ArxivSTL,
    "mnist-net": MnistNet,
    "stylegan2": StyleGAN2,
    "r3gan": R3GANNet,
    "shrunk": CollapsedInit,
}

__all__ = [
    "BACKBONES",
    "DCGAN",
    "DCGANSN",
    "MLP",
    "SNGANCNN",
    "ArxivCIFAR",
    "ArxivSTL",
    "CollapsedInit",
    "MnistNet",
    "R3GANNet",
    "ResNet",
    "StyleGAN2",
]
