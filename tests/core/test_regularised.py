"""Methods with added terms."""

import pytest
import torch
from torch import nn

from iidgan.core import (
    Batch,
    Nets,
    Player,
    Regularised,
)
from iidgan.methods import GAN, iid_gan
from iidgan.nn.layers.linear import Linear
from iidgan.terms import CycleTerm, GaussianTerm, ZDiscriminator
from tests.helpers.core import (
    ARCH,
    PLAIN,
    AddedLosses,
    FixedMethod,
    NoisyInput,
    NoisyMethod,
    OwnedInverse,
    constant_loss,
    discriminator_loss,
    player_losses,
    recording_nets,
)
from tests.helpers.errors import raises_input_error


class TestRegularised:
    def test_term_loss_joins_its_player(self):
        method = Regularised(method=PLAIN, terms=(AddedLosses((("G", constant_loss(3)),)),))
        assert player_losses(method, "G") == {"n2": 2, "n3": 3}
        assert player_losses(method, "D") == {"n1": 1}

    def test_regularised_keeps_players(self):
        method = Regularised(method=PLAIN, terms=(AddedLosses((("G", constant_loss(3)),)),))
        assert [(p.name, p.trains, p.updates_per_step) for p in method.players] == [
            ("D", ("D",), 1),
            ("G", ("G",), 2),
        ]

    def test_shared_term_loss_counted_once(self):
        shared = constant_loss(3)
        both = FixedMethod((Player("GF", constant_loss(1), ("G", "F")),), ("G", "F"))
        method = Regularised(method=both, terms=(AddedLosses((("G", shared), ("F", shared))),))
        assert player_losses(method, "GF") == {"n1": 1, "n3": 3}

    def test_shared_term_loss_of_two_players(self):
        shared = constant_loss(3)
        apart = FixedMethod(
            (Player("G", constant_loss(1), ("G",)), Player("F", constant_loss(2), ("F",)))
        )
        method = Regularised(method=apart, terms=(AddedLosses((("G", shared), ("F", shared))),))
        assert player_losses(method, "G") == {"n1": 1, "n3": 3}
        assert player_losses(method, "F") == {"n2": 2, "n3": 3}

    def test_duplicate_loss_names_raise(self):
        method = Regularised(method=PLAIN, terms=(AddedLosses((("G", constant_loss(2)),)),))
        with raises_input_error("terms", "n2"):
            player_losses(method, "G")

    def test_owned_network_trained_with_host(self):
        method = Regularised(method=PLAIN, terms=(OwnedInverse((("F", constant_loss(3)),)),))
        assert [p.trains for p in method.players] == [("D",), ("G", "F")]
        assert player_losses(method, "G") == {"n2": 2, "n3": 3}
        assert set(method.networks(ARCH)) == {"G", "D", "F"}

    def test_owned_network_shared_by_terms(self):
        terms = (
            OwnedInverse((("F", constant_loss(3)),)),
            OwnedInverse((("F", constant_loss(4)),)),
        )
        method = Regularised(method=PLAIN, terms=terms)
        assert [p.trains for p in method.players] == [("D",), ("G", "F")]
        assert player_losses(method, "G") == {"n2": 2, "n3": 3, "n4": 4}

    def test_method_networks_take_precedence(self):
        owner = FixedMethod(
            (*PLAIN.players, Player("F", constant_loss(5), ("F",))), ("G", "D", "F")
        )
        method = Regularised(method=owner, terms=(OwnedInverse((("F", constant_loss(3)),)),))
        assert [p.trains for p in method.players] == [("D",), ("G",), ("F",)]
        assert isinstance(method.networks(ARCH)["F"], nn.Identity)
        assert player_losses(method, "F") == {"n5": 5, "n3": 3}

    def test_owned_network_untrained_host(self):
        lonely = FixedMethod((Player("D", constant_loss(1), ("D",)),))
        with raises_input_error("terms", "'F'", "'G'"):
            _ = Regularised(method=lonely, terms=(OwnedInverse(),)).players

    def test_term_players_come_last(self):
        own = AddedLosses((), (Player("E", constant_loss(6), ("E",)),))
        method = Regularised(method=PLAIN, terms=(own, AddedLosses((("E", constant_loss(7)),))))
        assert [p.name for p in method.players] == ["D", "G", "E"]
        assert player_losses(method, "E") == {"n6": 6, "n7": 7}

    def test_nested_regularised_equals_flat(self):
        terms = CycleTerm(), GaussianTerm()
        nested = Regularised(method=Regularised(method=GAN(), terms=terms[:1]), terms=terms[1:])
        flat = Regularised(method=GAN(), terms=terms)
        assert [p.trains for p in nested.players] == [p.trains for p in flat.players]
        batch = Batch(*(torch.randn(2, 8, 2) for _ in range(2)), torch.rand(2, 8))
        nets = Nets(build_two(flat))
        for a, b in zip(nested.players, flat.players):
            nested_values, flat_values = a.loss(nets, batch), b.loss(nets, batch)
            assert nested_values.keys() == flat_values.keys()
            assert all(
                torch.equal(nested_values[name], flat_values[name]) for name in nested_values
            )

    def test_iid_gan_is_a_value(self):
        assert iid_gan() == Regularised(method=GAN(), terms=(CycleTerm(), GaussianTerm()))
        assert hash(iid_gan()) == hash(iid_gan())
        assert iid_gan(gaussian=GaussianTerm(weight=1.0)) != iid_gan()
        assert [(p.name, p.trains) for p in iid_gan().players] == [
            ("D", ("D",)),
            ("G", ("G", "F")),
        ]

    def test_z_discriminator_adds_player(self):
        method = Regularised(method=GAN(), terms=(ZDiscriminator(),))
        trained = {p.name: p.trains for p in method.players}
        assert trained == {"D": ("D",), "G": ("G", "F"), "Dz": ("Dz",)}


