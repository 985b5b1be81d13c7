"""Initial states, their named tensors, and how they are restored."""

import copy
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from iidgan.core import Dataset, Method, NetworkFactory, Player
from iidgan.engine.optim import OPTIMISERS, Adam
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import (
    build_networks,
    concat_seeds,
    derive_seed,
    init_state,
    named_tensors,
    restore_state,
    select_seeds,
    state_tensors,
)
from iidgan.engine.step import TrainStep
from iidgan.methods import GAN, iid_gan
from iidgan.nn import DCGAN, MLP
from tests.helpers.engine import (
    ARCH,
    NUM_STEPS,
    PHASED,
    clone_tensors,
    have_equal_tensors,
    lazy_iid_gan,
    make_dataset,
    make_stream,
    run_steps,
)
from tests.helpers.errors import raises_input_error

pytestmark = pytest.mark.usefixtures("float64")


def test_derive_seed_spreads_similar_numbers():
    seeds = {
        derive_seed(seed, stream, block)
        for seed in range(20)
        for stream in range(3)
        for block in range(20)
    }
    assert len(seeds) == 1200
    assert all(0 <= seed < 2**63 for seed in seeds)
    mean_bit = sum(bin(seed).count("1") for seed in seeds) / len(seeds) / 63
    assert mean_bit == pytest.approx(0.5, abs=0.01)


class Unbatched(nn.Module):
    """A layer without a seed axis."""

    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.tensor(0.0))


@dataclass(frozen=True, kw_only=True)
class WithExtraNetwork(Method):
    """A GAN with one more network, which no player trains."""

    extra: nn.Module

    @property
    def players(self):
        return GAN().players

    def networks(self, factory):
        return GAN().networks(factory) | {"E": copy.deepcopy(self.extra)}


