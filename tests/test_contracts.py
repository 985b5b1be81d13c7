"""Being registered is being tested; and the contracts bite, with a sentence that helps."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import nn

from iidgan.core import Arch, Losses, Method, Metric, Player, Regularised, Term
from iidgan.engine.step import Move
from iidgan.errors import InputError
from iidgan.functional.reduce import mean
from iidgan.methods import GAN, METHODS, Unrolled, iid_gan
from iidgan.metrics import METRICS
from iidgan.nn import DCGAN
from iidgan.nn.layers.linear import Linear
from iidgan.terms import TERMS, GaussianConsistency
from iidgan.testing import check_compiled, check_method, check_metric, check_term
from iidgan.testing.trial import ARCH, MOVES, Trial

IMAGES = Arch(DCGAN(latent=4, width=2), (1, 12, 12))
SPECTRAL = Arch(DCGAN(latent=4, width=2, spectral_norm=True), (1, 8, 8))


# What is registered keeps the laws.


@pytest.mark.parametrize("name", METHODS)
def test_methods(name):
    check_method(METHODS[name]())


@pytest.mark.parametrize("name", METHODS)
def test_methods_on_images(name):
    check_method(METHODS[name](), IMAGES)


BASES = {"code-noise": iid_gan()}  # what a term needs, other than a GAN


@pytest.mark.parametrize("name", TERMS)
def test_terms(name):
    check_term(TERMS[name](), BASES.get(name))


def test_spectral_norm():
    check_method(iid_gan(), SPECTRAL)


@pytest.mark.slow
@pytest.mark.parametrize("name", TERMS)
def test_terms_on_images_with_spectral_norm(name):
    check_term(TERMS[name](), BASES.get(name), SPECTRAL)


PLUGGED = [name for name in METHODS if name not in ("iid-gan", "iid-gan+", "invert-gan")]


@pytest.mark.parametrize("name", PLUGGED)
def test_the_iid_terms_plug_into_every_method(name):
    check_method(iid_gan(METHODS[name]()))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("term", TERMS)
def test_any_term_works_on_any_method_or_says_why_not(term, method):
    whole = Regularised(method=METHODS[method](), terms=(TERMS[term](),))
    try:
        trial = Trial(whole, ARCH)
        Move(whole, trial.start(), steps=MOVES).rehearse(trial.batches()[0])
    except InputError:
        pairs = {("gaussian", "gan"), ("r1", "mad-gan"), ("gdpp", "wgan"), ("cycle", "bigan")}
        assert (term, method) not in pairs


@pytest.mark.parametrize("distance", ["w2", "kl", "w2-1d", "epps-pulley", "energy"])
def test_every_distance(distance):
    check_term(GaussianConsistency(distance=distance, directions=4))


def test_every_adversarial_loss():
    check_method(GAN(loss="saturating"))


@pytest.mark.parametrize("name", METRICS)
def test_metrics(name):
    check_metric(METRICS[name]())


@pytest.mark.parametrize("name", METHODS)
def test_methods_recorded(name):
    check_compiled(METHODS[name](), generate=False)


@pytest.mark.parametrize("name", TERMS)
def test_terms_recorded(name):
    method = Regularised(method=BASES.get(name, GAN()), terms=(TERMS[name](),))
    check_compiled(method, generate=False)


@pytest.mark.slow
def test_a_method_compiled():
    check_compiled(iid_gan())


@pytest.mark.slow
def test_a_look_ahead_compiled():
    check_compiled(Unrolled(steps=2))


@pytest.mark.slow
def test_one_seed_compiled():
    check_compiled(iid_gan(), seeds=(7,))


@pytest.mark.slow
def test_images_compiled():
    check_compiled(GAN(), SPECTRAL, seeds=(0, 1))


# Methods that break one law each.


@dataclass(frozen=True, kw_only=True)
class Broken(Method):
    """A GAN on top of which one thing is wrong."""

    def networks(self, arch):
        return GAN().networks(arch)

    @property
    def players(self):
        return GAN().players

    def instead(self, who, loss):
        """Replaces one player's loss."""
        return tuple(replace(p, loss=loss) if p.name == who else p for p in GAN().players)


