"""The network of the papers' FIDs, by the names of its published weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d

NUM_FEATURES, NUM_CLASSES = 2048, 1008
_BN_EPS = 1e-3


class ConvBlock(nn.Module):
    """A convolution, batch norm and ReLU."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        kernel: tuple[int, int],
        stride: int = 1,
        padding: tuple[int, int] = (0, 0),
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(channels, eps=_BN_EPS)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        return x.relu_()


@dataclass(frozen=True)
class Conv:
    """A convolution of a branch: with stride 1 it keeps the size, with stride 2 it is not padded.

    Arguments:
        channels: Channels of its output.
        kernel: Height and width of its kernel.
        stride: Its stride.
    """

    channels: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1

    def create(self, in_channels: int) -> ConvBlock:
        """Create the layer.

        Arguments:
            in_channels: Channels of its input.
        """
        same_padding = (self.kernel[0] // 2, self.kernel[1] // 2)
        padding = same_padding if self.stride == 1 else (0, 0)
        return ConvBlock(in_channels, self.channels, self.kernel, self.stride, padding)


Stage = tuple[Conv, ...]
"""A step of a branch: convolutions that read the same, and whose outputs are concatenated."""

average_pool = partial(avg_pool2d, kernel_size=3, stride=1, padding=1, count_include_pad=False)
"""TensorFlow's average at the border, of the pixels inside the image only."""
max_pool = partial(max_pool2d, kernel_size=3, stride=1, padding=1)
reducing_max_pool = partial(max_pool2d, kernel_size=3, stride=2)


class MixedBlock(nn.Module):
    """Branches of convolutions beside a pooling, concatenated.

    Arguments:
        in_channels: Channels of the input.
        branches: The stages of each branch by its name, from which the names of layers follow.
        pool: The pooling.
        pool_channels: Channels of the 1 x 1 convolution after it; 0: none.
    """

    def __init__(
        self,
        in_channels: int,
        branches: Mapping[str, Sequence[Stage]],
        pool: Callable[[Tensor], Tensor],
        pool_channels: int = 0,
    ) -> None:
        super().__init__()
        self.pool = pool
        self.out_channels = pool_channels or in_channels
        self.layer_names: list[list[list[str]]] = []  # by branch and stage
        for branch_name, stages in branches.items():
            self.layer_names.append(self._add_branch(branch_name, stages, in_channels))
            self.out_channels += sum(conv.channels for conv in stages[-1])
        self.branch_pool = Conv(pool_channels).create(in_channels) if pool_channels else None

    def _add_branch(self, branch: str, stages: Sequence[Stage], channels: int) -> list[list[str]]:
        branch_names: list[list[str]] = []
        for i, convs in enumerate(stages, 1):
            stage_name = f"{branch}_{i}" if len(stages) > 1 else branch
            names = [stage_name + suffix for suffix in ("ab" if len(convs) > 1 else [""])]
            for name, conv in zip(names, convs):
                self.add_module(name, conv.create(channels))
            branch_names.append(names)
            channels = sum(conv.channels for conv in convs)
        return branch_names

    def forward(self, x: Tensor) -> Tensor:
        outputs = []
        for branch_names in self.layer_names:
            y = x
            for names in branch_names:
                y = torch.cat([self.get_submodule(name)(y) for name in names], 1)
            outputs.append(y)
        pooled = self.pool(x)
        outputs.append(pooled if self.branch_pool is None else self.branch_pool(pooled))
        return torch.cat(outputs, 1)


def _chain(*convs: Conv) -> list[Stage]:
    return [(conv,) for conv in convs]


def _block_a(in_channels: int, pool_channels: int) -> MixedBlock:
    double = (Conv(64), Conv(96, (3, 3)), Conv(96, (3, 3)))
    branches = {
        "branch1x1": _chain(Conv(64)),
        "branch5x5": _chain(Conv(48), Conv(64, (5, 5))),
        "branch3x3dbl": _chain(*double),
    }
    return MixedBlock(in_channels, branches, average_pool, pool_channels)


def _block_b(in_channels: int) -> MixedBlock:
    double = (Conv(64), Conv(96, (3, 3)), Conv(96, (3, 3), stride=2))
    branches = {
        "branch3x3": _chain(Conv(384, (3, 3), stride=2)),
        "branch3x3dbl": _chain(*double),
    }
    return MixedBlock(in_channels, branches, reducing_max_pool)


def _block_c(in_channels: int, width: int) -> MixedBlock:
    row, column = (1, 7), (7, 1)
    double = (Conv(width), Conv(width, column), Conv(width, row), Conv(width, column))
    branches = {
        "branch1x1": _chain(Conv(192)),
        "branch7x7": _chain(Conv(width), Conv(width, row), Conv(192, column)),
        "branch7x7dbl": _chain(*double, Conv(192, row)),
    }
    return MixedBlock(in_channels, branches, average_pool, 192)


def _block_d(in_channels: int) -> MixedBlock:
    large = (Conv(192), Conv(192, (1, 7)), Conv(192, (7, 1)), Conv(192, (3, 3), stride=2))
    branches = {
        "branch3x3": _chain(Conv(192), Conv(320, (3, 3), stride=2)),
        "branch7x7x3": _chain(*large),
    }
    return MixedBlock(in_channels, branches, reducing_max_pool)


def _block_e(in_channels: int, pool: Callable[[Tensor], Tensor]) -> MixedBlock:
    split: Stage = (Conv(384, (1, 3)), Conv(384, (3, 1)))
    branches = {
        "branch1x1": _chain(Conv(320)),
        "branch3x3": [*_chain(Conv(384)), split],
        "branch3x3dbl": [*_chain(Conv(448), Conv(384, (3, 3))), split],
    }
    return MixedBlock(in_channels, branches, pool, 192)


class InceptionV3(nn.Module):
    """TensorFlow's Inception-v3 of December 2015, on which the FIDs of papers are measured.

    It is not torchvision's: averages leave out the padding, the last block pools by the maximum,
    there are 1,008 classes, and the weights are others. The parameters have the names of the
    published file, which torch-fidelity and pytorch-fid read, too.

    References:
        Rethinking the Inception Architecture for Computer Vision (Szegedy, Vanhoucke, Ioffe,
        Shlens and Wojna, 2015), https://arxiv.org/abs/1512.00567

    Examples:
        >>> net = InceptionV3().eval()
        >>> sum(parameter.numel() for parameter in net.parameters())
        23850960
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = ConvBlock(3, 32, (3, 3), stride=2)
        self.Conv2d_2a_3x3 = ConvBlock(32, 32, (3, 3))
        self.Conv2d_2b_3x3 = ConvBlock(32, 64, (3, 3), padding=(1, 1))
        self.Conv2d_3b_1x1 = ConvBlock(64, 80, (1, 1))
        self.Conv2d_4a_3x3 = ConvBlock(80, 192, (3, 3))
        self.Mixed_5b = _block_a(192, 32)
        self.Mixed_5c = _block_a(256, 64)
        self.Mixed_5d = _block_a(288, 64)
        self.Mixed_6a = _block_b(288)
        self.Mixed_6b = _block_c(768, 128)
        self.Mixed_6c = _block_c(768, 160)
        self.Mixed_6d = _block_c(768, 160)
        self.Mixed_6e = _block_c(768, 192)
        self.Mixed_7a = _block_d(768)
        self.Mixed_7b = _block_e(1280, average_pool)
        self.Mixed_7c = _block_e(2048, max_pool)
        self.fc = nn.Linear(NUM_FEATURES, NUM_CLASSES)

    @property
    def head(self) -> nn.Linear:
        """The last layer. The Inception Scores of papers leave out its bias."""
        return self.fc

    def forward(self, images: Tensor) -> Tensor:
        """Compute the features: the last activations, averaged over the image.

        Arguments:
            images: Images with shape (n, 3, 299, 299), as (byte - 128) / 128.

        Returns:
            Features, with shape (n, 2048).
        """
        x = images.contiguous(memory_format=torch.channels_last)
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = reducing_max_pool(x)
        x = reducing_max_pool(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return x.mean((-2, -1))
