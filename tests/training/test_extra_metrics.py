"""Metrics that one training measures in addition to the registered ones."""

from dataclasses import dataclass, replace

import pytest

from iidgan.core import Metric
from iidgan.metrics import METRICS, ModeCoverage
from iidgan.records import read_records
from iidgan.training.extra_metrics import resolve_metrics
from iidgan.training.run_dir import RunDir
from tests.helpers.errors import raises_input_error
from tests.helpers.training import STEPS, stop_at, tiny_run, train_tiny


@dataclass(frozen=True, kw_only=True)
class SampleSize(Metric):
    """Mean absolute coordinate of the samples."""

    scale: float = 1.0

    def missing(self, samples):
        return None

    def protocol(self, samples):
        return {"scale": self.scale}

    def __call__(self, samples):
        return {"sample_size": self.scale * samples.generated.double().abs().flatten(1).mean(1)}


NAME = f"{__name__}:SampleSize"


def make_doubled():
    return SampleSize(scale=2.0)


def needs_argument(scale):
    return SampleSize(scale=scale)


MIXTURE_FAMILIES = ("coverage", "mode-shares", "sliced-wasserstein", "fresh-data")


def of_registered(steps):
    """The steps of each family of metrics that a mixture has without additional ones."""
    return dict.fromkeys(MIXTURE_FAMILIES, steps)


def read_steps_by_family(path):
    steps = {}
    for record in read_records(RunDir(path).metrics_file):
        steps.setdefault(record.protocol["family"], set()).add(record.step)
    return steps


@pytest.mark.usefixtures("fast_evaluation")
@pytest.mark.parametrize(
    ("metrics", "family"),
    [
        ({"size": SampleSize(scale=2.0)}, "size"),
        ([SampleSize()], NAME),
        ([NAME], NAME),
    ],
)
def test_train_measures_additional_metrics(tmp_path, completed_run, metrics, family):
    run = tiny_run()
    train_tiny(run, tmp_path, metrics=metrics, **stop_at(8))
    assert read_steps_by_family(tmp_path) == of_registered({4, 8}) | {family: {4, 8}}
    result = train_tiny(run, tmp_path, metrics=metrics)
    assert read_steps_by_family(tmp_path) == of_registered({4, 8, STEPS}) | {family: {4, 8, STEPS}}
    records = [record for record in result.records if record.metric == "sample_size"]
    assert {record.run for record in records} == {run.id}
    assert all(record.value > 0 for record in records)
    # The other records are those of a training without additional metrics.
    others = [record for record in result.records if record.metric != "sample_size"]
    expected = read_records(RunDir(completed_run(run)).metrics_file)
    assert [str(replace(r, provenance={})) for r in others] == [
        str(replace(r, provenance={})) for r in expected
    ]


@pytest.mark.usefixtures("fast_evaluation")
def test_resume_without_additional_metrics(tmp_path):
    train_tiny(tiny_run(), tmp_path, metrics=[NAME], **stop_at(8))
    train_tiny(tiny_run(), tmp_path)
    assert read_steps_by_family(tmp_path) == of_registered({4, 8, STEPS}) | {NAME: {4, 8}}


def test_resolve_metrics_by_name():
    assert resolve_metrics(None) is None
    assert resolve_metrics([]) is None
    defaults = {name: make() for name, make in METRICS.items()}
    assert resolve_metrics(["coverage"]) == defaults
    assert resolve_metrics([NAME, "coverage"]) == defaults | {NAME: SampleSize()}
    coverage = ModeCoverage()
    assert resolve_metrics([coverage])["coverage"] is coverage
    assert resolve_metrics({"own": coverage})["own"] is coverage
    assert resolve_metrics({"own": NAME})["own"] == SampleSize()


@pytest.mark.parametrize(
    ("metrics", "field", "value"),
    [
        (["coverge"], "metric", "did you mean 'coverage'"),
        (["no_such_module:Metric"], "metric", "no_such_module"),
        ({"size": "coverge"}, "metric", "did you mean 'coverage'"),
        ({"size": 3}, "metrics", "size"),
        ({"size": SampleSize}, "metrics", "size"),
        ([SampleSize], "metrics", "SampleSize'>; call it"),
        ([3], "metrics", "got 3"),
        ([f"{__name__}:NAME"], "metric", f"{__name__}:NAME"),
        ([f"{__name__}:needs_argument"], "metric", f"{__name__}:needs_argument"),
        ([SampleSize(), SampleSize(scale=2.0)], "metrics", NAME),
        (NAME, "metrics", NAME),
        (SampleSize(), "metrics", "SampleSize"),
        (5, "metrics", "5"),
    ],
)
def test_train_refuses_invalid_metrics(tmp_path, metrics, field, value):
    with raises_input_error(field, value):
        train_tiny(tiny_run(), tmp_path / "run", metrics=metrics)
    assert not (tmp_path / "run").exists()


def test_resolve_metrics_calls_factories():
    name = f"{__name__}:make_doubled"
    assert resolve_metrics([name])[name] == SampleSize(scale=2.0)


def test_finished_run_is_not_measured_again(tmp_path, completed_run):
    path, messages = completed_run(tiny_run()), []
    train_tiny(
        tiny_run(),
        path,
        metrics=[SampleSize()],
        on_progress=lambda text, record: messages.append(text),
    )
    assert any("iidgan evaluate" in message for message in messages)
