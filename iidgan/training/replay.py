"""A look back: what a run would have drawn at an earlier checkpoint."""

from __future__ import annotations

from iidgan.core import Arch
from iidgan.engine import checkpoint
from iidgan.engine.inference import final
from iidgan.engine.sampling import Batches
from iidgan.engine.state import init
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import Judge
from iidgan.evaluation.evaluate import Arrays, Stand, to_arrays
from iidgan.evaluation.sampling import draw
from iidgan.training.run_dir import RunFolder


def arrays_at(folder: RunFolder, step: int) -> Arrays:
    """Draws the samples of step `step`, as `arrays.npz` holds them of the last one.

    Raises:
        InputError: There is no checkpoint of that step.
    """
    path = folder.checkpoints / f"step-{step:08d}"
    if not path.exists():
        kept = ", ".join(p.name for p in sorted(folder.checkpoints.glob("step-*")))
        raise InputError(f"step: {folder.path} keeps no checkpoint of step {step}, but {kept}")
    run, seeds = folder.read()
    data = run.source.load()
    state = init(run.method, Arch(run.arch, data.shape), run.optimiser, seeds, ema=run.ema)
    checkpoint.load(path, state)
    stand = Stand(run, seeds, step, state.diverged.tolist())
    batches = Batches(data, seeds, size=run.batch, latent=run.arch.latent)
    return to_arrays(draw(final(state, batches), data, stand, Judge()), stand)
