"""Training of a classifier: configuration, data, and a loop with reproducible weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, cross_entropy, grid_sample, pad

from iidgan.core import Dataset, Source
from iidgan.engine.state import derive_seed
from iidgan.errors import InputError
from iidgan.metrics.classifier import MIN_IMAGE_SIDE, ImageClassifier

StepCallback = Callable[[int, int], None]
"""Receives the number of steps done, and the number of all steps."""

_CHUNK_SIZE = 500
_TEST_DIVISOR = 10  # without a test split, one image in ten is used for testing

_FILE_KEYS = {
    "max_images": "images",
    "min_steps": "least",
    "rotation": "turn",
    "blur": "soft",
    "darken": "dim",
}
"""Keys in files where they are not the names of the fields: they never change."""


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    """Configuration of a classifier's training.

    SGD with Nesterov momentum; the learning rate rises linearly over the first quarter and then
    falls to 0 as a cosine. The loss is the cross entropy without label smoothing, which would bias
    the confidences that metrics read.

    Each image is shifted at random. Every second one is also augmented, if any of `rotation`,
    `scale`, `blur` and `darken` is positive: generators vary images in these ways.

    References:
        Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates (Smith
        and Topin, 2017), https://arxiv.org/abs/1708.07120: one cycle of the learning rate.

    Examples:
        >>> config = ClassifierConfig(rotation=0.2, blur=1.0)
        >>> config.has_augmentation, config.count_steps(num_images=60_000)
        (True, 3750)
    """

    width: int = 24
    """Channels of the first convolution."""
    max_images: int = 480_000
    """Images to train on, counted with repetition: each is used at least 6, at most 60 times."""
    min_steps: int = 900
    """Minimum number of steps."""
    batch: int = 128
    """Images per step."""
    lr: float = 0.2
    """Maximum learning rate."""
    decay: float = 5e-4
    """Weight decay of convolutions and matrices."""
    shift: int = 1
    """Maximum shift in pixels, along either axis."""
    rotation: float = 0.0
    """Maximum rotation of an augmented image in radians, in either direction."""
    scale: float = 0.0
    """Maximum relative change of its size."""
    blur: float = 0.0
    """Maximum share of the mean of 3 x 3 pixels in each pixel."""
    darken: float = 0.0
    """Maximum share of its brightness that is removed."""
    seed: int = 0
    """Seed of the initial weights, the order, the shifts and the augmentation."""

    @property
    def has_augmentation(self) -> bool:
        return any((self.rotation, self.scale, self.blur, self.darken))

    def count_steps(self, num_images: int) -> int:
        """Return the number of steps for a training set of `num_images`.

        Arguments:
            num_images: Number of images.
        """
        min_images, max_images = 6 * num_images, min(self.max_images, 60 * num_images)
        return max(min_images // self.batch, max_images // self.batch, self.min_steps)

    def to_dict(self) -> dict[str, Any]:
        """Return the options by their keys in `classifier.json`."""
        return {_FILE_KEYS.get(name, name): value for name, value in asdict(self).items()}


def default_config(source: type[Source]) -> ClassifierConfig:
    """Return the configuration that a source's class recommends for its images.

    Arguments:
        source: Class of the source.

    Examples:
        >>> from iidgan import FashionMnist, Mnist
        >>> default_config(Mnist).darken, default_config(FashionMnist).darken
        (0.6, 0.0)
    """
    return ClassifierConfig(**source.classifier_options)  # type: ignore[arg-type]


@dataclass(frozen=True)
class LabelledSubset:
    """A subset of a labelled data set.

    Arguments:
        data: The data set.
        index: Indices of the images, with shape (n,).
    """

    data: Dataset
    index: Tensor

    def __len__(self) -> int:
        return len(self.index)

    def take(self, positions: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """Gather images (n, C, H, W) in [-1, 1] and labels (n,).

        Arguments:
            positions: Positions in `index`, with shape (n,).
            device: Device of the result.
        """
        index = self.index[positions].to(self.data.x.device)
        labels = self.data.take_labels(index)
        assert labels is not None, "a subset has labels"
        return self.data.take_samples(index).to(device), labels.to(device)


def split_labelled(source: Source) -> tuple[LabelledSubset, LabelledSubset]:
    """Load the images for training and for testing.

    Without a test split, one image in ten is used for testing.

    Arguments:
        source: Source of labelled images.

    Returns:
        The training and the test set.

    Raises:
        InputError: The data have no labels, too few images, or too small ones.
    """
    data = source.load()
    _check_data(source.classifier_source, data)
    if hasattr(source, "split"):
        test_data = replace(source, split="test").load()  # type: ignore[type-var]
        _check_data(source.classifier_source, test_data)
        train_index, test_index = torch.arange(len(data)), torch.arange(len(test_data))
        return LabelledSubset(data, train_index), LabelledSubset(test_data, test_index)
    is_test = _select_test_images(data)
    train_index, test_index = torch.nonzero(~is_test)[:, 0], torch.nonzero(is_test)[:, 0]
    return LabelledSubset(data, train_index), LabelledSubset(data, test_index)


def _select_test_images(data: Dataset) -> Tensor:
    """Select one image in ten of each label, always the same ones."""
    assert data.y is not None, "data are labelled"
    random_state, labels = np.random.RandomState(0), data.y.cpu().numpy()
    ranks = np.empty(len(labels), dtype=np.int64)  # 1, 2, ... within each label
    for label in np.unique(labels):
        positions = np.flatnonzero(labels == label)
        ranks[random_state.permutation(positions)] = np.arange(1, len(positions) + 1)
    return torch.from_numpy(ranks % _TEST_DIVISOR == 0)


def _check_data(name: str, data: Dataset) -> None:
    if data.y is None:
        raise InputError(f"{name}: a classifier needs labels, and the images have none")
    height, width = data.shape[-2:]
    if min(height, width) < MIN_IMAGE_SIDE:
        raise InputError(
            f"{name}: images must have at least {MIN_IMAGE_SIDE} x {MIN_IMAGE_SIDE} pixels, got "
            f"{height} x {width}"
        )
    num_labels = len(data.y.unique())
    if num_labels < 2 or len(data) < _TEST_DIVISOR * num_labels:
        raise InputError(
            f"{name}: a classifier needs at least 2 labels and {_TEST_DIVISOR} images of each, "
            f"got {len(data)} images of {num_labels}"
        )


def get_label_names(data: Dataset) -> list[str]:
    """Return the names of the labels of a labelled data set; by default their numbers.

    Arguments:
        data: The data set.

    Examples:
        >>> get_label_names(Dataset(torch.zeros(3, 2), y=torch.tensor([0, 2, 1])))
        ['0', '1', '2']
    """
    assert data.y is not None, "data are labelled"
    return list(data.labels) or [str(label) for label in range(int(data.y.max()) + 1)]


def train_classifier(
    train_set: LabelledSubset,
    config: ClassifierConfig,
    device: torch.device,
    on_step: StepCallback = lambda done, total: None,
) -> ImageClassifier:
    """Train a classifier.

    On a CPU, the weights are reproduced bit by bit with the same number of threads.

    Arguments:
        train_set: Images with labels.
        config: Configuration of the training.
        device: Device of the training.
        on_step: Receives the number of steps done, and the number of all steps.

    Returns:
        The network in evaluation mode, on `device`.
    """
    generator = torch.Generator().manual_seed(derive_seed(config.seed, 5))
    num_classes = len(get_label_names(train_set.data))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(config.seed, 4))
        net = ImageClassifier(train_set.data.shape[0], num_classes, config.width)
    net.to(device).train()
    optimiser = _create_optimiser(net, config)
    batch_size = min(config.batch, len(train_set))
    steps_per_epoch = len(train_set) // batch_size
    num_steps = config.count_steps(len(train_set))
    with torch.backends.cudnn.flags(enabled=True, deterministic=True):
        for step in range(num_steps):
            if step % steps_per_epoch == 0:
                order = torch.randperm(len(train_set), generator=generator)
            start = step % steps_per_epoch * batch_size
            x, y = train_set.take(order[start : start + batch_size], device)
            for group in optimiser.param_groups:
                group["lr"] = config.lr * _lr_scale(step / num_steps)
            x = _shift_images(x, config.shift, generator)
            if config.has_augmentation:
                x = _augment_images(x, config, generator)
            logits, _ = net(x)
            optimiser.zero_grad()
            cross_entropy(logits, y).backward()
            optimiser.step()
            on_step(step + 1, num_steps)
    return net.eval()


@torch.no_grad()
def measure_accuracy(net: ImageClassifier, test_set: LabelledSubset) -> float:
    """Compute the share of images whose most probable class is their label.

    Arguments:
        net: The classifier, in evaluation mode.
        test_set: Images with labels.

    Returns:
        The accuracy, in [0, 1].
    """
    device = next(net.parameters()).device
    num_correct = 0
    for positions in torch.arange(len(test_set)).split(_CHUNK_SIZE):
        x, y = test_set.take(positions, device)
        num_correct += int((net(x)[0].argmax(1) == y).sum())
    return num_correct / len(test_set)


def _create_optimiser(net: ImageClassifier, config: ClassifierConfig) -> torch.optim.Optimizer:
    """Create SGD with weight decay of matrices, not of biases and batch norm."""
    matrices = [p for p in net.parameters() if p.ndim > 1]
    vectors = [p for p in net.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": config.decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, config.lr, momentum=0.9, nesterov=True)


def _lr_scale(t: float) -> float:
    """Return the factor of the learning rate at the share t of the training."""
    if t < 0.25:
        return 0.1 + 0.9 * t / 0.25
    return 0.5 * (1 + math.cos(math.pi * (t - 0.25) / 0.75))


def _augment_images(x: Tensor, config: ClassifierConfig, generator: torch.Generator) -> Tensor:
    """Rotate, scale, blur and darken every second image (n, C, H, W); black is -1."""
    n = len(x)
    is_augmented = torch.arange(n, device=x.device) % 2
    signed_draws = (2 * torch.rand(2, n, generator=generator) - 1).to(x.device)
    draws = torch.rand(2, n, generator=generator).to(x.device)
    rotation = config.rotation * signed_draws[0] * is_augmented
    scale = config.scale * signed_draws[1] * is_augmented
    blur = config.blur * draws[0] * is_augmented
    darken = config.darken * draws[1] * is_augmented
    cos, sin = (1 + scale) * rotation.cos(), (1 + scale) * rotation.sin()
    zeros = torch.zeros_like(rotation)
    theta = torch.stack([cos, -sin, zeros, sin, cos, zeros], dim=1).view(-1, 2, 3)
    grid = affine_grid(theta, list(x.shape), align_corners=False)
    x = grid_sample(x + 1, grid, align_corners=False)  # black is 0 here, as outside the image
    x = x.lerp(avg_pool2d(x, 3, 1, padding=1), blur.view(-1, 1, 1, 1))
    return x * (1 - darken).view(-1, 1, 1, 1) - 1


def _shift_images(x: Tensor, max_shift: int, generator: torch.Generator) -> Tensor:
    """Shift each image by up to `max_shift` pixels along each axis, and fill with black."""
    n, channels, height, width = x.shape
    shifts = torch.randint(2 * max_shift + 1, (2, n, 1), generator=generator)
    rows, columns = shifts[0] + torch.arange(height), shifts[1] + torch.arange(width)
    image_index = torch.arange(n)[:, None, None, None]
    channel_index = torch.arange(channels)[:, None, None]
    padded = pad(x, [max_shift] * 4, value=-1.0)
    return padded[image_index, channel_index, rows[:, None, :, None], columns[:, None, None, :]]
