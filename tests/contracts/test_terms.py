"""Laws of all registered terms."""

from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch

from iidgan.core import Regularised
from iidgan.engine.step import TrainStep
from iidgan.errors import InputError
from iidgan.methods import GAN, METHODS, Conditional, cgan, iid_gan
from iidgan.methods.adv_latent import AdvLatentGAN
from iidgan.methods.amat import AMAT
from iidgan.methods.mad_gan import MADGAN
from iidgan.terms import ADA, TERMS, DiffAugment, GaussianTerm
from iidgan.terms.bures import Bures
from iidgan.terms.gdpp import GDPP
from iidgan.terms.instance_noise import InstanceNoise
from iidgan.terms.intervention import Intervention
from iidgan.terms.mode_seeking import ModeSeeking
from iidgan.testing import check_compiled, check_term
from iidgan.testing.mini_run import ARCH, NUM_STEPS, MiniRun, without_cache
from tests.helpers.engine import SMALL_ARCH
from tests.helpers.errors import raises_input_error
from tests.helpers.networks import IMAGE_TERMS, IMAGES, LARGER_IMAGES, SPECTRAL

BASE_METHODS = {  # for terms that need more than a GAN
    "code-noise": iid_gan(),
    "inverse-classifier": cgan(),
    "auxiliary-classifier": Conditional(discriminator="unconditional"),
}

ARCHS = dict.fromkeys(IMAGE_TERMS, IMAGES)

SPECTRAL_ARCHS = {  # for terms that need as many latents as pixels
    "transport": replace(SPECTRAL, backbone=SPECTRAL.backbone.with_latent(64)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TERMS)
def test_check_term_of_registered(name):
    check_term(TERMS[name](), BASE_METHODS.get(name), ARCHS.get(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", TERMS)
def test_check_term_with_spectral_norm(name):
    check_term(TERMS[name](), BASE_METHODS.get(name), SPECTRAL_ARCHS.get(name, SPECTRAL))


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


WITHOUT_IMAGE_DISCRIMINATOR = {"aae", "vae", "drifting", "d2gan"}
WITHOUT_CENTRED_LOGITS = {
    *("lsgan", "ivgan", "wgan", "wgan-gp", "rpgan", "r3gan"),  # 0 is not the output at chance
    *("bigan", "veegan"),  # D reads pairs
}


@pytest.mark.slow
@pytest.mark.usefixtures("narrow_latent_discriminators")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("term", "refused"),
    [
        (ADA(), WITHOUT_IMAGE_DISCRIMINATOR | WITHOUT_CENTRED_LOGITS),
        (ADA(p=0.2, kimg=None), WITHOUT_IMAGE_DISCRIMINATOR),
        (DiffAugment(), WITHOUT_IMAGE_DISCRIMINATOR),
    ],
    ids=["ada", "constant ada", "diffaugment"],
)
def test_augmentations_on_all_methods(term, refused, method):
    mini_run = MiniRun(Regularised(method=METHODS[method](), terms=(term,)), LARGER_IMAGES)
    expectation = raises_input_error("terms") if method in refused else nullcontext()
    with expectation:
        TrainStep(mini_run.method, mini_run.init_state(), steps=NUM_STEPS).dry_run(
            mini_run.draw_batches()[0]
        )


@pytest.mark.slow
@pytest.mark.parametrize("distance", ["w2", "kl", "w2-1d", "epps-pulley", "energy"])
def test_check_term_with_distances(distance):
    check_term(GaussianTerm(distance=distance, directions=4))


CAPTURED_TERMS = [name for name in TERMS if name != "intervention"]  # captured in `ivgan`


@pytest.mark.slow
@pytest.mark.parametrize("name", CAPTURED_TERMS)
def test_check_compiled_captures_terms(name):
    method = Regularised(method=BASE_METHODS.get(name, GAN()), terms=(TERMS[name](),))
    check_compiled(method, ARCHS.get(name, SMALL_ARCH), generate=False)


LOSS_TERMS = [name for name in TERMS if TERMS[name]().losses or TERMS[name]().players]


@pytest.mark.slow
@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", LOSS_TERMS)
def test_lazy_gradient_has_the_same_mean(name):
    """On fixed networks and batches, for each network that the method or the term trains."""
    base, every = BASE_METHODS.get(name, GAN()), 3
    always, lazy = (
        Regularised(method=base, terms=(replace(TERMS[name](), every=k),)) for k in (1, every)
    )
    mini_run = MiniRun(always, ARCHS.get(name, ARCH))
    expected = sum_gradients(mini_run, always.players)
    gradients = [sum_gradients(mini_run, lazy.players_at(step)) for step in range(every)]
    for parameter_name, gradient in expected.items():
        mean = sum(each.get(parameter_name, 0) for each in gradients) / every
        assert torch.allclose(mean, gradient, rtol=1e-9, atol=1e-12), parameter_name


def sum_gradients(mini_run, players):
    """Return the gradient of each parameter in the losses of the players that train it."""
    state, gradients = mini_run.init_state(), {}
    for player in players:
        with torch.random.fork_rng(devices=[]):
            losses = player.loss(without_cache(state), mini_run.first_batch(player))
        for net in player.trains:
            names, parameters = zip(*state.nets[net].named_parameters(), strict=True)
            values = torch.autograd.grad(
                sum(value.sum() for value in losses.values()),
                parameters,
                retain_graph=True,
                allow_unused=True,
                materialize_grads=True,
            )
            for name, value in zip(names, values, strict=True):
                key = f"{player.name}: {net}.{name}"
                gradients[key] = value
    return gradients


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


EVERY_GROUP = ("blit", "geometric", "colour", "filter", "noise", "cutout")


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 8, 8), (3, 8, 12)], ids=str)
def test_check_adapting_ada(shape):
    """A strength that changes in each step, on grey, other and coloured, rectangular images."""
    term = ADA(groups=EVERY_GROUP, p=0.5, interval=1, kimg=0.1)
    check_term(term, arch=replace(IMAGES, shape=shape))
