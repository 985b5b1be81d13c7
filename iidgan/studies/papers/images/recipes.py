"""What the tables of images have in common: runs from presets, profiles, methods, and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from iidgan.config.preset import Preset
from iidgan.config.run import Run
from iidgan.core import Method, Source
from iidgan.data import Prepared
from iidgan.engine.optim import Adam
from iidgan.methods import (
    MADGAN,
    MGGAN,
    MRGAN,
    VEEGAN,
    BiGAN,
    DistGAN,
    PacGAN,
    Unrolled,
    amat,
)
from iidgan.studies.columns import Column, ScoreColumn
from iidgan.studies.table_spec import Profile, PublishedValues, RowGroup, TableSpec

NUM_SEEDS = 3
"""Trainings behind a mean: the papers evaluate one training several times, or say nothing."""

OTHER_METHODS: dict[str, Method] = {
    "BiGAN": BiGAN(),
    "Unrolled GAN": Unrolled(lr=2e-4, pace=1.0, schedule="linear"),
    "VEEGAN": VEEGAN(),
    "MAD-GAN": MADGAN(),
    "MRGAN": MRGAN(),
    "PacGAN": PacGAN(),
    "Dist-GAN": DistGAN(decoder=False, distance=1.0, slope=1.0, full_mu=0.75),
    "MGGAN": MGGAN(corruption=0.5),
    "AMAT": amat(),
}
"""Methods that the papers compare with, with the options that their authors take for images."""

_OTHERS_NOTE = (
    "The papers print no options of the methods that they compare with. Here they are those that "
    "the authors of each take for images, or else the defaults of this library; Unrolled GAN "
    "unrolls with the rate 2e-4, which decays as that of D does, and has the same rate for D and "
    "G."
)

Parts = Sequence[Method | str]
"""A method and the terms that are added to it, as objects or registered names."""
Printed = float | tuple[float, float] | None
"""A printed mean, or a mean and a deviation; None where a paper prints nothing."""


def take_others(*row_names: str) -> dict[str, Parts]:
    """Return rows of `OTHER_METHODS`.

    Arguments:
        *row_names: Their names.
    """
    return {name: (OTHER_METHODS[name],) for name in row_names}


def create_image_table(
    *,
    title: str,
    presets: Mapping[str, Preset],
    datasets: Mapping[str, Source | str],
    rows: Mapping[str, Parts],
    columns: Mapping[str, Column],
    printed: Mapping[str, Sequence[Printed]],
    quick_datasets: Mapping[str, Source] | None = None,
    num_seeds: int = NUM_SEEDS,
    notes: tuple[str, ...] = (),
) -> TableSpec:
    """Create a table of images whose rows differ in the method alone.

    The quick profile, of minutes on two cores, shows that everything works. Both it and the
    standard one have narrow networks, small batches and few samples.

    Arguments:
        title: What the table shows and where it was published.
        presets: The setting of each data set, of which all are equal but for the data.
        datasets: Data sets by their name in the table; a prepared one by its own name, of the size
            of its preset.
        rows: Methods with terms, by the name of the row.
        columns: Columns by title.
        printed: Printed values by row, in the order of the columns.
        quick_datasets: Data sets of the quick profile, if they differ.
        num_seeds: Trainings behind a mean.
        notes: Further paragraphs below the table.
    """
    preset = next(iter(presets.values()))
    sources = {
        name: Prepared(name=data, expected_size=presets.get(name, preset).side)
        if isinstance(data, str)
        else data
        for name, data in datasets.items()
    }
    source = next(iter(sources.values()))
    group = RowGroup(
        datasets=sources,
        rows={name: preset.create_run(source, *_split(parts)) for name, parts in rows.items()},
        published=_assign_columns(printed, columns),
    )
    quick_group = _narrow(group, width=8, batch=16, lr=1e-3)
    is_over_training = any(
        isinstance(column, ScoreColumn) and column.over_training for column in columns.values()
    )
    short_checkpoints = 4 if is_over_training else 1
    return TableSpec(
        title=title,
        row_groups=(group,),
        columns=columns,
        num_seeds=num_seeds,
        quick=Profile(
            steps=200,
            num_seeds=2,
            num_checkpoints=short_checkpoints,
            num_samples=500,
            row_groups=(replace(quick_group, datasets=quick_datasets or sources),),
        ),
        standard=Profile(
            steps=5_000,
            num_seeds=3,
            num_checkpoints=short_checkpoints,
            num_samples=5_000,
            row_groups=(_narrow(group, width=32, batch=64, lr=2e-4),),
        ),
        notes=(
            *notes,
            *([_OTHERS_NOTE] if rows.keys() & OTHER_METHODS.keys() else []),
            *(_describe_setting(name, preset) for name, preset in presets.items()),
        ),
    )


def _split(parts: Parts) -> tuple[Method | str, tuple[str, ...]]:
    method, *terms = parts
    return method, tuple(str(term) for term in terms)


def _assign_columns(
    printed: Mapping[str, Sequence[Printed]], columns: Mapping[str, Column]
) -> PublishedValues:
    return {
        (row_name, title): value if isinstance(value, tuple) else (value, None)
        for row_name, values in printed.items()
        for title, value in zip(columns, values, strict=True)
        if value is not None
    }


def _narrow(group: RowGroup, *, width: int, batch: int, lr: float) -> RowGroup:
    """Return a group with narrow networks and a small batch, whose title says so."""
    rows = {
        name: _narrow_run(run, width, batch, lr) if isinstance(run, Run) else run
        for name, run in group.rows.items()
    }
    title = f"Networks of width {width}, batch {batch}, Adam {lr:g}; the paper's are larger"
    return replace(group, rows=rows, title=title)


def _narrow_run(run: Run, width: int, batch: int, lr: float) -> Run:
    assert isinstance(run.optimiser, Adam)
    return replace(
        run,
        arch=replace(run.arch, width=width),  # type: ignore[type-var]
        batch=batch,
        optimiser=replace(run.optimiser, lr=lr),
    )


def _describe_setting(dataset_name: str, preset: Preset) -> str:
    """Describe which parts of a setting are not the paper's."""
    ours = [f"{field} ({text})" for field, text in preset.origins.items() if "ours" in text]
    return f"{dataset_name}: preset {preset.name}. Where the paper is silent: {', '.join(ours)}."
