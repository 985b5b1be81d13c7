"""What the compiler is given in place of fused kernels and thin products, and replayed moves."""

import gc
import itertools
import weakref
from functools import partial

import pytest
import torch
from torch import nn

import iidgan
from iidgan.core import Arch, Dataset, Nets
from iidgan.engine.compile.cuda_graph import Graphed
from iidgan.engine.compile.decompositions import THIN, baddbmm, bmm, fused_adam_
from iidgan.engine.compile.executors import MADE, Phases, check, executor
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import Batches
from iidgan.engine.state import init, tensors
from iidgan.engine.step import Move
from iidgan.errors import InputError
from iidgan.methods import GAN, METHODS, iid_gan, wgan_gp
from iidgan.nn import DCGAN, MLP
from iidgan.testing import check_compiled

ARCH = Arch(MLP(hidden=(8, 8)), (2,))
STEPS = 8


@pytest.mark.parametrize("shape", [*itertools.product((1, 2, 5, 9), repeat=3)])
def test_thin_products_are_products(shape, float64):
    m, k, n = shape
    a, b, bias = torch.randn(3, m, k), torch.randn(3, k, n), torch.randn(3, 1, n)
    for left in (a, a.mT.contiguous().mT):
        if min(shape) > THIN:
            assert bmm(left, b) is NotImplemented
        else:
            torch.testing.assert_close(bmm(left, b), torch.bmm(left, b))
        spelled = baddbmm(bias, left, b, beta=2, alpha=0.5)
        torch.testing.assert_close(spelled, torch.baddbmm(bias, left, b, beta=2, alpha=0.5))


@pytest.mark.parametrize("eps", [1e-8, 1e-2])
def test_the_spelled_out_optimiser_is_the_fused_one(eps, float64):
    start = [torch.randn(3, 4), torch.randn(5)]
    theirs = [torch.nn.Parameter(value.clone()) for value in start]
    lr = torch.tensor(0.1)
    optimiser = torch.optim.Adam(theirs, lr=lr, betas=(0.5, 0.9), eps=eps, fused=True)
    ours = [value.clone() for value in start]
    means, squares = ([torch.zeros_like(v) for v in start] for _ in range(2))
    for step in range(1, 6):
        lr.fill_(0.1 / step)
        slopes = [torch.randn_like(value) for value in start]
        for value, slope in zip(theirs, slopes):
            value.grad = slope
        optimiser.step()
        steps = [torch.tensor(float(step))] * 2
        fused_adam_(ours, slopes, means, squares, [], steps, lr=lr, beta1=0.5, beta2=0.9, eps=eps)
        for a, b in zip(ours, theirs):
            torch.testing.assert_close(a, b.detach())


@pytest.mark.parametrize("option", ["weight_decay", "amsgrad", "maximize"])
def test_an_optimiser_with_other_options_is_left_as_it_is(option):
    value = torch.ones(3)
    slots = [[torch.zeros(3)], [torch.zeros(3)], [], [torch.tensor(1.0)]]
    found = fused_adam_(
        [value], [torch.ones(3)], *slots, lr=0.1, beta1=0.5, beta2=0.9, eps=1e-8, **{option: 1}
    )
    assert found is NotImplemented
    assert torch.equal(value, torch.ones(3))


def test_products_that_are_not_spelled_out():
    a, b = torch.randn(1, 2, 0), torch.randn(1, 0, 3)
    assert bmm(a, b) is NotImplemented
    half = torch.randn(1, 2, 2, dtype=torch.bfloat16)
    assert bmm(half, half) is NotImplemented
    assert baddbmm(half, half, half) is NotImplemented
    bias = torch.full((1, 1, 2), torch.nan)
    a = torch.randn(1, 2, 2)
    torch.testing.assert_close(baddbmm(bias, a, a, beta=0), a @ a)


def setting(method):
    """A state, its move, and batches of all steps."""
    state = init(method, ARCH, Adam(), (0, 1), ema=0.9)
    move = Move(method, state, steps=STEPS, ema=0.9)
    batches = Batches(
        Dataset(torch.randn(50, 2, generator=torch.Generator().manual_seed(0))),
        (0, 1),
        size=10,
        latent=2,
        repeat=move.num_batches,
        noise=method.noise(ARCH),
        steps=STEPS,
    )
    return state, move, batches


def trained(step, state, batches):
    """Takes all steps; gives the logs of each."""
    logs = []
    for number in range(STEPS):
        state.set_rate(Adam().rate(number, STEPS))
        logs.append(step(batches.at(number)))
        state.step += 1
    return logs


def again(work):
    """Replays by doing the work again, into the memory of the first time."""
    result = work()

    def replay():
        result.copy_(work())

    return replay, result


def graphed(move, example):
    return Graphed(move, example, record=again)


