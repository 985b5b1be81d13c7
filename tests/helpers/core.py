"""Small networks, methods and terms with known values."""

from dataclasses import dataclass

import torch
from torch import nn

from iidgan.core import (
    Method,
    Nets,
    NetworkFactory,
    Player,
    Term,
)
from iidgan.nn import MLP

ARCH = NetworkFactory(MLP(latent=2, hidden=(4,)), (2,))


class Recording(nn.Module):
    """An identity, up to a factor, that counts its calls."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor, self.calls = factor, 0

    def forward(self, *inputs):
        self.calls += 1
        return self.factor * sum(inputs)


def recording_nets():
    modules = {name: Recording(factor) for name, factor in (("G", 2.0), ("D", 3.0), ("F", 5.0))}
    return modules, Nets(modules)


def constant_loss(number):
    """Return a loss whose only value is named after its number."""
    return lambda nets, batch: {f"n{number}": torch.full((1,), float(number))}


@dataclass(frozen=True)
class FixedMethod(Method):
    """A method of given players."""

    fixed_players: tuple[Player, ...]
    names: tuple[str, ...] = ("G", "D")

    @property
    def players(self):
        return self.fixed_players

    def networks(self, factory):
        return {name: nn.Identity() for name in self.names}


@dataclass(frozen=True)
class AddedLosses(Term):
    """A term that adds given losses and players."""

    added: tuple = ()
    own: tuple[Player, ...] = ()

    @property
    def losses(self):
        return dict(self.added)

    @property
    def players(self):
        return self.own


@dataclass(frozen=True)
class NoisyInput(Term):
    """A term after which D reads a multiple of its input, plus the noise of the batch."""

    factor: float = 1.0
    shape: tuple = ()
    losses = {}  # noqa: RUF012

    def noise_shapes(self, factory):
        return {"blur": self.shape}

    def wrap_networks(self, nets, batch):
        return nets.with_input_map("D", lambda x: self.factor * x + batch.noise["blur"])


class OwnedInverse(AddedLosses):
    owned_networks = {"F": "G"}  # noqa: RUF012

    def networks(self, factory):
        return {"F": nn.Flatten()}


PLAIN = FixedMethod(
    (
        Player("D", constant_loss(1), ("D",)),
        Player("G", constant_loss(2), ("G",), updates_per_step=2),
    )
)


def player_losses(method, player, nets=None):
    loss_values = {p.name: p for p in method.players}[player].loss(nets or Nets({}), None)
    return {name: value.item() for name, value in loss_values.items()}


def discriminator_loss(nets, batch):
    return {"logit": nets.D(batch.x)}


@dataclass(frozen=True)
class NoisyMethod(FixedMethod):
    def noise_shapes(self, factory):
        return {"loud": (*factory.shape, 2)}
