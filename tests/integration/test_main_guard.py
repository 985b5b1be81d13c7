"""Scripts without `if __name__ == "__main__":` that start worker processes."""

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


def run_script(folder, text):
    """Run a script, and return its exit code and standard error."""
    script = folder / "script.py"
    script.write_text(text)
    finished = subprocess.run(
        [sys.executable, script], cwd=folder, capture_output=True, text=True, timeout=110
    )
    return finished.returncode, finished.stderr


def assert_names_guard(error):
    last_line = error.splitlines()[-1]
    assert 'if __name__ == "__main__":' in last_line
    assert "workers: " in last_line
    assert "bootstrapping" not in error  # of the message of multiprocessing


def test_train_without_main_guard(tmp_path):
    code, error = run_script(tmp_path, TRAIN)
    assert code == 1
    assert_names_guard(error)
    assert error.count("Traceback") == 1  # of the script's own exception


def test_table_without_main_guard(tmp_path):
    code, error = run_script(tmp_path, TABLE)
    assert code == 2
    assert_names_guard(error)
    assert "Traceback" not in error
    assert not (tmp_path / "results").exists()


def test_prepare_without_main_guard(tmp_path):
    images = {f"{i}.png": encode_image(image) for i, image in enumerate(random_images(200))}
    write_files(tmp_path / "faces", images)
    code, error = run_script(tmp_path, PREPARE)
    assert code == 1
    assert_names_guard(error)
    assert error.count("Traceback") == 1
    assert list((tmp_path / "sets").iterdir()) == []
