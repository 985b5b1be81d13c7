"""Samples of a run at an earlier checkpoint."""

from __future__ import annotations

from iidgan.core import NetworkFactory
from iidgan.engine import checkpoint
from iidgan.engine.inference import inference_networks
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import init_state
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import ClassifierEvaluator
from iidgan.evaluation.evaluate import Arrays, EvaluationPoint, to_arrays
from iidgan.evaluation.sampling import draw_samples
from iidgan.training.run_dir import RunDir


def sample_checkpoint(run_dir: RunDir, step: int) -> Arrays:
    """Sample from the checkpoint of `step`, as `arrays.npz` holds for the last step.

    Raises:
        InputError: There is no checkpoint of that step, or it belongs to another run.
    """
    checkpoint_path = run_dir.checkpoint_dir / f"step-{step:08d}"
    if not checkpoint_path.exists():
        names = ", ".join(path.name for path in sorted(run_dir.checkpoint_dir.glob("step-*")))
        raise InputError(
            f"step: {run_dir.path} has no checkpoint of step {step}; it has {names or 'none'}"
        )
    run, seeds = run_dir.read_run()
    data = run.source.load()
    state = init_state(
        run.method, NetworkFactory(run.arch, data.shape), run.optimiser, seeds, ema=run.ema
    )
    identity = checkpoint.RunIdentity(run.id, tuple(seeds))
    checkpoint.load_state(checkpoint_path, state, identity=identity)
    point = EvaluationPoint(run, seeds, step, state.diverged.tolist())
    batches = DatasetStream(data, seeds, batch_size=run.batch, latent_dim=run.arch.latent)
    samples = draw_samples(inference_networks(state, batches), data, point, ClassifierEvaluator())
    return to_arrays(samples, point)
