"""`check_term` finds terms that break one contract each."""

from dataclasses import dataclass

import pytest

from iidgan.core import Losses, Player, Term
from iidgan.functional.reduce import mean_per_seed
from iidgan.methods import iid_gan
from iidgan.testing import check_term
from tests.helpers.errors import assert_mentions
from tests.helpers.networks import SPECTRAL


@dataclass(frozen=True, kw_only=True)
class Pull(Term):
    """Adds the size of the generated samples to G's loss."""

    weight: float = 1.0
    on: str = "G"
    called: str = "size"

    @property
    def losses(self):
        return {self.on: self.loss}

    def loss(self, nets, batch) -> Losses:
        return {self.called: self.weight * mean_per_seed(nets.G(batch.z).square())}


@dataclass(frozen=True, kw_only=True)
class Empty(Term):
    losses = {}  # noqa: RUF012


@dataclass(frozen=True, kw_only=True)
class Blurring(Term):
    """Adds nothing to any loss, but blurs what D sees."""

    std: float = 0.1
    losses = {}  # noqa: RUF012

    def noise_shapes(self, factory):
        return {"blur": factory.shape}

    def wrap_networks(self, nets, batch):
        return nets.with_input_map("D", lambda x: x + self.std * batch.noise["blur"])


@dataclass(frozen=True, kw_only=True)
class Heavy(Pull):
    def loss(self, nets, batch) -> Losses:
        return {"size": mean_per_seed(nets.G(batch.z).square())}


@dataclass(frozen=True, kw_only=True)
class Promising(Pull):
    owned_networks = {"F": "G"}  # noqa: RUF012


@dataclass(frozen=True, kw_only=True)
class Littering(Pull):
    def networks(self, factory):
        return {"E": factory.build_inverse()}


@dataclass(frozen=True, kw_only=True)
class Homeless(Littering):
    owned_networks = {"E": "H"}  # noqa: RUF012


@dataclass(frozen=True, kw_only=True)
class Meddling(Pull):
    @property
    def players(self):
        return (Player("D", self.loss, trains=("G",)),)


def test_check_term_accepts_loss():
    check_term(Pull())


@pytest.mark.slow
def test_check_term_accepts_wrapped_networks():
    check_term(Blurring())
    check_term(Blurring(), iid_gan(), SPECTRAL)


@pytest.mark.parametrize(
    ("term", "values"),
    [
        (Pull(called="adversarial"), ("losses", "adversarial")),
        (Pull(on="Q"), ("adds a loss", "'Q'")),
        (Empty(), ("Empty", "`losses`", "`players`", "`wrap_networks`")),
        (Heavy(), ("Heavy", ["size"], "`weight`")),
        (Promising(), ("Promising", "'F'", "`owned_networks`", "`networks`")),
        (Littering(), ("Littering", "'E'", "trains", "`owned_networks`")),
        (Homeless(), ("'E'", "'H'", "trains")),
        (Meddling(), ("players", "D")),
    ],
    ids=lambda case: type(case).__name__ if isinstance(case, Term) else "",
)
def test_check_term_finds_broken_contract(term, values):
    with pytest.raises((AssertionError, ValueError)) as error:
        check_term(term)
    assert_mentions(error, *values)


@pytest.mark.parametrize("given", [Term, 3])
def test_check_term_names_what_was_given(given):
    with pytest.raises(AssertionError) as error:
        check_term(given)
    assert_mentions(error, "term: must be a Term, got", given)
