"""A random part of a set of images."""

import pytest
import torch

from iidgan.config.run import Run
from iidgan.data import Mnist5k, Ring, Subset
from iidgan.testing import check_source
from tests.helpers.errors import raises_input_error


def test_subset_has_images_and_labels_of_its_source():
    data, whole = Subset(source=Mnist5k(), num=50).load(), Mnist5k().load()
    assert data.x.shape == (50, 1, 28, 28)
    for image, label in zip(data.x[:5], data.y[:5]):
        (position,) = (whole.x == image).flatten(1).all(1).nonzero()[:1].flatten()
        assert whole.y[position] == label


def test_choice_depends_on_its_seed_alone():
    first, again, other = (
        Subset(source=Mnist5k(), num=50, seed=seed).load().x for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_whole_of_a_part_and_of_other_sources():
    assert Subset(source=Mnist5k()).whole == Mnist5k()
    assert Ring().whole == Ring()


def test_run_on_a_subset_survives_json():
    run = Run(source=Subset(source=Mnist5k(), num=50))
    assert Run.from_dict(run.to_dict()) == run
    assert run.id != Run(source=Mnist5k()).id


def test_check_source_of_a_subset():
    check_source(Subset(source=Mnist5k(), num=50))


@pytest.mark.parametrize(
    ("field", "options", "value"),
    [("num", {"num": 0}, 0), ("source", {"source": Ring()}, "Ring")],
)
def test_options_out_of_range(field, options, value):
    with raises_input_error(field, value):
        Subset(**options)


def test_more_images_than_the_source_has():
    with raises_input_error("num", "4,000", "4,001"):
        Subset(source=Mnist5k(), num=4_001).load()
