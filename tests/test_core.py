"""Laws of the vocabulary: shared forward passes, and methods that are made of terms."""

from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from iidgan.core import (
    Arch,
    Batch,
    Dataset,
    Method,
    Nets,
    Player,
    Reference,
    Refreshing,
    Regularised,
    Standing,
    Term,
    cites,
    join,
)
from iidgan.errors import InputError, unknown
from iidgan.methods import GAN, iid_gan
from iidgan.nn import MLP
from iidgan.nn.layers.conv import BatchNorm
from iidgan.nn.layers.linear import Linear
from iidgan.nn.layers.weight import SpectralWeight
from iidgan.terms import CycleConsistency, GaussianConsistency, ZDiscriminator

ARCH = Arch(MLP(latent=2, hidden=(4,)), (2,))


class Recording(nn.Module):
    """An identity, up to a factor, that counts its calls."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor, self.calls = factor, 0

    def forward(self, *inputs):
        self.calls += 1
        return self.factor * sum(inputs)


def recording():
    modules = {name: Recording(factor) for name, factor in (("G", 2.0), ("D", 3.0), ("F", 5.0))}
    return modules, Nets(modules)


class TestNets:
    def test_is_a_mapping_of_modules(self):
        modules, nets = recording()
        assert dict(nets) == modules
        assert len(nets) == 3
        assert nets["G"] is modules["G"]

    def test_same_call_is_computed_once(self):
        modules, nets = recording()
        z = torch.ones(1)
        assert nets.G(z) is nets.G(z)
        assert nets.D(nets.G(z)) is nets.D(nets.G(z))
        assert nets.D(nets.G(z)).item() == 6.0
        assert (modules["G"].calls, modules["D"].calls) == (1, 1)

    def test_equal_tensors_are_not_the_same_call(self):
        modules, nets = recording()
        assert nets.G(torch.ones(1)) is not nets.G(torch.ones(1))
        assert modules["G"].calls == 2

    def test_order_and_number_of_inputs_count(self):
        modules, nets = recording()
        a, b = torch.ones(1), torch.zeros(1)
        for inputs in ((a, b), (b, a), (a,), (a, b)):
            nets.G(*inputs)
        assert modules["G"].calls == 3

    def test_moved_forgets_the_network_and_what_is_derived_from_it(self):
        modules, nets = recording()
        z, x = torch.ones(1), torch.zeros(1)
        fake, code = nets.G(z), nets.F(x)
        nets.D(fake), nets.D(x), nets.F(nets.D(fake))
        nets.moved(["G"])
        assert nets.F(x) is code
        assert nets.G(z) is not fake
        calls = {name: net.calls for name, net in modules.items()}
        nets.D(x)
        assert modules["D"].calls == calls["D"]  # unrelated: kept
        nets.D(fake)
        assert modules["D"].calls == calls["D"] + 1  # derived from the old G: forgotten
        nets.F(nets.D(fake))
        assert modules["F"].calls == calls["F"] + 1

    def test_moved_keeps_what_the_mover_only_reads(self):
        modules, nets = recording()
        z = torch.ones(1)
        fake = nets.G(z)
        nets.D(fake)
        nets.moved(("D",))
        assert nets.G(z) is fake
        nets.D(fake)
        assert (modules["G"].calls, modules["D"].calls) == (1, 2)

    def test_a_dead_tensor_is_never_taken_for_a_new_one(self):
        """Ids are used again when tensors die; inputs live as long as what is known of them."""
        _, nets = recording()
        for value in range(200):
            assert nets.G(torch.full((1,), float(value))).item() == 2.0 * value
            if value % 7 == 0:
                nets.moved(["G"])

    def test_unknown_network(self):
        _, nets = recording()
        with pytest.raises(AttributeError, match="no network 'Q'; there are G, D, F"):
            nets.Q(torch.ones(1))
        with pytest.raises(KeyError, match="no network 'Q'; there are G, D, F"):
            nets["Q"]
        with pytest.raises(KeyError, match="no network 'Q'"):
            nets.features("Q", torch.ones(1))


class Split(nn.Module):
    """A network of two halves that count their calls: x -> scale x -> scale x + 1."""

    def __init__(self, scale=2.0):
        super().__init__()
        self.scale, self.calls = scale, 0
        self.head = Plus()

    def features(self, x):
        self.calls += 1
        return self.scale * x

    def forward(self, x):
        return self.head(self.features(x))


class Plus(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x + 1


class TestFeatures:
    def test_are_shared_with_the_call_in_either_order(self):
        x = torch.ones(1)
        for features_first in (True, False):
            nets = Nets({"D": Split()})
            hidden = nets.features("D", x) if features_first else None
            assert nets.D(x).item() == 3.0
            assert nets.features("D", x).item() == 2.0
            assert hidden is None or nets.features("D", x) is hidden
            assert nets.D(x) is nets.D(x)
            assert (nets["D"].calls, nets["D"].head.calls) == (1, 1)

    def test_alone_do_not_compute_the_output(self):
        nets = Nets({"D": Split()})
        nets.features("D", torch.ones(1))
        assert nets["D"].head.calls == 0

    def test_are_forgotten_with_the_network_and_with_what_they_are_derived_from(self):
        nets, z = Nets({"G": Split(3.0), "D": Split()}), torch.ones(1)
        fake = nets.G(z)
        hidden = nets.features("D", fake)
        nets.moved(["G"])
        assert nets.features("D", fake) is not hidden  # derived from the old G
        x = torch.zeros(1)
        nets["D"].scale, kept = 5.0, nets.features("D", x)
        nets.moved(["G"])
        assert nets.features("D", x) is kept  # unrelated
        nets.moved(["D"])
        assert nets.features("D", fake).item() == 5.0 * fake.item()
        assert nets.D(fake).item() == 5.0 * fake.item() + 1

    def test_of_a_network_without_any_are_an_error(self):
        _, nets = recording()
        with pytest.raises(
            InputError, match=r"network 'D' \(Recording\) has no last hidden layer"
        ):
            nets.features("D", torch.ones(1))


class TestSeeing:
    def test_changes_what_one_network_reads_and_no_other(self):
        modules, nets = recording()
        view, x = nets.seeing("D", lambda x: x + 1), torch.ones(1)
        assert view.D(x).item() == 3.0 * 2
        assert view.F(x).item() == 5.0
        assert dict(view) == modules

    def test_changes_the_first_input_alone(self):
        _, nets = recording()
        view = nets.seeing("D", lambda x: 10 * x)
        assert view.D(torch.ones(1), torch.ones(1)).item() == 3.0 * 11

    def test_changes_features_and_output_alike(self):
        view, x = Nets({"D": Split()}).seeing("D", lambda x: x + 1), torch.ones(1)
        assert (view.features("D", x).item(), view.D(x).item()) == (4.0, 5.0)
        assert view["D"].calls == 1

    def test_composes_in_the_order_of_asking(self):
        _, nets = recording()
        view = nets.seeing("D", lambda x: x + 1).seeing("D", lambda x: 10 * x)
        assert view.seeing("F", lambda x: -x).D(torch.ones(1)).item() == 3.0 * 20
        assert view.seeing("F", lambda x: -x).F(torch.ones(1)).item() == -5.0

    def test_leaves_the_original_as_it_was(self):
        _, nets = recording()
        nets.seeing("D", lambda x: x + 1)
        assert nets.D(torch.ones(1)).item() == 3.0

    def test_shares_the_memory_both_ways(self):
        modules, nets = recording()
        view, z = nets.seeing("D", lambda x: x + 1), torch.ones(1)
        assert nets.G(z) is view.G(z)
        assert view.D(nets.G(z)) is nets.seeing("D", lambda x: x + 1).D(view.G(z))
        assert (modules["G"].calls, modules["D"].calls) == (1, 1)
        judged = view.D(view.G(z))
        nets.moved(["G"])
        view.D(view.G(z))
        assert (modules["G"].calls, modules["D"].calls) == (2, 2)
        assert view.D(view.G(z)) is not judged


def batch_of(num=4, *, labels=True, noise=True, t=0.25):
    extra = {"b": torch.randn(2, num, 3), "a": torch.randn(2, num)} if noise else {}
    return Batch(
        x=torch.randn(2, num, 5),
        z=torch.randn(2, num, 2),
        u=torch.rand(2, num),
        y=torch.randint(9, (2, num)) if labels else None,
        t=torch.tensor(t),
        noise=extra,
    )


class TestBatch:
    @pytest.mark.parametrize("labels", [True, False])
    @pytest.mark.parametrize("noise", [True, False])
    def test_tensors_and_of_are_a_round_trip(self, labels, noise):
        batch = batch_of(labels=labels, noise=noise)
        again = Batch.of(batch.tensors())
        for name in ("x", "z", "u", "y", "t"):
            assert getattr(again, name) is getattr(batch, name)
        assert again.noise.keys() == batch.noise.keys()
        assert all(again.noise[name] is batch.noise[name] for name in batch.noise)

    def test_tensors_have_one_order(self):
        batch = batch_of()
        other = replace(batch, noise=dict(reversed(batch.noise.items())))
        assert list(batch.tensors()) == list(other.tensors())
        assert list(batch.tensors()) == ["x", "z", "u", "y", "t", "noise.a", "noise.b"]
        assert "y" not in batch_of(labels=False).tensors()

    def test_by_default_the_run_begins_and_there_is_no_noise(self):
        batch = Batch(torch.ones(1, 1), torch.ones(1, 1), torch.ones(1, 1))
        assert (batch.t.shape, batch.t.item(), dict(batch.noise)) == ((), 0.0, {})

    def test_joined_batches_lie_end_to_end(self):
        batches = [batch_of(num) for num in (3, 1, 2)]
        joined = join(batches).tensors()
        for name, value in joined.items():
            if name != "t":
                assert value.shape[:2] == (2, 6)
                pieces = zip(value.split([3, 1, 2], dim=1), batches, strict=True)
                assert all(torch.equal(piece, batch.tensors()[name]) for piece, batch in pieces)
        assert joined["t"] is batches[0].t
        assert list(joined) == list(batches[0].tensors())

    def test_joined_batches_may_lack_labels_and_noise(self):
        joined = join([batch_of(labels=False, noise=False) for _ in range(2)])
        assert joined.y is None
        assert dict(joined.noise) == {}

    def test_one_batch_joined_is_itself(self):
        batch = batch_of()
        assert join([batch]) is batch


def value_of(number):
    """Makes a loss whose only addend is called after its number."""
    return lambda nets, batch: {f"n{number}": torch.full((1,), float(number))}


@dataclass(frozen=True)
class Made(Method):
    """A method of given players."""

    made: tuple[Player, ...]
    names: tuple[str, ...] = ("G", "D")

    @property
    def players(self):
        return self.made

    def networks(self, arch):
        return {name: nn.Identity() for name in self.names}


@dataclass(frozen=True)
class Adding(Term):
    """A term that adds given losses, and brings a network."""

    added: tuple = ()
    own: tuple[Player, ...] = ()

    @property
    def addends(self):
        return dict(self.added)

    @property
    def players(self):
        return self.own


@dataclass(frozen=True)
class Seeing(Term):
    """Lets D read its input plus the noise of the batch, times a factor."""

    factor: float = 1.0
    shape: tuple = ()
    addends = {}  # noqa: RUF012

    def noise(self, arch):
        return {"blur": self.shape}

    def view(self, nets, batch):
        return nets.seeing("D", lambda x: self.factor * x + batch.noise["blur"])


class Bringing(Adding):
    brings = {"F": "G"}  # noqa: RUF012

    def networks(self, arch):
        return {"F": nn.Flatten()}


PLAIN = Made((Player("D", value_of(1), ("D",)), Player("G", value_of(2), ("G",), repeat=2)))


def losses(method, player, nets=None):
    found = {p.name: p for p in method.players}[player].loss(nets or Nets({}), None)
    return {name: value.item() for name, value in found.items()}


class TestRegularised:
    def test_adds_to_whoever_trains_the_network(self):
        method = Regularised(method=PLAIN, terms=(Adding((("G", value_of(3)),)),))
        assert losses(method, "G") == {"n2": 2, "n3": 3}
        assert losses(method, "D") == {"n1": 1}

    def test_keeps_names_order_and_repeats_of_the_players(self):
        method = Regularised(method=PLAIN, terms=(Adding((("G", value_of(3)),)),))
        assert [(p.name, p.trains, p.repeat) for p in method.players] == [
            ("D", ("D",), 1),
            ("G", ("G",), 2),
        ]

    def test_a_loss_for_two_networks_counts_once_for_a_player_of_both(self):
        shared = value_of(3)
        both = Made((Player("GF", value_of(1), ("G", "F")),), ("G", "F"))
        method = Regularised(method=both, terms=(Adding((("G", shared), ("F", shared))),))
        assert losses(method, "GF") == {"n1": 1, "n3": 3}

    def test_a_loss_for_two_networks_counts_for_each_of_two_players(self):
        shared = value_of(3)
        apart = Made((Player("G", value_of(1), ("G",)), Player("F", value_of(2), ("F",))))
        method = Regularised(method=apart, terms=(Adding((("G", shared), ("F", shared))),))
        assert losses(method, "G") == {"n1": 1, "n3": 3}
        assert losses(method, "F") == {"n2": 2, "n3": 3}

    def test_two_losses_of_one_name_are_an_error(self):
        method = Regularised(method=PLAIN, terms=(Adding((("G", value_of(2)),)),))
        with pytest.raises(ValueError, match="two addends of one loss are named n2"):
            losses(method, "G")

    def test_a_network_that_is_brought_moves_with_its_host(self):
        method = Regularised(method=PLAIN, terms=(Bringing((("F", value_of(3)),)),))
        assert [p.trains for p in method.players] == [("D",), ("G", "F")]
        assert losses(method, "G") == {"n2": 2, "n3": 3}
        assert set(method.networks(ARCH)) == {"G", "D", "F"}

    def test_two_terms_share_a_network_that_both_bring(self):
        terms = (Bringing((("F", value_of(3)),)), Bringing((("F", value_of(4)),)))
        method = Regularised(method=PLAIN, terms=terms)
        assert [p.trains for p in method.players] == [("D",), ("G", "F")]
        assert losses(method, "G") == {"n2": 2, "n3": 3, "n4": 4}

    def test_the_method_s_own_network_and_player_come_first(self):
        owner = Made((*PLAIN.players, Player("F", value_of(5), ("F",))), ("G", "D", "F"))
        method = Regularised(method=owner, terms=(Bringing((("F", value_of(3)),)),))
        assert [p.trains for p in method.players] == [("D",), ("G",), ("F",)]
        assert isinstance(method.networks(ARCH)["F"], nn.Identity)
        assert losses(method, "F") == {"n5": 5, "n3": 3}

    def test_a_host_that_nobody_trains_is_an_error(self):
        lonely = Made((Player("D", value_of(1), ("D",)),))
        with pytest.raises(ValueError, match="'F' is to move with 'G', which no player trains"):
            _ = Regularised(method=lonely, terms=(Bringing(),)).players

    def test_players_of_a_term_come_last_and_feel_other_terms(self):
        own = Adding((), (Player("E", value_of(6), ("E",)),))
        method = Regularised(method=PLAIN, terms=(own, Adding((("E", value_of(7)),))))
        assert [p.name for p in method.players] == ["D", "G", "E"]
        assert losses(method, "E") == {"n6": 6, "n7": 7}

    def test_nesting_is_listing(self):
        terms = CycleConsistency(), GaussianConsistency()
        nested = Regularised(method=Regularised(method=GAN(), terms=terms[:1]), terms=terms[1:])
        flat = Regularised(method=GAN(), terms=terms)
        assert [p.trains for p in nested.players] == [p.trains for p in flat.players]
        batch = Batch(*(torch.randn(2, 8, 2) for _ in range(2)), torch.rand(2, 8))
        nets = Nets(build_two(flat))
        for a, b in zip(nested.players, flat.players):
            ours, theirs = a.loss(nets, batch), b.loss(nets, batch)
            assert ours.keys() == theirs.keys()
            assert all(torch.equal(ours[name], theirs[name]) for name in ours)

    def test_iid_gan_is_a_value(self):
        assert iid_gan() == Regularised(
            method=GAN(), terms=(CycleConsistency(), GaussianConsistency())
        )
        assert hash(iid_gan()) == hash(iid_gan())
        assert iid_gan(gaussian=GaussianConsistency(weight=1.0)) != iid_gan()
        assert [(p.name, p.trains) for p in iid_gan().players] == [
            ("D", ("D",)),
            ("G", ("G", "F")),
        ]

    def test_z_discriminator_is_a_player(self):
        method = Regularised(method=GAN(), terms=(ZDiscriminator(),))
        trained = {p.name: p.trains for p in method.players}
        assert trained == {"D": ("D",), "G": ("G", "F"), "Dz": ("Dz",)}


def judging(nets, batch):
    return {"judged": nets.D(batch.x)}


class TestViews:
    batch = Batch(*(torch.ones(1) for _ in range(3)), noise={"blur": torch.tensor([0.5])})

    def judged(self, method, player="D"):
        loss = {p.name: p for p in method.players}[player].loss
        return {name: value.item() for name, value in loss(recording()[1], self.batch).items()}

    def test_are_what_every_loss_sees(self):
        """The method's, an addend's, and that of a player of another term's own."""
        method = Made((Player("D", judging, ("D",)), Player("G", value_of(2), ("G",))))
        added = lambda nets, batch: {"added": nets.D(batch.x)}  # noqa: E731
        own = Adding((), (Player("E", judging, ("E",)),))
        for terms in ((Seeing(),), (Seeing(), own), (own, Seeing())):
            whole = Regularised(method=method, terms=(Adding((("G", added),)), *terms))
            assert self.judged(whole) == {"judged": 3 * 1.5}
            assert self.judged(whole, "G") == {"n2": 2, "added": 3 * 1.5}
            if own in terms:
                assert self.judged(whole, "E") == {"judged": 3 * 1.5}

    def test_of_terms_around_terms_apply_to_all_in_the_order_of_the_terms(self):
        method = Made((Player("D", judging, ("D",)),))
        inner = Regularised(method=method, terms=(Seeing(factor=2),))
        outer = Regularised(method=inner, terms=(Seeing(factor=10),))
        assert self.judged(outer) == {"judged": 3 * (10 * 2.5 + 0.5)}
        listed = Regularised(method=method, terms=(Seeing(factor=2), Seeing(factor=10)))
        assert self.judged(outer) == self.judged(listed)
        assert outer.flat == (method, listed.terms)
        assert method.flat == (method, ())

    def test_noise_of_method_and_terms_merges(self):
        noisy = Loud((Player("D", judging, ("D",)),))
        method = Regularised(method=noisy, terms=(Seeing(), CycleConsistency()))
        assert method.noise(ARCH) == {"loud": (2, 2), "blur": ()}
        outer = Regularised(method=method, terms=(Seeing(factor=3),))  # the same, so shared
        assert outer.noise(ARCH) == {"loud": (2, 2), "blur": ()}
        assert noisy.noise(ARCH) == {"loud": (2, 2)}
        assert GAN().noise(ARCH) == {}

    def test_noise_of_one_name_and_two_shapes_is_an_error(self):
        method = Regularised(method=PLAIN, terms=(Seeing(),))
        outer = Regularised(method=method, terms=(Seeing(shape=(3,)),))
        with pytest.raises(InputError, match="terms: two kinds of noise are named 'blur'"):
            outer.noise(ARCH)


