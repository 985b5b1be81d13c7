"""Checkpoints: the whole training state of each seed, in files that are written atomically.

`checkpoints/step-00024000/` holds one file per process that trains seeds of the run, and a
manifest of digests: `state.safetensors` if one process trains all seeds, or files such as
`state-0-1.safetensors` and `state-2-4.safetensors` with the seeds at these positions. Processes do
not wait for each other: a folder may lack seeds that have not reached its step.

Checkpoints of before have one `state.safetensors`, and a `state.json` with what is now its
metadata.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor

from iidgan.engine.state import State, concat_seeds, named_tensors, restore_state, select_seeds
from iidgan.errors import InputError
from iidgan.utils.files import (
    DIGESTS_FILE,
    add_to_folder,
    damage_as_input_error,
    integrity_error,
    read_digests,
    read_regular_file,
    remove_folder,
    require_regular_file,
)
from iidgan.utils.locks import file_lock

GLOBAL_RNG = "rng"
OLD_FACTS_FILE = "state.json"
LOCK_FILE = ".lock"
METADATA_KEY = "checkpoint"
"""The only key of a file's metadata, whose order is otherwise not that in which it is written."""

_STATE_FILE_NAME = re.compile(r"state(?:-(\d+)-(\d+))?\.safetensors")
_FILE_NAME = re.compile(rf"{_STATE_FILE_NAME.pattern}|{re.escape(OLD_FACTS_FILE)}")


@dataclass(frozen=True)
class RunIdentity:
    """Whose state a checkpoint holds.

    Arguments:
        id: Id of the run.
        seeds: Its seeds.

    Examples:
        >>> from iidgan.engine.checkpoint import RunIdentity
        >>> str(RunIdentity("4f2a", (0, 1, 2)))
        'run 4f2a with seeds 0, 1, 2'
    """

    id: str
    seeds: tuple[int, ...]

    def __str__(self) -> str:
        seeds_text = textwrap.shorten(", ".join(map(str, self.seeds)), 80, placeholder=" ...")
        return f"run {self.id} with seeds {seeds_text}"


@dataclass(frozen=True)
class StateFile:
    """A file with the state of some seeds of a run.

    Arguments:
        path: The file.
        step: Steps that its seeds have taken.
        seeds: Its seeds.
        diverged: For each of them the step at which it diverged, or -1.
    """

    path: Path
    step: int
    seeds: tuple[int, ...]
    diverged: tuple[int, ...]

    def diverged_step_of(self, seed: int) -> int:
        """Return the step at which one of the seeds diverged, or -1.

        Arguments:
            seed: One of `seeds`.
        """
        return self.diverged[self.seeds.index(seed)]


def save_state(
    folder: Path,
    state: State,
    *,
    identity: RunIdentity,
    seeds: Sequence[int] | None = None,
    keep: int = 3,
) -> Path:
    """Write a checkpoint into `folder`, and remove older ones of the same seeds.

    Arguments:
        folder: Folder of the checkpoints.
        state: What to save.
        identity: The run and all of its seeds.
        seeds: Seeds of `state`, which follow each other in the run; by default all.
        keep: Number of newest checkpoints of each seed to keep.

    Returns:
        The folder of the checkpoint.
    """
    seeds = identity.seeds if seeds is None else tuple(seeds)
    tensors = {
        name: value.detach().cpu().contiguous() for name, value in named_tensors(state).items()
    }
    facts = {
        "id": identity.id,
        "run_seeds": identity.seeds,
        "seeds": seeds,
        "step": state.step,
        "diverged": state.diverged.tolist(),
    }
    content = serialise(
        tensors | {GLOBAL_RNG: torch.get_rng_state()}, {METADATA_KEY: json.dumps(facts)}
    )
    target = folder / _checkpoint_name(state.step)
    is_only_process = seeds == identity.seeds
    with nullcontext() if is_only_process else file_lock(folder / LOCK_FILE):
        add_to_folder(target, _state_file_name(identity.seeds, seeds), content)
        for old_checkpoint in _list_superseded(folder, keep, len(identity.seeds)):
            remove_folder(old_checkpoint)
    return target


def _state_file_name(run_seeds: tuple[int, ...], seeds: tuple[int, ...]) -> str:
    if seeds == run_seeds:
        return "state.safetensors"
    first_position = run_seeds.index(seeds[0])
    return f"state-{first_position}-{first_position + len(seeds) - 1}.safetensors"


