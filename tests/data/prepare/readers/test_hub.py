"""Parquet files and data sets of the Hub."""

import os

import numpy as np
import pytest

from iidgan.data.manifest import Manifest
from iidgan.data.prepare import DATASETS, prepare
from tests.helpers.errors import raises_input_error
from tests.helpers.images import encode_image, load_arrays, random_images


def write_hub_parquet(path, images, labels, **columns):
    """Files as the Hub has them: the schema of `datasets` inside."""
    datasets = pytest.importorskip("datasets")
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}
    table = {"image": [{"bytes": b, "path": None} for b in images], "label": labels}
    features |= {name: datasets.Value("int64") for name in columns}
    dataset = datasets.Dataset.from_dict(table | columns, features=datasets.Features(features))
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.to_parquet(path)


@pytest.fixture
def hub(tmp_path):
    images = [encode_image(image) for image in random_images(6, 16)]
    folder = tmp_path / "pets" / "data"
    write_hub_parquet(
        folder / "train-00000-of-00002.parquet", images[:4], [0, 1, 1, 0], other=[1] * 4
    )
    write_hub_parquet(folder / "train-00001-of-00002.parquet", images[4:], [1, -1], other=[1] * 2)
    write_hub_parquet(folder / "test-00000-of-00001.parquet", images[:1], [1], other=[1])
    return folder.parent


def test_parquet_with_hub_schema(hub):
    result = prepare("pets", origin=str(hub), size=16)
    images, labels = load_arrays(result)
    assert np.array_equal(images, random_images(6, 16)[:5].transpose(0, 3, 1, 2))
    assert labels.tolist() == [0, 1, 1, 0, 1]
    assert result.manifest.labels == ("cat", "dog")
    assert [str(image) for image in result.skipped] == ["row 5: has no label"]
    test = prepare("pets", origin=str(hub), size=16, split="test")
    assert (test.folder.name, test.manifest.count) == ("pets-test", 1)
    unlabelled = prepare("all-pets", origin=str(hub), size=16, labels="none")
    assert (unlabelled.manifest.count, unlabelled.manifest.labels) == (6, ())


def test_mnist_from_parquet(tmp_path):
    images = [encode_image(image) for image in random_images(2, 28, 1)]
    write_hub_parquet(tmp_path / "x.parquet", images, [0, 1])
    result = prepare("mnist", origin=str(tmp_path / "x.parquet"))
    assert np.array_equal(load_arrays(result)[0], random_images(2, 28, 1).transpose(0, 3, 1, 2))


