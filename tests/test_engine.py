"""The engine computes what a plain loop computes: optimisers, batches, states and moves."""

import copy
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import ClassVar

import pytest
import torch
from scipy import stats
from torch import nn
from torch.nn.functional import softplus
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from iidgan.core import Arch, Batch, Dataset, Method, Player
from iidgan.engine.compile.capture import Compiled
from iidgan.engine.compile.executors import MADE, Phases, executor
from iidgan.engine.optim import SCHEDULES, Adam
from iidgan.engine.sampling import BLOCK, Batches
from iidgan.engine.state import build, entropy, init, live, restore, tensors
from iidgan.engine.step import Move
from iidgan.errors import InputError
from iidgan.functional.reduce import mean
from iidgan.methods import GAN, iid_gan
from iidgan.nn import DCGAN, MLP
from iidgan.nn.layers.linear import Linear
from iidgan.terms import CycleConsistency

ARCH = Arch(MLP(latent=2, hidden=(8, 8)), (3,))
STEPS = 100  # length of a run of which only the start is seen

pytestmark = pytest.mark.usefixtures("float64")


def dataset(num=200, shape=(3,), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Dataset(torch.randn(num, *shape, generator=generator), torch.arange(num))


def batches_of(seeds, repeat=1, size=8, **options):
    return Batches(dataset(), seeds, size=size, latent=2, repeat=repeat, **options)


def copied(values):
    return {name: value.clone() for name, value in values.items()}


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


class TestOptimiser:
    @pytest.mark.parametrize(
        ("schedule", "shares"),
        [
            ("constant", {0: 1, 25: 1, 50: 1, 100: 1}),
            ("linear", {0: 1, 25: 0.75, 50: 0.5, 99: 0.01, 100: 0}),
            ("cosine", {0: 1, 25: (2 + 2**0.5) / 4, 50: 0.5, 75: (2 - 2**0.5) / 4, 100: 0}),
        ],
    )
    def test_schedules(self, schedule, shares):
        optimiser = Adam(lr=0.3, schedule=schedule)
        for step, share in shares.items():
            assert optimiser.rate(step, 100) == pytest.approx(0.3 * share, abs=1e-15)

    @pytest.mark.parametrize("schedule", SCHEDULES)
    def test_rates_never_rise(self, schedule):
        rates = [Adam(schedule=schedule).rate(step, 50) for step in range(51)]
        assert rates == sorted(rates, reverse=True)
        assert rates[0] == 2e-3

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"lr": 0.0}, "lr: 0.0 is no learning rate"),
            ({"lr": float("nan")}, "lr: nan is no learning rate"),
            ({"lr": float("inf")}, "lr: inf is no learning rate"),
            ({"betas": (0.5, 1.0)}, "betas: .* are not two numbers in"),
            ({"betas": (-0.1, 0.9)}, "betas: .* are not two numbers in"),
        ],
    )
    def test_fields_out_of_range(self, fields, message):
        with pytest.raises(InputError, match=message):
            Adam(**fields)


def plain_net(net):
    """Copies one seed of a perceptron of ours into ordinary modules."""
    layers = []
    for layer in (*net.body, net.head.layer):
        if isinstance(layer, nn.ReLU):
            layers.append(nn.ReLU())
            continue
        weight, bias = layer.weight.value.detach()[0], layer.bias.detach()[0, 0]
        linear = nn.Linear(*weight.shape)
        linear.load_state_dict({"weight": weight.T, "bias": bias})
        layers.append(linear)
    return (
        nn.Sequential(*layers, nn.Flatten(0)) if net.head.outputs == () else nn.Sequential(*layers)
    )


def plain_iid_gan(G, D, F, batches, steps):
    """Trains one IID-GAN (p-norm) as anyone would write it down."""
    adam = {"betas": (0.5, 0.999), "eps": 1e-8}
    optimiser_d = torch.optim.Adam(D.parameters(), lr=2e-3, **adam)
    optimiser_g = torch.optim.Adam([*G.parameters(), *F.parameters()], lr=2e-3, **adam)
    for step in range(steps):
        for optimiser in (optimiser_d, optimiser_g):
            optimiser.param_groups[0]["lr"] = 2e-3 * (1 - step / steps)
        x, z = batches[step]

        loss_d = softplus(-D(x)).mean() + softplus(D(G(z).detach())).mean()
        optimiser_d.zero_grad()
        loss_d.backward()
        optimiser_d.step()

        fake, code = G(z), F(x)
        adversarial = softplus(-D(fake)).mean()
        cycle = (F(fake) - z).abs().mean() + 3 / 2 * (G(code) - x).abs().mean()
        mu = code.mean(0)
        sigma = (code - mu).T @ (code - mu) / len(code)
        gaussian = mu.square().sum().sqrt() + (sigma - torch.eye(2)).square().sum().sqrt()
        loss_g = adversarial + 3 * cycle + 10 * gaussian
        optimiser_g.zero_grad()
        loss_g.backward()
        optimiser_g.step()
    return loss_d.item(), loss_g.item()


