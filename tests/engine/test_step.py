"""A training step computes what a plain training loop computes."""

from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from iidgan.core import Batch, Dataset, Method, Nets, NetworkFactory, Player, Regularised, Term
from iidgan.core.networks import layer_noise_shapes
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import build_networks, init_state, named_tensors
from iidgan.engine.step import TrainStep
from iidgan.methods import GAN, METHODS, iid_gan, r3gan, stylegan2_ada, wgan_gp
from iidgan.nn import DCGAN, MLP, R3GANNet, StyleGAN2
from iidgan.nn.layers.linear import Linear
from iidgan.terms import R1, CycleTerm, ModeSeeking
from tests.helpers.engine import (
    ARCH,
    NUM_STEPS,
    PHASED,
    FixedPlayers,
    batch_fields,
    clone_tensors,
    critic_only,
    have_equal_tensors,
    lazy_iid_gan,
    make_dataset,
    make_stream,
)


def make_plain_net(net):
    """Copies the first seed of an `iidgan` perceptron into ordinary modules."""
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
        nn.Sequential(*layers, nn.Flatten(0))
        if net.head.output_shape == ()
        else nn.Sequential(*layers)
    )


def train_plain_iid_gan(G, D, F, batches, steps):
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


@pytest.mark.usefixtures("float64")
def test_train_step_matches_plain_loop():
    """Every weight of every seed agrees after 20 steps, and so do the losses."""
    steps, seeds, optimiser = 20, (4, 1), Adam()
    method = iid_gan(cycle=CycleTerm(norm="l1"))
    state = init_state(method, ARCH, optimiser, seeds)
    train_step, stream = TrainStep(method, state, steps=steps), make_stream(seeds)
    initial_nets = [build_networks(method, ARCH, [seed]) for seed in seeds]
    plain_nets = [{n: make_plain_net(nets[n]) for n in "GDF"} for nets in initial_nets]

    for step in range(steps):
        state.set_lr(optimiser.lr_at(step, steps))
        losses = train_step(stream.batches_at(step))
    for position, nets in enumerate(plain_nets):
        batches = [stream.batches_at(step)[0] for step in range(steps)]
        batches_of_seed = [(batch.x[position], batch.z[position]) for batch in batches]
        loss_d, loss_g = train_plain_iid_gan(**nets, batches=batches_of_seed, steps=steps)
        seed_losses = {name: value[position].item() for name, value in losses.items()}
        assert seed_losses.pop("D/adversarial") == pytest.approx(loss_d, abs=1e-9)
        assert sum(seed_losses.values()) == pytest.approx(loss_g, abs=1e-9)
        for name in "GDF":
            initial = make_plain_net(initial_nets[position][name]).parameters()
            values = []
            for layer in state.nets[name].modules():
                if isinstance(layer, Linear):
                    values += [layer.weight.value[position].T, layer.bias[position, 0]]
            triples = zip(initial, values, nets[name].parameters(), strict=True)
            for before, value, expected in triples:
                assert (value - expected).abs().max() < 1e-9
                assert (value - before).abs().max() > 1e-3


@dataclass(frozen=True, kw_only=True)
class Recorded(Method):
    """A GAN whose critic is updated thrice a step, and which records its losses' batches."""

    calls: list
    updates: tuple[int, ...] = (3, 1, 2)
    batches: tuple[int, ...] = (1, 1, 1)

    @property
    def players(self):
        gan = GAN()
        plans = (("C", gan.loss_D, "D"), ("G", gan.loss_G, "G"), ("T", gan.loss_D, "D"))
        return tuple(
            Player(
                name,
                self.record(name, loss),
                (net,),
                updates_per_step=updates,
                batches_per_update=batches,
            )
            for (name, loss, net), updates, batches in zip(plans, self.updates, self.batches)
        )

    def networks(self, factory):
        return GAN().networks(factory)

    def record(self, name, loss):
        def recorded(nets, batch):
            self.calls.append((name, batch))
            return loss(nets, batch)

        return recorded


