"""The loop: ticks, divergence, wishes to stop; checkpoints; and what samples are drawn with."""

import os
import re
import signal
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch

from iidgan.core import Arch, Dataset, Method
from iidgan.engine import checkpoint, loop
from iidgan.engine import inference as sample
from iidgan.engine.loop import Schedule, Stop, fit, positions
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import Batches
from iidgan.engine.state import init, tensors
from iidgan.engine.step import Move
from iidgan.errors import InputError
from iidgan.methods import GAN, iid_gan
from iidgan.nn import DCGAN, MLP
from iidgan.nn.layers.conv import BatchNorm, ungroup

ARCH = Arch(MLP(latent=2, hidden=(8,)), (2,))
SEEDS = (0, 1, 2)
BATCH = 4


def clean(num=100):
    return torch.randn(num, 2, generator=torch.Generator().manual_seed(0))


class Training:
    """A fit that writes down what happens."""

    def __init__(self, x=None, *, seeds=SEEDS, folder=None, method=None):
        self.method = method or GAN()
        self.state = init(self.method, ARCH, Adam(), seeds)
        self.batches = Batches(
            Dataset(clean() if x is None else x), seeds, size=BATCH, latent=2, repeat=1
        )
        self.stop, self.folder = Stop(), folder
        self.ticks, self.saved, self.logs, self.rates = [], [], [], []
        self.at_step = {}

    def step(self, move):
        def taken(batches):
            self.rates.append(self.state.lr[1.0].item())
            self.logs.append(move(batches))
            self.at_step.get(self.state.step + 1, lambda: None)()
            return self.logs[-1]

        return taken

    def save(self):
        self.saved.append(self.state.step)
        if self.folder is not None:
            checkpoint.save(self.folder, self.state)

    def fit(self, steps, **schedule):
        move = Move(self.method, self.state, steps=steps)
        self.ending = fit(
            self.state,
            self.step(move),
            self.batches,
            Adam(),
            Schedule(steps=steps, **{"checkpoint_every": 1000, "tick": 1000, **schedule}),
            on_tick=self.ticks.append,
            on_checkpoint=self.save,
            stop=self.stop,
        )
        return self


def values(training):
    return {name: value.clone() for name, value in tensors(training.state).items()}


def assert_equal(a, b):
    assert a.keys() == b.keys()
    assert [name for name in a if not torch.equal(a[name], b[name])] == []


class TestFit:
    def test_ticks_and_checkpoints(self):
        training = Training().fit(23, tick=5, checkpoint_every=8)
        assert training.ending == "finished"
        assert training.state.step == 23
        assert training.saved == [8, 16, 23]
        assert [tick.step for tick in training.ticks] == [5, 8, 10, 15, 16, 20, 23]
        assert all(tick.seconds > 0 and tick.diverged == {} for tick in training.ticks)

    def test_a_tick_averages_the_losses_since_the_last_one(self):
        training = Training().fit(7, tick=5)
        for tick, steps in zip(training.ticks, (slice(0, 5), slice(5, 7)), strict=True):
            assert list(tick.losses) == ["D/adversarial", "G/adversarial"]
            for name, found in tick.losses.items():
                expected = torch.stack([logs[name] for logs in training.logs[steps]]).mean(0)
                assert found == pytest.approx(expected.tolist(), rel=1e-5)

    def test_the_rate_follows_the_schedule(self):
        training = Training().fit(10)
        expected = [Adam().rate(step, 10) for step in range(10)]
        assert training.rates == pytest.approx(expected, rel=1e-6)

    def test_each_step_has_its_batch(self):
        training = Training()
        seen, at = [], training.batches.at
        training.batches.at = lambda step: seen.append(step) or at(step)
        training.fit(6)
        assert seen == list(range(6))

    def test_a_finished_run_does_nothing(self):
        training = Training().fit(5)
        before = values(training)
        assert training.fit(5).ending == "finished"
        assert training.saved == [5]
        assert_equal(before, values(training))

    def test_stopping_and_going_on_is_not_stopping(self, tmp_path):
        """Bit for bit, through a checkpoint, from any step."""
        whole = Training().fit(12)
        first = Training(folder=tmp_path)
        first.at_step[5] = lambda: setattr(first.stop, "signal", signal.SIGTERM)
        assert first.fit(12).ending == "stopped"
        second = Training(folder=tmp_path)
        checkpoint.load(checkpoint.newest(tmp_path).path, second.state)
        assert second.state.step == 5
        assert second.fit(12).ending == "finished"
        assert_equal(values(whole), values(second))


