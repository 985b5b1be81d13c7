"""Captured steps: which graphs there are, and that together they take the eager step."""

from functools import partial

import pytest
import torch

from iidgan.engine.compile import CompiledStep
from iidgan.engine.compile.capture import CompiledSegment
from iidgan.engine.optim import Adam, RMSProp
from iidgan.engine.state import named_tensors
from iidgan.methods import GAN, iid_gan, wgan_gp
from tests.helpers.engine import (
    capture_interpreted,
    clone_tensors,
    critic_only,
    have_equal_tensors,
    make_context,
)


def capture_graphs(context):
    """Returns the graphs of a step as code."""
    graphs = []

    def collect(graph, inputs):
        graphs.append(graph.code)
        return graph

    CompiledStep.capture(context.train_step, context.batches.batches_at(0), collect)
    return graphs


def count_calls(step):
    """Counts the calls of each segment's code, which is then replaced by a counting one."""
    counts = [0] * len(step.segments)

    def call(position, function, *inputs):
        counts[position] += 1
        return function(*inputs)

    step.segments = tuple(
        CompiledSegment(partial(call, i, s.function), s.loss_names, s.batch_slices)
        for i, s in enumerate(step.segments)
    )
    return counts


@pytest.mark.slow
def test_capture_repeated_player_once():
    """The code of its update is the same however often it is called."""
    few, many = (capture_graphs(make_context(critic_only(num_updates=r))) for r in (2, 9))
    assert len(few) == 1
    assert few == many


@pytest.mark.slow
@pytest.mark.parametrize("method", [GAN(), iid_gan()], ids=["gan", "iid-gan"])
def test_capture_single_updates_as_one_graph(method):
    """Players share forward passes in it."""
    assert len(capture_graphs(make_context(method))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("optimiser", [Adam(), RMSProp()])
def test_captured_step_reads_learning_rates(optimiser):
    """They are inputs of the captured code, so that a schedule works without capturing again."""
    changes = {"optimiser": optimiser, "lr_factors": (("D", 4.0),)}
    context, other = (make_context(GAN(), **changes) for _ in range(2))
    step = capture_interpreted(context.train_step, context.batches.batches_at(0))
    for index in range(3):
        for each in (context, other):
            each.state.set_lr(0.01 * (3 - index))
        step(context.batches.batches_at(index))
        other.train_step(other.batches.batches_at(index))
    torch.testing.assert_close(named_tensors(context.state), named_tensors(other.state))


@pytest.mark.slow
@pytest.mark.parametrize("average", [{}, {"ema": 0.9}, {"ema": 0.9, "ema_rampup": 0.3}])
def test_captured_step_with_repeated_player(average):
    context, other = (make_context(wgan_gp(critic_steps=3), **average) for _ in range(2))
    before = clone_tensors(named_tensors(context.state))
    step = capture_interpreted(context.train_step, context.batches.batches_at(0))
    assert have_equal_tensors(named_tensors(context.state), before)
    counts = count_calls(step)
    for index in range(2):
        losses = step(context.batches.batches_at(index))
        expected = other.train_step(other.batches.batches_at(index))
        assert list(losses) == list(expected)
        torch.testing.assert_close(losses, expected)
    assert counts == [6, 2]
    torch.testing.assert_close(named_tensors(context.state), named_tensors(other.state))
