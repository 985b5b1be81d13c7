"""Trials, scores and the best trial of a tuning."""

from iidgan.core import Regularised
from iidgan.methods import GAN, iid_gan
from iidgan.records import failure_record
from iidgan.studies.papers import TABLES, TUNING
from iidgan.studies.train_missing import missing_runs
from iidgan.studies.tuning import (
    TUNING_SEEDS,
    TUNING_STEPS,
    TuningSpec,
    build_trials,
    scale_weights,
)
from iidgan.terms import GaussianTerm
from tests.helpers.tables import SMALL_DATASETS, SMALL_RUN, find_cell, job_keys, make_record


def small_tuning():
    return TuningSpec(
        rows={"a": SMALL_RUN}, datasets={"A": SMALL_DATASETS["A"]}, num_modes={"A": 8}
    )


def score_records(run, seed, quality, num_modes=8.0, **changes):
    return [
        make_record(run, seed, quality, **changes),
        make_record(run, seed, num_modes, metric="modes_100", **changes),
    ]


def test_build_trials_has_six_variants():
    for row_name, run in TUNING.rows.items():
        trials = build_trials(run)
        assert len({trial.id for trial in trials.values()}) == 6, row_name
        assert run in trials.values(), row_name
    assert len(TUNING.runs) == 12 * len(TUNING.rows)


def test_tuning_seeds_and_steps_unused():
    for make_spec in TABLES.values():
        table = make_spec([])
        assert max(table.num_seeds, table.quick.num_seeds) <= min(TUNING_SEEDS)
        assert all(run.steps > TUNING_STEPS for _, run in table.runs.values())


def test_scale_weights_of_every_term():
    method = iid_gan(gaussian=GaussianTerm(weight=2.0))
    terms = scale_weights(Regularised(method=method, terms=()), 3.0).base_and_terms[1]
    assert [term.weight for term in terms] == [9.0, 6.0]
    assert scale_weights(GAN(), 3.0) == GAN()


def test_tabulate_scores_diverged_is_zero():
    tuning = small_tuning()
    run = tuning.trial_runs("a", "rate 1")["A"]
    records = score_records(run, 100, 50.0, 4.0)
    records += score_records(run, 101, 90.0, diverged=7, step=10)
    cell = find_cell(tuning.tabulate_scores(records), "a", "rate 1")
    assert cell.values == (0.25, 0.0)


def test_best_trial_needs_all_trials():
    tuning = small_tuning()
    records = []
    for i, label in enumerate(build_trials(SMALL_RUN)):
        assert tuning.best_trial("a", records) is None
        run = tuning.trial_runs("a", label)["A"]
        for seed in TUNING_SEEDS:
            records += score_records(run, seed, 10.0 * (i % 5))
    assert tuning.best_trial("a", records) == list(build_trials(SMALL_RUN))[4]
    assert missing_runs(tuning, TUNING_SEEDS, records) == []


def test_best_trial_of_equals_is_unchanged():
    tuning = small_tuning()
    records = []
    for label in build_trials(SMALL_RUN):
        run = tuning.trial_runs("a", label)["A"]
        for seed in TUNING_SEEDS:
            records += score_records(run, seed, 0.0, 0.0)
    assert tuning.best_trial("a", records) == "rate 1"


def test_best_trial_after_failed_trial():
    tuning = small_tuning()
    first_label = next(iter(build_trials(SMALL_RUN)))
    records = []
    for label in build_trials(SMALL_RUN):
        run = tuning.trial_runs("a", label)["A"]
        for seed in TUNING_SEEDS:
            if label == first_label:
                records.append(failure_record(run.id, seed, "failed: out of luck"))
            else:
                records += score_records(run, seed, 10.0)
    failed_cell = find_cell(tuning.tabulate_scores(records), "a (rate 1)", first_label)
    assert failed_cell.values == (0.0, 0.0)
    assert tuning.best_trial("a", records) == "rate 1"


def test_tabulate_scores_counts_missing():
    tuning = TuningSpec(rows={"a": SMALL_RUN}, datasets=SMALL_DATASETS, num_modes={"A": 8, "B": 8})
    run = tuning.trial_runs("a", "rate 1")["A"]
    records = [record for seed in TUNING_SEEDS for record in score_records(run, seed, 50.0)]
    cell = find_cell(tuning.tabulate_scores(records), "a", "rate 1")
    assert (cell.status, cell.n, cell.missing) == ("missing", 2, 2)
    assert cell.seeds == TUNING_SEEDS


def test_missing_runs_repeats_failed_trials():
    tuning = small_tuning()
    run = tuning.trial_runs("a", "rate 1")["A"]
    failed = [failure_record(run.id, seed, "failed: out of luck") for seed in TUNING_SEEDS]
    assert (run.id, TUNING_SEEDS) in job_keys(missing_runs(tuning, TUNING_SEEDS, failed))


def test_tuning_spec_has_table_rows():
    assert {"GAN", "VEEGAN", "IID-GAN (M-D)", "MSGAN", "R3GAN"} <= set(TUNING.rows)