def poisoned():
    """Makes data of which one sample is not a number, and the step at which each seed sees it."""
    x = clean()
    x[17] = torch.nan
    batches = Batches(Dataset(x), SEEDS, size=BATCH, latent=2)
    hit = torch.stack([batches.at(step)[0].x.isnan().any(-1).any(-1) for step in range(200)])
    steps = (hit.int().argmax(0) + 1).tolist()
    assert hit.any(0).all()  # or the tests say nothing
    assert len(set(steps)) == len(SEEDS)
    return x, steps


@dataclass(frozen=True)
class InTurn(Method):
    """A GAN of which first D moves, then both do, and then G alone."""

    @property
    def players(self):
        D, G = GAN().players
        return replace(D, during=(0.0, 0.7)), replace(G, during=(0.3, 1.0))

    def networks(self, arch):
        return GAN().networks(arch)


class TestPhases:
    """A run of twenty steps, whose players change after 6 and after 14."""

    NAMES: ClassVar = {
        6: ["D/adversarial"],
        14: ["D/adversarial", "G/adversarial"],
        20: ["G/adversarial"],
    }

    def test_a_change_of_players_is_a_tick(self):
        training = Training(method=InTurn()).fit(20)
        assert {tick.step: list(tick.losses) for tick in training.ticks} == self.NAMES
        for tick, steps in zip(training.ticks, (slice(0, 6), slice(6, 14), slice(14, 20))):
            for name, found in tick.losses.items():
                expected = torch.stack([logs[name] for logs in training.logs[steps]]).mean(0)
                assert found == pytest.approx(expected.tolist(), rel=1e-5)

    def test_other_ticks_stay_and_none_comes_twice(self):
        training = Training(method=InTurn()).fit(20, tick=7, checkpoint_every=9)
        assert [tick.step for tick in training.ticks] == [6, 7, 9, 14, 18, 20]
        assert training.saved == [9, 18, 20]
        training = Training(method=InTurn()).fit(20, tick=2, checkpoint_every=6)
        assert [tick.step for tick in training.ticks] == list(range(2, 21, 2))

    @pytest.mark.parametrize("stop", [5, 6, 7, 14])
    def test_stopping_around_a_change_and_going_on_is_not_stopping(self, tmp_path, stop):
        """Bit for bit, and the ticks at the changes have the same losses from there on."""
        whole = Training(method=InTurn()).fit(20)
        first = Training(folder=tmp_path, method=InTurn())
        first.at_step[stop] = lambda: setattr(first.stop, "signal", signal.SIGTERM)
        assert first.fit(20).ending == "stopped"
        second = Training(folder=tmp_path, method=InTurn())
        checkpoint.load(checkpoint.newest(tmp_path).path, second.state)
        assert second.fit(20).ending == "finished"
        assert_equal(values(whole), values(second))
        assert second.ticks[-1].losses == whole.ticks[-1].losses
        assert [tick.step for tick in first.ticks + second.ticks] == sorted({6, 14, 20, stop})

    def test_a_seed_that_diverges_in_a_phase_is_marked_at_its_step(self):
        x, expected = poisoned()
        training = Training(x, method=InTurn()).fit(200)
        told = {p: step for tick in training.ticks for p, step in tick.diverged.items()}
        assert told == dict(enumerate(expected))
        for tick in training.ticks:
            assert all(step <= tick.step for step in tick.diverged.values())


