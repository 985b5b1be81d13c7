"""The training loop: log records, divergence, stop requests."""

import math
import os
import shutil
import signal
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch

from iidgan.core import Dataset, Method
from iidgan.engine import loop
from iidgan.engine.loop import (
    LogRecord,
    LoopSchedule,
    StopRequest,
    run_training_loop,
    surviving_positions,
)
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import init_state, named_tensors
from iidgan.engine.step import TrainStep
from iidgan.methods import GAN
from tests.helpers.engine import (
    BATCH_SIZE,
    SEEDS,
    SMALL_ARCH,
    assert_equal_tensors,
    clone_tensors,
    lazy_iid_gan,
    load_newest,
    make_points,
    save_state,
)


class LoopRecorder:
    """A training loop that records what happens."""

    def __init__(self, x=None, *, seeds=SEEDS, folder=None, method=None):
        self.method = method or GAN()
        self.state = init_state(self.method, SMALL_ARCH, Adam(), seeds)
        dataset = Dataset(make_points() if x is None else x)
        self.stream = DatasetStream(dataset, seeds, batch_size=BATCH_SIZE, latent_dim=2)
        self.stop, self.folder = StopRequest(), folder
        self.records, self.saved_steps, self.losses, self.lrs = [], [], [], []
        self.at_step = {}
        self.diagnosed, self.collapses_at = {}, None

    def recorded(self, train_step):
        def step_fn(batches):
            self.lrs.append(self.state.learning_rates[1.0].item())
            self.losses.append(train_step(batches))
            self.at_step.get(self.state.step + 1, lambda: None)()
            return self.losses[-1]

        return step_fn

    def save(self):
        self.saved_steps.append(self.state.step)
        if self.folder is not None:
            save_state(self.folder, self.state)

    def diagnose(self):
        self.diagnosed[self.state.step] = len(self.records), [*self.saved_steps]
        return self.state.step == self.collapses_at

    def run(self, steps, **intervals):
        train_step = TrainStep(self.method, self.state, steps=steps)
        intervals = {"checkpoint_every": 1000, "log_every": 1000} | intervals
        self.outcome = run_training_loop(
            self.state,
            self.recorded(train_step),
            self.stream,
            Adam(),
            LoopSchedule(steps=steps, **intervals),
            on_log=self.records.append,
            on_checkpoint=self.save,
            on_diagnosis=self.diagnose,
            stop=self.stop,
        )
        return self


def cloned_state(training):
    return clone_tensors(named_tensors(training.state))


class TestRunTrainingLoop:
    def test_run_training_loop_intervals(self):
        training = LoopRecorder().run(23, log_every=5, checkpoint_every=8)
        assert training.outcome == "finished"
        assert training.state.step == 23
        assert training.saved_steps == [8, 16, 23]
        assert [record.step for record in training.records] == [5, 8, 10, 15, 16, 20, 23]
        assert all(record.seconds > 0 for record in training.records)
        assert all(record.diverged == {} for record in training.records)

    def test_run_training_loop_diagnoses(self):
        """They come before a log record and a checkpoint of the same step."""
        training = LoopRecorder().run(12, diagnose_every=5, checkpoint_every=10)
        assert training.outcome == "finished"
        assert training.diagnosed == {5: (0, []), 10: (1, []), 12: (2, [10])}
        assert [record.step for record in training.records] == [5, 10, 12]

    def test_run_training_loop_ends_when_collapsed(self):
        training = LoopRecorder()
        training.collapses_at = 5
        training.run(12, diagnose_every=5)
        assert (training.outcome, training.state.step) == ("collapsed", 5)
        assert training.saved_steps == [5]

    def test_collapse_at_last_step_is_finished(self):
        training = LoopRecorder()
        training.collapses_at = 10
        assert training.run(10, diagnose_every=5).outcome == "finished"

    def test_log_record_averages_losses(self):
        training = LoopRecorder().run(7, log_every=5)
        for record, steps in zip(training.records, (slice(0, 5), slice(5, 7)), strict=True):
            assert list(record.losses) == ["D/adversarial", "G/adversarial"]
            for name, values in record.losses.items():
                expected = torch.stack([losses[name] for losses in training.losses[steps]]).mean(0)
                assert values == pytest.approx(expected.tolist(), rel=1e-5)

    def test_run_training_loop_sets_lr(self):
        training = LoopRecorder().run(10)
        expected = [Adam().lr_at(step, 10) for step in range(10)]
        assert training.lrs == pytest.approx(expected, rel=1e-6)

    def test_run_training_loop_batch_order(self):
        training = LoopRecorder()
        steps, batches_at = [], training.stream.batches_at
        training.stream.batches_at = lambda step: steps.append(step) or batches_at(step)
        training.run(6)
        assert steps == list(range(6))

    def test_run_training_loop_finished_noop(self):
        training = LoopRecorder().run(5)
        before = cloned_state(training)
        assert training.run(5).outcome == "finished"
        assert training.saved_steps == [5]
        assert_equal_tensors(before, cloned_state(training))

    def test_run_training_loop_resumes_exactly(self, tmp_path):
        """The state is bitwise equal after a resume from a checkpoint."""
        whole = LoopRecorder().run(12)
        first = LoopRecorder(folder=tmp_path)
        first.at_step[5] = lambda: setattr(first.stop, "signal", signal.SIGTERM)
        assert first.run(12).outcome == "stopped"
        second = LoopRecorder(folder=tmp_path)
        load_newest(tmp_path, second.state)
        assert second.state.step == 5
        assert second.run(12).outcome == "finished"
        assert_equal_tensors(cloned_state(whole), cloned_state(second))