def test_the_engine_computes_what_a_plain_loop_computes():
    """Every weight of every seed agrees after 20 steps, and so do the losses."""
    steps, seeds, optimiser = 20, (4, 1), Adam()
    method = iid_gan(cycle=CycleConsistency(norm="l1"))
    state = init(method, ARCH, optimiser, seeds)
    move, batches = Move(method, state, steps=steps), batches_of(seeds)
    alone = [build(method, ARCH, [seed]) for seed in seeds]
    plain = [{name: plain_net(nets[name]) for name in "GDF"} for nets in alone]

    for step in range(steps):
        state.set_rate(optimiser.rate(step, steps))
        logs = move(batches.at(step))
    for position, nets in enumerate(plain):
        drawn = [batches.at(step)[0] for step in range(steps)]
        own = [(batch.x[position], batch.z[position]) for batch in drawn]
        loss_d, loss_g = plain_iid_gan(**nets, batches=own, steps=steps)
        ours = {name: value[position].item() for name, value in logs.items()}
        assert ours.pop("D/adversarial") == pytest.approx(loss_d, abs=1e-9)
        assert sum(ours.values()) == pytest.approx(loss_g, abs=1e-9)
        for name in "GDF":
            start = plain_net(alone[position][name]).parameters()
            linear = [part for part in state.nets[name].modules() if isinstance(part, Linear)]
            pairs = [(part.weight.value[position].T, part.bias[position, 0]) for part in linear]
            found = [value for pair in pairs for value in pair]
            for before, value, expected in zip(start, found, nets[name].parameters(), strict=True):
                assert (value - expected).abs().max() < 1e-9
                assert (value - before).abs().max() > 1e-3


class TestBatches:
    def test_shapes(self):
        batches = batches_of((0, 5, 9), repeat=2).at(3)
        assert len(batches) == 2
        for batch in batches:
            assert batch.x.shape == (3, 8, 3)
            assert batch.z.shape == (3, 8, 2)
            assert batch.u.shape == batch.y.shape == (3, 8)
            assert ((batch.u >= 0) & (batch.u < 1)).all()

    def test_labels_belong_to_samples(self):
        data, batch = dataset(), batches_of((0, 1)).at(0)[0]
        assert torch.equal(data.x[batch.y], batch.x)

    def test_a_pure_function_of_seed_and_step(self):
        steps = [200, 0, BLOCK, BLOCK - 1, 3, BLOCK + 1, 3]
        walked, asked = batches_of((7, 2)), batches_of((7, 2))
        forward = {step: walked.at(step)[0] for step in sorted(set(steps))}
        for step in steps:
            assert same(forward[step], asked.at(step)[0])
            assert same(forward[step], batches_of((7, 2)).at(step)[0])

    def test_a_seed_sees_its_batches_whatever_stands_beside_it(self):
        beside, alone = batches_of((3, 1, 2)), batches_of((1,))
        for step in (0, 5, BLOCK):
            assert same(pick(beside.at(step)[0], 1), pick(alone.at(step)[0], 0))

    def test_seeds_steps_and_repeats_differ(self):
        batches = batches_of((0, 1), repeat=2)
        first, second = batches.at(0)
        others = [second, batches.at(1)[0], batches.at(BLOCK)[0], batches_of((2, 3)).at(0)[0]]
        assert not torch.equal(first.z[0], first.z[1])
        for other in others:
            assert not torch.equal(first.z, other.z)
            assert not torch.equal(first.y, other.y)
            assert not torch.equal(first.u, other.u)

    def test_a_global_seed_has_no_part_in_it(self):
        torch.manual_seed(0)
        before = torch.get_rng_state()
        first = batches_of((0,)).at(0)[0]
        assert torch.equal(before, torch.get_rng_state())
        torch.manual_seed(1)
        assert same(first, batches_of((0,)).at(0)[0])

    def test_statistics(self):
        """Index and u are uniform, z is normal, and neighbours are unrelated."""
        drawn = [batches_of((0, 1), size=100).at(step)[0] for step in range(2 * BLOCK)]
        y, z, u = (torch.stack(part) for part in zip(*((b.y, b.z, b.u) for b in drawn)))
        counts = torch.bincount(y.flatten(), minlength=200)
        assert stats.chisquare(counts.numpy()).pvalue > 1e-3
        assert stats.kstest(z.flatten().numpy(), "norm").pvalue > 1e-3
        assert stats.kstest(u.flatten().numpy(), "uniform").pvalue > 1e-3
        num = z[0].numel() * len(drawn) / 2
        for a, b in ((z[:, 0], z[:, 1]), (z[1:], z[:-1]), (z[:BLOCK], z[BLOCK:])):
            assert (a * b).mean().abs() < 4 / num**0.5

    NOISE: ClassVar = {"image": (3, 2), "scalar": ()}

    def test_noise_has_the_shapes_that_were_asked_for(self):
        for batch in batches_of((0, 5, 9), repeat=2, noise=self.NOISE).at(BLOCK + 1):
            assert {name: v.shape for name, v in batch.noise.items()} == {
                "image": (3, 8, 3, 2),
                "scalar": (3, 8),
            }
        assert dict(batches_of((0,)).at(0)[0].noise) == {}

    @pytest.mark.parametrize("repeat", [1, 2])
    def test_noise_disturbs_nothing_else(self, repeat):
        with_noise = batches_of((7, 2), repeat, noise=self.NOISE)
        without = batches_of((7, 2), repeat)
        for step in (0, 3, BLOCK, 5 * BLOCK + 1):
            for a, b in zip(with_noise.at(step), without.at(step), strict=True):
                assert same(a, b)

    def test_noise_is_a_pure_function_of_seed_and_step(self):
        walked, asked = (batches_of((7, 2), 2, noise=self.NOISE) for _ in range(2))
        steps = [200, 0, BLOCK, BLOCK - 1, 3, BLOCK + 1, 3]
        forward = {step: walked.at(step)[1].noise for step in sorted(set(steps))}
        for step in steps:
            assert equal(forward[step], asked.at(step)[1].noise)
        alone = batches_of((2,), 2, noise=self.NOISE)
        for step in (0, BLOCK):
            ours, theirs = walked.at(step)[1].noise, alone.at(step)[1].noise
            assert all(torch.equal(ours[name][1:], theirs[name]) for name in self.NOISE)

    def test_noise_does_not_depend_on_the_order_of_asking(self):
        turned = dict(reversed(self.NOISE.items()))
        a, b = (batches_of((0,), noise=noise).at(0)[0].noise for noise in (self.NOISE, turned))
        assert equal(dict(a), dict(b))

    def test_noise_differs_between_seeds_steps_and_repeats_and_is_normal(self):
        batches = batches_of((0, 1), 2, 100, noise={"a": (), "b": ()})
        drawn = [batch for step in range(BLOCK + 2) for batch in batches.at(step)]
        a, b, z = (torch.stack([f(d) for d in drawn]) for f in (noise_a, noise_b, first_z))
        assert stats.kstest(a.flatten().numpy(), "norm").pvalue > 1e-3
        num = a.numel()
        assert len(a.flatten().unique()) == num
        pairs = ((a, b), (a, z), (b, z), (a[1:], a[:-1]), (a[:, :1], a[:, 1:]))
        for left, right in pairs:
            assert (left * right).mean().abs() < 4 / (left * right).numel() ** 0.5

    def test_t_is_the_share_of_the_run_that_is_done(self):
        batches = batches_of((0, 1), repeat=2, steps=400)
        for step in (0, 1, BLOCK, 100, 399):
            for batch in batches.at(step):
                assert batch.t.shape == ()
                assert batch.t.item() == step / 400
        assert all(batches_of((0,)).at(step)[0].t.item() == 0 for step in (0, 100))

    @pytest.mark.parametrize("size", [0, -1, 201])
    def test_a_batch_has_to_fit_the_data(self, size):
        with pytest.raises(
            InputError, match=f"batch: {size} is not between 1 and the 200 samples"
        ):
            batches_of((0,), size=size)

    def test_a_batch_may_be_all_of_the_data(self):
        assert batches_of((0,), size=200).at(0)[0].x.shape == (1, 200, 3)


