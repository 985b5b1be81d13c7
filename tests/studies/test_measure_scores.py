"""Scores on features of trained runs."""

import json
import math
import shutil
import signal
from dataclasses import replace

import pytest

from iidgan.engine.loop import StopRequest
from iidgan.records import read_records
from iidgan.studies.measure_scores import (
    ScoreMeter,
    add_untrained,
    find_trained,
    measure_scores,
    missing_scores,
)
from iidgan.studies.tabulate import tabulate
from iidgan.studies.train_missing import TrainingJob, train_missing
from tests.helpers.errors import raises_input_error
from tests.helpers.score_tables import NUM_IMAGES, RUN, make_score_table
from tests.helpers.tables import find_cell, make_record, make_workspace

TITLE = "Tiles FD, pixels (paper: inception)"


def make_score(seed, value=1.0, features="pixels", **changes):
    record = make_record(RUN, seed, value, metric="fd_pixels", **changes)
    return replace(record, protocol={"extractor": features})


def test_missing_scores_of_seeds():
    table = make_score_table()
    (job,) = missing_scores(table, range(2), [make_score(0)])
    assert (job.name, job.run, job.seeds) == ("GAN, Tiles", RUN, (1,))
    assert [column.title for column in job.columns] == [TITLE]
    assert missing_scores(table, range(2), [make_score(0), make_score(1)]) == []


@pytest.mark.parametrize(
    "records",
    [
        [make_score(0, features="random")],
        [make_score(0, step=1)],
        [replace(make_score(0), metric="fid")],
    ],
)
def test_missing_scores_ignores_others(records):
    (job,) = missing_scores(make_score_table(num_seeds=1), range(1), records)
    assert job.seeds == (0,)


def test_missing_scores_accepts_diverged():
    diverged = make_score(0, math.nan, step=1, diverged=1)
    assert missing_scores(make_score_table(), range(1), [diverged]) == []


def test_add_untrained_merges_seeds(tmp_path):
    workspace, table = make_workspace(tmp_path), make_score_table()
    score_jobs = missing_scores(table, range(2), [])
    (job,) = add_untrained([], score_jobs, workspace)
    assert (job.run, job.seeds, job.needs_classifier) == (RUN, (0, 1), False)
    (job,) = add_untrained([TrainingJob("GAN", RUN, (1, 2))], score_jobs, workspace)
    assert (job.seeds, job.needs_classifier) == ((0, 1, 2), True)


@pytest.mark.slow
def test_measure_scores_of_trained_run(trained_tiles):
    table, workspace = make_score_table(), trained_tiles
    jobs = missing_scores(table, range(2), workspace.load_records())
    assert add_untrained([], jobs, workspace) == []
    meter = ScoreMeter(workspace)
    assert measure_scores("t", jobs, meter, workspace, stop=StopRequest())
    records = workspace.load_records()
    assert {record.metric for record in records} == {"fd_pixels", "effective_rank"}
    for record in records:
        assert (record.run, record.step, record.diverged) == (RUN.id, RUN.steps, -1)
        assert record.protocol["num_generated"] == NUM_IMAGES
        assert "torch" in record.provenance
    cell = find_cell(tabulate(table, records), "GAN", TITLE)
    assert (cell.n, cell.status, cell.published) == (2, "done", (25.0, 0.5))
    assert missing_scores(table, range(2), records) == []
    (other_job,) = missing_scores(table.with_features("random"), range(2), records)
    assert add_untrained([], [other_job], workspace) == []


def set_diverged(run_dir, seed, step):
    """Marks a seed as diverged in the config of the exported networks."""
    path = run_dir.generator_dir / "config.json"
    config = json.loads(path.read_text())
    config["diverged"][seed] = step
    path.write_text(json.dumps(config))


