#!/usr/bin/env bash
# torch 2.13.0: inside `torch.utils.flop_counter.FlopCounterMode`, `torch.autograd.grad` of the
# output of a module with respect to a tensor that requires a gradient and was made by no operation
# (a leaf) raises "A leaf node was passed to _will_engine_execute_node". The same lines run without
# the counter, `.backward()` and gradients of parameters are counted, and so is the same gradient of
# `x * 1`. A gradient penalty (WGAN-GP, R1) as it is usually written, with `x.requires_grad_()`,
# therefore cannot be counted: the hooks that name the modules ask the engine about the leaf.
# Output seen (Python 3.11):
#   2.13.0 uncounted: runs; leaf: RuntimeError; x * 1: 320 operations
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" torch==2.13.0 \
    numpy==2.4.6 2>/dev/null
cat > "$work/run.py" <<'PY'
import warnings

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

warnings.simplefilter("ignore")
net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))


def gradient_norm(x):
    (gradient,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    return gradient.norm()


def count(make_input):
    x = make_input(torch.randn(5, 3, requires_grad=True))
    try:
        with FlopCounterMode(display=False) as counter:
            gradient_norm(x)
    except RuntimeError as error:
        assert "_will_engine_execute_node" in str(error)
        return "RuntimeError"
    return f"{counter.get_total_flops()} operations"


uncounted = gradient_norm(torch.randn(5, 3, requires_grad=True))
print(
    torch.__version__.split("+")[0],
    f"uncounted: {'runs' if uncounted.isfinite() else 'fails'};",
    f"leaf: {count(lambda x: x)}; x * 1: {count(lambda x: x * 1)}",
)
PY
seen=$(PYTHONPATH="$work/lib" python3 "$work/run.py")
echo "$seen"
[ "$seen" = "2.13.0 uncounted: runs; leaf: RuntimeError; x * 1: 320 operations" ]
