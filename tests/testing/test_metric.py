"""`check_metric` finds metrics that break one contract each."""

from dataclasses import dataclass

import pytest
import torch

from iidgan.core import Metric
from iidgan.functional.reduce import mean_per_seed
from iidgan.testing import check_metric
from tests.helpers.errors import assert_mentions


@dataclass(frozen=True, kw_only=True)
class Size(Metric):
    """The mean square of the codes, in ways that are right or wrong."""

    wrong: str = ""

    def missing(self, samples):
        if self.wrong == "demanding":
            return "a moon"
        if samples.codes is None:
            return " " if self.wrong == "silent" else "codes"
        return None

    def protocol(self, samples):
        return {"num": samples.codes if self.wrong == "rich" else samples.codes.shape[1]}

    def __call__(self, samples):
        value = mean_per_seed(samples.codes.double().square())
        if self.wrong == "inplace":
            samples.codes.mul_(2)
        if self.wrong == "unseeded":
            value = value + torch.rand(len(value))
        wrongs = {"float32": value.float(), "scalar": value.mean(), "mixing": value / value.mean()}
        name = "mean square" if self.wrong == "misnamed" else "size"
        return {} if self.wrong == "empty" else {name: wrongs.get(self.wrong, value)}


def test_check_metric_accepts_metric():
    check_metric(Size())


@pytest.mark.parametrize(
    ("wrong", "values"),
    [
        ("demanding", ("Size", "a moon")),
        ("silent", ("Size.missing", "' '")),
        ("rich", ("Size", "protocol", "strings")),
        ("inplace", ("Size", "changes", "samples")),
        ("unseeded", ("Size", "random state")),
        ("float32", ("'size'", torch.float32, (3,), "cpu", "float64")),
        ("scalar", ("'size'", torch.float64, "shape ()", "cpu", (3,))),
        ("mixing", ("Size", "mixes seeds")),
        ("misnamed", ("'mean square'", "name")),
        ("empty", ("Size", "measures nothing")),
    ],
)
def test_check_metric_finds_broken_contract(wrong, values):
    with pytest.raises(AssertionError) as error:
        check_metric(Size(wrong=wrong))
    assert_mentions(error, *values)


@pytest.mark.parametrize("given", [Metric, 3])
def test_check_metric_names_what_was_given(given):
    with pytest.raises(AssertionError) as error:
        check_metric(given)
    assert_mentions(error, "metric: must be a Metric, got", given)
