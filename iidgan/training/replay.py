"""Samples of a run at an earlier checkpoint."""

from __future__ import annotations

from iidgan.engine import checkpoint
from iidgan.engine.inference import inference_networks
from iidgan.engine.state import init_state
from iidgan.errors import InputError
from iidgan.evaluation.arrays import Arrays, to_arrays
from iidgan.evaluation.classifier.store import ClassifierEvaluator
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.evaluation.sampling import draw_samples
from iidgan.training.context import create_statistics_stream
from iidgan.training.run_dir import RunDir


def sample_checkpoint(run_dir: RunDir, step: int) -> Arrays:
    """Sample from the checkpoint of `step`, as `arrays.npz` holds for the last step.

    Arguments:
        run_dir: The run directory.
        step: Step of one of its checkpoints.

    Returns:
        Samples of all seeds.

    Raises:
        InputError: There is no checkpoint of that step, or it belongs to another run.
    """
    run, seeds = run_dir.read_run()
    checkpoint_path = run_dir.checkpoint_dir / f"step-{step:08d}"
    identity = checkpoint.RunIdentity(run.id, tuple(seeds))
    files = {}
    if checkpoint_path.exists():
        files = checkpoint.read_state_files(checkpoint_path, identity)
    if files.keys() != {*seeds}:
        names = ", ".join(path.name for path in sorted(run_dir.checkpoint_dir.glob("step-*")))
        raise InputError(
            f"step: {run_dir.path} has no checkpoint of step {step} with all seeds; it has "
            f"{names or 'none'}"
        )
    data = run.source.load()
    factory = run.network_factory(data.shape, run.find_classes(data))
    state = init_state(
        run.method,
        factory,
        run.optimiser,
        seeds,
        ema=run.ema,
        lr_factors=dict(run.lr_factors),
    )
    checkpoint.load_state(state, seeds, files)
    point = EvaluationPoint(run, seeds, [step] * len(seeds), state.diverged.tolist())
    batches = create_statistics_stream(run, seeds, data)
    samples = draw_samples(inference_networks(state, batches), data, point, ClassifierEvaluator())
    return to_arrays(samples, point)
