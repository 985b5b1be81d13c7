"""`check_method` and `check_compiled` find methods that break one contract each."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import nn

from iidgan.core import Losses, Method
from iidgan.functional.reduce import mean_per_seed
from iidgan.methods import GAN
from iidgan.nn.layers.linear import Linear
from iidgan.testing import check_compiled, check_method
from tests.helpers.errors import assert_mentions


@dataclass(frozen=True, kw_only=True)
class Broken(Method):
    """A GAN on top of which one thing is wrong."""

    def networks(self, factory):
        return GAN().networks(factory)

    @property
    def players(self):
        return GAN().players

    def instead(self, who, loss):
        """Replaces one player's loss."""
        return tuple(replace(p, loss=loss) if p.name == who else p for p in GAN().players)


BROKEN: list[tuple[tuple[object, ...], Callable[[], Method]]] = []


def breaks(*values):
    """Registers a method that `check_method` refuses with an error that mentions `values`."""

    def register(make_method):
        BROKEN.append((values, make_method))
        return make_method

    return register


@breaks("Mutable", "@dataclass")
class Mutable(Method):
    networks = Broken.networks
    players = Broken.players


@breaks("Incomparable", "copy")
@dataclass(frozen=True, eq=False)
class Incomparable(Broken):
    __eq__, __hash__ = object.__eq__, object.__hash__


@breaks("Unhashable", "tuples")
@dataclass(frozen=True, kw_only=True)
class Unhashable(Broken):
    widths: list[int] = field(default_factory=list)


@breaks("Unwritable", "JSON", "tuples")
@dataclass(frozen=True, kw_only=True)
class Unwritable(Broken):
    activation: Any = abs


@breaks("Hidden", "JSON", "top level")
def hidden():
    @dataclass(frozen=True, kw_only=True)
    class Hidden(Broken):
        pass

    return Hidden()


@breaks("Nameless", "'G'")
@dataclass(frozen=True, kw_only=True)
class Nameless(Broken):
    def networks(self, factory):
        return {"generator": factory.build_generator(), "D": factory.build_discriminator()}


@breaks("Shadowing", "'items'")
@dataclass(frozen=True, kw_only=True)
class Shadowing(Broken):
    def networks(self, factory):
        return GAN().networks(factory) | {"items": factory.build_discriminator()}


@breaks("Idle", "player")
@dataclass(frozen=True, kw_only=True)
class Idle(Broken):
    players = ()


@breaks("player", ["D", "D"])
@dataclass(frozen=True, kw_only=True)
class Namesakes(Broken):
    @property
    def players(self):
        return tuple(replace(p, name="D") for p in GAN().players)


@breaks("'D'", "updates_per_step", 0)
@dataclass(frozen=True, kw_only=True)
class Lazy(Broken):
    @property
    def players(self):
        return tuple(replace(p, updates_per_step=0) for p in GAN().players)


@breaks("'D'", "batches_per_update", 0)
@dataclass(frozen=True, kw_only=True)
class Blind(Broken):
    @property
    def players(self):
        return tuple(replace(p, batches_per_update=0) for p in GAN().players)


@breaks("'D'", "active", (0.5, 0.5))
@dataclass(frozen=True, kw_only=True)
class Momentary(Broken):
    @property
    def players(self):
        return tuple(replace(p, active=(0.5, 0.5)) for p in GAN().players)


@breaks("Pausing", "40 %", "Player.active")
@dataclass(frozen=True, kw_only=True)
class Pausing(Broken):
    @property
    def players(self):
        parts = (0.0, 0.4), (0.5, 1.0)
        return tuple(replace(p, active=part) for p, part in zip(GAN().players, parts))


@breaks("'D'", "trains", ())
@dataclass(frozen=True, kw_only=True)
class Aimless(Broken):
    @property
    def players(self):
        return tuple(replace(p, trains=()) for p in GAN().players)


