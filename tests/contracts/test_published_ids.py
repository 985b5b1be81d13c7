"""Published ids belong to declared runs, and published tables keep their numbers.

An id is a digest of a run as JSON. Renaming a type name, adding a field or changing a default
would separate published numbers from their runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iidgan.config.run import Run
from iidgan.config.serialization import encode
from iidgan.data import Grid, Ring, StackedFashion, StackedMnist
from iidgan.engine.optim import Adam
from iidgan.methods import GAN, VAE, VEEGAN, Wasserstein, iid_gan, wgan_gp
from iidgan.nn import DCGAN
from iidgan.records import MetricRecord, read_all_records
from iidgan.report.formats import render_table
from iidgan.studies.papers import FIGURES, RECIPES, TABLES, TUNING
from iidgan.studies.table_spec import TableSpec
from iidgan.studies.tabulate import tabulate
from iidgan.terms import CycleTerm, GaussianTerm, GradientPenalty
from tools.update_results import PROFILES

pytestmark = pytest.mark.slow  # all published records and runs

RESULTS_DIR = Path(__file__).parents[2] / "results"
DIGESTS_PATH = Path(__file__).parents[1] / "fixtures" / "tables.json"

NUM_PUBLISHED = 794
"""Distinct ids in `results`; the number may only grow."""
WASSERSTEIN, NUM_WASSERSTEIN = "iidgan.methods.wgan:Wasserstein", 36

DIGEST_KEYS = {"statuses": "fates"}
"""Keys of cells that had another name when the digests were computed."""


@pytest.fixture(scope="module")
def records() -> list[MetricRecord]:
    return read_all_records(RESULTS_DIR)


@pytest.fixture(scope="module")
def published_ids(records) -> set[str]:
    return {record.run for record in records}


@pytest.fixture(scope="module")
def declared(records) -> dict[str, Run]:
    return {run.id: run for run in declared_runs(records)}


def declared_runs(records: list[MetricRecord]) -> Iterator[Run]:
    """Yields all runs of tables, figures and trials, with their quick profiles."""
    for make in TABLES.values():
        yield from iterate_runs(make(records))
    for figure in FIGURES.values():
        for profile in (figure, figure.quick):
            yield from profile.runs.values() if profile is not None else ()
    yield from (run for _, run in TUNING.runs.values())


def iterate_runs(table: TableSpec) -> Iterator[Run]:
    """Yields the runs of a table and of its profiles."""
    profiles = [table, table.with_quick_profile()]
    if table.standard is not None:
        profiles.append(table.with_standard_profile())
    for profile in profiles:
        yield from (run for _, run in profile.runs.values())


def test_published_ids_are_declared(published_ids, declared):
    assert sorted(published_ids - declared.keys()) == []


def test_published_ids_are_complete(published_ids):
    assert len(published_ids) >= NUM_PUBLISHED


def test_run_from_dict_keeps_id(published_ids, declared):
    for run_id in published_ids:
        loaded = Run.from_dict(json.loads(json.dumps(declared[run_id].to_dict())))
        assert (loaded, loaded.id) == (declared[run_id], run_id)


def test_wasserstein_keeps_type_name(published_ids, declared):
    methods = [declared[run_id].method for run_id in published_ids]
    critics = [method for method in methods if isinstance(method.base_and_terms[0], Wasserstein)]
    assert len(critics) == NUM_WASSERSTEIN
    assert all(WASSERSTEIN in set(find_types(encode(method))) for method in critics)


def find_types(data: Any) -> Iterator[str]:
    """Yields all type names in an encoded value."""
    if isinstance(data, dict):
        yield from [data["type"]] if "type" in data else []
        for value in data.values():
            yield from find_types(value)
    if isinstance(data, list):
        for value in data:
            yield from find_types(value)


# Known answers: literal ids of runs that are written out here.

NARROW: dict[str, Any] = {
    "arch": DCGAN(latent=32, width=16),
    "optimiser": Adam(lr=1e-3),
    "steps": 1000,
    "batch": 32,
}
MEANS = iid_gan(cycle=CycleTerm(norm="l1", weight=3.0), gaussian=GaussianTerm(weight=3.0))
KNOWN_RUNS = {
    "6cd2c3fe7e92": Run(source=Ring(), method=GAN()),
    "ed550650a739": Run(source=Ring(std=0.0316), method=GAN()),
    "233610267265": Run(source=Ring(), method=iid_gan()),
    "677c50f3caa1": Run(source=Grid(), method=iid_gan()),
    "7419d18ac1a8": Run(source=Grid(), method=iid_gan(), steps=96_000),
    "6d62854d477a": Run(source=Ring(), method=wgan_gp()),
    "6b388a102a78": Run(
        source=Grid(), method=wgan_gp(penalty=GradientPenalty(weight=0.1, centre=1.0))
    ),
    "cab4d18122e0": Run(source=Ring(), method=VAE(warm_up=0.05)),
    "63ea815b5bde": Run(source=Grid(), method=VEEGAN(), optimiser=Adam(lr=4e-3), steps=6000),
    "889bf7b2287a": Run(source=StackedMnist(base="mnist-5k"), method=GAN(), **NARROW),
    "22b80975e267": Run(source=StackedFashion(), method=MEANS, **NARROW),
}


@pytest.mark.parametrize("run_id", KNOWN_RUNS)
def test_run_id_known_answers(run_id, published_ids):
    assert KNOWN_RUNS[run_id].id == run_id
    assert run_id in published_ids


def test_run_id_known_digest():
    text = (
        '{"arch": {"hidden": [100, 200, 100], "latent": 2, "type": "mlp"}, "batch": 100, '
        '"ema": 0.0, "method": {"method": {"critic_steps": 5, '
        '"type": "iidgan.methods.wgan:Wasserstein"}, "terms": [{"centre": 1.0, '
        '"type": "gradient-penalty", "weight": 10.0}], "type": "regularised"}, '
        '"optimiser": {"betas": [0.5, 0.999], "eps": 1e-08, "lr": 0.002, "schedule": "linear", '
        '"type": "adam"}, "source": {"modes": 8, "radius": 2.0, "seed": 0, "size": 100000, '
        '"std": 0.001, "type": "ring"}, "steps": 24000}'
    )
    assert json.dumps(KNOWN_RUNS["6d62854d477a"].to_dict(), sort_keys=True) == text
    assert hashlib.sha256(text.encode()).hexdigest()[:12] == "6d62854d477a"


# Tables: names of rows and columns, and all numbers. Titles and notes may be reworded.


PUBLISHED = [*(name for name in TABLES if name not in RECIPES), "sweep"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_tables_keep_numbers(name, records):
    if name == "sweep":
        table = TUNING.tabulate_scores(records)
    else:
        spec = TABLES[name](records)
        if name in PROFILES:
            spec = getattr(spec, f"with_{PROFILES[name]}_profile")()
        table = tabulate(spec, records)
    assert (
        digest_cells(json.loads(render_table(table, "json")))
        == json.loads(DIGESTS_PATH.read_text())[name]
    )


def test_tables_have_digests():
    assert json.loads(DIGESTS_PATH.read_text()).keys() == {*PUBLISHED}


def test_recipes_have_no_results(published_ids):
    """A recipe with results needs a digest, and a page that is checked against them."""
    for name, recipe in RECIPES.items():
        assert not published_ids & {run.id for run in iterate_runs(recipe)}, name


def digest_cells(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Describes a table by its size and a digest of its cells.

    Of the title of a group only its position counts. Numbers are rounded to ten digits, since
    the last ones of means and deviations may differ between machines.
    """
    group_titles = list(dict.fromkeys(cell["block"] for cell in cells))
    renamed = [{DIGEST_KEYS.get(key, key): cell[key] for key in cell} for cell in cells]
    rounded = [
        round_floats({**cell, "block": group_titles.index(cell["block"])}) for cell in renamed
    ]
    text = json.dumps(rounded, sort_keys=True)
    return {"cells": len(cells), "sha256": hashlib.sha256(text.encode()).hexdigest()}


def round_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: round_floats(item) for name, item in value.items()}
    if isinstance(value, list):
        return [round_floats(item) for item in value]
    return f"{value:.10g}" if isinstance(value, float) else value


def test_digest_cells_ignores_group_title():
    cell = {"block": "one", "row": "GAN", "mean": 1.5, "values": [1.0, 2.0]}
    digest = digest_cells([cell])
    assert digest_cells([{**cell, "block": "another"}]) == digest
    assert digest_cells([{**cell, "mean": 1.5 + 1e-15}]) == digest
    for changed in ({"mean": 1.5001}, {"values": [2.0, 1.0]}, {"row": "VAE"}):
        assert digest_cells([{**cell, **changed}])["sha256"] != digest["sha256"]


def test_run_id_ignores_omitted_defaults():
    run = KNOWN_RUNS["6cd2c3fe7e92"]
    assert replace(run, precision="float32").id == run.id
    assert replace(run, precision="bfloat16").id != run.id
