"""Training of the runs that a table lacks."""

import signal
import sys
from dataclasses import replace
from subprocess import PIPE, Popen

import pytest
import torch

from iidgan.config.run import Run
from iidgan.data import Grid, Mnist, Ring
from iidgan.engine.loop import StopRequest
from iidgan.evaluation.classifier.store import find_classifier
from iidgan.methods import GAN
from iidgan.parallel.backend import LocalProcesses
from iidgan.records import MetricRecord, append_records, read_records
from iidgan.studies.tabulate import tabulate
from iidgan.studies.train_missing import (
    TrainingJob,
    batch_jobs,
    check_same_classifiers,
    missing_runs,
    train_missing,
    train_runs,
)
from iidgan.training.run_dir import LOCK_FILE
from iidgan.utils.files import file_sha256
from tests.helpers.classifiers import make_image_run
from tests.helpers.errors import raises_input_error
from tests.helpers.tables import (
    find_cell,
    job_keys,
    make_records,
    make_table,
    make_workspace,
)


def train(name, jobs, workspace, stop=None):
    return train_missing(
        name, jobs, workspace, on_progress=lambda *_: None, stop=stop or StopRequest()
    )


@pytest.mark.slow
def test_train_missing_keeps_records(tmp_path):
    table, workspace = make_table(), make_workspace(tmp_path)
    jobs = missing_runs(table.restrict_to(["ours"]), range(2), workspace.load_records())
    assert [job.name for job in jobs] == ["ours, A", "ours, B"]
    outcomes = train("t", jobs, workspace)
    assert outcomes == [("ours, A", "finished"), ("ours, B", "finished")]
    assert missing_runs(table.restrict_to(["ours"]), range(2), workspace.load_records()) == []
    recorded_ids = {record.run for record in read_records(workspace.results_file("t"))}
    assert recorded_ids == dict(job_keys(jobs)).keys()


def test_missing_runs_finds_shared_records(tmp_path):
    table, workspace = make_table(), make_workspace(tmp_path)
    append_records(workspace.results_file("other"), make_records(table, "plain", "A", [1.0, 2.0]))
    missing = dict(job_keys(missing_runs(table, range(2), workspace.load_records())))
    assert table.row_groups[0].get_run("plain", "A").id not in missing


@pytest.mark.slow
def test_train_missing_only_missing_seeds(tmp_path):
    table, workspace = make_table(num_seeds=3), make_workspace(tmp_path)
    request = table.restrict_to(["plain"], ["A"])
    for name, num_seeds, seeds in (("one", 1, (0,)), ("other", 3, (1, 2))):
        jobs = missing_runs(request, range(num_seeds), workspace.load_records())
        assert [job.seeds for job in jobs] == [seeds]
        train(name, jobs, workspace)
    assert {record.seed for record in read_records(workspace.results_file("other"))} == {1, 2}
    cell = find_cell(tabulate(table, workspace.load_records()), "plain", "A quality")
    assert (cell.seeds, cell.status) == ((0, 1, 2), "done")


@pytest.mark.slow
def test_train_missing_repeats_incomplete_seed(tmp_path):
    table, workspace = make_table(), make_workspace(tmp_path)
    request, results_path = table.restrict_to(["plain"], ["A"]), workspace.results_file("t")
    train("t", missing_runs(request, range(2), []), workspace)
    lines = results_path.read_text().splitlines(keepends=True)
    kept_lines = [line for line in lines if not ('"seed": 1' in line and '"quality"' in line)]
    assert 0 < len(kept_lines) < len(lines)
    results_path.write_text("".join(kept_lines))
    (job,) = missing_runs(request, range(2), workspace.load_records())
    assert job.seeds == (1,)
    train("t", [job], workspace)
    assert missing_runs(request, range(2), workspace.load_records()) == []
    assert find_cell(tabulate(table, workspace.load_records()), "plain", "A quality").n == 2


@pytest.mark.slow
def test_train_missing_trains_others_before_a_locked_run(tmp_path):
    table, workspace = make_table(), make_workspace(tmp_path)
    jobs = missing_runs(table.restrict_to(["plain"]), range(2), workspace.load_records())
    lock, messages = workspace.run_dir(jobs[0].run, jobs[0].seeds).lock(), []
    lock.__enter__()

    def let_go(i, message, record):
        if "another process" in message:
            messages.append((i, len({record.run for record in workspace.load_records()})))
            lock.__exit__(None, None, None)

    outcomes = train_missing("t", jobs, workspace, on_progress=let_go, stop=StopRequest())
    assert outcomes == [("plain, A", "finished"), ("plain, B", "finished")]
    assert messages == [(0, 1)]  # the other run was finished


