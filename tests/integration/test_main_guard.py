"""Scripts without `if __name__ == "__main__":` that start worker processes."""

import re
import subprocess
import sys

import pytest

from tests.helpers.images import encode_image, random_images, write_files

pytestmark = pytest.mark.slow

RUN = "run = iidgan.Run(source=iidgan.Ring(size=200), arch=iidgan.MLP(hidden=(8,)), steps=4)\n"
TRAIN = f"import iidgan\n{RUN}iidgan.train(run, out='run', seeds=2, workers=2)\n"
TABLE = """
import sys
from iidgan.cli import main
sys.exit(main(["table", "ring", "--quick", "--seeds", "1", "--workers", "2"]))
"""
PREPARE = """
from iidgan.data.prepare import pool, prepare
pool.MIN_POOL_SECONDS = 0.0
pool.num_cores = lambda: 2
prepare("faces", origin="faces", root="sets")
"""


RUN_SCRIPTS = """
import os, runpy, sys, traceback

for folder in sys.argv[1:]:
    os.chdir(folder)
    code = 0
    try:
        runpy.run_path(os.path.join(folder, "script.py"), run_name="__main__")
    except SystemExit as error:
        code = error.code
    except Exception:
        traceback.print_exc()
        code = 1
    print("exit code", code, file=sys.stderr, flush=True)
"""
"""Runs the scripts of folders as the main script, in turn, as importing torch takes seconds."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """The folder, exit code and standard error of each script."""
    folders = {}
    for name, text in (("train", TRAIN), ("table", TABLE), ("prepare", PREPARE)):
        folders[name] = tmp_path_factory.mktemp(name)
        (folders[name] / "script.py").write_text(text)
    images = {f"{i}.png": encode_image(image) for i, image in enumerate(random_images(200))}
    write_files(folders["prepare"] / "faces", images)
    finished = subprocess.run(
        [sys.executable, "-c", RUN_SCRIPTS, *folders.values()],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert finished.returncode == 0, finished.stderr
    errors_and_codes = re.split(r"^exit code (\d+)\n", finished.stderr, flags=re.MULTILINE)
    codes = map(int, errors_and_codes[1::2])
    return dict(zip(folders, zip(folders.values(), codes, errors_and_codes[::2])))


def assert_names_guard(error):
    last_line = error.splitlines()[-1]
    assert 'if __name__ == "__main__":' in last_line
    assert "workers: " in last_line
    assert "bootstrapping" not in error  # of the message of multiprocessing


def test_train_without_main_guard(outcomes):
    _, code, error = outcomes["train"]
    assert code == 1
    assert_names_guard(error)
    assert error.count("Traceback") == 1  # of the script's own exception


def test_table_without_main_guard(outcomes):
    folder, code, error = outcomes["table"]
    assert code == 2
    assert_names_guard(error)
    assert "Traceback" not in error
    assert not (folder / "results").exists()


def test_prepare_without_main_guard(outcomes):
    folder, code, error = outcomes["prepare"]
    assert code == 1
    assert_names_guard(error)
    assert error.count("Traceback") == 1
    assert list((folder / "sets").iterdir()) == []
