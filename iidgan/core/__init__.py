"""The vocabulary that everything else is written in."""

from iidgan.core.backbone import Arch, Backbone
from iidgan.core.batch import Batch, join
from iidgan.core.data import AsStored, Dataset, Mixture, Source, View
from iidgan.core.method import Loss, Losses, Method, Player, Shapes, Term
from iidgan.core.metric import Features, Judged, Metric, Protocol, Samples
from iidgan.core.networks import Headed, Nets, Refreshing, Standing
from iidgan.core.options import IS_PATH, OMIT_IF_DEFAULT
from iidgan.core.reference import Reference, cites
from iidgan.core.regularised import Regularised

__all__ = [
    "IS_PATH",
    "OMIT_IF_DEFAULT",
    "Arch",
    "AsStored",
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
    "View",
    "cites",
    "join",
]
