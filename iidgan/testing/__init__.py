"""Contracts of methods, terms, sources, backbones and metrics, each checked by one call.

    from iidgan.testing import check_method

    def test_my_gan() -> None:
        check_method(MyGAN())

A violated contract raises an `AssertionError` that says what is wrong and how to fix it. Methods,
terms and backbones are checked in float64 on the CPU, by a few training steps; the networks of
methods and terms are small.
"""

from iidgan.testing.backbone import check_backbone
from iidgan.testing.method import check_compiled, check_method
from iidgan.testing.metric import check_metric
from iidgan.testing.source import check_source
from iidgan.testing.term import check_term

__all__ = [
    "check_backbone",
    "check_compiled",
    "check_method",
    "check_metric",
    "check_source",
    "check_term",
]
