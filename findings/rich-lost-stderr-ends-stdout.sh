#!/usr/bin/env bash
# rich 15.0.0: a console on standard error whose reader has gone away does not raise BrokenPipeError.
# Console.on_broken_pipe redirects standard *output* to the null device, whichever stream broke, and
# raises SystemExit(1): a long job that prints progress to standard error ends, `except Exception`
# does not catch it, and what it prints to standard output on the way out is lost. A subclass that
# replaces on_broken_pipe keeps both.
# Output seen (Python 3.11):
#   15.0.0 console: result '' exit code 1; with on_broken_pipe replaced: result 'result' exit code 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" rich==15.0.0 2>/dev/null
cat > "$work/job.py" <<'PY'
import sys

from rich.console import Console


class PatientConsole(Console):
    def on_broken_pipe(self):
        pass


console = {"console": Console, "patient": PatientConsole}[sys.argv[1]](stderr=True)
sys.stdin.readline()  # until the reader of standard error has gone
try:
    console.print("progress")
except Exception:
    pass
finally:
    print("result")
PY
cat > "$work/run.py" <<'PY'
import subprocess
import sys
from importlib.metadata import version

PIPE = subprocess.PIPE


def run(kind):
    command = [sys.executable, sys.argv[1], kind]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as process:
        process.stderr.close()
        process.stdin.write("\n")
        process.stdin.close()
        result = process.stdout.read().strip()
    return f"result {result!r} exit code {process.returncode}"


print(version("rich"), f"console: {run('console')};", "with on_broken_pipe replaced:", run("patient"))
PY
seen=$(PYTHONPATH="$work/lib" python3 "$work/run.py" "$work/job.py")
echo "$seen"
[ "$seen" = "15.0.0 console: result '' exit code 1; with on_broken_pipe replaced: result 'result' exit code 0" ]
