"""Prepared steps on a CUDA device are the eager ones, for every method and term."""

import gc
from typing import get_args

import pytest
import torch

from iidgan.core import Dataset, NetworkFactory, Regularised
from iidgan.engine.compile import (
    compile_step,
)
from iidgan.engine.compile.executors import ACTIVITIES
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import init_state, named_tensors
from iidgan.engine.step import TrainStep
from iidgan.functional import gaussian
from iidgan.methods import GAN, METHODS, iid_gan
from iidgan.nn import DCGAN, MLP
from iidgan.terms import TERMS, GaussianTerm
from tests.helpers.engine import (
    SEEDS,
)
from tests.helpers.networks import IMAGE_TERMS

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="requires a CUDA device"),
]
NUM_CUDA_STEPS = 12
VECTORS = NetworkFactory(MLP(hidden=(16, 16)), (2,))


IMAGES = NetworkFactory(DCGAN(latent=4, width=4, norm="none"), (1, 32, 32))


def train_on_cuda(method, arch, executor):
    """Trains briefly on the device, whose free memory is filled with NaN after the preparation.

    Returns:
        The networks and the losses of the last step, and the messages of the preparation.
    """
    device = torch.device("cuda")
    state = init_state(method, arch, Adam(), SEEDS, device=device)
    train_step = TrainStep(method, state, steps=NUM_CUDA_STEPS)
    x = torch.randn(64, *arch.shape, generator=torch.Generator().manual_seed(0)).tanh()
    stream = DatasetStream(
        Dataset(x, torch.arange(64) % 4).to(device),
        SEEDS,
        batch_size=16,
        latent_dim=arch.latent,
        batches_per_step=train_step.num_batches,
        noise_shapes=method.noise_shapes(arch),
        steps=NUM_CUDA_STEPS,
    )
    messages = []
    step_fn = compile_step(executor, train_step, stream.batches_at(0), messages.append)
    gc.collect()
    garbage = [torch.full((2**i,), torch.nan, device=device) for i in range(18) for _ in range(20)]
    for step in range(NUM_CUDA_STEPS):
        state.set_lr(Adam().lr_at(step, NUM_CUDA_STEPS))
        losses = step_fn(stream.batches_at(step))
        state.step += 1
    del garbage
    values = {n: v for n, v in named_tensors(state).items() if n.startswith("nets.")} | losses
    return {name: value.double().cpu() for name, value in values.items()}, messages


def compare_with_eager(method, arch, executor="graphed"):
    """Compares a training with an eager one, and returns the messages of its preparation."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        expected, _ = train_on_cuda(method, arch, "eager")
        values, messages = train_on_cuda(method, arch, executor)
    finally:
        torch.set_default_dtype(before)
    assert expected.keys() == values.keys()
    for key, value in expected.items():
        torch.testing.assert_close(values[key], value, rtol=1e-7, atol=1e-7, msg=key)
    return set(messages)


@pytest.mark.parametrize("name", METHODS)
def test_graphed_method_equals_eager(name):
    assert compare_with_eager(METHODS[name](), VECTORS) == {CAPTURING}


CAPTURING = ACTIVITIES["graphed"]
BASES = [name for name in METHODS if name not in ("iid-gan", "iid-gan+", "invert-gan")]


@pytest.mark.parametrize("name", BASES)
def test_graphed_method_with_terms(name):
    assert compare_with_eager(iid_gan(METHODS[name]()), VECTORS) == {CAPTURING}


@pytest.mark.parametrize("name", ["gan", "iid-gan", "wgan-gp", "amat"])
def test_compiled_method_on_cuda(name):
    assert compare_with_eager(METHODS[name](), VECTORS, "compiled") == {"compiling"}


@pytest.mark.parametrize("executor", ["graphed", "compiled"])
@pytest.mark.parametrize("latent", [2, 24])
@pytest.mark.parametrize("distance", get_args(gaussian.Distance))
def test_graphed_gaussian_term(distance, latent, executor):
    """More dimensions than codes use another algorithm."""
    # With 24 dimensions and 16 codes, KL multiplies rounding errors by 1 / eps.
    method = iid_gan(gaussian=GaussianTerm(distance=distance, eps=1e-3))
    arch = NetworkFactory(MLP(hidden=(16, 16), latent=latent), (2,))
    assert compare_with_eager(method, arch, executor) == {ACTIVITIES[executor]}


SYNCHRONISING_TERMS = ("gdpp",)  # eigenvectors require a synchronisation


@pytest.mark.parametrize("name", [name for name in TERMS if name not in SYNCHRONISING_TERMS])
def test_graphed_term_equals_eager(name):
    base = GAN() if name in ("gaussian", "sigreg", "cycle") else iid_gan()
    method = Regularised(method=base, terms=(TERMS[name](),))
    arch = IMAGES if name in IMAGE_TERMS else VECTORS
    assert compare_with_eager(method, arch) == {CAPTURING}


@pytest.mark.parametrize("name", SYNCHRONISING_TERMS)
def test_graphed_fallback_on_synchronisation(name):
    messages = compare_with_eager(Regularised(method=GAN(), terms=(TERMS[name](),)), VECTORS)
    assert any(text.endswith("running eagerly") for text in messages)


def test_graphed_images_equal_eager():
    assert compare_with_eager(iid_gan(), IMAGES) == {CAPTURING}