class TestState:
    def test_build_networks_seeds_are_independent(self):
        together, alone = (build_networks(iid_gan(), ARCH, s) for s in ((5, 0, 2), (2,)))
        for name, value in alone.state_dict().items():
            assert torch.equal(together.state_dict()[name][2:], value)

    @pytest.mark.parametrize(
        "arch", [ARCH, NetworkFactory(DCGAN(latent=2, width=2, spectral_norm=True), (1, 8, 8))]
    )
    def test_init_state_spectral_norm_per_seed(self, arch):
        """The singular vectors agree at the start and after some steps."""
        together, alone = (init_state(PHASED, arch, Adam(), seeds) for seeds in ((5, 0, 2), (2,)))
        options = {"batch_size": 4, "latent_dim": 2, "batches_per_step": 2}
        options["noise_shapes"] = PHASED.noise_shapes(arch)
        dataset = make_dataset(20, arch.shape)
        for _ in range(2):
            tensors, expected = together.nets.state_dict(), alone.nets.state_dict()
            assert sum(name.endswith(".u") for name in tensors) >= 3
            for name, value in expected.items():
                assert torch.allclose(tensors[name][2:], value, atol=1e-12)
            for state, seeds in ((together, (5, 0, 2)), (alone, (2,))):
                stream = DatasetStream(dataset, seeds, **options)
                run_steps(TrainStep(PHASED, state, steps=10), state, stream, range(6))

    def test_lazy_network_has_corrected_constants(self):
        method = lazy_iid_gan(4)
        state = init_state(method, ARCH, Adam(lr=0.01), (0, 1))
        assert [len(optimisers) for optimisers in state.optimisers.values()] == [1, 2]
        assert {scale: lr.item() for scale, lr in state.learning_rates.items()} == pytest.approx(
            {1.0: 0.01, 4.0: 0.04}
        )
        _, F_optimiser = state.optimisers["G"]
        (group,) = F_optimiser.param_groups
        assert group["params"] == [*state.nets["F"].parameters()]

    def test_lazy_state_has_the_same_tensors(self):
        names = [
            list(named_tensors(init_state(method, ARCH, Adam(), (0, 1))))
            for method in (
                iid_gan(),
                lazy_iid_gan(2),
            )
        ]
        assert names[0] == names[1]

    def test_build_networks_seeds_differ(self):
        for parameter in build_networks(iid_gan(), ARCH, (0, 1)).parameters():
            assert not torch.equal(parameter[0], parameter[1])

    def test_build_networks_keeps_rng_state(self):
        before = torch.get_rng_state()
        build_networks(iid_gan(), ARCH, (0, 1))
        assert torch.equal(before, torch.get_rng_state())

    def test_build_networks_keeps_frozen_parameters(self):
        nets = build_networks(
            WithExtraNetwork(extra=ARCH.build_generator().requires_grad_(False)), ARCH, (0, 1)
        )
        assert not any(parameter.requires_grad for parameter in nets["E"].parameters())
        assert all(parameter.requires_grad for parameter in nets["G"].parameters())

    @pytest.mark.parametrize(
        ("extra", "name"), [(nn.Linear(2, 2), "E.weight"), (Unbatched(), "E.count")]
    )
    def test_build_networks_requires_seed_axis(self, extra, name):
        with raises_input_error("networks", name):
            build_networks(WithExtraNetwork(extra=extra), ARCH, (0, 1))

    def test_init_state_without_ema(self):
        assert init_state(GAN(), ARCH, Adam(), (0,)).ema_nets is None

    def test_named_tensors_cover_all_changes(self):
        """Checkpoints hold `named_tensors`, compiled steps read and write `state_tensors`."""
        state = init_state(iid_gan(), ARCH, Adam(), (0, 1), ema=0.9)
        train_step, stream = (
            TrainStep(iid_gan(), state, steps=NUM_STEPS, ema=0.9),
            make_stream((0, 1)),
        )
        train_step(stream.batches_at(0))
        before = [value.clone() for value in state_tensors(state)]
        train_step(stream.batches_at(1))
        pointers = {value.data_ptr() for value in named_tensors(state).values()}
        pairs = zip(state_tensors(state), before, strict=True)
        changed = [value for value, old in pairs if not torch.equal(value, old)]
        assert {value.data_ptr() for value in changed} == pointers

    def test_restore_state_undoes_steps(self):
        state = init_state(iid_gan(), ARCH, Adam(), (0, 1), ema=0.9)
        train_step, stream = (
            TrainStep(iid_gan(), state, steps=NUM_STEPS, ema=0.9),
            make_stream((0, 1)),
        )
        train_step(stream.batches_at(0))
        saved = clone_tensors(named_tensors(state))
        train_step(stream.batches_at(1))
        after = clone_tensors(named_tensors(state))
        restore_state(state, saved)
        assert have_equal_tensors(named_tensors(state), saved)
        train_step(stream.batches_at(1))
        assert have_equal_tensors(named_tensors(state), after)

    def test_restore_state_into_new_state(self):
        first, second = (init_state(iid_gan(), ARCH, Adam(), (0, 1)) for _ in range(2))
        stream = make_stream((0, 1))
        TrainStep(iid_gan(), first, steps=NUM_STEPS)(stream.batches_at(0))
        restore_state(second, clone_tensors(named_tensors(first)))
        assert have_equal_tensors(named_tensors(first), named_tensors(second))
        for state in (first, second):
            TrainStep(iid_gan(), state, steps=NUM_STEPS)(stream.batches_at(1))
        assert have_equal_tensors(named_tensors(first), named_tensors(second))

    def test_restore_state_before_first_step(self):
        first, second = (init_state(iid_gan(), ARCH, Adam(), (0, 1)) for _ in range(2))
        initial, stream = clone_tensors(named_tensors(first)), make_stream((0, 1))
        TrainStep(iid_gan(), first, steps=NUM_STEPS)(stream.batches_at(0))
        restore_state(first, initial)
        for state in (first, second):
            TrainStep(iid_gan(), state, steps=NUM_STEPS)(stream.batches_at(1))
        assert have_equal_tensors(named_tensors(first), named_tensors(second))

    @pytest.mark.parametrize(
        ("method", "arch", "seeds", "error"),
        [
            (iid_gan(), ARCH, (0, 1), KeyError),
            (GAN(), NetworkFactory(MLP(latent=2, hidden=(9, 8)), (3,)), (0, 1), ValueError),
            (GAN(), ARCH, (0, 1, 2), ValueError),
            (GAN(), ARCH, (0,), ValueError),
        ],
    )
    def test_restore_state_refuses_other_networks(self, method, arch, seeds, error):
        state = init_state(GAN(), ARCH, Adam(), (0, 1))
        other = init_state(method, arch, Adam(), seeds)
        for target, source in ((state, other), (other, state)):
            before = clone_tensors(named_tensors(target))
            with pytest.raises(error):
                restore_state(target, clone_tensors(named_tensors(source)))
            assert have_equal_tensors(named_tensors(target), before)


