"""What is published stays: ids in `results` belong to declared runs, tables keep their numbers.

An id is a digest of a run as JSON. A class that is renamed, a field that is added, or a default
that changes would cut published numbers off from the runs that they belong to.
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
from iidgan.records import Row, read_all
from iidgan.report.formats import render
from iidgan.studies.papers import PICTURES, STUDIES, SWEEP
from iidgan.studies.tabulate import tabulate
from iidgan.terms import CycleConsistency, GaussianConsistency, GradientPenalty

RESULTS = Path(__file__).parent.parent / "results"
DIGESTS = Path(__file__).parent / "fixtures" / "tables.json"

NUM_PUBLISHED = 671
"""Distinct ids; there may be more some day, never fewer."""
WASSERSTEIN, NUM_WASSERSTEIN = "iidgan.methods.wgan:Wasserstein", 36

QUICK = {"stacked"}
"""Tables whose quick profile is the published one."""


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return read_all(RESULTS)


@pytest.fixture(scope="module")
def published(rows) -> set[str]:
    return {row.run for row in rows}


@pytest.fixture(scope="module")
def declared(rows) -> dict[str, Run]:
    return {run.id: run for run in declared_runs(rows)}


def declared_runs(rows: list[Row]) -> Iterator[Run]:
    """Yields all runs of tables, figures and trials, in full and in their quick profiles."""
    for make in STUDIES.values():
        for study in (make(rows), make(rows).shortened()):
            yield from (run for _, run in study.runs.values())
    for picture in PICTURES.values():
        for profile in (picture, picture.quick):
            yield from profile.runs.values() if profile is not None else ()
    yield from (run for _, run in SWEEP.runs.values())


def test_every_published_id_is_that_of_a_declared_run(published, declared):
    assert sorted(published - declared.keys()) == []


def test_no_published_id_is_lost(published):
    assert len(published) >= NUM_PUBLISHED


def test_every_published_run_survives_json_with_its_id(published, declared):
    for name in published:
        again = Run.from_dict(json.loads(json.dumps(encode(declared[name]))))
        assert (again, again.id) == (declared[name], name)


def test_published_runs_of_wgan_gp_write_their_class_as_they_always_did(published, declared):
    methods = [declared[name].method for name in published]
    critics = [method for method in methods if isinstance(method.flat[0], Wasserstein)]
    assert len(critics) == NUM_WASSERSTEIN
    assert all(WASSERSTEIN in set(types_in(encode(method))) for method in critics)


def types_in(data: Any) -> Iterator[str]:
    """Yields all type names in an encoded value."""
    if isinstance(data, dict):
        yield from [data["type"]] if "type" in data else []
        for inside in data.values():
            yield from types_in(inside)
    if isinstance(data, list):
        for inside in data:
            yield from types_in(inside)


# Known answers: the ids as literals, of runs that are written out here.

NARROW: dict[str, Any] = {
    "arch": DCGAN(latent=32, width=16),
    "optimiser": Adam(lr=1e-3),
    "steps": 1000,
    "batch": 32,
}
MEANS = iid_gan(
    cycle=CycleConsistency(norm="l1", weight=3.0), gaussian=GaussianConsistency(weight=3.0)
)
KNOWN = {
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


@pytest.mark.parametrize("name", KNOWN)
def test_known_runs_have_their_published_ids(name, published):
    assert KNOWN[name].id == name
    assert name in published


def test_an_id_is_the_digest_of_what_it_always_was():
    text = (
        '{"arch": {"hidden": [100, 200, 100], "latent": 2, "type": "mlp"}, "batch": 100, '
        '"ema": 0.0, "method": {"method": {"critic_steps": 5, '
        '"type": "iidgan.methods.wgan:Wasserstein"}, "terms": [{"centre": 1.0, '
        '"type": "gradient-penalty", "weight": 10.0}], "type": "regularised"}, '
        '"optimiser": {"betas": [0.5, 0.999], "eps": 1e-08, "lr": 0.002, "schedule": "linear", '
        '"type": "adam"}, "source": {"modes": 8, "radius": 2.0, "seed": 0, "size": 100000, '
        '"std": 0.001, "type": "ring"}, "steps": 24000}'
    )
    assert json.dumps(encode(KNOWN["6d62854d477a"]), sort_keys=True) == text
    assert hashlib.sha256(text.encode()).hexdigest()[:12] == "6d62854d477a"


# Tables: names of rows and columns, and all numbers. Titles, notes and findings may be reworded.


@pytest.mark.parametrize("name", [*STUDIES, "sweep"])
def test_tables_keep_their_numbers(name, rows):
    if name == "sweep":
        table = SWEEP.table(rows)
    else:
        study = STUDIES[name](rows)
        table = tabulate(study.shortened() if name in QUICK else study, rows)
    assert facts_of(json.loads(render(table, "json"))) == json.loads(DIGESTS.read_text())[name]


def test_every_table_has_a_digest():
    assert json.loads(DIGESTS.read_text()).keys() == {*STUDIES, "sweep"}


def facts_of(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Describes a table by its size and a digest of its cells.

    Of the title of a block only its place counts. Numbers have ten digits, since the last ones of
    means and deviations may differ between machines.
    """
    blocks = {title: i for i, title in enumerate(dict.fromkeys(cell["block"] for cell in cells))}
    bare = [plain({**cell, "block": blocks[cell["block"]]}) for cell in cells]
    text = json.dumps(bare, sort_keys=True)
    return {"cells": len(cells), "sha256": hashlib.sha256(text.encode()).hexdigest()}


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: plain(inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [plain(inside) for inside in value]
    return f"{value:.10g}" if isinstance(value, float) else value


def test_the_digest_of_a_table_sees_a_number_and_no_title():
    cell = {"block": "one", "row": "GAN", "mean": 1.5, "values": [1.0, 2.0]}
    facts = facts_of([cell])
    assert facts_of([{**cell, "block": "another"}]) == facts
    assert facts_of([{**cell, "mean": 1.5 + 1e-15}]) == facts
    for changed in ({"mean": 1.5001}, {"values": [2.0, 1.0]}, {"row": "VAE"}):
        assert facts_of([{**cell, **changed}])["sha256"] != facts["sha256"]


def test_a_later_field_at_its_default_changes_no_id():
    run = KNOWN["6cd2c3fe7e92"]
    assert replace(run, precision="float32").id == run.id
    assert replace(run, precision="bfloat16").id != run.id
