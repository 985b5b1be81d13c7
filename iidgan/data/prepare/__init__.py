"""Anything that holds images, to one array that is mapped into memory."""

from iidgan.data.prepare.job import Outcome, prepare
from iidgan.data.prepare.names import SETS

__all__ = ["SETS", "Outcome", "prepare"]
