"""Digests of the files of MNIST and of the data sets that use the same file names.

The content of an IDX file has the same SHA-256 digest however it is packed. (The published digests
of packed files do not fit Debian's Fashion-MNIST, which is packed again.) Of KMNIST only the
digests of packed files are published; these are the ones that torchvision compares:
https://github.com/pytorch/vision, torchvision/prototype/datasets/_builtin/mnist.py.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from iidgan.errors import InputError
from iidgan.utils.files import file_sha256

_CONTENTS = {
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db": "mnist train images",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5": "mnist train labels",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7": "mnist test images",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2": "mnist test labels",
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888": (
        "fashion-mnist train images"
    ),
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9": (
        "fashion-mnist train labels"
    ),
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b": (
        "fashion-mnist test images"
    ),
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34": (
        "fashion-mnist test labels"
    ),
}
"""What the content of a file is, by its SHA-256 digest."""
_PACKED_FILES = {
    "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4": "kmnist train images",
    "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17": "kmnist train labels",
    "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5": "kmnist test images",
    "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c": "kmnist test labels",
}
"""What a gzipped file has, by the SHA-256 digest of the file itself."""


@dataclass(frozen=True)
class FileIdentity:
    """A file, and what it should be.

    Arguments:
        path: An IDX file.
        expected: Data set, split and kind, such as `mnist train images`.
        content_sha256: SHA-256 digest of its unpacked content, in hexadecimal.
    """

    path: Path
    expected: str
    content_sha256: str

    def is_published(self) -> bool:
        """Return whether this is the published file; False for one of unknown content.

        Raises:
            InputError: It is a file of another data set, split or kind.
        """
        actual = _CONTENTS.get(self.content_sha256) or _PACKED_FILES.get(file_sha256(self.path))
        if actual not in (None, self.expected):
            raise InputError(
                f"{self.path}: expected the {self.expected}, got the {actual} "
                f"(sha256 {self.content_sha256}); name the folder of the right files"
            )
        return actual is not None


def check_identities(files: Sequence[FileIdentity]) -> None:
    """Check that files are those that their place says, not others of the same name.

    Files of unknown content are accepted with one warning.

    Arguments:
        files: The files of one data set.

    Raises:
        InputError: One is a file of another data set, split or kind.
    """
    unknown_files = [file for file in files if not file.is_published()]
    if unknown_files:
        file = unknown_files[0]
        _warn_once(
            f"{file.path}: loaded, but not the published {file.expected} "
            f"(sha256 {file.content_sha256})"
        )


@cache
def _warn_once(message: str) -> None:
    """Log a warning, unless this is a worker process: its parent has done so."""
    if multiprocessing.parent_process() is None:
        logging.getLogger(__name__).warning(message)
