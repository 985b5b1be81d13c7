"""What a prepared set says of itself: `manifest.json` beside its arrays."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from iidgan.errors import InputError
from iidgan.utils.files import cache, digest, explained

FILE = "manifest.json"
IMAGES, LABELS, SKIPPED = "images.npy", "labels.npy", "skipped.csv"
FILES = (FILE, IMAGES, LABELS, SKIPPED)
DAMAGED = "damaged-"  # what the names of files begin with that were set aside
CLASSIFIERS = "classifiers"  # the folder beside prepared sets in which classifiers are kept
SMALL = 1 << 26  # bytes that are digested in less time than a step takes


def home() -> Path:
    """The folder of prepared sets: $IIDGAN_DATA, else one in the user's cache."""
    return Path(os.environ.get("IIDGAN_DATA") or cache() / "data")


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """A file as it was written."""

    sha256: str
    bytes: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        found = path.stat()
        return cls(sha256=digest(path), bytes=found.st_size, mtime_ns=found.st_mtime_ns)

    def fits(self, path: Path) -> bool:
        """Tells whether a file is what it was.

        A large file whose size and time of writing are as they were is not read. A copy, whose
        time is another, is read whole, and if it is equal gets the old time where that may be.
        """
        with explained(path):
            found = path.stat()
        if found.st_size != self.bytes:
            return False
        if found.st_mtime_ns == self.mtime_ns and self.bytes > SMALL:
            return True
        if digest(path) != self.sha256:
            return False
        if found.st_mtime_ns != self.mtime_ns:
            _set_time(path, self.mtime_ns)
        return True


def _set_time(path: Path, mtime_ns: int) -> None:
    try:
        os.utime(path, ns=(mtime_ns, mtime_ns))
    except OSError:
        return  # only the next start takes longer


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """How a set was made, and what it holds.

    Arguments:
        name: Its name, and that of its folder.
        request: What was asked for: what the same command asks for again.
        source: What it was made from, in words.
        trace: Digest of names, sizes and times of the files it was made from, before they were
            read; empty where it is not known.
        rule: How images were brought to their size and colours, in words.
        count: Number N of images.
        shape: Shape (C, H, W) of one.
        labels: Names of the labels, in order; empty where they are numbers only, or none.
        label_counts: Images of each label, in order; empty where there are none.
        skipped: Number of files that were left out, by reason.
        enlarged: Images that were smaller than what was made of them.
        files: The files as they were written, by name.
        versions: Versions of what made it.
    """

    name: str
    request: Mapping[str, Any]
    source: str
    trace: str = ""
    rule: str
    count: int
    shape: tuple[int, int, int]
    labels: tuple[str, ...] = ()
    label_counts: tuple[int, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    enlarged: int = 0
    files: Mapping[str, Stamp]
    versions: Mapping[str, str]

    @property
    def images(self) -> Stamp:
        return self.files[IMAGES]

    def command(self, root: str | None) -> str:
        """Gives the command that makes the set anew, in a folder of prepared sets."""
        asked = self.request
        words = ["iidgan", "prepare", str(asked.get("name", self.name))]
        for flag in ("from", "config", "split", "size", "labels"):
            if asked.get(flag) is not None:
                words += [f"--{flag}", str(asked[flag])]
        if root is not None and Path(root).absolute() != home().absolute():
            words += ["--root", root]
        return shlex.join(words)

    def write(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Reads the manifest of a set.

        Raises:
            InputError: There is none, or it is damaged.
        """
        path = folder / FILE
        try:
            with explained(path):
                facts = json.loads(path.read_text())
            known = {f.name for f in fields(cls)}
            facts = {name: value for name, value in facts.items() if name in known}
            facts["files"] = {name: Stamp(**stamp) for name, stamp in facts["files"].items()}
            for name in ("shape", "labels", "label_counts"):
                facts[name] = tuple(facts[name])
            made = cls(**facts)
            _ = made.images
        except InputError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"{path}: damaged ({type(error).__name__}: {error})") from None
        return made

    def damage(self, folder: Path) -> str | None:
        """Says what is wrong with the files of a set, or None."""
        for name, stamp in self.files.items():
            if not (folder / name).is_file():
                return f"{name} is missing"
            if not stamp.fits(folder / name):
                return f"{name} is not what it was when it was prepared"
        return None