@dataclass(frozen=True)
class Loud(Made):
    def noise(self, arch):
        return {"loud": (*arch.shape, 2)}


def build_two(method):
    nets = method.networks(ARCH)
    for net in nets.values():
        for module in net.modules():
            if isinstance(module, Linear):
                module.weight.value = nn.Parameter(module.weight.value.repeat(2, 1, 1))
                module.bias = nn.Parameter(module.bias.repeat(2, 1, 1))
    return nets


class TestDataset:
    def test_images_scale_to_the_unit_interval_around_zero(self):
        pixels = torch.tensor([0, 255, 51], dtype=torch.uint8).reshape(3, 1, 1, 1)
        data = Dataset(pixels, torch.tensor([3, 4, 5]))
        taken = data.take(torch.tensor([[0, 1], [2, 2]]))
        assert taken.shape == (2, 2, 1, 1, 1)
        assert taken.dtype == torch.float32
        expected = torch.tensor([[-1.0, 1.0], [-0.6, -0.6]])
        assert torch.allclose(taken.reshape(2, 2), expected, atol=1e-6)
        assert data.take_labels(torch.tensor([2, 0])).tolist() == [5, 3]
        assert data.is_image
        assert data.shape == (1, 1, 1)

    def test_vectors_stay_as_they_are(self):
        data = Dataset(torch.tensor([[1.5, 2.5], [3.5, 4.5]]))
        assert data.take(torch.tensor([1])).tolist() == [[3.5, 4.5]]
        assert data.take_labels(torch.tensor([1])) is None
        assert not data.is_image
        assert (len(data), data.shape) == (2, (2,))

    def test_moves_whole(self):
        data = Dataset(torch.ones(2, 1), torch.zeros(2), labels=("a",)).to("meta")
        assert data.x.device.type == data.y.device.type == "meta"
        assert data.labels == ("a",)


