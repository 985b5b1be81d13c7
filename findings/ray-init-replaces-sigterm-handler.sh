#!/usr/bin/env bash
# In Ray 2.60.0, ray.init replaces the SIGTERM handler of the program that calls it, without a word,
# and ray.shutdown does not restore it: Ray's own handler ends the program. A training that saves
# on SIGTERM, as cluster managers send it before they take a machine away, then ends without
# saving. The handler of SIGINT stays. One would expect a library to leave handlers alone, or to
# say so. Save the handlers and set them again after ray.init.
# Output seen (Python 3.11):
#   2.60.0 before init: SIGTERM mine True, SIGINT mine True
#   2.60.0 after init: SIGTERM mine False, SIGINT mine True
#   2.60.0 after shutdown: SIGTERM mine False, SIGINT mine True
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ray==2.60.0 2>/dev/null
cat > "$work/run.py" <<'PY'
import signal

import ray


def save_and_stop(number, frame):
    raise SystemExit("saved")


def show(moment):
    terminate, interrupt = (signal.getsignal(n) is save_and_stop for n in numbers)
    print(ray.__version__, f"{moment}: SIGTERM mine {terminate}, SIGINT mine {interrupt}")


numbers = signal.SIGTERM, signal.SIGINT
for number in numbers:
    signal.signal(number, save_and_stop)
show("before init")
ray.init(address="local", num_cpus=1, include_dashboard=False, logging_level="ERROR")
show("after init")
ray.shutdown()
show("after shutdown")
PY
seen=$(HOME="$work" RAY_USAGE_STATS_ENABLED=0 "$work/venv/bin/python" "$work/run.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "2.60.0 before init: SIGTERM mine True, SIGINT mine True
2.60.0 after init: SIGTERM mine False, SIGINT mine True
2.60.0 after shutdown: SIGTERM mine False, SIGINT mine True" ]
