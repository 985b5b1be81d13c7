"""Verification of prepared steps."""

import pytest

from iidgan.engine.compile.verify import COMPILED_TOLERANCES, assert_equivalent
from iidgan.engine.state import rollback
from tests.helpers.engine import make_context


@pytest.mark.parametrize("tolerance", COMPILED_TOLERANCES.values(), ids=COMPILED_TOLERANCES)
@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_assert_equivalent_checks_losses(factor, tolerance):
    """The first step of Adam has the same length whatever the gradient's is."""
    context = make_context()
    example = context.batches.batches_at(0)

    class ScaledLosses:
        state = context.state

        def __call__(self, batches):
            losses = context.train_step(batches)
            return {name: factor * value for name, value in losses.items()}

    assert_equivalent(context.train_step, context.train_step, example, tolerance=tolerance)
    with pytest.raises(RuntimeError, match="equivalent"):
        assert_equivalent(context.train_step, ScaledLosses(), example, tolerance=tolerance)


@pytest.mark.parametrize("tolerance", COMPILED_TOLERANCES.values(), ids=COMPILED_TOLERANCES)
def test_assert_equivalent_checks_weights(tolerance):
    """A step that moves nothing is one step length away, with the same losses."""
    context = make_context()

    class IdleStep:
        state = context.state

        def __call__(self, batches):
            with rollback(context.state):
                return context.train_step(batches)

    example = context.batches.batches_at(0)
    with pytest.raises(RuntimeError, match="equivalent"):
        assert_equivalent(context.train_step, IdleStep(), example, tolerance=tolerance)
