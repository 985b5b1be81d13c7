"""Laws of a term: those of a method that has it, and those of an addend."""

from __future__ import annotations

from iidgan.core import Arch, Losses, Method, Regularised, Term
from iidgan.methods import GAN
from iidgan.testing.method import check_method
from iidgan.testing.parts import can_train
from iidgan.testing.trial import ARCH, Trial, float64, fresh
from iidgan.testing.value import copy_of, differing, is_a_value, name_of, require


def check_term(
    term: Term, base: Method | None = None, arch: Arch | None = None, *, compiled: bool = False
) -> None:
    """Checks every law of a term.

    `Regularised(base, (term,))` keeps the laws of `check_method`; the term pulls on networks that
    there are, says who trains those that it brings, and scales with its `weight`, if it has one.

    Arguments:
        term: What is checked.
        base: The method that it is added to; by default `GAN()`.
        arch: Builds the networks; by default small perceptrons for vectors of two dimensions.
        compiled: Whether to check the compiled move too, which takes about half a minute.

    Raises:
        AssertionError: The term breaks a law.
        ValueError: The term does not fit the method.
    """
    whole = Regularised(method=base or GAN(), terms=(term,))
    is_a_value(term)
    with float64():
        _fits(term, whole.method, arch or ARCH)
    check_method(whole, arch, compiled=compiled)
    if hasattr(term, "weight"):
        with float64():
            _scales(term, Trial(whole, arch or ARCH))


def _fits(term: Term, base: Method, arch: Arch) -> None:
    name, made, there = name_of(term), term.networks(arch), base.networks(arch)
    for net in term.brings:
        require(
            net in made or net in there,
            f"{name} brings {net!r} but does not create it; return it from `networks`",
        )
    own = {net for player in term.players for net in player.trains}
    for net in made.keys() - there.keys() - own - term.brings.keys():
        require(
            not can_train(made[net]),
            f"{name} creates {net!r}, which nobody trains; name it in `brings` with the network "
            "that it moves with, or let a player of the term's own train it",
        )
    for net in term.addends:
        require(
            net in made or net in there,
            f"{name} adds a loss to whoever trains {net!r}, but there is no such network; create "
            "it in `networks`, or correct `addends`",
        )
    require(
        bool(term.addends or term.players) or type(term).view is not Term.view,
        f"{name} adds nothing; give it `addends` or `players`, or let it change what the losses "
        "see in `view`",
    )


def _scales(term: Term, trial: Trial) -> None:
    once, twice = (_addends(copy_of(term, weight=weight), trial) for weight in (1.0, 2.0))
    odd = differing({name: 2 * value for name, value in once.items()}, twice, 1e-9)
    require(
        not odd,
        f"{name_of(term)}: {odd} do not double with `weight`; multiply every addend by it",
    )


def _addends(term: Term, trial: Trial) -> Losses:
    nets, batch = fresh(trial.start()), trial.batches()[0][0]
    losses = [loss(nets, batch) for loss in term.addends.values()]
    return {name: value for loss in losses for name, value in loss.items()}