BROKEN: dict[str, list[Callable[[], Method]]] = {}


def breaks(message):
    """Registers a method that `check_method` refuses with a sentence that holds `message`."""

    def mark(made):
        BROKEN.setdefault(message, []).append(made)
        return made

    return mark


@breaks("Mutable can change; decorate it with @dataclass")
class Mutable(Method):
    networks = Broken.networks
    players = Broken.players


@breaks("Incomparable does not equal its copy")
@dataclass(frozen=True, eq=False)
class Incomparable(Broken):
    __eq__, __hash__ = object.__eq__, object.__hash__


@breaks("Unhashable has no hash .* tuples rather than lists")
@dataclass(frozen=True, kw_only=True)
class Unhashable(Broken):
    widths: list[int] = field(default_factory=list)


@breaks("Unwritable cannot be written as JSON .* numbers, strings, tuples")
@dataclass(frozen=True, kw_only=True)
class Unwritable(Broken):
    activation: Any = abs


@breaks("cannot be written as JSON and read again .* top level of a module")
def hidden():
    @dataclass(frozen=True, kw_only=True)
    class Hidden(Broken):
        pass

    return Hidden()


@breaks("Nameless has no network 'G'; call the generator so")
@dataclass(frozen=True, kw_only=True)
class Nameless(Broken):
    def networks(self, arch):
        return {"generator": arch.generator(), "D": arch.discriminator()}


@breaks("a network cannot be named 'items'")
@dataclass(frozen=True, kw_only=True)
class Shadowing(Broken):
    def networks(self, arch):
        return GAN().networks(arch) | {"items": arch.discriminator()}


@breaks("Idle has no player")
@dataclass(frozen=True, kw_only=True)
class Idle(Broken):
    players = ()


@breaks(r"players share a name: \['D', 'D'\]")
@dataclass(frozen=True, kw_only=True)
class Namesakes(Broken):
    @property
    def players(self):
        return tuple(replace(p, name="D") for p in GAN().players)


@breaks("player 'D' repeats 0 times; let it move at least once")
@dataclass(frozen=True, kw_only=True)
class Lazy(Broken):
    @property
    def players(self):
        return tuple(replace(p, repeat=0) for p in GAN().players)


@breaks("player 'D' joins 0 batches; let it read at least one")
@dataclass(frozen=True, kw_only=True)
class Blind(Broken):
    @property
    def players(self):
        return tuple(replace(p, batches=0) for p in GAN().players)


@breaks(r"player 'D' moves during \(0.5, 0.5\); give a part \[start, end\) of \(0.0, 1.0\)")
@dataclass(frozen=True, kw_only=True)
class Momentary(Broken):
    @property
    def players(self):
        return tuple(replace(p, during=(0.5, 0.5)) for p in GAN().players)


@breaks("Pausing: nobody moves when a share 0.4 of the run is done; mend the `during`")
@dataclass(frozen=True, kw_only=True)
class Pausing(Broken):
    @property
    def players(self):
        parts = (0.0, 0.4), (0.5, 1.0)
        return tuple(replace(p, during=part) for p, part in zip(GAN().players, parts))


@breaks(r"player 'D' trains \(\); name one or more")
@dataclass(frozen=True, kw_only=True)
class Aimless(Broken):
    @property
    def players(self):
        return tuple(replace(p, trains=()) for p in GAN().players)


@breaks(r"player 'D' trains 'Q', which the method does not have \(there are G, D\)")
@dataclass(frozen=True, kw_only=True)
class Missing(Broken):
    @property
    def players(self):
        return tuple(replace(p, trains=(*p.trains, "Q")) for p in GAN().players)


@breaks("no network 'Q'; there are G, D")
@dataclass(frozen=True, kw_only=True)
class Calling(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: {"a": mean(nets.Q(nets.G(batch.z)))})


@breaks(r"no player trains \['E'\]; name them in the `trains` of a player")
@dataclass(frozen=True, kw_only=True)
class Untrained(Broken):
    def networks(self, arch):
        return GAN().networks(arch) | {"E": arch.inverse()}