def noise_a(batch):
    return batch.noise["a"]


def noise_b(batch):
    return batch.noise["b"]


def first_z(batch):
    return batch.z[..., 0]


def parts(batch):
    return [batch.x, batch.z, batch.u, batch.y]


def same(a, b):
    return all(torch.equal(p, q) for p, q in zip(parts(a), parts(b)))


def pick(batch, position):
    return Batch(*(part[position] for part in parts(batch)))


def test_entropy_spreads_near_numbers():
    seeds = {
        entropy(seed, stream, block)
        for seed in range(20)
        for stream in range(3)
        for block in range(20)
    }
    assert len(seeds) == 1200
    assert all(0 <= seed < 2**63 for seed in seeds)
    mean_bit = sum(bin(seed).count("1") for seed in seeds) / len(seeds) / 63
    assert mean_bit == pytest.approx(0.5, abs=0.01)


class Listed(nn.Module):
    """A layer without a seed axis."""

    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.tensor(0.0))


@dataclass(frozen=True, kw_only=True)
class Odd(Method):
    """A GAN with one more network, which no player trains."""

    extra: nn.Module

    @property
    def players(self):
        return GAN().players

    def networks(self, arch):
        return GAN().networks(arch) | {"E": copy.deepcopy(self.extra)}


class TestState:
    def test_weights_of_a_seed_do_not_depend_on_its_neighbours(self):
        stack, alone = build(iid_gan(), ARCH, (5, 0, 2)), build(iid_gan(), ARCH, (2,))
        for name, value in alone.state_dict().items():
            assert torch.equal(stack.state_dict()[name][2:], value)

    @pytest.mark.parametrize(
        "arch", [ARCH, Arch(DCGAN(latent=2, width=2, spectral_norm=True), (1, 8, 8))]
    )
    def test_spectral_norm_of_a_seed_does_not_depend_on_its_neighbours(self, arch):
        """Nor its warm vectors, at the start and after some moves."""
        beside, alone = (init(PHASED, arch, Adam(), seeds) for seeds in ((5, 0, 2), (2,)))
        options = {"size": 4, "latent": 2, "repeat": 2, "noise": PHASED.noise(arch)}
        data = dataset(20, arch.shape)
        for _ in range(2):
            found, expected = beside.nets.state_dict(), alone.nets.state_dict()
            assert sum(name.endswith(".u") for name in found) >= 3
            for name, value in expected.items():
                assert torch.allclose(found[name][2:], value, atol=1e-12)
            for state, seeds in ((beside, (5, 0, 2)), (alone, (2,))):
                move, batches = Move(PHASED, state, steps=10), Batches(data, seeds, **options)
                walked(move, state, batches, range(6))

    def test_seeds_differ(self):
        for parameter in build(iid_gan(), ARCH, (0, 1)).parameters():
            assert not torch.equal(parameter[0], parameter[1])

    def test_building_leaves_the_random_state_alone(self):
        before = torch.get_rng_state()
        build(iid_gan(), ARCH, (0, 1))
        assert torch.equal(before, torch.get_rng_state())

    def test_a_network_frozen_on_purpose_stays_frozen(self):
        nets = build(Odd(extra=ARCH.generator().requires_grad_(False)), ARCH, (0, 1))
        assert not any(parameter.requires_grad for parameter in nets["E"].parameters())
        assert all(parameter.requires_grad for parameter in nets["G"].parameters())

    @pytest.mark.parametrize(
        ("extra", "name"), [(nn.Linear(2, 2), "E.weight of shape"), (Listed(), "E.count of shape")]
    )
    def test_a_tensor_without_seed_axis_is_an_error(self, extra, name):
        with pytest.raises(InputError, match=f"{name} .* lacks the seed axis"):
            build(Odd(extra=extra), ARCH, (0, 1))

    def test_all_that_a_move_changes_is_named(self):
        """What `tensors` names goes into checkpoints, what `live` lists into compiled moves."""
        state = init(iid_gan(), ARCH, Adam(), (0, 1), ema=0.9)
        move, batches = Move(iid_gan(), state, steps=STEPS, ema=0.9), batches_of((0, 1))
        move(batches.at(0))
        before = [value.clone() for value in live(state)]
        move(batches.at(1))
        named = {value.data_ptr() for value in tensors(state).values()}
        changed = [v for v, old in zip(live(state), before) if not torch.equal(v, old)]
        assert {value.data_ptr() for value in changed} == named

    def test_restore_undoes_moves(self):
        state = init(iid_gan(), ARCH, Adam(), (0, 1), ema=0.9)
        move, batches = Move(iid_gan(), state, steps=STEPS, ema=0.9), batches_of((0, 1))
        move(batches.at(0))
        saved = copied(tensors(state))
        move(batches.at(1))
        after = copied(tensors(state))
        restore(state, saved)
        assert equal(tensors(state), saved)
        move(batches.at(1))
        assert equal(tensors(state), after)

    def test_restore_into_a_state_that_never_moved(self):
        first, second = (init(iid_gan(), ARCH, Adam(), (0, 1)) for _ in range(2))
        batches = batches_of((0, 1))
        Move(iid_gan(), first, steps=STEPS)(batches.at(0))
        restore(second, copied(tensors(first)))
        assert equal(tensors(first), tensors(second))
        for state in (first, second):
            Move(iid_gan(), state, steps=STEPS)(batches.at(1))
        assert equal(tensors(first), tensors(second))

    def test_restore_to_before_the_first_move(self):
        first, second = (init(iid_gan(), ARCH, Adam(), (0, 1)) for _ in range(2))
        start, batches = copied(tensors(first)), batches_of((0, 1))
        Move(iid_gan(), first, steps=STEPS)(batches.at(0))
        restore(first, start)
        for state in (first, second):
            Move(iid_gan(), state, steps=STEPS)(batches.at(1))
        assert equal(tensors(first), tensors(second))

    @pytest.mark.parametrize(
        ("method", "arch", "seeds", "error"),
        [
            (iid_gan(), ARCH, (0, 1), KeyError),
            (GAN(), Arch(MLP(latent=2, hidden=(9, 8)), (3,)), (0, 1), ValueError),
            (GAN(), ARCH, (0, 1, 2), ValueError),
            (GAN(), ARCH, (0,), ValueError),
        ],
    )
    def test_restore_refuses_other_networks_and_leaves_the_state(self, method, arch, seeds, error):
        state, other = init(GAN(), ARCH, Adam(), (0, 1)), init(method, arch, Adam(), seeds)
        for target, source in ((state, other), (other, state)):
            before = copied(tensors(target))
            with pytest.raises(error):
                restore(target, copied(tensors(source)))
            assert equal(tensors(target), before)