def write_plain_parquet(path, **columns):
    """A file as other programs write it."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(columns), path)


@pytest.mark.parametrize("kind", ["large_string", "bool_"])
def test_parquet_label_types(tmp_path, kind):
    pyarrow = pytest.importorskip("pyarrow")
    values = [True, False, True] if kind == "bool_" else ["b", "a", "b"]
    labels = pyarrow.array(values, type=getattr(pyarrow, kind)())
    images = [encode_image(image) for image in random_images(3, 16)]
    write_plain_parquet(tmp_path / "a.parquet", image=images, label=labels)
    result = prepare("a", origin=str(tmp_path / "a.parquet"), size=16)
    assert load_arrays(result)[1].tolist() == [1, 0, 1]


def test_parquet_without_hub_schema(tmp_path):
    images = [encode_image(image) for image in random_images(3, 16)]
    write_plain_parquet(tmp_path / "a.parquet", image=images, label=["b", "a", "b"], n=[1, 2, 3])
    result = prepare("a", origin=str(tmp_path / "a.parquet"), size=16)
    assert (load_arrays(result)[1].tolist(), result.manifest.labels) == ([1, 0, 1], ("a", "b"))
    write_plain_parquet(tmp_path / "c.parquet", image=images, label=[10**15, 7, 7])
    result = prepare("c", origin=str(tmp_path / "c.parquet"), size=16)
    assert (load_arrays(result)[1].tolist(), result.manifest.labels[0]) == ([1, 0, 0], "7")
    write_plain_parquet(tmp_path / "b.parquet", img=[{"bytes": b} for b in images])
    assert load_arrays(prepare("b", origin=str(tmp_path / "b.parquet"), size=16))[1] is None


def test_parquet_reports_chosen_columns(tmp_path):
    images = [encode_image(image) for image in random_images(3, 16)]
    write_plain_parquet(
        tmp_path / "a.parquet",
        n=images,
        img=images,
        image=images,
        target=[1, 1, 1],
        label=[3, 4, 3],
    )
    messages = []
    result = prepare("a", origin=str(tmp_path / "a.parquet"), size=16, on_message=messages.append)
    assert result.manifest.labels == ("3", "4")
    assert messages == ["the column image is used, not img; the column label is used, not target"]


def test_parquet_refuses_malformed_files(tmp_path):
    write_plain_parquet(tmp_path / "a.parquet", text=["x"], number=[1])
    with raises_input_error("from", "no column of images", "text, number"):
        prepare("a", origin=str(tmp_path / "a.parquet"))
    write_plain_parquet(
        tmp_path / "c.parquet", image=[encode_image(image) for image in random_images(50, 16)]
    )
    content = bytearray((tmp_path / "c.parquet").read_bytes())
    content[20:60] = bytes(40)
    (tmp_path / "c.parquet").write_bytes(content)
    with raises_input_error("from", "damaged after row 0: "):
        prepare("c", origin=str(tmp_path / "c.parquet"))
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and then nothing")
    with raises_input_error("from", tmp_path / "b.parquet"):
        prepare("b", origin=str(tmp_path / "b.parquet"))


IMAGES = [encode_image(image) for image in random_images(3, 16)]


@pytest.mark.parametrize(
    ("labels", "type_name"),
    [([0.0, 1.0, 1.0], "float64"), ([[0], [1], [0, 1]], "List"), ([b"a", b"b", b"c"], "binary")],
)
def test_parquet_refuses_label_type(tmp_path, labels, type_name):
    write_plain_parquet(tmp_path / "a.parquet", image=IMAGES, label=labels, species=["x"] * 3)
    origin = str(tmp_path / "a.parquet")
    with raises_input_error(
        "labels", "column label", type_name, "--label-column", "--labels none"
    ):
        prepare("a", origin=origin)
    with raises_input_error("label-column", "column label", type_name):
        prepare("a", origin=origin, label_column="label")
    assert load_arrays(prepare("a", origin=origin, labels="none"))[1] is None
    assert prepare("b", origin=origin, label_column="species").manifest.labels == ("x",)


def test_parquet_notes_label_type(tmp_path):
    write_plain_parquet(
        tmp_path / "a.parquet", image=IMAGES, label=[0.5] * 3, target=["x", "y", "x"]
    )
    messages = []
    result = prepare("a", origin=str(tmp_path / "a.parquet"), on_message=messages.append)
    assert result.manifest.labels == ("x", "y")
    assert messages == ["the column label of type float64 is not used"]


def test_parquet_with_named_columns(tmp_path):
    """In a table of attributes -1 is a value; it does not mean that a label is missing."""
    columns = {"face": IMAGES, "Male": [-1, 1, -1], "Young": [True, True, False]}
    write_plain_parquet(tmp_path / "a.parquet", **columns)
    origin = str(tmp_path / "a.parquet")
    with raises_input_error("from", "face, Male, Young", "--image-column"):
        prepare("a", origin=origin)
    result = prepare("a", origin=origin, size=16, image_column="face", label_column="Male")
    labels = [result.manifest.labels[i] for i in load_arrays(result)[1]]
    assert (labels, result.skipped) == (["-1", "1", "-1"], ())
    assert np.array_equal(load_arrays(result)[0], random_images(3, 16).transpose(0, 3, 1, 2))
    assert "--image-column face" in result.manifest.prepare_command(None)
    with raises_input_error("image-column", "unknown 'faces'", "did you mean 'face'"):
        prepare("b", origin=origin, image_column="faces")
    with raises_input_error("image-column", "expected images", "Male", "int64"):
        prepare("b", origin=origin, image_column="Male")
    with raises_input_error("label-column", "unknown 'Old'"):
        prepare("b", origin=origin, image_column="face", label_column="Old")


COMMITS = {None: "a" * 40, "v1": "b" * 40, "b" * 40: "b" * 40}


@pytest.fixture
def hub_requests(hub, monkeypatch):
    """Replaces the files of the Hub by local ones, and collects the requests for them."""
    datasets = pytest.importorskip("datasets")
    load_builder = datasets.load_dataset_builder
    requests = []

    def load(name, config, *, revision):
        requests.append((name, config, revision))
        builder = load_builder("parquet", data_files=str(hub / "data" / "train-*.parquet"))
        builder.hash = COMMITS[revision]
        return builder

    monkeypatch.setattr(datasets, "load_dataset_builder", load)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", hub / "cache")
    return requests


def test_hub_dataset_by_id(hub_requests):
    result = prepare("me/pets", origin="hub", size=16)
    assert result.folder.parts[-2:] == ("me", "pets")
    assert result.manifest.count == 5
    prepare("cifar10", origin="hub", split="train", size=16)
    small = prepare("me/pets", origin="hub", size=16, config="small")
    assert small.folder.parts[-2:] == ("me", "pets-small")
    assert "--config small" in small.manifest.prepare_command(None)
    assert hub_requests == [
        ("me/pets", None, None),
        (DATASETS["cifar10"].hub_id, None, None),
        ("me/pets", "small", None),
    ]


def test_hub_revision_is_recorded(hub_requests, tmp_path):
    result = prepare("me/pets", origin="hub", size=16)
    assert result.manifest.revision == COMMITS[None]
    assert f"--revision {COMMITS[None]}" in result.manifest.prepare_command(None)
    assert Manifest.read(result.folder) == result.manifest
    assert not prepare("me/pets", origin="hub", revision=COMMITS[None]).is_new
    with raises_input_error(str(result.folder), "revision was None, is v1"):
        prepare("me/pets", origin="hub", revision="v1")
    other = prepare("me/pets", origin="hub", size=16, revision="v1", root=str(tmp_path / "other"))
    assert other.manifest.revision == COMMITS["v1"]
    assert hub_requests[-1] == ("me/pets", None, "v1")


def test_revision_needs_hub(tmp_path):
    with raises_input_error("revision", "got 'v1'", "--from hub"):
        prepare("pets", origin=str(tmp_path), revision="v1")
    with raises_input_error("revision", "got '../x'"):
        prepare("me/pets", origin="hub", revision="../x")
    assert prepare_local(tmp_path).manifest.revision == ""


def prepare_local(folder):
    images = [encode_image(image) for image in random_images(2, 16)]
    write_plain_parquet(folder / "a.parquet", image=images)
    return prepare("a", origin=str(folder / "a.parquet"), size=16)


def test_parquet_folder_without_a_shard(hub):
    """The names tell how many there are; what is left would be a smaller data set."""
    (hub / "data" / "train-00000-of-00002.parquet").unlink()
    with raises_input_error(
        "from", str(hub), "1 of 2 files", "data/train-00000-of-00002.parquet", "name one file"
    ):
        prepare("pets", origin=str(hub))
    assert prepare("pets", origin=str(hub), split="test").manifest.count == 1
    (shard,) = (hub / "data").glob("train-*")
    assert prepare("one", origin=str(shard)).manifest.count == 1
    shard.rename(shard.with_name("train-00000-of-00003-0123456789abcdef.parquet"))
    with raises_input_error("from", "2 of 3 files", "train-00001-of-00003"):
        prepare("other", origin=str(hub))


def test_damaged_parquet_has_one_message(hub, caplog):
    (hub / "data" / "train-00001-of-00002.parquet").write_bytes(b"")
    with raises_input_error("from", "damaged after row 4"):
        prepare("pets", origin=str(hub))
    assert caplog.records == []


def test_parquet_folder_with_pipe(hub):
    os.mkfifo(hub / "README.md")
    with raises_input_error(str(hub / "README.md"), "got a named pipe"):
        prepare("pets", origin=str(hub))


def test_hub_config_is_required(tmp_path):
    images = [encode_image(image) for image in random_images(4, 16)]
    write_hub_parquet(tmp_path / "pets" / "young" / "train.parquet", images[:3], [0, 1, 1])
    write_hub_parquet(tmp_path / "pets" / "old" / "train.parquet", images[3:], [1])
    configs = "".join(
        f"- config_name: {name}\n  data_files: {name}/*.parquet\n" for name in ("young", "old")
    )
    (tmp_path / "pets" / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    folder = str(tmp_path / "pets")
    with raises_input_error("config", "pets has several", "'old'"):
        prepare("pets", origin=folder)
    result = prepare("pets", origin=folder, size=16, config="young")
    assert (result.folder.name, result.manifest.count) == ("pets-young", 3)
    assert prepare("pets", origin=folder, size=16, config="old").manifest.count == 1
    with raises_input_error("config", "Hub", "got 'old'"):
        prepare("x", origin=f"{folder}/old/train.parquet", config="old")
    with raises_input_error("config", "got 'a b'"):
        prepare("pets", origin=folder, config="a b")


def test_hub_connection_error(monkeypatch):
    datasets = pytest.importorskip("datasets")

    def load(name, config, **options):
        raise ConnectionError("no\nroute")

    monkeypatch.setattr(datasets, "load_dataset_builder", load)
    with raises_input_error("from", "me/pets", "split 'train'", "ConnectionError"):
        prepare("me/pets", origin="hub")
