#!/usr/bin/env bash
# In torch 2.13.0, make_fx cannot trace a bound method: it counts `self` among the arguments of
# the function behind it, and says that one is missing. An object that is callable is traced, and
# so are a lambda around the method and functools.partial of the function. One would expect that
# whatever can be called with the arguments can be traced. Wrap the method in a lambda.
# Output seen (Python 3.11):
#   2.13.0 bound method: RuntimeError Tracing expected 2 arguments but got 1 concrete arguments
#   2.13.0 method of a module: RuntimeError Tracing expected 2 arguments but got 1 concrete arguments
#   2.13.0 callable object: [2.0]
#   2.13.0 lambda: [2.0]
#   2.13.0 partial: [2.0]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" \
    torch==2.13.0 numpy==2.4.6 2>/dev/null
cat > "$work/run.py" <<'PY'
from functools import partial

import torch
from torch.fx.experimental.proxy_tensor import make_fx


class Doubling:
    def double(self, x):
        return 2 * x

    def __call__(self, x):
        return 2 * x


class Module(torch.nn.Module):
    def double(self, x):
        return 2 * x


def multiply(factor, x):
    return factor * x


doubling, x = Doubling(), torch.ones(1)
for name, function in {
    "bound method": doubling.double,
    "method of a module": Module().double,
    "callable object": doubling,
    "lambda": lambda x: doubling.double(x),
    "partial": partial(multiply, 2),
}.items():
    try:
        seen = make_fx(function)(x)(x).tolist()
    except RuntimeError as error:
        seen = f"RuntimeError {error}"
    print(torch.__version__.split("+")[0], f"{name}:", seen)
PY
seen=$(PYTHONPATH="$work/lib" python3 "$work/run.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "2.13.0 bound method: RuntimeError Tracing expected 2 arguments but got 1 concrete arguments
2.13.0 method of a module: RuntimeError Tracing expected 2 arguments but got 1 concrete arguments
2.13.0 callable object: [2.0]
2.13.0 lambda: [2.0]
2.13.0 partial: [2.0]" ]
