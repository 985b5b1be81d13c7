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
    Reference,
    Refreshing,
    Regularised,
    Standing,
    Term,
    cites,
)
from iidgan.core.metric import Metric, Protocol, Samples

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
