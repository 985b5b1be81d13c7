"""CIFAR-10 and CIFAR-100 in small files of the same layout."""

import hashlib
import io
import pickle
import tarfile

import numpy as np
import pytest

from iidgan.data.prepare import prepare
from iidgan.data.prepare.readers.published_files import CIFAR10_FILES
from tests.helpers.errors import raises_input_error
from tests.helpers.images import load_arrays, random_images, write_files, write_zip

TEN = tuple(f"class {i}" for i in range(10))


def flatten_images(images):
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def pickled_cifar10(images, labels):
    """Five batches as Python 2 wrote them: keys and names are bytes."""
    files = {}
    for i in range(5):
        batch = {
            b"batch_label": b"training batch",
            b"labels": labels[i::5].tolist(),
            b"data": flatten_images(images[i::5]),
            b"filenames": [b"x.png"] * len(labels[i::5]),
        }
        files[f"cifar-10-batches-py/data_batch_{i + 1}"] = pickle.dumps(batch, 2)
    test = {b"labels": labels.tolist(), b"data": flatten_images(images)}
    files["cifar-10-batches-py/test_batch"] = pickle.dumps(test, 2)
    meta = {b"label_names": [name.encode() for name in TEN], b"num_vis": 3072}
    return files | {"cifar-10-batches-py/batches.meta": pickle.dumps(meta, 2)}


def binary_cifar10(images, labels):
    records = np.hstack([labels[:, None].astype(np.uint8), flatten_images(images)])
    files = {
        f"cifar-10-batches-bin/data_batch_{i + 1}.bin": records[i::5].tobytes() for i in range(5)
    }
    names = {"cifar-10-batches-bin/batches.meta.txt": "\n".join(TEN).replace(" ", "_") + "\n\n"}
    return files | {"cifar-10-batches-bin/test_batch.bin": records.tobytes()} | names