def _list_checkpoints(folder: Path) -> list[Path]:
    """List the checkpoints in `folder`, newest first."""
    return sorted(folder.glob("step-*"), reverse=True)


def _list_superseded(folder: Path, keep: int, num_seeds: int) -> list[Path]:
    """List the checkpoints all of whose seeds have `keep` newer ones."""
    num_newer: Counter[int] = Counter()
    superseded = []
    for path in _list_checkpoints(folder):
        positions = _saved_positions(path, num_seeds)
        if positions and all(num_newer[position] >= keep for position in positions):
            superseded.append(path)
        num_newer.update(positions)
    return superseded


def _saved_positions(path: Path, num_seeds: int) -> set[int]:
    """List the positions of the seeds in a checkpoint; none if its manifest is damaged."""
    try:
        matches = [
            match for name in read_digests(path) if (match := _STATE_FILE_NAME.fullmatch(name))
        ]
    except InputError:
        return set()
    ranges = [
        range(int(match[1]), int(match[2]) + 1) if match[1] else range(num_seeds)
        for match in matches
    ]
    return {*chain(*ranges)}


@dataclass(frozen=True)
class LatestCheckpoints:
    """The newest valid checkpoint of each seed of a run.

    Arguments:
        files: The file of each seed that has a valid checkpoint.
        damaged: Newer checkpoints that are damaged, each with the reason.
    """

    files: Mapping[int, StateFile]
    damaged: Mapping[Path, str]

    def group_seeds(self, seeds: Sequence[int]) -> list[tuple[int, ...]]:
        """Split seeds, in order, wherever the number of steps taken changes.

        Arguments:
            seeds: Seeds of the run.

        Returns:
            Groups of seeds that follow each other and have taken the same number of steps.

        Examples:
            >>> from pathlib import Path
            >>> from iidgan.engine.checkpoint import LatestCheckpoints, StateFile
            >>> path = Path("state-0-1.safetensors")
            >>> file = StateFile(path, 2000, seeds=(0, 1), diverged=(-1, -1))
            >>> LatestCheckpoints({0: file, 1: file}, damaged={}).group_seeds([0, 1, 2])
            [(0, 1), (2,)]
        """
        return [tuple(group) for _, group in groupby(seeds, key=self.step_of)]

    def step_of(self, seed: int) -> int:
        """Return the number of steps that a seed has taken.

        Arguments:
            seed: Seed of the run; without a valid checkpoint it has taken no step.
        """
        return self.files[seed].step if seed in self.files else 0

    def diverged_step_of(self, seed: int) -> int:
        """Return the step at which a seed diverged, or -1.

        Arguments:
            seed: Seed of the run.
        """
        file = self.files.get(seed)
        return -1 if file is None else file.diverged_step_of(seed)


def find_latest(folder: Path, identity: RunIdentity) -> LatestCheckpoints:
    """Find the newest checkpoint of each seed whose files match their manifest.

    Arguments:
        folder: Folder of the checkpoints.
        identity: The run and its seeds.

    Raises:
        InputError: A checkpoint belongs to another run.
    """
    files: dict[int, StateFile] = {}
    damaged: dict[Path, str] = {}
    for path in _list_checkpoints(folder):
        reason = integrity_error(path, _FILE_NAME)
        checkpoint_files = {} if reason else read_state_files(path, identity)
        reason = reason or _wrong_content(path, checkpoint_files)
        if reason:
            damaged[path] = reason
        else:
            files = checkpoint_files | files
        if files.keys() >= {*identity.seeds}:
            break
    return LatestCheckpoints(files, damaged)


def _wrong_content(path: Path, files: Mapping[int, StateFile]) -> str | None:
    """Say how the content of a checkpoint contradicts its name, which may have been changed."""
    if not files:
        return f"{DIGESTS_FILE} lists no state"
    steps = {file.step for file in files.values() if _checkpoint_name(file.step) != path.name}
    return f"its files are of step {min(steps)}" if steps else None


def _checkpoint_name(step: int) -> str:
    return f"step-{step:08d}"


