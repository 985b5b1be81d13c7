"""CIFAR-10 and CIFAR-100 in small files of the same layout, and pickles that mean harm."""

import io
import pickle
import pickletools
import tarfile
import tracemalloc

import numpy as np
import pytest

from iidgan.data.prepare import prepare
from iidgan.data.prepare.readers.unpickle import unpickle
from iidgan.errors import InputError
from tests.helpers.images import arrays, pixels, put, zipped

TEN = tuple(f"class {i}" for i in range(10))
FINE = tuple(f"fine_{i}" for i in range(100))


@pytest.fixture(autouse=True)
def _home(monkeypatch, tmp_path):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))


def rows(images):
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def python_10(images, labels):
    """Five batches as Python 2 wrote them: keys and names are bytes."""
    files = {}
    for i in range(5):
        batch = {
            b"batch_label": b"training batch",
            b"labels": labels[i::5].tolist(),
            b"data": rows(images[i::5]),
            b"filenames": [b"x.png"] * len(labels[i::5]),
        }
        files[f"cifar-10-batches-py/data_batch_{i + 1}"] = pickle.dumps(batch, 2)
    test = {b"labels": labels.tolist(), b"data": rows(images)}
    files["cifar-10-batches-py/test_batch"] = pickle.dumps(test, 2)
    meta = {b"label_names": [name.encode() for name in TEN], b"num_vis": 3072}
    return files | {"cifar-10-batches-py/batches.meta": pickle.dumps(meta, 2)}


def binary_10(images, labels):
    records = np.hstack([labels[:, None].astype(np.uint8), rows(images)])
    files = {
        f"cifar-10-batches-bin/data_batch_{i + 1}.bin": records[i::5].tobytes() for i in range(5)
    }
    names = {"cifar-10-batches-bin/batches.meta.txt": "\n".join(TEN).replace(" ", "_") + "\n\n"}
    return files | {"cifar-10-batches-bin/test_batch.bin": records.tobytes()} | names


