"""Colours, limits and files of figures."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from iidgan.report import (
    get_mode_colours,
    make_image_grid,
    plot_qq,
    save_figure,
)
from iidgan.report.style import BAD, symmetric_limit
from tests.helpers.errors import raises_input_error
from tests.helpers.report import make_qq


def oklab(colours, deficiency):
    """Converts sRGB to OKLab as seen with a deficiency (a matrix on linear RGB)."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(deficiency).T, 0, 1)
    cones = [[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]]
    axes = [
        [0.21045, 0.79362, -0.00407],
        [1.97800, -2.42859, 0.45059],
        [0.02590, 0.78277, -0.80868],
    ]
    return np.cbrt(seen @ np.array(cones).T) @ np.array(axes).T


SIGHT = {
    "normal": np.eye(3),
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
}


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("count", [8, 25, 30])
def test_mode_colours_differ_for_all_vision(count, sight):
    grey = [int(BAD[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    lab = oklab(np.array([*get_mode_colours(count), grey, [1, 1, 1]]), SIGHT[sight])
    apart = [np.linalg.norm(a - b) for a, b in combinations(lab, 2)]
    assert min(apart) > 0.055


@pytest.mark.parametrize("sight", SIGHT)
def test_mode_colours_of_neighbours_differ(sight):
    lab = oklab(np.array(get_mode_colours(25)), SIGHT[sight]).reshape(5, 5, 3)
    for axis in (0, 1):
        assert np.linalg.norm(np.diff(lab, axis=axis), axis=-1).min() > 0.15


def test_mode_colours_repeat():
    assert len(get_mode_colours(100)) == 100
    assert get_mode_colours(100)[30] == get_mode_colours(100)[0]
    assert get_mode_colours(0) == []


def test_symmetric_limit_ignores_one_percent():
    values = np.zeros(1000)
    values[:5] = 50.0
    assert symmetric_limit(values, 3.5) == 3.5
    values[:50] = 50.0
    assert symmetric_limit(values, 3.5) == 50.0
    assert symmetric_limit(np.full(3, np.nan), 3.5) == 3.5


@pytest.mark.parametrize("picture", ["figure", "image"])
def test_save_figure_reproduces_bytes(tmp_path, picture):
    def make():
        figure = picture == "figure"
        return plot_qq([make_qq()]) if figure else make_image_grid(np.zeros((4, 1, 8, 8)))

    first, second = (save_figure(make(), tmp_path / name) for name in ("a.png", "b.png"))
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as read:
        read.load()
        assert read.format == "PNG"
        assert min(read.size) > 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_save_figure_resolution(tmp_path):
    figure = plot_qq([make_qq()])
    with Image.open(save_figure(figure, tmp_path / "a.png")) as read:
        assert read.size == tuple(int(150 * side) for side in figure.get_size_inches())


def test_save_figure_keeps_file_on_error(tmp_path, monkeypatch):
    def fail(self, file, **options):
        file.write_bytes(b"half a")
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    monkeypatch.setattr(Figure, "savefig", fail)
    with raises_input_error(None, "No space left on device"):
        save_figure(Figure(), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]
    assert path.read_bytes() == b"old"


def test_save_figure_creates_folder(tmp_path):
    path = save_figure(Figure(), tmp_path / "new" / "a.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    with raises_input_error(None, "a.png"):
        save_figure(Figure(), path / "b.png")
