"""The vocabulary that everything else is written in."""

from iidgan.core.backbone import Arch, Backbone
from iidgan.core.batch import Batch, join
from iidgan.core.data import Dataset, Mixture, Source
from iidgan.core.method import Loss, Losses, Method, Player, Shapes, Term
from iidgan.core.metric import Features, Judged, Metric, Protocol, Samples
from iidgan.core.nets import Headed, Nets, Refreshing, Standing
from iidgan.core.reference import Reference, cites
from iidgan.core.regularised import Regularised

__all__ = [
    "Arch",
    "Backbone",
    "Batch",
    "Dataset",
    "Features",
    "Headed",
    "Judged",
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
    "Shapes",
    "Source",
    "Standing",
    "Term",
    "cites",
    "join",
]
