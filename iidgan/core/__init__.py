"""The vocabulary that everything else is written in."""

from iidgan.core.data import Dataset, Mixture, Source
from iidgan.core.method import (
    Arch,
    Backbone,
    Batch,
    Loss,
    Losses,
    Method,
    Nets,
    Player,
    Refreshing,
    Regularised,
    Standing,
    Term,
)
from iidgan.core.metric import Metric, Protocol, Samples
from iidgan.core.reference import Reference, cites

__all__ = [
    "Arch",
    "Backbone",
    "Batch",
    "Dataset",
    "Loss",
    "Losses",
    "Method",
    "Metric",
    "Mixture",
    "Nets",
    "Player",
    "Protocol",
    "Reference",
    "Refreshing",
    "Regularised",
    "Samples",
    "Source",
    "Standing",
    "Term",
    "cites",
]
