"""The Inception features of the papers' FIDs, from a file or fetched once."""

from __future__ import annotations

import hashlib
import http.client
import urllib.request
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from iidgan.errors import InputError
from iidgan.features.extractor import FrozenExtractor
from iidgan.features.inception_net import InceptionV3
from iidgan.features.preprocessing import TENSORFLOW_BILINEAR, Preprocessing
from iidgan.utils.files import (
    damage_as_input_error,
    file_sha256,
    open_regular_file,
    oserror_as_input_error,
    user_cache_dir,
    write_file,
)

STATE_DICT_FILE = "weights-inception-2015-12-05-6726825d.pth"
STATE_DICT_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
SCRIPT_FILE = "inception-2015-12-05.pt"
SCRIPT_SHA256 = "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4"
WEIGHTS_URL = (
    f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{STATE_DICT_FILE}"
)

_TIMEOUT_SECONDS = 60
_CHUNK_BYTES = 1 << 20
_MAX_BYTES = 1 << 27  # the file has 95.6 million bytes
_PREPROCESSING = Preprocessing(
    size=(299, 299), filter=TENSORFLOW_BILINEAR, value_range=(-1.0, 127 / 128)
)


class ScriptedInception(nn.Module):
    """The network in the TorchScript file that StyleGAN's metrics read.

    Arguments:
        script: The loaded file.
    """

    def __init__(self, script: nn.Module) -> None:
        super().__init__()
        self.script = script

    def forward(self, images: Tensor) -> Tensor:
        """Compute the features, with shape (n, 2048), by the layers after the script's resizing.

        Arguments:
            images: Images with shape (n, 3, 299, 299), as (byte - 128) / 128.
        """
        return self.script.layers(images).flatten(1)  # type: ignore[operator]


def create_inception(*, weights: str | Path | None = None) -> FrozenExtractor:
    """Load the Inception-v3 of the papers' FIDs as an extractor of 2,048 features.

    Arguments:
        weights: File of the weights: torch-fidelity's or pytorch-fid's state dict
            (`...inception-2015-12-05-6726825d.pth`), or StyleGAN's TorchScript
            (`inception-2015-12-05.pt`). By default the state dict in the user's cache, which is
            fetched if it is missing: 96 MB from torch-fidelity's releases on GitHub.

    Raises:
        InputError: The file is missing, is not one of these, or cannot be fetched.
    """
    path = _fetch_weights() if weights is None else Path(weights)
    with oserror_as_input_error(path):
        sha256 = file_sha256(path)
    load_net = _NET_LOADERS.get(sha256)
    if load_net is None:
        raise InputError(
            f"{path}: expected {STATE_DICT_FILE} (sha256 {STATE_DICT_SHA256}) or {SCRIPT_FILE} "
            f"({SCRIPT_SHA256}), got a file of sha256 {sha256}"
        )
    with damage_as_input_error(path):
        net = load_net(path)
    return FrozenExtractor("inception", net, _PREPROCESSING, weights_sha256=sha256)


def _load_state_dict(path: Path) -> nn.Module:
    with torch.device("meta"):  # saves the random initialisation
        net = InceptionV3()
    with open_regular_file(path) as file:
        weights = torch.load(file, map_location="cpu", weights_only=True)
    net.load_state_dict(weights, assign=True)
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _load_script(path: Path) -> nn.Module:
    with open_regular_file(path) as file, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*torch.jit.load.* is deprecated")
        return ScriptedInception(torch.jit.load(file, map_location="cpu"))


_NET_LOADERS: dict[str, Callable[[Path], nn.Module]] = {
    STATE_DICT_SHA256: _load_state_dict,
    SCRIPT_SHA256: _load_script,
}
"""The files that are read, by digest: a TorchScript is a program."""


def _fetch_weights() -> Path:
    """Return the state dict in the user's cache; fetch it if it is missing or damaged.

    Raises:
        InputError: It cannot be fetched, or what arrives is another file.
    """
    path = user_cache_dir() / "weights" / STATE_DICT_FILE
    if not path.is_file() or file_sha256(path) != STATE_DICT_SHA256:
        write_file(path, partial(_download, path))
    return path


def _download(target: Path, path: Path) -> None:
    hasher, num_bytes = hashlib.sha256(), 0
    try:
        with (
            urllib.request.urlopen(WEIGHTS_URL, timeout=_TIMEOUT_SECONDS) as response,
            path.open("wb") as file,
        ):
            while (chunk := response.read(_CHUNK_BYTES)) and num_bytes <= _MAX_BYTES:
                hasher.update(chunk)
                num_bytes += file.write(chunk)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise InputError(
            f"inception: cannot fetch {WEIGHTS_URL} ({reason}); fetch it elsewhere, and put it at "
            f"{target}, or give weights={STATE_DICT_FILE!r} in Python"
        ) from error
    if hasher.hexdigest() != STATE_DICT_SHA256:
        raise InputError(
            f"inception: {WEIGHTS_URL} has sha256 {hasher.hexdigest()}, expected "
            f"{STATE_DICT_SHA256}; nothing was written"
        )
