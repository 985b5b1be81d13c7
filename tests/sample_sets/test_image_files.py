"""Images in folders, archives, Parquet and LMDB."""

import struct
import sys
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from iidgan.data.prepare import prepare
from iidgan.data.prepare.archives import ZipTree
from iidgan.sample_sets import image_files, open_samples
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, load_arrays, random_images, write_files, write_zip
from tests.helpers.sample_sets import channels_first, name_images, read_all, write_tar

COLOURS, GREY = random_images(6), random_images(6, channels=1)
ADVICE = "iidgan prepare"


def write_folder(path, images):
    return write_files(path, name_images(images))


def write_packed_tar(path, files):
    return write_tar(path, files, "w:gz")


def write_lmdb(path, images):
    lmdb = pytest.importorskip("lmdb")
    path.mkdir()
    with lmdb.open(str(path), map_size=1 << 24) as database, database.begin(write=True) as writer:
        for name, content in name_images(images).items():
            writer.put(name.encode(), content)
    return path


def write_parquet(path, images):
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("datasets")
    from pyarrow import parquet

    contents = list(name_images(images).values())
    parquet.write_table(pyarrow.table({"image": contents, "label": [0] * len(contents)}), path)
    return path


LAYOUTS = {
    "folder": (write_folder, "images"),
    "ZIP": (lambda path, images: write_zip(path, name_images(images)), "images.zip"),
    "TAR": (lambda path, images: write_tar(path, name_images(images)), "images.tar"),
    "packed TAR": (
        lambda path, images: write_packed_tar(path, name_images(images)),
        "images.tar.gz",
    ),
    "LMDB": (write_lmdb, "images_lmdb"),
    "Parquet": pytest.param(write_parquet, "images.parquet", marks=pytest.mark.slow),
}
layouts = pytest.mark.parametrize(("write", "name"), LAYOUTS.values(), ids=LAYOUTS)


@layouts
@pytest.mark.parametrize("images", [COLOURS, GREY], ids=["colours", "grey"])
def test_pixels_are_those_of_the_files(tmp_path, write, name, images):
    samples = open_samples(write(tmp_path / name, images))
    expected = channels_first(images)
    assert (samples.num_samples, samples.shape) == (6, tuple(expected.shape[1:]))
    assert (samples.labels, samples.label_names, samples.notes) == (None, (), ())
    assert read_all(samples).equal(expected)
    assert torch.cat(list(samples.iterate([1, 4]))).equal(expected[[1, 4]])
    assert samples.take([4, 0, 4]).equal(expected[[4, 0, 4]])


@layouts
def test_only_requested_images_are_decoded(tmp_path, write, name, monkeypatch):
    samples = open_samples(write(tmp_path / name, COLOURS))
    decoded = []
    convert = image_files.convert_images

    def convert_and_count(raw_images, rule):
        decoded.extend(raw_images)
        return convert(raw_images, rule)

    monkeypatch.setattr(image_files, "convert_images", convert_and_count)
    samples.take([5, 2])
    samples.compute_sha256([0, 1, 2])
    assert len(decoded) == 2


def test_archive_reads_only_requested_images(tmp_path, monkeypatch):
    samples = open_samples(write_zip(tmp_path / "x.zip", name_images(COLOURS)))
    names = []
    read_file = ZipTree.read_file
    monkeypatch.setattr(
        ZipTree, "read_file", lambda tree, name: names.append(name) or read_file(tree, name)
    )
    samples.take([5, 2])
    assert names == ["002.png", "005.png"]


def test_archive_is_closed_with_the_set(tmp_path, monkeypatch):
    closed = []
    monkeypatch.setattr(ZipTree, "close", lambda tree: closed.append(tree._archive.close()))
    samples = open_samples(write_zip(tmp_path / "x.zip", name_images(COLOURS)))
    samples.take([0])
    assert not closed
    del samples
    assert len(closed) == 1
    with raises_input_error(None, "none of them an image"):
        open_samples(write_zip(tmp_path / "y.zip", {"x.txt": b""}))
    assert len(closed) == 2


@layouts
def test_digest_is_of_content_alone(tmp_path, write, name):
    indices = range(6)
    digest = open_samples(write(tmp_path / name, COLOURS)).compute_sha256(indices)
    renamed = write_files(tmp_path / "renamed", name_images(COLOURS, "image-{}.png"))
    samples = open_samples(renamed)
    assert samples.compute_sha256(indices) == digest
    others = [
        samples.compute_sha256(range(5)),
        open_samples(renamed, size=8).compute_sha256(indices),
        open_samples(write_folder(tmp_path / "b", COLOURS[::-1])).compute_sha256(indices),
        open_samples(write_folder(tmp_path / "c", COLOURS ^ 1)).compute_sha256(indices),
    ]
    assert len({digest, *others}) == 5


