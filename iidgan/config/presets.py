"""The presets: settings of tables of the papers, and of the library."""

from __future__ import annotations

from dataclasses import replace

from iidgan.config.preset import Preset
from iidgan.core import Term
from iidgan.core.references import IID_GAN, R3GAN, STYLEGAN2_ADA
from iidgan.engine.optim import Adam, AnnealedAdam
from iidgan.methods.invert_gan import PAPER as INVERT_GAN
from iidgan.nn import (
    DCGAN,
    DCGANSN,
    MLP,
    SNGANCNN,
    ArxivCIFAR,
    ArxivSTL,
    MnistNet,
    R3GANNet,
    StyleGAN2,
)
from iidgan.nn.references import IID_GAN_2021
from iidgan.terms import R1, R2, CycleTerm, GaussianTerm, InstanceNoise, Intervention
from iidgan.terms.intervention import PAPER as IVGAN


def iid_terms(cycle: float, gaussian: float) -> tuple[Term, ...]:
    """Return IID-GAN's terms for images: element means, and d / M as the weight of x.

    Arguments:
        cycle: Weight of the cycle term, lambda_re.
        gaussian: Weight of the Gaussian term, lambda_Gau.
    """
    return CycleTerm(norm="l1", weight=cycle), GaussianTerm(weight=gaussian)


IMAGE_TERMS: tuple[Term, ...] = (
    # Weights of the means of |z - F(G(z))|, |x - G(F(x))| (3 x 10) and of the Gaussian loss. With
    # a DCGAN of width 16 and 1,500 steps, two seeds cover 968 and 972 of the 1,000 modes of
    # stacked digits, against 342 and 349 with d / M = 96 as the ratio, and 677 and 830 without
    # the terms; of stacked clothes 785 and 749, against 847 and 825, and 580 and 630. So d / M is
    # too much for digits, where it halves what a plain GAN covers, and 10 helps on both.
    CycleTerm(norm="l1", weight=3.0, ratio=10.0),
    GaussianTerm(weight=3.0),
)

MANY_MODES_TERMS: tuple[Term, ...] = (
    # Weights of the mean of |x - G(F(x))| and of the Gaussian loss, with G judged at the codes. On
    # stacked images this covers more modes than IMAGE_TERMS at less cost; on single clothes it is
    # worse than a GAN without terms (docs/images.md).
    CycleTerm(norm="l1", weight=100.0, ratio=1.0, parts="x", latents="codes"),
    GaussianTerm(weight=3.0),
)

_NO_EMA = "ours: none, as no average is mentioned"
_IJCAI_TERMS = "appendix B.3; p-norm: section 5.2; d / M: equation 7; ours: element means"
_IJCAI_RATE = "ours: as in the code of the authors' next paper, AdvLatGAN"
_ARXIV_RATE = "ours: rate as in arXiv 2021, section 5.2; betas, linear decay"
_ARXIV_BATCH = "ours: as in arXiv 2021, section 5.2"
_IJCAI_LARGE = {
    "terms": _IJCAI_TERMS,
    "latent": "appendix B.3",
    "optimiser": _IJCAI_RATE,
    "batch": "appendix B.3",
    "steps": "section 5.2, appendix B.3",
    "ema": _NO_EMA,
}
_ARXIV = {
    "optimiser": "rate: section 5.2 (page 8); ours: betas, linear decay",
    "batch": "section 5.2 (page 8)",
    "steps": "section 5.2 (page 8), appendix E (page 13); section 5.2 also says 300 epochs",
    "ema": _NO_EMA,
}

_IJCAI_CELEBA = Preset(
    name="ijcai-celeba",
    title="CelebA, Table 5",
    origins=_IJCAI_LARGE | {"arch": "appendix B.2, Tables 9 and 10"},
    terms=iid_terms(0.01, 0.1),
    arch=SNGANCNN(latent=128),
    optimiser=Adam(lr=2e-4, betas=(0.0, 0.9)),
    batch=128,
    steps=100_000,
    data=("celeba",),
    side=64,
    reference=IID_GAN,
)

_IMAGES = Preset(
    name="images",
    title="Default for images",
    origins={
        "terms": "ours: trials on stacked digits and stacked clothes",
        "arch": "ours: Radford et al., 2015, at half the width",
        "latent": "ours",
        "optimiser": "Radford et al., 2015: rate and beta1; ours: linear decay",
        "batch": "ours",
        "steps": "ours",
        "ema": "ours: half-life of 10,000 images as in StyleGAN2, ramp as in StyleGAN2-ADA",
    },
    terms=IMAGE_TERMS,
    arch=DCGAN(width=32),
    optimiser=Adam(lr=2e-4),
    batch=64,
    steps=20_000,
    ema=0.9956,
    ema_rampup=0.05,
)
_MANY_MODES = replace(
    _IMAGES,
    name="many-modes",
    title="Default for stacked images, which have a thousand modes",
    origins={
        **_IMAGES.origins,
        "terms": "ours: trials on stacked digits and stacked clothes, with G at the codes",
    },
    terms=MANY_MODES_TERMS,
)