@breaks("'D'", "trains", "'Q'", "G, D")
@dataclass(frozen=True, kw_only=True)
class Missing(Broken):
    @property
    def players(self):
        return tuple(replace(p, trains=(*p.trains, "Q")) for p in GAN().players)


@breaks("network", "'Q'", "G, D")
@dataclass(frozen=True, kw_only=True)
class Calling(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: {"a": mean_per_seed(nets.Q(nets.G(batch.z)))})


@breaks("trains", ["E"])
@dataclass(frozen=True, kw_only=True)
class Untrained(Broken):
    def networks(self, factory):
        return GAN().networks(factory) | {"E": factory.build_inverse()}


@breaks("'D' trains 'D'", "parameter")
@dataclass(frozen=True, kw_only=True)
class Frozen(Broken):
    def networks(self, factory):
        return {
            "G": factory.build_generator(),
            "D": factory.build_discriminator().requires_grad_(False),
        }


@breaks("'G'", (3, 16, 2), (3, 16), "generator")
@dataclass(frozen=True, kw_only=True)
class Shapeless(Broken):
    def networks(self, factory):
        return {"G": factory.build_discriminator(), "D": factory.build_discriminator()}


@breaks("seed axis", "iidgan.nn")
@dataclass(frozen=True, kw_only=True)
class Seedless(Broken):
    def networks(self, factory):
        return {"G": nn.Linear(factory.latent, 2), "D": factory.build_discriminator()}


@breaks("'G'", "'a'", "shape ()", (3,))
@dataclass(frozen=True, kw_only=True)
class Scalar(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: {"a": nets.D(nets.G(batch.z)).mean()})


@breaks("'a'", (3, 16), (3,))
@dataclass(frozen=True, kw_only=True)
class Unreduced(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: {"a": nets.D(nets.G(batch.z))})


@breaks("'a'", 1.0, (3,))
@dataclass(frozen=True, kw_only=True)
class Number(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: {"a": 1.0})


@breaks("'G'", "dict")
@dataclass(frozen=True, kw_only=True)
class Anonymous(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: mean_per_seed(nets.D(nets.G(batch.z))))


@breaks("'for G'", "identifier")
@dataclass(frozen=True, kw_only=True)
class Misnamed(Broken):
    @property
    def players(self):
        return self.instead(
            "G", lambda nets, batch: {"for G": mean_per_seed(nets.D(nets.G(batch.z)))}
        )


@breaks("'a'", "not finite")
@dataclass(frozen=True, kw_only=True)
class Infinite(Broken):
    @property
    def players(self):
        return self.instead(
            "G", lambda nets, batch: {"a": mean_per_seed(nets.D(nets.G(batch.z)) * 0).log()}
        )


@breaks("Averaging", "mixes seeds")
@dataclass(frozen=True, kw_only=True)
class Averaging(Broken):
    """The loss has the right shape and gradient, but its value is the mean over the seeds."""

    @property
    def players(self):
        return self.instead(
            "G", lambda nets, batch: {"a": self.scaled(mean_per_seed(nets.D(nets.G(batch.z))))}
        )

    def scaled(self, value):
        return value * (1 + value.mean())


@breaks("Leaking", "mixes seeds", "not finite")
@dataclass(frozen=True, kw_only=True)
class Leaking(Averaging):
    """Nothing passes between seeds while all is finite."""

    def scaled(self, value):
        return value + 0 * value.detach().sum()


@breaks("'G'", "random numbers", "batch.noise")
@dataclass(frozen=True, kw_only=True)
class Gambling(Averaging):
    def scaled(self, value):
        return value * torch.rand(len(value))


CALLS: list[int] = []


@breaks("'G'", ["a"], "two calls")
@dataclass(frozen=True, kw_only=True)
class Counting(Averaging):
    def scaled(self, value):
        CALLS.append(1)
        return value * len(CALLS)