@pytest.mark.parametrize("order", [1, -1])
def test_grey_and_colours_have_three_channels(tmp_path, order):
    images = [GREY[0], GREY[1], COLOURS[2]][::order]
    samples = open_samples(write_folder(tmp_path / "x", images))
    expected = np.stack([np.broadcast_to(image, (8, 8, 3)) for image in images])
    assert read_all(samples).equal(channels_first(expected))
    if order == 1:
        assert ["002.png" in note for note in samples.notes] == [True]


def test_mixed_sizes(tmp_path):
    shapes = {"a.png": (8, 6, 3), "deep/b.png": (5, 7, 3)}
    files = {name: encode_image(np.zeros(shape, np.uint8)) for name, shape in shapes.items()}
    path = write_files(tmp_path / "x", files)
    samples = open_samples(path)
    assert samples.take([0]).shape == (1, 3, 8, 6)
    with raises_input_error(str(path), "a.png has 6 x 8", "deep/b.png 7 x 5", "--size", "size=N"):
        samples.take([1])
    assert open_samples(path, size=4).take([0, 1]).shape == (2, 3, 4, 4)


def test_size_is_that_of_prepare(tmp_path, monkeypatch):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))
    images = [random_images(1, side)[0] for side in (9, 16, 12)]
    path = write_folder(tmp_path / "x", images)
    samples = open_samples(path, size=8)
    expected, _ = load_arrays(prepare("x", origin=str(path), size=8))
    assert np.array_equal(read_all(samples).numpy(), expected)
    assert ["bicubic" in note for note in samples.notes] == [True]


def test_orientation_and_transparency(tmp_path):
    image = Image.fromarray(COLOURS[0][:4])
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    clear = np.zeros((8, 4, 4), np.uint8)
    files = {"a.png": encode_image(image, exif=exif), "b.png": encode_image(clear)}
    samples = open_samples(write_files(tmp_path / "x", files))
    turned, white = samples.take([0, 1])
    assert turned.equal(channels_first(np.rot90(COLOURS[0][:4], -1)[None])[0])
    assert white.unique().tolist() == [255]


DAMAGED = {
    "text": (b"hello", "no image of a known format"),
    "empty": (b"", "empty file"),
    "truncated": (encode_image(random_images(1, 64)[0])[:-500], "truncated or damaged"),
}


