"""Anything that holds images, to one array that is mapped into memory."""

from iidgan.data.prepare.catalog import SETS
from iidgan.data.prepare.prepare import Outcome, prepare

__all__ = ["SETS", "Outcome", "prepare"]