@dataclass(frozen=True, kw_only=True)
class Recorded(Method):
    """A GAN whose critic moves thrice a step, and which records what its losses read."""

    seen: list
    repeats: tuple[int, ...] = (3, 1, 2)
    batches: tuple[int, ...] = (1, 1, 1)

    @property
    def players(self):
        gan = GAN()
        plans = (("C", gan.loss_D, "D"), ("G", gan.loss_G, "G"), ("T", gan.loss_D, "D"))
        return tuple(
            Player(name, self.record(name, loss), (net,), repeat=repeat, batches=batches)
            for (name, loss, net), repeat, batches in zip(plans, self.repeats, self.batches)
        )

    def networks(self, arch):
        return GAN().networks(arch)

    def record(self, name, loss):
        def recorded(nets, batch):
            self.seen.append((name, batch))
            return loss(nets, batch)

        return recorded


class TestMove:
    def test_players_move_in_order_on_the_last_batches(self):
        method = Recorded(seen=[])
        state = init(method, ARCH, Adam(), (0, 1))
        move = Move(method, state, steps=STEPS)
        assert move.num_batches == 3
        batches = batches_of((0, 1), repeat=3).at(0)
        logs = move(batches)
        names = {id(batch): number for number, batch in enumerate(batches)}
        order = [(name, names[id(batch)]) for name, batch in method.seen]
        assert order == [("C", 0), ("C", 1), ("C", 2), ("G", 2), ("T", 1), ("T", 2)]
        assert list(logs) == ["C/adversarial", "G/adversarial", "T/adversarial"]
        counts = [
            int(slots["step"])
            for name in "CGT"
            for slots in list(state.optimisers[name].state.values())[:1]
        ]
        assert counts == [3, 1, 2]

    def test_logs_are_those_of_the_last_move(self):
        """A player that repeats r times ends where r steps of one move each would lead."""
        state, other = (init(GAN(), ARCH, Adam(), (0, 1)) for _ in range(2))
        batches = batches_of((0, 1), repeat=3).at(0)
        logs = Move(critic(repeat=3), state, steps=STEPS)(batches)
        for batch in batches:
            expected = Move(critic(repeat=1), other, steps=STEPS)([batch])
        assert equal(logs, expected)
        assert equal(copied(state.nets.state_dict()), copied(other.nets.state_dict()))

    def test_forward_passes_are_shared(self):
        state = init(iid_gan(), ARCH, Adam(), (0, 1))
        calls = dict.fromkeys("GDF", 0)

        def count(name):
            def hook(module, inputs, output):
                calls[name] += 1

            return hook

        for name, net in state.nets.items():
            net.head.register_forward_hook(count(name))
        Move(iid_gan(), state, steps=STEPS)(batches_of((0, 1)).at(0))
        # G(z) serves D, G and the cycle; F(x) both terms; D has moved before it judges for G.
        assert calls == {"G": 2, "D": 3, "F": 2}

    def test_players_change_only_what_they_train(self):
        state = init(GAN(), ARCH, Adam(), (0, 1))
        before = copied(state.nets.state_dict())
        alone = Made((GAN().players[1],))
        moving = replace(state, optimisers={"G": state.optimisers["G"]})
        Move(alone, moving, steps=STEPS)(batches_of((0, 1)).at(0))
        after = state.nets.state_dict()
        assert all(torch.equal(before[n], after[n]) for n in after if n.startswith("D."))
        assert not all(torch.equal(before[n], after[n]) for n in after if n.startswith("G."))

    def test_logs_carry_no_graph_and_parameters_no_gradient(self):
        state = init(GAN(), ARCH, Adam(), (0, 1))
        logs = Move(GAN(), state, steps=STEPS)(batches_of((0, 1)).at(0))
        assert all(value.shape == (2,) and not value.requires_grad for value in logs.values())
        assert all(parameter.grad is None for parameter in state.nets.parameters())

    def test_the_average_follows_the_closed_form(self):
        ema, num = 0.8, 6
        state = init(GAN(), ARCH, Adam(lr=0.1), (0, 1), ema=ema)
        move, batches = Move(GAN(), state, steps=STEPS, ema=ema), batches_of((0, 1))
        history = [copied(state.nets.state_dict())]
        for step in range(num):
            move(batches.at(step))
            history.append(copied(state.nets.state_dict()))
        weights = [ema**num, *((1 - ema) * ema ** (num - k) for k in range(1, num + 1))]
        assert sum(weights) == pytest.approx(1)
        for name, value in state.average.state_dict().items():
            expected = sum(w * values[name] for w, values in zip(weights, history))
            assert (value - expected).abs().max() < 1e-12
            assert (value - history[-1][name]).abs().max() > 1e-3

    def test_without_ema_there_is_no_average(self):
        assert init(GAN(), ARCH, Adam(), (0,)).average is None

    def test_players_that_join_batches_get_them_end_to_end(self):
        """Of six batches: C moves on pairs, G on the last four, T twice on single ones."""
        method = Recorded(seen=[], repeats=(3, 1, 2), batches=(2, 4, 1))
        noise = {"n": (2,)}
        move = Move(method, init(method, ARCH, Adam(), (0, 1)), steps=STEPS)
        assert move.num_batches == 6
        batches = batches_of((0, 1), repeat=6, noise=noise, steps=STEPS).at(7)
        logs = move(batches)
        parts = [(0, 1), (2, 3), (4, 5), (2, 3, 4, 5), (4,), (5,)]
        assert [name for name, _ in method.seen] == ["C", "C", "C", "G", "T", "T"]
        for (_, found), numbers in zip(method.seen, parts, strict=True):
            expected = [batches[number] for number in numbers]
            assert found.x.shape == (2, 8 * len(numbers), 3)
            for pick in (*map(attrgetter, "xzuy"), lambda batch: batch.noise["n"]):
                assert torch.equal(pick(found), torch.cat([pick(b) for b in expected], 1))
            assert found.t.item() == 7 / STEPS
        assert all(value.shape == (2,) for value in logs.values())

    def test_an_odd_batch_at_the_start_is_left_out(self):
        method = Recorded(seen=[], repeats=(3, 1, 1), batches=(1, 2, 2))
        move = Move(method, init(method, ARCH, Adam(), (0, 1)), steps=STEPS)
        batches = batches_of((0, 1), repeat=3).at(0)
        move(batches)
        joined = [batch for name, batch in method.seen if name in "GT"]
        assert torch.equal(joined[0].x, torch.cat([batch.x for batch in batches[1:]], 1))

    def test_players_that_want_the_same_joining_share_it(self):
        """One object: so that forward passes on it are shared too."""
        method = Recorded(seen=[], repeats=(2, 1, 1), batches=(2, 2, 2))
        move = Move(method, init(method, ARCH, Adam(), (0, 1)), steps=STEPS)
        move(batches_of((0, 1), repeat=4).at(0))
        seen = [batch for _, batch in method.seen]
        assert seen[0] is not seen[1]
        assert seen[1] is seen[2] is seen[3]

    def test_a_joined_batch_is_one_batch_of_that_size(self):
        """One move on two joined batches leads where one on a batch of double size leads."""
        batches = batches_of((0, 1), repeat=2).at(0)
        state, other = (init(GAN(), ARCH, Adam(), (0, 1)) for _ in range(2))
        pairs = Made(tuple(replace(player, batches=2) for player in GAN().players))
        logs = Move(pairs, state, steps=STEPS)(batches)
        double = Batch(*(torch.cat(both, 1) for both in zip(*map(parts, batches))))
        expected = Move(GAN(), other, steps=STEPS)([double])
        assert equal(logs, expected)
        assert equal(tensors(state), tensors(other))

    def test_rehearsal_shows_each_player_the_batch_that_it_will_get(self):
        method = Recorded(seen=[], repeats=(1, 1, 1), batches=(2, 1, 3))
        state = init(method, ARCH, Adam(), (0, 1))
        before = copied(tensors(state))
        Move(method, state, steps=STEPS).rehearse(batches_of((0, 1), repeat=3).at(0))
        sizes = [(name, batch.x.shape[1]) for name, batch in method.seen]
        assert sizes == [("C", 16), ("G", 8), ("T", 24)]
        assert equal(before, tensors(state))

    def test_players_move_in_their_part_of_the_run(self):
        state = init(PHASED, ARCH, Adam(), (0, 1))
        move = Move(PHASED, state, steps=10)
        batches = batches_of((0, 1), 2, noise=PHASED.noise(ARCH), steps=10)
        names = []
        for step in range(10):
            logs = move(batches.at(step))
            names.append("".join(dict.fromkeys(name[0] for name in logs)))
            state.step += 1
        assert names == ["WG"] * 4 + ["G"] + ["GD"] * 5
        counts = {
            name: {int(slots["step"]) for slots in optimiser.state.values()}
            for name, optimiser in state.optimisers.items()
        }
        assert counts == {"W": {8}, "G": {10}, "D": {5}}

    def test_refresh_comes_after_each_move_of_who_trains_it_with_that_move_s_batch(self):
        seen = []
        method = Refreshed(players_=critic(repeat=3).players, seen=seen)
        state = init(method, ARCH, Adam(), (0, 1))
        method.watch(state)
        batches = batches_of((0, 1), repeat=3)
        before = [p.clone() for p in state.nets["D"].parameters()]
        drawn = batches.at(0)
        Move(method, state, steps=STEPS)(drawn)
        names = [(name, [b is batch for b in drawn].index(True)) for name, batch, _ in seen]
        assert names == [("D", 0), ("D", 1), ("D", 2)]  # G has no player
        counts = [count for _, _, count in seen]
        assert counts == [1, 2, 3]  # after the optimiser's step, and before the next
        assert not any(torch.equal(a, b) for a, b in zip(before, state.nets["D"].parameters()))

    def test_refresh_follows_the_trainer_not_the_step(self):
        seen, both = [], GAN().players
        players = (replace(both[0], repeat=2), replace(both[1], batches=2), both[0])
        players = (*players[:2], replace(players[2], name="T"))
        method = Refreshed(players_=players, seen=seen)
        state = init(method, ARCH, Adam(), (0, 1))
        method.watch(state)
        drawn = batches_of((0, 1), repeat=2).at(0)
        Move(method, state, steps=STEPS)(drawn)
        assert [name for name, _, _ in seen] == ["D", "D", "G", "D"]
        assert [batch.x.shape[1] for _, batch, _ in seen] == [8, 8, 16, 8]
        assert seen[3][1] is drawn[1]

    def test_what_a_refresh_changes_is_what_the_next_player_reads(self):
        """The forward pass of before the refresh is forgotten, also by the same player."""
        players = (replace(GAN().players[0], repeat=2),)
        method = Refreshed(players_=players, seen=[])
        state, other = (init(method, ARCH, Adam(), (0, 1)) for _ in range(2))
        batches = batches_of((0, 1), repeat=2).at(0)
        again = [batches[0], batches[0]]
        Move(method, state, steps=STEPS)(again)
        single = Refreshed(players_=GAN().players[:1], seen=[])
        for batch in again:
            Move(single, other, steps=STEPS)([batch])
        assert equal(copied(state.nets.state_dict()), copied(other.nets.state_dict()))
        assert state.nets["D"].scale.eq(1.1 * 1.1).all()

    def test_spectral_norm_refreshes_once_a_move(self):
        arch = Arch(DCGAN(latent=2, width=2, spectral_norm=True), (1, 8, 8))
        state = init(GAN(), arch, Adam(), (0, 1))
        before = {n: v.clone() for n, v in state.nets.named_buffers() if n.endswith(".u")}
        batches = Batches(dataset(20, (1, 8, 8)), (0, 1), size=4, latent=2)
        Move(GAN(), state, steps=STEPS)(batches.at(0))
        buffers, values = dict(state.nets.named_buffers()), dict(state.nets.named_parameters())
        assert before
        for name, u in before.items():
            matrix = values[name.removesuffix("u") + "value"].flatten(2)
            v = nn.functional.normalize(matrix.mT @ u, dim=1)
            expected = nn.functional.normalize(matrix @ v, dim=1)
            assert torch.allclose(buffers[name], expected, atol=1e-12)


