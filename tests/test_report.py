"""Tables say what the cells hold; figures are whole, legible and written at once or not at all."""

import csv
import io
import json
import math
from dataclasses import asdict, replace
from functools import cache
from itertools import combinations
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from rich.console import Console

from iidgan.errors import InputError
from iidgan.report import (
    QQ,
    Cell,
    Fate,
    Panel,
    Series,
    Table,
    bootstrap_interval,
    changed,
    curve_grid,
    curves,
    generations,
    image_grid,
    latent_panels,
    mean,
    measured,
    mode_colours,
    qq_plot,
    render,
    save,
    std,
    to_rich,
)
from iidgan.report.style import BAD, reach

# statistics


def test_mean_and_std_by_hand():
    values = [2.0, 4.0, 4.0, 6.0]
    assert mean(values) == 4.0
    assert std(values) == pytest.approx(math.sqrt(8 / 3))
    assert std([3.0]) is None
    with pytest.raises(InputError, match="values"):
        mean([])


def test_bootstrap_interval_covers_nearly_as_often_as_it_says():
    draws = np.random.default_rng(0).standard_normal((300, 20))
    bounds = [bootstrap_interval(row, draws=500) for row in draws]
    covered = np.mean([low <= 0 <= high for low, high in bounds])
    assert 0.88 <= covered <= 0.97


def test_bootstrap_interval_has_the_width_of_the_normal_one():
    values = np.random.default_rng(1).standard_normal(2000)
    low, high = bootstrap_interval(values, level=0.9, draws=2000)
    expected = 2 * 1.6449 * values.std() / math.sqrt(2000)
    assert high - low == pytest.approx(expected, rel=0.08)


def test_bootstrap_interval_is_fixed_and_closes_on_one_seed():
    assert bootstrap_interval([1.0, 2.0, 5.0]) == bootstrap_interval([1.0, 2.0, 5.0])
    assert bootstrap_interval([3.0]) == (3.0, 3.0)
    with pytest.raises(InputError, match="level: 95"):
        bootstrap_interval([1.0, 2.0], level=95)


# tables


def example() -> Table:
    return Table(
        title="Ring & Grid",
        cells=(
            measured("GAN", "modes", [3, 4, 4, 3, 4], published=(3.6, 0.5), decimals=1),
            measured(
                "IID|G_x",
                "modes",
                [8] * 4,
                fates=[(4, "diverged")],
                published=(8, 0),
                decimals=1,
            ),
            measured("GAN", "RKL < 1", [0.25]),
            measured("VEEGAN", "modes", [math.nan, math.inf], published=(5.4, None)),
        ),
        notes=("5 seeds, 24K steps",),
    )


def test_markdown():
    assert render(example(), "md").splitlines() == [
        "**Ring & Grid**",
        "",
        "|  | modes | RKL \\< 1 |",
        "| --- | --- | --- |",
        "| GAN | 3.6 ± 0.5 (paper 3.6 ± 0.5) | 0.25 |",
        "| IID\\|G\\_x | 8.0 ± 0.0 (1 of 5 diverged) (paper 8.0 ± 0.0) | missing |",
        "| VEEGAN | 2 of 2 undefined (paper 5.4) | missing |",
        "",
        "5 seeds, 24K steps",
    ]


def test_latex():
    assert render(example(), "tex").splitlines() == [
        r"\begin{table}",
        r"\centering",
        r"\caption{Ring \& Grid}",
        r"\begin{tabular}{lcc}",
        r"\toprule",
        r" & modes & RKL \textless{} 1 \\",
        r"\midrule",
        r"GAN & $3.6 \pm 0.5$ (paper $3.6 \pm 0.5$) & $0.25$ \\",
        r"IID\textbar{}G\_x & $8.0 \pm 0.0$ (1 of 5 diverged) (paper $8.0 \pm 0.0$) & missing \\",
        r"VEEGAN & 2 of 2 undefined (paper $5.4$) & missing \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par 5 seeds, 24K steps",
        r"\end{table}",
    ]


def test_csv_has_one_line_per_place_and_only_words_are_blank():
    lines = list(csv.DictReader(io.StringIO(render(example(), "csv"))))
    assert [(line["row"], line["column"]) for line in lines[:2]] == [
        ("GAN", "modes"),
        ("GAN", "RKL < 1"),
    ]
    assert len(lines) == 6
    assert float(lines[0]["std"]) == pytest.approx(np.std([3, 4, 4, 3, 4], ddof=1))
    assert lines[0]["published_mean"] == "3.6"
    assert lines[3]["text"] == lines[3]["status"] == "missing"
    assert lines[3]["mean"] == "NA"
    assert {name for line in lines for name, value in line.items() if not value} <= {
        *("block", "values", "seeds", "fates")
    }


