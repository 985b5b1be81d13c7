"""What handing out jobs costs: fake jobs of known length on Ray, some of whose processes die.

`python -m benchmarks.ray_scheduler` needs the extra ray. A fake job sleeps, reports progress once
a second, and imports no torch, so that many fit on a small machine.
"""

import argparse
import heapq
import os
import pickle
import random
import resource
import secrets
import signal
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import ray

from iidgan.parallel.ray_cluster.messages import JobResources, Progress, Started
from iidgan.utils.jsonl import read_lines


@dataclass(frozen=True, kw_only=True)
class FakeJob:
    """Sleeps for a time; its process dies once, after a time, if that is not 0."""

    name: str
    seconds: float
    dies_after: float
    root: str

    @property
    def num_runs(self):
        return 1

    @property
    def folders(self):
        return [Path(self.root, self.name)]

    def move_to(self, folders):
        return self


def run_fake_attempt(attempt, mailbox):
    """Goes on where an attempt before was killed, as a training does from its checkpoint."""

    def send(message):  # it has arrived before the process can die
        ray.get(mailbox.post.remote(attempt.id, pickle.dumps(message)))

    send(Started(socket.gethostname(), os.getpid(), time.time()))
    job = attempt.job
    marker = Path(job.root, f"{job.name}-died")
    remaining = job.seconds - job.dies_after * marker.exists()
    end = time.monotonic() + (remaining if marker.exists() else job.dies_after or remaining)
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 1.0))
        send(Progress(0, "", None))
    if job.dies_after and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return ["finished"]


def make_jobs(root, *, num_jobs, seconds, num_deaths):
    """Jobs of 0.5 to 1.5 times the mean length, of which some die in the middle."""
    generator = random.Random(0)
    dying = set(generator.sample(range(num_jobs), num_deaths))
    lengths = [seconds * generator.uniform(0.5, 1.5) for _ in range(num_jobs)]
    return [
        FakeJob(name=f"job-{i}", seconds=length, dies_after=length / 2 * (i in dying), root=root)
        for i, length in enumerate(lengths)
    ]


def ideal_seconds(jobs, num_workers):
    """How long the jobs take if each begins, in order, as soon as a worker is free."""
    ends = [0.0] * num_workers
    for job in jobs:
        heapq.heapreplace(ends, ends[0] + job.seconds)
    return max(ends)


def run_jobs(root, jobs):
    """Trains them all; returns outcomes, and records of attempts."""
    from iidgan.engine.loop import StopRequest
    from iidgan.parallel.pool import PoolCallbacks
    from iidgan.parallel.ray_cluster.scheduler import Scheduler

    scheduler = Scheduler(
        jobs=jobs,
        resources=JobResources(1.0),
        run_attempt=run_fake_attempt,
        marker=Path(root),
        log_file=Path(root, "jobs.jsonl"),
        callbacks=PoolCallbacks(on_progress=lambda *_: None),
    )
    scheduler.run(StopRequest())
    scheduler.close()
    return scheduler.outcomes, read_lines(Path(root, "jobs.jsonl"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--deaths", type=int, default=50)
    options = parser.parse_args()
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # or Ray keeps one in ~/.ray
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(
        address="local",
        num_cpus=options.workers,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=2**27,
        _node_ip_address="127.0.0.1",
    )
    with tempfile.TemporaryDirectory() as root:
        warm_up = make_jobs(root, num_jobs=options.workers, seconds=1.0, num_deaths=0)
        run_jobs(root, warm_up)  # starts the workers, which takes seconds of each core
        Path(root, "jobs.jsonl").unlink()
        jobs = make_jobs(
            root, num_jobs=options.jobs, seconds=options.seconds, num_deaths=options.deaths
        )
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        wall, cpu = time.monotonic(), time.process_time()
        outcomes, records = run_jobs(root, jobs)
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    ideal = ideal_seconds(jobs, options.workers)
    lost = sum(record["outcome"].startswith("lost") for record in records)
    print(f"{len(jobs)} jobs, {options.workers} workers, {lost} processes killed")
    print(f"finished {outcomes.count('finished')}, attempts recorded {len(records)}")
    print(f"complete records {sum(None not in record.values() for record in records)}")
    print(f"wall {wall:.1f} s, ideal {ideal:.1f} s: {100 * (wall / ideal - 1):.1f} % beyond it")
    print(f"the driver's CPU time {cpu:.2f} s, {100 * cpu / wall:.2f} % of the wall time")
    print(f"the driver's memory grew by {growth / 1024:.1f} MiB")


if __name__ == "__main__":
    main()
