"""Prepared data sets: mapped, pinned by a digest, mirrored, and trained on."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from iidgan.config.run import Run
from iidgan.core import data
from iidgan.data import Prepared, prepared, resolve_source
from iidgan.data.manifest import FileRecord
from iidgan.data.prepare import prepare
from iidgan.engine.sampling import DatasetStream
from iidgan.errors import InputError
from iidgan.methods import GAN
from iidgan.nn import DCGAN
from iidgan.train import train
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, load_arrays, random_images, write_files


@pytest.fixture(autouse=True)
def _data_home(monkeypatch, tmp_path):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))


@pytest.fixture
def faces(tmp_path):
    files = {
        f"{'ab'[i % 2]}/{i}.png": encode_image(image) for i, image in enumerate(random_images(40))
    }
    return prepare("faces", origin=str(write_files(tmp_path / "faces", files)), size=8)


def test_load_maps_images(faces):
    loaded = Prepared(name="faces").load()
    images, labels = load_arrays(faces)
    assert np.array_equal(loaded.x.numpy(), images)
    assert np.array_equal(loaded.y.numpy(), labels)
    assert (loaded.labels, loaded.is_image, loaded.flip) == (("a", "b"), True, False)
    assert not loaded.x.untyped_storage().resizable()  # pages of the file, not allocated memory


def test_load_maps_more_than_memory(faces):
    """A sparse file of two terabytes: pages are read on demand."""
    manifest, path, count = faces.manifest, faces.folder / "images.npy", 1 << 34
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, *manifest.shape)}
    with path.open("r+b") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + count * 192)
    status = os.stat(path)
    record = FileRecord(sha256="0" * 64, bytes=status.st_size, mtime_ns=status.st_mtime_ns)
    assert record.bytes > 2 << 40
    changed = replace(manifest, count=count, files={"images.npy": record})
    changed.write(faces.folder)
    loaded = Prepared(name="faces").load()
    assert len(loaded) == count
    assert loaded.take_samples(torch.tensor([0, count - 1])).shape == (2, 3, 8, 8)


@pytest.mark.parametrize(
    "labels", [np.zeros(3, np.int64), np.zeros((40, 1), np.int64), np.zeros(40)]
)
def test_prepared_refuses_other_labels(faces, labels):
    path = faces.folder / "labels.npy"
    np.save(path, labels)
    files = {**faces.manifest.files, "labels.npy": FileRecord.from_file(path)}
    replace(faces.manifest, files=files).write(faces.folder)
    with raises_input_error(str(path), "damaged"):
        Prepared(name="faces").load()


def test_prepared_is_pinned_by_digest(faces, tmp_path):
    source = prepared("faces")
    assert source.sha256 == faces.manifest.images.sha256
    assert source == resolve_source("faces")
    other = write_files(
        tmp_path / "other", {f"{i}.png": encode_image(p) for i, p in enumerate(random_images(3))}
    )
    changed = prepare("faces", origin=str(other), root=str(tmp_path / "elsewhere"), size=8)
    moved = replace(source, root=str(changed.folder.parent))
    with raises_input_error(str(changed.folder), source.sha256, changed.manifest.images.sha256):
        moved.load()
    assert len(replace(moved, sha256="").load()) == 3


def test_run_id_ignores_root(faces, tmp_path):
    source = prepared("faces")
    run = Run(source=source, arch=DCGAN())
    assert Run(source=replace(source, root=str(tmp_path)), arch=DCGAN()).id == run.id
    for change in ({"sha256": "0" * 64}, {"flip": True}, {"name": "other"}):
        assert Run(source=replace(source, **change), arch=DCGAN()).id != run.id
    assert run.to_dict()["source"]["type"] == "prepared"


def test_prepared_expects_size(faces):
    side = faces.manifest.shape[1]
    assert Prepared(name="faces", expected_size=side).load().shape[1:] == (side, side)
    with raises_input_error(str(faces.folder), f"{side} x {side}", "16 x 16", "--size 16"):
        Prepared(name="faces", expected_size=16).load()
    plain, sized = (Run(source=Prepared(name="faces", expected_size=n)) for n in (None, side))
    assert "expected_size" not in plain.to_dict()["source"]
    assert plain.id != sized.id


def test_load_takes_digest_from_manifest(faces):
    loaded = Prepared(name="faces").load()
    assert loaded.compute_sha256() == Prepared(name="faces", flip=True).load().compute_sha256()
    assert loaded.compute_sha256() != replace(loaded, sha256=None).compute_sha256()


def flip_bit(path, position=-1):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    status = path.stat()
    path.write_bytes(content)
    return status


@pytest.mark.parametrize("name", ["images.npy", "labels.npy"])
def test_load_refuses_changed_file(faces, name):
    flip_bit(faces.folder / name)
    with raises_input_error(str(faces.folder), f"{name} has changed", "iidgan prepare"):
        Prepared(name="faces").load()


def test_load_notices_change_with_same_mtime(faces):
    path = faces.folder / "images.npy"
    status = flip_bit(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with raises_input_error(str(faces.folder), "images.npy has changed"):
        Prepared(name="faces").load()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "images.npy").unlink(), "images.npy is missing"),
        (lambda folder: os.truncate(folder / "images.npy", 500), "images.npy has changed"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "manifest.json: damaged"),
        (lambda folder: (folder / "manifest.json").write_text("{}"), "manifest.json: damaged"),
        (lambda folder: (folder / "manifest.json").unlink(), "faces: not prepared in .*home"),
    ],
)
def test_load_refuses_incomplete_folder(faces, damage, message):
    damage(faces.folder)
    with pytest.raises(InputError, match=message) as error:
        Prepared(name="faces").load()
    assert "\n" not in str(error.value)


def make_stream(dataset, seeds=(0, 1)):
    return DatasetStream(dataset, seeds, batch_size=4, latent_dim=2, noise_shapes={"n": (3,)})


def test_flip_keeps_other_draws(faces):
    plain, mirrored = (Prepared(name="faces", flip=f).load() for f in (False, True))
    flipped = []
    for step in (0, 1, 64, 200):
        (a,), (b,) = make_stream(plain).batches_at(step), make_stream(mirrored).batches_at(step)
        assert set(a.to_tensors()) == set(b.to_tensors())
        for name in ("z", "u", "y", "noise.n"):
            assert torch.equal(a.to_tensors()[name], b.to_tensors()[name])
        for x, m in zip(a.x.flatten(0, 1), b.x.flatten(0, 1)):
            assert torch.equal(x, m) or torch.equal(x.flip(-1), m)
            flipped.append(not torch.equal(x, m))
    assert 8 <= sum(flipped) <= 24  # of 32, each with a chance of 1/2
    again = make_stream(mirrored).batches_at(200)[0].x
    assert torch.equal(again, b.x)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
@pytest.mark.parametrize("free", [0, 1 << 40])
def test_batches_on_gpu_match_cpu(faces, monkeypatch, free):
    loaded = Prepared(name="faces", flip=True).load()
    monkeypatch.setattr(data, "_free_memory", lambda device: free)
    moved = loaded.to("cuda")
    assert moved.x.is_cuda == (free > 0)
    for step in (0, 70):
        (cpu_batch,), (gpu_batch,) = (
            make_stream(loaded).batches_at(step),
            make_stream(moved).batches_at(step),
        )
        for name, part in cpu_batch.to_tensors().items():
            assert gpu_batch.to_tensors()[name].is_cuda
            torch.testing.assert_close(gpu_batch.to_tensors()[name].cpu(), part)


@pytest.mark.slow
def test_train_on_prepared_resumes(faces, tmp_path):
    run = Run(source=prepared("faces", flip=True), method=GAN(), arch=DCGAN(width=4), batch=8)
    whole = train(replace(run, steps=4), out=tmp_path / "whole", checkpoint_every=2)
    assert whole.outcome == "finished"
    assert whole.model().sample(3).shape == (3, 3, 8, 8)
    again = train(replace(run, steps=4), out=tmp_path / "whole")
    assert (again.outcome, again.step) == ("finished", 4)
    flip_bit(faces.folder / "images.npy")
    with raises_input_error(str(faces.folder), "images.npy has changed"):
        train(replace(run, steps=4), out=tmp_path / "whole")
