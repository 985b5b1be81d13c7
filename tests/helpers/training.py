"""Tiny runs, how they are trained, and what their directories hold."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from iidgan import records
from iidgan.config.run import Run
from iidgan.core import (
    Batch,
    Conditioning,
    Dataset,
    Losses,
    LossFn,
    Method,
    Nets,
    NetworkFactory,
    NoiseShapes,
    Player,
    Source,
)
from iidgan.data import Ring
from iidgan.engine import checkpoint
from iidgan.engine.loop import StopRequest
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import init_state
from iidgan.engine.step import TrainStep
from iidgan.methods import GAN
from iidgan.nn import MLP
from iidgan.train import train
from iidgan.training.run_dir import RunDir
from iidgan.training.run_session import Result
from iidgan.utils.files import DIGESTS_FILE, PARTIAL_PREFIX
from iidgan.utils.jsonl import read_lines

STEPS, EVERY = 12, 4


@pytest.fixture
def fast_evaluation(monkeypatch):
    """Draws few samples for the metrics, and does not ask git for a commit."""
    monkeypatch.setattr(Ring, "num_evaluated", 150)
    monkeypatch.setattr("iidgan.utils.provenance.git_commit", lambda: "some-commit")


@pytest.fixture(scope="module")
def completed_run(tmp_path_factory) -> Callable[..., Path]:
    """Trains without interruption, each run once."""
    paths: dict[Any, Path] = {}

    def train_once(run: Run, seeds: int | tuple[int, ...] = 1) -> Path:
        key = run.id, seeds
        if key not in paths:
            paths[key] = tmp_path_factory.mktemp("completed") / "r"
            assert train_tiny(run, paths[key], seeds=seeds).outcome == "finished"
        return paths[key]

    return train_once


def break_compiler(monkeypatch, cache_home: Path) -> None:
    """Make compilation fail, with an empty cache."""

    def fail(*args, **kwargs):
        raise RuntimeError("no compiler")

    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_home))
    monkeypatch.setattr(torch._inductor, "aot_compile", fail, raising=False)


def set_bfloat16_units(monkeypatch, *extensions: str) -> None:
    """Let torch report a processor that has these extensions, and no others."""
    capabilities = dict.fromkeys(extensions, True)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)


def tiny_run(method: Method | None = None, **changes: Any) -> Run:
    small = {"source": Ring(size=200), "arch": MLP(hidden=(8,)), "steps": STEPS, "batch": 16}
    return Run(method=method or GAN(), **(small | changes))


def train_tiny(run: Run, out: Path, **options: Any) -> Result:
    return train(run, out=out, device="cpu", **({"checkpoint_every": EVERY} | options))


def stop_at(step: int) -> dict[str, Any]:
    """Options of a training that is stopped once `step` is logged."""
    stop = StopRequest()

    def on_progress(message, record):
        if record is not None and record.step >= step:
            stop.signal = signal.SIGTERM

    return {"on_progress": on_progress, "stop": stop}


# What a run directory holds


def read_latest_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of all seeds at their newest checkpoints."""
    identity = RunDir(path).read_identity()
    latest = checkpoint.find_latest(RunDir(path).checkpoint_dir, identity)
    return checkpoint.read_tensors(identity.seeds, latest.files)


def list_checkpoints(path: Path) -> list[str]:
    """The names of the checkpoints of a run, oldest first."""
    return sorted(folder.name for folder in RunDir(path).checkpoint_dir.glob("step-*"))


def rewrite_checkpoint(path: Path, step: int, shares: list[tuple[int, ...]]) -> None:
    """Rewrite a checkpoint of all seeds as one of processes that trained these shares."""
    run_dir = RunDir(path)
    (run, _), identity = run_dir.read_run(), run_dir.read_identity()
    folder = run_dir.checkpoint_dir / f"step-{step:08d}"
    files = checkpoint.read_state_files(folder, identity)
    factory = NetworkFactory(run.arch, run.source.load().shape)
    for share in shares:
        state = init_state(run.method, factory, run.optimiser, share, ema=run.ema)
        checkpoint.load_state(state, share, files)
        checkpoint.save_state(path / "parts", state, identity=identity, seeds=share)
    shutil.rmtree(folder)
    (path / "parts" / folder.name).rename(folder)
    shutil.rmtree(path / "parts")


def _bits(value: Tensor) -> tuple[Any, ...]:
    return value.dtype, tuple(value.shape), value.numpy().tobytes()


def differing_tensors(left: dict[str, Tensor], right: dict[str, Tensor]) -> list[str]:
    """Lists the names of tensors that are not equal bit for bit."""
    assert left.keys() == right.keys()
    return [name for name in left if _bits(left[name]) != _bits(right[name])]


def metric_lines(path: Path, **values: Any) -> list[str]:
    """Lists the metric records without provenance, as text, since NaN equals nothing."""
    lines = [replace(r, provenance={}) for r in records.read_records(RunDir(path).metrics_file)]
    return [str(line) for line in lines if all(getattr(line, k) == v for k, v in values.items())]


def read_log(path: Path) -> list[dict[str, Any]]:
    """Reads the log without times."""
    lines = read_lines(RunDir(path).log_file)
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def read_events(path: Path) -> list[str]:
    return [line["event"] for line in read_lines(RunDir(path).events_file)]


def snapshot_files(path: Path) -> dict[str, tuple[int, bytes]]:
    """Times and contents of all files, by name."""
    files = (p for p in sorted(path.rglob("*")) if p.is_file())
    return {str(p.relative_to(path)): (p.stat().st_mtime_ns, p.read_bytes()) for p in files}