@pytest.mark.usefixtures("float64")
class TestTrainStep:
    def test_train_step_player_order(self):
        method = Recorded(calls=[])
        state = init_state(method, ARCH, Adam(), (0, 1))
        train_step = TrainStep(method, state, steps=NUM_STEPS)
        assert train_step.num_batches == 3
        batches = make_stream((0, 1), batches_per_step=3).batches_at(0)
        losses = train_step(batches)
        indices = {id(batch): index for index, batch in enumerate(batches)}
        order = [(name, indices[id(batch)]) for name, batch in method.calls]
        assert order == [("C", 0), ("C", 1), ("C", 2), ("G", 2), ("T", 1), ("T", 2)]
        assert list(losses) == ["C/adversarial", "G/adversarial", "T/adversarial"]
        counts = [
            int(slots["step"])
            for name in "CGT"
            for slots in list(state.optimisers[name][0].state.values())[:1]
        ]
        assert counts == [3, 1, 2]

    def test_train_step_returns_last_losses(self):
        """A step of r updates equals r steps of one update each."""
        state, other = (init_state(GAN(), ARCH, Adam(), (0, 1)) for _ in range(2))
        batches = make_stream((0, 1), batches_per_step=3).batches_at(0)
        losses = TrainStep(critic_only(num_updates=3), state, steps=NUM_STEPS)(batches)
        for batch in batches:
            expected = TrainStep(critic_only(num_updates=1), other, steps=NUM_STEPS)([batch])
        assert have_equal_tensors(losses, expected)
        assert have_equal_tensors(state.nets.state_dict(), other.nets.state_dict())

    def test_train_step_shares_forward_passes(self):
        state = init_state(iid_gan(), ARCH, Adam(), (0, 1))
        calls = dict.fromkeys("GDF", 0)

        def count(name):
            def hook(module, inputs, output):
                calls[name] += 1

            return hook

        for name, net in state.nets.items():
            net.head.register_forward_hook(count(name))
        TrainStep(iid_gan(), state, steps=NUM_STEPS)(make_stream((0, 1)).batches_at(0))
        # D, G and the cycle share G(z), both terms F(x); D is updated before G's loss uses it.
        assert calls == {"G": 2, "D": 3, "F": 2}

    def test_train_step_changes_trained_networks(self):
        state = init_state(GAN(), ARCH, Adam(), (0, 1))
        before = clone_tensors(state.nets.state_dict())
        generator_only = FixedPlayers((GAN().players[1],))
        generator_state = replace(state, optimisers={"G": state.optimisers["G"]})
        train_step = TrainStep(generator_only, generator_state, steps=NUM_STEPS)
        train_step(make_stream((0, 1)).batches_at(0))
        after = state.nets.state_dict()
        unchanged = {name for name in after if torch.equal(before[name], after[name])}
        assert all(name in unchanged for name in after if name.startswith("D."))
        assert not all(name in unchanged for name in after if name.startswith("G."))

    def test_train_step_releases_graph(self):
        state = init_state(GAN(), ARCH, Adam(), (0, 1))
        losses = TrainStep(GAN(), state, steps=NUM_STEPS)(make_stream((0, 1)).batches_at(0))
        assert all(value.shape == (2,) and not value.requires_grad for value in losses.values())
        assert all(parameter.grad is None for parameter in state.nets.parameters())

    def test_train_step_ema_closed_form(self):
        ema, num = 0.8, 6
        state = init_state(GAN(), ARCH, Adam(lr=0.1), (0, 1), ema=ema)
        train_step, stream = TrainStep(GAN(), state, steps=NUM_STEPS, ema=ema), make_stream((0, 1))
        history = [clone_tensors(state.nets.state_dict())]
        for step in range(num):
            train_step(stream.batches_at(step))
            history.append(clone_tensors(state.nets.state_dict()))
        weights = [ema**num, *((1 - ema) * ema ** (num - k) for k in range(1, num + 1))]
        assert sum(weights) == pytest.approx(1)
        for name, value in state.ema_nets.state_dict().items():
            expected = sum(w * values[name] for w, values in zip(weights, history))
            assert (value - expected).abs().max() < 1e-12
            assert (value - history[-1][name]).abs().max() > 1e-3

    def test_train_step_ema_rampup_closed_form(self):
        """In step n the half-life is at most n / 2 steps; in the first, the average is a copy."""
        ema, num = 0.8, 9
        state = init_state(GAN(), ARCH, Adam(lr=0.1), (0, 1), ema=ema)
        train_step = TrainStep(GAN(), state, steps=NUM_STEPS, ema=ema, ema_rampup=0.5)
        stream = make_stream((0, 1), steps=NUM_STEPS)
        decays = [0, *(min(ema, 0.5 ** (2 / step)) for step in range(1, num))]
        assert decays[2] < ema == decays[-1]
        expected = clone_tensors(state.nets.state_dict())
        for step, decay in enumerate(decays):
            train_step(stream.batches_at(step))
            for name, value in state.nets.state_dict().items():
                expected[name] = decay * expected[name] + (1 - decay) * value
        for name, value in state.ema_nets.state_dict().items():
            assert (value - expected[name]).abs().max() < 1e-12

    def test_train_step_concatenates_batches(self):
        """Of six batches: C uses pairs, G the last four, T the last two one by one."""
        method = Recorded(calls=[], updates=(3, 1, 2), batches=(2, 4, 1))
        train_step = TrainStep(method, init_state(method, ARCH, Adam(), (0, 1)), steps=NUM_STEPS)
        assert train_step.num_batches == 6
        stream = make_stream((0, 1), 6, noise_shapes={"n": (2,)}, steps=NUM_STEPS)
        batches = stream.batches_at(7)
        losses = train_step(batches)
        groups = [(0, 1), (2, 3), (4, 5), (2, 3, 4, 5), (4,), (5,)]
        assert [name for name, _ in method.calls] == ["C", "C", "C", "G", "T", "T"]
        for (_, batch), indices in zip(method.calls, groups, strict=True):
            expected = [batches[index] for index in indices]
            assert batch.x.shape == (2, 8 * len(indices), 3)
            for get in (*map(attrgetter, "xzuy"), lambda batch: batch.noise["n"]):
                assert torch.equal(get(batch), torch.cat([get(b) for b in expected], 1))
            assert batch.t.item() == 7 / NUM_STEPS
        assert all(value.shape == (2,) for value in losses.values())

    def test_train_step_drops_odd_batch(self):
        method = Recorded(calls=[], updates=(3, 1, 1), batches=(1, 2, 2))
        train_step = TrainStep(method, init_state(method, ARCH, Adam(), (0, 1)), steps=NUM_STEPS)
        batches = make_stream((0, 1), batches_per_step=3).batches_at(0)
        train_step(batches)
        concatenated = [batch for name, batch in method.calls if name in "GT"]
        assert torch.equal(concatenated[0].x, torch.cat([batch.x for batch in batches[1:]], 1))

    def test_train_step_shares_concatenated_batches(self):
        """They get one object, so that they share forward passes on it, too."""
        method = Recorded(calls=[], updates=(2, 1, 1), batches=(2, 2, 2))
        train_step = TrainStep(method, init_state(method, ARCH, Adam(), (0, 1)), steps=NUM_STEPS)
        train_step(make_stream((0, 1), batches_per_step=4).batches_at(0))
        batches = [batch for _, batch in method.calls]
        assert batches[0] is not batches[1]
        assert batches[1] is batches[2] is batches[3]

    def test_train_step_concatenated_equals_large(self):
        """An update on two concatenated batches equals one on a batch of double size."""
        batches = make_stream((0, 1), batches_per_step=2).batches_at(0)
        state, other = (init_state(GAN(), ARCH, Adam(), (0, 1)) for _ in range(2))
        pairs = FixedPlayers(
            tuple(replace(player, batches_per_update=2) for player in GAN().players)
        )
        losses = TrainStep(pairs, state, steps=NUM_STEPS)(batches)
        double = Batch(*(torch.cat(both, 1) for both in zip(*map(batch_fields, batches))))
        expected = TrainStep(GAN(), other, steps=NUM_STEPS)([double])
        assert have_equal_tensors(losses, expected)
        assert have_equal_tensors(named_tensors(state), named_tensors(other))

    def test_dry_run_batch_sizes(self):
        method = Recorded(calls=[], updates=(1, 1, 1), batches=(2, 1, 3))
        state = init_state(method, ARCH, Adam(), (0, 1))
        before = clone_tensors(named_tensors(state))
        batches = make_stream((0, 1), batches_per_step=3).batches_at(0)
        TrainStep(method, state, steps=NUM_STEPS).dry_run(batches)
        sizes = [(name, batch.x.shape[1]) for name, batch in method.calls]
        assert sizes == [("C", 16), ("G", 8), ("T", 24)]
        assert have_equal_tensors(before, named_tensors(state))

    def test_lazy_networks_rest_in_between(self):
        """F and its moments move in every third step, D and G in all."""
        method = lazy_iid_gan(3)
        state = init_state(method, ARCH, Adam(), (0, 1))
        train_step = TrainStep(method, state, steps=10)
        stream, moved = make_stream((0, 1)), []
        num_G = len([*state.nets["G"].parameters()])
        for step in range(6):
            before = clone_tensors(named_tensors(state))
            train_step(stream.batches_at(step))
            after = named_tensors(state)
            changed = {name for name in after if not torch.equal(before[name], after[name])}
            slots = {name.split(".")[2] for name in changed if name.startswith("optimiser.G.")}
            moved.append("".join(net for net in "DGF" if f"nets.{net}.head.layer.bias" in changed))
            assert ({*map(int, slots)} >= {num_G}) == ("F" in moved[-1])
            state.step += 1
        assert moved == ["DGF", "DG", "DG", "DGF", "DG", "DG"]

    def test_steps_between_equal_those_without_terms(self):
        """Between the steps of its terms, IID-GAN is the GAN that it is based on."""
        method = lazy_iid_gan(2)
        lazy, plain = (init_state(m, ARCH, Adam(), (0, 1)) for m in (method, GAN()))
        plain.nets.load_state_dict(lazy.nets.state_dict(), strict=False)
        lazy.step = plain.step = 1
        batches = make_stream((0, 1)).batches_at(1)
        losses = TrainStep(method, lazy, steps=10)(batches)
        expected = TrainStep(GAN(), plain, steps=10)(batches)
        assert have_equal_tensors(losses, expected)
        assert all(
            torch.equal(value, lazy.nets.state_dict()[name])
            for name, value in plain.nets.state_dict().items()
        )

    def test_kind_tells_phases_and_players(self):
        method = Regularised(
            method=GAN(), terms=(CycleTerm(every=2), ModeSeeking(every=4), R1(every=1))
        )
        state = init_state(method, ARCH, Adam(), (0, 1))
        train_step = TrainStep(method, state, steps=10)
        phases = []
        for state.step in range(8):
            phases.append(train_step.kind.phase)
        assert phases == [0, 1, 2, 1, 0, 1, 2, 1]

    def test_lazy_step_costs_the_mean(self):
        def flops(every):
            method = lazy_iid_gan(every)
            state = init_state(method, ARCH, Adam(), (0, 1))
            batches = make_stream((0, 1)).batches_at(0)
            return TrainStep(method, state, steps=10).estimate_flops(batches)

        state = init_state(GAN(), ARCH, Adam(), (0, 1))
        plain = TrainStep(GAN(), state, steps=10).estimate_flops(make_stream((0, 1)).batches_at(0))
        assert flops(4) == pytest.approx((flops(1) + 3 * plain) / 4, abs=1)

    def test_active_players_follow_progress(self):
        state = init_state(PHASED, ARCH, Adam(), (0, 1))
        train_step = TrainStep(PHASED, state, steps=10)
        stream = make_stream((0, 1), 2, noise_shapes=PHASED.noise_shapes(ARCH), steps=10)
        active_names = []
        for step in range(10):
            losses = train_step(stream.batches_at(step))
            active_names.append("".join(dict.fromkeys(name[0] for name in losses)))
            state.step += 1
        assert active_names == ["WG"] * 4 + ["G"] + ["GD"] * 5
        counts = {
            name: {int(slots["step"]) for slots in optimiser.state.values()}
            for name, (optimiser,) in state.optimisers.items()
        }
        assert counts == {"W": {8}, "G": {10}, "D": {5}}

    def test_post_update_after_each_update(self):
        updates = []
        method = WithPostUpdate(given_players=critic_only(num_updates=3).players, updates=updates)
        state = init_state(method, ARCH, Adam(), (0, 1))
        method.watch(state)
        batches = make_stream((0, 1), batches_per_step=3)
        before = [p.clone() for p in state.nets["D"].parameters()]
        step_batches = batches.batches_at(0)
        TrainStep(method, state, steps=NUM_STEPS)(step_batches)
        indices = {id(batch): index for index, batch in enumerate(step_batches)}
        assert [(name, indices[id(batch)]) for name, batch, _ in updates] == [
            ("D", 0),
            ("D", 1),
            ("D", 2),
        ]  # G has no player
        counts = [count for _, _, count in updates]
        assert counts == [1, 2, 3]  # after the optimiser's step, and before the next
        after = state.nets["D"].parameters()
        assert not any(torch.equal(a, b) for a, b in zip(before, after, strict=True))

    def test_post_update_of_trained_networks(self):
        updates, (critic, generator) = [], GAN().players
        players = (
            replace(critic, updates_per_step=2),
            replace(generator, batches_per_update=2),
            replace(critic, name="T"),
        )
        method = WithPostUpdate(given_players=players, updates=updates)
        state = init_state(method, ARCH, Adam(), (0, 1))
        method.watch(state)
        batches = make_stream((0, 1), batches_per_step=2).batches_at(0)
        TrainStep(method, state, steps=NUM_STEPS)(batches)
        assert [name for name, _, _ in updates] == ["D", "D", "G", "D"]
        assert [batch.x.shape[1] for _, batch, _ in updates] == [8, 8, 16, 8]
        assert updates[3][1] is batches[1]

    def test_post_update_invalidates_forward_passes(self):
        """A forward pass from before `post_update` is not reused, even by the same player."""
        players = (replace(GAN().players[0], updates_per_step=2),)
        method = WithPostUpdate(given_players=players, updates=[])
        state, other = (init_state(method, ARCH, Adam(), (0, 1)) for _ in range(2))
        batches = make_stream((0, 1), batches_per_step=2).batches_at(0)
        same_batches = [batches[0], batches[0]]
        TrainStep(method, state, steps=NUM_STEPS)(same_batches)
        single = WithPostUpdate(given_players=GAN().players[:1], updates=[])
        for batch in same_batches:
            TrainStep(single, other, steps=NUM_STEPS)([batch])
        assert have_equal_tensors(state.nets.state_dict(), other.nets.state_dict())
        assert state.nets["D"].scale.eq(1.1 * 1.1).all()

    def test_post_update_spectral_norm_once(self):
        arch = NetworkFactory(DCGAN(latent=2, width=2, spectral_norm=True), (1, 8, 8))
        state = init_state(GAN(), arch, Adam(), (0, 1))
        before = {n: v.clone() for n, v in state.nets.named_buffers() if n.endswith(".u")}
        stream = DatasetStream(make_dataset(20, (1, 8, 8)), (0, 1), batch_size=4, latent_dim=2)
        TrainStep(GAN(), state, steps=NUM_STEPS)(stream.batches_at(0))
        buffers, values = dict(state.nets.named_buffers()), dict(state.nets.named_parameters())
        assert before
        for name, u in before.items():
            matrix = values[name.removesuffix("u") + "value"].flatten(2)
            v = nn.functional.normalize(matrix.mT @ u, dim=1)
            expected = nn.functional.normalize(matrix @ v, dim=1)
            assert torch.allclose(buffers[name], expected, atol=1e-12)