class TestWrapNetworks:
    batch = Batch(*(torch.ones(1) for _ in range(3)), noise={"blur": torch.tensor([0.5])})

    def evaluate_loss(self, method, player="D"):
        loss = {p.name: p for p in method.players}[player].loss
        return {
            name: value.item() for name, value in loss(recording_nets()[1], self.batch).items()
        }

    def test_wrap_networks_for_all_losses(self):
        """Losses of the method, of a term, and of a player of another term."""
        method = FixedMethod(
            (Player("D", discriminator_loss, ("D",)), Player("G", constant_loss(2), ("G",)))
        )
        added = lambda nets, batch: {"added": nets.D(batch.x)}  # noqa: E731
        own = AddedLosses((), (Player("E", discriminator_loss, ("E",)),))
        for terms in ((NoisyInput(),), (NoisyInput(), own), (own, NoisyInput())):
            whole = Regularised(method=method, terms=(AddedLosses((("G", added),)), *terms))
            assert self.evaluate_loss(whole) == {"logit": 3 * 1.5}
            assert self.evaluate_loss(whole, "G") == {"n2": 2, "added": 3 * 1.5}
            if own in terms:
                assert self.evaluate_loss(whole, "E") == {"logit": 3 * 1.5}

    def test_wrap_networks_in_term_order(self):
        method = FixedMethod((Player("D", discriminator_loss, ("D",)),))
        inner = Regularised(method=method, terms=(NoisyInput(factor=2),))
        outer = Regularised(method=inner, terms=(NoisyInput(factor=10),))
        assert self.evaluate_loss(outer) == {"logit": 3 * (10 * 2.5 + 0.5)}
        listed = Regularised(method=method, terms=(NoisyInput(factor=2), NoisyInput(factor=10)))
        assert self.evaluate_loss(outer) == self.evaluate_loss(listed)
        assert outer.base_and_terms == (method, listed.terms)
        assert method.base_and_terms == (method, ())

    def test_noise_shapes_merge(self):
        noisy = NoisyMethod((Player("D", discriminator_loss, ("D",)),))
        method = Regularised(method=noisy, terms=(NoisyInput(), CycleTerm()))
        assert method.noise_shapes(ARCH) == {"loud": (2, 2), "blur": ()}
        outer = Regularised(method=method, terms=(NoisyInput(factor=3),))  # the same, so shared
        assert outer.noise_shapes(ARCH) == {"loud": (2, 2), "blur": ()}
        assert noisy.noise_shapes(ARCH) == {"loud": (2, 2)}
        assert GAN().noise_shapes(ARCH) == {}

    def test_noise_shapes_conflict(self):
        method = Regularised(method=PLAIN, terms=(NoisyInput(),))
        outer = Regularised(method=method, terms=(NoisyInput(shape=(3,)),))
        with raises_input_error("terms", "'blur'", (), (3,)):
            outer.noise_shapes(ARCH)


