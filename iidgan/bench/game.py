"""A run set up for some of its seeds: what moves, how, and on which batches."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

import torch

from iidgan.bench.run import Run
from iidgan.core import Arch, Dataset
from iidgan.engine.batches import Batches
from iidgan.engine.move import Move
from iidgan.engine.state import init
from iidgan.files import cache


class Game:
    """The state of some seeds of a run, their move, and their batches.

    Arguments:
        run: What is played.
        seeds: By whom; each plays as if it were alone.
        data: The samples, on `device`.
        device: Where the tensors live.
    """

    def __init__(
        self, run: Run, seeds: Sequence[int], data: Dataset, device: torch.device
    ) -> None:
        _keep_compiled()
        self.run, self.seeds, self.data = run, tuple(seeds), data
        arch = Arch(run.arch, data.shape)
        self.state = init(run.method, arch, run.optimiser, seeds, ema=run.ema, device=device)
        self.move = Move(
            run.method, self.state, steps=run.steps, ema=run.ema, precision=run.precision
        )
        self.batches = Batches(
            data,
            seeds,
            size=run.batch,
            latent=run.arch.latent,
            repeat=self.move.num_batches,
            noise=run.method.noise(arch),
            steps=run.steps,
        )


def _keep_compiled() -> None:
    """Lets compiled code lie in the user's cache, if that can be written to.

    It has to be said before the first optimiser is made, with which torch chooses a place.
    """
    place = cache() / "compiled"
    with suppress(OSError):
        place.mkdir(parents=True, exist_ok=True)
        if os.access(place, os.W_OK):
            os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(place))
