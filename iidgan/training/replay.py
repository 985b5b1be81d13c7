"""Networks of a run at an earlier checkpoint, and samples of them."""

from __future__ import annotations

from iidgan.core import NetworkFactory
from iidgan.engine import checkpoint
from iidgan.engine.inference import inference_networks
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import init_state
from iidgan.errors import InputError
from iidgan.evaluation.arrays import Arrays, to_arrays
from iidgan.evaluation.classifier.store import ClassifierEvaluator
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.evaluation.sampling import draw_samples
from iidgan.training.model import TrainedNetworks
from iidgan.training.run_dir import RunDir


def load_checkpoint(run_dir: RunDir, step: int) -> TrainedNetworks:
    """Load the networks of the checkpoint of `step`, as the run exports those of the last step.

    Arguments:
        run_dir: The run directory.
        step: Step of one of its checkpoints.

    Returns:
        G, and F if the method trains an inverse, of all seeds.

    Raises:
        InputError: There is no checkpoint of that step, or it belongs to another run.
    """
    run, seeds = run_dir.read_run()
    checkpoint_path = run_dir.checkpoint_dir / checkpoint.checkpoint_name(step)
    identity = checkpoint.RunIdentity(run.id, tuple(seeds))
    files = {}
    if checkpoint_path.exists():
        files = checkpoint.read_state_files(checkpoint_path, identity)
    if files.keys() != {*seeds}:
        steps = checkpoint.list_steps(run_dir.checkpoint_dir)
        names = ", ".join(map(checkpoint.checkpoint_name, steps))
        raise InputError(
            f"step: {run_dir.path} has no checkpoint of step {step} with all seeds; it has "
            f"{names or 'none'}"
        )
    data = run.source.load()
    state = init_state(
        run.method, NetworkFactory(run.arch, data.shape), run.optimiser, seeds, ema=run.ema
    )
    checkpoint.load_state(state, seeds, files)
    point = EvaluationPoint(run, seeds, [step] * len(seeds), state.diverged.tolist())
    batches = DatasetStream(data, seeds, batch_size=run.batch, latent_dim=run.arch.latent)
    return TrainedNetworks(point, data.shape, inference_networks(state, batches), data.scaling)


def sample_checkpoint(run_dir: RunDir, step: int) -> Arrays:
    """Sample from the checkpoint of `step`, as `arrays.npz` holds for the last step.

    Arguments:
        run_dir: The run directory.
        step: Step of one of its checkpoints.

    Returns:
        Samples of all seeds.

    Raises:
        InputError: As for `load_checkpoint`.
    """
    networks = load_checkpoint(run_dir, step)
    data = networks.point.run.source.load()
    samples = draw_samples(networks.nets, data, networks.point, ClassifierEvaluator())
    return to_arrays(samples, networks.point)
