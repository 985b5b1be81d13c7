"""The registry of sources: names, paths, and fields that are no part of a run's identity."""

import dataclasses

import numpy as np
import pytest

from iidgan.core import Source
from iidgan.data import (
    SOURCES,
    FashionMnist,
    Grid,
    Mnist,
    Mnist5k,
    Prepared,
    Ring,
    array,
    idx,
    list_source_names,
    prepared,
    prepared_names,
    resolve_source,
)
from iidgan.data.prepare import prepare
from tests.helpers.data import write_array
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, random_images, write_files


@pytest.fixture(autouse=True)
def _empty_data_home(monkeypatch, tmp_path):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))
    monkeypatch.setattr(idx, "SYSTEM_DATASETS", tmp_path / "system")


@pytest.fixture
def faces(tmp_path):
    """A prepared data set."""
    files = {f"{'ab'[i % 2]}/{i}.png": encode_image(x) for i, x in enumerate(random_images(40))}
    return prepare("faces", origin=str(write_files(tmp_path / "faces", files)), size=8)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("ring", Ring()),
        ("grid", Grid()),
        ("mnist", Mnist()),
        ("mnist-5k", Mnist5k()),
        ("fashion-mnist", FashionMnist()),
    ],
)
def test_resolve_source_by_name(text, source):
    assert resolve_source(text) == source


@pytest.mark.parametrize(("name", "content"), [("x.npy", np.ones((2, 3))), ("X.CSV", "1,2")])
def test_resolve_source_by_path(tmp_path, name, content):
    path = write_array(tmp_path, name, content)
    assert resolve_source(str(path)) == array(path)
    with raises_input_error(str(tmp_path / "y.csv"), "cannot be read"):
        resolve_source(str(tmp_path / "y.csv"))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("rng", ["unknown 'rng'", "did you mean 'ring'"]),
        ("fashion_mnist", ["did you mean 'fashion-mnist'"]),
        (
            "",
            [
                "unknown ''",
                "known: afhq-cat, ",
                "fashion-mnist, grid, ",
                "mnist-64, moons, ring, ",
            ],
        ),
        ("mine", ["(.npy, .npz, .csv, .json)", "iidgan prepare", "package.module:Name"]),
        ("array", ["'array'", "path", "(.npy, .npz, .csv)"]),
        ("prepared", ["'prepared'", "name"]),
        ("x.txt", ["'x.txt'", ".npy", ".csv", "iidgan prepare NAME --from PATH"]),
        ("some/folder", ["'some/folder'", ".npy", ".csv"]),
    ],
)
def test_resolve_source_refuses_unknown(text, values):
    with raises_input_error("source", *values):
        resolve_source(text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("cifar10", ["'cifar10'", "iidgan prepare cifar10"]),
        ("../home/faces", ["'../home/faces'", "iidgan prepare NAME --from PATH"]),
    ],
)
def test_resolve_source_names_prepare_command(faces, text, values):
    with raises_input_error("source", *values):
        resolve_source(text)


def test_resolve_source_prefers_prepared(faces):
    assert resolve_source("faces") == prepared("faces")
    assert resolve_source("mnist") == Mnist()
    faces.folder.rename(faces.folder.with_name("mnist"))
    assert resolve_source("mnist") == prepared("mnist")
    faces.folder.with_name("mnist").rename(faces.folder.with_name("ring"))
    assert resolve_source("ring") == Ring()
    assert resolve_source("fashion-mnist") == FashionMnist()


def test_resolve_source_of_prepared_names(faces, tmp_path):
    (tmp_path / "home" / "me").mkdir()
    faces.folder.rename(tmp_path / "home" / "me" / "cats.v1")
    assert prepared_names() == ["me/cats.v1"]
    assert resolve_source("me/cats.v1") == prepared("me/cats.v1")
    with raises_input_error("source", "unknown 'cats'", "did you mean", "me/cats.v1"):
        resolve_source("cats")


@pytest.mark.parametrize("source_class", SOURCES.values(), ids=SOURCES)
def test_sources_are_frozen_dataclasses(source_class):
    assert issubclass(source_class, Source)
    assert source_class.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(source_class))
    assert source_class.__dict__["__doc__"]


def test_only_paths_are_marked_as_paths():
    path_fields = {
        (name, field.name)
        for name, source_class in SOURCES.items()
        for field in dataclasses.fields(source_class)
        if field.metadata.get("path")
    }
    with_root = (
        *("mnist", "mnist-5k", "fashion-mnist", "prepared"),
        *("stacked-mnist", "stacked-fashion"),
    )
    files = {("array", "path"), ("mixture-file", "path")}
    assert path_fields == files | {*((name, "root") for name in with_root)}
    assert Prepared in SOURCES.values()


def test_names_of_sources(tmp_path):
    names = list_source_names()
    assert {"ring", "fashion-mnist", "cifar10"} <= names
    assert not {"array", "prepared", "x"} & names
    folder = write_files(tmp_path / "x", {"1.png": encode_image(random_images(1)[0])})
    prepare("x", origin=str(folder), root=str(tmp_path / "sets"))
    assert list_source_names(str(tmp_path / "sets")) - names == {"x"}
