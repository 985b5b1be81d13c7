#!/usr/bin/env bash
# safetensors 0.8.0: the same tensors with the same metadata give files that differ from process to
# process as soon as the metadata has two or more keys: they are written in the order of a hash map
# with a random seed, while tensors are sorted. Digests of such files (caches, Git LFS, tests of
# bit-exact resume) therefore differ though nothing in them does. One key, with JSON as its value,
# gives the same bytes every time.
# Output seen (Python 3.11, 12 processes, 4 keys and 1 key):
#   0.8.0 files of 4 keys differ: True; of 1 key: False; contents differ: False
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" \
    safetensors==0.8.0 numpy==2.4.6 2>/dev/null
cat > "$work/write.py" <<'PY'
import json
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

facts = {"id": "a1", "seeds": "0,1", "step": "24000", "diverged": "-1,-1"}
path = sys.argv[1]
for name, metadata in (("four", facts), ("one", {"facts": json.dumps(facts)})):
    save_file({"weight": np.zeros(3), "bias": np.ones(2)}, f"{path}-{name}", metadata)
with safe_open(f"{path}-four", framework="np") as file:
    print(sorted(file.metadata().items()), sorted(file.keys()))
PY
cat > "$work/run.py" <<'PY'
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

work = Path(sys.argv[1])
contents = set()
for i in range(12):
    command = [sys.executable, work / "write.py", work / str(i)]
    contents.add(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
differ = {
    name: len({(work / f"{i}-{name}").read_bytes() for i in range(12)}) > 1
    for name in ("four", "one")
}
print(
    version("safetensors"),
    f"files of 4 keys differ: {differ['four']}; of 1 key: {differ['one']};",
    f"contents differ: {len(contents) > 1}",
)
PY
seen=$(PYTHONPATH="$work/lib" python3 "$work/run.py" "$work")
echo "$seen"
[ "$seen" = "0.8.0 files of 4 keys differ: True; of 1 key: False; contents differ: False" ]
