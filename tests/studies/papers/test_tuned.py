"""The table of the best trials."""

from dataclasses import replace

from iidgan.data import Grid
from iidgan.studies.papers import TUNING
from iidgan.studies.papers.tuned import build_tuned_table
from iidgan.studies.tuning import TUNING_SEEDS, build_trials
from tests.helpers.tables import make_record


def test_build_tuned_table_at_full_length():
    trials = build_trials(TUNING.rows["GAN"])
    best_label = next(iter(trials))
    records = []
    for label in trials:
        for run in TUNING.trial_runs("GAN", label).values():
            for seed in TUNING_SEEDS:
                quality = 90.0 if label == best_label else 10.0
                records += [
                    make_record(run, seed, quality),
                    make_record(run, seed, 8.0, metric="modes_100"),
                ]
    (group,) = build_tuned_table(records).row_groups
    untuned_name, tuned_name = group.rows
    assert (untuned_name, tuned_name) == ("GAN", f"GAN ({best_label})")
    assert group.get_run(untuned_name, "Ring") == TUNING.rows["GAN"]
    assert group.get_run(tuned_name, "Grid") == replace(trials[best_label], source=Grid())