@pytest.mark.slow
def test_measure_scores_of_diverged_seed(trained_tiles, monkeypatch):
    workspace, table = trained_tiles, make_score_table()
    monkeypatch.setattr("iidgan.training.export.integrity_error", lambda *arguments: None)
    set_diverged(workspace.run_dir(RUN, (0, 1)), 1, 2)
    jobs = missing_scores(table, range(2), [])
    measure_scores("t", jobs, ScoreMeter(workspace), workspace, stop=StopRequest())
    records = workspace.load_records()
    (diverged,) = (record for record in records if record.seed == 1)
    assert (diverged.diverged, math.isnan(diverged.value)) == (2, True)
    cell = find_cell(tabulate(table, records), "GAN", TITLE)
    assert (cell.n, cell.statuses) == (1, ((1, "diverged"),))


@pytest.mark.slow
def test_find_trained_needs_last_step(trained_tiles):
    assert find_trained(trained_tiles, RUN).keys() == {0, 1}
    longer_run = replace(RUN, steps=4)
    trained_tiles.run_dir(RUN, (0, 1)).path.rename(trained_tiles.run_dir(longer_run, (0, 1)).path)
    assert find_trained(trained_tiles, longer_run) == {}


def test_measure_scores_stops_between_runs(tmp_path):
    workspace = make_workspace(tmp_path)
    jobs = missing_scores(make_score_table(), range(2), [])
    meter, stop = ScoreMeter(workspace), StopRequest(max_seconds=0)
    assert not measure_scores("t", jobs, meter, workspace, stop=stop)
    assert read_records(workspace.results_file("t")) == []


# The smallest score at the checkpoints of a training

BEST_TITLE = "Tiles FD, minimum over training, pixels (paper: inception)"


def make_best_table(**changes):
    return make_score_table(over_training=True, num_checkpoints=2, **changes)


def test_minimum_needs_every_checkpoint():
    table = make_best_table()
    records = [make_score(0, 3.0, step=1), make_score(1, 1.0, step=1), make_score(1, 2.0)]
    (job,) = missing_scores(table, range(2), records)
    assert [*job.missing] == [(0, 2)]
    assert [*missing_scores(table, range(1), [])[0].missing] == [(0, 1), (0, 2)]
    cell = find_cell(tabulate(table, records), "GAN", BEST_TITLE)
    assert (cell.mean, cell.n, cell.statuses) == (1.0, 1, ((0, "missing"),))


def test_minimum_of_diverged_seed_is_none():
    diverged = make_score(0, math.nan, step=2, diverged=2)
    records = [make_score(0, 3.0, step=1), diverged]
    table = make_best_table(num_seeds=1)
    assert missing_scores(table, range(1), records) == []
    cell = find_cell(tabulate(table, records), "GAN", BEST_TITLE)
    assert (cell.n, cell.statuses) == (0, ((0, "diverged"),))


def test_end_of_training_ignores_checkpoints():
    records = [make_score(0, 1.0, step=1), make_score(0, 2.0)]
    assert find_cell(tabulate(make_score_table(), records), "GAN", TITLE).mean == 2.0


def test_add_untrained_keeps_networks_for_minimum(tmp_path):
    workspace = make_workspace(tmp_path)
    for table, keeps in ((make_score_table(), False), (make_best_table(), True)):
        (job,) = add_untrained([], missing_scores(table, range(2), []), workspace)
        assert job.keep_networks == keeps


