"""`check_source` finds sources that break one contract each."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from iidgan.core import Dataset, Factors, GaussianMixture, Source
from iidgan.data import Grid, Ring, TwoGaussians, array
from iidgan.testing import check_source
from tests.helpers.errors import assert_mentions


@dataclass(frozen=True, kw_only=True)
class Points(Source):
    """Four points with two labels, in ways that are right or wrong."""

    wrong: str = ""

    def load(self):
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(4, 2, generator=generator)
        dataset = Dataset(x, torch.arange(4) % 2, GaussianMixture(x, 0.1), labels=("a", "b"))
        if self.wrong == "reseeding":
            torch.manual_seed(0)
        if self.wrong == "tensor":
            return x
        fields = {
            "unseeded": {"x": torch.from_numpy(np.random.default_rng().random((4, 2), "f"))},
            "empty": {"x": x[:0]},
            "double": {"x": x.double()},
            "images": {"x": torch.zeros(4, 1, 8, 8, dtype=torch.uint8)},
            "cube": {"x": x[:, None]},
            "infinite": {"x": x / 0},
            "unlabelled": {"y": None},
            "float labels": {"y": torch.zeros(4)},
            "few labels": {"y": torch.zeros(3, dtype=torch.int64)},
            "negative": {"y": torch.full((4,), -1)},
            "unnamed": {"y": torch.full((4,), 2)},
            "few factors": {"factors": Factors(("a",), torch.zeros(4, 2, dtype=torch.int64))},
            "negative factor": {"factors": Factors(("a",), torch.full((4, 1), -1))},
            "truth": {"truth": GaussianMixture(torch.zeros(8, 3), 0.1)},
            "weights": {"truth": GaussianMixture(x, 0.1, (0.5, 0.5, 0.5, -0.5))},
        }
        return replace(dataset, **fields.get(self.wrong, {}))


@dataclass(frozen=True, kw_only=True)
class Listed(Points):
    """Has a field that JSON does not keep."""

    numbers: frozenset = frozenset()


@pytest.mark.parametrize("source", [Points(), Ring(size=80), Grid(size=50), TwoGaussians(size=50)])
def test_check_source_accepts_source(source):
    check_source(source)


def test_check_source_accepts_file(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((5, 3)))
    check_source(array(tmp_path / "x.npy"))


@pytest.mark.parametrize(
    ("wrong", "values"),
    [
        ("unseeded", ("Points.load", "second call", "seed")),
        ("reseeding", ("Points.load", "random state", "Generator")),
        ("tensor", ("Points.load", "Dataset")),
        ("empty", ("Points", "no samples")),
        ("double", (torch.float64, "float32")),
        ("images", (torch.uint8, "has_images")),
        ("cube", ((1, 2), "(d,)")),
        ("infinite", ("not finite",)),
        ("unlabelled", ("labels", "y")),
        ("float labels", (torch.float32, "int64", (4,))),
        ("few labels", ((3,), (4,))),
        ("negative", (">= 0", -1)),
        ("unnamed", ("names 2 labels", "label 2")),
        ("few factors", ((4, 2), (4, 1), "int64")),
        ("negative factor", ("factors", ">= 0", -1)),
        ("truth", ((8, 3), "(K, 2)")),
        ("weights", ("-0.5", "4 positive", "sum 1")),
    ],
)
def test_check_source_finds_broken_contract(wrong, values):
    with pytest.raises(AssertionError) as error:
        check_source(Points(wrong=wrong))
    assert_mentions(error, *values)


def test_check_source_requires_json():
    with pytest.raises(AssertionError) as error:
        check_source(Listed())
    assert_mentions(error, "Listed", "JSON")


@pytest.mark.parametrize("given", [Source, 3])
def test_check_source_names_what_was_given(given):
    with pytest.raises(AssertionError) as error:
        check_source(given)
    assert_mentions(error, "source: must be a Source, got", given)
