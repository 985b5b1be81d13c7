"""What holds on a CUDA device: the same trajectory, replayed or not, and files that go on."""

import gc
from typing import get_args

import pytest
import torch

import iidgan
from iidgan.core import Arch, Regularised
from iidgan.engine import checkpoint
from iidgan.engine.compile.executors import executor
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import Batches
from iidgan.engine.state import init, tensors
from iidgan.engine.step import Move
from iidgan.functional import gaussian
from iidgan.methods import GAN, METHODS, iid_gan
from iidgan.nn import DCGAN, MLP
from iidgan.parallel.batched_runs import Part, train_stack
from iidgan.terms import TERMS, GaussianConsistency
from iidgan.train import train

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]
STEPS, SEEDS = 12, (0, 1, 2)
VECTORS = Arch(MLP(hidden=(16, 16)), (2,))
IMAGES = Arch(DCGAN(latent=4, width=4, norm="none"), (1, 32, 32))


def after(method, arch, name):
    """Trains a little on the device; what is free there after preparations is filled with NaN.

    Returns:
        The networks and the losses of the last step, and what was told of preparations.
    """
    device = torch.device("cuda")
    state = init(method, arch, Adam(), SEEDS, device=device)
    move = Move(method, state, steps=STEPS)
    x = torch.randn(64, *arch.shape, generator=torch.Generator().manual_seed(0)).tanh()
    batches = Batches(
        iidgan.core.Dataset(x, torch.arange(64) % 4).to(device),
        SEEDS,
        size=16,
        latent=arch.latent,
        repeat=move.num_batches,
        noise=method.noise(arch),
        steps=STEPS,
    )
    told = []
    step = executor(name, move, batches.at(0), told.append)
    gc.collect()
    junk = [torch.full((2**i,), torch.nan, device=device) for i in range(18) for _ in range(20)]
    for number in range(STEPS):
        state.set_rate(Adam().rate(number, STEPS))
        losses = step(batches.at(number))
        state.step += 1
    del junk
    values = {n: v for n, v in tensors(state).items() if n.startswith("nets.")} | losses
    return {name: value.double().cpu() for name, value in values.items()}, told