SEED = st.integers(0, 9)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.builds(
            Cell,
            row=st.text(max_size=3),
            column=st.text(max_size=3),
            status=st.sampled_from(["done", *get_args(Fate)]),
            mean=st.none() | st.floats(allow_nan=False, allow_infinity=False),
            std=st.none() | st.floats(0, 9),
            n=st.integers(0, 9),
            failed=st.integers(0, 9),
            values=st.lists(st.floats(-9, 9)).map(tuple),
            fates=st.lists(st.tuples(SEED, st.sampled_from(get_args(Fate)))).map(tuple),
            published=st.none() | st.tuples(st.floats(-9, 9), st.none() | st.floats(0, 9)),
            decimals=st.integers(0, 4),
        ),
        min_size=1,
        unique_by=lambda cell: (cell.row, cell.column),
    )
)
def test_every_place_is_filled_and_json_keeps_every_field(cells):
    table = Table(title="", cells=tuple(cells))
    read = [
        replace(
            Cell(**entry),
            values=tuple(entry["values"]),
            seeds=tuple(entry["seeds"]),
            fates=tuple(map(tuple, entry["fates"])),
            published=entry["published"] and tuple(entry["published"]),
        )
        for entry in json.loads(render(table, "json"))
    ]
    assert read == [cell for line in table.grid for cell in line]
    assert set(read) >= set(cells)
    assert len(read) == len({c.row for c in cells}) * len({c.column for c in cells})
    assert set(read) - set(cells) == {
        Cell(row=cell.row, column=cell.column) for cell in set(read) - set(cells)
    }


def test_json_of_a_number_that_is_not_finite_is_null():
    cell = replace(measured("a", "b", [1.0]), mean=math.nan)
    assert json.loads(render(Table(title="", cells=(cell,)), "json"))[0] == {
        **asdict(cell),
        "mean": None,
        "values": [1.0],
        "seeds": [0],
        "fates": [],
    }


def test_no_number_is_a_negative_zero():
    assert "| 0.00 |" in render(Table(title="t", cells=(measured("a", "b", [-1e-9]),)), "md")


def test_a_standard_deviation_that_is_not_a_number_is_left_out():
    cell = Cell(row="a", column="b", status="done", mean=1.0, std=math.nan, n=1)
    assert "| 1.00 |" in render(Table(title="t", cells=(cell,)), "md")


@pytest.mark.parametrize(
    ("values", "fates", "status", "text"),
    [
        ([], "", "missing", "missing"),
        ([1.0], "", "done", "1.00"),
        ([1.0, math.nan], "", "undefined", "1.00 (1 of 2 undefined)"),
        ([1.0, math.inf], "xx", "diverged", "1.00 (2 of 4 diverged) (1 of 4 undefined)"),
        ([], "xxfff", "diverged", "2 of 5 diverged (3 of 5 failed)"),
        ([], "--", "missing", "missing"),
        ([1.0], "--f", "failed", "1.00 (1 of 4 failed) (2 of 4 missing)"),
        ([], "-f", "failed", "1 of 2 failed (1 of 2 missing)"),
    ],
)
def test_a_cell_says_what_befell_each_seed(values, fates, status, text):
    kinds = {"x": "diverged", "f": "failed", "-": "missing"}
    lost = [(seed, kinds[mark]) for seed, mark in enumerate(fates, start=len(values))]
    cell = measured("a", "b", values, fates=lost)
    finite = [value for value in values if math.isfinite(value)]
    assert (cell.status, cell.n, len(cell.values)) == (status, len(finite), len(finite))
    assert cell.n + cell.failed + cell.missing == len(values) + len(fates)
    assert (cell.mean is None) == (not finite)
    assert f"| a | {text} |" in render(Table(title="t", cells=(cell,)), "md")


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("f1111", "1f111", "0.00 ± 0.00 [0.00, 0.00] (2 of 5 failed)"),
        ("fff11", "-----", "missing"),
        ("111--", "--111", "0.00 (4 of 5 missing)"),
        ("x1", "f1", "0.00 (1 of 2 diverged)"),
    ],
)
def test_a_change_loses_the_seeds_that_either_lacks(before, after, text):
    kinds = {"x": "diverged", "f": "failed", "-": "missing"}
    cells = [
        measured(
            name,
            "b",
            [1.0] * marks.count("1"),
            seeds=[seed for seed, mark in enumerate(marks) if mark == "1"],
            fates=[(seed, kinds[mark]) for seed, mark in enumerate(marks) if mark != "1"],
        )
        for name, marks in (("before", before), ("after", after))
    ]
    made = changed(cells[1], cells[0], "change")
    assert f"| change | {text} |" in render(Table(title="t", cells=(made,)), "md")