def assert_same_run(left: Path, right: Path) -> None:
    """Asserts that two directories hold the same training, bit for bit."""
    assert differing_tensors(read_latest_tensors(left), read_latest_tensors(right)) == []
    assert sorted(metric_lines(left)) == sorted(metric_lines(right))
    assert read_log(left) == read_log(right)
    for name in ("config.json", "model.safetensors"):
        assert (left / "generator" / name).read_bytes() == (
            right / "generator" / name
        ).read_bytes()
    with np.load(left / "arrays.npz") as a, np.load(right / "arrays.npz") as b:
        assert {n: a[n].tobytes() for n in a} == {n: b[n].tobytes() for n in b}
    assert not list(left.rglob(f"{PARTIAL_PREFIX}*"))


# Damage


def flip_byte(path: Path, position: int | None = None) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if position is None else position] ^= 1
    path.write_bytes(content)


def truncate_file(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a byte of the tensors": lambda path: flip_byte(path / "state.safetensors"),
    "a byte of the facts": lambda path: flip_byte(path / "state.safetensors", 60),
    "a byte of the manifest": lambda path: flip_byte(path / DIGESTS_FILE),
    "truncated tensors": lambda path: truncate_file(path / "state.safetensors"),
    "no tensors": lambda path: (path / "state.safetensors").unlink(),
    "no manifest": lambda path: (path / DIGESTS_FILE).unlink(),
    "an empty manifest": lambda path: (path / DIGESTS_FILE).write_bytes(b""),
    "an empty folder": lambda path: (shutil.rmtree(path), path.mkdir()),
}
"""Ways to damage a checkpoint."""


# Divergence


def find_first_peak(run: Run, seeds: list[int]) -> tuple[float, int, int]:
    """Finds a bound that one seed's spare uniforms exceed: the bound, the seed, its step."""
    data = run.source.load()
    factory = run.network_factory(data.shape, run.find_classes(data))
    state = init_state(run.method, factory, run.optimiser, seeds)
    repeat = TrainStep(run.method, state, steps=run.steps).num_batches
    batches = DatasetStream(
        data,
        seeds,
        batch_size=run.batch,
        latent_dim=run.arch.latent,
        batches_per_step=repeat,
        conditioning=run.method.conditioning,
    )
    drawn = [torch.stack([batch.u for batch in batches.batches_at(t)]) for t in range(run.steps)]
    peaks = torch.stack([u.amax(dim=(0, 2)) for u in drawn])  # (T, S)
    second, first = peaks.amax(0).sort().values[-2:].tolist()
    bound = (first + second) / 2
    step, position = (peaks > bound).nonzero()[0].tolist()
    return bound, position, step + 1


def select_position(saved: dict[str, Tensor], position: int) -> dict[str, Tensor]:
    per_seed = {k: v for k, v in saved.items() if v.dim() > 0 and k != checkpoint.GLOBAL_RNG}
    return {name: value[position] for name, value in per_seed.items()}


# Methods and sources that are not part of the package


class NoisyGenerator(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, z: Tensor) -> Tensor:
        return self.inner(z + 0.1 * torch.randn_like(z))


@dataclass(frozen=True, kw_only=True)
class NoisyMethod(Method):
    """A GAN that draws from the default generator, in its loss and inside G."""

    amount: float = 0.1

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", GAN().loss_G, trains=("G",))

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        networks = GAN().networks(factory)
        return networks | {"G": NoisyGenerator(networks["G"])}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        noise = torch.randn_like(batch.x)
        return GAN().loss_D(nets, replace(batch, x=batch.x + self.amount * noise))


@dataclass(frozen=True, kw_only=True)
class DivergingMethod(Method):
    """A method whose losses are NaN for a seed when one of its spare uniforms is large."""

    inner: Method
    above: float = 2.0  # never

    @property
    def conditioning(self) -> Conditioning | None:
        return self.inner.conditioning

    @property
    def players(self) -> tuple[Player, ...]:
        return tuple(replace(p, loss=partial(self.spoil, p.loss)) for p in self.inner.players)

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return self.inner.networks(factory)

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        return self.inner.noise_shapes(factory)

    def spoil(self, loss: LossFn, nets: Nets, batch: Batch) -> Losses:
        factor = torch.where(batch.u.amax(1) > self.above, torch.nan, 1.0)
        return {name: value * factor for name, value in loss(nets, batch).items()}


@dataclass(frozen=True, kw_only=True)
class PhasedMethod(Method):
    """A GAN whose D first learns alone, from pairs of batches and with noise that fades."""

    until: float = 0.5

    @property
    def players(self) -> tuple[Player, ...]:
        D, G = GAN().players
        W = Player(
            "W",
            self.loss_W,
            ("D",),
            updates_per_step=2,
            batches_per_update=2,
            active=(0.0, self.until),
        )
        return W, *(replace(player, active=(self.until, 1.0)) for player in (D, G))

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return GAN().networks(factory)

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        return {"blur": factory.shape}

    def loss_W(self, nets: Nets, batch: Batch) -> Losses:
        x = batch.x + (1 - batch.t) * batch.noise["blur"]
        return {"warm": GAN().loss_D(nets, replace(batch, x=x))["adversarial"]}


@dataclass(frozen=True, kw_only=True)
class RandomImages(Source):
    """Small random images."""

    has_images: ClassVar[bool] = True
    num_evaluated: ClassVar[int] = 20
    size: int = 40
    shape: tuple[int, int, int] = (1, 8, 8)

    def load(self) -> Dataset:
        generator = torch.Generator().manual_seed(0)
        shape = (self.size, *self.shape)
        return Dataset(torch.randint(256, shape, generator=generator).to(torch.uint8))
