"""Data sets of sources, and points."""

import numpy as np
import pytest
import torch

from iidgan.core import Dataset, Standardisation
from iidgan.data.stacked import StackedView
from iidgan.sample_sets import blocks, open_samples
from tests.helpers.errors import raises_input_error
from tests.helpers.images import random_images
from tests.helpers.sample_sets import channels_first, read_all

IMAGES = channels_first(random_images(6))
POINTS = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "MAX_BLOCK_VALUES", 2 * 192)


def test_images_of_a_data_set():
    y = torch.arange(6) % 2
    samples = open_samples(Dataset(IMAGES, y, labels=("cat", "dog"), notes=("6 pets",)))
    assert (samples.num_samples, samples.shape, samples.notes) == (6, (3, 8, 8), ("6 pets",))
    assert (samples.labels.tolist(), samples.label_names) == (y.tolist(), ("cat", "dog"))
    assert read_all(samples).equal(IMAGES)
    assert samples.take([5, 1]).equal(IMAGES[[5, 1]])
    digest = samples.compute_sha256(range(6))
    assert digest == open_samples(IMAGES).compute_sha256(range(6))


@pytest.mark.parametrize("pixels", [28, 32, 64])
def test_images_of_a_view(pixels):
    base = channels_first(random_images(4, 28, 1))
    view = StackedView(torch.tensor([[0, 1, 2], [3, 3, 3], [2, 0, 1]]), pixels)
    samples = open_samples(Dataset(base, view=view))
    images = samples.take([0, 1, 2])
    assert (images.dtype, images.shape) == (torch.uint8, (3, 3, pixels, pixels))
    if pixels == 28:
        assert images.equal(base[view.triples, 0])


def test_points_of_a_data_set_are_in_their_own_units():
    scaling = Standardisation(torch.full((3,), 5.0), torch.full((3,), 2.0))
    dataset = Dataset(torch.from_numpy(POINTS), scaling=scaling)
    samples = open_samples(dataset)
    assert read_all(samples).equal(torch.from_numpy(POINTS) * 2 + 5)


@pytest.mark.parametrize(
    ("x", "values"),
    [
        (torch.zeros(4, 3, 8, 8), ["uint8", "float32", "(3, 8, 8)"]),
        (torch.zeros(4, 2, 8, 8, dtype=torch.uint8), ["(1 or 3, H, W)", "(2, 8, 8)"]),
        (torch.zeros(4, 3, dtype=torch.uint8), ["torch.uint8", "(3,)"]),
        (torch.zeros(0, 2), ["0 samples"]),
        (torch.tensor([[1.0, 2.0], [3.0, torch.nan]]), ["row 1, column 1", "nan"]),
    ],
)
def test_other_data_sets_are_refused(x, values):
    with raises_input_error("samples", *values):
        open_samples(Dataset(x))


def save_csv(folder, points):
    path = folder / "points.csv"
    np.savetxt(path, points, delimiter=",", header="a,b,c", comments="", fmt="%.9g")
    return path


def save_npy(folder, points):
    np.save(folder / "points.npy", points)
    return folder / "points.npy"


def save_npz(folder, points):
    np.savez(folder / "points.npz", x=points, z=np.zeros((7, 2, 2)))
    return folder / "points.npz"


FORMS = {
    "array": lambda folder, points: points,
    "tensor": lambda folder, points: torch.tensor(points),
    "half": lambda folder, points: torch.tensor(points),
    ".csv": save_csv,
    ".npy": save_npy,
    ".npy in Fortran order": lambda folder, points: save_npy(folder, np.asfortranarray(points)),
    ".npz": save_npz,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_points(tmp_path, form):
    samples = open_samples(form(tmp_path, POINTS))
    assert (samples.num_samples, samples.shape, samples.is_image) == (7, (3,), False)
    assert (read_all(samples).dtype, samples.labels) == (torch.float32, None)
    assert read_all(samples).equal(torch.from_numpy(POINTS))
    assert samples.take([6, 2]).equal(torch.from_numpy(POINTS[[6, 2]]))
    digest = open_samples(POINTS).compute_sha256([1, 2])
    assert samples.compute_sha256([1, 2]) == digest != samples.compute_sha256([1, 3])


def test_notes_describe_the_file(tmp_path):
    (note,) = open_samples(save_csv(tmp_path, POINTS)).notes
    assert note == "7 samples of 3 numbers: a, b, c"


@pytest.mark.parametrize(
    ("array", "values"),
    {
        "vector": (np.zeros(4), ["(N, d)", "(4,)", "(4, 1)"]),
        "empty": (np.zeros((0, 2)), ["(0, 2)"]),
        "words": (np.array([["a", "b"]]), ["floats or integers", "<U1"]),
        "not finite": (np.array([[0.0, 1.0], [np.inf, 2.0]]), ["row 1, column 0", "inf"]),
        "too large": (np.array([[1e300, 2.0]]), ["row 0, column 0", "1e+300"]),
    }.values(),
)
@pytest.mark.parametrize("form", [FORMS["array"], save_npy])
def test_other_points_are_refused(tmp_path, array, values, form):
    samples = form(tmp_path, array)
    with raises_input_error("samples" if samples is array else str(samples), *values):
        open_samples(samples)


def test_integers_are_points():
    assert read_all(open_samples(np.array([[1, 2], [3, 4]]))).tolist() == [[1.0, 2.0], [3.0, 4.0]]
