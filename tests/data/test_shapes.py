"""Images of shapes: one image for each combination of known factors."""

from dataclasses import replace

import pytest
import torch

import iidgan
from iidgan.data import Shapes
from iidgan.data.shapes import FACTORS, SHAPES
from iidgan.testing import check_source
from tests.helpers.errors import raises_input_error

DATA = Shapes(pixels=16, scales=3, rotations=4).load()
GREY = DATA.take_bytes(torch.arange(len(DATA)))[:, 0].double()
FACTOR_VALUES = dict(zip(FACTORS, DATA.factors.values.T))


def find_image(**values):
    (index,) = torch.stack([FACTOR_VALUES[k] == v for k, v in values.items()]).all(0).nonzero()
    return GREY[index.item()]


def moments(images):
    """Mean and covariance of (x, y) of the white pixels of each image."""
    weights = images / images.sum((-2, -1), keepdim=True)
    axis = torch.arange(images.shape[-1], dtype=torch.float64)
    points = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)
    mean = torch.einsum("nij,ijk->nk", weights, points)
    deviations = points - mean[:, None, None]
    return mean, torch.einsum("nij,nijk,nijl->nkl", weights, deviations, deviations)


def test_contract():
    check_source(Shapes(pixels=16, scales=2, rotations=3, size=50))


@pytest.mark.slow
def test_default_images_all_differ():
    data = Shapes().load()
    images = data.take_bytes(torch.arange(len(data)))
    assert images.shape == (3 * 6 * 10 * 16 * 16, 1, 32, 32)
    assert len({image.numpy().tobytes() for image in images}) == len(data)


def test_all_combinations_occur_once():
    assert len(DATA) == 3 * 3 * 4 * 8 * 8 == len(DATA.factors.values.unique(dim=0))
    assert DATA.factors.values.amax(0).tolist() == [2, 2, 3, 7, 7]
    assert DATA.y.equal(FACTOR_VALUES["shape"])
    assert DATA.labels == tuple(SHAPES)
    assert len(DATA.classes) == 3


def test_x_and_y_shift_by_whole_pixels():
    fixed = {"shape": 2, "scale": 2, "rotation": 1}
    corner = find_image(**fixed, x=0, y=0)
    for x, y in [(7, 0), (0, 7), (3, 5)]:
        assert find_image(**fixed, x=x, y=y).equal(corner.roll((y, x), (0, 1)))


def test_sprites_touch_no_border():
    """The largest square, turned by 45°, and the positions at both ends reach every edge."""
    border = GREY.amax(0)
    assert border.amax(1)[[0, -1]].min() > 0
    assert border.amax(0)[[0, -1]].min() > 0
    area = GREY.sum((1, 2)).view(3, 3, 4, 64)
    assert (area == area[..., :1]).all()  # no position cuts a sprite off


def test_single_scale_is_the_largest():
    single = Shapes(pixels=16, scales=1, rotations=4).load()
    assert single.x.equal(DATA.x[:, -1:])


@pytest.mark.parametrize(("shape", "area"), [(0, 2.0), (1, torch.pi / 2)])
def test_areas_are_those_of_the_shapes(shape, area):
    """A square in the unit circle, and an ellipse with semi-axes of 1 and 1/2."""
    data = Shapes(pixels=32, scales=2, rotations=3).load()
    chosen = ((data.factors.values[:, :1] == shape) & (data.factors.values[:, 3:] == 0)).all(1)
    areas = data.take_bytes(chosen.nonzero().flatten()).double().sum((1, 2, 3)) / 255
    radius = torch.tensor([17 / 4] * 3 + [17 / 2] * 3)
    torch.testing.assert_close(areas, area * radius.double() ** 2, rtol=0.03, atol=0)


def test_rotation_turns_the_axes_of_the_ellipse():
    """From the horizontal axis on, clockwise as rows go down."""
    images = [find_image(shape=1, scale=2, rotation=r, x=3, y=3) for r in range(4)]
    _, covariance = moments(torch.stack(images))
    xx, xy, yy = covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]
    angles = torch.rad2deg(torch.atan2(2 * xy, xx - yy) / 2)
    expected = 22.5 * torch.arange(4, dtype=torch.float64)
    torch.testing.assert_close(angles, expected, rtol=0, atol=1)


def test_square_and_ellipse_are_centred():
    images = torch.stack([find_image(shape=s, scale=1, rotation=1, x=0, y=2) for s in (0, 1)])
    mean, _ = moments(images)
    torch.testing.assert_close(mean[0], torch.tensor([4.0, 6.0]).double(), rtol=0, atol=0.05)
    torch.testing.assert_close(mean[1], mean[0], rtol=0, atol=0.05)


def test_heart_points_down():
    rows = find_image(shape=2, scale=2, rotation=0, x=0, y=0).sum(1)
    (used,) = rows.nonzero(as_tuple=True)
    assert rows[used[0]] > rows[used[-1]]
    heart = find_image(shape=2, scale=2, rotation=0, x=0, y=0)[:, :9]
    assert heart.equal(heart.flip(1))


def test_sample_of_a_size_is_a_random_part_of_all():
    source = Shapes(pixels=16, scales=3, rotations=4, size=200)
    data = source.load()
    assert len(data) == len(data.factors.values.unique(dim=0)) == 200
    longer = replace(source, size=300).load()
    assert longer.factors.values[:200].equal(data.factors.values)
    assert not replace(source, seed=1).load().y.equal(data.y)
    (row,) = (DATA.factors.values == data.factors.values[7]).all(1).nonzero()
    assert data.take_bytes(torch.tensor(7))[0].double().equal(GREY[row.item()])


@pytest.mark.parametrize("index", [torch.tensor(3), torch.arange(4), torch.arange(6).view(2, 3)])
def test_take_samples_shape_and_range(index):
    x = DATA.take_samples(index)
    assert x.shape == (*index.shape, 1, 16, 16)
    assert (x.min(), x.max()) == (-1, 1)
    single_samples = [DATA.take_samples(i) for i in index.flatten()]
    assert torch.stack(single_samples).reshape(x.shape).equal(x)


def test_to_moves_all_tensors():
    data = DATA.to("meta")
    assert {part.device.type for part in (data.x, data.y, data.view.factors)} == {"meta"}
    assert data.take_samples(torch.arange(3, device="meta")).shape == (3, 1, 16, 16)


def test_factors_are_part_of_the_digest():
    others = DATA.factors.values.flip(0)
    changed = replace(DATA, factors=replace(DATA.factors, values=others))
    assert changed.compute_sha256() != DATA.compute_sha256()


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({"pixels": 14}, [">= 16", "got 14"]),
        ({"scales": 0}, [">= 1", "got 0"]),
        ({"rotations": 0}, [">= 1", "got 0"]),
        ({"size": 0}, ["46080", "got 0"]),
        ({"size": 46_081}, ["46080", "got 46081", "None"]),
        ({"seed": -1}, [2**63 - 1, "got -1"]),
    ],
)
def test_shapes_refuses_invalid_field(options, values):
    (field,) = options
    with raises_input_error(field, *values):
        Shapes(**options)


def test_conditional_methods_read_the_shape():
    run = iidgan.recommended(Shapes(), "cgan")
    assert run.find_classes(run.source.load()).names == ("square", "ellipse", "heart")
