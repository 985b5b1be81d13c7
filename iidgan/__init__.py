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
    from iidgan.bench.session import Result as Result
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
    from iidgan.data import Mnist5k as Mnist5k
    from iidgan.data import Prepared as Prepared
    from iidgan.data import Ring as Ring
    from iidgan.data import StackedFashion as StackedFashion
    from iidgan.data import StackedMnist as StackedMnist
    from iidgan.data import array as array
    from iidgan.data import prepared as prepared
    from iidgan.data.prepare import prepare as prepare
    from iidgan.engine.optim import Adam as Adam
    from iidgan.errors import InputError as InputError
    from iidgan.methods import AAE as AAE
    from iidgan.methods import AMAT as AMAT
    from iidgan.methods import D2GAN as D2GAN
    from iidgan.methods import GAN as GAN
    from iidgan.methods import MADGAN as MADGAN
    from iidgan.methods import MDGAN as MDGAN
    from iidgan.methods import MGGAN as MGGAN
    from iidgan.methods import MRGAN as MRGAN
    from iidgan.methods import SNGAN as SNGAN
    from iidgan.methods import VAE as VAE
    from iidgan.methods import VEEGAN as VEEGAN
    from iidgan.methods import WGAN as WGAN
    from iidgan.methods import AdvLatentGAN as AdvLatentGAN
    from iidgan.methods import BiGAN as BiGAN
    from iidgan.methods import DistGAN as DistGAN
    from iidgan.methods import PacGAN as PacGAN
    from iidgan.methods import RelativisticGAN as RelativisticGAN
    from iidgan.methods import Unrolled as Unrolled
    from iidgan.methods import Wasserstein as Wasserstein
    from iidgan.methods import iid_gan as iid_gan
    from iidgan.methods import iid_gan_plus as iid_gan_plus
    from iidgan.methods import invert_gan as invert_gan
    from iidgan.methods import iv_gan as iv_gan
    from iidgan.methods import lsgan as lsgan
    from iidgan.methods import r3gan as r3gan
    from iidgan.methods import wgan_gp as wgan_gp
    from iidgan.nn import DCGAN as DCGAN
    from iidgan.nn import DCGANSN as DCGANSN
    from iidgan.nn import MLP as MLP
    from iidgan.nn import SNGANCNN as SNGANCNN
    from iidgan.nn import ArxivCIFAR as ArxivCIFAR
    from iidgan.nn import ArxivSTL as ArxivSTL
    from iidgan.nn import MnistNet as MnistNet
    from iidgan.nn import ResNet as ResNet
    from iidgan.nn import Shrunk as Shrunk
    from iidgan.terms import GDPP as GDPP
    from iidgan.terms import R1 as R1
    from iidgan.terms import R2 as R2
    from iidgan.terms import Bures as Bures
    from iidgan.terms import CodeNoise as CodeNoise
    from iidgan.terms import CycleConsistency as CycleConsistency
    from iidgan.terms import GaussianConsistency as GaussianConsistency
    from iidgan.terms import GradientPenalty as GradientPenalty
    from iidgan.terms import InstanceNoise as InstanceNoise
    from iidgan.terms import Intervention as Intervention
    from iidgan.terms import ModeSeeking as ModeSeeking
    from iidgan.terms import ZDiscriminator as ZDiscriminator

_WHERE = {
    "iidgan.bench.model": "Model load_model",
    "iidgan.bench.run": "Run recommended",
    "iidgan.bench.train": "Result train",
    "iidgan.core": "Batch Method Nets Player Regularised Term",
    "iidgan.data": (
        "ArrayFile FashionMnist Grid Mnist Mnist5k Prepared Ring StackedFashion StackedMnist "
        "array prepared"
    ),
    "iidgan.data.prepare": "prepare",
    "iidgan.engine.optim": "Adam",
    "iidgan.errors": "InputError",
    "iidgan.methods": (
        "AAE AMAT AdvLatentGAN BiGAN D2GAN DistGAN GAN MADGAN MDGAN MGGAN MRGAN PacGAN "
        "RelativisticGAN SNGAN Unrolled VAE VEEGAN WGAN Wasserstein iid_gan iid_gan_plus "
        "invert_gan iv_gan "
        "lsgan r3gan wgan_gp"
    ),
    "iidgan.nn": "ArxivCIFAR ArxivSTL DCGAN DCGANSN MLP MnistNet ResNet SNGANCNN Shrunk",
    "iidgan.terms": (
        "Bures CodeNoise CycleConsistency GDPP GaussianConsistency GradientPenalty InstanceNoise "
        "Intervention ModeSeeking R1 R2 ZDiscriminator"
    ),
}
_MODULE_OF = {name: module for module, names in _WHERE.items() for name in names.split()}
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
