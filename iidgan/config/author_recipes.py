"""Recipes: compared methods with the settings of their authors, for points in the plane.

A comparison in one setting asks what a loss brings; one with everybody's own settings asks what a
publication brings. `AUTHOR_RECIPES` has the second: nets, optimiser, learning rates, moves, batch
and losses as the authors have them for points, or, where they have none for points, what carries
over from images. Each value names its source; what a recipe lacks is said there too.
"""

from __future__ import annotations

from typing import Any

from iidgan.config.preset import Preset
from iidgan.core import Backbone, Regularised
from iidgan.engine.optim import Adam, RMSProp
from iidgan.methods import (
    D2GAN,
    GAN,
    MADGAN,
    MDGAN,
    MGGAN,
    MRGAN,
    SNGAN,
    VEEGAN,
    WGAN,
    AdvLatentDivGAN,
    AdvLatentGAN,
    BiGAN,
    DistGAN,
    PacGAN,
    Unrolled,
    amat,
    invert_gan,
    iv_gan,
    iv_lsgan,
    lsgan,
    r3gan,
    wgan_gp,
)
from iidgan.nn import MLP
from iidgan.terms import GDPP, Bures, GradientPenalty, InstanceNoise, Intervention, ModeSeeking

SUFFIX = "-authors"
"""End of the name of a preset that is a recipe of the authors of a method."""
STEPS = 24_000
"""Steps of the tables of points: a recipe says nothing of the length of a training."""
TABLE_ARCH = MLP()
"""Nets of these tables, for recipes whose authors have nets for images only."""


def _make_recipe(
    name: str,
    *,
    arch: Backbone = TABLE_ARCH,
    batch: int = 100,
    **values: Any,  # noqa: ANN401 - fields of a preset
) -> Preset:
    """Create a preset of points; by default with the nets and the batches of the tables."""
    return Preset(
        name=f"{name}{SUFFIX}",
        arch=arch,
        batch=batch,
        steps=STEPS,
        has_images=False,
        **values,
    )


def _adam(lr: float, beta1: float = 0.5, beta2: float = 0.999) -> Adam:
    return Adam(lr=lr, betas=(beta1, beta2), schedule="constant")


_DEMO_ARCH = MLP(latent=256, hidden=(128, 128), activation="tanh", init="orthogonal")
"""Nets of the script of Unrolled GAN for points, which GDPP and LSGAN took over."""
_DEMO_BATCH = 512
_DEMO_D_FACTOR = (("D", 0.1),)
_DEMO_OPTIMISER = _adam(1e-3)
_DEMO_ORIGINS = {
    "nets": "two layers of 128 with tanh, 256 latents, orthogonal weights with gain 1.4",
    "rates": "1e-3 for G, 1e-4 for D, constant; beta1 0.5",
    "batch": "512",
}
_TABLE_NETS = "those of the table, as the authors have nets for images only"

