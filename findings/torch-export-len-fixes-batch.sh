#!/usr/bin/env bash
# In torch 2.13.0, a module that asks for len(x) instead of x.shape[0] is exported by
# torch.export.export with the batch size of its example, unless strict=True, which is not the
# default: Python turns what len() returns into a number, so that no symbol is left. With
# Dim("batch") and Dim.DYNAMIC this is an error, which does not name len; with Dim.AUTO the export
# succeeds, and the program then refuses every other batch size. One would expect both spellings
# to be the same, as they are with strict=True, and elsewhere in PyTorch. Write x.shape[0] in
# forward, or export with strict=True.
# Output seen (Python 3.11), for an example of 4 samples and a call with 7:
#   2.13.0 Dim len default: export UserError
#   2.13.0 Dim len strict: (7, 6)
#   2.13.0 Dim shape default: (7, 6)
#   2.13.0 AUTO len default: call AssertionError Guard failed: x.size()[0] == 4
#   2.13.0 AUTO len strict: (7, 6)
#   2.13.0 AUTO shape default: (7, 6)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" \
    torch==2.13.0 numpy==2.4.6 2>/dev/null
cat > "$work/run.py" <<'PY'
import torch
from torch.export import Dim, export


class ByLen(torch.nn.Module):
    def forward(self, x):
        return x.reshape(len(x), -1)


class ByShape(torch.nn.Module):
    def forward(self, x):
        return x.reshape(x.shape[0], -1)


def try_other_size(net, dimension, **options):
    example = torch.zeros(4, 2, 3)
    try:
        program = export(net, (example,), dynamic_shapes={"x": {0: dimension}}, **options)
    except Exception as error:
        return f"export {type(error).__name__}"
    try:
        return str(tuple(program.module()(torch.zeros(7, 2, 3)).shape))
    except Exception as error:
        return f"call {type(error).__name__} {str(error).splitlines()[0]}"


version = torch.__version__.split("+")[0]
for name, dimension in ("Dim", Dim("batch")), ("AUTO", Dim.AUTO):
    print(version, name, "len default:", try_other_size(ByLen(), dimension))
    print(version, name, "len strict:", try_other_size(ByLen(), dimension, strict=True))
    print(version, name, "shape default:", try_other_size(ByShape(), dimension))
PY
seen=$(PYTHONPATH="$work/lib" python3 "$work/run.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "2.13.0 Dim len default: export UserError
2.13.0 Dim len strict: (7, 6)
2.13.0 Dim shape default: (7, 6)
2.13.0 AUTO len default: call AssertionError Guard failed: x.size()[0] == 4
2.13.0 AUTO len strict: (7, 6)
2.13.0 AUTO shape default: (7, 6)" ]
