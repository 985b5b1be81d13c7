"""A bounded round of every case; see `python -m tests.fuzz --help` for more."""

import pytest

from tests.fuzz.cases import CASES
from tests.fuzz.rounds import Fuzzer

NUM_ROUNDS = 12
"""Rounds of each case, which take about a minute of one core in all."""


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_damaged_files(name, tmp_path, monkeypatch):
    for package in CASES[name].packages:
        pytest.importorskip(package)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fuzzer = Fuzzer(name, tmp_path)
    failures = [failure for seed in range(NUM_ROUNDS) if (failure := fuzzer.run_round(seed))]
    assert failures == []
