"""Many jobs, some of whose processes die: all are done, and it is recorded what ran where."""

import os

import pytest

pytest.importorskip("ray", reason="the extra ray is not installed")

from benchmarks.ray_scheduler import ideal_seconds, make_jobs, run_jobs


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_record_of_jobs_is_complete(tmp_path):
    jobs = make_jobs(str(tmp_path), num_jobs=6, seconds=0.2, num_deaths=2)
    outcomes, records = run_jobs(str(tmp_path), jobs)
    assert outcomes == ["finished"] * 6
    for job in jobs:
        attempts = [record for record in records if record["runs"] == [job.name]]
        assert [record["attempt"] for record in attempts] == [*range(1, len(attempts) + 1)]
        kinds = [record["outcome"].partition(":")[0] for record in attempts]
        assert kinds == ["lost", "finished"][not job.dies_after :]
        for record in attempts:
            assert record["host"] == os.uname().nodename
            assert record["pid"] != os.getpid()
            assert record["start"] <= record["end"]
    assert len(records) == 8


def test_ideal_seconds(tmp_path):
    jobs = make_jobs(str(tmp_path), num_jobs=20, seconds=1.0, num_deaths=0)
    lengths = [job.seconds for job in jobs]
    assert ideal_seconds(jobs, 1) == pytest.approx(sum(lengths))
    assert ideal_seconds(jobs, 20) == max(lengths)
