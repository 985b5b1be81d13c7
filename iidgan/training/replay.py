"""Networks and samples of a run at an earlier checkpoint."""

from __future__ import annotations

from iidgan.core import Dataset
from iidgan.engine import checkpoint
from iidgan.engine.inference import inference_networks
from iidgan.engine.state import init_state
from iidgan.errors import InputError
from iidgan.evaluation.arrays import Arrays, to_arrays
from iidgan.evaluation.classifier.store import ClassifierEvaluator
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.evaluation.sampling import draw_samples
from iidgan.training.context import create_statistics_stream
from iidgan.training.model import TrainedNetworks
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
    data = run_dir.read_run()[0].source.load()
    networks = _load_networks(run_dir, step, data)
    samples = draw_samples(networks.nets, data, networks.point, ClassifierEvaluator())
    return to_arrays(samples, networks.point)


def load_checkpoint(run_dir: RunDir, step: int) -> TrainedNetworks:
    """Load the networks of all seeds from the checkpoint of `step`, as `generator` holds the last.

    The data are read, from which networks with batch norm get their statistics.

    Arguments:
        run_dir: The run directory.
        step: Step of one of its checkpoints.

    Raises:
        InputError: There is no checkpoint of that step, it belongs to another run, or the data
            cannot be read.
    """
    return _load_networks(run_dir, step, run_dir.read_run()[0].source.load())


def _load_networks(run_dir: RunDir, step: int, data: Dataset) -> TrainedNetworks:
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
    classes = run.find_classes(data)
    state = init_state(
        run.method,
        run.network_factory(data.shape, classes),
        run.optimiser,
        seeds,
        ema=run.ema,
        lr_factors=dict(run.lr_factors),
    )
    checkpoint.load_state(state, seeds, files)
    point = EvaluationPoint(run, seeds, [step] * len(seeds), state.diverged.tolist())
    nets = inference_networks(state, create_statistics_stream(run, seeds, data))
    return TrainedNetworks(point, data.shape, nets, data.scaling, classes)
