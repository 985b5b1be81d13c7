"""Provenance: the commit of the checkout."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from iidgan.utils import provenance


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize(
    ("package", "known"), [("iidgan", True), ("venv/lib/site-packages/iidgan", False)]
)
def test_git_commit_of_checkout_alone(tmp_path, monkeypatch, package, known):
    monkeypatch.undo()  # the fixture's constant commit
    file = tmp_path / package / "bench" / "provenance.py"
    file.parent.mkdir(parents=True)
    file.write_text("")
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for command in (["init"], ["add", "."], [*who, "commit", "-m", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, capture_output=True)
    monkeypatch.setattr(provenance, "__file__", str(file))
    clean = provenance.git_commit()
    file.write_text("changed = True")
    assert len(clean) == (12 if known else len("unknown"))
    assert provenance.git_commit() == (f"{clean}+" if known else "unknown")
