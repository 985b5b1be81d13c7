"""The stored classifier of a data set, and what it says of generated and real images."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load
from torch import Tensor

from iidgan.config.serialization import encode
from iidgan.core import Dataset, Features, Judged, Source
from iidgan.data import Prepared
from iidgan.data.manifest import CLASSIFIERS, home
from iidgan.errors import InputError
from iidgan.metrics.classifier import Classifier
from iidgan.metrics.features import Extractor
from iidgan.utils.files import damage

SUFFIX = "-classifier"
WEIGHTS, CONFIG = "model.safetensors", "classifier.json"


def classifier_folder(name: str, root: Path | None = None) -> Path:
    """Says where the classifier of a source is kept: in $IIDGAN_DATA, else the user's cache."""
    return (root or home()) / CLASSIFIERS / name


@dataclass(frozen=True)
class Stored:
    """A classifier on the disk.

    Arguments:
        folder: Where it is.
        facts: What its `classifier.json` says.
    """

    folder: Path
    facts: Mapping[str, Any]

    @property
    def title(self) -> str:
        """What rows call it."""
        return f"{self.facts['name']}{SUFFIX}"

    @property
    def weights(self) -> str:
        """The first digits of the digest of its weights, by which rows know them."""
        return str(self.facts["sha256"])[:16]

    def extractor(self, device: torch.device | str, *, apart: bool) -> Extractor:
        """Loads it, ready to judge.

        Raises:
            InputError: It is one that another version made.
        """
        facts = self.facts
        channels, height, width = facts["shape"]
        net = Classifier(channels, len(facts["labels"]), facts["recipe"]["width"])
        try:
            net.load_state_dict(load((self.folder / WEIGHTS).read_bytes()))
        except RuntimeError:
            raise InputError(
                f"{self.folder}: its weights are those of another version of iidgan; "
                f"{_again(facts['name'])}"
            ) from None
        net.requires_grad_(False).eval().to(device)
        return Extractor(net, self.title, self.weights, (channels, height, width), apart)


def stored(name: str, root: Path | None = None) -> Stored | None:
    """Finds the classifier of a source, if there is one.

    Raises:
        InputError: It is damaged, or that of another source.
    """
    folder = classifier_folder(name, root)
    if not (folder / CONFIG).exists():
        return None
    if reason := damage(folder):
        raise InputError(f"{folder}: damaged ({reason}); {_again(name)}")
    facts = json.loads((folder / CONFIG).read_text())
    if facts["name"] != name:
        raise InputError(
            f"{folder}: a classifier of {facts['name']!r}, not of {name!r}; {_again(name)}"
        )
    return Stored(folder, facts)


def _again(name: str) -> str:
    return f"`iidgan prepare {name}{SUFFIX}` makes the right one"


class Judge:
    """Lets a classifier look at images; real ones that it has seen are not judged again.

    Arguments:
        extractor: The classifier, or None where there is none.
        num_classes: How many classes it tells apart.
        reference: What the real samples are.
        lack: Why there is no classifier, and what helps.
    """

    def __init__(
        self,
        extractor: Extractor | None = None,
        num_classes: int = 0,
        reference: str = "",
        lack: str = "",
    ) -> None:
        self.extractor, self.num_classes, self.reference = extractor, num_classes, reference
        self.lack = lack
        self._real: tuple[int, Features] | None = None

    @property
    def news(self) -> str:
        """Tells which numbers there are not going to be, in a line, or nothing."""
        if not self.lack:
            return ""
        return f"metrics of images are left out; they lack {self.lack}"

    def judged(
        self, generated: Features | None, real: Iterator[Tensor], num: int, shape: tuple[int, ...]
    ) -> Judged | None:
        """Puts what was seen in generated images beside what is seen in `num` real ones."""
        if self.extractor is None or generated is None:
            return None
        if self._real is None or self._real[0] != num:  # else they are the same as before
            self._real = num, joined([self.extractor(images) for images in real])
        protocol = {**self.extractor.protocol(shape), "reference": self.reference}
        return Judged(generated, self._real[1], self.num_classes, protocol)


def joined(parts: Sequence[Features]) -> Features:
    """Lays what was seen in chunks of images end to end."""
    return Features(
        *(
            torch.cat([getattr(part, field.name) for part in parts], dim=-2)
            for field in fields(Features)
        )
    )


def ensure_classifier(source: Source) -> None:
    """Sees that what measures the images of a source is there, before they are trained on.

    Raises:
        InputError: It is not, or it is damaged.
    """
    if source.classifier and classifier_of(source) is None:
        raise InputError(f"the measurement lacks {_lack(source)}")


def classifier_of(source: Source) -> Stored | None:
    """Finds the classifier of a source: beside the set that it is, or in the usual place.

    Raises:
        InputError: It is damaged, or that of another source.
    """
    if not source.classifier:
        return None
    beside = stored(source.classifier, root) if (root := _root(source)) else None
    return beside or stored(source.classifier)


def _root(source: Source) -> Path | None:
    return Path(source.root) if isinstance(source, Prepared) and source.root else None


def _lack(source: Source) -> str:
    name, root = source.classifier, _root(source)
    where = f" --root {shlex.quote(str(root))}" if root and root.absolute() != home() else ""
    return f"a classifier of {name}: `iidgan prepare {name}{SUFFIX}{where}` makes it"


def judge_of(source: Source, data: Dataset, device: torch.device | str) -> Judge:
    """Finds the classifier that judges the images of a source.

    Raises:
        InputError: It is damaged, or one of other data.
    """
    name = source.classifier
    if not name:
        return Judge()
    if data.y is None:
        return Judge(lack="labels of the data, which a classifier learns from")
    found = classifier_of(source)
    if found is None:
        return Judge(lack=f"{_lack(source)}, `iidgan evaluate` measures them then")
    _check(found, source, data)
    extractor = found.extractor(device, apart=source.apart)
    split = getattr(source, "split", "")
    reference = f"{name}{', stacked' if source.apart else ''}{f', {split}' if split else ''}"
    return Judge(extractor, len(found.facts["labels"]), reference)


def _bare(label: str) -> str:
    """Leaves what all who hand a set on agree on: 'T-shirt/top' is 'T - shirt / top' elsewhere."""
    return "".join(filter(str.isalnum, label.casefold()))


def _some(labels: Sequence[str]) -> str:
    """Names the first labels, and says how many there are."""
    more = "; ..." if len(labels) > 3 else ""
    return f"{len(labels)} classes ({'; '.join(labels[:3])}{more})"


def _check(found: Stored, source: Source, data: Dataset) -> None:
    """Sees that a classifier is one of these data.

    Raises:
        InputError: It is not.
    """
    facts, name = found.facts, source.classifier
    again = _again(name)
    channels, views = facts["shape"][0], data.shape[0] if source.apart else 1
    if data.shape[0] != views * channels:
        raise InputError(
            f"{found.folder}: reads images of {channels} channels, and these have "
            f"{data.shape[0]}: it is a classifier of other data; {again}"
        )
    told = tuple(", ".join(names) for names in product(facts["labels"], repeat=views))
    if data.labels and [*map(_bare, data.labels)] != [*map(_bare, told)]:
        raise InputError(
            f"{found.folder}: tells {_some(told)} apart, and the data have "
            f"{_some(data.labels)}: it is a classifier of other data; {again}"
        )
    kept, asked = facts["source"], encode(source, include_paths=False)
    same = all(kept.get(key) == asked.get(key) for key in ("type", "split"))
    if same and facts["data"] != data.digest():
        raise InputError(f"{found.folder}: learned from other data of the name {name!r}; {again}")
