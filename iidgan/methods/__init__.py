"""GAN methods: one paper, one file.

`METHODS` lists them by name: what is registered there is covered by the contract tests and shown
by `iidgan list`. A loss that works with any method is a term and belongs in `terms`.
"""

from collections.abc import Callable

from iidgan.core import Method
from iidgan.methods.aae import AAE
from iidgan.methods.adv_latent import AdvLatentDivGAN, AdvLatentGAN
from iidgan.methods.amat import AMAT, amat
from iidgan.methods.bigan import BiGAN
from iidgan.methods.conditional import (
    Conditional,
    ac_gan,
    cgan,
    conditional_iid_gan,
    msgan,
    pd_gan,
)
from iidgan.methods.d2gan import D2GAN
from iidgan.methods.dist_gan import DistGAN
from iidgan.methods.drifting import Drifting
from iidgan.methods.gan import GAN
from iidgan.methods.iid_gan import iid_gan
from iidgan.methods.iid_gan_plus import iid_gan_plus
from iidgan.methods.invert_gan import invert_gan
from iidgan.methods.iv_gan import iv_dcgan, iv_gan, iv_lsgan
from iidgan.methods.lsgan import lsgan
from iidgan.methods.mad_gan import MADGAN
from iidgan.methods.mdgan import MDGAN
from iidgan.methods.mggan import MGGAN
from iidgan.methods.mrgan import MRGAN
from iidgan.methods.pacgan import PacGAN
from iidgan.methods.particle import ParticleGAN
from iidgan.methods.r3gan import RelativisticGAN, r3gan
from iidgan.methods.sngan import SNGAN
from iidgan.methods.stylegan2 import StyleMixingGAN, stylegan2_ada, stylegan2_ada_cifar
from iidgan.methods.unrolled import Unrolled
from iidgan.methods.vae import VAE
from iidgan.methods.veegan import VEEGAN
from iidgan.methods.wgan import WGAN, Wasserstein
from iidgan.methods.wgan_gp import wgan_gp

METHODS: dict[str, Callable[[], Method]] = {
    "gan": GAN,
    "lsgan": lsgan,
    "wgan": WGAN,
    "wgan-gp": wgan_gp,
    "sngan": SNGAN,
    "bigan": BiGAN,
    "unrolled": Unrolled,
    "veegan": VEEGAN,
    "pacgan": PacGAN,
    "mad-gan": MADGAN,
    "d2gan": D2GAN,
    "vae": VAE,
    "aae": AAE,
    "mrgan": MRGAN,
    "mdgan": MDGAN,
    "dist-gan": DistGAN,
    "mggan": MGGAN,
    "amat": amat,
    "adv-latent": AdvLatentGAN,
    "adv-latent-div": AdvLatentDivGAN,
    "r3gan": r3gan,
    "rpgan": RelativisticGAN,
    "style-mixing": StyleMixingGAN,
    "stylegan2-ada": stylegan2_ada,
    "stylegan2-ada-cifar": stylegan2_ada_cifar,
    "drifting": Drifting,
    "particle": ParticleGAN,
    "ivgan": iv_gan,
    "iv-dcgan": iv_dcgan,
    "iv-lsgan": iv_lsgan,
    "iid-gan": iid_gan,
    "iid-gan+": iid_gan_plus,
    "invert-gan": invert_gan,
    "cgan": cgan,
    "msgan": msgan,
    "pd-gan": pd_gan,
    "ac-gan": ac_gan,
    "conditional-iid-gan": conditional_iid_gan,
}

__all__ = [
    "AAE",
    "AMAT",
    "D2GAN",
    "GAN",
    "MADGAN",
    "MDGAN",
    "METHODS",
    "MGGAN",
    "MRGAN",
    "SNGAN",
    "VAE",
    "VEEGAN",
    "WGAN",
    "AdvLatentDivGAN",
    "AdvLatentGAN",
    "BiGAN",
    "Conditional",
    "DistGAN",
    "Drifting",
    "PacGAN",
    "ParticleGAN",
    "RelativisticGAN",
    "StyleMixingGAN",
    "Unrolled",
    "Wasserstein",
    "ac_gan",
    "amat",
    "cgan",
    "conditional_iid_gan",
    "iid_gan",
    "iid_gan_plus",
    "invert_gan",
    "iv_dcgan",
    "iv_gan",
    "iv_lsgan",
    "lsgan",
    "msgan",
    "pd_gan",
    "r3gan",
    "stylegan2_ada",
    "stylegan2_ada_cifar",
    "wgan_gp",
]
