"""Methods, terms and players: what is trained, and on which losses.

A GAN method is a set of named networks and a few *players*. Each player updates some of the
networks by gradient descent on its own loss, a pure function of the networks and a batch. Every
tensor has the seed axis first: S independent runs of one method train side by side. A loss
returns one value per seed, and since no parameter is shared between seeds, the gradient of the
sum over seeds is the gradient of each.

A *term* adds to the losses of players. `Regularised(method, terms)` is a method again, so that a
term works with any method, and IID-GAN is a value rather than a class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor, nn

from iidgan.core.backbone import NetworkFactory
from iidgan.core.batch import Batch
from iidgan.core.conditioning import Conditioning
from iidgan.core.field_metadata import OMIT_IF_DEFAULT
from iidgan.core.networks import Nets
from iidgan.core.typed_fields import TypedFields

Losses = dict[str, Tensor]
"""Named losses, each of shape (S,): their sum is minimised, and each is logged by its name."""

LossFn = Callable[[Nets, Batch], Losses]
"""A pure function of networks and a batch."""

PostUpdate = Callable[[Nets, Batch, Losses], None]
"""A function that changes buffers of networks after an update, of which it gets the losses.

It computes with tensors only, without gradients, and keeps seeds separate."""

NoiseShapes = Mapping[str, tuple[int, ...]]
"""Shapes of the noise for one sample, by name."""


@dataclass(frozen=True)
class Player:
    """A set of networks that are trained together on one loss.

    Arguments:
        name: Name of the player in the logs.
        loss: Pure function of networks and a batch.
        trains: Networks that the player updates; all others are constants to its loss.
        updates_per_step: Updates per training step, each on a batch of its own.
        batches_per_update: Number of batches that are concatenated for one update.
        active: Interval [start, end) in which the player is updated, as fractions of the training.
        lr_scale: Factor on the run's learning rate.
        post_updates: Functions of the networks, the batch and the values of the losses that are
            called after each update.

    Examples:
        >>> from iidgan import WGAN
        >>> {player.name: player.updates_per_step for player in WGAN().players}
        {'D': 5, 'G': 1}
    """

    name: str
    loss: LossFn
    trains: tuple[str, ...]
    updates_per_step: int = 1
    batches_per_update: int = 1
    active: tuple[float, float] = (0.0, 1.0)
    lr_scale: float = 1.0
    post_updates: tuple[PostUpdate, ...] = ()


class Method(TypedFields, ABC):
    """Named networks and the players that train them; subclasses are frozen dataclasses.

    Attributes:
        tunable_weights: Names of the fields that weight parts of its losses against each other,
            which tuning varies.

    Examples:
        >>> @dataclass(frozen=True, kw_only=True)
        ... class MomentMatching(Method):
        ...     weight: float = 1.0
        ...
        ...     @property
        ...     def players(self):
        ...         return (Player("G", self.loss_G, trains=("G",)),)
        ...
        ...     def networks(self, factory):
        ...         return {"G": factory.build_generator()}
        ...
        ...     def loss_G(self, nets, batch):
        ...         difference = nets.G(batch.z).mean(1) - batch.x.mean(1)
        ...         return {"mean": self.weight * difference.square().sum(-1)}
        >>> [player.name for player in MomentMatching().players]
        ['G']

        `iidgan.testing.check_method` says whether everything fits together, and
        `iidgan.train(Run(method=MomentMatching()), ...)` trains it.
    """

    tunable_weights: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def players(self) -> tuple[Player, ...]:
        """The players, in the order of their updates."""

    @abstractmethod
    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        """Build the networks by name; `G` generates, and `F`, if there is one, inverts it.

        Arguments:
            factory: Builds networks for the data.
        """

    @property
    def has_centred_logits(self) -> bool:
        """Whether D outputs 0 for samples that are as likely real as generated."""
        return True

    @property
    def conditioning(self) -> Conditioning | None:
        """How classes are drawn and encoded, if the method is conditional."""
        return None

    def adapt_factory(self, factory: NetworkFactory) -> NetworkFactory:
        """Return the factory of the networks of the method and of the terms that are added to it.

        Arguments:
            factory: Builds networks for the data.
        """
        return factory

    def wrap_networks(self, nets: Nets, batch: Batch) -> Nets:
        """Return the networks that all losses use, such as with classes that D reads.

        Arguments:
            nets: Networks of the method and its terms.
            batch: The batch of the update.
        """
        return nets

    @property
    def period(self) -> int:
        """Number of steps after which `players_at` repeats."""
        return 1

    def players_at(self, step: int) -> tuple[Player, ...]:
        """Return the players of one step, with the networks and losses that take part in it.

        Arguments:
            step: Number of steps taken before.

        Returns:
            The players, of which later steps may leave some out, or networks of theirs; step 0
            has all of `players`.
        """
        return self.players

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        """Return the shapes for one sample of the noise that the losses read, by name.

        Arguments:
            factory: Knows the shape of the data and the dimension of the prior.
        """
        return {}

    @property
    def base_and_terms(self) -> tuple[Method, tuple[Term, ...]]:
        """The method without any terms, and all terms, innermost first."""
        return self, ()


@dataclass(frozen=True, kw_only=True)
class Term(TypedFields, ABC):
    """A loss that is added for the players of certain networks; may add networks and players.

    Subclasses are frozen dataclasses. With `every` = k a term is lazy: its losses enter in the
    steps 0, k, 2k, ... with k times the weight, and steps without it cost what the method costs.
    Networks that it alone feeds, and its players, do not move in between.

    References:
        Analyzing and Improving the Image Quality of StyleGAN (Karras, Laine, Aittala, Hellsten,
        Lehtinen and Aila, 2020), https://arxiv.org/abs/1912.04958, section 3.1 and appendix B:
        lazy regularisation

    Attributes:
        owned_networks: Networks that the term adds, unless the method has one of the same name,
            each mapped to the network whose player trains it too.
        tunable_weights: Names of the fields that weight its losses, which tuning varies.

    Examples:
        >>> @dataclass(frozen=True, kw_only=True)
        ... class LogitDecay(Term):
        ...     weight: float = 0.01
        ...
        ...     @property
        ...     def losses(self):
        ...         return {"D": self.loss_D}
        ...
        ...     def loss_D(self, nets, batch):
        ...         return {"decay": self.weight * nets.D(batch.x).square().mean(1)}
        >>> list(LogitDecay().losses)  # added to the loss of the player that trains D
        ['D']
    """

    owned_networks: ClassVar[Mapping[str, str]] = {}
    tunable_weights: ClassVar[tuple[str, ...]] = ()

    every: int = field(default=1, metadata=OMIT_IF_DEFAULT)
    """Steps from one in which the losses enter to the next; they enter with so many times the
    weight, so that their mean stays the same."""

    @property
    @abstractmethod
    def losses(self) -> Mapping[str, LossFn]:
        """Losses to add, by the name of a network: each is added for the player that trains it.

        A loss that is listed for several networks of one player is added once.
        """

    @property
    def players(self) -> tuple[Player, ...]:
        """Additional players of the term."""
        return ()

    @property
    def post_updates(self) -> Mapping[str, PostUpdate]:
        """Functions that change buffers of the term's networks, by the name of a network.

        Each is called after the updates of the player that trains the network, in every step; the
        losses of a lazy term are among the values in its own steps alone.
        """
        return {}

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        """Build the networks of the term; those of the method take precedence by name.

        Arguments:
            factory: Builds networks for the data.
        """
        return {}

    def check_fits(self, method: Method) -> None:
        """Check that the term can be added to a method, as far as networks do not show it.

        Arguments:
            method: The method.

        Raises:
            InputError: The term needs another kind of method.
        """

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        """Return the shapes for one sample of the noise that the term reads, by name.

        Arguments:
            factory: Knows the shape of the data and the dimension of the prior.
        """
        return {}

    def wrap_batch(self, nets: Nets, batch: Batch) -> Batch:
        """Return the batch of the method's own loss for G, such as with other latents.

        Losses of terms, and those of the other players, get the batch as it is.

        Arguments:
            nets: Networks of the method and its terms.
            batch: The batch of the update.
        """
        return batch

    def wrap_networks(self, nets: Nets, batch: Batch) -> Nets:
        """Return the networks that all losses use, such as with noise added before D.

        Arguments:
            nets: Networks of the method and its terms, as wrapped by earlier terms.
            batch: The batch of the update.
        """
        return nets
