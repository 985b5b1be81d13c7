"""Backbones whose parameters carry the seed axis, and their layers."""

from iidgan.core import Backbone
from iidgan.nn.dcgan import DCGAN
from iidgan.nn.mlp import MLP
from iidgan.nn.shrunk import Shrunk

ARCHS: dict[str, type[Backbone]] = {"mlp": MLP, "dcgan": DCGAN, "shrunk": Shrunk}

__all__ = ["ARCHS", "DCGAN", "MLP", "Shrunk"]
