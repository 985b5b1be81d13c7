"""DINOv2, trained without labels, by the package transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from iidgan.errors import InputError, MissingFileError
from iidgan.features.extractor import FrozenExtractor
from iidgan.features.preprocessing import ANTIALIASED_BICUBIC, Preprocessing
from iidgan.utils.extras import pip_command
from iidgan.utils.files import describe_error

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's channels, in [0, 1]."""


class DinoV2Features(nn.Module):
    """The class token of DINOv2 after its last layer norm.

    Arguments:
        model: A `transformers.Dinov2Model`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(STD)[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        """Compute the features, with shape (n, D).

        Arguments:
            images: Images in [0, 1], with shape (n, 3, H, W).
        """
        features: Tensor = self.model((images - self.mean) / self.std).pooler_output
        return features


def create_dinov2(
    *, weights: str | Path = "facebook/dinov2-large", size: int = 224
) -> FrozenExtractor:
    """Load DINOv2 as an extractor, of 1,024 features by default.

    Arguments:
        weights: Name of a model on the Hub, which `transformers` fetches once, or a folder.
        size: Side of the square that images are resized to, in pixels: a multiple of 14.

    Raises:
        InputError: `transformers` or the weights are missing, or the size is not valid.

    References:
        DINOv2: Learning Robust Visual Features without Supervision (Oquab et al., 2023),
        https://arxiv.org/abs/2304.07193

        Exposing flaws of generative model evaluation metrics and their unfair treatment of
        diffusion models (Stein et al., 2023), https://arxiv.org/abs/2306.04675: its features
        for Frechet distances.
    """
    net = DinoV2Features(_load_model(str(weights)))
    preprocessing = Preprocessing(
        size=(size, size), filter=ANTIALIASED_BICUBIC, value_range=(0.0, 1.0)
    )
    return FrozenExtractor("dinov2", net, preprocessing)


def _load_model(weights: str) -> Any:  # noqa: ANN401 - a class of transformers
    try:
        from transformers import Dinov2Model
    except ImportError as error:
        raise MissingFileError(
            f"dinov2: needs the package transformers ({error}): {pip_command('dinov2')}"
        ) from error
    try:
        return Dinov2Model.from_pretrained(weights, use_safetensors=True, dtype=torch.float32)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"dinov2: cannot load {weights!r} ({describe_error(error)})") from error