@breaks("player 'D' trains 'D', which has no parameter to train")
@dataclass(frozen=True, kw_only=True)
class Frozen(Broken):
    def networks(self, arch):
        return {"G": arch.generator(), "D": arch.discriminator().requires_grad_(False)}


@breaks(r"network 'G' maps \(3, 8, 2\) to \(3, 8\) rather than \(3, 8, 2\); .*arch.generator")
@dataclass(frozen=True, kw_only=True)
class Shapeless(Broken):
    def networks(self, arch):
        return {"G": arch.discriminator(), "D": arch.discriminator()}


@breaks("lacks the seed axis; build it with shape .* iidgan.nn")
@dataclass(frozen=True, kw_only=True)
class Seedless(Broken):
    def networks(self, arch):
        return {"G": nn.Linear(arch.latent, 2), "D": arch.discriminator()}


@breaks(r"player 'G': loss 'a' has shape \(\) rather than \(3,\), one value per seed; reduce")
@dataclass(frozen=True, kw_only=True)
class Scalar(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: {"a": nets.D(nets.G(batch.z)).mean()})


@breaks(r"loss 'a' has shape \(3, 8\) rather than \(3,\)")
@dataclass(frozen=True, kw_only=True)
class Unreduced(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: {"a": nets.D(nets.G(batch.z))})


@breaks(r"loss 'a' is 1.0 rather than \(3,\)")
@dataclass(frozen=True, kw_only=True)
class Number(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: {"a": 1.0})


@breaks("player 'G': the loss gives .* return a dict of named tensors")
@dataclass(frozen=True, kw_only=True)
class Anonymous(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: mean(nets.D(nets.G(batch.z))))


@breaks("loss 'for G' has no proper name; use a Python identifier")
@dataclass(frozen=True, kw_only=True)
class Misnamed(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: {"for G": mean(nets.D(nets.G(batch.z)))})


@breaks("loss 'a' is not finite at the start .* logarithms")
@dataclass(frozen=True, kw_only=True)
class Infinite(Broken):
    @property
    def players(self):
        return self.instead(
            "G", lambda nets, batch: {"a": mean(nets.D(nets.G(batch.z)) * 0).log()}
        )


@breaks("Averaging mixes seeds")
@dataclass(frozen=True, kw_only=True)
class Averaging(Broken):
    """The loss has the right shape and gradient, but its value is the mean over the seeds."""

    @property
    def players(self):
        return self.instead(
            "G", lambda nets, batch: {"a": self.scaled(mean(nets.D(nets.G(batch.z))))}
        )

    def scaled(self, value):
        return value * (1 + value.mean())


@breaks("Leaking mixes seeds: when one is not finite")
@dataclass(frozen=True, kw_only=True)
class Leaking(Averaging):
    """Nothing passes between seeds while all is finite."""

    def scaled(self, value):
        return value + 0 * value.detach().sum()


@breaks(
    "player 'G': the loss draws random numbers; take them from batch.z, batch.u or batch.noise"
)
@dataclass(frozen=True, kw_only=True)
class Gambling(Averaging):
    def scaled(self, value):
        return value * torch.rand(len(value))


CALLS: list[int] = []


@breaks(r"player 'G': \['a'\] differ between two calls with the same networks and batch")
@dataclass(frozen=True, kw_only=True)
class Counting(Averaging):
    def scaled(self, value):
        CALLS.append(1)
        return value * len(CALLS)


@breaks(r"player 'G': the loss changes \['batch.z'\]; compute out of place")
@dataclass(frozen=True, kw_only=True)
class Writing(Broken):
    @property
    def players(self):
        return self.instead(
            "G", lambda nets, batch: {"a": mean(nets.D(nets.G(batch.z.mul_(0.9))))}
        )


class Running(nn.Module):
    """A layer that counts in its forward pass."""

    def __init__(self):
        super().__init__()
        self.layer = Linear(2, 2)
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, z):
        self.seen += 1
        return self.layer(z)


@breaks(r"player 'D': the loss changes \['G.seen'\]; .*`refresh` alone")
@dataclass(frozen=True, kw_only=True)
class Mutating(Broken):
    def networks(self, arch):
        return {"G": Running(), "D": arch.discriminator()}