class TestDivergence:
    def test_marks_the_first_step_of_each_seed(self):
        x, expected = poisoned()
        last = max(expected) - 1
        expected = [step if step <= last else -1 for step in expected]
        training = Training(x).fit(last, tick=7)
        assert training.state.diverged.tolist() == expected
        told = {
            p: (step, tick.step) for tick in training.ticks for p, step in tick.diverged.items()
        }
        assert {p: step for p, (step, _) in told.items()} == {
            p: step for p, step in enumerate(expected) if step > 0
        }
        assert all(0 <= tick - step < 7 for step, tick in told.values())

    def test_others_go_on_bit_for_bit(self):
        x, expected = poisoned()
        last = max(expected) - 1
        spoilt, healthy = Training(x).fit(last), Training().fit(last)
        alive = positions(spoilt.state.diverged)
        assert alive == [expected.index(max(expected))]
        for name, value in spoilt.state.nets.state_dict().items():
            assert torch.equal(value[alive], healthy.state.nets.state_dict()[name][alive])
        assert not all(v.isfinite().all() for v in spoilt.state.nets.state_dict().values())

    def test_losses_of_a_diverged_seed_are_not_finite_and_others_are(self):
        x, expected = poisoned()
        training = Training(x).fit(max(expected) - 1)
        alive = positions(training.state.diverged)
        for found in training.ticks[-1].losses.values():
            assert [p for p, value in enumerate(found) if value == value] == alive

    def test_when_no_seed_is_left_the_run_ends(self):
        training = Training(torch.full((100, 2), torch.nan)).fit(100, tick=10)
        assert training.ending == "diverged"
        assert training.state.diverged.tolist() == [1, 1, 1]
        assert training.state.step == 10
        assert training.saved == [10]

    def test_the_step_survives_a_resumption(self, tmp_path):
        x, expected = poisoned()
        first = min(expected)
        training = Training(x, folder=tmp_path).fit(first + 2, checkpoint_every=first)
        path = tmp_path / f"step-{first:08d}"
        other = Training(x)
        checkpoint.load(path, other.state)
        assert other.state.diverged[expected.index(first)] == first
        other.fit(first + 2)
        assert torch.equal(other.state.diverged, training.state.diverged)

    def test_positions(self):
        assert positions(torch.tensor([-1, 3, -1, 0])) == [0, 2]


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_ends_the_run_after_its_step_with_a_checkpoint(self, number):
        training = Training()
        training.at_step[7] = lambda: os.kill(os.getpid(), number)
        before = signal.getsignal(number)
        with training.stop.listening():
            training.fit(20)
        assert signal.getsignal(number) is before
        assert training.ending == "stopped"
        assert training.stop.signal == number
        assert training.saved == [training.state.step] == [7]
        assert training.ticks[-1].step == 7

    def test_a_wish_at_the_last_step_finds_the_run_finished(self):
        training = Training()
        training.at_step[6] = lambda: setattr(training.stop, "signal", signal.SIGINT)
        assert training.fit(6).ending == "finished"
        assert training.saved == [6]

    def test_a_later_signal_acts_as_it_always_did(self, monkeypatch):
        monkeypatch.setattr(loop, "TOGETHER", -1.0)
        with Stop().listening():
            os.kill(os.getpid(), signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)

    def test_signals_that_come_together_are_one_wish(self):
        """As when a process and its group are told to end."""
        stop, heard = Stop(), []
        with stop.listening(heard=lambda: heard.append(stop.signal)):
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGTERM)
        assert heard == [signal.SIGTERM]

    def test_a_wish_is_heard_at_once(self):
        stop, heard = Stop(), []
        with stop.listening(heard=lambda: heard.append(stop.signal)):
            os.kill(os.getpid(), signal.SIGTERM)
            assert heard == [signal.SIGTERM]

    def test_the_patient_grant_one_wish_however_often_it_comes(self):
        stop, before = Stop(), signal.getsignal(signal.SIGINT)
        with stop.listening([signal.SIGINT], patient=True):
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGINT)
        assert stop.signal == signal.SIGINT
        assert signal.getsignal(signal.SIGINT) is before

    def test_handlers_are_restored_after_an_error(self):
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        with pytest.raises(ZeroDivisionError), Stop().listening():
            _ = 1 / 0
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def trained(method=None, seeds=SEEDS, steps=3, ema=0.0, arch=ARCH):
    method = method or GAN()
    state = init(method, arch, Adam(), seeds, ema=ema)
    move = Move(method, state, steps=100, ema=ema)
    batches = Batches(Dataset(clean()), seeds, size=BATCH, latent=2)
    for step in range(steps):
        move(batches.at(step))
    state.step = steps
    return state


