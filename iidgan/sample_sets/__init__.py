"""Sets of samples from anywhere: runs, folders, archives, arrays, data sets, reference statistics.

They give images or points, and features of them. Scores of features are `evaluation`'s, and what
is said of a generator is `diagnosis`'s.
"""

from iidgan.sample_sets.feature_set import (
    FeatureSet,
    create_extractor_for,
    extract_features,
    pair_features,
)
from iidgan.sample_sets.opening import (
    DataLike,
    SamplesLike,
    open_data,
    open_run_data,
    open_samples,
)
from iidgan.sample_sets.reference import (
    open_reference,
    open_run_reference,
    read_reference,
    write_reference,
)
from iidgan.sample_sets.sample_set import SampleSet

__all__ = [
    "DataLike",
    "FeatureSet",
    "SampleSet",
    "SamplesLike",
    "create_extractor_for",
    "extract_features",
    "open_data",
    "open_reference",
    "open_run_data",
    "open_run_reference",
    "open_samples",
    "pair_features",
    "read_reference",
    "write_reference",
]
