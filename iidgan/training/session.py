"""The training of some seeds of a run in one process: what it computes and writes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from iidgan.config.plugins import list_types
from iidgan.config.run import Run
from iidgan.core import Dataset, Metric, MetricProtocol, Source
from iidgan.engine import checkpoint
from iidgan.engine.checkpoint import RunIdentity, StateFile
from iidgan.engine.compile import Executor
from iidgan.engine.inference import in_own_units, inference_networks
from iidgan.engine.loop import LogRecord, Outcome
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import derive_seed
from iidgan.errors import InputError
from iidgan.evaluation.arrays import Arrays, load_arrays, merge_seeds, save_arrays, to_arrays
from iidgan.evaluation.classifier.store import load_evaluator
from iidgan.evaluation.coverage_monitor import COVERAGE_METRIC, CoverageMonitor
from iidgan.evaluation.evaluate import (
    EvaluationPoint,
    describe_average,
    evaluate_samples,
    make_records,
)
from iidgan.evaluation.sampling import draw_samples
from iidgan.records import append_records, read_records
from iidgan.training.context import TrainContext, create_statistics_stream
from iidgan.training.coverage_history import (
    CoverageHistory,
    collect_histories,
    have_collapsed,
)
from iidgan.training.export import check_exported_run, export_networks, load_networks, load_point
from iidgan.training.fine_tuning import start_from
from iidgan.training.model import TrainedNetworks
from iidgan.training.plan import Auto, ExecutionPlan
from iidgan.training.run_dir import RunDir
from iidgan.utils.device import forked_rng
from iidgan.utils.jsonl import append_lines
from iidgan.utils.provenance import collect_provenance

ProgressCallback = Callable[[str, LogRecord | None], None]
"""Callback `(message, record)`: a message for the user, or a log record with an empty message."""


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """What to train, and where to save it.

    Arguments:
        run: The run.
        seeds: Its seeds.
        out: The run directory.
        device: Device to train on.
        keep: Number of newest checkpoints of each seed to keep.
        keep_networks: Whether to keep G (and F) of every checkpoint.
        metrics: Metrics to measure, by the name of their family; the registered ones by default.
        diagnose_every: Steps between measurements of the coverage; 0: none; `auto`: by their cost.
        stop_when_collapsed: Whether to end the training of seeds that have collapsed for good.
    """

    run: Run
    seeds: tuple[int, ...]
    out: Path
    device: torch.device
    keep: int = 3
    keep_networks: bool = False
    metrics: Mapping[str, Metric] | None = None
    diagnose_every: int | Auto = 0
    stop_when_collapsed: bool = False

    @property
    def identity(self) -> RunIdentity:
        """What checkpoints record of the run."""
        return RunIdentity(self.run.id, self.seeds)

    @property
    def run_dir(self) -> RunDir:
        """The run directory."""
        return RunDir(self.out, list_types(self.run))


class TrainSession:
    """The training of some seeds of a run.

    It writes the log lines, checkpoints and metric records of these seeds alone, so that several
    processes can train the seeds of one run.

    Arguments:
        spec: The run.
        seeds: Seeds to train, which follow each other in the run.
        on_progress: Callback for messages and log records.
        data: The data of the run, on its device; loaded by default.
        plan: How the run is executed, once this is decided.

    Raises:
        InputError: The data cannot be read.
    """

    def __init__(
        self,
        spec: RunSpec,
        seeds: Sequence[int],
        *,
        on_progress: ProgressCallback,
        data: Dataset | None = None,
        plan: ExecutionPlan | None = None,
    ) -> None:
        self.spec, self.run, self.seeds = spec, spec.run, tuple(seeds)
        self.run_dir, self.on_progress, self.plan = spec.run_dir, on_progress, plan
        self.data = load_data(self.run.source).to(spec.device) if data is None else data
        self.evaluator = load_evaluator(self.run.source, self.data, spec.device)
        torch.manual_seed(derive_seed(*self.seeds))
        self.context = TrainContext.create(self.run, self.seeds, self.data, spec.device)
        self.state = self.context.state
        self._monitor: CoverageMonitor | None = None
        self._histories: dict[int, CoverageHistory] | None = None

    @property
    def outcome(self) -> Outcome | None:
        """How training has ended, or None while there are steps left."""
        if bool((self.state.diverged >= 0).all()):
            return "diverged"
        if self.state.step >= self.run.steps:
            return "finished"
        return "collapsed" if self.spec.stop_when_collapsed and self._have_collapsed() else None

    def _have_collapsed(self) -> bool:
        diverged = dict(zip(self.seeds, self.state.diverged.tolist()))
        return have_collapsed(self.histories, diverged, self.run.steps)

    def load(self, files: Mapping[int, StateFile]) -> str:
        """Restore the state from the checkpoint of each seed, or start from trained networks.

        Arguments:
            files: The file of each seed that has a valid checkpoint.

        Returns:
            Which trained networks fitted, for the user; empty if none are started from.

        Raises:
            InputError: A checkpoint is damaged, or belongs to other networks, or the networks to
                start from are missing.
        """
        if self.seeds[0] in files:
            checkpoint.load_state(self.state, self.seeds, files)
        elif self.run.start is not None:
            return start_from(self.state, self.run.start, self.run_dir.plugins)
        return ""

    def measure_if_needed(self, *, must_measure: bool) -> None:
        """Measure the present step unless this was done before.

        Arguments:
            must_measure: Whether to measure even then.
        """
        steps = dict.fromkeys(self.seeds, self.state.step)
        if self.state.step and (must_measure or not is_measured(self.spec, steps)):
            self.measure()

    def log_executor(self, executor: Executor) -> None:
        """Log the executor that is used, if the planned one failed and steps run eagerly instead.

        Metric records name it, and a resumed run keeps it.

        Arguments:
            executor: How steps are executed.
        """
        if self.plan is not None and executor != self.plan.executor:
            self.plan = replace(self.plan, executor=executor)
            self.record_execution()
            self.run_dir.log_event("executor", step=self.state.step, executor=executor)

    def record_execution(self) -> None:
        """Record in `run.json` how the run is executed."""
        provenance = self.collect_provenance()
        names = ("executor", "workers", "processes", "device")
        execution = {name: provenance[name] for name in names if name in provenance}
        self.run_dir.record_execution(execution)

    def log_losses(self, record: LogRecord) -> None:
        """Append the losses of the seeds to the log, and divergences to the events.

        Arguments:
            record: Losses and divergences since the last record, of these seeds.
        """
        log_lines = [
            {
                "step": record.step,
                "seed": seed,
                "seconds": round(record.seconds, 4),
                **{name: _round_finite(values[i]) for name, values in record.losses.items()},
            }
            for i, seed in enumerate(self.seeds)
        ]
        append_lines(self.run_dir.log_file, log_lines)
        for position, step in record.diverged.items():
            seed = self.seeds[position]
            self.run_dir.log_event("diverged", seed=seed, step=step)
            self.on_progress(f"seed {seed} diverged at step {step}", None)
        coverage = tuple(history.last for history in (self._histories or {}).values())
        self.on_progress("", replace(record, seeds=self.seeds, coverage=coverage))

    def save_checkpoint(self) -> None:
        """Save the state, then measure and export the networks."""
        checkpoint.save_state(
            self.run_dir.checkpoint_dir,
            self.state,
            identity=self.spec.identity,
            seeds=self.seeds,
            keep=self.spec.keep,
        )
        self.measure()

    def diagnose(self) -> bool:
        """Measure the coverage, keep networks that are the best so far, and warn of a fall.

        Returns:
            Whether to end the training of these seeds, since they have collapsed for good.
        """
        point, monitor = self._make_point(), self.prepare_diagnosis()
        protocol = {**monitor.protocol, **describe_average(self.run)}
        with forked_rng(self.spec.device):
            nets = inference_networks(self.state, self._new_batches())
            generator = in_own_units(nets, self.data.scaling)["G"]
            values = monitor.measure(
                generator, self.seeds, self.run.arch.latent, self.run.find_classes(self.data)
            )
            values = values.where(self.state.diverged.cpu() < 0, torch.nan)
            networks = self._collect_networks(point, nets)
            for seed, value in zip(self.seeds, values.tolist()):
                self._add_coverage(seed, value, protocol, networks)
        # Last: if the process ends before, the diagnosis is repeated.
        provenance = self.collect_provenance()
        records = make_records(point, COVERAGE_METRIC, values, protocol, provenance)
        append_records(self.run_dir.metrics_file, records)
        return self.outcome == "collapsed"

    def prepare_diagnosis(self) -> CoverageMonitor:
        """Return what measures the coverage; training calls this first, for an early error.

        Raises:
            InputError: The coverage of the data cannot be measured, or weights are missing.
        """
        if self._monitor is None:
            self._monitor = CoverageMonitor(self.data, self.spec.device)
        return self._monitor

    @property
    def histories(self) -> dict[int, CoverageHistory]:
        """The coverage of each seed so far, which is first read from the metric records."""
        if self._histories is None:
            records = read_records(self.run_dir.metrics_file)
            self._histories = collect_histories(records, self.seeds, self.state.step)
        return self._histories

    def _add_coverage(
        self, seed: int, value: float, protocol: MetricProtocol, networks: TrainedNetworks
    ) -> None:
        if math.isnan(value):
            return
        history = self.histories[seed].append(self.state.step, value, protocol)
        self.histories[seed] = history
        if history.is_at_best:
            export_networks(self.run_dir.best_networks_dir(seed), networks.select_seed(seed))
        if history.has_fallen:
            self._warn_of_fall(seed, history)

    def _warn_of_fall(self, seed: int, history: CoverageHistory) -> None:
        step, (best_step, best) = self.state.step, history.best
        self.run_dir.log_event(
            "coverage fell",
            seed=seed,
            step=step,
            coverage=history.last,
            best=best,
            best_step=best_step,
        )
        self.on_progress(
            f"warning: the coverage of seed {seed} fell to {history.last:.2f} at step {step}, "
            f"below half of its best, {best:.2f} at step {best_step}; the networks of that step "
            f"are in {self.run_dir.best_networks_dir(seed)}",
            None,
        )

    def _make_point(self) -> EvaluationPoint:
        steps = [self.state.step] * len(self.seeds)
        return EvaluationPoint(self.run, self.seeds, steps, self.state.diverged.tolist())

    def measure(self) -> None:
        """Measure the networks, and export them."""
        point = self._make_point()
        with torch.random.fork_rng(devices=[]):  # evaluation must not perturb the training RNG
            nets = inference_networks(self.state, self._new_batches())
            samples = draw_samples(nets, self.data, point, self.evaluator)
        records = evaluate_samples(samples, point, self.collect_provenance(), self.spec.metrics)
        append_records(self.run_dir.metrics_file, records)
        networks = self._collect_networks(point, nets)
        if self.spec.keep_networks:  # first: a step whose samples are exported is done
            for seed in self.seeds:
                folder = self.run_dir.past_networks_dir(seed, self.state.step)
                export_networks(folder, networks.select_seed(seed))
        self._export(to_arrays(samples, point), networks)

    def _export(self, arrays: Arrays, networks: TrainedNetworks) -> None:
        """Write the arrays and the networks of the seeds, beside those of other processes."""
        if self.seeds == self.spec.seeds:
            save_arrays(self.run_dir.arrays_file, arrays)
            export_networks(self.run_dir.generator_dir, networks)
            return
        with self.run_dir.lock_samples():
            save_arrays(self.run_dir.arrays_file, self._merge_arrays(arrays))
            export_networks(self.run_dir.generator_dir, self._merge_networks(networks))

    def _merge_arrays(self, arrays: Arrays) -> Arrays:
        try:
            return merge_seeds(load_arrays(self.run_dir.arrays_file), arrays, self.spec.seeds)
        except (InputError, KeyError, ValueError):  # missing or damaged: renewed seed by seed
            return arrays

    def _merge_networks(self, networks: TrainedNetworks) -> TrainedNetworks:
        try:
            return load_own_networks(self.spec).merge(networks, self.spec.seeds)
        except (InputError, KeyError):  # missing or damaged: renewed seed by seed
            return networks

    def collect_provenance(self) -> dict[str, str]:
        """Collect what metric records and events say of versions, hardware and execution."""
        provenance = collect_provenance(self.spec.device)
        return provenance if self.plan is None else provenance | self.plan.describe()

    def _collect_networks(self, point: EvaluationPoint, nets: nn.ModuleDict) -> TrainedNetworks:
        classes = self.run.find_classes(self.data)
        return TrainedNetworks(point, self.data.shape, nets, self.data.scaling, classes)

    def _new_batches(self) -> DatasetStream:
        return create_statistics_stream(self.run, self.seeds, self.data)


def is_measured(spec: RunSpec, steps: Mapping[int, int]) -> bool:
    """Whether the exported arrays and networks have these seeds at these steps.

    Arguments:
        spec: The run, and its directory.
        steps: Step of each seed.
    """
    try:
        point = load_point(spec.run_dir.generator_dir, plugins=spec.run_dir.plugins)
        _check_own(spec, point)
        arrays = load_arrays(spec.run_dir.arrays_file)
    except InputError:
        return False
    network_steps = dict(zip(point.seeds, point.steps))
    array_steps = dict(zip(arrays["seeds"].tolist(), arrays["step"].tolist()))
    return steps.items() <= network_steps.items() and steps.items() <= array_steps.items()


def load_own_networks(spec: RunSpec) -> TrainedNetworks:
    """Load the exported networks of a run.

    Arguments:
        spec: The run, and its directory.

    Raises:
        InputError: They are missing or damaged, or belong to another run.
    """
    networks = load_networks(spec.run_dir.generator_dir, plugins=spec.run_dir.plugins)
    _check_own(spec, networks.point)
    return networks


def _check_own(spec: RunSpec, point: EvaluationPoint) -> None:
    """Check that exported networks are those of a run.

    Raises:
        InputError: They belong to another run.
    """
    stored = RunIdentity(point.run.id, tuple(point.seeds))
    check_exported_run(spec.run_dir.generator_dir, stored, spec.identity)


def load_data(source: Source) -> Dataset:
    """Load the data of a source.

    Arguments:
        source: Where the data come from.

    Raises:
        InputError: They cannot be read, or the source returns something else.

    Examples:
        >>> from iidgan import Ring
        >>> from iidgan.training.session import load_data
        >>> data = load_data(Ring(modes=8, size=1000))
        >>> len(data), data.shape
        (1000, (2,))
    """
    data = source.load()
    if not isinstance(data, Dataset):
        raise InputError(
            f"source: load() of {type(source).__name__} must return a Dataset, "
            f"got {type(data).__name__}"
        )
    return data


def _round_finite(value: float) -> float | None:
    return round(value, 6) if value == value and abs(value) != float("inf") else None
