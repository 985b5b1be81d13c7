"""A table of one's own: two methods, several seeds, and their difference with an interval.

Declares the table, trains its runs, and prints the table as Markdown: means and standard
deviations over seeds, and in the last row the differences of equal seeds with Student's 95 %
interval of their mean. Rerunning the script trains only what is missing.

    python examples/own_table.py --steps 3000 --seeds 5 --out runs/own-table
"""

import argparse
from pathlib import Path

import iidgan
from iidgan.records import read_records
from iidgan.report import render_table
from iidgan.studies.columns import Column
from iidgan.studies.table_spec import Delta, Profile, RowGroup, TableSpec
from iidgan.studies.tabulate import tabulate


def declare_table(steps: int, seeds: int) -> TableSpec:
    """Declare rows (runs, and a difference) and columns (metrics on a data set)."""
    rows = {
        "GAN": iidgan.Run(method=iidgan.GAN(), steps=steps),
        "IID-GAN": iidgan.Run(method=iidgan.iid_gan(), steps=steps),
        "change": Delta(after="IID-GAN", before="GAN"),
    }
    return TableSpec(
        title=f"A ring of eight wide modes, {steps:,} steps",
        row_groups=(RowGroup(datasets={"Ring": iidgan.Ring(std=0.02)}, rows=rows),),
        columns={
            "modes (>= 20)": Column(metric="modes_20", dataset="Ring", decimals=1),
            "quality %": Column(metric="quality", dataset="Ring", decimals=1),
            "reverse KL": Column(metric="reverse_kl", dataset="Ring", decimals=3),
        },
        num_seeds=seeds,
        quick=Profile(steps=steps),
        notes=("50,000 samples a seed; a sample is good within 3 standard deviations of a mode.",),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("runs/own-table"))
    options = parser.parse_args()
    spec = declare_table(options.steps, options.seeds)
    records = []
    for run_id, (_, run) in spec.runs.items():
        result = iidgan.train(run, seeds=spec.num_seeds, out=options.out / run_id)
        records += read_records(result.path / "metrics.jsonl")
    print(render_table(tabulate(spec, records), "md"))