@dataclass(frozen=True)
class Made(Method):
    """A GAN with given players."""

    made: tuple[Player, ...]

    @property
    def players(self):
        return self.made

    def networks(self, arch):
        return GAN().networks(arch)


def critic(repeat):
    """A GAN whose generator does not move."""
    return Made((replace(GAN().players[0], repeat=repeat),))


class Growing(nn.Module):
    """A network that grows with each refresh, and tells whom it may concern."""

    def __init__(self, net):
        super().__init__()
        self.net, self.tell = net, lambda batch: None
        self.register_buffer("scale", torch.ones(1))

    def forward(self, x):
        y = self.net(x)
        return self.scale.view(-1, *[1] * (y.dim() - 1)) * y

    def refresh(self, batch):
        self.scale.mul_(1.1)
        self.tell(batch)


@dataclass(frozen=True, kw_only=True)
class Refreshed(Method):
    """A GAN of given players whose networks are refreshed, and which records when."""

    players_: tuple[Player, ...]
    seen: list

    @property
    def players(self):
        return self.players_

    def networks(self, arch):
        return {name: Growing(net) for name, net in GAN().networks(arch).items()}

    def watch(self, state):
        """Records each refresh: the network, the batch, and the steps of D's optimiser."""
        for name, net in state.nets.items():
            net.tell = partial(self.write, state, name)

    def write(self, state, name, batch):
        slots = list(state.optimisers["D"].state.values())
        self.seen.append((name, batch, int(slots[0]["step"]) if slots else 0))


