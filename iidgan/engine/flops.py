"""Floating-point operations of computations, counted as these run."""

from __future__ import annotations

from collections.abc import Callable

from torch.utils.flop_counter import FlopCounterMode


class _SingleModule:
    """A module tracker that does not track modules.

    The hooks of torch's own one fail in computations that differentiate with respect to leaves,
    as gradient penalties do.
    """

    def __init__(self) -> None:
        self.parents = {"Global"}

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass


def count_flops(compute: Callable[[], object]) -> int:
    """Count the floating-point operations of matrix products and convolutions.

    The first count of a process takes some seconds: torch's counter imports its compiler.

    Arguments:
        compute: What to count; it is called once.
    """
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = _SingleModule()  # type: ignore[assignment]
    with counter:
        compute()
    return int(counter.get_total_flops())