def make_poisoned_points():
    """Returns data with one NaN sample, and the step in which each seed first draws it."""
    x = make_points()
    x[17] = torch.nan
    stream = DatasetStream(Dataset(x), SEEDS, batch_size=BATCH_SIZE, latent_dim=2)
    batches = [stream.batches_at(step)[0] for step in range(200)]
    has_nan = torch.stack([batch.x.isnan().any(-1).any(-1) for batch in batches])
    steps = (has_nan.int().argmax(0) + 1).tolist()
    assert has_nan.any(0).all()  # otherwise the tests are void
    assert len(set(steps)) == len(SEEDS)
    return x, steps


@dataclass(frozen=True)
class Overlapping(Method):
    """A GAN of which first D is active, then both players, and then G."""

    @property
    def players(self):
        D, G = GAN().players
        return replace(D, active=(0.0, 0.7)), replace(G, active=(0.3, 1.0))

    def networks(self, factory):
        return GAN().networks(factory)


class TestPhaseChanges:
    """A run of 20 steps whose active players change after 6 and after 14."""

    NAMES: ClassVar = {
        5: ["D/adversarial"],
        10: ["D/adversarial", "G/adversarial"],
        15: ["D/adversarial", "G/adversarial"],
        20: ["G/adversarial"],
    }

    def test_log_record_means_over_present_losses(self):
        training = LoopRecorder(method=Overlapping()).run(20, log_every=5)
        names = {record.step: list(record.losses) for record in training.records}
        assert names == self.NAMES
        for record in training.records:
            for name, values in record.losses.items():
                step_losses = training.losses[record.step - 5 : record.step]
                present = [losses[name] for losses in step_losses if name in losses]
                expected = torch.stack(present).mean(0)
                assert values == pytest.approx(expected.tolist(), rel=1e-5)
        assert training.records[2].losses["D/adversarial"] == pytest.approx(
            torch.stack([losses["D/adversarial"] for losses in training.losses[10:14]])
            .mean(0)
            .tolist()
        )

    @pytest.mark.parametrize("stop", [5, 6, 7, 14])
    def test_resume_around_phase_change(self, tmp_path, stop):
        """The state is bitwise equal, and later records have the same losses."""
        whole = LoopRecorder(method=Overlapping()).run(20, log_every=stop)
        first = LoopRecorder(folder=tmp_path, method=Overlapping())
        first.at_step[stop] = lambda: setattr(first.stop, "signal", signal.SIGTERM)
        assert first.run(20, log_every=stop).outcome == "stopped"
        second = LoopRecorder(folder=tmp_path, method=Overlapping())
        load_newest(tmp_path, second.state)
        assert second.run(20, log_every=stop).outcome == "finished"
        assert_equal_tensors(cloned_state(whole), cloned_state(second))
        records = first.records + second.records
        assert [r.losses for r in records] == [r.losses for r in whole.records]

    def test_diverged_step_within_phase(self):
        x, expected = make_poisoned_points()
        training = LoopRecorder(x, method=Overlapping()).run(200)
        diverged = {p: step for r in training.records for p, step in r.diverged.items()}
        assert diverged == dict(enumerate(expected))
        for record in training.records:
            assert all(step <= record.step for step in record.diverged.values())


def test_log_record_of_lazy_losses():
    """They are averaged over their steps, at their own size."""
    method = lazy_iid_gan(3)
    training = LoopRecorder(method=method).run(10, log_every=5)
    due = [0, 3], [6, 9]
    for record, steps in zip(training.records, due, strict=True):
        expected = torch.stack([training.losses[s]["G/cycle_x"] for s in steps]).mean(0)
        assert record.losses["G/cycle_x"] == pytest.approx(expected.tolist(), rel=1e-5)


