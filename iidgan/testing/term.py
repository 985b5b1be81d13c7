"""Contracts of a term: those of a method that includes it, and those of the term itself."""

from __future__ import annotations

from iidgan.core import Losses, Method, NetworkFactory, Regularised, Term
from iidgan.methods import GAN
from iidgan.testing.method import check_method
from iidgan.testing.mini_run import ARCH, MiniRun, float64_default, without_cache
from iidgan.testing.parts import is_trainable
from iidgan.testing.value import class_name, copy_with, differing_names, require, require_value


def check_term(
    term: Term,
    base: Method | None = None,
    arch: NetworkFactory | None = None,
    *,
    compiled: bool = False,
) -> None:
    """Check every contract of a term.

    `Regularised(base, (term,))` passes `check_method`; the term adds losses for networks that
    exist, says with which network its own ones are trained, and its losses are proportional to
    its `weight`, if it has one. It takes about a second.

    Arguments:
        term: The term to check.
        base: The method to add it to; by default `GAN()`.
        arch: Builds the networks; by default small MLPs for vectors of two dimensions.
        compiled: Whether to check the compiled step too, which takes about half a minute.

    Raises:
        AssertionError: The term violates a contract.
        ValueError: The term does not fit the method.

    Examples:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True, kw_only=True)
        ... class Decay(Term):
        ...     losses = {"E": lambda nets, batch: {"decay": nets.E(batch.x).square().mean(1)}}
        >>> check_term(Decay())
        Traceback (most recent call last):
        ...
        AssertionError: Decay adds a loss for network 'E', which does not exist; ...
    """
    require_value(term, Term)
    regularised = Regularised(method=base or GAN(), terms=(term,))
    mini_run = MiniRun(regularised, arch or ARCH)
    with float64_default():
        _check_networks(term, regularised.method, mini_run.factory)
    check_method(regularised, arch, compiled=compiled)
    if hasattr(term, "weight"):
        with float64_default():
            _check_weight(term, mini_run)


def _check_networks(term: Term, base: Method, arch: NetworkFactory) -> None:
    term_name = class_name(term)
    arch = base.adapt_factory(arch)
    term_networks, base_networks = term.networks(arch), base.networks(arch)
    available = term_networks.keys() | base_networks.keys()
    for net in term.owned_networks:
        require(
            net in available,
            f"{term_name}: {net!r} is in `owned_networks` but is not created; return it from "
            "`networks`",
        )
    trained_nets = {net for player in term.players for net in player.trains}
    for net in (
        term_networks.keys() - base_networks.keys() - trained_nets - term.owned_networks.keys()
    ):
        require(
            not is_trainable(term_networks[net]),
            f"{term_name} creates {net!r}, which no player trains; add it to `owned_networks` "
            "with the network it is trained with, or train it in a player of the term",
        )
    for net in term.losses:
        require(
            net in available,
            f"{term_name} adds a loss for network {net!r}, which does not exist; create it in "
            "`networks`, or correct `losses`",
        )
    require(
        bool(term.losses or term.players) or type(term).wrap_networks is not Term.wrap_networks,
        f"{term_name} adds nothing; define `losses`, `players` or `wrap_networks`",
    )


def _check_weight(term: Term, mini_run: MiniRun) -> None:
    single, double = (
        _compute_losses(copy_with(term, weight=weight), mini_run) for weight in (1.0, 2.0)
    )
    odd_names = differing_names({name: 2 * value for name, value in single.items()}, double, 1e-9)
    require(
        not odd_names,
        f"{class_name(term)}: {odd_names} are not proportional to `weight`; multiply every loss "
        "by it",
    )


def _compute_losses(term: Term, mini_run: MiniRun) -> Losses:
    """Compute the losses of a term, without constants that it reports."""
    nets, batch = without_cache(mini_run.init_state()), mini_run.draw_batches()[0][0]
    losses_by_net = [loss(nets, batch) for loss in term.losses.values()]
    return {
        name: value
        for losses in losses_by_net
        for name, value in losses.items()
        if value.requires_grad
    }
