"""The sets that have a name: how each is read, its usual size, and where to get it."""

from __future__ import annotations

from dataclasses import dataclass

from iidgan.data.idx import FashionMnist, Mnist
from iidgan.data.prepare.idx_files import idx_files
from iidgan.data.prepare.images import image_files
from iidgan.data.prepare.reading import Reader
from iidgan.data.prepare.rule import Rule


@dataclass(frozen=True, kw_only=True)
class Known:
    """A set that has a name.

    Arguments:
        reader: What reads it.
        rule: How its images are brought to size, unless another size is asked for.
        splits: Names of its parts, the usual one first; none: it has one only.
        get: Where to get it.
        hub: Its id on the Hub, where it is there.
        finds: Whether the reader knows where to look without a path.
    """

    reader: Reader
    rule: Rule
    splits: tuple[str, ...] = ()
    get: str = ""
    hub: str = ""
    finds: bool = False


SETS: dict[str, Known] = {
    "mnist": Known(
        reader=idx_files(Mnist),
        rule=Rule(pad=True),
        splits=("train", "test"),
        get="the four IDX files of http://yann.lecun.com/exdb/mnist",
        hub="ylecun/mnist",
        finds=True,
    ),
    "fashion-mnist": Known(
        reader=idx_files(FashionMnist),
        rule=Rule(pad=True),
        splits=("train", "test"),
        get="the IDX files of https://github.com/zalandoresearch/fashion-mnist",
        hub="zalando-datasets/fashion_mnist",
        finds=True,
    ),
}
OWN = Known(reader=image_files, rule=Rule(size=64))
"""Any other set: image files of the user's own."""