class TestDivergence:
    def test_diverged_is_first_bad_step(self):
        x, expected = make_poisoned_points()
        last = max(expected) - 1
        expected = [step if step <= last else -1 for step in expected]
        training = LoopRecorder(x).run(last, log_every=7)
        assert training.state.diverged.tolist() == expected
        logged = [(p, step, r.step) for r in training.records for p, step in r.diverged.items()]
        diverged = {p: step for p, step in enumerate(expected) if step > 0}
        assert {p: step for p, step, _ in logged} == diverged
        assert all(0 <= record_step - step < 7 for _, step, record_step in logged)

    def test_diverged_seed_leaves_others(self):
        x, expected = make_poisoned_points()
        last = max(expected) - 1
        poisoned, healthy = LoopRecorder(x).run(last), LoopRecorder().run(last)
        survivors = surviving_positions(poisoned.state.diverged)
        assert survivors == [expected.index(max(expected))]
        tensors, healthy_tensors = (r.state.nets.state_dict() for r in (poisoned, healthy))
        for name, value in tensors.items():
            assert torch.equal(value[survivors], healthy_tensors[name][survivors])
        assert not all(value.isfinite().all() for value in tensors.values())

    def test_log_record_losses_after_divergence(self):
        x, expected = make_poisoned_points()
        training = LoopRecorder(x).run(max(expected) - 1)
        survivors = surviving_positions(training.state.diverged)
        for losses in training.records[-1].losses.values():
            assert [p for p, loss in enumerate(losses) if not math.isnan(loss)] == survivors

    def test_outcome_when_all_diverged(self):
        training = LoopRecorder(torch.full((100, 2), torch.nan)).run(100, log_every=10)
        assert training.outcome == "diverged"
        assert training.state.diverged.tolist() == [1, 1, 1]
        assert training.state.step == 10
        assert training.saved_steps == [10]

    def test_diverged_survives_resume(self, tmp_path):
        x, expected = make_poisoned_points()
        first = min(expected)
        training = LoopRecorder(x, folder=tmp_path).run(first + 2, checkpoint_every=first)
        shutil.rmtree(tmp_path / f"step-{first + 2:08d}")
        other = LoopRecorder(x)
        load_newest(tmp_path, other.state)
        assert other.state.diverged[expected.index(first)] == first
        other.run(first + 2)
        assert torch.equal(other.state.diverged, training.state.diverged)

    def test_surviving_positions(self):
        assert surviving_positions(torch.tensor([-1, 3, -1, 0])) == [0, 2]


class TestStopRequest:
    def test_stop_request_after_time(self):
        training = LoopRecorder()
        training.stop = StopRequest(max_seconds=0.0)
        assert training.run(20).outcome == "stopped"
        assert training.saved_steps == [1]
        assert not StopRequest(max_seconds=3600.0).requested

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_handle_signals_stops_with_checkpoint(self, number):
        training = LoopRecorder()
        training.at_step[7] = lambda: os.kill(os.getpid(), number)
        before = signal.getsignal(number)
        with training.stop.handle_signals():
            training.run(20)
        assert signal.getsignal(number) is before
        assert training.outcome == "stopped"
        assert training.stop.signal == number
        assert training.saved_steps == [training.state.step] == [7]
        assert training.records[-1].step == 7

    def test_stop_request_at_last_step(self):
        training = LoopRecorder()
        training.at_step[6] = lambda: setattr(training.stop, "signal", signal.SIGINT)
        assert training.run(6).outcome == "finished"
        assert training.saved_steps == [6]

    def test_handle_signals_later_signal_raises(self, monkeypatch):
        monkeypatch.setattr(loop, "DEBOUNCE_SECONDS", -1.0)
        with StopRequest().handle_signals():
            os.kill(os.getpid(), signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)

    def test_handle_signals_debounces(self):
        """As when a process and its group are both signalled."""
        stop, signals = StopRequest(), []
        with stop.handle_signals(on_first=lambda: signals.append(stop.signal)):
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGTERM)
        assert signals == [signal.SIGTERM]

    def test_handle_signals_on_first_immediately(self):
        stop, signals = StopRequest(), []
        with stop.handle_signals(on_first=lambda: signals.append(stop.signal)):
            os.kill(os.getpid(), signal.SIGTERM)
            assert signals == [signal.SIGTERM]

    def test_handle_signals_ignore_repeats(self):
        stop, before = StopRequest(), signal.getsignal(signal.SIGINT)
        with stop.handle_signals([signal.SIGINT], ignore_repeats=True):
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGINT)
        assert stop.signal == signal.SIGINT
        assert signal.getsignal(signal.SIGINT) is before

    def test_handle_signals_restores_handlers(self):
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        with pytest.raises(ZeroDivisionError), StopRequest().handle_signals():
            _ = 1 / 0
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_log_record_for_seeds():
    record = LogRecord(step=5, losses={"a": [1.0, 2.0, 3.0]}, seconds=0.5, diverged={0: 4, 2: 5})
    first, rest = record.for_seeds(slice(0, 1)), record.for_seeds(slice(1, 3))
    assert (first.losses, first.diverged) == ({"a": [1.0]}, {0: 4})
    assert (rest.losses, rest.diverged) == ({"a": [2.0, 3.0]}, {1: 5})
    assert (rest.step, rest.seconds) == (5, 0.5)
