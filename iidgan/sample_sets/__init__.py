"""Sets of samples from anywhere: runs, folders, archives, arrays, data sets, reference statistics.

They give images or points, and features of them. Scores of features are `evaluation`'s, and what
is said of a generator is `diagnosis`'s.
"""

from iidgan.sample_sets.opening import (
    DataLike,
    SamplesLike,
    open_data,
    open_run_data,
    open_samples,
)
from iidgan.sample_sets.sample_set import SampleSet

__all__ = ["DataLike", "SampleSet", "SamplesLike", "open_data", "open_run_data", "open_samples"]
