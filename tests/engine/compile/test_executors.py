"""Prepared steps by phase, and the fallback to eager execution."""

from dataclasses import dataclass
from functools import partial

import pytest
import torch

import iidgan
from iidgan.core import NetworkFactory, Player, Regularised, Term
from iidgan.engine.compile import CompiledStep, StepDispatcher, check_executor, compile_step
from iidgan.engine.compile.cuda_graph import CudaGraphStep
from iidgan.engine.compile.executors import ACTIVITIES, EXECUTORS
from iidgan.engine.optim import Adam
from iidgan.engine.state import init_state, named_tensors, restore_state
from iidgan.engine.step import TrainStep
from iidgan.functional.reduce import mean_per_seed
from iidgan.methods import GAN, iid_gan
from iidgan.nn import MLP
from tests.helpers.engine import (
    ARCH,
    NUM_STEPS,
    PHASED,
    FixedPlayers,
    capture_interpreted,
    clone_tensors,
    critic_only,
    have_close_tensors,
    have_equal_tensors,
    lazy_iid_gan,
    make_context,
    make_stream,
    run_steps,
)
from tests.helpers.errors import raises_input_error


def make_phased():
    arch = NetworkFactory(MLP(latent=2, hidden=(4,)), ARCH.shape)  # little to compile
    state = init_state(PHASED, arch, Adam(), (0, 1), ema=0.9)
    return state, TrainStep(PHASED, state, steps=10, ema=0.9)


@pytest.mark.slow
def test_compile_step_in_bfloat16():
    """Its code rounds less often than the eager step, and is used all the same."""
    context, messages = make_context(critic_only(num_updates=1), precision="bfloat16"), []
    example = context.batches.batches_at(0)
    step = compile_step("compiled", context.train_step, example, messages.append)
    assert messages == [ACTIVITIES["compiled"]]
    assert step is not context.train_step


@pytest.mark.usefixtures("float64")
class TestStepDispatcher:
    """Phases of four, one and five steps."""

    def stream(self):
        return make_stream((0, 1), 2, noise_shapes=PHASED.noise_shapes(ARCH), steps=10)

    @pytest.mark.parametrize("stop", [3, 4, 5, 7])
    def test_train_step_resumes_across_phases(self, stop):
        (whole, train_step), (first, before), (second, after) = (make_phased() for _ in range(3))
        expected = run_steps(train_step, whole, self.stream(), range(10))
        losses = run_steps(before, first, self.stream(), range(stop))
        restore_state(second, clone_tensors(named_tensors(first)))
        second.step = stop
        losses += run_steps(after, second, self.stream(), range(stop, 10))
        assert have_equal_tensors(named_tensors(second), named_tensors(whole))
        assert all(have_equal_tensors(a, b) for a, b in zip(losses, expected, strict=True))

    def test_train_step_late_player_counts(self):
        """Its optimiser counts its own updates."""
        state, train_step = make_phased()
        run_steps(train_step, state, self.stream(), range(7))
        slots = state.optimisers["D"][0].state.values()
        assert {int(slot["step"]) for slot in slots} == {2}

    @pytest.mark.slow
    def test_phase_dispatcher_captured_equals_eager(self):
        """A captured run that is resumed in a later phase ends where it would have, too."""
        (whole, train_step), (state, other) = make_phased(), make_phased()
        expected = run_steps(train_step, whole, self.stream(), range(10))
        dispatcher = StepDispatcher(other, self.stream().batches_at(0), build=capture_interpreted)
        losses = run_steps(dispatcher, state, self.stream(), range(6))
        saved = clone_tensors(named_tensors(state))
        losses += run_steps(dispatcher, state, self.stream(), range(6, 10))
        assert [list(each) for each in losses] == [list(each) for each in expected]
        assert all(have_close_tensors(a, b) for a, b in zip(losses, expected, strict=True))
        assert have_close_tensors(named_tensors(state), named_tensors(whole))

        resumed, third = make_phased()
        resumed.step = 6
        restore_state(resumed, saved)
        resumed_step = StepDispatcher(
            third, self.stream().batches_at(6), build=capture_interpreted
        )
        assert have_equal_tensors(named_tensors(resumed), saved)  # compiling leaves no trace
        run_steps(resumed_step, resumed, self.stream(), range(6, 10))
        assert have_equal_tensors(named_tensors(resumed), named_tensors(state))

    @pytest.mark.slow
    def test_lazy_step_captured_equals_eager(self):
        """One captured step for each kind; resumed in a step without the terms, it ends equal."""
        method = lazy_iid_gan(3)
        arch = NetworkFactory(MLP(latent=2, hidden=(4,)), ARCH.shape)
        whole, state, resumed = (init_state(method, arch, Adam(), (0, 1)) for _ in range(3))
        train_step, other, third = (
            TrainStep(method, each, steps=10) for each in (whole, state, resumed)
        )
        stream, captured = make_stream((0, 1), steps=10), []

        def capture(step, batches):
            captured.append(step.kind.phase)
            return capture_interpreted(step, batches)

        expected = run_steps(train_step, whole, stream, range(10))
        dispatcher = StepDispatcher(other, stream.batches_at(0), build=capture)
        losses = run_steps(dispatcher, state, stream, range(4))
        saved = clone_tensors(named_tensors(state))
        losses += run_steps(dispatcher, state, stream, range(4, 10))
        assert captured == [0, 1]
        assert all(have_close_tensors(a, b) for a, b in zip(losses, expected, strict=True))
        assert have_close_tensors(named_tensors(state), named_tensors(whole))

        resumed.step = 4
        restore_state(resumed, saved)
        resumed_step = StepDispatcher(third, stream.batches_at(4), build=capture)
        run_steps(resumed_step, resumed, stream, range(4, 10))
        assert have_equal_tensors(named_tensors(resumed), named_tensors(state))

    @pytest.mark.slow
    def test_compile_step_later_phase_fallback(self, monkeypatch):
        (whole, train_step), (state, other) = make_phased(), make_phased()
        run_steps(train_step, whole, self.stream(), range(6))
        messages = []
        monkeypatch.setitem(EXECUTORS, "compiled", capture_interpreted)
        dispatcher = compile_step("compiled", other, self.stream().batches_at(0), messages.append)
        assert isinstance(dispatcher, StepDispatcher)
        assert messages == ["compiling"]
        run_steps(dispatcher, state, self.stream(), range(4))

        def refuse(*args, **kwargs):
            raise RuntimeError("no compiler")

        monkeypatch.setitem(EXECUTORS, "compiled", refuse)
        messages.clear()
        run_steps(dispatcher, state, self.stream(), range(4, 6))
        failure = "compiling failed (no compiler); running eagerly"
        assert messages == ["compiling", failure] * 2  # for each phase that begins
        assert have_close_tensors(named_tensors(state), named_tensors(whole))


