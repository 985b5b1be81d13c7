"""Extractors: networks in evaluation mode, with their preprocessing and protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from iidgan.errors import InputError
from iidgan.features.preprocessing import Preprocessing
from iidgan.features.protocol import FeatureProtocol

_PROBE_SIZE = (64, 64)
_OPERATIONS = (
    torch.backends.cudnn.conv,  # type: ignore[attr-defined]
    torch.backends.cuda.matmul,
    torch.backends.mkldnn.conv,  # type: ignore[attr-defined]
    torch.backends.mkldnn.matmul,  # type: ignore[attr-defined]
)
"""What torch may compute in TF32 or bfloat16; on GPUs, convolutions by default."""


class FrozenExtractor(nn.Module):
    """A network that maps images to features, frozen in evaluation mode.

    It stays in evaluation mode, whatever `train()` of this module or of one around it says: batch
    norm that moved with the data would change all later features.

    Arguments:
        name: Name of the extractor, for the protocol.
        net: Maps the result of `preprocessing`, with shape (n, C, H, W), to features of shape
            (n, D). If it has a linear layer `head`, this maps features to logits.
        preprocessing: Maps uint8 images to the input of `net`.
        weights_sha256: Digest of the file of its weights; empty: `compute_weights_sha256` of it.
        num_features: Number D; None: a first image is read to learn it.

    Raises:
        InputError: The network returns something else.

    Examples:
        >>> from iidgan.features.preprocessing import ANTIALIASED_BICUBIC
        >>> preprocessing = Preprocessing(
        ...     size=(8, 8), filter=ANTIALIASED_BICUBIC, value_range=(0.0, 1.0)
        ... )
        >>> extractor = FrozenExtractor("pixels-8", nn.Flatten(), preprocessing)
        >>> extractor(torch.zeros(5, 3, 28, 28, dtype=torch.uint8)).shape
        torch.Size([5, 192])
        >>> nn.Sequential(extractor).train()[0].training
        False
    """

    def __init__(
        self,
        name: str,
        net: nn.Module,
        preprocessing: Preprocessing,
        *,
        weights_sha256: str = "",
        num_features: int | None = None,
    ) -> None:
        super().__init__()
        self.net = net
        self.preprocessing = preprocessing
        self.requires_grad_(False).train(False)
        self.protocol = FeatureProtocol(
            extractor=name,
            weights=weights_sha256 or compute_weights_sha256(net),
            num_features=num_features or self._count_features(name),
            input_size=preprocessing.size,
            resize_filter="none" if preprocessing.size is None else preprocessing.filter.name,
            resize_kernel="" if preprocessing.size is None else preprocessing.filter.kernel,
            resize_arithmetic=preprocessing.filter.arithmetic,
            value_range=preprocessing.value_range,
        )

    @property
    def head(self) -> nn.Linear | None:
        """The layer that maps features to logits, if there is one."""
        head = getattr(self.net, "head", None)
        reads_features = isinstance(head, nn.Linear) and (
            head.in_features == self.protocol.num_features
        )
        return head if reads_features else None

    def train(self, mode: bool = True) -> FrozenExtractor:
        """Keep the evaluation mode.

        Arguments:
            mode: Ignored.
        """
        return super().train(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Compute the features of images, in full precision.

        Arguments:
            images: uint8 images with shape (n, C, H, W), on any device; C is 1 or 3.

        Returns:
            Features, float32 with shape (n, D), on the device of the network.

        Raises:
            InputError: The images are not valid.
        """
        self.train(False)  # a part of the network may have been switched on its own
        device = next((t.device for t in chain(self.parameters(), self.buffers())), images.device)
        with full_precision():
            features: Tensor = self.net(self.preprocessing(images.to(device)))
        return features.float()

    def _count_features(self, name: str) -> int:
        height, width = self.preprocessing.size or _PROBE_SIZE
        probe = torch.zeros(2, self.preprocessing.channels, height, width, dtype=torch.uint8)
        try:
            outputs: Any = self.net(self.preprocessing(probe))
        except Exception as error:  # a user's network may raise anything
            raise InputError(
                f"{name}: reading images of shape {tuple(probe.shape)} failed ({error})"
            ) from error
        if not isinstance(outputs, Tensor) or outputs.ndim != 2 or len(outputs) != len(probe):
            shape = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
            raise InputError(
                f"{name}: must return features of shape (n, D) for images of shape (n, C, H, W), "
                f"got {shape} for n = {len(probe)}"
            )
        return outputs.shape[1]


@contextmanager
def full_precision() -> Iterator[None]:
    """Compute convolutions and matrix products of float32 numbers in float32, on any device.

    Features of GPUs would otherwise differ from those of CPUs by a thousandth, and with the
    settings of the program around.
    """
    precisions = [operation.fp32_precision for operation in _OPERATIONS]
    try:
        for operation in _OPERATIONS:
            operation.fp32_precision = "ieee"
        yield
    finally:
        for operation, precision in zip(_OPERATIONS, precisions):
            operation.fp32_precision = precision


def compute_weights_sha256(net: nn.Module) -> str:
    """Compute the SHA-256 digest of the parameters and buffers of a network, in hexadecimal.

    It does not depend on the file format or the device that they come from.

    Arguments:
        net: The network.

    Examples:
        >>> compute_weights_sha256(nn.Identity()) == hashlib.sha256().hexdigest()
        True
    """
    hasher = hashlib.sha256()
    for name, tensor in sorted(net.state_dict().items()):
        hasher.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        hasher.update(tensor.cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return hasher.hexdigest()