def describe_segments(train_step):
    return [
        (
            "".join(player.name for player in segment.players),
            [(part.start, part.stop) for part in segment.batch_slices],
            segment.updates_ema,
        )
        for segment in train_step.segments
    ]


@pytest.mark.usefixtures("float64")
class TestSegments:
    """A step in segments, each of which has one set of code."""

    def make_step(self, method, *, ema=0.0, steps=NUM_STEPS):
        state = init_state(method, ARCH, Adam(), (0, 1), ema=ema)
        return TrainStep(method, state, steps=steps, ema=ema)

    def test_segments_single_updates(self):
        assert describe_segments(self.make_step(iid_gan())) == [("DG", [(0, 1)], False)]
        assert describe_segments(self.make_step(GAN(), ema=0.9)) == [("DG", [(0, 1)], True)]

    @pytest.mark.parametrize(
        ("updates", "batches", "expected"),
        [
            ((3, 1, 1), (1, 1, 1), [("C", [(0, 1), (1, 2), (2, 3)]), ("GT", [(2, 3)])]),
            ((1, 1, 2), (1, 3, 2), [("CG", [(1, 4)]), ("T", [(0, 2), (2, 4)])]),
            (
                (2, 2, 1),
                (1, 1, 1),
                [("C", [(0, 1), (1, 2)]), ("G", [(0, 1), (1, 2)]), ("T", [(1, 2)])],
            ),
        ],
    )
    def test_segments_repeated_players(self, updates, batches, expected):
        """Only consecutive players that are updated once share a segment."""
        method = Recorded(calls=[], updates=updates, batches=batches)
        is_last = [False] * (len(expected) - 1)
        assert describe_segments(self.make_step(method)) == [(*e, False) for e in expected]
        if updates[-1] > 1:
            expected = [*expected, ("", [(3, 4)])]
            is_last.append(False)
        assert describe_segments(self.make_step(method, ema=0.9)) == [
            (*e, last) for e, last in zip(expected, [*is_last, True], strict=True)
        ]

    def test_segments_follow_phases(self):
        train_step = self.make_step(PHASED, steps=10)
        expected = [("W", [(0, 1), (1, 2)], False), ("G", [(0, 2)], False)]
        assert describe_segments(train_step) == expected
        train_step.state.step = 5
        assert describe_segments(train_step) == [("GD", [(0, 2)], False)]

    @pytest.mark.parametrize("updates", [(3, 1, 2), (1, 2, 1)])
    @pytest.mark.parametrize("batches", [(1, 1, 1), (2, 1, 3)])
    def test_segments_equal_step(self, updates, batches):
        """Taken one by one, they end in the same state and return the same losses, in order."""
        method = Recorded(calls=[], updates=updates, batches=batches)
        train_step, other_step = (self.make_step(method, ema=0.9) for _ in range(2))
        stream = make_stream((0, 1), train_step.num_batches)
        for step in range(3):
            example, losses = stream.batches_at(step), {}
            expected = train_step(example)
            for segment in other_step.segments:
                for part in segment.batch_slices:
                    segment_losses = segment(example[part])
                losses |= segment_losses
            assert list(losses) == list(expected)
            assert have_equal_tensors(losses, expected)
        assert have_equal_tensors(named_tensors(other_step.state), named_tensors(train_step.state))