def read_state_files(path: Path, identity: RunIdentity) -> dict[int, StateFile]:
    """List the files of the checkpoint at `path` by seed.

    Arguments:
        path: Folder of one checkpoint.
        identity: The run and its seeds.

    Raises:
        InputError: A file is damaged, or belongs to another run.
    """
    names = [name for name in read_digests(path) if _STATE_FILE_NAME.fullmatch(name)]
    state_files = [_read_state_file(path / name, identity) for name in names]
    return {seed: state_file for state_file in state_files for seed in state_file.seeds}


def _read_state_file(file: Path, identity: RunIdentity) -> StateFile:
    with damage_as_input_error(file):
        facts = _read_facts(file)
        if "id" in facts:  # otherwise it is of a time when files did not say whose they are
            run_seeds = facts.get("run_seeds", facts["seeds"])
            check_identity(file, RunIdentity(facts["id"], tuple(run_seeds)), identity)
        step, seeds, diverged = (
            facts["step"],
            facts.get("seeds", identity.seeds),
            facts["diverged"],
        )
        numbers = [step, *seeds, *diverged]
        are_integers = all(type(number) is int for number in numbers)
        if not are_integers or step < 0 or len(seeds) != len(diverged):
            raise ValueError(f"must have a step and one diverged step for each seed, got {facts}")
        if not seeds or not {*seeds} <= {*identity.seeds}:
            raise ValueError(f"must hold seeds of {identity}, got {seeds}")
        return StateFile(file, step, tuple(seeds), tuple(diverged))


def _read_facts(file: Path) -> dict[str, Any]:
    require_regular_file(file)
    with safe_open(file, framework="pt") as content:
        metadata = content.metadata() or {}
    if METADATA_KEY in metadata:
        facts = metadata[METADATA_KEY]
    else:
        facts = read_regular_file(file.with_name(OLD_FACTS_FILE)).decode()
    return dict(json.loads(facts))


def load_state(state: State, seeds: Sequence[int], files: Mapping[int, StateFile]) -> None:
    """Restore `state` and the global random state.

    Arguments:
        state: State to restore.
        seeds: Its seeds, all of which have taken the same number of steps.
        files: The file of each seed.

    Raises:
        InputError: A file is damaged, or belongs to other networks.
    """
    first_file = files[seeds[0]]
    tensors = read_tensors(seeds, files)
    with damage_as_input_error(first_file.path, "the checkpoint must be one of this run"):
        rng_state = tensors.pop(GLOBAL_RNG)
        restore_state(state, tensors)
        torch.set_rng_state(rng_state)
    state.step = first_file.step
    state.diverged = torch.tensor([files[seed].diverged_step_of(seed) for seed in seeds])


def read_tensors(seeds: Sequence[int], files: Mapping[int, StateFile]) -> dict[str, Tensor]:
    """Read the tensors of some seeds, on the CPU.

    Arguments:
        seeds: Seeds, all of which have taken the same number of steps.
        files: The file of each seed.

    Returns:
        Tensors by name, with the seed axis first, and the global random state of the first file.

    Raises:
        InputError: A file is damaged.
    """
    parts = [_read_part(file, [*group]) for file, group in groupby(seeds, files.__getitem__)]
    rng_states = [part.pop(GLOBAL_RNG, None) for part in parts]
    with damage_as_input_error(files[seeds[0]].path):
        if rng_states[0] is None:
            raise KeyError(GLOBAL_RNG)
        return concat_seeds(parts) | {GLOBAL_RNG: rng_states[0]}


def check_identity(path: Path, stored: RunIdentity, expected: RunIdentity) -> None:
    """Check that the folder at `path`, which belongs to `stored`, belongs to `expected`.

    Arguments:
        path: The folder, for the message.
        stored: Run and seeds that its files name.
        expected: Run and seeds that it should belong to.

    Raises:
        InputError: It does not.
    """
    if stored != expected:
        raise InputError(
            f"{path}: belongs to {stored}, not to {expected}; restore the run.json of that run, "
            "or choose another folder"
        )


def _read_part(file: StateFile, seeds: Sequence[int]) -> dict[str, Tensor]:
    """Read the tensors of some seeds of a file, which follow each other."""
    with damage_as_input_error(file.path):
        require_regular_file(file.path)
        tensors = load_file(file.path)
    if len(seeds) == len(file.seeds):
        return tensors
    first = file.seeds.index(seeds[0])
    rng_state = {name: tensors.pop(name) for name in (GLOBAL_RNG,) if name in tensors}
    return select_seeds(tensors, slice(first, first + len(seeds))) | rng_state