@breaks("'G'", ["batch.z"])
@dataclass(frozen=True, kw_only=True)
class Writing(Broken):
    @property
    def players(self):
        return self.instead(
            "G", lambda nets, batch: {"a": mean_per_seed(nets.D(nets.G(batch.z.mul_(0.9))))}
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


@breaks("'D'", ["G.seen"], "post_update")
@dataclass(frozen=True, kw_only=True)
class Mutating(Broken):
    def networks(self, factory):
        return {"G": Running(), "D": factory.build_discriminator()}


@breaks("'G' trains 'G'", "gradient", "nets.G")
@dataclass(frozen=True, kw_only=True)
class Detached(Broken):
    @property
    def players(self):
        return self.instead(
            "G", lambda nets, batch: {"a": mean_per_seed(nets.D(nets.G(batch.z).detach()))}
        )


@breaks("'G' trains 'G'", "gradient")
@dataclass(frozen=True, kw_only=True)
class Constant(Broken):
    @property
    def players(self):
        return self.instead("G", lambda nets, batch: {"a": mean_per_seed(batch.x)})


@breaks("'G'", ["adversarial"], "share forward passes")
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

    def post_update(self, batch):
        self.scale += 0.1

    def forward(self, z):
        return self.scale * self.layer(z)


@breaks("Forgetful", "checkpoint")
@dataclass(frozen=True, kw_only=True)
class Forgetful(Broken):
    def networks(self, factory):
        return {"G": Growing(), "D": factory.build_discriminator()}


@pytest.mark.parametrize(
    ("values", "make_method"), BROKEN, ids=lambda case: getattr(case, "__name__", "")
)
def test_check_method_finds_broken_contract(values, make_method):
    with pytest.raises((AssertionError, ValueError, AttributeError)) as error:
        check_method(make_method())
    assert_mentions(error, *values)


@dataclass(frozen=True, kw_only=True)
class Pairing(Broken):
    """A GAN whose D joins two batches and sees their means, first alone, then beside G."""

    @property
    def players(self):
        D, G = self.instead("D", self.loss_D)
        return replace(D, batches_per_update=2, updates_per_step=2), replace(G, active=(0.3, 1.0))

    def loss_D(self, nets, batch) -> Losses:
        assert batch.x.shape[1] == 2 * 16
        pairs = batch.x.unflatten(1, (2, 16)).mean(1) + (1 - batch.t) * batch.noise["blur"][:, :16]
        return GAN().loss_D(nets, replace(batch, x=pairs))

    def noise_shapes(self, factory):
        return {"blur": factory.shape}


def test_check_method_accepts_joined_batches():
    check_method(Pairing())


def test_check_method_accepts_frozen_network():
    check_method(ClassifierOutputs())


@dataclass(frozen=True, kw_only=True)
class ClassifierOutputs(Broken):
    """A GAN with a fixed random critic beside it, which nobody trains."""

    def networks(self, factory):
        return GAN().networks(factory) | {
            "Fixed": factory.build_discriminator().requires_grad_(False)
        }

    @property
    def players(self):
        return self.instead(
            "G",
            lambda nets, batch: (
                GAN().loss_G(nets, batch) | {"f": mean_per_seed(nets.Fixed(nets.G(batch.z)))}
            ),
        )


def test_check_method_restores_random_state():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    check_method(GAN())
    assert torch.equal(torch.rand(2), expected)
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.slow
def test_check_compiled_finds_frozen_branch():
    with pytest.raises(AssertionError) as error:
        check_compiled(Branching(), generate=False)
    assert_mentions(error, "Branching", "compiled")


@dataclass(frozen=True, kw_only=True)
class Branching(Averaging):
    def scaled(self, value):
        CALLS.append(1)
        return value * len(CALLS)


@pytest.mark.parametrize("given", [Method, 3])
def test_check_method_names_what_was_given(given):
    with pytest.raises(AssertionError) as error:
        check_method(given)
    assert_mentions(error, "method: must be a Method, got", given)