@pytest.mark.parametrize(("content", "reason"), DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("position", [0, 1])
def test_damaged_image_is_named(tmp_path, content, reason, position):
    names = ["x/bad.png", "x/good.png"][:: 1 - 2 * position]
    files = {f"{i}{name}": b"" for i, name in enumerate(names)}
    files = {name: content if "bad" in name else encode_image(COLOURS[0]) for name in files}
    path = write_zip(tmp_path / "x.zip", files)
    with raises_input_error(str(path), f"{position}x/bad.png: {reason}", "remove it", ADVICE):
        open_samples(path).take([0, 1])


def test_unreadable_image_has_no_digest(tmp_path):
    path = write_folder(tmp_path / "x", COLOURS)
    (path / "003.png").unlink()
    (path / "003.png").symlink_to("nowhere.png")
    samples = open_samples(path)
    with raises_input_error(str(path), "003.png: cannot be opened", "remove it"):
        samples.compute_sha256([1, 3])


def test_shadowed_image_is_named(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", encode_image(COLOURS[0]))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.png", encode_image(COLOURS[1]))
    with raises_input_error(str(path), "a.png: has the name of a later one", ADVICE):
        open_samples(path)


@pytest.mark.parametrize("depth", [np.uint16, np.int32])
def test_deep_image_is_refused(tmp_path, depth):
    deep = Image.fromarray(np.full((8, 8), 3000, depth))
    files = {"a.tif": encode_image(deep, "TIFF"), "b.png": encode_image(GREY[0])}
    path = write_files(tmp_path / "x", files)
    with raises_input_error(str(path), "a.tif has more than 8 bits", ADVICE):
        open_samples(path)
    path = write_files(tmp_path / "y", {"0.png": files["b.png"], "1.tif": files["a.tif"]})
    with raises_input_error(str(path), "1.tif has more than 8 bits", ADVICE):
        open_samples(path).take([1])


def test_folder_without_images(tmp_path):
    (tmp_path / "x").mkdir()
    with raises_input_error(str(tmp_path / "x"), "0 files, none of them an image"):
        open_samples(tmp_path / "x")
    path = write_files(tmp_path / "y", {"a.txt": "a", "b.xyz": "b"})
    with raises_input_error(str(path), "2 files"):
        open_samples(path)
    samples = open_samples(write_files(path, {"1.png": encode_image(COLOURS[0])}))
    assert samples.notes == ("1 files of other types are ignored (1 .xyz)",)


def test_single_image(tmp_path):
    path = write_files(tmp_path, {"x.png": encode_image(COLOURS[0])}) / "x.png"
    samples = open_samples(path)
    assert torch.equal(samples.take([0]), channels_first(COLOURS[:1]))
    assert (samples.num_samples, samples.describe(0)) == (1, "x.png")
    path.write_bytes(b"no image")
    with raises_input_error(str(path), "x.png"):
        open_samples(path)


@pytest.mark.parametrize(
    ("name", "content"),
    {
        "x.zip": b"PK\3\4 damaged",
        "x.tar": b"",
        "x.tar.gz": b"\x1f\x8b damaged",
        "x": encode_image(COLOURS[0]),
        "x.txt": b"hello",
    }.items(),
)
def test_other_files_are_refused(tmp_path, name, content):
    path = write_files(tmp_path, {name: content}) / name
    with raises_input_error(str(path), "folder, or a complete ZIP or TAR archive"):
        open_samples(path)


def test_truncated_archives_are_refused(tmp_path):
    for path in (
        write_zip(tmp_path / "x.zip", name_images(COLOURS)),
        write_packed_tar(tmp_path / "x.tar.gz", name_images(COLOURS)),
    ):
        path.write_bytes(path.read_bytes()[:-60])
        with raises_input_error(str(path), "truncated or damaged"):
            open_samples(path)


def test_path_out_of_the_archive_is_refused(tmp_path):
    path = write_zip(tmp_path / "x.zip", {"../a.png": encode_image(COLOURS[0])})
    with raises_input_error(str(path), "leads out of the archive", "remove it"):
        open_samples(path)


def test_damaged_lmdb_is_refused(tmp_path):
    pytest.importorskip("lmdb")
    path = write_files(tmp_path / "x", {"data.mdb": struct.pack("=I", 0) * 4000})
    with raises_input_error(None, "data.mdb", "not a complete LMDB file"):
        open_samples(path)


@pytest.mark.slow
def test_parquet_without_images_is_refused(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("datasets")
    from pyarrow import parquet

    path = tmp_path / "x.parquet"
    parquet.write_table(pyarrow.table({"number": [1, 2]}), path)
    with raises_input_error(str(path), "among number", "--image-column of iidgan prepare"):
        open_samples(path)
    path.write_bytes(b"PAR1 damaged")
    with raises_input_error(str(path), "cannot be loaded"):
        open_samples(path)
    rows = [encode_image(COLOURS[0]), None]
    parquet.write_table(pyarrow.table({"image": rows}), path)
    with raises_input_error(str(path), "row 1: has no image", ADVICE):
        open_samples(path).take([1])


@pytest.mark.slow
def test_configurations_are_chosen_by_prepare(tmp_path):
    card = "---\nconfigs:\n" + "".join(
        f"- config_name: {name}\n  data_files: {name}.parquet\n" for name in "ab"
    )
    write_files(tmp_path / "x", {"README.md": f"{card}---\n"})
    for name in "ab":
        write_parquet(tmp_path / "x" / f"{name}.parquet", COLOURS)
    with raises_input_error(str(tmp_path / "x"), "'a', 'b'", "--config of iidgan prepare"):
        open_samples(tmp_path / "x")


def test_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    path = write_files(tmp_path, {"x.parquet": b""}) / "x.parquet"
    with raises_input_error(str(path), "pip install 'iidgan[hub]'"):
        open_samples(path)


@pytest.mark.slow
def test_files_that_shrink_are_refused(tmp_path):
    path = write_parquet(tmp_path / "x.parquet", COLOURS)
    samples = open_samples(path)
    path.unlink()
    write_parquet(path, COLOURS[:2])
    with raises_input_error(str(path), "image 4 is missing"):
        samples.take([0, 4])