class Growing(nn.Module):
    """A network whose scale grows with each `post_update`, which is reported to a callback."""

    def __init__(self, net):
        super().__init__()
        self.net, self.on_post_update = net, lambda batch: None
        self.register_buffer("scale", torch.ones(1))

    def forward(self, x):
        y = self.net(x)
        return self.scale.view(-1, *[1] * (y.dim() - 1)) * y

    def post_update(self, batch):
        self.scale.mul_(1.1)
        self.on_post_update(batch)


@dataclass(frozen=True, kw_only=True)
class WithPostUpdate(Method):
    """A GAN with given players that records the `post_update` calls of its networks."""

    given_players: tuple[Player, ...]
    updates: list

    @property
    def players(self):
        return self.given_players

    def networks(self, factory):
        return {name: Growing(net) for name, net in GAN().networks(factory).items()}

    def watch(self, state):
        """Records each call: the network, the batch, and the steps of D's optimiser."""
        for name, net in state.nets.items():
            net.on_post_update = partial(self.record, state, name)

    def record(self, state, name, batch):
        slots = list(state.optimisers["D"][0].state.values())
        self.updates.append((name, batch, int(slots[0]["step"]) if slots else 0))


class LogitSum(nn.Module):
    """The sum of the mean logits of real samples over updates of D."""

    def __init__(self):
        super().__init__()
        self.register_buffer("value", torch.zeros(1))


