"""Runs as repositories of a hub, through the package `huggingface_hub`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from iidgan.config.plugins import Plugin
from iidgan.errors import InputError
from iidgan.training.export import CONFIG_FILE, WEIGHTS_FILE, load_networks
from iidgan.training.model import Model
from iidgan.utils.extras import require_extra
from iidgan.utils.files import DIGESTS_FILE, describe_error

NETWORK_FILES = (CONFIG_FILE, WEIGHTS_FILE, DIGESTS_FILE)
"""The files of a repository that are needed to load the networks."""


@dataclass(frozen=True, kw_only=True)
class PushOptions:
    """Where a run is pushed to.

    Arguments:
        name: The repository, `user/name`.
        licence: Identifier of the licence of the weights, such as `mit`; None: the card says that
            none was named.
        private: Whether a new repository is private.

    Raises:
        InputError: The name is not that of a repository.
    """

    name: str
    licence: str | None = None
    private: bool = False

    def __post_init__(self) -> None:
        if not is_repository_name(self.name):
            raise InputError(f"name: must be user/name, got {self.name!r}")
        if self.licence is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", self.licence):
            raise InputError(
                f"licence: must be an identifier such as mit or cc-by-4.0, got {self.licence!r}"
            )


def is_repository_name(name: str) -> bool:
    """Return whether a name can be that of a repository.

    Arguments:
        name: A name or a path.

    Examples:
        >>> is_repository_name("user/ring"), is_repository_name("./runs/ring")
        (True, False)
    """
    return re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name, re.ASCII) is not None


def push(folder: Path, options: PushOptions) -> str:
    """Push a folder of `write_repository` to the hub.

    Arguments:
        folder: The folder.
        options: The repository; it is created if it does not exist.

    Returns:
        The address of the repository.

    Raises:
        InputError: The package `huggingface_hub` is missing, or the hub cannot be reached or
            refuses.
    """
    require_extra("hub", "huggingface_hub", field="push")
    from huggingface_hub import HfApi

    api = HfApi(library_name="iidgan")
    with _hub_errors_as_input_error("push", options.name, "log in with: hf auth login"):
        url = api.create_repo(options.name, private=options.private, exist_ok=True)
        api.upload_folder(
            repo_id=options.name,
            folder_path=folder,
            commit_message="Push a run of iidgan",
        )
    return str(url)


def find_networks(name: str | Path, *, revision: str | None = None) -> Path:
    """Return the folder of networks: a local one, or that of a repository, which is downloaded.

    Arguments:
        name: A path, or `user/name` where there is no such path.
        revision: Branch, tag or commit of the repository.

    Raises:
        InputError: There is neither such a path nor such a repository, or the hub cannot be
            reached and has not been downloaded from before.
    """
    if Path(name).exists() or not is_repository_name(str(name)):
        return Path(name)
    require_extra("hub", "huggingface_hub", field="from_pretrained")
    from huggingface_hub import snapshot_download

    with _hub_errors_as_input_error("from_pretrained", str(name), "check the name"):
        folder = snapshot_download(
            str(name), revision=revision, allow_patterns=list(NETWORK_FILES)
        )
    return Path(folder)


def from_pretrained(
    name: str | Path,
    seed: int | None = None,
    *,
    revision: str | None = None,
    plugins: Sequence[Plugin] = (),
) -> Model:
    """Load a trained generator from the hub, or from a local folder.

    Downloads are cached by `huggingface_hub`. No code comes with a repository: its classes are
    looked up among those of the package and of `plugins`, and weights are safetensors.

    Arguments:
        name: `user/name`, or a path as for `iidgan.load`, which goes first.
        seed: Which seed; by default the first that did not diverge.
        revision: Branch, tag or commit of the repository.
        plugins: As for `iidgan.load`.

    Returns:
        The model.

    Raises:
        UnnamedPluginError: As for `iidgan.load`.
        InputError: There is no such repository or seed, or files are damaged.
    """
    return load_networks(find_networks(name, revision=revision), plugins=plugins).select_model(
        seed
    )


@contextmanager
def _hub_errors_as_input_error(field: str, name: str, advice: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of the network, the hub or the login, of many types
        reason = " ".join(describe_error(error).split())[:300]
        raise InputError(f"{field}: {name}: {reason}; {advice}") from error
