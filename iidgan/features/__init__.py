"""Features of images: frozen networks, their protocols, and the extraction with its cache.

Metrics on features, and the commands that print them, do not belong here.
"""

from iidgan.features.cache import Features
from iidgan.features.extraction import extract, features_cache_dir
from iidgan.features.extractor import FrozenExtractor
from iidgan.features.images import ImageBlocks
from iidgan.features.protocol import FeatureProtocol
from iidgan.features.registry import EXTRACTORS, create_extractor, wrap_net

__all__ = [
    "EXTRACTORS",
    "FeatureProtocol",
    "Features",
    "FrozenExtractor",
    "ImageBlocks",
    "create_extractor",
    "extract",
    "features_cache_dir",
    "wrap_net",
]
