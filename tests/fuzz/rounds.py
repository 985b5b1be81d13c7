"""One round: copy intact files, damage some of them, run the command, and judge the outcome."""

from __future__ import annotations

import contextlib
import shutil
import traceback
from pathlib import Path
from random import Random

from tests.fuzz.cases import CASES
from tests.fuzz.mutations import replace_by_special, reseal_folder
from tests.helpers.time_limits import HangError, time_limit

MAX_CPU_SECONDS = 10
MAX_SECONDS = 60
"""Limit of what waits without working; longer, since a loaded machine slows everything."""
ALL_DIVERGED = 3
"""Exit code of a training on numbers with which no seed can train."""


def list_tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of everything in a folder."""
    paths = [path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()]
    stats = {str(path.relative_to(folder)): path.lstat() for path in paths}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


class Fuzzer:
    """Rounds of one case.

    Arguments:
        name: Name of the case.
        folder: Where intact and damaged files are kept.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.case = name, CASES[name]
        self.intact_dir, self.work_dir = folder / "intact", folder / "work"
        self.intact_dir.mkdir(parents=True)
        with contextlib.chdir(self.intact_dir):
            self.case.build()
        self._copy_intact()
        with contextlib.chdir(self.work_dir):
            exit_code, _, errors = self.case.run()
            assert exit_code == 0, errors
            self.expected = self.case.read_result()

    def _copy_intact(self) -> None:
        shutil.rmtree(self.work_dir, ignore_errors=True)
        shutil.copytree(self.intact_dir, self.work_dir)

    def run_round(self, seed: int) -> str:
        """Damage files by a seed; return the problem with the outcome, or an empty text."""
        self._copy_intact()
        rng = Random(f"{self.name} {seed}")
        paths = sorted(path for path in self.work_dir.glob(self.case.pattern) if path.is_file())
        path = rng.choice(paths)
        if not self.case.is_sealed and rng.random() < 0.1:
            replace_by_special(path, rng)
        else:
            self.case.mutate(path, rng)
        if self.case.is_sealed:
            reseal_folder(path.parent)
        tree_before = list_tree(self.work_dir)
        with contextlib.chdir(self.work_dir):
            problem = self._judge(tree_before)
        return problem and f"{self.name}, seed {seed}, {path.name}: {problem}"

    def _judge(self, tree_before: dict[str, tuple[int, int]]) -> str:
        try:
            with time_limit(MAX_SECONDS), time_limit(MAX_CPU_SECONDS, clock="cpu"):
                exit_code, _, errors = self.case.run()
        except HangError as error:
            return str(error)
        except BaseException:  # whatever escapes from a command is a fault
            return traceback.format_exc(limit=-3)
        if exit_code == 0:
            is_right = self.case.is_right(self.expected, self.case.read_result())
            return "" if is_right else "a wrong result with exit code 0"
        if exit_code == ALL_DIVERGED:
            return ""
        if exit_code != 2:
            return f"exit code {exit_code}: {errors}"
        *messages, error = errors.splitlines() or [""]
        if not error.startswith("iidgan: ") or "Traceback" in messages:
            return f"not one line of error: {errors}"
        changed_names = dict(list_tree(Path()).items() ^ tree_before.items())
        return f"exit code 2, but wrote {sorted(changed_names)}" if changed_names else ""
