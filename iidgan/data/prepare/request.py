"""What is asked of a preparation, checked."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from iidgan.data.manifest import CLASSIFIERS, DAMAGED, FILES, Manifest, home
from iidgan.data.prepare.catalog import OWN, SETS, Known
from iidgan.data.prepare.fingerprint import trace
from iidgan.data.prepare.reader import Wanted
from iidgan.data.prepare.resize import Rule
from iidgan.errors import InputError, nearest, unknown
from iidgan.utils.files import PARTIAL

HUB = "hub"
_WORDS = (None, "none", "folders")  # labels that are no file
_SPLIT = re.compile(r"\w[\w.+\[\]:%-]*", re.ASCII)
_NAME = re.compile(r"\w[\w.+-]*(/\w[\w.+-]*)?", re.ASCII)


def _absolute(path: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(path)))


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is asked for.

    Arguments:
        name: Name of a set in `SETS`, its id on the Hub, or one's own.
        origin: File or folder to read, or `hub`; None: where the set is usually found.
        size: Side of the images; None: the usual one.
        config: Configuration of a data set on the Hub; None: its only one.
        split: Part of the set; None: the usual one.
        labels: `none`, `folders`, or the path of a CSV file; None: as the files suggest.
        root: Folder of prepared sets; None: the usual one.

    Raises:
        InputError: A field is not what it has to be.
    """

    name: str
    origin: str | None
    size: int | None
    config: str | None
    split: str | None
    labels: str | None
    root: str | None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InputError(
                f"name: {self.name!r} is no name of letters, digits, '.', '_', '-' and at most "
                "one '/'; --from names a file or a folder"
            )
        if self.name.partition("/")[0].lower() == CLASSIFIERS:
            raise InputError(f"name: {self.name!r} is where classifiers are kept; choose another")
        splits = self.known.splits
        if self.split is not None and not _SPLIT.fullmatch(self.split):
            raise InputError(f"split: {self.split!r} is no name of a part, such as test")
        if self.config is not None and not _SPLIT.fullmatch(self.config):
            raise InputError(f"config: {self.config!r} is no name of a configuration")
        if self.split is not None and self.origin != HUB and splits and self.split not in splits:
            raise unknown("split", self.split, splits)
        if self.labels is not None and self.name in SETS:
            raise InputError(f"labels: {self.name} has its own, or none; leave it out")
        _ = self.rule

    @property
    def known(self) -> Known:
        return SETS.get(self.name, OWN)

    @property
    def rule(self) -> Rule:
        rule = self.known.rule
        return rule if self.size is None else replace(rule, size=self.size)

    @property
    def set_name(self) -> str:
        """Name of the prepared set: with what configuration and split are not the usual ones."""
        usual = next(iter(self.known.splits), "train")
        split = None if self.split == usual else self.split
        return "-".join(filter(None, (self.name, self.config, split)))

    @property
    def folder(self) -> Path:
        return (Path(self.root) if self.root is not None else home()).absolute() / self.set_name

    @property
    def path(self) -> Path | None:
        """What to read, where that is neither the Hub nor the usual place."""
        if self.origin is None or self.origin == HUB:
            return None
        return _absolute(self.origin)

    @property
    def _table(self) -> Path | None:
        """The file of labels, where one is named."""
        return None if self.labels in _WORDS else _absolute(str(self.labels))

    @property
    def request(self) -> dict[str, Any]:
        """What the same command asks for again; name, configuration and split say where to."""
        origin = self.origin if self.path is None else str(self.path)
        labels = self.labels if self._table is None else str(self._table)
        asked = {"from": origin, "size": self.rule.size, "labels": labels}
        return {"name": self.name, "config": self.config, "split": self.split} | asked

    @property
    def trace(self) -> str:
        """Tells by a digest how the files are now that are named; the Hub's have none."""
        return trace([path for path in (self.path, self._table) if path], self._made)

    def _made(self, path: Path) -> bool:
        """Tells whether a file is of a prepared set, which may lie beside what it is made of."""
        staging = self.folder.with_name(f"{PARTIAL}{self.folder.name}")
        own = path.name.removeprefix(DAMAGED) in FILES and path.parent == self.folder
        return own or staging in path.parents

    def wanted(self) -> Wanted:
        """Tells a reader what to read.

        Raises:
            InputError: It cannot know where.
        """
        if self.origin is None and not self.known.finds:
            if (
                self.name not in SETS
                and "/" not in self.name
                and (near := nearest(self.name, SETS, cutoff=0.7))
            ):
                raise InputError(
                    f"from: missing; did you mean {near!r}? Files of your own are named with "
                    "--from PATH"
                )
            get = f" (get {self.known.get})" if self.known.get else ""
            hub = ", or --from hub" if self.known.hub or "/" in self.name else ""
            raise InputError(
                f"from: missing; name the files of {self.name} with --from PATH{get}{hub}"
            )
        return Wanted(
            path=self.path,
            hub=self._hub() if self.origin == HUB else None,
            config=self.config,
            split=self.split,
            labels=self.labels,
        )

    def _hub(self) -> str:
        if self.known.hub or "/" in self.name:
            return self.known.hub or self.name
        if self.name in SETS:
            named = "" if self.known.finds else ", and name its files"
            raise InputError(f"from: the Hub has no {self.name}; get {self.known.get}{named}")
        hub = [name for name, known in SETS.items() if known.hub]
        raise unknown("name", self.name, [*hub, "any id with a '/'"])

    def differences(self, manifest: Manifest) -> list[str]:
        """Lists in what a set that is there is not what is asked for."""
        made, asked = manifest.request, self.request | {"size": self.size}
        return [
            f"{name} was {made.get(name)}, is {asked[name]}"
            for name in ("from", "size", "labels")
            if asked[name] is not None and asked[name] != made.get(name)
        ]