class TestCheckpoint:
    def test_round_trip(self, tmp_path):
        state = trained(iid_gan(), ema=0.9)
        state.diverged = torch.tensor([-1, 2, -1])
        torch.manual_seed(5)
        path = checkpoint.save(tmp_path, state)
        assert path == tmp_path / "step-00000003"
        expected, found = torch.rand(3), init(iid_gan(), ARCH, Adam(), SEEDS, ema=0.9)
        torch.manual_seed(6)
        checkpoint.load(path, found)
        assert torch.equal(torch.rand(3), expected)
        assert (found.step, found.diverged.tolist()) == (3, [-1, 2, -1])
        assert_equal(tensors(found), tensors(state))

    def test_saving_changes_nothing(self, tmp_path):
        state = trained()
        before = {name: value.clone() for name, value in tensors(state).items()}
        rng = torch.get_rng_state()
        checkpoint.save(tmp_path, state)
        assert_equal(before, tensors(state))
        assert torch.equal(rng, torch.get_rng_state())

    def test_keeps_the_newest(self, tmp_path):
        state = trained()
        for state.step in (5, 10, 90, 100, 2000):
            checkpoint.save(tmp_path, state, keep=2)
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == ["step-00000100", "step-00002000"]
        assert checkpoint.newest(tmp_path).path == tmp_path / "step-00002000"

    def test_saving_a_step_again_replaces_it(self, tmp_path):
        state = trained()
        checkpoint.save(tmp_path, state)
        with torch.no_grad():
            next(state.nets.parameters()).add_(1)
        checkpoint.save(tmp_path, state)
        found = trained(steps=0)
        checkpoint.load(checkpoint.newest(tmp_path).path, found)
        assert_equal(tensors(found), tensors(state))
        assert [path.name for path in tmp_path.iterdir()] == ["step-00000003"]

    def test_no_checkpoint(self, tmp_path):
        assert checkpoint.newest(tmp_path) == checkpoint.Newest(None, {})
        assert checkpoint.newest(tmp_path / "nowhere").path is None

    @pytest.mark.parametrize(
        ("harm", "reason"),
        [
            ("truncate", "state.safetensors does not match its digest"),
            ("flip", "state.safetensors does not match its digest"),
            ("flip json", "state.json does not match its digest"),
            ("remove state", "FileNotFoundError.*state.safetensors"),
            ("remove manifest", "FileNotFoundError.*MANIFEST.json"),
            ("tear manifest", "JSONDecodeError"),
        ],
    )
    def test_a_damaged_one_is_passed_over(self, tmp_path, harm, reason):
        state = trained()
        for state.step in (10, 20, 30):
            newest = checkpoint.save(tmp_path, state)
        damage(newest, harm)
        found = checkpoint.newest(tmp_path)
        assert found.path == tmp_path / "step-00000020"
        assert list(found.damaged) == [newest]
        assert re.search(reason, found.damaged[newest])

    def test_all_damaged(self, tmp_path):
        state = trained()
        for state.step in (10, 20):
            damage(checkpoint.save(tmp_path, state), "truncate")
        found = checkpoint.newest(tmp_path)
        assert found.path is None
        assert len(found.damaged) == 2

    @pytest.mark.parametrize(
        ("other", "message"),
        [
            ({"method": iid_gan()}, r"nets\.F\."),
            ({"seeds": (0, 1)}, "has shape"),
            ({"arch": Arch(MLP(latent=2, hidden=(9,)), (2,))}, "has shape"),
            ({"ema": 0.9}, "average"),
        ],
    )
    def test_other_networks_are_an_input_error(self, tmp_path, other, message):
        """Both ways round: nothing is ever broadcast, left out, or left over."""
        pairs = [(trained(), trained(**other)), (trained(**other), trained())]
        for number, (saved, target) in enumerate(pairs):
            path = checkpoint.save(tmp_path / str(number), saved)
            with pytest.raises(InputError, match=f"does not fit the networks .*{message}"):
                checkpoint.load(path, target)


