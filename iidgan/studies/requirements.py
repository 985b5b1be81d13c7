"""What runs need before they can be trained and measured, and where it is to be had."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from iidgan.config.run import Run
from iidgan.core import Source
from iidgan.data import Prepared
from iidgan.data.manifest import data_home
from iidgan.data.prepare import DATASETS
from iidgan.data.prepared_source import is_prepared
from iidgan.errors import InputError
from iidgan.evaluation.classifier.store import require_classifier
from iidgan.evaluation.feature_metrics import check_suited
from iidgan.features import create_extractor
from iidgan.studies.columns import SCORES, ScoreColumn
from iidgan.studies.measure_scores import ScoreJob
from iidgan.studies.table_spec import TableSpec
from iidgan.studies.train_missing import TrainingJob

Check = tuple[Callable[..., None], tuple[Source] | tuple[str, str]]
"""A function that raises an `InputError` if something is missing, and its arguments."""


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What a table or a figure needs besides time.

    Arguments:
        sources: Sources of images.
        labelled: Those of them that need labels, for conditional methods.
        classified: Sources whose classifier is needed.
        scores: Scores on features, as names of an extractor and of a metric.

    Examples:
        >>> from iidgan.data import Prepared
        >>> requirements = Requirements(sources=(Prepared(name="stl10", root="data"),))
        >>> requirements.list_missing()
        ['stl10: not prepared in data; get http://ai.stanford.edu/~acoates/stl10/..., and run ...']
    """

    sources: tuple[Source, ...] = ()
    labelled: tuple[Source, ...] = ()
    classified: tuple[Source, ...] = ()
    scores: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_jobs(
        cls, training_jobs: Sequence[TrainingJob], score_jobs: Sequence[ScoreJob]
    ) -> Requirements:
        """Collect what jobs need.

        Arguments:
            training_jobs: Runs to train.
            score_jobs: Scores to measure.
        """
        runs = [*(job.run for job in training_jobs), *(job.run for job in score_jobs)]
        return cls(
            sources=_unique(run.source for run in runs if run.source.has_images),
            labelled=_list_labelled(runs),
            classified=_unique(job.run.source for job in training_jobs if job.needs_classifier),
            scores=_list_scores(column for job in score_jobs for column in job.columns),
        )

    @classmethod
    def of_table(cls, spec: TableSpec) -> Requirements:
        """Collect what all runs of a table need.

        Arguments:
            spec: The table.
        """
        runs = [run for _, run in spec.runs.values()]
        return cls(
            sources=_unique(run.source for run in runs if run.source.has_images),
            labelled=_list_labelled(runs),
            classified=_unique(run.source for run in runs if spec.required_metrics[run.id]),
            scores=_list_scores(
                column for columns in spec.required_scores.values() for column in columns
            ),
        )

    def list_missing(self, results: dict[Check, str] | None = None) -> list[str]:
        """Return what is missing and how to get it, one line each.

        Arguments:
            results: Results of checks, which are not repeated; those of new ones are added.
        """
        results = {} if results is None else results
        checks: list[Check] = [
            *(
                (_check_labels if source in self.labelled else _check_source, (source,))
                for source in self.sources
            ),
            *((require_classifier, (source,)) for source in self.classified),
            *((_check_score, score) for score in self.scores),
        ]
        for check in checks:
            if check not in results:
                results[check] = _run_check(check)
        return list(dict.fromkeys(results[check] for check in checks if results[check]))


def _run_check(check: Check) -> str:
    """Return what a check says is missing; empty if nothing is."""
    function, arguments = check
    try:
        function(*arguments)
    except InputError as error:
        return " ".join(str(error).split())
    return ""


def _unique(sources: Iterable[Source]) -> tuple[Source, ...]:
    return tuple(dict.fromkeys(sources))


def _list_labelled(runs: Iterable[Run]) -> tuple[Source, ...]:
    """List the sources of images that conditional methods are trained on."""
    return _unique(run.source for run in runs if run.source.has_images and run.method.conditioning)


def _list_scores(columns: Iterable[ScoreColumn]) -> tuple[tuple[str, str], ...]:
    return tuple(
        dict.fromkeys((column.features, SCORES[column.score].metric) for column in columns)
    )


def _check_source(source: Source) -> None:
    """Check that the images of a source can be read.

    Raises:
        InputError: They cannot.
    """
    if isinstance(source, Prepared) and not is_prepared(source.name, source.root):
        folder = source.root or data_home()
        raise InputError(
            f"{source.name}: not prepared in {folder}; {describe_acquisition(source.name)}"
        )
    source.load()


def _check_labels(source: Source) -> None:
    """Check that the images of a source can be read and have labels.

    Raises:
        InputError: They cannot, or they have none.
    """
    _check_source(source)
    if source.load().y is None:
        name = source.classifier_source
        raise InputError(
            f"{name}: prepared without labels, which conditional methods need; remove its folder, "
            f"and {describe_acquisition(name)}"
        )


def describe_acquisition(name: str) -> str:
    """Describe how to get and prepare a data set.

    Arguments:
        name: Its name.

    Examples:
        >>> describe_acquisition("my-cats")
        'run `iidgan prepare my-cats --from PATH`'
    """
    info, command = DATASETS.get(name), f"run `iidgan prepare {name} --from PATH`"
    if info is None:
        return command
    hub = ", or with `--from hub`" if info.hub_id else ""
    return f"get {info.download_hint}, and {command}{hub}"


def _check_score(features: str, metric: str) -> None:
    """Check that an extractor can be created, and suffices for a metric.

    Raises:
        InputError: It cannot, or it does not.
    """
    extractor = create_extractor(features)
    check_suited([metric], features, extractor.head)
