"""The code on the pages of the documentation runs as it is printed, in the order of each page.

A Python block whose first line is a comment with the name of a file is written to that file, so
that later blocks can import it; other Python blocks are executed in one namespace. Lines of shell
blocks that start with `iidgan` are commands. The comment `<!-- not run ... -->` before a block
excludes it. Trainings take a few steps.
"""

import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import iidgan
from iidgan.cli import main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", DOCS / "faq.md", DOCS / "features.md", DOCS / "images.md"]
PAGES += [DOCS / "latent.md"]
PAGES += sorted((DOCS / "guides").glob("*.md"))
BLOCK = re.compile(r"(<!-- not run.*?-->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (\w+)\.py\n")
NUM_STEPS = 2


def list_blocks(page):
    """Lists the language and the code of the blocks that are to be run."""
    matches = BLOCK.findall(page.read_text())
    return [(language, code) for is_excluded, language, code in matches if not is_excluded]


def run_python(code, namespace):
    if file_name := FILE_NAME.match(code):
        Path(f"{file_name[1]}.py").write_text(code)
    else:
        exec(compile(code, "<page>", "exec"), namespace)


def run_command(line):
    arguments = shlex.split(line, comments=True)[1:]
    if arguments[0] == "train":
        arguments += ["--steps", str(NUM_STEPS)]
    assert main(arguments) == 0, line


def run_block(language, code, namespace):
    if language == "python":
        run_python(code, namespace)
    elif language == "sh":
        for line in re.findall(r"^iidgan .*", code, re.MULTILINE):
            run_command(line)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty working directory, from which modules are imported, and short trainings."""
    monkeypatch.setattr(iidgan.Ring, "num_evaluated", 200)
    full_train, modules_before = iidgan.train, set(sys.modules)

    def train_briefly(run, **options):
        return full_train(replace(run, steps=NUM_STEPS), **options)

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(iidgan, "train", train_briefly)
    yield tmp_path
    for name in set(sys.modules) - modules_before:
        if (tmp_path / f"{name}.py").exists():
            del sys.modules[name]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_of_page_runs(page, workspace):
    namespace = {}
    for language, code in list_blocks(page):
        run_block(language, code, namespace)
