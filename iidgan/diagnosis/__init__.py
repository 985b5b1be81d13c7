"""The diagnosis of a generator: what it misses, repeats, copies and makes up.

`evaluation.feature_metrics` computes the scores, and `sample_sets` reads the samples.
"""

from iidgan.diagnosis.compare import diagnose
from iidgan.diagnosis.diagnosis import Diagnosis, encode_score
from iidgan.diagnosis.regions import Region, find_regions
from iidgan.diagnosis.suspects import Suspect, Suspects, find_suspects

__all__ = [
    "Diagnosis",
    "Region",
    "Suspect",
    "Suspects",
    "diagnose",
    "encode_score",
    "find_regions",
    "find_suspects",
]
