"""A small table of scores on features of images, and its trained runs."""

from dataclasses import replace

import numpy as np
import pytest

from iidgan.config.run import Run
from iidgan.data import Prepared
from iidgan.data.prepare import prepare
from iidgan.methods import GAN
from iidgan.nn import MLP
from iidgan.studies.columns import score_columns
from iidgan.studies.figure_spec import ScoreFigureSpec
from iidgan.studies.table_spec import Profile, RowGroup, TableSpec
from iidgan.train import train
from tests.helpers.images import random_images
from tests.helpers.tables import make_workspace

SOURCE = Prepared(name="tiles", expected_size=8)
RUN = Run(source=SOURCE, method=GAN(), arch=MLP(latent=3, hidden=(8,)), steps=2, batch=4)
NUM_IMAGES = 40


def make_score_table(over_training=False, **changes):
    """Returns a table of one run, whose FID is on features of pixels, for two seeds."""
    suffix = ", minimum over training" if over_training else ""
    table = TableSpec(
        title="tiles",
        row_groups=(
            RowGroup(
                datasets={"Tiles": SOURCE},
                rows={"GAN": RUN},
                published={("GAN", f"Tiles FID{suffix}"): (25.0, 0.5)},
            ),
        ),
        columns=score_columns(
            "Tiles", {"FID": 1}, num_samples=NUM_IMAGES, over_training=over_training
        ),
        num_seeds=2,
        quick=Profile(steps=1, num_samples=20),
    )
    return replace(table.with_features("pixels"), **changes)


def make_score_figure(**changes):
    """Returns a figure of the FID of both steps of the run, on features of pixels."""
    table = make_score_table(over_training=True, num_checkpoints=2)
    return ScoreFigureSpec(title="tiles", table=replace(table, **changes))


@pytest.fixture
def tiles(tmp_path, monkeypatch):
    """A data home with the images of the table."""
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))
    np.save(tmp_path / "tiles.npy", random_images(NUM_IMAGES))
    prepare("tiles", origin=str(tmp_path / "tiles.npy"), size=8)
    return tmp_path


@pytest.fixture
def trained_tiles(tiles):
    """A workspace with the run of the table, trained for two seeds."""
    workspace = make_workspace(tiles)
    train(RUN, seeds=2, out=workspace.run_dir(RUN, (0, 1)).path, device="cpu", executor="eager")
    return replace(workspace, device="cpu")
