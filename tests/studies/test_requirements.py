"""What tables need before they can be trained."""

from iidgan.config.run import Run
from iidgan.data import Mnist, Prepared, Ring
from iidgan.methods import cgan
from iidgan.studies.measure_scores import missing_scores
from iidgan.studies.requirements import Requirements, describe_acquisition
from iidgan.studies.train_missing import TrainingJob, missing_runs
from tests.helpers.classifiers import make_image_run
from tests.helpers.score_tables import SOURCE, make_score_table
from tests.helpers.tables import make_table


def test_requirements_of_points_are_none():
    table = make_table()
    assert Requirements.of_table(table).list_missing() == []
    jobs = missing_runs(table, range(2), [])
    assert Requirements.of_jobs(jobs, []).list_missing() == []


def test_requirements_of_scores(tmp_path, monkeypatch):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path))
    jobs = missing_scores(make_score_table(), range(1), [])
    requirements = Requirements.of_jobs([], jobs)
    assert requirements == Requirements(sources=(SOURCE,), scores=(("pixels", "fd"),))
    assert requirements == Requirements.of_table(make_score_table())
    (line,) = requirements.list_missing()
    assert line.startswith(f"tiles: not prepared in {tmp_path}; run `iidgan prepare tiles --from ")


def test_requirements_of_prepared_data(tiles):
    assert Requirements.of_table(make_score_table()).list_missing() == []
    source = Prepared(name="tiles", expected_size=16)
    (line,) = Requirements(sources=(source,)).list_missing()
    for words in ("8 x 8", "16 x 16", "iidgan prepare tiles --size 16"):
        assert words in line


def test_requirements_of_conditional_methods(tiles):
    """The tiles have no labels."""
    source = Prepared(name="tiles")
    jobs = [TrainingJob("CGAN", Run(source=source, method=cgan()), (0,), needs_classifier=False)]
    requirements = Requirements.of_jobs(jobs, [])
    assert requirements.labelled == (source,)
    (line,) = requirements.list_missing()
    assert line.startswith("tiles: prepared without labels")
    assert line.endswith("run `iidgan prepare tiles --from PATH`")


def test_requirements_list_all(tmp_path, monkeypatch):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path))
    requirements = Requirements(
        sources=(Prepared(name="cifar10"), Prepared(name="stl10-64")),
        classified=(Mnist(),),
        scores=(("pixels", "is"), ("nets:Missing", "fd")),
    )
    first, second, *others = requirements.list_missing()
    assert "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz" in first
    assert first.endswith("`iidgan prepare cifar10 --from PATH`, or with `--from hub`")
    assert second.endswith("stl10_binary.tar.gz, and run `iidgan prepare stl10-64 --from PATH`")
    classifier, score, extractor = others
    assert "`iidgan prepare mnist-classifier`" in classifier
    assert score.startswith("metrics: is needs predicted classes")
    assert "nets:Missing" in extractor


def test_requirements_checks_once(tmp_path, monkeypatch):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path))
    results = {}
    requirements = Requirements(sources=(Prepared(name="a"), Prepared(name="b")))
    lines = requirements.list_missing(results)
    assert list(results.values()) == lines
    for check in results:
        results[check] = ""
    assert requirements.list_missing(results) == []


def test_requirements_of_classified_runs(mnist_root):
    run = make_image_run()
    assert Requirements(classified=(Ring(), run.source)).list_missing() != []


def test_describe_acquisition_of_own_images():
    assert describe_acquisition("cats") == "run `iidgan prepare cats --from PATH`"