@pytest.mark.slow
def test_train_missing_trains_on_what_a_killed_process_held(tmp_path):
    table, workspace = make_table(), make_workspace(tmp_path)
    request = table.restrict_to(["plain"], ["A"])
    jobs = missing_runs(request, range(2), workspace.load_records())
    lock_file = workspace.run_dir(jobs[0].run, jobs[0].seeds).path / LOCK_FILE
    lock_file.parent.mkdir(parents=True)
    code = (
        f"import filelock; lock = filelock.FileLock({str(lock_file)!r}); lock.acquire(); "
        "print(flush=True); input()"
    )
    with Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE) as process:
        process.stdout.readline()  # it has the lock

        def kill(i, message, record):
            if "another process" in message:
                process.kill()

        ((_, outcome),) = train_missing("t", jobs, workspace, on_progress=kill, stop=StopRequest())
    assert process.returncode == -signal.SIGKILL
    assert outcome == "finished"


@pytest.mark.slow
def test_train_missing_stops_waiting(tmp_path):
    table, workspace = make_table(), make_workspace(tmp_path)
    request, stop = table.restrict_to(["plain"], ["A"]), StopRequest()
    jobs = missing_runs(request, range(2), workspace.load_records())

    def request_stop(i, message, record):
        stop.signal = signal.SIGINT

    with workspace.run_dir(jobs[0].run, jobs[0].seeds).lock():
        ((_, outcome),) = train_missing("t", jobs, workspace, on_progress=request_stop, stop=stop)
    assert outcome.startswith("busy: ")
    assert workspace.load_records() == []


@pytest.mark.slow
def test_train_missing_records_failure(tmp_path):
    table, workspace = make_table(), make_workspace(tmp_path)
    jobs = missing_runs(table.restrict_to(["plain"]), range(2), workspace.load_records())
    run_path = workspace.run_dir(jobs[0].run, range(2)).path
    run_path.mkdir(parents=True)
    (run_path / "in the way").write_text("")
    outcomes = train("t", jobs, workspace)
    assert outcomes[0][1].startswith("failed: out: ")
    assert outcomes[1] == ("plain, B", "finished")
    cells = tabulate(table, workspace.load_records())
    assert find_cell(cells, "plain", "A quality").status == "failed"
    assert find_cell(cells, "plain", "B quality").status == "done"


def test_train_missing_after_stop(tmp_path):
    table, workspace = make_table(), make_workspace(tmp_path)
    stop = StopRequest()
    stop.signal = 2
    outcomes = train("t", missing_runs(table, range(2), []), workspace, stop)
    assert {outcome for _, outcome in outcomes} == {"not begun"}


@pytest.mark.parametrize(("steps", "checkpoints", "every"), [(7, 2, 4), (7, 1, 7), (2, 12, 1)])
def test_train_runs_checkpoint_interval(tmp_path, steps, checkpoints, every):
    backend_jobs = []

    class ListingBackend(LocalProcesses):
        def train_jobs(self, jobs, callbacks, stop):
            backend_jobs.extend(jobs)
            return ["finished"]

    run = Run(source=Ring(size=100), steps=steps, batch=4)
    train_runs(
        [TrainingJob("a", run, (0,))],
        replace(make_workspace(tmp_path), backend=ListingBackend(1)),
        on_progress=lambda *_: None,
        stop=StopRequest(),
        num_checkpoints=checkpoints,
    )
    assert [job.checkpoint_every for job in backend_jobs] == [every]


def test_batch_jobs_on_accelerators_alone():
    runs = [Run(source=Ring(size=500)), Run(source=Ring(size=500), steps=61), Run(source=Grid())]
    jobs = [TrainingJob(str(i), run, (0,)) for i, run in enumerate(runs)]
    assert batch_jobs(jobs, torch.device("cuda")) == [[0, 2], [1]]
    assert batch_jobs(jobs, torch.device("cpu")) == [[0], [1], [2]]


def classified_record(run, weights, **changes):
    """A record of a classifier with these weights, at the end of training."""
    record = MetricRecord(
        run=run.id,
        seed=0,
        step=run.steps,
        metric="modes",
        value=1.0,
        diverged=-1,
        protocol={"extractor": "mnist-classifier", "weights": weights},
        provenance={},
    )
    return replace(record, **changes)


def test_check_same_classifiers_rejects_other_weights(mnist_classifier):
    run = Run(source=Mnist(), method=GAN())
    named_runs, jobs = {run.id: ("GAN", run)}, [TrainingJob("GAN", run, (1,))]
    other_jobs = [TrainingJob("a", Run(source=Ring()), (0,))]
    weights, other_weights = find_classifier(Mnist()).weights_digest, "f" * 16
    assert file_sha256(mnist_classifier / "model.safetensors").startswith(weights)
    records = [
        classified_record(run, weights),
        classified_record(run, other_weights, step=1),
        classified_record(replace(run, steps=7), other_weights),
    ]
    check_same_classifiers(named_runs, records, jobs)
    check_same_classifiers(named_runs, [classified_record(run, other_weights)], other_jobs)
    with raises_input_error("results", other_weights, weights):
        check_same_classifiers(named_runs, [*records, classified_record(run, other_weights)], jobs)


def test_train_missing_needs_classifier(mnist_root, tmp_path):
    workspace = make_workspace(tmp_path)
    jobs = [TrainingJob("GAN", make_image_run(), (0,))]
    with raises_input_error("classifier", "mnist", "`iidgan prepare mnist-classifier`"):
        train("table", jobs, workspace)
    assert not workspace.runs_dir.exists()
