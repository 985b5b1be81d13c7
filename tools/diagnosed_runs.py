"""Scores of trained runs on real features: one row a method, mean and deviation over its seeds.

Run from the root of the repository:

    python -m tools.diagnosed_runs RUN ...

measures the runs, which are named by their folders, into results/diagnosed.csv; without arguments,
only the table of docs/results/diagnosed.md is written from it.
"""

from __future__ import annotations

import io
import json
import sys
from collections import defaultdict
from contextlib import redirect_stdout
from pathlib import Path

from iidgan.cli import main as run_command
from iidgan.report.stats import mean, std
from iidgan.utils.files import write_text
from tools.measured_values import merge_values, read_values
from tools.update_results import BEGIN, END, split_page

VALUES_FILE = Path("results/diagnosed.csv")
PAGE_FILE = Path("docs/results/diagnosed.md")
METRICS = ("prdc", "clipped", "irs", "memorisation", "vendi", "fd", "kd", "is", "jsd")
NUM_SAMPLES = 2500
COLUMNS = {
    "coverage": "coverage",
    "clipped_coverage": "clipped coverage",
    "recall": "recall",
    "precision": "precision",
    "irs": "IRS",
    "vendi": "Vendi score",
    "near_copies": "near copies",
    "fd_efficientnet_lite0": "fd_efficientnet_lite0",
}
"""Metrics of the table, with their headings."""


def measure(run: str) -> list[dict[str, str | float]]:
    """Measure all seeds of a run."""
    output = io.StringIO()
    options = ["--metrics", ",".join(METRICS), "--num", str(NUM_SAMPLES), "--json"]
    with redirect_stdout(output):
        exit_code = run_command(["evaluate", run, *options])
    if exit_code:
        raise SystemExit(exit_code)
    records = json.loads(output.getvalue())["records"]
    return [
        {
            "method": Path(run).name,
            "seed": record["seed"],
            "metric": record["metric"],
            "value": float(f"{record['value']:.6g}"),
        }
        for record in records
        if record["value"] is not None
    ]


def render_table() -> str:
    """Render the table as Markdown."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in read_values(VALUES_FILE):
        values[row["method"], row["metric"]].append(float(row["value"]))
    lines = [
        "| method | " + " | ".join(COLUMNS.values()) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    for method in dict.fromkeys(method for method, _ in values):
        cells = [_format_cell(values[method, metric]) for metric in COLUMNS]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _format_cell(values: list[float]) -> str:
    digits = 3 if max(map(abs, values)) < 10 else 1
    deviation = std(values)
    text = f"{mean(values):.{digits}f}"
    return text if deviation is None else f"{text} ± {deviation:.{digits}f}"


def main() -> None:
    """Measure the runs that the arguments name, and render the table."""
    for run in sys.argv[1:]:
        merge_values(VALUES_FILE, measure(run), "method")
    before, _, after = split_page(PAGE_FILE.read_text(encoding="utf-8"))
    write_text(PAGE_FILE, f"{before}{BEGIN}\n\n{render_table()}\n{END}{after}")


if __name__ == "__main__":
    main()
