"""What several processes of one run agree on, and what they refuse."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

import iidgan
from iidgan.distributed.processes import choose_local_device, join_processes
from iidgan.engine.loop import LoopSchedule, StopRequest
from iidgan.errors import InputError
from iidgan.parallel import shared_run
from iidgan.parallel.shared_run import AgreedStop, follow_training, plan_shared_run
from iidgan.training.plan import ExecutionPlan
from iidgan.training.session import RunSpec
from iidgan.utils.processes import is_follower, num_launched_processes
from tests.helpers.cli import fail_command
from tests.helpers.errors import raises_input_error

RUN = iidgan.Run(source=iidgan.Ring(size=100), method=iidgan.GAN(), batch=4, steps=10)


@dataclass
class FakeProcesses:
    """Two processes, as one of them sees them."""

    other_flag: bool = False
    message: object = None
    num_processes: int = 2

    def agree(self, *, flag):
        return flag or self.other_flag

    def broadcast(self, value=None):
        return self.message


@pytest.fixture
def torchrun(monkeypatch):
    """The environment of the second of two processes."""
    for name, value in (("TORCHELASTIC_RUN_ID", "1"), ("WORLD_SIZE", "2"), ("RANK", "1")):
        monkeypatch.setenv(name, value)


def make_spec(run=RUN):
    return RunSpec(run=run, seeds=(0,), out=Path("unused"), device=torch.device("cpu"))


def test_plan_of_processes_is_eager():
    plan = plan_shared_run(make_spec(), "auto", "auto", FakeProcesses())
    assert plan == ExecutionPlan("eager", workers=1, processes=2)
    assert ExecutionPlan.from_description(plan.describe()) == plan


@pytest.mark.parametrize(
    ("field", "executor", "workers", "batch"),
    [("executor", "compiled", 1, 4), ("workers", "auto", 2, 4), ("batch", "auto", 1, 1)],
)
def test_plan_refuses(field, executor, workers, batch):
    spec = make_spec(replace(RUN, batch=batch))
    with raises_input_error(field):
        plan_shared_run(spec, executor, workers, FakeProcesses())


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("other", [False, True])
def test_stop_of_any_process_counts(own, other):
    stop = StopRequest(max_seconds=0 if own else 60)
    assert AgreedStop(stop, FakeProcesses(other)).requested is (own or other)


@pytest.mark.parametrize("field", ["run", "source"])
def test_followers_need_the_run_and_data_of_the_leader(field):
    leader_run = replace(RUN, steps=11) if field == "run" else RUN
    digest = RUN.source.load().compute_sha256() if field == "run" else "other"
    schedule = LoopSchedule(steps=10, checkpoint_every=5)
    message = shared_run._SharedTraining(
        leader_run.id, digest, (0,), schedule, 0, torch.tensor([-1]), {}
    )
    with raises_input_error(field):
        follow_training(make_spec(), StopRequest(), FakeProcesses(message=message))


@pytest.mark.usefixtures("torchrun")
def test_only_training_has_several_processes(capsys):
    assert num_launched_processes() == 2
    assert is_follower()
    for command in ("table", "sweep", "figure"):
        assert f"iidgan {command}" in fail_command(capsys, command, "ring")


def test_no_torchrun_is_one_process():
    assert num_launched_processes() == 1
    assert not is_follower()


def test_devices_of_a_machine_are_divided(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "3")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    names = ("auto", "cuda", "cpu", "cuda:0")
    assert [*map(choose_local_device, names)] == ["cuda:3", "cuda:3", "cpu", "cuda:0"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [("[gloo/transport/tcp/pair.cc:553] Connection closed", InputError), ("other", RuntimeError)],
)
def test_lost_processes_are_an_input_error(monkeypatch, message, expected):
    environment = {
        **{"RANK": "0", "WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1", "MASTER_PORT": "0"},
        **{"MASTER_ADDR": "localhost", "TORCHELASTIC_RESTART_COUNT": "0"},
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(expected), join_processes(torch.device("cpu")):
        raise RuntimeError(message)
