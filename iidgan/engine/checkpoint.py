"""Checkpoints: the whole training state in a folder that is written atomically.

`checkpoints/step-00024000/` holds `state.safetensors`, `state.json` and a manifest of digests. It
is written under a temporary name and renamed.
"""

from __future__ import annotations

import json
import operator
import textwrap
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor

from iidgan.engine.state import State, named_tensors, restore_state
from iidgan.errors import InputError
from iidgan.utils.files import (
    damage_as_input_error,
    integrity_error,
    read_regular_file,
    remove_folder,
    require_regular_file,
    write_folder,
)

GLOBAL_RNG = "rng"
TENSORS_FILE = "state.safetensors"
FACTS_FILE = "state.json"


@dataclass(frozen=True)
class RunIdentity:
    """Whose state a checkpoint holds.

    Arguments:
        id: Id of the run.
        seeds: Its seeds.
    """

    id: str
    seeds: tuple[int, ...]

    def __str__(self) -> str:
        seeds_text = textwrap.shorten(", ".join(map(str, self.seeds)), 80, placeholder=" ...")
        return f"run {self.id} with seeds {seeds_text}"


def save_state(
    folder: Path, state: State, *, identity: RunIdentity | None = None, keep: int = 3
) -> Path:
    """Write a checkpoint of `state` into `folder` and remove all but the newest `keep`.

    Returns:
        The folder of the checkpoint.
    """
    target = folder / f"step-{state.step:08d}"
    write_folder(target, lambda checkpoint_dir: _write_files(checkpoint_dir, state, identity))
    for old_checkpoint in _list_checkpoints(folder)[keep:]:
        remove_folder(old_checkpoint)
    return target


def _write_files(checkpoint_dir: Path, state: State, identity: RunIdentity | None) -> None:
    tensors = {
        name: value.detach().cpu().contiguous() for name, value in named_tensors(state).items()
    }
    serialised = serialise(tensors | {GLOBAL_RNG: torch.get_rng_state()})
    (checkpoint_dir / TENSORS_FILE).write_bytes(serialised)
    facts = {"step": state.step, "diverged": state.diverged.tolist()}
    if identity is not None:
        facts |= {"id": identity.id, "seeds": identity.seeds}
    (checkpoint_dir / FACTS_FILE).write_text(json.dumps(facts))


def _list_checkpoints(folder: Path) -> list[Path]:
    """List the checkpoints in `folder`, newest first."""
    return sorted(folder.glob("step-*"), reverse=True)


@dataclass(frozen=True)
class LatestCheckpoint:
    """The newest valid checkpoint of a run.

    Arguments:
        path: Its folder, or None if the run has no valid checkpoint.
        damaged: Newer checkpoints that are damaged, each with the reason.
    """

    path: Path | None
    damaged: dict[Path, str]


def find_latest(folder: Path) -> LatestCheckpoint:
    """Find the newest checkpoint whose files match their manifest."""
    damaged: dict[Path, str] = {}
    for path in _list_checkpoints(folder):
        reason = integrity_error(path, (TENSORS_FILE, FACTS_FILE))
        if reason is None:
            return LatestCheckpoint(path, damaged)
        damaged[path] = reason
    return LatestCheckpoint(None, damaged)


def load_state(path: Path, state: State, *, identity: RunIdentity | None = None) -> None:
    """Restore `state` and the global random state from the checkpoint at `path`.

    Arguments:
        path: The checkpoint.
        state: State to restore.
        identity: Whose state it must be; a checkpoint that does not say so is accepted.

    Raises:
        InputError: The checkpoint is damaged, or belongs to another run or to other networks.
    """
    with damage_as_input_error(path / FACTS_FILE):
        facts = json.loads(read_regular_file(path / FACTS_FILE))
        stored = RunIdentity(facts["id"], tuple(facts["seeds"])) if "id" in facts else identity
    if identity is not None and stored is not None:
        check_identity(path, stored, identity)
    with damage_as_input_error(path / TENSORS_FILE, "the checkpoint must be one of this run"):
        saved_tensors = read_tensors(path)
        rng_state = saved_tensors.pop(GLOBAL_RNG)
        restore_state(state, saved_tensors)
        torch.set_rng_state(rng_state)
    with damage_as_input_error(path / FACTS_FILE):
        diverged = torch.tensor(facts["diverged"])
        if diverged.shape != state.diverged.shape or diverged.is_floating_point():
            raise ValueError(f"diverged must be one step for each seed, got {facts['diverged']!r}")
        state.step, state.diverged = operator.index(facts["step"]), diverged


def check_identity(path: Path, stored: RunIdentity, expected: RunIdentity) -> None:
    """Check that the folder at `path`, which belongs to `stored`, belongs to `expected`.

    Raises:
        InputError: It does not.
    """
    if stored != expected:
        raise InputError(
            f"{path}: belongs to {stored}, not to {expected}; restore the run.json of that run, "
            "or choose another folder"
        )


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of the checkpoint at `path` by name, on the CPU."""
    tensors_file = path / TENSORS_FILE
    with damage_as_input_error(tensors_file):
        require_regular_file(tensors_file)
        return load_file(tensors_file)
