"""Backbones whose parameters carry the seed axis, and their layers."""

from iidgan.core import Backbone
from iidgan.nn.arxiv_cifar import ArxivCIFAR
from iidgan.nn.arxiv_stl import ArxivSTL
from iidgan.nn.dcgan import DCGAN
from iidgan.nn.dcgan_sn import DCGANSN
from iidgan.nn.mlp import MLP
from iidgan.nn.mnist_net import MnistNet
from iidgan.nn.resnet import ResNet
from iidgan.nn.shrunk import Shrunk
from iidgan.nn.sngan_cnn import SNGANCNN

ARCHS: dict[str, type[Backbone]] = {
    "mlp": MLP,
    "dcgan": DCGAN,
    "dcgan-sn": DCGANSN,
    "sngan-cnn": SNGANCNN,
    "resnet": ResNet,
    "arxiv-cifar": ArxivCIFAR,
    "arxiv-stl": ArxivSTL,
    "mnist-net": MnistNet,
    "shrunk": Shrunk,
}

__all__ = [
    "ARCHS",
    "DCGAN",
    "DCGANSN",
    "MLP",
    "SNGANCNN",
    "ArxivCIFAR",
    "ArxivSTL",
    "MnistNet",
    "ResNet",
    "Shrunk",
]
