"""Tables as data: what is trained, what is kept, what a cell says; and the tuning budget."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from iidgan.config.run import Run
from iidgan.core import Regularised
from iidgan.data import Grid, Ring
from iidgan.engine.loop import Stop
from iidgan.errors import InputError
from iidgan.methods import GAN, iid_gan
from iidgan.nn import MLP
from iidgan.records import Row, append, failure, read
from iidgan.report import render
from iidgan.studies.papers import PICTURES, STUDIES, SWEEP
from iidgan.studies.papers.digits import PICTURES_OF_DIGITS
from iidgan.studies.papers.tuned import tuned
from iidgan.studies.table_spec import Block, Change, Column, Quick, Study
from iidgan.studies.tabulate import tabulate
from iidgan.studies.train_missing import Place, fill, lacking
from iidgan.studies.tuning import SEEDS, STEPS, Sweep, scaled, trials
from iidgan.terms import GaussianConsistency
from iidgan.utils.locks import locked

SMALL = Run(arch=MLP(hidden=(8,)), steps=4, batch=16)
DATA = {"A": Ring(size=400), "B": Ring(size=400, std=0.1)}


def study(**changes):
    block = Block(
        title="small",
        data=DATA,
        rows={
            "plain": SMALL,
            "ours": replace(SMALL, method=iid_gan()),
            "gain": Change(after="ours", before="plain"),
        },
        published={("plain", "A quality"): (50.0, 1.0)},
    )
    columns = {f"{data} quality": Column(metric="quality", data=data) for data in DATA}
    return replace(
        Study(title="t", blocks=(block,), columns=columns, seeds=2, quick=Quick(steps=2)),
        **changes,
    )


def row(run, seed, value, **changes):
    made = Row(
        run=run.id,
        seed=seed,
        step=run.steps,
        metric="quality",
        value=value,
        diverged=-1,
        protocol={},
        provenance={},
    )
    return replace(made, **changes)


def rows_of(made, run, data, values):
    return [row(made.blocks[0].run(run, data), seed, value) for seed, value in enumerate(values)]


def cell(table, name, heading):
    return next(c for c in table.cells if (c.row, c.column) == (name, heading))


def wanted(trainings):
    return [(training.run.id, training.seeds) for training in trainings]


def place(path):
    return Place(results=path / "results", runs=path / "runs", workers=2)


class TestCells:
    def test_are_missing_before_there_is_a_row(self):
        assert {c.status for c in tabulate(study(), []).cells} == {"missing"}

    def test_hold_mean_and_published_value_and_block(self):
        made = study()
        found = cell(tabulate(made, rows_of(made, "plain", "A", [1.0, 4.0])), "plain", "A quality")
        assert (found.mean, found.std, found.n) == (2.5, pytest.approx(4.5**0.5), 2)
        assert (found.published, found.block, found.status) == ((50.0, 1.0), "small", "done")

    def test_of_a_change_are_paired_by_seed_with_students_interval(self):
        made = study(seeds=3)
        before, after = [1.0, 2.0, 4.0], [2.0, 5.0, 6.0]
        rows = rows_of(made, "plain", "A", before) + rows_of(made, "ours", "A", after)
        found = cell(tabulate(made, rows[::-1]), "gain", "A quality")  # any order
        differences = np.subtract(after, before)
        low, high = stats.t.interval(0.95, 2, loc=differences.mean(), scale=stats.sem(differences))
        assert found.mean == pytest.approx(2.0)
        assert found.interval == (pytest.approx(low), pytest.approx(high))

    def test_of_a_change_are_of_the_seeds_that_both_have(self):
        made = study(seeds=4)
        run = made.blocks[0].run("ours", "A")
        rows = rows_of(made, "plain", "A", [1.0, 2.0, 3.0])
        rows += [row(run, 2, 7.0), row(run, 1, np.nan, diverged=3, step=-1), row(run, 0, 3.0)]
        table = tabulate(made, rows)
        assert cell(table, "ours", "A quality").status == "diverged"
        found = cell(table, "gain", "A quality")
        assert (found.seeds, found.values) == ((0, 2), (2.0, 4.0))
        assert (found.status, found.failed, found.missing) == ("diverged", 1, 1)

    def test_of_a_change_without_a_common_seed_have_no_value(self):
        made = study(seeds=4)
        before, after = (made.blocks[0].run(name, "A") for name in ("plain", "ours"))
        rows = [row(before, 0, 1.0), row(before, 1, 1.0), row(after, 2, 2.0), row(after, 3, 2.0)]
        assert cell(tabulate(made, rows), "gain", "A quality").mean is None

    def test_say_how_many_seeds_are_missing(self):
        made = study(seeds=5)
        table = tabulate(made, rows_of(made, "plain", "A", [7.0, 8.0]))
        found = cell(table, "plain", "A quality")
        assert (found.status, found.n, found.missing) == ("missing", 2, 3)
        assert "| 7.50 ± 0.71 (3 of 5 missing) (paper 50.0 ± 1.0) |" in render(table, "md")

    def test_of_a_failed_training_say_so_until_it_succeeds(self):
        made = study()
        run = made.blocks[0].run("plain", "A")
        failed = [failure(run.id, seed, "failed: out of luck") for seed in range(2)]
        found = cell(tabulate(made, failed), "plain", "A quality")
        assert (found.status, found.failed, found.n) == ("failed", 2, 0)
        assert (run.id, (0, 1)) in wanted(lacking(made, range(2), failed))
        again = failed + rows_of(made, "plain", "A", [1.0, 2.0])
        assert cell(tabulate(made, again), "plain", "A quality").status == "done"
        assert run.id not in dict(wanted(lacking(made, range(2), again)))

    def test_of_a_column_are_measured_in_one_way(self):
        made = study()
        rows = rows_of(made, "plain", "A", [1.0, 2.0])
        other = [replace(r, protocol={"family": "coverage", "k": 9}) for r in rows]
        with pytest.raises(InputError, match=r"quality was measured with .*k 9.*do not compare"):
            tabulate(made, rows + other)


class TestFill:
    def test_trains_what_is_named_and_keeps_rows_of_each(self, tmp_path):
        made, there = study(), place(tmp_path)
        missing = lacking(made.only(["ours"]), range(2), there.rows())
        assert [training.name for training in missing] == ["ours, A", "ours, B"]
        endings = fill("t", missing, there, news=lambda *_: None, stop=Stop())
        assert endings == [("ours, A", "finished"), ("ours, B", "finished")]
        assert lacking(made.only(["ours"]), range(2), there.rows()) == []
        assert {r.run for r in read(there.file("t"))} == dict(wanted(missing)).keys()

    def test_data_sets_can_be_named_too(self):
        made = study()
        assert [name for name, _ in made.only(data=["B"]).runs.values()] == ["plain, B", "ours, B"]
        assert [name for name, _ in made.only(["ours"], ["A"]).runs.values()] == ["ours, A"]
        assert made.only() == made

    def test_the_same_rows_in_two_files_count_once(self, tmp_path):
        made, there = study(), place(tmp_path)
        for name in ("one", "other"):
            append(there.file(name), rows_of(made, "plain", "A", [1.0, 2.0]))
        assert cell(tabulate(made, there.rows()), "plain", "A quality").n == 2

    def test_another_study_finds_the_rows_of_shared_runs(self, tmp_path):
        made, there = study(), place(tmp_path)
        append(there.file("other"), rows_of(made, "plain", "A", [1.0, 2.0]))
        missing = dict(wanted(lacking(made, range(2), there.rows())))
        assert made.blocks[0].run("plain", "A").id not in missing

    def test_only_the_seeds_that_are_missing_are_trained(self, tmp_path):
        made, there = study(seeds=3), place(tmp_path)
        wanted = made.only(["plain"], ["A"])
        for study_name, num, seeds in (("one", 1, (0,)), ("other", 3, (1, 2))):
            missing = lacking(wanted, range(num), there.rows())
            assert [training.seeds for training in missing] == [seeds]
            fill(study_name, missing, there, news=lambda *_: None, stop=Stop())
        assert {r.seed for r in read(there.file("other"))} == {1, 2}
        found = cell(tabulate(made, there.rows()), "plain", "A quality")
        assert (found.seeds, found.status) == ((0, 1, 2), "done")

    def test_a_seed_some_of_whose_numbers_are_lost_is_trained_again(self, tmp_path):
        made, there = study(), place(tmp_path)
        wanted = made.only(["plain"], ["A"])
        fill("t", lacking(wanted, range(2), []), there, news=lambda *_: None, stop=Stop())
        lines = there.file("t").read_text().splitlines(keepends=True)
        kept = [line for line in lines if not ('"seed": 1' in line and '"quality"' in line)]
        assert 0 < len(kept) < len(lines)
        there.file("t").write_text("".join(kept))
        (training,) = lacking(wanted, range(2), there.rows())
        assert training.seeds == (1,)
        fill("t", [training], there, news=lambda *_: None, stop=Stop())
        assert lacking(wanted, range(2), there.rows()) == []
        assert cell(tabulate(made, there.rows()), "plain", "A quality").n == 2

    def test_a_run_that_another_process_trains_is_left_to_it(self, tmp_path):
        made, there = study(), place(tmp_path)
        missing = lacking(made.only(["plain"], ["A"]), range(2), there.rows())
        folder = there.folder(missing[0].run, missing[0].seeds).path
        folder.mkdir(parents=True)
        with locked(folder):
            ((_, ending),) = fill("t", missing, there, news=lambda *_: None, stop=Stop())
        assert ending.startswith("busy: ")
        assert there.rows() == []

    def test_to_ask_for_a_change_is_to_ask_for_what_it_compares(self):
        made = study()
        assert list(made.only(["gain"]).blocks[0].rows) == ["plain", "ours", "gain"]
        assert list(made.only(["ours"]).blocks[0].rows) == ["ours"]

    def test_a_failure_is_written_down_and_the_others_go_on(self, tmp_path):
        made, there = study(), place(tmp_path)
        missing = lacking(made.only(["plain"]), range(2), there.rows())
        folder = there.folder(missing[0].run, range(2)).path
        folder.mkdir(parents=True)
        (folder / "in the way").write_text("")
        endings = fill("t", missing, there, news=lambda *_: None, stop=Stop())
        assert endings[0][1].startswith("failed: out: ")
        assert endings[1] == ("plain, B", "finished")
        table = tabulate(made, there.rows())
        assert cell(table, "plain", "A quality").status == "failed"
        assert cell(table, "plain", "B quality").status == "done"

    def test_nothing_begins_after_a_wish_to_stop(self, tmp_path):
        made, there = study(), place(tmp_path)
        stop = Stop()
        stop.signal = 2
        trainings = lacking(made, range(2), [])
        endings = fill("t", trainings, there, news=lambda *_: None, stop=stop)
        assert {ending for _, ending in endings} == {"not begun"}


@pytest.mark.parametrize("name", STUDIES)
def test_published_values_are_of_rows_and_columns_that_exist(name):
    made = STUDIES[name]([])
    for block in made.blocks:
        assert {row_name for row_name, _ in block.published} & set(
            block.rows
        ) or not block.published
        assert {heading for _, heading in block.published} <= set(made.columns)
        for run in block.rows.values():
            if isinstance(run, Change):
                assert {run.after, run.before} <= set(block.rows)
    assert {c.data for c in made.columns.values()} <= {d for b in made.blocks for d in b.data} or (
        not made.blocks[0].rows
    )


@pytest.mark.parametrize("name", ["ring", "synthetic", "normality", "plug-in"])
def test_all_methods_have_the_same_setting(name):
    for block in STUDIES[name]([]).blocks:
        runs = [run for run in block.rows.values() if isinstance(run, Run)]
        assert len({(r.arch, r.optimiser, r.steps, r.batch, r.ema) for r in runs}) == 1


@pytest.mark.parametrize("name", STUDIES)
def test_no_block_of_a_quick_profile_is_told_by_its_length(name):
    """All its runs are as long: what is left out has the same runs as what is kept."""
    made = STUDIES[name]([])
    quick = made.shortened()
    assert not [block.title for block in quick.blocks if "steps" in block.title]
    assert quick.names == made.names or made.quick.blocks
    for block in quick.blocks:
        others = [other.ids for other in quick.blocks if other is not block]
        assert block.ids - set().union(*others) or not block.rows


def test_pictures_share_the_runs_of_the_tables():
    known = set(STUDIES["synthetic"]([]).runs)
    for name, picture in PICTURES.items():
        if name not in ("poor-start", "square", *PICTURES_OF_DIGITS):
            assert {run.id for run in picture.runs.values()} <= known, name


class TestSweep:
    def test_every_method_has_six_different_trials_on_each_data_set(self):
        for name, run in SWEEP.rows.items():
            made = trials(run)
            assert len({r.id for r in made.values()}) == 6, name
            assert run in made.values(), name
        assert len(SWEEP.runs) == 12 * len(SWEEP.rows)

    def test_no_table_uses_its_seeds_or_its_steps(self):
        for name in STUDIES:
            made = STUDIES[name]([])
            assert max(made.seeds, made.quick.seeds) <= min(SEEDS)
            assert all(run.steps > STEPS for _, run in made.runs.values())

    def test_scales_every_weight_of_every_term(self):
        method = iid_gan(gaussian=GaussianConsistency(weight=2.0))
        found = scaled(Regularised(method=method, terms=()), 3.0).flat[1]
        assert [term.weight for term in found] == [9.0, 6.0]
        assert scaled(GAN(), 3.0) == GAN()

    def test_scores_modes_times_quality_and_nought_for_a_diverged_seed(self):
        sweep = Sweep(rows={"a": SMALL}, data={"A": DATA["A"]}, modes={"A": 8})
        run = sweep.trial("a", "rate 1")["A"]
        rows = [
            row(run, 100, 50.0),
            row(run, 100, 4.0, metric="modes_100"),
            row(run, 101, 90.0, diverged=7, step=10),
            row(run, 101, 8.0, metric="modes_100", diverged=7, step=10),
        ]
        assert sweep.scores("a", "rate 1", rows) == [0.25, 0.0]

    def test_the_best_is_known_when_all_trials_are_done(self):
        sweep = Sweep(rows={"a": SMALL}, data={"A": DATA["A"]}, modes={"A": 8})
        rows = []
        for place_, label in enumerate(trials(SMALL)):
            assert sweep.best("a", rows) is None
            run = sweep.trial("a", label)["A"]
            for seed in SEEDS:
                rows += [
                    row(run, seed, 10.0 * (place_ % 5)),
                    row(run, seed, 8.0, metric="modes_100"),
                ]
        assert sweep.best("a", rows) == list(trials(SMALL))[4]
        assert lacking(sweep, SEEDS, rows) == []

    def test_of_equals_the_one_that_changes_nothing_is_the_best(self):
        sweep = Sweep(rows={"a": SMALL}, data={"A": DATA["A"]}, modes={"A": 8})
        rows = [
            row(sweep.trial("a", label)["A"], seed, value, metric=metric)
            for label in trials(SMALL)
            for seed in SEEDS
            for metric, value in (("quality", 0.0), ("modes_100", 0.0))
        ]
        assert sweep.best("a", rows) == "rate 1"

    def test_a_failed_trial_scores_nought_and_others_may_win(self):
        sweep = Sweep(rows={"a": SMALL}, data={"A": DATA["A"]}, modes={"A": 8})
        rows = []
        for place_, label in enumerate(trials(SMALL)):
            run = sweep.trial("a", label)["A"]
            for seed in SEEDS:
                rows += (
                    [row(run, seed, 10.0), row(run, seed, 8.0, metric="modes_100")]
                    if place_
                    else [failure(run.id, seed, "failed: out of luck")]
                )
        assert sweep.scores("a", next(iter(trials(SMALL))), rows) == [0.0, 0.0]
        assert sweep.best("a", rows) == "rate 1"

    def test_cells_say_which_scores_are_missing(self):
        sweep = Sweep(rows={"a": SMALL}, data=DATA, modes={"A": 8, "B": 8})
        run = sweep.trial("a", "rate 1")["A"]
        rows = [
            row(run, seed, value, metric=metric)
            for seed in SEEDS
            for metric, value in (("quality", 50.0), ("modes_100", 8.0))
        ]
        found = cell(sweep.table(rows), "a", "rate 1")
        assert (found.status, found.n, found.missing) == ("missing", 2, 2)
        assert found.seeds == SEEDS

    def test_a_failed_trial_is_tried_again(self):
        sweep = Sweep(rows={"a": SMALL}, data={"A": DATA["A"]}, modes={"A": 8})
        run = sweep.trial("a", "rate 1")["A"]
        failed = [failure(run.id, seed, "failed: out of luck") for seed in SEEDS]
        assert (run.id, SEEDS) in wanted(lacking(sweep, SEEDS, failed))

    def test_the_tuned_table_has_the_best_trials_at_full_length(self):
        label = next(iter(trials(SWEEP.rows["GAN"])))
        rows = []
        for each in trials(SWEEP.rows["GAN"]):
            for run in SWEEP.trial("GAN", each).values():
                for seed in SEEDS:
                    rows += [
                        row(run, seed, 90.0 if each == label else 10.0),
                        row(run, seed, 8.0, metric="modes_100"),
                    ]
        (block,) = tuned(rows).blocks
        usual, name = block.rows
        assert (usual, name) == ("GAN", f"GAN ({label})")
        assert block.run(usual, "Ring") == SWEEP.rows["GAN"]
        assert block.run(name, "Grid") == replace(trials(SWEEP.rows["GAN"])[label], source=Grid())