def test_order_of_columns_is_that_of_first_appearance():
    cells = [measured("b", "y", [1]), measured("a", "x", [1]), measured("b", "x", [1])]
    table = Table(title="", cells=tuple(cells))
    assert table.columns == ("y", "x")
    assert [line[0].row for line in table.grid] == ["b", "a"]


def test_a_table_refuses_two_cells_in_one_place():
    cell = measured("a", "b", [1.0])
    with pytest.raises(InputError, match="given twice"):
        Table(title="", cells=(cell, cell))


def test_an_unknown_format_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'json'"):
        render(example(), "jsn")


def test_terminal_shows_every_cell_and_reads_no_markup():
    table = Table(title="[bold]T[/]", cells=example().cells)
    console = Console(file=io.StringIO(), width=200)
    console.print(to_rich(table, 200))
    text = console.file.getvalue()
    assert "[bold]T[/]" in text
    assert "8.0 ± 0.0 (1 of 5 diverged) (paper 8.0 ± 0.0)" in text
    assert text.count("missing") == 2


@pytest.mark.parametrize("width", [32, 47, 80, 120, 400])
def test_terminal_breaks_no_number_however_narrow(width):
    """And no mean from its deviation; lines are no longer than the terminal is wide."""
    values = [[12345.678, 12400.123], [0.5, 0.75]]
    cells = [
        measured(row, f"column {i}", values[i % 2], decimals=3, published=(98.75, 0.49))
        for row in ("A method", "Another one")
        for i in range(7)
    ]
    console = Console(file=io.StringIO(), width=width)
    console.print(to_rich(Table(title="T", cells=tuple(cells)), width))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert text.count("12372.900 ± 38.498") == 8
    assert text.count("0.625 ± 0.177") == 6
    assert text.count("98.75") == 14


# colours