@dataclass(frozen=True, kw_only=True)
class WithLogitSum(Term):
    """A term that adds up logits after updates of D, of samples as another term scales them."""

    losses = {}  # noqa: RUF012

    def networks(self, factory):
        return {"logits": LogitSum()}

    def wrap_networks(self, nets, batch):
        return nets.with_input_map("D", lambda x: 2 * x)

    @property
    def post_updates(self):
        return {"D": self.add_logits}

    def add_logits(self, nets, batch, losses):
        nets["logits"].value.add_(nets.D(batch.x).mean(1))


def test_train_step_calls_post_updates():
    """After each update of D alone, with the logits that its loss has computed."""
    method = Regularised(method=wgan_gp(critic_steps=3), terms=(WithLogitSum(),))
    state = init_state(method, ARCH, Adam(lr=0.1), seeds=(0, 1))
    train_step = TrainStep(method, state, steps=NUM_STEPS)
    logits = []

    def record(nets, batch):
        logits.append(Nets(dict(nets)).D(2 * batch.x).mean(1).detach())
        return loss_D(nets, batch)

    loss_D = train_step.players[0].loss
    recorded = replace(train_step.players[0], loss=record)
    train_step.update_players(
        (recorded, train_step.players[1]), make_stream((0, 1), 3).batches_at(0)
    )
    assert len(logits) == 3
    torch.testing.assert_close(state.nets["logits"].value, sum(logits))