_ALL = (
    Preset(
        name="points",
        title="2D-Ring and 2D-Grid, Table 1",
        origins={
            "terms": "appendix B.1",
            "arch": "section 5.1",
            "latent": "section 5.1",
            "optimiser": "ours: the paper gives none",
            "batch": "appendix B.1",
            "steps": "the batches of Figure 3; Table 1 has 300 epochs, 300,000 steps",
            "ema": _NO_EMA,
        },
        arch=MLP(),
        optimiser=Adam(),
        batch=100,
        steps=24_000,
        data=("ring", "grid"),
        has_images=False,
        reference=IID_GAN,
    ),
    _IMAGES,
    _MANY_MODES,
    Preset(
        name="ijcai-mnist",
        title="MNIST, Figures 6 and 8",
        origins={
            "terms": _IJCAI_TERMS,
            "arch": "ours: InfoGAN's for MNIST, as the paper has none",
            "latent": "appendix B.3",
            "optimiser": _ARXIV_RATE,
            "batch": _ARXIV_BATCH,
            "steps": "appendix B.3: 300 epochs of 60,000 images",
            "ema": _NO_EMA,
        },
        terms=iid_terms(0.5, 0.1),
        arch=MnistNet(latent=2),
        optimiser=Adam(lr=2e-4),
        batch=256,
        steps=300 * 60_000 // 256,
        data=("mnist",),
        side=28,
        reference=IID_GAN,
    ),
    Preset(
        name="ijcai-stacked",
        title="Stacked MNIST, Table 3",
        origins={
            "terms": _IJCAI_TERMS,
            "arch": "section 5.2: as in Radford et al., 2015; ours: 32 pixels",
            "latent": "appendix B.3",
            "optimiser": _ARXIV_RATE,
            "batch": _ARXIV_BATCH,
            "steps": "appendix B.3: 50 epochs; ours: of 128,000 images, as in PacGAN",
            "ema": _NO_EMA,
        },
        terms=iid_terms(3.0, 3.0),
        arch=DCGAN(latent=100, width=64),
        optimiser=Adam(lr=2e-4),
        batch=256,
        steps=50 * 128_000 // 256,
        data=("stacked-mnist",),
        side=32,
        reference=IID_GAN,
    ),
    Preset(
        name="ijcai-cifar10",
        title="CIFAR-10, Table 4",
        origins=_IJCAI_LARGE
        | {"arch": "appendix B.2, Tables 7 and 8; section 5.2 says that the backbone is SNGAN"},
        terms=iid_terms(0.01, 0.1),
        arch=DCGANSN(latent=128),
        optimiser=Adam(lr=2e-4, betas=(0.5, 0.9)),
        batch=128,
        steps=100_000,
        data=("cifar10",),
        side=32,
        reference=IID_GAN,
    ),
    Preset(
        name="ijcai-stl10",
        title="STL-10, Table 4",
        origins=_IJCAI_LARGE | {"arch": "ours: that of CIFAR-10, at 48 pixels as in AdvLatGAN"},
        terms=iid_terms(0.01, 0.1),
        arch=DCGANSN(latent=128),
        optimiser=Adam(lr=2e-4, betas=(0.5, 0.9)),
        batch=128,
        steps=100_000,
        data=("stl10",),
        side=48,
        reference=IID_GAN,
    ),
    _IJCAI_CELEBA,
    replace(
        _IJCAI_CELEBA,
        name="ijcai-lsun-church",
        title="LSUN church, Table 5",
        data=("lsun-church",),
    ),
    Preset(
        name="arxiv-cifar",
        title="CIFAR-10 and CIFAR-100, Table 2",
        origins=_ARXIV
        | {
            "terms": "appendix E (page 13); p-norm: section 5.2 (page 8); d / M: section 4.2; "
            "ours: element means",
            "arch": "appendix G, Tables 9, 10 and 11 (page 15)",
            "latent": "appendix G, Table 9 (page 15)",
        },
        terms=iid_terms(3.0, 3.0),
        arch=ArxivCIFAR(latent=100),
        optimiser=Adam(lr=2e-4),
        batch=256,
        steps=100_000,
        data=("cifar10", "cifar100"),
        side=32,
        reference=IID_GAN_2021,
    ),
    Preset(
        name="arxiv-stl10",
        title="STL-10, Table 4",
        origins=_ARXIV
        | {
            "terms": "ours: those of CIFAR, as the paper has none for STL-10",
            "arch": "appendix G, Tables 12, 13 (page 15) and 14 (page 16), whose images have 32 "
            "pixels; section 5.2 (page 9) says 64",
            "latent": "appendix G, Table 13 (page 15)",
        },
        terms=iid_terms(3.0, 3.0),
        arch=ArxivSTL(latent=20),
        optimiser=Adam(lr=2e-4),
        batch=256,
        steps=100_000,
        data=("stl10",),
        side=32,
        reference=IID_GAN_2021,
    ),
    Preset(
        name="invertgan",
        title="CIFAR-10, CIFAR-100 and STL-10, Table 2",
        origins={
            "terms": "equations 5 and 10, without weights; p-norm: section 5.2",
            "arch": "appendix A.2, Tables 3 and 4; ours: D as in arXiv 2021, Table 14",
            "latent": "appendix A.2, Table 3",
            "optimiser": _ARXIV_RATE,
            "batch": "section 5.2",
            "steps": "section 5.2",
            "ema": _NO_EMA,
        },
        terms=(CycleTerm(norm="l2", weight=1.0), GaussianTerm(weight=1.0)),
        arch=ArxivSTL(latent=20),
        optimiser=Adam(lr=2e-4),
        batch=64,
        steps=100_000,
        method="invert-gan",
        data=("cifar10", "cifar100", "stl10"),
        side=32,
        reference=INVERT_GAN,
    ),
    Preset(
        name="ivgan",
        title="MNIST, CIFAR-10, STL-10 and LSUN church, Table 1; Stacked MNIST, Table 2",
        origins={
            "terms": "mu: section 4; lambda: the authors' code, as are 4 blocks, a row of Table "
            "3, an E that minimises the classifier's loss alone, and a classifier of samples "
            "without noise; ours: noise that decreases linearly instead of in steps; cycle and "
            "Gaussian terms of other methods: as for images",
            "arch": "64 pixels: section 4; DCGAN of width 64: the authors' code",
            "latent": "section 4",
            "optimiser": "Adam: section 4; constant rate and betas: the authors' code",
            "batch": "the authors' code",
            "steps": "section 4, Table 2; ours for other sets: the same",
            "ema": _NO_EMA,
        },
        terms=(
            Intervention(
                blocks=4, classify=0.5, reconstruct=0.25, e_reconstruct=False, clean=True
            ),
            InstanceNoise(std=0.05, until=0.5),
            *IMAGE_TERMS,
        ),
        arch=DCGAN(latent=100, width=64),
        optimiser=Adam(lr=2e-4, schedule="constant"),
        batch=64,
        steps=100_000,
        method="iv-lsgan",
        data=("mnist", "cifar10", "stl10", "lsun-church", "stacked-mnist"),
        side=64,
        reference=IVGAN,
    ),
    Preset(
        name="stylegan2",
        title="FFHQ at 256 pixels, with the steps of Table 6 of IJCAI 2023",
        origins={
            "terms": "R1 of 256 pixels, path lengths as in StyleGAN2; ours: of --term cycle and "
            "--term gaussian 0.01 and 0.1, as for CelebA in IJCAI 2023, every 8 steps, per "
            "dimension, as a batch is smaller than M",
            "arch": "next to images of 64 pixels, the channels of 64 pixels",
            "latent": "as in StyleGAN2",
            "optimiser": "rate and betas; constant, as there",
            "batch": "that of 256 pixels",
            "steps": "IJCAI 2023, section 5.2: 10 million images",
            "ema": "half-life of 20,000 images; ramp as for other sizes",
        },
        terms=(
            CycleTerm(norm="l1", weight=0.01, every=8),
            GaussianTerm(weight=0.1, every=8, distance="w2-1d"),
        ),
        arch=StyleGAN2(),
        optimiser=Adam(lr=2.5e-3, betas=(0.0, 0.99), schedule="constant"),
        batch=64,
        steps=10_000_000 // 64,
        ema=0.9978,
        ema_rampup=0.05,
        method="stylegan2-ada",
        data=("afhq-cat", "lsun-church"),
        reference=STYLEGAN2_ADA,
    ),
    Preset(
        name="r3gan",
        title="Stacked MNIST",
        origins={
            "terms": "R1 and R2 fall from 1 to 0.1; ours: of --term cycle and --term gaussian "
            "0.01 and 0.1",
            "arch": "section 4; width of 32 pixels",
            "latent": "as there",
            "optimiser": "rate and beta2 as there; ours: over the whole run",
            "batch": "as there",
            "steps": "ours: 10 million images",
            "ema": "ours: half-life of 500,000 images; ramp as in StyleGAN2-ADA",
        },
        terms=(
            *(R1(weight=1.0, growth=0.1), R2(weight=1.0, growth=0.1)),
            *iid_terms(0.01, 0.1),
        ),
        arch=R3GANNet(width=768),
        optimiser=AnnealedAdam(),
        batch=512,
        steps=10_000_000 // 512,
        ema=0.9993,
        ema_rampup=0.05,
        method="r3gan",
        data=("stacked-mnist",),
        reference=R3GAN,
    ),
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ALL}
"""All presets by name."""
