"""Laws of all registered methods."""

import pytest

from iidgan.core import Regularised
from iidgan.methods import GAN, METHODS, Unrolled, iid_gan
from iidgan.methods.aae import AAE
from iidgan.methods.bigan import BiGAN
from iidgan.methods.dist_gan import DistGAN
from iidgan.methods.iv_gan import iv_gan
from iidgan.methods.mdgan import MDGAN
from iidgan.methods.mggan import MGGAN
from iidgan.methods.mrgan import MRGAN
from iidgan.methods.vae import VAE
from iidgan.methods.veegan import VEEGAN
from iidgan.terms import CycleTerm
from iidgan.terms.instance_noise import InstanceNoise
from iidgan.terms.intervention import Intervention
from iidgan.testing import check_compiled, check_method
from iidgan.testing.mini_run import ARCH
from tests.helpers.engine import SMALL_ARCH
from tests.helpers.networks import IMAGES, LARGER_IMAGES, SPECTRAL, VECTORS
from tests.helpers.training_runs import gan_with_noise

SHORT = {"ivgan": iv_gan(intervention=Intervention(e_steps=2)), "unrolled": Unrolled(steps=2)}
"""Methods with two inner updates a step; their defaults take four times as long."""


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_check_method_of_registered(name):
    check_method(METHODS[name]())


@pytest.mark.slow
@pytest.mark.usefixtures("narrow_latent_discriminators")
@pytest.mark.parametrize("name", METHODS)
def test_check_method_on_images(name):
    check_method(SHORT.get(name) or METHODS[name](), LARGER_IMAGES)


@pytest.mark.slow
def test_check_method_with_spectral_norm():
    check_method(iid_gan(), SPECTRAL)


METHODS_WITH_CYCLE = ("iid-gan", "iid-gan+", "invert-gan", "conditional-iid-gan")
OTHER_METHODS = [name for name in METHODS if name not in METHODS_WITH_CYCLE]


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHER_METHODS)
def test_check_method_with_iid_terms(name):
    check_method(iid_gan(METHODS[name]()))


def test_check_method_with_saturating_loss():
    check_method(GAN(loss="saturating"))


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_check_compiled_captures_methods(name):
    check_compiled(SHORT.get(name) or METHODS[name](), SMALL_ARCH, generate=False)


@pytest.mark.slow
def test_check_compiled_captures_one_seed():
    check_compiled(iid_gan(), seeds=(7,), generate=False)


def name_of(method):
    return type(method).__name__


@pytest.mark.parametrize("method", [DistGAN(decoder=False), VAE(warm_up=0.5)], ids=name_of)
def test_check_method_with_other_options(method):
    check_method(method)


@pytest.mark.slow
@pytest.mark.parametrize("arch", [ARCH, IMAGES], ids=["vectors", "images"])
@pytest.mark.parametrize(
    "method",
    [
        Unrolled(steps=2),
        Unrolled(steps=2, second_order=False),
        gan_with_noise(),
        gan_with_noise(until=None),
        Regularised(method=GAN(), terms=(CycleTerm(), InstanceNoise(network="F"))),
        iv_gan(intervention=Intervention(e_steps=2)),
    ],
    ids=["unrolled", "first-order", "noise", "constant noise", "noise before F", "iv-gan"],
)
def test_check_method_with_noise_or_unrolling(method, arch):
    check_method(method, arch)


ENCODER_METHODS = [
    AAE(),
    BiGAN(),
    DistGAN(),
    DistGAN(decoder=False),
    MDGAN(),
    MGGAN(),
    MRGAN(),
    VAE(),
    VAE(warm_up=0.5),
    VEEGAN(),
]


@pytest.mark.parametrize("method", ENCODER_METHODS, ids=name_of)
def test_encoder_methods_have_inverse(method):
    assert ("F" in method.networks(VECTORS)) is not isinstance(method, MGGAN)
