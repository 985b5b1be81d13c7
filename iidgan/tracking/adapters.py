"""The trackers that come with the package, each an extra of its name."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping

from iidgan.tracking.tracker import Picture, TrackedSeed, TrackerFactory
from iidgan.utils.files import read_regular_file, write_text


class TensorBoardTracker:
    """Event files in `tensorboard/seed-K` of the run directory, a run of TensorBoard per seed.

    Arguments:
        target: The seed.
    """

    def __init__(self, target: TrackedSeed) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder = target.folder / "tensorboard" / f"seed-{target.seed}"
        self._writer = SummaryWriter(folder, purge_step=target.first_step, flush_secs=10)
        config = json.dumps(target.run.to_dict(include_paths=False), indent=1)
        self._writer.add_text("run", f"```json\n{config}\n```", target.first_step)

    def log_values(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def log_picture(self, step: int, name: str, picture: Picture) -> None:
        self._writer.add_image(name, picture, step, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()


class WandbTracker:
    """A run of Weights & Biases per seed, in a group of the seeds; its files are in `wandb`.

    The project is `iidgan`, or `WANDB_PROJECT`. `WANDB_MODE=offline` needs no account.

    Arguments:
        target: The seed.
    """

    def __init__(self, target: TrackedSeed) -> None:
        import wandb

        group = _read_or_create_group(target)
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "iidgan"),
            group=group,
            id=f"{group}-{target.seed}",
            name=f"{target.folder.name}, seed {target.seed}",
            config=target.run.to_dict(include_paths=False) | {"seed": target.seed},
            dir=target.folder,
            resume="allow",
            reinit="create_new",  # the seeds have runs side by side
            settings=wandb.Settings(console="off"),
        )
        self._run.define_metric("*", step_metric="step")

    def log_values(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log({**values, "step": step})

    def log_picture(self, step: int, name: str, picture: Picture) -> None:
        import wandb

        self._run.log({name: wandb.Image(picture), "step": step})

    def close(self) -> None:
        self._run.finish()


def _read_or_create_group(target: TrackedSeed) -> str:
    """Return a name that no other run directory has, and that stays when training resumes."""
    file = target.folder / "wandb" / "group"
    if not file.exists():
        write_text(file, f"{target.run.id}-{secrets.token_hex(4)}")
    return read_regular_file(file).decode()


TRACKERS: dict[str, TrackerFactory] = {"tensorboard": TensorBoardTracker, "wandb": WandbTracker}