@dataclass(frozen=True, kw_only=True)
class SlowCritic(Method):
    """A GAN whose D has a tenth of G's learning rate."""

    @property
    def players(self) -> tuple[Player, ...]:
        critic, generator = GAN().players
        return replace(critic, lr_scale=0.1), generator

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return GAN().networks(factory)


def test_set_lr_applies_lr_scale():
    """Adam's first step is the rate itself, wherever the gradient is not near zero."""
    arch = NetworkFactory(MLP(hidden=(8,)), (2,))
    state = init_state(SlowCritic(), arch, Adam(lr=0.01), range(2))
    before = clone_tensors(named_tensors(state))
    train_step = TrainStep(SlowCritic(), state, steps=10)
    dataset = Dataset(torch.randn(50, 2))
    state.set_lr(0.02)
    train_step(DatasetStream(dataset, range(2), batch_size=10, latent_dim=2).batches_at(0))
    after = named_tensors(state)
    for name, lr in (("D", 0.002), ("G", 0.02)):
        key = f"nets.{name}.head.layer.bias"
        change = (after[key] - before[key]).abs()
        assert torch.allclose(change, torch.full_like(change, lr), rtol=1e-3)


def test_init_state_lr_factors_beside_lr_scale():
    method, arch = SlowCritic(), NetworkFactory(MLP(hidden=(8,)), (2,))
    factors = {"D": 4.0, "G": 0.5}
    state = init_state(method, arch, Adam(lr=0.01), range(2), lr_factors=factors)
    assert {*state.learning_rates} == {0.4, 0.5}
    state.set_lr(0.1)
    assert sorted(rate.item() for rate in state.learning_rates.values()) == pytest.approx(
        [0.04, 0.05]
    )


@pytest.mark.parametrize("optimiser", [option() for option in OPTIMISERS.values()])
def test_optimiser_keeps_seeds_independent(optimiser):
    factory, data = NetworkFactory(MLP(hidden=(8,)), (2,)), Dataset(torch.randn(50, 2))

    def train_seeds(seeds):
        state = init_state(GAN(), factory, optimiser, seeds)
        train_step = TrainStep(GAN(), state, steps=10)
        stream = DatasetStream(data, seeds, batch_size=10, latent_dim=2)
        for step in range(3):
            train_step(stream.batches_at(step))
        return named_tensors(state)

    together, alone = train_seeds((5, 2)), train_seeds((2,))
    torch.testing.assert_close(select_seeds(together, slice(1, 2)), alone)


def test_concat_seeds_inverts_select_seeds():
    state = init_state(GAN(), NetworkFactory(MLP(hidden=(8,)), (2,)), Adam(), range(5), ema=0.9)
    tensors = named_tensors(state)
    slices = (slice(0, 2), slice(2, 3), slice(3, 5))
    joined = concat_seeds([select_seeds(tensors, seed_slice) for seed_slice in slices])
    assert have_equal_tensors(joined, tensors)