@breaks("player 'G' trains 'G', but its loss has no gradient there; use nets.G in it")
@dataclass(frozen=True, kw_only=True)
class Detached(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: {"a": mean(nets.D(nets.G(batch.z).detach()))})


@breaks("player 'G' trains 'G', but its loss has no gradient there")
@dataclass(frozen=True, kw_only=True)
class Constant(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: {"a": mean(batch.x)})


@breaks(r"player 'G': \['adversarial'\] differ when players share forward passes; never change")
@dataclass(frozen=True, kw_only=True)
class Overwriting(Broken):
    @property
    def players(self):
        return self.instead("D", self.loss_D)

    def loss_D(self, nets, batch):
        nets.G(batch.z).data.add_(1)
        return GAN().loss_D(nets, batch)


class Growing(nn.Module):
    """A layer with a state that no checkpoint knows."""

    def __init__(self):
        super().__init__()
        self.layer, self.scale = Linear(2, 2), 1.0

    def refresh(self, batch):
        self.scale += 0.1

    def forward(self, z):
        return self.scale * self.layer(z)


@breaks("Forgetful: .* differ after a resumption from a checkpoint; register all that changes")
@dataclass(frozen=True, kw_only=True)
class Forgetful(Broken):
    def networks(self, arch):
        return {"G": Growing(), "D": arch.discriminator()}


CASES = [(message, made) for message, many in BROKEN.items() for made in many]


@pytest.mark.parametrize(
    ("message", "made"), CASES, ids=lambda case: getattr(case, "__name__", "")
)
def test_methods_that_break_a_law(message, made):
    with pytest.raises((AssertionError, ValueError, AttributeError), match=f"(?s){message}"):
        check_method(made())


@dataclass(frozen=True, kw_only=True)
class Pairing(Broken):
    """A GAN whose D joins two batches and sees their means, first alone, then beside G."""

    @property
    def players(self):
        D, G = self.instead("D", self.loss_D)
        return replace(D, batches=2, repeat=2), replace(G, during=(0.3, 1.0))

    def loss_D(self, nets, batch) -> Losses:
        assert batch.x.shape[1] == 2 * 8
        pairs = batch.x.unflatten(1, (2, 8)).mean(1) + (1 - batch.t) * batch.noise["blur"][:, :8]
        return GAN().loss_D(nets, replace(batch, x=pairs))

    def noise(self, arch):
        return {"blur": arch.shape}


def test_joined_batches_noise_and_parts_of_the_run_are_lawful():
    check_method(Pairing())


def test_a_network_frozen_on_purpose_is_lawful():
    check_method(Judged())


@dataclass(frozen=True, kw_only=True)
class Judged(Broken):
    """A GAN with a fixed random critic beside it, which nobody trains."""

    def networks(self, arch):
        return GAN().networks(arch) | {"Fixed": arch.discriminator().requires_grad_(False)}

    @property
    def players(self):
        return self.instead(
            "G",
            lambda nets, batch: (
                GAN().loss_G(nets, batch) | {"f": mean(nets.Fixed(nets.G(batch.z)))}
            ),
        )


def test_checks_leave_no_trace():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    check_method(GAN())
    assert torch.equal(torch.rand(2), expected)
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.slow
def test_a_branch_that_the_compiler_freezes_is_found():
    with pytest.raises(AssertionError, match="Branching: compiled and eager moves differ"):
        check_compiled(Branching())


@dataclass(frozen=True, kw_only=True)
class Branching(Averaging):
    def scaled(self, value):
        CALLS.append(1)
        return value * len(CALLS)


# Terms that break one law each.


@dataclass(frozen=True, kw_only=True)
class Pull(Term):
    """Adds the size of the generated samples to G's loss."""

    weight: float = 1.0
    on: str = "G"
    called: str = "size"

    @property
    def addends(self):
        return {self.on: self.loss}

    def loss(self, nets, batch) -> Losses:
        return {self.called: self.weight * mean(nets.G(batch.z).square())}


@dataclass(frozen=True, kw_only=True)
class Empty(Term):
    addends = {}  # noqa: RUF012


