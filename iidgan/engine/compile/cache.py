"""Moves that were compiled before, found again without recording them.

What a recording depends on is known beforehand: the run's parts, the shapes, and the code of this
package. So a note from a digest of these to the library that was made saves the recording and the
import of the compiler, which take longer than all else before the first step.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from iidgan.core import Batch
from iidgan.engine.compile.capture import Compiled
from iidgan.engine.compile.inductor import NOTES, layout, library, place_of_code, surroundings
from iidgan.engine.compile.verify import ensure_agreement
from iidgan.engine.state import live
from iidgan.engine.step import Move
from iidgan.errors import InputError
from iidgan.utils.files import write_text

TOLERANCE = 0.1  # of a step's length: generated code rounds in its own ways


def recall(move: Move, example: Sequence[Batch]) -> Compiled | None:
    """Finds the code of a move, and sees on batches that it still does what the move does."""
    if move.recipe is None:
        return None
    try:
        note = json.loads(_note(move).read_text())
        if (code := library(note["library"])) is None:
            return None
        step = Compiled(move.state, code, note["losses"])
        ensure_agreement(move, step, example, tolerance=TOLERANCE)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return None  # what is only a memory may be lost
    return step


def remember(move: Move, step: Compiled) -> None:
    """Notes where the code of a move lies, if it was kept."""
    if move.recipe is None or not step.library:
        return
    note = {"library": step.library, "losses": step.names}
    try:
        write_text(_note(move), json.dumps(note) + "\n")
    except InputError:
        return  # a home that cannot be written to


def _note(move: Move) -> Path:
    players = [player.name for player in move.active]
    layouts = [f"{value.device} {layout(value)}" for value in live(move.state)]
    text = json.dumps([move.recipe, players, layouts, surroundings(), _sources()])
    return place_of_code() / NOTES / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"


@cache
def _sources() -> str:
    """Digests the code of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
