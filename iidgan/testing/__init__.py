"""Contracts of methods, terms and metrics, each checked by one call.

    from iidgan.testing import check_method

    def test_my_gan() -> None:
        check_method(MyGAN())

A violated contract raises an `AssertionError` that says what is wrong and how to fix it. Methods
and terms are checked in float64 on the CPU, with small networks and a few training steps.
"""

from iidgan.testing.method import check_compiled, check_method
from iidgan.testing.metric import check_metric
from iidgan.testing.term import check_term

__all__ = ["check_compiled", "check_method", "check_metric", "check_term"]