def python_100(images, labels):
    train = {
        "fine_labels": labels.tolist(),
        "coarse_labels": (labels // 5).tolist(),
        "data": rows(images),
    }
    meta = {"fine_label_names": list(FINE), "coarse_label_names": []}
    return {"a/train": pickle.dumps(train), "a/meta": pickle.dumps(meta), "a/test": b""}


def binary_100(images, labels):
    both = np.stack([labels // 5, labels], 1).astype(np.uint8)
    return {
        "a/train.bin": np.hstack([both, rows(images)]).tobytes(),
        "a/fine_label_names.txt": "\n".join(FINE),
    }


def tarred(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            content = content if isinstance(content, bytes) else content.encode()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


IMAGES, LABELS = pixels(20, 32), np.arange(20) % 10
ORDER = [j for i in range(5) for j in range(i, 20, 5)]


@pytest.mark.parametrize("layout", [python_10, binary_10])
@pytest.mark.parametrize("pack", [put, zipped, tarred])
def test_both_archives_of_cifar10_packed_or_not(tmp_path, layout, pack):
    place = pack(tmp_path / "archive", layout(IMAGES, LABELS))
    outcome = prepare("cifar10", origin=str(place))
    images, labels = arrays(outcome)
    assert np.array_equal(images, IMAGES[ORDER].transpose(0, 3, 1, 2))
    assert np.array_equal(labels, LABELS[ORDER])
    assert len(outcome.manifest.labels) == 10
    test = prepare("cifar10", origin=str(place), split="test")
    assert (test.folder.name, test.manifest.count) == ("cifar10-test", 20)
    assert np.array_equal(arrays(test)[0], IMAGES.transpose(0, 3, 1, 2))


def test_the_names_of_labels_may_have_spaces_in_pickles(tmp_path):
    place = put(tmp_path / "archive", python_10(IMAGES, LABELS))
    assert prepare("cifar10", origin=str(place)).manifest.labels == TEN


@pytest.mark.parametrize("layout", [python_100, binary_100])
def test_cifar100_has_its_fine_labels(tmp_path, layout):
    labels = np.arange(20) * 5 + 4
    outcome = prepare("cifar100", origin=str(put(tmp_path / "a", layout(IMAGES, labels))))
    assert np.array_equal(arrays(outcome)[0], IMAGES.transpose(0, 3, 1, 2))
    assert arrays(outcome)[1].tolist() == labels.tolist()
    assert outcome.manifest.labels == FINE


def test_another_size_is_made_by_the_rule(tmp_path):
    place = put(tmp_path / "a", binary_10(IMAGES, LABELS))
    outcome = prepare("cifar10", origin=str(place), size=16)
    assert outcome.manifest.shape == (3, 16, 16)
    assert "EXIF" not in outcome.manifest.rule  # that is of image files, and these are pixels
    means = IMAGES[ORDER].reshape(20, 16, 2, 16, 2, 3).mean((2, 4)).transpose(0, 3, 1, 2)
    assert np.corrcoef(arrays(outcome)[0].ravel(), means.ravel())[0, 1] > 0.9


def broken(name, content):
    return {**python_10(IMAGES, LABELS), f"cifar-10-batches-py/{name}": content}


def batch(**changes):
    facts = {"labels": LABELS.tolist(), "data": rows(IMAGES), **changes}
    return pickle.dumps({key: value for key, value in facts.items() if value is not None}, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a pickle of arrays"),
        (batch()[:-100], "not a pickle of arrays"),
        (batch(data=None), "no batch: 'labels' and 'data' .* it has 'labels'"),
        (batch(data=rows(IMAGES)[:, :-1]), "no batch"),
        (batch(data=rows(IMAGES).astype(np.float32)), "no batch"),
        (batch(labels=[1, 2]), "no batch"),
        (batch(labels=["a"] * 20), "'labels' holds more than whole numbers"),
        (batch(labels=[12] * 20), "labels: 12 has no name; known: 0 to 9"),
        (pickle.dumps([1, 2]), "no batch: .* it has nothing"),
    ],
)
def test_batches_that_are_none_are_refused(tmp_path, content, message):
    place = put(tmp_path / "a", broken("data_batch_3", content))
    with pytest.raises(InputError, match=message) as error:
        prepare("cifar10", origin=str(place))
    assert "\n" not in str(error.value)


def test_records_that_are_cut_off_are_refused(tmp_path):
    files = binary_10(IMAGES, LABELS)
    files["cifar-10-batches-bin/data_batch_2.bin"] += b"x"
    with pytest.raises(InputError, match=r"data_batch_2\.bin: 12293 bytes are not .* 3073 bytes"):
        prepare("cifar10", origin=str(put(tmp_path / "a", files)))


def test_files_that_are_not_there_are_named(tmp_path):
    with pytest.raises(InputError, match=r"has neither data_batch_1, .* nor data_batch_1\.bin"):
        prepare("cifar10", origin=str(put(tmp_path / "a", {"x": b""})))
    with pytest.raises(InputError, match=r"from: missing; .* \(get https://.*\), or --from hub"):
        prepare("cifar10")


# Pickles


@pytest.mark.parametrize("protocol", range(5))
def test_plain_values_are_read(protocol):
    values = {"data": np.arange(6, dtype=np.uint8).reshape(2, 3), "labels": [1, 2], b"k": "text"}
    found = unpickle(pickle.dumps(values, protocol), "x")
    assert np.array_equal(found["data"], values["data"])
    assert (found["labels"], found[b"k"]) == ([1, 2], "text")


class Harm:
    def __init__(self, call, *arguments):
        self._what = call, arguments

    def __reduce__(self):
        return self._what


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_calls_nothing(tmp_path, protocol):
    for harm in (
        Harm(exec, f"open({str(tmp_path / 'harm')!r}, 'w')"),
        Harm(__import__, "os"),
        Harm(np.ndarray, (1 << 40,)),
        Harm(np.zeros, 1 << 40),
        Harm(getattr, "text", "join"),
    ):
        with pytest.raises(InputError, match="not a pickle of arrays"):
            unpickle(pickle.dumps({"data": harm}, protocol), "x")
    assert not (tmp_path / "harm").exists()


def test_arrays_of_objects_are_refused():
    with pytest.raises(InputError, match="an array holds object"):
        unpickle(pickle.dumps(np.array([print], dtype=object)), "x")


def test_a_number_in_a_pickle_takes_no_memory():
    position = b"r" + (1 << 30).to_bytes(4, "little")  # of an entry in its table
    content = pickle.PROTO + b"\x02" + pickle.EMPTY_LIST + position + pickle.STOP
    assert [op.name for op, _, _ in pickletools.genops(content)][-2] == "LONG_BINPUT"
    tracemalloc.start()
    try:
        assert unpickle(content, "x") == []
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
