#!/usr/bin/env bash
# torch 2.13.0, torch.fx.experimental.const_fold.split_const_subgraphs on a graph of make_fx:
# a value that is computed from constants, then viewed, then changed in place by an input. Folding
# stores the value and its view as two separate tensors, so that the change no longer reaches the
# view: the folded graph returns what the view held before the change, without an error. The graph
# itself returns the same as the function. (Optimiser steps captured whole have this shape.)
# Whoever folds captured graphs has to leave out values that are written later, and their aliases.
# Output seen (Python 3.11):
#   2.13.0 function [[11.0, 21.0]] graph [[11.0, 21.0]] folded [[1.0, 1.0]]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" torch==2.13.0 numpy==2.4.6 2>/dev/null
cat > "$work/run.py" <<'PY'
import warnings

import torch
from torch.fx.experimental.const_fold import split_const_subgraphs
from torch.fx.experimental.proxy_tensor import make_fx

warnings.simplefilter("ignore")
start = torch.zeros(2)


def shifted(x):
    total = start + 1.0
    row = total.view(1, 2)
    total.add_(x)
    return row * 1.0


x = torch.tensor([10.0, 20.0])
graph = make_fx(shifted)(x)
values = [shifted(x).tolist(), graph(x).tolist(), split_const_subgraphs(graph)(x).tolist()]
version = torch.__version__.split("+")[0]
print(f"{version} function {values[0]} graph {values[1]} folded {values[2]}")
PY
seen=$(PYTHONPATH="$work/lib" python3 "$work/run.py")
echo "$seen"
[ "$seen" = "2.13.0 function [[11.0, 21.0]] graph [[11.0, 21.0]] folded [[1.0, 1.0]]" ]