@dataclass(frozen=True, kw_only=True)
class Blurring(Term):
    """Adds nothing to any loss, but blurs what D sees."""

    std: float = 0.1
    addends = {}  # noqa: RUF012

    def noise(self, arch):
        return {"blur": arch.shape}

    def view(self, nets, batch):
        return nets.seeing("D", lambda x: x + self.std * batch.noise["blur"])


@dataclass(frozen=True, kw_only=True)
class Heavy(Pull):
    def loss(self, nets, batch) -> Losses:
        return {"size": mean(nets.G(batch.z).square())}


@dataclass(frozen=True, kw_only=True)
class Promising(Pull):
    brings = {"F": "G"}  # noqa: RUF012


@dataclass(frozen=True, kw_only=True)
class Littering(Pull):
    def networks(self, arch):
        return {"E": arch.inverse()}


@dataclass(frozen=True, kw_only=True)
class Homeless(Littering):
    brings = {"E": "H"}  # noqa: RUF012


@dataclass(frozen=True, kw_only=True)
class Meddling(Pull):
    @property
    def players(self):
        return (Player("D", self.loss, trains=("G",)),)


def test_a_lawful_term():
    check_term(Pull())


def test_a_term_may_add_nothing_but_a_view():
    check_term(Blurring())
    check_term(Blurring(), iid_gan(), SPECTRAL)


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (Pull(called="adversarial"), "two addends of one loss are named adversarial"),
        (Pull(on="Q"), "adds a loss to whoever trains 'Q', but there is no such network"),
        (Empty(), r"Empty adds nothing; give it `addends` or `players`, or .* in `view`"),
        (Heavy(), r"Heavy: \['size'\] do not double with `weight`; multiply"),
        (Promising(), "Promising brings 'F' but does not create it"),
        (Littering(), "Littering creates 'E', which nobody trains; name it in `brings`"),
        (Homeless(), "network 'E' is to move with 'H', which no player trains"),
        (Meddling(), "two players are named D"),
    ],
    ids=lambda case: type(case).__name__ if isinstance(case, Term) else "",
)
def test_terms_that_break_a_law(term, message):
    with pytest.raises((AssertionError, ValueError), match=message):
        check_term(term)


# Metrics that break one law each.


@dataclass(frozen=True, kw_only=True)
class Size(Metric):
    """The mean square of the codes, in ways that are right or wrong."""

    wrong: str = ""

    def missing(self, samples):
        if self.wrong == "demanding":
            return "a moon"
        if samples.codes is None:
            return " " if self.wrong == "silent" else "codes"
        return None

    def protocol(self, samples):
        return {"num": samples.codes if self.wrong == "rich" else samples.codes.shape[1]}

    def __call__(self, samples):
        value = mean(samples.codes.double().square())
        if self.wrong == "inplace":
            samples.codes.mul_(2)
        if self.wrong == "unseeded":
            value = value + torch.rand(len(value))
        wrongs = {"float32": value.float(), "scalar": value.mean(), "mixing": value / value.mean()}
        name = "mean square" if self.wrong == "misnamed" else "size"
        return {} if self.wrong == "empty" else {name: wrongs.get(self.wrong, value)}


def test_a_lawful_metric():
    check_metric(Size())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("demanding", "Size misses a moon; check it with samples that have it"),
        ("silent", "missing gives ' '; name what lacks, or None"),
        ("rich", "the protocol .* is not plain; use strings, numbers and booleans"),
        ("inplace", "Size changes its samples or the random state"),
        ("unseeded", "Size changes its samples or the random state"),
        ("float32", r"'size' is torch.float32 with shape \(3,\) on cpu; make it float64"),
        ("scalar", r"'size' is torch.float64 with shape \(\) on cpu; make it float64 \(3,\)"),
        ("mixing", "Size mixes seeds"),
        ("misnamed", "'mean square' is no name of a value"),
        ("empty", "Size measures nothing"),
    ],
)
def test_metrics_that_break_a_law(wrong, message):
    with pytest.raises(AssertionError, match=f"(?s){message}"):
        check_metric(Size(wrong=wrong))
