"""Laws of all registered terms."""

import pytest

from iidgan.core import Regularised
from iidgan.engine.step import TrainStep
from iidgan.errors import InputError
from iidgan.methods import GAN, METHODS, iid_gan
from iidgan.methods.adv_latent import AdvLatentGAN
from iidgan.methods.amat import AMAT
from iidgan.methods.mad_gan import MADGAN
from iidgan.terms import TERMS, GaussianTerm
from iidgan.terms.bures import Bures
from iidgan.terms.gdpp import GDPP
from iidgan.terms.instance_noise import InstanceNoise
from iidgan.terms.intervention import Intervention
from iidgan.terms.mode_seeking import ModeSeeking
from iidgan.testing import check_compiled, check_term
from iidgan.testing.mini_run import ARCH, NUM_STEPS, MiniRun
from tests.helpers.engine import SMALL_ARCH
from tests.helpers.networks import IMAGES, SPECTRAL

BASE_METHODS = {"code-noise": iid_gan()}  # for terms that need more than a GAN


@pytest.mark.slow
@pytest.mark.parametrize("name", TERMS)
def test_check_term_of_registered(name):
    check_term(TERMS[name](), BASE_METHODS.get(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", TERMS)
def test_check_term_with_spectral_norm(name):
    check_term(TERMS[name](), BASE_METHODS.get(name), SPECTRAL)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("term", TERMS)
def test_all_terms_on_all_methods(term, method):
    regularised = Regularised(method=METHODS[method](), terms=(TERMS[term](),))
    try:
        mini_run = MiniRun(regularised, ARCH)
        TrainStep(regularised, mini_run.init_state(), steps=NUM_STEPS).dry_run(
            mini_run.draw_batches()[0]
        )
    except InputError:
        pairs = {("gaussian", "gan"), ("r1", "mad-gan"), ("gdpp", "wgan"), ("cycle", "bigan")}
        assert (term, method) not in pairs


@pytest.mark.slow
@pytest.mark.parametrize("distance", ["w2", "kl", "w2-1d", "epps-pulley", "energy"])
def test_check_term_with_distances(distance):
    check_term(GaussianTerm(distance=distance, directions=4))


CAPTURED_TERMS = [name for name in TERMS if name != "intervention"]  # captured in `ivgan`


@pytest.mark.slow
@pytest.mark.parametrize("name", CAPTURED_TERMS)
def test_check_compiled_captures_terms(name):
    method = Regularised(method=BASE_METHODS.get(name, GAN()), terms=(TERMS[name](),))
    check_compiled(method, SMALL_ARCH, generate=False)


EAGER = AMAT(first_check=1, alpha=1.0, caution=1.0)  # adds a discriminator at every check


DIVERSITY_METHODS = [MADGAN(), AMAT(), EAGER, AdvLatentGAN()]


DIVERSITY_TERMS = [GDPP(), Bures(), ModeSeeking()]


@pytest.mark.slow
@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("term", DIVERSITY_TERMS, ids=str)
def test_check_term_on_images(term):
    check_term(term, arch=IMAGES)


@pytest.mark.slow
@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("term", DIVERSITY_TERMS, ids=str)
@pytest.mark.parametrize("method", DIVERSITY_METHODS, ids=str)
def test_check_term_on_methods(term, method):
    check_term(term, method)


@pytest.mark.slow
@pytest.mark.parametrize(
    "term",
    [InstanceNoise(), Intervention(e_steps=1), Intervention(e_steps=1, e_sign="paper")],
    ids=["noise", "as in the code", "as in the paper"],
)
def test_check_term_with_other_options(term):
    check_term(term)