def test_arch_asks_its_backbone():
    shapes = {
        "generator": ((1, 3, 2), (1, 3, 2)),
        "discriminator": ((1, 3, 2), (1, 3)),
        "inverse": ((1, 3, 2), (1, 3, 2)),
        "latent_discriminator": ((1, 3, 2), (1, 3)),
    }
    assert ARCH.latent == 2
    for name, (inputs, outputs) in shapes.items():
        assert getattr(ARCH, name)()(torch.zeros(inputs)).shape == outputs
    x, z = torch.zeros(1, 3, 2), torch.zeros(1, 3, 2)
    assert ARCH.encoder(7)(x).shape == (1, 3, 7)
    assert ARCH.joint_discriminator()(x, z).shape == (1, 3)
    assert ARCH.head(7)(ARCH.discriminator().features(x)).shape == (1, 3, 7)
    spectral = ARCH.discriminator(spectral=True)
    assert any(isinstance(part, Refreshing) for part in spectral.modules())


def test_protocols_of_layers():
    assert isinstance(SpectralWeight(torch.ones(1, 2, 2, 1, 1)), Refreshing)
    assert isinstance(BatchNorm(2), Standing)
    assert not isinstance(Linear(1, 1), Refreshing | Standing)


def test_a_last_hidden_layer_is_found_and_a_lack_of_one_is_named():
    x, D = torch.zeros(1, 3, *ARCH.shape), ARCH.discriminator()
    assert torch.equal(D.head(Nets({"D": D}).features("D", x)), D(x))
    with pytest.raises(InputError, match=r"network 'D' \(Linear\) has no last hidden layer"):
        Nets({"D": Linear(1, 1)}).features("D", x)