def test_post_updates_get_the_losses_of_each_update():
    received = []

    def record(nets, batch, losses):
        received.append((torch.is_grad_enabled(), losses))

    critic, generator = GAN().players
    players = (replace(critic, updates_per_step=2, post_updates=(record,)), generator)
    method = WithPostUpdate(given_players=players, updates=[])
    state = init_state(method, ARCH, Adam(), (0, 1))
    batches = make_stream((0, 1), batches_per_step=2).batches_at(0)
    losses = TrainStep(method, state, steps=NUM_STEPS)(batches)
    assert [(enabled, list(values)) for enabled, values in received] == [
        (False, ["adversarial"]),
        (False, ["adversarial"]),
    ]
    assert torch.equal(received[1][1]["adversarial"], losses["D/adversarial"])
    assert not received[0][1]["adversarial"].requires_grad


class FlopCounter(TorchDispatchMode):
    """Counts the floating-point operations of matrix products."""

    def __init__(self):
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if count := flop_registry.get(function.overloadpacket):
            self.flops += count(*args, **(kwargs or {}), out_val=result)
        return result


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("method", "passes"), [(GAN(), 11), (iid_gan(), 20)])
def test_train_step_number_of_flops(method, passes):
    """Counted in forward passes of one network; a backward pass costs one or two.

    GAN: G 1; D on x and G(z) 2 and 4; D(G(z)) 1, back to G(z) 1, through G 2. With the terms,
    F(x), F(G(z)) and G(F(x)), once each: 3 and 6. First layers need no input gradients.
    """
    arch = NetworkFactory(MLP(), (2,))
    state = init_state(method, arch, Adam(), range(1))
    dataset = Dataset(torch.randn(200, 2))
    batches = DatasetStream(dataset, (0,), batch_size=100, latent_dim=2).batches_at(0)
    train_step = TrainStep(method, state, steps=10)
    train_step(batches)  # optimisers create their tensors in the first step
    with FlopCounter() as counter:
        train_step(batches)
    forward = 2 * 100 * (2 * 100 + 100 * 200 + 200 * 100 + 100 * 2)
    assert counter.flops == pytest.approx(passes * forward, rel=0.01)


