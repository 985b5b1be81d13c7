"""Metric records with pandas: means over seeds, curves over training, and protocols.

Trains two methods for a short time, reads their records into one data frame, and prints a table
of the last step, the number of modes over training, and how the modes were counted.
Needs pandas.

    python examples/read_records.py --steps 3000 --out runs/records
"""

import argparse
from pathlib import Path

import pandas as pd

import iidgan

METRICS = ["modes_20", "quality", "reverse_kl"]


def read_run(path: Path, method: str) -> pd.DataFrame:
    """Read the records of a run: one row for each metric, seed and step."""
    frame = pd.read_json(path / "metrics.jsonl", lines=True, dtype={"run": str})
    return frame.assign(method=method)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--out", type=Path, default=Path("runs/records"))
    options = parser.parse_args()
    frames = []
    for name, method in {"GAN": iidgan.GAN(), "IID-GAN": iidgan.iid_gan()}.items():
        run = iidgan.Run(source=iidgan.Ring(std=0.02), method=method, steps=options.steps)
        checkpoint_every = max(1, options.steps // 4)
        path = options.out / name
        iidgan.train(run, seeds=3, out=path, checkpoint_every=checkpoint_every)
        frames.append(read_run(path, name))
    records = pd.concat(frames)
    records = records[records["metric"].isin(METRICS)]

    last = records[records["step"] == records["step"].max()]
    print(last.pivot_table("value", "method", "metric", aggfunc=["mean", "std"]).round(3))

    modes = records[records["metric"] == "modes_20"]
    print(modes.pivot_table("value", "step", "method", aggfunc="mean").round(1))

    print(modes["protocol"].iloc[0])