def oklab(colours, deficiency):
    """Converts sRGB to OKLab as seen with a deficiency (a matrix on linear RGB)."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(deficiency).T, 0, 1)
    cones = [[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]]
    axes = [
        [0.21045, 0.79362, -0.00407],
        [1.97800, -2.42859, 0.45059],
        [0.02590, 0.78277, -0.80868],
    ]
    return np.cbrt(seen @ np.array(cones).T) @ np.array(axes).T


SIGHT = {
    "normal": np.eye(3),
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
}


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("count", [8, 25, 30])
def test_modes_differ_in_every_sight(count, sight):
    grey = [int(BAD[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    lab = oklab(np.array([*mode_colours(count), grey, [1, 1, 1]]), SIGHT[sight])
    apart = [np.linalg.norm(a - b) for a, b in combinations(lab, 2)]
    assert min(apart) > 0.055


@pytest.mark.parametrize("sight", SIGHT)
def test_neighbours_on_ring_and_grid_differ_most(sight):
    lab = oklab(np.array(mode_colours(25)), SIGHT[sight]).reshape(5, 5, 3)
    for axis in (0, 1):
        assert np.linalg.norm(np.diff(lab, axis=axis), axis=-1).min() > 0.15


def test_colours_repeat_rather_than_end():
    assert len(mode_colours(100)) == 100
    assert mode_colours(100)[30] == mode_colours(100)[0]
    assert mode_colours(0) == []


def test_reach_grows_only_for_more_than_one_per_cent():
    values = np.zeros(1000)
    values[:5] = 50.0
    assert reach(values, 3.5) == 3.5
    values[:50] = 50.0
    assert reach(values, 3.5) == 50.0
    assert reach(np.full(3, np.nan), 3.5) == 3.5


# figures


def panel(modes=8, *, label="IID-GAN (M-D)", inverse=True, bad=0.1, spread=1.0, count=200):
    rng = np.random.default_rng(0)
    angle = 2 * np.pi * np.arange(modes) / modes
    centres = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    z_modes = rng.integers(modes, size=count)
    generated = centres[z_modes] + 0.01 * rng.standard_normal((count, 2))
    z_modes = np.where(rng.random(count) < bad, -1, z_modes)
    z = rng.standard_normal((count, 2))
    codes = spread * z if inverse else None
    return Panel(
        label=label,
        codes=codes,
        code_modes=rng.integers(modes, size=count) if inverse else None,
        z=z,
        z_modes=z_modes,
        generated=generated,
        centres=centres,
        std=0.01,
    )


def series(label="GAN", seeds=5, *, start=0.5, steps=9):
    values = start + np.random.default_rng(0).random((seeds, steps))
    return Series(label=label, steps=np.arange(steps) * 500.0, values=values)


def ended(item, seed, step):
    values = item.values.copy()
    values[seed, step:] = np.nan
    return replace(item, values=values)


def quantiles(label="GAN", dimensions=2):
    rng = np.random.default_rng(0)
    ordered = np.sort(rng.standard_normal((99, dimensions)), axis=0)
    return QQ(label=label, theoretical=np.sort(rng.standard_normal(99)), ordered=ordered)


@cache
def latent_of_two():
    return latent_panels([panel(), panel(label="GAN", inverse=False)])


LONG = "IID-GAN with the multi-dimensional p-norm distance, weight 10"
ALL_NAN = Series(label="GAN", steps=np.arange(4.0), values=np.full((3, 4), np.nan))
FIGURES = {
    "latent": latent_of_two,
    "latent of 25": lambda: latent_panels([panel(25)]),
    "latent, scattered and bad": lambda: latent_panels([panel(spread=400.0, bad=1.0, label=LONG)]),
    "generations": lambda: generations([panel(label=f"method {i}") for i in range(5)]),
    "generations of one": lambda: generations([panel(1, label=LONG)]),
    "curves": lambda: curves([series(), series("IID-GAN", 12)], ylabel="modes"),
    "curve of one seed": lambda: curves([series(LONG, 1)], ylabel="loss", log=True),
    "curves of nothing": lambda: curves([ALL_NAN], ylabel="loss", log=True),
    "curves of one step": lambda: curves([series(steps=1)], ylabel="loss"),
    "curve grid": lambda: curve_grid(
        {"modes": [series(), ended(series("VEEGAN"), 0, 4)], "loss": [series()], "RKL": [ALL_NAN]},
        log=("loss",),
    ),
    "qq": lambda: qq_plot([quantiles(), quantiles(LONG, 64), quantiles("VAE", 1)]),
    "qq of one": lambda: qq_plot([quantiles()]),
}


@pytest.fixture(scope="module", params=FIGURES)
def figure(request):
    return FIGURES[request.param]()


def own_texts(axis):
    return [axis.title, axis.xaxis.label, axis.yaxis.label, *axis.texts]


def overlap(a, b):
    """Computes by how many pixels two boxes overlap in the direction in which they do least."""
    return min(min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0))


def test_nothing_overlaps_leaves_the_figure_or_is_small(figure):
    figure.draw_without_rendering()
    outer = [part.get_tightbbox() for part in (*figure.axes, *figure.legends)]
    inside = figure.bbox.padded(1)
    assert all(inside.contains(box.x0, box.y0) for box in outer)
    assert all(inside.contains(box.x1, box.y1) for box in outer)
    assert all(overlap(a, b) < 1 for a, b in combinations(outer, 2))
    for axis in figure.axes:
        texts = [text.get_window_extent() for text in own_texts(axis) if text.get_text()]
        assert all(overlap(a, b) < 1 for a, b in combinations(texts, 2))
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
    assert min(sizes) >= 8


def test_legend_explains_every_figure(figure):
    assert len(figure.legends) == 1
    assert all(text.get_text() for text in figure.legends[0].get_texts())


def titles(figure):
    return [axis.get_title() for axis in figure.axes]


def test_latent_panels_have_four_labelled_axes_a_method():
    figure = latent_of_two()
    assert len(figure.axes) == 8
    assert [title[:3] for title in titles(figure)[:4]] == ["(a)", "(b)", "(c)", "(d)"]
    assert figure.axes[0].get_ylabel().startswith("IID-GAN (M-D)")
    assert figure.axes[4].get_ylabel().startswith("GAN")
    assert [text.get_text() for text in figure.axes[4].texts] == ["no inverse"]
    assert figure.axes[0].get_xlim() == (-3.5, 3.5)


def test_shares_of_modes_are_those_of_the_good_samples():
    few = Panel(
        label="GAN",
        z=np.zeros((5, 2)),
        z_modes=np.array([0, 0, 0, 2, -1]),
        generated=np.zeros((5, 2)),
        centres=np.eye(3, 2),
        std=0.1,
    )
    axis = latent_panels([few]).axes[3]
    widths = [wedge.theta2 - wedge.theta1 for wedge in axis.patches]
    assert widths == pytest.approx([270, 0, 90])
    assert [text.get_text() for text in axis.texts if text.get_text()] == ["75%", "25%"]
    assert axis.get_xlabel() == few.summary == "2 of 3 modes, 20.0% bad"


def test_points_take_the_colour_of_their_mode_and_the_bad_lie_beneath():
    axis = latent_of_two().axes[1]
    bad, good = axis.collections
    assert bad.get_zorder() < good.get_zorder()
    item = panel()
    assert len(bad.get_offsets()) == (item.z_modes < 0).sum()
    colours = dict(zip(map(tuple, item.z), item.z_modes))
    for place, colour in zip(good.get_offsets(), good.get_facecolors()):
        assert tuple(colour[:3]) == mode_colours(8)[colours[tuple(place)]]


def test_many_modes_have_no_labelled_slice_and_none_good_says_so():
    assert not any(text.get_text() for text in latent_panels([panel(40)]).axes[3].texts)
    none = latent_panels([panel(bad=1.0)]).axes[3]
    assert [text.get_text() for text in none.texts] == ["no good sample"]


def test_generations_share_one_window():
    far = panel()
    far = replace(far, generated=far.generated * 3, label="GAN")
    axes = generations([panel(), far, far]).axes
    assert axes[0].get_xlim() == axes[1].get_xlim() == axes[0].get_ylim()
    assert axes[0].get_xlim()[1] >= 5.9
    assert axes[1].get_title() == f"GAN\n{far.summary}"


def test_one_method_that_goes_astray_does_not_make_the_others_small():
    astray = replace(panel(), generated=panel().generated * 30)
    alone = generations([panel()]).axes[0].get_xlim()
    assert generations([panel(), panel(), astray]).axes[0].get_xlim() == alone


def test_latent_of_what_is_not_finite():
    item = panel()
    lost = replace(item, codes=item.codes * np.nan, generated=item.generated * np.inf)
    codes = latent_panels([lost]).axes[0]
    assert [text.get_text() for text in codes.texts] == ["no finite value"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("z", np.zeros((3, 2))),
        ("generated", np.zeros((200, 3))),
        ("centres", np.zeros((0, 2))),
        ("code_modes", None),
        ("centres", np.zeros((2, 2))),
    ],
)
def test_panel_refuses_what_does_not_fit(field, value):
    with pytest.raises(InputError):
        replace(panel(), **{field: value})


def test_curve_is_the_mean_and_the_band_the_range_of_the_seeds_that_last():
    item = ended(series(), 1, 4)
    axis = curves([item], ylabel="modes").axes[0]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("step", "modes")
    line, *seeds, cross = axis.lines
    others = np.delete(item.values, 1, axis=0)
    expected = np.concatenate([item.values[:, :4].mean(0), others[:, 4:].mean(0)])
    np.testing.assert_allclose(line.get_ydata(), expected)
    assert len(seeds) == 5
    assert list(cross.get_xdata()) == [1500.0]
    assert list(cross.get_ydata()) == [item.values[1, 3]]
    band = axis.collections[0].get_paths()[0].vertices
    at_end = band[band[:, 0] == 4000.0][:, 1]
    assert {at_end.min(), at_end.max()} == {others[:, -1].min(), others[:, -1].max()}


@pytest.mark.parametrize(
    ("seeds", "expected"), [((1,), 2), ((10,), 12), ((11,), 2), ((5, 5), 14), ((5, 6), 4)]
)
def test_single_seeds_are_drawn_up_to_ten_in_an_axis(seeds, expected):
    items = [series(f"method {i}", number) for i, number in enumerate(seeds)]
    assert len(curves(items, ylabel="y").axes[0].lines) == expected


def test_log_scale_only_where_all_values_are_positive():
    scales = [
        curves([series(start=start)], ylabel="loss", log=True).axes[0].get_yscale()
        for start in (0.5, -0.5)
    ]
    assert scales == ["log", "linear"]


def test_a_label_keeps_its_colour_across_metrics():
    figure = curve_grid({"a": [series("x"), series("y")], "b": [series("y")]})
    assert figure.axes[1].lines[0].get_color() == mode_colours(2)[1]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[:2] == ["x, 5 seeds", "y, 5 seeds"]


def test_qq_draws_up_to_six_dimensions_and_the_diagonal():
    figure = qq_plot([quantiles(), quantiles("IID-GAN", 64)])
    assert [len(axis.lines) for axis in figure.axes] == [3, 7]
    assert titles(figure) == ["GAN", "IID-GAN\n(6 of 64 dimensions)"]
    assert figure.axes[0].get_xlabel() == "quantile of N(0, 1)"
    item = quantiles()
    np.testing.assert_array_equal(figure.axes[0].lines[2].get_ydata(), item.ordered[:, 1])


def test_qq_of_what_is_not_finite_says_so():
    item = quantiles()
    axis = qq_plot([replace(item, ordered=item.ordered * np.nan)]).axes[0]
    assert [text.get_text() for text in axis.texts] == ["no finite value"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: latent_panels([]),
        lambda: generations([]),
        lambda: curves([], ylabel="y"),
        lambda: curve_grid({}),
        lambda: qq_plot([]),
        lambda: Series(label="", steps=np.arange(3), values=np.zeros((2, 4))),
        lambda: QQ(label="", theoretical=np.arange(3), ordered=np.zeros((4, 2))),
        lambda: image_grid(np.zeros((4, 2, 8, 8))),
        lambda: image_grid(np.zeros((4, 1, 8, 8)), 0),
        lambda: image_grid(np.zeros((4, 1, 8, 8)), scale=0),
    ],
)
def test_input_that_cannot_be_drawn_is_refused_in_one_line(make):
    with pytest.raises(InputError, match=r"^[^\n]+: [^\n]+$"):
        make()


# images and files


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_every_image_stands_in_its_place_pixel_for_pixel(channels, mode):
    images = np.random.default_rng(0).integers(0, 256, (5, channels, 4, 6), dtype=np.uint8)
    sheet = image_grid(images, 3, scale=2)
    assert sheet.mode == mode
    assert sheet.size == (3 * (12 + 2) + 2, 2 * (8 + 2) + 2)
    pixels = np.atleast_3d(np.asarray(sheet))
    for index, image in enumerate(images):
        top, left = 2 + index // 3 * 10, 2 + index % 3 * 14
        tile = pixels[top : top + 8, left : left + 12]
        np.testing.assert_array_equal(tile[::2, ::2].transpose(2, 0, 1), image)
        np.testing.assert_array_equal(tile[::2, ::2], tile[1::2, 1::2])
    assert (pixels[12:, 30:] == 255).all()


def test_floats_and_bytes_are_the_same_images():
    images = np.random.default_rng(0).integers(0, 256, (9, 1, 3, 3), dtype=np.uint8)
    floats = images.astype(np.float32) / 127.5 - 1
    assert np.array_equal(image_grid(images), image_grid(floats))
    odd = np.array([-7.0, 7.0, np.nan, np.inf]).reshape(1, 1, 1, 4)
    assert list(np.asarray(image_grid(odd, scale=1))[2, 2:-2]) == [0, 255, 128, 255]


@pytest.mark.parametrize("picture", ["figure", "image"])
def test_save_writes_a_png_and_the_same_bytes_again(tmp_path, picture):
    def make():
        figure = picture == "figure"
        return qq_plot([quantiles()]) if figure else image_grid(np.zeros((4, 1, 8, 8)))

    first, second = (save(make(), tmp_path / name) for name in ("a.png", "b.png"))
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as read:
        read.load()
        assert read.format == "PNG"
        assert min(read.size) > 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_figures_have_150_dots_an_inch(tmp_path):
    figure = qq_plot([quantiles()])
    with Image.open(save(figure, tmp_path / "a.png")) as read:
        assert read.size == tuple(int(150 * side) for side in figure.get_size_inches())


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    def fail(self, file, **options):
        file.write_bytes(b"half a")
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(InputError, match="No space left on device"):
        save(Figure(), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]
    assert path.read_bytes() == b"old"


def test_save_makes_the_folder_and_names_a_file_in_its_way(tmp_path):
    path = save(Figure(), tmp_path / "new" / "a.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match=r"a\.png"):
        save(Figure(), path / "b.png")


def test_a_curve_of_one_point_is_seen():
    series = Series(label="a", steps=np.array([4.0]), values=np.array([[1.0], [2.0]]))
    (axis,) = curves([series], ylabel="y").axes
    assert axis.lines[0].get_marker() == "o"
