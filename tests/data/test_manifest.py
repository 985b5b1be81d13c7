"""Manifests of prepared data sets."""

import os
from dataclasses import replace

import pytest

from iidgan.data.manifest import Manifest
from iidgan.data.prepare import prepare
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