def build_two(method):
    nets = method.networks(ARCH)
    for net in nets.values():
        for module in net.modules():
            if isinstance(module, Linear):
                module.weight.value = nn.Parameter(module.weight.value.repeat(2, 1, 1))
                module.bias = nn.Parameter(module.bias.repeat(2, 1, 1))
    return nets


class TestLazyTerms:
    def test_lazy_networks_train_when_fed(self):
        method = iid_gan(cycle=CycleTerm(every=4), gaussian=GaussianTerm(every=6))
        assert method.period == 12
        F_steps = [
            step
            for step in range(12)
            if {p.name: p.trains for p in method.players_at(step)}["G"] == ("G", "F")
        ]
        assert F_steps == [0, 4, 6, 8]
        assert [p.trains for p in method.players_at(1)] == [("D",), ("G",)]
        assert method.players == method.players_at(0) == method.players_at(12)

    def test_lazy_losses_enter_when_due(self):
        terms = (
            AddedLosses((("G", constant_loss(3)),), every=2),
            AddedLosses((("G", constant_loss(4)),), every=3),
        )
        method = Regularised(method=PLAIN, terms=terms)
        names = [
            "".join({p.name: p.loss(Nets({}), None) for p in method.players_at(step)}["G"])
            for step in range(6)
        ]
        assert names == ["n2n3n4", "n2", "n2n3", "n2n4", "n2n3", "n2"]

    def test_lazy_gradient_counts_k_times(self):
        weight = torch.tensor([3.0], requires_grad=True)

        def square_loss(nets, batch):
            return {"square": weight.square()}

        method = Regularised(method=PLAIN, terms=(AddedLosses((("G", square_loss),), every=5),))
        loss = {p.name: p for p in method.players}["G"].loss(Nets({}), None)["square"]
        assert loss.item() == 9
        assert torch.autograd.grad(loss, weight)[0].item() == 5 * 6

    def test_network_of_method_trains_always(self):
        own = FixedMethod((*PLAIN.players, Player("F", constant_loss(5), ("F",))), ("G", "D", "F"))
        method = Regularised(method=own, terms=(CycleTerm(every=2),))
        assert [p.trains for p in method.players_at(1)] == [("D",), ("G",), ("F",)]

    def test_lazy_player_moves_when_due(self):
        method = Regularised(method=GAN(), terms=(ZDiscriminator(every=3),))
        assert [[p.name for p in method.players_at(step)] for step in (0, 1, 2, 3)] == [
            ["D", "G", "Dz"],
            ["D", "G"],
            ["D", "G"],
            ["D", "G", "Dz"],
        ]

    def test_wrapping_terms_apply_in_every_step(self):
        noisy = NoisyInput(factor=2.0)
        player = Player("D", discriminator_loss, ("D",))
        lazy = AddedLosses((("D", constant_loss(1)),), every=2)
        method = Regularised(method=FixedMethod((player,)), terms=(noisy, lazy))
        _, nets = recording_nets()
        batch = Batch(
            x=torch.ones(1, 1, 1),
            z=torch.zeros(1, 1, 1),
            u=torch.zeros(1, 1),
            noise={"blur": torch.ones(1)},
        )
        logits = [
            p.loss(nets, batch)["logit"].item() for s in (0, 1) for p in method.players_at(s)
        ]
        assert logits == [9.0, 9.0]

    @pytest.mark.parametrize("every", [0, -2])
    def test_every_below_one_raises(self, every):
        with raises_input_error("every", ">= 1", every):
            Regularised(method=PLAIN, terms=(CycleTerm(every=every),))

    def test_term_without_losses_is_not_lazy(self):
        with raises_input_error("every", "NoisyInput", 2):
            Regularised(method=PLAIN, terms=(NoisyInput(every=2),))
