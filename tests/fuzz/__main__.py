"""Fuzz for a while, or repeat one round.

python -m tests.fuzz --minutes 60
python -m tests.fuzz --case tar --seed 7
"""

import argparse
import importlib.util
import itertools
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.cases import CASES
from tests.fuzz.rounds import Fuzzer


def has_packages(name: str) -> bool:
    return all(map(importlib.util.find_spec, CASES[name].packages))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--case", choices=CASES)
    parser.add_argument("--seed", type=int, help="repeat this round alone")
    options = parser.parse_args()
    deadline = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder, "cache"))
        names = [options.case] if options.case else [*filter(has_packages, CASES)]
        fuzzers = [Fuzzer(name, Path(folder, str(i))) for i, name in enumerate(names)]
        seeds = itertools.count() if options.seed is None else [options.seed]
        num_rounds = num_failures = 0
        for seed, fuzzer in ((seed, fuzzer) for seed in seeds for fuzzer in fuzzers):
            failure = fuzzer.run_round(seed)
            num_rounds, num_failures = num_rounds + 1, num_failures + bool(failure)
            if failure:
                print(failure, flush=True)
            if options.seed is None and time.monotonic() > deadline:
                break
    print(f"{num_rounds} rounds, {num_failures} failures")
    return 1 if num_failures else 0


if __name__ == "__main__":
    sys.exit(main())
