"""Reports of runs and tables: what they show, and that they need nothing else."""

from dataclasses import replace

import pytest
import torch

import iidgan
from iidgan import InputError, diagnose
from iidgan.report_page import MAX_BYTES, Command, RunSection, TableSection
from iidgan.report_page.page import render_report, write_report
from iidgan.training.run_dir import RunDir
from tests.helpers.html import assert_standalone, parse_page
from tests.helpers.tables import make_records, make_table
from tests.helpers.training import RandomImages, tiny_run, train_tiny

pytestmark = pytest.mark.usefixtures("fast_evaluation")
HOSTILE = "<img src=x onerror=alert(1)>&\"'"
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;&amp;&#34;&#39;"


@pytest.fixture(scope="module")
def points_run(completed_run):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(iidgan.Ring, "num_evaluated", 150)
        patch.setattr("iidgan.utils.provenance.git_commit", lambda: "some-commit")
        return RunDir(completed_run(tiny_run(iidgan.iid_gan()), 2))


@pytest.fixture(scope="module")
def run_page(points_run):
    """The page of a run with everything that there is."""
    command = Command("Train it again", "iidgan train ring")
    diagnosis = diagnose(points_run.path)
    section = RunSection(run_dir=points_run, commands=[command], diagnosis=diagnosis)
    return render_report([section])


@pytest.fixture
def started_run(points_run, tmp_path):
    """A run of which nothing is trained yet."""
    run_dir = RunDir(tmp_path / "r")
    run, seeds = points_run.read_run()
    with run_dir.lock():
        run_dir.claim(run, seeds, torch.device("cpu"), run.source.load())
    return run_dir


@pytest.fixture
def table():
    spec = make_table()
    records = [
        *make_records(spec, "plain", "A", [40.0, 60.0]),
        *make_records(spec, "ours", "A", [80.0, 100.0]),
    ]
    return TableSection(name="small", spec=spec, records=records)


def find_row(page, name):
    """Returns the texts of the cells of a row of a table, after its name."""
    line = next(line for line in page.splitlines() if line.startswith(f"<tr><td>{name}</td>"))
    return [cell.split(">", 1)[1] for cell in line.split("</td>")[1:-1]]


def test_report_of_run_shows_what_was_trained(points_run, run_page):
    page = run_page
    run, _ = points_run.read_run()
    for name, value in {
        "method": "gan",
        "terms": "cycle, gaussian",
        "data": "ring",
        "seeds": "0, 1",
        "run id": run.id,
        "commit": "some-commit",
        "workers": "1",
    }.items():
        assert f"<dt>{name}</dt><dd>{value}</dd>" in page
    assert "finished at step 12" in page
    assert "<pre>iidgan train ring</pre>" in page
    assert "IID Sampling Perspective" in page
    for title in ("Latents", "Samples", "Codes against the prior", "Losses"):
        assert f'alt="{title}"' in page


def test_metrics_have_intervals_over_seeds(points_run, run_page):
    records = points_run.read_metric_records()
    last = [record for record in records if record.metric == "x_error" and record.step == 12]
    mean = sum(record.value for record in last) / 2
    half_width = 12.706 * abs(last[0].value - mean)  # Student's quantile for two values
    value, interval, *_ = find_row(run_page, "x_error")
    assert value.startswith(f"{mean:.4g} ± ")
    low, high = map(float, interval.split(" to "))
    assert low == pytest.approx(mean - half_width, rel=1e-2)
    assert high == pytest.approx(mean + half_width, rel=1e-2)


def test_table_has_intervals_and_published_numbers(table):
    page = render_report([table])
    plain, missing = find_row(page, "plain")
    assert plain == "50.00 ± 14.14 (paper 50.0 ± 1.0)<br><small>-77.06 to 177.06</small>"
    assert missing == "missing"
    assert find_row(page, "gain")[0] == "40.00 ± 0.00 [40.00, 40.00]"
    assert "<dt>runs</dt><dd>4, with 2 seeds each</dd>" in page
    assert "Generative Adversarial Nets" in page


def test_report_is_well_formed_and_asks_for_nothing(run_page):
    assert_standalone(run_page)
    assert "of the variety of the data" in run_page


@pytest.mark.usefixtures("without_figures")
def test_sections_have_a_table_of_contents(points_run, table):
    page = render_report([RunSection(run_dir=points_run), table])
    assert parse_page(page).addresses == ["#section-1", "#section-2"]
    assert '<section id="section-2">' in page
    assert "Report of 1 run and 1 table" in page


def test_single_section_needs_no_contents(table):
    page = render_report([table])
    assert "<nav" not in page
    assert "<h1>Table small: t</h1>" in page


@pytest.mark.usefixtures("without_figures")
def test_texts_are_escaped(points_run, table):
    command = Command(HOSTILE, HOSTILE)
    run = RunSection(run_dir=points_run, commands=[command], no_diagnosis=HOSTILE)
    spec = replace(table.spec, title=HOSTILE, notes=(HOSTILE,))
    page = render_report([run, TableSection(name=HOSTILE, spec=spec, records=table.records)])
    assert "<img src=x" not in page
    assert page.count(ESCAPED) == 3 + 2 * 2 + 1  # of the run; twice in two titles; the note
    assert_standalone(page)


def test_run_that_has_not_ended_is_reported_as_far_as_it_is(started_run):
    started_run.log_file.write_text('{"step": 4, "seed": 0, "D/adversarial": 1.5}\n')
    page = render_report([RunSection(run_dir=started_run)])
    assert "not finished; the log ends at step 4" in page
    assert 'alt="Samples"' not in page
    assert 'alt="Losses"' in page


def test_damaged_file_is_named(started_run):
    started_run.log_file.write_text("{\n{}\n")
    with pytest.raises(InputError, match=r"log\.jsonl"):
        render_report([RunSection(run_dir=started_run)])


@pytest.mark.slow
def test_report_of_images_is_small(tmp_path):
    source = RandomImages(shape=(3, 64, 64))
    run = tiny_run(source=source, arch=iidgan.DCGAN(latent=4, width=2), steps=2)
    run_dir = RunDir(tmp_path / "r", [RandomImages])
    train_tiny(run, run_dir.path, checkpoint_every=2)
    diagnosis = diagnose(run_dir.path, features="pixels", plugins=[RandomImages])
    section = RunSection(run_dir=run_dir, diagnosis=diagnosis)
    page_file = tmp_path / "report.html"
    size = write_report(page_file, [section] * 4)
    assert size == page_file.stat().st_size < MAX_BYTES
    assert "data:image/jpeg" in page_file.read_text()


def test_report_is_written_whole_or_not_at_all(table, tmp_path):
    (tmp_path / "page.html").mkdir()
    with pytest.raises(InputError, match="Is a directory"):
        write_report(tmp_path / "page.html", [table])
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
