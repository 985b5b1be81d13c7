"""MD5 digests of published files, which tell a data set from others in the same layout.

The page of CIFAR, https://www.cs.toronto.edu/~kriz/cifar.html, states those of its archives;
those of the files inside, and of STL-10, are the ones that torchvision compares:
https://github.com/pytorch/vision, torchvision/datasets/cifar.py and stl10.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

from iidgan.utils.files import open_regular_file


@dataclass(frozen=True, kw_only=True)
class PublishedFiles:
    """MD5 digests of the published files of a data set, in hexadecimal.

    Arguments:
        archives: Digests of its archives, by name.
        members: Digests of the files inside, by name, as far as they are published.
    """

    archives: Mapping[str, str]
    members: Mapping[str, str]

    def describe_difference(
        self, path: Path, names: Sequence[str], compute_md5: Callable[[str], str]
    ) -> str:
        """Describe how files differ from the published ones.

        Arguments:
            path: The archive, or the folder with its files.
            names: Names of the files inside that are read.
            compute_md5: Computes the digest of one of them. An archive that has been packed
                again is the published one if its files are.

        Returns:
            One line; empty if nothing differs, or if the digests of the files in a folder are
            not published.
        """
        archive_md5 = "" if path.is_dir() else _file_md5(path)
        if archive_md5 in self.archives.values():
            return ""
        if self.members.keys() >= set(names):
            for name in names:
                if (md5 := compute_md5(name)) != self.members[name]:
                    return _describe_unpublished(f"{path.name}: {name}", md5, self.members[name])
        elif archive_md5:
            expected = self.archives.get(path.name, f"that of {' or '.join(self.archives)}")
            return _describe_unpublished(path.name, archive_md5, expected)
        return ""


def _describe_unpublished(location: str, md5: str, expected: str) -> str:
    return f"{location}: loaded, but not the published file (md5 {md5}, expected {expected})"


def _file_md5(path: Path) -> str:
    with open_regular_file(path) as file:
        return stream_md5(file)


def stream_md5(file: IO[bytes]) -> str:
    """Compute the MD5 digest of a file's content, in hexadecimal.

    Arguments:
        file: The file, opened for reading.
    """
    new_md5 = partial(hashlib.md5, usedforsecurity=False)
    return hashlib.file_digest(cast(BufferedReader, file), new_md5).hexdigest()


CIFAR10_FILES = PublishedFiles(
    archives={
        "cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a",
        "cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530",
    },
    members={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    },
)
CIFAR100_FILES = PublishedFiles(
    archives={
        "cifar-100-python.tar.gz": "eb9058c3a382ffc7106e4002c42a8d85",
        "cifar-100-binary.tar.gz": "03b5dce01913d631647c71ecec9e9cb8",
    },
    members={
        "train": "16019d7e3df5f24257cddd939b257f8d",
        "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
    },
)
STL10_FILES = PublishedFiles(
    archives={"stl10_binary.tar.gz": "91f7769df0f17e558f3565bffb0c7dfb"},
    members={
        "train_X.bin": "918c2871b30a85fa023e0c44e0bee87f",
        "train_y.bin": "5a34089d4802c674881badbb80307741",
        "unlabeled_X.bin": "5242ba1fed5e4be9e1e742405eb56ca4",
        "test_X.bin": "7f263ba9f9e0b06b93213547f721ac82",
        "test_y.bin": "36f9794fa4beb8a2c72628de14fa638e",
    },
)
