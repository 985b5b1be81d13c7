"""Manifests of prepared data sets."""

import json
import os
from dataclasses import replace

import pytest

from iidgan.data.manifest import Manifest
from iidgan.data.prepare import prepare
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, random_images, write_files


@pytest.fixture
def faces(monkeypatch, tmp_path):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))
    files = {f"{i}.png": encode_image(image) for i, image in enumerate(random_images(4))}
    return prepare("faces", origin=str(write_files(tmp_path / "faces", files)), size=8)


def test_matches_file_reads_copy_once(faces, monkeypatch):
    """A large file of the same size and time is not read."""
    path, record = faces.folder / "images.npy", faces.manifest.images
    monkeypatch.setattr("iidgan.data.manifest.ALWAYS_HASHED_BYTES", 0)
    hashed_paths = []
    monkeypatch.setattr(
        "iidgan.data.manifest.file_sha256",
        lambda path: hashed_paths.append(path) or record.sha256,
    )
    assert record.matches_file(path)
    assert hashed_paths == []
    os.utime(path)  # a copy
    assert record.matches_file(path)
    assert record.matches_file(path)
    assert hashed_paths == [path]


def test_prepare_command_repeats_request(faces, tmp_path):
    manifest = replace(Manifest.read(faces.folder), request={"name": "mnist", "split": "test"})
    home = str(tmp_path / "home")
    assert manifest.prepare_command(home) == "iidgan prepare mnist --split test"
    assert manifest.prepare_command(f"{home} 2").endswith(f" --root '{home} 2'")


def records(**names):
    record = {"sha256": "0" * 64, "bytes": 1, "mtime_ns": 1}
    return {name: record | changes for name, changes in names.items()}


@pytest.mark.parametrize(
    "files",
    [
        {},
        [],
        {"images.npy": 1},
        records(**{"labels.npy": {}}),
        records(**{"images.npy": {}, "../images.npy": {}}),
        records(**{"images.npy": {}, "/dev/zero": {}}),
        records(**{"images.npy": {}, "other.npy": {}}),
        records(**{"images.npy": {"bytes": "1"}}),
        records(**{"images.npy": {"mtime_ns": None}}),
        records(**{"images.npy": {"sha256": 0}}),
        records(**{"images.npy": {"unknown": 0}}),
    ],
)
def test_read_refuses_other_files(faces, files):
    """A manifest names the two arrays; others are neither read nor touched."""
    path = faces.folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": files}))
    with raises_input_error(str(path), "damaged"):
        Manifest.read(faces.folder)


def test_read_refuses_nested_json(faces):
    (faces.folder / "manifest.json").write_text("[" * 100_000)
    with raises_input_error(str(faces.folder / "manifest.json"), "damaged"):
        Manifest.read(faces.folder)
