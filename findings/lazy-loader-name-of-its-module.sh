#!/usr/bin/env bash
# A function that is attached lazily from a module of its own name, as `pkg.train` from
# `pkg/train.py`:
#   lazy-loader 0.5: once anybody has imported the module, `pkg.train` is the module, and a call
#   fails with "'module' object is not callable"; whether it works depends on who imported what first.
#   lazy-loader 0.6: `pkg.train` is always the function; but so is `t` after `import pkg.train as t`,
#   which is documented to bind a module. The module itself is in sys.modules["pkg.train"] alone.
# Output seen (Python 3.11):
#   0.5 attribute module, import-as module
#   0.6 attribute function, import-as function, sys.modules module
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir pkg
printf 'import lazy_loader\n__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)\n' > pkg/__init__.py
printf 'from .train import train as train\n' > pkg/__init__.pyi
printf 'def train():\n    return 1\n' > pkg/train.py

seen=""
for version in 0.5 0.6; do
    python3 -m pip install --quiet --disable-pip-version-check --target "lib-$version" "lazy-loader==$version" 2>/dev/null
    seen+=$(PYTHONPATH="lib-$version:." python3 - "$version" <<'PY'
import sys
import pkg
import pkg.train
import pkg.train as t

kind = lambda value: type(value).__name__
line = f"{sys.argv[1]} attribute {kind(pkg.train)}, import-as {kind(t)}"
if sys.argv[1] == "0.6":
    line += f", sys.modules {kind(sys.modules['pkg.train'])}"
print(line)
PY
)$'\n'
done
printf '%s' "$seen"
expected='0.5 attribute module, import-as module
0.6 attribute function, import-as function, sys.modules module
'
[ "$seen" = "$expected" ]
