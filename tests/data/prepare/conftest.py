"""Tests of `iidgan prepare` write into a folder of their own."""

import pytest


@pytest.fixture(autouse=True)
def _data_home(monkeypatch, tmp_path):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))
