"""`iidgan train --track`."""

import pytest

from iidgan.cli import main
from tests.helpers.cli import TRAIN_ON_POINTS, fail_command

TRACKER = """
class Tracker:
    def __init__(self, target):
        self.file = (target.folder / f"tracked-{target.seed}").open("w")

    def log_values(self, step, values):
        print(step, *values, file=self.file)

    def log_picture(self, step, name, picture):
        print(step, name, file=self.file)

    def close(self):
        self.file.close()
"""


@pytest.mark.usefixtures("work_dir")
def test_track_by_own_class(plugin_module, work_dir):
    module = plugin_module("my_trackers", TRACKER)
    assert main([*TRAIN_ON_POINTS, "--track", f"{module}:Tracker"]) == 0
    lines = (work_dir / "run" / "tracked-1").read_text().splitlines()
    assert any(line.startswith("8 losses/D/adversarial") for line in lines)
    assert "8 samples" in lines


@pytest.mark.usefixtures("work_dir")
def test_track_refuses_unknown_name(capsys):
    assert "'tensorboard'" in fail_command(capsys, *TRAIN_ON_POINTS, "--track", "tensorbord")
