"""Small runs that are trained side by side."""

from dataclasses import replace

import torch

import iidgan
from iidgan.data import Grid, Ring
from iidgan.training.session import RunSpec

RUN = iidgan.Run(
    source=Ring(size=500), method=iidgan.iid_gan(), arch=iidgan.MLP(hidden=(8,)), steps=60
)
SOURCES = RUN.source, Grid(size=500), Ring(size=500, std=0.1)


def make_specs(path, run=RUN):
    """One run per source, each with one seed more than the one before."""
    return [
        RunSpec(
            run=replace(run, source=source),
            out=path / str(i),
            seeds=tuple(range(i + 1)),
            device=torch.device("cpu"),
        )
        for i, source in enumerate(SOURCES)
    ]