_ALL = (
    _make_recipe(
        "lsgan",
        title="LSGAN",
        code="https://github.com/xudonmao/LSGAN, stability_comparison/mixture_gaussian/ls.py",
        origins=_DEMO_ORIGINS,
        method=lsgan(),
        optimiser=_DEMO_OPTIMISER,
        arch=_DEMO_ARCH,
        batch=_DEMO_BATCH,
        lr_factors=_DEMO_D_FACTOR,
    ),
    _make_recipe(
        "wgan",
        title="WGAN",
        code="https://github.com/martinarjovsky/WassersteinGAN, main.py",
        origins={
            "optimiser": "RMSProp at 5e-5",
            "moves": "5 of D",
            "clip": "0.01",
            "batch": "64",
            "nets": _TABLE_NETS,
            "lacks": "100 moves of D in the first 25 steps and in every 500th",
        },
        method=WGAN(),
        optimiser=RMSProp(),
        batch=64,
    ),
    _make_recipe(
        "wgan-gp",
        title="WGAN-GP",
        code="https://github.com/igul222/improved_wgan_training, gan_toy.py",
        origins={
            "nets": "three layers of 512 with ReLU, 2 latents",
            "weight": "0.1",
            "moves": "5 of D",
            "optimiser": "Adam at 1e-4, betas 0.5 and 0.9, constant",
            "batch": "256",
        },
        method=wgan_gp(penalty=GradientPenalty(weight=0.1)),
        optimiser=_adam(1e-4, beta2=0.9),
        arch=MLP(hidden=(512, 512, 512)),
        batch=256,
    ),
    _make_recipe(
        "sngan",
        title="SNGAN",
        code="https://github.com/pfnet-research/sngan_projection",
        origins={
            "optimiser": "Adam at 2e-4, betas 0 and 0.9, linear decay",
            "moves": "5 of D",
            "batch": "64",
            "nets": _TABLE_NETS,
            "lacks": "batches of 128 for G",
        },
        method=SNGAN(critic_steps=5),
        optimiser=Adam(lr=2e-4, betas=(0.0, 0.9)),
        batch=64,
    ),
    _make_recipe(
        "bigan",
        title="BiGAN",
        code="https://github.com/jeffdonahue/bigan",
        origins={
            "optimiser": "Adam at 2e-4, beta1 0.5; ours: constant, where the authors' rate decays "
            "in the second half",
            "batch": "128",
            "nets": _TABLE_NETS,
            "lacks": "weight decay, uniform latents",
        },
        method=BiGAN(),
        optimiser=_adam(2e-4),
        batch=128,
    ),
    _make_recipe(
        "unrolled",
        title="Unrolled GAN",
        code="https://github.com/poolio/unrolled_gan",
        origins={
            **_DEMO_ORIGINS,
            "unrolled steps": "5 at the rate of D, 1e-4, constant",
            "lacks": "unrolled steps that continue the moments of D's Adam",
        },
        method=Unrolled(steps=5, lr=1e-4, pace=0.1),
        optimiser=_DEMO_OPTIMISER,
        arch=_DEMO_ARCH,
        batch=_DEMO_BATCH,
    ),
    _make_recipe(
        "veegan",
        title="VEEGAN",
        code="https://github.com/akashgit/VEEGAN",
        origins={
            "nets": "two layers of 128 with ReLU, 254 latents",
            "optimiser": "Adam at 1e-3, beta1 0.5, constant",
            "batch": "500",
            "lacks": "one layer alone in D",
        },
        method=VEEGAN(),
        optimiser=_adam(1e-3),
        arch=MLP(latent=254, hidden=(128, 128)),
        batch=500,
    ),
    _make_recipe(
        "pacgan",
        title="PacGAN",
        code="https://github.com/fjxmlzn/PacGAN, synthetic_data_experiments",
        origins={
            "optimiser": "Adam at 1e-4, beta1 0.8, constant",
            "batch": "100",
            "moves": "two of G, as in its experiment on stacked digits with VEEGAN's setting",
            "nets": "those of the table; the authors' have batch norm in G, maxout in D",
        },
        method=PacGAN(m=2, generator_steps=2),
        optimiser=_adam(1e-4, beta1=0.8),
    ),
    _make_recipe(
        "mad-gan",
        title="MAD-GAN",
        code="https://github.com/vivkul/MAD-GAN_synthetic",
        origins={
            "optimiser": "Adam at 1e-4, beta1 0.5, constant",
            "batch": "128",
            "nets": "layers of 128, 64 latents; ours: two, with ReLU",
        },
        method=MADGAN(),
        optimiser=_adam(1e-4),
        arch=MLP(latent=64, hidden=(128, 128)),
        batch=128,
    ),
    _make_recipe(
        "gdpp",
        title="GDPP",
        code="https://github.com/M-Elfeki/GDPP, gdppgan_Synthetic.py",
        origins=_DEMO_ORIGINS,
        method=Regularised(method=GAN(), terms=(GDPP(),)),
        optimiser=_DEMO_OPTIMISER,
        arch=_DEMO_ARCH,
        batch=_DEMO_BATCH,
        lr_factors=_DEMO_D_FACTOR,
    ),
    _make_recipe(
        "bures",
        title="BuresGAN",
        code="https://arxiv.org/abs/2006.09096 and its code",
        origins={
            "nets": "two layers of 128 with tanh, 256 latents",
            "weight": "1 of covariances that are sums over the batch",
            "optimiser": "Adam at 1e-3, beta1 0.5, constant",
            "batch": "256",
        },
        method=Regularised(method=GAN(), terms=(Bures(weight=1.0, batch_sum=True),)),
        optimiser=_adam(1e-3),
        arch=MLP(latent=256, hidden=(128, 128), activation="tanh"),
        batch=256,
    ),
    _make_recipe(
        "mode-seeking",
        title="MSGAN",
        code="https://github.com/HelenMao/MSGAN, DCGAN-Mode-Seeking",
        origins={
            "weight": "1",
            "optimiser": "Adam at 2e-4, betas 0.5 and 0.999, constant",
            "batch": "32",
            "nets": _TABLE_NETS,
            "lacks": "classes, weight decay, a D of both halves of the pairs",
        },
        method=Regularised(method=GAN(), terms=(ModeSeeking(weight=1.0),)),
        optimiser=_adam(2e-4),
        batch=32,
    ),
    _make_recipe(
        "mrgan",
        title="MRGAN",
        code="https://arxiv.org/abs/1612.02136; no code of its authors is known",
        origins={
            "optimiser": "ours: Adam at 1e-4, beta1 0.5, constant, as in later code",
            "batch": "ours: 128",
            "nets": "those of the table",
        },
        method=MRGAN(),
        optimiser=_adam(1e-4),
        batch=128,
    ),
    _make_recipe(
        "mdgan",
        title="MDGAN",
        code="https://arxiv.org/abs/1612.02136; the code of BuresGAN has it for points",
        origins={
            "nets": "two layers of 128 with tanh, 256 latents, as in the code of BuresGAN",
            "optimiser": "Adam at 1e-3, beta1 0.5, constant, as there",
            "batch": "256, as there",
        },
        method=MDGAN(),
        optimiser=_adam(1e-3),
        arch=MLP(latent=256, hidden=(128, 128), activation="tanh"),
        batch=256,
    ),
    _make_recipe(
        "mggan",
        title="MGGAN",
        code="https://github.com/QuickSolverDab/Tensorflow-MyGANs, models/MGGAN.py",
        origins={
            "optimiser": "Adam at 2e-4, beta1 0.5, constant",
            "batch": "128",
            "nets": _TABLE_NETS,
            "lacks": "the autoencoder's own learning rate of 1e-3, uniform latents",
        },
        method=MGGAN(),
        optimiser=_adam(2e-4),
        batch=128,
    ),
    _make_recipe(
        "dist-gan",
        title="Dist-GAN",
        code="https://github.com/tntrung/gan, distgan_toy2d and distgan_image",
        origins={
            "nets": "three layers of 128 with ReLU, 2 latents",
            "moves": "5 of D",
            "optimiser": "Adam at 1e-3, beta1 0.8; ours: constant, where the authors multiply the "
            "rate by 0.9 at every 10,000th update of any network",
            "batch": "128",
            "mu": "as for images",
            "lacks": "the cross-entropy of reconstructions of data in [0, 1]",
        },
        method=DistGAN(critic_steps=5, full_mu=0.75),
        optimiser=_adam(1e-3, beta1=0.8),
        arch=MLP(hidden=(128, 128, 128)),
        batch=128,
    ),
    _make_recipe(
        "d2gan",
        title="D2GAN",
        code="https://github.com/tund/D2GAN, main.py",
        origins={
            "nets": "layers of 128 with ReLU, two in G, 256 latents",
            "optimiser": "Adam at 2e-4, beta1 0.5, constant",
            "batch": "512",
            "lacks": "one layer alone in D",
        },
        method=D2GAN(),
        optimiser=_adam(2e-4),
        arch=MLP(latent=256, hidden=(128, 128)),
        batch=512,
    ),
    _make_recipe(
        "amat",
        title="AMAT",
        code="https://github.com/gargrohin/AMAT, GANCF/mnist and SNGAN-Pytorch/train.py",
        origins={
            "start": "one discriminator, as in SNGAN-Pytorch/train.py",
            "rates": "Adam at 5e-4 for G and 5e-5 for D, betas 0.5 and 0.999, constant",
            "batch": "100, as in its toy_dataset",
            "nets": _TABLE_NETS,
        },
        method=amat(),
        optimiser=_adam(5e-4),
        lr_factors=(("D", 0.1),),
    ),
    _make_recipe(
        "adv-latent",
        title="AdvLatGAN",
        code="https://github.com/yangco-le/AdvLatGAN, configs/cifar10/dcgan-qua.txt",
        origins={
            "eps": "0.03",
            "optimiser": "Adam at 2e-4, betas 0.5 and 0.9, linear decay",
            "batch": "128",
            "nets": _TABLE_NETS,
        },
        method=AdvLatentGAN(eps=0.03),
        optimiser=Adam(lr=2e-4, betas=(0.5, 0.9)),
        batch=128,
    ),
    _make_recipe(
        "adv-latent-div",
        title="AdvLatGAN-div",
        code="https://github.com/yangco-le/AdvLatGAN, AdvLatGAN-div/model.py",
        origins={
            "partners": "three steps of 0.004 from 0.08 around each latent",
            "optimiser": "Adam at 2e-4, betas 0.5 and 0.999, constant",
            "batch": "32",
            "nets": _TABLE_NETS,
            "lacks": "classes, weight decay",
        },
        method=AdvLatentDivGAN(),
        optimiser=_adam(2e-4),
        batch=32,
    ),
    _make_recipe(
        "r3gan",
        title="R3GAN",
        code="https://github.com/brownvc/R3GAN",
        origins={
            "optimiser": "Adam at 2e-4, beta1 0; ours: beta2 0.99, where the authors end, and a "
            "cosine to 0",
            "batch": "256",
            "nets": _TABLE_NETS,
        },
        method=r3gan(),
        optimiser=Adam(lr=2e-4, betas=(0.0, 0.99), schedule="cosine"),
        batch=256,
    ),
    _make_recipe(
        "iv-dcgan",
        title="IVDCGAN",
        code="https://github.com/zhangliangyu32/IVGAN, IVGAN_synthetic_data/train.py",
        origins={
            "nets": "layers of 64 and 128, 64 latents",
            "optimiser": "Adam at 1e-3, beta1 0.5, constant, for all players",
            "batch": "64",
            "blocks": "2",
            "noise": "none before D",
            "lacks": "weight decay of E",
        },
        method=iv_gan(
            GAN(),
            Intervention(blocks=2, e_reconstruct=False, clean=True),
            InstanceNoise(std=0.0),
        ),
        optimiser=_adam(1e-3),
        arch=MLP(latent=64, hidden=(64, 128)),
        batch=64,
    ),
    _make_recipe(
        "iv-lsgan",
        title="IVLSGAN",
        code="https://github.com/zhangliangyu32/IVGAN, IVLSGAN_CIFAR/interpolation.py",
        origins={
            "optimiser": "Adam at 2e-4, beta1 0.5, constant; E at 0.01",
            "batch": "64",
            "nets": _TABLE_NETS,
            "lacks": "weight decay of E",
        },
        method=iv_lsgan(),
        optimiser=_adam(2e-4),
        batch=64,
        lr_factors=(("E", 50.0),),
    ),
    _make_recipe(
        "invert-gan",
        title="InvertGAN",
        code="anonymous manuscript, section 5.1",
        origins={
            "batch": "128",
            "optimiser": "ours: that of the table, as the manuscript has none for points",
            "nets": "those of the table",
        },
        method=invert_gan(),
        optimiser=Adam(),
        batch=128,
    ),
)

AUTHOR_RECIPES: dict[str, Preset] = {preset.name.removesuffix(SUFFIX): preset for preset in _ALL}
"""Recipes by the registered name of the method or term."""
