"""Generative adversarial networks that do not drop modes, and the proof that they did not.

    >>> import iidgan  # doctest: +SKIP
    >>> run = iidgan.Run(source=iidgan.Ring(), method=iidgan.iid_gan())  # doctest: +SKIP
    >>> result = iidgan.train(run, seeds=5, out="runs/ring")  # doctest: +SKIP
    >>> model = iidgan.load("runs/ring")  # doctest: +SKIP
    >>> z = model.invert(model.sample(1000))  # doctest: +SKIP

Names are imported when they are used, so that the command line answers at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from iidgan import losses as losses
    from iidgan.bench.model import Model as Model
    from iidgan.bench.model import load_model as load  # noqa: F401
    from iidgan.bench.run import Run as Run
    from iidgan.bench.run import recommended as recommended
    from iidgan.bench.train import Result as Result
    from iidgan.bench.train import train as train
    from iidgan.core import Batch as Batch
    from iidgan.core import Method as Method
    from iidgan.core import Nets as Nets
    from iidgan.core import Player as Player
    from iidgan.core import Regularised as Regularised
    from iidgan.core import Term as Term
    from iidgan.data import ArrayFile as ArrayFile
    from iidgan.data import FashionMnist as FashionMnist
    from iidgan.data import Grid as Grid
    from iidgan.data import Mnist as Mnist
    from iidgan.data import Ring as Ring
    from iidgan.data import array as array
    from iidgan.engine.optim import Adam as Adam
    from iidgan.errors import InputError as InputError
    from iidgan.methods import GAN as GAN
    from iidgan.methods import iid_gan as iid_gan
    from iidgan.methods import invert_gan as invert_gan
    from iidgan.nn import DCGAN as DCGAN
    from iidgan.nn import MLP as MLP
    from iidgan.terms import CycleConsistency as CycleConsistency
    from iidgan.terms import GaussianConsistency as GaussianConsistency
    from iidgan.terms import ZDiscriminator as ZDiscriminator

_WHERE = {
    "iidgan.bench.model": ("Model", "load_model"),
    "iidgan.bench.run": ("Run", "recommended"),
    "iidgan.bench.train": ("Result", "train"),
    "iidgan.core": ("Batch", "Method", "Nets", "Player", "Regularised", "Term"),
    "iidgan.data": ("ArrayFile", "FashionMnist", "Grid", "Mnist", "Ring", "array"),
    "iidgan.engine.optim": ("Adam",),
    "iidgan.errors": ("InputError",),
    "iidgan.methods": ("GAN", "iid_gan", "invert_gan"),
    "iidgan.nn": ("DCGAN", "MLP"),
    "iidgan.terms": ("CycleConsistency", "GaussianConsistency", "ZDiscriminator"),
}
_MODULE_OF = {name: module for module, names in _WHERE.items() for name in names}
_RENAMED = {"load": "load_model"}

__all__ = sorted({"load", "losses", *_MODULE_OF} - {"load_model"})


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    if name == "losses":
        return importlib.import_module("iidgan.losses")
    inside = _RENAMED.get(name, name)
    if inside not in _MODULE_OF:
        raise AttributeError(f"module 'iidgan' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULE_OF[inside]), inside)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
