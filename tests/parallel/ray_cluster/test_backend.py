"""Jobs on Ray: the numbers of local processes, lost workers, stop requests, separate folders."""

import signal
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from iidgan.engine.loop import StopRequest
from iidgan.parallel.pool import PoolCallbacks
from iidgan.parallel.ray_cluster.backend import LOG_FILE, RayBackend, parse_resources
from iidgan.studies.train_missing import missing_runs, train_missing
from iidgan.utils.jsonl import read_lines
from tests.helpers.errors import raises_input_error
from tests.helpers.ray_cluster import make_backend, make_job, run_jobs
from tests.helpers.tables import make_table, make_workspace


def read_events(folder, name):
    return [event for event in read_lines(folder / "events.jsonl") if event["event"] == name]


def train_table(path, backend=None):
    workspace = make_workspace(path)
    if backend:
        workspace = replace(workspace, backend=backend(workspace.runs_dir))
    jobs = missing_runs(make_table().restrict_to((), ["A"]), range(2), [])
    outcomes = train_missing("t", jobs, workspace, on_progress=lambda *_: None, stop=StopRequest())
    assert {outcome for _, outcome in outcomes} == {"finished"}
    values = {
        (record.run, record.seed, record.step, record.metric): record.value
        for record in workspace.load_records()
    }
    return values, [workspace.run_dir(job.run, job.seeds) for job in jobs]


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_table_equals_that_of_local_processes(tmp_path):
    """Bit for bit, records as well as networks."""
    local_values, local_dirs = train_table(tmp_path / "local")
    values, run_dirs = train_table(tmp_path / "ray", make_backend)
    assert values == local_values
    assert len(run_dirs) == len(local_dirs) > 1
    for run_dir, local_dir in zip(run_dirs, local_dirs):
        for file in sorted(local_dir.generator_dir.rglob("*.safetensors")):
            name = file.relative_to(local_dir.generator_dir)
            assert (run_dir.generator_dir / name).read_bytes() == file.read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("is_shared", [True, False], ids=["shared folder", "own folders"])
def test_killed_worker_costs_the_steps_since_its_checkpoint(tmp_path, monkeypatch, is_shared):
    if not is_shared:
        hide_folder(monkeypatch)
    marker = tmp_path / "killed"
    job = make_job(tmp_path, "run", marker=str(marker), step=50)
    restarts = []
    (outcome,) = run_jobs(tmp_path, [job], on_restart=lambda *args: restarts.append(args))
    assert outcome == "finished"
    assert [index for index, _ in restarts] == [0]
    assert "restarting it from the last checkpoint" in restarts[0][1]
    # A checkpoint is sent with the next log record, and that of step 60 never came.
    resumed_step = 40 if is_shared else 20
    started = read_events(tmp_path / "run", "started")
    assert [event["step"] for event in started] == [0, resumed_step]
    attempts = read_lines(tmp_path / LOG_FILE)
    assert [record["outcome"].split(":")[0] for record in attempts][-2:] == ["lost", "finished"]
    assert len({record["pid"] for record in attempts}) >= 2
    assert not [*tmp_path.rglob(".partial*"), *tmp_path.rglob(".lock")]

    undisturbed = make_job(tmp_path / "other", "run", step=50)
    assert run_jobs(tmp_path / "other", [undisturbed]) == ["finished"]
    for file in (tmp_path / "other/run/generator").rglob("*.safetensors"):
        name = file.relative_to(tmp_path / "other")
        assert (tmp_path / name).read_bytes() == file.read_bytes()


def hide_folder(monkeypatch):
    """Looks for the marker elsewhere, as a machine without the folder of the runs does."""
    monkeypatch.setattr(RayBackend, "_marker", lambda self: nullcontext(Path("/nowhere/marker")))


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("is_shared", [True, False], ids=["shared folder", "own folders"])
def test_stop_request_saves_everywhere(tmp_path, monkeypatch, is_shared):
    if not is_shared:
        hide_folder(monkeypatch)
    jobs = [make_job(tmp_path, name, steps=10**6, seconds=0.005) for name in "abc"]
    stop, started = StopRequest(), set()

    def stop_once_two_run(index, message, record):
        started.add(index)
        if record and len(started) == 2:
            stop.signal = signal.SIGINT

    outcomes = run_jobs(tmp_path, jobs, stop=stop, on_progress=stop_once_two_run)
    # A third task may begin before it is cancelled, and stops at once.
    assert sorted(outcomes)[1:] == ["stopped", "stopped"]
    assert {*outcomes} <= {"not begun", "stopped"}
    for name in (name for i, name in enumerate("abc") if i in started):
        checkpoints = [path.name for path in (tmp_path / name / "checkpoints").glob("step-*")]
        (stopped,) = read_events(tmp_path / name, "stopped")
        assert f"step-{stopped['step']:08d}" in checkpoints


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_job_that_no_node_has_room_for(tmp_path):
    backend = make_backend(tmp_path, cpus=64)
    with raises_input_error("per-job", "cpus=64", "cpus=2"):
        backend.train_jobs(
            [make_job(tmp_path, "a")], PoolCallbacks(on_progress=lambda *_: None), StopRequest()
        )


@pytest.mark.parametrize("text", ["", "cpus=0", "gpu=1", "cpus=-1", "cpus=1,gpu=x", "cpus=1,"])
def test_parse_resources_rejects(text):
    with raises_input_error("per-job", "cpus=1,gpu=0.2"):
        parse_resources(text)


def test_device_follows_from_resources(tmp_path):
    pytest.importorskip("ray", reason="the extra ray is not installed")
    cpu_backend = make_backend(tmp_path)
    gpu_backend = make_backend(tmp_path, gpus=0.2)
    assert cpu_backend.choose_device("auto") == torch.device("cpu")
    assert gpu_backend.choose_device("auto") == torch.device("cuda")
    with raises_input_error("device", "cuda", "gpu=1"):
        cpu_backend.choose_device("cuda")
