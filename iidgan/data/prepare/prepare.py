"""Preparing a set: read, convert, write, and only then put it under its name."""

from __future__ import annotations

import csv
import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from iidgan.data.manifest import DAMAGED, FILE, FILES, IMAGES, LABELS, SKIPPED, Manifest, Stamp
from iidgan.data.prepare.decode import COLOURS, Converted
from iidgan.data.prepare.formats import reader_of
from iidgan.data.prepare.pool import converted
from iidgan.data.prepare.reader import Item, Reading, Skip
from iidgan.data.prepare.request import Order
from iidgan.data.prepare.writer import Writer
from iidgan.errors import InputError
from iidgan.utils.files import PARTIAL, explained, sync
from iidgan.utils.locks import locked

Progress = Callable[[int, int | None], None]
"""Is told how many images are done, and of how many if that is known."""


@dataclass(frozen=True)
class Outcome:
    """A prepared set.

    Arguments:
        folder: Where it lies.
        manifest: What it holds.
        fresh: Whether it was not there before.
        skipped: What was left out, of a fresh one.
    """

    folder: Path
    manifest: Manifest
    fresh: bool
    skipped: tuple[Skip, ...] = ()


def prepare(
    name: str,
    *,
    origin: str | None = None,
    size: int | None = None,
    config: str | None = None,
    split: str | None = None,
    labels: str | None = None,
    root: str | None = None,
    strict: bool = False,
    progress: Progress = lambda done, total: None,
    news: Callable[[str], None] = lambda text: None,
) -> Outcome:
    """Makes one array of a set's images; does nothing where it is there already.

    An interrupted call leaves nothing under the set's name, and the next one starts anew. Much
    work is dealt among processes, which start the program anew: a script needs `if __name__ ==
    "__main__":` around what it does.

    Arguments:
        name: Name of a set in `SETS`, its id on the Hub, or one's own.
        origin: File or folder to read, or `hub`; None: where the set is usually found.
        size: Side of the images; None: the usual one, which is 64 for sets of one's own.
        config: Configuration of a data set on the Hub that has several. It is named NAME-CONFIG.
        split: Part of the set; None: the usual one. Another one is named NAME-SPLIT.
        labels: `none`, `folders`, or the path of a CSV file; None: as the files suggest.
        root: Folder of prepared sets; None: $IIDGAN_DATA, or `data` in the user's cache.
        strict: Whether the first file that cannot be used ends it.
        progress: Is told of images.
        news: Is told what else happens.

    Raises:
        InputError: The set is not there or cannot be read, or what is there under its name was
            asked for in another way.
    """
    order = Order(
        name=name,
        origin=origin,
        size=size,
        config=config,
        split=split,
        labels=labels,
        root=root,
    )
    folder = order.folder
    if there := _there(order, news):
        return Outcome(folder, there, fresh=False)
    _ensure_free(folder)
    staging = folder.with_name(f"{PARTIAL}{folder.name}")
    with explained(staging):
        staging.mkdir(parents=True, exist_ok=True)
    with locked(staging):
        if there := _there(order, news):  # made by another process meanwhile
            return Outcome(folder, there, fresh=False)
        try:
            manifest, skipped = _make(order, staging, strict, progress, news)
            _publish(staging, folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return Outcome(folder, manifest, fresh=True, skipped=tuple(skipped))


def _there(order: Order, news: Callable[[str], None]) -> Manifest | None:
    """Finds the set if it is there, whole, and what is asked for; sets a damaged one aside."""
    folder = order.folder
    if not (folder / FILE).exists():
        return None
    try:
        manifest = Manifest.read(folder)
        reason = manifest.damage(folder)
    except InputError as error:
        reason = str(error)
    if reason:
        news(f"{folder}: {reason}; its files are now called {DAMAGED}...")
        _set_aside(folder)
        return None
    if found := order.differences(manifest):
        raise InputError(
            f"{folder}: is there already, asked for in another way ({'; '.join(found)}); "
            f"{_ANEW}, or choose another --root"
        )
    if manifest.trace and (now := order.trace) and now != manifest.trace:
        news(f"{folder}: what it was made from has changed since; {_ANEW} to make it anew")
    return manifest


def _ensure_free(folder: Path) -> None:
    """Sees that no file is where a set is to lie, before it is made and again after.

    Raises:
        InputError: One is, and nobody knows what it is.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; move it, or choose another --root")
    for name in (IMAGES, LABELS, SKIPPED):
        if (folder / name).exists():
            raise InputError(
                f"{folder}: {name} is there without a manifest; move it, or choose another --root"
            )


_ANEW = f"remove {', '.join(FILES)} there"


def _set_aside(folder: Path) -> None:
    """Renames the files of a set; files of others may lie beside them."""
    with explained(folder):
        for name in FILES:  # without the first the rest is no set
            if (folder / name).exists():
                (folder / name).replace(folder / f"{DAMAGED}{name}")


def _make(
    order: Order, staging: Path, strict: bool, progress: Progress, news: Callable[[str], None]
) -> tuple[Manifest, list[Skip]]:
    with explained(staging):
        for left in staging.iterdir():  # what a crash left
            left.unlink()
    open_set, wanted, trace = reader_of(order), order.wanted(), order.trace
    with open_set(wanted) as reading, closing(Writer(staging)) as writer:
        if reading.note:
            news(reading.note)
        tally = _Tally(reading, order, strict, progress)
        with explained(staging):
            tally.write(writer)
        if not writer.count:
            first = f", such as {tally.skipped[0]}" if tally.skipped else ""
            raise InputError(f"from: no image of {reading.source} could be used{first}")
        return _describe(order, tally, writer, staging, trace), tally.skipped


@dataclass
class _Tally:
    """What a preparation has seen so far."""

    reading: Reading
    order: Order
    strict: bool
    progress: Progress
    skipped: list[Skip] = field(default_factory=list)
    enlarged: int = 0
    encoded: bool = False

    def write(self, writer: Writer) -> None:
        with closing(converted(self._items(), self.order.rule, self.reading.total)) as parts:
            for found in parts:
                self._take(found, writer)
        writer.finish()

    def _take(self, found: Converted, writer: Writer) -> None:
        if self.strict and found.skipped:
            raise InputError(f"strict: {found.skipped[0]}")
        first = not writer.count
        writer.add(found)
        if first and writer.count:
            _check_space(writer, self.reading.total, self.order.folder.parent)
        self.skipped += found.skipped
        self.enlarged += found.enlarged
        self.progress(writer.count + len(self.skipped), self.reading.total)

    def _items(self) -> Iterator[Item | Skip]:
        for item in self.reading.items:
            if isinstance(item, Item):
                self.encoded |= isinstance(item.content, bytes)
                if self.reading.labelled and item.label is None:
                    item = Skip(item.name, "has no label")
            yield item


def _check_space(writer: Writer, total: int | None, place: Path) -> None:
    needed, free = (total or 0) * math.prod(writer.shape), shutil.disk_usage(place).free
    if needed > free:
        raise InputError(
            f"root: {needed / 2**30:.1f} GiB are needed in {place}, {free / 2**30:.1f} are free"
        )


def _describe(order: Order, tally: _Tally, writer: Writer, staging: Path, trace: str) -> Manifest:
    reading = tally.reading
    names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    if reading.labelled:
        names, counts = writer.write_labels(reading.classes)
    if tally.skipped:
        _write_skipped(staging / SKIPPED, tally.skipped)
    files = [name for name in (IMAGES, LABELS) if (staging / name).exists()]
    manifest = Manifest(
        name=order.set_name,
        request=order.request,
        source=reading.source,
        trace=trace,
        rule=f"{order.rule}; {COLOURS}" if tally.encoded else str(order.rule),
        count=writer.count,
        shape=writer.shape,
        labels=names,
        label_counts=counts,
        skipped=dict(Counter(skip.reason for skip in tally.skipped).most_common()),
        enlarged=tally.enlarged,
        files={name: Stamp.of(staging / name) for name in files},
        versions={name: _version(name) for name in ("iidgan", "numpy", "pillow")},
    )
    manifest.write(staging)
    return manifest


def _write_skipped(path: Path, skipped: list[Skip]) -> None:
    lines = [(skip.name, skip.reason, skip.detail) for skip in skipped]
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        csv.writer(file).writerows([("file", "reason", "detail"), *lines])


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # run from a checkout
        return "unknown"


def _publish(staging: Path, folder: Path) -> None:
    """Puts a set under its name: whole, or beside the files that it was made from.

    Raises:
        InputError: Files of the same names are there, and nobody knows what they are.
    """
    with explained(folder):
        for path in staging.iterdir():
            sync(path)
        sync(staging)
        if not folder.exists():
            staging.replace(folder)
            sync(folder.parent)
            return
        _ensure_free(folder)
        for path in sorted(staging.iterdir(), key=lambda path: path.name == FILE):  # it comes last
            path.replace(folder / path.name)
        sync(folder)
