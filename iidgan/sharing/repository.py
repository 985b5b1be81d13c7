"""The files of a repository that shares a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields, replace
from pathlib import Path

from iidgan.config.plugins import Plugin
from iidgan.config.run import Run
from iidgan.core import Source
from iidgan.errors import InputError
from iidgan.figures.run import MAX_GRID_IMAGES, plot_samples
from iidgan.report import save_figure
from iidgan.sharing.hub import PushOptions
from iidgan.sharing.model_card import SAMPLES_FILE, ModelCard
from iidgan.training.export import export_networks, load_networks
from iidgan.training.model import Model
from iidgan.training.run_dir import RunDir
from iidgan.utils.files import write_text

CARD_FILE = "README.md"
MAX_POINTS = 2000
"""Number of points in a picture of samples."""


def write_repository(
    path: str | Path,
    folder: Path,
    options: PushOptions,
    *,
    seed: int | None = None,
    plugins: Sequence[Plugin] = (),
) -> list[Path]:
    """Write what is pushed: networks, their config, a model card and a picture of samples.

    Paths of the data are left out of the config, since they tell of the machine.

    Arguments:
        path: A run directory, or a folder of exported networks.
        folder: Folder to write; it is replaced as a whole.
        options: Name and licence of the repository.
        seed: The only seed to share; by default all are.
        plugins: As for `iidgan.load`.

    Returns:
        The files.

    Raises:
        InputError: As for `iidgan.load`.
    """
    networks = load_networks(path, plugins=plugins)
    if seed is not None:
        networks = networks.select_seed(seed)
    run = remove_folders(networks.point.run)
    networks = replace(networks, point=replace(networks.point, run=run))
    export_networks(folder, networks)
    has_picture = _save_samples(networks.select_model(), folder / SAMPLES_FILE)
    card = ModelCard(
        name=options.name,
        networks=networks,
        records=[
            record
            for record in RunDir(Path(path), plugins).read_metric_records()
            if record.seed in networks.point.seeds
        ],
        licence=options.licence,
        has_picture=has_picture,
    )
    write_text(folder / CARD_FILE, card.render())
    return sorted(folder.iterdir())


def remove_folders(run: Run) -> Run:
    """Replace the paths of a run by names of files: folders tell of the machine.

    Arguments:
        run: The run, whose id stays.
    """
    start = None if run.start is None else replace(run.start, path=Path(run.start.path).name)
    return replace(run, source=_remove_paths(run.source), start=start)


def _remove_paths(source: Source) -> Source:
    """Replace paths by their defaults, or by the name of the file where one is needed."""
    changes = {
        field.name: Path(getattr(source, field.name)).name
        if field.default is MISSING
        else field.default
        for field in fields(source)  # type: ignore[arg-type]
        if field.metadata.get("path")
    }
    return replace(source, **changes)  # type: ignore[type-var]


def _save_samples(model: Model, path: Path) -> bool:
    """Draw samples, and return whether they can be drawn."""
    num_samples = MAX_GRID_IMAGES if len(model.shape) == 3 else MAX_POINTS
    try:
        figure = plot_samples(model.sample(num_samples).numpy())
    except InputError:  # points in more than two dimensions, or images of other channels
        return False
    save_figure(figure, path)
    return True
