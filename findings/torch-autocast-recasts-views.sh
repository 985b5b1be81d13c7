#!/usr/bin/env bash
# torch 2.13.0: `torch.autocast` keeps the bfloat16 copy of a parameter until the context ends, so
# that a layer which is called twice converts its weight once. A view of the parameter is converted
# at each use, even if it is the same tensor object: `weight[0]`, `weight.flatten(0, 1)`, a
# transposed weight. Layers that keep the weights of several models in one parameter, or tie
# weights by transposition, pay a conversion per call. Tracing by `make_fx` turns the cache off: the
# graph has a conversion for each use of a plain parameter as well.
# Output seen (Python 3.11):
#   2.13.0 conversions in two uses: parameter 1, view 2, parameter in a make_fx graph 2
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" torch==2.13.0 \
    numpy==2.4.6 2>/dev/null
cat > "$work/run.py" <<'PY'
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.functional import linear
from torch.utils._python_dispatch import TorchDispatchMode

CONVERSION = torch.ops.aten._to_copy.default


class CountConversions(TorchDispatchMode):
    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += function is CONVERSION
        return function(*args, **(kwargs or {}))


def use_twice(x, weight):
    with torch.autocast("cpu", torch.bfloat16):
        return linear(x, weight) + linear(x, weight)


def count(weight):
    with CountConversions() as counter:
        use_twice(x, weight)
    return counter.count


x = torch.randn(5, 3, dtype=torch.bfloat16)
parameter = torch.nn.Parameter(torch.randn(4, 3))
stacked = torch.nn.Parameter(torch.randn(2, 4, 3))
graph = make_fx(use_twice)(x, parameter)
in_graph = sum(node.target is CONVERSION for node in graph.graph.nodes)
print(
    torch.__version__.split("+")[0],
    f"conversions in two uses: parameter {count(parameter)}, view {count(stacked[0])},",
    f"parameter in a make_fx graph {in_graph}",
)
PY
seen=$(PYTHONPATH="$work/lib" python3 "$work/run.py")
echo "$seen"
[ "$seen" = "2.13.0 conversions in two uses: parameter 1, view 2, parameter in a make_fx graph 2" ]
