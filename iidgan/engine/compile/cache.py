"""A cache of compiled steps that is looked up without capturing the step again.

What a captured graph depends on is known in advance: the parts of the run, the shapes, and the
code of this package. An entry maps a digest of these to the compiled libraries of the step's
segments, which saves the capture and the import of the compiler: they take longer than all else
before the first step.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from iidgan.core import Batch
from iidgan.engine.compile.capture import CompiledSegment, CompiledStep
from iidgan.engine.compile.inductor import (
    ENTRIES_DIR,
    cache_dir,
    environment_key,
    layout_key,
    load_library,
)
from iidgan.engine.compile.verify import COMPILED_TOLERANCES, assert_equivalent
from iidgan.engine.state import state_tensors
from iidgan.engine.step import StepSegment, TrainStep
from iidgan.errors import InputError
from iidgan.utils.files import read_regular_file, write_text

PACKAGE_DIR = Path(__file__).parents[2]


def load_cached_step(step: TrainStep, example: Sequence[Batch]) -> CompiledStep | None:
    """Load the compiled code of a step and verify it on example batches.

    Arguments:
        step: Eager step.
        example: Batches of the right shapes.

    Returns:
        The compiled step, or None if there is no valid cache entry.
    """
    if step.cache_key is None:
        return None
    try:
        entry = json.loads(read_regular_file(_entry_path(step)))
        segments = [
            _load_segment(segment, **segment_entry)
            for segment, segment_entry in zip(step.segments, entry, strict=True)
        ]
        compiled_step = CompiledStep(step.state, segments)
        tolerance = COMPILED_TOLERANCES[step.precision]
        assert_equivalent(step, compiled_step, example, tolerance=tolerance)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return None  # a broken cache entry is ignored
    return compiled_step


def store_cached_step(step: TrainStep, compiled_step: CompiledStep) -> None:
    """Store where the compiled code of a step is, if it is in the user's cache.

    Arguments:
        step: Eager step.
        compiled_step: Its compiled code.
    """
    segments = compiled_step.segments
    if step.cache_key is None or not all(segment.library_name for segment in segments):
        return
    entry = [{"library": s.library_name, "losses": s.loss_names} for s in segments]
    try:
        write_text(_entry_path(step), json.dumps(entry) + "\n")
    except InputError:
        return  # the user's cache is not writable


def _load_segment(segment: StepSegment, library: str, losses: list[str]) -> CompiledSegment:
    if (function := load_library(library)) is None:
        raise RuntimeError(f"no valid library {library}")
    return CompiledSegment(function, tuple(losses), segment.batch_slices)


def _entry_path(step: TrainStep) -> Path:
    layouts = [f"{value.device} {layout_key(value)}" for value in state_tensors(step.state)]
    key = json.dumps([step.cache_key, step.kind, layouts, environment_key(), _source_digest()])
    return cache_dir() / ENTRIES_DIR / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


@cache
def _source_digest() -> str:
    """Compute a digest of this package's source code."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE_DIR.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
