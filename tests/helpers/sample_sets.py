"""Sets of samples of every kind, written for tests of their readers."""

import io
import tarfile

import numpy as np
import torch

from iidgan.core import NetworkFactory
from iidgan.engine.state import build_networks
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.methods import GAN
from iidgan.nn import MLP
from iidgan.training.model import Model
from tests.helpers.images import encode_image
from tests.helpers.training import tiny_run


def channels_first(images):
    """Images (N, H, W, C) as a tensor (N, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def name_images(images, pattern="{:03}.png"):
    """The bytes of image files by name, in the order of the images."""
    return {pattern.format(i): encode_image(image) for i, image in enumerate(images)}


def write_tar(path, files, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def make_model(shape=(1, 8, 8), method=None, seed=0):
    """A model of networks that have not been trained."""
    run = tiny_run(method or GAN(), arch=MLP(latent=3, hidden=(8,)))
    nets = build_networks(run.method, NetworkFactory(run.arch, shape), seeds=[seed]).eval()
    point = EvaluationPoint(run, seeds=(seed,), steps=(0,), diverged=(-1,))
    return Model(point, shape, nets.requires_grad_(False))


def read_all(samples):
    """All samples of a set, by blocks."""
    return torch.cat(list(samples.iterate(range(samples.num_samples))))
