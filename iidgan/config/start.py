"""Trained networks that a run starts from."""

from __future__ import annotations

from dataclasses import dataclass, field

from iidgan.core import IS_PATH, TypedFields
from iidgan.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Start(TypedFields):
    """Trained networks that every seed of a run starts from; `iidgan.read_start` creates it.

    The digest is part of the run's id, and the path is not: the same networks may lie anywhere.

    Raises:
        InputError: A value is out of range or of the wrong type.
    """

    path: str = field(metadata=IS_PATH)
    """Run directory, or folder of exported networks."""
    seed: int
    """Seed whose networks they are."""
    digest: str
    """First 12 hexadecimal digits of the SHA-256 of their names and values."""
    freeze_d: int = 0
    """Number of layers of D, from its input, that keep their weights."""

    def __post_init__(self) -> None:
        if self.freeze_d < 0:
            raise InputError(f"freeze-d: must be >= 0, got {self.freeze_d}")