def damage(folder, harm):
    state, manifest = folder / "state.safetensors", folder / "MANIFEST.json"
    content = bytearray(state.read_bytes())
    match harm:
        case "truncate":
            state.write_bytes(content[:-1])
        case "flip":
            content[len(content) // 2] ^= 1
            state.write_bytes(content)
        case "flip json":
            (folder / "state.json").write_text('{"step": 31, "diverged": [-1, -1, -1]}')
        case "remove state":
            state.unlink()
        case "remove manifest":
            manifest.unlink()
        case "tear manifest":
            manifest.write_text(manifest.read_text()[:-5])


class TestSample:
    def test_latents_of_a_seed_do_not_depend_on_its_neighbours(self):
        z = sample.prior((4, 2), 50, 3)
        assert z.shape == (2, 50, 3)
        assert torch.equal(sample.prior((2,), 50, 3)[0], z[1])
        assert not torch.equal(z[0], z[1])
        assert not torch.equal(sample.prior((4, 2), 50, 3, stream=1), z)

    def test_chunks_are_invisible(self, monkeypatch):
        net, z = trained().nets["G"], torch.randn(3, 10, 2)
        expected = net(z).detach()
        monkeypatch.setattr(sample, "CHUNK", 3)
        found = sample.apply(net, z)
        assert not found.requires_grad
        assert torch.allclose(found, expected, atol=1e-6)

    def test_final_takes_the_maps_alone(self):
        assert list(sample.final(trained(), batches=None)) == ["G"]
        assert set(sample.final(trained(iid_gan()), batches=None)) == {"G", "F"}

    def test_final_takes_the_average_where_there_is_one(self):
        state = trained(ema=0.5)
        nets = sample.final(state, batches=None)
        for name, value in nets["G"].named_parameters():
            assert torch.equal(value, state.average["G"].get_parameter(name))
            assert not torch.equal(value, state.nets["G"].get_parameter(name))
            assert not value.requires_grad

    def test_final_copies(self):
        state = trained()
        nets = sample.final(state, batches=None)
        with torch.no_grad():
            for value in nets.parameters():
                value.zero_()
        assert all(value.any() for value in state.nets["G"].parameters() if value.dim() == 3)


IMAGES = Arch(DCGAN(latent=3, width=2), (1, 8, 8))


@pytest.mark.usefixtures("float64")
class TestStandingStatistics:
    def make(self):
        state = init(iid_gan(), IMAGES, Adam(), (0, 1))
        x = torch.randn(40, 1, 8, 8, generator=torch.Generator().manual_seed(0)).tanh()
        return state, Batches(Dataset(x), (0, 1), size=6, latent=3)

    def test_are_the_moments_of_all_batches_that_were_seen(self):
        """A batch alone is normalised by itself; the inputs of each layer are averaged."""
        state, batches = self.make()
        nets = sample.final(state, batches, num_batches=4)
        norms = {n: m for n, m in state.nets.named_modules() if isinstance(m, BatchNorm)}
        norms = {name: module for name, module in norms.items() if name[0] in "GF"}
        inputs = {name: [] for name in norms}
        for name, module in norms.items():
            module.register_forward_pre_hook(lambda m, args, to=inputs[name]: to.append(args[0]))
        for step in range(4):
            batch = batches.at(step)[0]
            state.nets["G"](batch.z)
            state.nets["F"](batch.x)
        assert len(norms) == 5
        for name, seen in inputs.items():
            x = ungroup(torch.cat(seen), 2)  # (S, 4 * B, C, H, W)
            found = nets.get_submodule(name)
            assert torch.allclose(found.mean, x.mean((1, 3, 4)), atol=1e-12)
            variance = x.var((1, 3, 4), correction=0)
            assert torch.allclose(found.var, variance, rtol=1e-9, atol=1e-15)

    def test_keep_a_variance_that_is_small_beside_the_mean(self):
        layer = BatchNorm(1)
        x = (1000 + 0.1 * torch.randn(500, 1, 8, 8, dtype=torch.float64)).float()
        moments = [layer.moments(part) for part in x.split(100)]
        layer.stand(*(torch.stack(values).mean(0) for values in zip(*moments)))
        assert torch.allclose(layer.var, x.double().var(correction=0), rtol=1e-4)

    def test_make_a_sample_independent_of_its_batch(self):
        state, batches = self.make()
        nets, z = sample.final(state, batches, num_batches=3), torch.randn(2, 9, 3)
        assert not any(module.training for module in nets.modules())
        assert torch.allclose(nets["G"](z)[:, 4:6], nets["G"](z[:, 4:6]), atol=1e-13)
        state.nets.train()
        assert not torch.allclose(
            state.nets["G"](z)[:, 4:6], state.nets["G"](z[:, 4:6]), atol=1e-3
        )

    def test_leave_the_state_alone(self):
        state, batches = self.make()
        before = {name: value.clone() for name, value in state.nets.state_dict().items()}
        sample.final(state, batches, num_batches=2)
        assert_equal(before, state.nets.state_dict())
        assert all(module.training for module in state.nets.modules())
        assert not any(module._forward_pre_hooks for module in state.nets.modules())

    def test_leave_no_hook_behind(self):
        nets = sample.final(*self.make(), num_batches=1)
        assert not any(module._forward_pre_hooks for module in nets.modules())

    def test_with_one_batch_repeat_it(self):
        """Then evaluation on that batch is what training would compute."""
        state, batches = self.make()
        nets, batch = sample.final(state, batches, num_batches=1), batches.at(0)[0]
        expected = state.nets["G"](batch.z)
        assert torch.allclose(nets["G"](batch.z), expected, atol=1e-10)
