#!/usr/bin/env bash
# In Ray 2.60.0, ray.init(log_to_driver=False) does not keep standard output for the program: when
# the process of a task ends, "(raylet) A worker died or was killed ..." goes to standard output,
# not to standard error, whatever the logging level. A program that prints CSV or JSON gets a line
# amid its data. Redirect sys.stdout while tasks run.
# Output seen (Python 3.11):
#   2.60.0 WorkerCrashedError
#   standard output has a line of Ray: True, standard error: False
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ray==2.60.0 2>/dev/null
cat > "$work/run.py" <<'PY'
import os
import time

import ray

ray.init(
    address="local",
    num_cpus=1,
    include_dashboard=False,
    log_to_driver=False,
    logging_level="ERROR",
)


@ray.remote(max_retries=0)
def end_process():
    os._exit(1)


try:
    ray.get(end_process.remote())
except ray.exceptions.RayError as error:
    print(ray.__version__, type(error).__name__)
time.sleep(5)  # until the message has come
PY
HOME="$work" RAY_USAGE_STATS_ENABLED=0 "$work/venv/bin/python" "$work/run.py" \
    > "$work/out" 2> "$work/err"
has_line() { grep -q "A worker died" "$1" && echo True || echo False; }
seen="$(grep '^2.60.0' "$work/out")
standard output has a line of Ray: $(has_line "$work/out"), standard error: $(has_line "$work/err")"
echo "$seen"
[ "$seen" = "2.60.0 WorkerCrashedError
standard output has a line of Ray: True, standard error: False" ]
