"""Mixtures in files: both formats, and files that nobody should trust."""

import json
import zipfile

import numpy as np
import pytest
import torch

from iidgan.config.run import Run
from iidgan.data import MixtureFile, array, mixture, mixture_file, resolve_source
from iidgan.data.mixture_file import is_mixture_file, read_mixture
from iidgan.errors import InputError
from iidgan.testing import check_source
from tests.helpers.errors import raises_input_error

CONTENT = {
    "centres": [[0.0, 0.0, 0.0], [3.0, 4.0, 0.0]],
    "weights": [3.0, 1.0],
    "covariances": [np.diag([1.0, 4.0, 9.0]).tolist(), (0.01 * np.eye(3)).tolist()],
}


@pytest.fixture(params=["modes.json", "modes.npz"])
def path(request, tmp_path):
    return write_mixture(tmp_path / request.param, CONTENT)


def write_mixture(path, content):
    if path.suffix == ".npz":
        np.savez(path, **content)
    else:
        path.write_text(json.dumps(content))
    return path


def test_mixture_file_is_read(path):
    truth = read_mixture(str(path))
    assert truth.centres.tolist() == CONTENT["centres"]
    assert truth.weights == (0.75, 0.25)
    covariances = truth.std**2 * truth.shapes.double() @ truth.shapes.double().mT
    assert torch.allclose(covariances, torch.tensor(CONTENT["covariances"]).double())


def test_resolve_source_of_mixture_file(path):
    source = resolve_source(str(path))
    assert source == mixture(path)
    check_source(source)
    data = source.load()
    assert (data.shape, len(data)) == ((3,), 100_000)
    assert data.y.bincount().tolist() == [75_000, 25_000]


def test_resolve_source_keeps_npz_of_points(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.ones((4, 2)))
    assert resolve_source(str(tmp_path / "x.npz")) == array(tmp_path / "x.npz")


def test_id_depends_on_content_alone(tmp_path):
    first = write_mixture(tmp_path / "a.json", CONTENT)
    second = write_mixture(tmp_path / "b.json", CONTENT)
    assert Run(source=mixture(first)).id == Run(source=mixture(second)).id
    write_mixture(second, CONTENT | {"weights": [1, 1]})
    assert Run(source=mixture(first)).id != Run(source=mixture(second)).id


def test_changed_file_is_refused(path):
    source = mixture(path)
    write_mixture(path, CONTENT | {"weights": [1, 1]})
    with raises_input_error(None, path, "changed", source.sha256):
        source.load()


def test_stds_are_isotropic_covariances(tmp_path):
    content = {"centres": [[0, 0], [1, 1]], "stds": [0.1, 0.2]}
    truth = read_mixture(str(write_mixture(tmp_path / "x.json", content)))
    assert truth.weights == ()
    stds = truth.std * truth.shapes.diagonal(dim1=-2, dim2=-1)
    assert stds.flatten().tolist() == pytest.approx([0.1, 0.1, 0.2, 0.2])


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"centres": [[0, 0]]},
        {"stds": [1]},
        {"centres": [[0, 0]], "stds": [1], "covariances": [[[1, 0], [0, 1]]]},
        {"centres": [[0, 0]], "stds": [1], "colour": 1},
        {"centres": [0, 0], "stds": [1, 1]},
        {"centres": [], "stds": []},
        {"centres": [[0, 0]], "stds": [1, 1]},
        {"centres": [[0, 0], [0]], "stds": [1, 1]},
        {"centres": [["0", "0"]], "stds": [1]},
        {"centres": [[None, 0]], "stds": [1]},
        {"centres": [[True, False]], "stds": [1]},
        {"centres": {"x": 1}, "stds": [1]},
        {"centres": [[0, float("nan")]], "stds": [1]},
        {"centres": [[0, 1e300]], "stds": [1]},
        {"centres": [[0, 10**400]], "stds": [1]},
        {"centres": [[0, 0]], "stds": [0]},
        {"centres": [[0, 0]], "stds": [-1]},
        {"centres": [[0, 1e5]], "stds": [1e-3]},
        {"centres": [[0] * 3000] * 2, "stds": [1, 1]},
        {"centres": [[0, 0], [1, 1]], "stds": [1, 1], "weights": [1, 1e-320]},
        {"centres": [[0, 0]], "stds": [1], "weights": [0]},
        {"centres": [[0, 0]], "stds": [1], "weights": [1, 1]},
        {"centres": [[0, 0], [1, 1]], "stds": [1, 1], "weights": [1, -1]},
        {"centres": [[0, 0]], "covariances": [[[1, 2], [2, 1]]]},
        {"centres": [[0, 0]], "covariances": [[[1, 0.5], [0, 1]]]},
        {"centres": [[0, 0]], "covariances": [[1, 0], [0, 1]]},
    ],
)
def test_read_mixture_refuses_content(tmp_path, content):
    path = write_mixture(tmp_path / "x.json", content)
    with pytest.raises(InputError) as caught:
        read_mixture(str(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        "{",
        "null",
        "[" * 100_000,
        "\x00",
        "\xff",
        '{"centres": [[1e999]]}',
        '{"centres": [[0]], "centres": [[1]], "stds": [1]}',
    ],
)
def test_read_mixture_refuses_text(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text, encoding="latin-1")
    with raises_input_error(None, path):
        read_mixture(str(path))


def test_read_mixture_refuses_objects(tmp_path):
    centres = np.array([[{}, {}]], dtype=object)
    np.savez(tmp_path / "x.npz", centres=centres, stds=np.ones(1), allow_pickle=True)
    with raises_input_error(None, tmp_path / "x.npz", "Python objects"):
        read_mixture(str(tmp_path / "x.npz"))


def test_read_mixture_refuses_large_files(tmp_path, monkeypatch):
    monkeypatch.setattr(mixture_file, "MAX_BYTES", 1000)
    content = {"centres": np.zeros((1000, 2)), "stds": np.ones(1000)}
    np.savez_compressed(tmp_path / "x.npz", **content)
    write_mixture(tmp_path / "x.json", {name: x.tolist() for name, x in content.items()})
    for name in ("x.npz", "x.json"):
        with raises_input_error(None, tmp_path / name, "1,000 bytes"):
            read_mixture(str(tmp_path / name))


def test_read_mixture_refuses_header_of_more_than_the_file_has(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000000000)}"
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        npy = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        archive.writestr("centres.npy", npy)
    with raises_input_error(None, tmp_path / "x.npz"):
        read_mixture(str(tmp_path / "x.npz"))


def test_missing_mixture_file(tmp_path):
    with raises_input_error(None, tmp_path / "x.json", "cannot be read"):
        resolve_source(str(tmp_path / "x.json"))
    with raises_input_error(None, "x.txt", ".json", ".npz"):
        MixtureFile(path="x.txt").load()


@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_misspelt_centres_are_named(tmp_path, suffix):
    path, content = tmp_path / f"modes.{suffix}", {"centers": [[0.0, 1.0]], "stds": [0.1]}
    if suffix == "json":
        write_mixture(path, content)
    else:
        np.savez(path, **content)
    with raises_input_error(None, path, "'centers'", "did you mean 'centres'?"):
        resolve_source(str(path)).load()


def test_archive_of_samples_is_no_mixture(tmp_path):
    for name, content in {
        "one": {"stds": np.ones((3, 2))},
        "named": {"x": np.ones((3, 2)), "stds": np.ones(3)},
    }.items():
        np.savez(tmp_path / f"{name}.npz", **content)
        assert not is_mixture_file(str(tmp_path / f"{name}.npz"))