def write_tar(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            content = content if isinstance(content, bytes) else content.encode()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


IMAGES, LABELS = random_images(20, 32), np.arange(20) % 10


ORDER = [j for i in range(5) for j in range(i, 20, 5)]


def pickle_batch(**changes):
    entries = {"labels": LABELS.tolist(), "data": flatten_images(IMAGES), **changes}
    return pickle.dumps({key: value for key, value in entries.items() if value is not None}, 2)


@pytest.mark.parametrize("layout", [pickled_cifar10, binary_cifar10])
@pytest.mark.parametrize("pack", [write_files, write_zip, write_tar])
def test_cifar10_archives(tmp_path, layout, pack):
    folder = pack(tmp_path / "archive", layout(IMAGES, LABELS))
    result = prepare("cifar10", origin=str(folder))
    images, labels = load_arrays(result)
    assert np.array_equal(images, IMAGES[ORDER].transpose(0, 3, 1, 2))
    assert np.array_equal(labels, LABELS[ORDER])
    assert len(result.manifest.labels) == 10
    test = prepare("cifar10", origin=str(folder), split="test")
    assert (test.folder.name, test.manifest.count) == ("cifar10-test", 20)
    assert np.array_equal(load_arrays(test)[0], IMAGES.transpose(0, 3, 1, 2))


def test_cifar10_class_names_with_spaces(tmp_path):
    folder = write_files(tmp_path / "archive", pickled_cifar10(IMAGES, LABELS))
    assert prepare("cifar10", origin=str(folder)).manifest.labels == TEN


FINE = tuple(f"fine_{i}" for i in range(100))


def pickled_cifar100(images, labels):
    train = {
        "fine_labels": labels.tolist(),
        "coarse_labels": (labels // 5).tolist(),
        "data": flatten_images(images),
    }
    meta = {"fine_label_names": list(FINE), "coarse_label_names": []}
    return {"a/train": pickle.dumps(train), "a/meta": pickle.dumps(meta), "a/test": b""}


def binary_cifar100(images, labels):
    both = np.stack([labels // 5, labels], 1).astype(np.uint8)
    return {
        "a/train.bin": np.hstack([both, flatten_images(images)]).tobytes(),
        "a/fine_label_names.txt": "\n".join(FINE),
    }


@pytest.mark.parametrize("layout", [pickled_cifar100, binary_cifar100])
def test_cifar100_uses_fine_labels(tmp_path, layout):
    labels = np.arange(20) * 5 + 4
    result = prepare("cifar100", origin=str(write_files(tmp_path / "a", layout(IMAGES, labels))))
    assert np.array_equal(load_arrays(result)[0], IMAGES.transpose(0, 3, 1, 2))
    assert load_arrays(result)[1].tolist() == labels.tolist()
    assert result.manifest.labels == FINE


def test_cifar10_at_other_size(tmp_path):
    folder = write_files(tmp_path / "a", binary_cifar10(IMAGES, LABELS))
    result = prepare("cifar10", origin=str(folder), size=16)
    assert result.manifest.shape == (3, 16, 16)
    assert "EXIF" not in result.manifest.rule  # that is of image files, and these are pixels
    means = IMAGES[ORDER].reshape(20, 16, 2, 16, 2, 3).mean((2, 4)).transpose(0, 3, 1, 2)
    assert np.corrcoef(load_arrays(result)[0].ravel(), means.ravel())[0, 1] > 0.9


def test_cifar10_class_names_are_text(tmp_path):
    files = pickled_cifar10(IMAGES, LABELS)
    files["cifar-10-batches-py/batches.meta"] = pickle.dumps({"label_names": [["a"], "b"]})
    folder = write_files(tmp_path / "archive", files)
    assert prepare("cifar10", origin=str(folder)).manifest.labels == tuple("0123456789")


def test_cifar10_refuses_cut_archive(tmp_path):
    path = write_tar(tmp_path / "x.tar.gz", binary_cifar10(IMAGES, LABELS))
    path.write_bytes(path.read_bytes()[:-1])
    with raises_input_error(str(path), "truncated or damaged"):
        prepare("cifar10", origin=str(path))


def with_batch(name, content):
    return {**pickled_cifar10(IMAGES, LABELS), f"cifar-10-batches-py/{name}": content}


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (b"", ["not a pickle of arrays"]),
        (pickle_batch()[:-100], ["not a pickle of arrays"]),
        (pickle_batch(data=None), ["'labels' and uint8 'data'", "(N, 3072)", "got 'labels'"]),
        (pickle_batch(data=flatten_images(IMAGES)[:, :-1]), ["(N, 3072)"]),
        (pickle_batch(data=flatten_images(IMAGES).astype(np.float32)), ["uint8", "(N, 3072)"]),
        (pickle_batch(labels=[1, 2]), ["(N, 3072)"]),
        (pickle_batch(labels=np.zeros((20, 1), int)), ["'labels' must be small integers"]),
        (pickle_batch(labels=np.array(3)), ["(N, 3072)"]),
        (pickle_batch(labels=["a"] * 20), ["'labels' must be small integers"]),
        (pickle_batch(labels=[1 << 20_000] * 20), ["'labels' must be small integers"]),
        (pickle_batch(labels=[12] * 20), ["labels: ", "between 0 and 9", "got 12"]),
        (pickle.dumps([1, 2]), ["(N, 3072)", "got nothing"]),
    ],
)
def test_cifar10_refuses_malformed_batch(tmp_path, content, values):
    folder = write_files(tmp_path / "a", with_batch("data_batch_3", content))
    with raises_input_error(None, *values):
        prepare("cifar10", origin=str(folder))


@pytest.mark.parametrize("dtype", ["<i4", ">i4", ">i8", "u1"])
def test_cifar10_reads_labels_in_arrays(tmp_path, dtype):
    content = pickle_batch(labels=LABELS.astype(dtype))
    files = {f"cifar-10-batches-py/data_batch_{i}": content for i in range(1, 6)}
    folder = write_files(tmp_path / "a", pickled_cifar10(IMAGES, LABELS) | files)
    _, labels = load_arrays(prepare("cifar10", origin=str(folder)))
    assert np.array_equal(labels, np.tile(LABELS, 5))


def test_cifar10_refuses_truncated_records(tmp_path):
    files = binary_cifar10(IMAGES, LABELS)
    files["cifar-10-batches-bin/data_batch_2.bin"] += b"x"
    with raises_input_error(None, "data_batch_2.bin", "multiple of 3073 bytes", "got 12293"):
        prepare("cifar10", origin=str(write_files(tmp_path / "a", files)))


def test_cifar10_names_missing_files(tmp_path):
    with raises_input_error(str(tmp_path / "a"), "data_batch_1, ", "data_batch_1.bin"):
        prepare("cifar10", origin=str(write_files(tmp_path / "a", {"x": b""})))
    with raises_input_error("from", "missing", "(get https://", "--from hub"):
        prepare("cifar10")


def test_cifar_reports_other_files(tmp_path, monkeypatch):
    files = pickled_cifar10(IMAGES, LABELS)
    md5s = {
        name.rpartition("/")[2]: hashlib.md5(content).hexdigest()
        for name, content in files.items()
    }
    messages, options = [], {"origin": str(write_tar(tmp_path / "x.tar.gz", files))}
    prepare("cifar10", **options, on_message=messages.append)
    assert messages == [
        "x.tar.gz: data_batch_1: loaded, but not the published file "
        f"(md5 {md5s['data_batch_1']}, expected c99cafc152244af753f735de768cd75f)"
    ]
    for name in CIFAR10_FILES.members:
        monkeypatch.setitem(CIFAR10_FILES.members, name, md5s[name])
    prepare("cifar10", **options, split="test", on_message=messages.append)
    assert len(messages) == 1


def test_cifar_reports_other_binary_archive(tmp_path, monkeypatch):
    path = write_tar(tmp_path / "cifar-10-binary.tar.gz", binary_cifar10(IMAGES, LABELS))
    md5, messages = hashlib.md5(path.read_bytes()).hexdigest(), []
    prepare("cifar10", origin=str(path), on_message=messages.append)
    assert messages == [
        "cifar-10-binary.tar.gz: loaded, but not the published file "
        f"(md5 {md5}, expected c32a1d4ab5d03f1284b67883e8d87530)"
    ]
    monkeypatch.setitem(CIFAR10_FILES.archives, path.name, md5)
    prepare("cifar10", origin=str(path), split="test", on_message=messages.append)
    assert len(messages) == 1
