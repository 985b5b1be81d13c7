#!/usr/bin/env bash
# torch 2.13.0: Inductor has a C++ template for matrix products on the CPU, which fuses what follows
# a product into it (`max_autotune`, with `max_autotune_gemm_backends="CPP"`). A product of two
# matrices can only use it if the second one is a constant, such as a frozen weight: otherwise, as
# in any training step, compilation raises NoValidChoicesError. The same product with a batch of
# one, (1, n, k) times (1, k, m), has no such condition and is compiled to the template. So whoever
# trains has to write products as batched ones to try it, or else the template silently never
# competes (with "CPP,ATEN" the library's product is the only choice).
# Output seen (Python 3.11, g++ 12):
#   2.13.0 matrix: NoValidChoicesError; batch of one: template; frozen weight: template
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" torch==2.13.0 \
    numpy==2.4.6 2>/dev/null
cat > "$work/run.py" <<'PY'
import torch
from torch._inductor import config
from torch._inductor.utils import run_and_get_code

torch.set_num_threads(1)
config.max_autotune = True
config.max_autotune_gemm_backends = "CPP"


def product(a, b):
    return torch.relu(a @ b)


def compiled_to(function, *inputs):
    torch._dynamo.reset()
    with torch.no_grad():
        try:
            _, code = run_and_get_code(torch.compile(function), *inputs)
        except Exception as error:
            return "NoValidChoicesError" if "NoValidChoicesError" in str(error) else repr(error)
    return "template" if "micro_gemm" in code[0] else "library"


matrix = torch.randn(128, 128)
outcomes = {
    "matrix": compiled_to(product, matrix, matrix),
    "batch of one": compiled_to(product, matrix[None], matrix[None]),
}
config.freezing = True
layer = torch.nn.Linear(128, 128, bias=False).eval()
outcomes["frozen weight"] = compiled_to(lambda x: torch.relu(layer(x)), matrix)
text = "; ".join(f"{case}: {outcome}" for case, outcome in outcomes.items())
print(torch.__version__.split("+")[0], text)
PY
seen=$(PYTHONPATH="$work/lib" TORCHINDUCTOR_CACHE_DIR="$work/cache" python3 "$work/run.py" \
    2>/dev/null | tail -n 1)
echo "$seen"
[ "$seen" = "2.13.0 matrix: NoValidChoicesError; batch of one: template; frozen weight: template" ]
