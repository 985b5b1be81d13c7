"""What a page may ask of runs."""

import numpy as np
import pytest
import torch

import iidgan
from iidgan.explorer.session import MAX_CODES, ExplorerSession, find_nearest
from iidgan.explorer.wire import encode_json
from iidgan.latent import invert as invert_samples
from iidgan.latent import refine, sefa_directions
from iidgan.sample_sets import open_data, open_run_data
from iidgan.training.run_dir import RunDir
from tests.explorer.test_pictures import encode_picture
from tests.helpers.errors import raises_input_error
from tests.helpers.training import snapshot_files

pytestmark = pytest.mark.slow

POINTS = {"run": "0", "seed": 1, "step": 8}
IMAGES = {"run": "1", "seed": 0, "step": 2}


def to_array(values, dtype=np.float32):
    return np.asarray(values, dtype).flatten()


def picture_bytes(pixels):
    return np.frombuffer(encode_picture(pixels), np.uint8)


def test_runs_are_described(session, point_run, image_run):
    points, images = session.answer("describe", {})["runs"]
    assert points["name"] == str(point_run)
    assert points["method"] == "gan with cycle, gaussian"
    assert (points["kind"], points["shape"], points["latent"]) == ("points", [2], 2)
    assert points["classes"] == []
    assert points["seeds"] == [
        {"seed": seed, "steps": [4, 8, 12], "diverged": None} for seed in (0, 1)
    ]
    assert images["method"].startswith("conditional gan with")
    assert (images["kind"], images["shape"], images["latent"]) == ("images", [1, 8, 8], 4)
    assert len(images["classes"]) == 2
    assert images["canInvert"]


def test_generated_points_are_those_of_the_model(session, point_run):
    z = torch.randn(5, 2)
    answer = session.answer("generate", POINTS | {"codes": to_array(z), "count": 5})
    model = iidgan.load(RunDir(point_run).past_networks_dir(1, 8), 1)
    np.testing.assert_array_equal(answer, model.generate(z))


def test_generated_images_are_those_of_the_model(session, image_run):
    model = iidgan.load(image_run)
    codes = model.sample_prior(3)
    answer = session.answer("generate", IMAGES | {"codes": to_array(codes), "count": 3})
    assert answer.shape == (3, 8, 8, 1)
    expected = (model.generate(codes) + 1) * 127.5
    assert np.abs(answer[..., 0] - expected[:, 0].numpy()).max() <= 0.5 + 1e-4


def test_directions_have_length_one(session, image_run):
    directions = session.answer("directions", IMAGES)
    assert [direction["name"] for direction in directions] == [f"SeFa {i}" for i in (1, 2, 3, 4)]
    vectors = np.stack([direction["vector"] for direction in directions])
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(4), atol=1e-5)
    model = iidgan.load(image_run)
    expected, _ = sefa_directions(iidgan.latent.read_input_matrix(model), 4)
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_directions_towards_classes_need_labels_and_an_inverse(session):
    names = [direction["name"] for direction in session.answer("directions", POINTS)]
    assert names == ["SeFa 1", "SeFa 2", *(f"towards class {mode}" for mode in range(8))]


def test_inverse_is_that_of_the_model(session, image_run):
    pixels = np.random.default_rng(1).integers(256, size=(8, 8), dtype=np.uint8)
    question = IMAGES | {"sample": picture_bytes(pixels), "label": None, "refine": 3}
    answer = session.answer("invert", question)
    np.testing.assert_array_equal(answer["input"][0, ..., 0], pixels)
    model = iidgan.load(image_run)
    expected = invert_samples(model, pixels[None, None])
    first, refined = answer["stages"]
    np.testing.assert_allclose(first["code"], torch.cat([expected.z, expected.c], 1)[0])
    assert first["error"] == pytest.approx(expected.errors.item())
    assert first["quantile"] == pytest.approx(expected.radius_quantiles.item())
    assert refined["error"] == pytest.approx(refine(model, expected, 3).errors.item())
    assert refined["error"] <= first["error"]