@pytest.mark.slow
def test_minimum_from_training_to_table(tiles):
    table, workspace = make_best_table(), make_workspace(tiles)
    jobs = missing_scores(table, range(2), [])
    run_dir = train_best_table(workspace)
    assert sorted(read_weights(run_dir)) == PAST_NAMES

    # Measured with an interruption after the first of four points, whose record is not repeated.
    meter, stop = ScoreMeter(workspace), StopAfterReading(1)
    assert not measure_scores("t", jobs, meter, workspace, stop=stop)
    assert [(r.seed, r.step) for r in read_fids(workspace)] == [(0, 1)]
    jobs = missing_scores(table, range(2), workspace.load_records())
    assert [*jobs[0].missing] == [(0, 2), (1, 1), (1, 2)]
    assert measure_scores("t", jobs, meter, workspace, stop=StopRequest())
    records = read_fids(workspace)
    assert [(r.seed, r.step) for r in records] == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert len({r.value for r in records}) == 4
    cell = find_cell(tabulate(table, workspace.load_records()), "GAN", BEST_TITLE)
    smallest = [min(r.value for r in records if r.seed == seed) for seed in (0, 1)]
    assert cell.mean == pytest.approx(sum(smallest) / 2)
    assert (cell.status, cell.published) == ("done", (25.0, 0.5))


PAST_NAMES = [f"seed-{seed}-step-{step:08d}" for seed in (0, 1) for step in (1, 2)]


def train_best_table(workspace, **stop_options):
    """Trains the run of the table for two seeds, and returns its directory."""
    workspace, table = replace(workspace, device="cpu", executor="eager"), make_best_table()
    options = {"on_progress": lambda *arguments: None, "stop": StopRequest()} | stop_options
    train_missing(
        "t",
        add_untrained([], missing_scores(table, range(2), []), workspace),
        workspace,
        num_checkpoints=table.num_checkpoints,
        **options,
    )
    return workspace.run_dir(RUN, (0, 1))


def read_weights(run_dir):
    """Weights of the networks of each checkpoint, by name of the folder."""
    files = run_dir.past_dir.glob("*/model.safetensors")
    return {file.parent.name: file.read_bytes() for file in files}


@pytest.mark.slow
def test_networks_of_checkpoints_survive_interruption(tiles):
    stop = StopRequest()

    def stop_after_first_step(index, message, record):
        if record is not None:
            stop.signal = signal.SIGTERM

    interrupted = make_workspace(tiles / "interrupted")
    run_dir = train_best_table(interrupted, stop=stop, on_progress=stop_after_first_step)
    # Its process may reach the last step before it sees the request.
    assert {PAST_NAMES[0], PAST_NAMES[2]} <= {*read_weights(run_dir)}
    whole = read_weights(train_best_table(make_workspace(tiles / "whole")))
    assert read_weights(train_best_table(interrupted)) == whole
    assert sorted(whole) == PAST_NAMES
    assert len({*whole.values()}) == len(PAST_NAMES)


class StopAfterReading:
    """A stop request that comes once it was asked for some times."""

    def __init__(self, num_readings):
        self.num_readings = num_readings

    @property
    def requested(self):
        self.num_readings -= 1
        return self.num_readings < 0


def read_fids(workspace):
    return [r for r in workspace.load_records() if r.metric == "fd_pixels"]


@pytest.mark.slow
def test_run_without_its_networks_is_trained_again(trained_tiles):
    table, workspace = make_best_table(num_seeds=3), trained_tiles
    score_jobs = missing_scores(table, range(3), [])
    (job,) = add_untrained([], score_jobs, workspace)
    assert (job.seeds, job.keep_networks) == ((0, 1, 2), True)
    kept_dir = workspace.run_dir(RUN, job.seeds)
    shutil.copytree(workspace.run_dir(RUN, (0, 1)).path, kept_dir.path)
    for seed in (0, 1):
        kept_dir.past_networks_dir(seed, 1).mkdir(parents=True)
    assert {run_dir.path for run_dir, _ in find_trained(workspace, RUN).values()} == {
        kept_dir.path
    }
    (job,) = add_untrained([], score_jobs, workspace)
    assert job.seeds == (2,)


@pytest.mark.slow
def test_minimum_of_run_without_its_networks(trained_tiles):
    jobs = missing_scores(make_best_table(), range(1), [])
    with raises_input_error("runs", RUN.id, "networks of step 1", "--runs"):
        measure_scores("t", jobs, ScoreMeter(trained_tiles), trained_tiles, stop=StopRequest())