@pytest.mark.usefixtures("float64")
class TestCompileStep:
    def test_compile_step_eager_is_identity(self):
        train_step = TrainStep(GAN(), init_state(GAN(), ARCH, Adam(), (0, 1)), steps=NUM_STEPS)
        example = make_stream((0, 1)).batches_at(0)
        assert compile_step("eager", train_step, example) is train_step

    @pytest.mark.slow
    def test_compile_step_fallback_on_error(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # an empty cache

        def refuse(*args, **kwargs):
            raise RuntimeError("no compiler\nat all")

        monkeypatch.setattr(torch._inductor, "aot_compile", refuse)
        state, other = (init_state(iid_gan(), ARCH, Adam(), (0, 1)) for _ in range(2))
        train_step, stream = TrainStep(iid_gan(), state, steps=NUM_STEPS), make_stream((0, 1))
        messages = []
        step_fn = compile_step("compiled", train_step, stream.batches_at(0), messages.append)
        assert step_fn is train_step
        assert messages == ["compiling", "compiling failed (no compiler); running eagerly"]
        other_step = TrainStep(iid_gan(), other, steps=NUM_STEPS)
        for step in range(3):
            batches = stream.batches_at(step)
            assert have_equal_tensors(step_fn(batches), other_step(batches))
        assert have_equal_tensors(named_tensors(state), named_tensors(other))

    def test_compile_step_fallback_on_item(self):
        class BranchingLoss:
            def __call__(self, nets, batch):
                value = mean_per_seed(nets.D(nets.G(batch.z)))
                return {"a": value if value.sum().item() > 0 else -value}

        method = FixedPlayers((Player("G", BranchingLoss(), ("G",)),))
        state = init_state(method, ARCH, Adam(), (0, 1))
        before = clone_tensors(state.nets.state_dict())
        train_step, messages = TrainStep(method, state, steps=NUM_STEPS), []
        example = make_stream((0, 1)).batches_at(0)
        assert compile_step("compiled", train_step, example, messages.append) is train_step
        assert messages[1].startswith("compiling failed (")
        assert have_equal_tensors(before, clone_tensors(state.nets.state_dict()))


def test_check_executor_requires_cuda(tmp_path):
    for name in EXECUTORS:
        check_executor(name, torch.device("cuda:0"))
    check_executor("compiled", torch.device("cpu"))
    with raises_input_error("executor", "graphed", "CUDA", "cpu", "compiled"):
        iidgan.train(iidgan.Run(), out=tmp_path / "run", executor="graphed", device="cpu")
    assert not (tmp_path / "run").exists()


def test_compile_step_refuses_wrong_graph(monkeypatch):
    """The step is executed eagerly instead, and a message says so."""
    context = make_context(iid_gan())
    example = context.batches.batches_at(0)
    before = clone_tensors(named_tensors(context.state))
    wrong_capture = partial(CudaGraphStep, capture=lambda work: (list, work()))
    monkeypatch.setitem(EXECUTORS, "graphed", wrong_capture)
    messages = []
    step_fn = compile_step("graphed", context.train_step, example, messages.append)
    assert step_fn is context.train_step
    assert messages[0] == ACTIVITIES["graphed"]
    assert messages[1].endswith("; running eagerly")
    assert "not equivalent" in messages[1]
    after = named_tensors(context.state)
    assert all(torch.equal(after[name], value) for name, value in before.items())


@dataclass(frozen=True)
class PythonNumberTerm(Term):
    """Reads the progress as a Python number, which a capture cannot trace."""

    def networks(self, factory):
        return {}

    @property
    def losses(self):
        return {"G": lambda nets, batch: {"late": batch.t.tolist() * nets.G(batch.z).mean((1, 2))}}


@pytest.mark.slow
@pytest.mark.parametrize(("terms", "num_failures"), [((), 0), ((PythonNumberTerm(),), 1)])
def test_compile_step_refuses_constant_progress(tmp_path, monkeypatch, terms, num_failures):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(CompiledStep, "capture", capture_interpreted)
    context, messages = make_context(Regularised(method=GAN(), terms=terms)), []
    example = context.batches.batches_at(0)
    step_fn = compile_step("compiled", context.train_step, example, messages.append)
    assert (step_fn is context.train_step) == (num_failures > 0)
    failures = [text for text in messages if "failed" in text]
    assert len(failures) == num_failures
    assert all("not equivalent" in text for text in failures)
