#!/usr/bin/env bash
# In torch 2.13.0, torch.distributed.nn.functional.broadcast is deprecated, and its warning names
# torch.distributed._functional_collectives.broadcast as what to use instead. The values are
# equal and the gradients are not. With the old one the source gets the sum of the gradients of
# all processes, and the others get 0, as their input is not read. With the new one every process
# keeps its own gradient: the source misses those of the others, and the others have a gradient
# with respect to a tensor that is not read; a warning about a missing autograd kernel is all
# that is seen. all_reduce and all_gather, deprecated with the same words, keep their gradients,
# but of all_reduce the average is computed and raises an error only in the backward pass.
# One would expect a named replacement to have the gradient of what it replaces. For a broadcast
# that is differentiated, keep the deprecated one, or gather and take the part of the source.
# Output seen (Python 3.11, gloo, two processes, of which process k multiplies its result by 10^k):
#   2.13.0 broadcast, deprecated: [11.0, 0.0]
#   2.13.0 broadcast, replacement: [1.0, 10.0]
#   2.13.0 all_gather, deprecated: [11.0, 11.0]
#   2.13.0 all_gather, replacement: [11.0, 11.0]
#   2.13.0 all_reduce sum, deprecated: [11.0, 11.0]
#   2.13.0 all_reduce sum, replacement: [11.0, 11.0]
#   2.13.0 all_reduce avg, replacement: RuntimeError in backward, values [1.5, 1.5]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" \
    torch==2.13.0 numpy==2.4.6 2>/dev/null
cat > "$work/run.py" <<'PY'
import sys

import torch
import torch.distributed as dist
import torch.distributed._functional_collectives as replacement
import torch.distributed.nn.functional as deprecated
import torch.multiprocessing as mp


def main(rank, rendezvous):
    dist.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=2)
    world = dist.group.WORLD

    def gathered(value):
        values = [None, None]
        dist.all_gather_object(values, value)
        return values

    def gradients(collective):
        x = torch.tensor([1.0 + rank], requires_grad=True)
        y = collective(x)
        values = gathered(y.sum().item())
        try:
            (10.0**rank * y).sum().backward()
        except RuntimeError as error:
            return f"{type(error).__name__} in backward, values {values}"
        return gathered(x.grad.item())

    for name, collective in {
        "broadcast, deprecated": lambda x: deprecated.broadcast(x, 0),
        "broadcast, replacement": lambda x: replacement.broadcast(x, 0, world),
        "all_gather, deprecated": lambda x: torch.cat(deprecated.all_gather(x)),
        "all_gather, replacement": lambda x: replacement.all_gather_single(x, 0, world),
        "all_reduce sum, deprecated": lambda x: deprecated.all_reduce(x),
        "all_reduce sum, replacement": lambda x: replacement.all_reduce(x, "sum", world),
        "all_reduce avg, replacement": lambda x: replacement.all_reduce(x, "avg", world),
    }.items():
        seen = gradients(collective)
        if rank == 0:
            print(torch.__version__.split("+")[0], f"{name}:", seen, flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    mp.spawn(main, (f"file://{sys.argv[1]}/rendezvous",), nprocs=2)
PY
seen=$(PYTHONPATH="$work/lib" python3 "$work/run.py" "$work" 2>/dev/null)
echo "$seen"
[ "$seen" = "2.13.0 broadcast, deprecated: [11.0, 0.0]
2.13.0 broadcast, replacement: [1.0, 10.0]
2.13.0 all_gather, deprecated: [11.0, 11.0]
2.13.0 all_gather, replacement: [11.0, 11.0]
2.13.0 all_reduce sum, deprecated: [11.0, 11.0]
2.13.0 all_reduce sum, replacement: [11.0, 11.0]
2.13.0 all_reduce avg, replacement: RuntimeError in backward, values [1.5, 1.5]" ]
