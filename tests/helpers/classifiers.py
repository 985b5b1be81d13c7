"""Labelled images, written as files, and the classifiers trained on them."""

import struct
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import pad

import iidgan
from iidgan.core import Dataset, Source
from iidgan.data import Mnist
from iidgan.evaluation.classifier.prepare import prepare_classifier
from iidgan.evaluation.classifier.train import ClassifierConfig, split_labelled
from iidgan.metrics.classifier import ImageClassifier
from iidgan.metrics.features import FeatureExtractor

CPU = torch.device("cpu")
QUICK_CONFIG = ClassifierConfig(width=4, max_images=600, min_steps=1, batch=20)


def make_bar_images(num, classes=3, side=28, seed=0):
    """Noise with a bar at the height of its class."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(num) % classes
    x = rng.integers(0, 60, (num, side, side), dtype=np.uint8)
    for image, label in zip(x, y):
        image[5 + 8 * label : 8 + 8 * label, 4:-4] += 180
    return x, y


def write_idx_files(folder, num=120, seed=0, classes=3, side=28):
    """Write labelled images as MNIST's files."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, count, split_seed in (("train", num, seed), ("t10k", 60, seed + 1)):
        x, y = make_bar_images(count, classes, side, split_seed)
        header = struct.pack(">4I", 0x803, *x.shape)
        (folder / f"{stem}-images-idx3-ubyte").write_bytes(header + x.tobytes())
        header = struct.pack(">2I", 0x801, len(y))
        (folder / f"{stem}-labels-idx1-ubyte").write_bytes(header + y.astype(np.uint8).tobytes())


def write_class_folders(folder, num=60):
    """Write labelled images as PNG files, one folder per class."""
    for i, (image, label) in enumerate(zip(*make_bar_images(num))):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / str(label) / f"{i}.png")
    return folder


@pytest.fixture
def mnist_root(tmp_path, monkeypatch):
    """A folder of data sets with images of three classes named MNIST."""
    write_idx_files(tmp_path / "data" / "mnist")
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def mnist_classifier(mnist_root):
    """The folder of a classifier of these images."""
    return prepare_classifier("mnist-classifier", config=QUICK_CONFIG)


@pytest.fixture
def few_evaluated(monkeypatch):
    monkeypatch.setattr(Mnist, "num_evaluated", 40)


@dataclass(frozen=True)
class InMemorySource(Source):
    """A given data set."""

    data: Dataset
    classifier_source = "given"

    def load(self):
        return self.data


@dataclass(frozen=True, kw_only=True)
class StackedBars(Source):
    """The images of `mnist_root`, three at a time."""

    has_images: ClassVar[bool] = True
    per_channel: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 40
    classifier_source = "mnist"

    def load(self):
        base = Mnist().load()
        triples = torch.randint(len(base), (50, 3), generator=torch.Generator().manual_seed(0))
        y = base.y[triples] @ torch.tensor([100, 10, 1])
        return Dataset(pad(base.x[triples, 0], [2] * 4), y)


def split_bar_images(num, classes=3, seed=0):
    """The subsets of bar images for training and for testing."""
    x, y = make_bar_images(num, classes, seed=seed)
    data = Dataset(torch.from_numpy(x)[:, None], torch.from_numpy(y))
    return split_labelled(InMemorySource(data))


def make_extractor(per_channel=False, width=4):
    """An untrained classifier of ten classes."""
    torch.manual_seed(0)
    net = ImageClassifier(1, 10, width).eval()
    return FeatureExtractor(net, "mnist-classifier", "ab" * 32, (1, 28, 28), per_channel)


def random_images(*shape, seed=0):
    """Images of a shape, in [-1, 1]."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def make_image_run(source=None):
    return iidgan.Run(
        source=source or Mnist(), arch=iidgan.DCGAN(width=2, latent=3), steps=2, batch=4
    )