def test_cites_marks_classes_and_factories():
    paper = Reference(title="T", authors="A", year=2000, url="U")

    @cites(paper)
    def make():
        return 1

    assert make.reference is paper
    assert make() == 1


def test_values_are_frozen():
    with pytest.raises(AttributeError):
        GAN().loss = "saturating"
    assert replace(GAN(), loss="saturating") != GAN()


def test_unknown_names_the_nearest_choice():
    error = unknown("method", "idi-gan", ["gan", "iid-gan", "veegan"])
    assert isinstance(error, InputError)
    assert isinstance(error, ValueError)
    assert str(error) == (
        "method: unknown 'idi-gan'; did you mean 'iid-gan'? known: gan, iid-gan, veegan"
    )
    assert "did you mean" not in str(unknown("method", "zzzz", ["abc"]))


class TestHolding:
    """A network with other parameters, as a look-ahead needs it."""

    def nets(self):
        torch.manual_seed(0)
        return Nets({"D": MLP(hidden=(4,)).discriminator((2,))})

    def test_the_view_has_the_parameters_and_the_original_keeps_its_own(self):
        nets, x = self.nets(), torch.randn(1, 3, 2)
        before = nets.D(x)
        zeros = {name: torch.zeros_like(p) for name, p in nets["D"].named_parameters()}
        assert not nets.holding("D", zeros).D(x).any()
        assert nets.D(x) is before

    def test_changes_before_the_network_stay(self):
        nets, x = self.nets(), torch.randn(1, 3, 2)
        own = dict(nets["D"].named_parameters())
        seen = nets.seeing("D", torch.zeros_like).holding("D", own).D(x)
        assert torch.equal(seen, nets["D"](torch.zeros_like(x)))


