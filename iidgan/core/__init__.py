"""The vocabulary: what a method, a term, a source, a network and a metric are.

Protocols and value classes belong here, with no formulas and no concrete methods, networks or data
sets.
"""

from iidgan.core.backbone import Backbone, NetworkFactory
from iidgan.core.batch import Batch, concatenate_batches, fit_batch_size
from iidgan.core.conditioning import (
    ClassBalancedIndex,
    Classes,
    ClassSampling,
    Conditioning,
)
from iidgan.core.data import (
    Dataset,
    SampleView,
    Source,
    Standardisation,
    StoredView,
)
from iidgan.core.distributions import Distribution, GaussianMixture
from iidgan.core.factors import Factors
from iidgan.core.field_metadata import IS_PATH, OMIT_IF_DEFAULT, list_path_fields
from iidgan.core.method import (
    Losses,
    LossFn,
    Method,
    NoiseShapes,
    Player,
    PostUpdate,
    Term,
)
from iidgan.core.metric import ClassifierOutputs, Metric, MetricProtocol, Predictions, Samples
from iidgan.core.networks import (
    HasBatchStatistics,
    HasFeatures,
    HasInputMatrix,
    HasLayerNoise,
    HasPostUpdate,
    HasStyles,
    Nets,
    layer_noise_shapes,
)
from iidgan.core.reference import Reference, cites
from iidgan.core.regularised import Regularised
from iidgan.core.typed_fields import TypedFields, check_field_types

__all__ = [
    "IS_PATH",
    "OMIT_IF_DEFAULT",
    "Backbone",
    "Batch",
    "ClassBalancedIndex",
    "ClassSampling",
    "Classes",
    "ClassifierOutputs",
    "Conditioning",
    "Dataset",
    "Distribution",
    "Factors",
    "GaussianMixture",
    "HasBatchStatistics",
    "HasFeatures",
    "HasInputMatrix",
    "HasLayerNoise",
    "HasPostUpdate",
    "HasStyles",
    "LossFn",
    "Losses",
    "Method",
    "Metric",
    "MetricProtocol",
    "Nets",
    "NetworkFactory",
    "NoiseShapes",
    "Player",
    "PostUpdate",
    "Predictions",
    "Reference",
    "Regularised",
    "SampleView",
    "Samples",
    "Source",
    "Standardisation",
    "StoredView",
    "Term",
    "TypedFields",
    "check_field_types",
    "cites",
    "concatenate_batches",
    "fit_batch_size",
    "layer_noise_shapes",
    "list_path_fields",
]
