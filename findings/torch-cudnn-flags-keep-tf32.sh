#!/usr/bin/env bash
# torch 2.13.0: after `torch.backends.fp32_precision = "tf32"`, the context
# `torch.backends.cudnn.flags(enabled=True, allow_tf32=False)` does not turn TF32 off inside: the
# precision of convolutions stays "tf32". Leaving it raises a RuntimeError about mixed settings, and
# so does entering it again. Besides, flags(deterministic=True) turns cuDNN off, since the default
# of `enabled` is False whatever the setting was before. No GPU is needed to see either.
# A library that guards its convolutions with this context therefore computes in TF32 as soon as the
# program around it uses the newer setting. Setting `torch.backends.cudnn.conv.fp32_precision`, and
# setting it back afterwards, works.
# Output seen (Python 3.11, CPU wheel):
#   2.13.0+cpu
#   inside flags(deterministic=True): enabled False, outside True
#   inside flags(allow_tf32=False): conv tf32; left by RuntimeError; entered again: RuntimeError
#   set directly: conv ieee
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" \
    torch==2.13.0 numpy==2.4.6 2>/dev/null
cat > "$work/run.py" <<'PY'
import torch
from torch.backends import cudnn

print(torch.__version__)
with cudnn.flags(deterministic=True):
    enabled_inside = cudnn.enabled
print(f"inside flags(deterministic=True): enabled {enabled_inside}, outside {cudnn.enabled}")

torch.backends.fp32_precision = "tf32"
conv_inside, errors = None, []
for _ in range(2):
    try:
        with cudnn.flags(enabled=True, allow_tf32=False):
            conv_inside = conv_inside or cudnn.conv.fp32_precision
        errors.append("nothing")
    except RuntimeError as error:
        errors.append(type(error).__name__)
print(
    f"inside flags(allow_tf32=False): conv {conv_inside}; left by {errors[0]}; "
    f"entered again: {errors[1]}"
)
cudnn.conv.fp32_precision = "ieee"
print(f"set directly: conv {cudnn.conv.fp32_precision}")
PY
seen=$(PYTHONPATH="$work/lib" python3 "$work/run.py")
echo "$seen"
expected="2.13.0+cpu
inside flags(deterministic=True): enabled False, outside True
inside flags(allow_tf32=False): conv tf32; left by RuntimeError; entered again: RuntimeError
set directly: conv ieee"
[ "$seen" = "$expected" ]