def blurred(nets, batch):
    """D's loss on pairs of batches, with noise that fades and features that are matched."""
    x, fake = (v + (1 - batch.t) * batch.noise["blur"] for v in (batch.x, nets.G(batch.z)))
    real, fake = nets.features("D", x), nets.features("D", fake.detach())
    return GAN().loss_D(nets, batch) | {"features": mean((real - fake).square())}


@dataclass(frozen=True, kw_only=True)
class Phased(Method):
    """A GAN in phases: W warms a spectral D up, nobody trains it for a while, then D does."""

    @property
    def players(self):
        gan = GAN()
        return (
            Player("W", blurred, ("D",), repeat=2, during=(0.0, 0.35)),
            Player("G", gan.loss_G, ("G",), batches=2),
            Player("D", gan.loss_D, ("D",), during=(0.5, 1.0)),
        )

    def networks(self, arch):
        return {"G": arch.generator(), "D": arch.discriminator(spectral=True)}

    def noise(self, arch):
        return {"blur": arch.shape}


PHASED = Phased()


def walked(step, state, batches, numbers):
    """Takes the steps `numbers`; gives the logs of each."""
    logs = []
    for number in numbers:
        state.set_rate(Adam().rate(number, 10))
        logs.append(step(batches.at(number)))
        state.step += 1
    return logs


