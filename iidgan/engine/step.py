"""One training step: every active player updates its networks, on shared batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn

from iidgan.core import (
    Batch,
    HasPostUpdate,
    Losses,
    Method,
    Nets,
    Player,
    concatenate_batches,
)
from iidgan.engine.flops import count_flops
from iidgan.engine.state import State, collect_parameters
from iidgan.errors import InputError

Precision = Literal["float32", "bfloat16"]
StepFn = Callable[[Sequence[Batch]], Losses]
"""A function that takes one training step on some batches and returns the losses."""


class StepKind(NamedTuple):
    """Identifies what a step computes: all steps of one kind of a run compute the same.

    Arguments:
        phase: First step in which the same losses enter.
        players: Names of the players that are updated.
    """

    phase: int
    players: tuple[str, ...]


class TrainStep:
    """A training step of `method`, which updates `state` in place.

    The players that are active and take part in the step are updated in order. A player that
    makes r updates on k batches each uses the last r k batches, so that players share as many
    batches as possible.

    Arguments:
        method: Defines the players and their losses.
        state: State to update.
        steps: Length of the run.
        ema: Decay per step of the moving average of the weights, if the state has one.
        ema_rampup: Half-life of the average, at most, as a share of the steps so far; 0: no limit.
        precision: Number format of the networks' computations; weights, losses and optimisers
            keep their own.
        cache_key: Identifies all that the compiled code of this step depends on, so that it can
            be reused; None if some of it is defined outside this package.

    Attributes:
        group: Processes that take the same steps, in which each evaluates networks on its share of
            the batches; None, all in this process, until it is set.

    Examples:
        One step of a GAN on points at the origin; each seed has its own loss:

        >>> import torch
        >>> from iidgan import GAN, MLP, Adam, Dataset
        >>> from iidgan.core import NetworkFactory
        >>> from iidgan.engine.sampling import DatasetStream
        >>> from iidgan.engine.state import init_state
        >>> from iidgan.engine.step import TrainStep
        >>> seeds, data = [0, 1, 2], Dataset(torch.zeros(10, 2))
        >>> state = init_state(GAN(), NetworkFactory(MLP(), data.shape), Adam(), seeds)
        >>> train_step = TrainStep(GAN(), state, steps=100)
        >>> batches = DatasetStream(data, seeds, batch_size=4, latent_dim=2).batches_at(0)
        >>> {name: loss.shape for name, loss in train_step(batches).items()}
        {'D/adversarial': torch.Size([3]), 'G/adversarial': torch.Size([3])}
    """

    def __init__(
        self,
        method: Method,
        state: State,
        *,
        steps: int,
        ema: float = 0.0,
        ema_rampup: float = 0.0,
        precision: Precision = "float32",
        cache_key: str | None = None,
    ) -> None:
        self.cache_key = cache_key
        self.players = method.players
        self._players_by_phase = [method.players_at(phase) for phase in range(method.period)]
        self._first_equal_phase = [*map(self._players_by_phase.index, self._players_by_phase)]
        self.state = state
        self.steps = steps
        self.ema, self.ema_rampup = ema, ema_rampup
        self.precision = precision
        self.group: dist.ProcessGroup | None = None
        self.num_batches = max(
            player.updates_per_step * player.batches_per_update for player in self.players
        )
        self._trained_by_nets = {
            player.trains: _Trained.collect(state.nets, player.trains)
            for players in self._players_by_phase
            for player in players
        }

    @property
    def active_players(self) -> tuple[Player, ...]:
        """The players that are updated in the state's current step."""
        progress = self.state.step / self.steps
        players = self._players_by_phase[self.state.step % len(self._players_by_phase)]
        return tuple(p for p in players if p.active[0] <= progress < p.active[1])

    @property
    def kind(self) -> StepKind:
        """The kind of the state's current step."""
        phase = self._first_equal_phase[self.state.step % len(self._players_by_phase)]
        return StepKind(phase, tuple(player.name for player in self.active_players))

    def __call__(self, batches: Sequence[Batch]) -> Losses:
        """Take a step on `num_batches` batches.

        Returns:
            The players' losses in their last update, as `player/name`, each of shape (S,).
        """
        losses = self.update_players(self.active_players, batches)
        self.update_ema(batches[-1].t)
        return losses

    @property
    def segments(self) -> list[StepSegment]:
        """The step of the active players in segments, which give the same result one by one.

        A player that is updated several times is a segment of its own, so that compiled code of
        its update can be called as often. Within a segment players share forward passes. A step
        whose players are all updated once is one segment.
        """
        has_ema = self.state.ema_nets is not None
        groups = _group_players(self.active_players)
        if has_ema and (not groups or _is_repeated(groups[-1][-1])):
            groups.append(())  # the average alone
        segments = [self._make_segment(players) for players in groups]
        return [*segments[:-1], replace(segments[-1], updates_ema=True)] if has_ema else segments

    def _make_segment(self, players: tuple[Player, ...]) -> StepSegment:
        """Create the segment of one player that is updated repeatedly, or of some that are not."""
        num_repeats = max((player.updates_per_step for player in players), default=1)
        size = max((player.batches_per_update for player in players), default=1)
        first = self.num_batches - num_repeats * size
        starts = [first + size * i for i in range(num_repeats)]
        once_each = tuple(replace(player, updates_per_step=1) for player in players)
        return StepSegment(self, once_each, tuple(slice(start, start + size) for start in starts))

    def update_players(self, players: Sequence[Player], batches: Sequence[Batch]) -> Losses:
        """Update some players in order, and nothing else.

        Arguments:
            players: The players; they share forward passes.
            batches: Batches, of which each player uses the last ones.

        Returns:
            Their losses in their last update, as `player/name`, each of shape (S,).
        """
        nets = self._wrap_networks()
        all_losses: Losses = {}
        batch_groups = _BatchGroups(batches)
        for player in players:
            for batch in batch_groups.select(player):
                losses = self._update_player(player, nets, batch)
                nets.invalidate(player.trains)
            all_losses |= {f"{player.name}/{name}": value for name, value in losses.items()}
        return all_losses

    @torch.no_grad()
    def update_ema(self, progress: Tensor) -> None:
        """Update the moving average of the weights, if the state has one.

        Arguments:
            progress: Share of the run that is over, `Batch.t`.
        """
        if self.state.ema_nets is None:
            return
        ema_nets, nets = self.state.ema_nets, self.state.nets
        if self.ema_rampup:
            decay = ramp_decay(self.ema, self.ema_rampup * self.steps * progress)
            for average, parameter in zip(ema_nets.parameters(), nets.parameters()):
                average.lerp_(parameter, (1 - decay).to(average.dtype))
        else:
            torch._foreach_lerp_([*ema_nets.parameters()], [*nets.parameters()], 1 - self.ema)
        for ema_buffer, buffer in zip(ema_nets.buffers(), nets.buffers()):
            ema_buffer.copy_(buffer)  # singular vectors have no meaningful average

    def dry_run(self, batches: Sequence[Batch]) -> None:
        """Compute every loss once without changing the state, to find errors before training.

        Arguments:
            batches: Batches of one step.

        Raises:
            InputError: A loss raises an error or does not return one number per seed.
        """
        nets = self._wrap_networks()
        batch_groups = _BatchGroups(batches)
        with torch.random.fork_rng(devices=[]):
            for player in self.players:
                self._check_losses(player, nets, batch_groups.select(player)[-1])

    def estimate_flops(self, batches: Sequence[Batch]) -> int:
        """Estimate the floating-point operations of a step, without changing the state.

        They are those of the losses, thrice, since their gradients take twice as many.

        Arguments:
            batches: Batches of one step.

        Returns:
            The mean over the training, of all seeds together.
        """
        flops_by_phase = [
            self._estimate_flops_of(players, batches) for players in self._players_by_phase
        ]
        return round(sum(flops_by_phase) / len(flops_by_phase))

    def _estimate_flops_of(self, players: Sequence[Player], batches: Sequence[Batch]) -> float:
        nets = self._wrap_networks()
        batch_groups = _BatchGroups(batches)
        num_flops = 0.0
        for player in players:
            start, end = player.active
            batch = batch_groups.select(player)[-1]
            loss = partial(player.loss, nets.with_layer_noise(batch), batch)
            num_flops += 3 * player.updates_per_step * (end - start) * count_flops(loss)
        return num_flops

    def _wrap_networks(self) -> Nets:
        networks = dict(self.state.nets.items())
        return Nets(networks, use_bfloat16=self.precision == "bfloat16", group=self.group)

    def _check_losses(self, player: Player, nets: Nets, batch: Batch) -> None:
        num_seeds = len(self.state.diverged)
        try:
            losses = player.loss(nets.with_layer_noise(batch), batch)
        except (RuntimeError, TypeError, AttributeError, KeyError, IndexError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise InputError(
                f"method: the loss of player {player.name} raised {reason}"
            ) from error
        for loss_name, value in losses.items():
            if value.shape != (num_seeds,):
                raise InputError(
                    f"method: {player.name}/{loss_name} must have shape ({num_seeds},), one value "
                    f"per seed, got {tuple(value.shape)}"
                )

    def _update_player(self, player: Player, nets: Nets, batch: Batch) -> Losses:
        nets = nets.with_layer_noise(batch)
        losses = player.loss(nets, batch)
        parameters, hooked_modules = self._trained_by_nets[player.trains]
        total_loss = torch.stack([value.sum() for value in losses.values()]).sum()
        gradients = torch.autograd.grad(
            total_loss, parameters, allow_unused=True, materialize_grads=True
        )
        for parameter, gradient in zip(parameters, gradients, strict=True):
            # Second derivatives may be transposed views, and fused optimisers read the memory of
            # a gradient as if it were contiguous.
            parameter.grad = gradient.contiguous()
        for optimiser in self.state.optimisers[player.name]:
            optimiser.step()
        for parameter in parameters:
            parameter.grad = None
        values = {name: value.detach() for name, value in losses.items()}
        with torch.no_grad():
            for post_update in player.post_updates:
                post_update(nets, batch, values)
        for module in hooked_modules:
            module.post_update(batch)
        return values


@dataclass(frozen=True)
class StepSegment:
    """Consecutive updates of a training step, which may be repeated with other batches.

    Arguments:
        step: The training step.
        players: The players, each of which is updated once.
        batch_slices: Positions of the batches of each repetition among those of the step.
        updates_ema: Whether the moving average of the weights is updated at the end.
    """

    step: TrainStep
    players: tuple[Player, ...]
    batch_slices: tuple[slice, ...]
    updates_ema: bool = False

    @property
    def state(self) -> State:
        """The state that is updated."""
        return self.step.state

    def __call__(self, batches: Sequence[Batch]) -> Losses:
        """Take the segment once.

        Arguments:
            batches: The batches of one repetition.

        Returns:
            The players' losses, as those of the step.
        """
        losses = self.step.update_players(self.players, batches)
        if self.updates_ema:
            self.step.update_ema(batches[-1].t)
        return losses


def ramp_decay(decay: float, max_half_life: Tensor) -> Tensor:
    """Return the decay per step of a moving average whose half-life is limited.

    Arguments:
        decay: Decay without a limit.
        max_half_life: Largest half-life in steps, >= 0; at 0 the average is the newest value.

    References:
        Training Generative Adversarial Networks with Limited Data (Karras, Aittala, Hellsten,
        Laine, Lehtinen and Aila, 2020), https://arxiv.org/abs/2006.06676: the limit is a share of
        the images so far

    Examples:
        >>> ramp_decay(0.75, torch.tensor([0.0, 1.0, 2.0, 10.0]))
        tensor([0.0000, 0.5000, 0.7071, 0.7500])
    """
    return torch.exp2(-1 / max_half_life).clamp(max=decay)


def _is_repeated(player: Player) -> bool:
    return player.updates_per_step > 1


def _group_players(players: Sequence[Player]) -> list[tuple[Player, ...]]:
    """Group consecutive players that are updated once; each of the others is alone."""
    groups: list[tuple[Player, ...]] = []
    for player in players:
        if groups and not (_is_repeated(player) or _is_repeated(groups[-1][-1])):
            groups[-1] = (*groups[-1], player)
        else:
            groups.append((player,))
    return groups


class _Trained(NamedTuple):
    """What one update of some networks changes."""

    parameters: list[nn.Parameter]
    hooked_modules: list[HasPostUpdate]

    @classmethod
    def collect(cls, nets: nn.ModuleDict, names: Sequence[str]) -> _Trained:
        modules = [module for name in names for module in nets[name].modules()]
        return cls(
            collect_parameters(nets, names),
            [module for module in modules if isinstance(module, HasPostUpdate)],
        )


class _BatchGroups:
    """The batches of a step, concatenated into the batch sizes that players ask for.

    Players that ask for the same size get the same `Batch` objects.
    """

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._batches = list(batches)
        self._groups_by_size: dict[int, list[Batch]] = {}

    def select(self, player: Player) -> list[Batch]:
        """Return one batch for each update of `player`."""
        group_size = player.batches_per_update
        if group_size not in self._groups_by_size:
            starts = range(len(self._batches) % group_size, len(self._batches), group_size)
            self._groups_by_size[group_size] = [
                concatenate_batches(self._batches[start : start + group_size]) for start in starts
            ]
        return self._groups_by_size[group_size][-player.updates_per_step :]