@pytest.mark.parametrize("name", ["gan", "iid-gan", "amat", "mggan"])
def test_a_replayed_move_is_the_move(name):
    method = METHODS[name]()
    (state, move, batches), (other, eager, _) = setting(method), setting(method)
    before = {name: value.clone() for name, value in tensors(state).items()}
    step = Phases(move, batches.at(0), make=graphed)
    kept = tensors(state)
    assert all(torch.equal(kept[name], value) for name, value in before.items())
    logs, expected = trained(step, state, batches), trained(eager, other, batches)
    assert [list(log) for log in logs] == [list(log) for log in expected]
    for found, log in zip(logs, expected):
        assert all(torch.equal(found[name], log[name]) for name in log)
    there = tensors(other)
    assert all(torch.equal(value, there[name]) for name, value in tensors(state).items())


def test_a_seed_that_diverged_does_not_keep_the_others_from_being_recorded():
    state, move, batches = setting(iid_gan())
    move(batches.at(0))
    with torch.no_grad():
        for value in state.nets.parameters():
            value[1] = torch.nan
    graphed(move, batches.at(1))
    with pytest.raises(RuntimeError, match="does not do what the move does"):
        Graphed(move, batches.at(1), record=lambda work: (list, work()))


def test_what_was_recorded_lives_as_long_as_its_recording():
    """Kernels that a device replays read its constants, and nothing else refers to them."""
    _, move, batches = setting(iid_gan())

    def weakly(work):
        result, known = work(), weakref.ref(work)
        return lambda: result.copy_(known()()), result

    step = Graphed(move, batches.at(0), record=weakly)
    lives = weakref.ref(move)
    del move
    gc.collect()
    assert lives() is not None, step


def test_a_recording_that_does_something_else_is_not_used(monkeypatch):
    """The move is carried out eagerly instead, and says so."""
    state, move, batches = setting(iid_gan())
    before = {name: value.clone() for name, value in tensors(state).items()}
    monkeypatch.setitem(MADE, "graphed", partial(Graphed, record=lambda work: (list, work())))
    told = []
    assert executor("graphed", move, batches.at(0), told.append) is move
    assert told[0] == "recording"
    assert told[1].endswith("does not do what the move does); running eagerly")
    there = tensors(state)
    assert all(torch.equal(there[name], value) for name, value in before.items())


def test_only_a_cuda_device_replays(tmp_path):
    for name in MADE:
        check(name, torch.device("cuda:0"))
    check("compiled", torch.device("cpu"))
    with pytest.raises(InputError, match="executor: graphed needs a CUDA device, not cpu; use co"):
        iidgan.train(iidgan.Run(), out=tmp_path / "run", executor="graphed", device="cpu")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_compiled_critic_of_one_output_agrees():
    """Whose thin products are spelled out, forward, backward and twice."""
    check_compiled(wgan_gp())


def test_networks_compute_in_bfloat16_and_losses_in_float32():
    seen = []

    class Spy(nn.Module):
        def __init__(self, net):
            super().__init__()
            self.net = net

        def forward(self, x):
            output = self.net(x)
            seen.append(output.dtype)
            return output

    nets = {name: Spy(net) for name, net in GAN().networks(Arch(MLP(), (2,))).items()}
    z = torch.randn(1, 50, 2)
    exact, rough = Nets(nets).G(z), Nets(nets, half=True).G(z)
    assert seen == [torch.float32, torch.bfloat16]
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).abs().max() < 0.02
    held = Nets(nets, half=True).holding("G", dict(nets["G"].named_parameters()))
    assert torch.equal(held.G(z), rough)


@pytest.mark.parametrize("method", [iid_gan(), wgan_gp()], ids=["iid-gan", "wgan-gp"])
def test_images_train_in_bfloat16(method):
    """Weights stay float32, and move as they do in float32 but for rounding."""
    arch = Arch(DCGAN(latent=4, width=4, norm="none"), (1, 32, 32))
    x = torch.rand(64, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    moved = []
    for precision in ("float32", "bfloat16"):
        state = init(method, arch, Adam(lr=1e-3), (0, 1))
        before = {n: v.clone() for n, v in state.nets.state_dict().items()}
        move = Move(method, state, steps=5, precision=precision)
        batches = Batches(
            Dataset(x), (0, 1), size=16, latent=4, repeat=move.num_batches,
            noise=method.noise(arch),
        )  # fmt: skip
        for step in range(5):
            losses = move(batches.at(step))
            state.step += 1
        assert all(value.dtype == torch.float32 for value in losses.values())
        after = state.nets.state_dict()
        assert all(value.dtype == torch.float32 for value in after.values())
        moved.append(torch.cat([(after[n] - before[n]).flatten() for n in before]))
    exact, rough = moved
    cosine = torch.nn.functional.cosine_similarity(exact, rough, dim=0)
    assert 0.8 < cosine < 0.999999
