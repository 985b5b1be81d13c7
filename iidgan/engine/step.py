"""One step of a run: every player moves once, or as often as it says, on the same batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch

from iidgan.core import Batch, Losses, Method, Nets, Player, Refreshing, join
from iidgan.engine.state import State, parameters
from iidgan.errors import InputError

Precision = Literal["float32", "bfloat16"]
Step = Callable[[Sequence[Batch]], Losses]
"""A step of training on the batches it is given."""


class Move:
    """A step of `method` on `state`, in place.

    Players move in order, each in its part of the run. A player that takes r moves on k batches
    each gets the last r k batches, so that players share those that they can.

    Arguments:
        method: Who moves down which loss.
        state: What moves.
        steps: Length of the run.
        ema: Decay per step of the average of the weights, if the state has one.
        precision: What networks compute in; weights, losses and optimisers stay as they are.
        recipe: Names all that this is made of, so that its code can be found again; if all of it
            is of this package.
    """

    def __init__(
        self,
        method: Method,
        state: State,
        *,
        steps: int,
        ema: float = 0.0,
        precision: Precision = "float32",
        recipe: str | None = None,
    ) -> None:
        self.recipe = recipe
        self.players = method.players
        self.state = state
        self.steps = steps
        self.ema = ema
        self._half = precision == "bfloat16"
        self.num_batches = max(player.repeat * player.batches for player in self.players)
        self._trained = {
            player.name: parameters(state.nets, player.trains) for player in self.players
        }
        self._refreshing = {
            player.name: [
                module
                for name in player.trains
                for module in state.nets[name].modules()
                if isinstance(module, Refreshing)
            ]
            for player in self.players
        }

    @property
    def active(self) -> tuple[Player, ...]:
        """The players that move in the state's step."""
        share = self.state.step / self.steps
        return tuple(p for p in self.players if p.during[0] <= share < p.during[1])

    def __call__(self, batches: Sequence[Batch]) -> Losses:
        """Takes a step on `num_batches` batches.

        Returns:
            The players' losses at their last move, as `player/name`, each with shape (S,).
        """
        nets = Nets(dict(self.state.nets.items()), half=self._half)
        logs: Losses = {}
        joined = _Joined(batches)
        for player in self.active:
            for batch in joined.of(player):
                losses = self._descend(player, nets, batch)
                nets.moved(player.trains)
            logs |= {f"{player.name}/{name}": value for name, value in losses.items()}
        self._settle()
        return logs

    def rehearse(self, batches: Sequence[Batch]) -> None:
        """Computes every loss once and changes nothing: what is wrong shows before a run begins.

        Raises:
            InputError: A loss fails, or a value has not one number per seed.
        """
        nets = Nets(dict(self.state.nets.items()), half=self._half)
        joined = _Joined(batches)
        with torch.random.fork_rng(devices=[]):
            for player in self.players:
                self._rehearse(player, nets, joined.of(player)[-1])

    def _rehearse(self, player: Player, nets: Nets, batch: Batch) -> None:
        seeds = len(self.state.diverged)
        try:
            losses = player.loss(nets, batch)
        except (RuntimeError, TypeError, AttributeError, KeyError, IndexError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise InputError(f"method: the loss of {player.name} fails ({reason})") from error
        for name, value in losses.items():
            if value.shape != (seeds,):
                raise InputError(
                    f"method: {player.name}/{name} has shape {tuple(value.shape)}, "
                    f"not ({seeds},): one value per seed"
                )

    def _descend(self, player: Player, nets: Nets, batch: Batch) -> Losses:
        losses = player.loss(nets, batch)
        trained = self._trained[player.name]
        total = torch.stack([value.sum() for value in losses.values()]).sum()
        gradients = torch.autograd.grad(total, trained, allow_unused=True, materialize_grads=True)
        for parameter, gradient in zip(trained, gradients, strict=True):
            # Twice differentiated, a gradient may be a transposed view, and fused optimisers
            # read its memory as if it were not.
            parameter.grad = gradient.contiguous()
        self.state.optimisers[player.name].step()
        for parameter in trained:
            parameter.grad = None
        for module in self._refreshing[player.name]:
            module.refresh(batch)
        return {name: value.detach() for name, value in losses.items()}

    @torch.no_grad()
    def _settle(self) -> None:
        if self.state.average is not None:
            average, nets = self.state.average, self.state.nets
            torch._foreach_lerp_([*average.parameters()], [*nets.parameters()], 1 - self.ema)
            for kept, value in zip(average.buffers(), nets.buffers()):
                kept.copy_(value)  # singular vectors have no average


class _Joined:
    """The batches of a step, joined as players want them; equal wishes get the same object."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._batches = list(batches)
        self._made: dict[int, list[Batch]] = {}

    def of(self, player: Player) -> list[Batch]:
        k = player.batches
        if k not in self._made:
            first = len(self._batches) % k
            starts = range(first, len(self._batches), k)
            self._made[k] = [join(self._batches[start : start + k]) for start in starts]
        return self._made[k][-player.repeat :]
