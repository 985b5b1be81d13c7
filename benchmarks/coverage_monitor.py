"""What the coverage in training costs a DCGAN-32 run, at the default interval.

`python -m benchmarks.coverage_monitor --rounds 1` runs it alone.
"""

import argparse
import math
import statistics
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.images import Images
from benchmarks.timing import describe_machine, one_core
from iidgan.config.defaults import recommended
from iidgan.training.diagnosis_interval import choose_diagnosis_interval
from iidgan.training.run_session import open_run
from iidgan.training.session import RunSpec

METHODS = "gan", "iid-gan"
STEPS_PER_ROUND = 10


def _time(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _take_steps(context):
    for _ in range(STEPS_PER_ROUND):
        context.train_step(context.batches.batches_at(context.state.step))
        context.state.step += 1


def measure_share(method, folder, rounds):
    """Times steps and diagnoses in turn; gives the interval, and the share of the whole run."""
    run = recommended(Images(), method)
    spec = RunSpec(run=run, seeds=(0,), out=folder, device=torch.device("cpu"))
    with open_run(spec, executor="eager", on_progress=lambda *_: None) as run_session:
        session = run_session.whole
        interval = choose_diagnosis_interval(session.context, "auto")
        _take_steps(session.context)
        with_real_images = _time(session.diagnose)
        times = [
            (_time(lambda: _take_steps(session.context)), _time(session.diagnose))
            for _ in range(rounds)
        ]
    num_diagnoses = math.ceil(run.steps / interval)
    shares = [
        (with_real_images + (num_diagnoses - 1) * diagnosis)
        / (run.steps * steps / STEPS_PER_ROUND)
        for steps, diagnosis in times
    ]
    return interval, statistics.median(shares)


def compare(rounds=3):
    """Measures all methods; gives the text, and the largest share."""
    lines, largest = [], 0.0
    for method in METHODS:
        with tempfile.TemporaryDirectory() as folder:
            interval, share = measure_share(method, Path(folder, "run"), rounds)
        lines.append(f"* {method}, every {interval:,} steps: {100 * share:.2f} %")
        largest = max(largest, share)
    head = "Share of a run on images of 32 pixels that the coverage takes, with one seed:\n"
    return "\n".join([head, *lines]), largest


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the comparison")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with one_core():
        text, _ = compare(options.rounds)
    print(f"{describe_machine()}\n\n{text}")


if __name__ == "__main__":
    main()