def test_class_of_an_inverse_can_be_named(session):
    sample = picture_bytes(np.zeros((8, 8), np.uint8))
    answer = session.answer("invert", IMAGES | {"sample": sample, "label": 1, "refine": 0})
    assert answer["stages"][0]["code"][4:].tolist() == [0, 1]


def test_points_are_inverted(session):
    question = POINTS | {"sample": to_array([1.0, 0.5]), "refine": 0}
    (stage,) = session.answer("invert", question)["stages"]
    assert stage["code"].shape == (2,)


def test_image_of_the_data_is_its_own_neighbour(session, image_run):
    data = open_run_data(image_run)
    sample = picture_bytes(data.take([7])[0, 0].numpy())
    nearest, *others = session.answer("neighbours", IMAGES | {"sample": sample})
    assert nearest["distance"] == 0
    assert nearest["label"] == data.label_names[data.labels[7]]
    np.testing.assert_array_equal(nearest["values"][0, ..., 0], data.take([7])[0, 0])
    distances = [neighbour["distance"] for neighbour in others]
    assert distances == sorted(distances)


def test_nearest_samples_by_hand():
    data = open_data(torch.tensor([[0.0, 0.0], [3.0, 4.0], [1.0, 0.0]]))
    positions, distances = find_nearest(data, torch.tensor([[0.0, 0.0]]))
    assert positions == [0, 2, 1]
    assert distances == pytest.approx([0, 0.5**0.5, 12.5**0.5])


def test_plane_is_of_points_alone(session):
    assert session.answer("plane", IMAGES) is None
    plane = session.answer("plane", POINTS)
    assert len(plane["modes"]) == 8
    assert plane["codes"].shape == (200, 2)


@pytest.mark.parametrize("name", ["describe", "directions", "plane", "history"])
@pytest.mark.parametrize("place", [POINTS, IMAGES])
def test_answers_can_be_sent(session, name, place):
    assert encode_json(session.answer(name, place))


def test_asking_changes_no_file(session, point_run):
    before = snapshot_files(point_run)
    for name in ("describe", "directions", "plane", "history"):
        session.answer(name, POINTS)
    assert snapshot_files(point_run) == before


CODES = to_array(np.zeros(2))


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("no-such-question", {}, "question"),
        ("generate", {"run": "2"}, "run"),
        ("generate", {"run": 0}, "run"),
        ("generate", {"seed": 2}, "step"),
        ("generate", {"seed": -1}, "seed"),
        ("generate", {"seed": True}, "seed"),
        ("generate", {"step": "8"}, "step"),
        ("generate", {"step": 5}, "step"),
        ("generate", {"count": 0}, "count"),
        ("generate", {"count": MAX_CODES + 1}, "count"),
        ("generate", {"count": 2}, "codes"),
        ("generate", {"codes": [0.0, 0.0]}, "codes"),
        ("generate", {"codes": to_array([np.inf, 0])}, "codes"),
        ("invert", {"sample": CODES, "refine": 1001}, "refine"),
        ("invert", {"sample": CODES, "refine": 0.5}, "refine"),
        ("invert", {"sample": to_array([1.0]), "refine": 0}, "sample"),
        ("invert", {**IMAGES, "sample": CODES, "refine": 0}, "sample"),
        ("invert", {**IMAGES, "sample": to_array(range(9), np.uint8), "refine": 0}, "picture"),
        ("neighbours", {}, "sample"),
    ],
)
def test_invalid_questions_are_refused(session, name, changes, field):
    with raises_input_error(field):
        session.answer(name, POINTS | {"codes": CODES, "count": 1} | changes)


def test_missing_run_is_an_early_error(tmp_path):
    with raises_input_error("run", "does not exist"):
        ExplorerSession([tmp_path / "none"])
    with raises_input_error("run", tmp_path):
        ExplorerSession([tmp_path])
