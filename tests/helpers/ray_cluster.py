"""A Ray cluster on this machine, and jobs for it."""

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from iidgan.engine.loop import StopRequest
from iidgan.engine.optim import Adam
from iidgan.parallel.jobs import BatchJob
from iidgan.parallel.pool import PoolCallbacks
from iidgan.parallel.ray_cluster.backend import RayBackend
from iidgan.parallel.ray_cluster.messages import JobResources
from iidgan.training.session import RunSpec
from tests.helpers.parallel import RUN


@contextmanager
def start_cluster(num_cores=2):
    """Starts a cluster as `--on ray` does, for all that is trained meanwhile."""
    pytest.importorskip("ray", reason="the extra ray is not installed")
    from iidgan.parallel.ray_cluster import connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "num_cores", lambda: num_cores)
        with connection.ray_connection(None):
            yield


@dataclass(frozen=True, kw_only=True)
class FailingAdam(Adam):
    """Kills its process once, at a step that is the first after a checkpoint."""

    marker: str = ""
    step: int = 0
    seconds: float = 0.0

    def lr_at(self, step, steps):
        time.sleep(self.seconds)
        if step == self.step and self.marker and not Path(self.marker).exists():
            Path(self.marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Adam.lr_at(self, step, steps)


def make_job(path, name, *, steps=60, checkpoint_every=20, **optimiser):
    run = replace(RUN, optimiser=FailingAdam(**optimiser), steps=steps)
    spec = RunSpec(run=run, out=path / name, seeds=(0, 1), device=torch.device("cpu"))
    return BatchJob(specs=[spec], checkpoint_every=checkpoint_every, executor="eager")


def make_backend(path, *, cpus=1.0, gpus=0.0):
    return RayBackend(runs_dir=path, resources=JobResources(cpus, gpus))


def run_jobs(path, jobs, *, stop=None, **callbacks):
    callbacks = {"on_progress": lambda *_: None} | callbacks
    return make_backend(path).train_jobs(jobs, PoolCallbacks(**callbacks), stop or StopRequest())