def agree(method, arch, name="graphed"):
    """Compares an eager training with another; returns what was told of the latter."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        eager, _ = after(method, arch, "eager")
        replayed, told = after(method, arch, name)
    finally:
        torch.set_default_dtype(before)
    assert eager.keys() == replayed.keys()
    for key, value in eager.items():
        torch.testing.assert_close(replayed[key], value, rtol=1e-7, atol=1e-7, msg=key)
    return set(told)


@pytest.mark.parametrize("name", METHODS)
def test_a_replayed_method_is_the_eager_one(name):
    assert agree(METHODS[name](), VECTORS) == {"recording"}


BASES = [name for name in METHODS if name not in ("iid-gan", "iid-gan+", "invert-gan")]


@pytest.mark.parametrize("name", BASES)
def test_a_replayed_method_with_the_terms_is_the_eager_one(name):
    assert agree(iid_gan(METHODS[name]()), VECTORS) == {"recording"}


@pytest.mark.parametrize("name", ["gan", "iid-gan", "wgan-gp", "amat"])
def test_generated_code_is_recorded_too_and_is_the_eager_one(name):
    assert agree(METHODS[name](), VECTORS, "compiled") == {"compiling"}


@pytest.mark.parametrize("executor", ["graphed", "compiled"])
@pytest.mark.parametrize("latent", [2, 24])
@pytest.mark.parametrize("distance", get_args(gaussian.Distance))
def test_a_replayed_gaussian_loss_is_the_eager_one(distance, latent, executor):
    """Of few dimensions and of more than there are codes, which go other ways."""
    # Of 24 dimensions and 16 codes, KL at the least eps multiplies rounding by its inverse.
    method = iid_gan(gaussian=GaussianConsistency(distance=distance, eps=1e-3))
    arch = Arch(MLP(hidden=(16, 16), latent=latent), (2,))
    told = {"graphed": "recording", "compiled": "compiling"}
    assert agree(method, arch, executor) == {told[executor]}


WAITING = ("gdpp",)  # eigenvectors: the device has to be waited for


@pytest.mark.parametrize("name", [name for name in TERMS if name not in WAITING])
def test_a_replayed_term_is_the_eager_one(name):
    base = GAN() if name in ("gaussian", "cycle") else iid_gan()
    method = Regularised(method=base, terms=(TERMS[name](),))
    assert agree(method, VECTORS) == {"recording"}


@pytest.mark.parametrize("name", WAITING)
def test_what_waits_for_the_device_runs_eagerly(name):
    told = agree(Regularised(method=GAN(), terms=(TERMS[name](),)), VECTORS)
    assert any(text.endswith("running eagerly") for text in told)


@pytest.mark.parametrize("name", WAITING)
@pytest.mark.parametrize("executor", ["graphed", "compiled"])
def test_what_waits_for_the_device_trains_on_after_an_attempt_to_record_it(
    tmp_path, name, executor
):
    """In single precision and with batches of the usual size, where libraries are others."""
    method = Regularised(method=GAN(), terms=(TERMS[name](),))
    run = iidgan.Run(source=iidgan.Ring(), method=method, steps=STEPS)
    result = train(run, seeds=5, out=tmp_path / "run", device="cuda", executor=executor)
    assert (result.ending, result.diverged) == ("finished", (-1,) * 5)


def test_replayed_images_are_the_eager_ones():
    assert agree(iid_gan(), IMAGES) == {"recording"}


@pytest.mark.parametrize("name", ["eager", "graphed"])
def test_a_run_goes_on_where_it_was(tmp_path, name):
    """And ends where it would have without a break, whichever way the steps are taken."""
    run = iidgan.Run(source=iidgan.Ring(size=1000), method=iid_gan(), steps=60)
    stop = iidgan.engine.loop.Stop()

    def listener(news, tick):
        if tick is not None and tick.step >= 30:
            stop.signal = 2

    options = {"seeds": 2, "device": "cuda", "executor": name, "checkpoint_every": 30}
    train(run, out=tmp_path / "broken", listener=listener, stop=stop, **options)
    train(run, out=tmp_path / "broken", **options)
    train(run, out=tmp_path / "whole", **options)
    one, two = (
        checkpoint.read(checkpoint.newest(tmp_path / each / "checkpoints").path)
        for each in ("broken", "whole")
    )
    for key, value in two.items():
        if key.startswith("nets."):
            torch.testing.assert_close(one[key], value, rtol=1e-3, atol=1e-4, msg=key)


def test_runs_that_differ_in_their_source_train_as_one(tmp_path):
    """And end where each would have by itself."""
    sources = iidgan.Ring(size=1000), iidgan.data.Grid(size=1000)
    runs = [iidgan.Run(source=source, method=iid_gan(), steps=40) for source in sources]
    parts = [Part(run=run, out=tmp_path / f"{i}", seeds=(0, 1)) for i, run in enumerate(runs)]
    options = {"checkpoint_every": 40, "keep": 1, "device": "cuda", "executor": "graphed"}
    endings = train_stack(
        parts, listener=lambda *_: None, stop=iidgan.engine.loop.Stop(), **options
    )
    assert endings == ["finished"] * 2
    for part in parts:
        alone = tmp_path / "alone" / part.out.name
        train(part.run, out=alone, seeds=2, **options)
        one, two = (
            checkpoint.read(checkpoint.newest(each / "checkpoints").path)
            for each in (part.out, alone)
        )
        for key in (key for key in two if key.startswith("nets.")):
            torch.testing.assert_close(one[key], two[key], rtol=1e-3, atol=1e-4, msg=key)


def test_products_keep_their_digits():
    """Good samples lie within 0.003 of points at a distance of 2: ten bits do not tell."""
    state = init(GAN(), Arch(MLP(), (2,)), Adam(), (0,), device="cuda")
    z = torch.randn(1, 1000, 2)
    with torch.no_grad():
        ours = state.nets["G"](z.cuda()).cpu()
        exact = state.nets["G"].cpu().double()(z.double())
    assert (ours - exact).abs().max() < 1e-5