def phased():
    arch = Arch(MLP(latent=2, hidden=(4,)), ARCH.shape)  # as little as there is to compile
    state = init(PHASED, arch, Adam(), (0, 1), ema=0.9)
    return state, Move(PHASED, state, steps=10, ema=0.9)


class TestPhases:
    """Phases of four, one and five steps."""

    def batches(self):
        return batches_of((0, 1), 2, noise=PHASED.noise(ARCH), steps=10)

    @pytest.mark.parametrize("stop", [3, 4, 5, 7])
    def test_a_run_goes_on_exactly_across_a_change_of_phase(self, stop):
        (whole, move), (first, before), (second, after) = (phased() for _ in range(3))
        expected = walked(move, whole, self.batches(), range(10))
        logs = walked(before, first, self.batches(), range(stop))
        restore(second, copied(tensors(first)))
        second.step = stop
        logs += walked(after, second, self.batches(), range(stop, 10))
        assert equal(tensors(second), tensors(whole))
        assert all(equal(a, b) for a, b in zip(logs, expected, strict=True))

    def test_a_player_starts_as_if_the_run_began_with_it(self):
        """Its optimiser counts its own moves."""
        state, move = phased()
        walked(move, state, self.batches(), range(7))
        steps = [int(slots["step"]) for slots in state.optimisers["D"].state.values()]
        assert set(steps) == {2}

    @pytest.mark.slow
    def test_compiled_and_eager_agree_through_all_phases(self):
        """And a compiled run that is resumed in a later phase ends where it would have."""
        (whole, move), (state, other) = phased(), phased()
        expected = walked(move, whole, self.batches(), range(10))
        step = Phases(other, self.batches().at(0), make=Compiled.record)
        logs = walked(step, state, self.batches(), range(6))
        saved = copied(tensors(state))
        logs += walked(step, state, self.batches(), range(6, 10))
        assert [list(log) for log in logs] == [list(log) for log in expected]
        for found, log in zip(logs, expected):
            assert all(torch.allclose(found[n], log[n], atol=1e-9) for n in log)
        assert close(tensors(state), tensors(whole))

        resumed, third = phased()
        resumed.step = 6
        restore(resumed, saved)
        again = Phases(third, self.batches().at(6), make=Compiled.record)
        assert equal(tensors(resumed), saved)  # compiling leaves no trace
        walked(again, resumed, self.batches(), range(6, 10))
        assert equal(tensors(resumed), tensors(state))

    def test_a_phase_that_cannot_be_compiled_runs_eagerly(self, monkeypatch):
        (whole, move), (state, other) = phased(), phased()
        walked(move, whole, self.batches(), range(6))
        told = []
        as_recorded = partial(Compiled.record, generate=lambda graph, inputs: graph)
        monkeypatch.setitem(MADE, "compiled", as_recorded)
        step = executor("compiled", other, self.batches().at(0), told.append)
        assert isinstance(step, Phases)
        assert told == ["compiling"]
        walked(step, state, self.batches(), range(4))

        def refuse(*args, **kwargs):
            raise RuntimeError("no compiler any more")

        monkeypatch.setitem(MADE, "compiled", refuse)
        told.clear()
        walked(step, state, self.batches(), range(4, 6))
        failed = "compiling failed (no compiler any more); running eagerly"
        assert told == ["compiling", failed] * 2  # for each part that begins
        assert close(tensors(state), tensors(whole))


