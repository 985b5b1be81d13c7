"""Training data from a prepared set: mapped, pinned, streamed, mirrored."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from iidgan.config.run import Run
from iidgan.core import Dataset, data
from iidgan.data import FashionMnist, Mnist, Prepared, Ring, prepared, source_from
from iidgan.data.manifest import Stamp
from iidgan.data.prepare import prepare
from iidgan.data.prepared import names
from iidgan.engine.sampling import Batches
from iidgan.errors import InputError
from iidgan.methods import GAN
from iidgan.nn import DCGAN
from iidgan.train import train
from tests.helpers.images import arrays, encoded, pixels, put


@pytest.fixture(autouse=True)
def _home(monkeypatch, tmp_path):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))


@pytest.fixture
def faces(tmp_path):
    files = {f"{'ab'[i % 2]}/{i}.png": encoded(image) for i, image in enumerate(pixels(40))}
    return prepare("faces", origin=str(put(tmp_path / "faces", files)), size=8)


def test_images_are_mapped_and_labels_read(faces):
    loaded = Prepared(name="faces").load()
    images, labels = arrays(faces)
    assert np.array_equal(loaded.x.numpy(), images)
    assert np.array_equal(loaded.y.numpy(), labels)
    assert (loaded.labels, loaded.is_image, loaded.flip) == (("a", "b"), True, False)
    assert not loaded.x.untyped_storage().resizable()  # the file's pages, not memory of our own


def test_a_set_larger_than_the_memory_is_mapped(faces):
    """A file with a hole of two terabytes: nobody reads what nobody asks for."""
    made, path, count = faces.manifest, faces.folder / "images.npy", 1 << 34
    facts = {"descr": "|u1", "fortran_order": False, "shape": (count, *made.shape)}
    with path.open("r+b") as file:
        np.lib.format.write_array_header_1_0(file, facts)
        file.truncate(file.tell() + count * 192)
    found = os.stat(path)
    stamp = Stamp(sha256="0" * 64, bytes=found.st_size, mtime_ns=found.st_mtime_ns)
    assert stamp.bytes > 2 << 40
    changed = replace(made, count=count, files={**made.files, "images.npy": stamp})
    changed.write(faces.folder)
    loaded = Prepared(name="faces").load()
    assert len(loaded) == count
    assert loaded.take(torch.tensor([0, count - 1])).shape == (2, 3, 8, 8)


# Identity


def test_a_set_is_pinned_by_its_digest(faces, tmp_path):
    source = prepared("faces")
    assert source.sha256 == faces.manifest.images.sha256
    assert source == source_from("faces")
    other = put(tmp_path / "other", {f"{i}.png": encoded(p) for i, p in enumerate(pixels(3))})
    changed = prepare("faces", origin=str(other), root=str(tmp_path / "elsewhere"), size=8)
    moved = replace(source, root=str(changed.folder.parent))
    with pytest.raises(InputError, match=f"the set has changed: sha256 {source.sha256} was asked"):
        moved.load()
    assert len(replace(moved, sha256="").load()) == 3


def test_a_run_is_known_by_the_content_not_by_the_place(faces, tmp_path):
    source = prepared("faces")
    run = Run(source=source, arch=DCGAN())
    assert Run(source=replace(source, root=str(tmp_path)), arch=DCGAN()).id == run.id
    for change in ({"sha256": "0" * 64}, {"flip": True}, {"name": "other"}):
        assert Run(source=replace(source, **change), arch=DCGAN()).id != run.id
    assert run.to_dict()["source"]["type"] == "prepared"


def test_digests_come_from_the_manifest(faces, monkeypatch):
    loaded = Prepared(name="faces").load()
    assert loaded.digest() == Prepared(name="faces", flip=True).load().digest()
    assert loaded.digest() != replace(loaded, sha256=None).digest()


def change(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    found = path.stat()
    path.write_bytes(content)
    return found


@pytest.mark.parametrize("name", ["images.npy", "labels.npy"])
def test_a_changed_file_is_noticed(faces, name):
    change(faces.folder / name, -1)
    with pytest.raises(InputError, match=f"faces: {name} is not what it was .*iidgan prepare"):
        Prepared(name="faces").load()


def test_a_change_that_keeps_the_time_is_noticed_where_reading_is_cheap(faces):
    path = faces.folder / "images.npy"
    found = change(path, -1)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    with pytest.raises(InputError, match="is not what it was"):
        Prepared(name="faces").load()


def test_large_files_are_read_once_after_they_were_copied(faces, monkeypatch):
    path, stamp = faces.folder / "images.npy", faces.manifest.images
    monkeypatch.setattr("iidgan.data.manifest.SMALL", 0)
    reads = []
    monkeypatch.setattr("iidgan.data.manifest.digest", lambda p: reads.append(p) or stamp.sha256)
    assert stamp.fits(path)
    assert reads == []
    os.utime(path)  # a copy
    assert stamp.fits(path)
    assert stamp.fits(path)
    assert reads == [path]


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda folder: (folder / "images.npy").unlink(), "images.npy is missing"),
        (lambda folder: os.truncate(folder / "images.npy", 500), "is not what it was"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "manifest.json: damaged"),
        (lambda folder: (folder / "manifest.json").write_text("{}"), "manifest.json: damaged"),
        (lambda folder: (folder / "manifest.json").unlink(), "faces: not prepared in .*home"),
    ],
)
def test_a_set_that_is_not_whole_is_refused(faces, break_it, message):
    break_it(faces.folder)
    with pytest.raises(InputError, match=message) as error:
        Prepared(name="faces").load()
    assert "\n" not in str(error.value)


# Names


def test_a_prepared_set_comes_before_the_files_that_it_was_made_from(faces):
    assert source_from("mnist") == Mnist()
    faces.folder.rename(faces.folder.with_name("mnist"))
    assert source_from("mnist") == prepared("mnist")
    faces.folder.with_name("mnist").rename(faces.folder.with_name("ring"))
    assert source_from("ring") == Ring()
    assert source_from("fashion-mnist") == FashionMnist()


def test_the_sets_that_there_are_can_be_named(faces, tmp_path):
    (tmp_path / "home" / "me").mkdir()
    faces.folder.rename(tmp_path / "home" / "me" / "cats.v1")
    assert names() == ["me/cats.v1"]
    assert source_from("me/cats.v1") == prepared("me/cats.v1")
    with pytest.raises(InputError, match=r"unknown 'cats'; did you mean .*me/cats\.v1"):
        source_from("cats")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cifar10", "source: 'cifar10' is not prepared yet; try iidgan prepare cifar10"),
        ("../home/faces", "images become one by iidgan prepare NAME --from PATH"),
    ],
)
def test_a_set_that_is_not_there_is_told_how_to_make(faces, text, message):
    with pytest.raises(InputError, match=message):
        source_from(text)


# Batches


def batches(loaded, seeds=(0, 1)):
    return Batches(loaded, seeds, size=4, latent=2, noise={"n": (3,)})


def test_mirroring_changes_nothing_that_is_drawn_besides(faces):
    plain, mirrored = (Prepared(name="faces", flip=f).load() for f in (False, True))
    flipped = []
    for step in (0, 1, 64, 200):
        (a,), (b,) = batches(plain).at(step), batches(mirrored).at(step)
        assert set(a.tensors()) == set(b.tensors())
        for name in ("z", "u", "y", "noise.n"):
            assert torch.equal(a.tensors()[name], b.tensors()[name])
        for x, m in zip(a.x.flatten(0, 1), b.x.flatten(0, 1)):
            assert torch.equal(x, m) or torch.equal(x.flip(-1), m)
            flipped.append(not torch.equal(x, m))
    assert 8 <= sum(flipped) <= 24  # of 32, each with a chance of 1/2
    again = batches(mirrored).at(200)[0].x
    assert torch.equal(again, b.x)


def test_data_that_fit_on_a_device_go_there_and_others_stay(monkeypatch):
    """The device `meta` stands for one that tells how much of it is free."""
    x = torch.zeros(10, 3, 4, 4, dtype=torch.uint8)
    held = Dataset(x, torch.zeros(10, dtype=torch.int64))
    monkeypatch.setattr(data, "_free", lambda device: x.nbytes / data.SHARE)
    moved = held.to("meta")
    assert (moved.x.device.type, moved.y.device.type) == ("meta", "meta")
    monkeypatch.setattr(data, "_free", lambda device: x.nbytes / data.SHARE - 1)
    streamed = held.to("meta")
    assert (streamed.x.device.type, streamed.y.device.type) == ("cpu", "cpu")
    assert streamed.device.type == "meta"
    index = torch.zeros(2, 5, dtype=torch.int64)
    assert streamed.take(index).device.type == "meta"
    assert streamed.take_labels(index).device.type == "meta"


def test_streamed_batches_come_to_the_device(monkeypatch):
    monkeypatch.setattr(data, "_free", lambda device: 0)
    held = Dataset(torch.zeros(10, 3, 4, 4, dtype=torch.uint8), flip=True).to("meta")
    (batch,) = batches(held).at(3)
    assert {part.device.type for part in batch.tensors().values()} == {"meta"}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
@pytest.mark.parametrize("free", [0, 1 << 40])
def test_batches_on_an_accelerator_are_those_of_the_cpu(faces, monkeypatch, free):
    loaded = Prepared(name="faces", flip=True).load()
    monkeypatch.setattr(data, "_free", lambda device: free)
    moved = loaded.to("cuda")
    assert moved.x.is_cuda == (free > 0)
    for step in (0, 70):
        (here,), (there,) = batches(loaded).at(step), batches(moved).at(step)
        for name, part in here.tensors().items():
            assert there.tensors()[name].is_cuda
            torch.testing.assert_close(there.tensors()[name].cpu(), part)


def test_a_run_on_a_prepared_set_trains_and_goes_on(faces, tmp_path):
    run = Run(source=prepared("faces", flip=True), method=GAN(), arch=DCGAN(width=4), batch=8)
    whole = train(replace(run, steps=4), out=tmp_path / "whole", checkpoint_every=2)
    assert whole.ending == "finished"
    assert whole.model().sample(3).shape == (3, 3, 8, 8)
    again = train(replace(run, steps=4), out=tmp_path / "whole")
    assert (again.ending, again.step) == ("finished", 4)
    change(faces.folder / "images.npy", -1)
    with pytest.raises(InputError, match="is not what it was"):
        train(replace(run, steps=4), out=tmp_path / "whole")
