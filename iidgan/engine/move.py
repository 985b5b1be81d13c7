"""One step of a run: every player moves once, or as often as it says, on the same batches."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from iidgan.core import Batch, Losses, Method, Nets, Player, Refreshing
from iidgan.engine.state import State, parameters
from iidgan.errors import InputError


class Move:
    """A step of `method` on `state`, in place.

    Players move in order. A player with `repeat` r takes r moves, one on each of the last r
    batches, so that players share the batches that they can.

    Arguments:
        method: Who moves down which loss.
        state: What moves.
        ema: Decay per step of the average of the weights, if the state has one.
    """

    def __init__(self, method: Method, state: State, *, ema: float = 0.0) -> None:
        self.players = method.players
        self.state = state
        self.ema = ema
        self.num_batches = max(player.repeat for player in self.players)
        self._trained = {
            player.name: parameters(state.nets, player.trains) for player in self.players
        }
        self._refreshing = [m for m in state.nets.modules() if isinstance(m, Refreshing)]

    def __call__(self, batches: Sequence[Batch]) -> Losses:
        """Takes a step on `num_batches` batches.

        Returns:
            The players' losses at their last move, as `player/name`, each with shape (S,).
        """
        nets = Nets(dict(self.state.nets.items()))
        logs: Losses = {}
        for player in self.players:
            for batch in batches[len(batches) - player.repeat :]:
                losses = self._descend(player, nets, batch)
                nets.moved(player.trains)
            logs |= {f"{player.name}/{name}": value for name, value in losses.items()}
        self._settle()
        return logs

    def rehearse(self, batches: Sequence[Batch]) -> None:
        """Computes every loss once and changes nothing: what is wrong shows before a run begins.

        Raises:
            InputError: A value has not one number per seed.
        """
        nets = Nets(dict(self.state.nets.items()))
        seeds = len(self.state.diverged)
        with torch.random.fork_rng(devices=[]):
            for player in self.players:
                for name, value in player.loss(nets, batches[-1]).items():
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
            parameter.grad = gradient
        self.state.optimisers[player.name].step()
        for parameter in trained:
            parameter.grad = None
        return {name: value.detach() for name, value in losses.items()}

    @torch.no_grad()
    def _settle(self) -> None:
        for module in self._refreshing:
            module.refresh()
        if self.state.average is not None:
            average, nets = self.state.average, self.state.nets
            torch._foreach_lerp_([*average.parameters()], [*nets.parameters()], 1 - self.ema)
            for kept, value in zip(average.buffers(), nets.buffers()):
                kept.copy_(value)  # singular vectors have no average
