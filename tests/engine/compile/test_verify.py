"""Verification of prepared steps."""

import pytest

from iidgan.engine.compile.verify import assert_equivalent
from tests.helpers.engine import make_context


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_assert_equivalent_checks_losses(factor):
    """The first step of Adam has the same length whatever the gradient's is."""
    context = make_context()
    example = context.batches.batches_at(0)

    class ScaledLosses:
        state = context.state

        def __call__(self, batches):
            losses = context.train_step(batches)
            return {name: factor * value for name, value in losses.items()}

    assert_equivalent(context.train_step, context.train_step, example, tolerance=0.1)
    with pytest.raises(RuntimeError, match="equivalent"):
        assert_equivalent(context.train_step, ScaledLosses(), example, tolerance=0.1)