def close(a, b):
    return a.keys() == b.keys() and all(torch.allclose(a[n], b[n], atol=1e-9) for n in a)


class TestExecutors:
    def test_eager_is_the_move(self):
        move = Move(GAN(), init(GAN(), ARCH, Adam(), (0, 1)), steps=STEPS)
        assert executor("eager", move, batches_of((0, 1)).at(0)) is move

    def test_what_cannot_be_compiled_runs_eagerly_from_where_it_was(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # nothing was compiled before

        def refuse(*args, **kwargs):
            raise RuntimeError("no compiler\nat all")

        monkeypatch.setattr(torch._inductor, "aot_compile", refuse)
        state, other = (init(iid_gan(), ARCH, Adam(), (0, 1)) for _ in range(2))
        move, batches = Move(iid_gan(), state, steps=STEPS), batches_of((0, 1))
        told = []
        step = executor("compiled", move, batches.at(0), told.append)
        assert step is move
        assert told == ["compiling", "compiling failed (no compiler); running eagerly"]
        for number in range(3):
            ours, theirs = (
                step(batches.at(number)),
                Move(iid_gan(), other, steps=STEPS)(batches.at(number)),
            )
            assert equal(ours, theirs)
        assert equal(tensors(state), tensors(other))

    def test_a_loss_that_asks_for_a_number_runs_eagerly(self):
        class Asking:
            def __call__(self, nets, batch):
                value = mean(nets.D(nets.G(batch.z)))
                return {"a": value if value.sum().item() > 0 else -value}

        method = Made((Player("G", Asking(), ("G",)),))
        state = init(method, ARCH, Adam(), (0, 1))
        before = copied(state.nets.state_dict())
        move = Move(method, state, steps=STEPS)
        told = []
        assert executor("compiled", move, batches_of((0, 1)).at(0), told.append) is move
        assert told[1].startswith("compiling failed (")
        assert equal(before, copied(state.nets.state_dict()))


@dataclass(frozen=True, kw_only=True)
class Slow(Method):
    """A GAN whose D moves at a tenth of G's pace."""

    @property
    def players(self) -> tuple[Player, ...]:
        critic, generator = GAN().players
        return replace(critic, pace=0.1), generator

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return GAN().networks(arch)


def test_a_player_moves_at_its_own_pace():
    """Adam's first step is the rate itself, wherever the gradient is not near zero."""
    arch = Arch(MLP(hidden=(8,)), (2,))
    state = init(Slow(), arch, Adam(lr=0.01), range(2))
    before = copied(tensors(state))
    move = Move(Slow(), state, steps=10)
    data = Dataset(torch.randn(50, 2))
    state.set_rate(0.02)
    move(Batches(data, range(2), size=10, latent=2).at(0))
    after = tensors(state)
    for name, rate in (("D", 0.002), ("G", 0.02)):
        key = f"nets.{name}.head.layer.bias"
        step = (after[key] - before[key]).abs()
        assert torch.allclose(step, torch.full_like(step, rate), rtol=1e-3)


class Products(TorchDispatchMode):
    """Counts the floating-point operations of matrix products."""

    def __init__(self):
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if count := flop_registry.get(function.overloadpacket):
            self.flops += count(*args, **(kwargs or {}), out_val=result)
        return result


@pytest.mark.parametrize(("method", "passes"), [(GAN(), 11), (iid_gan(), 20)])
def test_a_step_does_its_arithmetic_once(method, passes):
    """In forward passes of one network, a backward pass through weights and inputs being two.

    GAN: G 1; D on x and G(z) 2 and 4; D(G(z)) 1, back to G(z) 1, through G 2. With the terms,
    F(x), F(G(z)) and G(F(x)) besides, once each: 3 and 6. First layers go back to no inputs.
    """
    arch = Arch(MLP(), (2,))
    state = init(method, arch, Adam(), range(1))
    batches = Batches(Dataset(torch.randn(200, 2)), range(1), size=100, latent=2).at(0)
    move = Move(method, state, steps=10)
    move(batches)  # optimisers make their tensors at the first step
    with Products() as found:
        move(batches)
    forward = 2 * 100 * (2 * 100 + 100 * 200 + 200 * 100 + 100 * 2)
    assert found.flops == pytest.approx(passes * forward, rel=0.01)
