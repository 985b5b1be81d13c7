"""The tutorial: its scripts run, and write the data of the runs whose output it prints."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import iidgan

PAGE = Path(__file__).parents[2] / "docs" / "getting-started.md"


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return PAGE.read_text(encoding="utf-8")


def read_script(page, name):
    """Return a block of Python that starts with the name of its file."""
    (code,) = re.findall(rf"^```python\n(# {name}\n.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return code


@pytest.mark.parametrize("method", ["gan", "iid-gan"])
def test_runs_have_the_printed_ids(page, method):
    exec(read_script(page, "make_points.py"), {})
    run = replace(iidgan.recommended(iidgan.array("points.npy"), method), steps=3000)
    assert f"runs/points-{method}-{run.id} is done" in page
    assert f'"points-{method}-{run.id}"' in read_script(page, "verdict.py")


def test_verdict_prints_the_shares_of_the_data(page):
    exec(read_script(page, "make_points.py"), {})
    definitions = read_script(page, "verdict.py").partition("for run in")[0]
    namespace = {}
    exec(definitions, namespace)
    points = np.load("points.npy")
    assert f"data               {namespace['shares'](points)}\n" in page
    assert namespace["shares"](points[:10] + 1e3).tolist() == [0] * 6 + [100]


@pytest.mark.slow
def test_pictures_are_prepared_as_printed(page, tmp_path):
    exec(read_script(page, "make_pictures.py"), {})
    result = iidgan.prepare("pictures", origin="pictures", size=32, root=str(tmp_path / "data"))
    shape = " x ".join(map(str, result.manifest.shape))
    num_labels = len(result.manifest.labels)
    assert f"pictures: {result.manifest.count:,} images of {shape}, {num_labels} labels" in page
