"""How a classifier is trained: data, recipe, and a loop that gives the same weights again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, cross_entropy, grid_sample, pad

from iidgan.core import Dataset, Source
from iidgan.engine.state import entropy
from iidgan.errors import InputError
from iidgan.metrics.classifier import LEAST, Classifier

Listener = Callable[[int, int], None]
"""Is told the steps that are done, and how many there are."""

_CHUNK = 500
_TEST_SHARE = 10  # where a source has no test part, one image in ten is kept for testing


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a classifier is trained; its manifest says so, too.

    SGD with Nesterov momentum; the rate rises linearly over the first quarter and falls to 0 as a
    cosine (after Super-Convergence, Smith and Topin, 2017, https://arxiv.org/abs/1708.07120). The
    loss is the plain cross entropy: smoothed labels would bend the confidences that metrics read.

    Each image is shifted at random; every second one may also be varied as generators vary what
    they draw.
    """

    width: int = 24
    """Channels of the first convolution."""
    images: int = 480_000
    """Images to be seen, but each at least 6 times, and at most 60 times."""
    least: int = 900
    """Least number of steps, however few images there are."""
    batch: int = 128
    """Images per step."""
    lr: float = 0.2
    """Highest learning rate."""
    decay: float = 5e-4
    """Weight decay of convolutions and matrices."""
    shift: int = 1
    """Pixels that an image is moved at most, on either axis."""
    turn: float = 0.0
    """Radians that a varied image is turned at most, either way."""
    scale: float = 0.0
    """Share of its size that it grows or shrinks at most."""
    soft: float = 0.0
    """Largest share that the mean of 3 x 3 pixels takes of each pixel."""
    dim: float = 0.0
    """Largest share of its brightness that it loses."""
    seed: int = 0
    """Seed of the first weights, the order, the shifts and the variations."""

    @property
    def varies(self) -> bool:
        return any((self.turn, self.scale, self.soft, self.dim))

    def steps(self, num: int) -> int:
        """Decides how many steps `num` images are learned in."""
        return max(6 * num // self.batch, min(self.images, 60 * num) // self.batch, self.least)


HANDWRITING = Recipe(turn=0.2, scale=0.1, soft=1.0, dim=0.6)
"""For digits: a net that has seen sharp ones alone takes dim ones for ones, and is sure of it.

Articles of clothing lose little by being dim, and are told apart by what softness blurs.
"""
_RECIPES = {"mnist": HANDWRITING, "mnist-5k": HANDWRITING}


def recipe_of(name: str) -> Recipe:
    """Gives the recipe for the images of a source."""
    return _RECIPES.get(name, Recipe())


@dataclass(frozen=True)
class Part:
    """Some labelled images of a data set.

    Arguments:
        data: All of them.
        index: Which ones, with shape (n,).
    """

    data: Dataset
    index: Tensor

    def __len__(self) -> int:
        return len(self.index)

    def take(self, chosen: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """Gathers images (n, C, H, W) in [-1, 1] and labels (n,)."""
        index = self.index[chosen].to(self.data.x.device)
        labels = self.data.take_labels(index)
        assert labels is not None, "only labelled data are dealt"
        return self.data.take(index).to(device), labels.to(device)


def parts_of(source: Source) -> tuple[Part, Part]:
    """Loads what is for training and what is for testing."""
    data = source.load()
    _check(source.classifier, data)
    if hasattr(source, "split"):
        test = replace(source, split="test").load()  # type: ignore[type-var]
        _check(source.classifier, test)
        return Part(data, torch.arange(len(data))), Part(test, torch.arange(len(test)))
    assert data.y is not None, "checked"
    numbers, labels = np.random.RandomState(0), data.y.cpu().numpy()
    ranks = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        ranks[numbers.permutation(rows)] = np.arange(1, len(rows) + 1)
    held = torch.from_numpy(ranks % _TEST_SHARE == 0)
    return Part(data, torch.nonzero(~held)[:, 0]), Part(data, torch.nonzero(held)[:, 0])


def _check(name: str, data: Dataset) -> None:
    if data.y is None:
        raise InputError(f"{name}: its images have no labels, which a classifier learns from")
    height, width = data.shape[-2:]
    if min(height, width) < LEAST:
        raise InputError(
            f"{name}: images of {height} x {width} pixels are too small; at least {LEAST}"
        )
    present = len(data.y.unique())
    if present < 2 or len(data) < _TEST_SHARE * present:
        raise InputError(
            f"{name}: too few to learn from: {len(data)} images, of different labels {present}; "
            f"at least two labels, and {_TEST_SHARE} images of each"
        )


def labels_of(data: Dataset) -> list[str]:
    assert data.y is not None, "checked"
    return list(data.labels) or [str(label) for label in range(int(data.y.max()) + 1)]


def train_classifier(
    train: Part,
    recipe: Recipe,
    device: torch.device,
    listener: Listener = lambda done, total: None,
) -> Classifier:
    """Trains a classifier: on the CPU the same weights, bit for bit, for the same threads."""
    numbers = torch.Generator().manual_seed(entropy(recipe.seed, 5))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(entropy(recipe.seed, 4))
        net = Classifier(train.data.shape[0], len(labels_of(train.data)), recipe.width)
    net.to(device).train()
    optimiser = _optimiser(net, recipe)
    size = min(recipe.batch, len(train))
    per_epoch, total = len(train) // size, recipe.steps(len(train))
    with torch.backends.cudnn.flags(deterministic=True, benchmark=False):
        for step in range(total):
            if step % per_epoch == 0:
                order = torch.randperm(len(train), generator=numbers)
            start = step % per_epoch * size
            x, y = train.take(order[start : start + size], device)
            for group in optimiser.param_groups:
                group["lr"] = recipe.lr * _warmth(step / total)
            x = _shifted(x, recipe.shift, numbers)
            logits, _ = net(_varied(x, recipe, numbers) if recipe.varies else x)
            optimiser.zero_grad()
            cross_entropy(logits, y).backward()
            optimiser.step()
            listener(step + 1, total)
    return net.eval()


@torch.no_grad()
def accuracy(net: Classifier, test: Part) -> float:
    """Computes the share of images whose most probable class is their label."""
    device = next(net.parameters()).device
    right = 0
    for chunk in torch.arange(len(test)).split(_CHUNK):
        x, y = test.take(chunk, device)
        right += int((net(x)[0].argmax(1) == y).sum())
    return right / len(test)


def _optimiser(net: Classifier, recipe: Recipe) -> torch.optim.Optimizer:
    """Decays what multiplies, not biases and batch norm."""
    products = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    groups = [
        {"params": products, "weight_decay": recipe.decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, recipe.lr, momentum=0.9, nesterov=True)


def _warmth(share: float) -> float:
    """Gives the rate's factor when a share of the training is done."""
    if share < 0.25:
        return 0.1 + 0.9 * share / 0.25
    return 0.5 * (1 + math.cos(math.pi * (share - 0.25) / 0.75))


def _varied(x: Tensor, recipe: Recipe, numbers: torch.Generator) -> Tensor:
    """Turns every second image (n, C, H, W), black at -1, sizes it, and makes it soft and dim."""
    num = len(x)
    varied = torch.arange(num, device=x.device) % 2
    ways = (2 * torch.rand(2, num, generator=numbers) - 1).to(x.device)  # either way
    shares = torch.rand(2, num, generator=numbers).to(x.device)
    turn, scale = recipe.turn * ways[0] * varied, recipe.scale * ways[1] * varied
    soft, dim = recipe.soft * shares[0] * varied, recipe.dim * shares[1] * varied
    cos, sin, middle = (1 + scale) * turn.cos(), (1 + scale) * turn.sin(), torch.zeros_like(turn)
    maps = torch.stack([cos, -sin, middle, sin, cos, middle], dim=1).view(-1, 2, 3)
    grid = affine_grid(maps, list(x.shape), align_corners=False)
    x = grid_sample(x + 1, grid, align_corners=False)  # what comes in at the edges is 0
    x = x.lerp(avg_pool2d(x, 3, 1, padding=1), soft.view(-1, 1, 1, 1))
    return x * (1 - dim).view(-1, 1, 1, 1) - 1


def _shifted(x: Tensor, most: int, numbers: torch.Generator) -> Tensor:
    """Moves each image by up to `most` pixels; black comes in at the edges."""
    num, channels, height, width = x.shape
    moves = torch.randint(2 * most + 1, (2, num, 1), generator=numbers)
    rows, columns = moves[0] + torch.arange(height), moves[1] + torch.arange(width)
    image, channel = torch.arange(num)[:, None, None, None], torch.arange(channels)[:, None, None]
    wide = pad(x, [most] * 4, value=-1.0)
    return wide[image, channel, rows[:, None, :, None], columns[:, None, None, :]]
