"""Checkpoints: the whole state in a folder that exists only if it is whole.

`checkpoints/step-00024000/` holds `state.safetensors`, `state.json` and a manifest of digests. It
is written under a temporary name and renamed. The newest is found by looking.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor

from iidgan.engine.state import State, restore, tensors
from iidgan.errors import InputError
from iidgan.utils.files import damage, remove_folder, write_folder

GLOBAL_RNG = "rng"


def save(folder: Path, state: State, *, keep: int = 3) -> Path:
    """Writes a checkpoint of `state` below `folder` and removes all but the newest `keep`."""
    target = folder / f"step-{state.step:08d}"
    write_folder(target, lambda place: _fill(place, state))
    for old in _found(folder)[keep:]:
        remove_folder(old)
    return target


def _fill(place: Path, state: State) -> None:
    values = {name: value.detach().cpu().contiguous() for name, value in tensors(state).items()}
    content = serialise(values | {GLOBAL_RNG: torch.get_rng_state()})
    (place / "state.safetensors").write_bytes(content)
    facts = {"step": state.step, "diverged": state.diverged.tolist()}
    (place / "state.json").write_text(json.dumps(facts))


def _found(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*"), reverse=True)


@dataclass(frozen=True)
class Newest:
    """The newest whole checkpoint of a run, and what is wrong with any newer ones."""

    path: Path | None
    damaged: dict[Path, str]


def newest(folder: Path) -> Newest:
    """Looks for the newest checkpoint whose manifest verifies."""
    damaged: dict[Path, str] = {}
    for path in _found(folder):
        reason = damage(path)
        if reason is None:
            return Newest(path, damaged)
        damaged[path] = reason
    return Newest(None, damaged)


def load(path: Path, state: State) -> None:
    """Brings `state` to where the checkpoint was taken, exactly.

    Raises:
        InputError: The checkpoint belongs to other networks.
    """
    saved = read(path)
    rng = saved.pop(GLOBAL_RNG)
    try:
        restore(state, saved)
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: does not fit the networks of this run ({error})") from None
    torch.set_rng_state(rng)
    facts = json.loads((path / "state.json").read_text())
    state.step, state.diverged = facts["step"], torch.tensor(facts["diverged"])


def read(path: Path) -> dict[str, Tensor]:
    return load_file(path / "state.safetensors")