class TestBfloat16:
    """Networks compute in bfloat16; weights, losses, gradients and averages stay float32."""

    UNIT_ROUNDOFF = 2.0**-8

    @pytest.mark.parametrize("name", METHODS)
    def test_train_step_uses_bfloat16_in_networks_only(self, name):
        method = METHODS[name]()
        arch = NetworkFactory(DCGAN(latent=3, width=2, norm="none"), (1, 8, 8), num_classes=2)
        state = init_state(method, arch, Adam(), (0, 1), ema=0.5)
        train_step = TrainStep(method, state, steps=10, ema=0.5, precision="bfloat16")
        batches = image_stream(method, arch, train_step).batches_at(0)
        with DtypeWatch() as watch:
            losses = train_step(batches)
        assert watch.is_used_in_networks
        assert watch.outside_networks == set()
        tensors = [*losses.values(), *named_tensors(state).values()]
        assert {value.dtype for value in tensors if value.is_floating_point()} == {torch.float32}
        assert all(value.isfinite().all() for value in tensors)

    @pytest.mark.parametrize("seed", range(3))
    def test_gradients_within_rounding(self, seed):
        """A path through four layers and back rounds some 24 times, independently.

        Forwards these are the image, each layer's weights and output, and three activations, 12 in
        all; backwards the same number. Gradients of a single sample are compared, of which no
        parts cancel, and without the kinks of the activations, which rounding may cross.
        """
        torch.manual_seed(seed)
        arch = NetworkFactory(DCGAN(width=4, norm="none"), (1, 8, 8))
        networks = {"D": arch.build_discriminator()}
        for module in networks["D"].modules():
            if isinstance(module, nn.LeakyReLU):
                module.negative_slope = 1.0
        x = 2 * torch.rand(1, 1, *arch.shape) - 1
        exact, rounded = (
            torch.autograd.grad(
                Nets(networks, use_bfloat16=use_bfloat16).D(x).sum(),
                [*networks["D"].parameters()],
            )
            for use_bfloat16 in (False, True)
        )
        errors = [((b - a).norm() / a.norm()).item() for a, b in zip(exact, rounded)]
        assert 0.1 * self.UNIT_ROUNDOFF < max(errors) < 24**0.5 * self.UNIT_ROUNDOFF

    def test_seeds_train_as_alone(self):
        method = iid_gan()
        arch = NetworkFactory(DCGAN(latent=3, width=2), (1, 8, 8))
        ends = []
        for seeds in [(0, 1, 2), (2,)]:
            state = init_state(method, arch, Adam(), seeds)
            train_step = TrainStep(method, state, steps=10, precision="bfloat16")
            stream = image_stream(method, arch, train_step, seeds)
            for step in range(3):
                train_step(stream.batches_at(step))
                state.step += 1
            ends.append(clone_tensors(dict(state.nets.named_parameters())))
        together, alone = ends
        initial = dict(init_state(method, arch, Adam(), (2,)).nets.named_parameters())
        distances = [(together[n][2:] - alone[n]).norm().item() for n in initial]
        lengths = [(alone[n] - initial[n]).norm().item() for n in initial]
        assert sum(distances) < self.UNIT_ROUNDOFF * sum(lengths)