class TestSaying:
    """What a network says may be changed on its way out, for all who ask it."""

    def test_changes_the_output_once_and_leaves_the_network_alone(self):
        nets = Nets({"F": nn.Identity()})
        view = nets.saying("F", lambda z: 2 * z).saying("F", lambda z: z + 1)
        x = torch.randn(1, 3, 2)
        assert torch.equal(view.F(x), 2 * x + 1)
        assert view.F(x) is view.F(x)
        assert torch.equal(Nets({"F": nets["F"]}).F(x), x)

    def test_goes_with_changes_on_the_way_in(self):
        torch.manual_seed(0)
        nets = Nets({"D": MLP(hidden=(4,)).discriminator((2,))})
        x = torch.randn(1, 3, 2)
        view = nets.seeing("D", torch.zeros_like).saying("D", lambda d: -d)
        assert torch.equal(view.D(x), -nets["D"](torch.zeros_like(x)))


def test_noise_for_more_samples_than_a_batch_has_is_repeated():
    noise = torch.randn(2, 3, 4)
    batch = Batch(*(torch.zeros(2, 3, 1) for _ in range(2)), torch.zeros(2, 3), noise={"n": noise})
    assert torch.equal(batch.noise_for("n", 3), noise)
    assert torch.equal(batch.noise_for("n", 2), noise[:, :2])
    assert torch.equal(batch.noise_for("n", 7), torch.cat([noise, noise, noise[:, :1]], 1))
