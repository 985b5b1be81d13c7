"""Convert images in any format into one memory-mapped array with labels and a manifest.

Decoding, resizing, labels, archives and writing belong here; reading a format is in
`data.prepare.readers`, and loading the result is `data.prepared_source`'s.
"""

from iidgan.data.prepare.catalog import DATASETS
from iidgan.data.prepare.conversion import PrepareResult, prepare

__all__ = ["DATASETS", "PrepareResult", "prepare"]