class DtypeWatch(TorchFunctionMode):
    """Records which functions handle bfloat16 where autocast is off, outside of networks."""

    def __init__(self):
        super().__init__()
        self.is_used_in_networks, self.outside_networks = False, set()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        values = tree_leaves([args, kwargs or {}, result])
        if any(isinstance(v, torch.Tensor) and v.dtype == torch.bfloat16 for v in values):
            if torch.is_autocast_enabled("cpu"):
                self.is_used_in_networks = True
            elif function is not torch.Tensor.to and function.__name__ != "__get__":
                # neither the conversion of outputs to float32 nor the reading of an attribute
                self.outside_networks.add(function.__name__)
        return result


def image_stream(method, arch, train_step, seeds=(0, 1)):
    x = torch.rand(20, *arch.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return DatasetStream(
        Dataset(x, torch.arange(20) % 2),
        seeds,
        batch_size=8,
        latent_dim=arch.latent,
        batches_per_step=train_step.num_batches,
        noise_shapes=method.noise_shapes(arch),
        conditioning=method.conditioning,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "backbone"),
    [
        (iid_gan(), DCGAN(latent=4, width=4, norm="none")),
        (wgan_gp(), DCGAN(latent=4, width=4, norm="none")),
        (stylegan2_ada(), StyleGAN2(latent=4, width=4, mapping_layers=2)),
        (r3gan(), R3GANNet(latent=4, width=16, max_width=16, blocks=1)),
    ],
    ids=["iid-gan", "wgan-gp", "stylegan2-ada", "r3gan"],
)
def test_train_step_bfloat16_images(method, backbone):
    """Weights stay float32, and change as they do in float32 but for rounding."""
    arch = NetworkFactory(backbone, (1, 32, 32))
    x = torch.rand(64, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    changes = []
    for precision in ("float32", "bfloat16"):
        state = init_state(method, arch, Adam(lr=1e-3), (0, 1))
        before = {n: v.clone() for n, v in state.nets.state_dict().items()}
        train_step = TrainStep(method, state, steps=5, precision=precision)
        stream = DatasetStream(
            Dataset(x),
            (0, 1),
            batch_size=16,
            latent_dim=4,
            batches_per_step=train_step.num_batches,
            noise_shapes={
                **method.noise_shapes(arch),
                **layer_noise_shapes(dict(state.nets.items())),
            },
        )
        for step in range(5):
            losses = train_step(stream.batches_at(step))
            state.step += 1
        assert all(value.dtype == torch.float32 for value in losses.values())
        after = state.nets.state_dict()
        assert all(value.dtype == torch.float32 for value in after.values())
        changes.append(torch.cat([(after[n] - before[n]).flatten() for n in before]))
    exact, rough = changes
    cosine = torch.nn.functional.cosine_similarity(exact, rough, dim=0)
    assert 0.8 < cosine < 0.999999
