"""Replayed steps are the eager ones, simulated on the CPU."""

import gc
import weakref

import pytest
import torch

from iidgan.core import Dataset
from iidgan.engine.compile import (
    StepDispatcher,
)
from iidgan.engine.compile.cuda_graph import CudaGraphStep
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import init_state, named_tensors
from iidgan.engine.step import TrainStep
from iidgan.methods import METHODS, iid_gan
from tests.helpers.engine import (
    SMALL_ARCH,
    clone_tensors,
    have_equal_tensors,
    make_points,
)

NUM_GRAPH_STEPS = 8


def make_run(method):
    """Returns a state, its training step, and a stream of batches."""
    state = init_state(method, SMALL_ARCH, Adam(), (0, 1), ema=0.9)
    train_step = TrainStep(method, state, steps=NUM_GRAPH_STEPS, ema=0.9)
    stream = DatasetStream(
        Dataset(make_points(50)),
        (0, 1),
        batch_size=10,
        latent_dim=2,
        batches_per_step=train_step.num_batches,
        noise_shapes=method.noise_shapes(SMALL_ARCH),
        steps=NUM_GRAPH_STEPS,
    )
    return state, train_step, stream


def take_steps(step_fn, state, stream):
    """Takes all steps and returns the losses of each."""
    losses = []
    for step in range(NUM_GRAPH_STEPS):
        state.set_lr(Adam().lr_at(step, NUM_GRAPH_STEPS))
        losses.append(step_fn(stream.batches_at(step)))
        state.step += 1
    return losses


def repeat_on_cpu(work):
    """Stands in for a capture: a replay repeats the work, into the memory of the first result."""
    result = work()

    def replay():
        result.copy_(work())

    return replay, result


def make_graph_step(step, example):
    return CudaGraphStep(step, example, capture=repeat_on_cpu)


@pytest.mark.parametrize("name", ["gan", "iid-gan", "amat", "mggan"])
def test_cuda_graph_step_equals_eager(name):
    method = METHODS[name]()
    (state, train_step, stream), (other, eager_step, _) = make_run(method), make_run(method)
    before = clone_tensors(named_tensors(state))
    dispatcher = StepDispatcher(train_step, stream.batches_at(0), build=make_graph_step)
    after = named_tensors(state)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    losses, expected = take_steps(dispatcher, state, stream), take_steps(eager_step, other, stream)
    assert [list(step_losses) for step_losses in losses] == [list(each) for each in expected]
    assert all(have_equal_tensors(a, b) for a, b in zip(losses, expected, strict=True))
    assert have_equal_tensors(named_tensors(state), named_tensors(other))


def test_cuda_graph_step_with_diverged_seed():
    state, train_step, stream = make_run(iid_gan())
    train_step(stream.batches_at(0))
    with torch.no_grad():
        for value in state.nets.parameters():
            value[1] = torch.nan
    make_graph_step(train_step, stream.batches_at(1))
    with pytest.raises(RuntimeError, match="equivalent"):
        CudaGraphStep(train_step, stream.batches_at(1), capture=lambda work: (list, work()))


@pytest.mark.slow
def test_cuda_graph_step_keeps_step_alive():
    """Replayed kernels read the step's constants, to which nothing else refers."""
    _, train_step, stream = make_run(iid_gan())

    def capture_weakly(work):
        result, reference = work(), weakref.ref(work)
        return lambda: result.copy_(reference()()), result

    step = CudaGraphStep(train_step, stream.batches_at(0), capture=capture_weakly)
    reference = weakref.ref(train_step)
    del train_step
    gc.collect()
    assert reference() is not None, step
