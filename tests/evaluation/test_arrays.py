"""Arrays for figures: reading, and seeds of several processes."""

import numpy as np
import pytest

from iidgan.config.run import Run
from iidgan.core import Samples
from iidgan.data import Mixture, Moons
from iidgan.evaluation.arrays import load_arrays, merge_seeds, save_arrays, to_arrays
from iidgan.evaluation.evaluate import EvaluationPoint
from iidgan.figures.run import make_latent_panel
from iidgan.report import plot_generated
from tests.helpers.errors import raises_input_error


def test_load_arrays_of_damaged_file(tmp_path):
    path = tmp_path / "arrays.npz"
    with raises_input_error("run", tmp_path):
        load_arrays(path)
    path.write_bytes(b"PK no archive")
    with raises_input_error(str(path)):
        load_arrays(path)


WHOLE_ARRAYS = {
    "generated": np.zeros((1, 5, 2)),
    "real": np.zeros((5, 2)),
    "z": np.zeros((1, 5, 2)),
    "seeds": np.array([0]),
    "step": np.array([12]),
}


@pytest.mark.parametrize(
    "change",
    [
        {"generated": np.zeros((2, 5, 2))},
        {"generated": np.zeros((1, 5, 3))},
        {"real": np.array(1.0)},
        {"real": np.full((5, 2), "a")},
        {"z": np.zeros(5)},
        {"seeds": np.array(0)},
        {"centres": np.zeros((8, 2))},
        {"generated": None},
        {"real": None},
    ],
)
def test_load_arrays_of_other_shapes(tmp_path, change):
    path = tmp_path / "arrays.npz"
    arrays = {name: v for name, v in (WHOLE_ARRAYS | change).items() if v is not None}
    np.savez(path, **arrays)
    with raises_input_error(str(path), "damaged"):
        load_arrays(path)


def make_arrays(seeds, step):
    """Samples whose values are seed and step."""
    values = np.stack([np.full((5, 2), [seed, step], float) for seed in seeds])
    return {
        "generated": values,
        "real": np.zeros((5, 2)),
        "z": values,
        "seeds": np.array(seeds),
        "step": np.full(len(seeds), step),
    }


def test_load_arrays_inverts_save_arrays(tmp_path):
    arrays = make_arrays([3, 1], 7)
    save_arrays(tmp_path / "arrays.npz", arrays)
    loaded = load_arrays(tmp_path / "arrays.npz")
    assert loaded.keys() == arrays.keys()
    for name in arrays:
        np.testing.assert_array_equal(loaded[name], arrays[name])


def test_load_arrays_with_one_step_for_all_seeds(tmp_path):
    save_arrays(tmp_path / "arrays.npz", make_arrays([3, 1], 7) | {"step": np.array(7)})
    assert load_arrays(tmp_path / "arrays.npz")["step"].tolist() == [7, 7]


def test_merge_seeds_in_order():
    older, newer = make_arrays([3, 1], 7), make_arrays([1, 2], 9)
    merged = merge_seeds(older, newer, (1, 5, 2, 3))
    assert merged["seeds"].tolist() == [1, 2, 3]
    assert merged["step"].tolist() == [9, 9, 7]
    assert merged["generated"][:, 0].tolist() == [[1, 9], [2, 9], [3, 7]]
    assert merged["real"] is newer["real"]


def test_merge_seeds_refuses_other_arrays():
    other = {name: values for name, values in make_arrays([0], 1).items() if name != "z"}
    with pytest.raises(KeyError):
        merge_seeds(other, make_arrays([1], 1), (0, 1))
    with pytest.raises(ValueError, match="shape"):
        merge_seeds(other | {"z": np.zeros((1, 6, 2))}, make_arrays([1], 1), (0, 1))


def arrays_of_own_samples(source):
    """Arrays of a run whose samples are the data themselves."""
    data = source.load()
    samples = Samples(data.x[None], data.x, z=data.x[None], truth=data.truth)
    return to_arrays(samples, EvaluationPoint(Run(source=source), [0], [12], [-1]))


def test_to_arrays_of_modes_of_unequal_widths():
    source = Mixture(modes=3, std=(0.01, 0.3), size=600)
    arrays = arrays_of_own_samples(source)
    assert np.isnan(arrays["std"])
    modes = arrays["real_modes"]
    assert np.mean(modes == source.load().y.numpy()) > 0.95  # good ones, of wide modes, too
    (panel_note,) = plot_generated([make_latent_panel(arrays, "x", 0)]).legends
    labels = [text.get_text() for text in panel_note.get_texts()]
    assert "bad: over 3 std from every centre" in labels


def test_to_arrays_without_modes():
    assert arrays_of_own_samples(Moons(size=50)).keys() == {
        *("generated", "real", "z", "seeds", "step")
    }
